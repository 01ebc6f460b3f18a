//! The outcome of each request of an attack, and the summary of all.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Codes of errors that an attack should not receive: its document is not valid or its token is not accepted, so that it tests
/// nothing.
const INVALID_CODES: [&str; 3] = ["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "UNAUTHENTICATED"];
/// Code of a fault of the server.
const INTERNAL_CODE: &str = "INTERNAL_SERVER_ERROR";
/// Part of a response that is kept to find the code of an error.
pub const HEAD_BYTES: usize = 4_096;

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// A complete response without errors.
    Answered,
    /// An error with this code, or with this status if the body has no code.
    Refused(String),
    /// An error because the request itself is not valid.
    Invalid(String),
    /// A fault of the server.
    Internal(String),
    /// No complete response within the time that the client waits.
    TimedOut,
    /// The server closed the connection before a response.
    Closed,
    /// The server closed the connection within a response.
    CutOff,
    /// The client disconnected, as the attack intends.
    Disconnected,
    /// The socket was kept open by the server while it was not used.
    KeptOpen,
    /// The server did not accept a connection.
    NotConnected,
}

impl Outcome {
    /// The outcome of a complete response with this status, whose body or first message starts with `head`.
    pub fn of_response(status: u16, head: &[u8]) -> Self {
        let text = String::from_utf8_lossy(head);
        let code = (status >= 400 || text.contains("\"errors\":[{")).then(|| error_code(&text)).flatten();
        match (status, code) {
            (_, Some(code)) if code == INTERNAL_CODE => Self::Internal(code),
            (_, Some(code)) if INVALID_CODES.contains(&code.as_str()) => Self::Invalid(code),
            (_, Some(code)) => Self::Refused(code),
            (503 | 504, None) => Self::Refused(status.to_string()),
            (500.., None) => Self::Internal(status.to_string()),
            (401 | 404 | 405 | 406 | 415, None) => Self::Invalid(status.to_string()),
            (400.., None) => Self::Refused(status.to_string()),
            (_, None) => Self::Answered,
        }
    }

    /// Whether the outcome breaks a bound by itself.
    fn is_broken(&self, may_be_invalid: bool) -> bool {
        match self {
            Self::Internal(_) | Self::TimedOut | Self::Closed | Self::NotConnected => true,
            Self::Invalid(_) => !may_be_invalid,
            Self::Answered | Self::Refused(_) | Self::CutOff | Self::Disconnected | Self::KeptOpen => false,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered => f.write_str("answered"),
            Self::Refused(code) => write!(f, "refused ({code})"),
            Self::Invalid(code) => write!(f, "invalid request ({code})"),
            Self::Internal(code) => write!(f, "internal error ({code})"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Closed => f.write_str("connection closed"),
            Self::CutOff => f.write_str("cut off"),
            Self::Disconnected => f.write_str("disconnected"),
            Self::KeptOpen => f.write_str("kept open"),
            Self::NotConnected => f.write_str("not connected"),
        }
    }
}

/// The value of the first `"code"` in a JSON text.
fn error_code(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("\"code\":\"")?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// The outcomes of all requests of an attack.
#[derive(Debug, Default)]
pub struct Outcomes {
    counts: BTreeMap<Outcome, u64>,
    /// Longest time until a response was complete, or until the first byte of a response without an end.
    pub slowest: Duration,
    /// Bytes received.
    pub bytes: u64,
    /// Bytes of the largest response that is not a table, which has no limit.
    pub largest: u64,
}

impl Outcomes {
    pub fn add(&mut self, outcome: Outcome, latency: Duration, bytes: u64) {
        *self.counts.entry(outcome).or_default() += 1;
        self.slowest = self.slowest.max(latency);
        self.bytes += bytes;
    }

    pub fn merge(&mut self, other: Self) {
        for (outcome, count) in other.counts {
            *self.counts.entry(outcome).or_default() += count;
        }
        self.slowest = self.slowest.max(other.slowest);
        self.bytes += other.bytes;
        self.largest = self.largest.max(other.largest);
    }

    /// Whether all requests were answered without errors.
    pub fn is_all_answered(&self) -> bool {
        self.counts.keys().all(|outcome| *outcome == Outcome::Answered)
    }

    /// Whether a request ended in a way that is never permitted.
    pub fn is_broken(&self, may_be_invalid: bool) -> bool {
        self.counts.keys().any(|outcome| outcome.is_broken(may_be_invalid))
    }
}

impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (outcome, count)) in self.counts.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            match count {
                1 => write!(f, "{separator}{outcome}")?,
                count => write!(f, "{separator}{count} {outcome}")?,
            }
        }
        Ok(())
    }
}

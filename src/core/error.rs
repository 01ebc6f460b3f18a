//! The error of the crate: what a client may see, and its cause, which stays in the log.
//!
//! Layers below `graphql`, `http` and `cli` return [`Error`] and do not log it. It is logged once, by [`Error::log`],
//! where a request or a command ends.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use strum::VariantArray;

/// A machine-readable code, sent as `extensions.code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum ErrorCode {
    /// An argument or a record is not valid.
    BadUserInput,
    /// A cursor cannot be used in this list.
    InvalidCursor,
    /// A token is required, or the token is not valid.
    Unauthenticated,
    /// The token's role is too low.
    Forbidden,
    /// The operation exceeded its time limit.
    Timeout,
    /// The server is at capacity, or the database did not respond.
    Unavailable,
    /// A fault of the server.
    Internal,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The code as it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::InvalidCursor => "INVALID_CURSOR",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::Timeout => "TIMEOUT",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL_SERVER_ERROR",
        }
    }
}

/// The cause of an error; never sent to a client.
pub type ErrorSource = Arc<dyn StdError + Send + Sync>;

/// An error. Its `Display` is the message for the client: what is wrong, where, and what would be right.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// An argument is not valid.
    #[error("{path}: {message}")]
    BadUserInput {
        /// Path of the argument, such as `filter.openedOn.gte`.
        path: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// A cursor cannot be used where it was given.
    #[error("{argument}: {message}")]
    InvalidCursor {
        /// Name of the argument.
        argument: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// A valid token is required.
    #[error("{0}")]
    Unauthenticated(String),
    /// The role of the caller's token is too low.
    #[error("{0}")]
    Forbidden(String),
    /// The operation exceeded its time limit.
    #[error("the query exceeded its time limit (timeouts.query_seconds); request less: a filter, smaller pages, fewer levels or counts")]
    Timeout,
    /// The server is at capacity: the request was not admitted.
    #[error("the server is at capacity (max_concurrent_queries), or this client has its share (shares.client_percent); retry later")]
    Overloaded,
    /// The database is unreachable or did not respond in time.
    #[error("the database is not available; retry later")]
    Unavailable(#[source] ErrorSource),
    /// The database can be read, but not written to.
    #[error("the database cannot be written to: {reason}; nothing was changed")]
    ReadOnly {
        /// Why, as the client may know it.
        reason: &'static str,
        /// The error of the database.
        source: ErrorSource,
    },
    /// A fault of the server.
    #[error("internal server error")]
    Internal(#[source] ErrorSource),
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The machine-readable code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::BadUserInput { .. } => ErrorCode::BadUserInput,
            Self::InvalidCursor { .. } => ErrorCode::InvalidCursor,
            Self::Unauthenticated(_) => ErrorCode::Unauthenticated,
            Self::Forbidden(_) => ErrorCode::Forbidden,
            Self::Timeout => ErrorCode::Timeout,
            Self::Overloaded | Self::Unavailable(_) | Self::ReadOnly { .. } => ErrorCode::Unavailable,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }

    /// Logs the cause of an error that the client did not make. Call it once, where the request or command ends.
    pub fn log(&self) {
        match self {
            Self::Internal(cause) => tracing::error!(error = %Chain(cause.as_ref()), "internal error"),
            Self::Unavailable(cause) => tracing::error!(error = %Chain(cause.as_ref()), "database unavailable"),
            Self::ReadOnly { source, .. } => tracing::error!(error = %Chain(source.as_ref()), "database not writable"),
            Self::BadUserInput { .. }
            | Self::InvalidCursor { .. }
            | Self::Unauthenticated(_)
            | Self::Forbidden(_)
            | Self::Timeout
            | Self::Overloaded => {}
        }
    }
}

/// An error with its sources, separated by colons.
struct Chain<'e>(&'e (dyn StdError + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.to_string();
        f.write_str(&shown)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            // many libraries repeat their source in their own message
            let text = error.to_string();
            if !shown.contains(&text) {
                write!(f, ": {text}")?;
                shown = text;
            }
            source = error.source();
        }
        Ok(())
    }
}

/// The argument at `path` (such as `filter.openedOn.gte`) is not valid.
pub fn bad_input(path: impl fmt::Display, message: impl fmt::Display) -> Error {
    Error::BadUserInput { path: path.to_string(), message: message.to_string() }
}

/// The cursor in this argument cannot be used.
pub fn invalid_cursor(argument: &str, message: impl fmt::Display) -> Error {
    Error::InvalidCursor { argument: argument.to_owned(), message: message.to_string() }
}

/// A valid token is required.
pub fn unauthenticated(message: impl fmt::Display) -> Error {
    Error::Unauthenticated(message.to_string())
}

/// A fault of the server. The cause is logged where the request ends; the client learns only that it happened.
pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    Error::Internal(Arc::from(cause.into()))
}

/// The database is unreachable or did not respond in time.
pub fn unavailable(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    Error::Unavailable(Arc::from(cause.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_a_code_of_the_list() {
        let errors = [
            bad_input("a", "b"),
            invalid_cursor("after", "b"),
            Error::Unauthenticated(String::new()),
            Error::Forbidden(String::new()),
            Error::Timeout,
            unavailable("cause"),
            internal("cause"),
        ];
        assert_eq!(errors.map(|error| error.code()), ErrorCode::ALL);
    }

    #[test]
    fn the_cause_is_a_source_and_not_in_the_message() {
        for error in
            [internal("secret"), unavailable("secret"), Error::ReadOnly { reason: "disk full", source: Arc::from(Box::from("secret")) }]
        {
            assert!(!error.to_string().contains("secret"), "{error}");
            assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("secret"));
        }
    }
}

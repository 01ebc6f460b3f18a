//! What can go wrong, said for the one who can mend it. Causes that are ours are logged, never sent.

use std::fmt;

/// A code that programs can tell errors apart by; sent as `extensions.code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// An argument or a record is not valid.
    BadUserInput,
    /// A cursor cannot be used here.
    InvalidCursor,
    /// Who asks must show a token, or the token does not work.
    Unauthenticated,
    /// The token has too low a role.
    Forbidden,
    /// What was asked took longer than a query may.
    Timeout,
    /// The database did not answer.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl ErrorCode {
    /// All codes.
    pub const ALL: [Self; 6] =
        [Self::BadUserInput, Self::InvalidCursor, Self::Unauthenticated, Self::Forbidden, Self::Unavailable, Self::Internal];

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

/// An error as a client may see it; the cause stays on our side.
#[derive(Debug, Clone)]
pub struct Error {
    /// Code that tells the kind of error.
    pub code: ErrorCode,
    /// What is wrong, where, and what would be right.
    pub message: String,
}

/// Short for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// An argument is not valid: `path` is where it stands, such as `filter.opened.gte`.
pub fn bad_input(path: impl fmt::Display, message: impl fmt::Display) -> Error {
    Error { code: ErrorCode::BadUserInput, message: format!("{path}: {message}") }
}

/// A cursor cannot be used where it was given.
pub fn invalid_cursor(argument: &str, message: impl fmt::Display) -> Error {
    Error { code: ErrorCode::InvalidCursor, message: format!("{argument}: {message}") }
}

/// Who asks must show a token that works.
pub fn unauthenticated(message: impl fmt::Display) -> Error {
    Error { code: ErrorCode::Unauthenticated, message: message.to_string() }
}

/// The token of who asks has too low a role.
pub fn forbidden(message: impl fmt::Display) -> Error {
    Error { code: ErrorCode::Forbidden, message: message.to_string() }
}

/// What was asked took longer than a query may.
pub fn too_slow() -> Error {
    let message = "this took longer than a query may (timeouts.request); ask for less: a filter, smaller pages, fewer levels or counts";
    Error { code: ErrorCode::Timeout, message: message.to_owned() }
}

/// A fault of ours: the cause is logged here and the client learns only that it happened.
pub fn internal(cause: impl fmt::Display) -> Error {
    tracing::error!(%cause, "internal error");
    Error { code: ErrorCode::Internal, message: "Something went wrong on our side; it has been logged.".to_owned() }
}

/// The database could not be reached or did not answer in time.
pub fn unavailable(cause: impl fmt::Display) -> Error {
    tracing::error!(%cause, "the database is unavailable");
    Error { code: ErrorCode::Unavailable, message: "The database does not answer just now; try again in a moment.".to_owned() }
}

/// The database can be read and not written to: `why` is told, the cause is logged.
pub fn unwritable(why: &str, cause: impl fmt::Display) -> Error {
    tracing::error!(%cause, "the database cannot be written to");
    Error { code: ErrorCode::Unavailable, message: format!("The database cannot be written to just now: {why}. Nothing was changed.") }
}

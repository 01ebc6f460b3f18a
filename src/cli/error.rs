//! Errors that determine the exit code of the program.

use std::io::ErrorKind;
use std::process::ExitCode;

use crate::config::ConfigError;
use crate::interchange::push::RequestError;

/// The exit codes, as the help of the program lists them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    success
  1    any other error
  2    the command line is not valid
  3    the records or documents of the input are not valid
  4    an import with --skip refused some records and wrote the others
  65   the database is damaged, or its schema does not fit this version
  66   an input file cannot be read
  69   the database or server cannot be reached
  71   the operating system refuses a resource, such as a port
  73   the output cannot be written
  77   the server rejects the token
  78   the settings are not valid
  130  interrupted by Ctrl-C";

/// `EX_UNAVAILABLE`.
const EXIT_UNAVAILABLE: u8 = 69;
/// `EX_NOPERM`.
const EXIT_NO_PERMISSION: u8 = 77;

/// Why a command cannot run. Each cause has an exit code of its own, after BSD's `sysexits.h`.
#[derive(Debug, thiserror::Error)]
pub enum ExitError {
    /// The settings are invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database cannot be reached or opened.
    #[error("{0}")]
    DatabaseUnavailable(String),
    /// The database is damaged, or its schema does not fit this version of the program.
    #[error("{0}")]
    UnusableData(String),
    /// The records or documents of the input are not valid.
    #[error("{0}")]
    InvalidInput(String),
    /// An input file cannot be read.
    #[error("{0}")]
    UnreadableInput(String),
    /// The output cannot be written.
    #[error("{0}")]
    UnwritableOutput(String),
    /// The operating system refuses a resource, such as a port.
    #[error("{0}")]
    System(String),
}

impl ExitError {
    fn code(&self) -> u8 {
        match self {
            Self::InvalidInput(_) => 3,
            // EX_DATAERR
            Self::UnusableData(_) => 65,
            Self::DatabaseUnavailable(_) => EXIT_UNAVAILABLE,
            // EX_NOINPUT
            Self::UnreadableInput(_) => 66,
            // EX_CANTCREAT
            Self::UnwritableOutput(_) => 73,
            // EX_OSERR
            Self::System(_) => 71,
            // EX_CONFIG
            Self::Config(_) => 78,
        }
    }
}

/// The exit code for an error: that of an [`ExitError`] or of a failed request, or 1.
pub(super) fn exit_code(error: &anyhow::Error) -> ExitCode {
    if let Some(error) = error.downcast_ref::<ExitError>() {
        return ExitCode::from(error.code());
    }
    match error.downcast_ref::<RequestError>() {
        Some(RequestError::Unavailable(_)) => ExitCode::from(EXIT_UNAVAILABLE),
        Some(RequestError::Unauthorized(_)) => ExitCode::from(EXIT_NO_PERMISSION),
        Some(RequestError::Unexpected(_)) | None => ExitCode::FAILURE,
    }
}

/// Whether the reader of the output closed its end of the pipe.
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

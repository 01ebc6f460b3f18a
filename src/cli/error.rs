//! Errors that determine the exit code of the program.

use std::io::ErrorKind;
use std::process::ExitCode;

use crate::config::ConfigError;

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
    /// The operating system refuses a resource, such as a port.
    #[error("{0}")]
    System(String),
}

impl ExitError {
    fn code(&self) -> u8 {
        match self {
            // EX_DATAERR
            Self::UnusableData(_) => 65,
            // EX_UNAVAILABLE
            Self::DatabaseUnavailable(_) => 69,
            // EX_OSERR
            Self::System(_) => 71,
            // EX_CONFIG
            Self::Config(_) => 78,
        }
    }
}

/// The exit code for an error: that of an [`ExitError`], or 1.
pub(super) fn exit_code(error: &anyhow::Error) -> ExitCode {
    error.downcast_ref::<ExitError>().map_or(ExitCode::FAILURE, |error| ExitCode::from(error.code()))
}

/// Whether the reader of the output closed its end of the pipe.
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

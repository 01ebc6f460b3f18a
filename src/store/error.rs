//! Classification of database errors, and their translation into errors for clients.

use std::borrow::Cow;
use std::sync::Arc;

use sea_orm::{DbErr, RuntimeErr, sqlx};

use crate::core::error::{Error, internal, unavailable};

/// The error code that the database itself reported.
fn error_code(error: &DbErr) -> Option<String> {
    let (DbErr::Query(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Conn(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    error.as_database_error()?.code().map(Cow::into_owned)
}

/// The primary result code of SQLite within an extended one; `None` for codes of PostgreSQL, which have five characters.
fn sqlite_primary_code(code: &str) -> Option<u32> {
    (code.len() < 5).then(|| code.parse::<u32>().ok()).flatten().map(|code| code & 0xff)
}

/// Whether the database closed the connection, so that a retry on another connection may succeed.
pub(crate) fn is_connection_lost(error: &DbErr) -> bool {
    match error {
        DbErr::Query(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error)) if matches!(**error, sqlx::Error::Io(_)) => {
            true
        }
        // class 57P: the server shuts down, or an administrator terminated the connection
        error => error_code(error).is_some_and(|code| code.starts_with("57P")),
    }
}

/// Whether a statement names a table that does not exist (`undefined_table`; SQLite reports it as `SQLITE_ERROR`, as
/// any statement that it cannot prepare).
pub(crate) fn is_undefined_table(error: &DbErr) -> bool {
    error_code(error).is_some_and(|code| code == "42P01" || code == "1")
}

/// Whether another server may answer: this one is out of connections, down, or cannot run the statement while it replays
/// the log of the primary.
pub(crate) fn is_transient(error: &DbErr) -> bool {
    if let Some(code) = error_code(error) {
        // 40: conflict with recovery; 57P: shutdown or startup; 08: connection; 53: resources; 58: system; XX: internal
        return code.len() == 5 && ["40", "57P", "08", "53", "58", "XX"].iter().any(|class| code.starts_with(class));
    }
    match error {
        DbErr::Query(RuntimeErr::SqlxError(cause)) | DbErr::Exec(RuntimeErr::SqlxError(cause)) => matches!(
            **cause,
            sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_)
        ),
        error => matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_)),
    }
}

/// Whether the file is corrupt or is not a database (`SQLITE_CORRUPT`, `SQLITE_NOTADB`).
pub fn is_corrupt(error: &DbErr) -> bool {
    error_code(error).and_then(|code| sqlite_primary_code(&code)).is_some_and(|code| matches!(code, 11 | 26))
}

fn read_only(reason: &'static str, error: DbErr) -> Error {
    Error::ReadOnly { reason, source: Arc::new(error) }
}

/// Translates a database error: it distinguishes unavailable, not writable and timed out; any other is an internal error.
pub(crate) fn database(error: DbErr) -> Error {
    let code = error_code(&error).unwrap_or_default();
    match (code.as_str(), sqlite_primary_code(&code)) {
        // query_canceled, SQLITE_INTERRUPT
        ("57014", _) | (_, Some(9)) => Error::Timeout,
        // read_only_sql_transaction, SQLITE_READONLY
        ("25006", _) | (_, Some(8)) => read_only("it is read-only", error),
        // disk_full, SQLITE_IOERR, SQLITE_FULL
        ("53100", _) | (_, Some(10 | 13)) => read_only("its disk is full or failing", error),
        // too_many_connections, SQLITE_BUSY
        ("53300", _) | (_, Some(5)) => unavailable(error),
        // cannot_connect_now and the other codes of a server that starts or shuts down
        (code, _) if code.starts_with("57P") => unavailable(error),
        _ => match error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => unavailable(error),
            error if is_connection_lost(&error) => unavailable(error),
            error => internal(error),
        },
    }
}

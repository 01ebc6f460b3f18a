//! Online backups of a SQLite database.

use std::path::Path;

use sea_orm::{ConnectionTrait, Database, DbBackend, DbErr, Statement};

use crate::store::handle::Store;
use crate::store::sql::dialect::Dialect;

/// Why a backup failed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database is PostgreSQL, which has its own tools.
    #[error("this command backs up SQLite databases only; back up PostgreSQL with pg_dump, as docs/OPERATING.md describes")]
    Server,
    /// The target file exists.
    #[error("{0} already exists; choose another name, so that no backup is overwritten")]
    Exists(String),
    /// The target file cannot be written.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    /// The database cannot be read, or the copy cannot be written.
    #[error("failed to copy the database: {0}")]
    Database(#[from] DbErr),
    /// The copy failed its integrity check.
    #[error("the copy failed its integrity check ({0}) and was deleted")]
    Corrupt(String),
}

impl Store {
    /// Copies the database into a new file as of one instant, without blocking reads or writes. The file appears under
    /// its name once the copy is complete and checked. Returns its size in bytes.
    pub async fn backup(&self, file: &Path) -> Result<u64, BackupError> {
        if Dialect::of(self.backend()) != Dialect::Sqlite {
            return Err(BackupError::Server);
        }
        let name = file.display().to_string();
        if file.exists() {
            return Err(BackupError::Exists(name));
        }
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let io = |error| BackupError::File(name.clone(), error);
        // on the same file system, so that it can be linked; deleted on every exit
        let staging = tempfile::Builder::new().prefix(".kurultai-backup-").tempdir_in(folder).map_err(io)?;
        let copy = staging.path().join("copy.db");
        let path = copy.display().to_string();
        let vacuum = Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [path.as_str().into()]);
        self.pools.scanner.execute_raw(vacuum).await?;
        check_integrity(&path).await?;
        std::fs::File::open(&copy).and_then(|copied| copied.sync_all()).map_err(io)?;
        // unlike a rename, a link never replaces a file that was created meanwhile
        std::fs::hard_link(&copy, file).map_err(io)?;
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
        file.metadata().map(|file| file.len()).map_err(io)
    }
}

/// Runs the integrity check of SQLite over a whole database.
async fn check_integrity(path: &str) -> Result<(), BackupError> {
    let mut url = url::Url::parse("sqlite:///").map_err(|error| BackupError::Corrupt(error.to_string()))?;
    url.set_path(path);
    url.set_query(Some("mode=ro"));
    let copy = Database::connect(url.as_str()).await?;
    let row = copy.query_one_raw(Statement::from_string(DbBackend::Sqlite, "PRAGMA integrity_check(1)")).await?;
    let report: String = row.map_or(Ok("no report".to_owned()), |row| row.try_get_by_index(0))?;
    copy.close().await?;
    if report == "ok" { Ok(()) } else { Err(BackupError::Corrupt(report)) }
}

//! Copies of a database of SQLite, made while it is used.

use std::path::Path;

use sea_orm::{ConnectionTrait, Database, DbBackend, DbErr, Statement};

use crate::store::Store;

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The database is a server, which has tools of its own for that.
    #[error("this copies a database of SQLite; back PostgreSQL up with pg_dump, as docs/OPERATING.md says")]
    Server,
    /// There is a file of that name.
    #[error("{0} is there already; give another name, so that no backup is lost")]
    Exists(String),
    /// The file cannot be written.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    /// The database could not be read, or the copy not be written.
    #[error("the copy could not be made: {0}")]
    Database(#[from] DbErr),
    /// What was written is not what a database is.
    #[error("the copy is not whole ({0}); nothing is kept of it")]
    Broken(String),
}

impl Store {
    /// Copies the database into a file: all of it as it is at one moment, while others read and write. The file appears
    /// once the copy is whole and has been checked. Gives its bytes.
    pub async fn backup(&self, file: &Path) -> Result<u64, Failed> {
        if self.backend() != DbBackend::Sqlite {
            return Err(Failed::Server);
        }
        let name = file.display().to_string();
        if file.exists() {
            return Err(Failed::Exists(name));
        }
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let io = |error| Failed::File(name.clone(), error);
        // beside it, so that it can be renamed; it goes with everything that goes wrong
        let beside = tempfile::Builder::new().prefix(".kurultai-backup-").tempdir_in(folder).map_err(io)?;
        let copy = beside.path().join("copy.db");
        let path = copy.display().to_string();
        let into = Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [path.as_str().into()]);
        self.pools.walker.execute_raw(into).await?;
        check(&path).await?;
        std::fs::File::open(&copy).and_then(|copied| copied.sync_all()).map_err(io)?;
        // unlike a rename, a link never replaces what came there meanwhile
        std::fs::hard_link(&copy, file).map_err(io)?;
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
        file.metadata().map(|file| file.len()).map_err(io)
    }
}

/// Has SQLite read all of a database.
async fn check(path: &str) -> Result<(), Failed> {
    let mut url = url::Url::parse("sqlite:///").map_err(|error| Failed::Broken(error.to_string()))?;
    url.set_path(path);
    url.set_query(Some("mode=ro"));
    let copy = Database::connect(url.as_str()).await?;
    let row = copy.query_one_raw(Statement::from_string(DbBackend::Sqlite, "PRAGMA integrity_check(1)")).await?;
    let said: String = row.map_or(Ok("it says nothing".to_owned()), |row| row.try_get_by_index(0))?;
    copy.close().await?;
    if said == "ok" { Ok(()) } else { Err(Failed::Broken(said)) }
}

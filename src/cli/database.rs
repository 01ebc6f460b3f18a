//! `kurultai migrate` and `kurultai backup`, and opening the database for all commands.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::json;

use super::error::ExitError;
use super::outcome::CommandResult;
use crate::config::Config;
use crate::core::clock::Clock;
use crate::store::db::backup::BackupError;
use crate::store::db::migrations::Migrations;
use crate::store::{Store, StoreOptions, is_corrupt};

/// How long closing waits for connections that are still in use.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Connects to the configured database.
async fn open(config: &Config) -> anyhow::Result<Store> {
    let options = StoreOptions {
        url: config.database_url.expose().to_owned(),
        max_connections: config.database_max_connections,
        acquire_timeout: Duration::from_secs(config.database_acquire_timeout_seconds),
        statement_timeout: Some(Duration::from_secs(config.timeouts.query_seconds)),
        replicas: config.database_replica_urls.iter().map(|replica| replica.expose().to_owned()).collect(),
        max_replica_lag: Duration::from_secs(config.max_replica_lag_seconds),
        listen_url: (!config.database_listen_url.is_empty()).then(|| config.database_listen_url.expose().to_owned()),
        withholding_secret: config.withholding_secret.expose().map(str::to_owned),
    };
    Store::connect(&options, Clock::System).await.map_err(|error| {
        let url = &config.database_url;
        if is_corrupt(&error) {
            ExitError::UnusableData(format!("{url} is damaged or not a SQLite database ({error}); restore it from a backup")).into()
        } else {
            ExitError::DatabaseUnavailable(format!("cannot open the database {url}: {error}")).into()
        }
    })
}

/// Connects to the configured database and requires that its schema is up to date. The schema of a SQLite database, and
/// with `migrate` that of any database, is migrated first.
pub(super) async fn open_migrated(config: &Config, migrate: bool) -> anyhow::Result<Store> {
    let store = open(config).await?;
    match pending_migrations(&store).await? {
        0 => {}
        _ if migrate || config.database_url.is_sqlite() => drop(apply_migrations(&store).await?),
        pending => bail!(ExitError::UnusableData(format!(
            "the schema of the database lacks {pending} migrations; run \"kurultai migrate\" first, or serve with --migrate"
        ))),
    }
    Ok(store)
}

/// Runs an operation on a store and closes the store afterwards, even if the operation fails. Closing a SQLite database
/// checkpoints its write-ahead log, so that the file alone is a complete copy.
pub(super) async fn with_store<T>(store: Store, operation: impl AsyncFnOnce(&Store) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let result = operation(&store).await;
    close(&store).await;
    result
}

/// Closes a store, unless that takes longer than [`CLOSE_TIMEOUT`].
pub(super) async fn close(store: &Store) {
    if tokio::time::timeout(CLOSE_TIMEOUT, store.close()).await.is_err() {
        tracing::debug!("database connections left open");
    }
}

/// Applies the pending migrations and returns their number. A database that is up to date is not written to.
async fn apply_migrations(store: &Store) -> anyhow::Result<usize> {
    let count = pending_migrations(store).await?;
    if count > 0 {
        store.migrate().await.context("cannot migrate the schema of the database")?;
        tracing::info!(migrations.count = count, "migrations applied");
    }
    Ok(count)
}

/// Number of migrations that the database lacks. Migrations of a later version of the program are an error.
async fn pending_migrations(store: &Store) -> anyhow::Result<usize> {
    let Migrations { pending, unknown } = store.migrations().await.context("cannot read the migrations of the database")?;
    match unknown.as_slice() {
        [] => Ok(pending),
        unknown => bail!(ExitError::UnusableData(format!(
            "a later version of this program has migrated the database ({}); use that version",
            unknown.join(", ")
        ))),
    }
}

/// Applies pending migrations, or reverts the latest `down` migrations.
pub(super) async fn migrate(config: &Config, down: Option<u32>) -> anyhow::Result<CommandResult> {
    let migrate = async |store: &Store| {
        if let Some(steps) = down {
            store.migrate_down(steps).await.context("cannot revert migrations")?;
            Ok(CommandResult::report(format!("Migrations reverted: {steps}"), json!({"reverted": steps})))
        } else {
            let count = apply_migrations(store).await?;
            let text = match count {
                0 => "The schema of the database is already up to date".to_owned(),
                count => format!("Migrations applied: {count}"),
            };
            Ok(CommandResult::report(text, json!({"applied": count})))
        }
    };
    with_store(open(config).await?, migrate).await
}

/// Indexes all records anew.
pub(super) async fn reindex(config: &Config) -> anyhow::Result<CommandResult> {
    with_store(open_migrated(config, false).await?, async |store| {
        let count = store.reindex().await.context("the index is written in part; run the command again")?;
        Ok(CommandResult::report(format!("Records indexed: {count}"), json!({"indexed": count})))
    })
    .await
}

/// The error of a backup; the exit code tells that the file cannot be written.
fn backup_error(error: BackupError) -> anyhow::Error {
    match error {
        BackupError::Exists(_) | BackupError::File(..) => ExitError::UnwritableOutput(error.to_string()).into(),
        BackupError::Server | BackupError::Database(_) | BackupError::Corrupt(_) => error.into(),
    }
}

/// Copies a SQLite database into a file.
pub(super) async fn backup(config: &Config, file: &Path) -> anyhow::Result<CommandResult> {
    // connecting to a file that does not exist would create it
    let path = config.database_url.expose().trim_start_matches("sqlite:").trim_start_matches("//");
    let path = path.split('?').next().unwrap_or_default();
    ensure!(!config.database_url.is_sqlite() || Path::new(path).exists(), "there is no database {}", config.database_url);
    let bytes = with_store(open(config).await?, async |store| store.backup(file).await.map_err(backup_error)).await?;
    let file = file.display().to_string();
    Ok(CommandResult::report(format!("{file}: {bytes} bytes"), json!({"file": file, "bytes": bytes})))
}

//! Wires everything: the only place that knows all of it.

pub mod export;
pub mod import;
mod progress;
pub mod push;
mod upload;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use tokio::signal;

use crate::cli::Expiry;
use crate::config::Config;
use crate::core::auth::Role;
use crate::core::clock::Clock;
use crate::graphql;
use crate::http;
use crate::http::{
    AdmissionQueue, AppState, ClientRateLimiter, HealthState, PersistedDocuments, ResponseCache, StreamLimits, metrics_router, router,
};
use crate::meter;
use crate::store::{Migrations, Store, StoreOptions, is_damaged};
pub use upload::reader;

/// How long requests under way are waited for when the server is told to stop.
const STOPPING: Duration = Duration::from_secs(30);
/// How long connections to the database are waited for, which somebody may still read from.
const CLOSING: Duration = Duration::from_secs(5);
/// How often clients are forgotten who have asked for nothing for a while.
const FORGETTING: Duration = Duration::from_secs(10);

/// Why a command cannot do its work, where that lies outside of it. Each has an exit code, after `sysexits.h` of BSD.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The settings are wrong.
    #[error("{0}")]
    Settings(String),
    /// The database cannot be reached or opened.
    #[error("{0}")]
    Database(String),
    /// What the database holds is not for this program.
    #[error("{0}")]
    Data(String),
    /// The system does not give what is needed, such as the port.
    #[error("{0}")]
    System(String),
}

impl Fault {
    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Data(_) => 65,
            Self::Database(_) => 69,
            Self::System(_) => 71,
            Self::Settings(_) => 78,
        }
    }
}

/// How often what was measured is put into its buckets.
const TIDY: Duration = Duration::from_secs(5);

/// Connects to the database of the configuration.
pub async fn connect(config: &Config) -> anyhow::Result<Store> {
    let options = StoreOptions {
        url: config.database_url.expose().to_owned(),
        connections: config.database_connections,
        timeout: Duration::from_secs(config.database_timeout),
        statement: Some(Duration::from_secs(config.timeouts.request)),
        replicas: config.database_replica_urls.iter().map(|replica| replica.expose().to_owned()).collect(),
        lag: Duration::from_secs(config.replica_lag),
        listen: (!config.database_listen_url.is_empty()).then(|| config.database_listen_url.expose().to_owned()),
    };
    Store::connect(&options, Clock::System).await.map_err(|error| {
        let url = &config.database_url;
        match is_damaged(&error) {
            true => Fault::Data(format!("{url} is damaged, or no database of SQLite ({error}); put a backup in its place")).into(),
            false => Fault::Database(format!("cannot open the database {url}: {error}")).into(),
        }
    })
}

/// Connects to the database; one that is a file is made and brought up to date.
async fn connect_and_prepare(config: &Config, migrate: bool) -> anyhow::Result<Store> {
    let store = connect(config).await?;
    match differences(&store).await? {
        0 => {}
        _ if migrate || config.database_url.is_sqlite() => drop(bring_up_to_date(&store).await?),
        pending => bail!(Fault::Data(format!(
            "the database lacks {pending} changes of its schema; run \"kurultai migrate\" first, or serve with --migrate"
        ))),
    }
    Ok(store)
}

/// Does something with a database, and closes it whatever came of it: SQLite puts what it wrote beside the file into the
/// file only then, and a copy of the file is whole.
async fn with<T>(store: Store, work: impl AsyncFnOnce(&Store) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let done = work(&store).await;
    close(&store).await;
    done
}

/// Closes a database, unless it or somebody who still reads from it takes too long.
async fn close(store: &Store) {
    if tokio::time::timeout(CLOSING, store.close()).await.is_err() {
        tracing::debug!("connections to the database were left open");
    }
}

/// Makes the changes of the schema that the database lacks; gives their number. A database that is up to date is not
/// written to.
async fn bring_up_to_date(store: &Store) -> anyhow::Result<usize> {
    let changes = differences(store).await?;
    if changes > 0 {
        store.migrate().await.context("cannot bring the schema of the database up to date")?;
        tracing::info!(changes, "the schema of the database is up to date");
    }
    Ok(changes)
}

/// Number of changes that the schema of the database lacks. A database that a later version of this program has changed is
/// refused.
async fn differences(store: &Store) -> anyhow::Result<usize> {
    let Migrations { pending, unknown } = store.migrations().await.context("cannot read the schema of the database")?;
    match unknown.as_slice() {
        [] => Ok(pending),
        unknown => bail!(Fault::Data(format!(
            "a later version of this program has changed the schema of the database ({}); use that version",
            unknown.join(", ")
        ))),
    }
}

/// Serves until it is told to stop, then ends the requests that are under way.
pub async fn serve(config: &Config, migrate: bool) -> anyhow::Result<()> {
    tracing::info!(
        database = %config.database_url,
        replicas = ?config.database_replica_urls,
        listen_at = %config.database_listen_url,
        connections = config.database_connections,
        listen = %config.listen,
        body_limit = config.body_limit,
        upload_limit = config.upload_limit,
        cache = config.cache,
        "configuration"
    );
    let store = connect_and_prepare(config, migrate).await?;
    let dataset = Arc::new(config.dataset()?);
    let api = graphql::Api::new(store.clone(), reader(), config.limits.clone(), dataset.clone()).context("the schema is not valid")?;
    let service = AppState {
        api,
        store: store.clone(),
        sdl: Arc::from(graphql::sdl()?),
        answers: ResponseCache::new(config.cache),
        documents: PersistedDocuments::default(),
        streams: StreamLimits::new(config.streams),
        dataset,
        cors_origins: config.cors_origins.clone(),
        body_limit: config.body_limit,
        upload_limit: config.upload_limit,
        tables: http::tables(config.database_connections),
        admission: AdmissionQueue::new(concurrency(config)),
        rates: ClientRateLimiter::new(&config.rate),
        timeouts: config.timeouts.clone(),
        health: HealthState::default(),
        slow_query: (config.slow_query > 0).then(|| Duration::from_millis(config.slow_query)),
    };
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| Fault::System(format!("cannot listen on {}: {error}; give another address by --listen", config.listen)))?;
    let address = listener.local_addr()?;
    tracing::info!("GraphiQL is at http://{address}/graphiql, the API at http://{address}/graphql");
    if let Some(listen) = config.metrics_listen {
        count(config, listen, service.clone()).await?;
    }
    let changes = service.store.clone();
    let listening = tokio::spawn(async move { changes.listen().await });
    let rates = service.rates.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(FORGETTING).await;
            rates.forget();
        }
    });
    let streams = service.streams.clone();
    let (told, mut is_told) = tokio::sync::watch::channel(false);
    let stop = {
        let (streams, health, drain) = (streams.clone(), service.health.clone(), Duration::from_secs(config.drain));
        async move {
            told_to_stop().await;
            health.leave();
            tokio::time::sleep(drain).await;
            streams.stop();
            told.send_replace(true);
        }
    };
    let serve = async {
        http::serve(listener, router(service), config.connections, &config.timeouts, stop).await?;
        // a WebSocket is no request any more, which the server would wait for by itself
        streams.ended().await;
        anyhow::Ok(())
    };
    let patience = async {
        drop(is_told.wait_for(|told| *told).await);
        tokio::time::sleep(STOPPING).await;
    };
    tokio::select! {
        ended = serve => ended?,
        () = patience => tracing::warn!("some clients read too slowly to be waited for"),
    }
    listening.abort();
    close(&store).await;
    tracing::info!("stopped");
    Ok(())
}

/// Queries that are run at the same time. A database on this machine shares its processors: while it works at one query,
/// another is planned or written, and more than two for each processor only make each other wait. What a database elsewhere
/// can do is told by the connections that it is given.
fn concurrency(config: &Config) -> u32 {
    let is_here = config.database_url.is_here() && config.database_replica_urls.is_empty();
    let processors = std::thread::available_parallelism().map_or(u32::MAX, |count| u32::try_from(count.get()).unwrap_or(u32::MAX));
    match config.concurrency {
        0 if is_here => processors.saturating_mul(2).min(config.database_connections),
        0 => config.database_connections,
        set => set,
    }
}

/// Begins to count, and serves what is counted, for as long as the program runs.
async fn count(config: &Config, listen: SocketAddr, service: AppState) -> anyhow::Result<()> {
    meter::start(meter::Known { names: config.metrics_operations.clone(), saved: config.metrics_saved });
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen} (metrics_listen)"))?;
    tracing::info!("metrics are at http://{}/metrics", listener.local_addr()?);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, metrics_router(service)).await {
            tracing::error!(%error, "metrics are not served any more");
        }
    });
    tokio::spawn(async {
        let mut beat = tokio::time::interval(TIDY);
        loop {
            beat.tick().await;
            meter::tidy();
        }
    });
    Ok(())
}

async fn told_to_stop() {
    let interrupt = async { signal::ctrl_c().await.ok() };
    #[cfg(unix)]
    let terminate = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<Option<()>>();
    tokio::select! {
        _ = interrupt => {}
        _ = terminate => {}
    }
    tracing::info!("stopping: requests under way are answered first");
}

/// Brings the schema of the database up to date, or takes changes back.
pub async fn migrate(config: &Config, down: Option<u32>) -> anyhow::Result<String> {
    let migrate = async |store: &Store| match down {
        Some(steps) => {
            store.migrate_down(steps).await.context("cannot take back changes of the schema")?;
            Ok(format!("Changes of the schema taken back: {steps}"))
        }
        None => match bring_up_to_date(store).await? {
            0 => Ok("The schema of the database was up to date".to_owned()),
            changes => Ok(format!("Changes of the schema made: {changes}")),
        },
    };
    with(connect(config).await?, migrate).await
}

/// Copies the database into a file.
pub async fn backup(config: &Config, file: &Path) -> anyhow::Result<String> {
    // opening what is not there would make it
    let path = config.database_url.expose().trim_start_matches("sqlite:").trim_start_matches("//");
    let path = path.split('?').next().unwrap_or_default();
    anyhow::ensure!(!config.database_url.is_sqlite() || Path::new(path).exists(), "there is no database {}", config.database_url);
    let bytes = with(connect(config).await?, async |store| Ok(store.backup(file).await?)).await?;
    Ok(format!("{}: {bytes} bytes", file.display()))
}

/// Makes a token; says it once.
pub async fn create_token(config: &Config, name: &str, role: Role, expires: Option<Expiry>) -> anyhow::Result<String> {
    let create = async |store: &Store| {
        let expires = expires.and_then(|expires| expires.at(store.clock.now()));
        Ok((store.create_token(name, role, expires).await?, expires))
    };
    let ((token, text), expires) = with(connect_and_prepare(config, false).await?, create).await?;
    let until = expires.map_or("does not expire".to_owned(), |at| format!("expires on {}", day(at)));
    Ok(format!(
        "{text}\n\nThis is the token of \"{}\" ({}, {role}, {until}). It is not shown again: keep it where passwords are kept.",
        token.name,
        token.id()
    ))
}

/// A table of all tokens.
pub async fn list_tokens(config: &Config) -> anyhow::Result<String> {
    let all = async |store: &Store| Ok((store.clock.now(), store.tokens().await?));
    let (now, tokens) = with(connect_and_prepare(config, false).await?, all).await?;
    if tokens.is_empty() {
        return Ok("There are no tokens; make one with \"kurultai token create\"".to_owned());
    }
    let instant = |at: Option<DateTime<Utc>>| at.map_or("never".to_owned(), |at| at.format("%Y-%m-%d %H:%M").to_string());
    let mut rows = vec![["id", "name", "role", "created", "last used", "expires", "state"].map(str::to_owned)];
    rows.extend(tokens.iter().map(|token| {
        let state = token.state(now).to_string();
        let role = token.role.to_string();
        [
            token.id(),
            token.name.clone(),
            role,
            instant(Some(token.created)),
            instant(token.last_used),
            token.expires.map_or("never".to_owned(), day),
            state,
        ]
    }));
    Ok(table(&rows))
}

/// Takes a token back, by its id or by name.
pub async fn revoke_token(config: &Config, which: &str) -> anyhow::Result<String> {
    let revoke = async |store: &Store| Ok(store.revoke_token(which).await?);
    let token = with(connect_and_prepare(config, false).await?, revoke).await?;
    Ok(format!("The token of \"{}\" ({}, {}) works no more", token.name, token.id(), token.role))
}

fn day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
}

/// Lines with columns of equal width.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

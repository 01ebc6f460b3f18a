//! Wires everything: the only place that knows all of it.

pub mod import;
mod progress;
pub mod push;
mod upload;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use tokio::signal;

use crate::cli::Expiry;
use crate::clock::Clock;
use crate::config::Config;
use crate::graphql;
use crate::http::{self, Admission, Answers, Documents, Rates, Service, Streams, router};
use crate::role::Role;
use crate::store::db::{Options, Store};
pub use upload::reader;

/// How long requests under way are waited for when the server is told to stop.
const STOPPING: Duration = Duration::from_secs(30);
/// How often clients are forgotten who have asked for nothing for a while.
const FORGETTING: Duration = Duration::from_secs(10);

/// Connects to the database of the configuration.
pub async fn connect(config: &Config) -> anyhow::Result<Store> {
    let options = Options {
        url: config.database_url.expose().to_owned(),
        connections: config.database_connections,
        timeout: Duration::from_secs(config.database_timeout),
        statement: Some(Duration::from_secs(config.timeouts.request)),
        replicas: config.database_replica_urls.iter().map(|replica| replica.expose().to_owned()).collect(),
        lag: Duration::from_secs(config.replica_lag),
        listen: (!config.database_listen_url.is_empty()).then(|| config.database_listen_url.expose().to_owned()),
    };
    Store::connect(&options, Clock::System)
        .await
        .map_err(|error| anyhow::anyhow!("cannot open the database {}: {error}", config.database_url))
}

/// Connects to the database; one that is a file is made and brought up to date.
async fn connect_and_prepare(config: &Config, migrate: bool) -> anyhow::Result<Store> {
    let store = connect(config).await?;
    if migrate || config.database_url.is_sqlite() {
        let changes = store.migrate().await.context("cannot bring the schema of the database up to date")?;
        if changes > 0 {
            tracing::info!(changes, "the schema of the database is up to date");
        }
    } else {
        let pending = store.pending_migrations().await.context("cannot read the schema of the database")?;
        if pending > 0 {
            bail!("the database lacks {pending} changes of its schema; run \"kurultai migrate\" first, or serve with --migrate");
        }
    }
    Ok(store)
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
    let api = graphql::Api::new(store.clone(), reader(), config.limits.clone()).context("the schema is not valid")?;
    let service = Service {
        api,
        store,
        sdl: Arc::from(graphql::sdl()?),
        answers: Answers::new(config.cache),
        documents: Documents::default(),
        streams: Streams::new(config.streams),
        cors_origins: config.cors_origins.clone(),
        body_limit: config.body_limit,
        upload_limit: config.upload_limit,
        tables: http::tables(config.database_connections),
        admission: Admission::new(if config.concurrency == 0 { config.database_connections } else { config.concurrency }),
        rates: Rates::new(&config.rate),
        timeouts: config.timeouts.clone(),
    };
    let listener = TcpListener::bind(config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    tracing::info!("GraphiQL is at http://{address}/graphiql, the API at http://{address}/graphql");
    let changes = service.store.clone();
    tokio::spawn(async move { changes.listen().await });
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
        let streams = streams.clone();
        async move {
            told_to_stop().await;
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
    tracing::info!("stopped");
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
    let store = connect(config).await?;
    match down {
        Some(steps) => {
            store.migrate_down(steps).await.context("cannot take back changes of the schema")?;
            Ok(format!("Changes of the schema taken back: {steps}"))
        }
        None => match store.migrate().await.context("cannot bring the schema of the database up to date")? {
            0 => Ok("The schema of the database was up to date".to_owned()),
            changes => Ok(format!("Changes of the schema made: {changes}")),
        },
    }
}

/// Copies the database into a file.
pub async fn backup(config: &Config, file: &Path) -> anyhow::Result<String> {
    // opening what is not there would make it
    let path = config.database_url.expose().trim_start_matches("sqlite:").trim_start_matches("//");
    let path = path.split('?').next().unwrap_or_default();
    anyhow::ensure!(!config.database_url.is_sqlite() || Path::new(path).exists(), "there is no database {}", config.database_url);
    let bytes = connect(config).await?.backup(file).await?;
    Ok(format!("{}: {bytes} bytes", file.display()))
}

/// Makes a token; says it once.
pub async fn create_token(config: &Config, name: &str, role: Role, expires: Option<Expiry>) -> anyhow::Result<String> {
    let store = connect_and_prepare(config, false).await?;
    let expires = expires.and_then(|expires| expires.at(store.clock.now()));
    let (token, text) = store.create_token(name, role, expires).await?;
    let until = expires.map_or("does not expire".to_owned(), |at| format!("expires on {}", day(at)));
    Ok(format!(
        "{text}\n\nThis is the token of \"{}\" ({}, {role}, {until}). It is not shown again: keep it where passwords are kept.",
        token.name,
        token.id()
    ))
}

/// A table of all tokens.
pub async fn list_tokens(config: &Config) -> anyhow::Result<String> {
    let store = connect_and_prepare(config, false).await?;
    let now = store.clock.now();
    let tokens = store.tokens().await?;
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
    let store = connect_and_prepare(config, false).await?;
    let token = store.revoke_token(which).await?;
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

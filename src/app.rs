//! Wires everything: the only place that knows all of it.

use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::net::TcpListener;
use tokio::signal;

use crate::clock::Clock;
use crate::config::Config;
use crate::graphql;
use crate::http::{Answers, Service, router};
use crate::store::db::{Options, Store};
use crate::store::tidy::MANY_RECORDS;
use crate::store::write::{Author, Drafts, Outcome, Refused};
use crate::transfer::{import, yaml};

/// Connects to the database of the configuration.
pub async fn connect(config: &Config) -> anyhow::Result<Store> {
    let options = Options {
        url: config.database_url.expose().to_owned(),
        connections: config.database_connections,
        timeout: Duration::from_secs(config.database_timeout),
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
        connections = config.database_connections,
        listen = %config.listen,
        body_limit = config.body_limit,
        cache = config.cache,
        "configuration"
    );
    let store = connect_and_prepare(config, migrate).await?;
    let api = graphql::Api::new(store.clone()).context("the schema is not valid")?;
    let service =
        Service { api, store, sdl: Arc::from(graphql::sdl()?), answers: Answers::new(config.cache), body_limit: config.body_limit };
    let listener = TcpListener::bind(config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    tracing::info!("GraphiQL is at http://{address}/graphiql, the API at http://{address}/graphql");
    let changes = service.store.clone();
    tokio::spawn(async move { changes.listen().await });
    axum::serve(listener, router(service)).with_graceful_shutdown(told_to_stop()).await?;
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

/// Loads records from files; all of them, or none.
pub async fn import(config: &Config, paths: &[PathBuf], author: &Author) -> anyhow::Result<Outcome> {
    let drafts = read(paths)?;
    let store = connect_and_prepare(config, false).await?;
    let count: usize = drafts.iter().map(|(_, drafts)| drafts.len()).sum();
    if count >= MANY_RECORDS {
        store.expect_many().await.context("cannot prepare the database")?;
    }
    let bar = progress(count);
    let outcome = store.write(&drafts, author, |done| bar.inc(done as u64)).await;
    bar.finish_and_clear();
    match outcome {
        Ok(outcome) => {
            if outcome.created + outcome.updated >= MANY_RECORDS {
                store.tidy().await.context("everything was written, but the database could not be tidied up")?;
            }
            Ok(outcome)
        }
        Err(Refused::Problems(problems)) => bail!(report(&problems)),
        Err(Refused::Failed(error)) => bail!("nothing was written: {error}"),
    }
}

fn progress(count: usize) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(count as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} records, {per_sec}, {eta} left") {
        bar.set_style(style);
    }
    bar
}

/// Reads all files, in the order of their names.
fn read(paths: &[PathBuf]) -> anyhow::Result<Drafts> {
    let mut drafts = Drafts::new();
    let mut problems = Vec::new();
    for path in files(paths)? {
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let name: Arc<str> = Arc::from(path.display().to_string());
        match yaml::read(&name, &text).map_err(|problem| vec![problem]).and_then(|tree| import::drafts(&name, &tree)) {
            Ok(read) => drafts.extend(read),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        bail!(report(&problems));
    }
    Ok(drafts)
}

fn report(problems: &[crate::store::draft::Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let count = match problems.len() {
        1 => "1 problem".to_owned(),
        count => format!("{count} problems"),
    };
    format!("{count}; nothing was written\n{}", lines.join("\n"))
}

fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let is_data = |path: &Path| path.extension().is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|known| ending == *known));
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
            let mut found = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
            found.retain(|path| is_data(path));
            found.sort();
            files.extend(found);
        } else {
            files.push(path.clone());
        }
    }
    if files.is_empty() {
        bail!("there is no .yaml, .yml or .json file to read");
    }
    Ok(files)
}

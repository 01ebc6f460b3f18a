//! `kurultai serve`: wires the store, the API and the HTTP server, and shuts them down gracefully.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal;
use tokio::sync::watch;

use super::database::{close, open_migrated};
use super::error::ExitError;
use super::upload::upload_reader;
use crate::config::Config;
use crate::graphql;
use crate::http;
use crate::http::{
    AdmissionQueue, AppState, ClientRateLimiter, ConnectionLimits, HealthState, PersistedDocuments, ResponseCache, Revalidation,
    StreamLimits, metrics_router, router,
};
use crate::observability::metrics;
use crate::observability::metrics::OperationLabels;
use crate::store::Store;

/// How long a shutdown waits for requests in flight.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);
/// Interval at which rate limits of idle clients are discarded.
const RATE_LIMIT_CLEANUP_INTERVAL: Duration = Duration::from_secs(10);
/// Interval at which the sizes of the tables are read.
const SIZE_REFRESH_INTERVAL: Duration = Duration::from_mins(1);
/// Interval at which recorded durations are aggregated into histogram buckets.
const METRICS_UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Connections that wait to be accepted, as far as the system allows: a burst of clients must not delay others, whose first
/// packet would be sent again after a second.
const LISTEN_BACKLOG: u32 = 4_096;

/// Listens on an address.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // a restarted server can listen although connections of its predecessor are closing
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(LISTEN_BACKLOG)
}

/// Serves until the process receives a stop signal, and then completes the requests in flight.
pub(super) async fn serve(config: &Config, migrate: bool) -> anyhow::Result<()> {
    log_config(config);
    let store = open_migrated(config, migrate).await?;
    let service = service(config, store.clone())?;
    let listener = listen(config.listen)
        .map_err(|error| ExitError::System(format!("cannot listen on {}: {error}; choose another address with --listen", config.listen)))?;
    let address = listener.local_addr()?;
    tracing::info!(
        graphiql.url = format!("http://{address}/graphiql"),
        graphql.url = format!("http://{address}/graphql"),
        "server listening"
    );
    if let Some(listen) = config.metrics_listen {
        serve_metrics(config, listen, service.clone())?;
    }
    let changes = service.store.clone();
    let change_listener = tokio::spawn(async move { changes.listen().await });
    spawn_rate_limit_cleanup(service.rate_limiter.clone());
    spawn_size_refresh(service.store.clone());
    let streams = service.stream_limits.clone();
    let (drained, mut is_drained) = watch::channel(false);
    let shutdown = drain_on_signal(service.health.clone(), streams.clone(), Duration::from_secs(config.shutdown_drain_seconds), drained);
    let limits = ConnectionLimits {
        max: config.max_connections,
        shares: config.shares.clone(),
        trusted_proxies: config.rate_limit.trusted_proxies.clone(),
    };
    let serve = async {
        http::serve(listener, router(service), &limits, &config.timeouts, shutdown).await?;
        // the HTTP server does not wait for WebSockets, which are no longer requests
        streams.wait_until_closed().await;
        anyhow::Ok(())
    };
    let timeout = async {
        drop(is_drained.wait_for(|is_drained| *is_drained).await);
        tokio::time::sleep(SHUTDOWN_TIMEOUT).await;
    };
    tokio::select! {
        result = serve => result?,
        () = timeout => tracing::warn!("shutdown timed out while clients were still reading"),
    }
    change_listener.abort();
    close(&store).await;
    tracing::info!("shutdown complete");
    Ok(())
}

fn log_config(config: &Config) {
    tracing::info!(
        config.database_url = %config.database_url,
        config.database_replica_urls = ?config.database_replica_urls,
        config.database_listen_url = %config.database_listen_url,
        config.database_max_connections = config.database_max_connections,
        config.listen = %config.listen,
        config.max_body_bytes = config.max_body_bytes,
        config.max_upload_bytes = config.max_upload_bytes,
        config.response_cache_bytes = config.response_cache_bytes,
        "configuration loaded"
    );
}

fn service(config: &Config, store: Store) -> anyhow::Result<AppState> {
    let dataset = Arc::new(config.dataset().map_err(ExitError::from)?);
    let api = graphql::Api::new(store.clone(), upload_reader(config.max_upload_bytes as u64), config.limits.clone(), dataset.clone())
        .context("cannot build the schema")?;
    Ok(AppState {
        api,
        store,
        sdl: Arc::from(graphql::sdl()?),
        response_cache: ResponseCache::new(config.response_cache_bytes),
        revalidation: Revalidation::default(),
        persisted_documents: PersistedDocuments::default(),
        trusted_documents_only: config.trusted_documents_only,
        stream_limits: StreamLimits::new(config.max_streams, &config.shares),
        dataset,
        cors_origins: config.cors_origins.clone(),
        max_body_bytes: config.max_body_bytes,
        max_upload_bytes: config.max_upload_bytes,
        table_queue: http::table_queue(config.database_max_connections, &config.shares),
        admission_queue: AdmissionQueue::new(max_concurrent_queries(config), &config.shares),
        rate_limiter: ClientRateLimiter::new(&config.rate_limit),
        timeouts: config.timeouts.clone(),
        health: HealthState::default(),
        slow_query_threshold: (config.slow_query_ms > 0).then(|| Duration::from_millis(config.slow_query_ms)),
    })
}

/// The configured number of concurrent queries, or a default. A local database shares its processors with the server:
/// while it executes one query, the server can plan or serialize another, and more than two per processor only compete
/// with each other. The capacity of a remote database is taken to be the number of its connections.
fn max_concurrent_queries(config: &Config) -> u32 {
    let is_local = config.database_url.is_local() && config.database_replica_urls.is_empty();
    let processors = std::thread::available_parallelism().map_or(u32::MAX, |count| u32::try_from(count.get()).unwrap_or(u32::MAX));
    match config.max_concurrent_queries {
        0 if is_local => processors.saturating_mul(2).min(config.database_max_connections),
        0 => config.database_max_connections,
        configured => configured,
    }
}

/// Enables metrics and serves them in the background until the program ends.
fn serve_metrics(config: &Config, listen: SocketAddr, service: AppState) -> anyhow::Result<()> {
    metrics::init(OperationLabels { names: config.metrics_operations.clone(), max_saved_queries: config.metrics_max_saved_queries });
    let listener = self::listen(listen).with_context(|| format!("cannot listen on {listen} (metrics_listen)"))?;
    tracing::info!(metrics.url = format!("http://{}/metrics", listener.local_addr()?), "metrics server listening");
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, metrics_router(service)).await {
            tracing::error!(%error, "metrics server failed");
        }
    });
    tokio::spawn(async {
        let mut interval = tokio::time::interval(METRICS_UPKEEP_INTERVAL);
        loop {
            interval.tick().await;
            metrics::run_upkeep();
        }
    });
    Ok(())
}

fn spawn_rate_limit_cleanup(rates: ClientRateLimiter) {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(RATE_LIMIT_CLEANUP_INTERVAL).await;
            rates.evict_idle();
        }
    });
}

/// Keeps the sizes of the tables current, by which the cost of queries is estimated.
fn spawn_size_refresh(store: Store) {
    tokio::spawn(async move {
        let mut interval = tokio::time::interval(SIZE_REFRESH_INTERVAL);
        loop {
            interval.tick().await;
            if let Err(error) = store.refresh_table_sizes().await {
                tracing::debug!(%error, "failed to read the sizes of the tables");
            }
        }
    });
}

/// Waits for a stop signal, fails the readiness probe for the drain period, and then completes all streams.
async fn drain_on_signal(health: HealthState, streams: StreamLimits, drain: Duration, drained: watch::Sender<bool>) {
    stop_signal().await;
    health.begin_shutdown();
    tracing::info!("shutdown started");
    tokio::time::sleep(drain).await;
    streams.stop();
    drained.send_replace(true);
}

/// Completes on Ctrl-C or SIGTERM.
async fn stop_signal() {
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
}

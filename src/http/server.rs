//! The connection server: limits the number of connections, enforces header timeouts, and shuts down gracefully.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use serde::Deserialize;
#[cfg(target_os = "linux")]
use socket2::{SockFilter, SockRef};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

/// Pause between attempts to accept a connection or to detect its protocol.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Time for the first request of a new connection during shutdown.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(1);
/// Concurrent requests of one HTTP/2 connection.
const MAX_HTTP2_STREAMS: u32 = 100;

/// The HTTP/2 connection preface (RFC 9113, 3.4).
const HTTP2_PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Settings: timeouts in seconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeouts {
    /// From the start of a connection, or the end of a response, to the end of the request headers.
    pub header_seconds: u64,
    /// From the request headers to the end of the request body.
    pub body_seconds: u64,
    /// For the execution of a query, with all its SQL statements.
    pub query_seconds: u64,
}

impl Default for Timeouts {
    /// The values of `config.default.toml`.
    fn default() -> Self {
        Self { header_seconds: 30, body_seconds: 30, query_seconds: 30 }
    }
}

impl Timeouts {
    pub(super) fn body(&self) -> Duration {
        Duration::from_secs(self.body_seconds)
    }

    pub(super) fn query(&self) -> Duration {
        Duration::from_secs(self.query_seconds)
    }
}

/// Request extension: the address of the peer of the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct PeerAddress(pub(super) IpAddr);

/// Serves at most `max_connections` connections until `shutdown` completes, and then until the requests in progress are
/// answered. Further connections wait until one ends.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    max_connections: u32,
    timeouts: &Timeouts,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let header_timeout = Duration::from_secs(timeouts.header_seconds);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(header_timeout);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_HTTP2_STREAMS)
        .keep_alive_interval(header_timeout)
        .keep_alive_timeout(header_timeout);
    let (http1, http2) = (Arc::new(builder.clone().http1_only()), Arc::new(builder.http2_only()));
    let permits = Arc::new(Semaphore::new(max_connections.max(1) as usize));
    let (stopping, is_stopping) = watch::channel(false);
    let tasks = TaskTracker::new();
    let mut shutdown = pin!(shutdown);
    let serve = |(stream, peer): (TcpStream, IpAddr), permit: Option<OwnedSemaphorePermit>| {
        let (router, first_request) = (router.clone(), Arc::new(Notify::new()));
        let on_request = first_request.clone();
        let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            on_request.notify_one();
            request.extensions_mut().insert(PeerAddress(peer));
            router.clone().call(request)
        });
        let (http1, http2, mut is_stopping) = (http1.clone(), http2.clone(), is_stopping.clone());
        tasks.spawn(async move {
            let _permit = permit;
            let mut has_stopped = is_stopping.clone();
            let idle_at_shutdown = async {
                drop(has_stopped.wait_for(|stopping| *stopping).await);
                tokio::time::sleep(FIRST_REQUEST_TIMEOUT).await;
            };
            let is_http2 = tokio::select! {
                // hyper has no timeout for the detection of the protocol
                version = tokio::time::timeout(header_timeout, is_http2(&stream)) => version.ok().flatten(),
                () = idle_at_shutdown => None,
            };
            let Some(is_http2) = is_http2 else { return };
            let builder = if is_http2 { http2 } else { http1 };
            let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
            let may_shut_down = async {
                drop(is_stopping.wait_for(|stopping| *stopping).await);
                // a new connection is about to send a request
                drop(tokio::time::timeout(FIRST_REQUEST_TIMEOUT, first_request.notified()).await);
            };
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = may_shut_down => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "connection closed with an error");
            }
        });
    };
    loop {
        let accepted = async {
            // the semaphore is never closed
            let permit = permits.clone().acquire_owned().await.ok();
            (accept(&listener).await, permit)
        };
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            (accepted, permit) = accepted => serve(accepted, permit),
        }
    }
    // connections in the backlog of the listener are served, too
    for accepted in accept_pending(listener, max_connections) {
        serve(accepted, None);
    }
    stopping.send_replace(true);
    tasks.close();
    tasks.wait().await;
    Ok(())
}

/// The next connection. An error of one connection, or a shortage of file descriptors, does not end the server.
async fn accept(listener: &TcpListener) -> (TcpStream, IpAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => return configured(stream, address),
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {}
            Err(error) => {
                tracing::error!(%error, "connection not accepted");
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        }
    }
}

fn configured(stream: TcpStream, address: SocketAddr) -> (TcpStream, IpAddr) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY not set");
    }
    (stream, address.ip().to_canonical())
}

/// Stops listening and accepts the connections in the backlog, at most `max`: closing the socket would reset them. The
/// socket is polled directly because the runtime may not have been notified of them yet.
fn accept_pending(listener: TcpListener, max: u32) -> Vec<(TcpStream, IpAddr)> {
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    if let Err(error) = drop_new_handshakes(&listener) {
        tracing::debug!(%error, "listener filter not attached; late connections may be reset");
    }
    let is_pending = |accepted: &io::Result<_>| !matches!(accepted, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
    let accepted: Vec<_> = (0..max).map(|_| listener.accept()).take_while(is_pending).filter_map(Result::ok).collect();
    drop(listener);
    let register = |(stream, address): (std::net::TcpStream, SocketAddr)| {
        stream.set_nonblocking(true)?;
        io::Result::Ok(configured(TcpStream::from_std(stream)?, address))
    };
    accepted.into_iter().filter_map(|accepted| register(accepted).ok()).collect()
}

/// Makes the kernel drop new handshakes. Clients retry after a second, when the closed port refuses them.
#[cfg(target_os = "linux")]
fn drop_new_handshakes(listener: &std::net::TcpListener) -> io::Result<()> {
    /// The BPF instruction `ret k`: accepts `k` bytes of a packet, here 0.
    const RETURN: u16 = 0x06;
    SockRef::from(listener).attach_filter(&[SockFilter::new(RETURN, 0, 0, 0)])
}

/// Not supported by other systems.
#[cfg(not(target_os = "linux"))]
fn drop_new_handshakes(_: &std::net::TcpListener) -> io::Result<()> {
    Ok(())
}

/// Whether a connection starts with the HTTP/2 preface; `None` if it ends before that is known.
async fn is_http2(stream: &TcpStream) -> Option<bool> {
    let mut received = [0; HTTP2_PREFACE.len()];
    loop {
        let count = stream.peek(&mut received).await.ok().filter(|count| *count > 0)?;
        if received[..count] != HTTP2_PREFACE[..count] {
            return Some(false);
        }
        if count == HTTP2_PREFACE.len() {
            return Some(true);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

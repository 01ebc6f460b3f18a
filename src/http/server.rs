//! The connection server: limits the number of connections, closes those whose clients do not send or read in time, and shuts
//! down gracefully.

mod connections;
mod progress;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Version;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use serde::Deserialize;
#[cfg(target_os = "linux")]
use socket2::{SockFilter, SockRef};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tower_service::Service as _;

use crate::graphql::error::codes;
use crate::http::server::connections::{ConnectionGuard, Connections, Full};
use crate::http::server::progress::{PacedBody, ReadingPace, RequestGuard};

pub use connections::ConnectionLimits;

/// Pause between attempts to accept a connection or to detect its protocol.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Time for the first request of a new connection during shutdown.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(1);
/// Concurrent requests of one HTTP/2 connection.
const MAX_HTTP2_STREAMS: u32 = 100;
/// Requests of one HTTP/2 connection that the client has reset and the server has not yet dropped ("rapid reset").
const MAX_HTTP2_RESETS: usize = 20;
/// Bytes of a response that an HTTP/2 connection buffers.
const MAX_HTTP2_SEND_BUFFER_BYTES: usize = 64 << 10;
/// Bytes of the request head: above, 431. A query in a URL has up to 64 KiB.
const MAX_HEAD_BYTES: u32 = 128 << 10;
/// Bytes that the system buffers for a client beyond what is on its way, so that a client that does not read is noticed.
#[cfg(target_os = "linux")]
const MAX_UNSENT_BYTES: u32 = 256 << 10;
/// Interval at which slow clients are detected, or a part of the shortest time to read.
const SLOW_CLIENT_INTERVAL: Duration = Duration::from_secs(1);
/// Time to reject a connection, and connections that are rejected at the same time; more are closed without a response.
const REJECT_TIMEOUT: Duration = Duration::from_secs(1);
const MAX_REJECTING: usize = 64;

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
    /// For the client to read the next part of a response.
    pub send_seconds: u64,
    /// Bytes per second that a client must read on average, once the server has waited for `send_seconds`.
    pub min_send_bytes_per_second: u64,
    /// For the execution of a query, with all its SQL statements.
    pub query_seconds: u64,
}

impl Default for Timeouts {
    /// The values of `config.default.toml`.
    fn default() -> Self {
        Self { header_seconds: 30, body_seconds: 30, send_seconds: 30, min_send_bytes_per_second: 1024, query_seconds: 30 }
    }
}

impl Timeouts {
    pub(super) fn body(&self) -> Duration {
        Duration::from_secs(self.body_seconds)
    }

    pub(super) fn send(&self) -> Duration {
        Duration::from_secs(self.send_seconds)
    }

    fn pace(&self) -> ReadingPace {
        ReadingPace { max_wait: self.send(), min_bytes_per_second: self.min_send_bytes_per_second }
    }

    pub(super) fn query(&self) -> Duration {
        Duration::from_secs(self.query_seconds)
    }
}

/// Request extension: the address of the peer of the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct PeerAddress(pub(super) IpAddr);

/// Serves connections within these limits until `shutdown` completes, and then until the requests in progress are answered.
/// Connections beyond the share of an address are rejected with 503; those beyond the maximum wait until one ends.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &ConnectionLimits,
    timeouts: &Timeouts,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let header_timeout = Duration::from_secs(timeouts.header_seconds);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(header_timeout).max_buf_size(MAX_HEAD_BYTES as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_HTTP2_STREAMS)
        .max_pending_accept_reset_streams(MAX_HTTP2_RESETS)
        .max_send_buf_size(MAX_HTTP2_SEND_BUFFER_BYTES)
        .max_header_list_size(MAX_HEAD_BYTES)
        .keep_alive_interval(header_timeout)
        .keep_alive_timeout(header_timeout);
    let (http1, http2) = (Arc::new(builder.clone().http1_only()), Arc::new(builder.http2_only()));
    let connections = Arc::new(Connections::new(limits));
    let (stopping, is_stopping) = watch::channel(false);
    let tasks = TaskTracker::new();
    let mut shutdown = pin!(shutdown);
    let serve = |(stream, peer): (TcpStream, IpAddr), guard: ConnectionGuard| {
        let (router, first_request) = (router.clone(), Arc::new(Notify::new()));
        let on_request = first_request.clone();
        let activity = guard.connection.activity.clone();
        let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            on_request.notify_one();
            request.extensions_mut().insert(PeerAddress(peer));
            let (progress, is_http2) = (RequestGuard::new(activity.clone()), request.version() == Version::HTTP_2);
            let response = router.clone().call(request);
            async move {
                if is_http2 {
                    // a request that is reset at once is dropped here, before it costs anything
                    tokio::task::yield_now().await;
                }
                response.await.map(|response| response.map(|body| PacedBody::new(body, progress)))
            }
        });
        let (http1, http2, mut is_stopping) = (http1.clone(), http2.clone(), is_stopping.clone());
        tasks.spawn(async move {
            // dropped last: it gives the place back
            let guard = guard;
            let mut has_stopped = is_stopping.clone();
            let idle_at_shutdown = async {
                drop(has_stopped.wait_for(|stopping| *stopping).await);
                tokio::time::sleep(FIRST_REQUEST_TIMEOUT).await;
            };
            let is_http2 = tokio::select! {
                // hyper has no timeout for the detection of the protocol
                version = tokio::time::timeout(header_timeout, is_http2(&stream)) => version.ok().flatten(),
                () = idle_at_shutdown => None,
                () = guard.connection.closed() => None,
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
                () = guard.connection.closed() => return,
                () = may_shut_down => {
                    connection.as_mut().graceful_shutdown();
                    tokio::select! {
                        ended = connection => ended,
                        () = guard.connection.closed() => return,
                    }
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "connection closed with an error");
            }
        });
    };
    let rejecting = Arc::new(Semaphore::new(MAX_REJECTING));
    let close_slow = spawn_close_slow(connections.clone(), timeouts.pace());
    loop {
        let accepted = async {
            loop {
                let (stream, peer) = accept(&listener).await;
                match place(&connections, peer).await {
                    Some(guard) => return ((stream, peer), guard),
                    None => reject(stream, connections.max_per_address(), rejecting.clone()),
                }
            }
        };
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            (accepted, guard) = accepted => serve(accepted, guard),
        }
    }
    // connections in the backlog of the listener are served, too
    for accepted in accept_pending(listener, limits.max) {
        if let Ok(guard) = connections.open(accepted.1) {
            serve(accepted, guard);
        }
    }
    stopping.send_replace(true);
    tasks.close();
    tasks.wait().await;
    drop(close_slow);
    Ok(())
}

/// Closes connections of slow clients periodically until the handle is dropped.
fn spawn_close_slow(connections: Arc<Connections>, pace: ReadingPace) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut interval = tokio::time::interval(SLOW_CLIENT_INTERVAL.min(pace.max_wait.max(POLL_INTERVAL) / 4));
        loop {
            interval.tick().await;
            connections.close_slow(pace);
        }
    }))
}

/// A place for a connection of this peer, once there is one; `None` if its address holds its share.
async fn place(connections: &Arc<Connections>, peer: IpAddr) -> Option<ConnectionGuard> {
    loop {
        match connections.open(peer) {
            Ok(guard) => return Some(guard),
            Err(Full::Address) => return None,
            Err(Full::Server) => tokio::time::sleep(POLL_INTERVAL).await,
        }
    }
}

/// Rejects a connection beyond the share of its address, without reading its request.
fn reject(mut stream: TcpStream, max: usize, rejecting: Arc<Semaphore>) {
    let Ok(permit) = rejecting.try_acquire_owned() else { return };
    let body = format!(
        "{{\"errors\":[{{\"message\":\"this address already has {max} connections, the share of max_connections that one client can have (shares.client_percent); close some, or retry later\",\"extensions\":{{\"code\":\"{}\"}}}}]}}",
        codes::UNAVAILABLE
    );
    let response = format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json; charset=utf-8\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let send = async move {
        stream.write_all(response.as_bytes()).await?;
        stream.shutdown().await?;
        // closing a socket with unread data would reset it, and the client might not see the response
        let mut discarded = [0; 1024];
        while stream.read(&mut discarded).await? > 0 {}
        io::Result::Ok(())
    };
    tokio::spawn(async move {
        let _permit = permit;
        // the client is closed in any case
        drop(tokio::time::timeout(REJECT_TIMEOUT, send).await);
    });
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
    #[cfg(target_os = "linux")]
    if let Err(error) = SockRef::from(&stream).set_tcp_notsent_lowat(MAX_UNSENT_BYTES) {
        tracing::debug!(%error, "TCP_NOTSENT_LOWAT not set");
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

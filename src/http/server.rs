//! Connections: how many there may be, and how long one may take to say what it wants.

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

/// Pause where the system has nothing left to accept a connection with.
const PAUSE: Duration = Duration::from_millis(50);
/// How long the first request of a connection is waited for when the server stops.
const FIRST: Duration = Duration::from_secs(1);
/// Requests under way that one connection of HTTP/2 may have.
const STREAMS: u32 = 100;

/// What a connection of HTTP/2 begins with (RFC 9113, 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Settings: how long things may take, in seconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeouts {
    /// From the beginning of a connection, or the end of an answer, to the end of the head of a request.
    pub header_seconds: u64,
    /// From the head of a request to the end of its body.
    pub body_seconds: u64,
    /// For a query, with all its statements.
    pub query_seconds: u64,
}

impl Default for Timeouts {
    /// What `config.default.toml` says.
    fn default() -> Self {
        Self { header_seconds: 30, body_seconds: 30, query_seconds: 30 }
    }
}

impl Timeouts {
    pub(super) fn body(&self) -> Duration {
        Duration::from_secs(self.body_seconds)
    }

    pub(super) fn request(&self) -> Duration {
        Duration::from_secs(self.query_seconds)
    }
}

/// The address of the one at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// Serves on this many connections at most until `stop`, and then until the requests that are under way are answered.
/// Who comes when there are as many waits until one ends.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    connections: u32,
    timeouts: &Timeouts,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let header = Duration::from_secs(timeouts.header_seconds);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(header);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(STREAMS).keep_alive_interval(header).keep_alive_timeout(header);
    let (first, second) = (Arc::new(builder.clone().http1_only()), Arc::new(builder.http2_only()));
    let room = Arc::new(Semaphore::new(connections.max(1) as usize));
    let (stopping, is_stopping) = watch::channel(false);
    let tasks = TaskTracker::new();
    let mut stop = pin!(stop);
    let serve = |(stream, peer): (TcpStream, IpAddr), place: Option<OwnedSemaphorePermit>| {
        let (router, asked) = (router.clone(), Arc::new(Notify::new()));
        let has_asked = asked.clone();
        let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            has_asked.notify_one();
            request.extensions_mut().insert(Peer(peer));
            router.clone().call(request)
        });
        let (first, second, mut is_stopping) = (first.clone(), second.clone(), is_stopping.clone());
        tasks.spawn(async move {
            let _place = place;
            let mut has_stopped = is_stopping.clone();
            let silent = async {
                drop(has_stopped.wait_for(|stopping| *stopping).await);
                tokio::time::sleep(FIRST).await;
            };
            let is_second = tokio::select! {
                // nothing else bounds how long it may take until it is known which version is spoken
                version = tokio::time::timeout(header, speaks_second(&stream)) => version.ok().flatten(),
                () = silent => None,
            };
            let Some(is_second) = is_second else { return };
            let builder = if is_second { second } else { first };
            let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
            let may_end = async {
                drop(is_stopping.wait_for(|stopping| *stopping).await);
                // who has just connected is about to ask
                drop(tokio::time::timeout(FIRST, asked.notified()).await);
            };
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = may_end => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended");
            }
        });
    };
    loop {
        let accepted = async {
            // the room is never closed
            let place = room.clone().acquire_owned().await.ok();
            (accept(&listener).await, place)
        };
        tokio::select! {
            biased;
            () = &mut stop => break,
            (accepted, place) = accepted => serve(accepted, place),
        }
    }
    // whoever the system has let in already is served, too
    for accepted in rest(listener, connections) {
        serve(accepted, None);
    }
    stopping.send_replace(true);
    tasks.close();
    tasks.wait().await;
    Ok(())
}

/// The next connection. What is wrong with one, or with the system for a moment, does not end the server.
async fn accept(listener: &TcpListener) -> (TcpStream, IpAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => return begun(stream, address),
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {}
            Err(error) => {
                tracing::error!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn begun(stream: TcpStream, address: SocketAddr) -> (TcpStream, IpAddr) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection sends in larger pieces");
    }
    (stream, address.ip().to_canonical())
}

/// Ends listening, and gives those whom the system has let in until then, this many at most. The system resets whoever is
/// not taken, so it is asked itself whether there is one more: the runtime may not have heard of them yet.
fn rest(listener: TcpListener, most: u32) -> Vec<(TcpStream, IpAddr)> {
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    if let Err(error) = let_nobody_in(&listener) {
        tracing::debug!(%error, "who comes just as the door closes may be reset");
    }
    let is_one = |accepted: &io::Result<_>| !matches!(accepted, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
    let taken: Vec<_> = (0..most).map(|_| listener.accept()).take_while(is_one).filter_map(Result::ok).collect();
    drop(listener);
    let begin = |(stream, address): (std::net::TcpStream, SocketAddr)| {
        stream.set_nonblocking(true)?;
        io::Result::Ok(begun(TcpStream::from_std(stream)?, address))
    };
    taken.into_iter().filter_map(|accepted| begin(accepted).ok()).collect()
}

/// From now on the system answers nobody who knocks. They knock again after a second, and hear that nobody listens.
#[cfg(target_os = "linux")]
fn let_nobody_in(listener: &std::net::TcpListener) -> io::Result<()> {
    /// The instruction of a socket filter that ends it; what it takes of a packet is its value.
    const RETURN: u16 = 0x06;
    SockRef::from(listener).attach_filter(&[SockFilter::new(RETURN, 0, 0, 0)])
}

/// There is no way to.
#[cfg(not(target_os = "linux"))]
fn let_nobody_in(_: &std::net::TcpListener) -> io::Result<()> {
    Ok(())
}

/// Whether a connection speaks HTTP/2, once it has said enough; nothing where it ends before.
async fn speaks_second(stream: &TcpStream) -> Option<bool> {
    let mut said = [0; PREFACE.len()];
    loop {
        let count = stream.peek(&mut said).await.ok().filter(|count| *count > 0)?;
        if said[..count] != PREFACE[..count] {
            return Some(false);
        }
        if count == PREFACE.len() {
            return Some(true);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

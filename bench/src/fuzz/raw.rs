//! Exchanges below the level of an HTTP client: pipelined, truncated and malformed requests, sockets that are not read, and
//! HTTP/2 streams that are reset.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fuzz::request::RandomRequest;
use crate::network::{UNREAD_BUFFER_BYTES, connect};

/// Time to read the responses of an exchange, most of which end earlier.
const READ_TIMEOUT: Duration = Duration::from_secs(2);
/// Time to send a request that the server may not read.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);
/// Bytes of the responses that are searched for status lines.
const MAX_RECEIVED_BYTES: usize = 1 << 18;
/// Beginnings of requests that no client sends.
const MALFORMED_HEADS: [&[u8]; 12] = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET /graphql HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
    b"GET /graphql?query={__typename} HTTP/1.0\r\n\r\n",
    b"GET / HTTP/9.9\r\nhost: a\r\n\r\n",
    b"get\r\n\r\n",
    b"GET /\x00 HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: a\r\nx\x00y: z\r\n\r\n",
    b"GET http://user:password@[::1]:99999/graphql HTTP/1.1\r\nhost: a\r\n\r\n",
    b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{}",
    b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999999999999\r\n\r\n{}",
    b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\xff\xff\xff\x01\x01\x00\x00\x00\x01",
];

/// An exchange over a connection of its own.
pub enum RawExchange {
    /// Several requests in one write.
    Pipelined(Vec<RandomRequest>),
    /// The beginning of a request, after which the client closes its side.
    Truncated(RandomRequest, usize),
    /// A body of chunks with wrong sizes.
    Chunked(RandomRequest, String),
    /// A beginning of a request that no client sends.
    Malformed(&'static [u8]),
    /// A request whose response is not read for this time.
    Unread(RandomRequest, Duration),
    /// HTTP/2 streams that are reset as soon as they are open.
    Http2Reset(RandomRequest, u32),
}

impl fmt::Debug for RawExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pipelined(requests) => write!(f, "pipelined: {requests:?}"),
            Self::Truncated(request, bytes) => write!(f, "truncated after {bytes} bytes: {request:?}"),
            Self::Chunked(request, size) => write!(f, "chunk of size {size}: {request:?}"),
            Self::Malformed(head) => write!(f, "malformed: {}", String::from_utf8_lossy(head)),
            Self::Unread(request, _) => write!(f, "not read: {request:?}"),
            Self::Http2Reset(request, count) => write!(f, "reset {count} times: {request:?}"),
        }
    }
}

impl RawExchange {
    /// Chooses an exchange with requests that `request` generates.
    pub fn random(random: &mut ChaCha8Rng, mut request: impl FnMut(&mut ChaCha8Rng) -> RandomRequest) -> Self {
        match random.random_range(0..6) {
            0 => {
                let count = random.random_range(2..12);
                Self::Pipelined((0..count).map(|_| request(random)).collect())
            }
            1 => {
                let request = request(random);
                let length = request.to_bytes("localhost").len();
                Self::Truncated(request, random.random_range(1..length))
            }
            2 => {
                let size = *["0", "1", "ffffffff", "-1", "ffffffffffffffffff", "zz", ""].choose(random).unwrap_or(&"");
                Self::Chunked(request(random), size.to_owned())
            }
            3 => Self::Malformed(MALFORMED_HEADS.choose(random).copied().unwrap_or(b"\r\n")),
            4 => Self::Unread(request(random), Duration::from_millis(random.random_range(10..500))),
            _ => Self::Http2Reset(request(random), random.random_range(5..150)),
        }
    }

    /// Performs the exchange; returns the status of each response that was read. That the server closes the connection is not an
    /// error, because the request need not be complete.
    pub async fn perform(&self, server: SocketAddr) -> anyhow::Result<Vec<u16>> {
        let host = server.to_string();
        match self {
            Self::Pipelined(requests) => {
                let bytes: Vec<u8> = requests.iter().flat_map(|request| request.to_bytes(&host)).collect();
                exchange(connect(server, None, None).await?, &bytes).await
            }
            Self::Truncated(request, length) => {
                let bytes = request.to_bytes(&host);
                exchange(connect(server, None, None).await?, &bytes[..bytes.len().min(*length)]).await
            }
            Self::Chunked(request, size) => {
                let mut bytes = request.to_head(&host, &["transfer-encoding: chunked".to_owned()]);
                bytes.extend_from_slice(format!("{size}\r\n{{}}\r\n0\r\n\r\n").as_bytes());
                exchange(connect(server, None, None).await?, &bytes).await
            }
            Self::Malformed(head) => exchange(connect(server, None, None).await?, head).await,
            Self::Unread(request, duration) => {
                let mut stream = connect(server, None, Some(UNREAD_BUFFER_BYTES)).await?;
                let sent = tokio::time::timeout(WRITE_TIMEOUT, stream.write_all(&request.to_bytes(&host))).await;
                // the server may refuse the request while it is sent
                drop(sent);
                tokio::time::sleep(*duration).await;
                Ok(Vec::new())
            }
            Self::Http2Reset(request, count) => {
                reset_streams(connect(server, None, None).await?, request, *count, &host).await;
                Ok(Vec::new())
            }
        }
    }
}

/// Sends bytes, closes the sending side, and returns the status of each response.
async fn exchange(mut stream: TcpStream, bytes: &[u8]) -> anyhow::Result<Vec<u16>> {
    let (mut reader, mut writer) = stream.split();
    let write = async {
        // the server may respond and close before it has read everything
        if writer.write_all(bytes).await.is_ok() {
            drop(writer.shutdown().await);
        }
    };
    let mut received = Vec::new();
    let read = async {
        let mut buffer = vec![0; 16_384];
        while let Ok(count @ 1..) = reader.read(&mut buffer).await {
            let missing = MAX_RECEIVED_BYTES - received.len();
            received.extend_from_slice(&buffer[..count.min(missing)]);
        }
    };
    // a server that waits for the rest of a request has nothing to send
    drop(tokio::time::timeout(READ_TIMEOUT, async { tokio::join!(read, write) }).await);
    Ok(statuses(&received))
}

/// The status of each response in bytes of HTTP/1.1.
fn statuses(received: &[u8]) -> Vec<u16> {
    const PREFIX: &[u8] = b"HTTP/1.1 ";
    let lines = received.windows(PREFIX.len() + 3).filter(|window| window.starts_with(PREFIX));
    lines.filter_map(|line| std::str::from_utf8(&line[PREFIX.len()..]).ok()?.parse().ok()).collect()
}

/// Opens streams and resets each. The server may end the connection, as it should after too many resets.
async fn reset_streams(stream: TcpStream, request: &RandomRequest, count: u32, host: &str) {
    let Ok((mut sender, connection)) = h2::client::handshake(stream).await else { return };
    tokio::spawn(connection);
    for _ in 0..count {
        let ready = tokio::time::timeout(WRITE_TIMEOUT, sender.ready()).await;
        let (Ok(Ok(ready)), Ok(http)) = (ready, request.to_http2(host)) else { return };
        sender = ready;
        let Ok((_, mut stream)) = sender.send_request(http, true) else { return };
        stream.send_reset(h2::Reason::CANCEL);
        tokio::task::yield_now().await;
    }
}

//! A proxy in front of PostgreSQL that counts statements, round trips and bytes.
//!
//! It parses the wire protocol and forwards every byte unchanged, so it counts all servers in the same way. It declines
//! encryption, because it could not parse encrypted messages.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const BUFFER_BYTES: usize = 64 * 1_024;
/// Request codes of `SSLRequest` and `GSSENCRequest`.
const ENCRYPTION_REQUEST_CODES: [u32; 2] = [80_877_103, 80_877_104];

/// Counters since the start of the proxy.
#[derive(Debug, Default)]
pub struct Counters {
    statements: AtomicU64,
    round_trips: AtomicU64,
    bytes: AtomicU64,
}

/// Values of the counters at one moment, or the difference between two moments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CounterSnapshot {
    /// Executed statements, without those that begin or end a transaction or change settings.
    pub statements: u64,
    /// Times that a server waited for PostgreSQL.
    pub round_trips: u64,
    /// Bytes that PostgreSQL sent.
    pub bytes: u64,
}

impl Counters {
    /// The current values.
    pub fn snapshot(&self) -> CounterSnapshot {
        let load = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        CounterSnapshot { statements: load(&self.statements), round_trips: load(&self.round_trips), bytes: load(&self.bytes) }
    }

    fn add(&self, counts: MessageCounts) {
        self.statements.fetch_add(counts.statements, Ordering::SeqCst);
        self.round_trips.fetch_add(counts.round_trips, Ordering::SeqCst);
    }
}

impl CounterSnapshot {
    /// The increase since an earlier snapshot.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            statements: self.statements - earlier.statements,
            round_trips: self.round_trips - earlier.round_trips,
            bytes: self.bytes - earlier.bytes,
        }
    }
}

/// Accepts connections and forwards them to the database at `upstream`. Returns only if the listener fails.
pub async fn run_proxy(listener: TcpListener, upstream: String, counters: Arc<Counters>) -> std::io::Result<()> {
    loop {
        let (client, _) = listener.accept().await?;
        let (upstream, counters) = (upstream.clone(), counters.clone());
        tokio::spawn(async move {
            // a broken connection is reported by the server that uses it
            let _ = forward_connection(client, &upstream, &counters).await;
        });
    }
}

async fn forward_connection(mut client: TcpStream, upstream: &str, counters: &Counters) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    // the startup message has no type byte: its length and a code, which requests encryption or starts the session
    let mut head = [[0; 4]; 2];
    let length = loop {
        client.read_exact(head.as_flattened_mut()).await?;
        let [length, code] = head.map(u32::from_be_bytes);
        if !ENCRYPTION_REQUEST_CODES.contains(&code) {
            break length;
        }
        client.write_all(b"N").await?;
    };
    let mut database = TcpStream::connect(upstream).await?;
    database.set_nodelay(true)?;
    database.write_all(head.as_flattened()).await?;
    let startup_rest = u64::from(length).saturating_sub(8);
    let (client_read, client_write) = client.split();
    let (database_read, database_write) = database.split();
    tokio::try_join!(
        forward_requests(client_read, database_write, startup_rest, counters),
        forward_responses(database_read, client_write, counters)
    )
    .map(drop)
}

/// Forwards and counts frontend messages; the first `startup_rest` bytes belong to the startup message.
async fn forward_requests(
    mut client: impl AsyncRead + Unpin,
    mut database: impl AsyncWrite + Unpin,
    mut startup_rest: u64,
    counters: &Counters,
) -> std::io::Result<()> {
    let mut parser = FrontendParser::default();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let length = client.read(&mut buffer).await?;
        if length == 0 {
            return database.shutdown().await;
        }
        let skipped = usize::try_from(startup_rest).unwrap_or(usize::MAX).min(length);
        startup_rest -= skipped as u64;
        // counted before forwarding, so that the counters are complete when the response arrives
        counters.add(parser.parse(&buffer[skipped..length]));
        database.write_all(&buffer[..length]).await?;
    }
}

async fn forward_responses(
    mut database: impl AsyncRead + Unpin,
    mut client: impl AsyncWrite + Unpin,
    counters: &Counters,
) -> std::io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let length = database.read(&mut buffer).await?;
        if length == 0 {
            return client.shutdown().await;
        }
        counters.bytes.fetch_add(length as u64, Ordering::SeqCst);
        client.write_all(&buffer[..length]).await?;
    }
}

/// Counts of parsed messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct MessageCounts {
    statements: u64,
    round_trips: u64,
}

/// Incremental parser of frontend messages after startup, each of which has a type byte, a length and a body.
#[derive(Debug, Default)]
struct FrontendParser {
    /// Start of an incomplete message.
    pending: Vec<u8>,
    /// Whether each prepared statement is counted, by its name.
    prepared: HashMap<Vec<u8>, bool>,
    /// Whether the statement of each portal is counted, by the name of the portal.
    portals: HashMap<Vec<u8>, bool>,
}

impl FrontendParser {
    /// Parses further bytes, which may start and end within a message.
    fn parse(&mut self, bytes: &[u8]) -> MessageCounts {
        let mut counts = MessageCounts::default();
        self.pending.extend_from_slice(bytes);
        let pending = std::mem::take(&mut self.pending);
        let mut rest = pending.as_slice();
        while let [kind, a, b, c, d, body @ ..] = rest {
            // the length includes itself, but not the type byte
            let length = (u32::from_be_bytes([*a, *b, *c, *d]) as usize).saturating_sub(4);
            let Some((body, after)) = body.split_at_checked(length) else { break };
            self.count_message(*kind, body, &mut counts);
            rest = after;
        }
        self.pending = rest.to_vec();
        counts
    }

    fn count_message(&mut self, kind: u8, body: &[u8], counts: &mut MessageCounts) {
        let (first, rest) = split_c_string(body);
        match kind {
            // Query: one message that PostgreSQL responds to immediately
            b'Q' => {
                counts.statements += u64::from(is_counted(first));
                counts.round_trips += 1;
            }
            // Parse: the name of a prepared statement and its text
            b'P' => {
                self.prepared.insert(first.to_vec(), is_counted(split_c_string(rest).0));
            }
            // Bind: the name of a portal and of its prepared statement
            b'B' => {
                let is_counted = self.prepared.get(split_c_string(rest).0).copied().unwrap_or(true);
                self.portals.insert(first.to_vec(), is_counted);
            }
            // Execute: the name of a portal
            b'E' => counts.statements += u64::from(self.portals.get(first).copied().unwrap_or(true)),
            // Sync: the client waits for the response
            b'S' => counts.round_trips += 1,
            // no other message executes a statement or ends a round trip
            _ => (),
        }
    }
}

/// A null-terminated string, without the terminator, and the bytes after it.
fn split_c_string(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}

/// First words of statements that control the transaction or the session.
const SESSION_COMMANDS: [&str; 14] = [
    "ABORT",
    "BEGIN",
    "COMMIT",
    "DEALLOCATE",
    "DISCARD",
    "END",
    "LISTEN",
    "RELEASE",
    "RESET",
    "ROLLBACK",
    "SAVEPOINT",
    "SET",
    "START",
    "UNLISTEN",
];

/// Whether a statement is counted: it is not empty and not a session command.
fn is_counted(statement: &[u8]) -> bool {
    let statement = String::from_utf8_lossy(statement);
    let mut rest = statement.trim_start();
    loop {
        let after = if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map(|(_, after)| after)
        } else if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map(|(_, after)| after)
        } else {
            break;
        };
        rest = after.unwrap_or_default().trim_start();
    }
    let word = rest.split(|char: char| !char.is_ascii_alphabetic()).next().unwrap_or_default().to_ascii_uppercase();
    !rest.is_empty() && !SESSION_COMMANDS.contains(&word.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 4).unwrap();
        [&[kind], length.to_be_bytes().as_slice(), content].concat()
    }

    /// A session with a transaction of two statements, the second of which is prepared and executed twice.
    fn session() -> Vec<u8> {
        [
            message(b'Q', b"BEGIN\0"),
            message(b'P', b"\0SELECT $1\0\0\x01\0\0\0\x19"),
            message(b'B', b"\0\0\0\0\0\x01\0\0\0\x03E\0S\0\0"),
            message(b'E', b"\0\0\0\0\0"),
            message(b'S', b""),
            message(b'P', b"s1\0/* by name */ WITH t AS (SELECT 1) SELECT * FROM t\0\0\0"),
            message(b'S', b""),
            message(b'B', b"\0s1\0\0\0\0\0\0\0"),
            message(b'E', b"\0\0\0\0\0"),
            message(b'B', b"p1\0s1\0\0\0\0\0\0\0"),
            message(b'E', b"p1\0\0\0\0\0"),
            message(b'S', b""),
            message(b'P', b"s2\0commit\0\0\0"),
            message(b'B', b"\0s2\0\0\0\0\0\0\0"),
            message(b'E', b"\0\0\0\0\0"),
            message(b'S', b""),
            message(b'X', b""),
        ]
        .concat()
    }

    #[test]
    fn counts_statements_and_round_trips() {
        assert_eq!(FrontendParser::default().parse(&session()), MessageCounts { statements: 3, round_trips: 5 });
    }

    #[test]
    fn messages_may_be_split_anywhere() {
        let session = session();
        for size in 1..40 {
            let mut parser = FrontendParser::default();
            let mut total = MessageCounts::default();
            for chunk in session.chunks(size) {
                let counts = parser.parse(chunk);
                total.statements += counts.statements;
                total.round_trips += counts.round_trips;
            }
            assert_eq!(total, MessageCounts { statements: 3, round_trips: 5 }, "in chunks of {size} bytes");
            assert!(parser.pending.is_empty());
        }
    }

    #[test]
    fn session_commands_are_not_counted() {
        for statement in
            ["", " ", "/* ping */", "-- no statement", "BEGIN", "start transaction read only", "SET a = b", "/* end */ COMMIT;"]
        {
            assert!(!is_counted(statement.as_bytes()), "{statement}");
        }
        for statement in ["SELECT 1", "(SELECT 1)", "-- comment\nselect 1", "/* a */ /* b */ INSERT INTO t VALUES (1)", "SETTLE"] {
            assert!(is_counted(statement.as_bytes()), "{statement}");
        }
    }

    #[tokio::test]
    async fn bytes_are_forwarded_and_encryption_is_declined() {
        let database = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (upstream, address) = (database.local_addr().unwrap().to_string(), proxy.local_addr().unwrap());
        let counters = Arc::new(Counters::default());
        tokio::spawn(run_proxy(proxy, upstream, counters.clone()));
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(&[8_u32.to_be_bytes(), ENCRYPTION_REQUEST_CODES[0].to_be_bytes()].concat()).await.unwrap();
        let mut response = [0];
        client.read_exact(&mut response).await.unwrap();
        assert_eq!(&response, b"N");

        // a startup message that looks like a statement after its code, and a statement
        let startup = [14_u32.to_be_bytes().as_slice(), 196_608_u32.to_be_bytes().as_slice(), b"Q\0\0\0\x04\0"].concat();
        let sent = [startup, message(b'Q', b"SELECT 1\0")].concat();
        client.write_all(&sent).await.unwrap();
        let (mut connection, _) = database.accept().await.unwrap();
        let mut received = vec![0; sent.len()];
        connection.read_exact(&mut received).await.unwrap();
        assert_eq!(received, sent);
        connection.write_all(b"twelve bytes").await.unwrap();
        let mut response = [0; 12];
        client.read_exact(&mut response).await.unwrap();
        assert_eq!(&response, b"twelve bytes");
        assert_eq!(counters.snapshot(), CounterSnapshot { statements: 1, round_trips: 1, bytes: 12 });
    }
}

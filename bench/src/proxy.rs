//! A proxy between the servers and PostgreSQL: it counts what they ask for, and how much comes back.
//!
//! It passes every byte on as it is, whoever sends it, so every server can be counted in the same way. It does not
//! offer encryption, for it could not read what is encrypted.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What was counted since the proxy began.
#[derive(Debug, Default)]
pub struct Counts {
    statements: AtomicU64,
    round_trips: AtomicU64,
    bytes: AtomicU64,
}

/// Numbers at one moment, or the difference between two moments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Statements that were run; those that begin and end transactions or change settings are not among them.
    pub statements: u64,
    /// Times that a server waited for PostgreSQL.
    pub round_trips: u64,
    /// Bytes that PostgreSQL sent.
    pub bytes: u64,
}

impl Counts {
    /// The numbers now.
    pub fn now(&self) -> Numbers {
        let of = |number: &AtomicU64| number.load(Ordering::SeqCst);
        Numbers { statements: of(&self.statements), round_trips: of(&self.round_trips), bytes: of(&self.bytes) }
    }
}

impl Numbers {
    /// What came since an earlier moment.
    pub fn since(self, before: Self) -> Self {
        Self {
            statements: self.statements - before.statements,
            round_trips: self.round_trips - before.round_trips,
            bytes: self.bytes - before.bytes,
        }
    }
}

/// Takes connections and passes them on to the database at `to`, for as long as it is awaited.
pub async fn serve(listener: TcpListener, to: String, counts: Arc<Counts>) -> std::io::Result<()> {
    loop {
        let (client, _) = listener.accept().await?;
        let (to, counts) = (to.clone(), counts.clone());
        tokio::spawn(async move {
            // a connection that breaks is the business of the two who talk over it
            let _ = pass(client, &to, &counts).await;
        });
    }
}

/// Codes of first messages that ask for TLS or GSSAPI.
const ENCRYPTION: [u32; 2] = [80_877_103, 80_877_104];

async fn pass(mut client: TcpStream, to: &str, counts: &Counts) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    // the first message has no kind: its length and a code, which asks for encryption or begins the session
    let mut head = [0; 8];
    let length = loop {
        client.read_exact(&mut head).await?;
        let [a, b, c, d, e, f, g, h] = head;
        if !ENCRYPTION.contains(&u32::from_be_bytes([e, f, g, h])) {
            break u32::from_be_bytes([a, b, c, d]);
        }
        client.write_all(b"N").await?;
    };
    let mut server = TcpStream::connect(to).await?;
    server.set_nodelay(true)?;
    server.write_all(&head).await?;
    let mut rest = u64::from(length).saturating_sub(8);
    let (mut client_reads, mut client_writes) = client.split();
    let (mut server_reads, mut server_writes) = server.split();
    let asked = async {
        let mut messages = Messages::default();
        let mut buffer = vec![0; 64 * 1_024];
        loop {
            let read = client_reads.read(&mut buffer).await?;
            if read == 0 {
                return server_writes.shutdown().await;
            }
            let first = usize::try_from(rest).unwrap_or(usize::MAX).min(read);
            rest -= first as u64;
            let seen = messages.read(&buffer[first..read]);
            // before it goes on: whoever has the answer must find it counted
            counts.statements.fetch_add(seen.statements, Ordering::SeqCst);
            counts.round_trips.fetch_add(seen.round_trips, Ordering::SeqCst);
            server_writes.write_all(&buffer[..read]).await?;
        }
    };
    let answered = async {
        let mut buffer = vec![0; 64 * 1_024];
        loop {
            let read = server_reads.read(&mut buffer).await?;
            if read == 0 {
                return client_writes.shutdown().await;
            }
            counts.bytes.fetch_add(read as u64, Ordering::SeqCst);
            client_writes.write_all(&buffer[..read]).await?;
        }
    };
    tokio::try_join!(asked, answered).map(drop)
}

/// What messages ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    statements: u64,
    round_trips: u64,
}

/// Reads the messages of a client after the first one, each of which has a kind, a length and a content.
#[derive(Debug, Default)]
struct Messages {
    /// The beginning of a message whose end has not come.
    pending: Vec<u8>,
    /// Whether a statement counts, by the name that the client prepared it under.
    prepared: HashMap<Vec<u8>, bool>,
    /// The same, by the name of the portal that its values were bound to.
    portals: HashMap<Vec<u8>, bool>,
}

impl Messages {
    /// Reads on; messages may be cut anywhere.
    fn read(&mut self, bytes: &[u8]) -> Seen {
        let mut seen = Seen::default();
        self.pending.extend_from_slice(bytes);
        let pending = std::mem::take(&mut self.pending);
        let mut rest = pending.as_slice();
        while let [kind, a, b, c, d, content @ ..] = rest {
            // the length counts itself, but not the kind
            let length = (u32::from_be_bytes([*a, *b, *c, *d]) as usize).saturating_sub(4);
            let Some((content, after)) = content.split_at_checked(length) else { break };
            self.message(*kind, content, &mut seen);
            rest = after;
        }
        self.pending = rest.to_vec();
        seen
    }

    fn message(&mut self, kind: u8, content: &[u8], seen: &mut Seen) {
        let (first, rest) = text(content);
        match kind {
            // a statement without values; the database answers at once
            b'Q' => {
                seen.statements += u64::from(counts(first));
                seen.round_trips += 1;
            }
            // Parse: a name for a statement
            b'P' => {
                self.prepared.insert(first.to_vec(), counts(text(rest).0));
            }
            // Bind: a name for a prepared statement with values
            b'B' => {
                let counts = self.prepared.get(text(rest).0).copied().unwrap_or(true);
                self.portals.insert(first.to_vec(), counts);
            }
            // Execute
            b'E' => seen.statements += u64::from(self.portals.get(first).copied().unwrap_or(true)),
            // Sync: the client waits
            b'S' => seen.round_trips += 1,
            _ => (),
        }
    }
}

/// A text that a zero ends, and what follows.
fn text(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}

/// Statements about the session and not about data.
const SESSION: [&str; 14] = [
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

/// Whether a statement counts: there is one, and it is about data.
fn counts(statement: &[u8]) -> bool {
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
    let word = rest.split(|sign: char| !sign.is_ascii_alphabetic()).next().unwrap_or_default().to_ascii_uppercase();
    !rest.is_empty() && !SESSION.contains(&word.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 4).unwrap();
        [&[kind], length.to_be_bytes().as_slice(), content].concat()
    }

    /// A session: two statements, the second of them prepared and run twice, in a transaction.
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
        assert_eq!(Messages::default().read(&session()), Seen { statements: 3, round_trips: 5 });
    }

    #[test]
    fn messages_may_be_cut_anywhere() {
        let session = session();
        for size in 1..40 {
            let mut messages = Messages::default();
            let mut all = Seen::default();
            for part in session.chunks(size) {
                let seen = messages.read(part);
                all.statements += seen.statements;
                all.round_trips += seen.round_trips;
            }
            assert_eq!(all, Seen { statements: 3, round_trips: 5 }, "in parts of {size} bytes");
            assert!(messages.pending.is_empty());
        }
    }

    #[test]
    fn statements_about_the_session_do_not_count() {
        for statement in ["", " ", "/* ping */", "-- nothing", "BEGIN", "start transaction read only", "SET a = b", "/* so */ COMMIT;"] {
            assert!(!counts(statement.as_bytes()), "{statement}");
        }
        for statement in ["SELECT 1", "(SELECT 1)", "-- why\nselect 1", "/* a */ /* b */ INSERT INTO t VALUES (1)", "SETTLE"] {
            assert!(counts(statement.as_bytes()), "{statement}");
        }
    }

    #[tokio::test]
    async fn passes_on_what_is_said_and_declines_encryption() {
        let database = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (to, at) = (database.local_addr().unwrap().to_string(), proxy.local_addr().unwrap());
        let counts = Arc::new(Counts::default());
        tokio::spawn(serve(proxy, to, counts.clone()));
        let mut client = TcpStream::connect(at).await.unwrap();
        client.write_all(&[8_u32.to_be_bytes(), ENCRYPTION[0].to_be_bytes()].concat()).await.unwrap();
        let mut answer = [0];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"N");

        // a first message that looks like a statement after its code, and a statement
        let first = [14_u32.to_be_bytes().as_slice(), 196_608_u32.to_be_bytes().as_slice(), b"Q\0\0\0\x04\0"].concat();
        let said = [first, message(b'Q', b"SELECT 1\0")].concat();
        client.write_all(&said).await.unwrap();
        let (mut connection, _) = database.accept().await.unwrap();
        let mut heard = vec![0; said.len()];
        connection.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, said);
        connection.write_all(b"twelve bytes").await.unwrap();
        let mut answer = [0; 12];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"twelve bytes");
        assert_eq!(counts.now(), Numbers { statements: 1, round_trips: 1, bytes: 12 });
    }
}

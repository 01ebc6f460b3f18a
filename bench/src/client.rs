//! The servers that are asked, and connections to them.

use std::str::FromStr;

use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::workload::Kind;

/// How long an answer may take.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// A server: its kind, address and, for its memory, process.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its kind.
    pub kind: Kind,
    /// Its address and port.
    pub address: String,
    pid: Option<u32>,
}

impl FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.split_once('=').ok_or("there is no = in it")?;
        let (address, pid) = match rest.split_once(',') {
            Some((address, pid)) => (address, Some(pid.parse().map_err(|_| format!("{pid} is not the number of a process"))?)),
            None => (rest, None),
        };
        Ok(Self { kind: Kind::from_str(kind, true)?, address: address.to_owned(), pid })
    }
}

impl Server {
    /// The most memory that the process had at any time, in MiB.
    pub fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1_024)
    }
}

/// A connection that is kept open.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    /// Opens one.
    pub async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("no server at {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // its errors come back to the sender, too
        tokio::spawn(connection);
        Ok(Self { sender, host: address.to_owned() })
    }

    /// Sends a request; gives whether it went well, and the body. Nothing if it takes too long: the connection is
    /// of no use then.
    pub async fn send(&mut self, path: &str, body: Bytes) -> anyhow::Result<Option<(bool, Bytes)>> {
        self.sender.ready().await?;
        let request = hyper::Request::post(path)
            .header("host", self.host.as_str())
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .body(Full::new(body))?;
        let whole = async {
            let answer = self.sender.send_request(request).await?;
            let good = answer.status().is_success();
            let body = answer.into_body().collect().await?.to_bytes();
            // GraphQL tells of errors under 200, too, and first of all
            Ok((good && !body.starts_with(b"{\"errors\"") && !body.starts_with(b"{\"data\":null"), body))
        };
        tokio::time::timeout(PATIENCE, whole).await.ok().transpose()
    }

    /// Sends a request that must go well; gives the data of the answer.
    pub async fn ask(&mut self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let (good, body) = self.send(path, Bytes::from(body.to_string())).await?.context("no answer came in time")?;
        let mut answer: Value = serde_json::from_slice(&body).with_context(|| format!("not JSON: {}", String::from_utf8_lossy(&body)))?;
        if let Some(errors) = answer.get("errors") {
            bail!("the server refuses: {errors}");
        }
        ensure!(good, "the server refuses: {answer}");
        Ok(answer["data"].take())
    }

    /// Asks a query that must go well; gives the data of the answer.
    pub async fn query(&mut self, query: &str, variables: Value) -> anyhow::Result<Value> {
        self.ask("/graphql", &json!({"query": query, "variables": variables})).await
    }
}

//! HTTP client connections to a target.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// Time until a response counts as missing.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_mins(1);

/// A persistent HTTP/1.1 connection.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    /// Connects to `HOST:PORT`.
    pub async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // the sender reports its errors as well
        tokio::spawn(connection);
        Ok(Self { sender, host: address.to_owned() })
    }

    /// Sends a request and returns whether it succeeded and the response body, or `None` after [`RESPONSE_TIMEOUT`];
    /// the connection cannot be used after that.
    pub async fn send(&mut self, path: &str, body: Bytes) -> anyhow::Result<Option<(bool, Bytes)>> {
        self.sender.ready().await?;
        let request = hyper::Request::post(path)
            .header("host", self.host.as_str())
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .body(Full::new(body))?;
        let exchange = async {
            let response = self.sender.send_request(request).await?;
            let is_success = response.status().is_success();
            let body = response.into_body().collect().await?.to_bytes();
            // GraphQL reports errors with status 200 as well, before the data
            Ok((is_success && !body.starts_with(b"{\"errors\"") && !body.starts_with(b"{\"data\":null"), body))
        };
        tokio::time::timeout(RESPONSE_TIMEOUT, exchange).await.ok().transpose()
    }

    /// Sends a request that must succeed and returns the `data` of its response.
    pub async fn fetch(&mut self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let (is_success, body) = self.send(path, Bytes::from(body.to_string())).await?.context("the response timed out")?;
        let mut response: Value =
            serde_json::from_slice(&body).with_context(|| format!("the response is not JSON: {}", String::from_utf8_lossy(&body)))?;
        if let Some(errors) = response.get("errors") {
            bail!("the response contains errors: {errors}");
        }
        ensure!(is_success, "the request failed: {response}");
        Ok(response["data"].take())
    }

    /// Sends a GraphQL query that must succeed and returns its data.
    pub async fn query(&mut self, query: &str, variables: Value) -> anyhow::Result<Value> {
        self.fetch("/graphql", &json!({"query": query, "variables": variables})).await
    }
}

//! What an attack sends, and the outcome of each request.

use std::fmt::Write;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request};
use serde_json::{Value, json};

/// Requests that an attack sends concurrently with its other actions.
#[derive(Debug, Clone)]
pub enum Action {
    /// Sends requests over one connection, each after the response to the previous one.
    Send(Vec<AttackRequest>),
    /// Sends a request and disconnects after the first bytes of the response.
    Disconnect(AttackRequest),
    /// Reads a response that has no end, such as an event stream, for a few seconds, and disconnects.
    ReadStream(AttackRequest),
    /// Sends a request and never reads the response, on this number of connections.
    NeverRead(AttackRequest, usize),
    /// Sends the beginning of a request and keeps the connections open.
    Incomplete(Vec<u8>, usize),
    /// Starts operations over one WebSocket, and reads until all are complete or, for subscriptions, for a few seconds.
    WebSocket(WebSocketAttack),
    /// Sends requests over one HTTP/2 connection and resets each at once.
    Http2Reset(AttackRequest, usize),
}

/// Operations over one WebSocket.
#[derive(Debug, Clone)]
pub struct WebSocketAttack {
    /// Payloads of `subscribe` messages.
    pub operations: Vec<Value>,
    pub accept_language: Option<String>,
    /// Whether the messages of the server are read.
    pub is_read: bool,
}

impl WebSocketAttack {
    pub fn new(operations: Vec<Value>) -> Self {
        Self { operations, accept_language: None, is_read: true }
    }
}

/// An HTTP request.
#[derive(Debug, Clone)]
pub struct AttackRequest {
    method: Method,
    /// Path and query of the URL.
    target: String,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

impl AttackRequest {
    /// A GET request for a path, with parameters that are percent-encoded.
    pub fn get(path: &str, parameters: &[(&str, &str)]) -> Self {
        let mut target = path.to_owned();
        for (index, (name, value)) in parameters.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(name);
            target.push('=');
            percent_encode(&mut target, value);
        }
        Self { method: Method::GET, target, headers: Vec::new(), body: Bytes::new() }
    }

    /// A GraphQL request by POST.
    pub fn graphql(query: &str, variables: &Value) -> Self {
        Self::post_json(json!({"query": query, "variables": variables}).to_string())
    }

    /// A GraphQL request by GET.
    pub fn graphql_get(query: &str, variables: &Value) -> Self {
        Self::get("/graphql", &[("query", query), ("variables", &variables.to_string())]).header("accept", "application/json")
    }

    /// A POST request to the GraphQL endpoint with this body.
    pub fn post_json(body: String) -> Self {
        let headers = vec![("content-type", "application/json".to_owned()), ("accept", "application/json".to_owned())];
        Self { method: Method::POST, target: "/graphql".to_owned(), headers, body: Bytes::from(body) }
    }

    /// A POST request with the fields of a form.
    pub fn post_form(path: &str, fields: &[(&str, &str)]) -> Self {
        let mut body = String::new();
        for (name, value) in fields {
            body.push_str(if body.is_empty() { "" } else { "&" });
            body.push_str(name);
            body.push('=');
            percent_encode(&mut body, value);
        }
        let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        Self { method: Method::POST, target: path.to_owned(), headers, body: Bytes::from(body) }
    }

    /// A table or a chart (`/table.csv`, `/chart.svg`) of a query.
    pub fn export(path: &str, query: &str, variables: &Value, parameters: &[(&str, &str)]) -> Self {
        let variables = variables.to_string();
        let all: Vec<_> = [("query", query), ("variables", &variables)].into_iter().chain(parameters.iter().copied()).collect();
        Self::get(path, &all)
    }

    /// A subscription as an event stream.
    pub fn event_stream(query: &str, variables: &Value) -> Self {
        Self::graphql(query, variables).header("accept", "text/event-stream")
    }

    /// An upload with `importFile`, as a dry run if `is_dry_run`.
    pub fn upload(file_name: &str, content: &str, is_dry_run: bool, token: &str) -> Self {
        const BOUNDARY: &str = "kurultai-attack-boundary";
        let query = "mutation($input: ImportFileInput!) { importFile(input: $input) { created updated errors { code message } } }";
        let operations = json!({"query": query, "variables": {"input": {"file": null, "dryRun": is_dry_run}}});
        let mut body = String::new();
        for (name, value) in [("operations", operations.to_string()), ("map", json!({"0": ["variables.input.file"]}).to_string())] {
            append(&mut body, format_args!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
        }
        append(
            &mut body,
            format_args!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"0\"; filename=\"{file_name}\"\r\n\r\n{content}\r\n"),
        );
        append(&mut body, format_args!("--{BOUNDARY}--\r\n"));
        let headers = vec![("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))];
        Self { method: Method::POST, target: "/graphql".to_owned(), headers, body: Bytes::from(body) }.token(token)
    }

    /// The request with a header, which replaces one of the same name.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value.into()));
        self
    }

    /// The request with an API token.
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// The request in the form that the HTTP client takes.
    pub fn to_http(&self, host: &str) -> anyhow::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder().method(self.method.clone()).uri(&self.target).header("host", host);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        Ok(request.body(Full::new(self.body.clone()))?)
    }

    /// The request with an absolute URL and no body, for HTTP/2.
    pub fn to_http2(&self, host: &str) -> anyhow::Result<Request<()>> {
        let mut request = Request::builder().method(self.method.clone()).uri(format!("http://{host}{}", self.target));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        Ok(request.body(())?)
    }

    pub fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// Whether the response is a table, which can contain the whole dataset.
    pub fn is_table(&self) -> bool {
        self.target.starts_with("/table.")
    }

    /// The bytes of the request in HTTP/1.1.
    pub fn to_bytes(&self, host: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: {host}\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            append(&mut head, format_args!("{name}: {value}\r\n"));
        }
        append(&mut head, format_args!("content-length: {}\r\n\r\n", self.body.len()));
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// Appends formatted text; writing to a `String` cannot fail.
fn append(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a String accepts all text");
}

fn percent_encode(target: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => target.push(char::from(byte)),
            byte => append(target, format_args!("%{byte:02X}")),
        }
    }
}

//! Random HTTP requests: mostly valid operations with unusual values, sometimes invalid ones and noise.

use std::fmt;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::fuzz::document::Document;
use crate::fuzz::introspection::Schema;
use crate::fuzz::value::{long_language, mutate, nested_json, random_json, random_text};

/// Maximum length of a request target; servers reject longer ones.
const MAX_TARGET_BYTES: usize = 30_000;
const HEADERS: [(&str, &[&str]); 5] = [
    ("accept", &["application/json", "application/graphql-response+json", "*/*", "text/html", "application/json;q=0", ",;,", "text/csv"]),
    ("accept-language", &["kk", "ru;q=0.5, en", "*", "xx-yy-zz", ";;;", "en;q=abc"]),
    ("if-none-match", &["*", "\"x\"", "W/\"y\", \"z\"", "nonsense"]),
    ("authorization", &["Bearer x", "Bearer kurultai_01h455vb4pex5vsknk084sn02q_x", "Basic eDp5", "", "Bearer"]),
    ("accept-encoding", &["gzip", "br", "zstd", "identity", "gzip;q=0, *;q=0"]),
];
const EXPORT_PATHS: [&str; 8] =
    ["/table.csv", "/table.json", "/table.ndjson", "/table.xlsx", "/table.parquet", "/chart.svg", "/feed.atom", "/table.nothing"];
const EXPORT_PARAMETERS: [(&str, &[&str]); 8] = [
    ("x", &["id", "slug", "a.b", ""]),
    ("explode", &["nodes", "x.y"]),
    ("lists", &["join", "explode", "x"]),
    ("sources", &["true", "1", "maybe"]),
    ("lang", &["ru", "??"]),
    ("safe", &["true"]),
    ("rows", &["nodes", "cases", "0"]),
    ("width", &["10", "99999999", "-1"]),
];
const TEXT_PATHS: [&str; 6] = ["/r/", "/feed.atom?record=", "/feed.atom?types=", "/graphql?saved=", "/table.csv?saved=", "/"];

/// Headers that clients rarely send, with values of which some are not valid.
const ODD_HEADERS: [(&str, &[&str]); 12] = [
    ("range", &["bytes=0-10", "bytes=-1,-1,-1", "lines=x"]),
    ("content-encoding", &["gzip", "identity", "unknown"]),
    ("x-forwarded-for", &["1.2.3.4", "::1", "unknown, x", ",,,,"]),
    ("x-forwarded-proto", &["https", "javascript", ""]),
    ("x-forwarded-host", &["example.org", "a b", "\"><script>"]),
    ("forwarded", &["for=1.2.3.4;proto=https", ";;;"]),
    ("origin", &["null", "https://example.org", "é"]),
    ("last-event-id", &["x", "", "0"]),
    ("if-modified-since", &["Thu, 01 Jan 1970 00:00:00 GMT", "yesterday"]),
    ("x-request-id", &["x", "\t", "é"]),
    ("traceparent", &["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0-0-0"]),
    ("upgrade", &["h2c", "websocket", "x"]),
];
/// Share of requests with a header of some kilobytes, with several headers of [`ODD_HEADERS`], and with nested JSON.
const LONG_HEADER_PROBABILITY: f64 = 0.003;
const ODD_HEADERS_PROBABILITY: f64 = 0.05;
const NESTED_JSON_PROBABILITY: f64 = 0.003;

/// Longest body: the server reads 16 MiB of one that is too long, and closes the connection beyond, which breaks a request that is
/// still being sent.
const MAX_BODY_BYTES: usize = 12 << 20;
/// Letters of a body in messages.
const MAX_SHOWN_CHARS: usize = 4_000;

type Headers = Vec<(&'static str, String)>;

/// A random request.
pub struct RandomRequest {
    method: Method,
    /// Path and query of the URL.
    target: String,
    headers: Headers,
    body: Vec<u8>,
}

impl fmt::Debug for RandomRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body: String = String::from_utf8_lossy(&self.body).chars().take(MAX_SHOWN_CHARS).collect();
        write!(f, "{} {} {:?}\n{body} ({} bytes)", self.method, self.target, self.headers, self.body.len())
    }
}

impl RandomRequest {
    /// Generates a request; the state of the random number generator determines it.
    pub fn generate(schema: &Schema, random: &mut ChaCha8Rng) -> Self {
        loop {
            let request = Self::of_any_size(schema, random);
            if request.body.len() <= MAX_BODY_BYTES {
                return request;
            }
        }
    }

    fn of_any_size(schema: &Schema, random: &mut ChaCha8Rng) -> Self {
        let headers = random_headers(random);
        let (operation, root) = if random.random_bool(0.08) { ("mutation", "Mutation") } else { ("query", "Query") };
        let Document { mut query, mut variables } = Document::random(schema, random, operation, root);
        if random.random_bool(0.1) {
            query = mutate(&query, random);
        }
        if random.random_bool(0.05) {
            variables = random_json(random, 5);
        }
        if random.random_bool(NESTED_JSON_PROBABILITY) {
            return Self::nested(headers, random);
        }
        match random.random_range(0..100) {
            0..10 => Self::get("/graphql", &[("query", query), ("variables", variables.to_string())], headers, random),
            10..22 => Self::export(&query, &variables, headers, random),
            22..24 => Self::text_path(schema, headers, random),
            24..28 => Self::noise(headers, random),
            28..34 => Self::post(&query, &variables, true, headers, random),
            _ => Self::post(&query, &variables, false, headers, random),
        }
    }

    /// A body with JSON that is nested deeply, as a whole, in the variables or in the document.
    fn nested(mut headers: Headers, random: &mut ChaCha8Rng) -> Self {
        headers.push(("content-type", "application/json".to_owned()));
        let text = nested_json(random);
        let body = match random.random_range(0..4) {
            0 => text,
            1 => format!("{{\"query\":\"{{__typename}}\",\"variables\":{{\"v\":{text}}}}}"),
            2 => format!("{{\"query\":\"{{__typename}}\",\"extensions\":{text}}}"),
            _ => json!({"query": format!("{{ search(query: {text}) {{ totalCount }} }}")}).to_string(),
        };
        Self { method: Method::POST, target: "/graphql".to_owned(), headers, body: body.into_bytes() }
    }

    /// A table, a chart or a feed of an operation.
    fn export(query: &str, variables: &Value, headers: Headers, random: &mut ChaCha8Rng) -> Self {
        let mut parameters = vec![("query", query.to_owned()), ("variables", variables.to_string()), ("limit", "50".to_owned())];
        for (name, values) in EXPORT_PARAMETERS {
            if random.random_bool(0.2) {
                parameters.push((name, (*values.choose(random).unwrap_or(&"")).to_owned()));
            }
        }
        Self::get(EXPORT_PATHS.choose(random).copied().unwrap_or("/table.csv"), &parameters, headers, random)
    }

    /// A path or a parameter with a known value or an unusual text.
    fn text_path(schema: &Schema, headers: Headers, random: &mut ChaCha8Rng) -> Self {
        let known = schema.known_values.choose(random).cloned().unwrap_or_default();
        let path = TEXT_PATHS.choose(random).copied().unwrap_or("/");
        let text = if random.random_bool(0.5) { known } else { random_text(schema, random) };
        Self { method: Method::GET, target: format!("{path}{}", percent_encode(&text)), headers, body: Vec::new() }
    }

    /// Random bytes.
    fn noise(mut headers: Headers, random: &mut ChaCha8Rng) -> Self {
        let types = ["application/json", "text/plain", "application/graphql"];
        headers.push(("content-type", (*types.choose(random).unwrap_or(&"")).to_owned()));
        let mut body = vec![0; random.random_range(0..200)];
        random.fill(body.as_mut_slice());
        let method = [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS].choose(random).cloned().unwrap_or(Method::POST);
        Self { method, target: "/graphql".to_owned(), headers, body }
    }

    /// A POST request with an operation, of which one member is replaced by noise if `with_noise`.
    fn post(query: &str, variables: &Value, with_noise: bool, mut headers: Headers, random: &mut ChaCha8Rng) -> Self {
        headers.push(("content-type", "application/json".to_owned()));
        let mut payload = json!({"query": query, "variables": variables});
        if with_noise {
            let members = ["query", "variables", "operationName", "extensions", "documentId"];
            payload[*members.choose(random).unwrap_or(&"query")] = random_json(random, 3);
        }
        let mut body = payload.to_string().into_bytes();
        if random.random_bool(0.03) {
            let index = random.random_range(0..body.len());
            body[index] = random.random();
        }
        Self { method: Method::POST, target: "/graphql".to_owned(), headers, body }
    }

    fn get(path: &str, parameters: &[(&str, String)], headers: Headers, random: &mut ChaCha8Rng) -> Self {
        let parameters = parameters.iter().map(|(name, value)| format!("{name}={}", percent_encode(value)));
        let mut target = format!("{path}?{}", parameters.collect::<Vec<_>>().join("&"));
        let mut end = target.len().min(MAX_TARGET_BYTES);
        while !target.is_char_boundary(end) {
            end -= 1;
        }
        target.truncate(end);
        let method = if random.random_bool(0.1) { Method::HEAD } else { Method::GET };
        Self { method, target, headers, body: Vec::new() }
    }

    /// The request in the form that the HTTP client takes.
    pub fn to_http(&self, host: &str) -> anyhow::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder().method(self.method.clone()).uri(&self.target).header("host", host);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        Ok(request.body(Full::new(Bytes::from(self.body.clone())))?)
    }

    /// The request in HTTP/2, without its body.
    pub fn to_http2(&self, host: &str) -> anyhow::Result<Request<()>> {
        let mut request = Request::builder().method(self.method.clone()).uri(format!("http://{host}{}", self.target));
        // headers of a connection are not valid in HTTP/2
        for (name, value) in self.headers.iter().filter(|(name, _)| *name != "upgrade") {
            request = request.header(*name, value);
        }
        Ok(request.body(())?)
    }

    /// The bytes of the request in HTTP/1.1.
    pub fn to_bytes(&self, host: &str) -> Vec<u8> {
        let mut bytes = self.to_head(host, &[format!("content-length: {}", self.body.len())]);
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The bytes of the request in HTTP/1.1 without its body, and with these header lines.
    pub fn to_head(&self, host: &str, lines: &[String]) -> Vec<u8> {
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}"));
        let lines: Vec<_> = std::iter::once(format!("host: {host}")).chain(headers).chain(lines.iter().cloned()).collect();
        format!("{} {} HTTP/1.1\r\n{}\r\n\r\n", self.method, self.target, lines.join("\r\n")).into_bytes()
    }

    /// Whether the response is not compressed.
    pub fn is_uncompressed(&self) -> bool {
        !self.headers.iter().any(|(name, _)| *name == "accept-encoding")
    }

    /// Whether a successful response is a table, a chart or a feed.
    pub fn is_export(&self) -> bool {
        self.target.starts_with("/table.") || self.target.starts_with("/chart.") || self.target.starts_with("/feed.")
    }

    /// Whether the GraphQL endpoint responds with a body.
    pub fn is_graphql(&self) -> bool {
        self.target.starts_with("/graphql") && !matches!(self.method, Method::HEAD | Method::OPTIONS)
    }
}

fn random_headers(random: &mut ChaCha8Rng) -> Headers {
    let mut headers = Headers::new();
    for (name, values) in HEADERS {
        let probability = if matches!(name, "authorization" | "accept") { 0.02 } else { 0.1 };
        if random.random_bool(probability) {
            headers.push((name, (*values.choose(random).unwrap_or(&"")).to_owned()));
        }
    }
    if random.random_bool(ODD_HEADERS_PROBABILITY) {
        for _ in 0..random.random_range(1..4) {
            if let Some((name, values)) = ODD_HEADERS.choose(random) {
                headers.push((name, (*values.choose(random).unwrap_or(&"")).to_owned()));
            }
        }
    }
    if random.random_bool(LONG_HEADER_PROBABILITY) {
        let name = ["accept-language", "accept", "if-none-match", "x-long"].choose(random).copied().unwrap_or("x-long");
        let value = if random.random_bool(0.5) { long_language(random) } else { "en,".repeat(random.random_range(1..10_000)) };
        headers.push((name, value));
    }
    headers
}

/// Percent-encodes a text for a URL.
fn percent_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

//! A request at random: mostly what the schema allows, with odd values; sometimes not.

use std::fmt;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::schema::{Input, Ref, Schema, Type};

/// Levels of fields that are asked for at most.
const DEEPEST: u32 = 6;

const TEXTS: [&str; 22] = [
    "",
    " ",
    "a",
    "закон",
    "ё",
    "\u{0}",
    "\u{feff}x",
    "'",
    "\"",
    "\\",
    "%",
    "_",
    "*",
    "x'); DROP TABLE people; --",
    "2020",
    "2020-02-30",
    "2013-08",
    "9999-12-31",
    "0000",
    "en",
    "x-unknown",
    "\u{202e}kz",
];
const HEADERS: [(&str, &[&str]); 5] = [
    ("accept", &["application/json", "application/graphql-response+json", "*/*", "text/html", "application/json;q=0", ",;,", "text/csv"]),
    ("accept-language", &["kk", "ru;q=0.5, en", "*", "xx-yy-zz", ";;;", "en;q=abc"]),
    ("if-none-match", &["*", "\"x\"", "W/\"y\", \"z\"", "nonsense"]),
    ("authorization", &["Bearer x", "Bearer kurultai_01h455vb4pex5vsknk084sn02q_x", "Basic eDp5", "", "Bearer"]),
    ("accept-encoding", &["gzip", "br", "zstd", "identity", "gzip;q=0, *;q=0"]),
];

/// A request.
pub struct Wish {
    method: Method,
    address: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl fmt::Debug for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:?}\n{}", self.method, self.address, self.headers, String::from_utf8_lossy(&self.body))
    }
}

impl Wish {
    /// A request at random.
    pub fn new(schema: &Schema, random: &mut ChaCha8Rng) -> Self {
        let mut headers: Vec<(&'static str, String)> = Vec::new();
        for (name, values) in HEADERS {
            let often = if matches!(name, "authorization" | "accept") { 0.02 } else { 0.1 };
            if random.random_bool(often) {
                headers.push((name, (*values.choose(random).unwrap_or(&"")).to_owned()));
            }
        }
        let kind = if random.random_bool(0.08) { "mutation" } else { "query" };
        let mut maker = Maker { schema, random, variables: Vec::new(), left: 60 };
        let root = if kind == "mutation" { "Mutation" } else { "Query" };
        let fields = maker.selection(root, DEEPEST);
        let variables = std::mem::take(&mut maker.variables);
        let declared = variables.iter().map(|(name, ty, _)| format!("${name}: {ty}")).collect::<Vec<_>>().join(", ");
        let declared = if declared.is_empty() { declared } else { format!("({declared})") };
        let mut query = format!("{kind}{declared} {fields}");
        let mut values: Value = variables.into_iter().map(|(name, _, value)| (name, value)).collect::<serde_json::Map<_, _>>().into();
        if random.random_bool(0.1) {
            query = mutated(&query, random);
        }
        if random.random_bool(0.05) {
            values = noise(random, 5);
        }
        match random.random_range(0..100) {
            // by the address
            0..10 => {
                let parameters = [("query", query), ("variables", values.to_string())];
                Self::get("/graphql", &parameters, headers, random)
            }
            10..22 => {
                let path = [
                    "/table.csv",
                    "/table.json",
                    "/table.ndjson",
                    "/table.xlsx",
                    "/table.parquet",
                    "/chart.svg",
                    "/feed.atom",
                    "/table.nothing",
                ];
                let mut parameters = vec![("query", query), ("variables", values.to_string()), ("limit", "50".to_owned())];
                for (name, given) in [
                    ("x", &["id", "slug", "a.b", ""][..]),
                    ("explode", &["nodes", "x.y"][..]),
                    ("lists", &["join", "explode", "x"][..]),
                    ("sources", &["true", "1", "maybe"][..]),
                    ("lang", &["ru", "??"][..]),
                    ("safe", &["true"][..]),
                    ("rows", &["nodes", "cases", "0"][..]),
                    ("width", &["10", "99999999", "-1"][..]),
                ] {
                    if random.random_bool(0.2) {
                        parameters.push((name, (*given.choose(random).unwrap_or(&"")).to_owned()));
                    }
                }
                Self::get(path.choose(random).copied().unwrap_or("/table.csv"), &parameters, headers, random)
            }
            22..24 => {
                let known = schema.known.choose(random).cloned().unwrap_or_default();
                let path = ["/r/", "/feed.atom?record=", "/feed.atom?types=", "/graphql?saved=", "/table.csv?saved=", "/"];
                let path = path.choose(random).copied().unwrap_or("/");
                let text = if random.random_bool(0.5) { known } else { text(schema, random) };
                Self { method: Method::GET, address: format!("{path}{}", encoded(&text)), headers, body: Vec::new() }
            }
            24..28 => {
                headers.push((
                    "content-type",
                    (*["application/json", "text/plain", "application/graphql"].choose(random).unwrap_or(&"")).to_owned(),
                ));
                let mut body = vec![0; random.random_range(0..200)];
                random.fill(body.as_mut_slice());
                let method = [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS].choose(random).cloned().unwrap_or(Method::POST);
                Self { method, address: "/graphql".to_owned(), headers, body }
            }
            kind => {
                headers.push(("content-type", "application/json".to_owned()));
                let mut asked = json!({"query": query, "variables": values});
                if kind < 34 {
                    let members = ["query", "variables", "operationName", "extensions", "documentId"];
                    asked[*members.choose(random).unwrap_or(&"query")] = noise(random, 3);
                }
                let mut body = asked.to_string().into_bytes();
                if random.random_bool(0.03) {
                    let at = random.random_range(0..body.len());
                    body[at] = random.random();
                }
                Self { method: Method::POST, address: "/graphql".to_owned(), headers, body }
            }
        }
    }

    fn get(path: &str, parameters: &[(&str, String)], headers: Vec<(&'static str, String)>, random: &mut ChaCha8Rng) -> Self {
        let mut address =
            format!("{path}?{}", parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&"));
        // servers refuse what is longer
        let mut end = address.len().min(30_000);
        while !address.is_char_boundary(end) {
            end -= 1;
        }
        address.truncate(end);
        let method = if random.random_bool(0.1) { Method::HEAD } else { Method::GET };
        Self { method, address, headers, body: Vec::new() }
    }

    /// The same, ready to be sent.
    pub fn request(&self, host: &str) -> anyhow::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder().method(self.method.clone()).uri(&self.address).header("host", host);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        Ok(request.body(Full::new(Bytes::from(self.body.clone())))?)
    }

    /// Whether the answer comes as it is.
    pub fn is_plain(&self) -> bool {
        !self.headers.iter().any(|(name, _)| *name == "accept-encoding")
    }

    /// Whether the answer is a table or another file.
    pub fn is_table(&self) -> bool {
        self.address.starts_with("/table.") || self.address.starts_with("/chart.") || self.address.starts_with("/feed.")
    }

    /// Whether it is asked at the door of GraphQL, and answered with a body.
    pub fn is_graphql(&self) -> bool {
        self.address.starts_with("/graphql") && !matches!(self.method, Method::HEAD | Method::OPTIONS)
    }
}

/// Makes a document.
struct Maker<'m> {
    schema: &'m Schema,
    random: &'m mut ChaCha8Rng,
    /// Variables with their types and values.
    variables: Vec<(String, String, Value)>,
    /// Fields that may still be asked for.
    left: u32,
}

impl Maker<'_> {
    fn selection(&mut self, name: &str, depth: u32) -> String {
        let schema = self.schema;
        let Some(ty) = schema.get(name) else { return "{ __typename }".to_owned() };
        let mut items = Vec::new();
        for _ in 0..self.random.random_range(1..5) {
            self.left = self.left.saturating_sub(1);
            if self.left == 0 || ty.fields().is_empty() || self.random.random_bool(0.03) {
                items.push("__typename".to_owned());
                continue;
            }
            if let Some(on) = ty.possible().choose(self.random).filter(|_| self.random.random_bool(0.4)) {
                items.push(format!("... on {} {}", on.name, self.selection(&on.name, depth.saturating_sub(1))));
                continue;
            }
            let Some(field) = ty.fields().choose(self.random) else { continue };
            let below = schema.get(field.ty.named());
            let is_object = below.is_some_and(|below| matches!(below.kind.as_str(), "OBJECT" | "INTERFACE" | "UNION"));
            if is_object && depth == 0 {
                continue;
            }
            let given: Vec<String> = field.args.iter().filter_map(|argument| self.argument(argument)).collect();
            let given = if given.is_empty() { String::new() } else { format!("({})", given.join(", ")) };
            let alias = if self.random.random_bool(0.5) { format!("a{}: ", self.left) } else { String::new() };
            let directive = match self.random.random_range(0..60) {
                0 => " @include(if: true)",
                1 => " @skip(if: true)",
                2 if self.random.random_bool(0.1) => " @unknown",
                _ => "",
            };
            let below = if is_object { format!(" {}", self.selection(field.ty.named(), depth - 1)) } else { String::new() };
            items.push(format!("{alias}{}{given}{directive}{below}", field.name));
        }
        if items.is_empty() {
            items.push("__typename".to_owned());
        }
        format!("{{ {} }}", items.join(" "))
    }

    /// An argument, where one is given: written out, or as a variable.
    fn argument(&mut self, argument: &Input) -> Option<String> {
        // what stands alone is mostly left alone: a cursor of another list ends the answer
        let seldom = matches!(argument.name.as_str(), "after" | "before" | "last");
        if argument.ty.kind != "NON_NULL" && self.random.random_bool(if seldom { 0.96 } else { 0.7 }) {
            return None;
        }
        let value = self.value(&argument.ty, 3);
        if self.random.random_bool(0.5) {
            let name = format!("v{}", self.variables.len());
            self.variables.push((name.clone(), argument.ty.text(), value));
            return Some(format!("{}: ${name}", argument.name));
        }
        Some(format!("{}: {}", argument.name, self.literal(&value, &argument.ty)))
    }

    fn value(&mut self, ty: &Ref, depth: u32) -> Value {
        let inner = ty.of_type.as_deref();
        match (ty.kind.as_str(), inner) {
            ("NON_NULL", Some(inner)) => self.value(inner, depth),
            _ if self.random.random_bool(0.02) => Value::Null,
            _ if self.random.random_bool(0.005) => noise(self.random, 2),
            ("LIST", Some(inner)) => (0..self.random.random_range(0..4)).map(|_| self.value(inner, depth)).collect(),
            _ => self.named(ty.named(), depth),
        }
    }

    fn named(&mut self, name: &str, depth: u32) -> Value {
        match name {
            "Float" => json!([0.0, -0.5, 1e300, 3.25].choose(self.random)),
            "ID" if self.random.random_bool(0.8) => {
                let ids: Vec<&String> = self.schema.known.iter().filter(|text| text.contains("_0")).collect();
                json!(ids.choose(self.random))
            }
            "PartialDate" if self.random.random_bool(0.8) => json!(["2020", "2013-08", "2021-05-06"].choose(self.random)),
            "Int" if self.random.random_bool(0.7) => json!([0_i64, 1, 2, 5, 20].choose(self.random)),
            "Int" => json!([100_i64, 101, -1, i64::from(i32::MAX), i64::MAX].choose(self.random)),
            "Boolean" => json!(self.random.random_bool(0.5)),
            "Translations" => json!({"en": text(self.schema, self.random)}),
            _ => match self.schema.get(name) {
                Some(ty) if ty.kind == "ENUM" => json!(ty.values().choose(self.random).map(|value| &value.name)),
                Some(ty) if ty.kind == "INPUT_OBJECT" => self.object(ty, depth),
                _ => json!(text(self.schema, self.random)),
            },
        }
    }

    fn object(&mut self, ty: &Type, depth: u32) -> Value {
        let mut members = serde_json::Map::new();
        let count = if ty.is_one_of == Some(true) { 1 } else { self.random.random_range(0..3) };
        let needed = ty.inputs().iter().filter(|input| input.ty.kind == "NON_NULL");
        let chosen = (0..count).filter_map(|_| ty.inputs().choose(self.random)).collect::<Vec<_>>();
        for input in needed.chain(chosen) {
            let is_object = self.schema.get(input.ty.named()).is_some_and(|ty| ty.kind == "INPUT_OBJECT");
            if !is_object || depth > 0 {
                let value = self.value(&input.ty, depth.saturating_sub(1));
                members.insert(input.name.clone(), value);
            }
        }
        members.into()
    }

    /// A value as it is written in a document.
    fn literal(&self, value: &Value, ty: &Ref) -> String {
        let is_enum = self.schema.get(ty.named()).is_some_and(|ty| ty.kind == "ENUM");
        match value {
            Value::String(text) if is_enum => text.clone(),
            Value::Array(items) => format!("[{}]", items.iter().map(|item| self.literal(item, ty)).collect::<Vec<_>>().join(", ")),
            Value::Object(members) => {
                let inputs = self.schema.get(ty.named()).map(Type::inputs).unwrap_or_default();
                let members = members.iter().map(|(name, value)| {
                    let ty = inputs.iter().find(|input| input.name == *name).map_or(ty, |input| &input.ty);
                    format!("{name}: {}", self.literal(value, ty))
                });
                format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
            }
            other => other.to_string(),
        }
    }
}

/// A text: one that is in the data, an odd one, or a piece of one.
fn text(schema: &Schema, random: &mut ChaCha8Rng) -> String {
    match random.random_range(0..10) {
        0..5 => schema.known.choose(random).cloned().unwrap_or_default(),
        5..9 => (*TEXTS.choose(random).unwrap_or(&"")).to_owned(),
        _ => {
            let known = schema.known.choose(random).cloned().unwrap_or_default();
            mutated(&known, random)
        }
    }
}

/// A text with a piece taken out, put in, or repeated.
fn mutated(text: &str, random: &mut ChaCha8Rng) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..=letters.len());
        match random.random_range(0..4) {
            0 if at < letters.len() => drop(letters.remove(at)),
            1 => letters.insert(at, *['{', '}', '(', '$', '"', '\\', '#', '…', '\u{0}', '0'].choose(random).unwrap_or(&'x')),
            2 => {
                let piece: Vec<char> = letters.iter().skip(at).take(random.random_range(0..40)).copied().collect();
                letters.splice(at..at, piece);
            }
            _ => letters.truncate(at),
        }
    }
    letters.into_iter().collect()
}

/// Any JSON.
fn noise(random: &mut ChaCha8Rng, depth: u32) -> Value {
    match random.random_range(0..if depth == 0 { 5 } else { 7 }) {
        0 => Value::Null,
        1 => json!(random.random_bool(0.5)),
        2 => json!(random.random::<i64>()),
        3 => json!(random.random::<f64>()),
        4 => json!(*TEXTS.choose(random).unwrap_or(&"")),
        5 => (0..random.random_range(0..4)).map(|_| noise(random, depth - 1)).collect(),
        _ => (0..random.random_range(0..4))
            .map(|index| (format!("m{index}"), noise(random, depth - 1)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

/// A text as it stands in an address.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

//! Sends records to a running server, batch by batch, as variables of its `importRecords`.

use std::time::Duration;

use reqwest::{Client, StatusCode, Url};
use serde_json::{Map, Value as Json, json};

use crate::catalog::record::{FieldKind, Record, RecordKind, Structure, catalog};
use crate::core::id;
use crate::entity::RecordType;
use crate::store::draft::{Draft, DraftValue, InputProblem};
use crate::store::read::result::Cell;
use crate::store::write::{Drafts, WriteSummary};

/// Records that the server takes in one call at most.
pub const MOST: usize = 1_000;

/// How long to wait before each further try.
const WAITS: [Duration; 5] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

const MUTATION: &str = "mutation Import($input: ImportRecordsInput!) { importRecords(input: $input) { created updated unchanged failed results { index errors { path message } } } }";

/// A server that records are sent to.
#[derive(Debug)]
pub struct Remote {
    address: Url,
    token: Option<String>,
    client: Client,
}

/// Why records were not taken.
#[derive(Debug)]
pub enum Refused {
    /// Something is wrong with records.
    Problems(Vec<InputProblem>),
    /// The server could not be asked, or did not understand.
    Failed(String),
}

impl Remote {
    /// A server by the address of its API, or of its first page.
    pub fn new(address: &str, token: Option<String>) -> Result<Self, String> {
        let wrong = || format!("\"{address}\" is not the address of a server; write it as https://data.example.org/graphql");
        let mut url = Url::parse(address).map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong());
        }
        if url.path() == "/" {
            url.set_path("/graphql");
        }
        let client = Client::builder().timeout(Duration::from_secs(120)).build().map_err(|error| error.to_string())?;
        Ok(Self { address: url, token, client })
    }

    /// Sends one batch; it is taken whole or not at all.
    pub async fn send(&self, drafts: &Drafts, message: Option<&str>, dry_run: bool) -> Result<WriteSummary, Refused> {
        let sent: Vec<&Draft> = drafts.iter().flat_map(|(_, drafts)| drafts).collect();
        let input = json!({"records": records(drafts), "dryRun": dry_run, "onError": "STOP", "message": message});
        let answer = self.ask(&json!({"query": MUTATION, "variables": {"input": input}})).await.map_err(Refused::Failed)?;
        read(&answer, &sent)
    }

    /// Asks, and asks again where the server is not there or is too busy: to import the same twice changes nothing.
    async fn ask(&self, body: &Json) -> Result<Json, String> {
        let mut waits = WAITS.iter();
        loop {
            let mut request = self.client.post(self.address.clone()).json(body);
            if let Some(token) = &self.token {
                request = request.bearer_auth(token);
            }
            let failed = match request.send().await {
                Ok(response) if response.status() == StatusCode::SERVICE_UNAVAILABLE => format!("{} is too busy", self.address),
                Ok(response) => {
                    let status = response.status();
                    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PAYLOAD_TOO_LARGE) {
                        return Err(told(&self.address, status));
                    }
                    return response.json().await.map_err(|_| told(&self.address, status));
                }
                Err(error) if error.is_connect() || error.is_timeout() || error.is_request() => {
                    format!("{} does not answer: {}", self.address, cause(&error))
                }
                Err(error) => return Err(error.without_url().to_string()),
            };
            match waits.next() {
                Some(wait) => tokio::time::sleep(*wait).await,
                None => return Err(failed),
            }
        }
    }
}

fn told(address: &Url, status: StatusCode) -> String {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            format!("{address} does not take the token; give one that may write with --token or KURULTAI_TOKEN")
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            format!("{address} does not take so much at once; send fewer records at a time, such as --batch 100")
        }
        status => format!("{address} answers {status} and no JSON; is it the address of the API?"),
    }
}

/// The innermost reason of an error.
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}

/// Reads what the server answered.
fn read(answer: &Json, sent: &[&Draft]) -> Result<WriteSummary, Refused> {
    let result = &answer["data"]["importRecords"];
    if let Some(errors) = answer["errors"].as_array().filter(|errors| !errors.is_empty()) {
        let messages: Vec<&str> = errors.iter().filter_map(|error| error["message"].as_str()).collect();
        return Err(Refused::Failed(messages.join("; ")));
    }
    let mut problems = Vec::new();
    for entry in result["results"].as_array().into_iter().flatten() {
        let index = entry["index"].as_u64().and_then(|index| usize::try_from(index).ok());
        let draft = index.and_then(|index| sent.get(index));
        for error in entry["errors"].as_array().into_iter().flatten() {
            let origin = draft.map(|draft| draft.origin.clone()).unwrap_or_default();
            let message = error["message"].as_str().unwrap_or("the server does not say what is wrong").to_owned();
            let path = path(&error["path"]);
            let message = if path.is_empty() { message } else { format!("{path}: {message}") };
            problems.push(InputProblem::new(origin, message));
        }
    }
    if !problems.is_empty() {
        return Err(Refused::Problems(problems));
    }
    let number = |name: &str| result[name].as_u64().and_then(|count| usize::try_from(count).ok());
    match (number("created"), number("updated"), number("unchanged")) {
        (Some(created), Some(updated), Some(unchanged)) => Ok(WriteSummary { created, updated, unchanged, ..WriteSummary::default() }),
        _ => Err(Refused::Failed("the server's answer is not one to an import; is it of the same version?".to_owned())),
    }
}

/// A path, as text or as steps.
fn path(path: &Json) -> String {
    let step = |step: &Json| step.as_str().map_or_else(|| step.to_string(), str::to_owned);
    match path {
        Json::Null => String::new(),
        Json::Array(steps) => steps.iter().map(step).collect::<Vec<_>>().join("."),
        other => step(other),
    }
}

/// Records as the server takes them: each a map of one entry, from its type to its fields.
pub fn records(drafts: &Drafts) -> Json {
    let record = |(ty, draft): (RecordType, &Draft)| {
        let record = catalog().get(ty);
        json!({ record.singular(): fields(record, draft) })
    };
    drafts.iter().flat_map(|(ty, drafts)| drafts.iter().map(move |draft| (*ty, draft))).map(record).collect()
}

fn fields(record: &Record, draft: &Draft) -> Json {
    let mut fields = Map::new();
    if let Some(name) = &draft.name {
        let name_field = if record.shape == RecordKind::Record { "slug" } else { "key" };
        fields.insert(name_field.to_owned(), name.as_str().into());
    }
    for (index, given, _) in &draft.values {
        let field = &record.fields[*index];
        fields.insert(field.name.to_owned(), value(field.kind, given));
    }
    for (ty, parts) in &draft.parts {
        if let Some(list) = record.parts.iter().find(|list| list.part == *ty) {
            fields.insert(list.name.to_owned(), parts.iter().map(|draft| part(catalog().get(*ty), draft)).collect());
        }
    }
    Json::Object(fields)
}

/// A part; one with one field that matters is the bare value of it.
fn part(record: &Record, draft: &Draft) -> Json {
    let only = match record.key_from {
        [only] => record.field_index(only),
        _ => None,
    };
    match only.and_then(|index| Some((record.fields[index].kind, draft.value(index)?))) {
        Some((kind, given)) => value(kind, given),
        None => fields(record, draft),
    }
}

fn value(kind: FieldKind, given: &DraftValue) -> Json {
    let (ty, name) = match given {
        DraftValue::Cell(cell) => return cell_value(kind, cell),
        DraftValue::Key(_, key) => return key.as_str().into(),
        DraftValue::Slug(ty, slug) => (*ty, slug.clone()),
        DraftValue::Id(ty, id) => (*ty, id::encode(ty.prefix(), *id)),
    };
    match kind {
        FieldKind::Any => json!({ catalog().get(ty).singular(): name }),
        _ => name.into(),
    }
}

fn cell_value(kind: FieldKind, cell: &Cell) -> Json {
    match (kind, cell) {
        (FieldKind::Choice(_), Cell::Text(text)) => text.to_uppercase().into(),
        (FieldKind::List(structure), Cell::Json(Json::Array(items))) => items.iter().map(|item| object(structure, item)).collect(),
        (_, Cell::Text(text)) => text.as_str().into(),
        (_, Cell::Integer(number)) => (*number).into(),
        (_, Cell::Number(number)) => (*number).into(),
        (_, Cell::Boolean(boolean)) => (*boolean).into(),
        (_, Cell::Json(json)) => json.clone(),
        _ => Json::Null,
    }
}

/// A small object of a list, with the values of vocabularies as the schema has them.
fn object(structure: &Structure, item: &Json) -> Json {
    let mut item = item.clone();
    for member in structure.members.iter().filter(|member| matches!(member.kind, FieldKind::Choice(_))) {
        if let Some(text) = item[member.name].as_str().map(str::to_uppercase) {
            item[member.name] = text.into();
        }
    }
    item
}

//! Pushes records to a running server, batch by batch, through its `importRecords` mutation.

use std::time::Duration;

use reqwest::{Client, StatusCode, Url};
use serde_json::{Value as Json, json};

use super::encode::to_input;
use super::locate::{locate, pushed_at, with_file_places};
use crate::entity::RecordType;
use crate::store::draft::{Draft, InputProblem, Origin};
use crate::store::write::{
    ActionCounts, Drafts, ImportRun, PruneMode, PruneOutcome, PrunedRecord, REDACTED_WARNING, RUN_HAS_ENDED, RecordUpdate, WriteAction,
    WriteSummary,
};

/// Maximum number of records that the server accepts in one mutation.
pub const MAX_PUSH_RECORDS: usize = 1_000;

/// Timeout of one request.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(2);

/// Delays before the retries of a request.
const RETRY_DELAYS: [Duration; 5] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

const PRUNE_MUTATION: &str = "mutation Prune($input: PruneImportSetInput!) { pruneImportSet(input: $input) { gone { type slug outcome reason } errors { path message } } }";

const IMPORT_MUTATION: &str = "mutation Import($input: ImportRecordsInput!) { importRecords(input: $input) { created updated unchanged failed results { index outcome record { id } warnings { path message } kept { path message } errors { path message } } updates { type slug fields } errors { path message } } }";

/// Client of the server that records are pushed to.
#[derive(Debug)]
pub struct PushClient {
    url: Url,
    token: Option<String>,
    client: Client,
}

/// How the server imports a batch.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an argument of the mutation")]
pub struct PushMode {
    /// Whether the server only validates the records.
    pub dry_run: bool,
    /// Whether warnings are errors.
    pub strict: bool,
    /// Whether edits are overwritten.
    pub overwrite: bool,
    /// Whether records with errors are skipped, instead of the batch.
    pub skip: bool,
}

/// What the server did with a batch.
#[derive(Debug, Default)]
pub struct PushOutcome {
    /// The records that were imported.
    pub summary: WriteSummary,
    /// For each record of the batch, whether later batches repeat it: the server has no record under its slug that they could
    /// refer to.
    pub carried: Vec<bool>,
    /// The records that were refused, by their index in the batch, with their problems.
    pub skipped: Vec<(usize, Vec<InputProblem>)>,
}

/// Why a batch was not imported.
#[derive(Debug)]
pub enum PushError {
    /// The server rejected records, for these reasons.
    Rejected(Vec<InputProblem>),
    /// The request failed, or the response was not understood.
    Failed(RequestError),
}

/// Why a request to the server failed.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The server cannot be reached, or is at capacity.
    #[error("{0}")]
    Unavailable(String),
    /// The server rejects the token.
    #[error("{0}")]
    Unauthorized(String),
    /// The response is not the expected one.
    #[error("{0}")]
    Unexpected(String),
}

impl From<String> for RequestError {
    fn from(message: String) -> Self {
        Self::Unexpected(message)
    }
}

impl PushClient {
    /// Creates a client for the URL of the GraphQL endpoint, or of the server's root page.
    pub fn new(url: &str, token: Option<String>) -> Result<Self, String> {
        let invalid = || format!("\"{url}\" is not the URL of a server; write it as https://data.example.org/graphql");
        let mut endpoint = Url::parse(url).map_err(|_| invalid())?;
        if !matches!(endpoint.scheme(), "http" | "https") {
            return Err(invalid());
        }
        if endpoint.path() == "/" {
            endpoint.set_path("/graphql");
        }
        let client = Client::builder().timeout(REQUEST_TIMEOUT).build().map_err(|error| error.to_string())?;
        Ok(Self { url: endpoint, token, client })
    }

    /// Pushes one batch, whose first records repeat ones of earlier batches. The server imports it completely or not at all, or
    /// without the records that are refused. With a run, the server remembers what the batch held.
    pub async fn push(
        &self,
        (drafts, repeated): (&Drafts, usize),
        message: Option<&str>,
        run: Option<&ImportRun>,
        mode: PushMode,
    ) -> Result<PushOutcome, PushError> {
        let pushed: Vec<(RecordType, &Draft)> =
            drafts.iter().flat_map(|(ty, drafts)| drafts.iter().map(move |draft| (*ty, draft))).collect();
        let merge = pushed.iter().any(|(_, draft)| draft.merges_stored);
        let policy = if mode.skip { "SKIP" } else { "STOP" };
        let mut input = json!({
            "records": to_input(drafts), "dryRun": mode.dry_run, "strict": mode.strict, "merge": merge, "overwrite": mode.overwrite,
            "onError": policy, "message": message,
        });
        if let Some(run) = run {
            input["set"] = run.set.as_str().into();
            input["run"] = run.run.as_str().into();
        }
        let body = json!({"query": IMPORT_MUTATION, "variables": {"input": input}});
        let response = self.post_with_retry(&body).await.map_err(PushError::Failed)?;
        parse_response(&response, (&pushed, repeated), mode)
    }

    /// Ends a run, and prunes what is gone from its set. Unless `is_confirmed`, the server only shows it. If an answer was lost,
    /// the server has pruned and no longer knows what; it then says so.
    pub async fn prune(
        &self,
        run: &ImportRun,
        mode: &PruneMode,
        message: Option<&str>,
        is_confirmed: bool,
    ) -> Result<(Vec<PrunedRecord>, Option<String>), PushError> {
        let (prune, close_on) = match mode {
            PruneMode::List => (None, None),
            PruneMode::Delete => (Some("DELETE"), None),
            PruneMode::Close(day) => (Some("CLOSE"), Some(day.as_str())),
        };
        let input = json!({
            "set": run.set, "run": run.run, "prune": prune, "closeOn": close_on, "confirm": is_confirmed,
            "message": message,
        });
        let body = json!({"query": PRUNE_MUTATION, "variables": {"input": input}});
        let response = self.post_with_retry(&body).await.map_err(PushError::Failed)?;
        check_errors(&response)?;
        let result = &response["data"]["pruneImportSet"];
        let problems: Vec<InputProblem> =
            list(&result["errors"])?.iter().map(|error| InputProblem::new(Origin::default(), reason(error))).collect();
        if let [ended] = problems.as_slice()
            && ended.message.starts_with(RUN_HAS_ENDED)
        {
            return Ok((Vec::new(), Some(ended.message.clone())));
        }
        if !problems.is_empty() {
            return Err(PushError::Rejected(problems));
        }
        Ok((list(&result["gone"])?.iter().map(pruned_record).collect::<Result<_, _>>()?, None))
    }

    /// Posts a request and retries it while the server is unreachable or at capacity. A retry is safe because an import is
    /// idempotent.
    pub(super) async fn post_with_retry(&self, body: &Json) -> Result<Json, RequestError> {
        let mut delays = RETRY_DELAYS.iter();
        loop {
            let mut request = self.client.post(self.url.clone()).json(body);
            if let Some(token) = &self.token {
                request = request.bearer_auth(token);
            }
            let error = match request.send().await {
                Ok(response) if response.status() == StatusCode::SERVICE_UNAVAILABLE => format!("{} is at capacity", self.url),
                Ok(response) => {
                    let status = response.status();
                    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                        return Err(RequestError::Unauthorized(status_message(&self.url, status)));
                    }
                    if status == StatusCode::PAYLOAD_TOO_LARGE {
                        return Err(RequestError::Unexpected(status_message(&self.url, status)));
                    }
                    return response.json().await.map_err(|_| RequestError::Unexpected(status_message(&self.url, status)));
                }
                Err(error) if error.is_connect() || error.is_timeout() || error.is_request() => {
                    format!("{} is unreachable: {}", self.url, root_cause(&error))
                }
                Err(error) => return Err(RequestError::Unexpected(error.without_url().to_string())),
            };
            match delays.next() {
                Some(delay) => tokio::time::sleep(*delay).await,
                None => return Err(RequestError::Unavailable(error)),
            }
        }
    }
}

fn status_message(url: &Url, status: StatusCode) -> String {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            format!("{url} rejected the token; provide one with write access in --token or KURULTAI_TOKEN")
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            format!("{url} rejected the request as too large; push fewer records at a time, such as --batch 100")
        }
        status => format!("{url} responded with {status} and no JSON; is it the URL of the GraphQL endpoint?"),
    }
}

/// The innermost source of an error.
fn root_cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), root_cause)
}

/// The errors of a request that the server did not execute.
fn check_errors(response: &Json) -> Result<(), PushError> {
    if let Some(errors) = response["errors"].as_array().filter(|errors| !errors.is_empty()) {
        let messages: Vec<&str> = errors.iter().filter_map(|error| error["message"].as_str()).collect();
        let unauthorized = |error: &Json| matches!(error["extensions"]["code"].as_str(), Some("UNAUTHENTICATED" | "FORBIDDEN"));
        let kind = if errors.iter().any(unauthorized) { RequestError::Unauthorized } else { RequestError::Unexpected };
        return Err(PushError::Failed(kind(messages.join("; "))));
    }
    Ok(())
}

fn list(value: &Json) -> Result<&Vec<Json>, PushError> {
    value.as_array().ok_or_else(unexpected_response)
}

fn pruned_record(record: &Json) -> Result<PrunedRecord, PushError> {
    let text = |name: &str| record[name].as_str().ok_or_else(unexpected_response);
    let ty = RecordType::from_prefix(&text("type")?.to_lowercase()).ok_or_else(unexpected_response)?;
    let outcome = match text("outcome")? {
        "GONE" => PruneOutcome::Listed,
        "DELETED" => PruneOutcome::Deleted,
        "CLOSED" => PruneOutcome::Closed,
        "KEPT" => PruneOutcome::Kept(text("reason")?.to_owned()),
        _ => return Err(unexpected_response()),
    };
    Ok(PrunedRecord { ty, slug: text("slug")?.to_owned(), outcome })
}

/// A pushed record.
type Pushed<'d> = (RecordType, &'d Draft);

/// Parses the response; problems carry the origin of the pushed record that they concern. What it says about the first
/// `repeated` records is left out: the response to their own batch said it.
fn parse_response(response: &Json, (pushed, repeated): (&[Pushed<'_>], usize), mode: PushMode) -> Result<PushOutcome, PushError> {
    let result = &response["data"]["importRecords"];
    check_errors(response)?;
    let mut summary = WriteSummary::default();
    let mut carried = vec![false; pushed.len()];
    let mut skipped: Vec<(usize, Vec<InputProblem>)> = Vec::new();
    let (mut placed, mut counts_of_repeated) = (0, ActionCounts::default());
    for entry in result["results"].as_array().into_iter().flatten() {
        let index = entry["index"].as_u64().and_then(|index| usize::try_from(index).ok());
        let Some((index, (ty, draft))) = index.and_then(|index| Some((index, *pushed.get(index)?))) else {
            return Err(unexpected_response());
        };
        let action = written_action(entry["outcome"].as_str().ok_or_else(unexpected_response)?)?;
        let located = |name: &str| {
            let problems = entry[name].as_array().into_iter().flatten();
            problems.map(|problem| located_problem(problem, (ty, draft), pushed)).collect::<Vec<_>>()
        };
        let problems = located("errors");
        placed += problems.len();
        if index < repeated {
            if let Some(action) = action {
                counts_of_repeated.count(action);
            }
            if !problems.is_empty() && !mode.dry_run {
                skipped.push((index, problems));
            }
            continue;
        }
        let (redactions, warnings): (Vec<_>, Vec<_>) =
            located("warnings").into_iter().partition(|warning| warning.message == REDACTED_WARNING);
        let is_redacted = !redactions.is_empty();
        if let Some(action) = action {
            summary.by_type.entry(ty).or_default().count(action);
            carried[index] = match action {
                WriteAction::Created => mode.dry_run || is_redacted,
                // a withheld person is not shown
                WriteAction::Unchanged => entry["record"].is_null(),
                WriteAction::Updated => false,
                WriteAction::Skipped => problems.is_empty(),
            };
        }
        summary.redacted += usize::from(is_redacted);
        summary.warnings.extend(warnings);
        summary.kept.extend(located("kept"));
        if !problems.is_empty() {
            skipped.push((index, problems));
        }
    }
    let all = result["errors"].as_array().map_or(0, Vec::len);
    if all > placed {
        // errors of no record in particular: the server wrote nothing
        let errors = result["errors"].as_array().into_iter().flatten();
        return Err(PushError::Rejected(errors.map(|error| general_problem(error, pushed)).collect()));
    }
    if placed > 0 && !mode.skip {
        return Err(PushError::Rejected(skipped.into_iter().flat_map(|(_, problems)| problems).collect()));
    }
    let count = |name: &str, repeated: usize| {
        let count = result[name].as_u64().and_then(|count| usize::try_from(count).ok());
        count.and_then(|count| count.checked_sub(repeated)).ok_or_else(unexpected_response)
    };
    let updates = result["updates"].as_array().into_iter().flatten().map(record_update).collect::<Result<_, _>>()?;
    let summary = WriteSummary {
        created: count("created", counts_of_repeated.created)?,
        updated: count("updated", counts_of_repeated.updated)?,
        unchanged: count("unchanged", counts_of_repeated.unchanged)?,
        skipped: summary.by_type.values().map(|counts| counts.skipped).sum(),
        updates,
        ..summary
    };
    Ok(PushOutcome { summary, carried, skipped })
}

fn unexpected_response() -> PushError {
    let message = "unexpected response to importRecords; does the server run the same version?";
    PushError::Failed(RequestError::Unexpected(message.to_owned()))
}

/// An error of the server as a problem of a pushed record, at the place of its value in the file.
fn located_problem(error: &Json, (ty, draft): Pushed<'_>, pushed: &[Pushed<'_>]) -> InputProblem {
    InputProblem::new(locate(ty, draft, &error["path"]), with_file_places(reason(error), pushed))
}

/// An error of the server that its results give for no record. If its path leads to a record, it is at its place in the file.
fn general_problem(error: &Json, pushed: &[Pushed<'_>]) -> InputProblem {
    let message = with_file_places(reason(error), pushed);
    if let Some((ty, draft)) = pushed_at(&error["path"]).and_then(|index| pushed.get(index)) {
        return InputProblem::new(locate(*ty, draft, &error["path"]), message);
    }
    let path = path_text(&error["path"]);
    let path = path.strip_prefix("input.").unwrap_or(&path);
    InputProblem::new(Origin::default(), if path.is_empty() { message } else { format!("{path}: {message}") })
}

fn reason(error: &Json) -> &str {
    error["message"].as_str().unwrap_or("the server gave no reason")
}

/// An updated record with the fields that change.
fn record_update(update: &Json) -> Result<RecordUpdate, PushError> {
    let name = update["type"].as_str().ok_or_else(unexpected_response)?;
    let ty = RecordType::from_prefix(&name.to_lowercase()).ok_or_else(unexpected_response)?;
    let fields = update["fields"].as_array().ok_or_else(unexpected_response)?.iter();
    let text = |value: &Json| value.as_str().map(str::to_owned).ok_or_else(unexpected_response);
    Ok(RecordUpdate { ty, slug: text(&update["slug"])?, fields: fields.map(text).collect::<Result<_, _>>()? })
}

/// What the server did to a record, by the name of the outcome; `None` if it wrote nothing.
fn written_action(outcome: &str) -> Result<Option<WriteAction>, PushError> {
    match outcome {
        "CREATED" => Ok(Some(WriteAction::Created)),
        "UPDATED" => Ok(Some(WriteAction::Updated)),
        "UNCHANGED" => Ok(Some(WriteAction::Unchanged)),
        "SKIPPED" => Ok(Some(WriteAction::Skipped)),
        "FAILED" => Ok(None),
        _ => Err(unexpected_response()),
    }
}

/// An error path as dotted text; the server sends it as text or as segments.
fn path_text(path: &Json) -> String {
    let segment = |segment: &Json| segment.as_str().map_or_else(|| segment.to_string(), str::to_owned);
    match path {
        Json::Null => String::new(),
        Json::Array(segments) => segments.iter().map(segment).collect::<Vec<_>>().join("."),
        other => segment(other),
    }
}

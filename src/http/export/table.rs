//! Queries as tables: `/table.csv` and the same in other formats.
//!
//! A table is sent as it is read. What is wrong is told before the first byte; what goes wrong after it breaks the
//! transfer off, so that nobody takes the part for the whole.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_DISPOSITION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use tokio::fs::File;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::io::ReaderStream;
use tracing::Instrument;
use typed_arena::Arena;

use crate::core::error::Error;
use crate::core::language::Languages;
use crate::graphql::engine::PrepareError as NotRun;
use crate::graphql::error::GraphqlError;
use crate::graphql::tabular::{Filler, Part, Reader, TableQuery, Wanted};
use crate::http::authentication;
use crate::http::client::Sender;
use crate::http::conditional::Freshness;
use crate::http::graphql::handler;
use crate::http::graphql::handler::{Media, Refused, refuse};
use crate::http::graphql::request::{NoDocument, Request};
use crate::http::middleware::request_log;
use crate::http::router::AppState;
use crate::observability::metrics;
use crate::tabular::{CsvOptions, TableEnd, TableError, TableFormat, TableWriter};

/// The turn of a table: it keeps a place for as long as it is read.
pub(crate) struct Turn {
    _permit: OwnedSemaphorePermit,
    /// The table as an operation that is watched.
    pub(crate) operation: request_log::Operation,
}

/// Parameters besides those of a query.
const PARAMETERS: &str = "query, saved, variables, operationName, lang, rows, lists, explode, sources, limit, bom and safe";
/// How long a table waits for its turn.
const WAIT: Duration = Duration::from_secs(10);
/// How long a client may take nothing of a table: until then it keeps a connection to the database busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a file that are sent at a time.
const PIECE: usize = 64 << 10;

/// What an address asks.
#[derive(Debug)]
pub(crate) struct Asking {
    address: String,
    pairs: Vec<(String, String)>,
}

impl Asking {
    /// Reads the parameters of an address.
    pub(crate) fn new(query: Option<&str>) -> Self {
        let address = query.unwrap_or_default().to_owned();
        let pairs = url::form_urlencoded::parse(address.as_bytes()).into_owned().collect();
        Self { address, pairs }
    }

    /// The value of a parameter; an empty one counts as not given.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(given, value)| given == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Asks for this many rows at most where nothing else is asked.
    pub(crate) fn at_most(&mut self, rows: usize) {
        if self.value("limit").is_none() {
            self.pairs.push(("limit".to_owned(), rows.to_string()));
        }
    }

    fn is_on(&self, name: &str) -> Result<bool, Refused> {
        match self.value(name) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(other) => Err(refuse(StatusCode::BAD_REQUEST, format!("{name}: \"{other}\" is neither true nor false"))),
        }
    }

    /// Refuses parameters of other names; those that begin with an underscore or utm_ are what tools add for themselves.
    pub(crate) fn only(&self, known: &str) -> Result<(), Refused> {
        let is_known = |name: &str| known.split([' ', ',']).any(|known| known == name) || name.starts_with('_') || name.starts_with("utm_");
        match self.pairs.iter().find(|(name, _)| !is_known(name)) {
            Some((name, _)) => Err(refuse(StatusCode::BAD_REQUEST, format!("there is no parameter \"{name}\"; there are {known}"))),
            None => Ok(()),
        }
    }

    fn wanted(&self) -> Result<Wanted, Refused> {
        let exploded = match (self.value("lists"), self.value("explode")) {
            (None | Some("join"), None) => false,
            (None | Some("explode"), _) => true,
            (Some(other), _) => {
                return Err(refuse(StatusCode::BAD_REQUEST, format!("lists: \"{other}\" does not go here; write join or explode")));
            }
        };
        let limit = self
            .value("limit")
            .map(|limit| limit.parse().map_err(|_| refuse(StatusCode::BAD_REQUEST, format!("limit: \"{limit}\" is not a number of rows"))));
        let text = |name| self.value(name).map(str::to_owned);
        Ok(Wanted { rows: text("rows"), exploded, explode: text("explode"), sources: self.is_on("sources")?, limit: limit.transpose()? })
    }

    /// The languages that texts are wanted in.
    pub(crate) fn languages(&self, headers: &HeaderMap) -> Languages {
        let header = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        self.value("lang").or(header).map(Languages::from_header).unwrap_or_default()
    }

    /// The table that is asked for, ready to be read, and its turn.
    pub(crate) async fn table(&self, service: &AppState, sender: &Sender) -> Result<(TableQuery, Turn), Response> {
        let request = Request::from_address(self.address.as_bytes()).map_err(refused)?;
        let found = request.into_run(service).await.map_err(|missing| match missing {
            NoDocument::Wrong(wrong) => refused(wrong),
            NoDocument::Unknown(failure) | NoDocument::Failed(failure) => told(&[failure]),
        })?;
        let wanted = self.wanted().map_err(refused)?;
        let caller = authentication::of(&service.store, sender).await.map_err(failed)?;
        let prepared = service.api.prepare(found.asked, |kind| kind == async_graphql::parser::types::OperationType::Query).await;
        let prepared = prepared.map_err(|error| match error {
            NotRun::Failures(failures) => told(&failures),
            NotRun::Kind => refused(refuse(StatusCode::METHOD_NOT_ALLOWED, "only queries become tables")),
        })?;
        sender.purse.pay(&caller, prepared.nodes()).map_err(|spent| spent.response())?;
        let turn = tokio::time::timeout(WAIT, service.tables.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = turn else {
            metrics::record_limit_hit("tables");
            let mut response =
                refused(refuse(StatusCode::SERVICE_UNAVAILABLE, "too many tables are being read just now; try again in a moment"));
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("10"));
            return Err(response);
        };
        let operation = request_log::Operation::begin(service, &prepared, found.saved).into_table();
        match operation.of(service.api.table(&prepared, &wanted, &self.languages(sender), &caller)).await {
            Ok(table) => Ok((table, Turn { _permit: permit, operation })),
            Err(failures) => {
                operation.end(false, None);
                Err(told(&failures))
            }
        }
    }
}

/// A query as a table.
pub async fn get(State(service): State<Arc<AppState>>, Path(format): Path<String>, sender: Sender, RawQuery(query): RawQuery) -> Response {
    let asking = Asking::new(query.as_deref());
    let fresh = match Freshness::of(&service, &sender, &[b"table", format.as_bytes(), asking.address.as_bytes()]).await {
        Ok(fresh) => fresh,
        Err(not_modified) => return not_modified,
    };
    match send(&service, &format, &sender, &asking).await {
        Ok(response) | Err(response) => fresh.put(response),
    }
}

async fn send(service: &AppState, format: &str, sender: &Sender, asking: &Asking) -> Result<Response, Response> {
    let format: TableFormat = format.parse().map_err(|error| refused(refuse(StatusCode::NOT_FOUND, format!("{error}"))))?;
    asking.only(PARAMETERS).map_err(refused)?;
    let options = CsvOptions { bom: asking.is_on("bom").map_err(refused)?, escape_formulas: asking.is_on("safe").map_err(refused)? };
    let (table, turn) = asking.table(service, sender).await?;
    let name = table.name.clone();
    let mut making = Making::new(table, format, options).map_err(unwritten)?;
    // what can be known to be wrong is known before anything is sent
    let body = match format.is_buffered() {
        true => {
            let end = turn.operation.of(making.whole()).await;
            turn.operation.end(end.is_ok(), None);
            of_end(end?)
        }
        false => match turn.operation.of(making.first()).await {
            Ok(first) => making.stream(first, turn),
            Err(failed) => {
                turn.operation.end(false, None);
                return Err(failed);
            }
        },
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    if let Ok(disposition) = HeaderValue::from_str(&format!("inline; filename=\"{name}.{}\"", format.extension())) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// A table that is being written.
struct Making {
    reader: Reader,
    filler: Filler,
    writer: Box<dyn TableWriter>,
}

/// What is sent of a table.
enum Piece {
    Bytes(Bytes),
    /// All of it was sent.
    End,
}

impl Making {
    fn new(table: TableQuery, format: TableFormat, options: CsvOptions) -> Result<Self, TableError> {
        let writer = format.writer(&table.columns, options)?;
        Ok(Self { reader: table.reader, filler: table.filler, writer })
    }

    /// The beginning, if there is anything.
    async fn first(&mut self) -> Result<Option<Vec<u8>>, Response> {
        match self.reader.next().await.map_err(failed)? {
            Some(part) => write(&mut self.filler, &mut *self.writer, &part).map(Some).map_err(Failed::told),
            None => Ok(None),
        }
    }

    /// All of it.
    async fn whole(mut self) -> Result<TableEnd, Response> {
        while self.first().await?.is_some() {}
        self.writer.finish().map_err(unwritten)
    }

    /// Sends the rest after the beginning. One part is read while another is written.
    fn stream(self, first: Option<Vec<u8>>, turn: Turn) -> Body {
        let Self { mut reader, mut filler, mut writer } = self;
        let (read, mut parts) = mpsc::channel::<Result<Part, Error>>(1);
        let (made, pieces) = mpsc::channel::<Piece>(2);
        let is_empty = first.is_none();
        let reading = async move {
            let Turn { _permit, operation } = turn;
            if is_empty {
                return operation.end(true, None);
            }
            loop {
                let Some(part) = operation.of(reader.next()).await.transpose() else { return operation.end(true, None) };
                let has_failed = part.is_err();
                // where nobody waits for it any more, reading ends too
                if read.send(part).await.is_err() {
                    return;
                }
                if has_failed {
                    return operation.end(false, None);
                }
            }
        };
        tokio::spawn(reading.in_current_span());
        let writing = async move {
            let send = async |bytes: Vec<u8>| bytes.is_empty() || made.send_timeout(Piece::Bytes(bytes.into()), PATIENCE).await.is_ok();
            if !send(first.unwrap_or_default()).await {
                return;
            }
            while let Some(part) = parts.recv().await {
                let Ok(part) = part else { return };
                match write(&mut filler, &mut *writer, &part) {
                    Ok(bytes) => {
                        if !send(bytes).await {
                            return;
                        }
                    }
                    Err(error) => return error.log(),
                }
            }
            match writer.finish() {
                Ok(TableEnd::Bytes(bytes)) => {
                    if send(bytes).await {
                        let _ = made.send_timeout(Piece::End, PATIENCE).await;
                    }
                }
                Ok(TableEnd::File(_)) => {}
                Err(error) => Failed::Written(error).log(),
            }
        };
        tokio::spawn(writing.in_current_span());
        let pieces = stream::unfold((pieces, false), async |(mut pieces, broken)| {
            if broken {
                return None;
            }
            match pieces.recv().await {
                Some(Piece::Bytes(bytes)) => Some((Ok(bytes), (pieces, false))),
                Some(Piece::End) => None,
                None => Some((Err(io::Error::other("the table could not be read to its end")), (pieces, true))),
            }
        });
        // a body that is compressed is asked again after its end
        Body::from_stream(pieces.fuse())
    }
}

/// Why a part of a table could not be written.
enum Failed {
    Made(Error),
    Written(TableError),
}

impl Failed {
    fn told(self) -> Response {
        match self {
            Self::Made(error) => failed(error),
            Self::Written(problem) => unwritten(problem),
        }
    }

    fn log(self) {
        match self {
            Self::Made(error) => tracing::warn!(%error, "a table broke off"),
            Self::Written(error) => tracing::warn!(%error, "a table broke off"),
        }
    }
}

fn write(filler: &mut Filler, writer: &mut dyn TableWriter, part: &Part) -> Result<Vec<u8>, Failed> {
    let arena = Arena::new();
    let rows = filler.rows(part, &arena).map_err(Failed::Made)?;
    writer.write_rows(&rows).map_err(Failed::Written)
}

fn of_end(end: TableEnd) -> Body {
    match end {
        TableEnd::Bytes(bytes) => bytes.into(),
        TableEnd::File(file) => Body::from_stream(ReaderStream::with_capacity(File::from_std(file), PIECE)),
    }
}

/// The answer to a request that cannot be understood.
pub(crate) fn refused(refused: Refused) -> Response {
    handler::error(Media::Json, &refused)
}

pub(crate) fn failed(error: Error) -> Response {
    handler::rejected(Media::Json, error)
}

/// The answer to a query that is wrong or could not be run.
fn told(failures: &[GraphqlError]) -> Response {
    handler::failed(Media::Json, failures)
}

fn unwritten(problem: TableError) -> Response {
    match problem {
        TableError::Other(cause) => failed(crate::core::error::internal(cause)),
        problem => refused(refuse(StatusCode::BAD_REQUEST, problem.to_string())),
    }
}

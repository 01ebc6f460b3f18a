//! Queries as tables: `/table.csv` and other formats.
//!
//! A table is streamed while it is read. Errors before the first byte give an error response; later errors abort the
//! transfer, so that an incomplete table cannot be mistaken for a complete one.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use tokio::fs::File;
use tokio::sync::mpsc;
use tokio_util::io::ReaderStream;
use tracing::Instrument;
use typed_arena::Arena;

use crate::core::error::{Error, internal};
use crate::graphql::tabular::{BatchReader, RowBatch, RowConverter, TableQuery};
use crate::http::client::ClientContext;
use crate::http::conditional::Validators;
use crate::http::export::address::{TABLE_PARAMETERS, TableParameters, TableRun, error_response, reject_response};
use crate::http::response::reject;
use crate::http::state::AppState;
use crate::tabular::{CsvOptions, TableEnd, TableError, TableFormat, TableWriter};

/// Parameters besides those of the table itself.
const PARAMETERS: &[&str] = &["bom", "safe"];
/// Size of the chunks in which a file is sent.
const FILE_CHUNK_BYTES: usize = 64 << 10;

/// `GET /table.{format}`.
pub async fn get(
    State(state): State<Arc<AppState>>,
    Path(format): Path<String>,
    client: ClientContext,
    RawQuery(query): RawQuery,
) -> Response {
    let parameters = TableParameters::new(query.as_deref());
    let key: [&[u8]; 3] = [b"table", format.as_bytes(), parameters.query_string.as_bytes()];
    let validators = match Validators::check(&state, &client, &key).await {
        Ok(validators) => validators,
        Err(not_modified) => return not_modified,
    };
    match Box::pin(export(&state, &format, &client, &parameters)).await {
        Ok(response) | Err(response) => validators.apply(response),
    }
}

async fn export(state: &AppState, format: &str, client: &ClientContext, parameters: &TableParameters) -> Result<Response, Response> {
    let format: TableFormat = format.parse().map_err(|error| reject_response(reject(StatusCode::NOT_FOUND, format!("{error}"))))?;
    parameters.reject_unknown(&[TABLE_PARAMETERS, PARAMETERS]).map_err(reject_response)?;
    let options = CsvOptions {
        bom: parameters.flag("bom", false).map_err(reject_response)?,
        escape_formulas: parameters.flag("safe", false).map_err(reject_response)?,
    };
    let (table, run) = parameters.open_table(state, client).await?;
    let name = table.name.clone();
    let mut stream = TableStream::new(table, format, options).map_err(write_error_response)?;
    let body = if format.is_buffered() {
        let end = run.log.scope(stream.write_all()).await;
        run.log.finish(end.is_ok(), None);
        end_body(end?)
    } else {
        // the first chunk is read before the response begins, so that most errors still give an error response
        match run.log.scope(stream.next_chunk()).await {
            Ok(first) => stream.into_body(first, run, state.timeouts.send()),
            Err(response) => {
                run.log.finish(false, None);
                return Err(response);
            }
        }
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    if let Ok(disposition) = HeaderValue::from_str(&format!("inline; filename=\"{name}.{}\"", format.extension())) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// A table that is read and written in chunks.
struct TableStream {
    reader: BatchReader,
    converter: RowConverter,
    writer: Box<dyn TableWriter>,
}

/// An item of the channel to the response body. The channel closes without `End` if the table is incomplete.
enum BodyChunk {
    Bytes(Bytes),
    End,
}

impl TableStream {
    fn new(table: TableQuery, format: TableFormat, options: CsvOptions) -> Result<Self, TableError> {
        let writer = format.writer(&table.columns, options)?;
        Ok(Self { reader: table.reader, converter: table.converter, writer })
    }

    /// The next chunk; `None` at the end of the rows.
    async fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, Response> {
        match self.reader.next().await.map_err(error_response)? {
            Some(part) => write_part(&mut self.converter, &mut *self.writer, &part).map(Some).map_err(TableStreamError::into_response),
            None => Ok(None),
        }
    }

    /// Writes the whole table.
    async fn write_all(mut self) -> Result<TableEnd, Response> {
        while self.next_chunk().await?.is_some() {}
        self.writer.finish().map_err(write_error_response)
    }

    /// The response body: the first chunk and the rest. One task reads a chunk while another writes the one before.
    fn into_body(self, first: Option<Vec<u8>>, run: TableRun, send_timeout: Duration) -> Body {
        let Self { reader, mut converter, mut writer } = self;
        let (part_sender, mut parts) = mpsc::channel::<Result<RowBatch, Error>>(1);
        let (chunk_sender, chunks) = mpsc::channel::<BodyChunk>(2);
        let is_empty = first.is_none();
        let read_task = async move {
            let TableRun { _permit, log } = run;
            // dropped before the permit: the place is free when its connection is
            let mut reader = reader;
            if is_empty {
                return log.finish(true, None);
            }
            loop {
                let part = tokio::select! {
                    part = log.scope(reader.next()) => part,
                    // dropping the reader ends its statement
                    () = part_sender.closed() => return,
                };
                let Some(part) = part.transpose() else { return log.finish(true, None) };
                let has_failed = part.is_err();
                // the other task has ended, because the client disconnected or the table could not be written
                if part_sender.send(part).await.is_err() {
                    return;
                }
                if has_failed {
                    return log.finish(false, None);
                }
            }
        };
        tokio::spawn(read_task.in_current_span());
        let write_task = async move {
            let send = async |bytes: Vec<u8>| {
                bytes.is_empty() || chunk_sender.send_timeout(BodyChunk::Bytes(bytes.into()), send_timeout).await.is_ok()
            };
            if !send(first.unwrap_or_default()).await {
                return;
            }
            loop {
                let part = tokio::select! {
                    part = parts.recv() => part,
                    // the client disconnected
                    () = chunk_sender.closed() => return,
                };
                let Some(part) = part else { break };
                let part = match part {
                    Ok(part) => part,
                    Err(error) => return TableStreamError::Fill(error).log(),
                };
                match write_part(&mut converter, &mut *writer, &part) {
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
                        let _ = chunk_sender.send_timeout(BodyChunk::End, send_timeout).await;
                    }
                }
                // buffered formats only, which are not streamed
                Ok(TableEnd::File(_)) => {}
                Err(error) => TableStreamError::Write(error).log(),
            }
        };
        tokio::spawn(write_task.in_current_span());
        let body = stream::unfold((chunks, false), async |(mut chunks, has_failed)| {
            if has_failed {
                return None;
            }
            match chunks.recv().await {
                Some(BodyChunk::Bytes(bytes)) => Some((Ok(bytes), (chunks, false))),
                Some(BodyChunk::End) => None,
                None => Some((Err(io::Error::other("table export aborted")), (chunks, true))),
            }
        });
        // the compression layer polls a body again after its end
        Body::from_stream(body.fuse())
    }
}

/// Why a part of a table could not be written.
enum TableStreamError {
    Fill(Error),
    Write(TableError),
}

impl TableStreamError {
    fn into_response(self) -> Response {
        match self {
            Self::Fill(error) => error_response(error),
            Self::Write(error) => write_error_response(error),
        }
    }

    fn log(self) {
        match self {
            Self::Fill(error) => {
                error.log();
                tracing::warn!(%error, "table export aborted");
            }
            Self::Write(error) => tracing::warn!(%error, "table export aborted"),
        }
    }
}

fn write_part(converter: &mut RowConverter, writer: &mut dyn TableWriter, part: &RowBatch) -> Result<Vec<u8>, TableStreamError> {
    let arena = Arena::new();
    let rows = converter.rows(part, &arena).map_err(TableStreamError::Fill)?;
    writer.write_rows(&rows).map_err(TableStreamError::Write)
}

fn end_body(end: TableEnd) -> Body {
    match end {
        TableEnd::Bytes(bytes) => bytes.into(),
        TableEnd::File(file) => Body::from_stream(ReaderStream::with_capacity(File::from_std(file), FILE_CHUNK_BYTES)),
    }
}

fn write_error_response(error: TableError) -> Response {
    match error {
        TableError::Other(cause) => error_response(internal(cause)),
        error => reject_response(reject(StatusCode::BAD_REQUEST, error.to_string())),
    }
}

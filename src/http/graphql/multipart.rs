//! File uploads, after the GraphQL multipart request specification.
//!
//! Another site can make a browser send such a request, but not with an `Authorization` header; without one the body is
//! not read.

use std::io::Write;

use axum::body::Body;
use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value as Json, json};
use tempfile::NamedTempFile;

use crate::core::strict_json;
use crate::graphql::request::upload::Upload;
use crate::http::response::{HttpReject, reject};
use crate::observability::metrics;

/// The members of a request and its files, which are deleted from disk on drop.
pub(super) struct MultipartRequest {
    pub(super) members: Map<String, Json>,
    files: Vec<(String, NamedTempFile)>,
}

impl MultipartRequest {
    /// Reads a request of at most `max_bytes`.
    pub(super) async fn read(headers: &HeaderMap, body: Body, max_bytes: usize) -> Result<Self, HttpReject> {
        let mut request = Request::new(http_body_util::Limited::new(body, max_bytes));
        request.headers_mut().clone_from(headers);
        let request = request.map(Body::new);
        let mut fields = Multipart::from_request(request, &()).await.map_err(|error| bad_request(error.body_text()))?;
        let mut members: Option<Map<String, Json>> = None;
        let mut map: Option<Map<String, Json>> = None;
        let mut files: Vec<(String, NamedTempFile)> = Vec::new();
        let read_failed = |error: MultipartError| {
            if is_length_limit(&error) {
                metrics::record_limit_hit("upload_bytes");
                reject(StatusCode::PAYLOAD_TOO_LARGE, format!("the request is longer than {max_bytes} bytes (max_upload_bytes)"))
            } else {
                bad_request(error.body_text())
            }
        };
        while let Some(mut field) = fields.next_field().await.map_err(read_failed)? {
            let name = field.name().unwrap_or_default().to_owned();
            match (name.as_str(), &members, &map) {
                ("operations", None, _) => members = Some(parse_object(&field.bytes().await.map_err(read_failed)?, "operations")?),
                ("map", Some(_), None) => map = Some(parse_object(&field.bytes().await.map_err(read_failed)?, "map")?),
                (_, Some(operations), Some(map)) => {
                    let paths = map
                        .get(&name)
                        .and_then(Json::as_array)
                        .ok_or_else(|| bad_request(format!("map has no entry for the file \"{name}\"")))?;
                    let mut operations = Json::Object(operations.clone());
                    for path in paths {
                        insert_file_index(&mut operations, path.as_str().unwrap_or_default(), files.len())?;
                    }
                    members = operations.as_object().cloned();
                    let file_name = field.file_name().unwrap_or("file").to_owned();
                    let mut file = NamedTempFile::new().map_err(|error| write_failed(&error))?;
                    while let Some(chunk) = field.chunk().await.map_err(read_failed)? {
                        file.write_all(&chunk).map_err(|error| write_failed(&error))?;
                    }
                    files.push((file_name, file));
                }
                _ => return Err(bad_request("the parts must be operations, then map, then the files")),
            }
        }
        let Some(members) = members else { return Err(bad_request("the part operations is missing")) };
        Ok(Self { members, files })
    }

    /// The files, valid until `self` is dropped.
    pub(super) fn uploads(&self) -> Vec<Upload> {
        self.files.iter().map(|(name, file)| Upload { name: name.clone(), path: file.path().to_owned() }).collect()
    }
}

fn bad_request(message: impl Into<String>) -> HttpReject {
    reject(StatusCode::BAD_REQUEST, message)
}

fn write_failed(error: &std::io::Error) -> HttpReject {
    tracing::error!(%error, "upload not written to disk");
    reject(StatusCode::INSUFFICIENT_STORAGE, "the server has no space for the file; retry later")
}

/// Whether the error or one of its sources is the length limit.
fn is_length_limit(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<http_body_util::LengthLimitError>() || error.source().is_some_and(is_length_limit)
}

fn parse_object(bytes: &[u8], name: &str) -> Result<Map<String, Json>, HttpReject> {
    match strict_json::parse(bytes) {
        Ok(Json::Object(members)) => Ok(members),
        Ok(_) => Err(bad_request(format!("{name} must be a JSON object"))),
        Err(error) => Err(bad_request(error.message(name))),
    }
}

/// Replaces the null at a path such as `variables.input.file` by the index of the file.
fn insert_file_index(operations: &mut Json, path: &str, index: usize) -> Result<(), HttpReject> {
    match operations.pointer_mut(&format!("/{}", path.replace('.', "/"))) {
        Some(value) if value.is_null() => {
            *value = json!(index.to_string());
            Ok(())
        }
        Some(_) | None => Err(bad_request(format!("map names the path {path}, where operations must have null"))),
    }
}

//! Files in a request, after the GraphQL multipart request specification.
//!
//! A page of another site can make a browser send such a request, but not with a token: browsers add no
//! `Authorization` by themselves, and who has none is not read further than that.

use std::io::Write;

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value as Json, json};
use tempfile::NamedTempFile;

use crate::graphql::request::upload::Upload;
use crate::http::graphql::handler::{Refused, refuse};

/// The members of a request, and its files, which lie on the disk for as long as this lives.
pub(crate) struct Sent {
    pub(crate) members: Map<String, Json>,
    files: Vec<(String, NamedTempFile)>,
}

impl Sent {
    /// Reads a request of this many bytes at most.
    pub(crate) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Self, Refused> {
        let mut request = Request::new(http_body_util::Limited::new(body, limit));
        request.headers_mut().clone_from(headers);
        let request = request.map(Body::new);
        let mut parts = Multipart::from_request(request, &()).await.map_err(|error| wrong(error.body_text()))?;
        let mut members: Option<Map<String, Json>> = None;
        let mut places: Option<Map<String, Json>> = None;
        let mut files: Vec<(String, NamedTempFile)> = Vec::new();
        loop {
            let failed = |error: axum::extract::multipart::MultipartError| match limited(&error) {
                true => {
                    crate::observability::metrics::record_limit_hit("upload_bytes");
                    refuse(StatusCode::PAYLOAD_TOO_LARGE, format!("the files are longer than {limit} bytes"))
                }
                false => wrong(error.body_text()),
            };
            let Some(mut part) = parts.next_field().await.map_err(failed)? else { break };
            let name = part.name().unwrap_or_default().to_owned();
            match (name.as_str(), &members, &places) {
                ("operations", None, _) => members = Some(object(&part.bytes().await.map_err(failed)?, "operations")?),
                ("map", Some(_), None) => places = Some(object(&part.bytes().await.map_err(failed)?, "map")?),
                (_, Some(operations), Some(known)) => {
                    let paths = known
                        .get(&name)
                        .and_then(Json::as_array)
                        .ok_or_else(|| wrong(format!("the map does not say where \"{name}\" belongs")))?;
                    let mut operations = Json::Object(operations.clone());
                    for path in paths {
                        put(&mut operations, path.as_str().unwrap_or_default(), files.len())?;
                    }
                    members = operations.as_object().cloned();
                    let given = part.file_name().unwrap_or("file").to_owned();
                    let mut file = NamedTempFile::new().map_err(|error| disk(&error))?;
                    while let Some(chunk) = part.chunk().await.map_err(failed)? {
                        file.write_all(&chunk).map_err(|error| disk(&error))?;
                    }
                    files.push((given, file));
                }
                _ => return Err(wrong("the parts must be operations, then map, then the files".to_owned())),
            }
        }
        let Some(members) = members else { return Err(wrong("operations is missing".to_owned())) };
        Ok(Self { members, files })
    }

    /// The files.
    pub(crate) fn uploads(&self) -> Vec<Upload> {
        self.files.iter().map(|(name, file)| Upload { name: name.clone(), path: file.path().to_owned() }).collect()
    }
}

fn wrong(message: String) -> Refused {
    refuse(StatusCode::BAD_REQUEST, message)
}

fn disk(error: &std::io::Error) -> Refused {
    tracing::error!(%error, "a file that was sent cannot be kept");
    refuse(StatusCode::INSUFFICIENT_STORAGE, "there is no room for the file just now")
}

/// Whether reading ended at the limit.
fn limited(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<http_body_util::LengthLimitError>() || error.source().is_some_and(limited)
}

fn object(bytes: &[u8], name: &str) -> Result<Map<String, Json>, Refused> {
    match serde_json::from_slice(bytes) {
        Ok(Json::Object(members)) => Ok(members),
        _ => Err(wrong(format!("{name} must be a JSON object"))),
    }
}

/// Puts the place of a file where a path such as `variables.input.file` leads, in the place of a null.
fn put(operations: &mut Json, path: &str, place: usize) -> Result<(), Refused> {
    match operations.pointer_mut(&format!("/{}", path.replace('.', "/"))) {
        Some(value) if value.is_null() => {
            *value = json!(place.to_string());
            Ok(())
        }
        _ => Err(wrong(format!("the map names {path}, where operations must have null"))),
    }
}

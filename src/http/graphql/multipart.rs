//! File uploads, after the GraphQL multipart request specification.
//!
//! Another site can make a browser send such a request, but not with an `Authorization` header; without one the body is
//! not read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::multipart::MultipartError;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::core::strict_json;
use crate::core::text::TextRule;
use crate::graphql::request::upload::Upload;
use crate::http::body::{LimitedBody, is_too_long};
use crate::http::response::{HttpReject, reject};
use crate::observability::metrics;

/// The part `map`: the paths of each file in the operations, by the name of its part.
type FileMap = BTreeMap<String, Vec<String>>;

/// The members of a request and its files, which have no names on disk: they vanish when they are dropped, or with the process.
pub(super) struct MultipartRequest {
    pub(super) members: Map<String, Json>,
    files: Vec<UploadedFile>,
}

/// A file of a request.
struct UploadedFile {
    /// Key of its entry in `map`.
    part: String,
    name: String,
    key: String,
    file: Arc<File>,
}

impl MultipartRequest {
    /// Reads a request of at most `max_bytes`.
    pub(super) async fn read(headers: &HeaderMap, body: Body, max_bytes: usize) -> Result<Self, HttpReject> {
        let mut request = Request::new(LimitedBody::new(body, max_bytes));
        request.headers_mut().clone_from(headers);
        let mut request = request.map(Body::new);
        // the default limit of 2 MB would apply besides that of this server
        DefaultBodyLimit::disable().apply(&mut request);
        let mut fields = Multipart::from_request(request, &()).await.map_err(|_| {
            bad_request("the Content-Type of a multipart request must name its boundary, such as multipart/form-data; boundary=x")
        })?;
        let mut members: Option<Map<String, Json>> = None;
        let mut map: Option<FileMap> = None;
        let mut files: Vec<UploadedFile> = Vec::new();
        let read_failed = |error: MultipartError| {
            if is_too_long(&error) {
                metrics::record_limit_hit("upload_bytes");
                reject(StatusCode::PAYLOAD_TOO_LARGE, format!("the request is longer than {max_bytes} bytes (max_upload_bytes)"))
            } else {
                bad_request("the multipart body is malformed, or ended before it was complete")
            }
        };
        while let Some(mut field) = fields.next_field().await.map_err(read_failed)? {
            let name = field.name().unwrap_or_default().to_owned();
            match (name.as_str(), &members, &map) {
                ("operations", None, _) => members = Some(parse_object(&field.bytes().await.map_err(read_failed)?, "operations")?),
                ("map", Some(_), None) => map = Some(parse_map(&field.bytes().await.map_err(read_failed)?)?),
                (_, Some(operations), Some(map)) => {
                    let paths = map.get(&name).ok_or_else(|| bad_request(format!("map has no entry for the file \"{name}\"")))?;
                    let mut operations = Json::Object(operations.clone());
                    let key = Uuid::new_v4().to_string();
                    for path in paths {
                        insert_key(&mut operations, path, &key)?;
                    }
                    members = operations.as_object().cloned();
                    let file_name = field.file_name().unwrap_or("file").to_owned();
                    TextRule::NAME
                        .check(&file_name)
                        .map_err(|message| bad_request(format!("the name of the file \"{name}\": {message}")))?;
                    let mut file = tempfile::tempfile().map_err(|error| write_failed(&error))?;
                    while let Some(chunk) = field.chunk().await.map_err(read_failed)? {
                        file.write_all(&chunk).map_err(|error| write_failed(&error))?;
                    }
                    files.push(UploadedFile { part: name, name: file_name, key, file: Arc::new(file) });
                }
                _ => return Err(bad_request("the parts must be operations, then map, then the files")),
            }
        }
        let Some(members) = members else { return Err(bad_request("the part operations is missing")) };
        if let Some(missing) = map.iter().flat_map(FileMap::keys).find(|name| !files.iter().any(|file| file.part == **name)) {
            return Err(bad_request(format!("map names the file \"{missing}\", which the request does not have")));
        }
        Ok(Self { members, files })
    }

    /// The files, valid until `self` is dropped.
    pub(super) fn uploads(&self) -> Vec<Upload> {
        let upload =
            |UploadedFile { name, key, file, .. }: &UploadedFile| Upload { key: key.clone(), name: name.clone(), file: file.clone() };
        self.files.iter().map(upload).collect()
    }
}

fn bad_request(message: impl Into<String>) -> HttpReject {
    reject(StatusCode::BAD_REQUEST, message)
}

fn write_failed(error: &std::io::Error) -> HttpReject {
    tracing::error!(%error, "upload not written to disk");
    reject(StatusCode::INSUFFICIENT_STORAGE, "the server has no space for the file; retry later")
}

fn parse_object(bytes: &[u8], name: &str) -> Result<Map<String, Json>, HttpReject> {
    match strict_json::parse(bytes) {
        Ok(Json::Object(members)) => Ok(members),
        Ok(_) => Err(bad_request(format!("{name} must be a JSON object"))),
        Err(error) => Err(bad_request(error.message(name))),
    }
}

/// Parses the part `map`.
fn parse_map(bytes: &[u8]) -> Result<FileMap, HttpReject> {
    let entries = parse_object(bytes, "map")?;
    let paths = |(name, paths): (String, Json)| match serde_json::from_value(paths) {
        Ok::<Vec<String>, _>(paths) if !paths.is_empty() => Ok((name, paths)),
        Ok(_) | Err(_) => {
            Err(bad_request(format!("map: the value of \"{name}\" must be an array of paths such as \"variables.input.file\"")))
        }
    };
    entries.into_iter().map(paths).collect()
}

/// Replaces the null at a path such as `variables.input.file` by the key of the file.
fn insert_key(operations: &mut Json, path: &str, key: &str) -> Result<(), HttpReject> {
    let mut steps = path.split('.');
    let root = steps.next().filter(|root| *root == "variables").and_then(|root| operations.get_mut(root));
    let value = steps.try_fold(root, |value, step| match value? {
        Json::Object(members) => Some(members.get_mut(step)),
        Json::Array(items) => Some(step.parse::<usize>().ok().and_then(|index| items.get_mut(index))),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
    });
    match value.flatten() {
        Some(value) if value.is_null() => {
            *value = json!(key);
            Ok(())
        }
        Some(_) | None => {
            Err(bad_request(format!("map names the path \"{path}\", where operations must have null; a path begins with variables")))
        }
    }
}

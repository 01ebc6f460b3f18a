//! The web pages, built from `web/` and embedded in the binary.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};
use uuid::Uuid;

use crate::http::middleware::security_headers;

/// The files that `build.rs` collected: the built pages, or one page that explains how to build them.
#[derive(RustEmbed)]
#[folder = "$OUT_DIR/web"]
struct Pages;

/// Page served if the pages were not built.
const FALLBACK: &str = "not-built.html";
/// Placeholder in a page for the nonce of its content security policy.
const NONCE_PLACEHOLDER: &str = "NONCE_OF_THE_PAGE";
/// The only asset without a hash in its name.
const LICENCES_FILE: &str = "licenses.txt";
const CACHE_HOUR: &str = "public, max-age=3600";
/// For assets whose name contains a hash of their content.
const CACHE_IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// The landing page.
pub async fn landing() -> Response {
    html("index.html", "")
}

/// GraphiQL.
pub async fn graphiql() -> Response {
    let nonce = Uuid::new_v4().simple().to_string();
    let mut response = html("graphiql.html", &nonce);
    if let Ok(policy) = HeaderValue::from_str(&security_headers::graphiql_policy(&nonce)) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// A script, style or font of a page.
pub async fn asset(Path(path): Path<String>) -> Response {
    let name = format!("assets/{path}");
    let cache = if path == LICENCES_FILE { CACHE_HOUR } else { CACHE_IMMUTABLE };
    Pages::get(&name).map_or_else(|| StatusCode::NOT_FOUND.into_response(), |file| send(&name, file, cache))
}

/// The icon.
pub async fn favicon() -> Response {
    page("favicon.svg").map_or_else(|| StatusCode::NOT_FOUND.into_response(), |(name, file)| send(name, file, CACHE_HOUR))
}

/// The response to every other path.
pub async fn not_found() -> impl IntoResponse {
    (StatusCode::NOT_FOUND, "Not found. The API is at /graphql, its explorer at /graphiql.\n")
}

/// A page, or the fallback.
fn page(name: &str) -> Option<(&str, EmbeddedFile)> {
    Pages::get(name).map(|file| (name, file)).or_else(|| Some((FALLBACK, Pages::get(FALLBACK)?)))
}

/// The response with an HTML page, in which the nonce is filled in.
fn html(name: &str, nonce: &str) -> Response {
    let Some((name, file)) = page(name) else { return StatusCode::NOT_FOUND.into_response() };
    let data = String::from_utf8_lossy(&file.data).replace(NONCE_PLACEHOLDER, nonce).into_bytes().into();
    send(name, EmbeddedFile { data, ..file }, "no-cache")
}

fn send(name: &str, file: EmbeddedFile, cache: &'static str) -> Response {
    let media_type = match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    ([(CONTENT_TYPE, media_type), (CACHE_CONTROL, cache)], file.data).into_response()
}

//! Pages for people, built from `web/` into the binary, and the schema as a file.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};
use uuid::Uuid;

use crate::http::middleware::security_headers;
use crate::http::router::AppState;

/// What `build.rs` found: the built pages, or one page that says how to build them.
#[derive(RustEmbed)]
#[folder = "$OUT_DIR/web"]
struct Pages;

/// Page that stands in where the pages were not built.
const FALLBACK: &str = "not-built.html";
/// What stands in a page for the nonce of its content security policy.
const NONCE: &str = "NONCE_OF_THE_PAGE";
/// The one asset whose name carries no hash.
const LICENCES: &str = "licenses.txt";
const HOUR: &str = "public, max-age=3600";
/// Names of assets carry a hash of what is in them.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// What this is and where to go.
pub async fn landing() -> Response {
    html("index.html", "")
}

/// GraphiQL.
pub async fn graphiql() -> Response {
    let nonce = Uuid::new_v4().simple().to_string();
    let mut response = html("graphiql.html", &nonce);
    if let Ok(policy) = HeaderValue::from_str(&security_headers::policy_of_editor(&nonce)) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// A script, style or font of a page.
pub async fn asset(Path(path): Path<String>) -> Response {
    let name = format!("assets/{path}");
    let cache = if path == LICENCES { HOUR } else { FOREVER };
    Pages::get(&name).map_or_else(|| StatusCode::NOT_FOUND.into_response(), |file| send(&name, file, cache))
}

/// The icon.
pub async fn favicon() -> Response {
    page("favicon.svg").map_or_else(|| StatusCode::NOT_FOUND.into_response(), |(name, file)| send(name, file, HOUR))
}

/// The schema in the schema definition language.
pub async fn sdl(State(service): State<Arc<AppState>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, HOUR)], service.sdl.to_string())
}

/// Anything else.
pub async fn not_found() -> impl IntoResponse {
    (StatusCode::NOT_FOUND, "There is nothing here. The API is at /graphql, its explorer at /graphiql.\n")
}

/// A page, or the one that stands in for it.
fn page(name: &str) -> Option<(&str, EmbeddedFile)> {
    Pages::get(name).map(|file| (name, file)).or_else(|| Some((FALLBACK, Pages::get(FALLBACK)?)))
}

/// A page with the nonce of its content security policy.
fn html(name: &str, nonce: &str) -> Response {
    let Some((name, file)) = page(name) else { return StatusCode::NOT_FOUND.into_response() };
    let data = String::from_utf8_lossy(&file.data).replace(NONCE, nonce).into_bytes().into();
    send(name, EmbeddedFile { data, ..file }, "no-cache")
}

fn send(name: &str, file: EmbeddedFile, cache: &'static str) -> Response {
    let ty = match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    ([(CONTENT_TYPE, ty), (CACHE_CONTROL, cache)], file.data).into_response()
}

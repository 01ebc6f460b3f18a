//! Middleware for hosts and URLs: rejects requests for no host or several, and URLs that do not decode to text, and redirects
//! URLs that end in a slash.

use axum::extract::Request;
use axum::http::header::{HOST, LOCATION};
use axum::http::uri::Authority;
use axum::http::{HeaderValue, StatusCode, Uri, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::core::text::is_forbidden;
use crate::http::response::{MediaType, reject, reject_response};

/// Responds with 400 to a URL whose path or query string is not percent-encoded UTF-8, so that no handler decodes it with
/// replacement characters, and with 308 to a path that ends in a slash.
pub(crate) async fn validate_url(request: Request, next: Next) -> Response {
    if let Err(message) = check_host(&request) {
        return reject_response(MediaType::negotiate_or_json(request.headers()), &reject(StatusCode::BAD_REQUEST, message));
    }
    let uri = request.uri();
    for part in [uri.path(), uri.query().unwrap_or_default()] {
        if let Err(message) = check_encoding(part) {
            return reject_response(MediaType::negotiate_or_json(request.headers()), &reject(StatusCode::BAD_REQUEST, message));
        }
    }
    match without_trailing_slash(uri) {
        Some(location) => (StatusCode::PERMANENT_REDIRECT, [(LOCATION, location)]).into_response(),
        None => next.run(request).await,
    }
}

/// Requires one valid host (RFC 9112, section 3.2): the header `Host`, or `:authority` with HTTP/2. HTTP/1.0 has none.
fn check_host(request: &Request) -> Result<(), &'static str> {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => Err("the request has several Host headers; send one"),
        (Some(host), None) if host.to_str().is_ok_and(is_host) => Ok(()),
        (Some(_), None) => Err("the header Host is not the name of a host, with a port if it has one"),
        (None, _) if request.version() == Version::HTTP_11 => Err("the header Host is missing; send the name of the server in it"),
        (None, _) if request.version() == Version::HTTP_2 => match request.uri().authority() {
            Some(authority) if is_host(authority.as_str()) => Ok(()),
            Some(_) => Err(":authority is not the name of a host, with a port if it has one"),
            None => Err("the request has no :authority; send the name of the server in it"),
        },
        (None, _) => Ok(()),
    }
}

/// Whether a text is a host with an optional port, without credentials.
fn is_host(text: &str) -> bool {
    !text.contains('@') && text.parse::<Authority>().is_ok()
}

/// Checks that a part of a URL decodes to UTF-8 text without characters that no text may contain.
fn check_encoding(part: &str) -> Result<(), String> {
    if !part.contains('%') {
        return Ok(());
    }
    let bytes = part.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    // where each decoded byte stands in the URL
    let mut places = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        places.push(place);
        if *byte != b'%' {
            decoded.push(*byte);
            place += 1;
            continue;
        }
        match (hex_digit(bytes.get(place + 1)), hex_digit(bytes.get(place + 2))) {
            (Some(high), Some(low)) => decoded.push(high << 4 | low),
            _ => {
                return Err(format!(
                    "the URL contains \"{}\", which is not a percent-encoded byte: after % there must be two hexadecimal digits; write %25 for a percent sign",
                    quoted(part, place)
                ));
            }
        }
        place += 3;
    }
    match std::str::from_utf8(&decoded) {
        Err(error) => {
            let place = places.get(error.valid_up_to()).copied().unwrap_or_default();
            Err(format!(
                "the URL contains \"{}\", which is not UTF-8; encode text as UTF-8 before percent-encoding it",
                quoted(part, place)
            ))
        }
        Ok(text) => match text.char_indices().find(|(_, char)| is_forbidden(*char)) {
            Some((index, char)) => Err(format!(
                "the URL contains \"{}\", the character U+{:04X}, which no text may contain; remove it",
                quoted(part, places.get(index).copied().unwrap_or_default()),
                u32::from(char)
            )),
            None => Ok(()),
        },
    }
}

fn hex_digit(byte: Option<&u8>) -> Option<u8> {
    char::from(*byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// The escape at a place of a URL.
fn quoted(part: &str, place: usize) -> String {
    part.get(place..).unwrap_or_default().chars().take(3).collect()
}

/// The path without the slashes at its end, with the query string; `None` if there are none to remove.
fn without_trailing_slash(uri: &Uri) -> Option<HeaderValue> {
    let trimmed = uri.path().trim_end_matches('/');
    // a browser takes a location that starts with two slashes for that of another host
    if trimmed.len() == uri.path().len() || !trimmed.starts_with('/') || trimmed[1..].starts_with(['/', '\\']) {
        return None;
    }
    let location = uri.query().map_or(trimmed.to_owned(), |query| format!("{trimmed}?{query}"));
    HeaderValue::from_bytes(location.as_bytes()).ok()
}

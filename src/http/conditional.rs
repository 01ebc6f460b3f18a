//! Conditional requests: `ETag`, `Last-Modified` and `Cache-Control` from the version of the dataset, and status 304.
//!
//! Public responses change only when the dataset changes or its records are verified again. A request is therefore
//! revalidated by the dataset version alone, without reading any table.
//!
//! A precondition applies only if the response would be a success (RFC 9110, 13.2.1). The entity tag of a request proves that,
//! since only cacheable successes carry one. `If-None-Match: *` and `If-Modified-Since` prove nothing: they are evaluated before
//! the response only if this server has sent it before, and otherwise after it.

use std::time::{Duration, SystemTime};

use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, ETAG, LAST_MODIFIED, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use headers::{ETag, HeaderMapExt, IfModifiedSince, IfNoneMatch, LastModified};
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::core::clock::Clock;
use crate::core::digest::hex_digest;
use crate::core::error::Error;
use crate::http::revalidation::ETagKey;
use crate::http::state::AppState;
use crate::store::db::version_cache::{ConsistencyGuard, DatasetVersion};

/// Browsers revalidate each time. A shared cache serves a response for some seconds without revalidation, and for some
/// more while it revalidates.
const PUBLIC_CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=0, s-maxage=5, stale-while-revalidate=30");
const PRIVATE_NO_STORE: HeaderValue = HeaderValue::from_static("private, no-store");
/// For content that changes with the program only.
const PUBLIC_HOUR_CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=3600");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// Request headers that a response depends on.
const VARY_ON: HeaderValue = HeaderValue::from_static("Accept, Accept-Language, Authorization, X-Forwarded-Proto");

/// The validators of a response. Create them before any data is read for it:
///
/// ```ignore
/// let validators = match Validators::check(&state, &headers, &[b"table", query.as_bytes()]).await {
///     Ok(validators) => validators,
///     Err(not_modified) => return not_modified,
/// };
/// validators.apply(response)
/// ```
#[derive(Debug, Clone)]
pub(super) struct Validators {
    /// Whether the request has a token.
    is_private: bool,
    version: Option<DatasetVersion>,
    tag: Option<(ETagKey, ETag)>,
    /// Whether the client has the response if there is one.
    is_unmodified: bool,
    known: Cache<ETagKey, ()>,
    guard: Option<ConsistencyGuard>,
    clock: Clock,
}

impl Validators {
    /// The validators of the response to this request. `key` is everything that the response depends on besides the
    /// headers `Accept` and `Accept-Language`: the endpoint and the query string.
    ///
    /// Fails with the response 304 if the client already has the current response.
    pub(super) async fn check(state: &AppState, headers: &HeaderMap, key: &[&[u8]]) -> Result<Self, Response> {
        let clock = state.store.clock.clone();
        let known = state.revalidation.known.clone();
        if headers.contains_key(AUTHORIZATION) {
            return Ok(Self { is_private: true, version: None, tag: None, is_unmodified: false, known, guard: None, clock });
        }
        // if the database is unavailable, the response reports it
        let guard = Some(state.store.consistency_guard());
        let version = state.store.version().await.inspect_err(Error::log).ok();
        let tag = version.and_then(|version| entity_tag(state, headers, &version, key));
        let mut validators = Self { is_private: false, version, tag, is_unmodified: false, known, guard, clock };
        let Some((key, tag)) = &validators.tag else { return Ok(validators) };
        let precondition = validators.precondition(headers, tag);
        let is_not_modified = match precondition {
            Precondition::HasTag => true,
            Precondition::HasAny => validators.known.contains_key(key),
            Precondition::None => false,
        };
        if is_not_modified {
            return Err(validators.apply(StatusCode::NOT_MODIFIED.into_response()));
        }
        validators.is_unmodified = precondition == Precondition::HasAny;
        Ok(validators)
    }

    /// Generation of the dataset, the key of the response cache; `None` if it is unknown.
    pub(super) fn generation(&self) -> Option<u64> {
        self.version.and_then(|version| version.generation)
    }

    /// Instant of the latest change of the dataset, if known.
    pub(super) fn changed_at(&self) -> Option<DateTime<Utc>> {
        self.version.map(|version| version.changed_at)
    }

    /// Sets the cache headers of a response that is valid until the dataset changes.
    pub(super) fn apply(&self, mut response: Response) -> Response {
        let is_consistent = self.guard.as_ref().is_none_or(ConsistencyGuard::holds);
        let is_cacheable = is_consistent && matches!(response.status(), StatusCode::OK | StatusCode::NOT_MODIFIED);
        let headers = response.headers_mut();
        headers.entry(VARY).or_insert(VARY_ON);
        match &self.tag {
            _ if self.is_private => {
                headers.insert(CACHE_CONTROL, PRIVATE_NO_STORE);
            }
            Some((key, tag)) if is_cacheable => {
                if !self.known.contains_key(key) {
                    self.known.insert(*key, ());
                }
                headers.typed_insert(tag.clone());
                headers.insert(CACHE_CONTROL, PUBLIC_CACHE_CONTROL);
                if let Some(modified) = self.last_modified() {
                    headers.typed_insert(LastModified::from(modified));
                }
            }
            _ => {
                headers.insert(CACHE_CONTROL, NO_STORE);
            }
        }
        if self.is_unmodified && is_cacheable {
            let mut not_modified = StatusCode::NOT_MODIFIED.into_response();
            for name in [ETAG, CACHE_CONTROL, LAST_MODIFIED, VARY] {
                if let Some(value) = response.headers().get(&name) {
                    not_modified.headers_mut().insert(name, value.clone());
                }
            }
            return not_modified;
        }
        response
    }

    /// Sets the cache headers of a response that must not be cached, such as an error.
    pub(super) fn apply_uncacheable(&self, mut response: Response) -> Response {
        response.headers_mut().entry(VARY).or_insert(VARY_ON);
        response.headers_mut().insert(CACHE_CONTROL, if self.is_private { PRIVATE_NO_STORE } else { NO_STORE });
        response
    }

    /// The second of the latest change or verification, once it has passed: until then the dataset may change within it.
    fn last_modified(&self) -> Option<SystemTime> {
        let DatasetVersion { changed_at, checked_at, .. } = self.version?;
        let seconds = u64::try_from(checked_at.map_or(changed_at, |checked_at| checked_at.max(changed_at)).timestamp()).ok()?;
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        (SystemTime::from(self.clock.now()) >= modified + Duration::from_secs(1)).then_some(modified)
    }

    /// What the precondition of the request (RFC 9110, 13.1) says.
    fn precondition(&self, headers: &HeaderMap, tag: &ETag) -> Precondition {
        if let Some(known) = headers.typed_get::<IfNoneMatch>() {
            return match known.precondition_passes(tag) {
                true => Precondition::None,
                false if known == IfNoneMatch::any() => Precondition::HasAny,
                false => Precondition::HasTag,
            };
        }
        let since = headers.typed_get::<IfModifiedSince>();
        let is_unmodified = since.zip(self.last_modified()).is_some_and(|(since, modified)| !since.is_modified(modified));
        if is_unmodified { Precondition::HasAny } else { Precondition::None }
    }
}

/// What a client says that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Precondition {
    /// The response with the current entity tag.
    HasTag,
    /// The response, if there is one.
    HasAny,
    /// Another response, or none.
    None,
}

/// Responds with content that depends on the program and the URL alone, all of it in `key`: with a strong entity tag, and with
/// 304 if the client has the content.
pub(super) fn respond_static(headers: &HeaderMap, key: &[&[u8]], content: impl FnOnce() -> Response) -> Response {
    let mut hash = Sha256::new();
    for part in [env!("CARGO_PKG_VERSION").as_bytes()].iter().chain(key) {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let tag: Option<ETag> = format!("\"{}\"", hex_digest(&hash.finalize()[..12])).parse().ok();
    let known = headers.typed_get::<IfNoneMatch>();
    let is_known = known.zip(tag.as_ref()).is_some_and(|(known, tag)| !known.precondition_passes(tag));
    let mut response = if is_known { StatusCode::NOT_MODIFIED.into_response() } else { content() };
    if let Some(tag) = tag {
        response.headers_mut().typed_insert(tag);
    }
    response.headers_mut().insert(CACHE_CONTROL, PUBLIC_HOUR_CACHE_CONTROL);
    response
}

/// The entity tag, and its digest. It is weak because the encoding of a response may differ.
fn entity_tag(state: &AppState, headers: &HeaderMap, version: &DatasetVersion, key: &[&[u8]]) -> Option<(ETagKey, ETag)> {
    let settings = state.revalidation.settings.get_or_init(|| {
        let limits = (state.api.documents.limits(), state.trusted_documents_only);
        let mut hash = Sha256::new();
        for part in [env!("CARGO_PKG_VERSION"), &state.sdl, &format!("{:?}", state.dataset), &format!("{limits:?}")] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    });
    let mut hash = Sha256::new();
    let mut part = |part: &[u8]| {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    };
    part(settings);
    // a restored database reuses version numbers
    part(&version.changed_at.timestamp_micros().to_le_bytes());
    part(&version.checked_at.map_or(0, |at| at.timestamp_micros()).to_le_bytes());
    for bytes in key {
        part(bytes);
    }
    for name in [axum::http::header::ACCEPT, axum::http::header::ACCEPT_LANGUAGE] {
        headers.get_all(&name).iter().for_each(|value| part(value.as_bytes()));
        part(b"");
    }
    let key: ETagKey = hash.finalize().first_chunk().copied()?;
    let tag = format!("W/\"{}-{}\"", version.number, hex_digest(&key)).parse().ok()?;
    Some((key, tag))
}

//! Answers that caches keep: `ETag`, `Last-Modified` and `Cache-Control` from the version of the dataset, and `304`.
//!
//! What anyone may read changes with the dataset, or when it is found to be still so, and not otherwise. So whoever has an answer learns by one number
//! whether it still holds, and no table is touched to tell.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::core::clock::Clock;
use crate::http::router::AppState;
use crate::store::db::version_cache::{ConsistencyGuard, DatasetVersion};

/// Browsers ask each time whether an answer still holds. A cache between them and the server gives it out for some
/// seconds without asking, however many ask, and for some more while it asks.
const PUBLIC: HeaderValue = HeaderValue::from_static("public, max-age=0, s-maxage=5, stale-while-revalidate=30");
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-store");
const NOT_KEPT: HeaderValue = HeaderValue::from_static("no-store");
/// What else an answer depends on besides its address.
const VARIES: HeaderValue = HeaderValue::from_static("Accept, Accept-Language, Authorization");

/// What tells whether an answer is still the same.
///
/// Take it before anything is read for the answer:
///
/// ```ignore
/// let fresh = match Freshness::of(&service, &headers, &[b"table", address.as_bytes()]).await {
///     Ok(fresh) => fresh,
///     Err(not_modified) => return not_modified,
/// };
/// fresh.put(answer)
/// ```
#[derive(Debug, Clone)]
pub(super) struct Freshness {
    /// Whether it is for the one who asks alone.
    is_private: bool,
    version: Option<DatasetVersion>,
    tag: Option<HeaderValue>,
    voucher: Option<ConsistencyGuard>,
    clock: Clock,
}

impl Freshness {
    /// What an answer to this request is known by. `key` is all that the answer depends on besides the headers `Accept`
    /// and `Accept-Language`: which door it is, and the query of the address. Gives the answer `304` at once where the
    /// one who asks has the same already.
    pub(super) async fn of(service: &AppState, headers: &HeaderMap, key: &[&[u8]]) -> Result<Self, Response> {
        let clock = service.store.clock.clone();
        if headers.contains_key(AUTHORIZATION) {
            return Ok(Self { is_private: true, version: None, tag: None, voucher: None, clock });
        }
        // where the database is away, the answer will say so
        let voucher = Some(service.store.consistency_guard());
        let version = service.store.version().await.ok();
        let fresh = Self { is_private: false, version, tag: version.map(|version| tag(service, headers, &version, key)), voucher, clock };
        match fresh.is_known(headers) {
            true => Err(fresh.put(StatusCode::NOT_MODIFIED.into_response())),
            false => Ok(fresh),
        }
    }

    /// The state of the dataset that answers are kept for in memory; nothing where that cannot be known.
    pub(super) fn generation(&self) -> Option<u64> {
        self.version.and_then(|version| version.generation)
    }

    /// When the dataset changed last, where that is known.
    pub(super) fn changed_at(&self) -> Option<DateTime<Utc>> {
        self.version.map(|version| version.changed_at)
    }

    /// Puts the headers on an answer: those for caches on one that holds until the dataset changes.
    pub(super) fn put(&self, mut response: Response) -> Response {
        let is_vouched = self.voucher.as_ref().is_none_or(ConsistencyGuard::holds);
        let holds = is_vouched && matches!(response.status(), StatusCode::OK | StatusCode::NOT_MODIFIED);
        let headers = response.headers_mut();
        headers.entry(VARY).or_insert(VARIES);
        match &self.tag {
            _ if self.is_private => {
                headers.insert(CACHE_CONTROL, PRIVATE);
            }
            Some(tag) if holds => {
                headers.insert(ETAG, tag.clone());
                headers.insert(CACHE_CONTROL, PUBLIC);
                if let Some(modified) = self.modified() {
                    headers.extend(HeaderValue::from_str(&httpdate::fmt_http_date(modified)).ok().map(|value| (LAST_MODIFIED, value)));
                }
            }
            _ => {
                headers.insert(CACHE_CONTROL, NOT_KEPT);
            }
        }
        response
    }

    /// Puts the headers on an answer that another try may give otherwise.
    pub(super) fn put_once(&self, mut response: Response) -> Response {
        response.headers_mut().entry(VARY).or_insert(VARIES);
        response.headers_mut().insert(CACHE_CONTROL, if self.is_private { PRIVATE } else { NOT_KEPT });
        response
    }

    /// The second in which the dataset last changed or was checked, once it is over: in what is left of it, it may change again.
    fn modified(&self) -> Option<SystemTime> {
        let DatasetVersion { changed_at, checked_at, .. } = self.version?;
        let seconds = u64::try_from(checked_at.map_or(changed_at, |checked_at| checked_at.max(changed_at)).timestamp()).ok()?;
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        (SystemTime::from(self.clock.now()) >= modified + Duration::from_secs(1)).then_some(modified)
    }

    /// Whether the one who asks has this already, as RFC 9110 decides it.
    fn is_known(&self, headers: &HeaderMap) -> bool {
        let Some(tag) = self.tag.as_ref().and_then(|tag| tag.to_str().ok()) else { return false };
        let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let mut given = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).peekable();
        if given.peek().is_some() {
            return given.flat_map(|value| value.split(',')).any(|known| known.trim() == "*" || opaque(known) == opaque(tag));
        }
        let since =
            headers.get(IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok()).and_then(|text| httpdate::parse_http_date(text).ok());
        since.zip(self.modified()).is_some_and(|(since, modified)| modified <= since)
    }
}

/// The same answer is compressed or not as the one who asks likes it, so the tag is a weak one.
fn tag(service: &AppState, headers: &HeaderMap, version: &DatasetVersion, key: &[&[u8]]) -> HeaderValue {
    static PROGRAM: OnceLock<[u8; 32]> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        let mut hash = Sha256::new();
        hash.update(env!("CARGO_PKG_VERSION"));
        hash.update(service.sdl.as_bytes());
        hash.finalize().into()
    });
    let mut hash = Sha256::new();
    let mut part = |part: &[u8]| {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    };
    part(program);
    // a database that was restored counts on from an earlier number
    part(&version.changed_at.timestamp_micros().to_le_bytes());
    part(&version.checked_at.map_or(0, |at| at.timestamp_micros()).to_le_bytes());
    key.iter().for_each(|bytes| part(bytes));
    for name in [axum::http::header::ACCEPT, axum::http::header::ACCEPT_LANGUAGE] {
        headers.get_all(&name).iter().for_each(|value| part(value.as_bytes()));
        part(b"");
    }
    let digest: String = hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("W/\"{}-{digest}\"", version.number)).unwrap_or(HeaderValue::from_static("W/\"\""))
}

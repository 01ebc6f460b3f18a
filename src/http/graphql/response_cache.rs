//! Cache of responses, invalidated when the dataset changes.
//!
//! The key contains everything that a response depends on. Concurrent identical requests are executed once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Bytes;
use axum::http::HeaderValue;
use moka::future::Cache;

use crate::core::auth::Role;
use crate::http::response::CachedResponse;
use crate::observability::metrics;

/// Estimated memory that an entry takes besides its request and response body.
const ENTRY_OVERHEAD_BYTES: usize = 300;

/// Everything that a response depends on. Requests are compared byte by byte: an equivalent query with another text is
/// another key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ResponseCacheKey {
    /// Generation of the dataset.
    pub(super) generation: u64,
    /// Role of the caller: responses are never shared between roles.
    pub(super) role: Role,
    /// Whether the request is a GET; a POST body with the same bytes means something else.
    pub(super) is_get: bool,
    /// The query string or the body.
    pub(super) payload: Bytes,
    pub(super) accept: Option<HeaderValue>,
    pub(super) accept_language: Option<HeaderValue>,
}

impl ResponseCacheKey {
    /// A copy that does not keep the network buffers alive that the key borrows from.
    fn into_owned(self) -> Self {
        let copy = |value: HeaderValue| HeaderValue::from_bytes(value.as_bytes()).unwrap_or(value);
        Self {
            payload: Bytes::copy_from_slice(&self.payload),
            accept: self.accept.map(copy),
            accept_language: self.accept_language.map(copy),
            ..self
        }
    }
}

/// A response, and whether it may be served to other clients.
pub(super) enum Cacheability {
    /// It depends on the key only.
    Cacheable(CachedResponse),
    /// It is a transient failure or depends on the caller.
    Uncacheable(CachedResponse),
}

/// Responses; the least recently used are evicted first.
#[derive(Debug, Clone)]
pub struct ResponseCache {
    responses: Option<Cache<ResponseCacheKey, CachedResponse>>,
    /// Latest generation of the dataset; responses of earlier ones are not requested again.
    generation: Arc<AtomicU64>,
}

impl ResponseCache {
    /// A cache of this many bytes, keys included; 0 disables it.
    pub fn new(max_bytes: u64) -> Self {
        let weigh = |key: &ResponseCacheKey, response: &CachedResponse| {
            u32::try_from(key.payload.len() + response.body.len() + ENTRY_OVERHEAD_BYTES).unwrap_or(u32::MAX)
        };
        let responses = (max_bytes > 0).then(|| Cache::builder().weigher(weigh).max_capacity(max_bytes).build());
        Self { responses, generation: Arc::default() }
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.responses.is_some()
    }

    /// Number of responses, and their bytes.
    pub(crate) async fn usage(&self) -> (u64, u64) {
        let Some(responses) = &self.responses else { return (0, 0) };
        // the counts include evicted entries until then
        responses.run_pending_tasks().await;
        (responses.entry_count(), responses.weighted_size())
    }

    /// The cached response. Invalidates the cache if the key is of a newer generation.
    pub(super) async fn get(&self, key: &ResponseCacheKey) -> Option<CachedResponse> {
        let responses = self.responses.as_ref()?;
        if self.generation.fetch_max(key.generation, Ordering::AcqRel) < key.generation {
            responses.invalidate_all();
        }
        let response = responses.get(key).await;
        metrics::record_cache_lookup(metrics::CacheKind::Responses, response.is_some());
        response
    }

    /// The cached response, or else the computed one. Concurrent calls with the same key compute it once.
    pub(super) async fn get_or_compute(&self, key: ResponseCacheKey, compute: impl Future<Output = Cacheability>) -> CachedResponse {
        let computed = async {
            match compute.await {
                Cacheability::Cacheable(response) => Ok(response),
                Cacheability::Uncacheable(response) => Err(response),
            }
        };
        match &self.responses {
            Some(cache) => cache
                .try_get_with(key.into_owned(), computed)
                .await
                .unwrap_or_else(|uncacheable: Arc<CachedResponse>| (*uncacheable).clone()),
            None => computed.await.unwrap_or_else(|uncacheable| uncacheable),
        }
    }
}

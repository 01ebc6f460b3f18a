//! Cache of responses, invalidated when the dataset changes.
//!
//! The key contains everything that a response depends on. Concurrent identical requests are executed once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Bytes;
use moka::future::Cache;

use crate::core::auth::Role;
use crate::core::language::Languages;
use crate::http::response::{CachedResponse, MediaType};
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
    /// What the server understood of the `Accept` headers.
    pub(super) media_type: MediaType,
    /// What the server understood of the `Accept-Language` headers.
    pub(super) languages: Languages,
}

impl ResponseCacheKey {
    /// A copy that does not keep the network buffer alive that the key borrows from.
    fn into_owned(self) -> Self {
        Self { payload: Bytes::copy_from_slice(&self.payload), ..self }
    }

    /// Bytes that the key takes in the cache.
    fn weight(&self) -> usize {
        self.payload.len() + self.languages.memory_bytes()
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
            u32::try_from(key.weight() + response.body.len() + ENTRY_OVERHEAD_BYTES).unwrap_or(u32::MAX)
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

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    /// Overhead of the allocator and the cache that one entry may have besides its weight.
    const MAX_BYTES: u64 = 100_000;

    #[tokio::test]
    async fn keys_and_bodies_count_against_the_size() {
        let cache = ResponseCache::new(MAX_BYTES);
        let languages = ('a'..='p').map(|letter| format!("q{letter}-x-a-b-c-d-e-f-g-h-i-j-k-l-m")).collect::<Vec<_>>().join(",");
        for (payload, body) in [(10_000, 0), (0, 10_000), (0, 0)] {
            for number in 0..1_000_u32 {
                let key = ResponseCacheKey {
                    generation: 1,
                    role: Role::Reader,
                    is_get: false,
                    payload: [vec![b'x'; payload], number.to_le_bytes().to_vec()].concat().into(),
                    media_type: MediaType::Json,
                    languages: Languages::from_header(&languages),
                };
                let response = CachedResponse {
                    status: StatusCode::OK,
                    media_type: MediaType::Json,
                    is_valid_until_change: true,
                    body: vec![b'x'; body].into(),
                };
                cache.get_or_compute(key, async { Cacheability::Cacheable(response) }).await;
            }
            let (entries, bytes) = cache.usage().await;
            assert!(bytes <= MAX_BYTES, "{bytes}");
            // the languages alone are 500 bytes
            assert!(entries <= MAX_BYTES / 1_000, "{entries}");
        }
    }
}

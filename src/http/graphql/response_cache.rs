//! Answers that are kept until the dataset changes.
//!
//! An answer is kept under everything that it depends on. A thousand readers who ask the same at the
//! same time wait for one answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode};
use moka::future::Cache;

use crate::core::auth::Role;
use crate::http::graphql::handler::Media;
use crate::observability::metrics;

/// Everything that an answer depends on: the request as it came. The same question in other words is another request;
/// clients ask in the same words.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// Number of the state of the dataset.
    pub(crate) generation: u64,
    /// Who asks: what one role may see is never given to another.
    pub(crate) role: Role,
    /// Whether it is asked by the address; a body of the same text says something else.
    pub(crate) is_get: bool,
    /// The query of the address, or the body.
    pub(crate) asked: Bytes,
    pub(crate) accept: Option<HeaderValue>,
    pub(crate) accept_language: Option<HeaderValue>,
}

impl Key {
    /// The same by itself: what came over the network is a piece of a larger buffer, which would be kept with it.
    fn alone(self) -> Self {
        let copy = |value: HeaderValue| HeaderValue::from_bytes(value.as_bytes()).unwrap_or(value);
        Self {
            asked: Bytes::copy_from_slice(&self.asked),
            accept: self.accept.map(copy),
            accept_language: self.accept_language.map(copy),
            ..self
        }
    }
}

/// An answer as it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) status: StatusCode,
    pub(crate) media: Media,
    /// Whether it holds until the dataset changes.
    pub(crate) holds: bool,
    pub(crate) body: Bytes,
}

/// What the answer to a request is, and whether it may be given to the next who asks the same.
pub(crate) enum Answered {
    /// It depends on nothing but its key.
    Always(Kept),
    /// It was a failure of the moment.
    Once(Kept),
}

/// Answers, the least used of which go first when there is no room.
#[derive(Debug, Clone)]
pub struct ResponseCache {
    kept: Option<Cache<Key, Kept>>,
    /// State of the dataset that the kept answers are of; those of an earlier one are never asked for again.
    generation: Arc<AtomicU64>,
}

impl ResponseCache {
    /// Keeps answers of this many bytes in all, keys included; 0 keeps none.
    pub fn new(bytes: u64) -> Self {
        let weigh = |key: &Key, kept: &Kept| u32::try_from(key.asked.len() + kept.body.len() + 300).unwrap_or(u32::MAX);
        let kept = (bytes > 0).then(|| Cache::builder().weigher(weigh).max_capacity(bytes).build());
        Self { kept, generation: Arc::default() }
    }

    /// Whether answers are kept at all.
    pub(crate) fn are_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// How many are kept, and their bytes.
    pub(crate) async fn kept(&self) -> (u64, u64) {
        let Some(kept) = &self.kept else { return (0, 0) };
        // until then it does not know what has gone
        kept.run_pending_tasks().await;
        (kept.entry_count(), kept.weighted_size())
    }

    /// The answer that is kept, if there is one.
    pub(crate) async fn get(&self, key: &Key) -> Option<Kept> {
        let kept = self.kept.as_ref()?;
        if self.generation.fetch_max(key.generation, Ordering::AcqRel) < key.generation {
            kept.invalidate_all();
        }
        let found = kept.get(key).await;
        metrics::record_cache_lookup(metrics::CacheKind::Responses, found.is_some());
        found
    }

    /// The answer that is kept, or else the one that is made, once for all who wait for it.
    pub(crate) async fn get_or(&self, key: Key, make: impl Future<Output = Answered>) -> Kept {
        let made = async {
            match make.await {
                Answered::Always(kept) => Ok(kept),
                Answered::Once(kept) => Err(kept),
            }
        };
        match &self.kept {
            Some(cache) => cache.try_get_with(key.alone(), made).await.unwrap_or_else(|once: Arc<Kept>| (*once).clone()),
            None => made.await.unwrap_or_else(|once| once),
        }
    }
}

//! Cache of automatic persisted queries: documents by their SHA-256.

use moka::sync::Cache;

/// Size of the cache.
const MAX_CACHE_BYTES: u64 = 8 << 20;
/// Size of the largest document that is cached.
const MAX_DOCUMENT_BYTES: usize = 100_000;
/// Estimated memory that an entry takes besides its texts.
const ENTRY_OVERHEAD_BYTES: usize = 200;

/// Documents that clients registered. Each process has its own: a client whose hash is unknown gets the error
/// `PERSISTED_QUERY_NOT_FOUND` and sends the document again.
#[derive(Debug, Clone)]
pub struct PersistedDocuments(Cache<String, String>);

impl Default for PersistedDocuments {
    fn default() -> Self {
        let weigh = |hash: &String, text: &String| u32::try_from(hash.len() + text.len() + ENTRY_OVERHEAD_BYTES).unwrap_or(u32::MAX);
        Self(Cache::builder().weigher(weigh).max_capacity(MAX_CACHE_BYTES).build())
    }
}

impl PersistedDocuments {
    /// Number of documents, and their bytes.
    pub(crate) fn usage(&self) -> (u64, u64) {
        self.0.run_pending_tasks();
        (self.0.entry_count(), self.0.weighted_size())
    }

    /// The document with this hash.
    pub(super) fn get(&self, hash: &str) -> Option<String> {
        self.0.get(hash)
    }

    /// Caches a valid document under its hash.
    pub(super) fn insert(&self, hash: String, text: &str) {
        if text.len() <= MAX_DOCUMENT_BYTES {
            self.0.insert(hash, text.to_owned());
        }
    }
}

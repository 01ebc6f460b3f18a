//! In-memory cache of saved queries.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use moka::sync::Cache;
use serde_json::{Map, Value as Json};

/// Maximum memory of cached saved queries.
const CACHE_BYTES: u64 = 4 << 20;
/// Estimated memory of an entry besides its key and document.
const ENTRY_OVERHEAD_BYTES: usize = 500;

/// A saved query.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedQuery {
    /// Hash of the document, operation name and variables.
    pub hash: String,
    /// Hash of the document alone.
    pub document_hash: String,
    /// Name that the query can be fetched by.
    pub name: Option<String>,
    /// Title for people.
    pub title: Option<String>,
    /// The GraphQL document.
    pub document: String,
    /// Name of the operation to execute, for a document with several.
    pub operation_name: Option<String>,
    /// Default values of the variables.
    pub variables: Map<String, Json>,
    /// Name of the token that saved the query.
    pub saved_by: String,
    /// Instant at which the query was saved.
    pub saved_at: DateTime<Utc>,
}

/// Saved queries fetched recently, by the generation of the dataset and a name, hash or document hash. What a name or hash
/// leads to never changes, but a name and a title can be added to it.
#[derive(Debug, Clone)]
pub(crate) struct SavedQueryCache(Cache<String, Arc<SavedQuery>>);

impl Default for SavedQueryCache {
    fn default() -> Self {
        let weigh = |key: &String, saved: &Arc<SavedQuery>| {
            u32::try_from(key.len() + saved.document.len() + ENTRY_OVERHEAD_BYTES).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().weigher(weigh).max_capacity(CACHE_BYTES).build())
    }
}

impl SavedQueryCache {
    /// The entry with this key.
    pub(super) fn get(&self, key: &str) -> Option<SavedQuery> {
        self.0.get(key).map(|saved| (*saved).clone())
    }

    /// Adds an entry.
    pub(super) fn insert(&self, key: String, saved: SavedQuery) {
        self.0.insert(key, Arc::new(saved));
    }
}

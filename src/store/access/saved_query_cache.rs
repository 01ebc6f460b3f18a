//! In-memory cache of saved queries.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use moka::sync::Cache;
use serde_json::{Map, Value as Json};

/// Maximum memory of cached saved queries.
const CACHE_BYTES: u64 = 4 << 20;
/// Estimated memory of an entry besides its key and document.
const ENTRY_OVERHEAD_BYTES: usize = 500;
/// Estimated memory of a member of a JSON object besides its name and value.
const MEMBER_BYTES: usize = 48;

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

impl SavedQuery {
    /// Estimated memory of all texts and variables, in bytes.
    fn memory_bytes(&self) -> usize {
        let Self { hash, document_hash, name, title, document, operation_name, variables, saved_by, saved_at: _ } = self;
        let texts =
            [Some(hash), Some(document_hash), name.as_ref(), title.as_ref(), Some(document), operation_name.as_ref(), Some(saved_by)];
        texts.into_iter().flatten().map(String::len).sum::<usize>() + members_bytes(variables)
    }
}

fn members_bytes(members: &Map<String, Json>) -> usize {
    members.iter().map(|(name, value)| MEMBER_BYTES + name.len() + json_bytes(value)).sum()
}

/// Estimated memory of a JSON value, in bytes.
fn json_bytes(value: &Json) -> usize {
    size_of::<Json>()
        + match value {
            Json::Null | Json::Bool(_) | Json::Number(_) => 0,
            Json::String(text) => text.len(),
            Json::Array(items) => items.iter().map(json_bytes).sum(),
            Json::Object(members) => members_bytes(members),
        }
}

/// Saved queries fetched recently, by the generation of the dataset and a name, hash or document hash. What a name or hash
/// leads to never changes, but a name and a title can be added to it.
#[derive(Debug, Clone)]
pub(crate) struct SavedQueryCache(Cache<String, Arc<SavedQuery>>);

impl Default for SavedQueryCache {
    fn default() -> Self {
        let weigh = |key: &String, saved: &Arc<SavedQuery>| {
            u32::try_from(key.len() + saved.memory_bytes() + ENTRY_OVERHEAD_BYTES).unwrap_or(u32::MAX)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn variables_titles_and_keys_count_against_the_size() {
        let saved = SavedQuery {
            hash: String::new(),
            document_hash: String::new(),
            name: None,
            title: None,
            document: String::new(),
            operation_name: None,
            variables: Map::new(),
            saved_by: String::new(),
            saved_at: DateTime::UNIX_EPOCH,
        };
        let text = || "x".repeat(100_000);
        let with_items = |items: Json| SavedQuery { variables: Map::from_iter([("a".to_owned(), items)]), ..saved.clone() };
        let large = [
            SavedQuery { title: Some(text()), ..saved.clone() },
            SavedQuery { name: Some(text()), ..saved.clone() },
            SavedQuery { document: text(), ..saved.clone() },
            SavedQuery { operation_name: Some(text()), ..saved.clone() },
            with_items(json!(text())),
            with_items(json!({text(): 1})),
            // 12,500 values of two bytes of JSON take 32 bytes each
            with_items(json!(vec![1; 12_500])),
        ];
        for saved in large {
            let cache = SavedQueryCache::default();
            for number in 0..200 {
                cache.insert(number.to_string(), saved.clone());
            }
            cache.0.run_pending_tasks();
            assert!(cache.0.weighted_size() <= CACHE_BYTES);
            assert!(cache.0.entry_count() <= CACHE_BYTES / 100_000, "{}", cache.0.entry_count());
        }
        let cache = SavedQueryCache::default();
        for number in 0..200 {
            cache.insert(format!("{number}{}", text()), saved.clone());
        }
        cache.0.run_pending_tasks();
        assert!(cache.0.weighted_size() <= CACHE_BYTES && cache.0.entry_count() <= CACHE_BYTES / 100_000);
    }
}

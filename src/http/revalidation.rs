//! What a server remembers to revalidate responses.

use std::sync::{Arc, OnceLock};

use moka::sync::Cache;

/// Entity tags of responses that a server remembers, for about 100 bytes each.
const MAX_KNOWN_TAGS: u64 = 20_000;

/// What a server needs to revalidate responses.
#[derive(Debug, Clone)]
pub struct Revalidation {
    /// Digest of everything besides the request and the dataset that decides a response.
    pub(super) settings: Arc<OnceLock<[u8; 32]>>,
    /// Entity tags of responses that were sent.
    pub(super) known: Cache<ETagKey, ()>,
}

/// The start of the digest in an entity tag.
pub(super) type ETagKey = [u8; 12];

impl Default for Revalidation {
    fn default() -> Self {
        Self { settings: Arc::default(), known: Cache::new(MAX_KNOWN_TAGS) }
    }
}

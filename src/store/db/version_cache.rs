//! The dataset version, cached for the generation it was read in.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;

/// The version of the dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatasetVersion {
    /// Strictly increases with every change.
    pub number: i64,
    /// Instant of the last change; strictly increasing.
    pub changed_at: DateTime<Utc>,
    /// Instant of the last check of a source or a jurisdiction, whether or not it led to a change; strictly increasing.
    pub checked_at: Option<DateTime<Utc>>,
    /// The generation before the version was read. Reads that follow observe this version or a later one.
    pub generation: Option<u64>,
}

/// Guarantees that reads made after its creation observe at least the dataset version read after its creation. The
/// guarantee is lost if the primary goes down: a replica that lacks the latest writes may then answer.
#[derive(Debug, Clone)]
pub struct ConsistencyGuard {
    outages: Arc<AtomicU64>,
    outages_at_start: u64,
}

impl ConsistencyGuard {
    /// Begins to watch for outages of the primary.
    pub(crate) fn new(outages: Arc<AtomicU64>) -> Self {
        Self { outages_at_start: outages.load(Ordering::Acquire), outages }
    }

    /// Whether the guarantee has held until now.
    pub fn holds(&self) -> bool {
        self.outages.load(Ordering::Acquire) == self.outages_at_start
    }
}

/// The version of the latest generation for which it was read.
#[derive(Debug, Default)]
pub(crate) struct VersionCache {
    cached: RwLock<Option<(u64, DatasetVersion)>>,
    /// Held while the version is read, so that concurrent callers share the read.
    pub(super) reading: Mutex<()>,
}

impl VersionCache {
    /// The cached version and its generation.
    pub(super) fn get(&self) -> Option<(u64, DatasetVersion)> {
        self.cached.read().ok().and_then(|cached| *cached)
    }

    pub(super) fn set(&self, generation: u64, version: DatasetVersion) {
        if let Ok(mut cached) = self.cached.write() {
            *cached = Some((generation, version));
        }
    }
}

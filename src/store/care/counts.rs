//! The latest counts of records that need care. They scan all records, and change only with the dataset and with time.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::entity::RecordType;
use crate::store::sql::filter::Visibility;

/// Age from which counts are made again: some records need care because time has passed.
const MAX_COUNT_AGE: TimeDelta = TimeDelta::minutes(1);

/// Counts by the name of the reason and the type of the records.
pub(crate) type Counts = HashMap<(&'static str, RecordType), u64>;

/// Counts of one state of the dataset.
#[derive(Debug, Clone, Default)]
pub(crate) struct CareCounts(Arc<Mutex<KnownCounts>>);

#[derive(Debug, Default)]
pub(crate) struct KnownCounts {
    /// Generation of the dataset that was counted. Not set if changes may be missed.
    generation: Option<u64>,
    counted_at: Option<DateTime<Utc>>,
    visibility: Option<Visibility>,
    pub(crate) counts: Counts,
}

impl CareCounts {
    /// The counts of this generation of the dataset that are known. Requests that count at the same time wait for each other,
    /// and each counts what the others have not.
    pub(crate) async fn lock(&self, generation: Option<u64>, now: DateTime<Utc>, visibility: Visibility) -> OwnedMutexGuard<KnownCounts> {
        let mut known = self.0.clone().lock_owned().await;
        let is_recent = known.counted_at.is_some_and(|counted_at| now - counted_at < MAX_COUNT_AGE);
        if !is_recent || generation.is_none() || known.generation != generation || known.visibility != Some(visibility) {
            *known = KnownCounts { generation, counted_at: Some(now), visibility: Some(visibility), counts: Counts::new() };
        }
        known
    }
}

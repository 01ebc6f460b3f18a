//! What is computed from the whole dataset, and changes only with the dataset and with time: it is kept for the latest state.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::store::sql::filter::Visibility;

/// Age from which a value is computed again.
const MAX_AGE: TimeDelta = TimeDelta::minutes(1);

/// A value of one state of the dataset.
#[derive(Debug, Clone, Default)]
pub(crate) struct DerivedCache<T>(Arc<Mutex<Derived<T>>>);

/// The value, which is empty as long as nothing was computed from the state.
#[derive(Debug, Default)]
pub(crate) struct Derived<T> {
    /// Generation of the dataset.
    generation: Option<u64>,
    computed_at: Option<DateTime<Utc>>,
    visibility: Option<Visibility>,
    pub(crate) value: T,
}

impl<T: Default> DerivedCache<T> {
    /// The value of this generation of the dataset. Requests that compute it at the same time wait for each other, and each
    /// adds what the others have not computed. Without a generation, the value is empty and is not kept.
    pub(crate) async fn lock(&self, generation: Option<u64>, now: DateTime<Utc>, visibility: Visibility) -> OwnedMutexGuard<Derived<T>> {
        if generation.is_none() {
            return Arc::new(Mutex::new(Derived::default())).lock_owned().await;
        }
        let mut derived = self.0.clone().lock_owned().await;
        let is_recent = derived.computed_at.is_some_and(|computed_at| now - computed_at < MAX_AGE);
        if !is_recent || derived.generation != generation || derived.visibility != Some(visibility) {
            *derived = Derived { generation, computed_at: Some(now), visibility: Some(visibility), value: T::default() };
        }
        derived
    }
}

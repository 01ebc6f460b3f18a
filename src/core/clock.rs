//! The source of instants and new ids, injected so that an import can be repeated exactly.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

/// Source of instants and new ids.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The system clock, and random ids.
    #[default]
    System,
    /// A fixed instant, and sequential ids: the same import gives the same bytes.
    Fixed(DateTime<Utc>, Arc<AtomicU64>),
}

impl Clock {
    /// A clock fixed at this instant.
    pub fn fixed(at: DateTime<Utc>) -> Self {
        Self::Fixed(at, Arc::new(AtomicU64::new(0)))
    }

    /// The current instant, truncated to microseconds, the precision of PostgreSQL.
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::System => Utc::now().trunc_subsecs(6),
            Self::Fixed(at, _) => *at,
        }
    }

    /// A new UUIDv7, greater than every one this clock has returned.
    pub fn new_uuid(&self) -> Uuid {
        match self {
            Self::System => Uuid::now_v7(),
            Self::Fixed(at, next) => {
                let count = next.fetch_add(1, Ordering::Relaxed).to_be_bytes();
                let mut random = [0; 10];
                random[2..].copy_from_slice(&count);
                let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
                uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
            }
        }
    }
}

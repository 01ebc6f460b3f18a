//! The clock: the only source of time and of new ids, so that an import with a fixed clock is reproducible.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

/// Fractional digits of a timestamp: microseconds, the precision of PostgreSQL.
const TIMESTAMP_DIGITS: u16 = 6;

/// Source of timestamps and new ids.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The system clock, and random ids.
    #[default]
    System,
    /// A constant timestamp, and ids from a counter: the same import produces the same bytes.
    Fixed(DateTime<Utc>, Arc<AtomicU64>),
}

impl Clock {
    /// A clock that always returns this timestamp.
    pub fn fixed(at: DateTime<Utc>) -> Self {
        Self::Fixed(at, Arc::new(AtomicU64::new(0)))
    }

    /// The current time in microseconds.
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            #[allow(clippy::disallowed_methods, reason = "the clock is the one place that reads the system clock")]
            Self::System => Utc::now().trunc_subsecs(TIMESTAMP_DIGITS),
            Self::Fixed(at, _) => *at,
        }
    }

    /// A new UUIDv7, greater than all that this clock has returned before.
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

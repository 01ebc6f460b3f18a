//! Database statistics of one operation, collected from all statements that it executes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

tokio::task_local! {
    static CURRENT: Arc<StatementStats>;
}

/// Statistics of the statements of an operation.
#[derive(Debug, Default)]
pub struct StatementStats {
    statements: AtomicU64,
    nanoseconds: AtomicU64,
    rows: AtomicU64,
}

impl StatementStats {
    /// Runs a future and collects the statistics of its statements.
    pub async fn scope<T>(self: &Arc<Self>, future: impl Future<Output = T>) -> T {
        CURRENT.scope(self.clone(), future).await
    }

    /// The statistics of the current operation, to be handed to a task that is spawned for a part of it.
    pub fn current() -> Arc<Self> {
        CURRENT.try_with(Arc::clone).unwrap_or_default()
    }

    /// Number of statements.
    pub fn statements(&self) -> u64 {
        self.statements.load(Relaxed)
    }

    /// Sum of the durations of the statements, including those that ran concurrently.
    pub fn database_time(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Relaxed))
    }

    /// Number of rows that the statements returned.
    pub fn rows(&self) -> u64 {
        self.rows.load(Relaxed)
    }
}

/// Adds a statement to the current operation.
pub(super) fn record_statement(duration: Duration) {
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    let _ = CURRENT.try_with(|stats| {
        stats.statements.fetch_add(1, Relaxed);
        stats.nanoseconds.fetch_add(nanoseconds, Relaxed);
    });
}

/// Adds rows to the current operation.
pub fn record_rows(count: usize) {
    let _ = CURRENT.try_with(|stats| stats.rows.fetch_add(count as u64, Relaxed));
}

//! What one operation costs: its statements, wherever in it they are run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

tokio::task_local! {
    static TALLY: Arc<Tally>;
}

/// The statements of an operation.
#[derive(Debug, Default)]
pub struct Tally {
    statements: AtomicU64,
    nanoseconds: AtomicU64,
    rows: AtomicU64,
}

impl Tally {
    /// Runs something and counts the statements that it runs.
    pub async fn of<T>(self: &Arc<Self>, run: impl Future<Output = T>) -> T {
        TALLY.scope(self.clone(), run).await
    }

    /// That of the operation under way, for a part of it that runs by itself.
    pub fn current() -> Arc<Self> {
        TALLY.try_with(Arc::clone).unwrap_or_default()
    }

    /// Number of statements.
    pub fn statements(&self) -> u64 {
        self.statements.load(Relaxed)
    }

    /// Time that they took; of statements that ran side by side, the sum.
    pub fn database(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Relaxed))
    }

    /// Rows that readers were given by them.
    pub fn rows(&self) -> u64 {
        self.rows.load(Relaxed)
    }
}

/// The operation under way ran a statement.
pub(super) fn statement(took: Duration) {
    let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
    let _ = TALLY.try_with(|tally| {
        tally.statements.fetch_add(1, Relaxed);
        tally.nanoseconds.fetch_add(nanoseconds, Relaxed);
    });
}

/// The operation under way was given rows.
pub fn rows(count: usize) {
    let _ = TALLY.try_with(|tally| tally.rows.fetch_add(count as u64, Relaxed));
}

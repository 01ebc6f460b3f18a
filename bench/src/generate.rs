//! Writes the synthetic dataset through the store, one transaction per batch, and prints the throughput.

use std::io::{Write, stdout};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use chrono::DateTime;
use clap::Args;
use kurultai::catalog::catalog;
use kurultai::core::clock::Clock;
use kurultai::entity::RecordType;
use kurultai::store::draft::Draft;
use kurultai::store::write::{Author, Drafts, WriteError};
use kurultai::store::{Store, StoreOptions};

use crate::dataset::{Dataset, RecordCounts};

/// Database and size of the dataset.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "the comments are help texts, which are not Markdown")]
pub struct Arguments {
    /// Database that has the schema and no records: sqlite://path or postgres://user@host/database
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// Seed of the dataset: the same arguments produce the same records
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Number of cases
    #[arg(long, default_value_t = 500_000, value_parser = clap::value_parser!(u64).range(1..))]
    cases: u64,
    /// Number of people
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    people: u64,
    /// Number of provisions
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..))]
    provisions: u64,
    /// Number of laws
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    laws: u64,
    /// Records per transaction
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    batch: u64,
}

/// Interval between progress messages.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);
/// Time of the first batch, in seconds since the Unix epoch (2026-01-01T00:00:00Z); each batch is one second later.
const FIRST_BATCH_TIMESTAMP: i64 = 1_767_225_600;

/// Writes the dataset and prints the throughput of each type.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let counts = RecordCounts {
        jurisdictions: 18,
        courts: 200,
        sources: (arguments.cases / 50).max(1),
        people: arguments.people,
        laws: arguments.laws,
        provisions: arguments.provisions,
        cases: arguments.cases,
    };
    let options =
        StoreOptions { max_connections: 2, acquire_timeout: Duration::from_secs(30), ..StoreOptions::new(&arguments.database_url) };
    let mut store = Store::connect(&options, Clock::System).await.context("cannot open the database")?;
    let pending = store.migrations().await.context("cannot determine the schema version of the database")?.pending;
    ensure!(pending == 0, "the database lacks {pending} migrations; run \"kurultai migrate\" first");

    let dataset = Dataset::new(arguments.seed, counts);
    let author = Author { by: "kurultai-bench".to_owned(), message: Some(format!("synthetic dataset of seed {}", arguments.seed)) };
    // shared by all batches, so that ids are unique and the same in every run
    let ids = Arc::new(AtomicU64::new(0));
    let mut batches = 0;
    store.prepare_bulk_write().await.context("cannot prepare the database")?;
    let run_started = Instant::now();
    let mut total = Written::default();
    for (ty, count) in counts.in_write_order() {
        let started = Instant::now();
        let mut written = Written::default();
        let mut slowest_batch = Duration::ZERO;
        let mut last_progress = started;
        let mut start = 0;
        while start < count {
            let end = count.min(start + arguments.batch);
            let drafts: Vec<Draft> = (start..end).map(|number| dataset.record(ty, number)).collect();
            for draft in &drafts {
                written.add(ty, draft);
            }
            let drafts = vec![(ty, drafts)];
            let at = DateTime::from_timestamp(FIRST_BATCH_TIMESTAMP + batches, 0).context("the time of the batch is out of range")?;
            store.clock = Clock::Fixed(at, ids.clone());
            let batch_started = Instant::now();
            write_batch(&store, &drafts, &author, end - start).await?;
            slowest_batch = slowest_batch.max(batch_started.elapsed());
            batches += 1;
            start = end;
            if last_progress.elapsed() > PROGRESS_INTERVAL {
                last_progress = Instant::now();
                eprintln!("{}: {start} of {count}, {:.0} per second", ty.name(), rate(start, started.elapsed()));
            }
        }
        total.records += written.records;
        total.parts += written.parts;
        total.rows += written.rows;
        written.print(ty.name(), started.elapsed(), &format!(", slowest batch {:.2} s", slowest_batch.as_secs_f64()))?;
    }
    total.print("all", run_started.elapsed(), "")?;
    let maintenance_started = Instant::now();
    store.run_upkeep().await.context("cannot run the maintenance")?;
    writeln!(stdout(), "maintenance: {:.1} s", maintenance_started.elapsed().as_secs_f64())?;
    Ok(())
}

/// Writes one batch, all of whose `count` records must be new.
async fn write_batch(store: &Store, drafts: &Drafts, author: &Author, count: u64) -> anyhow::Result<()> {
    let summary = match store.write(drafts, author, |_| ()).await {
        Ok(summary) => summary,
        Err(WriteError::Problems(problems)) => {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            bail!("the batch has {} problems; the first: {first}", problems.len())
        }
        Err(WriteError::Failed(error)) => return Err(error).context("cannot write a batch; the database must be empty"),
    };
    ensure!(summary.created as u64 == count, "the database already has records of this dataset; use an empty database");
    Ok(())
}

/// Numbers of written records and rows.
#[derive(Debug, Clone, Copy, Default)]
struct Written {
    records: u64,
    /// Parts of these records.
    parts: u64,
    /// Rows of records and parts, of the registry of ids and of the history, and search documents, without spelling variants.
    rows: u64,
}

impl Written {
    /// Adds a new record.
    fn add(&mut self, ty: RecordType, draft: &Draft) {
        self.records += 1;
        // its revision and its search document
        self.rows += 2;
        self.add_rows(ty, draft);
    }

    fn add_rows(&mut self, ty: RecordType, draft: &Draft) {
        self.rows += if catalog().get(ty).is_cited() { 2 } else { 1 };
        for (ty, parts) in &draft.parts {
            self.parts += parts.len() as u64;
            for part in parts {
                self.add_rows(*ty, part);
            }
        }
    }

    fn print(&self, label: &str, duration: Duration, suffix: &str) -> anyhow::Result<()> {
        let Self { records, parts, rows } = self;
        writeln!(
            stdout(),
            "{label:<13} {records:>8} in {:>7.1} s: {:>6.0} per second, {:>6.0} with their parts, {:>6.0} rows{suffix}",
            duration.as_secs_f64(),
            rate(*records, duration),
            rate(records + parts, duration),
            rate(*rows, duration)
        )?;
        Ok(())
    }
}

fn rate(count: u64, duration: Duration) -> f64 {
    count as f64 / duration.as_secs_f64().max(1e-9)
}

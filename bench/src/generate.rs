//! Writes the synthetic dataset through the store, one transaction for each batch.

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
use kurultai::store::write::{Author, WriteError};
use kurultai::store::{Store, StoreOptions};

use crate::dataset::{Dataset, Sizes};

/// What to write, and where.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Database that has the schema and no records: sqlite://path or postgres://user@host/database
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// Number that the dataset follows from
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Cases
    #[arg(long, default_value_t = 500_000, value_parser = clap::value_parser!(u64).range(1..))]
    cases: u64,
    /// People
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    people: u64,
    /// Provisions
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..))]
    provisions: u64,
    /// Laws
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    laws: u64,
    /// Records in one transaction
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    batch: u64,
}

/// The instant of the first batch (2026-01-01T00:00:00Z); each batch is written a second after the one before.
const BEGINNING: i64 = 1_767_225_600;

/// Writes the dataset and says how fast it went.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let sizes = Sizes {
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
    let pending = store.migrations().await.context("cannot read the schema of the database")?.pending;
    ensure!(pending == 0, "the database lacks {pending} changes of its schema; run \"kurultai migrate\" first");

    let dataset = Dataset::new(arguments.seed, sizes);
    let author = Author { by: "kurultai-bench".to_owned(), message: Some(format!("synthetic dataset of seed {}", arguments.seed)) };
    // one counter for all batches: ids go on from batch to batch, and are the same in every run
    let ids = Arc::new(AtomicU64::new(0));
    let mut batches = 0;
    store.prepare_bulk_write().await.context("cannot prepare the database")?;
    let begun = Instant::now();
    let mut written = Written::default();
    for (ty, count) in sizes.in_order() {
        let started = Instant::now();
        let mut of_type = Written::default();
        let mut slowest = Duration::ZERO;
        let mut said = started;
        let mut from = 0;
        while from < count {
            let to = count.min(from + arguments.batch);
            let drafts: Vec<Draft> = (from..to).map(|number| dataset.record(ty, number)).collect();
            drafts.iter().for_each(|draft| of_type.add(ty, draft));
            let drafts = vec![(ty, drafts)];
            let at = DateTime::from_timestamp(BEGINNING + batches, 0).context("the clock is out of range")?;
            store.clock = Clock::Fixed(at, ids.clone());
            let batch_started = Instant::now();
            let outcome = match store.write(&drafts, &author, |_| ()).await {
                Ok(outcome) => outcome,
                Err(WriteError::Problems(problems)) => {
                    let first = problems.first().map(ToString::to_string).unwrap_or_default();
                    bail!("{} problems, the first: {first}", problems.len())
                }
                Err(WriteError::Failed(error)) => {
                    return Err(error).context("a batch was not written; is the database empty, as it must be?");
                }
            };
            ensure!(outcome.created as u64 == to - from, "the database holds records of this dataset already; begin with an empty one");
            slowest = slowest.max(batch_started.elapsed());
            batches += 1;
            from = to;
            if said.elapsed() > Duration::from_secs(10) {
                said = Instant::now();
                eprintln!("{}: {from} of {count}, {:.0} a second", ty.name(), rate(from, started.elapsed()));
            }
        }
        written.records += of_type.records;
        written.parts += of_type.parts;
        written.rows += of_type.rows;
        of_type.tell(ty.name(), started.elapsed(), &format!(", slowest batch {:.2} s", slowest.as_secs_f64()))?;
    }
    written.tell("all", begun.elapsed(), "")?;
    let tidied = Instant::now();
    store.run_upkeep().await.context("cannot tidy up")?;
    writeln!(stdout(), "tidied up in {:.1} s", tidied.elapsed().as_secs_f64())?;
    Ok(())
}

/// How much was written.
#[derive(Debug, Clone, Copy, Default)]
struct Written {
    records: u64,
    /// Parts of the records.
    parts: u64,
    /// Rows of records and parts, of the register of ids, of the history and of search, without spellings of words.
    rows: u64,
}

impl Written {
    /// Counts a record that is new.
    fn add(&mut self, ty: RecordType, draft: &Draft) {
        self.records += 1;
        // revision and search document
        self.rows += 2;
        self.add_rows(ty, draft);
    }

    fn add_rows(&mut self, ty: RecordType, draft: &Draft) {
        self.rows += if catalog().get(ty).is_cited() { 2 } else { 1 };
        for (ty, parts) in &draft.parts {
            self.parts += parts.len() as u64;
            parts.iter().for_each(|part| self.add_rows(*ty, part));
        }
    }

    fn tell(&self, what: &str, took: Duration, more: &str) -> anyhow::Result<()> {
        let Self { records, parts, rows } = self;
        writeln!(
            stdout(),
            "{what:<13} {records:>8} in {:>7.1} s: {:>6.0} a second, {:>6.0} with their parts, {:>6.0} rows{more}",
            took.as_secs_f64(),
            rate(*records, took),
            rate(records + parts, took),
            rate(*rows, took)
        )?;
        Ok(())
    }
}

#[allow(clippy::cast_precision_loss)]
fn rate(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64().max(1e-9)
}

//! Background writes of the mixed workload: one record per second through the store, as an import does.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use kurultai::catalog::catalog;
use kurultai::core::clock::Clock;
use kurultai::core::ids::FieldId;
use kurultai::entity::RecordType;
use kurultai::store::draft::{Draft, DraftValue, Origin};
use kurultai::store::read::result::Cell;
use kurultai::store::write::{Author, WriteError};
use kurultai::store::{Store, StoreOptions};
use serde_json::json;

use crate::client::Connection;
use crate::target::Target;
use crate::workload::sample::Samples;

/// Number of cases that are changed in turn.
const WRITTEN_CASES: usize = 16;

/// Changes the docket numbers of a few cases, and restores them.
#[derive(Debug)]
pub struct Writer {
    store: Store,
    author: Author,
    docket_field: FieldId,
    /// Slugs and original docket numbers.
    cases: Vec<(String, String)>,
    latencies: Vec<Duration>,
}

impl Writer {
    /// Opens the database, and fetches the original docket numbers from the target.
    pub async fn open(url: &str, target: &Target, samples: &Samples) -> anyhow::Result<Self> {
        const QUERY: &str = "query ($id: ID!) { case(by: {id: $id}) { slug docketNumber } }";
        let options = StoreOptions { max_connections: 2, acquire_timeout: Duration::from_secs(30), ..StoreOptions::new(url) };
        let store = Store::connect(&options, Clock::System).await.context("cannot open the database to write to")?;
        let docket_field = catalog().get(RecordType::Case).field_id("docketNumber").context("cases have no docketNumber")?;
        let mut api = Connection::open(&target.address).await?;
        let mut cases = Vec::new();
        for case in samples.cases.iter().step_by((samples.cases.len() / WRITTEN_CASES).max(1)).take(WRITTEN_CASES) {
            let case = &api.query(QUERY, json!({"id": case.id})).await?["case"];
            let text = |name: &str| case[name].as_str().map(str::to_owned).with_context(|| format!("a case has no {name}"));
            cases.push((text("slug")?, text("docketNumber")?));
        }
        let author = Author { by: "kurultai-bench".to_owned(), message: Some("load".to_owned()) };
        Ok(Self { store, author, docket_field, cases, latencies: Vec::new() })
    }

    /// Writes one case per second, the first immediately.
    pub async fn write_until(&mut self, end: Instant) -> anyhow::Result<()> {
        let mut interval = tokio::time::interval(Duration::from_secs(1));
        while tokio::time::timeout_at(end.into(), interval.tick()).await.is_ok() {
            let started = Instant::now();
            let number = self.latencies.len();
            let (slug, docket) = &self.cases[number % self.cases.len()];
            // always a new value: an unchanged record is not written
            self.write(vec![self.draft(slug, format!("{docket} {}", number + 1))]).await?;
            self.latencies.push(started.elapsed());
        }
        Ok(())
    }

    /// Restores the original docket numbers.
    pub async fn restore(&self) -> anyhow::Result<()> {
        self.write(self.cases.iter().map(|(slug, docket)| self.draft(slug, docket.clone())).collect()).await
    }

    fn draft(&self, slug: &str, docket: String) -> Draft {
        let values = vec![(self.docket_field, DraftValue::Cell(Cell::Text(docket)), Origin::default())];
        Draft { name: Some(slug.to_owned()), values, ..Draft::default() }
    }

    async fn write(&self, drafts: Vec<Draft>) -> anyhow::Result<()> {
        match self.store.write(&vec![(RecordType::Case, drafts)], &self.author, |_| ()).await {
            Ok(_) => Ok(()),
            Err(WriteError::Problems(problems)) => bail!("cannot write a case: {problems:?}"),
            Err(WriteError::Failed(error)) => Err(error).context("cannot write a case"),
        }
    }
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut latencies = self.latencies.clone();
        latencies.sort_unstable();
        let median = latencies.get(latencies.len() / 2).copied().unwrap_or_default();
        let slowest = latencies.last().copied().unwrap_or_default();
        write!(
            f,
            "{} writes, median {:.1} ms, slowest {:.1} ms",
            latencies.len(),
            median.as_secs_f64() * 1_000.0,
            slowest.as_secs_f64() * 1_000.0
        )
    }
}

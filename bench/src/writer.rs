//! Writes one record a second while servers are asked, through the store, as an import does.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use kurultai::catalog::catalog;
use kurultai::core::clock::Clock;
use kurultai::entity::RecordType;
use kurultai::store::draft::{Draft, DraftValue, Origin};
use kurultai::store::read::result::Cell;
use kurultai::store::write::{Author, WriteError};
use kurultai::store::{Store, StoreOptions};
use serde_json::json;

use crate::client::{Connection, Server};
use crate::pools::Pools;

/// Cases that are changed, in turn.
const CASES: usize = 16;

/// Changes docket numbers of a few cases, and puts them back.
#[derive(Debug)]
pub struct Writer {
    store: Store,
    author: Author,
    field: usize,
    /// Slugs and docket numbers as they were.
    cases: Vec<(String, String)>,
    written: Vec<Duration>,
}

impl Writer {
    /// Opens the database; the server tells what is in it.
    pub async fn open(url: &str, server: &Server, pools: &Pools) -> anyhow::Result<Self> {
        const CASE: &str = "query ($id: ID!) { case(by: {id: $id}) { slug docketNumber } }";
        let options = StoreOptions { max_connections: 2, acquire_timeout: Duration::from_secs(30), ..StoreOptions::new(url) };
        let store = Store::connect(&options, Clock::System).await.context("cannot open the database to write to")?;
        let field = catalog().get(RecordType::Case).field_index("docketNumber").context("cases have no docket number")?;
        let mut api = Connection::open(&server.address).await?;
        let mut cases = Vec::new();
        for place in pools.places.iter().step_by((pools.places.len() / CASES).max(1)).take(CASES) {
            let case = &api.query(CASE, json!({"id": place.id})).await?["case"];
            let text = |name: &str| case[name].as_str().map(str::to_owned).with_context(|| format!("a case has no {name}"));
            cases.push((text("slug")?, text("docketNumber")?));
        }
        let author = Author { by: "kurultai-bench".to_owned(), message: Some("load".to_owned()) };
        Ok(Self { store, author, field, cases, written: Vec::new() })
    }

    /// Writes one case each second, the first at once.
    pub async fn write_until(&mut self, end: Instant) -> anyhow::Result<()> {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        while tokio::time::timeout_at(end.into(), second.tick()).await.is_ok() {
            let started = Instant::now();
            let number = self.written.len();
            let (slug, docket) = &self.cases[number % self.cases.len()];
            // never the same twice: what does not change is not written
            self.write(vec![self.draft(slug, format!("{docket} {}", number + 1))]).await?;
            self.written.push(started.elapsed());
        }
        Ok(())
    }

    /// Writes all docket numbers as they were.
    pub async fn put_back(&self) -> anyhow::Result<()> {
        self.write(self.cases.iter().map(|(slug, docket)| self.draft(slug, docket.clone())).collect()).await
    }

    fn draft(&self, slug: &str, docket: String) -> Draft {
        let values = vec![(self.field, DraftValue::Cell(Cell::Text(docket)), Origin::default())];
        Draft { name: Some(slug.to_owned()), values, ..Draft::default() }
    }

    async fn write(&self, drafts: Vec<Draft>) -> anyhow::Result<()> {
        match self.store.write(&vec![(RecordType::Case, drafts)], &self.author, |_| ()).await {
            Ok(_) => Ok(()),
            Err(WriteError::Problems(problems)) => bail!("a case was not written: {problems:?}"),
            Err(WriteError::Failed(error)) => Err(error).context("a case was not written"),
        }
    }
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut times = self.written.clone();
        times.sort_unstable();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        let slowest = times.last().copied().unwrap_or_default();
        write!(
            f,
            "{} writes, median {:.1} ms, slowest {:.1} ms",
            times.len(),
            median.as_secs_f64() * 1_000.0,
            slowest.as_secs_f64() * 1_000.0
        )
    }
}

//! Runs of an import set: what the batches of one import held, until the set is pruned. A server receives an import in many
//! requests, and only all of them together tell what is gone.
//!
//! A run is stored among the sets, under a name that no set has, with its day. Runs that were not ended are removed after a week.

use std::collections::HashSet;

use chrono::{Days, NaiveDate};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::core::digest::sha256_hex;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::sql::bulk_insert::{Batching, ConflictAction, InsertTarget, insert};
use crate::store::{Store, database};

/// Table of the records of sets.
pub(super) const TABLE: &str = "import_sets";
/// Beginning of the names under which runs are stored; those of sets are hexadecimal.
pub(super) const RUN_PREFIX: &str = "run:";
/// Days after which a run that was not ended is removed.
const MAX_RUN_DAYS: u64 = 7;

/// The name under which a set is stored.
pub(super) fn set_hash(name: &str) -> String {
    sha256_hex(name)
}

/// Whether records of a type are pruned. Sources are not: an import finds one by its URL without having it in a file.
pub(super) fn is_pruned(ty: RecordType) -> bool {
    ty != RecordType::Source
}

/// One import of a set.
#[derive(Debug, Clone)]
pub struct ImportRun {
    /// Name of the set.
    pub set: String,
    /// Name of the run, which all of its batches have.
    pub run: String,
}

impl ImportRun {
    /// Beginning of the names of all runs of the set.
    fn prefix(&self) -> String {
        format!("{RUN_PREFIX}{}:", set_hash(&self.set))
    }

    fn name(&self, day: NaiveDate) -> String {
        format!("{}{day}:{}", self.prefix(), sha256_hex(&self.run))
    }

    /// Pattern of the names of the run, on whatever day its batches came.
    fn pattern(&self) -> String {
        format!("{}%:{}", self.prefix(), sha256_hex(&self.run))
    }
}

impl Store {
    /// Adds the records that a batch held to its run. The set gets them once the run ends.
    pub async fn add_to_import_run(&self, run: &ImportRun, held: &[(RecordType, Uuid)]) -> Result<()> {
        let transaction = self.begin_exclusive().await?;
        let today = self.clock.now().date_naive();
        let name = run.name(today);
        let held = held.iter().filter(|(ty, _)| is_pruned(*ty));
        let rows = held.map(|(_, id)| vec![name.as_str().into(), (*id).into()]).collect();
        let columns = ["hash", "record_id"];
        let target = InsertTarget { table: TABLE, columns: &columns, on_conflict: ConflictAction::Ignore, batching: Batching::Fastest };
        insert(&transaction, target, rows).await?;
        let oldest = today.checked_sub_days(Days::new(MAX_RUN_DAYS)).ok_or_else(|| internal("the clock is before the first day"))?;
        let outdated = Query::delete()
            .from_table(Alias::new(TABLE))
            .and_where(Expr::col("hash").like(format!("{}%", run.prefix())))
            .and_where(Expr::col("hash").lt(format!("{}{oldest}", run.prefix())))
            .to_owned();
        transaction.execute(&outdated).await.map_err(database)?;
        // nothing that is read has changed
        transaction.commit().await.map_err(database)
    }
}

/// Ends a run: takes the records that its batches held.
pub(super) async fn take_run(transaction: &DatabaseTransaction, run: &ImportRun) -> Result<HashSet<Uuid>> {
    let select = Query::select().column("record_id").distinct().from(TABLE).and_where(Expr::col("hash").like(run.pattern())).to_owned();
    let rows = transaction.query_all(&select).await.map_err(database)?;
    let held = rows.iter().map(|row| row.try_get_by_index(0)).collect::<std::result::Result<_, _>>().map_err(internal)?;
    let delete = Query::delete().from_table(Alias::new(TABLE)).and_where(Expr::col("hash").like(run.pattern())).to_owned();
    transaction.execute(&delete).await.map_err(database)?;
    Ok(held)
}

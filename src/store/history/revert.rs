//! Earlier states of a record: to look at, to compare, and to go back to.

use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::catalog::record::{Record, catalog};
use crate::core::auth::Role;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::curation::delete::{at, field};
use crate::store::draft::value_tree;
use crate::store::draft::{Draft, InputProblem, ProblemCode, WriteMode, WriteTarget, parse};
use crate::store::history::state;
use crate::store::read::result::Cell;
use crate::store::write::apply::{Existing, load, types};
use crate::store::write::{Author, WriteError, WriteSession, WriteSummary};
use crate::store::{Store, database};

/// Fields that going back leaves as they are.
const KEPT: [&str; 2] = ["slug", "published"];

impl Store {
    /// A record as it was after a change of it, as the map that it could be given as; nothing where there was no such
    /// change, or where it is not to be seen.
    pub async fn state(&self, ty: RecordType, id: Uuid, number: i64, role: Role) -> Result<Option<Json>> {
        let author = Author { by: String::new(), message: None };
        let transaction = self.pools.primary.begin().await.map_err(database)?;
        let reading = WriteSession { store: self, transaction, author: &author };
        let state = reading.state_at(catalog().get(ty), id, number, role.sees_drafts()).await?;
        reading.transaction.rollback().await.map_err(database)?;
        let mut state = state.map(state::given);
        if let Some(state) = state.as_mut().filter(|_| !role.sees_drafts()) {
            self.veil_state(state).await?;
        }
        Ok(state)
    }

    /// Writes a record as it was after an earlier change; a record that was deleted is made again.
    pub async fn revert(
        &self,
        ty: RecordType,
        id: Uuid,
        number: i64,
        expected: Option<i64>,
        author: &Author,
    ) -> Result<WriteSummary, WriteError> {
        let writing = self.begin(author).await?;
        let record = catalog().get(ty);
        let Some(earlier) = writing.state_at(record, id, number, true).await? else {
            let message = format!("there is no revision {number} of this {}", record.singular());
            return Err(WriteError::Problems(vec![InputProblem::new(at("toRevision"), message).of(ProblemCode::NotFound)]));
        };
        let is_there = !load(&writing.transaction, record, "id", &[id]).await?.is_empty();
        let keep: &[&str] = if is_there { &KEPT } else { &[] };
        let tree = value_tree::of_json(&state::whole(record, earlier, keep));
        let draft = parse::state(record, &tree, &at("record")).map_err(WriteError::Problems)?;
        let mode = if is_there { WriteMode::Update } else { WriteMode::Create };
        let latest = revisions(&writing.transaction, id).await?.first().map_or(0, |revision| revision.number);
        let aim = WriteTarget { mode, id: Some(id), revision: expected, latest, restates: true };
        let outcome = writing.write(&vec![(ty, vec![Draft { aim, ..draft }])], &|_| {}).await?;
        writing.commit().await?;
        Ok(outcome)
    }
}

impl WriteSession<'_> {
    /// The state of a record after a change of it, with the places of its parts.
    async fn state_at(&self, record: &'static Record, id: Uuid, number: i64, drafts: bool) -> Result<Option<Json>> {
        let revisions = revisions(&self.transaction, id).await?;
        if !revisions.iter().any(|revision| revision.number == number && (drafts || revision.published)) {
            return Ok(None);
        }
        let row = load(&self.transaction, record, "id", &[id]).await?.pop();
        let is_seen = |row: &Existing| drafts || field(record, row, "published") == &Cell::Boolean(true);
        if !row.as_ref().map_or(drafts, |(_, row)| is_seen(row)) {
            return Ok(None);
        }
        let mut state = match &row {
            Some((_, row)) => {
                let types = types(&self.transaction, record, std::iter::once(row)).await?;
                state::of(record, row, &types, &Default::default())
            }
            None => Json::Object(Map::new()),
        };
        // what was told of coming and going of the whole record changed nothing in it
        let whole = |kind: &str| matches!(kind, "published" | "unpublished");
        for revision in revisions.iter().filter(|revision| revision.number > number && !whole(&revision.kind)) {
            for change in revision.changes.as_array().into_iter().flatten().rev() {
                state::undo(record, &mut state, change);
            }
        }
        Ok(Some(state))
    }
}

struct Past {
    number: i64,
    kind: String,
    changes: Json,
    published: bool,
}

/// Changes of a record, the latest first.
async fn revisions(transaction: &DatabaseTransaction, id: Uuid) -> Result<Vec<Past>> {
    let select = Query::select()
        .columns(["number", "kind", "changes", "published"])
        .from("revisions")
        .and_where(Expr::col("record_id").eq(id))
        .order_by("number", Order::Desc)
        .to_owned();
    let rows = transaction.query_all(&select).await.map_err(database)?;
    let past = rows.iter().map(|row| {
        let number: i32 = row.try_get_by_index(0)?;
        Ok(Past {
            number: number.into(),
            kind: row.try_get_by_index(1)?,
            changes: row.try_get_by_index(2)?,
            published: row.try_get_by_index(3)?,
        })
    });
    past.collect::<Result<_, sea_orm::DbErr>>().map_err(internal)
}

//! Earlier states of a record: reading them, and reverting to them.

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::auth::Role;
use crate::core::error::{Result, internal};
use crate::core::id;
use crate::entity::RecordType;
use crate::store::db::snapshot::begin_read;
use crate::store::draft::{Draft, InputProblem, Origin, ProblemCode, WriteMode, WriteTarget, parse, value_tree};
use crate::store::history::revisions::load_revisions;
use crate::store::history::state;
use crate::store::history::state::UndoneState;
use crate::store::write::import::edits::is_state_of_imports;
use crate::store::write::load::{load_rows, referenced_types};
use crate::store::write::model::is_published;
use crate::store::write::session::{WriteSession, relocate_state_problems, revision_problem, unknown_id};
use crate::store::write::types::{Author, WriteError, WriteSummary};
use crate::store::write::value::PartKeys;
use crate::store::{Store, database};

/// Fields of an existing record that a revert leaves unchanged.
const FIELDS_KEPT_BY_REVERT: [&str; 2] = ["slug", "published"];

impl Store {
    /// State of a record after one of its revisions, in the form in which records are given. Not set if there is no such
    /// revision, or if the role may not see it.
    pub async fn state_at(&self, ty: RecordType, id: Uuid, revision: i64, role: Role) -> Result<Option<Json>> {
        let author = Author { by: String::new(), message: None };
        // readers must not take the connections of writes and of editors
        let pool = if role.sees_drafts() { &self.pools.primary } else { &self.pools.reader };
        let transaction = begin_read(pool).await.map_err(database)?;
        let session = WriteSession { store: self, transaction, author: &author };
        let state = session.state_at(catalog().get(ty), id, revision, role.sees_drafts()).await?;
        session.transaction.rollback().await.map_err(database)?;
        let mut state = state.map(state::without_system_fields);
        if let Some(state) = state.as_mut().filter(|_| !role.sees_drafts()) {
            self.redact_state(state).await?;
        }
        Ok(state)
    }

    /// Writes the state of a record after an earlier revision as a new revision. A deleted record is created again.
    pub async fn revert(
        &self,
        ty: RecordType,
        id: Uuid,
        revision: i64,
        expected_revision: Option<i64>,
        author: &Author,
    ) -> Result<WriteSummary, WriteError> {
        let session = self.begin(author).await?;
        let record = catalog().get(ty);
        let Some(last_revision) = load_revisions(&session.transaction, id).await?.first().map(|revision| revision.number) else {
            return Err(WriteError::problem(unknown_id(record, id, "record")));
        };
        let origin = Origin::input(["record"]);
        let earlier = session.state_at(record, id, revision, true).await?;
        let exists = !load_rows(&session.transaction, record, "id", &[id]).await?.is_empty();
        if let Some(problem) = session.merged_problem(record, id).await?.filter(|_| !exists) {
            return Err(WriteError::problem(problem));
        }
        let kept: &[&str] = if exists { &FIELDS_KEPT_BY_REVERT } else { &[] };
        let draft = if let Some(earlier) = earlier {
            parse::state(record, &value_tree::from_json(&state::complete(record, earlier, kept)), &origin)
        } else {
            let message = format!("there is no revision {revision} of this {}", record.singular());
            let problem = InputProblem::new(Origin::input(["toRevision"]), message).with_code(ProblemCode::NotFound);
            if !exists {
                let conflict = revision_problem(last_revision, expected_revision);
                return Err(WriteError::Problems(std::iter::once(problem).chain(conflict).collect()));
            }
            Draft { origin: origin.clone(), problems: vec![problem], ..Draft::default() }
        };
        let mode = if exists { WriteMode::Update } else { WriteMode::Create };
        let restores_import = is_state_of_imports(&session.transaction, id, revision).await?;
        let target = WriteTarget {
            mode,
            id: Some(id),
            expected_revision,
            last_revision,
            restates_stored: true,
            restores_import,
            ..WriteTarget::default()
        };
        let written = session.write(&vec![(ty, vec![Draft { target, ..draft }])], &|_| {}).await;
        let relocate = |problems| relocate_state_problems(problems, &origin, &origin, &Origin::input(["toRevision"]));
        let summary = written.map_err(|error| error.map_problems(relocate))?;
        session.commit().await?;
        Ok(summary)
    }
}

impl WriteSession<'_> {
    /// The problem that a record was merged, which a revert cannot undo. Not set if it was not.
    async fn merged_problem(&self, record: &Record, id: Uuid) -> Result<Option<InputProblem>> {
        let select = Query::select().column("merged_into").from("nodes").and_where(Expr::col("id").eq(id)).to_owned();
        let row = self.transaction.query_one(&select).await.map_err(database)?;
        let into: Option<Uuid> = row.map_or(Ok(None), |row| row.try_get_by_index(0)).map_err(internal)?;
        Ok(into.map(|into| {
            let (singular, into) = (record.singular(), id::encode(record.ty.prefix(), into));
            let message =
                format!("this {singular} was merged into {into}; a revert cannot undo a merge, but the mutations that unmerge can");
            InputProblem::new(Origin::input(["record"]), message)
        }))
    }

    /// The state of a record after one of its revisions, with the positions of its parts: the current state, with the
    /// later revisions undone.
    pub(crate) async fn state_at(&self, record: &'static Record, id: Uuid, revision: i64, sees_drafts: bool) -> Result<Option<Json>> {
        let revisions = load_revisions(&self.transaction, id).await?;
        if !revisions.iter().any(|stored| stored.number == revision && (sees_drafts || stored.has_public_state())) {
            return Ok(None);
        }
        let row = load_rows(&self.transaction, record, "id", &[id]).await?.pop();
        if !row.as_ref().map_or(sees_drafts, |(_, row)| sees_drafts || is_published(record, row)) {
            return Ok(None);
        }
        let state = match &row {
            Some((_, row)) => {
                let types = referenced_types(&self.transaction, record, std::iter::once(row)).await?;
                state::of(record, row, &types, &PartKeys::default())
            }
            None => Json::Object(Map::new()),
        };
        let mut state = UndoneState::new(record, state);
        // the changes listed by a publication repeat the whole record and changed nothing
        let is_visibility = |kind: &str| matches!(kind, "published" | "unpublished");
        for stored in revisions.iter().filter(|stored| stored.number > revision && !is_visibility(&stored.kind)) {
            for change in stored.changes.as_array().into_iter().flatten().rev() {
                state.undo(change);
            }
        }
        Ok(Some(state.into_state()))
    }
}

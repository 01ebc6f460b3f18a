//! Ends that the pruning of a set gave to records, such as memberships, until the set has the record again.

use std::collections::{BTreeSet, HashMap};

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::core::ids::FieldId;
use crate::core::partial_date::PartialDate;
use crate::entity::RecordType;
use crate::store::database;
use crate::store::draft::{Draft, DraftSource, DraftValue, Drafts, Origin, WriteMode, WriteTarget};
use crate::store::read::result::Cell;
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::import::edits;
use crate::store::write::import::members::{TABLE, add_members, remove_members};
use crate::store::write::load::{LOOKUP_BATCH_VALUES, load_rows};
use crate::store::write::model::StoredRow;
use crate::store::write::session::WriteSession;
use crate::store::write::types::{RecordUpdate, WriteAction, WriteError, WriteSummary, add_updates};

/// Name of the field that ends a record, such as a membership.
const END: &str = "end";
/// Name of the field with the beginning of such a record.
const START: &str = "start";

/// What became of a record that is to be closed.
pub(super) enum Closing {
    /// It has ended.
    Closed,
    /// It stays open, for this reason.
    Open(String),
}

/// The name under which records are stored that the pruning of a set ended on a day.
fn name(set: &str, day: &str) -> String {
    format!("{}{day}", prefix(set))
}

fn prefix(set: &str) -> String {
    format!("closed:{set}:")
}

/// The draft that sets or clears the end of a record.
fn end_draft(id: Uuid, end: FieldId, value: Cell) -> Draft {
    let target = WriteTarget { mode: WriteMode::Update, id: Some(id), source: DraftSource::OverwritingImport, ..WriteTarget::default() };
    Draft { target, values: vec![(end, DraftValue::Cell(value), Origin::default())], ..Draft::default() }
}

impl WriteSession<'_> {
    /// Ends a record on a day, unless it has ended or may begin later.
    pub(super) async fn close(
        &self,
        set: &str,
        record: &'static Record,
        row: &StoredRow,
        day: &PartialDate,
    ) -> std::result::Result<Closing, WriteError> {
        let Some(end) = record.field_id(END) else {
            return Ok(Closing::Open(format!("{} has no end", crate::core::article::with_article(&record.singular()))));
        };
        if row.cells[end.index()] != Cell::Null {
            return Ok(Closing::Closed);
        }
        let start = record.field_id(START).and_then(|field| row.cells[field.index()].as_text());
        if let Some(start) = start.filter(|start| *start > day.as_str()) {
            let reason = if start.starts_with(day.as_str()) {
                format!("it begins on {start}, and the end given, {day}, may be before that; give the day of the end")
            } else {
                format!("it begins on {start}, after the end given")
            };
            return Ok(Closing::Open(reason));
        }
        let draft = end_draft(row.id, end, Cell::Text(day.as_str().to_owned()));
        self.write(&vec![(record.ty, vec![draft])], &|_| ()).await?;
        add_members(&self.transaction, &name(set, day.as_str()), std::iter::once(row.id)).await?;
        Ok(Closing::Closed)
    }

    /// Takes the end away that the pruning of a set gave to records which an import of the set has again. An end that the import
    /// gives stays, and so does one that an editor changed.
    pub(super) async fn reopen(&self, set: &str, drafts: &Drafts, summary: &mut WriteSummary) -> std::result::Result<(), WriteError> {
        let given = drafts.iter().flat_map(|(_, drafts)| drafts);
        let mut held: HashMap<RecordType, HashMap<Uuid, (usize, bool)>> = HashMap::new();
        for (index, (draft, written)) in given.zip(&summary.records).enumerate() {
            if let Some(end) = catalog().get(written.ty).field_id(END).filter(|_| written.action != WriteAction::Skipped) {
                let gives_end = draft.value(end).is_some() || draft.cleared.contains(&end);
                held.entry(written.ty).or_default().insert(written.id, (index, gives_end));
            }
        }
        for (ty, held) in held {
            let record = catalog().get(ty);
            let (end, slug) = (record.known_field(END), record.known_field("slug"));
            let ids: Vec<Uuid> = held.keys().copied().collect();
            let closed = load_closed(&self.transaction, set, &ids).await?;
            if closed.is_empty() {
                continue;
            }
            let closed_ids: Vec<Uuid> = closed.keys().copied().collect();
            let edits = edits::load(&self.transaction, &closed_ids).await?;
            let mut reopened = Vec::new();
            for (_, row) in load_rows(&self.transaction, record, "id", &closed_ids).await? {
                let is_edited = edits.get(&row.id).is_some_and(|edits| edits.of_value(END).is_some());
                let is_as_closed = closed.get(&row.id).map(String::as_str) == row.cells[end.index()].as_text();
                let Some((index, false)) = held.get(&row.id) else { continue };
                if is_edited || !is_as_closed {
                    continue;
                }
                reopened.push(end_draft(row.id, end, Cell::Null));
                let written = &mut summary.records[*index];
                if written.action == WriteAction::Unchanged {
                    written.action = WriteAction::Updated;
                    summary.unchanged -= 1;
                    summary.updated += 1;
                    let counts = summary.by_type.entry(ty).or_default();
                    counts.unchanged -= 1;
                    counts.updated += 1;
                    if let Some(slug) = row.cells[slug.index()].as_text() {
                        let update = RecordUpdate { ty, slug: slug.to_owned(), fields: vec![END.to_owned()] };
                        add_updates(&mut summary.updates, [update]);
                    }
                }
            }
            if !reopened.is_empty() {
                self.write(&vec![(ty, reopened)], &|_| ()).await?;
                summary.has_changes = true;
            }
            for day in closed.values().collect::<BTreeSet<_>>() {
                remove_members(&self.transaction, &name(set, day), &closed_ids).await?;
            }
        }
        Ok(())
    }
}

/// The records among these that the pruning of a set ended, with the day.
async fn load_closed(transaction: &DatabaseTransaction, set: &str, ids: &[Uuid]) -> Result<HashMap<Uuid, String>> {
    let prefix = prefix(set);
    let mut closed = HashMap::new();
    for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
        let select = Query::select()
            .columns(["record_id", "hash"])
            .from(TABLE)
            .and_where(Expr::col("hash").like(format!("{prefix}%")))
            .and_where(one_of_ids(transaction.get_database_backend(), "record_id", batch)?)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let name: String = row.try_get_by_index(1).map_err(internal)?;
            let day = name.strip_prefix(&prefix).ok_or_else(|| internal("a closed record has no day"))?;
            closed.insert(row.try_get_by_index(0).map_err(internal)?, day.to_owned());
        }
    }
    Ok(closed)
}

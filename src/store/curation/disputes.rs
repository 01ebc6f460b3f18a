//! The `disputed` field of records, as readers see it: claims of draft sources do not count.

use std::collections::{BTreeMap, HashMap, HashSet};

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::core::ids::FieldId;
use crate::entity::RecordType;
use crate::store::curation::claims::claims;
use crate::store::database;
use crate::store::draft::DraftValue;
use crate::store::read::result::Cell;
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::load::{LOOKUP_BATCH_VALUES, load_rows};
use crate::store::write::model::StoredRow;
use crate::store::write::types::ResolvedDraft;

/// Sources that will be drafts after these drafts are written.
pub(crate) async fn draft_sources(
    transaction: &DatabaseTransaction,
    resolved: &[(RecordType, Vec<ResolvedDraft<'_>>)],
) -> Result<HashSet<Uuid>> {
    let source = catalog().get(RecordType::Source);
    // a constant, so that the planner recognizes the partial index of drafts
    let is_draft = Expr::col("published").eq(Expr::Constant(false.into()));
    let select = Query::select().column("id").from(Alias::new(source.table)).and_where(is_draft).to_owned();
    let rows = transaction.query_all(&select).await.map_err(database)?;
    let mut drafts = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<HashSet<Uuid>, _>>().map_err(internal)?;
    let published = source.known_field("published");
    for resolved in resolved.iter().filter(|(ty, _)| *ty == source.ty).flat_map(|(_, records)| records) {
        match resolved.draft.value(published) {
            Some(DraftValue::Cell(Cell::Boolean(false))) => drafts.insert(resolved.id),
            Some(_) => drafts.remove(&resolved.id),
            None => false,
        };
    }
    Ok(drafts)
}

/// Whether the claims of these citations about some field of the record contradict each other.
pub(crate) fn disagree<'c>(record: &Record, citations: impl Iterator<Item = &'c [Cell]>, draft_sources: &HashSet<Uuid>) -> bool {
    let citation = catalog().get(RecordType::Citation);
    let [source, field, value] = ["source", "field", "value"].map(|name| citation.known_field(name));
    let is_seen = |cells: &&[Cell]| !matches!(&cells[source.index()], Cell::Id(id) if draft_sources.contains(id));
    let claimed = citations.filter(is_seen).map(|cells| (cells[field.index()].as_text(), cells[value.index()].as_text()));
    claims(&record.fields, claimed).iter().any(|(_, groups)| groups.len() > 1)
}

/// Updates `disputed` of the records and parts that cite these sources, which were published or unpublished.
pub(crate) async fn update_citing(transaction: &DatabaseTransaction, sources: &[Uuid], draft_sources: &HashSet<Uuid>) -> Result<()> {
    let mut changed: BTreeMap<(RecordType, bool), Vec<Uuid>> = BTreeMap::new();
    for (ty, ids) in citing(transaction, sources).await? {
        let record = catalog().get(ty);
        for (_, row) in load_rows(transaction, record, "id", &ids).await? {
            collect_changed(record, &row, draft_sources, &mut changed);
        }
    }
    for ((ty, disputed), ids) in changed {
        for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
            let update = Query::update()
                .table(Alias::new(catalog().get(ty).table))
                .value("disputed", disputed)
                .and_where(one_of_ids(transaction.get_database_backend(), "id", batch)?)
                .to_owned();
            transaction.execute(&update).await.map_err(database)?;
        }
    }
    Ok(())
}

/// Whether a record or part is disputed. Collects the rows whose `disputed` changes, by type and new value.
fn collect_changed(
    record: &Record,
    row: &StoredRow,
    draft_sources: &HashSet<Uuid>,
    changed: &mut BTreeMap<(RecordType, bool), Vec<Uuid>>,
) -> bool {
    let Some(field) = record.field_id("disputed") else { return false };
    let citations = row.parts.get(&RecordType::Citation).into_iter().flatten().map(|citation| citation.cells.as_slice());
    let mut disputed = disagree(record, citations, draft_sources);
    for (ty, parts) in &row.parts {
        for part in parts {
            disputed |= collect_changed(catalog().get(*ty), part, draft_sources, changed);
        }
    }
    if row.cells[field.index()] != Cell::Boolean(disputed) {
        changed.entry((record.ty, disputed)).or_default().push(row.id);
    }
    disputed
}

/// Ids of the records that cite these sources, themselves or in their parts, by type.
async fn citing(transaction: &DatabaseTransaction, sources: &[Uuid]) -> Result<HashMap<RecordType, Vec<Uuid>>> {
    let mut found: HashSet<(RecordType, Uuid)> = HashSet::new();
    let mut pending: Vec<(RecordType, Uuid)> = Vec::new();
    for batch in sources.chunks(LOOKUP_BATCH_VALUES) {
        let cited = Query::select()
            .column("record_id")
            .from("citations")
            .and_where(one_of_ids(transaction.get_database_backend(), "source_id", batch)?)
            .to_owned();
        let select = Query::select().columns(["id", "record_type"]).from("nodes").and_where(Expr::col("id").in_subquery(cited)).to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let prefix: String = row.try_get_by_index(1).map_err(internal)?;
            let id = row.try_get_by_index(0).map_err(internal)?;
            pending.extend(RecordType::from_prefix(&prefix).map(|ty| (ty, id)));
        }
    }
    // from parts up to their records
    while !pending.is_empty() {
        let mut parts: HashMap<RecordType, Vec<Uuid>> = HashMap::new();
        for (ty, id) in pending.drain(..) {
            match catalog().get(ty).owner() {
                Some(_) => parts.entry(ty).or_default().push(id),
                None => drop(found.insert((ty, id))),
            }
        }
        for (ty, ids) in parts {
            let part = catalog().get(ty);
            let FieldKind::One(owner) = part.field(FieldId::OWNER).kind else { continue };
            for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
                let select = Query::select()
                    .column(Alias::new(part.field(FieldId::OWNER).column))
                    .from(Alias::new(part.table))
                    .and_where(one_of_ids(transaction.get_database_backend(), "id", batch)?)
                    .to_owned();
                for row in transaction.query_all(&select).await.map_err(database)? {
                    pending.push((owner, row.try_get_by_index(0).map_err(internal)?));
                }
            }
        }
    }
    let mut by_type: HashMap<RecordType, Vec<Uuid>> = HashMap::new();
    for (ty, id) in found {
        by_type.entry(ty).or_default().push(id);
    }
    Ok(by_type)
}

//! Whether a record is disputed, as readers see it: claims of sources that are drafts do not count yet.

use std::collections::{BTreeMap, HashMap, HashSet};

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::record::{FieldKind, Record, catalog};
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::curation::claims::claims;
use crate::store::database;
use crate::store::draft::DraftValue;
use crate::store::read::result::Cell;
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::apply::{Existing, load};
use crate::store::write::{CHUNK, ResolvedDraft};

/// Sources that are drafts, as they will be when everything that is given is written.
pub(crate) async fn draft_sources(
    transaction: &DatabaseTransaction,
    named: &[(RecordType, Vec<ResolvedDraft<'_>>)],
) -> Result<HashSet<Uuid>> {
    let source = catalog().get(RecordType::Source);
    // written out, so that the index of drafts is seen to fit
    let is_draft = Expr::col("published").eq(Expr::Constant(false.into()));
    let select = Query::select().column("id").from(Alias::new(source.table)).and_where(is_draft).to_owned();
    let rows = transaction.query_all(&select).await.map_err(database)?;
    let mut drafts = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<HashSet<Uuid>, _>>().map_err(internal)?;
    let published = source.field_index("published").unwrap_or_default();
    for named in named.iter().filter(|(ty, _)| *ty == source.ty).flat_map(|(_, records)| records) {
        match named.draft.value(published) {
            Some(DraftValue::Cell(Cell::Boolean(false))) => drafts.insert(named.id),
            Some(_) => drafts.remove(&named.id),
            None => false,
        };
    }
    Ok(drafts)
}

/// Whether these citations make a record disputed: about one of its fields they cannot all be right.
pub(crate) fn disagree<'c>(record: &Record, citations: impl Iterator<Item = &'c [Cell]>, draft_sources: &HashSet<Uuid>) -> bool {
    let citation = catalog().get(RecordType::Citation);
    let index = |name| citation.field_index(name).unwrap_or_default();
    let (source, field, value) = (index("source"), index("field"), index("value"));
    let counts = |cells: &&[Cell]| !matches!(&cells[source], Cell::Id(id) if draft_sources.contains(id));
    let given = citations.filter(counts).map(|cells| (cells[field].as_text(), cells[value].as_text()));
    claims(&record.fields, given).iter().any(|(_, groups)| groups.len() > 1)
}

/// Judges again what cites these sources, which were published or taken back.
pub(crate) async fn judge_again(transaction: &DatabaseTransaction, sources: &[Uuid], draft_sources: &HashSet<Uuid>) -> Result<()> {
    let mut changed: BTreeMap<(RecordType, bool), Vec<Uuid>> = BTreeMap::new();
    for (ty, ids) in citing(transaction, sources).await? {
        let record = catalog().get(ty);
        for (_, row) in load(transaction, record, "id", &ids).await? {
            judge(record, &row, draft_sources, &mut changed);
        }
    }
    for ((ty, disputed), ids) in changed {
        for chunk in ids.chunks(CHUNK) {
            let update = Query::update()
                .table(Alias::new(catalog().get(ty).table))
                .value("disputed", disputed)
                .and_where(one_of_ids(transaction.get_database_backend(), "id", chunk)?)
                .to_owned();
            transaction.execute(&update).await.map_err(database)?;
        }
    }
    Ok(())
}

/// Whether a record or part is disputed; what is to be changed is noted.
fn judge(record: &Record, row: &Existing, draft_sources: &HashSet<Uuid>, changed: &mut BTreeMap<(RecordType, bool), Vec<Uuid>>) -> bool {
    let Some(field) = record.field_index("disputed") else { return false };
    let citations = row.parts.get(&RecordType::Citation).into_iter().flatten().map(|citation| citation.cells.as_slice());
    let mut disputed = disagree(record, citations, draft_sources);
    for (ty, parts) in &row.parts {
        for part in parts {
            disputed |= judge(catalog().get(*ty), part, draft_sources, changed);
        }
    }
    if row.cells[field] != Cell::Boolean(disputed) {
        changed.entry((record.ty, disputed)).or_default().push(row.id);
    }
    disputed
}

/// The records that cite these sources, themselves or in their parts, by type.
async fn citing(transaction: &DatabaseTransaction, sources: &[Uuid]) -> Result<HashMap<RecordType, Vec<Uuid>>> {
    let mut found: HashSet<(RecordType, Uuid)> = HashSet::new();
    let mut waiting: Vec<(RecordType, Uuid)> = Vec::new();
    for chunk in sources.chunks(CHUNK) {
        let cited = Query::select()
            .column("record_id")
            .from("citations")
            .and_where(one_of_ids(transaction.get_database_backend(), "source_id", chunk)?)
            .to_owned();
        let select = Query::select().columns(["id", "record_type"]).from("nodes").and_where(Expr::col("id").in_subquery(cited)).to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let prefix: String = row.try_get_by_index(1).map_err(internal)?;
            let id = row.try_get_by_index(0).map_err(internal)?;
            waiting.extend(RecordType::from_prefix(&prefix).map(|ty| (ty, id)));
        }
    }
    // from parts up to the records they belong to
    while !waiting.is_empty() {
        let mut parts: HashMap<RecordType, Vec<Uuid>> = HashMap::new();
        for (ty, id) in waiting.drain(..) {
            match catalog().get(ty).owner() {
                Some(_) => parts.entry(ty).or_default().push(id),
                None => drop(found.insert((ty, id))),
            }
        }
        for (ty, ids) in parts {
            let part = catalog().get(ty);
            let FieldKind::One(owner) = part.fields[0].kind else { continue };
            for chunk in ids.chunks(CHUNK) {
                let select = Query::select()
                    .column(Alias::new(part.fields[0].column))
                    .from(Alias::new(part.table))
                    .and_where(one_of_ids(transaction.get_database_backend(), "id", chunk)?)
                    .to_owned();
                for row in transaction.query_all(&select).await.map_err(database)? {
                    waiting.push((owner, row.try_get_by_index(0).map_err(internal)?));
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

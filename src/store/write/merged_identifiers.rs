//! Identifiers that a record has from records that were merged into it. An import that finds a record by one of them states
//! the merged record, and must not write over the one that was kept.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::database;
use crate::store::draft::{Draft, InputProblem, ProblemCode};
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::identifiers::{IdentifierPair, identifiers};
use crate::store::write::load::LOOKUP_BATCH_VALUES;

/// Beginning of the paths of identifiers in field changes.
const IDENTIFIER_PATH: &str = "identifiers[";

/// Identifiers that records have from merged ones, and the slugs of these records, by the record.
#[derive(Debug, Default)]
pub(super) struct MergedIdentifiers(HashMap<Uuid, KeptRecord>);

/// A record into which others were merged.
#[derive(Debug, Default)]
struct KeptRecord {
    slug: String,
    /// Identifiers that merges gave to it.
    merged: HashSet<IdentifierPair>,
}

impl MergedIdentifiers {
    /// Loads those of the given records.
    pub(super) async fn load(transaction: &DatabaseTransaction, records: &HashMap<Uuid, RecordType>) -> Result<Self> {
        let mut found: HashMap<Uuid, KeptRecord> = HashMap::new();
        let ids: Vec<Uuid> = records.keys().copied().collect();
        for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
            let revision = |name| Expr::col(("revisions", name));
            let merge = |name| Expr::col(("merges", name));
            let is_of_merge = revision("record_id")
                .eq(merge("into_id"))
                .and(revision("sequence").between(merge("first_sequence"), merge("last_sequence")));
            let changes = Query::select()
                .columns([("merges", "into_id"), ("revisions", "changes")])
                .from("merges")
                .inner_join("revisions", is_of_merge)
                .and_where(one_of_ids(transaction.get_database_backend(), "into_id", batch)?)
                .to_owned();
            for row in transaction.query_all(&changes).await.map_err(database)? {
                let id: Uuid = row.try_get_by_index(0).map_err(internal)?;
                let changes: Json = row.try_get_by_index(1).map_err(internal)?;
                let changes = changes.as_array().ok_or_else(|| internal("the changes of a revision are not a list"))?;
                found.entry(id).or_default().merged.extend(changes.iter().filter_map(added_identifier));
            }
        }
        let mut by_type: HashMap<RecordType, Vec<Uuid>> = HashMap::new();
        for id in found.keys() {
            by_type.entry(records[id]).or_default().push(*id);
        }
        for (ty, ids) in by_type {
            for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
                let slugs = Query::select()
                    .columns(["id", "slug"])
                    .from(catalog().get(ty).table)
                    .and_where(one_of_ids(transaction.get_database_backend(), "id", batch)?)
                    .to_owned();
                for row in transaction.query_all(&slugs).await.map_err(database)? {
                    let id: Uuid = row.try_get_by_index(0).map_err(internal)?;
                    found.entry(id).or_default().slug = row.try_get_by_index(1).map_err(internal)?;
                }
            }
        }
        Ok(Self(found))
    }

    /// The warning that a draft is skipped, if it was found by an identifier that the record has from a merged one.
    pub(super) fn warning(&self, ty: RecordType, id: Uuid, draft: &Draft) -> Option<InputProblem> {
        let KeptRecord { slug, merged } = self.0.get(&id)?;
        let (scheme, value) = found_by(draft).into_iter().find(|pair| merged.contains(pair))?;
        let singular = catalog().get(ty).singular();
        let message = format!(
            "the {singular} with the identifier \"{scheme} {value}\" was merged into the {singular} \"{slug}\", so nothing was written; give the slug of that one, or undo the merge first"
        );
        Some(InputProblem::new(draft.origin.clone(), message).with_code(ProblemCode::Taken))
    }
}

/// The identifiers by which the record of a draft is found; none if the draft has a slug or an id of its own.
fn found_by(draft: &Draft) -> Vec<IdentifierPair> {
    match &draft.found_by {
        Some(pair) => vec![pair.clone()],
        None if draft.name.is_none() && draft.target.id.is_none() => identifiers(draft).map(|(pair, _)| pair).collect(),
        None => Vec::new(),
    }
}

/// The identifier that a field change added, if it added one.
fn added_identifier(change: &Json) -> Option<IdentifierPair> {
    change.get("field")?.as_str()?.strip_prefix(IDENTIFIER_PATH)?;
    let text = |name| change.get("new")?.get(name)?.as_str().map(str::to_owned);
    text("scheme").zip(text("value"))
}

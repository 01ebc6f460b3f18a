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
pub(super) struct MergedIdentifiers(HashMap<Uuid, (String, HashSet<IdentifierPair>)>);

impl MergedIdentifiers {
    /// Loads those of the given records.
    pub(super) async fn load(transaction: &DatabaseTransaction, records: HashMap<Uuid, RecordType>) -> Result<Self> {
        let ids: Vec<Uuid> = records.keys().copied().collect();
        let mut found: HashMap<Uuid, (String, HashSet<IdentifierPair>)> = HashMap::new();
        for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
            let merges = Query::select()
                .columns(["into_id", "first_sequence", "last_sequence"])
                .from("merges")
                .and_where(one_of_ids(transaction.get_database_backend(), "into_id", batch)?)
                .to_owned();
            for row in transaction.query_all(&merges).await.map_err(database)? {
                let id: Uuid = row.try_get_by_index(0).map_err(internal)?;
                let first: i32 = row.try_get_by_index(1).map_err(internal)?;
                let last: i32 = row.try_get_by_index(2).map_err(internal)?;
                found.entry(id).or_default().1.extend(moved_identifiers(transaction, id, (first, last)).await?);
            }
        }
        for (id, (slug, _)) in &mut found {
            let Some(ty) = records.get(id) else { continue };
            let select = Query::select().column("slug").from(catalog().get(*ty).table).and_where(Expr::col("id").eq(*id)).to_owned();
            if let Some(row) = transaction.query_one(&select).await.map_err(database)? {
                *slug = row.try_get_by_index(0).map_err(internal)?;
            }
        }
        Ok(Self(found))
    }

    /// The warning that a draft is skipped, if it was found by an identifier that the record has from a merged one.
    pub(super) fn warning(&self, ty: RecordType, id: Uuid, draft: &Draft) -> Option<InputProblem> {
        let (slug, merged) = self.0.get(&id)?;
        let (scheme, value) = found_by(draft).into_iter().find(|pair| merged.contains(pair))?;
        let singular = catalog().get(ty).singular();
        let message = format!(
            "the {singular} with the identifier {scheme} {value} was merged into the {singular} \"{slug}\", so nothing was written; give the slug of that one, or undo the merge first"
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

/// The identifiers that the revisions of a merge added to the kept record.
async fn moved_identifiers(transaction: &DatabaseTransaction, id: Uuid, (first, last): (i32, i32)) -> Result<Vec<IdentifierPair>> {
    let revisions = Query::select()
        .column("changes")
        .from("revisions")
        .and_where(Expr::col("record_id").eq(id))
        .and_where(Expr::col("sequence").between(first, last))
        .to_owned();
    let mut pairs = Vec::new();
    for row in transaction.query_all(&revisions).await.map_err(database)? {
        let changes: Json = row.try_get_by_index(0).map_err(internal)?;
        let changes = changes.as_array().ok_or_else(|| internal("the changes of a revision are not a list"))?;
        pairs.extend(changes.iter().filter_map(|change| {
            let is_identifier = change.get("field").and_then(Json::as_str).is_some_and(|path| path.starts_with(IDENTIFIER_PATH));
            let text = |name| change.get("new").and_then(|new| new.get(name)).and_then(Json::as_str).map(str::to_owned);
            if is_identifier { text("scheme").zip(text("value")) } else { None }
        }));
    }
    Ok(pairs)
}

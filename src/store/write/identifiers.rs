//! The identifiers in drafts, and the records that have them.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::database;
use crate::store::draft::{Draft, DraftValue, Drafts, Origin};
use crate::store::read::result::Cell;
use crate::store::write::load::LOOKUP_BATCH_VALUES;

/// Scheme and value of an identifier.
pub(crate) type IdentifierPair = (String, String);

/// Records by the identifiers that drafts give.
pub(super) type IdentifiedRecords = HashMap<(RecordType, IdentifierPair), Uuid>;

/// Scheme and value of an identifier.
pub(crate) fn identifier_of(draft: &Draft) -> IdentifierPair {
    let record = catalog().get(RecordType::Identifier);
    let text = |name| match record.field_id(name).and_then(|field| draft.value(field)) {
        Some(DraftValue::Cell(Cell::Text(text))) => text.clone(),
        _ => String::new(),
    };
    (text("scheme"), text("value"))
}

/// Identifiers of a draft, each with its origin.
pub(crate) fn identifiers(draft: &Draft) -> impl Iterator<Item = (IdentifierPair, &Origin)> {
    let lists = draft.parts.iter().filter(|(part, _)| *part == RecordType::Identifier);
    lists.flat_map(|(_, parts)| parts).map(|part| (identifier_of(part), &part.origin))
}

/// Finds the records that have the identifiers of drafts with neither id nor slug, or with a slug that may mean several.
pub(super) async fn find_by_identifier(
    transaction: &DatabaseTransaction,
    drafts: &Drafts,
    contested_slugs: &HashMap<(RecordType, String), Uuid>,
) -> Result<IdentifiedRecords> {
    let is_nameless = |draft: &Draft| (draft.name.is_none() || draft.is_unidentified) && draft.target.id.is_none();
    let is_contested =
        |ty: RecordType, draft: &Draft| draft.name.as_ref().is_some_and(|slug| contested_slugs.contains_key(&(ty, slug.clone())));
    let given = drafts.iter().flat_map(|(ty, drafts)| drafts.iter().map(move |draft| (*ty, draft)));
    let searched = given.filter(|(ty, draft)| is_nameless(draft) || is_contested(*ty, draft)).map(|(_, draft)| draft);
    let pairs: HashSet<IdentifierPair> = searched.flat_map(identifiers).map(|(pair, _)| pair).collect();
    let values: Vec<&str> = pairs.iter().map(|(_, value)| value.as_str()).collect();
    let mut found = HashMap::new();
    for batch in values.chunks(LOOKUP_BATCH_VALUES) {
        let select = Query::select()
            .columns([("identifiers", "scheme"), ("identifiers", "value"), ("nodes", "record_type")])
            .column(("nodes", "id"))
            .from("identifiers")
            .inner_join("nodes", Expr::col(("nodes", "id")).equals(("identifiers", "record_id")))
            .and_where(Expr::col(("identifiers", "value")).is_in(batch.iter().copied()))
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let pair = (row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
            let prefix: String = row.try_get_by_index(2).map_err(internal)?;
            let Some(ty) = RecordType::from_prefix(&prefix).filter(|_| pairs.contains(&pair)) else { continue };
            found.insert((ty, pair), row.try_get_by_index(3).map_err(internal)?);
        }
    }
    Ok(found)
}

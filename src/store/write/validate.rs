//! Validates references between records, and values that must be unique across the dataset.

use std::collections::HashMap;

use sea_orm::sea_query::{Alias, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::core::id;
use crate::entity::RecordType;
use crate::store::database;
use crate::store::draft::{Draft, DraftValue, Drafts, InputProblem, Origin, ProblemCode, WriteMode};
use crate::store::read::result::Cell;
use crate::store::sql::dialect::one_of;
use crate::store::write::identifiers::{IdentifierPair, identifiers};
use crate::store::write::load::LOOKUP_BATCH_VALUES;
use crate::store::write::resolve::ResolvedNames;
use crate::store::write::types::ResolvedDraft;

/// Requires that references point to existing records or to records in the same write.
pub(super) fn references(drafts: &Drafts, names: &ResolvedNames, problems: &mut Vec<InputProblem>) {
    for draft in drafts.iter().flat_map(|(_, drafts)| drafts) {
        references_of(draft, names, problems);
    }
}

fn references_of(draft: &Draft, names: &ResolvedNames, problems: &mut Vec<InputProblem>) {
    for (_, value, origin) in &draft.values {
        let message = match value {
            DraftValue::Slug(ty, slug)
                if !names.slugs.contains_key(&(*ty, slug.clone())) && !names.types_with_unreadable_slugs.contains(ty) =>
            {
                let singular = catalog().get(*ty).singular();
                format!(
                    "there is no {singular} with the slug \"{slug}\", neither here nor in the database; correct the slug or add the {singular}"
                )
            }
            DraftValue::Id(ty, id) if !names.ids.contains_key(id) => {
                let singular = catalog().get(*ty).singular();
                format!("there is no {singular} with the id \"{}\"; correct the id, or give a slug", id::encode(ty.prefix(), *id))
            }
            _ => continue,
        };
        problems.push(InputProblem::new(origin.clone(), message).with_code(ProblemCode::NotFound));
    }
    for part in draft.parts.iter().flat_map(|(_, parts)| parts) {
        references_of(part, names, problems);
    }
}

/// Requires that unique values belong to one record each, among the drafts and in the database.
pub(super) async fn unique(
    transaction: &DatabaseTransaction,
    resolved: &[(RecordType, Vec<ResolvedDraft<'_>>)],
    problems: &mut Vec<InputProblem>,
) -> Result<()> {
    for (ty, records) in resolved {
        let record = catalog().get(*ty);
        for (index, field) in record.fields_with_ids().filter(|(_, field)| field.unique) {
            let mut given: HashMap<&str, (Uuid, &Origin)> = HashMap::new();
            for resolved in records {
                for (_, value, origin) in resolved.draft.values.iter().filter(|(of, ..)| *of == index) {
                    if let DraftValue::Cell(Cell::Text(text)) = value
                        && given.insert(text, (resolved.id, origin)).is_some()
                    {
                        problems.push(taken(origin, text, "two records given here"));
                    }
                }
            }
            unique_field(transaction, record, field.column, &given, Origin::clone, problems).await?;
        }
        unique_new_slugs(transaction, record, records, problems).await?;
    }
    unique_identifiers(transaction, resolved, problems).await
}

/// Requires that the new slug of a record given by its id is free.
async fn unique_new_slugs(
    transaction: &DatabaseTransaction,
    record: &Record,
    records: &[ResolvedDraft<'_>],
    problems: &mut Vec<InputProblem>,
) -> Result<()> {
    let is_renamed = |draft: &Draft| draft.target.id.is_some() || (draft.is_unidentified && draft.target.mode == WriteMode::Update);
    let renamed = records.iter().filter(|resolved| is_renamed(resolved.draft));
    let slug_origin = |draft: &Origin| draft.child("slug", None);
    let mut given: HashMap<&str, (Uuid, &Origin)> = HashMap::new();
    for (slug, resolved) in renamed.filter_map(|resolved| Some((resolved.draft.name.as_deref()?, resolved))) {
        if given.insert(slug, (resolved.id, &resolved.draft.origin)).is_some() {
            problems.push(taken(&slug_origin(&resolved.draft.origin), slug, "another record given here"));
        }
    }
    unique_field(transaction, record, "slug", &given, slug_origin, problems).await
}

/// Requires that no other record has one of these values in a column. `value_origin` locates the value, given its origin
/// in `given`.
async fn unique_field(
    transaction: &DatabaseTransaction,
    record: &Record,
    column: &'static str,
    given: &HashMap<&str, (Uuid, &Origin)>,
    value_origin: impl Fn(&Origin) -> Origin,
    problems: &mut Vec<InputProblem>,
) -> Result<()> {
    let values: Vec<&str> = given.keys().copied().collect();
    for batch in values.chunks(LOOKUP_BATCH_VALUES) {
        let select = Query::select()
            .columns([Alias::new("id"), Alias::new(column), Alias::new("slug")])
            .from(Alias::new(record.table))
            .and_where(one_of(transaction.get_database_backend(), column, batch)?)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let id: Uuid = row.try_get_by_index(0).map_err(internal)?;
            let value: String = row.try_get_by_index(1).map_err(internal)?;
            let slug: String = row.try_get_by_index(2).map_err(internal)?;
            if let Some((mine, origin)) = given.get(value.as_str())
                && *mine != id
            {
                problems.push(taken(&value_origin(origin), &value, &format!("{} \"{slug}\"", record.singular())));
            }
        }
    }
    Ok(())
}

/// Requires that an identifier belongs to one record in the whole dataset.
async fn unique_identifiers(
    transaction: &DatabaseTransaction,
    resolved: &[(RecordType, Vec<ResolvedDraft<'_>>)],
    problems: &mut Vec<InputProblem>,
) -> Result<()> {
    let mut given: HashMap<IdentifierPair, (Uuid, &Origin)> = HashMap::new();
    for resolved in resolved.iter().flat_map(|(_, records)| records) {
        for (pair, origin) in identifiers(resolved.draft) {
            let label = format!("{} {}", pair.0, pair.1);
            if given.insert(pair, (resolved.id, origin)).is_some_and(|(other, _)| other != resolved.id) {
                problems.push(taken(origin, &label, "two records given here"));
            }
        }
    }
    let values: Vec<&str> = given.keys().map(|(_, value)| value.as_str()).collect();
    for batch in values.chunks(LOOKUP_BATCH_VALUES) {
        let select = Query::select()
            .columns(["record_id", "scheme", "value"])
            .from("identifiers")
            .and_where(one_of(transaction.get_database_backend(), "value", batch)?)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let owner: Uuid = row.try_get_by_index(0).map_err(internal)?;
            let pair: IdentifierPair = (row.try_get_by_index(1).map_err(internal)?, row.try_get_by_index(2).map_err(internal)?);
            if let Some((mine, origin)) = given.get(&pair)
                && *mine != owner
            {
                problems.push(taken(origin, &format!("{} {}", pair.0, pair.1), "another record in the database"));
            }
        }
    }
    Ok(())
}

fn taken(origin: &Origin, value: &str, by: &str) -> InputProblem {
    let message = format!("\"{value}\" belongs to {by} already; no two records can share it");
    InputProblem::new(origin.clone(), message).with_code(ProblemCode::Taken)
}

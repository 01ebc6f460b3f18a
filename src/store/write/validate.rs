//! What has to hold over all records: references lead somewhere, and what is unique stays so.

use std::collections::HashMap;

use sea_orm::sea_query::{Alias, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::record::catalog;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::database;
use crate::store::draft::{Draft, DraftValue, InputProblem, Origin, ProblemCode};
use crate::store::read::result::Cell;
use crate::store::sql::dialect::one_of;
use crate::store::write::resolve::{Names, identifiers};
use crate::store::write::{CHUNK, Drafts, ResolvedDraft};

/// References lead to records that are there or are given too.
pub(crate) fn references(drafts: &Drafts, names: &Names, problems: &mut Vec<InputProblem>) {
    for draft in drafts.iter().flat_map(|(_, drafts)| drafts) {
        references_of(draft, names, problems);
    }
}

fn references_of(draft: &Draft, names: &Names, problems: &mut Vec<InputProblem>) {
    for (_, given, origin) in &draft.values {
        let message = match given {
            DraftValue::Slug(ty, slug) if !names.slugs.contains_key(&(*ty, slug.clone())) => {
                let name = catalog().get(*ty).singular();
                format!("there is no {name} with the slug \"{slug}\", neither here nor in the database; correct the slug or add the {name}")
            }
            DraftValue::Id(ty, id) if !names.ids.contains_key(id) => {
                let name = catalog().get(*ty).singular();
                format!("there is no {name} with the id \"{}\"; correct the id, or give a slug", crate::core::id::encode(ty.prefix(), *id))
            }
            _ => continue,
        };
        problems.push(InputProblem::new(origin.clone(), message).of(ProblemCode::NotFound));
    }
    for part in draft.parts.iter().flat_map(|(_, parts)| parts) {
        references_of(part, names, problems);
    }
}

/// Values that no two records may share, in what is given and against what is there.
pub(crate) async fn unique(
    transaction: &DatabaseTransaction,
    named: &[(RecordType, Vec<ResolvedDraft<'_>>)],
    problems: &mut Vec<InputProblem>,
) -> Result<()> {
    for (ty, records) in named {
        let record = catalog().get(*ty);
        for (index, field) in record.fields.iter().enumerate().filter(|(_, field)| field.unique) {
            let mut given: HashMap<&str, (Uuid, &Origin)> = HashMap::new();
            for named in records {
                for (_, value, origin) in named.draft.values.iter().filter(|(of, ..)| *of == index) {
                    if let DraftValue::Cell(Cell::Text(text)) = value
                        && given.insert(text, (named.id, origin)).is_some()
                    {
                        problems.push(taken(origin, text, "two records given here"));
                    }
                }
            }
            unique_field(transaction, record, field.column, &given, problems).await?;
        }
        renamed(transaction, record, records, problems).await?;
    }
    unique_identifiers(transaction, named, problems).await
}

/// A record that is called by its id may be given another slug, which nobody else has.
async fn renamed(
    transaction: &DatabaseTransaction,
    record: &crate::catalog::record::Record,
    records: &[ResolvedDraft<'_>],
    problems: &mut Vec<InputProblem>,
) -> Result<()> {
    let renamed = records.iter().filter(|named| named.draft.aim.id.is_some());
    let mut given: HashMap<&str, (Uuid, &Origin)> = HashMap::new();
    for (slug, named) in renamed.filter_map(|named| Some((named.draft.name.as_deref()?, named))) {
        if given.insert(slug, (named.id, &named.draft.origin)).is_some() {
            problems.push(taken(&named.draft.origin, slug, "another record given here"));
        }
    }
    unique_field(transaction, record, "slug", &given, problems).await
}

async fn unique_field(
    transaction: &DatabaseTransaction,
    record: &crate::catalog::record::Record,
    column: &'static str,
    given: &HashMap<&str, (Uuid, &Origin)>,
    problems: &mut Vec<InputProblem>,
) -> Result<()> {
    let values: Vec<&str> = given.keys().copied().collect();
    for chunk in values.chunks(CHUNK) {
        let select = Query::select()
            .columns([Alias::new("id"), Alias::new(column), Alias::new("slug")])
            .from(Alias::new(record.table))
            .and_where(one_of(transaction.get_database_backend(), column, chunk)?)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let id: Uuid = row.try_get_by_index(0).map_err(internal)?;
            let value: String = row.try_get_by_index(1).map_err(internal)?;
            let slug: String = row.try_get_by_index(2).map_err(internal)?;
            if let Some((mine, origin)) = given.get(value.as_str())
                && *mine != id
            {
                problems.push(taken(origin, &value, &format!("{} \"{slug}\"", record.singular())));
            }
        }
    }
    Ok(())
}

/// Scheme and value of an identifier.
pub(crate) fn identifier_of(draft: &Draft) -> (String, String) {
    let record = catalog().get(RecordType::Identifier);
    let text = |name| match record.field_index(name).and_then(|field| draft.value(field)) {
        Some(DraftValue::Cell(Cell::Text(text))) => text.clone(),
        _ => String::new(),
    };
    (text("scheme"), text("value"))
}

/// Identifiers belong to one record each, over the whole dataset.
async fn unique_identifiers(
    transaction: &DatabaseTransaction,
    named: &[(RecordType, Vec<ResolvedDraft<'_>>)],
    problems: &mut Vec<InputProblem>,
) -> Result<()> {
    let mut given: HashMap<(String, String), (Uuid, &Origin)> = HashMap::new();
    for named in named.iter().flat_map(|(_, records)| records) {
        for (pair, origin) in identifiers(named.draft) {
            let label = format!("{} {}", pair.0, pair.1);
            if given.insert(pair, (named.id, origin)).is_some_and(|(other, _)| other != named.id) {
                problems.push(taken(origin, &label, "two records given here"));
            }
        }
    }
    let values: Vec<&str> = given.keys().map(|(_, value)| value.as_str()).collect();
    for chunk in values.chunks(CHUNK) {
        let select = Query::select()
            .columns(["record_id", "scheme", "value"])
            .from("identifiers")
            .and_where(one_of(transaction.get_database_backend(), "value", chunk)?)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let owner: Uuid = row.try_get_by_index(0).map_err(internal)?;
            let pair: (String, String) = (row.try_get_by_index(1).map_err(internal)?, row.try_get_by_index(2).map_err(internal)?);
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
    InputProblem::new(origin.clone(), message).of(ProblemCode::Taken)
}

//! Writing: checked whole, then written whole. The rows, their revisions and their search documents
//! commit together or not at all, and what is the same as before is not written again.

mod apply;
mod index;
mod insert;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Alias, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};
use uuid::Uuid;

use crate::entity::RecordType;
use crate::error::{Error, Result, internal};
use crate::store::change::tell;
use crate::store::db::{Store, database};
use crate::store::dialect::one_of;
use crate::store::draft::{Draft, Given, Origin, Problem};
use crate::store::record::{Kind, Record, Shape, catalog};
use crate::store::row::Cell;

/// Values looked up by one statement at most: few enough for one message to PostgreSQL, of 16 KiB.
const CHUNK: usize = 256;

/// Records of one type to be written.
pub type Drafts = Vec<(RecordType, Vec<Draft>)>;

/// Who writes, and why.
#[derive(Debug, Clone)]
pub struct Author {
    /// Name of the one who writes.
    pub by: String,
    /// Why.
    pub message: Option<String>,
}

/// What a write did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Records that are new.
    pub created: usize,
    /// Records that changed.
    pub updated: usize,
    /// Records that were the same already.
    pub unchanged: usize,
}

/// Why nothing was written.
#[derive(Debug)]
pub enum Refused {
    /// Something in what was given is wrong; this is all of it.
    Problems(Vec<Problem>),
    /// The database failed.
    Failed(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A record or part with the id it has or is to have.
#[derive(Debug)]
struct Named<'d> {
    id: Uuid,
    is_new: bool,
    draft: &'d Draft,
}

/// Ids by what records are called in what was given.
#[derive(Debug, Default)]
struct Names {
    slugs: HashMap<(RecordType, String), Uuid>,
}

impl Store {
    /// Writes records: all of them, or none if anything is wrong with any. `progress` is told how many are done.
    pub async fn write(&self, drafts: &Drafts, author: &Author, progress: impl Fn(usize) + Send + Sync) -> Result<Outcome, Refused> {
        let transaction = self.writer.begin().await.map_err(database)?;
        let mut problems = Vec::new();
        let mut names = Names::default();
        let wanted = wanted_slugs(drafts, &mut problems);
        for (ty, slugs) in &wanted {
            names.find(&transaction, catalog().get(*ty), slugs).await?;
        }
        let mut named: Vec<(RecordType, Vec<Named>)> = Vec::new();
        for ty in catalog().write_order() {
            let mut records = Vec::new();
            for draft in drafts.iter().filter(|(of, _)| *of == ty).flat_map(|(_, drafts)| drafts) {
                let Some(slug) = &draft.name else { continue };
                let known = names.slugs.get(&(ty, slug.clone())).copied();
                let id = known.unwrap_or_else(|| self.clock.new_uuid());
                names.slugs.insert((ty, slug.clone()), id);
                records.push(Named { id, is_new: known.is_none(), draft });
            }
            if !records.is_empty() {
                named.push((ty, records));
            }
        }
        for (_, records) in &named {
            for record in records {
                check_references(record.draft, &names, &mut problems);
            }
        }
        check_unique(&transaction, &named, &mut problems).await?;
        let mut work = apply::Work::new(self, author);
        for (ty, records) in &named {
            work.add(&transaction, catalog().get(*ty), records, &names, &mut problems, &progress).await?;
        }
        if !problems.is_empty() {
            problems.sort_by(|a, b| (&a.origin.file, a.origin.line).cmp(&(&b.origin.file, b.origin.line)));
            return Err(Refused::Problems(problems));
        }
        let outcome = work.outcome;
        if outcome.created + outcome.updated > 0 {
            work.write(&transaction).await?;
            tell(&transaction).await.map_err(database)?;
            transaction.commit().await.map_err(database)?;
            self.changes.bump();
        }
        Ok(outcome)
    }
}

impl Names {
    async fn find(&mut self, transaction: &DatabaseTransaction, record: &Record, slugs: &HashSet<&str>) -> Result<()> {
        let mut slugs: Vec<&str> = slugs.iter().copied().collect();
        slugs.sort_unstable();
        for chunk in slugs.chunks(CHUNK) {
            let select = Query::select()
                .columns(["id", "slug"])
                .from(Alias::new(record.table))
                .and_where(one_of(transaction.get_database_backend(), "slug", chunk)?)
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                let slug: String = row.try_get_by_index(1).map_err(internal)?;
                self.slugs.insert((record.ty, slug), row.try_get_by_index(0).map_err(internal)?);
            }
        }
        Ok(())
    }

    /// The cell that a given value becomes; a reference to a part is found among the parts of the same record.
    fn cell(&self, given: &Given, parts: &HashMap<(RecordType, String), Uuid>) -> Cell {
        match given {
            Given::Cell(cell) => cell.clone(),
            Given::Slug(ty, slug) => self.slugs.get(&(*ty, slug.clone())).copied().map_or(Cell::Null, Cell::Id),
            Given::Key(ty, key) => parts.get(&(*ty, key.clone())).copied().map_or(Cell::Null, Cell::Id),
        }
    }
}

/// Slugs of everything that is given or referred to, by type; a slug given twice is a problem.
fn wanted_slugs<'d>(drafts: &'d Drafts, problems: &mut Vec<Problem>) -> HashMap<RecordType, HashSet<&'d str>> {
    fn references<'d>(draft: &'d Draft, wanted: &mut HashMap<RecordType, HashSet<&'d str>>) {
        for (_, given, _) in &draft.values {
            if let Given::Slug(ty, slug) = given {
                wanted.entry(*ty).or_default().insert(slug);
            }
        }
        for part in draft.parts.iter().flat_map(|(_, parts)| parts) {
            references(part, wanted);
        }
    }
    let mut wanted: HashMap<RecordType, HashSet<&str>> = HashMap::new();
    let mut given: HashMap<(RecordType, &str), &Origin> = HashMap::new();
    for (ty, drafts) in drafts {
        for draft in drafts {
            let slug = draft.name.as_deref().unwrap_or_default();
            if let Some(first) = given.insert((*ty, slug), &draft.origin) {
                let place = first.file.as_deref().map_or(first.path.clone(), |file| format!("{file}:{}", first.line.unwrap_or(0)));
                problems.push(Problem {
                    origin: draft.origin.below(".slug", None),
                    message: format!("\"{slug}\" is given twice, first at {place}; give each record a slug of its own"),
                });
            }
            wanted.entry(*ty).or_default().insert(slug);
            references(draft, &mut wanted);
        }
    }
    wanted
}

fn check_references(draft: &Draft, names: &Names, problems: &mut Vec<Problem>) {
    for (_, given, origin) in &draft.values {
        if let Given::Slug(ty, slug) = given
            && !names.slugs.contains_key(&(*ty, slug.clone()))
        {
            let name = catalog().get(*ty).singular();
            problems.push(Problem {
                origin: origin.clone(),
                message: format!(
                    "there is no {name} with the slug \"{slug}\", neither here nor in the database; correct the slug or add the {name}"
                ),
            });
        }
    }
    for part in draft.parts.iter().flat_map(|(_, parts)| parts) {
        check_references(part, names, problems);
    }
}

/// Values that no two records may share, in what is given and against what is there.
async fn check_unique(
    transaction: &DatabaseTransaction,
    named: &[(RecordType, Vec<Named<'_>>)],
    problems: &mut Vec<Problem>,
) -> Result<()> {
    for (ty, records) in named {
        let record = catalog().get(*ty);
        for (index, field) in record.fields.iter().enumerate().filter(|(_, field)| field.unique) {
            let mut given: HashMap<&str, (Uuid, &Origin)> = HashMap::new();
            for named in records {
                for (_, value, origin) in named.draft.values.iter().filter(|(of, ..)| *of == index) {
                    if let Given::Cell(Cell::Text(text)) = value
                        && given.insert(text, (named.id, origin)).is_some()
                    {
                        problems.push(taken(origin, text, "two records given here"));
                    }
                }
            }
            let values: Vec<&str> = given.keys().copied().collect();
            for chunk in values.chunks(CHUNK) {
                let select = Query::select()
                    .columns([Alias::new("id"), Alias::new(field.column), Alias::new("slug")])
                    .from(Alias::new(record.table))
                    .and_where(one_of(transaction.get_database_backend(), field.column, chunk)?)
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
        }
    }
    check_identifiers(transaction, named, problems).await
}

/// Identifiers belong to one record each, over the whole dataset.
async fn check_identifiers(
    transaction: &DatabaseTransaction,
    named: &[(RecordType, Vec<Named<'_>>)],
    problems: &mut Vec<Problem>,
) -> Result<()> {
    let identifiers = catalog().get(RecordType::Identifier);
    let (scheme, value) = (identifiers.field_index("scheme").unwrap_or_default(), identifiers.field_index("value").unwrap_or_default());
    let text = |draft: &Draft, field| match draft.value(field) {
        Some(Given::Cell(Cell::Text(text))) => text.clone(),
        _ => String::new(),
    };
    let mut given: HashMap<(String, String), (Uuid, &Origin)> = HashMap::new();
    for named in named.iter().flat_map(|(_, records)| records) {
        for draft in named.draft.parts.iter().filter(|(part, _)| *part == RecordType::Identifier).flat_map(|(_, parts)| parts) {
            let pair = (text(draft, scheme), text(draft, value));
            let label = format!("{} {}", pair.0, pair.1);
            if given.insert(pair, (named.id, &draft.origin)).is_some_and(|(other, _)| other != named.id) {
                problems.push(taken(&draft.origin, &label, "two records given here"));
            }
        }
    }
    let values: Vec<&str> = given.keys().map(|(_, value)| value.as_str()).collect();
    for chunk in values.chunks(CHUNK) {
        let select = Query::select()
            .columns(["record_id", "scheme", "value"])
            .from(Alias::new(identifiers.table))
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

fn taken(origin: &Origin, value: &str, by: &str) -> Problem {
    Problem { origin: origin.clone(), message: format!("\"{value}\" belongs to {by} already; no two records can share it") }
}

/// An instant and the transaction's author, as a revision keeps them.
#[derive(Debug)]
struct Stamp {
    at: DateTime<Utc>,
    by: String,
    message: Option<String>,
}

/// Value of a kind as the database takes it.
fn bind(kind: Kind, cell: &Cell) -> sea_orm::Value {
    match cell {
        Cell::Null => match kind {
            Kind::Integer => sea_orm::Value::Int(None),
            Kind::Number => sea_orm::Value::Double(None),
            Kind::Boolean => sea_orm::Value::Bool(None),
            Kind::Instant => sea_orm::Value::ChronoDateTimeUtc(None),
            Kind::Translated | Kind::List(_) => sea_orm::Value::Json(None),
            Kind::One(_) | Kind::Any => sea_orm::Value::Uuid(None),
            _ => sea_orm::Value::String(None),
        },
        Cell::Text(text) => text.as_str().into(),
        Cell::Integer(number) => i32::try_from(*number).unwrap_or(i32::MAX).into(),
        Cell::Number(number) => (*number).into(),
        Cell::Boolean(boolean) => (*boolean).into(),
        Cell::Id(id) => (*id).into(),
        Cell::Instant(instant) => (*instant).into(),
        Cell::Json(json) => json.clone().into(),
    }
}

/// Whether this is a record with a life of its own.
fn lives(record: &Record) -> bool {
    record.shape == Shape::Record
}

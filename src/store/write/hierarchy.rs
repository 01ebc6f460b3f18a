//! Requires that no record is its own ancestor by a reference to a record of its type, such as `parent` and `broader`.

use std::collections::{BTreeMap, HashMap, HashSet};

use sea_orm::sea_query::{Alias, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::core::ids::FieldId;
use crate::entity::RecordType;
use crate::store::database;
use crate::store::draft::{Draft, InputProblem, Origin};
use crate::store::read::result::Cell;
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::load::LOOKUP_BATCH_VALUES;
use crate::store::write::model::StoredRow;
use crate::store::write::value::is_record;

/// Maximum number of records that a message lists.
const MAX_LISTED_RECORDS: usize = 20;

/// Changed references to records of the same type, by type and field.
#[derive(Debug, Default)]
pub(super) struct Hierarchy {
    changed: BTreeMap<(RecordType, FieldId), HashMap<Uuid, ChangedParent>>,
}

/// The new value of a reference.
#[derive(Debug)]
struct ChangedParent {
    parent: Option<Uuid>,
    slug: String,
    origin: Origin,
}

/// A record as read from the database: its slug and its parent.
type StoredParents = HashMap<Uuid, (String, Option<Uuid>)>;

impl Hierarchy {
    /// Adds a record if its reference to a record of its own type changes. `cells` are its new values.
    pub(super) fn add(&mut self, record: &Record, (id, cells): (Uuid, &[Cell]), existing: Option<&StoredRow>, draft: &Draft) {
        let is_own_type = |kind: FieldKind| matches!(kind, FieldKind::One(target) if target == record.ty);
        for (field, declared) in record.fields_with_ids().filter(|(_, field)| is_record(record) && is_own_type(field.kind)) {
            let cell = &cells[field.index()];
            if existing.map_or(*cell == Cell::Null, |existing| existing.cells[field.index()] == *cell) {
                continue;
            }
            let given = draft.values.iter().find(|(of, ..)| *of == field).map(|(_, _, origin)| origin.clone());
            let changed = ChangedParent {
                parent: match cell {
                    Cell::Id(parent) => Some(*parent),
                    _ => None,
                },
                slug: cells[record.known_field("slug").index()].as_text().unwrap_or_default().to_owned(),
                origin: given.unwrap_or_else(|| draft.origin.child(declared.name, None)),
            };
            self.changed.entry((record.ty, field)).or_default().insert(id, changed);
        }
    }

    /// Reports each cycle that these changes close, once, at one of the references that close it.
    pub(super) async fn check(&self, transaction: &DatabaseTransaction, problems: &mut Vec<InputProblem>) -> Result<()> {
        for ((ty, field), changed) in &self.changed {
            let record = catalog().get(*ty);
            let stored = stored_ancestors(transaction, record, *field, changed).await?;
            report_cycles(record, *field, changed, &stored, problems);
        }
        Ok(())
    }
}

/// The stored records above the changed ones, level by level, up to those that change themselves.
async fn stored_ancestors(
    transaction: &DatabaseTransaction,
    record: &Record,
    field: FieldId,
    changed: &HashMap<Uuid, ChangedParent>,
) -> Result<StoredParents> {
    let mut stored = StoredParents::new();
    let mut next: Vec<Uuid> = changed.values().filter_map(|changed| changed.parent).collect();
    loop {
        next.sort_unstable();
        next.dedup();
        next.retain(|id| !changed.contains_key(id) && !stored.contains_key(id));
        if next.is_empty() {
            return Ok(stored);
        }
        let mut above = Vec::new();
        for batch in next.chunks(LOOKUP_BATCH_VALUES) {
            let select = Query::select()
                .columns([Alias::new("id"), Alias::new("slug"), Alias::new(record.field(field).column)])
                .from(Alias::new(record.table))
                .and_where(one_of_ids(transaction.get_database_backend(), "id", batch)?)
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                let parent: Option<Uuid> = row.try_get_by_index(2).map_err(internal)?;
                let id = row.try_get_by_index(0).map_err(internal)?;
                stored.insert(id, (row.try_get_by_index(1).map_err(internal)?, parent));
                above.extend(parent);
            }
        }
        // a record that does not exist has no parent
        for id in next {
            stored.entry(id).or_default();
        }
        next = above;
    }
}

fn report_cycles(
    record: &Record,
    field: FieldId,
    changed: &HashMap<Uuid, ChangedParent>,
    stored: &StoredParents,
    problems: &mut Vec<InputProblem>,
) {
    let parent_of = |id: Uuid| match changed.get(&id) {
        Some(changed) => changed.parent,
        None => stored.get(&id).and_then(|(_, parent)| *parent),
    };
    let slug_of = |id: &Uuid| match (changed.get(id), stored.get(id)) {
        (Some(changed), _) => changed.slug.clone(),
        (None, Some((slug, _))) => slug.clone(),
        (None, None) => String::new(),
    };
    let mut starts: Vec<Uuid> = changed.keys().copied().collect();
    starts.sort_unstable();
    let mut visited: HashSet<Uuid> = HashSet::new();
    for start in starts {
        let mut path = Vec::new();
        let mut on_path = HashSet::new();
        let mut current = Some(start);
        while let Some(id) = current.filter(|id| !visited.contains(id) && !on_path.contains(id)) {
            path.push(id);
            on_path.insert(id);
            current = parent_of(id);
        }
        if let Some(begin) = current.and_then(|id| path.iter().position(|other| *other == id)) {
            let cycle = &mut path[begin..];
            // begins with the record whose reference is reported
            let reported =
                cycle.iter().enumerate().filter_map(|(index, id)| Some((changed.get(id)?, index))).min_by(|(one, _), (other, _)| {
                    (&one.origin.file, one.origin.line, &one.slug).cmp(&(&other.origin.file, other.origin.line, &other.slug))
                });
            if let Some((reported, index)) = reported {
                cycle.rotate_left(index);
                let mut slugs: Vec<String> = cycle.iter().take(MAX_LISTED_RECORDS).map(slug_of).collect();
                if cycle.len() > MAX_LISTED_RECORDS {
                    slugs.push("…".to_owned());
                }
                slugs.push(reported.slug.clone());
                let message = format!(
                    "this makes the {} its own ancestor by {}: {}; change one of these references",
                    record.singular(),
                    record.field(field).name,
                    slugs.join(" → ")
                );
                problems.push(InputProblem::new(reported.origin.clone(), message));
            }
        }
        visited.extend(path);
    }
}

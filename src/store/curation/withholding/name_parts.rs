//! Names that stand in several fields of a person: the given name in one, the family name in another.

use std::collections::HashMap;

use sea_orm::sea_query::{Alias, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::core::ids::FieldId;
use crate::store::curation::withholding::name_recognition::NameRecognizer;
use crate::store::curation::withholding::name_redaction::texts;
use crate::store::database;
use crate::store::draft::{Draft, DraftValue};
use crate::store::read::result::Cell;
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::load::LOOKUP_BATCH_VALUES;

/// Fields that hold whole names of a record, the best first.
pub(crate) const NAME_FIELDS: [&str; 3] = ["name", "otherNames", "sortName"];
/// Fields that hold parts of the name of a person, in their order in a name.
pub(crate) const PART_FIELDS: [&str; 4] = ["givenName", "additionalName", "patronymicName", "familyName"];
/// Fields beside the name of a person, in which a part of it may stand.
const TITLE_FIELDS: [&str; 2] = ["honorificPrefix", "honorificSuffix"];
/// Maximum number of whole names that are composed with each part.
const MAX_COMPOSED_NAMES: usize = 50;

/// Values of the fields with names and parts of names, by the name of the field.
pub(crate) type NameCells = HashMap<&'static str, Cell>;

fn name_fields() -> impl Iterator<Item = &'static str> {
    NAME_FIELDS.into_iter().chain(PART_FIELDS).chain(TITLE_FIELDS)
}

/// The values of a row in the fields with names.
pub(crate) fn name_cells(record: &Record, cells: &[Cell]) -> NameCells {
    name_fields().filter_map(|name| Some((name, cells[record.field_id(name)?.index()].clone()))).collect()
}

/// The cells of a row with these values in the fields with names, and without others.
pub(crate) fn row_of_names(record: &Record, names: &NameCells) -> Vec<Cell> {
    let mut cells = vec![Cell::Null; record.fields.len()];
    for (name, cell) in names {
        if let Some(field) = record.field_id(name) {
            cells[field.index()] = cell.clone();
        }
    }
    cells
}

/// Whether a field holds a name or a part of one.
pub(crate) fn is_name_field(record: &Record, field: FieldId) -> bool {
    name_fields().any(|name| record.field_id(name) == Some(field))
}

/// The values that a draft itself gives in the fields with names.
pub(crate) fn drafted_name_cells(record: &Record, draft: &Draft) -> NameCells {
    let mut cells = NameCells::new();
    for name in name_fields() {
        match record.field_id(name).and_then(|field| draft.value(field)) {
            Some(DraftValue::Cell(cell)) => _ = cells.insert(name, cell.clone()),
            // the problem of the value is reported, and names are no references
            Some(DraftValue::Invalid | DraftValue::Slug(..) | DraftValue::Id(..) | DraftValue::Key(..)) | None => {}
        }
    }
    cells
}

/// The name that the parts make by themselves: the given name with the family name, with and without what is between.
pub(crate) fn names_of_parts(cells: &NameCells) -> Vec<String> {
    let [given, additional, patronymic, family] = parts(cells);
    let (Some(given), Some(family)) = (given, family) else { return Vec::new() };
    let whole: Vec<&str> = [Some(given), additional, patronymic, Some(family)].into_iter().flatten().collect();
    vec![format!("{given} {family}"), whole.join(" ")]
}

/// The names that the fields make together: those of the parts, and each part with each of the whole names.
fn composed_names(cells: &NameCells) -> Vec<String> {
    let mut names = names_of_parts(cells);
    let whole = NAME_FIELDS.iter().filter_map(|field| cells.get(field)).flat_map(Cell::texts).take(MAX_COMPOSED_NAMES);
    for name in whole {
        for part in parts(cells).into_iter().flatten() {
            names.extend([format!("{part} {name}"), format!("{name} {part}")]);
        }
    }
    names
}

/// Whether a name is recognized in a field with names, or in several that make it together, such as one word in each language.
pub(crate) fn make_name(cells: &NameCells, recognizer: &NameRecognizer) -> bool {
    name_texts(cells).any(|text| recognizer.finds(text))
        || composed_names(cells).iter().any(|name| recognizer.finds(name))
        || recognizer.finds_across(name_texts(cells))
}

/// The texts of all the fields with names.
fn name_texts(cells: &NameCells) -> impl Iterator<Item = &str> {
    name_fields().filter_map(|field| cells.get(field)).flat_map(|cell| match cell {
        Cell::Text(text) => vec![text.as_str()],
        Cell::Json(json) => texts(json),
        Cell::Null | Cell::Integer(_) | Cell::Number(_) | Cell::Boolean(_) | Cell::Id(_) | Cell::Instant(_) => Vec::new(),
    })
}

fn parts(cells: &NameCells) -> [Option<&str>; 4] {
    PART_FIELDS.map(|field| cells.get(field).and_then(Cell::as_text))
}

/// Whether a draft gives a name or a part of one.
pub(crate) fn gives_names(record: &Record, draft: &Draft) -> bool {
    name_fields().any(|name| record.field_id(name).is_some_and(|field| draft.value(field).is_some()))
}

/// The stored values of these records in the fields with names.
pub(crate) async fn load_name_cells(
    transaction: &DatabaseTransaction,
    record: &'static Record,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, NameCells>> {
    let fields: Vec<_> = name_fields().filter_map(|name| Some((name, record.field(record.field_id(name)?)))).collect();
    let mut found = HashMap::new();
    for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
        let select = Query::select()
            .column("id")
            .columns(fields.iter().map(|(_, field)| Alias::new(field.column)))
            .from(Alias::new(record.table))
            .and_where(one_of_ids(transaction.get_database_backend(), "id", batch)?)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let mut cells = NameCells::new();
            for (index, (name, field)) in fields.iter().enumerate() {
                cells.insert(name, Cell::decode(&row, index + 1, field.kind).map_err(internal)?);
            }
            found.insert(row.try_get_by_index(0).map_err(internal)?, cells);
        }
    }
    Ok(found)
}

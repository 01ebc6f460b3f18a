//! Values as bound in SQL and as recorded in the history.

use std::collections::{HashMap, HashSet};

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::{Record, RecordKind};
use crate::core::id;
use crate::core::normalize::fold;
use crate::entity::RecordType;
use crate::store::read::result::Cell;

/// Maximum length of a sort key. Folded text is ASCII, so it can be cut at any byte.
const MAX_SORT_KEY_BYTES: usize = 200;

/// Whether rows of this type are records and not parts of a record.
pub(crate) fn is_record(record: &Record) -> bool {
    record.kind == RecordKind::Record
}

/// Value of a cell as bound in a statement; nulls are typed by the kind of the field.
pub(crate) fn bind(kind: FieldKind, cell: &Cell) -> sea_orm::Value {
    match cell {
        Cell::Null => match kind {
            FieldKind::Integer => sea_orm::Value::Int(None),
            FieldKind::Number => sea_orm::Value::Double(None),
            FieldKind::Boolean => sea_orm::Value::Bool(None),
            FieldKind::Instant => sea_orm::Value::ChronoDateTimeUtc(None),
            FieldKind::Translated | FieldKind::List(_) => sea_orm::Value::Json(None),
            FieldKind::One(_) | FieldKind::Any => sea_orm::Value::Uuid(None),
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

/// Keys of the parts of a record or part, with those of the record around it. A record has thousands of parts, each with few of
/// its own, so that the keys around them are not copied.
#[derive(Debug, Default)]
pub(crate) struct PartKeys<'o> {
    pub(crate) own: HashMap<Uuid, String>,
    pub(crate) around: Option<&'o PartKeys<'o>>,
}

impl PartKeys<'_> {
    fn get(&self, id: Uuid) -> Option<&str> {
        self.own.get(&id).map(String::as_str).or_else(|| self.around?.get(id))
    }
}

/// Value of a cell as the history records it and as a draft accepts it. `types` are the types of the records that
/// polymorphic references point to, `keys` the keys of the parts of the same record.
pub(crate) fn as_json(kind: FieldKind, cell: &Cell, types: &HashMap<Uuid, RecordType>, keys: &PartKeys<'_>) -> Json {
    match (cell, kind) {
        (Cell::Null, _) => Json::Null,
        (Cell::Text(text), _) => json!(text),
        (Cell::Integer(number), _) => json!(number),
        (Cell::Number(number), _) => json!(number),
        (Cell::Boolean(boolean), _) => json!(boolean),
        (Cell::Id(id), FieldKind::One(target)) => match keys.get(*id) {
            Some(key) => json!(key),
            None => json!(id::encode(target.prefix(), *id)),
        },
        (Cell::Id(id), _) => match types.get(id) {
            Some(ty) => json!({catalog().get(*ty).singular(): id::encode(ty.prefix(), *id)}),
            None => json!(id),
        },
        (Cell::Instant(instant), _) => json!(instant.to_rfc3339()),
        (Cell::Json(json), _) => json.clone(),
    }
}

/// Texts of the record's label, the one in the record's own language first.
pub(crate) fn label_texts<'c>(record: &Record, cells: &'c [Cell]) -> Vec<&'c str> {
    let Some(field) = record.find_field(|field| field.is_label) else { return Vec::new() };
    cells[field.index()].texts()
}

/// Key by which lists sort the record: the beginning of its name, folded.
pub(crate) fn sort_key(record: &Record, cells: &[Cell]) -> String {
    let own = record.field_id("sortName").and_then(|field| cells[field.index()].as_text());
    let name = own.or_else(|| label_texts(record, cells).first().copied()).unwrap_or_default();
    let mut key = fold(name);
    key.truncate(MAX_SORT_KEY_BYTES);
    key
}

/// Names of the record in all languages and spellings, folded, one per line, for the filter on the label.
pub(crate) fn folded_names(record: &Record, cells: &[Cell]) -> String {
    let mut names: Vec<String> = label_texts(record, cells).into_iter().map(fold).collect();
    if let Some(field) = record.field_id("otherNames") {
        names.extend(cells[field.index()].texts().into_iter().map(fold));
    }
    format!("\n{}\n", names.join("\n"))
}

/// The value that a merging draft gives, with the stored texts in languages that it does not give: those of a translated
/// field, and the objects of a list that state a language.
pub(crate) fn with_stored_languages(kind: FieldKind, stored: &Cell, given: Cell) -> Cell {
    let language = |item: &Json| item.get("lang").and_then(Json::as_str).map(str::to_owned);
    match (kind, stored, given) {
        (FieldKind::Translated, Cell::Json(Json::Object(stored)), Cell::Json(Json::Object(given))) => {
            let mut texts = stored.clone();
            texts.extend(given);
            Cell::Json(Json::Object(texts))
        }
        (FieldKind::List(_), Cell::Json(Json::Array(stored)), Cell::Json(Json::Array(mut given))) => {
            let languages: HashSet<String> = given.iter().filter_map(language).collect();
            let kept = stored.iter().filter(|item| language(item).is_some_and(|language| !languages.contains(&language)));
            given.extend(kept.cloned());
            Cell::Json(Json::Array(given))
        }
        (_, _, given) => given,
    }
}

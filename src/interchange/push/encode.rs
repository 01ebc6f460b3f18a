//! Encodes records as the input of the mutation `importRecords`.

use serde_json::{Map, Value as Json, json};

use crate::catalog::catalog;
use crate::catalog::kind::{FieldKind, Structure};
use crate::catalog::record::{Record, RecordKind};
use crate::core::id;
use crate::entity::RecordType;
use crate::store::draft::{Draft, DraftValue};
use crate::store::read::result::Cell;
use crate::store::write::Drafts;

/// Encodes records as `ImportRecordsInput.records`: each an object of one entry, from its type to its fields.
pub fn to_input(drafts: &Drafts) -> Json {
    let record = |(ty, draft): (RecordType, &Draft)| {
        let record = catalog().get(ty);
        json!({ record.singular(): encode_fields(record, draft) })
    };
    drafts.iter().flat_map(|(ty, drafts)| drafts.iter().map(move |draft| (*ty, draft))).map(record).collect()
}

fn encode_fields(record: &Record, draft: &Draft) -> Json {
    let mut fields = Map::new();
    // the server finds the record by the same identifier, and knows whether it is that of a merged record
    if let Some(name) = draft.name.as_ref().filter(|_| draft.found_by.is_none()) {
        let name_field = if record.kind == RecordKind::Record { "slug" } else { "key" };
        fields.insert(name_field.to_owned(), name.as_str().into());
    }
    for (id, value, _) in &draft.values {
        let field = record.field(*id);
        fields.insert(field.name.to_owned(), encode_value(field.kind, value));
    }
    for id in &draft.cleared {
        fields.insert(record.field(*id).name.to_owned(), Json::Null);
    }
    for (ty, parts) in &draft.parts {
        if let Some(list) = record.parts.iter().find(|list| list.part == *ty) {
            fields.insert(list.name.to_owned(), parts.iter().map(|draft| encode_part(catalog().get(*ty), draft)).collect());
        }
    }
    Json::Object(fields)
}

/// A part whose key comes from a single field is encoded as the bare value of that field.
fn encode_part(record: &Record, draft: &Draft) -> Json {
    let only = match record.key_from {
        [only] => Some(record.known_field(only)),
        _ => None,
    };
    match only.and_then(|id| Some((record.field(id).kind, draft.value(id)?))) {
        Some((kind, value)) => encode_value(kind, value),
        None => encode_fields(record, draft),
    }
}

fn encode_value(kind: FieldKind, value: &DraftValue) -> Json {
    let (ty, name) = match value {
        DraftValue::Cell(cell) => return encode_cell(kind, cell),
        DraftValue::Invalid => return Json::Null,
        DraftValue::Key(_, key) => return key.as_str().into(),
        DraftValue::Slug(ty, slug) => (*ty, slug.clone()),
        DraftValue::Id(ty, id) => (*ty, id::encode(ty.prefix(), *id)),
    };
    match kind {
        FieldKind::Any => json!({ catalog().get(ty).singular(): name }),
        _ => name.into(),
    }
}

fn encode_cell(kind: FieldKind, cell: &Cell) -> Json {
    match (kind, cell) {
        (FieldKind::Choice(_), Cell::Text(text)) => text.to_uppercase().into(),
        (FieldKind::List(structure), Cell::Json(Json::Array(items))) => {
            items.iter().map(|item| encode_member_values(structure, item)).collect()
        }
        (_, Cell::Text(text)) => text.as_str().into(),
        (_, Cell::Integer(number)) => (*number).into(),
        (_, Cell::Number(number)) => (*number).into(),
        (_, Cell::Boolean(boolean)) => (*boolean).into(),
        (_, Cell::Json(json)) => json.clone(),
        (_, Cell::Null | Cell::Id(_) | Cell::Instant(_)) => Json::Null,
    }
}

/// An object of a list, with choices as the enum values of the schema.
fn encode_member_values(structure: &Structure, item: &Json) -> Json {
    let mut item = item.clone();
    for member in structure.members.iter().filter(|member| matches!(member.kind, FieldKind::Choice(_))) {
        if let Some(text) = item[member.name].as_str().map(str::to_uppercase) {
            item[member.name] = text.into();
        }
    }
    item
}

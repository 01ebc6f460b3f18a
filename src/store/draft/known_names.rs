//! The names of types and fields that input can have, and the messages for others.

use crate::catalog::catalog;
use crate::catalog::record::{Record, RecordKind};
use crate::core::article::with_article;
use crate::core::ids::FieldId;

/// Plural name of the record type with this table or singular name, or with a plural that differs by at most two edits.
pub(super) fn similar_plural(given: &str) -> Option<&'static str> {
    let mut records = catalog().all().filter(|record| record.kind == RecordKind::Record);
    let near = |record: &&Record| record.table == given || record.singular() == given || strsim::osa_distance(record.plural, given) <= 2;
    records.find(near).map(|record| record.plural)
}

/// A field that input may set: not a system field, and not the owner of a part, which follows from its place.
pub(super) fn settable_field(record: &Record, name: &str) -> Option<FieldId> {
    let id = record.field_id(name)?;
    let is_owner = id == FieldId::OWNER && matches!(record.kind, RecordKind::Part { .. });
    (!is_owner && !record.field(id).system).then_some(id)
}

/// The message for a name that is neither a field nor a list of parts of a record.
pub(super) fn unknown_field(record: &Record, name: &str) -> String {
    let fields =
        record.fields_with_ids().filter(|(id, field)| settable_field(record, field.name) == Some(*id)).map(|(_, field)| field.name);
    let known: Vec<&str> = fields.chain(record.parts.iter().map(|list| list.name)).collect();
    let nearest = known.iter().map(|other| (strsim::osa_distance(name, other), other)).min();
    if let Some((1..=2, other)) = nearest {
        return format!("{} has no \"{name}\"; did you mean {other}?", with_article(&record.singular()));
    }
    format!("{} has no \"{name}\"; it has {}", with_article(&record.singular()), known.join(", "))
}

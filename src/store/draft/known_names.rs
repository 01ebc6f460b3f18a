//! The names of types and fields that input can have, and the messages for others.

use crate::catalog::catalog;
use crate::catalog::record::{Record, RecordKind};
use crate::core::article::with_article;
use crate::core::id;
use crate::core::ids::FieldId;
use crate::core::text::excerpt;
use crate::entity::RecordType;

/// Maximum length of a slug or key.
pub(super) const MAX_NAME_BYTES: usize = 100;

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
pub fn unknown_field(record: &Record, name: &str) -> String {
    let fields =
        record.fields_with_ids().filter(|(id, field)| settable_field(record, field.name) == Some(*id)).map(|(_, field)| field.name);
    let known: Vec<&str> = fields.chain(record.parts.iter().map(|list| list.name)).collect();
    let nearest = known.iter().map(|other| (strsim::osa_distance(name, other), other)).min();
    if let Some((1..=2, other)) = nearest {
        return format!("{} has no \"{name}\"; did you mean {other}?", with_article(&record.singular()));
    }
    format!("{} has no \"{name}\"; it has {}", with_article(&record.singular()), known.join(", "))
}

/// Requires a slug, or a key as input gives it.
pub fn check_name(text: &str) -> Result<(), String> {
    let is_valid = !text.is_empty()
        && text.len() <= MAX_NAME_BYTES
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-');
    if is_valid {
        return Ok(());
    }
    let text = excerpt(text);
    Err(format!(
        "\"{text}\" is not a valid name; use up to {MAX_NAME_BYTES} lower-case letters a-z, digits and hyphens, such as alnur-ilyashev"
    ))
}

/// Requires what may name a record or part of a type: a slug or an id of a record, or the key of a part. Ids contain an
/// underscore, and slugs never do.
pub fn check_reference(target: RecordType, text: &str) -> Result<(), String> {
    let record = catalog().get(target);
    if record.kind != RecordKind::Record || !text.contains('_') {
        return check_name(text);
    }
    match id::decode(text) {
        Ok((prefix, _)) if prefix == target.prefix() => Ok(()),
        Ok((prefix, _)) => {
            let singular = with_article(&record.singular());
            Err(format!("\"{text}\" is an id of another type ({prefix}); the id of {singular} begins with {}_", target.prefix()))
        }
        Err(error) => Err(format!("{error}; give the id or the slug of {}", with_article(&record.singular()))),
    }
}

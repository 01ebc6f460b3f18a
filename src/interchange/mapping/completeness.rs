//! What a mapping lacks, or has wrong in a constant, whatever the cells of the table are: it would be a problem of every row.

use super::convert::MappingNode;
use super::option::OptionReader;
use super::position::member;
use super::rule::FieldRule;
use crate::catalog::catalog;
use crate::catalog::kind::{FieldKind, Structure};
use crate::catalog::record::{Record, RecordKind};
use crate::entity::RecordType;
use crate::store::draft::{check_name, check_reference, unknown_field};

/// Checks the fields of a record.
pub(super) fn check_record(reader: &mut OptionReader<'_>, record: &'static Record, root: &MappingNode, path: &str) {
    let MappingNode::Map { entries, .. } = root else { return };
    let is_identified = entries.iter().any(|(name, node)| match node {
        MappingNode::List { items, .. } if name == "identifiers" => !items.is_empty(),
        MappingNode::Leaf(_) => name == "slug",
        MappingNode::List { .. } | MappingNode::Map { .. } => false,
    });
    if !is_identified {
        let message = "neither slug nor identifiers is given, by which later imports find the records; add one of them, such as slug: {template: \"{Name}\", slug: true}";
        reader.report(path, message);
    }
    check_entries(reader, record, entries, path);
}

fn check_entries(reader: &mut OptionReader<'_>, record: &'static Record, entries: &[(String, MappingNode)], path: &str) {
    let name_field = if record.kind == RecordKind::Record { "slug" } else { "key" };
    for (name, node) in entries {
        let path = member(path, name);
        if let Some(list) = record.parts.iter().find(|list| list.name == name) {
            check_parts(reader, record, catalog().get(list.part), node, &path);
            continue;
        }
        let field = record.fields.iter().find(|field| field.name == name).map(|field| field.kind);
        match (node, field) {
            (MappingNode::List { items, .. }, Some(FieldKind::List(structure))) => check_structures(reader, structure, items, &path),
            (MappingNode::Leaf(rule), field) => {
                let Some(text) = constant(rule) else { continue };
                let checked = match field {
                    Some(FieldKind::One(target)) => check_reference(target, &text),
                    _ if name == name_field => check_name(&text),
                    Some(_) | None => Ok(()),
                };
                if let Err(message) = checked {
                    reader.report(&member(&path, "constant"), message);
                }
            }
            (MappingNode::Map { .. } | MappingNode::List { .. }, _) => {}
        }
    }
}

/// Checks the items of a list of parts of `owner`.
fn check_parts(reader: &mut OptionReader<'_>, owner: &'static Record, part: &'static Record, node: &MappingNode, path: &str) {
    let MappingNode::List { items, .. } = node else { return };
    for (index, item) in items.iter().enumerate() {
        let MappingNode::Map { entries, .. } = item else { continue };
        let path = format!("{path}[{index}]");
        // a part with a key may be stored already, with what is not given
        if part.key_from.len() > 1 {
            let required = part.fields.iter().skip(1).filter(|field| field.required && !field.system && field.name != "key");
            check_required(reader, &part.singular(), required.map(|field| field.name), entries, &path);
        }
        if part.ty == RecordType::Citation {
            check_claim(reader, owner, entries, &path);
        }
        check_entries(reader, part, entries, &path);
    }
}

/// Checks the field and the value that a citation supports.
fn check_claim(reader: &mut OptionReader<'_>, owner: &'static Record, entries: &[(String, MappingNode)], path: &str) {
    let get = |name: &str| entries.iter().find(|(given, _)| given == name).map(|(_, node)| node);
    match get("field") {
        None if get("value").is_some() => {
            reader.report(path, "a value is claimed and field is missing; name the field that the value is claimed for");
        }
        Some(MappingNode::Leaf(rule)) => {
            let Some(name) = constant(rule) else { return };
            let is_field = owner.fields.iter().any(|field| field.name == name && !field.system);
            if !is_field && !owner.parts.iter().any(|list| list.name == name) {
                reader.report(&member(&member(path, "field"), "constant"), unknown_field(owner, &name));
            }
        }
        Some(MappingNode::Map { .. } | MappingNode::List { .. }) | None => {}
    }
}

fn check_structures(reader: &mut OptionReader<'_>, structure: &Structure, items: &[MappingNode], path: &str) {
    for (index, item) in items.iter().enumerate() {
        let MappingNode::Map { entries, .. } = item else { continue };
        let required = structure.members.iter().filter(|member| member.required).map(|member| member.name);
        check_required(reader, structure.name, required, entries, &format!("{path}[{index}]"));
    }
}

fn check_required<'n>(
    reader: &mut OptionReader<'_>,
    singular: &str,
    required: impl Iterator<Item = &'n str>,
    entries: &[(String, MappingNode)],
    path: &str,
) {
    for name in required.filter(|name| !entries.iter().any(|(given, _)| given == name)) {
        reader.report(path, format!("{name} is missing; every {singular} has one"));
    }
}

/// The text that a rule gives in every row, if it reads nothing from the row and does not change it.
fn constant(rule: &FieldRule) -> Option<String> {
    let is_plain = !rule.is_slug && rule.lookup.is_none() && rule.pattern.is_none() && rule.replacements.is_none();
    match rule.sources.as_slice() {
        [source] if is_plain && source.is_constant() => Some(source.render(|_| "".into())).filter(|text| !text.is_empty()),
        _ => None,
    }
}

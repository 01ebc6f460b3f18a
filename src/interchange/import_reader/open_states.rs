//! Converts people, committees, bills and jurisdictions of Open States to items of Popolo: the files of its repository of people,
//! and the objects of its API and of its bulk data. What is not converted stays under its own name, such as `extras.profession`,
//! and is reported as all omitted fields are.

mod bill;
mod committee;
mod ids;
mod jurisdiction;
mod person;

use std::sync::Arc;

use super::fields::Fields;
use crate::core::path::PathSegment;
use crate::interchange::popolo::{PopoloClass, PopoloData};
use crate::store::draft::value_tree::{Tree, Value};
use ids::{BILL_ID, JURISDICTION_ID, ORGANIZATION_ID, PERSON_ID};
use jurisdiction::Jurisdiction;

/// Fields that people have in Open States and in no other format.
const PERSON_FIELDS: [&str; 6] = ["roles", "party", "current_role", "offices", "other_identifiers", "ids"];

/// What an object of a list must be.
const EXPECTED: &str = "this is no person, committee, bill or jurisdiction of Open States, as others in this file are; its id must begin with ocd-person/, ocd-organization/ or ocd-bill/, or have the form ocd-jurisdiction/country:us/state:nc/government";

/// The objects of Open States.
#[derive(Debug, Clone, Copy)]
enum ObjectKind {
    Person,
    Committee,
    Bill,
    Jurisdiction,
}

impl ObjectKind {
    /// The kind of an object, by its id.
    fn of(tree: &Tree) -> Option<Self> {
        let Value::Map(entries) = &tree.value else { return None };
        let id = text(entries, "id")?;
        let kinds =
            [(PERSON_ID, Self::Person), (ORGANIZATION_ID, Self::Committee), (BILL_ID, Self::Bill), (JURISDICTION_ID, Self::Jurisdiction)];
        kinds.into_iter().find(|(prefix, _)| id.starts_with(prefix)).map(|(_, kind)| kind)
    }
}

/// Whether a file is an object of Open States, a list of them, or a page of results of its API.
pub(super) fn is_open_states(tree: &Tree) -> bool {
    let first = match &tree.value {
        Value::List(items) => items.first(),
        Value::Map(entries) => match results(entries) {
            Some(items) => items.first(),
            None => Some(tree),
        },
        Value::Null | Value::Boolean(_) | Value::Number(_) | Value::Text(_) | Value::Invalid => None,
    };
    first.is_some_and(is_object)
}

/// Adds the objects of a file to the items of an import, each at its place.
pub(super) fn collect(popolo: &mut PopoloData, file: &Arc<str>, tree: Tree) {
    let line = tree.line;
    match tree.value {
        Value::List(items) => collect_list(popolo, file, &[], items),
        Value::Map(entries) if results(&entries).is_some() => {
            for (name, tree) in entries {
                let is_results = name == "results";
                match tree.value {
                    Value::List(items) if is_results => collect_list(popolo, file, &[name.into()], items),
                    value => popolo.omit(file, name, &Tree { line: tree.line, value }),
                }
            }
        }
        value => collect_object(popolo, file, Vec::new(), Tree { line, value }),
    }
}

fn collect_list(popolo: &mut PopoloData, file: &Arc<str>, path: &[PathSegment], items: Vec<Tree>) {
    for (index, item) in items.into_iter().enumerate() {
        let path = path.iter().cloned().chain([index.into()]).collect();
        collect_object(popolo, file, path, item);
    }
}

fn collect_object(popolo: &mut PopoloData, file: &Arc<str>, path: Vec<PathSegment>, tree: Tree) {
    let kind = ObjectKind::of(&tree);
    let line = tree.line;
    match (kind, Fields::from_tree(tree)) {
        (Some(ObjectKind::Person), Ok(fields)) => popolo.add_global(file, PopoloClass::Person, path, person::convert(fields)),
        (Some(ObjectKind::Committee), Ok(fields)) => popolo.add_global(file, PopoloClass::Organization, path, committee::convert(fields)),
        (Some(ObjectKind::Bill), Ok(fields)) => popolo.add_global(file, PopoloClass::Bill, path, bill::convert(fields)),
        (Some(ObjectKind::Jurisdiction), Ok(fields)) => match Jurisdiction::convert(fields) {
            Ok(area) => popolo.add_global(file, PopoloClass::Area, path, area),
            Err(_) => popolo.refuse(file, path, line, EXPECTED),
        },
        (None, _) | (Some(_), Err(_)) => popolo.refuse(file, path, line, EXPECTED),
    }
}

/// Whether a value is an object of Open States, by its id and by fields that others do not have.
fn is_object(tree: &Tree) -> bool {
    let Value::Map(entries) = &tree.value else { return false };
    let has = |name: &str| entries.iter().any(|(key, _)| key == name);
    let is_of = match ObjectKind::of(tree) {
        Some(ObjectKind::Person) => PERSON_FIELDS.into_iter().any(has),
        Some(ObjectKind::Committee) => {
            text(entries, "jurisdiction").is_some_and(|id| id.starts_with(JURISDICTION_ID)) || has_named_members(entries)
        }
        Some(ObjectKind::Bill) => has("identifier") && has("title"),
        Some(ObjectKind::Jurisdiction) => has("name"),
        None => false,
    };
    is_of && !has("@type")
}

/// Whether an organization has members as the API gives them.
fn has_named_members(entries: &[(String, Tree)]) -> bool {
    let members = entries.iter().find(|(key, _)| key == "memberships").map(|(_, tree)| &tree.value);
    let Some(Value::List(members)) = members else { return false };
    let is_named = |member: &Tree| matches!(&member.value, Value::Map(fields) if fields.iter().any(|(key, _)| key == "person_name"));
    members.first().is_some_and(is_named)
}

/// The results of a page of the API.
fn results(entries: &[(String, Tree)]) -> Option<&[Tree]> {
    match entries.iter().find(|(key, _)| key == "results").map(|(_, tree)| &tree.value) {
        Some(Value::List(items)) => Some(items),
        Some(Value::Null | Value::Boolean(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) | Value::Invalid) | None => None,
    }
}

fn text(entries: &[(String, Tree)], name: &str) -> Option<String> {
    match &entries.iter().find(|(key, _)| key == name)?.1.value {
        Value::Text(text) => Some(text.trim().to_owned()),
        Value::Null | Value::Boolean(_) | Value::Number(_) | Value::List(_) | Value::Map(_) | Value::Invalid => None,
    }
}

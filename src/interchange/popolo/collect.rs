//! Collects the items of Popolo files: lists of classes, bare lists and objects, and items nested inside others.

use std::sync::Arc;

use super::model::{FieldMap, PopoloClass, PopoloData, PopoloItem, id_from_name, is_empty, scalar_text};
use super::normalize::display_name;
use crate::core::path::PathSegment;
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{InputProblem, Origin};

/// Fields that may contain an object instead of an id, and the class of that object.
const NESTED_FIELDS: &[(&str, PopoloClass)] = &[
    ("person", PopoloClass::Person),
    ("organization", PopoloClass::Organization),
    ("on_behalf_of", PopoloClass::Organization),
    ("parent", PopoloClass::Organization),
    ("post", PopoloClass::Post),
    ("area", PopoloClass::Area),
    ("legislative_period", PopoloClass::Event),
];

/// Whether a JSON file contains Popolo rather than records by type.
pub fn is_popolo(tree: &Tree) -> bool {
    match &tree.value {
        Value::List(_) => true,
        Value::Map(entries) => {
            let has = |name: &str| entries.iter().any(|(key, _)| key == name);
            has("@type") || has("persons") || ["posts", "areas", "events"].into_iter().any(has) || entries.iter().any(is_popolo_list)
        }
        Value::Null | Value::Boolean(_) | Value::Number(_) | Value::Text(_) | Value::Invalid => false,
    }
}

/// Whether a list under a name that both formats have, such as `organizations`, contains Popolo objects.
fn is_popolo_list((key, tree): &(String, Tree)) -> bool {
    let Value::List(items) = &tree.value else { return false };
    let Some(Value::Map(first)) = items.first().map(|item| &item.value) else { return false };
    let is_plain_name = |(key, tree): &(String, Tree)| key == "name" && matches!(tree.value, Value::Text(_));
    let is_id = |(key, _): &(String, Tree)| key == "id" || key.ends_with("_id");
    class_from_name(key).is_some()
        && !first.iter().any(|(key, _)| key == "slug")
        && first.iter().any(|entry| is_id(entry) || is_plain_name(entry))
}

/// The class that a list or an `@type` names.
fn class_from_name(name: &str) -> Option<PopoloClass> {
    let name = name.rsplit(['/', '#', ':']).next().unwrap_or(name);
    name.to_lowercase().parse().ok()
}

/// The class of an object in a bare list, from its type or its characteristic fields.
fn class_from_fields(fields: &FieldMap) -> Option<PopoloClass> {
    if let Some(name) = fields.get("@type").or_else(|| fields.get("type")).and_then(scalar_text)
        && let Some(class) = class_from_name(&name)
    {
        return Some(class);
    }
    let has = |names: &[&str]| names.iter().any(|name| fields.get(name).is_some());
    if has(&["person_id", "person"]) {
        Some(PopoloClass::Membership)
    } else if has(&["given_name", "family_name", "birth_date", "gender"]) {
        Some(PopoloClass::Person)
    } else if has(&["founding_date", "dissolution_date"]) {
        Some(PopoloClass::Organization)
    } else {
        None
    }
}

impl PopoloData {
    /// Adds the items of a parsed file.
    pub fn collect(&mut self, file: &Arc<str>, tree: Tree) {
        let origin = |path: Vec<PathSegment>, line| Origin { file: Some(file.clone()), line, path };
        let file_class = file.rsplit('/').next().and_then(|name| class_from_name(name.split('.').next().unwrap_or_default()));
        match tree.value {
            Value::Map(entries) if entries.iter().any(|(key, _)| key == "@type") => {
                self.add_untyped(Tree { line: tree.line, value: Value::Map(entries) }, file_class, origin(Vec::new(), tree.line));
            }
            Value::Map(entries) => {
                for (name, list) in entries {
                    self.collect_list(file, name, list);
                }
            }
            Value::List(items) => {
                for (index, item) in items.into_iter().enumerate() {
                    let origin = origin(vec![index.into()], item.line);
                    self.add_untyped(item, file_class, origin);
                }
            }
            value => {
                let tree = Tree { line: tree.line, value };
                let message = format!("expected a map from Popolo classes to lists, such as persons: [...]; found {}", tree.kind());
                self.problem(origin(Vec::new(), tree.line), message);
            }
        }
    }

    /// Adds the items of one top-level entry; an entry that is no class counts as omitted.
    fn collect_list(&mut self, file: &Arc<str>, name: String, list: Tree) {
        let origin = |path: Vec<PathSegment>, line| Origin { file: Some(file.clone()), line, path };
        match (class_from_name(&name), list.value) {
            (Some(class), Value::List(items)) => {
                for (index, item) in items.into_iter().enumerate() {
                    let origin = origin(vec![name.clone().into(), index.into()], item.line);
                    self.add(class, item, origin, true);
                }
            }
            (_, value) if is_empty(&Tree { line: None, value: value.clone() }) => {}
            (Some(_), value) => {
                let tree = Tree { line: list.line, value };
                self.problem(origin(vec![name.into()], list.line), format!("expected a list, found {}", tree.kind()));
            }
            (None, _) => self.omissions.count(name),
        }
    }

    /// Adds an object that is not in a list of its class. The class comes from the object, or else from the file name.
    fn add_untyped(&mut self, tree: Tree, file_class: Option<PopoloClass>, origin: Origin) {
        let class = match &tree.value {
            Value::Map(entries) => class_from_fields(&FieldMap(entries.clone())).or(file_class),
            _ => file_class,
        };
        if let Some(class) = class {
            self.add(class, tree, origin, true);
        } else {
            let message = "unknown class; add an \"@type\" such as Person, or put the object into a list such as persons";
            self.problem(origin, message.to_owned());
        }
    }

    fn problem(&mut self, origin: Origin, message: String) {
        self.problems.push(InputProblem::new(origin, message));
    }

    /// Adds an item and the items nested inside it, and returns its id.
    fn add(&mut self, class: PopoloClass, tree: Tree, origin: Origin, is_top_level: bool) -> Option<String> {
        let Value::Map(entries) = tree.value else {
            self.problem(origin, format!("expected a map of {} fields, found {}", class.singular(), tree.kind()));
            return None;
        };
        let mut fields = FieldMap(entries);
        let id = fields.take_text("id").or_else(|| fields.take_text("@id"));
        self.extract_nested(&mut fields, class, &origin);
        let has_memberships = matches!(class, PopoloClass::Person | PopoloClass::Organization);
        let memberships = has_memberships.then(|| fields.take("memberships")).flatten();
        let id = id.or_else(|| {
            let name = (class != PopoloClass::Membership).then(|| display_name(&mut fields.clone())).flatten();
            name.map(|name| id_from_name(&name))
        });
        if let Some(Tree { value: Value::List(memberships), .. }) = memberships {
            for (index, membership) in memberships.into_iter().enumerate() {
                let origin = origin.child("memberships", None).child(index, membership.line);
                self.add(PopoloClass::Membership, with_owner(membership, class, id.as_ref()), origin, true);
            }
        }
        self.insert(PopoloItem { class, id: id.clone(), is_top_level, fields, origin });
        id
    }

    /// Inserts an item. A top-level item replaces a nested one of the same id; two different top-level items of one id are a
    /// problem.
    fn insert(&mut self, item: PopoloItem) {
        let Some(key) = item.id.clone().map(|id| (item.class, id)) else {
            self.items.push(item);
            return;
        };
        match self.index_by_id.get(&key).copied() {
            None => {
                self.index_by_id.insert(key, self.items.len());
                self.items.push(item);
            }
            Some(index) if !self.items[index].is_top_level => self.items[index] = item,
            Some(index) if item.is_top_level && self.items[index].fields != item.fields => {
                let first = self.items[index].origin.clone();
                let first = format!("{}:{}", first.file.as_deref().unwrap_or_default(), first.line.unwrap_or_default());
                let message = format!("two {} have the id \"{}\"; the first is at {first}", item.class.plural(), key.1);
                self.problem(item.origin, message);
            }
            Some(_) => {}
        }
    }

    /// Adds the objects nested in fields as items of their own and replaces them by their ids.
    fn extract_nested(&mut self, fields: &mut FieldMap, class: PopoloClass, origin: &Origin) {
        for (name, nested) in NESTED_FIELDS {
            let nested = if class == PopoloClass::Area && *name == "parent" { PopoloClass::Area } else { *nested };
            let Some(tree) = fields.get(name) else { continue };
            let (line, id_field) = (tree.line, format!("{name}_id"));
            let is_object = matches!(tree.value, Value::Map(_));
            // an area given as text is a name, not an id
            if !is_object && (nested == PopoloClass::Area || scalar_text(tree).is_none()) {
                continue;
            }
            let Some(tree) = fields.take(name) else { continue };
            let id = if is_object { self.add(nested, tree, origin.child(*name, line), false) } else { scalar_text(&tree) };
            if let (Some(id), None) = (id, fields.get(&id_field)) {
                fields.0.push((id_field, Tree { line, value: Value::Text(id) }));
            }
        }
    }
}

/// Sets the reference of a nested membership to the person or organization that contains it, unless it has one.
fn with_owner(mut membership: Tree, class: PopoloClass, id: Option<&String>) -> Tree {
    let id_field = format!("{}_id", class.singular());
    if let (Value::Map(entries), Some(id)) = (&mut membership.value, id) {
        let has_owner = entries.iter().any(|(name, tree)| (*name == id_field || *name == class.singular()) && !is_empty(tree));
        if !has_owner {
            entries.retain(|(name, _)| *name != id_field);
            entries.push((id_field, Tree { line: membership.line, value: Value::Text(id.clone()) }));
        }
    }
    membership
}

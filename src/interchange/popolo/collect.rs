//! Collects the items of Popolo files: lists of classes, bare lists and objects, and items nested inside others.

use std::borrow::Cow;
use std::sync::Arc;

use super::class::{PopoloClass, is_single_object};
use super::fields::{FieldMap, is_empty, scalar_text};
use super::model::{PopoloData, PopoloItem, id_from_identifiers, id_from_name};
use super::nested::take_single;
use super::normalize::display_name;
use crate::core::path::{DisplayPath, PathSegment};
use crate::core::text::{cleaned, excerpt, is_invisible};
use crate::interchange::omissions::place;
use crate::interchange::slug::short_hash;
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{InputProblem, Origin};

/// What to do about an object whose class is not known.
const UNKNOWN_CLASS: &str = "unknown class; add an \"@type\" such as Person, or put the object into a list such as persons";

/// Takes the id of an item, or makes one: of its identifiers in other registers, of its name, or of the wording of a motion. Memberships have none without an id,
/// and items without a name are not named.
fn take_id(fields: &mut FieldMap, class: PopoloClass, origin: &Origin) -> Result<Option<String>, (&'static str, String)> {
    for name in ["id", "@id"] {
        let Some(tree) = take_single(fields, name).map_err(|message| (name, message))? else { continue };
        if let Some(id) = scalar_text(&tree) {
            return Ok(Some(id));
        }
        return Err((name, format!("this is {}; it must be one id", tree.kind())));
    }
    let missing = |also: &str| Err(("id", format!("id is missing; give the {} an id{also}", class.singular().replace('_', " "))));
    match class {
        PopoloClass::Membership => Ok(None),
        // their names are required, which is checked later
        PopoloClass::Person | PopoloClass::Organization => {
            Ok(id_from_identifiers(fields).or_else(|| display_name(fields).map(|name| id_from_name(&name))))
        }
        PopoloClass::Area => Ok(display_name(fields).map(|name| id_from_name(&name))),
        PopoloClass::Post | PopoloClass::Event => match display_name(fields) {
            Some(name) => Ok(Some(id_from_name(&name))),
            None => missing(" or a name"),
        },
        // a motion that is nested in its vote event is not referred to by others
        PopoloClass::Motion => match fields.get_text("text") {
            Some(text) => Ok(Some(id_from_name(&short_hash(&format!("{text} {} {}", place(origin, None), DisplayPath(&origin.path)))))),
            None => missing(" or a text"),
        },
        PopoloClass::VoteEvent | PopoloClass::Speech | PopoloClass::Bill => missing(", by which later imports find it"),
    }
}

impl PopoloData {
    /// Adds the items of a parsed file.
    pub fn collect(&mut self, file: &Arc<str>, mut tree: Tree) {
        self.register_file.get_or_insert_with(|| file.clone());
        self.clean(file, &mut tree);
        let origin = |path: Vec<PathSegment>, line| Origin { file: Some(file.clone()), line, path };
        let file_class = file.rsplit('/').next().and_then(|name| PopoloClass::from_name(name.split('.').next().unwrap_or_default()));
        match tree.value {
            Value::Map(entries) if is_single_object(&entries) => {
                self.add_untyped(Tree { line: tree.line, value: Value::Map(entries) }, file_class, origin(Vec::new(), tree.line));
            }
            Value::Map(entries) => {
                let is_class = |(name, _): &(String, Tree)| PopoloClass::from_name(name).is_some();
                if !entries.iter().any(is_class) && entries.iter().any(|(_, tree)| !is_empty(tree)) {
                    let message = "there is no list of a Popolo class, such as persons: [...], and no object with an \"@type\"";
                    return self.problem(origin(Vec::new(), tree.line), message.to_owned());
                }
                // a person and an organization can be those of a membership
                let is_object = |(name, tree): &&(String, Tree)| {
                    matches!(tree.value, Value::Map(_)) && PopoloClass::from_name(name).is_some_and(|class| class.singular() == name)
                };
                if entries.iter().filter(is_object).count() > 1 {
                    return self.problem(origin(Vec::new(), tree.line), UNKNOWN_CLASS.to_owned());
                }
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

    /// Adds an object of Open States that was converted to an item of a class. `path` is its place in the file.
    pub(in crate::interchange) fn add_global(&mut self, file: &Arc<str>, class: PopoloClass, path: Vec<PathSegment>, mut tree: Tree) {
        self.open_states_file.get_or_insert_with(|| file.clone());
        self.clean(file, &mut tree);
        let origin = Origin { file: Some(file.clone()), line: tree.line, path };
        self.add(class, tree, origin, true);
    }

    /// Refuses a value of a file that was not converted.
    pub(in crate::interchange) fn refuse(&mut self, file: &Arc<str>, path: Vec<PathSegment>, line: Option<usize>, message: &str) {
        self.problem(Origin { file: Some(file.clone()), line, path }, message.to_owned());
    }

    /// Counts a value of a file that was not converted as omitted.
    pub(in crate::interchange) fn omit(&mut self, file: &Arc<str>, name: String, tree: &Tree) {
        let origin = Origin { file: Some(file.clone()), line: tree.line, path: vec![name.clone().into()] };
        self.omissions.count(name, tree, &origin);
    }

    /// Cleans the texts of a file as records are cleaned, so that ids and references are compared without invisible characters.
    fn clean(&mut self, file: &Arc<str>, tree: &mut Tree) {
        match &mut tree.value {
            Value::Text(text) => {
                if let Cow::Owned(clean) = cleaned(text) {
                    if text.contains(|char| is_invisible(char) && !clean.contains(char)) {
                        let first = || (place(&Origin { file: Some(file.clone()), ..Origin::default() }, tree.line), 0);
                        self.cleaned.get_or_insert_with(first).1 += 1;
                    }
                    *text = clean;
                }
            }
            Value::List(items) => items.iter_mut().for_each(|item| self.clean(file, item)),
            Value::Map(entries) => entries.iter_mut().for_each(|(_, tree)| self.clean(file, tree)),
            Value::Null | Value::Boolean(_) | Value::Number(_) | Value::Invalid => {}
        }
    }

    /// Adds the items of one top-level entry; an entry that is no class counts as omitted.
    fn collect_list(&mut self, file: &Arc<str>, name: String, list: Tree) {
        let origin = |path: Vec<PathSegment>, line| Origin { file: Some(file.clone()), line, path };
        match (PopoloClass::from_name(&name), list.value) {
            (Some(class), Value::List(items)) => {
                for (index, item) in items.into_iter().enumerate() {
                    let origin = origin(vec![name.clone().into(), index.into()], item.line);
                    self.add(class, item, origin, true);
                }
            }
            // an object under the name of its class, such as person: {...}
            (Some(class), value @ Value::Map(_)) if name == class.singular() => {
                let origin = origin(vec![name.into()], list.line);
                self.add(class, Tree { line: list.line, value }, origin, true);
            }
            (class, value) => {
                let tree = Tree { line: list.line, value };
                if is_empty(&tree) {
                    return;
                }
                let origin = origin(vec![name.clone().into()], list.line);
                if class.is_some() {
                    self.problem(origin, format!("expected a list, found {}", tree.kind()));
                } else {
                    self.omissions.count(name, &tree, &origin);
                }
            }
        }
    }

    /// Adds an object that is not in a list of its class. Its class is the one that it states, or else that of the file name,
    /// or else the one class that has its fields. If these say several classes, it is a problem.
    fn add_untyped(&mut self, tree: Tree, file_class: Option<PopoloClass>, origin: Origin) {
        let Value::Map(entries) = &tree.value else {
            return match file_class {
                Some(class) => drop(self.add(class, tree, origin, true)),
                None => self.problem(origin, UNKNOWN_CLASS.to_owned()),
            };
        };
        let text = |name: &str| entries.iter().find(|(key, _)| key == name).and_then(|(_, tree)| scalar_text(tree));
        let stated = match text("@type") {
            Some(name) => {
                if let Some(class) = PopoloClass::from_name(&name) {
                    Some(class)
                } else {
                    let message = format!("\"@type\" is \"{}\", which is no class that is imported", excerpt(&name));
                    return self.problem(origin.child("@type", None), message);
                }
            }
            None => text("type").and_then(|name| PopoloClass::from_name(&name)),
        };
        let by_fields = PopoloClass::from_fields(entries);
        let other = by_fields.iter().find(|(class, _)| file_class.or(by_fields.first().map(|(first, _)| *first)) != Some(*class));
        let class = match (stated, file_class.or_else(|| by_fields.first().map(|(class, _)| *class)), other) {
            (Some(class), ..) | (None, Some(class), None) => class,
            (None, Some(class), Some((other, field))) => {
                let [one, other] = [class, *other].map(PopoloClass::plural);
                let reason = if file_class.is_some() { "by the name of the file" } else { "by its fields" };
                let message = format!("this is one of the {one} {reason}, but only {other} have \"{field}\"; add an \"@type\"");
                return self.problem(origin, message);
            }
            (None, None, _) => return self.problem(origin, UNKNOWN_CLASS.to_owned()),
        };
        self.add(class, tree, origin, true);
    }

    pub(super) fn problem(&mut self, origin: Origin, message: String) {
        self.problems.push(InputProblem::new(origin, message));
    }

    /// Adds an item and the items nested inside it, and returns its id.
    pub(super) fn add(&mut self, class: PopoloClass, tree: Tree, origin: Origin, is_top_level: bool) -> Option<String> {
        self.object_count += 1;
        let Value::Map(entries) = tree.value else {
            self.problem(origin, format!("expected a map of {} fields, found {}", class.singular(), tree.kind()));
            return None;
        };
        let mut fields = FieldMap(entries);
        if let Some(name) = fields.get_text("@type")
            && PopoloClass::from_name(&name) != Some(class)
        {
            let message = format!("\"@type\" is \"{}\", but the object stands in place of a {}", excerpt(&name), class.singular());
            self.problem(origin.child("@type", None), message);
            return None;
        }
        let id = match take_id(&mut fields, class, &origin) {
            Ok(id) => id,
            Err((name, message)) => {
                self.problem(origin.child(name, None), message);
                return None;
            }
        };
        if class == PopoloClass::Membership {
            self.extract_member(&mut fields, &origin);
        }
        self.extract_references(&mut fields, class, &origin);
        self.extract_parts(&mut fields, class, &origin);
        self.extract_lists(&mut fields, class, id.as_deref(), &origin);
        self.insert(PopoloItem { class, id: id.clone(), is_top_level, fields, origin });
        id
    }

    /// Inserts an item. An item that is nested in others and stands in a list as well is one; two items of one list with the
    /// same id are a problem, as are two different values.
    fn insert(&mut self, item: PopoloItem) {
        let Some(key) = item.id.clone().map(|id| (item.class, id)) else {
            self.items.push(item);
            return;
        };
        let Some(index) = self.index_by_id.get(&key).copied() else {
            self.index_by_id.insert(key, self.items.len());
            self.items.push(item);
            return;
        };
        let first_place = place(&self.items[index].origin, None);
        if item.is_top_level && self.items[index].is_top_level {
            if !same_fields(&self.items[index].fields, &item.fields) {
                let message = format!("two {} have the id \"{}\"; the first is at {first_place}", item.class.plural(), key.1);
                self.problem(item.origin, message);
            }
            return;
        }
        let (origin, other) = (item.origin.clone(), item.fields.clone());
        let stored = &mut self.items[index];
        let nested = if item.is_top_level { std::mem::replace(stored, item).fields } else { other };
        let conflicts = merge_fields(&mut stored.fields, nested);
        for field in conflicts {
            let message = format!("{} \"{}\" has another {field} at {first_place}; give each of its values once", key.0.singular(), key.1);
            self.problem(origin.child(field, None), message);
        }
    }
}

/// Adds the fields of the same item at another place, and returns the names of those with another value. Lists are joined.
fn merge_fields(fields: &mut FieldMap, others: FieldMap) -> Vec<String> {
    let mut conflicts = Vec::new();
    for (name, tree) in others.0.into_iter().filter(|(_, tree)| !is_empty(tree)) {
        match fields.0.iter_mut().find(|(known, tree)| *known == name && !is_empty(tree)).map(|(_, tree)| tree) {
            None => fields.0.push((name, tree)),
            Some(known) => match (&mut known.value, tree.value) {
                (Value::List(known), Value::List(items)) => {
                    for item in items {
                        if !known.iter().any(|other| same_value(other, &item)) {
                            known.push(item);
                        }
                    }
                }
                (_, value) => {
                    if !same_value(known, &Tree { line: None, value }) {
                        conflicts.push(name);
                    }
                }
            },
        }
    }
    conflicts
}

/// Whether two items have the same values, wherever they stand.
fn same_fields(one: &FieldMap, other: &FieldMap) -> bool {
    let count = |fields: &FieldMap| fields.0.iter().filter(|(_, tree)| !is_empty(tree)).count();
    count(one) == count(other)
        && one.0.iter().filter(|(_, tree)| !is_empty(tree)).all(|(name, tree)| other.get(name).is_some_and(|other| same_value(tree, other)))
}

fn same_value(one: &Tree, other: &Tree) -> bool {
    match (&one.value, &other.value) {
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_value(one, other))
        }
        (Value::Map(one), Value::Map(other)) => same_fields(&FieldMap(one.clone()), &FieldMap(other.clone())),
        _ if is_empty(one) && is_empty(other) => true,
        _ => match (scalar_text(one), scalar_text(other)) {
            (Some(one), Some(other)) => one == other,
            _ => one.value == other.value,
        },
    }
}

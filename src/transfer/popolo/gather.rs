//! From files to items: lists of classes, bare lists and objects, and what stands nested inside something else.

use std::sync::Arc;

use super::{Class, Fields, Item, Popolo, is_empty, value};
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{InputProblem, Origin};

/// Objects that may stand in place of an id, and what they are.
const NESTED: &[(&str, Class)] = &[
    ("person", Class::Person),
    ("organization", Class::Organization),
    ("on_behalf_of", Class::Organization),
    ("parent", Class::Organization),
    ("post", Class::Post),
    ("area", Class::Area),
    ("legislative_period", Class::Event),
];

/// Whether a JSON file holds Popolo and not the form of our own.
pub fn is_popolo(tree: &Tree) -> bool {
    match &tree.value {
        Value::List(_) => true,
        Value::Map(entries) => {
            let has = |name: &str| entries.iter().any(|(key, _)| key == name);
            let is_foreign = |(key, tree): &(String, Tree)| {
                let Value::List(items) = &tree.value else { return false };
                let Some(Value::Map(first)) = items.first().map(|item| &item.value) else { return false };
                let is_plain_name = |(key, tree): &(String, Tree)| key == "name" && matches!(tree.value, Value::Text(_));
                let is_id = |(key, _): &(String, Tree)| key == "id" || key.ends_with("_id");
                class_of(key).is_some()
                    && !first.iter().any(|(key, _)| key == "slug")
                    && first.iter().any(|entry| is_id(entry) || is_plain_name(entry))
            };
            has("@type") || has("persons") || ["posts", "areas", "events"].into_iter().any(has) || entries.iter().any(is_foreign)
        }
        _ => false,
    }
}

/// The class that a list or a type is called by.
fn class_of(name: &str) -> Option<Class> {
    let name = name.rsplit(['/', '#', ':']).next().unwrap_or(name).to_lowercase();
    match name.as_str() {
        "people" => Some(Class::Person),
        "legislative_periods" => Some(Class::Event),
        _ => Class::ALL.into_iter().find(|class| class.plural() == name || class.singular() == name),
    }
}

/// The class of something that stands in a bare list.
fn class_by_fields(fields: &Fields) -> Option<Class> {
    if let Some(name) = fields.get("@type").or_else(|| fields.get("type")).and_then(value::text)
        && let Some(class) = class_of(&name)
    {
        return Some(class);
    }
    let has = |names: &[&str]| names.iter().any(|name| fields.get(name).is_some());
    match () {
        () if has(&["person_id", "person"]) => Some(Class::Membership),
        () if has(&["given_name", "family_name", "birth_date", "gender"]) => Some(Class::Person),
        () if has(&["founding_date", "dissolution_date"]) => Some(Class::Organization),
        () => None,
    }
}

impl Popolo {
    /// Takes up what a file holds.
    pub fn take(&mut self, file: &Arc<str>, tree: Tree) {
        let origin = |path: String, line| Origin { file: Some(file.clone()), line, path };
        let by_name = file.rsplit('/').next().and_then(|name| class_of(name.split('.').next().unwrap_or_default()));
        match tree.value {
            Value::Map(entries) if entries.iter().any(|(key, _)| key == "@type") => {
                self.unlisted(Tree { line: tree.line, value: Value::Map(entries) }, by_name, origin(String::new(), tree.line));
            }
            Value::Map(entries) => {
                for (name, list) in entries {
                    match (class_of(&name), list.value) {
                        (Some(class), Value::List(items)) => {
                            for (index, item) in items.into_iter().enumerate() {
                                let origin = origin(format!("{name}[{index}]"), item.line);
                                self.add(class, item, origin, true);
                            }
                        }
                        (_, value) if is_empty(&Tree { line: None, value: value.clone() }) => {}
                        (Some(_), value) => {
                            let tree = Tree { line: list.line, value };
                            self.problem(origin(name, list.line), format!("this is {}; it must be a list", tree.kind()));
                        }
                        (None, _) => self.left.count(name),
                    }
                }
            }
            Value::List(items) => {
                for (index, item) in items.into_iter().enumerate() {
                    let origin = origin(format!("[{index}]"), item.line);
                    self.unlisted(item, by_name, origin);
                }
            }
            value => {
                let tree = Tree { line: tree.line, value };
                self.problem(
                    origin(String::new(), tree.line),
                    format!("the file holds {}; Popolo is a map from classes to lists, such as persons: [...]", tree.kind()),
                );
            }
        }
    }

    /// Takes up something that does not stand in a list of its class.
    fn unlisted(&mut self, tree: Tree, by_name: Option<Class>, origin: Origin) {
        let class = match &tree.value {
            Value::Map(entries) => class_by_fields(&Fields(entries.clone())).or(by_name),
            _ => by_name,
        };
        match class {
            Some(class) => drop(self.add(class, tree, origin, true)),
            None => self.problem(
                origin,
                "this does not tell what it is; give it an \"@type\" such as Person, or put it into a list such as persons".to_owned(),
            ),
        }
    }

    fn problem(&mut self, origin: Origin, message: String) {
        self.problems.push(InputProblem::new(origin, message));
    }

    /// Adds one item, and what is nested inside it; gives the id it is known by.
    fn add(&mut self, class: Class, tree: Tree, origin: Origin, is_top: bool) -> Option<String> {
        let Value::Map(entries) = tree.value else {
            self.problem(origin, format!("this is {}; a {} is a map from fields to values", tree.kind(), class.singular()));
            return None;
        };
        let mut fields = Fields(entries);
        let id = fields.text("id").or_else(|| fields.text("@id"));
        self.unnest(&mut fields, class, &origin);
        let memberships = matches!(class, Class::Person | Class::Organization).then(|| fields.take("memberships")).flatten();
        let id = id.or_else(|| {
            (class != Class::Membership).then(|| value::name(&mut fields.clone())).flatten().map(|name| format!("name:{name}"))
        });
        if let Some(Tree { value: Value::List(memberships), .. }) = memberships {
            for (index, membership) in memberships.into_iter().enumerate() {
                let origin = origin.below(format_args!(".memberships[{index}]"), membership.line);
                self.add(Class::Membership, with_owner(membership, class, id.as_ref()), origin, true);
            }
        }
        let item = Item { class, id: id.clone(), is_top, fields, origin };
        let Some(key) = id.clone().map(|id| (class, id)) else {
            self.items.push(item);
            return id;
        };
        match self.by_id.get(&key).copied() {
            None => {
                self.by_id.insert(key, self.items.len());
                self.items.push(item);
            }
            Some(place) if !self.items[place].is_top => self.items[place] = item,
            Some(place) if is_top && self.items[place].fields != item.fields => {
                let first = self.items[place].origin.clone();
                let place = format!("{}:{}", first.file.as_deref().unwrap_or_default(), first.line.unwrap_or_default());
                self.problem(item.origin, format!("the id \"{}\" is given to two {}, first at {place}", key.1, class.plural()));
            }
            Some(_) => {}
        }
        id
    }

    /// Puts ids in the place of objects that stand nested in the fields.
    fn unnest(&mut self, fields: &mut Fields, class: Class, origin: &Origin) {
        for (name, nested) in NESTED {
            let nested = if class == Class::Area && *name == "parent" { Class::Area } else { *nested };
            let Some(tree) = fields.get(name) else { continue };
            let (line, key) = (tree.line, format!("{name}_id"));
            let is_object = matches!(tree.value, Value::Map(_));
            // an area that is a text is a name, not an id
            if !is_object && (nested == Class::Area || value::text(tree).is_none()) {
                continue;
            }
            let Some(tree) = fields.take(name) else { continue };
            let id =
                if is_object { self.add(nested, tree, origin.below(format_args!(".{name}"), line), false) } else { value::text(&tree) };
            if let (Some(id), None) = (id, fields.get(&key)) {
                fields.0.push((key, Tree { line, value: Value::Text(id) }));
            }
        }
    }
}

/// A membership that stands inside a person or an organization belongs to it.
fn with_owner(mut membership: Tree, class: Class, id: Option<&String>) -> Tree {
    let key = format!("{}_id", class.singular());
    if let (Value::Map(entries), Some(id)) = (&mut membership.value, id) {
        let has = entries.iter().any(|(name, tree)| (*name == key || *name == class.singular()) && !is_empty(tree));
        if !has {
            entries.retain(|(name, _)| *name != key);
            entries.push((key, Tree { line: membership.line, value: Value::Text(id.clone()) }));
        }
    }
    membership
}

//! How the columns of a table become the fields of records; written by hand, in YAML.

mod rule;

use std::collections::HashMap;
use std::sync::Arc;

use crate::catalog::record::{FieldKind, Record, RecordKind, catalog};
use crate::entity::RecordType;
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{InputProblem, Origin};

pub use rule::Rule;

/// Slugs of records by their type, and the scheme and value of an identifier.
pub type Slugs = HashMap<(RecordType, String, String), String>;

/// How a table becomes records of one type.
#[derive(Debug)]
pub struct Mapping {
    /// File that it was read from.
    pub file: Arc<str>,
    /// Type of the records.
    pub record: &'static Record,
    /// What stands between cells, if it was said.
    pub separator: Option<u8>,
    /// Columns that are left out knowingly.
    pub ignore: Vec<String>,
    root: Node,
}

/// A place in a record, and what is put there.
#[derive(Debug)]
enum Node {
    Map(Vec<(String, Node)>),
    List(Vec<Node>),
    Leaf(Box<Rule>),
}

/// What may stand at a place in a record.
#[derive(Debug, Clone, Copy)]
enum Expected {
    Record(&'static Record),
    Parts(&'static Record),
    Value(FieldKind),
}

/// The cells of one line, by column.
pub struct Line<'l> {
    /// Columns of the table, in their order.
    pub columns: &'l HashMap<String, usize>,
    /// The cells.
    pub cells: &'l csv::StringRecord,
    /// Records that can be referred to by their identifiers.
    pub slugs: &'l Slugs,
    /// Number of the line.
    pub number: usize,
}

impl Line<'_> {
    fn cell(&self, column: &str) -> &str {
        self.columns.get(column).and_then(|index| self.cells.get(*index)).unwrap_or_default().trim()
    }
}

impl Mapping {
    /// Reads a mapping.
    pub fn read(file: &Arc<str>, tree: &Tree) -> Result<Self, Vec<InputProblem>> {
        let mut reader = Reader { file, dates: Vec::new(), problems: Vec::new() };
        let mapping = reader.mapping(tree);
        match mapping {
            Some(mapping) if reader.problems.is_empty() => Ok(mapping),
            _ => Err(reader.problems),
        }
    }

    /// Every rule, with the path of the field that it is for.
    pub fn rules(&self) -> Vec<(String, &Rule)> {
        fn walk<'n>(node: &'n Node, path: &str, found: &mut Vec<(String, &'n Rule)>) {
            match node {
                Node::Map(entries) => entries.iter().for_each(|(name, node)| walk(node, &format!("{path}.{name}"), found)),
                Node::List(nodes) => nodes.iter().for_each(|node| walk(node, path, found)),
                Node::Leaf(rule) => found.push((path.to_owned(), rule)),
            }
        }
        let mut found = Vec::new();
        walk(&self.root, "", &mut found);
        found
    }

    /// Makes a record of a line.
    pub fn apply(&self, line: &Line<'_>) -> Result<Tree, Vec<(String, String)>> {
        let mut problems = Vec::new();
        let entries = match &self.root {
            Node::Map(entries) => entries
                .iter()
                .filter_map(|(name, node)| Some((name.clone(), make(node, line, 0, &format!(".{name}"), &mut problems)?)))
                .collect(),
            _ => Vec::new(),
        };
        if problems.is_empty() { Ok(Tree { line: Some(line.number), value: Value::Map(entries) }) } else { Err(problems) }
    }
}

/// What a node gives for a line; nothing where the cells it asks for are empty. `index` counts through a cell that holds several.
fn make(node: &Node, line: &Line<'_>, index: usize, path: &str, problems: &mut Vec<(String, String)>) -> Option<Tree> {
    let value = match node {
        Node::Leaf(rule) => rule.value(line, index).map_err(|message| problems.push((path.to_owned(), message))).ok()??,
        Node::Map(entries) => {
            if asks(node) && !is_given(node, line, index) {
                return None;
            }
            let made = entries
                .iter()
                .filter_map(|(name, node)| Some((name.clone(), make(node, line, index, &format!("{path}.{name}"), problems)?)));
            Value::Map(made.collect())
        }
        Node::List(nodes) => {
            let mut items = Vec::new();
            for node in nodes {
                for index in 0..times(node, line) {
                    items.extend(make(node, line, index, path, problems));
                }
            }
            if items.is_empty() {
                return None;
            }
            Value::List(items)
        }
    };
    Some(Tree { line: Some(line.number), value })
}

/// Whether anything in a node comes from a column.
fn asks(node: &Node) -> bool {
    match node {
        Node::Map(entries) => entries.iter().any(|(_, node)| asks(node)),
        Node::List(nodes) => nodes.iter().any(asks),
        Node::Leaf(rule) => rule.columns().next().is_some(),
    }
}

/// Whether any column that a node asks for has something in this line.
fn is_given(node: &Node, line: &Line<'_>, index: usize) -> bool {
    match node {
        Node::Map(entries) => entries.iter().any(|(_, node)| is_given(node, line, index)),
        Node::List(nodes) => nodes.iter().any(|node| is_given(node, line, index)),
        Node::Leaf(rule) => rule.columns().next().is_some() && rule.is_given(line, index),
    }
}

/// How many items an item of a list becomes: one, or as many as its fullest cell holds.
fn times(node: &Node, line: &Line<'_>) -> usize {
    match node {
        Node::Map(entries) => entries.iter().map(|(_, node)| times(node, line)).max().unwrap_or(1),
        Node::List(_) => 1,
        Node::Leaf(rule) => rule.times(line),
    }
}

struct Reader<'f> {
    file: &'f Arc<str>,
    /// Formats of dates, where a rule has none of its own.
    dates: Vec<String>,
    problems: Vec<InputProblem>,
}

impl Reader<'_> {
    fn problem(&mut self, line: Option<usize>, path: &str, message: impl Into<String>) {
        let origin = Origin { file: Some(self.file.clone()), line, path: path.trim_start_matches('.').to_owned() };
        self.problems.push(InputProblem::new(origin, message.into()));
    }

    fn mapping(&mut self, tree: &Tree) -> Option<Mapping> {
        let Value::Map(entries) = &tree.value else {
            self.problem(tree.line, "", format!("this is {}; a mapping is a map with type and fields", tree.kind()));
            return None;
        };
        let get = |name: &str| entries.iter().find(|(key, _)| key == name).map(|(_, tree)| tree);
        for (key, value) in entries {
            if !["type", "fields", "separator", "dates", "ignore"].contains(&key.as_str()) {
                self.problem(value.line, key, "a mapping has no such entry; it has type, fields, separator, dates, ignore");
            }
        }
        let record = self.record(tree, get("type"))?;
        self.dates = get("dates").map(|dates| self.texts(dates, "dates")).unwrap_or_default();
        let ignore = get("ignore").map(|ignore| self.texts(ignore, "ignore")).unwrap_or_default();
        let separator = get("separator").and_then(|tree| self.separator(tree));
        let Some(fields) = get("fields") else {
            self.problem(tree.line, "", "fields is missing; it says which column becomes which field");
            return None;
        };
        let root = self.node(fields, Expected::Record(record), "")?;
        Some(Mapping { file: self.file.clone(), record, separator, ignore, root })
    }

    fn record(&mut self, mapping: &Tree, ty: Option<&Tree>) -> Option<&'static Record> {
        let name = match ty.map(|tree| &tree.value) {
            Some(Value::Text(name)) => name.as_str(),
            _ => "",
        };
        let record =
            catalog().all().find(|record| record.shape == RecordKind::Record && (record.singular() == name || record.plural == name));
        if record.is_none() {
            let known: Vec<String> = catalog().all().filter(|record| record.shape == RecordKind::Record).map(Record::singular).collect();
            let line = ty.map_or(mapping.line, |tree| tree.line);
            self.problem(line, "type", format!("\"{name}\" is no type of record; there are {}", known.join(", ")));
        }
        record
    }

    fn separator(&mut self, tree: &Tree) -> Option<u8> {
        match &tree.value {
            Value::Text(text) if text == "tab" || text == "\t" => Some(b'\t'),
            Value::Text(text) if text.len() == 1 => text.bytes().next(),
            _ => {
                self.problem(tree.line, "separator", "write one character, such as \";\", or tab");
                None
            }
        }
    }

    fn texts(&mut self, tree: &Tree, path: &str) -> Vec<String> {
        let items = match &tree.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(tree),
        };
        let mut texts = Vec::new();
        for item in items {
            match &item.value {
                Value::Text(text) => texts.push(text.clone()),
                _ => self.problem(item.line, path, format!("this is {}; it must be a text", item.kind())),
            }
        }
        texts
    }

    /// One place of the record.
    fn node(&mut self, tree: &Tree, expected: Expected, path: &str) -> Option<Node> {
        match (&tree.value, expected) {
            (Value::Map(entries), _) if Rule::is_rule(entries) => self.leaf(tree, expected, path),
            (Value::Map(entries), _) => {
                let mut nodes = Vec::new();
                for (name, value) in entries {
                    let below = format!("{path}.{name}");
                    if let Some(expected) = self.below(expected, name, value, &below)
                        && let Some(node) = self.node(value, expected, &below)
                    {
                        nodes.push((name.clone(), node));
                    }
                }
                Some(Node::Map(nodes))
            }
            (Value::List(items), Expected::Parts(record)) => {
                Some(Node::List(items.iter().filter_map(|item| self.node(item, Expected::Record(record), path)).collect()))
            }
            (Value::List(items), Expected::Value(kind @ FieldKind::List(_))) => {
                Some(Node::List(items.iter().filter_map(|item| self.node(item, Expected::Value(kind), path)).collect()))
            }
            (Value::Text(_), _) => self.leaf(tree, expected, path),
            _ => {
                self.problem(
                    tree.line,
                    path,
                    format!("this is {}; write the name of a column, a text with {{columns}} in it, or {{constant: ...}}", tree.kind()),
                );
                None
            }
        }
    }

    fn leaf(&mut self, tree: &Tree, expected: Expected, path: &str) -> Option<Node> {
        let kind = match expected {
            Expected::Value(FieldKind::Translated) => {
                self.problem(tree.line, path, "this is text in languages; write a map from language tags to columns, such as {en: name}");
                return None;
            }
            Expected::Value(kind) => kind,
            // a part with one field that matters is given as the bare value of it
            Expected::Record(record) | Expected::Parts(record) => match record.key_from {
                [only] => record.fields[record.field_index(only)?].kind,
                _ => {
                    self.problem(tree.line, path, format!("a {} is a map from fields to columns", record.singular()));
                    return None;
                }
            },
        };
        match Rule::read(tree, kind, matches!(expected, Expected::Parts(_)), &self.dates) {
            Ok(rule) => Some(Node::Leaf(Box::new(rule))),
            Err(message) => {
                self.problem(tree.line, path, message);
                None
            }
        }
    }

    /// What is expected under a name.
    fn below(&mut self, expected: Expected, name: &str, tree: &Tree, path: &str) -> Option<Expected> {
        match expected {
            Expected::Record(record) => {
                let name_field = if record.shape == RecordKind::Record { "slug" } else { "key" };
                if name == name_field {
                    return Some(Expected::Value(FieldKind::Text));
                }
                if let Some(list) = record.parts.iter().find(|list| list.name == name) {
                    return Some(Expected::Parts(catalog().get(list.part)));
                }
                if let [only] = record.key_from
                    && let Some(FieldKind::Any) = record.field_index(only).map(|index| record.fields[index].kind)
                {
                    return Some(Expected::Value(FieldKind::Text));
                }
                let field = record.fields.iter().find(|field| field.name == name && !field.system);
                if field.is_none() {
                    let fields = record.fields.iter().filter(|field| !field.system).map(|field| field.name);
                    let known: Vec<&str> = fields.chain(record.parts.iter().map(|list| list.name)).collect();
                    self.problem(tree.line, path, format!("a {} has no \"{name}\"; it has {}", record.singular(), known.join(", ")));
                }
                field.map(|field| Expected::Value(field.kind))
            }
            Expected::Value(FieldKind::List(structure)) => {
                let member = structure.members.iter().find(|member| member.name == name);
                if member.is_none() {
                    let known: Vec<&str> = structure.members.iter().map(|member| member.name).collect();
                    self.problem(tree.line, path, format!("a {} has no \"{name}\"; it has {}", structure.name, known.join(", ")));
                }
                member.map(|member| Expected::Value(member.kind))
            }
            Expected::Value(FieldKind::Translated | FieldKind::Any) => Some(Expected::Value(FieldKind::Text)),
            Expected::Parts(record) => {
                self.problem(tree.line, path, format!("this is a list; write - before each {}", record.singular()));
                None
            }
            Expected::Value(_) => {
                self.problem(tree.line, path, "there is nothing below this field; write the name of a column, or {column: name}");
                None
            }
        }
    }
}

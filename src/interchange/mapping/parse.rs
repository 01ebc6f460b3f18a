//! Parses a mapping file against the declaration of its record type.

use std::sync::Arc;

use super::convert::{Mapping, MappingNode};
use super::rule::FieldRule;
use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::{Record, RecordKind};
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{InputProblem, Origin};

/// Top-level keys of a mapping.
const KEYS: [&str; 5] = ["type", "fields", "separator", "dates", "ignore"];

/// What a position in a record accepts.
#[derive(Debug, Clone, Copy)]
enum Expected {
    Record(&'static Record),
    PartList(&'static Record),
    Value(FieldKind),
}

impl Mapping {
    /// Parses a mapping and returns every problem found in it.
    pub fn parse(file: &Arc<str>, tree: &Tree) -> Result<Self, Vec<InputProblem>> {
        let mut parser = MappingParser { file, date_formats: Vec::new(), problems: Vec::new() };
        let mapping = parser.mapping(tree);
        match mapping {
            Some(mapping) if parser.problems.is_empty() => Ok(mapping),
            _ => Err(parser.problems),
        }
    }
}

struct MappingParser<'f> {
    file: &'f Arc<str>,
    /// Date formats for rules that specify none.
    date_formats: Vec<String>,
    problems: Vec<InputProblem>,
}

impl MappingParser<'_> {
    fn problem(&mut self, line: Option<usize>, path: &str, message: impl Into<String>) {
        let path = Some(path.trim_start_matches('.')).filter(|path| !path.is_empty());
        let origin = Origin { file: Some(self.file.clone()), line, path: path.map(|path| path.to_owned().into()).into_iter().collect() };
        self.problems.push(InputProblem::new(origin, message.into()));
    }

    fn mapping(&mut self, tree: &Tree) -> Option<Mapping> {
        let Value::Map(entries) = &tree.value else {
            self.problem(tree.line, "", format!("expected a map with type and fields, found {}", tree.kind()));
            return None;
        };
        let get = |name: &str| entries.iter().find(|(key, _)| key == name).map(|(_, tree)| tree);
        for (key, value) in entries.iter().filter(|(key, _)| !KEYS.contains(&key.as_str())) {
            self.problem(value.line, key, format!("unknown key; expected one of {}", KEYS.join(", ")));
        }
        let record = self.record(tree, get("type"))?;
        self.date_formats = get("dates").map(|dates| self.texts(dates, "dates")).unwrap_or_default();
        let ignore = get("ignore").map(|ignore| self.texts(ignore, "ignore")).unwrap_or_default();
        let separator = get("separator").and_then(|tree| self.separator(tree));
        let Some(fields) = get("fields") else {
            self.problem(tree.line, "", "fields is missing; it maps fields to columns");
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
            catalog().all().find(|record| record.kind == RecordKind::Record && (record.singular() == name || record.plural == name));
        if record.is_none() {
            let known: Vec<String> = catalog().all().filter(|record| record.kind == RecordKind::Record).map(Record::singular).collect();
            let line = ty.map_or(mapping.line, |tree| tree.line);
            self.problem(line, "type", format!("unknown record type \"{name}\"; expected one of {}", known.join(", ")));
        }
        record
    }

    fn separator(&mut self, tree: &Tree) -> Option<u8> {
        match &tree.value {
            Value::Text(text) if text == "tab" || text == "\t" => Some(b'\t'),
            Value::Text(text) if text.len() == 1 => text.bytes().next(),
            _ => {
                self.problem(tree.line, "separator", "expected a single ASCII character, such as \";\", or tab");
                None
            }
        }
    }

    /// A text, or a list of texts.
    fn texts(&mut self, tree: &Tree, path: &str) -> Vec<String> {
        let items = match &tree.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(tree),
        };
        let mut texts = Vec::new();
        for item in items {
            match &item.value {
                Value::Text(text) => texts.push(text.clone()),
                _ => self.problem(item.line, path, format!("expected text, found {}", item.kind())),
            }
        }
        texts
    }

    fn node(&mut self, tree: &Tree, expected: Expected, path: &str) -> Option<MappingNode> {
        match (&tree.value, expected) {
            (Value::Map(entries), _) if FieldRule::is_rule(entries) => self.leaf(tree, expected, path),
            (Value::Map(entries), _) => {
                let mut nodes = Vec::new();
                for (name, value) in entries {
                    let child_path = format!("{path}.{name}");
                    if let Some(expected) = self.expected_child(expected, name, value, &child_path)
                        && let Some(node) = self.node(value, expected, &child_path)
                    {
                        nodes.push((name.clone(), node));
                    }
                }
                Some(MappingNode::Map(nodes))
            }
            (Value::List(items), Expected::PartList(record)) => {
                Some(MappingNode::List(items.iter().filter_map(|item| self.node(item, Expected::Record(record), path)).collect()))
            }
            (Value::List(items), Expected::Value(kind @ FieldKind::List(_))) => {
                Some(MappingNode::List(items.iter().filter_map(|item| self.node(item, Expected::Value(kind), path)).collect()))
            }
            (Value::Text(_), _) => self.leaf(tree, expected, path),
            _ => {
                let message = format!(
                    "expected a column name, a template such as \"{{first}} {{last}}\", or {{constant: ...}}; found {}",
                    tree.kind()
                );
                self.problem(tree.line, path, message);
                None
            }
        }
    }

    fn leaf(&mut self, tree: &Tree, expected: Expected, path: &str) -> Option<MappingNode> {
        let kind = match expected {
            Expected::Value(FieldKind::Translated) => {
                self.problem(tree.line, path, "translated text requires a map from language tags to columns, such as {en: name}");
                return None;
            }
            Expected::Value(kind) => kind,
            // a part whose key comes from a single field can be written as the bare value of that field
            Expected::Record(record) | Expected::PartList(record) => {
                if let [only] = record.key_from {
                    record.field(record.field_id(only)?).kind
                } else {
                    self.problem(tree.line, path, format!("expected a map from {} fields to columns", record.singular()));
                    return None;
                }
            }
        };
        match FieldRule::parse(tree, kind, matches!(expected, Expected::PartList(_)), &self.date_formats) {
            Ok(rule) => Some(MappingNode::Leaf(Box::new(rule))),
            Err(message) => {
                self.problem(tree.line, path, message);
                None
            }
        }
    }

    /// What the entry `name` below a position accepts.
    fn expected_child(&mut self, expected: Expected, name: &str, tree: &Tree, path: &str) -> Option<Expected> {
        match expected {
            Expected::Record(record) => self.expected_field(record, name, tree, path),
            Expected::Value(FieldKind::List(structure)) => {
                let member = structure.members.iter().find(|member| member.name == name);
                if member.is_none() {
                    let known: Vec<&str> = structure.members.iter().map(|member| member.name).collect();
                    self.problem(tree.line, path, format!("{} has no field \"{name}\"; it has {}", structure.name, known.join(", ")));
                }
                member.map(|member| Expected::Value(member.kind))
            }
            Expected::Value(FieldKind::Translated | FieldKind::Any) => Some(Expected::Value(FieldKind::Text)),
            Expected::PartList(record) => {
                self.problem(tree.line, path, format!("expected a list; write - before each {}", record.singular()));
                None
            }
            Expected::Value(_) => {
                self.problem(tree.line, path, "the field has no subfields; write a column name, or {column: name}");
                None
            }
        }
    }

    fn expected_field(&mut self, record: &'static Record, name: &str, tree: &Tree, path: &str) -> Option<Expected> {
        let name_field = if record.kind == RecordKind::Record { "slug" } else { "key" };
        if name == name_field {
            return Some(Expected::Value(FieldKind::Text));
        }
        if let Some(list) = record.parts.iter().find(|list| list.name == name) {
            return Some(Expected::PartList(catalog().get(list.part)));
        }
        if let [only] = record.key_from
            && let Some(FieldKind::Any) = record.field_id(only).map(|id| record.field(id).kind)
        {
            return Some(Expected::Value(FieldKind::Text));
        }
        let field = record.fields.iter().find(|field| field.name == name && !field.system);
        if field.is_none() {
            let fields = record.fields.iter().filter(|field| !field.system).map(|field| field.name);
            let known: Vec<&str> = fields.chain(record.parts.iter().map(|list| list.name)).collect();
            self.problem(tree.line, path, format!("{} has no field \"{name}\"; it has {}", record.singular(), known.join(", ")));
        }
        field.map(|field| Expected::Value(field.kind))
    }
}

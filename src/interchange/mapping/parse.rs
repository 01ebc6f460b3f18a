//! Parses a mapping file against the declarations of its record types.

use std::sync::Arc;

use super::completeness::check_record;
use super::convert::{Mapping, MappingNode, RecordKey, RecordMapping};
use super::option::{FORMAT_KEYS, OptionReader};
use super::parse_rule::{is_rule, parse_rule};
use super::position::{Positions, member};
use super::rule::{Formats, RulePlace};
use super::template::Template;
use crate::catalog::catalog;
use crate::catalog::field::Field;
use crate::catalog::kind::{FieldKind, Structure};
use crate::catalog::record::{Record, RecordKind};
use crate::core::language;
use crate::core::text::TextRule;
use crate::interchange::input::encoding::TextEncoding;
use crate::interchange::yaml;
use crate::store::draft::InputProblem;
use crate::store::draft::value_tree::{Tree, Value};

/// Keys of a mapping that describe its records, which are those of an entry of `records` as well.
const RECORD_KEYS: [&str; 6] = ["type", "fields", "table", "when", "key", "sorted"];
/// Other top-level keys of a mapping.
const TABLE_KEYS: [&str; 6] = ["records", "separator", "header", "ignore", "encoding", "sheet"];
/// Key of the conditions of a record, a list item or a field.
const WHEN: &str = "when";
/// Largest line on which a header can begin.
const MAX_HEADER_LINE: i64 = 1_000_000;

/// What a position in a record accepts.
#[derive(Debug, Clone, Copy)]
enum Expected {
    Record(&'static Record),
    PartList(&'static Record),
    Structure(&'static Structure),
    StructureList(&'static Structure),
    Value(ValueOf),
}

/// What a value of a field must be.
#[derive(Debug, Clone, Copy)]
struct ValueOf {
    kind: FieldKind,
    text_rule: TextRule,
    /// Whether it is the slug of a record or the key of a part.
    is_name: bool,
}

impl ValueOf {
    /// A value of a kind, with the rule that texts of the kind have.
    fn kind(kind: FieldKind) -> Self {
        Self { kind, text_rule: kind.text_rule(), is_name: false }
    }

    fn field(field: &Field) -> Self {
        Self { text_rule: field.text_rule, ..Self::kind(field.kind) }
    }
}

/// A position in a record, and what surrounds it.
#[derive(Debug, Clone, Copy)]
struct Place {
    expected: Expected,
    is_in_list: bool,
    is_member: bool,
}

impl Mapping {
    /// Parses a mapping and returns every problem found in it.
    pub fn parse(file: &Arc<str>, text: &str) -> Result<Self, Vec<InputProblem>> {
        let tree = yaml::parse(file, text).map_err(|problem| vec![problem])?;
        let positions = Positions::parse(text);
        let mut parser = MappingParser { reader: OptionReader::new(file, &positions) };
        let parsed = parser.mapping(&tree);
        let problems = parser.reader.problems;
        match parsed {
            Some((table, records)) if problems.is_empty() => {
                let TableOptions { separator, header_line, encoding, sheet, ignore } = table;
                Ok(Self { file: file.clone(), separator, header_line, encoding, sheet, ignore, records, positions })
            }
            _ => Err(problems),
        }
    }
}

struct MappingParser<'f> {
    reader: OptionReader<'f>,
}

/// How tables are read.
struct TableOptions {
    separator: Option<u8>,
    header_line: usize,
    encoding: TextEncoding,
    sheet: Option<String>,
    ignore: Vec<String>,
}

impl MappingParser<'_> {
    fn mapping(&mut self, tree: &Tree) -> Option<(TableOptions, Vec<RecordMapping>)> {
        let Value::Map(entries) = &tree.value else {
            self.reader.report("", format!("expected a map with type and fields, found {}", tree.kind()));
            return None;
        };
        let get = |name: &str| entries.iter().find(|(key, _)| key == name).map(|(_, tree)| tree);
        let known: Vec<&str> = RECORD_KEYS.iter().chain(&TABLE_KEYS).chain(&FORMAT_KEYS).copied().collect();
        self.reader.check_keys(entries, &known, "");
        let formats = self.formats(entries, &Formats::default(), "");
        let separator = get("separator").and_then(|tree| self.separator(tree));
        let header_line = get("header").and_then(|tree| self.reader.integer(tree, 1..=MAX_HEADER_LINE, "header"));
        let ignore = get("ignore").map(|ignore| self.reader.texts(ignore, "ignore")).unwrap_or_default();
        let encoding = get("encoding").and_then(|tree| self.encoding(tree)).unwrap_or_default();
        let sheet = get("sheet").and_then(|tree| self.reader.text(tree, "sheet"));
        let records = match get("records") {
            None => vec![self.record_mapping(entries, &formats, "")],
            Some(records) => {
                for key in RECORD_KEYS.iter().filter(|key| get(key).is_some()) {
                    self.reader.report(key, "this belongs to an entry of records; move it there");
                }
                self.record_mappings(records, &formats)
            }
        };
        let header_line = header_line.and_then(|line| usize::try_from(line).ok()).unwrap_or(1);
        let table = TableOptions { separator, header_line, encoding, sheet, ignore };
        Some((table, records.into_iter().collect::<Option<_>>()?))
    }

    fn encoding(&mut self, tree: &Tree) -> Option<TextEncoding> {
        let name = self.reader.text(tree, "encoding")?;
        name.parse().map_err(|message: String| self.reader.report("encoding", message)).ok()
    }

    fn record_mappings(&mut self, tree: &Tree, formats: &Formats) -> Vec<Option<RecordMapping>> {
        let Value::List(items) = &tree.value else {
            self.reader.report("records", format!("expected a list of maps with type and fields, found {}", tree.kind()));
            return Vec::new();
        };
        let mut records = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("records[{index}]");
            let Value::Map(entries) = &item.value else {
                self.reader.report(&path, format!("expected a map with type and fields, found {}", item.kind()));
                continue;
            };
            let known: Vec<&str> = RECORD_KEYS.iter().chain(&FORMAT_KEYS).copied().collect();
            self.reader.check_keys(entries, &known, &path);
            let formats = self.formats(entries, formats, &path);
            records.push(self.record_mapping(entries, &formats, &path));
        }
        if items.is_empty() {
            self.reader.report("records", "the list is empty; give the type and the fields of a record");
        }
        records
    }

    fn formats(&mut self, entries: &[(String, Tree)], formats: &Formats, path: &str) -> Formats {
        let mut formats = formats.clone();
        for (key, tree) in entries.iter().filter(|(key, _)| FORMAT_KEYS.contains(&key.as_str())) {
            self.reader.set_format(&mut formats, key, tree, &member(path, key));
        }
        self.reader.check_formats(&formats, path);
        formats
    }

    fn record_mapping(&mut self, entries: &[(String, Tree)], formats: &Formats, path: &str) -> Option<RecordMapping> {
        let get = |name: &str| entries.iter().find(|(key, _)| key == name).map(|(_, tree)| tree);
        let record = self.record(get("type"), path);
        let tables = get("table").map(|table| self.reader.texts(table, &member(path, "table"))).unwrap_or_default();
        let conditions = get(WHEN).map(|when| self.reader.conditions(when, &member(path, WHEN))).unwrap_or_default();
        let key = get("key").map(|key| self.key(key, &formats.nulls, &member(path, "key")));
        let is_sorted = get("sorted").is_some_and(|sorted| self.reader.boolean(sorted, &member(path, "sorted")));
        if is_sorted && key.is_none() {
            self.reader.report(&member(path, "sorted"), "sorted is only valid beside key");
        }
        let Some(fields) = get("fields") else {
            self.reader.report(path, "fields is missing; it maps fields to columns");
            return None;
        };
        let path = member(path, "fields");
        if !matches!(fields.value, Value::Map(_)) {
            self.reader.report(&path, format!("expected a map from fields to columns, found {}", fields.kind()));
            return None;
        }
        let record = record?;
        let place = Place { expected: Expected::Record(record), is_in_list: false, is_member: false };
        let earlier = self.reader.problems.len();
        let root = self.node(fields, place, formats, &path)?;
        // what could not be read is not missing
        if self.reader.problems.len() == earlier {
            check_record(&mut self.reader, record, &root, &path);
        }
        Some(RecordMapping { record, tables, conditions, key, is_sorted, root })
    }

    fn record(&mut self, ty: Option<&Tree>, path: &str) -> Option<&'static Record> {
        let name = match ty.map(|tree| &tree.value) {
            Some(Value::Text(name)) => name.as_str(),
            _ => "",
        };
        let record =
            catalog().all().find(|record| record.kind == RecordKind::Record && (record.singular() == name || record.plural == name));
        if record.is_none() {
            let known: Vec<String> = catalog().all().filter(|record| record.kind == RecordKind::Record).map(Record::singular).collect();
            self.reader.report(&member(path, "type"), format!("unknown record type \"{name}\"; expected one of {}", known.join(", ")));
        }
        record
    }

    fn key(&mut self, tree: &Tree, nulls: &[String], path: &str) -> RecordKey {
        let texts = self.reader.texts(tree, path);
        let templates: Vec<Template> = texts.iter().filter_map(|text| self.reader.column_or_template(text, path)).collect();
        if templates.is_empty() || templates.iter().any(Template::is_constant) {
            self.reader.report(path, "expected the columns that rows of one record have in common");
        }
        let columns: Vec<&str> = templates.iter().flat_map(Template::names).collect();
        RecordKey { path: path.to_owned(), label: columns.join(", "), templates, nulls: nulls.to_vec() }
    }

    fn separator(&mut self, tree: &Tree) -> Option<u8> {
        match &tree.value {
            Value::Text(text) if text == "tab" || text == "\t" => Some(b'\t'),
            Value::Text(text) if text.len() == 1 => text.bytes().next(),
            _ => {
                self.reader.report("separator", "expected a single ASCII character, such as \";\", or tab");
                None
            }
        }
    }

    fn node(&mut self, tree: &Tree, place: Place, formats: &Formats, path: &str) -> Option<MappingNode> {
        match (&tree.value, place.expected) {
            (Value::Map(entries), _) if is_rule(entries) => self.leaf(tree, place, formats, path),
            (Value::Map(entries), _) => {
                let (mut nodes, mut conditions) = (Vec::new(), Vec::new());
                for (name, value) in entries {
                    let child_path = member(path, name);
                    if name == WHEN {
                        conditions = self.reader.conditions(value, &child_path);
                    } else if let Some(expected) = self.expected_child(place.expected, name, &child_path)
                        && let Some(node) = self.node(value, Place { expected, ..place.within() }, formats, &child_path)
                    {
                        nodes.push((name.clone(), node));
                    }
                }
                let label = label_of(nodes.iter().map(|(_, node)| node));
                Some(MappingNode::Map { entries: nodes, conditions, label })
            }
            (Value::List(items), Expected::PartList(record)) => {
                let item_place = Place { expected: Expected::Record(record), is_in_list: true, is_member: false };
                Some(self.list(items, item_place, !record.key_from.is_empty(), formats, path))
            }
            (Value::List(items), Expected::StructureList(structure)) => {
                let item_place = Place { expected: Expected::Structure(structure), is_in_list: true, is_member: false };
                Some(self.list(items, item_place, true, formats, path))
            }
            (Value::Text(_), _) => self.leaf(tree, place, formats, path),
            _ => {
                let message = format!(
                    "expected a column name, a template such as \"{{first}} {{last}}\", or {{constant: ...}}; found {}",
                    tree.kind()
                );
                self.reader.report(path, message);
                None
            }
        }
    }

    fn list(&mut self, items: &[Tree], place: Place, is_set: bool, formats: &Formats, path: &str) -> MappingNode {
        let node = |(index, item): (usize, &Tree)| self.node(item, place, formats, &format!("{path}[{index}]"));
        let items: Vec<MappingNode> = items.iter().enumerate().filter_map(node).collect();
        let label = label_of(items.iter());
        MappingNode::List { items, is_set, label }
    }

    fn leaf(&mut self, tree: &Tree, place: Place, formats: &Formats, path: &str) -> Option<MappingNode> {
        let value = match place.expected {
            Expected::Value(ValueOf { kind: FieldKind::Translated, .. }) => {
                self.reader.report(path, "translated text requires a map from language tags to columns, such as {en: name}");
                return None;
            }
            Expected::Value(ValueOf { kind: FieldKind::Any, .. }) => {
                self.reader.report(path, "expected a map from the type of a record to a column, such as {person: slug}");
                return None;
            }
            Expected::Value(value) => value,
            Expected::StructureList(structure) => {
                self.reader.report(path, format!("expected a list; write - before each {}", structure.name));
                return None;
            }
            Expected::Structure(structure) => {
                self.reader.report(path, format!("expected a map from {} fields to columns", structure.name));
                return None;
            }
            // a part whose key comes from a single field can be written as the bare value of that field
            Expected::Record(record) | Expected::PartList(record) => {
                if let [only] = record.key_from {
                    ValueOf::field(record.field(record.field_id(only)?))
                } else {
                    self.reader.report(path, format!("expected a map from {} fields to columns", record.singular()));
                    return None;
                }
            }
        };
        let is_list = matches!(place.expected, Expected::PartList(_));
        let ValueOf { kind, text_rule, is_name } = value;
        let place = RulePlace { kind, text_rule, is_name, is_list, is_in_list: place.is_in_list, is_member: place.is_member };
        parse_rule(&mut self.reader, tree, place, formats, path).map(|rule| MappingNode::Leaf(Box::new(rule)))
    }

    /// What the entry `name` below a position accepts.
    fn expected_child(&mut self, expected: Expected, name: &str, path: &str) -> Option<Expected> {
        match expected {
            Expected::Record(record) => self.expected_field(record, name, path),
            Expected::Structure(structure) => {
                let found = structure.members.iter().find(|member| member.name == name);
                if found.is_none() {
                    let known: Vec<&str> = structure.members.iter().map(|member| member.name).collect();
                    self.reader.report(path, format!("{} has no field \"{name}\"; it has {}", structure.name, known.join(", ")));
                }
                found.map(|member| Expected::Value(ValueOf::kind(member.kind)))
            }
            Expected::Value(ValueOf { kind: FieldKind::Translated, text_rule, .. }) => match language::tag(name) {
                Ok(_) => Some(Expected::Value(ValueOf { text_rule, ..ValueOf::kind(FieldKind::Text) })),
                Err(error) => {
                    self.reader.report(path, error.to_string());
                    None
                }
            },
            Expected::Value(ValueOf { kind: FieldKind::Any, .. }) => self.expected_type(name, path),
            Expected::PartList(record) => {
                self.reader.report(path, format!("expected a list; write - before each {}", record.singular()));
                None
            }
            Expected::StructureList(structure) => {
                self.reader.report(path, format!("expected a list; write - before each {}", structure.name));
                None
            }
            Expected::Value(_) => {
                self.reader.report(path, "the field has no subfields; write a column name, or {column: name}");
                None
            }
        }
    }

    fn expected_field(&mut self, record: &'static Record, name: &str, path: &str) -> Option<Expected> {
        let name_field = if record.kind == RecordKind::Record { "slug" } else { "key" };
        if name == name_field {
            return Some(Expected::Value(ValueOf { is_name: true, ..ValueOf::kind(FieldKind::Text) }));
        }
        if let Some(list) = record.parts.iter().find(|list| list.name == name) {
            return Some(Expected::PartList(catalog().get(list.part)));
        }
        let field = record.fields.iter().find(|field| field.name == name && !field.system);
        if let (None, [only]) = (field, record.key_from)
            && let Some(FieldKind::Any) = record.field_id(only).map(|id| record.field(id).kind)
        {
            return self.expected_type(name, path);
        }
        if field.is_none() {
            let fields = record.fields.iter().filter(|field| !field.system).map(|field| field.name);
            let known: Vec<&str> = fields.chain(record.parts.iter().map(|list| list.name)).collect();
            self.reader.report(path, format!("{} has no field \"{name}\"; it has {}", record.singular(), known.join(", ")));
        }
        field.map(|field| {
            if let FieldKind::List(structure) = field.kind {
                Expected::StructureList(structure)
            } else {
                Expected::Value(ValueOf::field(field))
            }
        })
    }

    /// A reference to a record of any type, by the name of the type.
    fn expected_type(&mut self, name: &str, path: &str) -> Option<Expected> {
        let record = catalog().all().find(|record| record.kind == RecordKind::Record && record.singular() == name);
        if record.is_none() {
            let known: Vec<String> = catalog().all().filter(|record| record.kind == RecordKind::Record).map(Record::singular).collect();
            self.reader.report(path, format!("unknown record type \"{name}\"; expected one of {}", known.join(", ")));
        }
        record.map(|record| Expected::Value(ValueOf::kind(FieldKind::One(record.ty))))
    }
}

impl Place {
    /// The place of a child.
    fn within(self) -> Self {
        Self { is_member: matches!(self.expected, Expected::Structure(_)), ..self }
    }
}

/// The columns of several nodes, each once, for messages.
fn label_of<'n>(nodes: impl Iterator<Item = &'n MappingNode>) -> Option<Arc<str>> {
    let labels: Vec<Arc<str>> = nodes.filter_map(MappingNode::label).collect();
    let mut columns: Vec<&str> = Vec::new();
    for column in labels.iter().flat_map(|label| label.split(", ")) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    (!columns.is_empty()).then(|| columns.join(", ").into())
}

//! From what was read to drafts: every value is checked against the declaration of its field, and every
//! problem is found, not the first only.

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use url::Url;
use uuid::Uuid;

use crate::catalog::record::{FieldKind, Record, RecordKind, Vocabulary, catalog};
use crate::core::language;
use crate::core::partial_date::PartialDate;
use crate::entity::RecordType;
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{Draft, DraftValue, InputProblem, Origin, WriteMode, WriteTarget};
use crate::store::read::result::Cell;
use crate::store::write::Drafts;

/// Name of the field with the place of a part in its list.
const POSITION: &str = "position";

/// Reads the records of one file: a map from the plural name of a type to a list of its records.
pub fn file(file: &Arc<str>, tree: &Tree) -> Result<Drafts, Vec<InputProblem>> {
    let root = Origin { file: Some(file.clone()), line: tree.line, path: String::new() };
    let mut reader = Reader { problems: Vec::new(), keys_are_own: false, is_exact: false };
    let mut drafts = Drafts::new();
    match &tree.value {
        Value::Null => {}
        Value::Map(entries) => {
            for (plural, records) in entries {
                let origin = root.below(plural, records.line);
                match catalog().by_plural(plural) {
                    Some(record) => {
                        let list = reader.list(record, records, &origin);
                        for draft in &list {
                            reader.check_name(draft);
                        }
                        drafts.push((record.ty, list));
                    }
                    None if other_name(plural).is_some() => {
                        let right = other_name(plural).unwrap_or_default();
                        reader.problem(&origin, format!("\"{plural}\" is no type of record; did you mean {right}?"));
                    }
                    None => {
                        let known: Vec<&str> =
                            catalog().all().filter(|record| record.shape == RecordKind::Record).map(|record| record.plural).collect();
                        reader.problem(&origin, format!("\"{plural}\" is no type of record; there are {}", known.join(", ")));
                    }
                }
            }
        }
        _ => reader.problem(
            &root,
            format!("the file holds {}; it must be a map from types of record to lists of records, such as people: [...]", tree.kind()),
        ),
    }
    if reader.problems.is_empty() { Ok(drafts) } else { Err(reader.problems) }
}

/// Reads one record, given as a map from its fields to values.
pub fn record(record: &'static Record, tree: &Tree, origin: &Origin) -> Result<Draft, Vec<InputProblem>> {
    one(Reader { problems: Vec::new(), keys_are_own: false, is_exact: false }, record, tree, origin)
}

/// Reads one record as the store itself had it, with the keys that its parts have.
pub(crate) fn state(record: &'static Record, tree: &Tree, origin: &Origin) -> Result<Draft, Vec<InputProblem>> {
    one(Reader { problems: Vec::new(), keys_are_own: true, is_exact: false }, record, tree, origin)
}

/// Reads one row: a record or a part by itself, with its id, and a part with its place in its list.
pub fn row(record: &'static Record, tree: &Tree, origin: &Origin) -> Result<Draft, Vec<InputProblem>> {
    one(Reader { problems: Vec::new(), keys_are_own: true, is_exact: true }, record, tree, origin)
}

/// What is wrong with the claims of the citations of a record or part.
pub fn claims(record: &'static Record, draft: &Draft) -> Vec<InputProblem> {
    let mut reader = Reader { problems: Vec::new(), keys_are_own: true, is_exact: true };
    reader.check_claims(record, draft);
    reader.problems
}

fn one(mut reader: Reader, record: &'static Record, tree: &Tree, origin: &Origin) -> Result<Draft, Vec<InputProblem>> {
    match reader.draft(record, tree, origin) {
        Some(draft) if reader.problems.is_empty() => Ok(draft),
        _ => Err(reader.problems),
    }
}

/// The list that somebody means who calls it by the name of the type or of the table, or misspells it.
fn other_name(given: &str) -> Option<&'static str> {
    let mut records = catalog().all().filter(|record| record.shape == RecordKind::Record);
    let near = |record: &&Record| record.table == given || record.singular() == given || strsim::osa_distance(record.plural, given) <= 2;
    records.find(near).map(|record| record.plural)
}

/// Gathers problems while it reads.
struct Reader {
    problems: Vec<InputProblem>,
    /// Whether the keys of parts are those that the store made, of any signs.
    keys_are_own: bool,
    /// Whether ids are given, and places of parts.
    is_exact: bool,
}

impl Reader {
    fn problem(&mut self, origin: &Origin, message: impl Into<String>) {
        self.problems.push(InputProblem::new(origin.clone(), message));
    }

    fn list(&mut self, record: &'static Record, tree: &Tree, origin: &Origin) -> Vec<Draft> {
        match &tree.value {
            Value::Null => Vec::new(),
            Value::List(items) => items
                .iter()
                .enumerate()
                .filter_map(|(index, item)| self.draft(record, item, &origin.below(format_args!("[{index}]"), item.line)))
                .collect(),
            _ => {
                self.problem(origin, format!("this is {}; it must be a list", tree.kind()));
                Vec::new()
            }
        }
    }

    /// One record or part. A part with one field that matters can be given as the bare value of that field.
    fn draft(&mut self, record: &'static Record, tree: &Tree, origin: &Origin) -> Option<Draft> {
        let mut draft = Draft { origin: origin.clone(), ..Draft::default() };
        let entries = match (&tree.value, record.key_from) {
            // {person: some-slug} is the value of the one field, not a map of fields
            (Value::Map(entries), [only]) if !self.is_exact && !entries.iter().any(|(key, _)| key == only) => {
                return self.bare(record, only, tree, draft);
            }
            (Value::Map(entries), _) => entries,
            (_, [only]) => return self.bare(record, only, tree, draft),
            _ => {
                self.problem(origin, format!("this is {}; a {} is a map from fields to values", tree.kind(), record.singular()));
                return None;
            }
        };
        let name_field = if record.shape == RecordKind::Record { "slug" } else { "key" };
        for (name, value) in entries {
            let origin = origin.below(format_args!(".{name}"), value.line);
            if name == name_field {
                draft.name = self.name(value, &origin);
            } else if self.is_exact && name == "id" {
                draft.aim = WriteTarget { mode: WriteMode::Exact, id: self.id(record, value, &origin), ..WriteTarget::default() };
            } else if let (true, Some(index)) = (self.is_exact && name == POSITION, record.field_index(name)) {
                if let Some(given) = self.given(record.fields[index].kind, value, &origin) {
                    draft.values.push((index, given, origin));
                }
            } else if let Some(list) = record.parts.iter().find(|list| list.name == name) {
                let parts = self.list(catalog().get(list.part), value, &origin);
                draft.parts.push((list.part, parts));
            } else if let Some(index) = field_of(record, name) {
                if let Some(given) = self.given(record.fields[index].kind, value, &origin) {
                    draft.values.push((index, given, origin));
                }
            } else {
                self.problem(&origin, unknown_field(record, name));
            }
        }
        if record.ty == RecordType::Citation {
            return Some(draft);
        }
        self.check_claims(record, &draft);
        Some(draft)
    }

    /// A record in a file is known by its slug or by an identifier, or else it would be made anew by every import.
    fn check_name(&mut self, draft: &Draft) {
        let is_identified = draft.parts.iter().any(|(part, parts)| *part == RecordType::Identifier && !parts.is_empty());
        let slug = draft.origin.below(".slug", None);
        if draft.name.is_none() && !is_identified && !self.problems.iter().any(|problem| problem.origin.path == slug.path) {
            let message = "slug is missing; give a short name such as alnur-ilyashev, unique among records of this type";
            self.problem(&draft.origin, message);
        }
    }

    fn bare(&mut self, record: &'static Record, field: &str, tree: &Tree, mut draft: Draft) -> Option<Draft> {
        let index = record.field_index(field)?;
        let given = self.given(record.fields[index].kind, tree, &draft.origin)?;
        draft.values.push((index, given, draft.origin.clone()));
        Some(draft)
    }

    /// The id of the record or part itself.
    fn id(&mut self, record: &Record, tree: &Tree, origin: &Origin) -> Option<Uuid> {
        let text = match &tree.value {
            Value::Text(text) => text.as_str(),
            _ => "",
        };
        match crate::core::id::decode(text) {
            Ok((prefix, id)) if prefix == record.ty.prefix() => return Some(id),
            Ok((prefix, _)) => {
                let right = record.ty.prefix();
                self.problem(origin, format!("\"{text}\" is the id of something else ({prefix}); the ids here begin with {right}_"));
            }
            Err(error) => self.problem(origin, error.to_string()),
        }
        None
    }

    /// A slug or a key.
    fn name(&mut self, tree: &Tree, origin: &Origin) -> Option<String> {
        let text = match &tree.value {
            Value::Text(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            _ => String::new(),
        };
        if self.keys_are_own && !text.is_empty() {
            return Some(text);
        }
        let valid = !text.is_empty()
            && text.len() <= 100
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if !valid {
            self.problem(
                origin,
                format!(
                    "\"{text}\" cannot be a name here; use up to 100 lower-case letters a-z, digits and hyphens, such as alnur-ilyashev"
                ),
            );
            return None;
        }
        Some(text)
    }

    /// A value of a kind; nothing clears a field.
    fn given(&mut self, kind: FieldKind, tree: &Tree, origin: &Origin) -> Option<DraftValue> {
        match kind {
            _ if tree.value == Value::Null => Some(DraftValue::Cell(Cell::Null)),
            FieldKind::One(target) if catalog().get(target).shape == RecordKind::Record => {
                self.text(tree, origin, "the slug or the id of a record").and_then(|name| self.reference(target, name, origin))
            }
            FieldKind::One(target) => {
                self.text(tree, origin, "the key of a part of the same record").map(|key| DraftValue::Key(target, key))
            }
            FieldKind::Any => self.any(tree, origin),
            FieldKind::Translated => self.translations(tree, origin).map(DraftValue::Cell),
            FieldKind::List(structure) => {
                let Value::List(items) = &tree.value else {
                    self.problem(origin, format!("this is {}; it must be a list", tree.kind()));
                    return None;
                };
                let items = items.iter().enumerate().filter_map(|(index, item)| {
                    let origin = origin.below(format_args!("[{index}]"), item.line);
                    let Value::Map(entries) = &item.value else {
                        self.problem(&origin, format!("this is {}; a {} is a map from members to values", item.kind(), structure.name));
                        return None;
                    };
                    let mut object = Map::new();
                    for (name, value) in entries {
                        let origin = origin.below(format_args!(".{name}"), value.line);
                        match structure.members.iter().find(|member| member.name == name) {
                            Some(member) => {
                                if let Some(value) = self.scalar(member.kind, value, &origin) {
                                    object.insert(name.clone(), json(&value));
                                }
                            }
                            None => {
                                let known: Vec<&str> = structure.members.iter().map(|member| member.name).collect();
                                self.problem(&origin, format!("a {} has no \"{name}\"; it has {}", structure.name, known.join(", ")));
                            }
                        }
                    }
                    for member in structure.members.iter().filter(|member| member.required && !object.contains_key(member.name)) {
                        if !entries.iter().any(|(name, _)| name == member.name) {
                            self.problem(&origin, format!("{} is missing; every {} has one", member.name, structure.name));
                        }
                    }
                    Some(Json::Object(object))
                });
                Some(DraftValue::Cell(Cell::Json(Json::Array(items.collect()))))
            }
            _ => self.scalar(kind, tree, origin).map(DraftValue::Cell),
        }
    }

    fn text(&mut self, tree: &Tree, origin: &Origin, expected: &str) -> Option<String> {
        match &tree.value {
            Value::Text(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            Value::Text(_) => {
                self.problem(origin, format!("the text is empty; give {expected} or leave the field out"));
                None
            }
            Value::Integer(number) => Some(number.to_string()),
            Value::Number(number) => Some(number.to_string()),
            _ => {
                self.problem(origin, format!("this is {}; it must be {expected}", tree.kind()));
                None
            }
        }
    }

    /// A record by its id, which has a low line in it, or by its slug, which has none.
    fn reference(&mut self, target: RecordType, name: String, origin: &Origin) -> Option<DraftValue> {
        if !name.contains('_') {
            return Some(DraftValue::Slug(target, name));
        }
        let this = catalog().get(target).singular();
        match crate::core::id::decode(&name) {
            Ok((prefix, id)) if prefix == target.prefix() => return Some(DraftValue::Id(target, id)),
            Ok((prefix, _)) => self.problem(
                origin,
                format!("\"{name}\" is the id of something else ({prefix}); the id of a {this} begins with {}_", target.prefix()),
            ),
            Err(error) => self.problem(origin, format!("{error}; give the id or the slug of a {this}")),
        }
        None
    }

    /// A record of any type: a map of one entry, from the type to the slug or the id.
    fn any(&mut self, tree: &Tree, origin: &Origin) -> Option<DraftValue> {
        if let Value::Map(entries) = &tree.value
            && let [(name, slug)] = entries.as_slice()
        {
            let record = catalog().all().find(|record| record.shape == RecordKind::Record && record.singular() == *name);
            if let Some(record) = record {
                let origin = origin.below(format_args!(".{name}"), slug.line);
                return self
                    .text(slug, &origin, "the slug or the id of a record")
                    .and_then(|name| self.reference(record.ty, name, &origin));
            }
        }
        self.problem(origin, "this names no record; write its type and its slug, such as {person: alnur-ilyashev}");
        None
    }

    fn translations(&mut self, tree: &Tree, origin: &Origin) -> Option<Cell> {
        let Value::Map(entries) = &tree.value else {
            self.problem(
                origin,
                format!("this is {}; it must be a map from language tags to texts, such as {{en: Senate, ru: Сенат}}", tree.kind()),
            );
            return None;
        };
        let mut texts = Map::new();
        for (tag, text) in entries {
            let origin = origin.below(format_args!(".{tag}"), text.line);
            match language::tag(tag) {
                Ok(tag) => {
                    if let Some(text) = self.text(text, &origin, "a text") {
                        texts.insert(tag, Json::String(text));
                    }
                }
                Err(error) => self.problem(&origin, error.to_string()),
            }
        }
        (!texts.is_empty()).then_some(Cell::Json(Json::Object(texts)))
    }

    fn scalar(&mut self, kind: FieldKind, tree: &Tree, origin: &Origin) -> Option<Cell> {
        let number = |number: f64| number.is_finite().then_some(Cell::Number(number));
        match (kind, &tree.value) {
            (FieldKind::Boolean, Value::Boolean(boolean)) => return Some(Cell::Boolean(*boolean)),
            (FieldKind::Integer, Value::Integer(value)) if i32::try_from(*value).is_ok() => return Some(Cell::Integer(*value)),
            (FieldKind::Number, Value::Integer(value)) => return value.to_string().parse().ok().and_then(number),
            (FieldKind::Number, Value::Number(value)) => return number(*value),
            (FieldKind::Boolean | FieldKind::Integer | FieldKind::Number, _) => {
                let expected = match kind {
                    FieldKind::Boolean => "true or false",
                    FieldKind::Integer => "a whole number from -2147483648 to 2147483647",
                    _ => "a number",
                };
                self.problem(origin, format!("this is {}; it must be {expected}", tree.kind()));
                return None;
            }
            _ => {}
        }
        let text = self.text(tree, origin, "a text")?;
        match check(kind, &text) {
            Ok(text) => Some(Cell::Text(text)),
            Err(message) => {
                self.problem(origin, message);
                None
            }
        }
    }

    /// Claims of citations must be values that their field could have.
    fn check_claims(&mut self, record: &'static Record, draft: &Draft) {
        let citation = catalog().get(RecordType::Citation);
        let (Some(field), Some(value)) = (citation.field_index("field"), citation.field_index("value")) else { return };
        for claim in draft.parts.iter().filter(|(part, _)| *part == RecordType::Citation).flat_map(|(_, parts)| parts) {
            let Some(DraftValue::Cell(Cell::Text(name))) = claim.value(field) else {
                if claim.value(value).is_some_and(|claimed| *claimed != DraftValue::Cell(Cell::Null)) {
                    self.problem(&claim.origin, "a value is claimed and field is missing; name the field that the value is claimed for");
                }
                continue;
            };
            let is_part = record.parts.iter().any(|list| list.name == name && list.name != "citations");
            let Some(declared) = field_of(record, name).map(|index| &record.fields[index]) else {
                if !is_part {
                    self.problem(&claim.origin.below(".field", None), unknown_field(record, name));
                }
                continue;
            };
            let Some(DraftValue::Cell(Cell::Text(claimed))) = claim.value(value) else { continue };
            let checked = match declared.kind {
                FieldKind::Number | FieldKind::Integer => {
                    claimed.parse::<f64>().map(drop).map_err(|_| format!("\"{claimed}\" is not a number, and {name} is one"))
                }
                FieldKind::Boolean => claimed.parse::<bool>().map(drop).map_err(|_| format!("\"{claimed}\" is neither true nor false")),
                kind => check(kind, claimed).map(drop),
            };
            if let Err(message) = checked {
                self.problem(&claim.origin.below(".value", None), message);
            }
        }
    }
}

/// Checks a text against the kind of its field; gives it in its canonical form.
fn check(kind: FieldKind, text: &str) -> Result<String, String> {
    match kind {
        FieldKind::Date => text.parse::<PartialDate>().map(|date| date.to_string()).map_err(|error| error.to_string()),
        FieldKind::Language => language::tag(text).map_err(|error| error.to_string()),
        FieldKind::Url => match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(text.to_owned()),
            _ => Err(format!("\"{text}\" is not an address on the web; it must begin with https:// or http://")),
        },
        FieldKind::Duration => match text.parse::<iso8601_duration::Duration>() {
            Ok(_) => Ok(text.to_owned()),
            Err(_) => {
                Err(format!("\"{text}\" is not an ISO 8601 duration; write P3Y for three years, P6M for six months, P15D for fifteen days"))
            }
        },
        FieldKind::Choice(vocabulary) => match vocabulary.choices.iter().any(|choice| choice.value == text) {
            true => Ok(text.to_owned()),
            false => Err(unknown_choice(vocabulary, text)),
        },
        _ => Ok(text.to_owned()),
    }
}

fn unknown_choice(vocabulary: &Vocabulary, text: &str) -> String {
    let known: Vec<&str> = vocabulary.choices.iter().map(|choice| choice.value).collect();
    format!("\"{text}\" is none of the values this field can have: {}", known.join(", "))
}

/// Place of a field that can be given; a part is not told which record it belongs to.
fn field_of(record: &Record, name: &str) -> Option<usize> {
    let index = record.field_index(name)?;
    let owner = index == 0 && matches!(record.shape, RecordKind::Part { .. });
    (!owner && !record.fields[index].system).then_some(index)
}

fn unknown_field(record: &Record, name: &str) -> String {
    let fields =
        record.fields.iter().enumerate().filter(|(index, field)| field_of(record, field.name) == Some(*index)).map(|(_, field)| field.name);
    let known: Vec<&str> = fields.chain(record.parts.iter().map(|list| list.name)).collect();
    let nearest = known.iter().map(|other| (strsim::osa_distance(name, other), other)).min();
    if let Some((1..=2, other)) = nearest {
        return format!("a {} has no \"{name}\"; did you mean {other}?", record.singular());
    }
    format!("a {} has no \"{name}\"; it has {}", record.singular(), known.join(", "))
}

fn json(cell: &Cell) -> Json {
    match cell {
        Cell::Text(text) => Json::from(text.as_str()),
        Cell::Integer(number) => Json::from(*number),
        Cell::Number(number) => Json::from(*number),
        Cell::Boolean(boolean) => Json::from(*boolean),
        _ => Json::Null,
    }
}

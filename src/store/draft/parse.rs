//! Parses input trees into drafts. Every value is validated against its field in the catalog, and all problems are
//! reported, not only the first.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::field::Field;
use crate::catalog::kind::{FieldKind, MAX_LANGUAGES, MAX_LIST_ITEMS, MAX_PARTS, Structure};
use crate::catalog::record::{Record, RecordKind};
use crate::core::article::with_article;
use crate::core::id;
use crate::core::language;
use crate::core::text::{TextRule, cleaned, forbidden_character, forbidden_character_message, is_invisible};
use crate::entity::RecordType;
use crate::store::draft::known_names::{check_name, check_reference, settable_field, similar_plural, unknown_field};
use crate::store::draft::repeated_entries::alike_structures;
use crate::store::draft::scalar::{json, normalize};
use crate::store::draft::spans::reversed;
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{Draft, DraftValue, Drafts, InputProblem, Origin, ProblemCode, WriteMode, WriteTarget};
use crate::store::read::result::Cell;

/// Name of the field that holds the position of a part in its list.
const POSITION: &str = "position";
/// Maximum length of a generated key, which an index of PostgreSQL can hold.
const MAX_KEY_BYTES: usize = 2_000;
/// What the name of another record or part may contain.
const REFERENCE_RULE: TextRule = TextRule::line(MAX_KEY_BYTES);

/// Parses the records of one file: a map from the plural name of a type to a list of its records. Returns the drafts, each
/// with its problems, and the problems of the file itself, which hide records.
pub fn file(file: &Arc<str>, tree: &Tree) -> (Drafts, Vec<InputProblem>) {
    let root = Origin { file: Some(file.clone()), line: tree.line, path: Vec::new() };
    let mut parser = DraftParser::new(DraftOrigin::Caller);
    let mut drafts = Drafts::new();
    match &tree.value {
        Value::Null => {}
        Value::Map(entries) => {
            for (plural, records) in entries {
                let origin = root.child(plural.clone(), records.line);
                match (catalog().by_plural(plural), similar_plural(plural)) {
                    (Some(record), _) => {
                        drafts.push((record.ty, parser.records(record, records, &origin)));
                    }
                    (None, Some(similar)) => {
                        parser.report(&origin, format!("\"{plural}\" is not a record type; did you mean {similar}?"));
                    }
                    (None, None) => {
                        let known: Vec<&str> =
                            catalog().all().filter(|record| record.kind == RecordKind::Record).map(|record| record.plural).collect();
                        parser.report(&origin, format!("\"{plural}\" is not a record type; the types are {}", known.join(", ")));
                    }
                }
            }
        }
        _ => parser.report(
            &root,
            format!("the file contains {}; it must be a map from record types to lists of records, such as people: [...]", tree.kind()),
        ),
    }
    (drafts, parser.problems)
}

/// Parses one record: a map from fields to values. The draft has the problems found.
pub fn record(record: &'static Record, tree: &Tree, origin: &Origin) -> Draft {
    DraftParser::new(DraftOrigin::Caller).root(record, tree, origin)
}

/// Parses a record from a state that the store produced, with the generated keys of its parts.
pub(crate) fn state(record: &'static Record, tree: &Tree, origin: &Origin) -> Draft {
    DraftParser::new(DraftOrigin::StoredState).root(record, tree, origin)
}

/// Parses one row of a data package: a record or part by itself, with its id, and a part with its position.
pub fn row(record: &'static Record, tree: &Tree, origin: &Origin) -> Draft {
    DraftParser::new(DraftOrigin::PackageRow).root(record, tree, origin)
}

/// Problems in the claims of the citations of a record or part.
pub fn claims(record: &'static Record, draft: &Draft) -> Vec<InputProblem> {
    let mut parser = DraftParser::new(DraftOrigin::PackageRow);
    parser.validate_claims(record, draft);
    parser.problems
}

/// Where the input comes from, which decides the names that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DraftOrigin {
    /// A file or mutation: keys follow the rules of slugs; ids and positions are not accepted.
    Caller,
    /// A state from the store: keys may be generated ones with any characters.
    StoredState,
    /// A row of a data package: as [`DraftOrigin::StoredState`], with ids and positions.
    PackageRow,
}

/// Parses drafts and collects the problems found.
struct DraftParser {
    problems: Vec<InputProblem>,
    notes: Vec<InputProblem>,
    warnings: Vec<InputProblem>,
    source: DraftOrigin,
}

impl DraftParser {
    fn new(source: DraftOrigin) -> Self {
        Self { problems: Vec::new(), notes: Vec::new(), warnings: Vec::new(), source }
    }

    /// Parses one record, with its problems in the draft.
    fn root(&mut self, record: &'static Record, tree: &Tree, origin: &Origin) -> Draft {
        let earlier = self.problems.len();
        let draft = self.draft(record, tree, origin);
        let (notes, warnings) = (std::mem::take(&mut self.notes), std::mem::take(&mut self.warnings));
        Draft { problems: self.problems.split_off(earlier), notes, warnings, ..draft }
    }

    fn report(&mut self, origin: &Origin, message: impl Into<String>) {
        self.problems.push(InputProblem::new(origin.clone(), message));
    }

    /// Reports a value of the wrong type, unless its problem is reported already.
    fn report_type(&mut self, tree: &Tree, origin: &Origin, expected: impl fmt::Display) {
        if tree.value != Value::Invalid {
            self.report(origin, format!("this is {}; {expected}", tree.kind()));
        }
    }

    /// Parses the records of one type in a file.
    fn records(&mut self, record: &'static Record, tree: &Tree, origin: &Origin) -> Vec<Draft> {
        let items: &[Tree] = match &tree.value {
            Value::Null => &[],
            Value::List(items) => items,
            _ => {
                self.report_type(tree, origin, "it must be a list");
                &[]
            }
        };
        let mut drafts = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let mut draft = self.root(record, item, &origin.child(index, item.line));
            require_name(&mut draft);
            drafts.push(draft);
        }
        drafts
    }

    /// Parses a list of parts.
    fn parts(&mut self, record: &'static Record, tree: &Tree, origin: &Origin) -> Vec<Draft> {
        match &tree.value {
            Value::Null => Vec::new(),
            Value::List(items) if self.is_too_long(items, MAX_PARTS, origin) => vec![invalid_draft(record, origin)],
            Value::List(items) => {
                items.iter().enumerate().map(|(index, item)| self.draft(record, item, &origin.child(index, item.line))).collect()
            }
            _ => {
                self.report_type(tree, origin, "it must be a list");
                vec![invalid_draft(record, origin)]
            }
        }
    }

    /// Reports a list with more items than a record can have.
    fn is_too_long<T>(&mut self, items: &[T], max: usize, origin: &Origin) -> bool {
        let is_too_long = items.len() > max && self.source != DraftOrigin::StoredState;
        if is_too_long {
            self.report(origin, format!("the list has {} entries; the maximum is {max}", items.len()));
        }
        is_too_long
    }

    /// Parses one record or part. A part whose key derives from a single field can be given as the bare value of that
    /// field.
    fn draft(&mut self, record: &'static Record, tree: &Tree, origin: &Origin) -> Draft {
        let is_row = self.source == DraftOrigin::PackageRow;
        let entries = match (&tree.value, record.key_from) {
            // {person: some-slug} is the value of the only field, not a map of fields
            (Value::Map(entries), [only]) if !is_row && !entries.iter().any(|(key, _)| key == only) => {
                return self.bare_part(record, only, tree, origin);
            }
            (Value::Map(entries), _) => entries,
            (_, [only]) => return self.bare_part(record, only, tree, origin),
            _ => {
                self.report_type(tree, origin, format_args!("a {} is a map from fields to values", record.singular()));
                return invalid_draft(record, origin);
            }
        };
        let mut draft = Draft { origin: origin.clone(), ..Draft::default() };
        for (name, value) in entries {
            self.entry(record, name, value, &mut draft);
        }
        if record.ty != RecordType::Citation {
            self.validate_claims(record, &draft);
        }
        self.warn_of_spans(origin, |name| match draft.value(record.field_id(name)?)? {
            DraftValue::Cell(cell) => cell.as_text(),
            DraftValue::Invalid | DraftValue::Slug(..) | DraftValue::Id(..) | DraftValue::Key(..) => None,
        });
        draft
    }

    /// Parses one entry of the map of a record or part into the draft.
    fn entry(&mut self, record: &'static Record, name: &str, value: &Tree, draft: &mut Draft) {
        let is_row = self.source == DraftOrigin::PackageRow;
        let name_field = if record.kind == RecordKind::Record { "slug" } else { "key" };
        let field = match record.field_id(name) {
            Some(id) if is_row && name == POSITION => Some(id),
            _ => settable_field(record, name),
        };
        let list = record.parts.iter().find(|list| list.name == name);
        // names known to the catalog are borrowed, which saves an allocation for each value
        let known = || list.map(|list| list.name).or_else(|| field.map(|id| record.field(id).name));
        let origin = match known() {
            Some(known) => draft.origin.child(known, value.line),
            None => draft.origin.child(name.to_owned(), value.line),
        };
        if name == name_field {
            draft.name = given_name(value);
            draft.is_unidentified |= !self.is_valid_name(record, draft.name.as_deref(), value, &origin);
        } else if is_row && name == "id" {
            draft.target = WriteTarget { mode: WriteMode::Exact, id: self.own_id(record, value, &origin), ..WriteTarget::default() };
        } else if let Some(list) = list {
            let parts = self.parts(catalog().get(list.part), value, &origin);
            draft.parts.push((list.part, parts));
        } else if let Some(id) = field {
            if let Some(value) = self.value(record.field(id), value, &origin) {
                draft.values.push((id, value, origin));
            }
        } else {
            self.report(&origin, unknown_field(record, name));
        }
    }

    /// A part given as the value of its only identifying field.
    fn bare_part(&mut self, record: &'static Record, field: &'static str, tree: &Tree, origin: &Origin) -> Draft {
        let id = record.known_field(field);
        let value = self.value(record.field(id), tree, origin);
        let values = value.map(|value| (id, value, origin.clone())).into_iter().collect();
        Draft { origin: origin.clone(), values, ..Draft::default() }
    }

    /// The id of the record or part itself.
    fn own_id(&mut self, record: &Record, tree: &Tree, origin: &Origin) -> Option<Uuid> {
        let text = match &tree.value {
            Value::Text(text) => text.as_str(),
            _ => "",
        };
        let expected = record.ty.prefix();
        match id::decode(text) {
            Ok((prefix, id)) if prefix == expected => return Some(id),
            Ok((prefix, _)) => {
                self.report(origin, format!("\"{text}\" is an id of another type ({prefix}); the id must begin with {expected}_"));
            }
            Err(error) => self.report(origin, error.to_string()),
        }
        None
    }

    /// Validates a slug or a key. Reports one that is not valid. The store generates keys with any characters.
    fn is_valid_name(&mut self, record: &Record, name: Option<&str>, tree: &Tree, origin: &Origin) -> bool {
        let text = name.unwrap_or_default();
        let may_be_generated = record.kind != RecordKind::Record && self.source == DraftOrigin::PackageRow;
        if (self.source == DraftOrigin::StoredState || may_be_generated) && !text.is_empty() {
            let checked = match self.source {
                DraftOrigin::StoredState => Ok(()),
                DraftOrigin::Caller | DraftOrigin::PackageRow if text.len() > MAX_KEY_BYTES => {
                    Err(format!("the key has {} bytes; the maximum is {MAX_KEY_BYTES}", text.len()))
                }
                DraftOrigin::Caller | DraftOrigin::PackageRow if cleaned(text).trim().is_empty() => Err("the key is blank".to_owned()),
                DraftOrigin::Caller | DraftOrigin::PackageRow => TextRule { has_lines: true, ..REFERENCE_RULE }.check(text),
            };
            return checked.map_err(|message| self.report(origin, message)).is_ok();
        }
        match check_name(text) {
            Ok(()) => true,
            Err(message) => {
                if tree.value != Value::Invalid {
                    self.report(origin, message);
                }
                false
            }
        }
    }

    /// Parses a value of a field. Null clears the field, and a text in no language does not give it.
    fn value(&mut self, field: &Field, tree: &Tree, origin: &Origin) -> Option<DraftValue> {
        match (field.kind, &tree.value) {
            (FieldKind::Translated, Value::Map(entries)) if entries.is_empty() => None,
            _ => Some(self.valid_value(field, tree, origin).unwrap_or(DraftValue::Invalid)),
        }
    }

    /// Parses a value of a field. Returns nothing if the value is not valid, which is reported.
    fn valid_value(&mut self, field: &Field, tree: &Tree, origin: &Origin) -> Option<DraftValue> {
        match field.kind {
            _ if tree.value == Value::Null => Some(DraftValue::Cell(Cell::Null)),
            FieldKind::One(target) if catalog().get(target).kind == RecordKind::Record => {
                let name = self.text(tree, origin, "the slug or the id of a record", REFERENCE_RULE);
                name.and_then(|name| self.reference(target, name, origin))
            }
            FieldKind::One(target) => {
                self.text(tree, origin, "the key of a part of the same record", REFERENCE_RULE).map(|key| DraftValue::Key(target, key))
            }
            FieldKind::Any => self.polymorphic_reference(tree, origin),
            FieldKind::Translated => self.translations(tree, origin, field.text_rule).map(DraftValue::Cell),
            FieldKind::List(structure) => self.structures(structure, tree, origin).map(DraftValue::Cell),
            kind => self.scalar(kind, field.text_rule, tree, origin).map(DraftValue::Cell),
        }
    }

    /// Parses a list of structures.
    fn structures(&mut self, structure: &Structure, tree: &Tree, origin: &Origin) -> Option<Cell> {
        let Value::List(items) = &tree.value else {
            self.report_type(tree, origin, "it must be a list");
            return None;
        };
        if self.is_too_long(items, MAX_LIST_ITEMS, origin) {
            return None;
        }
        let mut objects = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let origin = origin.child(index, item.line);
            objects.extend(self.structure(structure, item, &origin).map(|object| (object, origin)));
        }
        if self.source != DraftOrigin::StoredState {
            self.problems.extend(alike_structures(structure, &objects));
        }
        Some(Cell::Json(Json::Array(objects.into_iter().map(|(object, _)| Json::Object(object)).collect())))
    }

    /// Parses one structure: a map from its members to values.
    fn structure(&mut self, structure: &Structure, tree: &Tree, origin: &Origin) -> Option<Map<String, Json>> {
        let Value::Map(entries) = &tree.value else {
            self.report_type(tree, origin, format_args!("a {} is a map from members to values", structure.name));
            return None;
        };
        let mut object = Map::new();
        for (name, value) in entries {
            let origin = origin.child(name.clone(), value.line);
            if let Some(member) = structure.members.iter().find(|member| member.name == name) {
                match self.scalar(member.kind, member.kind.text_rule(), value, &origin) {
                    Some(Cell::Integer(number)) if member.is_count && number < 0 && self.source != DraftOrigin::StoredState => {
                        self.report(&origin, format!("{number} is less than 0; a count is 0 or more"));
                    }
                    Some(value) => _ = object.insert(name.clone(), json(&value)),
                    None => {}
                }
            } else {
                let known: Vec<&str> = structure.members.iter().map(|member| member.name).collect();
                self.report(&origin, format!("{} has no \"{name}\"; it has {}", with_article(structure.name), known.join(", ")));
            }
        }
        for member in structure.members.iter().filter(|member| member.required && !object.contains_key(member.name)) {
            if !entries.iter().any(|(name, _)| name == member.name) {
                let message = format!("{} is missing; every {} has one", member.name, structure.name);
                self.problems.push(InputProblem::new(origin.child(member.name, None), message).with_code(ProblemCode::Missing));
            }
        }
        self.warn_of_spans(origin, |name| object.get(name).and_then(Json::as_str));
        Some(object)
    }

    /// Warns of spans that end before they begin. What is stored already is not questioned.
    fn warn_of_spans<'d>(&mut self, origin: &Origin, date: impl Fn(&'static str) -> Option<&'d str>) {
        if self.source == DraftOrigin::Caller {
            self.warnings
                .extend(reversed(date).into_iter().map(|(end, message)| InputProblem::new(origin.child(end, origin.line), message)));
        }
    }

    /// Parses a text. A number is the text that the input has for it.
    fn text(&mut self, tree: &Tree, origin: &Origin, expected: &str, rule: TextRule) -> Option<String> {
        let given = match &tree.value {
            Value::Text(text) => text,
            Value::Number(number) => number.text(),
            Value::Boolean(boolean) => {
                self.report(origin, format!("this is a boolean; it must be {expected}: write \"{boolean}\" in quotes"));
                return None;
            }
            Value::Null | Value::List(_) | Value::Map(_) | Value::Invalid => {
                self.report_type(tree, origin, format_args!("it must be {expected}"));
                return None;
            }
        };
        let text = match self.source {
            DraftOrigin::Caller => cleaned(given),
            DraftOrigin::StoredState | DraftOrigin::PackageRow => Cow::Borrowed(given),
        };
        if given.contains(|char| is_invisible(char) && !text.contains(char)) {
            self.notes.push(InputProblem::new(origin.clone(), "invisible characters were removed"));
        }
        let text = text.trim();
        // a state that is stored already is not rejected
        let checked = match (self.source, forbidden_character(given)) {
            (DraftOrigin::StoredState, _) => Ok(()),
            (DraftOrigin::Caller | DraftOrigin::PackageRow, Some(char)) => Err(forbidden_character_message(char)),
            (DraftOrigin::Caller | DraftOrigin::PackageRow, None) => rule.check(text),
        };
        if let Err(message) = checked {
            self.report(origin, message);
            return None;
        }
        if text.is_empty() {
            self.report(origin, format!("the text is empty; give {expected} or leave the field out"));
            return None;
        }
        Some(text.to_owned())
    }

    /// Parses a reference: an id, which contains an underscore, or a slug, which never does.
    fn reference(&mut self, target: RecordType, name: String, origin: &Origin) -> Option<DraftValue> {
        if !name.contains('_') {
            return Some(DraftValue::Slug(target, name));
        }
        match (id::decode(&name), check_reference(target, &name)) {
            (Ok((_, id)), Ok(())) => Some(DraftValue::Id(target, id)),
            (_, checked) => {
                checked.err().into_iter().for_each(|message| self.report(origin, message));
                None
            }
        }
    }

    /// Parses a reference to a record of any type: a map with one entry, from the type to the slug or id.
    fn polymorphic_reference(&mut self, tree: &Tree, origin: &Origin) -> Option<DraftValue> {
        if let Value::Map(entries) = &tree.value
            && let [(name, slug)] = entries.as_slice()
        {
            let record = catalog().all().find(|record| record.kind == RecordKind::Record && record.singular() == *name);
            if let Some(record) = record {
                let origin = origin.child(name.clone(), slug.line);
                let name = self.text(slug, &origin, "the slug or the id of a record", REFERENCE_RULE);
                return name.and_then(|name| self.reference(record.ty, name, &origin));
            }
        }
        if tree.value != Value::Invalid {
            self.report(origin, "this is not a reference to a record; write its type and its slug, such as {person: alnur-ilyashev}");
        }
        None
    }

    fn translations(&mut self, tree: &Tree, origin: &Origin, rule: TextRule) -> Option<Cell> {
        let Value::Map(entries) = &tree.value else {
            self.report_type(tree, origin, "it must be a map from language tags to texts, such as {en: Senate, ru: Сенат}");
            return None;
        };
        if self.is_too_long(entries, MAX_LANGUAGES, origin) {
            return None;
        }
        let mut texts = Map::new();
        for (tag, text) in entries {
            let origin = origin.child(tag.clone(), text.line);
            match language::tag(tag) {
                Ok(tag) => {
                    if texts.contains_key(&tag) {
                        self.report(&origin, format!("the language {tag} is given twice, in two spellings; keep one of them"));
                    } else if text.value == Value::Null && self.source == DraftOrigin::Caller {
                        // removes the language from the stored text
                        texts.insert(tag, Json::Null);
                    } else if let Some(text) = self.text(text, &origin, "a text", rule) {
                        texts.insert(tag, Json::String(text));
                    }
                }
                Err(error) => self.report(&origin, error.to_string()),
            }
        }
        (!texts.is_empty()).then_some(Cell::Json(Json::Object(texts)))
    }

    fn scalar(&mut self, kind: FieldKind, rule: TextRule, tree: &Tree, origin: &Origin) -> Option<Cell> {
        match (kind, &tree.value) {
            (FieldKind::Boolean, Value::Boolean(boolean)) => return Some(Cell::Boolean(*boolean)),
            (FieldKind::Integer, Value::Number(number)) if number.integer().is_some_and(|value| i32::try_from(value).is_ok()) => {
                return number.integer().map(Cell::Integer);
            }
            (FieldKind::Number, Value::Number(number)) if number.is_rounded() && self.source == DraftOrigin::Caller => {
                self.report(origin, format!("{} would be rounded to {}; write a number with fewer digits", number.text(), number.float()));
                return None;
            }
            (FieldKind::Number, Value::Number(number)) if number.float().is_finite() => return Some(Cell::Number(number.float())),
            (FieldKind::Boolean | FieldKind::Integer | FieldKind::Number, _) => {
                let expected = match kind {
                    FieldKind::Boolean => "true or false",
                    FieldKind::Integer => "a whole number from -2147483648 to 2147483647",
                    _ if matches!(tree.value, Value::Number(_)) => "a finite number",
                    _ => "a number",
                };
                self.report_type(tree, origin, format_args!("it must be {expected}"));
                return None;
            }
            _ => {}
        }
        let text = self.text(tree, origin, "a text", rule)?;
        match normalize(kind, &text) {
            Ok(text) => Some(Cell::Text(text)),
            Err(_) if self.source == DraftOrigin::StoredState && matches!(kind, FieldKind::Url) => Some(Cell::Text(text)),
            Err(message) => {
                self.report(origin, message);
                None
            }
        }
    }

    /// Validates the claimed values of citations against the fields that they are claimed for.
    fn validate_claims(&mut self, record: &'static Record, draft: &Draft) {
        let citation = catalog().get(RecordType::Citation);
        let [field, value] = ["field", "value"].map(|name| citation.known_field(name));
        for claim in draft.parts.iter().filter(|(part, _)| *part == RecordType::Citation).flat_map(|(_, parts)| parts) {
            let name = match claim.value(field) {
                Some(DraftValue::Cell(Cell::Text(name))) => name,
                Some(DraftValue::Invalid) => continue,
                _ => {
                    if claim.value(value).is_some_and(|claimed| *claimed != DraftValue::Cell(Cell::Null)) {
                        let message = "a value is claimed and field is missing; name the field that the value is claimed for";
                        self.report(&claim.origin, message);
                    }
                    continue;
                }
            };
            let is_part = record.parts.iter().any(|list| list.name == name && list.name != "citations");
            let Some(declared) = settable_field(record, name).map(|id| record.field(id)) else {
                if !is_part {
                    self.report(&claim.origin.child("field", None), unknown_field(record, name));
                }
                continue;
            };
            let Some(DraftValue::Cell(Cell::Text(claimed))) = claim.value(value) else { continue };
            let validated = match declared.kind {
                FieldKind::Number | FieldKind::Integer => {
                    let is_number = claimed.parse::<f64>().is_ok_and(f64::is_finite);
                    is_number.then_some(()).ok_or_else(|| format!("\"{claimed}\" is not a number, but {name} is a number"))
                }
                FieldKind::Boolean => claimed.parse::<bool>().map(drop).map_err(|_| format!("\"{claimed}\" is neither true nor false")),
                kind => normalize(kind, claimed).map(drop),
            };
            if let Err(message) = validated {
                self.report(&claim.origin.child("value", None), message);
            }
        }
    }
}

/// Requires a slug or an identifier: a record without either would be created again by every import.
fn require_name(draft: &mut Draft) {
    let is_identified = draft.parts.iter().any(|(part, parts)| *part == RecordType::Identifier && !parts.is_empty());
    if draft.name.is_none() && !is_identified && !draft.is_unidentified {
        let message = "slug is missing; give a short name such as alnur-ilyashev, unique among records of this type";
        let problem = InputProblem::new(draft.origin.child("slug", None), message);
        draft.problems.push(problem.with_code(ProblemCode::Missing));
        draft.is_unidentified = true;
    }
}

/// The draft of a record or part that is not a map: all of its fields are invalid.
fn invalid_draft(record: &Record, origin: &Origin) -> Draft {
    let fields = record.fields_with_ids().filter(|(id, field)| settable_field(record, field.name) == Some(*id));
    let values = fields.map(|(id, _)| (id, DraftValue::Invalid, origin.clone())).collect();
    Draft { origin: origin.clone(), values, is_unidentified: true, ..Draft::default() }
}

/// A slug or key as given, even if it is not valid: other records may refer to it. Not set for a value that is no text.
fn given_name(tree: &Tree) -> Option<String> {
    match &tree.value {
        Value::Text(text) if !text.is_empty() && !text.contains('\0') => Some(text.clone()),
        Value::Number(number) => Some(number.text().to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::draft::value_tree::from_json;

    #[test]
    fn problem_path_keeps_dots_and_digits_in_names() {
        let tree = from_json(&serde_json::json!({"slug": "a", "name": {"a.b": "A", "1": "B"}}));
        let problems = record(catalog().get(RecordType::Person), &tree, &Origin::input([])).problems;
        let paths: Vec<_> = problems.into_iter().map(|problem| problem.origin.path).collect();
        let expected = |tag: &'static str| Origin::input(["name", tag]).path;
        assert_eq!(paths, [expected("a.b"), expected("1")]);
    }
}

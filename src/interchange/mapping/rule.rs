//! The rule for one field: columns, a template or a constant, and the conversions applied to its text.

use std::borrow::Cow;
use std::sync::Arc;

use regex::Regex;

use super::condition::Condition;
use super::date::DateFormats;
use super::number::NumberFormat;
use super::position::member;
use super::reference::LookupBy;
use super::row::TableRow;
use super::template::Template;
use super::tree::{MappedTree, MappedValue};
use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::RecordKind;
use crate::core::text::{TextRule, cleaned, forbidden_character, forbidden_character_message};
use crate::core::web_address::check_web_address;
use crate::entity::RecordType;
use crate::interchange::slug::{MAX_SLUG_BYTES, slugify};
use crate::store::draft::scalar::normalize;
use crate::store::draft::value_tree::Value;
use crate::store::draft::{check_name, check_reference};

/// Separator of the values in a cell for a list of texts, unless the rule has another.
pub(super) const DEFAULT_SPLIT: &str = ";";

/// How texts of a table become values.
#[derive(Debug, Clone, Default)]
pub(super) struct Formats {
    /// Formats of dates.
    pub(super) dates: DateFormats,
    /// Separators of numbers.
    pub(super) numbers: NumberFormat,
    /// Words that mean that there is no value.
    pub(super) nulls: Vec<String>,
}

/// A regular expression that a whole value must match.
#[derive(Debug)]
pub(super) struct Pattern {
    /// The expression, anchored on both sides.
    pub(super) regex: Regex,
    /// As written in the mapping.
    pub(super) text: String,
    /// The value as made of the groups; without it, the value is the text that matches.
    pub(super) template: Option<Template>,
    /// Whether a text that does not match is no value.
    pub(super) is_optional: bool,
}

/// What the place of a rule allows.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are independent of each other")]
pub(super) struct RulePlace {
    /// Kind of the field.
    pub(super) kind: FieldKind,
    /// What a text of the field may contain.
    pub(super) text_rule: TextRule,
    /// Whether the field is the slug of a record or the key of a part.
    pub(super) is_name: bool,
    /// Whether the rule yields a whole list.
    pub(super) is_list: bool,
    /// Whether the rule is part of a list item, of which a split cell makes several.
    pub(super) is_in_list: bool,
    /// Whether the field is a member of a structure, which is not cleared but left out.
    pub(super) is_member: bool,
}

/// How the value of one field is computed from a row.
#[derive(Debug)]
pub(super) struct FieldRule {
    /// Place of the rule in the mapping.
    pub(super) path: String,
    /// Sources of the text, of which the first that is not empty counts.
    pub(super) sources: Vec<Template>,
    /// Where the rule stands.
    pub(super) place: RulePlace,
    pub(super) pattern: Option<Pattern>,
    /// Replacements of whole values; `*` stands for any other value, and no template for no value.
    pub(super) replacements: Option<Vec<(String, Option<Template>)>>,
    pub(super) formats: Formats,
    /// Separator of several values in one cell.
    pub(super) split: Option<String>,
    pub(super) is_slug: bool,
    pub(super) default: Option<Template>,
    /// How the rule refers to records, if not by slug.
    pub(super) lookup: Option<LookupBy>,
    /// Whether an empty value clears the field.
    pub(super) clears_when_empty: bool,
    /// Conditions, all of which must hold; otherwise the field is not given.
    pub(super) conditions: Vec<Condition>,
    /// Columns that the value is read from, for messages.
    pub(super) label: Option<Arc<str>>,
}

impl FieldRule {
    /// Columns that the rule reads the value from, each once.
    pub(super) fn columns(&self) -> Vec<&str> {
        let groups = |name: &str| self.pattern.as_ref().is_some_and(|pattern| pattern.has_group(name));
        let of_pattern = self.pattern.iter().flat_map(|pattern| &pattern.template).flat_map(Template::names).filter(|name| !groups(name));
        let of_replacements = self.replacements.iter().flatten().filter_map(|(_, to)| to.as_ref()).flat_map(Template::names);
        let sources = self.sources.iter().chain(&self.default).flat_map(Template::names);
        let mut columns: Vec<&str> = Vec::new();
        for column in sources.chain(of_pattern).chain(of_replacements) {
            if !column.is_empty() && !columns.contains(&column) {
                columns.push(column);
            }
        }
        columns
    }

    /// Whether the rule takes its text from columns rather than from a constant.
    pub(super) fn reads_columns(&self) -> bool {
        self.sources.iter().any(|source| !source.is_constant())
    }

    /// The slugs of records that the mapping itself gives the field, each with its place in the mapping.
    pub(super) fn constant_references(&self) -> Vec<(String, RecordType, String)> {
        let FieldKind::One(target) = self.place.kind else { return Vec::new() };
        if self.lookup.is_some() || self.is_slug || catalog().get(target).kind != RecordKind::Record {
            return Vec::new();
        }
        let texts = self.constants().into_iter().flat_map(|(path, text)| {
            let texts = if self.place.is_list { self.split_text(&text) } else { vec![text] };
            texts.into_iter().map(move |text| (path.clone(), text))
        });
        // ids have an underscore
        let slugs = texts.filter(|(_, text)| !text.is_empty() && !text.contains('_'));
        slugs.map(|(path, slug)| (path, target, slug)).collect()
    }

    /// The texts that the mapping itself gives the field, each with its place in the mapping: a constant, a default, and targets of
    /// `values`.
    pub(super) fn constants(&self) -> Vec<(String, String)> {
        let constant = |template: &Template| template.is_constant().then(|| template.render(|_| "".into()));
        let mut texts: Vec<(String, String)> = Vec::new();
        if self.replacements.is_none() && self.pattern.is_none() {
            texts.extend(self.sources.iter().filter_map(constant).map(|text| (member(&self.path, "constant"), text)));
        }
        texts.extend(self.default.iter().filter_map(constant).map(|text| (member(&self.path, "default"), text)));
        let replacements = self.replacements.iter().flatten();
        let values = member(&self.path, "values");
        texts.extend(replacements.filter_map(|(from, to)| Some((member(&values, from), constant(to.as_ref()?)?))));
        texts
    }

    /// Whether the cells of the rule have a value at `index`; without a split, every index reads the same value. A constant
    /// default counts only if `counts_constants`.
    pub(super) fn has_value(&self, row: &TableRow<'_>, index: usize, counts_constants: bool) -> bool {
        if !self.holds(row) {
            return false;
        }
        let texts = self.texts(row);
        let index = if self.split.is_some() { index } else { 0 };
        let has_default = || {
            self.default
                .as_ref()
                .is_some_and(|default| (counts_constants || !default.is_constant()) && !self.render(default, row).is_empty())
        };
        texts.get(index).is_some_and(|text| !text.is_empty()) || has_default()
    }

    /// Number of values in the cells if the rule splits them into list items: without and with empty values at the end.
    pub(super) fn split_counts(&self, row: &TableRow<'_>) -> Option<(usize, usize)> {
        if self.split.is_none() || self.place.is_list || !self.holds(row) {
            return None;
        }
        let texts = self.texts(row);
        let last = texts.iter().rposition(|text| !text.is_empty())?;
        Some((last + 1, texts.len()))
    }

    fn holds(&self, row: &TableRow<'_>) -> bool {
        self.conditions.iter().all(|condition| condition.holds(row))
    }

    /// The value for a row.
    pub(super) fn value(&self, row: &TableRow<'_>, index: usize) -> MappedTree {
        let value = if self.holds(row) { self.mapped_value(row, index) } else { Ok(MappedValue::Absent) };
        let value = match value {
            Ok(MappedValue::Scalar(Value::Null)) if self.place.is_member => Ok(MappedValue::Absent),
            value => value,
        };
        MappedTree { line: row.line, columns: self.label.clone(), value: value.unwrap_or_else(MappedValue::Invalid) }
    }

    fn mapped_value(&self, row: &TableRow<'_>, index: usize) -> Result<MappedValue, String> {
        let mut texts = self.texts(row);
        if !self.place.is_list {
            let index = if self.split.is_some() { index } else { 0 };
            texts = texts.into_iter().nth(index).into_iter().collect();
        }
        let mut items = Vec::new();
        for text in texts.iter().filter(|text| !text.is_empty()) {
            items.extend(self.resolve(text, row)?);
        }
        if items.is_empty() {
            let default = self.default.as_ref().map(|default| self.render(default, row)).filter(|default| !default.is_empty());
            items = match default {
                Some(default) if self.place.is_list => self.split_text(&default).into_iter().filter(|text| !text.is_empty()).collect(),
                default => default.into_iter().collect(),
            };
        }
        if self.place.is_list && !items.is_empty() {
            let item = |text: &String| {
                let value = self.convert(text, row).map_or_else(MappedValue::Invalid, MappedValue::Scalar);
                MappedTree { line: row.line, columns: self.label.clone(), value }
            };
            return Ok(MappedValue::List { items: items.iter().map(item).collect(), is_set: true });
        }
        match items.first() {
            Some(text) => self.convert(text, row).map(MappedValue::Scalar),
            None if self.clears_when_empty => Ok(MappedValue::Scalar(Value::Null)),
            None => Ok(MappedValue::Absent),
        }
    }

    /// The texts of the cells, with empty ones, which keep the place of the others. A cell that is empty has none.
    fn texts(&self, row: &TableRow<'_>) -> Vec<String> {
        let text = self.sources.iter().map(|source| self.render(source, row)).find(|text| !text.is_empty());
        text.map(|text| self.split_text(&text)).unwrap_or_default()
    }

    fn split_text(&self, text: &str) -> Vec<String> {
        match &self.split {
            None => vec![text.to_owned()],
            Some(split) => {
                let value = |text: &str| Some(text.trim()).filter(|text| !self.is_null(text)).unwrap_or_default().to_owned();
                text.split(split.as_str()).map(value).collect()
            }
        }
    }

    fn is_null(&self, text: &str) -> bool {
        self.formats.nulls.iter().any(|null| null == text)
    }

    fn render(&self, template: &Template, row: &TableRow<'_>) -> String {
        template.render(|column| Cow::Borrowed(self.cell(column, row)))
    }

    /// The cell of a column; empty if it is a word for no value.
    fn cell<'r>(&self, column: &str, row: &'r TableRow<'_>) -> &'r str {
        let cell = row.cell(column);
        if self.is_null(cell) { "" } else { cell }
    }

    /// Applies the pattern and the replacements to a text. `None` if they leave no value.
    fn resolve(&self, text: &str, row: &TableRow<'_>) -> Result<Option<String>, String> {
        let Some(text) = self.matched(text, row)? else { return Ok(None) };
        let Some(replacements) = &self.replacements else { return Ok(Some(text)) };
        let replacement = |key: &str| replacements.iter().find(|(from, _)| from == key).map(|(_, to)| to);
        let Some(to) = replacement(&text).or_else(|| replacement("*")) else {
            let known: Vec<&str> = replacements.iter().map(|(from, _)| from.as_str()).collect();
            return Err(format!("\"{text}\" is not in values, which has {}; add it, or \"*\" for every other value", known.join(", ")));
        };
        let Some(to) = to else { return Ok(None) };
        let replaced = to.render(|name| match name {
            "" => Cow::Borrowed(text.as_str()),
            column => Cow::Borrowed(self.cell(column, row)),
        });
        Ok(Some(replaced).filter(|text| !text.is_empty()))
    }

    fn matched(&self, text: &str, row: &TableRow<'_>) -> Result<Option<String>, String> {
        let Some(pattern) = &self.pattern else { return Ok(Some(text.to_owned())) };
        let Some(groups) = pattern.regex.captures(text) else {
            if pattern.is_optional {
                return Ok(None);
            }
            return Err(format!(
                "\"{text}\" does not match {}; correct it, or write optional: true if such a text is no value",
                pattern.text
            ));
        };
        let Some(template) = &pattern.template else { return Ok(Some(text.to_owned())) };
        let value = template.render(|name| {
            if pattern.has_group(name) {
                return Cow::Borrowed(groups.name(name).map_or("", |group| group.as_str()));
            }
            Cow::Borrowed(self.cell(name, row))
        });
        Ok(Some(value).filter(|value| !value.is_empty()))
    }

    /// Whether a text that every row has is a value of the field. An empty text is no value.
    pub(super) fn check(&self, text: &str, row: &TableRow<'_>) -> Result<(), String> {
        if text.is_empty() {
            return Ok(());
        }
        let texts = if self.place.is_list { self.split_text(text) } else { vec![text.to_owned()] };
        for text in texts.iter().filter(|text| !text.is_empty()) {
            if let Value::Text(text) = self.convert(text, row)? {
                self.place.check_text(&text)?;
                normalize(self.place.kind, &text)?;
            }
        }
        Ok(())
    }

    /// How a text writes a number: that of a cell that is a number is not written as the table writes texts.
    fn numbers(&self, text: &str, row: &TableRow<'_>) -> NumberFormat {
        let is_number = !row.numbers.is_empty() && self.columns().into_iter().any(|column| row.is_number(column, text));
        if is_number { NumberFormat::PLAIN } else { self.formats.numbers }
    }

    /// Converts one text to the kind of the field, or explains why it cannot be.
    fn convert(&self, text: &str, row: &TableRow<'_>) -> Result<Value, String> {
        if self.is_slug {
            return match slugify(text, MAX_SLUG_BYTES) {
                slug if slug.is_empty() => Err(format!("\"{text}\" has no letters or digits for a slug")),
                slug => Ok(Value::Text(slug)),
            };
        }
        if let (FieldKind::One(target), Some(by)) = (self.place.kind, &self.lookup) {
            if *by == LookupBy::Url {
                check_web_address(text)?;
            }
            return row.references.slug(target, by, text).map(Value::Text);
        }
        match self.place.kind {
            FieldKind::Date => Ok(self.formats.dates.read(text)?.map_or(Value::Null, Value::Text)),
            FieldKind::Integer => self.numbers(text, row).integer(text).map(|number| Value::Number(number.into())),
            FieldKind::Number => self.numbers(text, row).number(text).map(|number| Value::Number(number.into())),
            FieldKind::Boolean => match text.to_lowercase().as_str() {
                "true" | "yes" | "1" => Ok(Value::Boolean(true)),
                "false" | "no" | "0" => Ok(Value::Boolean(false)),
                _ => Err(format!("\"{text}\" is none of true, yes, 1, false, no, 0; replace it, such as values: {{\"{text}\": true}}")),
            },
            FieldKind::Text
            | FieldKind::Translated
            | FieldKind::Instant
            | FieldKind::Url
            | FieldKind::Language
            | FieldKind::Duration
            | FieldKind::Choice(_)
            | FieldKind::List(_)
            | FieldKind::One(_)
            | FieldKind::Any => Ok(Value::Text(text.to_owned())),
        }
    }
}

impl RulePlace {
    /// Whether a text may be a value of the field, as records are checked.
    fn check_text(self, text: &str) -> Result<(), String> {
        if self.is_name {
            return check_name(text);
        }
        match self.kind {
            FieldKind::One(target) => check_reference(target, text),
            FieldKind::Text
            | FieldKind::Translated
            | FieldKind::Date
            | FieldKind::Instant
            | FieldKind::Integer
            | FieldKind::Number
            | FieldKind::Boolean
            | FieldKind::Url
            | FieldKind::Language
            | FieldKind::Duration
            | FieldKind::Choice(_)
            | FieldKind::List(_)
            | FieldKind::Any => match forbidden_character(text) {
                Some(char) => Err(forbidden_character_message(char)),
                None => self.text_rule.check(cleaned(text).trim()),
            },
        }
    }
}

impl Pattern {
    /// Whether the expression has a group of this name.
    pub(super) fn has_group(&self, name: &str) -> bool {
        self.regex.capture_names().flatten().any(|group| group == name)
    }
}

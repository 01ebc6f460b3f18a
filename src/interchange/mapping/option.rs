//! Reads the options of a mapping and collects what is wrong with them.

use std::sync::Arc;

use super::condition::Condition;
use super::date::DateFormat;
use super::position::{Positions, member};
use super::rule::Formats;
use super::template::Template;
use crate::core::path::PathSegment;
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{InputProblem, Origin};

/// Options that say how texts become values, of a table or of a rule.
pub(super) const FORMAT_KEYS: [&str; 6] = ["dates", "century", "open", "decimal", "thousands", "nulls"];

/// Years that `century` can begin with.
const CENTURIES: std::ops::RangeInclusive<i64> = 1000..=9900;

/// Reads options and collects problems with their places in the file.
pub(super) struct OptionReader<'f> {
    file: &'f Arc<str>,
    positions: &'f Positions,
    pub(super) problems: Vec<InputProblem>,
}

impl<'f> OptionReader<'f> {
    /// A reader of the options of a file.
    pub(super) fn new(file: &'f Arc<str>, positions: &'f Positions) -> Self {
        Self { file, positions, problems: Vec::new() }
    }

    /// Reports a problem at a place of the file.
    pub(super) fn report(&mut self, path: &str, message: impl Into<String>) {
        self.problems.push(problem_at(self.file, self.positions, path, message));
    }

    /// Reports keys of a map that are not known.
    pub(super) fn check_keys(&mut self, entries: &[(String, Tree)], known: &[&str], path: &str) {
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            self.report(&member(path, key), format!("unknown key; expected one of {}", known.join(", ")));
        }
    }

    /// A scalar as text.
    pub(super) fn text(&mut self, tree: &Tree, path: &str) -> Option<String> {
        match &tree.value {
            Value::Text(text) => Some(text.clone()),
            Value::Number(number) => Some(number.text().to_owned()),
            Value::Boolean(boolean) => Some(boolean.to_string()),
            Value::Null | Value::List(_) | Value::Map(_) | Value::Invalid => {
                self.report(path, format!("expected text, found {}", tree.kind()));
                None
            }
        }
    }

    /// A scalar, or a list of scalars.
    pub(super) fn texts(&mut self, tree: &Tree, path: &str) -> Vec<String> {
        match &tree.value {
            Value::List(items) => {
                items.iter().enumerate().filter_map(|(index, item)| self.text(item, &format!("{path}[{index}]"))).collect()
            }
            _ => self.text(tree, path).into_iter().collect(),
        }
    }

    /// A boolean.
    pub(super) fn boolean(&mut self, tree: &Tree, path: &str) -> bool {
        if let Value::Boolean(boolean) = tree.value {
            return boolean;
        }
        self.report(path, format!("expected true or false, found {}", tree.kind()));
        false
    }

    /// An integer in a range.
    pub(super) fn integer(&mut self, tree: &Tree, range: std::ops::RangeInclusive<i64>, path: &str) -> Option<i64> {
        let integer = match &tree.value {
            Value::Number(number) => number.integer().filter(|integer| range.contains(integer)),
            _ => None,
        };
        if integer.is_none() {
            self.report(path, format!("expected a whole number from {} to {}", range.start(), range.end()));
        }
        integer
    }

    /// A template with columns in braces. A name must stand in the braces.
    pub(super) fn template(&mut self, text: &str, path: &str) -> Option<Template> {
        match Template::parse(text) {
            Ok(template) if template.names().any(str::is_empty) => {
                self.report(path, format!("\"{text}\" has empty braces; write the name of a column in them"));
                None
            }
            Ok(template) => Some(template),
            Err(message) => {
                self.report(path, message);
                None
            }
        }
    }

    /// The name of a column, or a template with columns in braces.
    pub(super) fn column_or_template(&mut self, text: &str, path: &str) -> Option<Template> {
        if text.contains(['{', '}']) { self.template(text, path) } else { Some(Template::column(text)) }
    }

    /// Sets one of the options of [`FORMAT_KEYS`].
    pub(super) fn set_format(&mut self, formats: &mut Formats, key: &str, tree: &Tree, path: &str) {
        match key {
            "dates" => {
                formats.dates.formats.clear();
                for text in self.texts(tree, path) {
                    match DateFormat::parse(&text) {
                        Ok(format) => formats.dates.formats.push(format),
                        Err(message) => self.report(path, message),
                    }
                }
            }
            "century" => formats.dates.century = self.integer(tree, CENTURIES, path).and_then(|year| i32::try_from(year).ok()),
            "open" => formats.dates.open = self.texts(tree, path),
            "nulls" => formats.nulls = self.texts(tree, path),
            "decimal" => {
                formats.numbers.decimal = self.separator(tree, &['.', ','], path);
            }
            "thousands" => {
                formats.numbers.thousands = self.separator(tree, &['.', ',', '\'', ' '], path);
            }
            other => self.report(path, format!("unknown key; expected one of {}, not {other}", FORMAT_KEYS.join(", "))),
        }
    }

    /// Reports options of formats that exclude each other.
    pub(super) fn check_formats(&mut self, formats: &Formats, path: &str) {
        if let Some(message) = formats.numbers.conflict() {
            self.report(path, message);
        }
    }

    fn separator(&mut self, tree: &Tree, allowed: &[char], path: &str) -> Option<char> {
        let text = self.text(tree, path)?;
        let mut chars = text.chars().map(|char| if char.is_whitespace() { ' ' } else { char });
        let separator = chars.next().filter(|char| allowed.contains(char) && chars.next().is_none());
        if separator.is_none() {
            let allowed: Vec<String> = allowed.iter().map(|char| format!("\"{char}\"")).collect();
            self.report(path, format!("\"{text}\" is no separator; expected one of {}", allowed.join(", ")));
        }
        separator
    }

    /// One condition, or a list of conditions that must all hold.
    pub(super) fn conditions(&mut self, tree: &Tree, path: &str) -> Vec<Condition> {
        match &tree.value {
            Value::List(items) => {
                items.iter().enumerate().filter_map(|(index, item)| self.condition(item, &format!("{path}[{index}]"))).collect()
            }
            _ => self.condition(tree, path).into_iter().collect(),
        }
    }

    fn condition(&mut self, tree: &Tree, path: &str) -> Option<Condition> {
        let Value::Map(entries) = &tree.value else {
            self.report(path, format!("expected a condition such as {{column: Kind, is: [vote]}}, found {}", tree.kind()));
            return None;
        };
        self.check_keys(entries, &["column", "is", "not"], path);
        let get = |name: &str| entries.iter().find(|(key, _)| key == name).map(|(_, tree)| tree);
        let (texts, key, is_negated) = match (get("is"), get("not")) {
            (Some(texts), None) => (texts, "is", false),
            (None, Some(texts)) => (texts, "not", true),
            _ => {
                self.report(path, "expected either is or not, with the texts that the cell is compared with");
                return None;
            }
        };
        let Some(column) = get("column") else {
            self.report(path, "column is missing; name the column that is compared");
            return None;
        };
        let column = self.text(column, &member(path, "column"))?.trim().to_owned();
        let texts = self.texts(texts, &member(path, key));
        Some(Condition { path: path.to_owned(), column, texts, is_negated })
    }
}

/// A problem at a place of a mapping file, with its line and column.
pub(super) fn problem_at(file: &Arc<str>, positions: &Positions, path: &str, message: impl Into<String>) -> InputProblem {
    let position = positions.of(path);
    let segments = match position {
        _ if path.is_empty() => Vec::new(),
        Some((_, column)) => vec![path.to_owned().into(), PathSegment::Column(column.to_string().into())],
        None => vec![path.to_owned().into()],
    };
    InputProblem::new(Origin { file: Some(file.clone()), line: position.map(|(line, _)| line), path: segments }, message)
}

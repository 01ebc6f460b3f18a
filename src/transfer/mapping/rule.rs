//! What one field of a record is made of: a column, a text with columns in it, or a constant; and what is done with it.

use chrono::format::{Parsed, StrftimeItems, parse};

use super::Line;
use crate::catalog::record::FieldKind;
use crate::core::partial_date::PartialDate;
use crate::entity::RecordType;
use crate::store::draft::value_tree::{Tree, Value};
use crate::transfer::slug::{LONGEST, slug};

/// What one field is made of.
#[derive(Debug)]
pub struct Rule {
    /// Line of the mapping that it stands on.
    pub line: Option<usize>,
    pieces: Vec<Piece>,
    kind: FieldKind,
    /// Words for words; `*` stands for any other.
    values: Vec<(String, String)>,
    dates: Vec<String>,
    /// What stands between several values in one cell.
    split: Option<String>,
    /// Whether it is the whole list and not one item of it.
    is_list: bool,
    is_slug: bool,
    default: Option<String>,
    /// Scheme of the identifier by which it refers to a record.
    scheme: Option<String>,
    clears: bool,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Column(String),
}

/// What a rule can say beside where its value comes from.
const OPTIONS: &[&str] = &["column", "template", "constant", "values", "dates", "split", "slug", "default", "scheme", "empty"];

impl Rule {
    /// Whether a map is a rule and not a map of fields.
    pub(super) fn is_rule(entries: &[(String, Tree)]) -> bool {
        entries.iter().any(|(key, tree)| {
            matches!(key.as_str(), "column" | "template" | "constant") && !matches!(tree.value, Value::Map(_) | Value::List(_))
        })
    }

    /// Reads a rule for a field of a kind.
    pub(super) fn read(tree: &Tree, kind: FieldKind, is_list: bool, dates: &[String]) -> Result<Self, String> {
        let mut rule = Self {
            line: tree.line,
            pieces: Vec::new(),
            kind,
            values: Vec::new(),
            dates: dates.to_vec(),
            split: is_list.then(|| ";".to_owned()),
            is_list,
            is_slug: false,
            default: None,
            scheme: None,
            clears: false,
        };
        match &tree.value {
            Value::Text(text) if text.contains('{') => rule.pieces = pieces(text)?,
            Value::Text(text) => rule.pieces = vec![Piece::Column(text.trim().to_owned())],
            Value::Map(entries) => entries.iter().try_for_each(|(key, value)| rule.option(key, value))?,
            _ => {}
        }
        if rule.scheme.is_some() && !matches!(rule.kind, FieldKind::One(_)) {
            return Err("scheme is for references to records; this field is none".to_owned());
        }
        Ok(rule)
    }

    fn option(&mut self, key: &str, tree: &Tree) -> Result<(), String> {
        let text = || text(tree).ok_or_else(|| format!("{key} is {}; it must be a text", tree.kind()));
        match key {
            "column" => self.pieces = vec![Piece::Column(text()?.trim().to_owned())],
            "template" => self.pieces = pieces(&text()?)?,
            "constant" => self.pieces = vec![Piece::Text(text()?)],
            "split" => self.split = Some(text()?),
            "default" => self.default = Some(text()?),
            "scheme" => self.scheme = Some(text()?),
            "slug" => self.is_slug = tree.value == Value::Boolean(true),
            "empty" => {
                self.clears = match text()?.as_str() {
                    "clear" => true,
                    "keep" => false,
                    other => return Err(format!("empty is \"{other}\"; write clear to empty the field where the cell is empty, or keep")),
                }
            }
            "dates" => {
                self.dates = match &tree.value {
                    Value::List(items) => items.iter().filter_map(self::text).collect(),
                    _ => vec![text()?],
                }
            }
            "values" => {
                let Value::Map(entries) = &tree.value else { return Err(format!("values is {}; it must be a map", tree.kind())) };
                self.values = entries.iter().filter_map(|(from, to)| Some((from.clone(), self::text(to)?))).collect();
            }
            other => return Err(format!("a rule has no \"{other}\"; it has {}", OPTIONS.join(", "))),
        }
        Ok(())
    }

    /// Columns that it asks for.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Column(column) => Some(column.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The type and the scheme, where it refers to records by their identifiers.
    pub fn reference(&self) -> Option<(RecordType, &str)> {
        match (self.kind, &self.scheme) {
            (FieldKind::One(target), Some(scheme)) => Some((target, scheme)),
            _ => None,
        }
    }

    /// Everything that the cells say for a line, as text.
    pub fn texts(&self, line: &Line<'_>) -> Vec<String> {
        let text = self.text(line);
        match &self.split {
            None => Some(text).filter(|text| !text.is_empty()).into_iter().collect(),
            Some(split) => text.split(split.as_str()).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect(),
        }
    }

    fn text(&self, line: &Line<'_>) -> String {
        if self.columns().next().is_some() && self.columns().all(|column| line.cell(column).is_empty()) {
            return self.default.clone().unwrap_or_default();
        }
        let text: String = self
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Column(column) => line.cell(column),
            })
            .collect();
        text.trim().to_owned()
    }

    pub(super) fn is_given(&self, line: &Line<'_>, index: usize) -> bool {
        self.texts(line).len() > if self.split.is_some() { index } else { 0 }
    }

    /// How many items of a list it makes.
    pub(super) fn times(&self, line: &Line<'_>) -> usize {
        if self.split.is_some() && !self.is_list { self.texts(line).len().max(1) } else { 1 }
    }

    /// The value for a line, or what is wrong with it; nothing if the field is to be left as it is.
    pub(super) fn value(&self, line: &Line<'_>, index: usize) -> Result<Option<Value>, String> {
        let texts = self.texts(line);
        if texts.is_empty() {
            return Ok(self.clears.then_some(Value::Null));
        }
        if self.is_list {
            let items = texts.iter().map(|text| Ok(Tree { line: Some(line.number), value: self.one(text, line)? }));
            return Ok(Some(Value::List(items.collect::<Result<_, String>>()?)));
        }
        let place = if self.split.is_some() { index } else { 0 };
        texts.get(place).map(|text| self.one(text, line)).transpose()
    }

    fn one(&self, text: &str, line: &Line<'_>) -> Result<Value, String> {
        let word = self.values.iter().find(|(from, _)| from == text).or_else(|| self.values.iter().find(|(from, _)| from == "*"));
        let text = word.map_or(text, |(_, to)| to);
        if self.is_slug {
            return Ok(Value::Text(slug(text, LONGEST)));
        }
        if let Some((target, scheme)) = self.reference() {
            let slug = line.slugs.get(&(target, scheme.to_owned(), text.to_owned())).cloned();
            return slug
                .map(Value::Text)
                .ok_or_else(|| format!("there is no record with the identifier {scheme} {text}, neither here nor in the database"));
        }
        let number = || text.replace([' ', '\u{a0}', '\u{202f}'], "");
        match self.kind {
            FieldKind::Date if !self.dates.is_empty() => self.date(text).map(Value::Text),
            FieldKind::Integer => Ok(number().parse().map_or_else(|_| Value::Text(text.to_owned()), Value::Integer)),
            FieldKind::Number => Ok(number().replacen(',', ".", 1).parse().map_or_else(|_| Value::Text(text.to_owned()), Value::Number)),
            FieldKind::Boolean => Ok(match text.to_lowercase().as_str() {
                "true" | "yes" | "1" => Value::Boolean(true),
                "false" | "no" | "0" => Value::Boolean(false),
                _ => Value::Text(text.to_owned()),
            }),
            _ => Ok(Value::Text(text.to_owned())),
        }
    }

    /// A date as dates are written here; what is written so already stays.
    fn date(&self, text: &str) -> Result<String, String> {
        self.dates
            .iter()
            .find_map(|format| date(text, format))
            .or_else(|| text.parse::<PartialDate>().ok().map(|date| date.to_string()))
            .ok_or_else(|| format!("\"{text}\" fits none of the formats of dates: {}", self.dates.join(", ")))
    }
}

/// Reads a date by a format that may lack the day, or the day and the month.
fn date(text: &str, format: &str) -> Option<String> {
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, StrftimeItems::new(format)).ok()?;
    let written = match (parsed.to_naive_date(), parsed.year, parsed.month) {
        (Ok(day), ..) => day.format("%Y-%m-%d").to_string(),
        (Err(_), Some(year), Some(month)) if parsed.day.is_none() => format!("{year:04}-{month:02}"),
        (Err(_), Some(year), None) => format!("{year:04}"),
        _ => return None,
    };
    written.parse::<PartialDate>().ok().map(|date| date.to_string())
}

fn text(tree: &Tree) -> Option<String> {
    match &tree.value {
        Value::Text(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Boolean(boolean) => Some(boolean.to_string()),
        _ => None,
    }
}

/// A text with names of columns in curly brackets.
fn pieces(template: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (column, behind) = after.split_once('}').ok_or_else(|| format!("\"{template}\" has a {{ without }}"))?;
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Column(column.trim().to_owned()));
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use proptest::prelude::*;

    #[test]
    fn formats_can_lack_the_day_or_the_month() {
        assert_eq!(date("03.05.1970", "%d.%m.%Y").as_deref(), Some("1970-05-03"));
        assert_eq!(date("5/1970", "%m/%Y").as_deref(), Some("1970-05"));
        assert_eq!(date("1970", "%Y").as_deref(), Some("1970"));
        assert_eq!(date("31.02.1970", "%d.%m.%Y"), None);
        assert_eq!(date("1970", "%d.%m.%Y"), None);
    }

    proptest! {
        #[test]
        fn a_day_is_read_back_from_the_format_it_was_written_in(day in 366i32..3_000_000, format in prop::sample::select(vec!["%d.%m.%Y", "%m/%d/%Y", "%Y%m%d", "%e %B %Y"])) {
            let day = NaiveDate::from_num_days_from_ce_opt(day).unwrap();
            prop_assume!(day.format("%Y").to_string().len() == 4);
            prop_assert_eq!(date(&day.format(format).to_string(), format), Some(day.format("%Y-%m-%d").to_string()));
        }
    }
}

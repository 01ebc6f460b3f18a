//! The rule for one field: a column, a template of columns, or a constant, and the conversions applied to its text.

use chrono::format::{Parsed, StrftimeItems, parse};

use super::row::TableRow;
use crate::catalog::kind::FieldKind;
use crate::core::partial_date::PartialDate;
use crate::entity::RecordType;
use crate::interchange::slug::{MAX_SLUG_BYTES, slugify};
use crate::store::draft::value_tree::{Tree, Value};

/// How the value of one field is computed from a row.
#[derive(Debug)]
pub struct FieldRule {
    /// Line of the rule in the mapping.
    pub line: Option<usize>,
    template: Vec<TemplateSegment>,
    kind: FieldKind,
    /// Replacements of whole values; `*` matches any other value.
    replacements: Vec<(String, String)>,
    date_formats: Vec<String>,
    /// Separator of several values in one cell.
    split: Option<String>,
    /// Whether the rule yields the whole list instead of one item.
    is_list: bool,
    is_slug: bool,
    default: Option<String>,
    /// Identifier scheme, if the rule refers to records by identifier.
    scheme: Option<String>,
    /// Whether an empty cell clears the field.
    clears_when_empty: bool,
}

#[derive(Debug)]
enum TemplateSegment {
    Text(String),
    Column(String),
}

/// Keys of a rule.
const KEYS: &[&str] = &["column", "template", "constant", "values", "dates", "split", "slug", "default", "scheme", "empty"];

impl FieldRule {
    /// Whether a map is a rule rather than a map of fields.
    pub(super) fn is_rule(entries: &[(String, Tree)]) -> bool {
        entries.iter().any(|(key, tree)| {
            matches!(key.as_str(), "column" | "template" | "constant") && !matches!(tree.value, Value::Map(_) | Value::List(_))
        })
    }

    /// Parses the rule for a field of the given kind.
    pub(super) fn parse(tree: &Tree, kind: FieldKind, is_list: bool, date_formats: &[String]) -> Result<Self, String> {
        let mut rule = Self {
            line: tree.line,
            template: Vec::new(),
            kind,
            replacements: Vec::new(),
            date_formats: date_formats.to_vec(),
            split: is_list.then(|| ";".to_owned()),
            is_list,
            is_slug: false,
            default: None,
            scheme: None,
            clears_when_empty: false,
        };
        match &tree.value {
            Value::Text(text) if text.contains('{') => rule.template = parse_template(text)?,
            Value::Text(text) => rule.template = vec![TemplateSegment::Column(text.trim().to_owned())],
            Value::Map(entries) => entries.iter().try_for_each(|(key, value)| rule.set_option(key, value))?,
            _ => return Err(format!("expected a column name or a rule, found {}", tree.kind())),
        }
        if rule.scheme.is_some() && !matches!(rule.kind, FieldKind::One(_)) {
            return Err("scheme is only valid for references to records, and this field is not one".to_owned());
        }
        Ok(rule)
    }

    fn set_option(&mut self, key: &str, tree: &Tree) -> Result<(), String> {
        let text = || scalar_option(key, tree);
        match key {
            "column" => self.template = vec![TemplateSegment::Column(text()?.trim().to_owned())],
            "template" => self.template = parse_template(&text()?)?,
            "constant" => self.template = vec![TemplateSegment::Text(text()?)],
            "split" => self.split = Some(text()?),
            "default" => self.default = Some(text()?),
            "scheme" => self.scheme = Some(text()?),
            "slug" => {
                self.is_slug = match tree.value {
                    Value::Boolean(boolean) => boolean,
                    _ => return Err(format!("slug must be true or false, found {}", tree.kind())),
                }
            }
            "empty" => {
                self.clears_when_empty = match text()?.as_str() {
                    "clear" => true,
                    "keep" => false,
                    other => return Err(format!("empty is \"{other}\"; expected clear (clear the field if the cell is empty) or keep")),
                }
            }
            "dates" => {
                self.date_formats = match &tree.value {
                    Value::List(items) => items.iter().map(|item| scalar_option(key, item)).collect::<Result<_, _>>()?,
                    _ => vec![text()?],
                }
            }
            "values" => {
                let Value::Map(entries) = &tree.value else { return Err(format!("values must be a map, found {}", tree.kind())) };
                let replacements = entries.iter().map(|(from, to)| Ok((from.clone(), scalar_option(key, to)?)));
                self.replacements = replacements.collect::<Result<_, String>>()?;
            }
            other => return Err(format!("unknown key \"{other}\" in a rule; expected one of {}", KEYS.join(", "))),
        }
        Ok(())
    }

    /// Columns that the rule reads.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.template.iter().filter_map(|segment| match segment {
            TemplateSegment::Column(column) => Some(column.as_str()),
            TemplateSegment::Text(_) => None,
        })
    }

    /// Target type and identifier scheme, if the rule refers to records by identifier.
    pub fn identifier_reference(&self) -> Option<(RecordType, &str)> {
        match (self.kind, &self.scheme) {
            (FieldKind::One(target), Some(scheme)) => Some((target, scheme)),
            _ => None,
        }
    }

    /// All values of the rule in a row, as text; empty values are omitted.
    pub fn texts(&self, row: &TableRow<'_>) -> Vec<String> {
        let text = self.render_template(row);
        match &self.split {
            None => Some(text).filter(|text| !text.is_empty()).into_iter().collect(),
            Some(split) => text.split(split.as_str()).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect(),
        }
    }

    /// The text of the template; the default if all columns are empty.
    fn render_template(&self, row: &TableRow<'_>) -> String {
        if self.columns().next().is_some() && self.columns().all(|column| row.cell(column).is_empty()) {
            return self.default.clone().unwrap_or_default();
        }
        let text: String = self
            .template
            .iter()
            .map(|segment| match segment {
                TemplateSegment::Text(text) => text.as_str(),
                TemplateSegment::Column(column) => row.cell(column),
            })
            .collect();
        text.trim().to_owned()
    }

    /// Whether the rule has a value at `index` of the cell; without a split, every index reads the same value.
    pub(super) fn has_value(&self, row: &TableRow<'_>, index: usize) -> bool {
        self.texts(row).len() > if self.split.is_some() { index } else { 0 }
    }

    /// Number of list items that the rule produces.
    pub(super) fn item_count(&self, row: &TableRow<'_>) -> usize {
        if self.split.is_some() && !self.is_list { self.texts(row).len().max(1) } else { 1 }
    }

    /// The value for a row, or why the text cannot be converted. `None` leaves the field unchanged; null clears it.
    pub(super) fn value(&self, row: &TableRow<'_>, index: usize) -> Result<Option<Value>, String> {
        let texts = self.texts(row);
        if texts.is_empty() {
            return Ok(self.clears_when_empty.then_some(Value::Null));
        }
        if self.is_list {
            let items = texts.iter().map(|text| Ok(Tree { line: Some(row.line), value: self.convert(text, row)? }));
            return Ok(Some(Value::List(items.collect::<Result<_, String>>()?)));
        }
        let index = if self.split.is_some() { index } else { 0 };
        texts.get(index).map(|text| self.convert(text, row)).transpose()
    }

    /// Converts one text to the kind of the field. Text that does not parse is passed on, and validation of the record rejects
    /// it.
    fn convert(&self, text: &str, row: &TableRow<'_>) -> Result<Value, String> {
        let replacement = |key: &str| self.replacements.iter().find(|(from, _)| from == key);
        let text = replacement(text).or_else(|| replacement("*")).map_or(text, |(_, to)| to);
        if self.is_slug {
            return Ok(Value::Text(slugify(text, MAX_SLUG_BYTES)));
        }
        if let Some((target, scheme)) = self.identifier_reference() {
            let slug = row.slugs.get(&(target, scheme.to_owned(), text.to_owned())).cloned();
            return slug
                .map(Value::Text)
                .ok_or_else(|| format!("no record has the identifier {scheme} {text}, neither in the import nor in the database"));
        }
        let without_group_separators = || text.replace([' ', '\u{a0}', '\u{202f}'], "");
        let kept = || Value::Text(text.to_owned());
        match self.kind {
            FieldKind::Date if !self.date_formats.is_empty() => self.parse_date(text).map(Value::Text),
            FieldKind::Integer => {
                Ok(without_group_separators().parse::<i64>().map_or_else(|_| kept(), |number| Value::Number(number.into())))
            }
            FieldKind::Number => Ok(without_group_separators()
                .replacen(',', ".", 1)
                .parse::<f64>()
                .map_or_else(|_| kept(), |number| Value::Number(number.into()))),
            FieldKind::Boolean => Ok(match text.to_lowercase().as_str() {
                "true" | "yes" | "1" => Value::Boolean(true),
                "false" | "no" | "0" => Value::Boolean(false),
                _ => kept(),
            }),
            _ => Ok(kept()),
        }
    }

    /// Parses a date by the first format that matches; an ISO 8601 partial date is accepted as well.
    fn parse_date(&self, text: &str) -> Result<String, String> {
        self.date_formats
            .iter()
            .find_map(|format| parse_partial_date(text, format))
            .or_else(|| text.parse::<PartialDate>().ok().map(|date| date.to_string()))
            .ok_or_else(|| format!("\"{text}\" matches none of the date formats: {}", self.date_formats.join(", ")))
    }
}

/// Parses a date by a strftime format, which may omit the day, or the day and the month.
fn parse_partial_date(text: &str, format: &str) -> Option<String> {
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, StrftimeItems::new(format)).ok()?;
    let iso = match (parsed.to_naive_date(), parsed.year, parsed.month) {
        (Ok(day), ..) => day.format("%Y-%m-%d").to_string(),
        (Err(_), Some(year), Some(month)) if parsed.day.is_none() => format!("{year:04}-{month:02}"),
        (Err(_), Some(year), None) => format!("{year:04}"),
        _ => return None,
    };
    iso.parse::<PartialDate>().ok().map(|date| date.to_string())
}

/// The text of a scalar option.
fn scalar_option(key: &str, tree: &Tree) -> Result<String, String> {
    match &tree.value {
        Value::Text(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.text().to_owned()),
        Value::Boolean(boolean) => Ok(boolean.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Invalid => Err(format!("{key} must be text, found {}", tree.kind())),
    }
}

/// Parses text with column names in braces.
fn parse_template(template: &str) -> Result<Vec<TemplateSegment>, String> {
    let mut segments = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (column, remainder) = after.split_once('}').ok_or_else(|| format!("\"{template}\" has an unclosed {{"))?;
        if !before.is_empty() {
            segments.push(TemplateSegment::Text(before.to_owned()));
        }
        segments.push(TemplateSegment::Column(column.trim().to_owned()));
        rest = remainder;
    }
    if !rest.is_empty() {
        segments.push(TemplateSegment::Text(rest.to_owned()));
    }
    Ok(segments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use proptest::prelude::*;

    #[test]
    fn date_format_may_omit_day_and_month() {
        assert_eq!(parse_partial_date("03.05.1970", "%d.%m.%Y").as_deref(), Some("1970-05-03"));
        assert_eq!(parse_partial_date("5/1970", "%m/%Y").as_deref(), Some("1970-05"));
        assert_eq!(parse_partial_date("1970", "%Y").as_deref(), Some("1970"));
        assert_eq!(parse_partial_date("31.02.1970", "%d.%m.%Y"), None);
        assert_eq!(parse_partial_date("1970", "%d.%m.%Y"), None);
    }

    proptest! {
        #[test]
        fn formatted_date_parses_back(day in 366i32..3_000_000, format in prop::sample::select(vec!["%d.%m.%Y", "%m/%d/%Y", "%Y%m%d", "%e %B %Y"])) {
            let day = NaiveDate::from_num_days_from_ce_opt(day).unwrap();
            prop_assume!(day.format("%Y").to_string().len() == 4);
            prop_assert_eq!(parse_partial_date(&day.format(format).to_string(), format), Some(day.format("%Y-%m-%d").to_string()));
        }
    }
}

//! Parses the rule for one field.

use std::collections::HashMap;

use csv::StringRecord;
use regex::Regex;

use super::option::{FORMAT_KEYS, OptionReader};
use super::position::member;
use super::reference::{LookupBy, References};
use super::row::TableRow;
use super::rule::{DEFAULT_SPLIT, FieldRule, Formats, Pattern, RulePlace};
use super::template::Template;
use crate::catalog::kind::FieldKind;
use crate::core::web_address::check_web_address;
use crate::entity::RecordType;
use crate::store::draft::value_tree::{Tree, Value};

/// Keys of a rule, without those of formats.
const KEYS: [&str; 14] = [
    "column", "template", "constant", "coalesce", "match", "optional", "values", "split", "slug", "default", "scheme", "by", "empty",
    "when",
];

/// Whether a map is a rule rather than a map of fields.
pub(super) fn is_rule(entries: &[(String, Tree)]) -> bool {
    entries.iter().any(|(key, tree)| match key.as_str() {
        "column" | "template" | "constant" => !matches!(tree.value, Value::Map(_) | Value::List(_)),
        "coalesce" => !matches!(tree.value, Value::Map(_)),
        _ => false,
    })
}

/// Parses a rule; `formats` are those of the table.
pub(super) fn parse_rule(reader: &mut OptionReader<'_>, tree: &Tree, place: RulePlace, formats: &Formats, path: &str) -> Option<FieldRule> {
    let earlier = reader.problems.len();
    let mut rule = FieldRule {
        path: path.to_owned(),
        sources: Vec::new(),
        place,
        pattern: None,
        replacements: None,
        formats: formats.clone(),
        split: place.is_list.then(|| DEFAULT_SPLIT.to_owned()),
        is_slug: false,
        default: None,
        lookup: None,
        clears_when_empty: false,
        conditions: Vec::new(),
        label: None,
    };
    if let Value::Map(entries) = &tree.value {
        parse_options(reader, &mut rule, entries, path);
    } else {
        let text = reader.text(tree, path)?;
        rule.sources.extend(reader.column_or_template(&text, path));
    }
    if reader.problems.len() > earlier {
        return None;
    }
    let columns = rule.columns().join(", ");
    rule.label = Some(columns.into()).filter(|columns: &std::sync::Arc<str>| !columns.is_empty());
    check_constants(reader, &rule);
    (reader.problems.len() == earlier).then_some(rule)
}

fn parse_options(reader: &mut OptionReader<'_>, rule: &mut FieldRule, entries: &[(String, Tree)], path: &str) {
    let known: Vec<&str> = KEYS.iter().chain(&FORMAT_KEYS).copied().collect();
    reader.check_keys(entries, &known, path);
    let get = |name: &str| entries.iter().find(|(key, _)| key == name).map(|(_, tree)| tree);
    let is_matched = get("match").is_some();
    for (key, tree) in entries {
        let path = member(path, key);
        match key.as_str() {
            "column" => {
                let column = reader.text(tree, &path);
                rule.sources.extend(column.map(|column| Template::column(&column)));
            }
            "template" if is_matched && get("column").or(get("coalesce")).is_some() => {}
            "template" => {
                let text = reader.text(tree, &path);
                rule.sources.extend(text.and_then(|text| reader.template(&text, &path)));
            }
            "constant" => {
                let text = reader.text(tree, &path);
                rule.sources.extend(text.map(|text| Template::constant(&text)));
            }
            "coalesce" => {
                for text in reader.texts(tree, &path) {
                    rule.sources.extend(reader.column_or_template(&text, &path));
                }
            }
            "default" => {
                let text = reader.text(tree, &path);
                rule.default = text.and_then(|text| reader.template(&text, &path));
            }
            "split" => rule.split = reader.text(tree, &path),
            "scheme" => rule.lookup = reader.text(tree, &path).map(LookupBy::Identifier),
            "by" => parse_by(reader, rule, tree, &path),
            "slug" => rule.is_slug = reader.boolean(tree, &path),
            "empty" => match reader.text(tree, &path).as_deref() {
                Some("clear") => rule.clears_when_empty = true,
                Some("keep") | None => {}
                Some(other) => {
                    reader.report(
                        &path,
                        format!("\"{other}\" is not an option; expected clear (clear the field if the value is empty) or keep"),
                    );
                }
            },
            "values" => parse_values(reader, rule, tree, &path),
            "when" => rule.conditions = reader.conditions(tree, &path),
            "match" => rule.pattern = parse_pattern(reader, tree, get("template"), get("optional"), &path),
            "optional" if is_matched => {}
            "optional" => reader.report(&path, "optional is only valid beside match"),
            key if FORMAT_KEYS.contains(&key) => parse_format(reader, rule, key, tree, &path),
            // reported as unknown
            _ => {}
        }
    }
    reader.check_formats(&rule.formats, path);
    let sources = ["column", "template", "constant", "coalesce"].iter().filter(|key| get(key).is_some()).count();
    let is_template_of_pattern = is_matched && get("template").is_some() && sources == 2 && get("constant").is_none();
    if sources > 1 && !is_template_of_pattern {
        reader.report(path, "expected only one of column, template, constant and coalesce");
    }
    if get("split").is_some() && !rule.place.is_list && !rule.place.is_in_list {
        reader.report(&member(path, "split"), "split is only valid in a list, and this field has one value");
    }
    if rule.split.as_deref() == Some("") {
        reader.report(&member(path, "split"), "the separator is empty");
    }
    if get("scheme").is_some() && get("by").is_some() {
        reader.report(path, "expected only one of scheme and by");
    }
    if get("scheme").is_some() && !matches!(rule.place.kind, FieldKind::One(_)) {
        reader.report(&member(path, "scheme"), "scheme is only valid for references to records, and this field is not one");
    }
}

fn parse_by(reader: &mut OptionReader<'_>, rule: &mut FieldRule, tree: &Tree, path: &str) {
    match reader.text(tree, path).as_deref() {
        Some("url") if matches!(rule.place.kind, FieldKind::One(RecordType::Source)) => rule.lookup = Some(LookupBy::Url),
        Some("url") => reader.report(path, "by: url is only valid for references to sources, and this field is not one"),
        Some("slug") | None => {}
        Some(other) => reader.report(path, format!("\"{other}\" is not an option; expected slug or url")),
    }
}

/// Parses a format; one that has no effect on the field is an error.
fn parse_format(reader: &mut OptionReader<'_>, rule: &mut FieldRule, key: &str, tree: &Tree, path: &str) {
    let has_effect = match key {
        "dates" | "century" | "open" => matches!(rule.place.kind, FieldKind::Date),
        "decimal" | "thousands" => matches!(rule.place.kind, FieldKind::Integer | FieldKind::Number),
        _ => true,
    };
    if has_effect {
        reader.set_format(&mut rule.formats, key, tree, path);
    } else {
        let kind = if matches!(key, "decimal" | "thousands") { "number" } else { "date" };
        reader.report(path, format!("{key} has no effect, because the field is no {kind}"));
    }
}

fn parse_values(reader: &mut OptionReader<'_>, rule: &mut FieldRule, tree: &Tree, path: &str) {
    let Value::Map(entries) = &tree.value else {
        reader.report(path, format!("expected a map from values of the table to values of the field, found {}", tree.kind()));
        return;
    };
    let mut replacements = Vec::new();
    for (from, to) in entries {
        let path = member(path, from);
        let template = match &to.value {
            Value::Null => None,
            _ => match reader.text(to, &path).map(|text| Template::parse(&text)) {
                Some(Ok(template)) => Some(template),
                Some(Err(message)) => {
                    reader.report(&path, message);
                    continue;
                }
                None => continue,
            },
        };
        replacements.push((from.clone(), template));
    }
    rule.replacements = Some(replacements);
}

fn parse_pattern(
    reader: &mut OptionReader<'_>,
    tree: &Tree,
    template: Option<&Tree>,
    optional: Option<&Tree>,
    path: &str,
) -> Option<Pattern> {
    let text = reader.text(tree, path)?;
    let regex = match Regex::new(&format!("^(?:{text})$")) {
        Ok(regex) => regex,
        Err(error) => {
            // the error of the library shows the anchored expression over several lines
            let reason = error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            reader.report(path, format!("\"{text}\" is not a regular expression: {reason}"));
            return None;
        }
    };
    let path = path.trim_end_matches("match").trim_end_matches('.').to_owned();
    let is_optional = optional.is_some_and(|optional| reader.boolean(optional, &member(&path, "optional")));
    let template = match template {
        Some(template) => {
            let path = member(&path, "template");
            let text = reader.text(template, &path)?;
            Some(reader.template(&text, &path)?)
        }
        None => None,
    };
    if template.is_none() && regex.capture_names().flatten().next().is_some() {
        reader.report(&path, "match has groups, and template is missing; write the value as a template of the groups");
    }
    Some(Pattern { regex, text, template, is_optional })
}

/// Checks constants and the targets of `values` and `default`, which would be a problem of every row.
fn check_constants(reader: &mut OptionReader<'_>, rule: &FieldRule) {
    if rule.is_slug || matches!(rule.lookup, Some(LookupBy::Identifier(_))) {
        return;
    }
    let cells = StringRecord::new();
    let (columns, references) = (HashMap::new(), References::default());
    let row = TableRow { columns: &columns, cells: &cells, numbers: &[], references: &references, line: 0 };
    // a name in every row is checked with what the record lacks, so that both are reported
    let names_record = rule.lookup.is_none() && (rule.place.is_name || matches!(rule.place.kind, FieldKind::One(_)));
    let checked_with_record = (names_record && !rule.place.is_list).then(|| member(&rule.path, "constant"));
    for (path, text) in rule.constants().into_iter().filter(|(path, _)| Some(path) != checked_with_record.as_ref()) {
        let checked = match rule.lookup {
            Some(_) if text.is_empty() => Ok(()),
            Some(_) => check_web_address(&text),
            None => rule.check(&text, &row),
        };
        if let Err(message) = checked {
            reader.report(&path, message);
        }
    }
}

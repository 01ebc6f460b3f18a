//! Writes trees as YAML or JSON, with the digits of numbers as they were read.

use std::fmt::Write;

use crate::store::draft::value_tree::{Tree, Value};

/// Spaces of one level.
const INDENT: usize = 2;

/// A tree as JSON.
pub(super) fn to_json(tree: &Tree) -> String {
    let mut text = String::new();
    write_json(&mut text, tree, 0);
    text.push('\n');
    text
}

/// A map or list as YAML in block style.
pub(super) fn to_yaml(tree: &Tree) -> String {
    let mut text = String::new();
    write_yaml(&mut text, tree, 0);
    text
}

/// A scalar, which is the same in JSON and YAML.
fn scalar(value: &Value) -> String {
    match value {
        Value::Boolean(boolean) => boolean.to_string(),
        Value::Number(number) => number.text().to_owned(),
        Value::Text(text) => quoted(text),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Invalid => "null".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn write_json(text: &mut String, tree: &Tree, depth: usize) {
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.push_str(&" ".repeat(depth * INDENT));
    };
    let separate = |text: &mut String, index: usize| {
        if index > 0 {
            text.push(',');
        }
        line(text, depth + 1);
    };
    match &tree.value {
        Value::List(items) if !items.is_empty() => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(text, index);
                write_json(text, item, depth + 1);
            }
            line(text, depth);
            text.push(']');
        }
        Value::Map(entries) if !entries.is_empty() => {
            text.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                separate(text, index);
                text.push_str(&quoted(key));
                text.push_str(": ");
                write_json(text, value, depth + 1);
            }
            line(text, depth);
            text.push('}');
        }
        Value::List(_) => text.push_str("[]"),
        Value::Map(_) => text.push_str("{}"),
        value => text.push_str(&scalar(value)),
    }
}

/// Writes the lines of a map or list, each with its end, or a scalar on one line.
fn write_yaml(text: &mut String, tree: &Tree, depth: usize) {
    let indent = " ".repeat(depth * INDENT);
    match &tree.value {
        Value::List(items) if !items.is_empty() => {
            for item in items {
                let mut lines = String::new();
                write_yaml(&mut lines, item, depth + 1);
                // the item begins on the line of its mark
                let _ = write!(text, "{indent}- {}", lines.trim_start());
            }
        }
        Value::Map(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                let key = if is_plain(key) { key.clone() } else { quoted(key) };
                match &value.value {
                    Value::List(items) if !items.is_empty() => {
                        let _ = writeln!(text, "{indent}{key}:");
                        write_yaml(text, value, depth + 1);
                    }
                    Value::Map(entries) if !entries.is_empty() => {
                        let _ = writeln!(text, "{indent}{key}:");
                        write_yaml(text, value, depth + 1);
                    }
                    Value::List(_) => drop(writeln!(text, "{indent}{key}: []")),
                    Value::Map(_) => drop(writeln!(text, "{indent}{key}: {{}}")),
                    value => drop(writeln!(text, "{indent}{key}: {}", scalar(value))),
                }
            }
        }
        Value::List(_) => drop(writeln!(text, "{indent}[]")),
        Value::Map(_) => drop(writeln!(text, "{indent}{{}}")),
        value => drop(writeln!(text, "{indent}{}", scalar(value))),
    }
}

/// Whether a key needs no quotes.
fn is_plain(key: &str) -> bool {
    let is_word = key.starts_with(|first: char| first.is_ascii_alphabetic())
        && key.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-'));
    is_word && !["true", "false", "null"].contains(&key.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::interchange::{json, yaml};
    use crate::store::draft::value_tree::from_json;
    use proptest::prelude::*;

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i32>().prop_map(serde_json::Value::from),
            "[ -~ёЖ\n\t\"\\\\:#]{0,12}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                prop::collection::vec(("[a-z:# \"-]{1,6}|true|null|no|1", inner), 0..4).prop_map(|entries| entries.into_iter().collect()),
            ]
        })
    }

    /// A tree without its lines.
    fn plain(tree: &Tree) -> String {
        to_json(tree)
    }

    proptest! {
        #[test]
        fn text_is_parsed_to_the_same_tree(value in any_json()) {
            let tree = from_json(&serde_json::json!({ "people": [value] }));
            let file: Arc<str> = Arc::from("x");
            let (json_text, yaml_text) = (to_json(&tree), to_yaml(&tree));
            prop_assert_eq!(plain(&json::parse(&file, json_text.as_bytes()).unwrap()), plain(&tree));
            let parsed = yaml::parse(&file, &yaml_text);
            prop_assert!(parsed.is_ok(), "{:?}\n{}", parsed, yaml_text);
            prop_assert_eq!(plain(&parsed.unwrap()), plain(&tree), "{}", yaml_text);
        }
    }

    #[test]
    fn yaml_is_written_in_blocks_with_its_digits() {
        let file: Arc<str> = Arc::from("x");
        let text = "people:\n  - slug: \"a\"\n    birthDate: 0x10\n    links: []\n    otherNames:\n      - name: \"B: c\"\n";
        assert_eq!(to_yaml(&yaml::parse(&file, text).unwrap()), text);
    }
}

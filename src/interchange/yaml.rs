//! Parses YAML 1.2, a superset of JSON.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use saphyr::Scalar;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use crate::interchange::problem::line_problem;
use crate::store::draft::InputProblem;
use crate::store::draft::value_tree::{MAX_NESTING, Number, Tree, Value};

/// Characters with which no text without quotes begins.
const INDICATORS: [char; 10] = ['|', '>', '@', '`', '%', '&', '*', '!', '"', '\''];
/// Maximum number of values that the aliases of one file stand for: aliases of aliases grow exponentially.
const MAX_ALIASED_VALUES: usize = 10_000;

/// Parses one YAML document; `file` is the name used in the problem. An empty file is null.
pub fn parse(file: &Arc<str>, text: &str) -> Result<Tree, InputProblem> {
    let mut loader = Loader::default();
    for event in Parser::new_from_str(text) {
        let loaded = match event {
            Ok((event, span)) => loader.load(event, span.start),
            Err(error) => Err(YamlError::new(*error.marker(), format!("invalid YAML: {}", error.info()))),
        };
        loaded.map_err(|error| line_problem(file, Some(error.line), error.message))?;
    }
    Ok(loader.root.unwrap_or(Tree { line: None, value: Value::Null }))
}

/// Why a document is not accepted.
struct YamlError {
    line: usize,
    message: String,
}

impl YamlError {
    fn new(at: Marker, message: impl Into<String>) -> Self {
        Self { line: at.line(), message: format!("{} (column {})", message.into(), at.col() + 1) }
    }

    fn too_deep(at: Marker) -> Self {
        Self::new(at, format!("lists and maps are nested more than {MAX_NESTING} levels deep"))
    }
}

/// A list or map that has not ended yet.
struct Frame {
    line: usize,
    /// Number of its anchor; 0 without one.
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Tree>),
    Map {
        entries: Vec<(String, Tree)>,
        keys: HashSet<String>,
        /// Key of the value that comes next.
        key: Option<String>,
    },
}

/// A value with an anchor.
struct Anchored {
    tree: Tree,
    values: usize,
    levels: usize,
}

/// Builds a tree from events, without recursion.
#[derive(Default)]
struct Loader {
    stack: Vec<Frame>,
    anchors: HashMap<usize, Anchored>,
    aliased_values: usize,
    has_document: bool,
    root: Option<Tree>,
}

impl Loader {
    fn load(&mut self, event: Event<'_>, at: Marker) -> Result<(), YamlError> {
        match event {
            Event::DocumentStart(_) if self.has_document => {
                Err(YamlError::new(at, "the file contains several documents; merge all records into one"))
            }
            Event::DocumentStart(_) => {
                self.has_document = true;
                Ok(())
            }
            Event::SequenceStart(anchor, tag) => self.begin(Content::List(Vec::new()), anchor, tag.as_deref(), "seq", at),
            Event::MappingStart(anchor, tag) => {
                let map = Content::Map { entries: Vec::new(), keys: HashSet::new(), key: None };
                self.begin(map, anchor, tag.as_deref(), "map", at)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Frame { line, anchor, content }) = self.stack.pop() else { return Ok(()) };
                let value = match content {
                    Content::List(items) => Value::List(items),
                    Content::Map { entries, .. } => Value::Map(entries),
                };
                self.add(Tree { line: Some(line), value }, anchor);
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(text, style, tag.as_ref(), at)?;
                self.add_scalar(value, anchor, at)
            }
            Event::Alias(anchor) => {
                let Some(Anchored { tree, values, levels }) = self.anchors.get(&anchor) else {
                    return Err(YamlError::new(at, "an alias stands inside its own anchor; write the value out"));
                };
                self.aliased_values += values;
                if self.aliased_values > MAX_ALIASED_VALUES {
                    let message = format!("aliases stand for more than {MAX_ALIASED_VALUES} values; write the values out");
                    return Err(YamlError::new(at, message));
                }
                if self.stack.len() + levels > MAX_NESTING {
                    return Err(YamlError::too_deep(at));
                }
                let tree = Tree { line: Some(at.line()), value: tree.value.clone() };
                match tree.value {
                    Value::List(_) | Value::Map(_) if self.awaits_key() => Err(YamlError::new(at, "a map key must be text")),
                    Value::List(_) | Value::Map(_) => {
                        self.add(tree, 0);
                        Ok(())
                    }
                    value => self.add_scalar(value, 0, at),
                }
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    /// Whether the next value is the key of a map entry.
    fn awaits_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { content: Content::Map { key: None, .. }, .. }))
    }

    fn begin(&mut self, content: Content, anchor: usize, tag: Option<&Tag>, core: &str, at: Marker) -> Result<(), YamlError> {
        if let Some(tag) = tag.filter(|tag| !(tag.is_yaml_core_schema() && tag.suffix == core)) {
            return Err(unknown_tag(tag, at));
        }
        if self.awaits_key() {
            return Err(YamlError::new(at, "a map key must be text"));
        }
        if self.stack.len() == MAX_NESTING {
            return Err(YamlError::too_deep(at));
        }
        self.stack.push(Frame { line: at.line(), anchor, content });
        Ok(())
    }

    /// Adds a scalar as a value, or as the key of the value that comes next.
    fn add_scalar(&mut self, value: Value, anchor: usize, at: Marker) -> Result<(), YamlError> {
        let Some(Frame { content: Content::Map { keys, key: key @ None, .. }, .. }) = self.stack.last_mut() else {
            self.add(Tree { line: Some(at.line()), value }, anchor);
            return Ok(());
        };
        // a bare language tag such as "no" is a boolean in YAML 1.1 but a string in YAML 1.2
        let text = match &value {
            Value::Text(text) => text.clone(),
            Value::Number(number) => number.text().to_owned(),
            Value::Null | Value::Boolean(_) | Value::List(_) | Value::Map(_) | Value::Invalid => {
                return Err(YamlError::new(at, "a map key must be text; write it in quotes"));
            }
        };
        if !keys.insert(text.clone()) {
            return Err(YamlError::new(at, format!("invalid YAML: duplicate key \"{text}\"")));
        }
        *key = Some(text);
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored { tree: Tree { line: Some(at.line()), value }, values: 1, levels: 0 });
        }
        Ok(())
    }

    /// Adds a complete value to the list or map around it.
    fn add(&mut self, tree: Tree, anchor: usize) {
        if anchor != 0 {
            let (values, levels) = size(&tree);
            self.anchors.insert(anchor, Anchored { tree: tree.clone(), values, levels });
        }
        match self.stack.last_mut().map(|frame| &mut frame.content) {
            None => self.root = Some(tree),
            Some(Content::List(items)) => items.push(tree),
            Some(Content::Map { entries, key, .. }) => entries.extend(key.take().map(|key| (key, tree))),
        }
    }
}

/// Number of values in a tree, and levels of its lists and maps. The depth of a tree is bounded.
fn size(tree: &Tree) -> (usize, usize) {
    let sum = |(values, levels): (usize, usize), (more, deeper): (usize, usize)| (values + more, levels.max(deeper));
    let (values, levels) = match &tree.value {
        Value::List(items) => items.iter().map(size).fold((0, 0), sum),
        Value::Map(entries) => entries.iter().map(|(_, tree)| size(tree)).fold((0, 0), sum),
        Value::Null | Value::Boolean(_) | Value::Number(_) | Value::Text(_) | Value::Invalid => return (1, 0),
    };
    (values + 1, levels + 1)
}

fn unknown_tag(tag: &Tag, at: Marker) -> YamlError {
    YamlError::new(at, format!("the YAML tag {}{} is not supported here; remove it", tag.handle, tag.suffix))
}

/// The value of a scalar. A number keeps its digits.
fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Cow<'_, Tag>>, at: Marker) -> Result<Value, YamlError> {
    if let Some(tag) = tag.filter(|tag| !(tag.is_yaml_core_schema() || tag.handle.is_empty() && tag.suffix == "!")) {
        return Err(unknown_tag(tag, at));
    }
    // the scanner takes an indicator in a flow collection, such as that of a block text, for the beginning of a text
    if style == ScalarStyle::Plain
        && let Some(indicator) = text.chars().next().filter(|char| INDICATORS.contains(char))
    {
        return Err(YamlError::new(at, format!("invalid YAML: a text cannot begin with {indicator} here; write it in quotes")));
    }
    let written = text.clone();
    Ok(match Scalar::parse_from_cow_and_metadata(text, style, tag) {
        Some(Scalar::Null) => Value::Null,
        Some(Scalar::Boolean(boolean)) => Value::Boolean(boolean),
        Some(Scalar::Integer(number)) => Value::Number(Number::from(number).written(&written)),
        Some(Scalar::FloatingPoint(number)) => Value::Number(Number::from(number.into_inner()).written(&written)),
        Some(Scalar::String(text)) => Value::Text(text.into_owned()),
        None => return Err(YamlError::new(at, "unsupported YAML value; write it as quoted text")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn value(text: &str) -> Result<Value, String> {
        parse(&Arc::from("x.yaml"), text).map(|tree| tree.value).map_err(|problem| problem.to_string())
    }

    #[rstest]
    #[case("20.20", Some(20.2))]
    #[case("12345678901234567890123", Some(12_345_678_901_234_567_890_123.0))]
    #[case("1e3", Some(1000.0))]
    #[case("0x10", Some(16.0))]
    #[case("010", Some(10.0))]
    #[case(".5", Some(0.5))]
    #[case("+1", Some(1.0))]
    #[case("-0", Some(0.0))]
    #[case("1_000", None)]
    #[case("2020-01-02", None)]
    #[case("12:30", None)]
    fn plain_scalar_keeps_its_digits(#[case] text: &str, #[case] number: Option<f64>) {
        match (value(text).unwrap(), number) {
            (Value::Number(read), Some(number)) => {
                assert_eq!(read.text(), text);
                assert!((read.float() - number).abs() < f64::EPSILON, "{read:?}");
            }
            (read, None) => assert_eq!(read, Value::Text(text.to_owned())),
            (read, Some(_)) => panic!("{text}: {read:?}"),
        }
    }

    #[test]
    fn aliases_are_bounded_in_values_and_depth() {
        let level = |index: usize| format!("a{index}: &a{index} [{}]\n", vec![format!("*a{}", index - 1); 9].join(","));
        let bomb = std::iter::once("a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned()).chain((1..9).map(level)).collect::<String>();
        assert!(value(&bomb).unwrap_err().contains("aliases stand for more than"));
        assert!(value("a: &a [*a]").unwrap_err().contains("inside its own anchor"));
        let deep = format!("a: &a {}{}\nb: {}*a{}", "[".repeat(40), "]".repeat(40), "[".repeat(40), "]".repeat(40));
        assert!(value(&deep).unwrap_err().contains("nested more than 64 levels"));
        assert_eq!(value("a: &a 20.20\nb: *a"), value("a: 20.20\nb: 20.20"));
    }

    #[rstest]
    #[case("a: 1\na: 2", "x.yaml:2: invalid YAML: duplicate key \"a\" (column 1)")]
    #[case("a: 1\n? [b]\n: 2", "x.yaml:2: a map key must be text (column 3)")]
    #[case("true: 1", "x.yaml:1: a map key must be text; write it in quotes (column 1)")]
    #[case("a: !secret 1", "x.yaml:1: the YAML tag !secret is not supported here; remove it (column 4)")]
    #[case("---\na: 1\n---\nb: 2", "x.yaml:3: the file contains several documents; merge all records into one (column 1)")]
    #[case("a: {en: |\n  b}", "x.yaml:1: invalid YAML: a text cannot begin with | here; write it in quotes (column 9)")]
    fn problem_names_the_line(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(value(text).unwrap_err(), expected);
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(value(&["[".repeat(64), "]".repeat(64)].concat()).is_ok());
        // the scanner has a limit of its own
        assert!(value(&"[".repeat(100_000)).unwrap_err().contains("recursion limit exceeded"));
        let problem = value(&["[".repeat(65), "]".repeat(65)].concat()).unwrap_err();
        assert_eq!(problem, "x.yaml:1: lists and maps are nested more than 64 levels deep (column 65)");
    }
}

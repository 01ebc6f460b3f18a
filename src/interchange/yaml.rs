//! Parses YAML 1.2, a superset of JSON.

use std::sync::Arc;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use saphyr_parser::{Event, Parser};

use crate::interchange::problem::line_problem;
use crate::store::draft::InputProblem;
use crate::store::draft::value_tree::{Tree, Value};

/// Maximum number of nested lists and maps. Records need fewer than ten; reading and dropping a tree recurses once for each.
const MAX_NESTING: usize = 64;

/// Parses one YAML document; `file` is the name used in the problem. An empty file is null.
pub fn parse(file: &Arc<str>, text: &str) -> Result<Tree, InputProblem> {
    if let Some(line) = too_deep(text) {
        return Err(line_problem(file, Some(line), format!("lists and maps are nested more than {MAX_NESTING} levels deep")));
    }
    let documents = MarkedYaml::load_from_str(text)
        .map_err(|error| line_problem(file, Some(error.marker().line()), format!("invalid YAML: {}", error.info())))?;
    match documents.as_slice() {
        [] => Ok(Tree { line: None, value: Value::Null }),
        [document] => to_tree(document).map_err(|(line, message)| line_problem(file, Some(line), message)),
        [_, second, ..] => {
            Err(line_problem(file, Some(second.span.start.line()), "the file contains several documents; merge all records into one"))
        }
    }
}

/// The line on which lists and maps are nested too deeply. Events are read one by one, without recursion.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    // a syntax error is reported when the document is loaded
    for (event, span) in Parser::new_from_str(text).map_while(Result::ok) {
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            return Some(span.start.line());
        }
    }
    None
}

fn to_tree(yaml: &MarkedYaml<'_>) -> Result<Tree, (usize, String)> {
    let line = yaml.span.start.line();
    let value = match &yaml.data {
        YamlData::Value(Scalar::Null) => Value::Null,
        YamlData::Value(Scalar::Boolean(boolean)) => Value::Boolean(*boolean),
        YamlData::Value(Scalar::Integer(number)) => Value::Integer(*number),
        YamlData::Value(Scalar::FloatingPoint(number)) => Value::Number(number.into_inner()),
        YamlData::Value(Scalar::String(text)) => Value::Text(text.to_string()),
        YamlData::Sequence(items) => Value::List(items.iter().map(to_tree).collect::<Result<_, _>>()?),
        YamlData::Mapping(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, value)| match &key.data {
                    YamlData::Value(Scalar::String(key)) => Ok((key.to_string(), to_tree(value)?)),
                    // a bare language tag such as "no" is a boolean in YAML 1.1 but a string in YAML 1.2; integer keys are accepted
                    YamlData::Value(Scalar::Integer(key)) => Ok((key.to_string(), to_tree(value)?)),
                    _ => Err((key.span.start.line(), "a map key must be text".to_owned())),
                })
                .collect::<Result<_, _>>()?,
        ),
        YamlData::Tagged(_, inner) => return to_tree(inner),
        YamlData::Representation(..) | YamlData::Alias(_) | YamlData::BadValue => {
            return Err((line, "unsupported YAML value; write it as quoted text".to_owned()));
        }
    };
    Ok(Tree { line: Some(line), value })
}

//! Reads YAML 1.2, and JSON, which is a part of it.

use std::sync::Arc;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};

use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{InputProblem, Origin};

/// Reads one document; `file` is named in the problem.
pub fn read(file: &Arc<str>, text: &str) -> Result<Tree, InputProblem> {
    let problem =
        |line: Option<usize>, message: String| InputProblem::new(Origin { file: Some(file.clone()), line, path: String::new() }, message);
    let documents = MarkedYaml::load_from_str(text)
        .map_err(|error| problem(Some(error.marker().line()), format!("this is not YAML: {}", error.info())))?;
    match documents.as_slice() {
        [] => Ok(Tree { line: None, value: Value::Null }),
        [document] => tree(document).map_err(|(line, message)| problem(Some(line), message)),
        [_, second, ..] => {
            Err(problem(Some(second.span.start.line()), "the file holds several documents; put all records into one".to_owned()))
        }
    }
}

fn tree(yaml: &MarkedYaml<'_>) -> Result<Tree, (usize, String)> {
    let line = yaml.span.start.line();
    let value = match &yaml.data {
        YamlData::Value(Scalar::Null) => Value::Null,
        YamlData::Value(Scalar::Boolean(boolean)) => Value::Boolean(*boolean),
        YamlData::Value(Scalar::Integer(number)) => Value::Integer(*number),
        YamlData::Value(Scalar::FloatingPoint(number)) => Value::Number(number.into_inner()),
        YamlData::Value(Scalar::String(text)) => Value::Text(text.to_string()),
        YamlData::Sequence(items) => Value::List(items.iter().map(tree).collect::<Result<_, _>>()?),
        YamlData::Mapping(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, value)| match &key.data {
                    YamlData::Value(Scalar::String(key)) => Ok((key.to_string(), tree(value)?)),
                    // a bare language tag such as "no" reads as a truth value in old YAML, never here; numbers can still be keys
                    YamlData::Value(Scalar::Integer(key)) => Ok((key.to_string(), tree(value)?)),
                    _ => Err((key.span.start.line(), "the key of an entry must be a text".to_owned())),
                })
                .collect::<Result<_, _>>()?,
        ),
        YamlData::Tagged(_, inner) => return tree(inner),
        YamlData::Representation(..) | YamlData::Alias(_) | YamlData::BadValue => {
            return Err((line, "this value cannot be read; write it out as a text in quotation marks".to_owned()));
        }
    };
    Ok(Tree { line: Some(line), value })
}

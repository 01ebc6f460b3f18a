//! Parses JSON from a stream and keeps the line of each value.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::interchange::problem::{invalid_utf8, line_problem, unreadable};
use crate::store::draft::InputProblem;
use crate::store::draft::value_tree::{Tree, Value};

/// Parses one JSON value; `file` is the name used in the problem.
pub fn parse(file: &Arc<str>, reader: impl Read) -> Result<Tree, InputProblem> {
    let line = Cell::new(1);
    let mut reader = serde_json::Deserializer::from_reader(LineCountingReader { inner: reader, line: &line });
    let parsed = TreeSeed(&line).deserialize(&mut reader).and_then(|tree| reader.end().map(|()| tree));
    parsed.map_err(|error| syntax_problem(file, error.line(), error))
}

/// Parses a JSON value that occupies the one line `number`.
pub fn parse_line(file: &Arc<str>, number: usize, text: &str) -> Result<Tree, InputProblem> {
    let line = Cell::new(number);
    let mut reader = serde_json::Deserializer::from_str(text);
    let parsed = TreeSeed(&line).deserialize(&mut reader).and_then(|tree| reader.end().map(|()| tree));
    parsed.map_err(|error| syntax_problem(file, number, error))
}

/// Parses a JSON object that occupies the one line `number` into its members, with values as raw text.
pub fn parse_members(file: &Arc<str>, number: usize, text: &str) -> Result<Vec<(String, Box<RawValue>)>, InputProblem> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let parsed = reader.deserialize_map(MembersVisitor).and_then(|members| reader.end().map(|()| members));
    parsed.map_err(|error| syntax_problem(file, number, error))
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(String, Box<RawValue>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object from column names to values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = entries.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

fn syntax_problem(file: &Arc<str>, line: usize, error: serde_json::Error) -> InputProblem {
    if error.is_io() {
        return unreadable(file, &io::Error::from(error));
    }
    let text = error.to_string();
    if text.contains("invalid unicode code point") {
        return invalid_utf8(file, line);
    }
    let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
    line_problem(file, Some(line), format!("invalid JSON: {reason}"))
}

/// Counts the line feeds that pass through the reader.
struct LineCountingReader<'l, R> {
    inner: R,
    line: &'l Cell<usize>,
}

impl<R: Read> Read for LineCountingReader<'_, R> {
    #[expect(clippy::naive_bytecount, reason = "counting lines takes little of the time of parsing them")]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.line.set(self.line.get() + buffer[..count].iter().filter(|byte| **byte == b'\n').count());
        Ok(count)
    }
}

/// Deserializes a value that begins on the current line.
struct TreeSeed<'l>(&'l Cell<usize>);

impl<'de> DeserializeSeed<'de> for TreeSeed<'_> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        let line = Some(self.0.get());
        Ok(Tree { line, value: deserializer.deserialize_any(self)? })
    }
}

impl<'de> Visitor<'de> for TreeSeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, boolean: bool) -> Result<Value, E> {
        Ok(Value::Boolean(boolean))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        i64::try_from(number).map(Value::Integer).map_err(|_| E::custom(format!("the number {number} is too large; write it as text")))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(TreeSeed(self.0))? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format!("duplicate key \"{key}\"")));
            }
            map.push((key, entries.next_value_seed(TreeSeed(self.0))?));
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_the_line_they_begin_on() {
        let text = "{\n  \"a\": [1,\n    {\"b\": null}],\n  \"c\": \"\\ud83d\\ude00\"\n}\n";
        let Value::Map(entries) = parse(&Arc::from("x.json"), text.as_bytes()).unwrap().value else { panic!() };
        let Value::List(items) = &entries[0].1.value else { panic!() };
        assert_eq!((entries[0].1.line, items[0].line, items[1].line, entries[1].1.line), (Some(2), Some(2), Some(3), Some(4)));
        assert_eq!(entries[1].1.value, Value::Text("😀".to_owned()));
    }

    #[test]
    fn syntax_error_names_the_line() {
        let message = |text: &[u8]| parse(&Arc::from("x.json"), text).unwrap_err().to_string();
        assert_eq!(message(b"{\n\"a\": }"), "x.json:2: invalid JSON: expected value");
        assert_eq!(message(b"{\"a\": 1,\n\"a\": 2}"), "x.json:2: invalid JSON: duplicate key \"a\"");
        assert!(message(b"{\"a\":\n\"\xcf\xf0\"}").starts_with("x.json:2: not valid UTF-8; convert the file first"));
    }
}

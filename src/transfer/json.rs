//! Reads JSON from a stream, and still knows the lines.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{InputProblem, Origin};
use crate::transfer::input::{cannot_read, not_utf8};

/// Reads one value; `file` is named in the problem.
pub fn read(file: &Arc<str>, reader: impl Read) -> Result<Tree, InputProblem> {
    let line = Cell::new(1);
    let mut reader = serde_json::Deserializer::from_reader(Counted { inner: reader, line: &line });
    let read = Node(&line).deserialize(&mut reader).and_then(|tree| reader.end().map(|()| tree));
    read.map_err(|error| problem(file, error.line(), error))
}

/// Reads one value that stands on one line.
pub fn read_line(file: &Arc<str>, number: usize, text: &str) -> Result<Tree, InputProblem> {
    let line = Cell::new(number);
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Node(&line).deserialize(&mut reader).and_then(|tree| reader.end().map(|()| tree));
    read.map_err(|error| problem(file, number, error))
}

/// The members of one object that stands on one line, each still as text.
pub fn members(file: &Arc<str>, number: usize, text: &str) -> Result<Vec<(String, Box<RawValue>)>, InputProblem> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize_map(Members).and_then(|members| reader.end().map(|()| members));
    read.map_err(|error| problem(file, number, error))
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, Box<RawValue>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, from the names of columns to values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = entries.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

fn problem(file: &Arc<str>, line: usize, error: serde_json::Error) -> InputProblem {
    if error.is_io() {
        return cannot_read(file, &io::Error::from(error));
    }
    let said = error.to_string();
    if said.contains("invalid unicode code point") {
        return not_utf8(file, line);
    }
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
    InputProblem::new(Origin { file: Some(file.clone()), line: Some(line), path: String::new() }, format!("this is not JSON: {said}"))
}

/// Counts the lines that have been read.
struct Counted<'l, R> {
    inner: R,
    line: &'l Cell<usize>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.line.set(self.line.get() + buffer[..count].iter().filter(|byte| **byte == b'\n').count());
        Ok(count)
    }
}

/// A value that begins on the line that has been reached.
struct Node<'l>(&'l Cell<usize>);

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        let line = Some(self.0.get());
        Ok(Tree { line, value: deserializer.deserialize_any(self)? })
    }
}

impl<'de> Visitor<'de> for Node<'_> {
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
        i64::try_from(number).map(Value::Integer).map_err(|_| E::custom(format!("the number {number} is too large; write it as a text")))
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
        while let Some(item) = items.next_element_seed(Node(self.0))? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format!("the key \"{key}\" is given twice")));
            }
            map.push((key, entries.next_value_seed(Node(self.0))?));
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_the_lines_they_begin_on() {
        let text = "{\n  \"a\": [1,\n    {\"b\": null}],\n  \"c\": \"\\ud83d\\ude00\"\n}\n";
        let Value::Map(entries) = read(&Arc::from("x.json"), text.as_bytes()).unwrap().value else { panic!() };
        let Value::List(items) = &entries[0].1.value else { panic!() };
        assert_eq!((entries[0].1.line, items[0].line, items[1].line, entries[1].1.line), (Some(2), Some(2), Some(3), Some(4)));
        assert_eq!(entries[1].1.value, Value::Text("😀".to_owned()));
    }

    #[test]
    fn what_is_not_json_is_told_with_its_line() {
        let said = |text: &[u8]| read(&Arc::from("x.json"), text).unwrap_err().to_string();
        assert_eq!(said(b"{\n\"a\": }"), "x.json:2: this is not JSON: expected value");
        assert_eq!(said(b"{\"a\": 1,\n\"a\": 2}"), "x.json:2: this is not JSON: the key \"a\" is given twice");
        assert!(said(b"{\"a\":\n\"\xcf\xf0\"}").starts_with("x.json:2: this is not UTF-8; convert the file first"));
    }
}

//! Parses JSON from a stream and keeps the line of each value.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::interchange::problem::{invalid_utf8, line_problem, unreadable};
use crate::store::draft::InputProblem;
use crate::store::draft::value_tree::{MAX_NESTING, Number, Tree, Value};

/// The message for lists and maps in more than [`MAX_NESTING`] levels.
const TOO_DEEP: &str = "lists and maps are nested more than 64 levels deep";

/// Parses one JSON value; `file` is the name used in the problem.
pub fn parse(file: &Arc<str>, reader: impl Read) -> Result<Tree, InputProblem> {
    let place = Place::new(1);
    let mut reader = serde_json::Deserializer::from_reader(TrackingReader { inner: reader, place: &place, counts_lines: true });
    let parsed = TreeSeed::root(&place).deserialize(&mut reader).and_then(|tree| reader.end().map(|()| tree));
    parsed.map_err(|error| syntax_problem(file, error.line(), error))
}

/// Parses a JSON value that occupies the one line `number`.
pub fn parse_line(file: &Arc<str>, number: usize, text: &str) -> Result<Tree, InputProblem> {
    let place = Place { has_digits: false, ..Place::new(number) };
    let mut reader = serde_json::Deserializer::from_str(text);
    let parsed = TreeSeed::root(&place).deserialize(&mut reader).and_then(|tree| reader.end().map(|()| tree));
    if parsed.is_ok() && !place.lacks_digits.get() {
        return parsed.map_err(|error| syntax_problem(file, number, error));
    }
    // a reader shows the digits of numbers, but is slower
    let place = Place::new(number);
    let mut reader = serde_json::Deserializer::from_reader(TrackingReader { inner: text.as_bytes(), place: &place, counts_lines: false });
    let parsed = TreeSeed::root(&place).deserialize(&mut reader).and_then(|tree| reader.end().map(|()| tree));
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
    let (text, column) = (error.to_string(), error.column());
    if error.is_io() {
        return unreadable(file, &io::Error::from(error));
    }
    if text.contains("invalid unicode code point") {
        return invalid_utf8(file, line);
    }
    if text.starts_with(TOO_DEEP) {
        return line_problem(file, Some(line), format!("{TOO_DEEP} (column {column})"));
    }
    let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
    // serde_json counts bytes, and the byte that it has read
    let column = if column > 0 { format!(" (column {column})") } else { String::new() };
    line_problem(file, Some(line), format!("invalid JSON: {reason}{column}"))
}

/// The place of a reader in its text.
struct Place {
    line: Cell<usize>,
    /// The digits and signs of the last number that was read.
    number: RefCell<String>,
    is_in_number: Cell<bool>,
    /// Whether `number` is known.
    has_digits: bool,
    /// Whether the digits of a number were needed and not known.
    lacks_digits: Cell<bool>,
}

impl Place {
    fn new(line: usize) -> Self {
        Self {
            line: Cell::new(line),
            number: RefCell::default(),
            is_in_number: Cell::new(false),
            has_digits: true,
            lacks_digits: Cell::new(false),
        }
    }

    fn pass(&self, byte: u8) {
        let is_in_number = byte.is_ascii_digit() || b"+-.eE".contains(&byte);
        if is_in_number {
            let mut number = self.number.borrow_mut();
            if !self.is_in_number.get() {
                number.clear();
            }
            number.push(char::from(byte));
        }
        self.is_in_number.set(is_in_number);
    }
}

/// Records the place of the bytes that pass through it. `serde_json` takes one byte at a time, and reads one beyond the end of
/// a number.
struct TrackingReader<'p, R> {
    inner: R,
    place: &'p Place,
    counts_lines: bool,
}

impl<R: Read> Read for TrackingReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        for byte in &buffer[..count] {
            if *byte == b'\n' && self.counts_lines {
                self.place.line.set(self.place.line.get() + 1);
            }
            self.place.pass(*byte);
        }
        Ok(count)
    }
}

/// Deserializes a value that begins on the current line.
#[derive(Clone, Copy)]
struct TreeSeed<'p> {
    place: &'p Place,
    /// Number of lists and maps around the value.
    depth: usize,
}

impl<'p> TreeSeed<'p> {
    fn root(place: &'p Place) -> Self {
        Self { place, depth: 0 }
    }

    /// The seed of a value in this list or map.
    fn below<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_NESTING {
            return Err(E::custom(TOO_DEEP));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    /// A number that is not a 64-bit integer.
    fn number(self, number: f64) -> Value {
        if !self.place.has_digits {
            self.place.lacks_digits.set(true);
            return Value::Number(number.into());
        }
        Value::Number(Number::from(number).written(&self.place.number.borrow()))
    }
}

impl<'de> DeserializeSeed<'de> for TreeSeed<'_> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        let line = Some(self.place.line.get());
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
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(i64::try_from(number).map_or_else(|_| self.number(number as f64), |number| Value::Number(number.into())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(self.number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let seed = self.below()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(seed)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let seed = self.below()?;
        let mut map = Vec::new();
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format!("duplicate key \"{key}\"")));
            }
            map.push((key, entries.next_value_seed(seed)?));
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn values_keep_the_line_they_begin_on() {
        let text = "{\n  \"a\": [1,\n    {\"b\": null}],\n  \"c\": \"\\ud83d\\ude00\"\n}\n";
        let Value::Map(entries) = parse(&Arc::from("x.json"), text.as_bytes()).unwrap().value else { panic!() };
        let Value::List(items) = &entries[0].1.value else { panic!() };
        assert_eq!((entries[0].1.line, items[0].line, items[1].line, entries[1].1.line), (Some(2), Some(2), Some(3), Some(4)));
        assert_eq!(entries[1].1.value, Value::Text("😀".to_owned()));
    }

    #[rstest]
    #[case("20.20")]
    #[case("12345678901234567890123")]
    #[case("18446744073709551615")]
    #[case("1e3")]
    #[case("-0")]
    #[case("-0.10")]
    #[case("7")]
    fn number_keeps_its_digits(#[case] text: &str) {
        let file = Arc::from("x.json");
        let list = format!("[\"1.5\", 9.90,{text}\n]");
        for tree in [parse(&file, list.as_bytes()).unwrap(), parse_line(&file, 1, &list).unwrap()] {
            let Value::List(items) = tree.value else { panic!() };
            let Value::Number(number) = &items[2].value else { panic!() };
            assert_eq!(number.text(), text);
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let file = Arc::from("x.json");
        let nested = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
        assert!(parse(&file, nested(MAX_NESTING).as_bytes()).is_ok());
        let problems = [parse(&file, nested(100_000).as_bytes()), parse_line(&file, 1, &nested(65))];
        for problem in problems.map(Result::unwrap_err) {
            assert!(problem.to_string().starts_with(&format!("x.json:1: {TOO_DEEP} (column 6")), "{problem}");
        }
    }

    #[test]
    fn syntax_error_names_the_line() {
        let message = |text: &[u8]| parse(&Arc::from("x.json"), text).unwrap_err().to_string();
        assert_eq!(message(b"{\n\"a\": }"), "x.json:2: invalid JSON: expected value (column 6)");
        assert_eq!(message(b"{\"a\": 1,\n\"a\": 2}"), "x.json:2: invalid JSON: duplicate key \"a\" (column 4)");
        assert_eq!(message(b"{\"a\":\n\"\xcf\xf0\"}"), "x.json:2: not valid UTF-8");
    }
}

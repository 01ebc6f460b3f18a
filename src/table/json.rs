//! JSON: an object for each row, whose members are the columns; in an array, or each on a line.

use super::{Column, End, Problem, Rows, Value, Writer};

pub(super) struct Json {
    /// Names of the columns as JSON, each with its colon.
    names: Vec<Vec<u8>>,
    /// Whether rows stand in an array.
    array: bool,
    is_first: bool,
}

impl Json {
    /// Rows in an array.
    pub(super) fn array(columns: &[Column]) -> Self {
        Self::new(columns, true)
    }

    /// Rows on lines.
    pub(super) fn lines(columns: &[Column]) -> Self {
        Self::new(columns, false)
    }

    fn new(columns: &[Column], array: bool) -> Self {
        let name = |column: &Column| {
            let mut name = Vec::new();
            write(&mut name, &column.name);
            name.push(b':');
            name
        };
        Self { names: columns.iter().map(name).collect(), array, is_first: true }
    }

    /// What stands before a row.
    fn before(&mut self) -> &'static [u8] {
        match (self.array, std::mem::replace(&mut self.is_first, false)) {
            (true, true) => b"[\n",
            (true, false) => b",\n",
            (false, _) => b"",
        }
    }
}

/// Writes what cannot fail: plain values, into memory.
fn write(json: &mut Vec<u8>, value: impl serde::Serialize) {
    let _ = serde_json::to_writer(json, &value);
}

impl Writer for Json {
    fn rows(&mut self, rows: &Rows<'_>) -> Result<Vec<u8>, Problem> {
        let mut json = Vec::with_capacity(rows.count() * self.names.len() * 24);
        for row in rows.iter() {
            json.extend_from_slice(self.before());
            let mut before = b'{';
            for (name, value) in self.names.iter().zip(row) {
                json.push(before);
                before = b',';
                json.extend_from_slice(name);
                match value {
                    Value::Null => json.extend_from_slice(b"null"),
                    Value::Text(text) => write(&mut json, text),
                    Value::Integer(number) => write(&mut json, number),
                    Value::Number(number) => write(&mut json, number),
                    Value::Boolean(boolean) => write(&mut json, boolean),
                    Value::Instant(_) => write(&mut json, value.to_text()),
                    Value::Json(text) => json.extend_from_slice(text.as_bytes()),
                }
            }
            json.push(b'}');
            if !self.array {
                json.push(b'\n');
            }
        }
        Ok(json)
    }

    fn end(mut self: Box<Self>) -> Result<End, Problem> {
        let mut json = Vec::new();
        if self.array {
            if self.is_first {
                json.extend_from_slice(self.before());
            }
            json.extend_from_slice(b"\n]\n");
        }
        Ok(End::Bytes(json))
    }
}

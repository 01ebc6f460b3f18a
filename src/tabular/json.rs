//! JSON and NDJSON writer: an object for each row, with a member for each column.

use super::table::{TableColumn, TableRows, TableValue};
use super::writer::{TableEnd, TableError, TableWriter};

/// Estimated bytes of a value, to size the output buffer.
const ESTIMATED_VALUE_BYTES: usize = 24;

pub(super) struct JsonTableWriter {
    /// Serialized column names, each with its colon.
    names: Vec<Vec<u8>>,
    /// Whether rows are elements of an array; otherwise each is a line.
    is_array: bool,
    is_first_row: bool,
}

impl JsonTableWriter {
    /// Writes rows as elements of one array.
    pub(super) fn array(columns: &[TableColumn]) -> Self {
        Self::new(columns, true)
    }

    /// Writes each row on a line.
    pub(super) fn ndjson(columns: &[TableColumn]) -> Self {
        Self::new(columns, false)
    }

    fn new(columns: &[TableColumn], is_array: bool) -> Self {
        let name = |column: &TableColumn| {
            let mut name = Vec::new();
            serialize(&mut name, &column.name);
            name.push(b':');
            name
        };
        Self { names: columns.iter().map(name).collect(), is_array, is_first_row: true }
    }

    /// Bytes before the next row.
    fn row_separator(&mut self) -> &'static [u8] {
        match (self.is_array, std::mem::replace(&mut self.is_first_row, false)) {
            (true, true) => b"[\n",
            (true, false) => b",\n",
            (false, _) => b"",
        }
    }
}

/// Serializes a plain value into memory, which cannot fail.
fn serialize(json: &mut Vec<u8>, value: impl serde::Serialize) {
    let _ = serde_json::to_writer(json, &value);
}

impl TableWriter for JsonTableWriter {
    fn write_rows(&mut self, rows: &TableRows<'_>) -> Result<Vec<u8>, TableError> {
        let mut json = Vec::with_capacity(rows.count() * self.names.len() * ESTIMATED_VALUE_BYTES);
        for row in rows.iter() {
            json.extend_from_slice(self.row_separator());
            let mut separator = b'{';
            for (name, value) in self.names.iter().zip(row) {
                json.push(separator);
                separator = b',';
                json.extend_from_slice(name);
                match value {
                    TableValue::Null => json.extend_from_slice(b"null"),
                    TableValue::Text(text) => serialize(&mut json, text),
                    TableValue::Integer(number) => serialize(&mut json, number),
                    TableValue::Number(number) => serialize(&mut json, number),
                    TableValue::Boolean(boolean) => serialize(&mut json, boolean),
                    TableValue::Instant(_) => serialize(&mut json, value.to_text()),
                    TableValue::Json(text) => json.extend_from_slice(text.as_bytes()),
                }
            }
            json.push(b'}');
            if !self.is_array {
                json.push(b'\n');
            }
        }
        Ok(json)
    }

    fn finish(mut self: Box<Self>) -> Result<TableEnd, TableError> {
        let mut json = Vec::new();
        if self.is_array {
            if self.is_first_row {
                json.extend_from_slice(self.row_separator());
            }
            json.extend_from_slice(b"\n]\n");
        }
        Ok(TableEnd::Bytes(json))
    }
}

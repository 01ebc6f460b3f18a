//! Apache Parquet. Rows are gathered into groups, whose columns are written one after the other.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type as Schema;

use super::{Column, End, Problem, Rows, Type, Value, Writer};

/// Rows of a group, unless they are large.
const GROUP: usize = 25_000;
/// Bytes of text of a group.
const GROUP_BYTES: usize = 8 << 20;

pub(super) struct Parquet {
    file: SerializedFileWriter<Sink>,
    sink: Sink,
    columns: Vec<Gathered>,
    rows: usize,
    bytes: usize,
}

/// Values of a column in the group that is being gathered: those that are known, and for each row whether it is.
struct Gathered {
    known: Vec<i16>,
    values: Values,
}

enum Values {
    /// All texts, one after the other, and where each ends.
    Text(Vec<u8>, Vec<usize>),
    Integer(Vec<i64>),
    Number(Vec<f64>),
    Boolean(Vec<bool>),
}

/// Bytes that are ready, until they are taken.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Parquet {
    pub(super) fn new(columns: &[Column]) -> Result<Self, Problem> {
        let fields = columns.iter().map(|column| field(column).map(Arc::new)).collect::<Result<_, _>>().map_err(Problem::other)?;
        let schema = Schema::group_type_builder("kurultai").with_fields(fields).build().map_err(Problem::other)?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let sink = Sink::default();
        let file = SerializedFileWriter::new(sink.clone(), Arc::new(schema), Arc::new(properties)).map_err(Problem::other)?;
        let columns = columns.iter().map(Gathered::new).collect();
        Ok(Self { file, sink, columns, rows: 0, bytes: 0 })
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.file.next_row_group()?;
        for gathered in &mut self.columns {
            let Some(mut column) = group.next_column()? else { break };
            gathered.write(column.untyped())?;
            column.close()?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        self.file.flush()?;
        Ok(())
    }
}

/// A column of the schema; any value may be unknown.
fn field(column: &Column) -> Result<Schema, ParquetError> {
    let (physical, logical) = match column.ty {
        Type::Text | Type::Date | Type::Json => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Type::Integer => (Physical::INT64, None),
        Type::Number => (Physical::DOUBLE, None),
        Type::Boolean => (Physical::BOOLEAN, None),
        Type::Instant => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
    };
    Schema::primitive_type_builder(&column.name, physical).with_repetition(Repetition::OPTIONAL).with_logical_type(logical).build()
}

impl Gathered {
    fn new(column: &Column) -> Self {
        let values = match column.ty {
            Type::Text | Type::Date | Type::Json => Values::Text(Vec::new(), Vec::new()),
            Type::Integer | Type::Instant => Values::Integer(Vec::new()),
            Type::Number => Values::Number(Vec::new()),
            Type::Boolean => Values::Boolean(Vec::new()),
        };
        Self { known: Vec::new(), values }
    }

    /// Adds the value of a row; gives the bytes it takes.
    fn push(&mut self, value: &Value<'_>) -> usize {
        let (is_known, bytes) = match (&mut self.values, value) {
            (_, Value::Null) => (false, 0),
            (Values::Text(texts, ends), value) => {
                let text = value.to_text();
                texts.extend_from_slice(text.as_bytes());
                ends.push(texts.len());
                (true, text.len())
            }
            (Values::Integer(numbers), value) => (whole(value).map(|number| numbers.push(number)).is_some(), 8),
            (Values::Number(numbers), Value::Number(number)) => (added(numbers, *number), 8),
            (Values::Number(numbers), Value::Integer(number)) => (added(numbers, *number as f64), 8),
            (Values::Boolean(booleans), Value::Boolean(boolean)) => (added(booleans, *boolean), 1),
            // a value that is not of its column's type: there is none
            (Values::Number(_) | Values::Boolean(_), _) => (false, 0),
        };
        self.known.push(i16::from(is_known));
        bytes
    }

    fn write(&mut self, column: &mut ColumnWriter<'_>) -> Result<(), ParquetError> {
        let known = std::mem::take(&mut self.known);
        match (&mut self.values, column) {
            (Values::Text(texts, ends), ColumnWriter::ByteArrayColumnWriter(column)) => {
                let (texts, mut begin) = (Bytes::from(std::mem::take(texts)), 0);
                let text = |end| ByteArray::from(texts.slice(std::mem::replace(&mut begin, end)..end));
                column.write_batch(&std::mem::take(ends).into_iter().map(text).collect::<Vec<_>>(), Some(&known), None)?
            }
            (Values::Integer(numbers), ColumnWriter::Int64ColumnWriter(column)) => {
                column.write_batch(&std::mem::take(numbers), Some(&known), None)?
            }
            (Values::Number(numbers), ColumnWriter::DoubleColumnWriter(column)) => {
                column.write_batch(&std::mem::take(numbers), Some(&known), None)?
            }
            (Values::Boolean(booleans), ColumnWriter::BoolColumnWriter(column)) => {
                column.write_batch(&std::mem::take(booleans), Some(&known), None)?
            }
            _ => return Err(ParquetError::General("a column of the file is not of the type of the table's".to_owned())),
        };
        Ok(())
    }
}

fn added<T>(values: &mut Vec<T>, value: T) -> bool {
    values.push(value);
    true
}

/// A whole number; an instant is its microseconds.
fn whole(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        Value::Instant(instant) => Some(DateTime::<Utc>::timestamp_micros(instant)),
        _ => None,
    }
}

impl Writer for Parquet {
    fn rows(&mut self, rows: &Rows<'_>) -> Result<Vec<u8>, Problem> {
        for row in rows.iter() {
            self.bytes += self.columns.iter_mut().zip(row).map(|(column, value)| column.push(value)).sum::<usize>();
            self.rows += 1;
            if self.rows >= GROUP || self.bytes >= GROUP_BYTES {
                self.write_group().map_err(Problem::other)?;
            }
        }
        Ok(self.sink.take())
    }

    fn end(mut self: Box<Self>) -> Result<End, Problem> {
        self.write_group().map_err(Problem::other)?;
        self.file.finish().map_err(Problem::other)?;
        Ok(End::Bytes(self.sink.take()))
    }
}

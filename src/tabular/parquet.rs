//! Parquet writer. Rows are buffered by column and written as row groups.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type as SchemaType;

use super::table::{ColumnType, TableColumn, TableRows, TableValue};
use super::writer::{TableEnd, TableError, TableWriter};

/// Maximum number of rows in a row group.
const ROW_GROUP_ROWS: usize = 25_000;
/// Size of the values at which a row group is written early, in bytes.
const ROW_GROUP_BYTES: usize = 8 << 20;

pub(super) struct ParquetTableWriter {
    file: SerializedFileWriter<SharedBuffer>,
    output: SharedBuffer,
    columns: Vec<ColumnBuffer>,
    buffered_rows: usize,
    buffered_bytes: usize,
}

/// Values of a column in the current row group.
struct ColumnBuffer {
    /// For each row 1 if its value is not null, and 0 otherwise (Parquet definition levels).
    definition_levels: Vec<i16>,
    values: ColumnValues,
}

/// The non-null values of a column.
enum ColumnValues {
    /// All texts, concatenated, and the offset at which each ends.
    Text(Vec<u8>, Vec<usize>),
    Integer(Vec<i64>),
    Number(Vec<f64>),
    Boolean(Vec<bool>),
}

/// Encoded bytes that have not been taken yet, shared with the Parquet encoder.
#[derive(Clone, Default)]
struct SharedBuffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for SharedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl SharedBuffer {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ParquetTableWriter {
    pub(super) fn new(columns: &[TableColumn]) -> Result<Self, TableError> {
        let fields = columns.iter().map(|column| schema_field(column).map(Arc::new)).collect::<Result<_, _>>();
        let fields = fields.map_err(TableError::other)?;
        let schema = SchemaType::group_type_builder("kurultai").with_fields(fields).build().map_err(TableError::other)?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let output = SharedBuffer::default();
        let file = SerializedFileWriter::new(output.clone(), Arc::new(schema), Arc::new(properties)).map_err(TableError::other)?;
        let columns = columns.iter().map(ColumnBuffer::new).collect();
        Ok(Self { file, output, columns, buffered_rows: 0, buffered_bytes: 0 })
    }

    fn write_row_group(&mut self) -> Result<(), ParquetError> {
        if self.buffered_rows == 0 {
            return Ok(());
        }
        let mut group = self.file.next_row_group()?;
        for buffer in &mut self.columns {
            let Some(mut column) = group.next_column()? else { break };
            buffer.write(column.untyped())?;
            column.close()?;
        }
        group.close()?;
        (self.buffered_rows, self.buffered_bytes) = (0, 0);
        self.file.flush()?;
        Ok(())
    }
}

/// Schema of a column; every column is nullable.
fn schema_field(column: &TableColumn) -> Result<SchemaType, ParquetError> {
    let (physical, logical) = match column.ty {
        ColumnType::Text | ColumnType::Date | ColumnType::Json => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnType::Integer => (PhysicalType::INT64, None),
        ColumnType::Number => (PhysicalType::DOUBLE, None),
        ColumnType::Boolean => (PhysicalType::BOOLEAN, None),
        ColumnType::Instant => (PhysicalType::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
    };
    SchemaType::primitive_type_builder(&column.name, physical).with_repetition(Repetition::OPTIONAL).with_logical_type(logical).build()
}

impl ColumnBuffer {
    fn new(column: &TableColumn) -> Self {
        let values = match column.ty {
            ColumnType::Text | ColumnType::Date | ColumnType::Json => ColumnValues::Text(Vec::new(), Vec::new()),
            ColumnType::Integer | ColumnType::Instant => ColumnValues::Integer(Vec::new()),
            ColumnType::Number => ColumnValues::Number(Vec::new()),
            ColumnType::Boolean => ColumnValues::Boolean(Vec::new()),
        };
        Self { definition_levels: Vec::new(), values }
    }

    /// Appends the value of a row and returns its size in bytes.
    fn push(&mut self, value: &TableValue<'_>) -> usize {
        let (is_defined, bytes) = match (&mut self.values, value) {
            (_, TableValue::Null) => (false, 0),
            (ColumnValues::Text(texts, ends), value) => {
                let text = value.to_text();
                texts.extend_from_slice(text.as_bytes());
                ends.push(texts.len());
                (true, text.len())
            }
            (ColumnValues::Integer(numbers), value) => (to_int64(value).map(|number| numbers.push(number)).is_some(), 8),
            (ColumnValues::Number(numbers), TableValue::Number(number)) => (append(numbers, *number), 8),
            (ColumnValues::Number(numbers), TableValue::Integer(number)) => (append(numbers, *number as f64), 8),
            (ColumnValues::Boolean(booleans), TableValue::Boolean(boolean)) => (append(booleans, *boolean), 1),
            // a value that does not match the type of its column becomes null
            (ColumnValues::Number(_) | ColumnValues::Boolean(_), _) => (false, 0),
        };
        self.definition_levels.push(i16::from(is_defined));
        bytes
    }

    /// Writes the buffered values to a column chunk and clears the buffer.
    fn write(&mut self, column: &mut ColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = std::mem::take(&mut self.definition_levels);
        match (&mut self.values, column) {
            (ColumnValues::Text(texts, ends), ColumnWriter::ByteArrayColumnWriter(column)) => {
                let (texts, mut begin) = (Bytes::from(std::mem::take(texts)), 0);
                let text = |end| ByteArray::from(texts.slice(std::mem::replace(&mut begin, end)..end));
                column.write_batch(&std::mem::take(ends).into_iter().map(text).collect::<Vec<_>>(), Some(&levels), None)?
            }
            (ColumnValues::Integer(numbers), ColumnWriter::Int64ColumnWriter(column)) => {
                column.write_batch(&std::mem::take(numbers), Some(&levels), None)?
            }
            (ColumnValues::Number(numbers), ColumnWriter::DoubleColumnWriter(column)) => {
                column.write_batch(&std::mem::take(numbers), Some(&levels), None)?
            }
            (ColumnValues::Boolean(booleans), ColumnWriter::BoolColumnWriter(column)) => {
                column.write_batch(&std::mem::take(booleans), Some(&levels), None)?
            }
            _ => return Err(ParquetError::General("the type of a column does not match the schema of the file".to_owned())),
        };
        Ok(())
    }
}

/// Appends a value; always true, because the value is not null.
fn append<T>(values: &mut Vec<T>, value: T) -> bool {
    values.push(value);
    true
}

/// An integer, or an instant in microseconds since 1970-01-01; none for any other value.
fn to_int64(value: &TableValue<'_>) -> Option<i64> {
    match value {
        TableValue::Integer(number) => Some(*number),
        TableValue::Instant(instant) => Some(DateTime::<Utc>::timestamp_micros(instant)),
        TableValue::Null | TableValue::Text(_) | TableValue::Number(_) | TableValue::Boolean(_) | TableValue::Json(_) => None,
    }
}

impl TableWriter for ParquetTableWriter {
    fn write_rows(&mut self, rows: &TableRows<'_>) -> Result<Vec<u8>, TableError> {
        for row in rows.iter() {
            self.buffered_bytes += self.columns.iter_mut().zip(row).map(|(column, value)| column.push(value)).sum::<usize>();
            self.buffered_rows += 1;
            if self.buffered_rows >= ROW_GROUP_ROWS || self.buffered_bytes >= ROW_GROUP_BYTES {
                self.write_row_group().map_err(TableError::other)?;
            }
        }
        Ok(self.output.take())
    }

    fn finish(mut self: Box<Self>) -> Result<TableEnd, TableError> {
        self.write_row_group().map_err(TableError::other)?;
        self.file.finish().map_err(TableError::other)?;
        Ok(TableEnd::Bytes(self.output.take()))
    }
}

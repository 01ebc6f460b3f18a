//! Rows of records and parts: as stored, and as they will be.

use std::collections::HashMap;

use uuid::Uuid;

use crate::catalog::record::Record;
use crate::entity::RecordType;
use crate::store::read::result::Cell;

/// A stored record or part, with its parts.
#[derive(Debug, Clone)]
pub(crate) struct StoredRow {
    pub(crate) id: Uuid,
    pub(crate) cells: Vec<Cell>,
    pub(crate) parts: HashMap<RecordType, Vec<StoredRow>>,
}

/// A part as it will be after the write.
#[derive(Debug)]
pub(crate) struct MergedPart {
    pub(crate) cells: Vec<Cell>,
}

/// A row to write.
#[derive(Debug)]
pub(crate) struct NewRow {
    pub(crate) id: Uuid,
    pub(crate) cells: Vec<Cell>,
    /// Whether readers see the record that the row belongs to.
    pub(crate) published: bool,
}

/// Value of a field of a row; null if the record type has no such field.
pub(crate) fn field<'r>(record: &Record, row: &'r StoredRow, name: &str) -> &'r Cell {
    record.field_id(name).map_or(&Cell::Null, |field| &row.cells[field.index()])
}

/// Whether a record is published. Record types without the field are not.
pub(crate) fn is_published(record: &Record, row: &StoredRow) -> bool {
    field(record, row, "published") == &Cell::Boolean(true)
}

/// Number of the latest revision of a record.
pub(crate) fn revision_number(record: &Record, row: &StoredRow) -> i64 {
    match field(record, row, "revision") {
        Cell::Integer(number) => *number,
        _ => 0,
    }
}

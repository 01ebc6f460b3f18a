//! Relations: lists of records that refer to a record, and how they are joined.

use crate::entity::RecordType;

/// A list of records that refer to a record. It is the inverse of a reference field.
#[derive(Debug, Clone)]
pub struct Relation {
    /// Name of the list.
    pub name: &'static str,
    /// Description for the schema.
    pub doc: &'static str,
    /// Type of the listed records.
    pub target: RecordType,
    /// Whether the list is returned whole, without pagination.
    pub short: bool,
    /// How the listed rows are joined.
    pub via: RelationJoin,
}

/// How the rows of a relation are joined to their parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationJoin {
    /// By this column of the listed rows, which holds the id of the parent.
    ForeignKey(&'static str),
    /// Through a link table.
    LinkTable {
        /// The link table.
        table: &'static str,
        /// Its column that holds the id of the parent.
        parent: &'static str,
        /// Its column that holds the id of the listed row.
        child: &'static str,
    },
}

/// A list of parts that an import nests in a record.
#[derive(Debug, Clone)]
pub struct PartList {
    /// Name of the list in imports.
    pub name: &'static str,
    /// Type of the parts.
    pub part: RecordType,
}

//! Results of aggregate queries.

use uuid::Uuid;

use crate::store::read::result::{ReferencedRows, RowRef};

/// Groups and their measures.
#[derive(Debug)]
pub struct AggregateResult {
    /// The groups, in the requested order.
    pub groups: Vec<Group>,
    /// Measures of all records together, in the requested order.
    pub total: Vec<Option<f64>>,
    /// Whether there are more groups than the limit.
    pub truncated: bool,
    pub(super) records: Vec<ReferencedRows>,
}

/// One group.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its keys, one per dimension.
    pub keys: Vec<GroupKey>,
    /// Its measures in the requested order; `None` for a median or mean of no values.
    pub values: Vec<Option<f64>>,
}

/// The value of a dimension that the records of a group share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GroupKey {
    /// No value, or an unknown one.
    Unknown,
    /// A value of a vocabulary, or a period.
    Text(String),
    /// A record.
    Record {
        /// Its index among the records read for the dimension.
        index: usize,
        /// Its sort key.
        sort_key: String,
        /// Its id.
        id: Uuid,
    },
}

impl GroupKey {
    /// The identity of a key, by which keys are ordered. The index of a record is not part of it.
    pub(super) fn sortable(&self) -> (&str, Uuid) {
        match self {
            Self::Unknown => ("", Uuid::nil()),
            Self::Text(text) => (text, Uuid::nil()),
            Self::Record { sort_key, id, .. } => (sort_key, *id),
        }
    }
}

impl AggregateResult {
    /// The record of a key, by the position of its dimension in the query.
    pub fn record(&self, dimension: usize, key: &GroupKey) -> Option<RowRef<'_>> {
        match key {
            GroupKey::Record { index, .. } => self.records.get(dimension)?.get(*index),
            _ => None,
        }
    }
}

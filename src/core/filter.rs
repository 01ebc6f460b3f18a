//! The filter expression that connections, exports and subscriptions share.
//!
//! A filter refers to fields and relations by their ids: it is validated when it is parsed and cannot refer to a field that
//! does not exist.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::core::ids::{FieldId, RelationId};
use crate::core::partial_date::PartialDate;

/// A filter on records of one type.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All of these hold. An empty list always holds.
    And(Vec<Filter>),
    /// At least one of these holds. An empty list never holds.
    Or(Vec<Filter>),
    /// The filter does not hold.
    Not(Box<Filter>),
    /// A predicate on the id of the record.
    Id(Predicate),
    /// A predicate on a field.
    Field(FieldId, Predicate),
    /// The record that a field refers to satisfies the filter.
    One(FieldId, Box<Filter>),
    /// The related records satisfy the filter, as the quantifier requires.
    Many(RelationId, Quantifier, Box<Filter>),
}

impl Filter {
    /// The filter that every record satisfies.
    pub fn all() -> Self {
        Self::And(Vec::new())
    }

    /// The conjunction of two filters.
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::And(mut parts) => {
                parts.push(other);
                Self::And(parts)
            }
            filter => Self::And(vec![filter, other]),
        }
    }
}

/// How many of the related records must satisfy the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// At least one.
    Some,
    /// None.
    None,
    /// Every one. Holds if there are none.
    Every,
}

/// A predicate on one value.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// Equal.
    Eq(FilterValue),
    /// Equal to one of these.
    In(Vec<FilterValue>),
    /// Not equal. Holds for null.
    Not(FilterValue),
    /// Less than, or before.
    Lt(FilterValue),
    /// Less than or equal, or not after the end of.
    Lte(FilterValue),
    /// Greater than, or after the end of.
    Gt(FilterValue),
    /// Greater than or equal, or not before the start of.
    Gte(FilterValue),
    /// Null (true) or not null (false).
    IsNull(bool),
    /// The text starts with this.
    StartsWith(String),
    /// The text contains this.
    Contains(String),
}

/// A value to compare with, validated against the kind of the field.
#[derive(Debug, Clone, PartialEq)]
pub enum FilterValue {
    /// Text, or a value of a vocabulary.
    Text(String),
    /// A partial date. A year means all of its days.
    Date(PartialDate),
    /// An integer.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A Boolean.
    Boolean(bool),
    /// An instant.
    Instant(DateTime<Utc>),
    /// The id of a record.
    Id(Uuid),
}

//! Which records a list keeps: one small language for connections, exports and imports alike.
//!
//! A filter names fields and relations of a record by their place in its declaration, so it is
//! checked when it is read and cannot name what does not exist.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::core::partial_date::PartialDate;

/// A condition on a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Every one of these holds; none at all always holds.
    And(Vec<Filter>),
    /// At least one of these holds; none at all never holds.
    Or(Vec<Filter>),
    /// This does not hold.
    Not(Box<Filter>),
    /// A test of the record's id.
    Id(Predicate),
    /// A test of the field at this place.
    Field(usize, Predicate),
    /// The record that the field at this place refers to satisfies this.
    One(usize, Box<Filter>),
    /// Among the records of the relation at this place, as the quantifier says.
    Many(usize, Quantifier, Box<Filter>),
}

impl Filter {
    /// The filter that keeps everything.
    pub fn all() -> Self {
        Self::And(Vec::new())
    }

    /// Both this and another filter.
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

/// How many of the related records must satisfy a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// At least one.
    Some,
    /// None.
    None,
    /// Every one; also where there are none.
    Every,
}

/// A test of one value.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// Equal.
    Eq(FilterValue),
    /// Equal to one of these.
    In(Vec<FilterValue>),
    /// Not equal; holds for an unknown value.
    Not(FilterValue),
    /// Less, or before.
    Lt(FilterValue),
    /// Less or equal, or before the end of.
    Lte(FilterValue),
    /// Greater, or after the end of.
    Gt(FilterValue),
    /// Greater or equal, or not before the beginning of.
    Gte(FilterValue),
    /// Unknown (true) or known (false).
    IsNull(bool),
    /// The text begins so.
    StartsWith(String),
    /// The text has this somewhere.
    Contains(String),
}

/// A value to test against, already checked against the kind of the field.
#[derive(Debug, Clone, PartialEq)]
pub enum FilterValue {
    /// Text, or a choice of a vocabulary.
    Text(String),
    /// A partial date; a year stands for all of its days.
    Date(PartialDate),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Yes or no.
    Boolean(bool),
    /// An instant.
    Instant(DateTime<Utc>),
    /// The id of a record.
    Id(Uuid),
}

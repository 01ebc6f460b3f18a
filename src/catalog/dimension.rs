//! Dimensions by which records can be grouped: periods of a date, choices, and referenced records.

use crate::catalog::kind::FieldKind;
use crate::catalog::period::PeriodUnit;
use crate::core::ids::{FieldId, RelationId};
use crate::entity::RecordType;

/// A dimension of a record type.
#[derive(Debug)]
pub struct Dimension {
    /// Name in the schema.
    pub name: &'static str,
    /// Description for the schema.
    pub doc: &'static str,
    /// Where its values come from.
    pub source: DimensionSource,
}

/// Where the values of a dimension come from.
#[derive(Debug)]
pub enum DimensionSource {
    /// A date field, which the query selects, truncated to this unit.
    Period(PeriodUnit),
    /// The value at the end of a path.
    Path(DimensionPath),
}

/// A path from a record to a value.
#[derive(Debug)]
pub struct DimensionPath {
    /// The relation that the path starts with, if any. A record then has several values.
    pub relation: Option<RelationId>,
    /// The fields to follow, in order.
    pub fields: Vec<FieldId>,
    /// Kind of the value at the end: a choice or a reference.
    pub kind: FieldKind,
}

/// A dimension as a record type declares it.
#[derive(Debug)]
pub(super) struct ExtraDimension {
    pub(super) name: &'static str,
    /// Name of a list or a field, followed by names of fields.
    pub(super) path: &'static [&'static str],
    pub(super) doc: &'static str,
}

impl Dimension {
    /// The type of its values, if they are records.
    pub fn target(&self) -> Option<RecordType> {
        match self.source {
            DimensionSource::Path(DimensionPath { kind: FieldKind::One(target), .. }) => Some(target),
            _ => None,
        }
    }
}

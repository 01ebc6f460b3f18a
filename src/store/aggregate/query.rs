//! Aggregate queries: which records to count, how to group them, and the measures of each group.

use crate::catalog::catalog;
use crate::catalog::dimension::{Dimension, DimensionSource};
use crate::catalog::measure::{MeasureSpec, StatisticsSpec};
use crate::catalog::period::PeriodUnit;
use crate::catalog::record::Record;
use crate::core::filter::{Filter, Quantifier};
use crate::core::ids::{FieldId, RelationId};
use crate::core::pagination::Direction;
use crate::entity::RecordType;
use crate::store::read::plan::Plan;

/// Maximum number of groups in a result.
pub const MAX_GROUPS: u32 = 10_000;
/// Number of groups in a result if the request gives none.
pub const DEFAULT_GROUPS: u32 = 1_000;
/// Maximum number of dimensions to group by.
pub const MAX_DIMENSIONS: usize = 4;

/// A query for the statistics of a record type.
#[derive(Debug, Clone)]
pub struct AggregateQuery {
    /// Type of the records; it must declare statistics.
    pub ty: RecordType,
    /// The filter of the records.
    pub filter: Filter,
    /// Filters of the parts to count: a relation, and a filter of its records.
    pub part_filters: Vec<(RelationId, Filter)>,
    /// The date field that periods are taken from; `None` if the records have no date.
    pub period_field: Option<FieldId>,
    /// The dimensions to group by.
    pub group_by: Vec<GroupBy>,
    /// Indexes of the measures of each group.
    pub measures: Vec<usize>,
    /// Whether to compute groups.
    pub rows: bool,
    /// Indexes of the measures of all records together, if a total is requested.
    pub total: Option<Vec<usize>>,
    /// Order of the groups; by default that of their keys.
    pub order: Option<(GroupSort, Direction)>,
    /// Maximum number of groups.
    pub limit: u32,
    /// Whether to include groups for periods without records.
    pub empty_periods: bool,
}

/// A dimension to group by.
#[derive(Debug, Clone)]
pub struct GroupBy {
    /// Index of the dimension.
    pub dimension: usize,
    /// What to read of its values, if they are records.
    pub plan: Option<Plan>,
}

/// What to sort groups by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupSort {
    /// The key at this index.
    Group(usize),
    /// The measure with this index.
    Measure(usize),
}

impl AggregateQuery {
    /// A query over all records of a type, not grouped.
    pub fn new(record: &'static Record) -> Self {
        Self {
            ty: record.ty,
            filter: Filter::all(),
            part_filters: Vec::new(),
            period_field: record.date_fields().first().copied(),
            group_by: Vec::new(),
            measures: Vec::new(),
            rows: true,
            total: None,
            order: None,
            limit: DEFAULT_GROUPS,
            empty_periods: false,
        }
    }

    /// Counts only those parts of a list that satisfy a filter, and only records that have such parts.
    pub fn filter_parts(&mut self, list: RelationId, parts: Filter) {
        let filter = std::mem::replace(&mut self.filter, Filter::all());
        self.filter = filter.and(Filter::Many(list, Quantifier::Some, Box::new(parts.clone())));
        self.part_filters.push((list, parts));
    }

    pub(super) fn record(&self) -> &'static Record {
        catalog().get(self.ty)
    }

    fn statistics(&self) -> Option<&'static StatisticsSpec> {
        self.record().statistics.as_ref()
    }

    pub(super) fn measure(&self, index: usize) -> Option<&'static MeasureSpec> {
        self.statistics()?.measures.get(index)
    }

    /// Lists that are joined by a common party, in the order in which they are joined.
    pub(super) fn join_keys(&self) -> &'static [(&'static str, Option<&'static str>)] {
        self.statistics().map_or(&[], |statistics| statistics.join_keys)
    }

    pub(super) fn dimension(&self, by: &GroupBy) -> &'static Dimension {
        &self.record().dimensions[by.dimension]
    }

    /// The position in `group_by` and the unit of the periods to group by, if there are any.
    pub(super) fn period(&self) -> Option<(usize, PeriodUnit)> {
        self.group_by.iter().enumerate().find_map(|(position, by)| match self.dimension(by).source {
            DimensionSource::Period(unit) => Some((position, unit)),
            DimensionSource::Path(_) => None,
        })
    }
}

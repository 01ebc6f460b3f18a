//! A question for statistics: which records, divided by what, and what is told of each group.

use crate::catalog::dimension::{Dimension, DimensionSource, dates};
use crate::catalog::measure::{MeasureSpec, StatisticsSpec};
use crate::catalog::period::PeriodUnit;
use crate::catalog::record::{Record, catalog};
use crate::core::filter::{Filter, Quantifier};
use crate::core::pagination::Direction;
use crate::entity::RecordType;
use crate::store::read::plan::Plan;

/// Groups that an answer has at most.
pub const MOST_GROUPS: u32 = 10_000;
/// Groups that an answer has where nothing is asked for.
pub const USUAL_GROUPS: u32 = 1_000;
/// Dimensions that are asked for at once at most.
pub const MOST_DIMENSIONS: usize = 4;

/// Which records are counted, and how.
#[derive(Debug, Clone)]
pub struct AggregateQuery {
    /// Type of the records, which has statistics.
    pub ty: RecordType,
    /// Only records that satisfy this.
    pub filter: Filter,
    /// Only these parts of lists of the records are looked at.
    pub narrowed: Vec<(usize, Filter)>,
    /// The date whose periods are meant: a place in the fields.
    pub date: usize,
    /// What they are divided by.
    pub by: Vec<GroupBy>,
    /// What is told of each group: places among the measures.
    pub measures: Vec<usize>,
    /// Whether groups are wanted at all.
    pub rows: bool,
    /// What is told of all together, where that is wanted.
    pub total: Option<Vec<usize>>,
    /// Order of the groups, where it is not that of what they are divided by.
    pub order: Option<(GroupSort, Direction)>,
    /// Groups at most.
    pub limit: u32,
    /// Whether periods in which there is nothing are groups, too.
    pub empty_periods: bool,
}

/// A dimension that is asked for.
#[derive(Debug, Clone)]
pub struct GroupBy {
    /// Its place among the dimensions of the record.
    pub dimension: usize,
    /// What to read of the records it divides by, where it does.
    pub plan: Option<Plan>,
}

/// What groups are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupSort {
    /// What they are divided by, at this place.
    Group(usize),
    /// A measure, by its place among all.
    Measure(usize),
}

impl AggregateQuery {
    /// All records of a type, not divided.
    pub fn new(record: &'static Record) -> Self {
        Self {
            ty: record.ty,
            filter: Filter::all(),
            narrowed: Vec::new(),
            date: dates(record).first().copied().unwrap_or_default(),
            by: Vec::new(),
            measures: Vec::new(),
            rows: true,
            total: None,
            order: None,
            limit: USUAL_GROUPS,
            empty_periods: false,
        }
    }

    /// Looks only at these parts of a list, and only at records that have such.
    pub fn narrow(&mut self, list: usize, parts: Filter) {
        let filter = std::mem::replace(&mut self.filter, Filter::all());
        self.filter = filter.and(Filter::Many(list, Quantifier::Some, Box::new(parts.clone())));
        self.narrowed.push((list, parts));
    }

    pub(super) fn record(&self) -> &'static Record {
        catalog().get(self.ty)
    }

    fn statistics(&self) -> Option<&'static StatisticsSpec> {
        self.record().statistics.as_ref()
    }

    pub(super) fn measure(&self, place: usize) -> Option<&'static MeasureSpec> {
        self.statistics()?.measures.get(place)
    }

    /// Lists whose parts belong together, in the order in which they are joined.
    pub(super) fn ties(&self) -> &'static [(&'static str, Option<&'static str>)] {
        self.statistics().map_or(&[], |statistics| statistics.ties)
    }

    pub(super) fn dimension(&self, by: &GroupBy) -> &'static Dimension {
        &self.record().dimensions[by.dimension]
    }

    /// The place and the length of the periods that groups are divided by, where they are.
    pub(super) fn period(&self) -> Option<(usize, PeriodUnit)> {
        self.by.iter().enumerate().find_map(|(place, by)| match self.dimension(by).of {
            DimensionSource::Period(unit) => Some((place, unit)),
            DimensionSource::Path(_) => None,
        })
    }
}

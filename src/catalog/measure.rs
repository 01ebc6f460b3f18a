//! Measures of a group of records: distinct counts, and medians and means of intervals.

/// The statistics of a record type.
#[derive(Debug)]
pub struct StatisticsSpec {
    /// Name of the root field in the schema.
    pub name: &'static str,
    /// Description for the schema.
    pub doc: &'static str,
    /// The measures of each group.
    pub measures: Vec<MeasureSpec>,
    /// Lists whose parts a query can filter.
    pub filterable_lists: &'static [&'static str],
    /// Lists whose parts are joined on a common party, in this order. Each is given with its field that references the
    /// party; `None` for the list of parties itself.
    pub join_keys: &'static [(&'static str, Option<&'static str>)],
}

/// A measure of a group.
#[derive(Debug)]
pub struct MeasureSpec {
    /// Name in the schema.
    pub name: &'static str,
    /// Description for the schema: exactly what is measured.
    pub doc: &'static str,
    /// What is computed.
    pub aggregate: Measure,
    /// Conditions on the records and parts that are included; all must hold.
    pub conditions: Vec<MeasureCondition>,
}

/// An aggregate over a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The number of distinct items.
    Count(CountTarget),
    /// The median; the mean of the two middle values if their number is even.
    Median(Interval),
    /// The arithmetic mean.
    Mean(Interval),
    /// The number of values that the median and the mean are computed from.
    SampleSize(Interval),
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountTarget {
    /// The records themselves.
    Record,
    /// The parts of a list.
    Part(&'static str),
    /// The records that parts of a list reference: the list, and the field of its parts.
    PartReference(&'static str, &'static str),
    /// The records that a field of the record references.
    Reference(&'static str),
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// A duration in months: the list, and the field of its parts.
    Duration(&'static str, &'static str),
    /// Days between two dates of the record that are known to the day.
    Days(&'static str, &'static str),
    /// Days from a date of the record to the earliest date of certain parts, where both are known to the day.
    DaysUntilPart {
        /// The date of the record.
        from: &'static str,
        /// The list.
        list: &'static str,
        /// The date of its parts.
        date: &'static str,
        /// The field that selects the parts.
        field: &'static str,
        /// The values of `field` that are included.
        values: &'static [&'static str],
    },
}

/// A condition on the records or parts that a measure includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeasureCondition {
    /// The list whose parts are tested; `None` for the record itself.
    pub list: Option<&'static str>,
    /// The field.
    pub field: &'static str,
    /// The values that are included.
    pub values: &'static [&'static str],
}

impl MeasureSpec {
    fn new(name: &'static str, doc: &'static str, aggregate: Measure) -> Self {
        Self { name, doc, aggregate, conditions: Vec::new() }
    }

    /// A distinct count.
    pub fn count(name: &'static str, target: CountTarget, doc: &'static str) -> Self {
        Self::new(name, doc, Measure::Count(target))
    }

    /// A median.
    pub fn median(name: &'static str, interval: Interval, doc: &'static str) -> Self {
        Self::new(name, doc, Measure::Median(interval))
    }

    /// An arithmetic mean.
    pub fn mean(name: &'static str, interval: Interval, doc: &'static str) -> Self {
        Self::new(name, doc, Measure::Mean(interval))
    }

    /// The number of values that a median and a mean are computed from.
    pub fn sample_size(name: &'static str, interval: Interval, doc: &'static str) -> Self {
        Self::new(name, doc, Measure::SampleSize(interval))
    }

    /// Includes only records with one of these values.
    pub fn only(mut self, field: &'static str, values: &'static [&'static str]) -> Self {
        self.conditions.push(MeasureCondition { list: None, field, values });
        self
    }

    /// Includes only parts of a list with one of these values.
    pub fn only_parts(mut self, list: &'static str, field: &'static str, values: &'static [&'static str]) -> Self {
        self.conditions.push(MeasureCondition { list: Some(list), field, values });
        self
    }

    /// Lists whose parts the measure reads.
    pub(crate) fn lists(&self) -> impl Iterator<Item = &'static str> {
        let of_aggregate = match self.aggregate {
            Measure::Count(CountTarget::Part(list) | CountTarget::PartReference(list, _))
            | Measure::Median(Interval::Duration(list, _))
            | Measure::Mean(Interval::Duration(list, _))
            | Measure::SampleSize(Interval::Duration(list, _)) => Some(list),
            _ => None,
        };
        of_aggregate.into_iter().chain(self.conditions.iter().filter_map(|condition| condition.list))
    }
}

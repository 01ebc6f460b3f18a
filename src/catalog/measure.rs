//! What is told of each group: numbers of different things, and medians and means of lengths of time.

/// What is counted of a type of record.
#[derive(Debug)]
pub struct StatisticsSpec {
    /// Name of the field at the root.
    pub name: &'static str,
    /// What it gives, for a reader of the schema.
    pub doc: &'static str,
    /// What can be told of each group.
    pub measures: Vec<MeasureSpec>,
    /// Lists whose parts can be narrowed, so that only some of them are looked at.
    pub narrowed: &'static [&'static str],
    /// Lists whose parts belong together where they have the same party, each with the field that refers to it, or
    /// nothing where it is the list of parties itself. They are joined in this order.
    pub ties: &'static [(&'static str, Option<&'static str>)],
}

/// A figure about a group.
#[derive(Debug)]
pub struct MeasureSpec {
    /// Name in the schema.
    pub name: &'static str,
    /// What exactly it says.
    pub doc: &'static str,
    /// What is computed.
    pub figure: Measure,
    /// Only what has one of these values here is looked at.
    pub only: Vec<Only>,
}

/// What is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// How many different ones there are.
    Number(CountTarget),
    /// The one in the middle, or half way between the two in the middle.
    Median(Interval),
    /// The sum divided by the number.
    Mean(Interval),
    /// Of how many the median and the mean are.
    Measured(Interval),
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountTarget {
    /// The records themselves.
    Record,
    /// Parts of a list.
    Part(&'static str),
    /// Records that a field of the parts of a list refers to.
    Referred(&'static str, &'static str),
    /// Records that a field refers to.
    One(&'static str),
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// A duration that parts of a list have in a field; in months.
    Length(&'static str, &'static str),
    /// Days from one date of the record to another, where both are known to the day.
    Days(&'static str, &'static str),
    /// Days from a date of the record to the first part of a list with a date and one of these values in a field.
    Until {
        /// The date of the record.
        from: &'static str,
        /// The list.
        list: &'static str,
        /// The date of its parts.
        date: &'static str,
        /// The field that says which parts.
        field: &'static str,
        /// The values it has then.
        values: &'static [&'static str],
    },
}

/// A condition on what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Only {
    /// The list whose parts it is about, or nothing where it is about the record.
    pub list: Option<&'static str>,
    /// The field.
    pub field: &'static str,
    /// The values it can have.
    pub values: &'static [&'static str],
}

impl MeasureSpec {
    fn new(name: &'static str, doc: &'static str, figure: Measure) -> Self {
        Self { name, doc, figure, only: Vec::new() }
    }

    /// The number of different things.
    pub fn number(name: &'static str, thing: CountTarget, doc: &'static str) -> Self {
        Self::new(name, doc, Measure::Number(thing))
    }

    /// The median of a length of time.
    pub fn median(name: &'static str, span: Interval, doc: &'static str) -> Self {
        Self::new(name, doc, Measure::Median(span))
    }

    /// The mean of a length of time.
    pub fn mean(name: &'static str, span: Interval, doc: &'static str) -> Self {
        Self::new(name, doc, Measure::Mean(span))
    }

    /// Of how many a median and a mean are.
    pub fn measured(name: &'static str, span: Interval, doc: &'static str) -> Self {
        Self::new(name, doc, Measure::Measured(span))
    }

    /// Only records with one of these values.
    pub fn only(mut self, field: &'static str, values: &'static [&'static str]) -> Self {
        self.only.push(Only { list: None, field, values });
        self
    }

    /// Only where the part of a list has one of these values.
    pub fn only_with(mut self, list: &'static str, field: &'static str, values: &'static [&'static str]) -> Self {
        self.only.push(Only { list: Some(list), field, values });
        self
    }

    /// Lists whose parts it looks at.
    pub(crate) fn lists(&self) -> impl Iterator<Item = &'static str> {
        let own = match self.figure {
            Measure::Number(CountTarget::Part(list) | CountTarget::Referred(list, _)) => Some(list),
            Measure::Median(Interval::Length(list, _))
            | Measure::Mean(Interval::Length(list, _))
            | Measure::Measured(Interval::Length(list, _)) => Some(list),
            _ => None,
        };
        own.into_iter().chain(self.only.iter().filter_map(|only| only.list))
    }
}

//! What is told of each group: numbers of different things, and medians and means of lengths of time.

/// What is counted of a type of record.
#[derive(Debug)]
pub struct Statistics {
    /// Name of the field at the root.
    pub name: &'static str,
    /// What it gives, for a reader of the schema.
    pub doc: &'static str,
    /// What can be told of each group.
    pub measures: Vec<Measure>,
    /// Lists whose parts can be narrowed, so that only some of them are looked at.
    pub narrowed: &'static [&'static str],
    /// Lists whose parts belong together where they have the same party, each with the field that refers to it, or
    /// nothing where it is the list of parties itself. They are joined in this order.
    pub ties: &'static [(&'static str, Option<&'static str>)],
}

/// A figure about a group.
#[derive(Debug)]
pub struct Measure {
    /// Name in the schema.
    pub name: &'static str,
    /// What exactly it says.
    pub doc: &'static str,
    /// What is computed.
    pub figure: Figure,
    /// Only what has one of these values here is looked at.
    pub only: Vec<Only>,
}

/// What is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// How many different ones there are.
    Number(Thing),
    /// The one in the middle, or half way between the two in the middle.
    Median(Span),
    /// The sum divided by the number.
    Mean(Span),
    /// Of how many the median and the mean are.
    Measured(Span),
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
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
pub enum Span {
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

impl Measure {
    fn new(name: &'static str, doc: &'static str, figure: Figure) -> Self {
        Self { name, doc, figure, only: Vec::new() }
    }

    /// The number of different things.
    pub fn number(name: &'static str, thing: Thing, doc: &'static str) -> Self {
        Self::new(name, doc, Figure::Number(thing))
    }

    /// The median of a length of time.
    pub fn median(name: &'static str, span: Span, doc: &'static str) -> Self {
        Self::new(name, doc, Figure::Median(span))
    }

    /// The mean of a length of time.
    pub fn mean(name: &'static str, span: Span, doc: &'static str) -> Self {
        Self::new(name, doc, Figure::Mean(span))
    }

    /// Of how many a median and a mean are.
    pub fn measured(name: &'static str, span: Span, doc: &'static str) -> Self {
        Self::new(name, doc, Figure::Measured(span))
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
            Figure::Number(Thing::Part(list) | Thing::Referred(list, _)) => Some(list),
            Figure::Median(Span::Length(list, _)) | Figure::Mean(Span::Length(list, _)) | Figure::Measured(Span::Length(list, _)) => {
                Some(list)
            }
            _ => None,
        };
        own.into_iter().chain(self.only.iter().filter_map(|only| only.list))
    }
}

//! Reads the arrays that statements for facets and statistics give.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

use crate::catalog::measure::{Interval, Measure};
use crate::store::aggregate::facet::{FacetSpec, FacetValueRow};
use crate::store::aggregate::query::AggregateQuery;
use crate::store::aggregate::result::{Group, GroupKey};
use crate::store::read::decode::{RowOf, next};
use crate::store::read::plan::Plan;
use crate::store::read::result::{ReferencedRows, RowSet};

/// Facets of a list, and where their records go.
pub(in crate::store) struct Facets<'a>(pub(in crate::store) &'a [FacetSpec], pub(in crate::store) &'a mut [Option<RowSet>]);

/// One facet.
pub(in crate::store) struct FacetOf<'a>(pub(in crate::store) &'a FacetSpec, pub(in crate::store) &'a mut Option<RowSet>);

/// One value of a facet, and its number.
struct ValueOf<'a>(Option<(&'a Plan, &'a mut RowSet)>);

macro_rules! arrays {
    ($($name:ty => $value:ty: $what:literal, $read:expr;)*) => {
        $(impl<'de> DeserializeSeed<'de> for $name {
            type Value = $value;

            fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
                json.deserialize_any(self)
            }
        }

        impl<'de> Visitor<'de> for $name {
            type Value = $value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($what)
            }

            // an aggregate of nothing
            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Default::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
                $read(self, items)
            }
        })*
    };
}

arrays! {
    Facets<'_> => Vec<Vec<FacetValueRow>>: "an array of facets", Facets::read;
    FacetOf<'_> => Vec<FacetValueRow>: "an array of values", FacetOf::read;
    ValueOf<'_> => Option<FacetValueRow>: "a value and its number", ValueOf::read;
    Answer<'_> => (): "an array of groups and a total", Answer::read;
    Groups<'_, '_> => (): "an array of groups", Groups::read;
    GroupOf<'_, '_> => Option<()>: "the array of a group", GroupOf::read;
    Total<'_, '_> => (): "the figures of all together", Total::read;
}

impl Facets<'_> {
    fn read<'de, A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<Vec<FacetValueRow>>, A::Error> {
        self.0.iter().zip(self.1).map(|(facet, level)| next(&mut items, FacetOf(facet, level))).collect()
    }
}

impl FacetOf<'_> {
    fn read<'de, A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<FacetValueRow>, A::Error> {
        let mut values = Vec::new();
        loop {
            let records = self.0.plan.as_ref().zip(self.1.as_mut());
            match items.next_element_seed(ValueOf(records))? {
                Some(value) => values.extend(value),
                None => return Ok(values),
            }
        }
    }
}

impl ValueOf<'_> {
    fn read<'de, A: SeqAccess<'de>>(self, mut items: A) -> Result<Option<FacetValueRow>, A::Error> {
        let (text, row) = match self.0 {
            Some((plan, level)) => (None, next(&mut items, RowOf { plan, key: None, level })?),
            None => (items.next_element()?, None),
        };
        let count = items.next_element()?.unwrap_or_default();
        // a record that was deleted meanwhile is no value any more
        Ok((text.is_some() || row.is_some()).then_some(FacetValueRow { text, row, count }))
    }
}

/// What answers a question, as it is read.
pub(super) struct Answer<'a> {
    pub(super) question: &'a AggregateQuery,
    pub(super) groups: &'a mut Vec<Group>,
    pub(super) records: &'a mut [ReferencedRows],
    pub(super) total: &'a mut Vec<Option<f64>>,
}

struct Groups<'a, 'q>(&'a mut Answer<'q>);

struct GroupOf<'a, 'q>(&'a mut Answer<'q>);

struct Total<'a, 'q>(&'a mut Answer<'q>);

impl Answer<'_> {
    fn read<'de, A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        next(&mut items, Groups(&mut self))?;
        next(&mut items, Total(&mut self))
    }
}

impl Groups<'_, '_> {
    fn read<'de, A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(GroupOf(self.0))?.is_some() {}
        Ok(())
    }
}

impl GroupOf<'_, '_> {
    fn read<'de, A: SeqAccess<'de>>(self, mut items: A) -> Result<Option<()>, A::Error> {
        let Answer { question, groups, records, .. } = self.0;
        let mut keys = Vec::with_capacity(question.by.len());
        for (by, records) in question.by.iter().zip(records.iter_mut()) {
            let text: String = items.next_element()?.unwrap_or_default();
            keys.push(match &by.plan {
                Some(plan) => {
                    let level = &mut records.levels[0];
                    match next(&mut items, RowOf { plan, key: None, level })? {
                        Some(row) => {
                            let id = level.rows[row].id;
                            records.at.push(Some((0, row)));
                            GroupKey::Record { place: records.at.len() - 1, name: text, id }
                        }
                        None => GroupKey::Unknown,
                    }
                }
                None if text.is_empty() => GroupKey::Unknown,
                None => GroupKey::Text(text),
            });
        }
        let figures = figures(question, &question.measures, &mut items)?;
        groups.push(Group { keys, figures });
        Ok(Some(()))
    }
}

impl Total<'_, '_> {
    fn read<'de, A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let question = self.0.question;
        *self.0.total = figures(question, question.total.as_deref().unwrap_or_default(), &mut items)?;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Figures in the order in which they were asked for; nothing for a median of nothing.
fn figures<'de, A: SeqAccess<'de>>(question: &AggregateQuery, measures: &[usize], items: &mut A) -> Result<Vec<Option<f64>>, A::Error> {
    let mut number = || -> Result<Option<f64>, A::Error> { Ok(items.next_element::<Option<f64>>()?.flatten()) };
    let mut figures = Vec::with_capacity(measures.len());
    for measure in measures {
        let Some(measure) = question.measure(*measure) else { continue };
        let count = number()?.unwrap_or_default();
        figures.push(match measure.figure {
            Measure::Number(_) | Measure::Measured(_) => Some(count),
            Measure::Median(span) => {
                let middle = number()?;
                let values = if count % 2.0 == 0.0 { 2.0 } else { 1.0 };
                middle.map(|middle| rounded(span, middle / values))
            }
            Measure::Mean(span) => number()?.map(|sum| rounded(span, sum / count)),
        });
    }
    Ok(figures)
}

/// A length as it is told: months to the hundredth, days to the tenth.
fn rounded(span: Interval, value: f64) -> f64 {
    match span {
        Interval::Length(..) => (value / migration::duration::MONTH * 100.0).round() / 100.0,
        Interval::Days(..) | Interval::Until { .. } => (value * 10.0).round() / 10.0,
    }
}

//! Decodes the JSON array of an aggregate statement.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

use crate::catalog::measure::{Interval, Measure};
use crate::store::aggregate::query::AggregateQuery;
use crate::store::aggregate::result::{Group, GroupKey};
use crate::store::read::decode::{RowSeed, json_arrays, next};
use crate::store::read::result::ReferencedRows;

json_arrays! {
    ResultSeed<'_> => (): "an array of groups and a total", ResultSeed::decode;
    GroupsSeed<'_, '_> => (): "an array of groups", GroupsSeed::decode;
    GroupSeed<'_, '_> => Option<()>: "the array of a group", GroupSeed::decode;
    TotalSeed<'_, '_> => (): "the measures of all records", TotalSeed::decode;
}

/// The result of a query while it is decoded.
pub(super) struct ResultSeed<'a> {
    pub(super) query: &'a AggregateQuery,
    pub(super) groups: &'a mut Vec<Group>,
    pub(super) records: &'a mut [ReferencedRows],
    pub(super) total: &'a mut Vec<Option<f64>>,
}

struct GroupsSeed<'a, 'q>(&'a mut ResultSeed<'q>);

struct GroupSeed<'a, 'q>(&'a mut ResultSeed<'q>);

struct TotalSeed<'a, 'q>(&'a mut ResultSeed<'q>);

impl ResultSeed<'_> {
    fn decode<'de, A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        next(&mut items, GroupsSeed(&mut self))?;
        next(&mut items, TotalSeed(&mut self))
    }
}

impl GroupsSeed<'_, '_> {
    fn decode<'de, A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(GroupSeed(self.0))?.is_some() {}
        Ok(())
    }
}

impl GroupSeed<'_, '_> {
    fn decode<'de, A: SeqAccess<'de>>(self, mut items: A) -> Result<Option<()>, A::Error> {
        let ResultSeed { query, groups, records, .. } = self.0;
        let mut keys = Vec::with_capacity(query.group_by.len());
        for (by, records) in query.group_by.iter().zip(records.iter_mut()) {
            let text: String = items.next_element()?.unwrap_or_default();
            keys.push(match &by.plan {
                Some(plan) => {
                    let level = &mut records.levels[0];
                    match next(&mut items, RowSeed { plan, key: None, level })? {
                        Some(row) => {
                            let id = level.rows[row].id;
                            records.positions.push(Some((0, row)));
                            GroupKey::Record { index: records.positions.len() - 1, sort_key: text, id }
                        }
                        None => GroupKey::Unknown,
                    }
                }
                None if text.is_empty() => GroupKey::Unknown,
                None => GroupKey::Text(text),
            });
        }
        let values = decode_measures(query, &query.measures, &mut items)?;
        groups.push(Group { keys, values });
        Ok(Some(()))
    }
}

impl TotalSeed<'_, '_> {
    fn decode<'de, A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let query = self.0.query;
        *self.0.total = decode_measures(query, query.total.as_deref().unwrap_or_default(), &mut items)?;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Decodes measures in the requested order; a median or mean of no values is `None`.
fn decode_measures<'de, A: SeqAccess<'de>>(
    query: &AggregateQuery,
    measures: &[usize],
    items: &mut A,
) -> Result<Vec<Option<f64>>, A::Error> {
    let mut number = || -> Result<Option<f64>, A::Error> { Ok(items.next_element::<Option<f64>>()?.flatten()) };
    let mut values = Vec::with_capacity(measures.len());
    for measure in measures {
        let Some(measure) = query.measure(*measure) else { continue };
        let count = number()?.unwrap_or_default();
        values.push(match measure.aggregate {
            Measure::Count(_) | Measure::SampleSize(_) => Some(count),
            Measure::Median(interval) => {
                let middle = number()?;
                let middle_values = if count % 2.0 == 0.0 { 2.0 } else { 1.0 };
                middle.map(|middle| round(interval, middle / middle_values))
            }
            Measure::Mean(interval) => number()?.map(|sum| round(interval, sum / count)),
        });
    }
    Ok(values)
}

/// Rounds a length of time: months to the hundredth, days to the tenth.
fn round(interval: Interval, value: f64) -> f64 {
    match interval {
        Interval::Duration(..) => (value / migration::duration::MINUTES_PER_MONTH * 100.0).round() / 100.0,
        Interval::Days(..) | Interval::DaysUntilPart { .. } => (value * 10.0).round() / 10.0,
    }
}

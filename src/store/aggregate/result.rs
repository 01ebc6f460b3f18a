//! The answer to a question for statistics.

use std::cmp::Ordering;
use std::collections::HashSet;

use uuid::Uuid;

use crate::catalog::measure::Measure;
use crate::core::error::{Result, bad_input, internal};
use crate::store::Store;
use crate::store::aggregate::decode::Answer;
use crate::store::aggregate::query::{AggregateQuery, MOST_GROUPS};
use crate::store::read::decode::read;
use crate::store::read::result::{ReferencedRows, RowRef, RowSet};
use crate::store::sql::select::SelectBuilder;

/// Groups and their figures.
#[derive(Debug)]
pub struct AggregateResult {
    /// The groups, in order.
    pub groups: Vec<Group>,
    /// The figures of all together, in the order in which they were asked for.
    pub total: Vec<Option<f64>>,
    /// Whether there are more groups than were asked for.
    pub truncated: bool,
    records: Vec<ReferencedRows>,
}

/// One group.
#[derive(Debug, Clone)]
pub struct Group {
    /// What its records have in common, one for each dimension that was asked for.
    pub keys: Vec<GroupKey>,
    /// Its figures, in the order in which they were asked for; nothing where there is nothing to compute one from.
    pub figures: Vec<Option<f64>>,
}

/// What the records of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GroupKey {
    /// It is not known of any, or they have none.
    Unknown,
    /// A value of a vocabulary, or a period.
    Text(String),
    /// A record.
    Record {
        /// Its place among those that were read.
        place: usize,
        /// What it is sorted by.
        name: String,
        /// Its id.
        id: Uuid,
    },
}

impl GroupKey {
    /// What tells keys apart and puts them in order; the place a record was read at is no part of it.
    fn sortable(&self) -> (&str, Uuid) {
        match self {
            Self::Unknown => ("", Uuid::nil()),
            Self::Text(text) => (text, Uuid::nil()),
            Self::Record { name, id, .. } => (name, *id),
        }
    }
}

impl AggregateResult {
    /// The record that a key is, of the dimension that was asked for at this place.
    pub fn record(&self, dimension: usize, key: &GroupKey) -> Option<RowRef<'_>> {
        match key {
            GroupKey::Record { place, .. } => self.records.get(dimension)?.of(*place),
            _ => None,
        }
    }
}

impl Store {
    /// Answers a question for statistics by one statement.
    pub async fn statistics(&self, question: &AggregateQuery) -> Result<AggregateResult> {
        let forms = self.forms(question.record(), &question.filter).await?;
        let statement = SelectBuilder::new(self.backend(), self.sees, forms).statistics(question)?;
        let text = self.read_text(&statement).await?;
        let records = question.by.iter().map(|by| match &by.plan {
            Some(plan) => ReferencedRows { levels: vec![RowSet::new(plan)], at: Vec::new() },
            None => ReferencedRows::default(),
        });
        let (mut groups, mut total, mut records) = (Vec::new(), Vec::new(), records.collect::<Vec<_>>());
        let answer = Answer { question, groups: &mut groups, records: &mut records, total: &mut total };
        read(text.as_deref().unwrap_or("null"), answer).map_err(internal)?;
        for (by, records) in question.by.iter().zip(&mut records) {
            if let (Some(plan), Some(level)) = (&by.plan, records.levels.first_mut()) {
                self.complete(plan, level).await?;
            }
        }
        let truncated = groups.len() > question.limit as usize;
        groups.truncate(question.limit as usize);
        if question.empty_periods && question.rows {
            if truncated {
                let message = format!("there are more than {} rows without those for empty periods", question.limit);
                return Err(bad_input("emptyPeriods", format_args!("{message}; ask for more with first, or narrow the filter")));
            }
            groups = with_empty_periods(question, groups)?;
        }
        Ok(AggregateResult { groups, total, truncated, records })
    }
}

/// The groups, and one without anything for each period in which there is nothing; with other dimensions, for each
/// combination of theirs that occurs.
fn with_empty_periods(question: &AggregateQuery, mut groups: Vec<Group>) -> Result<Vec<Group>> {
    let Some((place, unit)) = question.period() else { return Ok(groups) };
    let text = |key: &GroupKey| match key {
        GroupKey::Text(text) => text.clone(),
        _ => String::new(),
    };
    let occurring: Vec<String> = groups.iter().map(|group| text(&group.keys[place])).collect();
    let range = unit.range(occurring.iter().map(String::as_str), question.date, &question.filter);
    let identity = |keys: &[GroupKey]| -> Vec<(String, Uuid)> {
        keys.iter().map(GroupKey::sortable).map(|(name, id)| (name.to_owned(), id)).collect()
    };
    let mut there: HashSet<Vec<(String, Uuid)>> = groups.iter().map(|group| identity(&group.keys)).collect();
    let mut combinations: Vec<Vec<GroupKey>> = Vec::new();
    let mut known = HashSet::new();
    for group in &groups {
        let mut keys = group.keys.clone();
        keys[place] = GroupKey::Unknown;
        if known.insert(identity(&keys)) {
            combinations.push(keys);
        }
    }
    if combinations.is_empty() && question.by.len() == 1 {
        combinations.push(vec![GroupKey::Unknown]);
    }
    let nothing: Vec<Option<f64>> = question
        .measures
        .iter()
        .filter_map(|measure| question.measure(*measure))
        .map(|measure| matches!(measure.figure, Measure::Number(_) | Measure::Measured(_)).then_some(0.0))
        .collect();
    for period in range {
        for combination in &combinations {
            let mut keys = combination.clone();
            keys[place] = GroupKey::Text(period.clone());
            if there.insert(identity(&keys)) {
                groups.push(Group { keys, figures: nothing.clone() });
            }
            if groups.len() > MOST_GROUPS as usize {
                let message = format!("there would be more than {MOST_GROUPS} rows; narrow the filter, or group by longer periods");
                return Err(bad_input("emptyPeriods", message));
            }
        }
    }
    groups.sort_by(|a, b| compare(&a.keys, &b.keys));
    Ok(groups)
}

fn compare(a: &[GroupKey], b: &[GroupKey]) -> Ordering {
    a.iter().map(GroupKey::sortable).cmp(b.iter().map(GroupKey::sortable))
}

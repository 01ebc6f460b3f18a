//! Runs an aggregate query and fills in empty periods.

use std::cmp::Ordering;
use std::collections::HashSet;

use uuid::Uuid;

use crate::catalog::measure::Measure;
use crate::core::error::{Result, bad_input, internal};
use crate::store::aggregate::decode::ResultSeed;
use crate::store::aggregate::query::{AggregateQuery, MAX_GROUPS};
use crate::store::aggregate::result::{AggregateResult, Group, GroupKey};
use crate::store::handle::Store;
use crate::store::read::decode::decode;
use crate::store::read::result::{ReferencedRows, RowSet};
use crate::store::read::semi_joins::ReadReach;
use crate::store::sql::select::SelectBuilder;

impl Store {
    /// Executes an aggregate query by one statement.
    pub async fn statistics(&self, query: &AggregateQuery) -> Result<AggregateResult> {
        let semi_joins = self.choose_semi_joins(query.record(), &query.filter, ReadReach::Whole).await?;
        let statement = SelectBuilder::new(self.backend(), self.visibility, semi_joins).statistics(query)?;
        let text = self.fetch_text(&statement).await?;
        let records = query.group_by.iter().map(|by| match &by.plan {
            Some(plan) => ReferencedRows { levels: vec![RowSet::new(plan)], positions: Vec::new() },
            None => ReferencedRows::default(),
        });
        let (mut groups, mut total, mut records) = (Vec::new(), Vec::new(), records.collect::<Vec<_>>());
        let seed = ResultSeed { query, groups: &mut groups, records: &mut records, total: &mut total };
        decode(text.as_deref().unwrap_or("null"), seed).map_err(internal)?;
        for (by, records) in query.group_by.iter().zip(&mut records) {
            if let (Some(plan), Some(level)) = (&by.plan, records.levels.first_mut()) {
                self.complete_rows(plan, level).await?;
            }
        }
        let truncated = groups.len() > query.limit as usize;
        groups.truncate(query.limit as usize);
        if query.empty_periods && query.rows {
            if truncated {
                let message = format!("there are more than {} rows, not counting empty periods", query.limit);
                return Err(bad_input("emptyPeriods", format_args!("{message}; request more with first, or narrow the filter")));
            }
            groups = with_empty_periods(query, groups)?;
        }
        Ok(AggregateResult { groups, total, truncated, records })
    }
}

/// Adds a group for each period without records; with other dimensions, for each combination of their values that occurs.
fn with_empty_periods(query: &AggregateQuery, mut groups: Vec<Group>) -> Result<Vec<Group>> {
    let (Some((position, unit)), Some(period_field)) = (query.period(), query.period_field) else { return Ok(groups) };
    let text = |key: &GroupKey| match key {
        GroupKey::Text(text) => text.clone(),
        _ => String::new(),
    };
    let occurring: Vec<String> = groups.iter().map(|group| text(&group.keys[position])).collect();
    let range = unit.range(occurring.iter().map(String::as_str), period_field, &query.filter);
    let identity = |keys: &[GroupKey]| -> Vec<(String, Uuid)> {
        keys.iter().map(GroupKey::sortable).map(|(sort_key, id)| (sort_key.to_owned(), id)).collect()
    };
    let mut existing: HashSet<Vec<(String, Uuid)>> = groups.iter().map(|group| identity(&group.keys)).collect();
    let mut combinations: Vec<Vec<GroupKey>> = Vec::new();
    let mut seen = HashSet::new();
    for group in &groups {
        let mut keys = group.keys.clone();
        keys[position] = GroupKey::Unknown;
        if seen.insert(identity(&keys)) {
            combinations.push(keys);
        }
    }
    if combinations.is_empty() && query.group_by.len() == 1 {
        combinations.push(vec![GroupKey::Unknown]);
    }
    let empty_values: Vec<Option<f64>> = query
        .measures
        .iter()
        .filter_map(|measure| query.measure(*measure))
        .map(|measure| matches!(measure.aggregate, Measure::Count(_) | Measure::SampleSize(_)).then_some(0.0))
        .collect();
    for period in range {
        for combination in &combinations {
            let mut keys = combination.clone();
            keys[position] = GroupKey::Text(period.clone());
            if existing.insert(identity(&keys)) {
                groups.push(Group { keys, values: empty_values.clone() });
            }
            if groups.len() > MAX_GROUPS as usize {
                let message = format!("there would be more than {MAX_GROUPS} rows; narrow the filter, or group by longer periods");
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

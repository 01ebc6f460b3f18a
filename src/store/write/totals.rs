//! Totals that are less than the number of the listed parts that they count, such as the votes for an option. Either side may be
//! stored already: what results from the write is compared.

use std::collections::HashMap;

use serde_json::Value as Json;

use crate::catalog::catalog;
use crate::catalog::record::Totals;
use crate::core::ids::FieldId;
use crate::entity::RecordType;
use crate::store::draft::{Draft, DraftSource, DraftValue, InputProblem};
use crate::store::read::result::Cell;
use crate::store::write::cells::MergeTarget;
use crate::store::write::model::MergedPart;

/// A total, and the number of the listed parts that it counts.
#[derive(Debug, Clone, Copy)]
struct Tally {
    /// Index in the list of totals.
    index: usize,
    total: i64,
    number: i64,
}

impl Tally {
    /// By how much the total is too small; 0 if it is not.
    fn excess(self) -> i64 {
        (self.number - self.total).max(0)
    }
}

/// The totals that are less than the parts that are listed once the draft is merged. There can be fewer parts: not all are known.
///
/// For an import, these are all that the draft gives a side of. For an edit, these are the ones that it makes worse: it may correct
/// a contradiction step by step, and restore a deleted record that has one.
pub(super) fn exceeded(
    target: MergeTarget<'_>,
    source: DraftSource,
    cells: &[Cell],
    parts: &HashMap<RecordType, Vec<MergedPart>>,
) -> Vec<InputProblem> {
    let MergeTarget { record, draft, existing, .. } = target;
    let Some(totals) = record.totals else { return Vec::new() };
    let Some(list) = record.parts.iter().find(|list| list.name == totals.parts) else { return Vec::new() };
    let field = record.known_field(totals.field);
    let by = catalog().get(list.part).known_field(totals.by);
    let given = draft.parts.iter().find(|(part, _)| *part == list.part).map(|(_, parts)| parts.as_slice());
    // what is not valid is reported already
    let is_given = given.is_some() || draft.value(field).is_some();
    if !is_given || draft.value(field) == Some(&DraftValue::Invalid) {
        return Vec::new();
    }
    let after = tallies(totals, &cells[field.index()], parts.get(&list.part).into_iter().flatten().map(|part| &part.cells[by.index()]));
    let before = existing.map(|row| {
        let parts = row.parts.get(&list.part).into_iter().flatten();
        tallies(totals, &row.cells[field.index()], parts.map(|part| &part.cells[by.index()]))
    });
    let is_reported = |value: &str, tally: Tally| match (source, &before) {
        (DraftSource::Import | DraftSource::OverwritingImport, _) => tally.excess() > 0,
        (DraftSource::Edit, Some(before)) => tally.excess() > before.get(value).map_or(0, |before| before.excess()),
        (DraftSource::Edit, None) => tally.excess() > 0 && !draft.target.restates_stored,
    };
    let mut exceeded: Vec<(&str, Tally)> = after.into_iter().filter(|(value, tally)| is_reported(value, *tally)).collect();
    exceeded.sort_by_key(|(_, tally)| tally.index);
    exceeded.into_iter().map(|(value, tally)| problem(totals, draft, (field, by), given, value, tally)).collect()
}

/// The totals by the value that they count.
fn tallies<'c>(totals: Totals, counts: &'c Cell, parts: impl Iterator<Item = &'c Cell>) -> HashMap<&'c str, Tally> {
    let Cell::Json(Json::Array(counts)) = counts else { return HashMap::new() };
    let mut numbers: HashMap<&str, i64> = HashMap::new();
    for value in parts.filter_map(Cell::as_text) {
        *numbers.entry(value).or_default() += 1;
    }
    let tally = |(index, item): (usize, &'c Json)| {
        let (value, total) = (item.get(totals.by)?.as_str()?, item.get(totals.count)?.as_i64()?);
        Some((value, Tally { index, total, number: numbers.get(value).copied().unwrap_or(0) }))
    };
    counts.iter().enumerate().filter_map(tally).collect()
}

/// The problem of one total, at the total if the draft gives it, and else at the last given part that it counts.
fn problem(
    totals: Totals,
    draft: &Draft,
    (field, by): (FieldId, FieldId),
    parts: Option<&[Draft]>,
    value: &str,
    Tally { index, total, number }: Tally,
) -> InputProblem {
    let Totals { field: name, parts: list, by: by_name, .. } = totals;
    if let Some((.., origin)) = draft.values.iter().find(|(id, ..)| *id == field) {
        let message = format!("{total} is less than the {number} {list} with the {by_name} {value} that are listed; correct one of them");
        return InputProblem::new(origin.child(index, origin.line), message);
    }
    let counts = |part: &&Draft| matches!(part.value(by), Some(DraftValue::Cell(Cell::Text(given))) if given == value);
    let origin = match parts.into_iter().flatten().rfind(counts) {
        Some(part) => part.origin.clone(),
        None => draft.origin.child(list, None),
    };
    let message = format!(
        "{number} {list} with the {by_name} {value} are listed, and {name} has {total}, which is less than that; correct one of them"
    );
    InputProblem::new(origin, message)
}

//! Contradictions within lists: entries that are given twice, and totals that are less than what they count.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::{Draft, DraftValue, InputProblem, ProblemCode};
use crate::catalog::catalog;
use crate::catalog::kind::Structure;
use crate::catalog::record::{Record, Totals};
use crate::store::draft::Origin;
use crate::store::read::result::Cell;

/// The structures of a list that have the same values as an earlier one in all members that are declared distinct.
pub(super) fn alike_structures(structure: &Structure, items: &[(Map<String, Json>, Origin)]) -> Vec<InputProblem> {
    let mut first: HashMap<String, usize> = HashMap::new();
    let mut problems = Vec::new();
    for (index, (item, origin)) in items.iter().enumerate() {
        let values: Option<Vec<&Json>> = structure.distinct.iter().map(|name| item.get(*name)).collect();
        // a value that is missing or not valid is reported already
        let Some(values) = values.filter(|values| !values.is_empty()) else { continue };
        let place = *first.entry(format!("{values:?}")).or_insert(index);
        if place != index {
            let names = structure.distinct.join(" and ");
            let message = format!("it has the same {names} as entry {} of this list; keep one of the two", place + 1);
            problems.push(InputProblem::new(origin.clone(), message).with_code(ProblemCode::Taken));
        }
    }
    problems
}

/// The counts of a draft that are less than the number of the parts that it gives. Parts can be fewer: not all are known.
pub(super) fn exceeded_totals(record: &Record, draft: &Draft) -> Vec<InputProblem> {
    let Some(Totals { field, parts, by, count }) = record.totals else { return Vec::new() };
    let list = record.parts.iter().find(|list| list.name == parts);
    let given = list.and_then(|list| draft.parts.iter().find(|(part, _)| *part == list.part));
    let counts = draft.values.iter().find(|(id, ..)| record.field(*id).name == field);
    let (Some((part, given)), Some((_, DraftValue::Cell(Cell::Json(Json::Array(counts))), origin))) = (given, counts) else {
        return Vec::new();
    };
    let by_field = catalog().get(*part).known_field(by);
    let mut numbers: HashMap<&str, i64> = HashMap::new();
    for part in given {
        if let Some(DraftValue::Cell(Cell::Text(value))) = part.value(by_field) {
            *numbers.entry(value).or_default() += 1;
        }
    }
    let exceeded = counts.iter().enumerate().filter_map(|(index, item)| {
        let (value, total) = (item.get(by)?.as_str()?, item.get(count)?.as_i64()?);
        let number = *numbers.get(value)?;
        let message = format!("{total} is less than the {number} {parts} with the {by} {value} that are listed; correct one of them");
        (number > total).then(|| InputProblem::new(origin.child(index, origin.line), message))
    });
    exceeded.collect()
}

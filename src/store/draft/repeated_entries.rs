//! Entries of a list that are given twice.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::{InputProblem, ProblemCode};
use crate::catalog::kind::Structure;
use crate::store::draft::Origin;

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

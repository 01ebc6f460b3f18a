//! Names the records of problems where their lines do not: a file can have all of its records on one line.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Draft, Drafts, InputProblem, Origin};
use crate::core::path::PathSegment;
use crate::entity::RecordType;

/// An item of a list at the top of a file: the file, the name of the list if it has one, and the index.
type Item<'o> = (&'o Arc<str>, Option<&'o str>, usize);

/// Appends the slug of its record to each problem on a line of a file on which several records begin.
pub fn name_records(drafts: &Drafts, problems: &mut [InputProblem]) {
    if !problems.iter().any(|problem| item(&problem.origin).is_some()) {
        return;
    }
    let mut items_of_line: HashMap<(&Arc<str>, usize), HashSet<Item<'_>>> = HashMap::new();
    let mut drafts_of_item: HashMap<Item<'_>, (RecordType, &Draft)> = HashMap::new();
    for (ty, draft) in drafts.iter().flat_map(|(ty, drafts)| drafts.iter().map(move |draft| (*ty, draft))) {
        let (Some(item), Some(line)) = (item(&draft.origin), draft.origin.line) else { continue };
        items_of_line.entry((item.0, line)).or_default().insert(item);
        // an item of Popolo also makes the sources of its addresses
        let named = drafts_of_item.entry(item).or_insert((ty, draft));
        if named.0 == RecordType::Source {
            *named = (ty, draft);
        }
    }
    for problem in problems {
        let Some(item) = item(&problem.origin) else { continue };
        let Some((_, draft)) = drafts_of_item.get(&item) else { continue };
        let is_ambiguous = draft.origin.line.and_then(|line| items_of_line.get(&(item.0, line))).is_some_and(|items| items.len() > 1);
        if let (Some(slug), true) = (&draft.name, is_ambiguous) {
            problem.message = format!("{}; the record is \"{slug}\"", problem.message);
        }
    }
}

fn item(origin: &Origin) -> Option<Item<'_>> {
    let file = origin.file.as_ref()?;
    match origin.path.as_slice() {
        [PathSegment::Name(list), PathSegment::Index(index), ..] => Some((file, Some(list.as_ref()), *index)),
        [PathSegment::Index(index), ..] => Some((file, None, *index)),
        _ => None,
    }
}

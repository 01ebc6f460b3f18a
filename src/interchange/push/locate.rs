//! Finds the place in the file of a value that a server names by its path in the input.

use serde_json::Value as Json;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::path::PathSegment;
use crate::entity::RecordType;
use crate::store::draft::{Draft, Origin};

/// The place of the value at a path of the server in a record that was pushed.
pub(super) fn locate(ty: RecordType, draft: &Draft, path: &Json) -> Origin {
    let segments: Vec<PathSegment> = path.as_array().into_iter().flatten().filter_map(segment).collect();
    let is = |segment: &PathSegment, expected: &str| matches!(segment, PathSegment::Name(name) if name.as_ref() == expected);
    match segments.as_slice() {
        // the path of a record: input, records, the index and the type
        [input, records, _, _, below @ ..] if is(input, "input") && is(records, "records") => place(catalog().get(ty), draft, below),
        [input, records, ..] if is(input, "input") && is(records, "records") => draft.origin.clone(),
        below => place(catalog().get(ty), draft, below),
    }
}

fn segment(segment: &Json) -> Option<PathSegment> {
    match segment {
        Json::String(name) => Some(name.clone().into()),
        Json::Number(index) => usize::try_from(index.as_u64()?).ok().map(PathSegment::Index),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

fn place(record: &Record, draft: &Draft, path: &[PathSegment]) -> Origin {
    let [PathSegment::Name(name), below @ ..] = path else { return descend(draft.origin.clone(), path) };
    if let Some(list) = record.parts.iter().find(|list| list.name == name.as_ref()) {
        let Some((_, parts)) = draft.parts.iter().find(|(ty, _)| *ty == list.part) else {
            return descend(draft.origin.clone(), path);
        };
        return match below {
            [PathSegment::Index(index), below @ ..] if *index < parts.len() => {
                let (part, draft) = (catalog().get(list.part), &parts[*index]);
                // a part that is encoded as its only value has no members
                match (below, draft.values.as_slice()) {
                    ([], [(_, _, origin)]) if draft.name.is_none() => origin.clone(),
                    _ => place(part, draft, below),
                }
            }
            _ => descend(draft.origin.clone(), path),
        };
    }
    let given = record.fields_with_ids().find(|(_, field)| field.name == name.as_ref());
    let value = given.and_then(|(id, _)| draft.values.iter().find(|(of, ..)| *of == id));
    match value {
        Some((_, _, origin)) => descend(origin.clone(), below),
        None => descend(draft.origin.clone(), path),
    }
}

fn descend(origin: Origin, path: &[PathSegment]) -> Origin {
    path.iter().cloned().fold(origin, |origin, segment| origin.child(segment, None))
}

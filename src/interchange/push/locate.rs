//! Finds the place in the file of a value that a server names by its path in the input.

use serde_json::Value as Json;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::path::{DisplayPath, PathSegment};
use crate::entity::RecordType;
use crate::store::draft::{Draft, Origin};

/// Beginning of the path of a pushed record in a message of the server.
const RECORD_PATH: &str = "input.records";

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

/// The index of the pushed record that a path of the server leads to. Not set for a path of the request as a whole.
pub(super) fn pushed_at(path: &Json) -> Option<usize> {
    let [input, records, index, ..] = path.as_array()?.as_slice() else { return None };
    let is_of_record = input == "input" && records == "records";
    usize::try_from(index.as_u64()?).ok().filter(|_| is_of_record)
}

/// A message of the server, in which paths of pushed records and their values are replaced by their places in the files.
pub(super) fn with_file_places(message: &str, pushed: &[(RecordType, &Draft)]) -> String {
    let mut text = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find(RECORD_PATH) {
        let (before, path) = rest.split_at(at);
        text.push_str(before);
        let (segments, after) = parse_path(&path[RECORD_PATH.len()..]);
        let record = match segments.first() {
            Some(PathSegment::Index(index)) => pushed.get(*index),
            Some(PathSegment::Name(_) | PathSegment::Column(_)) | None => None,
        };
        match (record, segments.get(2..)) {
            (Some((ty, draft)), Some(below @ [_, ..])) => {
                text.push_str(&DisplayPath(&place(catalog().get(*ty), draft, below).path).to_string());
            }
            (Some((_, draft)), Some([]) | None) => text.push_str(&record_place(&draft.origin)),
            (None, _) => text.push_str(&path[..path.len() - after.len()]),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// The steps at the beginning of a text, such as `[0].person.votes[1]`, and what follows them.
fn parse_path(mut text: &str) -> (Vec<PathSegment>, &str) {
    let mut segments = Vec::new();
    loop {
        let name = text.strip_prefix('.').map(|name| name.split_at(name.bytes().take_while(u8::is_ascii_alphanumeric).count()));
        let index = text.strip_prefix('[').and_then(|index| index.split_once(']'));
        match (name, index.and_then(|(index, after)| Some((index.parse::<usize>().ok()?, after)))) {
            (Some((name, after)), _) if !name.is_empty() => {
                segments.push(name.to_owned().into());
                text = after;
            }
            (None, Some((index, after))) => {
                segments.push(index.into());
                text = after;
            }
            (_, _) => return (segments, text),
        }
    }
}

/// The file and line of a record.
fn record_place(origin: &Origin) -> String {
    match (&origin.file, origin.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        (Some(file), None) => file.to_string(),
        (None, _) => DisplayPath(&origin.path).to_string(),
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn paths_in_messages_become_places_in_files() {
        let origin = Origin { file: Some(Arc::from("bills.yaml")), line: Some(7), path: vec!["proposals".into(), 3.into()] };
        let changes = origin.child("changes", None);
        let change = Draft { origin: changes.child(0, None), ..Draft::default() };
        let draft = Draft { origin, parts: vec![(RecordType::ProposedChange, vec![change])], ..Draft::default() };
        let pushed = [(RecordType::Proposal, &draft)];
        let places = |message| with_file_places(message, &pushed);
        assert_eq!(places("twice, first at input.records[0].proposal; give"), "twice, first at bills.yaml:7; give");
        assert_eq!(places("as input.records[0].proposal.changes[0]."), "as proposals[3].changes[0].");
        for unknown in ["at input.records[1].person", "at input.records[x]", "input.records", "nothing"] {
            assert_eq!(places(unknown), unknown);
        }
    }
}

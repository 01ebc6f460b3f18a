//! Undoes single field changes of a merge in the present state of a record, unless the value has been edited since.

use serde_json::{Map, Value as Json};

use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::store::history::state::{POSITION, key, key_and_rest};

/// Outcome of undoing one field change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undone {
    /// The state has the value from before the change.
    Done,
    /// The value was edited after the change and stays.
    Edited,
    /// The part, or the part with the field, was removed after the change.
    Removed,
    /// The part would be alike to another one of its list.
    Repeated,
}

/// Undoes a field change in the state of a record. Removed values become null and removed lists empty, so that writing the
/// state clears them.
pub(super) fn undo_change(record: &Record, state: &mut Json, path: &str, old: &Json, new: &Json) -> Undone {
    let Json::Object(members) = state else { return Undone::Removed };
    for list in &record.parts {
        let Some(rest) = path.strip_prefix(list.name).and_then(|rest| rest.strip_prefix('[')) else { continue };
        let items = members.entry(list.name).or_insert_with(|| Json::Array(Vec::new()));
        let Json::Array(items) = items else { return Undone::Removed };
        let place = |wanted: &str| items.iter().position(|item| key(item) == Some(wanted));
        let found = key_and_rest(rest).find_map(|(key, rest)| Some((place(key)?, rest)));
        return match found {
            Some((index, Some(rest))) => undo_change(catalog().get(list.part), &mut items[index], rest, old, new),
            Some((index, None)) => undo_stored_part(items, index, old, new),
            None => undo_missing_part(items, rest, old, new),
        };
    }
    let is_list = record.fields.iter().any(|field| field.name == path && matches!(field.kind, FieldKind::List(_)));
    if is_list { undo_list(members, path, old, new) } else { undo_value(members, path, old, new) }
}

fn undo_stored_part(items: &mut Vec<Json>, index: usize, old: &Json, new: &Json) -> Undone {
    let old = without_position(old);
    if is_same_part(&items[index], &old) {
        return Undone::Done;
    }
    if !is_same_part(&items[index], new) {
        return Undone::Edited;
    }
    match old {
        Json::Null => _ = items.remove(index),
        old => items[index] = old,
    }
    Undone::Done
}

/// Undoes a change of a part that the list does not have: only one that removed the part can be undone.
fn undo_missing_part(items: &mut Vec<Json>, rest: &str, old: &Json, new: &Json) -> Undone {
    let is_of_whole_part = key(old).is_some_and(|key| rest.strip_prefix(key) == Some("]"));
    if !is_of_whole_part || *new != Json::Null {
        return Undone::Removed;
    }
    let position = old.get(POSITION).and_then(Json::as_u64).and_then(|position| usize::try_from(position).ok());
    let index = position.map_or(items.len(), |position| position.saturating_sub(1).min(items.len()));
    items.insert(index, without_position(old));
    Undone::Done
}

/// Undoes a change of a list of values: removes those that the change added, and leaves the others.
fn undo_list(members: &mut Map<String, Json>, name: &str, old: &Json, new: &Json) -> Undone {
    let values = |json: &Json| json.as_array().cloned().unwrap_or_else(Vec::new);
    let (old, mut added) = (values(old), values(new));
    added.retain(|value| !old.contains(value));
    let mut present = members.get(name).map_or_else(Vec::new, values);
    let mut undone = Undone::Done;
    for value in added {
        match present.iter().position(|present| *present == value) {
            Some(index) => _ = present.remove(index),
            None => undone = Undone::Edited,
        }
    }
    members.insert(name.to_owned(), Json::Array(present));
    undone
}

fn undo_value(members: &mut Map<String, Json>, name: &str, old: &Json, new: &Json) -> Undone {
    let present = members.get(name).unwrap_or(&Json::Null);
    if present == old {
        return Undone::Done;
    }
    if present != new {
        return Undone::Edited;
    }
    members.insert(name.to_owned(), old.clone());
    Undone::Done
}

/// Whether two parts have the same values, at any position. Members that are not set do not count.
pub(super) fn is_same_part(one: &Json, other: &Json) -> bool {
    let (Json::Object(one), Json::Object(other)) = (one, other) else { return one == other };
    let is_set =
        |(name, value): &(&String, &Json)| *name != POSITION && !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty());
    let count = |members: &Map<String, Json>| members.iter().filter(is_set).count();
    count(one) == count(other) && one.iter().filter(is_set).all(|(name, value)| other.get(name) == Some(value))
}

/// A part without its position, at any depth.
pub(super) fn without_position(value: &Json) -> Json {
    match value {
        Json::Object(members) => {
            members.iter().filter(|(name, _)| *name != POSITION).map(|(name, value)| (name.clone(), without_position(value))).collect()
        }
        Json::Array(items) => items.iter().map(without_position).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::entity::RecordType;

    fn undone(ty: RecordType, state: Json, path: &str, old: &Json, new: &Json) -> (Undone, Json) {
        let mut state = state;
        let undone = undo_change(catalog().get(ty), &mut state, path, old, new);
        (undone, state)
    }

    #[test]
    fn unedited_values_get_their_old_value_and_edited_ones_stay() {
        let state = || json!({"gender": "f", "otherNames": [{"name": "A"}, {"name": "B"}]});
        let (result, state_after) = undone(RecordType::Person, state(), "gender", &Json::Null, &json!("f"));
        assert_eq!((result, &state_after["gender"]), (Undone::Done, &Json::Null));
        let (result, state_after) = undone(RecordType::Person, state(), "gender", &Json::Null, &json!("m"));
        assert_eq!((result, &state_after["gender"]), (Undone::Edited, &json!("f")));
        // a name that was added since stays
        let (result, state_after) = undone(RecordType::Person, state(), "otherNames", &json!([]), &json!([{"name": "A"}]));
        assert_eq!((result, &state_after["otherNames"]), (Undone::Done, &json!([{"name": "B"}])));
        let (result, _) = undone(RecordType::Person, state(), "otherNames", &json!([]), &json!([{"name": "C"}]));
        assert_eq!(result, Undone::Edited);
    }

    #[test]
    fn parts_are_found_by_keys_with_any_character() {
        let state = || json!({"parties": [{"key": "a]b", "person": "new", "citations": [{"key": "c", "source": "s"}]}]});
        let (result, state_after) = undone(RecordType::Case, state(), "parties[a]b].person", &json!("old"), &json!("new"));
        assert_eq!((result, &state_after["parties"][0]["person"]), (Undone::Done, &json!("old")));
        let whole = json!({"key": "c", "source": "s"});
        let (result, state_after) = undone(RecordType::Case, state(), "parties[a]b].citations[c]", &Json::Null, &whole);
        assert_eq!((result, &state_after["parties"][0]["citations"]), (Undone::Done, &json!([])));
        let (result, _) = undone(RecordType::Case, state(), "parties[gone].person", &json!("old"), &json!("new"));
        assert_eq!(result, Undone::Removed);
        let removed = json!({"key": "z", "role": "witness", "position": 1});
        let (result, state_after) = undone(RecordType::Case, state(), "parties[z]", &removed, &Json::Null);
        assert_eq!((result, &state_after["parties"][0]), (Undone::Done, &json!({"key": "z", "role": "witness"})));
    }
}

//! Property test: whatever is done to a dataset, its feed brings a copy to the same state. One copy follows the field changes
//! from the beginning, another fetches each record that the feed names.

use std::collections::BTreeMap;

use kurultai::core::auth::Role;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rstest::rstest;
use serde_json::{Map, Value, json};

use crate::server::{Asker, On, Server};

/// People of a run; cases refer to them.
const PEOPLE: usize = 3;
const CASES: usize = 2;

#[derive(Debug, Clone)]
enum Step {
    /// A file with a person and a case.
    Import {
        person: usize,
        case: usize,
        text: u8,
    },
    Update {
        person: usize,
        text: Option<u8>,
    },
    SetParties {
        case: usize,
        people: Vec<usize>,
    },
    AddEvent {
        case: usize,
        key: u8,
    },
    UpdateEvent {
        case: usize,
        key: u8,
        text: u8,
    },
    RemoveEvent {
        case: usize,
        key: u8,
    },
    Merge {
        from: usize,
        into: usize,
    },
    Unmerge {
        person: usize,
    },
    Revert {
        record: usize,
        revision: i64,
    },
    Delete {
        record: usize,
    },
    SetPublished {
        record: usize,
        published: bool,
    },
    /// The copy that fetches records reads the feed.
    Follow,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (person, case, record) = (0..PEOPLE, 0..CASES, 0..PEOPLE + CASES);
    let step = prop_oneof![
        3 => (person.clone(), case.clone(), any::<u8>()).prop_map(|(person, case, text)| Step::Import { person, case, text }),
        3 => (person.clone(), any::<Option<u8>>()).prop_map(|(person, text)| Step::Update { person, text }),
        2 => (case.clone(), prop::collection::vec(person.clone(), 0..3)).prop_map(|(case, people)| Step::SetParties { case, people }),
        2 => (case.clone(), 0..3u8).prop_map(|(case, key)| Step::AddEvent { case, key }),
        2 => (case.clone(), 0..3u8, any::<u8>()).prop_map(|(case, key, text)| Step::UpdateEvent { case, key, text }),
        1 => (case, 0..3u8).prop_map(|(case, key)| Step::RemoveEvent { case, key }),
        3 => (person.clone(), person.clone()).prop_map(|(from, into)| Step::Merge { from, into }),
        3 => person.prop_map(|person| Step::Unmerge { person }),
        2 => (record.clone(), 1..5i64).prop_map(|(record, revision)| Step::Revert { record, revision }),
        1 => record.clone().prop_map(|record| Step::Delete { record }),
        2 => (record, any::<bool>()).prop_map(|(record, published)| Step::SetPublished { record, published }),
        2 => Just(Step::Follow),
    ];
    prop::collection::vec(step, 12..20)
}

/// States of records by id: values by the name of the field.
type Copy = BTreeMap<String, Map<String, Value>>;

struct Run<'s> {
    server: &'s Server,
    editor: Asker<'s>,
    ids: Vec<String>,
    /// The copies that fetch records, of an editor and of a reader, and how far they have read.
    followers: Vec<(Asker<'s>, Copy, Option<String>)>,
}

fn slug(record: usize) -> String {
    if record < PEOPLE { format!("person-{record}") } else { format!("case-{}", record - PEOPLE) }
}

fn type_of(record: usize) -> &'static str {
    if record < PEOPLE { "Person" } else { "Case" }
}

fn file(person: usize, case: usize, text: u8) -> String {
    format!(
        "
people:
- slug: person-{person}
  name: {{en: Person {person}}}
  biography: {{en: Text {text}}}
  otherNames: [{{name: Other {text}}}]
  identifiers: [{{scheme: a, value: \"{person}-{text}\"}}]
cases:
- slug: case-{case}
  title: {{en: Case {case}}}
  kind: criminal
  status: pending
  parties: [{{key: p{person}, role: defendant, person: person-{person}, description: {{en: Party {text}}}}}]
"
    )
}

impl Run<'_> {
    async fn take(&mut self, step: &Step) {
        let case = |case: &usize| json!({"slug": format!("case-{case}")});
        let (mutation, input) = match step {
            Step::Import { person, case, text } => {
                // what was merged or deleted meanwhile is refused, and nothing is written
                _ = self.server.import(&file(*person, *case, *text)).await;
                return;
            }
            Step::Follow => return self.follow().await,
            Step::Update { person, text } => {
                let biography = text.map_or(Value::Null, |text| json!({"en": format!("Edited {text}"), "ru": format!("Текст {text}")}));
                ("updatePerson { person { id } }".to_owned(), json!({"id": self.ids[*person], "biography": biography}))
            }
            Step::SetParties { case, people } => {
                let party =
                    |(index, person): (usize, &usize)| json!({"key": format!("p{index}"), "role": "WITNESS", "person": self.ids[*person]});
                let parties: Vec<Value> = people.iter().enumerate().map(party).collect();
                ("updateCase { case { id } }".to_owned(), json!({"id": self.ids[PEOPLE + case], "parties": parties}))
            }
            Step::AddEvent { case: of, key } => {
                let event = json!({"key": format!("e{key}"), "kind": "HEARING", "text": {"en": "Added"}});
                ("addCaseEvent { case { id } }".to_owned(), json!({"case": case(of), "caseEvent": event}))
            }
            Step::UpdateEvent { case: of, key, text } => {
                let text = json!({"en": format!("Event {text}")});
                ("updateCaseEvent { case { id } }".to_owned(), json!({"case": case(of), "part": format!("e{key}"), "text": text}))
            }
            Step::RemoveEvent { case: of, key } => {
                ("removeCaseEvent { case { id } }".to_owned(), json!({"case": case(of), "part": format!("e{key}")}))
            }
            Step::Merge { from, into } => {
                ("mergePeople { person { id } }".to_owned(), json!({"from": self.ids[*from], "into": self.ids[*into]}))
            }
            Step::Unmerge { person } => ("unmergePeople { record { id } }".to_owned(), json!({"from": self.ids[*person]})),
            Step::Revert { record, revision } => {
                ("revert { record { id } }".to_owned(), json!({"record": self.ids[*record], "toRevision": revision}))
            }
            Step::Delete { record } => (format!("delete{} {{ deletedId }}", type_of(*record)), json!({"id": self.ids[*record]})),
            Step::SetPublished { record, published } => {
                let (verb, ty) = (if *published { "publish" } else { "unpublish" }, type_of(*record));
                (format!("{verb}{ty} {{ {} {{ id }} }}", ty.to_lowercase()), json!({"id": self.ids[*record]}))
            }
        };
        let payload = self.editor.payload(&mutation, input).await;
        for error in payload["errors"].as_array().unwrap() {
            assert_ne!(error["code"], "INTERNAL", "{step:?}: {payload:#}");
        }
    }

    /// The copies that fetch records read on where they stopped.
    async fn follow(&mut self) {
        for (asker, copy, since) in &mut self.followers {
            for revision in feed(asker, since).await {
                let id = revision["recordId"].as_str().unwrap();
                match state(asker, id).await {
                    Some(state) => _ = copy.insert(id.to_owned(), state),
                    None => _ = copy.remove(id),
                }
            }
        }
    }
}

/// The revisions after a cursor, which moves on.
async fn feed(asker: &Asker<'_>, since: &mut Option<String>) -> Vec<Value> {
    let mut revisions = Vec::new();
    loop {
        let after = since.as_ref().map_or("null".to_owned(), |since| format!("\"{since}\""));
        let query = format!(
            "{{ changes(since: {after}, first: 7) {{ nodes {{ recordId kind number mergedInto {{ id }} changes {{ field old new }} }} pageInfo {{ endCursor hasNextPage }} }} }}"
        );
        let mut page = asker.data(&query).await["changes"].take();
        revisions.append(page["nodes"].as_array_mut().unwrap());
        if let Some(cursor) = page["pageInfo"]["endCursor"].as_str() {
            *since = Some(cursor.to_owned());
        }
        if page["pageInfo"]["hasNextPage"] == false {
            return revisions;
        }
    }
}

/// The state of a record; none if it is gone, hidden or merged into another.
async fn state(asker: &Asker<'_>, id: &str) -> Option<Map<String, Value>> {
    let shown = asker.data(&format!("{{ node(id: \"{id}\") {{ id ... on Record {{ revision }} }} }}")).await["node"].take();
    if shown["id"] != id {
        return None;
    }
    let query = format!("{{ recordState(record: \"{id}\", asOfRevision: {}) {{ fields {{ field value }} }} }}", shown["revision"]);
    let state = asker.data(&query).await["recordState"].take();
    let fields = state["fields"].as_array().unwrap_or_else(|| panic!("{id} has no state: {shown}"));
    let value = |field: &Value| serde_json::from_str::<Value>(field["value"].as_str().unwrap()).unwrap();
    let members = fields.iter().map(|field| (field["field"].as_str().unwrap().to_owned(), value(field)));
    let mut state = Value::Object(members.collect());
    sort_parts(&mut state);
    state.as_object().cloned()
}

/// Sorts lists of parts by their keys, and leaves out positions, which a list gives.
fn sort_parts(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(sort_parts);
            if items.iter().all(|item| item.get("key").is_some()) {
                items.sort_by_key(|item| item["key"].to_string());
            }
        }
        Value::Object(members) => {
            members.remove("position");
            members.values_mut().for_each(sort_parts);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Sets the value at the path of a field change.
fn set(members: &mut Map<String, Value>, path: &str, value: Value) {
    let (list, key, rest) = match path.split_once('[') {
        Some((list, keyed)) => {
            let (key, rest) = keyed.split_once(']').unwrap();
            (list, key, rest.strip_prefix('.'))
        }
        None if value.is_null() => {
            members.remove(path);
            return;
        }
        None => {
            members.insert(path.to_owned(), value);
            return;
        }
    };
    let items = members.entry(list).or_insert_with(|| json!([])).as_array_mut().unwrap();
    let place = items.iter().position(|item| item["key"] == key);
    match (place, rest) {
        (Some(place), Some(rest)) => set(items[place].as_object_mut().unwrap(), rest, value),
        (Some(place), None) if value.is_null() => _ = items.remove(place),
        (Some(place), None) => items[place] = value,
        (None, None) if !value.is_null() => items.push(value),
        (None, _) => panic!("{path} changes a part that the copy does not have"),
    }
    if items.is_empty() {
        members.remove(list);
    }
}

/// The copy of an editor or reader who applies the changes of all revisions in their order.
async fn replayed(asker: &Asker<'_>, sees_drafts: bool) -> Copy {
    let mut copy = Copy::new();
    for revision in feed(asker, &mut None).await {
        let id = revision["recordId"].as_str().unwrap().to_owned();
        let kind = revision["kind"].as_str().unwrap();
        if matches!(kind, "DELETED" | "MERGED") || (kind == "UNPUBLISHED" && !sees_drafts) {
            copy.remove(&id);
            continue;
        }
        // the changes of a publication repeat the record, for readers who have not seen it
        if kind == "PUBLISHED" && !sees_drafts {
            copy.remove(&id);
        }
        let members = copy.entry(id).or_default();
        if matches!(kind, "PUBLISHED" | "UNPUBLISHED") {
            members.insert("published".to_owned(), json!(kind == "PUBLISHED"));
        }
        for change in revision["changes"].as_array().unwrap() {
            // a text is given as it is, and no text of this test is JSON
            let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
            let value = change["new"].as_str().map_or(Value::Null, value);
            set(members, change["field"].as_str().unwrap(), value);
        }
    }
    for state in copy.values_mut() {
        let mut value = Value::Object(std::mem::take(state));
        sort_parts(&mut value);
        *state = value.as_object().cloned().unwrap();
    }
    copy
}

async fn dataset(asker: &Asker<'_>, ids: &[String]) -> Copy {
    let mut copy = Copy::new();
    for id in ids {
        if let Some(state) = state(asker, id).await {
            copy.insert(id.clone(), state);
        }
    }
    copy
}

#[rstest]
#[case(On::Sqlite, 12)]
#[case(On::Postgres, 3)]
#[tokio::test]
async fn replayed_feed_gives_the_same_dataset(#[case] on: On, #[case] runs: usize) {
    let mut runner = TestRunner::deterministic();
    for run in 0..runs {
        let server = Server::empty(on).await;
        let steps = steps().new_tree(&mut runner).unwrap().current();
        for person in 0..PEOPLE {
            server.import(&file(person, person % CASES, 0)).await.unwrap();
        }
        let editor = Asker::with_role(&server, Role::Editor).await;
        let mut ids = Vec::new();
        for record in 0..PEOPLE + CASES {
            let query = format!("{{ found: {}(by: {{slug: \"{}\"}}) {{ id }} }}", type_of(record).to_lowercase(), slug(record));
            ids.push(editor.data(&query).await["found"]["id"].as_str().unwrap().to_owned());
        }
        let follower = Asker::with_role(&server, Role::Admin).await;
        let followers = vec![(follower, Copy::new(), None), (Asker::reader(&server), Copy::new(), None)];
        let mut run_state = Run { server: &server, editor, ids, followers };
        for step in &steps {
            run_state.take(step).await;
        }
        run_state.follow().await;
        let reader = Asker::reader(&server);
        // records that were created anew have other ids
        let mut all: Vec<String> = run_state.ids.clone();
        for node in feed(&run_state.editor, &mut None).await {
            all.extend(node["recordId"].as_str().map(str::to_owned));
        }
        all.sort();
        all.dedup();
        for (index, (asker, sees_drafts)) in [(&run_state.editor, true), (&reader, false)].into_iter().enumerate() {
            let expected = dataset(asker, &all).await;
            let copies = [("replayed", replayed(asker, sees_drafts).await), ("followed", run_state.followers[index].1.clone())];
            for (way, copy) in copies {
                for id in &all {
                    assert_eq!(copy.get(id), expected.get(id), "run {run}, {way}, drafts {sees_drafts}, {id}: {steps:?}");
                }
            }
        }
    }
}

//! Property test: readers of the history get only what was public at the revision asked for and was not unpublished since.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use kurultai::core::auth::Role;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{Asker, On, Server};

/// Records of a run: two people and a case.
const RECORDS: usize = 3;
/// More revisions than a run gives a record.
const MAX_REVISIONS: i64 = 28;

#[derive(Debug, Clone, Copy)]
enum Step {
    Publish,
    Unpublish,
    /// A new text, and a new slug.
    Update,
    /// A new text together with a change of the visibility.
    UpdateAnd(bool),
    Merge,
    Unmerge,
    Revert(i64),
    Delete,
    Create,
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = prop_oneof![
        2 => Just(Step::Publish),
        2 => Just(Step::Unpublish),
        4 => Just(Step::Update),
        2 => any::<bool>().prop_map(Step::UpdateAnd),
        2 => Just(Step::Merge),
        2 => Just(Step::Unmerge),
        2 => (1..6i64).prop_map(Step::Revert),
        1 => Just(Step::Delete),
        1 => Just(Step::Create),
    ];
    prop::collection::vec((0..RECORDS, step), 8..13)
}

/// Marks of the run that a text contains. Each text of the run has its own mark.
fn marks(text: &str) -> BTreeSet<String> {
    let mut marks = BTreeSet::new();
    for piece in text.split("mark").skip(1) {
        let number: String = piece.chars().take_while(char::is_ascii_digit).collect();
        if !number.is_empty() {
            marks.insert(format!("mark{number}"));
        }
    }
    marks
}

/// What readers saw of a record.
#[derive(Debug, Default)]
struct Seen {
    /// The marks that were public once a revision was the latest.
    at: BTreeMap<i64, BTreeSet<String>>,
    /// The slugs that were public since.
    slugs: BTreeSet<String>,
    /// The latest revision at which the record was not public.
    hidden: i64,
    /// Whether the record is deleted or merged, and the revision that says so is known.
    is_gone: bool,
}

impl Seen {
    /// The marks that readers may get from revisions since the record became public, or at one of them.
    fn allowed(&self, revision: Option<i64>) -> BTreeSet<String> {
        let public = self.at.iter().filter(|(number, _)| **number > self.hidden && revision.is_none_or(|revision| revision == **number));
        public.flat_map(|(_, marks)| marks.iter().cloned()).collect()
    }
}

struct Run<'s> {
    server: &'s Server,
    editor: Asker<'s>,
    reader: Asker<'s>,
    ids: Vec<String>,
    seen: BTreeMap<String, Seen>,
    /// Public slugs of merged records: they lead to the record that was kept, until that is hidden.
    redirects: BTreeSet<String>,
    count: usize,
}

const TYPES: [&str; RECORDS] = ["Person", "Person", "Case"];

impl Run<'_> {
    fn mark(&mut self) -> String {
        self.count += 1;
        format!("mark{}", self.count)
    }

    async fn create(&mut self, index: usize) {
        let (slug, text) = (self.mark(), self.mark());
        let text = json!({"en": text});
        let id = if index < 2 {
            // a merge adds these names to those of the other person
            let names = json!([{"name": self.mark()}]);
            let input = json!({"slug": slug, "name": {"en": "N"}, "biography": text, "otherNames": names, "published": self.count.is_multiple_of(2)});
            self.editor.done("createPerson { person { id } }", input).await["person"]["id"].clone()
        } else {
            let parties = json!([{"key": "p", "role": "DEFENDANT", "person": self.ids[0]}]);
            let input = json!({"slug": slug, "title": {"en": "T"}, "kind": "CIVIL", "status": "PENDING", "summary": text, "parties": parties, "published": false});
            self.editor.payload("createCase { case { id } }", input).await["case"]["id"].clone()
        };
        if let Some(id) = id.as_str() {
            if self.ids.len() == index {
                self.ids.push(id.to_owned());
            } else {
                id.clone_into(&mut self.ids[index]);
            }
        }
    }

    /// Runs a step; what is not possible is rejected.
    async fn take(&mut self, index: usize, step: Step) {
        let (id, ty) = (self.ids[index].clone(), TYPES[index]);
        let singular = ty.to_lowercase();
        let field = if index < 2 { "biography" } else { "summary" };
        match step {
            Step::Publish => drop(self.editor.payload(&format!("publish{ty} {{ {singular} {{ id }} }}"), json!({"id": id})).await),
            Step::Unpublish => drop(self.editor.payload(&format!("unpublish{ty} {{ {singular} {{ id }} }}"), json!({"id": id})).await),
            Step::Update => {
                let (slug, text) = (self.mark(), self.mark());
                let input = json!({"id": id, "slug": slug, field: {"en": text}});
                self.editor.payload(&format!("update{ty} {{ {singular} {{ id }} }}"), input).await;
            }
            Step::UpdateAnd(published) => {
                let input = json!({"id": id, field: {"en": self.mark()}, "published": published});
                self.editor.payload(&format!("update{ty} {{ {singular} {{ id }} }}"), input).await;
            }
            Step::Merge => {
                let input = json!({"from": self.ids[0], "into": self.ids[1]});
                let slugs = self.seen.get(&self.ids[0]).map(|seen| seen.slugs.clone()).unwrap_or_default();
                if !self.editor.payload("mergePeople { person { id } }", input).await["person"].is_null() {
                    self.redirects.extend(slugs);
                }
            }
            Step::Unmerge => {
                if !self.editor.payload("unmergePeople { record { id } }", json!({"from": self.ids[0]})).await["record"].is_null() {
                    // what the restored person has is no longer in the history of the other one
                    let query = format!("{{ node(id: \"{}\") {{ ... on Person {{ biography otherNames {{ name }} }} }} }}", self.ids[0]);
                    let restored = marks(&self.editor.data(&query).await.to_string());
                    let kept = self.seen.entry(self.ids[1].clone()).or_default();
                    kept.at.values_mut().for_each(|marks| marks.retain(|mark| !restored.contains(mark)));
                }
            }
            Step::Revert(number) => {
                self.editor.payload("revert { record { id } }", json!({"record": id, "toRevision": number})).await;
            }
            Step::Delete => drop(self.editor.payload(&format!("delete{ty} {{ deletedId }}"), json!({"id": id})).await),
            Step::Create => self.create(index).await,
        }
    }

    /// Notes what readers see of each record.
    async fn observe(&mut self) {
        let ids: Vec<String> = self.ids.iter().chain(self.seen.keys()).cloned().collect::<BTreeSet<_>>().into_iter().collect();
        for id in ids {
            let fields = "... on Person { id slug revision biography otherNames { name } } ... on Case { id slug revision summary parties { nodes { person { slug } } } }";
            let shown = self.reader.data(&format!("{{ node(id: \"{id}\") {{ {fields} }} }}")).await["node"].take();
            let seen = self.seen.entry(id.clone()).or_default();
            // the id of a merged record leads to another one
            if shown["id"] == id.as_str() {
                seen.is_gone = false;
                seen.slugs.extend(marks(&shown["slug"].to_string()));
                seen.at.entry(shown["revision"].as_i64().unwrap()).or_default().extend(marks(&shown.to_string()));
                continue;
            }
            let draft = self.editor.data(&format!("{{ node(id: \"{id}\") {{ {fields} }} }}")).await["node"].take();
            if draft["id"] == id.as_str() {
                seen.hidden = draft["revision"].as_i64().unwrap();
                seen.slugs.clear();
                seen.is_gone = false;
                if id == self.ids[1] {
                    self.redirects.clear();
                }
                continue;
            }
            if std::mem::replace(&mut seen.is_gone, true) {
                continue;
            }
            let states = (1..=MAX_REVISIONS).fold(String::new(), |query, number| {
                query + &format!("s{number}: recordState(record: \"{id}\", asOfRevision: {number}) {{ revision }} ")
            });
            let states = self.editor.data(&format!("{{ {states} }}")).await;
            let latest = (1..=MAX_REVISIONS).filter(|number| !states[format!("s{number}")].is_null()).max();
            seen.hidden = latest.unwrap();
        }
    }

    /// Requires that no interface of the history gives a reader more than was public.
    async fn check(&self, context: &str) {
        let everything: BTreeSet<String> = self.seen.values().flat_map(|seen| seen.allowed(None)).collect();
        for (id, seen) in &self.seen {
            let allowed = seen.allowed(None);
            let (mut states, mut comparisons) = (String::new(), String::new());
            for number in 1..=MAX_REVISIONS {
                write!(states, "s{number}: recordState(record: \"{id}\", asOfRevision: {number}) {{ fields {{ value }} }} ").unwrap();
                let next = number + 1;
                write!(comparisons, "c{number}: compareRevisions(record: \"{id}\", from: {number}, to: {next}) {{ field old new }} ")
                    .unwrap();
            }
            let states = self.reader.data(&format!("{{ {states} }}")).await;
            let comparisons = self.reader.data(&format!("{{ {comparisons} }}")).await;
            for number in 1..=MAX_REVISIONS {
                let state = &states[format!("s{number}")];
                let given = marks(&state.to_string());
                let public = seen.allowed(Some(number));
                assert!(given.is_subset(&public), "{context}: revision {number} of {id} gives {given:?}, public were {public:?}\n{seen:?}");
                assert!(state.is_null() || number > seen.hidden, "{context}: revision {number} of {id} was hidden: {state}");
                let given = marks(&comparisons[format!("c{number}")].to_string());
                assert!(given.is_subset(&allowed), "{context}: a comparison of {id} gives {given:?}, public were {allowed:?}");
            }
        }
        let lists = self.reader.data("{ revisions(first: 100) { nodes { message changes { field old new } } } changes(first: 100) { nodes { changes { field old new } } } people { nodes { history { nodes { changes { field old new } } } } } cases { nodes { history { nodes { changes { field old new } } } } } }").await;
        let given = marks(&lists.to_string());
        assert!(given.is_subset(&everything), "{context}: lists give {:?}", given.difference(&everything).collect::<Vec<_>>());
        for (path, query) in [
            ("feed.atom", "{ cases { nodes { slug title summary updatedAt } } }"),
            ("table.csv", "{ people { nodes { slug biography otherNames { name } } } }"),
        ] {
            let request = self.server.client.get(format!("{}/{path}", self.server.address)).query(&[("query", query)]);
            let text = request.send().await.unwrap().text().await.unwrap();
            assert!(marks(&text).is_subset(&everything), "{context}: {path}");
        }
        // neither slugs that a record had as a draft nor words of its texts find it
        for number in 1..=self.count {
            let mark = format!("mark{number}");
            if everything.contains(&mark) || self.redirects.contains(&mark) {
                continue;
            }
            let query = format!(
                "{{ person(by: {{slug: \"{mark}\"}}) {{ id }} case(by: {{slug: \"{mark}\"}}) {{ id }} search(query: \"{mark}\") {{ nodes {{ snippet }} }} }}"
            );
            let found = self.reader.data(&query).await;
            assert_eq!((&found["person"], &found["case"]), (&Value::Null, &Value::Null), "{context}: {mark}");
            assert!(!marks(&found.to_string()).contains(&mark), "{context}: {mark}");
        }
    }
}

#[rstest]
#[case(On::Sqlite, 12)]
#[case(On::Postgres, 2)]
#[tokio::test]
async fn readers_get_no_more_of_history_than_was_public(#[case] on: On, #[case] runs: usize) {
    let mut runner = TestRunner::deterministic();
    for run in 0..runs {
        let server = Server::empty(on).await;
        let steps = steps().new_tree(&mut runner).unwrap().current();
        let (editor, reader) = (Asker::with_role(&server, Role::Editor).await, Asker::reader(&server));
        let mut state =
            Run { server: &server, editor, reader, ids: Vec::new(), seen: BTreeMap::new(), redirects: BTreeSet::new(), count: 0 };
        for index in 0..RECORDS {
            state.create(index).await;
        }
        state.observe().await;
        for (index, step) in &steps {
            state.take(*index, *step).await;
            state.observe().await;
        }
        state.check(&format!("run {run}, {steps:?}")).await;
    }
}

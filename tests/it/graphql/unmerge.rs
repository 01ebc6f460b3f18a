//! Undoing a merge: both records are as before, and what was edited since is listed.

use kurultai::core::auth::Role;
use rstest::rstest;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::server::{Asker, On, Server};

const TEXT: &str = r#"
jurisdictions:
- {slug: kz, name: {en: Kazakhstan}, classification: country}
organizations:
- {slug: court, name: {en: Court}, classification: court, jurisdiction: kz}
- {slug: office, name: {en: Office}, classification: ministry, parent: court}
- {slug: office-2, name: {en: The Office}, classification: ministry, parent: office, description: {en: An office.}}
topics:
- {slug: press, label: {en: Press}}
- {slug: courts, label: {en: Courts}}
sources:
- {slug: news, title: {en: News}, kind: article}
people:
- {slug: dana, name: {en: Dana Akhmetova}, birthDate: "1970", jurisdiction: kz, identifiers: [{scheme: register, value: "1"}], topics: [press]}
- slug: dana-2
  name: {en: Dana A., ru: Дана А.}
  otherNames: [{name: Dana}]
  birthDate: "1971-02"
  gender: female
  links: [{url: "https://example.org/dana"}]
  identifiers: [{scheme: register, value: "2"}, {scheme: archive, value: "2"}]
  topics: [press, courts]
  citations: [{key: q, source: news, field: gender, value: female, quote: Q}]
- {slug: third, name: {en: Someone Else}}
memberships:
- {slug: seat, label: {en: Member}, person: dana-2, organization: court}
cases:
- slug: case-1
  title: {en: The case}
  kind: criminal
  status: pending
  parties:
  - {key: one, role: defendant, person: dana}
  - {key: two, role: witness, person: dana-2, citations: [{key: c, source: news}]}
statements:
- {slug: said, text: {en: Text}, speaker: dana-2, saidOn: "2020", about: [{person: dana-2}, {person: dana}]}
"#;

/// Everything that a merge of the two people or of the two offices can move.
const EVERYTHING: &str = r#"{
  dana: person(by: {slug: "dana"}) { ...p }
  dana2: person(by: {slug: "dana-2"}) { ...p }
  membership(by: {slug: "seat"}) { person { slug } }
  case(by: {slug: "case-1"}) { parties { nodes { key person { slug } citations { nodes { key } } } } }
  statement(by: {slug: "said"}) { speaker { slug } about { nodes { record { ... on Person { slug } } } } }
  office: organization(by: {slug: "office"}) { id slug name descriptions { text } parent { slug } }
  office2: organization(by: {slug: "office-2"}) { id slug name descriptions { text } parent { slug } }
}
fragment p on Person {
  id slug names { text } otherNames { name } birthDate gender links { url } jurisdiction { slug }
  identifiers { scheme value } topics { nodes { slug } } citations { nodes { key quote source { slug } } }
}"#;

const UNMERGE: &str = "unmergePeople { record { slug } into { slug } notRestored { type path reason } }";

async fn kinds(asker: &Asker<'_>, slug: &str) -> Vec<String> {
    let data = asker.data(&format!("{{ person(by: {{slug: \"{slug}\"}}) {{ history {{ nodes {{ kind }} }} }} }}")).await;
    data["person"]["history"]["nodes"].as_array().unwrap().iter().map(|node| node["kind"].as_str().unwrap().to_owned()).collect()
}

async fn revision(asker: &Asker<'_>, slug: &str) -> i64 {
    asker.data(&format!("{{ person(by: {{slug: \"{slug}\"}}) {{ revision }} }}")).await["person"]["revision"].as_i64().unwrap()
}

/// Code and beginning of the message of the only error of an unmerge of a person.
async fn refusal(editor: &Asker<'_>, input: Value) -> (String, String, String) {
    let payload = editor.payload(UNMERGE, input).await;
    let errors = payload["errors"].as_array().unwrap();
    assert_eq!((errors.len(), &payload["record"]), (1, &Value::Null), "{payload:#}");
    (errors[0]["path"].to_string(), errors[0]["code"].as_str().unwrap().to_owned(), errors[0]["message"].as_str().unwrap().to_owned())
}

#[rstest]
#[tokio::test]
async fn unmerge_restores_both_records_and_all_references(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let before = server.data(EVERYTHING).await;
    editor.done("mergePeople { person { id } }", json!({"from": "dana-2", "into": "dana"})).await;
    editor.done("mergeOrganizations { organization { id } }", json!({"from": "office", "into": "office-2"})).await;
    assert_ne!(server.data(EVERYTHING).await, before);

    let expected = revision(&editor, "dana").await;
    let undone = editor.done(UNMERGE, json!({"from": "dana-2", "expectedRevision": expected})).await;
    assert_eq!(undone["notRestored"], json!([]));
    assert_eq!((&undone["record"]["slug"], &undone["into"]["slug"]), (&json!("dana-2"), &json!("dana")));
    let id = &before["office"]["id"];
    let undone = editor.done("unmergeOrganizations { record { id } notRestored { path reason } }", json!({"from": id})).await;
    assert_eq!((&undone["notRestored"], &undone["record"]["id"]), (&json!([]), id));
    assert_eq!(server.data(EVERYTHING).await, before);
    // both ids and slugs lead to their own record, and both histories tell of it
    let id = before["dana2"]["id"].as_str().unwrap();
    assert_eq!(server.data(&format!("{{ node(id: \"{id}\") {{ id }} }}")).await["node"]["id"], id);
    assert_eq!(kinds(&editor, "dana-2").await, ["UNMERGED", "MERGED", "CREATED"]);
    assert_eq!(kinds(&editor, "dana").await, ["UNMERGED", "UPDATED", "CREATED"]);
    let reader = Asker::reader(&server);
    assert_eq!(kinds(&reader, "dana-2").await, ["UNMERGED", "MERGED"]);
    // earlier states of both stay readable
    let state = editor.data(&format!("{{ recordState(record: \"{id}\", asOfRevision: 1) {{ fields {{ field value }} }} }}")).await;
    assert!(state["recordState"].to_string().contains("1971-02"), "{state:#}");
    // the records are ordinary again: they can be imported, edited and merged
    assert_eq!(server.import(TEXT).await.unwrap().updated, 0);
    editor.done("mergePeople { person { id } }", json!({"from": "dana", "into": "dana-2"})).await;
    assert_eq!(editor.done(UNMERGE, json!({"from": "dana"})).await["notRestored"], json!([]));
    assert_eq!(server.data(EVERYTHING).await, before);
}

#[rstest]
#[tokio::test]
async fn unmerge_keeps_later_edits_and_lists_them(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    editor.done("mergePeople { person { id } }", json!({"from": "dana-2", "into": "dana"})).await;
    let person = editor.data("{ person(by: {slug: \"dana\"}) { id } }").await["person"]["id"].clone();
    // a value, a list, a citation and a reference are edited; an identifier and a party are removed; new things are added
    let edit = json!({"id": "dana", "gender": "not given", "deathDate": "2020", "links": [{"url": "https://example.org/new"}],
        "citations": [{"key": "q", "source": "news", "field": "gender", "value": "female", "quote": "Other"}]});
    editor.done("updatePerson { person { id } }", edit).await;
    editor.done("removeIdentifier { record { id } }", json!({"record": person, "scheme": "archive", "value": "2"})).await;
    editor.done("updatePerson { person { id } }", json!({"id": "third", "identifiers": [{"scheme": "archive", "value": "2"}]})).await;
    editor.done("updateMembership { membership { id } }", json!({"id": "seat", "person": "third"})).await;
    let parties = json!([{"key": "one", "role": "DEFENDANT", "person": "dana"}, {"key": "new", "role": "LAWYER", "person": "dana"}]);
    editor.done("updateCase { case { id } }", json!({"id": "case-1", "parties": parties, "replace": true})).await;
    editor.done("deleteStatement { deletedId }", json!({"id": "said"})).await;

    let undone = editor.done(UNMERGE, json!({"from": "dana-2"})).await;
    let mut listed: Vec<(String, String)> = Vec::new();
    for place in undone["notRestored"].as_array().unwrap() {
        let text = |name: &str| place[name].as_str().unwrap().to_owned();
        assert!(!text("reason").is_empty());
        listed.push((text("type"), text("path")));
    }
    listed.sort();
    let expected = [
        ("case", "parties[two].person"),
        ("membership", "person"),
        ("person", "citations[q]"),
        ("person", "gender"),
        ("person", "identifiers[archive:2]"),
        ("person", "links"),
        ("statement", ""),
    ];
    assert_eq!(listed, expected.map(|(ty, path)| (ty.to_owned(), path.to_owned())), "{undone:#}");
    let after = server.data(EVERYTHING).await;
    let values = |person: &str| {
        json!([
            after[person]["gender"],
            after[person]["birthDate"],
            after[person]["links"],
            after[person]["citations"]["nodes"][0]["quote"]
        ])
    };
    assert_eq!(values("dana"), json!(["not given", "1970", [{"url": "https://example.org/new"}], "Other"]));
    assert_eq!(values("dana2"), json!(["female", "1971-02", [{"url": "https://example.org/dana"}], "Q"]));
    assert_eq!(after["dana"]["identifiers"], json!([{"scheme": "register", "value": "1"}]));
    assert_eq!(after["dana2"]["identifiers"], json!([{"scheme": "register", "value": "2"}]));
    assert_eq!(after["membership"]["person"]["slug"], "third");
    let parties = json!([
        {"key": "one", "person": {"slug": "dana"}, "citations": {"nodes": []}},
        {"key": "new", "person": {"slug": "dana"}, "citations": {"nodes": []}},
    ]);
    assert_eq!(after["case"]["parties"]["nodes"], parties);
}

#[rstest]
#[tokio::test]
async fn slug_and_records_gone_since_do_not_prevent_unmerge(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let id = editor.data("{ person(by: {slug: \"dana-2\"}) { id } }").await["person"]["id"].clone();
    editor.done("mergePeople { person { id } }", json!({"from": "dana-2", "into": "dana"})).await;
    editor.done("updatePerson { person { id } }", json!({"id": "third", "slug": "dana-2"})).await;
    editor.done("updatePerson { person { id } }", json!({"id": "dana", "topics": ["press"]})).await;
    editor.done("deleteTopic { deletedId }", json!({"id": "courts"})).await;
    let undone = editor.done(UNMERGE, json!({"from": id})).await;
    let paths: Vec<&str> = undone["notRestored"].as_array().unwrap().iter().map(|place| place["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["topics[courts]", "slug"]);
    assert_eq!(undone["record"]["slug"], "dana-a");
    let found = server.data("{ person(by: {slug: \"dana-2\"}) { name } }").await;
    assert_eq!(found["person"]["name"], "Someone Else");
}

#[rstest]
#[tokio::test]
async fn chained_merges_are_undone_from_the_last_to_the_first(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let before = server.data(EVERYTHING).await;
    editor.done("updatePerson { person { id } }", json!({"id": "dana-2", "slug": "dana-b"})).await;
    editor.done("updatePerson { person { id } }", json!({"id": "dana-b", "slug": "dana-2"})).await;
    for (from, into) in [("dana-2", "dana"), ("dana", "third")] {
        editor.done("mergePeople { person { id } }", json!({"from": from, "into": into})).await;
    }
    let slug =
        async |name: &str| server.data(&format!("{{ person(by: {{slug: \"{name}\"}}) {{ slug }} }}")).await["person"]["slug"].clone();
    for name in ["dana", "dana-2", "dana-b"] {
        assert_eq!(slug(name).await, "third");
    }
    let (path, code, message) = refusal(&editor, json!({"from": "dana-2"})).await;
    assert_eq!((path.as_str(), code.as_str()), (r#"["input","from"]"#, "IN_USE"));
    assert!(message.contains("undo that merge first"), "{message}");
    for (name, others) in [("dana", "dana"), ("dana-2", "dana-2")] {
        assert_eq!(editor.done(UNMERGE, json!({"from": name})).await["notRestored"], json!([]));
        for former in ["dana-2", "dana-b"] {
            assert_eq!(slug(former).await, others);
        }
    }
    assert_eq!(server.data(EVERYTHING).await, before);
}

#[rstest]
#[tokio::test]
async fn unmerge_without_a_recorded_merge_is_refused(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let admin = Asker::with_role(&server, Role::Admin).await;
    let id = editor.data("{ person(by: {slug: \"dana-2\"}) { id } }").await["person"]["id"].clone();
    let from = |code: &str, message: &str| (r#"["input","from"]"#.to_owned(), code.to_owned(), message.to_owned());
    let unknown = "person_01h455vb4pex5vsknk084sn02q";
    let merged_nowhere = "not merged into another one; give the id or former slug of the record that was merged";
    assert_eq!(refusal(&editor, json!({"from": "nobody"})).await, from("NOT_FOUND", "no person with the slug \"nobody\" was merged"));
    assert_eq!(refusal(&editor, json!({"from": unknown})).await, from("NOT_FOUND", &format!("there is no person with the id {unknown}")));
    assert_eq!(refusal(&editor, json!({"from": "dana"})).await, from("INVALID", &format!("the person \"dana\" is {merged_nowhere}")));
    assert_eq!(refusal(&editor, json!({"from": id})).await, from("INVALID", &format!("this person is {merged_nowhere}")));

    editor.done("mergePeople { person { id } }", json!({"from": "dana-2", "into": "dana"})).await;
    let number = revision(&editor, "dana").await;
    let (path, code, _) = refusal(&editor, json!({"from": id, "expectedRevision": number - 1})).await;
    assert_eq!((path.as_str(), code.as_str()), (r#"["input","expectedRevision"]"#, "CONFLICT"));
    // the kept record is deleted, and comes back
    for (slug, ty) in [("seat", "Membership"), ("case-1", "Case"), ("said", "Statement")] {
        editor.done(&format!("delete{ty} {{ deletedId }}"), json!({"id": slug})).await;
    }
    let kept = editor.data("{ person(by: {slug: \"dana\"}) { id } }").await["person"]["id"].clone();
    editor.done("deletePerson { deletedId }", json!({"id": "dana"})).await;
    let (_, code, message) = refusal(&editor, json!({"from": id})).await;
    assert!(code == "IN_USE" && message.contains("which was deleted since; revert the deletion first"), "{message}");
    editor.done("revert { record { id } }", json!({"record": kept, "toRevision": number})).await;
    // a merge of which nothing is recorded, as earlier versions made it
    let raw = server.database.raw().await;
    raw.execute_unprepared("UPDATE former_slugs SET origin_id = NULL").await.unwrap();
    let (_, code, message) = refusal(&editor, json!({"from": "dana-2"})).await;
    assert!(code == "NOT_FOUND" && message.contains("no merge of a person with this slug is recorded"), "{message}");
    raw.execute_unprepared("CREATE TABLE kept_merges AS SELECT * FROM merges").await.unwrap();
    raw.execute_unprepared("DELETE FROM merges").await.unwrap();
    let (_, code, message) = refusal(&editor, json!({"from": id})).await;
    assert!(code == "NOT_FOUND" && message.contains("the merge was made by an earlier version"), "{message}");
    raw.execute_unprepared("INSERT INTO merges SELECT * FROM kept_merges").await.unwrap();
    // withholding ends what is recorded
    admin.done("withholdPerson { person { id } }", json!({"person": kept})).await;
    let (_, code, message) = refusal(&editor, json!({"from": id})).await;
    assert!(code == "NOT_FOUND" && message.contains("was withheld since"), "{message}");
}

/// Two people whose names share a word, and texts that only the merged one has.
const SECRETS: &str = r#"
sources:
- {slug: news, title: {en: News}, kind: article}
topics:
- {slug: press, label: {en: Press}}
people:
- {slug: kept, name: {en: Zarina Omarova}, biography: null, identifiers: [{scheme: register, value: "1"}]}
- slug: merged
  name: {en: Zarina Bekova}
  otherNames: [{name: Zarina Secretova}]
  biography: {en: Secret life.}
  gender: secret gender
  links: [{url: "https://example.org/secret"}]
  identifiers: [{scheme: register, value: "secret-2"}]
  topics: [press]
  citations: [{key: secret-key, source: news, field: gender, value: secret gender, quote: Secret quote, note: Secret note}]
statements:
- {slug: said, text: {en: Text}, speaker: merged, saidOn: "2020"}
"#;

/// All that the interfaces of the history give of the kept record.
async fn history_of_kept(asker: &Asker<'_>, id: &Value) -> String {
    let numbered = (1..10).map(|number| {
        format!(
            "s{number}: recordState(record: {id}, asOfRevision: {number}) {{ fields {{ field value }} }} \
             c{number}: compareRevisions(record: {id}, from: {number}, to: {}) {{ field old new }} ",
            number + 1
        )
    });
    let numbered: String = numbered.collect();
    let node =
        format!("node(id: {id}) {{ ... on Person {{ history(first: 50) {{ nodes {{ kind message changes {{ field old new }} }} }} }} }}");
    asker.data(&format!("{{ {numbered} {node} }}")).await.to_string().to_lowercase()
}

/// What a merge gave to the kept record leaves its history with the unmerge: the restored record may be hidden afterwards.
#[rstest]
#[tokio::test]
async fn unmerged_values_leave_the_history_of_the_kept_record(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, SECRETS).await;
    let (editor, admin, reader) =
        (Asker::with_role(&server, Role::Editor).await, Asker::with_role(&server, Role::Admin).await, Asker::reader(&server));
    let ids = server.data("{ kept: person(by: {slug: \"kept\"}) { id } merged: person(by: {slug: \"merged\"}) { id } }").await;
    let (kept, merged) = (&ids["kept"]["id"], &ids["merged"]["id"]);
    editor.done("mergePeople { person { id } }", json!({"from": "merged", "into": "kept"})).await;
    // edits of the kept record between the merge and the unmerge, one of them of a value that the merge gave
    editor.done("updatePerson { person { id } }", json!({"id": "kept", "deathDate": "2001"})).await;
    let citation = json!([{"key": "secret-key", "source": "news", "field": "gender", "value": "g", "quote": "Corrected", "note": null}]);
    editor.done("updatePerson { person { id } }", json!({"id": "kept", "gender": "g", "citations": citation})).await;
    for mutation in ["unpublishPerson { person { id } }", "publishPerson { person { id } }"] {
        editor.done(mutation, json!({"id": "kept"})).await;
    }
    assert!(history_of_kept(&reader, kept).await.contains("secret life"));
    let undone = editor.done(UNMERGE, json!({"from": merged})).await;
    assert_eq!(undone["notRestored"].as_array().unwrap().len(), 2, "{undone:#}");
    for asker in [&reader, &editor, &admin] {
        let history = history_of_kept(asker, kept).await.replace("secret-key", "key");
        assert!(!history.contains("secret"), "{history}");
    }
    let history = history_of_kept(&editor, kept).await;
    assert!(history.contains("2001") && history.contains("corrected") && history.contains("omarova"), "{history}");
    // every state of the kept record is as it was without the merged one
    let states = editor.data(&format!("{{ first: recordState(record: {kept}, asOfRevision: 1) {{ fields {{ field value }} }} edited: recordState(record: {kept}, asOfRevision: 3) {{ fields {{ field value }} }} }}")).await;
    assert!(!states["first"].to_string().contains("2001") && states["edited"].to_string().contains("2001"), "{states:#}");

    // the merged record keeps its values, until it is withheld
    let restored = reader.data("{ person(by: {slug: \"merged\"}) { biography identifiers { value } } }").await;
    assert_eq!(restored["person"], json!({"biography": "Secret life.", "identifiers": [{"value": "secret-2"}]}));
    admin.done("withholdPerson { person { id } }", json!({"person": "merged"})).await;
    let feed = admin
        .data(
            "{ changes(first: 100) { nodes { changes { field old new } } } revisions(first: 100) { nodes { changes { field old new } } } }",
        )
        .await;
    let feed = feed.to_string().to_lowercase().replace("secret-key", "key");
    assert!(!feed.contains("secret"), "{feed}");
    let shown = reader.data("{ person(by: {slug: \"kept\"}) { name gender deathDate } }").await;
    assert_eq!(shown["person"], json!({"name": "Zarina Omarova", "gender": "g", "deathDate": "2001"}));
}

/// What the restored record has is not the identity of the person that it was merged into by mistake.
#[rstest]
#[tokio::test]
async fn withholding_the_kept_person_spares_the_restored_one(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, SECRETS).await;
    let (editor, admin) = (Asker::with_role(&server, Role::Editor).await, Asker::with_role(&server, Role::Admin).await);
    editor.done("mergePeople { person { id } }", json!({"from": "merged", "into": "kept"})).await;
    editor.done(UNMERGE, json!({"from": "merged"})).await;
    admin.done("withholdPerson { person { id } }", json!({"person": "kept"})).await;
    let restored = server.data("{ person(by: {slug: \"merged\"}) { name otherNames { name } identifiers { value } } }").await;
    let expected = json!({"name": "Zarina Bekova", "otherNames": [{"name": "Zarina Secretova"}], "identifiers": [{"value": "secret-2"}]});
    assert_eq!(restored["person"], expected);
    editor.done("updatePerson { person { id } }", json!({"id": "merged", "biography": {"en": "Zarina Bekova spoke."}})).await;
    assert_eq!(server.import(SECRETS).await.unwrap().created, 0);
    let restored = server.data("{ person(by: {slug: \"merged\"}) { name biography } people { totalCount } }").await;
    assert_eq!((&restored["person"]["name"], &restored["people"]["totalCount"]), (&json!("Zarina Bekova"), &json!(2)));
}

/// A value that two merged records have goes with the one that is restored, and the place says so.
#[rstest]
#[tokio::test]
async fn unmerge_lists_values_that_another_merge_also_gave(#[values(On::Sqlite, On::Postgres)] on: On) {
    let text = "
topics:
- {slug: press, label: {en: Press}}
people:
- {slug: kept, name: {en: Kept}}
- {slug: one, name: {en: Person One}, otherNames: [{name: Shared}, {name: Own}], gender: f, topics: [press]}
- {slug: two, name: {en: Person Two}, otherNames: [{name: Shared}], gender: f, topics: [press]}
";
    let server = Server::with(on, text).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    for from in ["one", "two"] {
        editor.done("mergePeople { person { id } }", json!({"from": from, "into": "kept"})).await;
    }
    let undone = editor.done(UNMERGE, json!({"from": "one"})).await;
    let places = undone["notRestored"].as_array().unwrap();
    let mut paths: Vec<&str> = places.iter().map(|place| place["path"].as_str().unwrap()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["gender", "otherNames", "topics[press]"], "{undone:#}");
    assert!(places.iter().all(|place| place["reason"].as_str().unwrap().contains("also had it; add it again")), "{undone:#}");
    let query = "{ kept: person(by: {slug: \"kept\"}) { ...p } one: person(by: {slug: \"one\"}) { ...p } }
        fragment p on Person { gender otherNames { name } topics { nodes { slug } } }";
    let people = server.data(query).await;
    assert_eq!(people["kept"], json!({"gender": null, "otherNames": [{"name": "Person Two"}], "topics": {"nodes": []}}));
    assert_eq!(people["one"]["otherNames"], json!([{"name": "Shared"}, {"name": "Own"}]));
    // the other one is restored as it was
    assert_eq!(editor.done(UNMERGE, json!({"from": "two"})).await["notRestored"].as_array().unwrap().len(), 0);
}

#[rstest]
#[tokio::test]
async fn restored_records_keep_their_instants_and_former_slugs(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with_system_clock(on, TEXT).await;
    let (editor, reader) = (Asker::with_role(&server, Role::Editor).await, Asker::reader(&server));
    editor.done("createSource { source { id } }", json!({"slug": "copy", "title": {"en": "Copy"}, "kind": "ARTICLE"})).await;
    for (old, new) in [("dana-2", "dana-b"), ("dana-b", "dana-c")] {
        editor.done("updatePerson { person { id } }", json!({"id": old, "slug": new})).await;
    }
    let instants = "{ source(by: {slug: \"copy\"}) { createdAt checkedAt lastChangedAt } person(by: {slug: \"dana-c\"}) { createdAt } }";
    let before = reader.data(instants).await;
    editor.done("mergeSources { source { id } }", json!({"from": "copy", "into": "news"})).await;
    editor.done("mergePeople { person { id } }", json!({"from": "dana-c", "into": "dana"})).await;
    // unpublishing the kept person hides the slugs that lead to it
    for mutation in ["unpublishPerson { person { id } }", "publishPerson { person { id } }"] {
        editor.done(mutation, json!({"id": "dana"})).await;
    }
    let slug =
        async |name: &str| reader.data(&format!("{{ person(by: {{slug: \"{name}\"}}) {{ slug }} }}")).await["person"]["slug"].clone();
    assert_eq!(slug("dana-2").await, Value::Null);
    editor.done(UNMERGE, json!({"from": "dana-c"})).await;
    editor.done("unmergeSources { record { id } }", json!({"from": "copy"})).await;
    assert_eq!(reader.data(instants).await, before);
    for name in ["dana-2", "dana-b", "dana-c"] {
        assert_eq!(slug(name).await, "dana-c");
    }
}

#[rstest]
#[tokio::test]
async fn unmerge_publishes_nothing_that_was_unpublished_since(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let (editor, reader) = (Asker::with_role(&server, Role::Editor).await, Asker::reader(&server));
    let data = editor.data("{ a: person(by: {slug: \"dana\"}) { id } b: person(by: {slug: \"dana-2\"}) { id } }").await;
    editor.done("mergePeople { person { id } }", json!({"from": data["b"]["id"], "into": data["a"]["id"]})).await;
    editor.done("unpublishPerson { person { id } }", json!({"id": "dana"})).await;
    let undone = editor.done("unmergePeople { notRestored { path reason } }", json!({"from": data["b"]["id"]})).await;
    let draft = undone["notRestored"].as_array().unwrap().iter().find(|place| place["path"] == "published");
    assert!(draft.is_some_and(|place| place["reason"].as_str().unwrap().contains("restored as a draft")), "{undone}");
    let shown = "{ person(by: {slug: \"dana-2\"}) { slug published } }";
    assert_eq!(reader.data(shown).await["person"], Value::Null);
    assert_eq!(editor.data(shown).await["person"]["published"], false);
}

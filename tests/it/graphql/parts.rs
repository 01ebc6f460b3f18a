//! Single parts of records are added, updated and removed by mutations, and no other part changes.

use kurultai::catalog::catalog;
use kurultai::catalog::kind::FieldKind;
use kurultai::catalog::record::RecordKind;
use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{Asker, On, Server};

const TEXT: &str = r#"
organizations:
- {slug: court, name: {en: Court}, classification: court}
people:
- {slug: anna, name: {en: Anna Petrova}}
- {slug: berik, name: {en: Berik}}
- {slug: dana, name: {en: Dana}, published: false}
sources:
- {slug: news, title: {en: News}, kind: article}
cases:
- slug: case-1
  title: {en: The case}
  kind: criminal
  status: pending
  court: court
  identifiers: [{scheme: docket, value: "7"}]
  parties:
  - {key: anna, role: defendant, person: anna, citations: [{key: c, source: news, quote: Q}]}
  - {key: berik, role: witness, person: berik}
  charges:
  - {key: theft, party: anna, outcome: pending, citations: [{key: c, source: news}]}
  events:
  - {date: "2020-01", kind: arrest, text: {en: Arrested}, citations: [{key: c, source: news}]}
  - {key: hearing, date: "2020-02", kind: hearing, text: {en: Heard}, citations: [{key: c, source: news}]}
  - {key: appeal, date: "2020-03", kind: appeal, text: {en: Appealed}}
voteEvents:
- slug: vote-1
  motion: {en: The vote}
  result: pass
  votes:
  - {key: anna, person: anna, option: "yes"}
statements:
- {slug: said, text: {en: Text}, speaker: anna, saidOn: "2020", about: [{person: anna}]}
"#;
const CASE: &str = "{ case(by: {slug: \"case-1\"}) { revision parties { nodes { key role citations { nodes { quote } } } } events { nodes { key date kind organization { slug } citations { totalCount } } } } }";

fn keys(list: &Value) -> Vec<&str> {
    list["nodes"].as_array().unwrap().iter().map(|node| node["key"].as_str().unwrap()).collect()
}

/// The only error: its path below `input`, its code and its message.
fn error(payload: &Value) -> (Value, &str, &str) {
    let errors = payload["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{payload:#}");
    let path = errors[0]["path"].as_array().unwrap()[1..].to_vec();
    (Value::Array(path), errors[0]["code"].as_str().unwrap(), errors[0]["message"].as_str().unwrap())
}

#[rstest]
#[tokio::test]
async fn part_is_added_updated_and_removed_alone(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let case = json!({"slug": "case-1"});
    let part = "case { revision events { nodes { key } } } part { ... on CaseEvent { id key kind citations { nodes { quote } } } }";
    let added = editor
        .done(
            &format!("addCaseEvent {{ {part} }}"),
            json!({
                "case": {"identifier": {"scheme": "docket", "value": "7"}}, "expectedRevision": 1, "message": "from the register",
                "caseEvent": {"key": "ruling", "date": "2020-04", "kind": "VERDICT", "text": {"en": "Ruled"}, "citations": [{"source": "news", "quote": "N"}]},
            }),
        )
        .await;
    assert_eq!(keys(&added["case"]["events"]), ["1", "hearing", "appeal", "ruling"]);
    assert_eq!(added["part"]["citations"]["nodes"], json!([{"quote": "N"}]));
    let id = added["part"]["id"].as_str().unwrap();

    // by id, with a new key; fields and citations that are not given stay
    let input = json!({"case": case, "part": id, "date": "2020-05", "organization": "court", "key": "verdict"});
    let updated = editor.done(&format!("updateCaseEvent {{ {part} }}"), input).await;
    assert_eq!(updated["part"], json!({"id": id, "key": "verdict", "kind": "VERDICT", "citations": {"nodes": [{"quote": "N"}]}}));
    // by key; null clears a field
    editor.done("updateCaseEvent { case { id } }", json!({"case": case, "part": "verdict", "organization": null})).await;
    editor.done("updateCaseParty { case { id } }", json!({"case": case, "part": "anna", "role": "SUSPECT"})).await;
    let removed =
        editor.done(&format!("removeCaseEvent {{ {part} }}"), json!({"case": case, "part": "hearing", "expectedRevision": 5})).await;
    assert_eq!(removed["part"], Value::Null);

    let found = server.data(CASE).await["case"].take();
    assert_eq!(found["revision"], 6);
    assert_eq!(
        found["events"]["nodes"],
        json!([
            {"key": "1", "date": "2020-01", "kind": "ARREST", "organization": null, "citations": {"totalCount": 1}},
            {"key": "appeal", "date": "2020-03", "kind": "APPEAL", "organization": null, "citations": {"totalCount": 0}},
            {"key": "verdict", "date": "2020-05", "kind": "VERDICT", "organization": null, "citations": {"totalCount": 1}},
        ])
    );
    assert_eq!(
        found["parties"]["nodes"],
        json!([
            {"key": "anna", "role": "SUSPECT", "citations": {"nodes": [{"quote": "Q"}]}},
            {"key": "berik", "role": "WITNESS", "citations": {"nodes": []}},
        ])
    );
    // each is one change, which can be reverted
    let history = "{ case(by: {slug: \"case-1\"}) { id history(first: 6) { nodes { message changes { field } } } } }";
    let history = server.data(history).await["case"].take();
    assert_eq!(history["history"]["nodes"][4]["message"], "from the register");
    assert_eq!(history["history"]["nodes"][1]["changes"], json!([{"field": "parties[anna].role"}]));
    editor.done("revert { record { id } }", json!({"record": history["id"], "toRevision": 1})).await;
    let reverted = server.data(CASE).await["case"].take();
    assert_eq!(keys(&reverted["events"]), ["1", "hearing", "appeal"]);

    // the parts of other records, and parts of one value
    let vote = json!({"voteEvent": {"slug": "vote-1"}, "vote": {"person": "berik", "option": "NO"}});
    let vote = editor.done("addVote { voteEvent { votes { nodes { person { slug } option } } } part { id } }", vote).await;
    assert_eq!(vote["voteEvent"]["votes"]["nodes"][1], json!({"person": {"slug": "berik"}, "option": "NO"}));
    let about = "statement { about { nodes { record { ... on Person { slug } ... on Case { slug } } } } }";
    let subject = json!({"statement": {"slug": "said"}, "subject": {"case": "case-1"}});
    let subject = editor.done(&format!("addSubject {{ {about} }}"), subject).await;
    assert_eq!(subject["statement"]["about"]["nodes"].as_array().unwrap().len(), 2, "{subject:#}");
}

#[rstest]
#[tokio::test]
async fn change_of_a_part_is_rejected_with_the_way_out(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let case = json!({"slug": "case-1"});
    let event = |key: &str| json!({"key": key, "kind": "HEARING", "text": {"en": "Heard"}});
    for (mutation, input, path, code, message) in [
        (
            "addCaseEvent",
            json!({"case": case, "caseEvent": event("hearing")}),
            json!(["caseEvent", "key"]),
            "TAKEN",
            "events[hearing] exists already; give another key, or use updateCaseEvent to change that one",
        ),
        (
            "updateCaseEvent",
            json!({"case": case, "part": "hearings", "date": "2020"}),
            json!(["part"]),
            "NOT_FOUND",
            "\"hearings\" is neither a key nor an id in events of this case; the keys are: 1, appeal, hearing",
        ),
        (
            "removeSentence",
            json!({"case": case, "part": "a"}),
            json!(["part"]),
            "NOT_FOUND",
            "\"a\" is neither a key nor an id in sentences of this case; the keys are: none",
        ),
        (
            "updateCaseEvent",
            json!({"case": case, "part": "appeal", "key": "hearing"}),
            json!(["key"]),
            "TAKEN",
            "events[hearing] exists already",
        ),
        ("updateCaseEvent", json!({"case": case, "part": "appeal", "kind": null}), json!(["kind"]), "MISSING", "kind is missing"),
        ("updateCaseEvent", json!({"case": case, "part": "appeal", "date": "2020-13"}), json!(["date"]), "INVALID", ""),
        (
            "addCaseEvent",
            json!({"case": {"slug": "case-2"}, "caseEvent": event("a")}),
            json!(["case", "slug"]),
            "NOT_FOUND",
            "there is no case with the slug \"case-2\"",
        ),
        (
            "addCaseEvent",
            json!({"case": {"id": "case-1"}, "caseEvent": event("a")}),
            json!(["case", "id"]),
            "INVALID",
            "\"case-1\" is not an id; give a slug as {slug: \"case-1\"}",
        ),
        (
            "removeCaseParty",
            json!({"case": case, "part": "anna"}),
            json!(["part"]),
            "IN_USE",
            "\"anna\" is removed but charges[theft].party still refers to it",
        ),
        (
            "addVote",
            json!({"voteEvent": {"slug": "vote-1"}, "vote": {"person": "anna", "option": "NO"}}),
            json!(["vote"]),
            "TAKEN",
            "it has the same person as votes[anna]; remove one of the two",
        ),
        (
            "updateCaseEvent",
            json!({"case": case, "part": "appeal", "kind": "HEARING", "expectedRevision": 9}),
            json!(["expectedRevision"]),
            "CONFLICT",
            "",
        ),
    ] {
        let owner = if mutation == "addVote" { "voteEvent" } else { "case" };
        let payload = editor.payload(&format!("{mutation} {{ {owner} {{ id }} part {{ id }} }}"), input).await;
        let found = error(&payload);
        assert_eq!((&found.0, found.1), (&path, code), "{mutation} {payload:#}");
        assert!(found.2.starts_with(message), "{mutation}: {}", found.2);
        assert_eq!((&payload[owner], &payload["part"]), (&Value::Null, &Value::Null));
    }
    // all errors at once
    let input =
        json!({"case": {"slug": "nowhere"}, "caseEvent": {"kind": "HEARING", "text": {}, "organization": "nobody", "date": "2020-13"}});
    let payload = editor.payload("addCaseEvent { case { id } }", input).await;
    let paths: Vec<String> = payload["errors"].as_array().unwrap().iter().map(|error| error["path"].to_string()).collect();
    for path in [r#"["input","case","slug"]"#, r#"["input","caseEvent","date"]"#, r#"["input","caseEvent","organization"]"#] {
        assert!(paths.iter().any(|found| found == path), "{path}: {paths:?}");
    }
    assert_eq!(server.data(CASE).await["case"]["revision"], 1);
    let reader = Asker::reader(&server);
    let query = "mutation { removeCaseEvent(input: {case: {slug: \"case-1\"}, part: \"appeal\"}) { errors { message } } }";
    assert_eq!(reader.answer(query, json!({})).await["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[rstest]
#[tokio::test]
async fn list_that_lacks_cited_parts_needs_replace(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let events = json!([{"key": "appeal", "kind": "APPEAL", "text": {"en": "Appealed"}}]);
    let message =
        "this list lacks parts that have citations: events[1], events[hearing]; list them too, or set replace: true to remove them";
    for (mutation, name) in [("updateCase", "id"), ("upsertCase", "slug")] {
        let payload = editor.payload(&format!("{mutation} {{ case {{ id }} }}"), json!({name: "case-1", "events": events})).await;
        assert_eq!(error(&payload), (json!(["events"]), "IN_USE", message));
    }
    // parts without citations are dropped as before, and so are all in an import, which restates the list
    let parties = json!([{"key": "anna", "role": "DEFENDANT"}]);
    editor.done("updateCase { case { id } }", json!({"id": "case-1", "parties": parties})).await;
    assert_eq!(keys(&server.data(CASE).await["case"]["parties"]), ["anna"]);
    editor.done("updateCase { case { id } }", json!({"id": "case-1", "events": events, "replace": true})).await;
    assert_eq!(keys(&server.data(CASE).await["case"]["events"]), ["appeal"]);
    let case = |replace: Value| json!({"slug": "case-1", "charges": [], "replace": replace});
    let record = |replace: Value| json!({"records": [{"case": case(replace)}], "overwrite": true});
    let kept = editor.payload("importRecords { updated failed results { errors { message } } }", record(json!(false))).await;
    assert_eq!(kept["failed"], 1, "{kept:#}");
    let dropped = editor.payload("importRecords { updated failed }", record(Value::Null)).await;
    assert_eq!((&dropped["updated"], &dropped["failed"]), (&json!(1), &json!(0)));
}

#[rstest]
#[tokio::test]
async fn parts_of_drafts_and_names_of_withheld_people_stay_hidden(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let (admin, reader) = (Asker::with_role(&server, Role::Admin).await, Asker::reader(&server));
    admin.done("unpublishCase { case { id } }", json!({"id": "case-1"})).await;
    let event = json!({"key": "secret", "kind": "HEARING", "text": {"en": "Heard by Dana Petrova"}});
    let added = admin.done("addCaseEvent { part { id } }", json!({"case": {"slug": "case-1"}, "caseEvent": event})).await;
    let node = json!({"id": added["part"]["id"]});
    let query = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(reader.answer(query, node.clone()).await["data"]["node"], Value::Null);
    admin.done("publishCase { case { id } }", json!({"id": "case-1"})).await;
    assert_eq!(reader.answer(query, node.clone()).await["data"]["node"], node);
    admin.done("withholdPerson { placeCount }", json!({"person": "anna", "message": "asked"})).await;
    let named = json!({"case": {"slug": "case-1"}, "part": "secret", "text": {"en": "Anna Petrova was heard"}});
    let payload = admin.payload("updateCaseEvent { case { id } }", named).await;
    assert_eq!(error(&payload).1, "WITHHELD", "{payload:#}");
}

#[rstest]
#[tokio::test]
async fn citation_is_updated_alone(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let party = |members: Value| {
        let mut input = json!({"of": {"case": "case-1"}, "part": "parties[anna]"});
        input.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        input
    };
    let record = "record { ... on CaseParty { citations { nodes { key quote locator note source { slug } } } } }";
    let update = format!("updateCitation {{ {record} }}");
    editor.done(&update, party(json!({"key": "c", "locator": "page 2", "note": "Note"}))).await;
    let changed = editor.done(&update, party(json!({"key": "c", "quote": "Corrected", "note": null, "source": "news"}))).await;
    let citation = json!([{"key": "c", "quote": "Corrected", "locator": "page 2", "note": null, "source": {"slug": "news"}}]);
    assert_eq!(changed["record"]["citations"]["nodes"], citation);
    for (members, path, code, message) in [
        (json!({"key": "d", "quote": "Q"}), json!(["key"]), "NOT_FOUND", "there is no \"d\" in citations of this record; the keys are: c"),
        (json!({"key": "c", "quote": ""}), json!(["quote"]), "INVALID", "the text is empty"),
        (json!({"key": "c", "source": "nowhere"}), json!(["source"]), "NOT_FOUND", "there is no source with the slug \"nowhere\""),
        (json!({"key": "c", "source": null}), json!(["source"]), "MISSING", "source is missing"),
    ] {
        let payload = editor.payload(&update, party(members)).await;
        let found = error(&payload);
        assert_eq!((&found.0, found.1), (&path, code), "{payload:#}");
        assert!(found.2.starts_with(message), "{}", found.2);
    }
}

/// A key that another part has, before or after the changed one, is one error, whatever else refers to the two.
#[rstest]
#[tokio::test]
async fn taken_key_is_one_error(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let case = json!({"slug": "case-1"});
    let vote = json!({"voteEvent": {"slug": "vote-1"}, "vote": {"key": "berik", "person": "berik", "option": "NO"}});
    editor.done("addVote { voteEvent { id } }", vote).await;
    let before = server.data(CASE).await;
    for (mutation, list, part, other) in [
        ("updateCaseEvent", "events", "1", "hearing"),
        ("updateCaseEvent", "events", "1", "appeal"),
        ("updateCaseEvent", "events", "hearing", "appeal"),
        ("updateCaseEvent", "events", "appeal", "hearing"),
        ("updateCaseParty", "parties", "anna", "berik"),
        ("updateCaseParty", "parties", "berik", "anna"),
    ] {
        let payload = editor.payload(&format!("{mutation} {{ case {{ id }} }}"), json!({"case": case, "part": part, "key": other})).await;
        let message = format!("{list}[{other}] exists already; give another key, or use {mutation} to change that one");
        assert_eq!(error(&payload), (json!(["key"]), "TAKEN", message.as_str()), "{mutation} {part} {other}");
    }
    for (part, other) in [("anna", "berik"), ("berik", "anna")] {
        let input = json!({"voteEvent": {"slug": "vote-1"}, "part": part, "person": other});
        let payload = editor.payload("updateVote { voteEvent { id } }", input).await;
        let message = format!("it has the same person as votes[{other}]; remove one of the two");
        assert_eq!(error(&payload), (json!(["part"]), "TAKEN", message.as_str()), "{part} {other}");
        let input = json!({"voteEvent": {"slug": "vote-1"}, "part": part, "key": other});
        let payload = editor.payload("updateVote { voteEvent { id } }", input).await;
        assert_eq!((&error(&payload).0, error(&payload).1), (&json!(["key"]), "TAKEN"), "{part} {other}");
    }
    // all that is wrong is said at once, each thing once
    let input = json!({"case": case, "part": "nothing", "date": "2020-13", "expectedRevision": 9});
    let payload = editor.payload("updateCaseEvent { case { id } }", input).await;
    let errors = payload["errors"].as_array().unwrap();
    let mut found: Vec<String> = errors.iter().map(|error| format!("{} {}", error["path"][1], error["code"])).collect();
    found.sort();
    let expected = [r#""date" "INVALID""#, r#""expectedRevision" "CONFLICT""#, r#""part" "NOT_FOUND""#];
    assert_eq!(found, expected, "{payload:#}");
    let input = json!({"case": case, "part": "appeal", "key": "hearing", "kind": null, "expectedRevision": 9});
    let payload = editor.payload("updateCaseEvent { case { id } }", input).await;
    let errors = payload["errors"].as_array().unwrap();
    let mut found: Vec<String> = errors.iter().map(|error| format!("{} {}", error["path"][1], error["code"])).collect();
    found.sort();
    assert_eq!(found, [r#""expectedRevision" "CONFLICT""#, r#""key" "TAKEN""#, r#""kind" "MISSING""#], "{payload:#}");
    assert_eq!(server.data(CASE).await, before);
    // a key of its own is no other one
    editor.done("updateCaseEvent { case { id } }", json!({"case": case, "part": "appeal", "key": "appeal"})).await;
}

/// A source is cited by its URL, in any case of its host, and made if there is none.
#[rstest]
#[tokio::test]
async fn source_of_a_citation_is_found_or_made_by_its_url(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let source = |slug: &str, url: &str| json!({"slug": slug, "title": {"en": slug}, "kind": "ARTICLE", "url": url});
    for (slug, url) in [("page", "https://News.Example.kz/A_b"), ("twin-1", "https://x.kz/t"), ("twin-2", "https://x.kz/t")] {
        editor.done("createSource { source { id } }", source(slug, url)).await;
    }
    let cite = async |url: &str, quote: &str| {
        let input = json!({"of": {"case": "case-1"}, "citation": {"source": url, "quote": quote}, "message": "cited"});
        editor.payload("addCitation { record { id } }", input).await
    };
    let sources =
        "{ sources { totalCount } case(by: {slug: \"case-1\"}) { citations { nodes { quote source { slug title url kind } } } } }";
    for (url, quote) in [
        ("https://news.example.kz/A_b", "one"),
        ("HTTPS://NEWS.EXAMPLE.KZ/A_b", "one"),
        ("https://Made.kz/page_1/?q=A", "two"),
        ("https://made.kz/page_1/?q=A", "two"),
    ] {
        assert_eq!(cite(url, quote).await["errors"], json!([]), "{url}");
    }
    let data = server.data(sources).await;
    assert_eq!(data["sources"]["totalCount"], 5, "{data:#}");
    let made = json!({"slug": data["case"]["citations"]["nodes"][1]["source"]["slug"], "title": "made.kz/page_1/?q=A", "url": "https://made.kz/page_1/?q=A", "kind": "OTHER"});
    assert_eq!(
        data["case"]["citations"]["nodes"],
        json!([
            {"quote": "one", "source": {"slug": "page", "title": "page", "url": "https://news.example.kz/A_b", "kind": "ARTICLE"}},
            {"quote": "two", "source": made},
        ])
    );
    let twins = "two sources have the URL https://x.kz/t: twin-1 and twin-2; give one of these slugs, or merge the sources first";
    assert_eq!(error(&cite("https://X.kz/t", "three").await), (json!(["citation", "source"]), "TAKEN", twins));
    let wrong = cite("https://@x.kz/", "three").await;
    assert_eq!((error(&wrong).0, error(&wrong).1), (json!(["citation", "source"]), "INVALID"), "{wrong:#}");
    // nothing is made by a citation that is not
    let input = json!({"of": {"case": "case-1"}, "citation": {"source": "https://new.kz/", "field": "nothing"}});
    let payload = editor.payload("addCitation { record { id } }", input).await;
    assert_eq!(error(&payload).0, json!(["citation", "field"]), "{payload:#}");
    let input = json!({"of": {"case": "case-1"}, "citation": {"source": "https://new.kz/"}, "expectedRevision": 99});
    assert_eq!(error(&editor.payload("addCitation { record { id } }", input).await).1, "CONFLICT");
    assert_eq!(server.data(sources).await, data);
    // a citation moves to another source
    let input = json!({"of": {"case": "case-1"}, "part": "parties[anna]", "key": "c", "source": "https://news.example.kz/A_b"});
    let moved = editor.done("updateCitation { record { ... on CaseParty { citations { nodes { source { slug } } } } } }", input).await;
    assert_eq!(moved["record"]["citations"]["nodes"], json!([{"source": {"slug": "page"}}]));
}

/// Every type of part that belongs to one type of record has mutations, and their inputs have its fields.
#[tokio::test]
async fn every_part_of_every_record_has_mutations() {
    let sdl = kurultai::graphql::engine::sdl().unwrap();
    let mut count = 0;
    for part in catalog().all() {
        let Some(owner) = part.owner().filter(|owner| matches!(owner.kind, FieldKind::One(_))) else { continue };
        let FieldKind::One(owner) = owner.kind else { unreachable!() };
        let (name, owner) = (part.name(), catalog().get(owner));
        assert_eq!(owner.kind, RecordKind::Record);
        for field in [format!("\tadd{name}("), format!("\tremove{name}("), format!("input: Remove{}PartInput!", owner.name())] {
            assert!(sdl.contains(&field), "{field}");
        }
        if part.is_cited() {
            let input = sdl.split(&format!("input Update{name}Input {{")).nth(1).unwrap_or_else(|| panic!("no input for {name}"));
            let input = input.split("\n}").next().unwrap();
            for field in part.fields.iter().skip(1).filter(|field| !field.system) {
                assert!(input.contains(&format!("\t{}: ", field.name)), "{name}.{}", field.name);
            }
            count += 1;
        }
    }
    assert_eq!(count, 10);
}

/// The history names the party of a removed charge by its key, so that the charge can come back.
#[rstest]
#[tokio::test]
async fn removed_part_is_reverted_with_its_references(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let case = json!({"slug": "case-1"});
    editor
        .done(
            "addCharge { part { id } }",
            json!({"case": case, "charge": {"key": "c", "party": "anna", "outcome": "PENDING", "text": {"en": "T"}}}),
        )
        .await;
    let query = "{ case(by: {slug: \"case-1\"}) { id revision charges { nodes { key party { key } } } } }";
    let before = editor.data(query).await["case"].clone();
    editor.done("removeCharge { case { id } }", json!({"case": case, "part": "c"})).await;
    editor.done("revert { record { id } }", json!({"record": before["id"], "toRevision": before["revision"]})).await;
    assert_eq!(editor.data(query).await["case"]["charges"], before["charges"]);
    let history = editor.data("{ case(by: {slug: \"case-1\"}) { history { nodes { changes { field old new } } } } }").await;
    assert!(!history.to_string().contains("party_"), "{history}");
}

/// A citation that a part got after the revision goes with the revert, also if it was the first of the part.
#[rstest]
#[tokio::test]
async fn revert_removes_the_first_citation_of_a_part(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let of = json!({"case": "case-1"});
    let citation = json!({"source": "news", "quote": "Appealed"});
    editor.done("addCitation { record { id } }", json!({"of": of, "part": "events[appeal]", "citation": citation})).await;
    let query = "{ case(by: {slug: \"case-1\"}) { revision events { nodes { key citations { nodes { quote } } } } } }";
    let appeal = |data: &Value| {
        let events = data["case"]["events"]["nodes"].as_array().unwrap().iter();
        events.clone().find(|event| event["key"] == "appeal").unwrap()["citations"]["nodes"].clone()
    };
    assert_eq!(appeal(&editor.data(query).await), json!([{"quote": "Appealed"}]));
    editor.done("revert { record { id } }", json!({"of": of, "toRevision": 1})).await;
    assert_eq!(appeal(&editor.data(query).await), json!([]));
}

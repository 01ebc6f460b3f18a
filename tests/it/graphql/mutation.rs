//! Maintainers change records by mutations: checked, attributed, and to be undone.

use std::collections::BTreeSet;

use kurultai::catalog::catalog;
use kurultai::catalog::record::RecordKind;
use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{Asker, On, Server};

const TEXT: &str = r#"
jurisdictions:
- {slug: kz, name: {en: Kazakhstan}, classification: country}
organizations:
- {slug: court, name: {en: Court}, classification: court, jurisdiction: kz}
people:
- {slug: anna, name: {en: Anna Petrova, ru: Анна Петрова}, birthDate: "1970", jurisdiction: kz, identifiers: [{scheme: register, value: "1"}]}
- {slug: anna-2, name: {en: Ann Petrova}, jurisdiction: kz, identifiers: [{scheme: register, value: "2"}]}
topics:
- {slug: press, label: {en: Press}}
sources:
- {slug: news, title: {en: News}, kind: article}
cases:
- slug: case-1
  title: {en: The case of Anna Petrova}
  kind: criminal
  status: pending
  court: court
  jurisdiction: kz
  parties:
  - {key: anna, role: defendant, person: anna-2}
"#;

/// Path and code of each error.
fn path_and_code(payload: &Value) -> Vec<(String, String)> {
    let errors = payload["errors"].as_array().unwrap().iter();
    errors.map(|error| (error["path"].to_string(), error["code"].as_str().unwrap().to_owned())).collect()
}

/// Requires exactly these errors: the path in the input, the code, and the beginning of the message.
fn assert_errors(payload: &Value, expected: &[(Value, &str, &str)]) {
    let errors = payload["errors"].as_array().unwrap();
    for (error, (path, code, message)) in errors.iter().zip(expected) {
        let full = Value::Array([json!("input")].into_iter().chain(path.as_array().unwrap().iter().cloned()).collect());
        assert_eq!((&error["path"], &error["code"]), (&full, &json!(code)), "{payload:#}");
        assert!(error["message"].as_str().unwrap().starts_with(message), "{message}\n{error}");
    }
    assert_eq!(errors.len(), expected.len(), "{payload:#}");
}

/// Number of revisions, which every write increases.
async fn revision_count(server: &Server) -> Value {
    server.data("{ revisions { totalCount } }").await["revisions"]["totalCount"].take()
}

async fn slug_id(asker: &Asker<'_>, ty: &str, slug: &str) -> String {
    let data = asker.data(&format!("{{ {ty}(by: {{slug: \"{slug}\"}}) {{ id }} }}")).await;
    data[ty]["id"].as_str().unwrap_or_else(|| panic!("no {ty} {slug}")).to_owned()
}

/// The feed from a cursor to its end: kind, type and label of each change, and the cursor to resume from.
async fn feed(asker: &Asker<'_>, since: Option<&str>) -> (Vec<String>, Option<String>) {
    let mut told = Vec::new();
    let mut since = since.map(str::to_owned);
    loop {
        let query =
            "query($since: String) { changes(since: $since, first: 7) { nodes { kind recordType } pageInfo { hasNextPage endCursor } } }";
        let answer = asker.answer(query, json!({"since": since})).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        let page = &answer["data"]["changes"];
        for node in page["nodes"].as_array().unwrap() {
            told.push(format!("{} {}", node["kind"].as_str().unwrap(), node["recordType"].as_str().unwrap()));
        }
        if let Some(cursor) = page["pageInfo"]["endCursor"].as_str() {
            since = Some(cursor.to_owned());
        }
        if page["pageInfo"]["hasNextPage"] == false {
            return (told, since);
        }
    }
}

#[rstest]
#[tokio::test]
async fn record_is_created_updated_cleared_and_deleted(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let input = json!({
        "name": {"en": "Boris", "ru": "Борис"}, "birthDate": "1980-02", "jurisdiction": "kz", "topics": ["press"],
        "otherNames": [{"name": "Bob", "lang": "en"}],
        "citations": [{"source": "news", "field": "birthDate", "value": "1980-02", "quote": "born in 1980"}],
        "message": "from the register",
    });
    let made = editor
        .done(
            "createPerson { person { id slug name birthDate revision published otherNames { name } topics { nodes { slug } } citations { nodes { quote } } history { nodes { by message kind } } } }",
            input,
        )
        .await;
    let person = &made["person"];
    assert_eq!((&person["slug"], &person["name"], &person["birthDate"]), (&json!("boris"), &json!("Boris"), &json!("1980-02")));
    assert_eq!(person["topics"]["nodes"], json!([{"slug": "press"}]));
    assert_eq!(person["history"]["nodes"], json!([{"by": "editor", "message": "from the register", "kind": "CREATED"}]));

    // a second record with the same name gets a different slug
    let again = editor.done("createPerson { person { slug } possibleDuplicates { slug } }", json!({"name": {"en": "Boris"}})).await;
    assert_eq!(again["person"]["slug"], "boris-2");
    // and a warning; it is not merged
    assert_eq!(again["possibleDuplicates"], json!([{"slug": "boris"}]));

    // only given fields change, and null clears a field
    let id = person["id"].as_str().unwrap();
    let changed = editor
        .done("updatePerson { person { name birthDate gender revision } }", json!({"id": id, "gender": "male", "birthDate": null}))
        .await;
    assert_eq!(changed["person"], json!({"name": "Boris", "birthDate": null, "gender": "male", "revision": 2}));
    let by_slug = editor.done("updatePerson { person { gender } }", json!({"id": "boris", "gender": null})).await;
    assert_eq!(by_slug["person"]["gender"], Value::Null);
    // a field whose variable is omitted counts as omitted
    let query = "mutation($id: ID!, $gender: String, $name: Translations) { updatePerson(input: {id: $id, gender: $gender, name: $name}) { person { name gender } errors { message } } }";
    let answer = editor.answer(query, json!({"id": id, "gender": "m"})).await;
    assert_eq!(answer["data"]["updatePerson"], json!({"person": {"name": "Boris", "gender": "m"}, "errors": []}), "{answer:#}");

    let gone = editor.done("deletePerson { deletedId }", json!({"id": id})).await;
    assert_eq!(gone["deletedId"], id);
    assert_eq!(
        editor.data(&format!("{{ node(id: \"{id}\") {{ id }} search(query: \"bob\") {{ totalCount }} }}")).await,
        json!({"node": null, "search": {"totalCount": 0}})
    );
}

#[rstest]
#[tokio::test]
async fn all_input_errors_are_reported_with_their_path(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let input = json!({
        "title": {"en": "Another", "no language": "x"}, "kind": "CRIMINAL", "status": "PENDING", "openedOn": "2020-13", "court": "nowhere",
        "parties": [
            {"key": "a", "role": "DEFENDANT", "person": "anna"},
            {"key": "a", "role": "DEFENDANT", "person": "nobody"},
            {"role": "DEFENDANT", "person": "organization_01kdvdna00e008000000000001"},
        ],
    });
    let refused = editor.payload("createCase { case { id } }", input).await;
    assert_eq!(refused["case"], Value::Null);
    let faults = path_and_code(&refused);
    for expected in [
        (r#"["input","title","no language"]"#, "INVALID"),
        (r#"["input","openedOn"]"#, "INVALID"),
        (r#"["input","parties",2,"person"]"#, "INVALID"),
    ] {
        assert!(faults.contains(&(expected.0.to_owned(), expected.1.to_owned())), "{expected:?} {faults:?}");
    }
    let input = json!({
        "title": {"en": "Another"}, "kind": "CRIMINAL", "status": "PENDING", "court": "nowhere", "slug": "another",
        "parties": [{"role": "DEFENDANT", "person": "nobody"}],
    });
    let faults = self::path_and_code(&editor.payload("createCase { case { id } }", input).await);
    assert_eq!(
        faults,
        [
            (r#"["input","court"]"#.to_owned(), "NOT_FOUND".to_owned()),
            (r#"["input","parties",0,"person"]"#.to_owned(), "NOT_FOUND".to_owned())
        ]
    );
    let taken = editor.payload("createPerson { person { id } }", json!({"name": {"en": "Anna"}, "slug": "anna"})).await;
    assert_eq!(self::path_and_code(&taken), [(r#"["input","slug"]"#.to_owned(), "TAKEN".to_owned())]);
    assert_eq!(
        server.data("{ cases { totalCount } people { totalCount } }").await,
        json!({"cases": {"totalCount": 1}, "people": {"totalCount": 2}})
    );
}

#[rstest]
#[tokio::test]
async fn record_mutations_report_all_kinds_of_errors_at_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    editor
        .done(
            "createCase { case { id } }",
            json!({"slug": "case-2", "title": {"en": "T"}, "kind": "CIVIL", "status": "PENDING", "ecli": "E"}),
        )
        .await;
    let before = revision_count(&server).await;
    let missing_id = "case_01h455vb4pex5vsknk084sn02q";

    // an unknown record: what it has is unknown, but not what the input gives
    for (id, message) in [("nope", "there is no case with the slug \"nope\""), (missing_id, "there is no case with the id case_")] {
        let input = json!({
            "id": id, "openedOn": "x", "title": null, "slug": "case-2", "court": "no-such-court", "expectedRevision": 3, "ecli": "E",
            "parties": [{"key": "new", "role": "DEFENDANT", "person": "nobody"}],
            "charges": [{"party": "new", "outcome": "PENDING"}, {"party": "old", "outcome": "PENDING"}],
            "sentences": [{"kind": "FINE", "party": "new"}],
        });
        let payload = editor.payload("updateCase { case { id } }", input).await;
        let expected = [
            (json!(["id"]), "NOT_FOUND", message),
            (json!(["openedOn"]), "INVALID", "\"x\" is not a date"),
            (json!(["title"]), "MISSING", "title is missing"),
            (json!(["slug"]), "TAKEN", "\"case-2\" belongs to case \"case-2\" already"),
            (json!(["court"]), "NOT_FOUND", "there is no organization with the slug \"no-such-court\""),
            (json!(["ecli"]), "TAKEN", "\"E\" belongs to case \"case-2\" already"),
            (json!(["parties", 0, "person"]), "NOT_FOUND", "there is no person with the slug \"nobody\""),
            (json!(["charges", 1, "party"]), "NOT_FOUND", "there is no part with the key \"old\" in parties"),
        ];
        assert_errors(&payload, &expected[..]);
    }
    // a known record
    let input = json!({
        "id": "case-1", "expectedRevision": 3, "openedOn": "x", "kind": null, "slug": "case-2", "court": "no-such-court",
        "topics": ["nowhere"],
    });
    let payload = editor.payload("updateCase { case { id } }", input).await;
    let expected = [
        (json!(["expectedRevision"]), "CONFLICT", "this case is at revision 1, not 3"),
        (json!(["openedOn"]), "INVALID", "\"x\" is not a date"),
        (json!(["kind"]), "MISSING", "kind is missing"),
        (json!(["slug"]), "TAKEN", "\"case-2\" belongs to case \"case-2\" already"),
        (json!(["court"]), "NOT_FOUND", "there is no organization with the slug \"no-such-court\""),
        (json!(["topics", 0]), "NOT_FOUND", "there is no topic with the slug \"nowhere\""),
    ];
    assert_errors(&payload, &expected);
    assert_eq!(payload["errors"][0]["currentRevision"], 1);
    // parts: a key that is not valid may be that of the stored party, which then is neither missing nor removed
    let input = json!({
        "id": "case-1", "openedOn": "x",
        "parties": [{"key": "Anna", "role": "DEFENDANT", "person": "nobody"}],
        "charges": [{"key": "c", "party": "anna", "outcome": "PENDING", "provision": "nothing"}, {"key": "c", "outcome": "PENDING"}],
    });
    let expected = [
        (json!(["openedOn"]), "INVALID", "\"x\" is not a date"),
        (json!(["parties", 0, "key"]), "INVALID", "\"Anna\" is not a valid name"),
        (json!(["parties", 0, "person"]), "NOT_FOUND", "there is no person with the slug \"nobody\""),
        (json!(["charges", 0, "provision"]), "NOT_FOUND", "there is no provision with the slug \"nothing\""),
        (json!(["charges", 1, "key"]), "TAKEN", "\"c\" is given twice"),
    ];
    assert_errors(&editor.payload("updateCase { case { id } }", input).await, &expected);

    // creation; a required value that is not valid is not missing as well
    let input = json!({
        "slug": "anna", "name": {"no language": "x"}, "birthDate": "x", "jurisdiction": "nowhere", "identifiers": [{"scheme": "register", "value": "2"}],
        "otherNames": [{"name": ""}], "image": "x",
    });
    let expected = [
        (json!(["slug"]), "TAKEN", "there is a person \"anna\" already"),
        (json!(["name", "no language"]), "INVALID", "\"no language\" is not a language tag"),
        (json!(["birthDate"]), "INVALID", "\"x\" is not a date"),
        (json!(["jurisdiction"]), "NOT_FOUND", "there is no jurisdiction with the slug \"nowhere\""),
        (json!(["identifiers", 0]), "TAKEN", "\"register 2\" belongs to another record"),
        (json!(["otherNames", 0, "name"]), "INVALID", "the text is empty"),
        (json!(["image"]), "INVALID", "\"x\" is not a web address"),
    ];
    assert_errors(&editor.payload("createPerson { person { id } }", input).await, &expected);
    let input = json!({"slug": "Bad Slug", "name": {}, "birthDate": "x", "jurisdiction": "nowhere"});
    let expected = [
        (json!(["slug"]), "INVALID", "\"Bad Slug\" is not a valid name"),
        (json!(["name"]), "MISSING", "name is missing"),
        (json!(["birthDate"]), "INVALID", "\"x\" is not a date"),
        (json!(["jurisdiction"]), "NOT_FOUND", "there is no jurisdiction"),
    ];
    assert_errors(&editor.payload("createPerson { person { id } }", input).await, &expected);

    // upsert: a new record lacks what it is not given; a record that is not known may have it
    let input = json!({"slug": "new", "openedOn": "x", "court": "nowhere"});
    let expected = [
        (json!(["openedOn"]), "INVALID", "\"x\" is not a date"),
        (json!(["court"]), "NOT_FOUND", "there is no organization"),
        (json!(["title"]), "MISSING", "title is missing; every case has one, and \"new\" is new"),
        (json!(["kind"]), "MISSING", "kind is missing"),
        (json!(["status"]), "MISSING", "status is missing"),
    ];
    assert_errors(&editor.payload("upsertCase { case { id } }", input).await, &expected);
    for (slug, path, code) in [(json!(null), json!(["slug"]), "INVALID"), (json!("Bad Slug"), json!(["slug"]), "INVALID")] {
        let input = json!({"slug": slug, "openedOn": "x", "court": "nowhere", "expectedRevision": 7});
        let expected = [
            (path, code, ""),
            (json!(["openedOn"]), "INVALID", "\"x\" is not a date"),
            (json!(["court"]), "NOT_FOUND", "there is no organization"),
        ];
        assert_errors(&editor.payload("upsertCase { case { id } }", input).await, &expected);
    }
    let expected = [
        (json!(["openedOn"]), "INVALID", "\"x\" is not a date"),
        (json!(["court"]), "NOT_FOUND", "there is no organization"),
        (json!(["slug"]), "MISSING", "slug is missing"),
    ];
    assert_errors(&editor.payload("upsertCase { case { id } }", json!({"openedOn": "x", "court": "nowhere"})).await, &expected);

    // targets
    let expected = [
        (json!(["id"]), "IN_USE", "other records refer to this person"),
        (json!(["expectedRevision"]), "CONFLICT", "the record is at revision 1, not 9"),
    ];
    assert_errors(&editor.payload("deletePerson { deletedId }", json!({"id": "anna-2", "expectedRevision": 9})).await, &expected);
    for mutation in ["deletePerson { deletedId }", "publishPerson { person { id } }", "unpublishPerson { person { id } }"] {
        for id in ["nope", "person_01h455vb4pex5vsknk084sn02q"] {
            let expected = [(json!(["id"]), "NOT_FOUND", "there is no person with the")];
            assert_errors(&editor.payload(mutation, json!({"id": id, "expectedRevision": 9})).await, &expected);
        }
    }
    let expected = [(json!(["expectedRevision"]), "CONFLICT", "this person is at revision 1, not 9")];
    assert_errors(&editor.payload("publishPerson { person { id } }", json!({"id": "anna", "expectedRevision": 9})).await, &expected);
    assert_eq!(revision_count(&server).await, before);
}

#[rstest]
#[tokio::test]
async fn every_record_type_reports_target_slug_and_references_at_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let before = revision_count(&server).await;
    for record in catalog().all().filter(|record| record.kind == RecordKind::Record) {
        let has = |name: &str| record.parts.iter().any(|list| list.name == name);
        let mut input = json!({"slug": "Bad Slug"});
        let mut expected = vec![(json!(["slug"]), "INVALID", "\"Bad Slug\" is not a valid name")];
        if has("topics") {
            input["topics"] = json!(["nowhere"]);
            expected.push((json!(["topics", 0]), "NOT_FOUND", "there is no topic with the slug \"nowhere\""));
        }
        if has("citations") {
            input["citations"] = json!([{"source": "nowhere", "quote": ""}]);
            expected.push((json!(["citations", 0, "source"]), "NOT_FOUND", "there is no source with the slug \"nowhere\""));
            expected.push((json!(["citations", 0, "quote"]), "INVALID", "the text is empty"));
        }
        let upserted = editor.payload(&format!("upsert{} {{ __typename }}", record.name()), input.clone()).await;
        assert_errors(&upserted, &expected);
        input["id"] = json!("nope");
        expected.push((json!(["id"]), "NOT_FOUND", "there is no"));
        let updated = editor.payload(&format!("update{} {{ __typename }}", record.name()), input).await;
        assert_errors(&updated, &expected);
    }
    assert_eq!(revision_count(&server).await, before);
}

#[rstest]
#[tokio::test]
async fn curation_mutations_report_all_kinds_of_errors_at_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let admin = Asker::with_role(&server, Role::Admin).await;
    let id = slug_id(&admin, "case", "case-1").await;
    let law = "law_01h455vb4pex5vsknk084sn02q";
    let before = revision_count(&server).await;
    let conflict = || (json!(["expectedRevision"]), "CONFLICT", "this case is at revision 1, not 9");
    let no_record = || (json!(["record"]), "NOT_FOUND", "there is no record with this id");
    let bad_record = || (json!(["record"]), "INVALID", "\"nope\" is not an id");
    let citation = json!({"source": "nowhere", "field": "nothing", "value": "v", "quote": ""});
    let bad_citation = || {
        vec![
            (json!(["citation", "source"]), "NOT_FOUND", "there is no source with the slug \"nowhere\""),
            (json!(["citation", "field"]), "INVALID", "a case has no \"nothing\""),
            (json!(["citation", "quote"]), "INVALID", "the text is empty"),
        ]
    };
    let mut expected = bad_citation();
    expected.push(conflict());
    let input = |record: &str, rest: &Value| {
        let mut input = json!({"record": record});
        input.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        input["expectedRevision"] = json!(9);
        input
    };
    let payload = admin.payload("addCitation { record { id } }", input(&id, &json!({"citation": citation}))).await;
    assert_errors(&payload, &expected);
    for (record, problem) in [(law, no_record()), ("nope", bad_record())] {
        let payload = admin.payload("addCitation { record { id } }", input(record, &json!({"citation": citation}))).await;
        let mut expected = bad_citation();
        // fields depend on the type of the record
        expected[1] = problem;
        expected.swap(0, 1);
        assert_errors(&payload, &expected);
    }
    let entries = [
        ("removeCitation", json!({"key": "no-key"}), vec![(json!(["key"]), "NOT_FOUND", "there is no such entry in citations")]),
        ("addTopic", json!({"topic": "nowhere"}), vec![(json!(["topic"]), "NOT_FOUND", "there is no topic with the slug \"nowhere\"")]),
        ("removeTopic", json!({"topic": "nowhere"}), vec![(json!(["topic"]), "NOT_FOUND", "there is no topic with the slug \"nowhere\"")]),
        ("addTopic", json!({"topic": id}), vec![(json!(["topic"]), "INVALID", "this is the id of another record type (case)")]),
        (
            "addIdentifier",
            json!({"scheme": "", "value": " "}),
            vec![(json!(["scheme"]), "INVALID", "the text is empty"), (json!(["value"]), "INVALID", "the text is empty")],
        ),
        ("addIdentifier", json!({"scheme": "register", "value": "1"}), vec![(json!(["value"]), "TAKEN", "\"register 1\" belongs to")]),
        ("removeIdentifier", json!({"scheme": "a", "value": "1"}), vec![(json!(["value"]), "NOT_FOUND", "there is no such entry")]),
    ];
    for (mutation, entry, problems) in entries {
        let name = format!("{mutation} {{ record {{ id }} }}");
        let mut expected = problems.clone();
        expected.push(conflict());
        assert_errors(&admin.payload(&name, input(&id, &entry)).await, &expected);
        for (record, problem) in [(law, no_record()), ("nope", bad_record())] {
            let mut expected = vec![problem];
            // whether an unknown record has the entry is unknown
            if !mutation.starts_with("remove") || mutation == "removeTopic" {
                expected.extend(problems.clone());
            }
            assert_errors(&admin.payload(&name, input(record, &entry)).await, &expected);
        }
    }

    let missing_person = "person_01h455vb4pex5vsknk084sn02q";
    for (from, into) in
        [("nope", "nowhere"), ("nope", missing_person), (missing_person, "nope"), (missing_person, "person_01h455vb4pex5vsknk084sn02r")]
    {
        let payload = admin.payload("mergePeople { person { id } }", json!({"from": from, "into": into})).await;
        let expected =
            [(json!(["from"]), "NOT_FOUND", "there is no person with the"), (json!(["into"]), "NOT_FOUND", "there is no person with the")];
        assert_errors(&payload, &expected);
    }
    let payload = admin.payload("mergeOrganizations { organization { id } }", json!({"from": id, "into": "nope"})).await;
    let expected = [
        (json!(["from"]), "INVALID", "this is the id of another record type (case)"),
        (json!(["into"]), "NOT_FOUND", "there is no organization with the slug \"nope\""),
    ];
    assert_errors(&payload, &expected);
    assert_errors(
        &admin.payload("mergePeople { person { id } }", json!({"from": "anna", "into": missing_person})).await,
        &[(json!(["into"]), "NOT_FOUND", "there is no person with the id")],
    );

    let revert = async |record: &str| {
        admin.payload("revert { record { id } }", json!({"record": record, "toRevision": 7, "expectedRevision": 9})).await
    };
    assert_errors(&revert(&id).await, &[(json!(["toRevision"]), "NOT_FOUND", "there is no revision 7 of this case"), conflict()]);
    assert_errors(&revert(law).await, &[(json!(["record"]), "NOT_FOUND", "there is no law with the id")]);
    assert_errors(&revert("nope").await, &[bad_record()]);
    for person in ["nope", missing_person] {
        let payload = admin.payload("withholdPerson { person { id } }", json!({"person": person})).await;
        assert_errors(&payload, &[(json!(["person"]), "NOT_FOUND", "there is no person with the")]);
    }
    let payload = admin
        .payload(
            "markChecked { records { slug } }",
            json!({"ids": ["nope", law, "source_01h455vb4pex5vsknk084sn02q", "x_01h455vb4pex5vsknk084sn02q"]}),
        )
        .await;
    let expected = [
        (json!(["ids", 0]), "INVALID", "\"nope\" is not an id"),
        (json!(["ids", 1]), "INVALID", "this is the id of a law"),
        (json!(["ids", 2]), "NOT_FOUND", "there is no source with this id"),
        (json!(["ids", 3]), "INVALID", "no record has ids that begin with x_"),
    ];
    assert_errors(&payload, &expected);
    assert_eq!(revision_count(&server).await, before);

    // a deleted record has its last revision
    admin.done("deleteCase { deletedId }", json!({"id": id})).await;
    let before = revision_count(&server).await;
    let payload = revert(&id).await;
    let conflict = (json!(["expectedRevision"]), "CONFLICT", "the record is at revision 2, not 9");
    assert_errors(&payload, &[(json!(["toRevision"]), "NOT_FOUND", "there is no revision 7 of this case"), conflict]);
    assert_eq!(revision_count(&server).await, before);

    // a withheld person is named by the argument
    admin.done("withholdPerson { person { id } }", json!({"person": "anna"})).await;
    let before = revision_count(&server).await;
    let person =
        admin.data("{ people(filter: {name: {contains: \"withheld\"}}) { nodes { id } } }").await["people"]["nodes"][0]["id"].clone();
    let withheld = |argument: &str| (json!([argument]), "WITHHELD", "this person is withheld");
    let stale = (json!(["expectedRevision"]), "CONFLICT", "this person is at revision");
    let payload = admin
        .payload(
            "updatePerson { person { id } }",
            json!({"id": person, "birthDate": "x", "jurisdiction": "nowhere", "expectedRevision": 99}),
        )
        .await;
    let expected = [
        withheld("id"),
        (json!(["birthDate"]), "INVALID", "\"x\" is not a date"),
        (json!(["jurisdiction"]), "NOT_FOUND", "there is no jurisdiction"),
        stale.clone(),
    ];
    assert_errors(&payload, &expected);
    let payload = admin.payload("withholdPerson { person { id } }", json!({"person": person})).await;
    assert_errors(&payload, &[withheld("person")]);
    let missing = [(json!(["name"]), "MISSING", "name is missing"), (json!(["birthDate"]), "INVALID", "\"x\" is not a date")];
    // a slug does not tell that a withheld person had it
    for slug in ["anna", "unused"] {
        let input = json!({"slug": slug, "name": {}, "birthDate": "x"});
        assert_errors(&admin.payload("createPerson { person { id } }", input).await, &missing);
    }
    let input = json!({"identifiers": [{"scheme": "register", "value": "1"}], "name": {}, "birthDate": "x"});
    let [name, birth] = missing;
    let expected = [(json!(["identifiers", 0]), "WITHHELD", "the dataset does not publish this identifier"), name, birth];
    assert_errors(&admin.payload("createPerson { person { id } }", input).await, &expected);
    let payload = admin.payload("mergePeople { person { id } }", json!({"from": "anna-2", "into": person})).await;
    assert_errors(&payload, &[withheld("into")]);
    let payload = admin.payload("addTopic { record { id } }", json!({"record": person, "topic": "nowhere", "expectedRevision": 99})).await;
    let topic = (json!(["topic"]), "NOT_FOUND", "there is no topic");
    assert_errors(&payload, &[withheld("record"), topic, stale.clone()]);
    let payload = admin.payload("revert { record { id } }", json!({"record": person, "toRevision": 77, "expectedRevision": 99})).await;
    assert_errors(&payload, &[withheld("record"), (json!(["toRevision"]), "NOT_FOUND", "there is no revision 77"), stale]);
    assert_eq!(revision_count(&server).await, before);
}

#[rstest]
#[tokio::test]
async fn import_mutations_report_all_kinds_of_errors_at_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let before = revision_count(&server).await;
    let records = json!([
        {"person": {"slug": "bad", "birthDate": "x", "jurisdiction": "nowhere", "name": {"en": "Bad"}}},
        {"case": {"slug": "case-1", "openedOn": "y", "expectedRevision": 5, "title": null, "parties": [{"role": "DEFENDANT", "person": "bad"}]}},
        {"person": {"slug": "Bad Slug", "gender": ""}},
        {"case": {"slug": "case-3", "parties": [{"role": "DEFENDANT", "person": "Bad Slug"}]}},
        {"person": {"name": {"en": "A"}, "gender": "f"}},
        {"person": {"slug": "good", "name": {"en": "Good"}}},
    ]);
    let expected = [
        vec![
            (json!(["records", 0, "person", "birthDate"]), "INVALID", "\"x\" is not a date"),
            (json!(["records", 0, "person", "jurisdiction"]), "NOT_FOUND", "there is no jurisdiction with the slug \"nowhere\""),
        ],
        vec![
            (json!(["records", 1, "case", "openedOn"]), "INVALID", "\"y\" is not a date"),
            (json!(["records", 1, "case", "expectedRevision"]), "CONFLICT", "this case is at revision 1, not 5"),
            (json!(["records", 1, "case", "title"]), "MISSING", "title is missing"),
        ],
        vec![
            (json!(["records", 2, "person", "slug"]), "INVALID", "\"Bad Slug\" is not a valid name"),
            (json!(["records", 2, "person", "gender"]), "INVALID", "the text is empty"),
        ],
        vec![
            (json!(["records", 3, "case", "title"]), "MISSING", "title is missing"),
            (json!(["records", 3, "case", "kind"]), "MISSING", "kind is missing"),
            (json!(["records", 3, "case", "status"]), "MISSING", "status is missing"),
        ],
        vec![(json!(["records", 4, "person", "slug"]), "MISSING", "slug is missing")],
        vec![],
    ];
    let shown = "importRecords { results { outcome errors { path code message } } }";
    let payload = editor.payload(shown, json!({"records": records})).await;
    assert_errors(&payload, &expected.concat());
    for (result, expected) in payload["results"].as_array().unwrap().iter().zip(&expected) {
        assert_eq!(result["outcome"], if expected.is_empty() { "SKIPPED" } else { "FAILED" });
        assert_errors(result, expected);
    }
    let skipped = editor.payload(shown, json!({"records": records, "onError": "SKIP", "dryRun": true})).await;
    assert_errors(&skipped, &expected.concat());
    assert_eq!(skipped["results"][5]["outcome"], "CREATED");

    let file = "people:\n- {slug: a, name: {en: A}, birthDate: yesterday, jurisdiction: nowhere}\ncases:\n- {slug: case-1, court: b, ecli: [1]}\n- {slug: new, parties: [{role: king, person: a}]}\n";
    let query = "mutation($input: ImportFileInput!) { importFile(input: $input) { errors { path code message } } }";
    let part = reqwest::multipart::Part::text(file).file_name("all.yaml");
    let form = reqwest::multipart::Form::new()
        .text("operations", json!({"query": query, "variables": {"input": {"file": null}}}).to_string())
        .text("map", r#"{"0": ["variables.input.file"]}"#)
        .part("0", part);
    let (_, answer) = editor.send(form).await;
    let at = || json!(["file"]);
    let expected = [
        (at(), "INVALID", "all.yaml:2: people[0].birthDate: \"yesterday\" is not a date"),
        (at(), "NOT_FOUND", "all.yaml:2: people[0].jurisdiction: there is no jurisdiction"),
        (at(), "INVALID", "all.yaml:4: cases[0].ecli: this is a list"),
        (at(), "NOT_FOUND", "all.yaml:4: cases[0].court: there is no organization"),
        (at(), "INVALID", "all.yaml:5: cases[1].parties[0].role: \"king\" is not a value of this field"),
        (at(), "MISSING", "all.yaml:5: cases[1].title: title is missing"),
        (at(), "MISSING", "all.yaml:5: cases[1].kind: kind is missing"),
        (at(), "MISSING", "all.yaml:5: cases[1].status: status is missing"),
    ];
    assert_errors(&answer["data"]["importFile"], &expected);
    assert_eq!(revision_count(&server).await, before);
}

#[rstest]
#[tokio::test]
async fn stale_expected_revision_fails_with_conflict(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    editor.done("updatePerson { person { id } }", json!({"id": "anna", "expectedRevision": 1, "gender": "female"})).await;
    let late = editor.payload("updatePerson { person { id } }", json!({"id": "anna", "expectedRevision": 1, "gender": "f"})).await;
    assert_eq!(path_and_code(&late), [(r#"["input","expectedRevision"]"#.to_owned(), "CONFLICT".to_owned())]);
    assert_eq!(late["errors"][0]["currentRevision"], 2);
    assert_eq!(editor.data("{ person(by: {slug: \"anna\"}) { gender } }").await["person"]["gender"], "female");
}

#[rstest]
#[tokio::test]
async fn repeated_upsert_changes_nothing_and_adds_no_revision(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let input = json!({"name": {"en": "Dana"}, "identifiers": [{"scheme": "register", "value": "77"}]});
    let first = editor.done("upsertPerson { person { id slug updatedAt revision } }", input.clone()).await;
    let (_, cursor) = feed(&editor, None).await;
    let second = editor.done("upsertPerson { person { id slug updatedAt revision } }", input).await;
    assert_eq!(first, second);
    server.import(TEXT).await.unwrap();
    assert_eq!(feed(&editor, cursor.as_deref()).await.0, Vec::<String>::new());
}

#[rstest]
#[tokio::test]
async fn referenced_record_is_not_deleted_and_referrers_are_named(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let refused = editor.payload("deletePerson { deletedId }", json!({"id": "anna-2"})).await;
    assert_eq!(path_and_code(&refused), [(r#"["input","id"]"#.to_owned(), "IN_USE".to_owned())]);
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("case \"case-1\""), "{refused}");
    editor.done("deleteCase { deletedId }", json!({"id": "case-1"})).await;
    editor.done("deletePerson { deletedId }", json!({"id": "anna-2"})).await;
}

#[rstest]
#[tokio::test]
async fn drafts_and_unpublished_records_are_visible_to_editors_only(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let reader = Asker::reader(&server);
    let (_, cursor) = feed(&reader, None).await;
    let made = editor.done("createPerson { person { id } }", json!({"name": {"en": "Secret"}, "published": false})).await;
    let id = made["person"]["id"].as_str().unwrap();
    let seen = format!("{{ node(id: \"{id}\") {{ id }} }}");
    assert_eq!(reader.data(&seen).await["node"], Value::Null);
    assert_eq!(feed(&reader, cursor.as_deref()).await.0, Vec::<String>::new());
    editor.done("publishPerson { person { id } }", json!({"id": id})).await;
    assert!(reader.data(&seen).await["node"].is_object());
    let (told, cursor) = feed(&reader, cursor.as_deref()).await;
    assert_eq!(told, ["PUBLISHED PERSON"]);
    editor.done("unpublishPerson { person { id } }", json!({"id": id})).await;
    assert_eq!(reader.data(&seen).await["node"], Value::Null);
    assert_eq!(feed(&reader, cursor.as_deref()).await.0, ["UNPUBLISHED PERSON"]);
    let past = format!(
        "{{ recordState(record: \"{id}\", asOfRevision: 2) {{ fields {{ value }} }} revisions(first: 100) {{ nodes {{ changes {{ new }} }} }} }}"
    );
    assert!(!reader.data(&past).await.to_string().contains("Secret"));
    assert!(editor.data(&past).await.to_string().contains("Secret"));
}

#[rstest]
#[tokio::test]
async fn citations_topics_and_identifiers_are_added_and_removed(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let id = slug_id(&editor, "case", "case-1").await;
    let data = editor.data("{ case(by: {slug: \"case-1\"}) { parties { nodes { id } } } }").await;
    let party = data["case"]["parties"]["nodes"][0]["id"].as_str().unwrap();
    let citation = json!({"source": "news", "field": "role", "value": "defendant", "quote": "she stood trial"});
    let cited = editor
        .done(
            "addCitation { record { id ... on CaseParty { citations { nodes { key quote } } } } }",
            json!({"record": party, "citation": citation}),
        )
        .await;
    assert_eq!(cited["record"]["citations"]["nodes"][0]["quote"], "she stood trial");
    // a repetition adds nothing
    let citation = json!({"source": "news", "field": "role", "value": "defendant", "quote": "she stood trial"});
    editor.payload("addCitation { record { id } }", json!({"record": party, "citation": citation})).await;
    let bad = editor.payload("addCitation { record { id } }", json!({"record": id, "citation": {"source": "nowhere"}})).await;
    assert_eq!(path_and_code(&bad), [(r#"["input","citation","source"]"#.to_owned(), "NOT_FOUND".to_owned())]);
    let key = cited["record"]["citations"]["nodes"][0]["key"].as_str().unwrap();
    let uncited = editor
        .done("removeCitation { record { ... on CaseParty { citations { totalCount } } } }", json!({"record": party, "key": key}))
        .await;
    assert_eq!(uncited["record"]["citations"]["totalCount"], 0);
    for (mutation, count) in [("addTopic", 1), ("addTopic", 1), ("removeTopic", 0)] {
        let tagged = editor
            .done(
                &format!("{mutation} {{ record {{ ... on Case {{ topics {{ totalCount }} }} }} }}"),
                json!({"record": id, "topic": "press"}),
            )
            .await;
        assert_eq!(tagged["record"]["topics"]["totalCount"], count, "{mutation}");
    }
    let identifier = json!({"record": id, "scheme": "docket", "value": "7"});
    editor.done("addIdentifier { record { id } }", identifier.clone()).await;
    let found = editor.data("{ case(by: {identifier: {scheme: \"docket\", value: \"7\"}}) { slug } }").await;
    assert_eq!(found["case"]["slug"], "case-1");
    let taken = json!({"record": slug_id(&editor, "person", "anna").await, "scheme": "docket", "value": "7"});
    assert_eq!(path_and_code(&editor.payload("addIdentifier { record { id } }", taken).await)[0].1, "TAKEN");
    // of two identifiers with the same value only that of the given scheme is removed
    editor.done("addIdentifier { record { id } }", json!({"record": id, "scheme": "archive", "value": "7"})).await;
    editor.done("removeIdentifier { record { id } }", json!({"record": id, "scheme": "archive", "value": "7"})).await;
    let left = editor.data("{ case(by: {slug: \"case-1\"}) { identifiers { scheme value } } }").await;
    assert_eq!(left["case"]["identifiers"], json!([{"scheme": "docket", "value": "7"}]));
    let again = editor.payload("removeIdentifier { record { id } }", json!({"record": id, "scheme": "archive", "value": "7"})).await;
    assert_eq!(path_and_code(&again), [(r#"["input","value"]"#.to_owned(), "NOT_FOUND".to_owned())]);
    editor.done("removeIdentifier { record { id } }", identifier).await;
}

#[rstest]
#[tokio::test]
async fn merge_of_two_people_loses_nothing(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let old = slug_id(&editor, "person", "anna-2").await;
    let maybe = editor.data(&format!("{{ possibleDuplicates(person: \"{old}\") {{ slug }} }}")).await;
    assert_eq!(maybe["possibleDuplicates"], json!([]));
    editor.done("updatePerson { person { id } }", json!({"id": "anna", "otherNames": [{"name": "Ann PETROVA"}]})).await;
    let maybe = editor.data(&format!("{{ possibleDuplicates(person: \"{old}\") {{ slug }} }}")).await;
    assert_eq!(maybe["possibleDuplicates"], json!([{"slug": "anna"}]));

    let (_, cursor) = feed(&editor, None).await;
    let merged = editor
        .done("mergePeople { person { slug otherNames { name } identifiers { value } } }", json!({"from": "anna-2", "into": "anna"}))
        .await;
    let names: BTreeSet<&str> =
        merged["person"]["otherNames"].as_array().unwrap().iter().map(|name| name["name"].as_str().unwrap()).collect();
    assert_eq!(names, BTreeSet::from(["Ann PETROVA", "Ann Petrova"]));
    let values: BTreeSet<&str> =
        merged["person"]["identifiers"].as_array().unwrap().iter().map(|node| node["value"].as_str().unwrap()).collect();
    assert_eq!(values, BTreeSet::from(["1", "2"]));
    let after = server
        .data(&format!(
            "{{ node(id: \"{old}\") {{ ... on Person {{ slug }} }} person(by: {{slug: \"anna-2\"}}) {{ slug }} case(by: {{slug: \"case-1\"}}) {{ parties {{ nodes {{ person {{ slug }} }} }} }} people {{ totalCount }} }}"
        ))
        .await;
    assert_eq!(after["node"]["slug"], "anna");
    assert_eq!(after["person"]["slug"], "anna");
    assert_eq!(after["case"]["parties"]["nodes"], json!([{"person": {"slug": "anna"}}]));
    assert_eq!(after["people"]["totalCount"], 1);
    let told: BTreeSet<String> = feed(&Asker::reader(&server), cursor.as_deref()).await.0.into_iter().collect();
    assert_eq!(told, BTreeSet::from(["UPDATED CASE", "UPDATED PERSON", "MERGED PERSON"].map(str::to_owned)));
    // a later import with both records keeps the merge
    let outcome = server.import(TEXT).await.unwrap();
    assert_eq!(outcome.created, 0);
    assert_eq!(server.data("{ people { totalCount } }").await["people"]["totalCount"], 1);
}

#[rstest]
#[tokio::test]
async fn revert_restores_earlier_states_and_deleted_records(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let id = slug_id(&editor, "case", "case-1").await;
    let shown = "{ case(by: {slug: \"case-1\"}) { title status court { slug } parties { nodes { key role person { slug } } } citations { nodes { quote } } topics { nodes { slug } } } }";
    let first = editor.data(shown).await;
    let change = json!({
        "id": id, "status": "DECIDED", "title": {"en": "Other"}, "court": null, "topics": ["press"],
        "parties": [{"key": "b", "role": "DEFENDANT", "person": "anna"}],
        "citations": [{"source": "news", "quote": "q"}],
    });
    editor.done("updateCase { case { id } }", change).await;
    let second = editor.data(shown).await;
    assert_ne!(first, second);
    let state = editor.data(&format!("{{ recordState(record: \"{id}\", asOfRevision: 1) {{ fields {{ field value }} }} }}")).await;
    let fields = state["recordState"]["fields"].as_array().unwrap();
    assert!(fields.contains(&json!({"field": "status", "value": "\"pending\""})), "{state:#}");
    let difference = editor.data(&format!("{{ compareRevisions(record: \"{id}\", from: 1, to: 2) {{ field old new }} }}")).await;
    let differences = difference["compareRevisions"].as_array().unwrap();
    assert!(differences.contains(&json!({"field": "status", "old": "pending", "new": "decided"})), "{difference:#}");

    editor.done("revert { record { id } }", json!({"record": id, "toRevision": 1})).await;
    assert_eq!(editor.data(shown).await, first);
    editor.done("revert { record { id } }", json!({"record": id, "toRevision": 2})).await;
    assert_eq!(editor.data(shown).await, second);
    editor.done("deleteCase { deletedId }", json!({"id": id})).await;
    assert_eq!(editor.data(shown).await["case"], Value::Null);
    let back = editor.done("revert { record { id } }", json!({"record": id, "toRevision": 2})).await;
    assert_eq!(back["record"]["id"], id);
    assert_eq!(editor.data(shown).await, second);
    let none = editor.payload("revert { record { id } }", json!({"record": id, "toRevision": 99})).await;
    assert_eq!(path_and_code(&none), [(r#"["input","toRevision"]"#.to_owned(), "NOT_FOUND".to_owned())]);
}

#[rstest]
#[tokio::test]
async fn withheld_person_is_named_nowhere(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let admin = Asker::with_role(&server, Role::Admin).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let text = "statements:\n- {slug: said, text: {en: \"Petrova is guilty, said of Anna Petrova\", ru: \"Петрову осудили\"}, speaker: anna, saidOn: \"2020\"}\n";
    server.import(text).await.unwrap();
    editor
        .done(
            "updatePerson { person { id } }",
            json!({"id": "anna", "image": "https://example.org/petrova.jpg", "biography": {"en": "Petrova lives."}}),
        )
        .await;
    let id = slug_id(&editor, "person", "anna").await;
    let refused = editor.answer("mutation { withholdPerson(input: {person: \"anna\"}) { person { id } } }", json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let (_, cursor) = feed(&Asker::reader(&server), None).await;
    let done = admin
        .done("withholdPerson { person { id slug name birthDate image statementsMade { totalCount } } }", json!({"person": "anna"}))
        .await;
    let person = &done["person"];
    assert_eq!(
        (&person["id"], &person["name"], &person["birthDate"], &person["image"]),
        (&json!(id), &json!("Name withheld"), &Value::Null, &Value::Null)
    );
    assert_eq!(person["statementsMade"]["totalCount"], 1);
    let everything = "{ people(first: 100) { nodes { id slug names { text } otherNames { name } identifiers { value } history { nodes { changes { field old new } } } } } statements { nodes { slug texts { text } history { nodes { changes { field old new } } } } } cases { nodes { titles { text } history { nodes { changes { field old new } } } } } revisions(first: 100) { nodes { changes { field old new } } } search(query: \"anna petrova\") { nodes { snippet } } }";
    for asker in [&admin, &editor, &Asker::reader(&server)] {
        // the other Petrova is a different person and keeps her name
        let found = asker.data(everything).await.to_string().replace("Ann Petrova", "");
        assert!(found.contains("anna-2") && found.contains("Name withheld is guilty"));
        for name in ["Petrova", "Петров", "Anna P", "1970"] {
            assert!(!found.contains(name), "{name} in {found}");
        }
    }
    assert_eq!(server.data("{ person(by: {slug: \"anna\"}) { id } }").await["person"], Value::Null);
    let told: Vec<String> = feed(&Asker::reader(&server), cursor.as_deref()).await.0;
    assert!(told.contains(&"WITHHELD PERSON".to_owned()), "{told:?}");
    let closed = editor.payload("updatePerson { person { id } }", json!({"id": id, "gender": "f"})).await;
    assert_eq!(path_and_code(&closed), [(r#"["input","id"]"#.to_owned(), "WITHHELD".to_owned())]);
    // a later import that names the person restores nothing
    server.import(TEXT).await.unwrap();
    // nor does an import with another name and an identifier of the person; records that refer to the person are written
    let renamed = "people:\n- {slug: a-petrova, name: {en: Anna Petrova}, identifiers: [{scheme: register, value: \"1\"}]}\nmemberships:\n- {slug: seat, label: {en: Member}, person: a-petrova, organization: court}\n";
    server.import(renamed).await.unwrap();
    server.import("people:\n- {name: {en: Anna Petrova}, identifiers: [{scheme: register, value: \"1\"}]}\n").await.unwrap();
    let people = server.data("{ people { nodes { name memberships { totalCount } } totalCount } }").await;
    let text = people.to_string();
    assert!(!text.contains("Anna") && text.contains("Name withheld"), "{people}");
    assert_eq!(people["people"]["totalCount"], 2);
    let member = server.data("{ membership(by: {slug: \"seat\"}) { person { id } } }").await;
    assert_eq!(member["membership"]["person"]["id"], id);
    let stays = editor.payload("deletePerson { deletedId }", json!({"id": id})).await;
    assert_eq!(path_and_code(&stays), [(r#"["input","id"]"#.to_owned(), "WITHHELD".to_owned())]);
}

#[rstest]
#[tokio::test]
async fn former_slug_of_a_deleted_record_does_not_redirect(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let id = slug_id(&editor, "person", "anna").await;
    editor.done("updatePerson { person { slug } }", json!({"id": id, "slug": "renamed"})).await;
    assert_eq!(slug_id(&editor, "person", "anna").await, id);
    editor.done("deletePerson { deletedId }", json!({"id": id})).await;
    let party = |person: &str| json!({"title": {"en": "T"}, "kind": "CIVIL", "status": "PENDING", "parties": [{"role": "DEFENDANT", "person": person}]});
    for person in ["anna", "renamed", &id] {
        let refused = editor.payload("createCase { case { id } }", party(person)).await;
        assert_eq!(path_and_code(&refused), [(r#"["input","parties",0,"person"]"#.to_owned(), "NOT_FOUND".to_owned())], "{person}");
    }
    // another record can use it
    editor.done("createPerson { person { id } }", json!({"slug": "anna", "name": {"en": "Anna"}})).await;
    editor.done("createCase { case { id } }", party("anna")).await;
}

#[rstest]
#[tokio::test]
async fn import_records_reports_the_outcome_of_each(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let records = json!([
        {"case": {"slug": "case-2", "title": {"en": "Second"}, "kind": "CIVIL", "status": "PENDING", "parties": [{"role": "DEFENDANT", "person": "new"}]}},
        {"person": {"slug": "new", "name": {"en": "New"}}},
        {"person": {"slug": "bad", "name": {"en": "Bad"}, "birthDate": "yesterday"}},
        {"case": {"slug": "case-3", "title": {"en": "Third"}, "kind": "CIVIL", "status": "PENDING", "parties": [{"role": "DEFENDANT", "person": "bad"}]}},
    ]);
    let shown = "importRecords { created updated unchanged failed results { index outcome record { slug } errors { path code } } }";
    let stopped = editor.payload(shown, json!({"records": records})).await;
    let outcomes = |payload: &Value| -> Vec<String> {
        payload["results"].as_array().unwrap().iter().map(|result| result["outcome"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(outcomes(&stopped), ["SKIPPED", "SKIPPED", "FAILED", "SKIPPED"]);
    assert_eq!(server.data("{ people { totalCount } }").await["people"]["totalCount"], 2);
    let tried = editor.payload(shown, json!({"records": records, "onError": "SKIP", "dryRun": true})).await;
    assert_eq!(outcomes(&tried), ["CREATED", "CREATED", "FAILED", "FAILED"]);
    assert_eq!(server.data("{ people { totalCount } }").await["people"]["totalCount"], 2);
    let skipped = editor.payload(shown, json!({"records": records, "onError": "SKIP"})).await;
    assert_eq!(outcomes(&skipped), ["CREATED", "CREATED", "FAILED", "FAILED"]);
    assert_eq!((&skipped["created"], &skipped["failed"]), (&json!(2), &json!(2)));
    assert_eq!(skipped["results"][0]["record"]["slug"], "case-2");
    assert_eq!(skipped["results"][2]["errors"], json!([{"path": ["input", "records", 2, "person", "birthDate"], "code": "INVALID", "message": skipped["results"][2]["errors"][0]["message"], "currentRevision": null}]).as_array().map(|errors| json!([{"path": errors[0]["path"], "code": errors[0]["code"]}])).unwrap());
    let again = editor.payload(shown, json!({"records": records, "onError": "SKIP"})).await;
    assert_eq!(outcomes(&again), ["UNCHANGED", "UNCHANGED", "FAILED", "FAILED"]);
}

#[rstest]
#[tokio::test]
async fn uploaded_file_is_imported_as_by_the_command(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let query =
        "mutation($input: ImportFileInput!) { importFile(input: $input) { created updated unchanged notes errors { path code message } } }";
    let operations = json!({"query": query, "variables": {"input": {"file": null, "message": "by file", "scheme": "isles"}}}).to_string();
    let send = async |asker: &Asker<'_>, name: &'static str, contents: &'static str, map: &'static str| {
        let file = reqwest::multipart::Part::text(contents).file_name(name);
        let form = reqwest::multipart::Form::new().text("operations", operations.clone()).text("map", map).part("0", file);
        asker.send(form).await
    };
    let map = r#"{"0": ["variables.input.file"]}"#;
    let people = "people:\n- {slug: zarina, name: {en: Zarina}}\n";
    for created in [1, 0] {
        let (status, answer) = send(&editor, "people.yaml", people, map).await;
        assert_eq!((status, &answer["data"]["importFile"]["created"]), (200, &json!(created)), "{answer:#}");
    }
    let history = editor.data("{ person(by: {slug: \"zarina\"}) { history { nodes { by message } } } }").await;
    assert_eq!(history["person"]["history"]["nodes"], json!([{"by": "editor", "message": "by file"}]));
    let popolo = r#"{"persons": [{"id": "7", "name": "Erlan", "unheard_of": 1}]}"#;
    let (_, answer) = send(&editor, "assembly.json", popolo, map).await;
    assert_eq!(answer["data"]["importFile"]["created"], 1, "{answer:#}");
    assert!(answer["data"]["importFile"]["notes"].to_string().contains("unheard_of"), "{answer:#}");
    let wrong = "people:\n- slug: a\n  name: {en: A}\n  birthDate: yesterday\n";
    let (_, answer) = send(&editor, "wrong.yaml", wrong, map).await;
    let message = answer["data"]["importFile"]["errors"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("wrong.yaml:4: people[0].birthDate: "), "{message}");
    let (status, answer) = send(&editor, "people.yaml", people, r#"{"0": ["variables.nowhere"]}"#).await;
    assert_eq!(status, 400, "{answer:#}");
    let (status, answer) = send(&Asker::reader(&server), "people.yaml", people, map).await;
    assert_eq!((status, &answer["errors"][0]["extensions"]["code"]), (401, &json!("UNAUTHENTICATED")));
    let without = editor.answer(query, json!({"input": {"file": "0"}})).await;
    assert_eq!(without["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{without:#}");
}

#[rstest]
#[tokio::test]
async fn every_mutation_requires_a_token(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let reader = Asker::reader(&server);
    let ty = "kind name ofType { kind name ofType { kind name ofType { kind name } } }";
    let query = format!(
        "{{ __schema {{ mutationType {{ fields {{ name args {{ type {{ {ty} }} }} }} }} types {{ kind name enumValues {{ name }} inputFields {{ name type {{ {ty} }} }} }} }} }}"
    );
    let schema = reader.data(&query).await["__schema"].take();
    let types = schema["types"].as_array().unwrap();
    let fields = schema["mutationType"]["fields"].as_array().unwrap();
    assert!(fields.len() > 80);
    for field in fields {
        let name = field["name"].as_str().unwrap();
        let ty = &field["args"][0]["type"];
        let input = ty["ofType"]["name"].as_str().unwrap();
        // a request with a file has a test of its own
        if name == "importFile" {
            continue;
        }
        let query = format!("mutation($input: {input}!) {{ {name}(input: $input) {{ __typename }} }}");
        let answer = reader.answer(&query, json!({"input": sample(types, ty)})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{name} {answer:#}");
        assert_eq!(answer["data"], json!({name: null}));
    }
    assert_eq!(server.data("{ revisions { totalCount } }").await["revisions"]["totalCount"], 7);
}

/// A value of a type with its required members only.
fn sample(types: &[Value], ty: &Value) -> Value {
    let name = match ty["kind"].as_str().unwrap() {
        "NON_NULL" => return sample(types, &ty["ofType"]),
        "LIST" => return json!([]),
        _ => ty["name"].as_str().unwrap(),
    };
    let declared = types.iter().find(|ty| ty["name"] == name).unwrap();
    match declared["kind"].as_str().unwrap() {
        "ENUM" => declared["enumValues"][0]["name"].clone(),
        "INPUT_OBJECT" => {
            // of a oneOf input, the first member
            let is_one_of = name.ends_with("By") || name == "RecordReference";
            let fields = declared["inputFields"].as_array().unwrap().iter().enumerate();
            let given = fields.filter(|(index, field)| field["type"]["kind"] == "NON_NULL" || (is_one_of && *index == 0));
            given.map(|(_, field)| (field["name"].as_str().unwrap().to_owned(), sample(types, &field["type"]))).collect()
        }
        _ => match name {
            "Int" | "Float" => json!(1),
            "Translations" => json!({"en": "x"}),
            _ => json!("x"),
        },
    }
}

#[rstest]
#[tokio::test]
async fn twenty_concurrent_editors_lose_no_update(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let (_, start) = feed(&editor, None).await;
    let ids = [slug_id(&editor, "person", "anna").await, slug_id(&editor, "person", "anna-2").await];
    // each editor adds one name at a time to the state that it has read, and retries after a conflict
    let edit = async |who: usize| {
        for turn in 0..3 {
            let id = &ids[(who + turn) % 2];
            loop {
                let seen = editor.data(&format!("{{ person(by: {{id: \"{id}\"}}) {{ revision otherNames {{ name }} }} }}")).await;
                let mut names = seen["person"]["otherNames"].as_array().unwrap().clone();
                names.push(json!({"name": format!("name {who} {turn}")}));
                let input = json!({"id": id, "expectedRevision": seen["person"]["revision"], "otherNames": names});
                let payload = editor.payload("updatePerson { person { revision } }", input).await;
                match path_and_code(&payload).as_slice() {
                    [] => break,
                    [(_, code)] => assert_eq!(code, "CONFLICT", "{payload}"),
                    more => panic!("{more:?}"),
                }
            }
        }
    };
    // a client reads the feed at the same time
    let follow = async {
        let (mut told, mut cursor) = (0, start.clone());
        while told < 60 {
            let (more, next) = feed(&editor, cursor.as_deref()).await;
            told += more.len();
            cursor = next;
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        told
    };
    let (_, told) = tokio::join!(futures_util::future::join_all((0..20).map(edit)), follow);
    assert_eq!(told, 60);
    assert_eq!(feed(&editor, start.as_deref()).await.0.len(), 60);
    let mut names = 0;
    for id in &ids {
        let person = editor.data(&format!("{{ person(by: {{id: \"{id}\"}}) {{ revision otherNames {{ name }} }} }}")).await;
        let count = person["person"]["otherNames"].as_array().unwrap().len();
        assert_eq!(person["person"]["revision"], 1 + count);
        names += count;
    }
    assert_eq!(names, 60);
}

//! Withholding: the name of a withheld person stands nowhere, and no editor brings it back.

use std::collections::BTreeSet;

use kurultai::catalog::catalog;
use kurultai::catalog::kind::{FieldKind, Structure};
use kurultai::catalog::record::RecordKind;
use kurultai::core::auth::Role;
use kurultai::core::normalize::fold;
use kurultai::store::curation::withholding::text_columns::{TextHolder, other_columns, text_columns, text_fields};
use rstest::rstest;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};

use crate::server::{Asker, On, Server};

/// The person to withhold, another person, and a record of every other type with every part.
const TEXT: &str = r#"
jurisdictions:
- {slug: kz, name: {en: Kazakhstan}, classification: country}
organizations:
- {slug: court, name: {en: Court}, classification: court, jurisdiction: kz}
people:
- {slug: zk, name: {en: Zulfiya Karabekova, ru: Зульфия Карабекова}, identifiers: [{scheme: register, value: "77"}], biography: {en: Karabekova lives.}}
- {slug: zk-2, name: {en: Zulfiya Karabekova}, sortName: "Karabekova, Zulfiya", identifiers: [{scheme: register, value: "78"}]}
- {slug: other, name: {en: Other Person}, otherNames: [{name: Someone}], links: [{url: "https://example.org/1", note: n}], identifiers: [{scheme: s, value: v}]}
memberships:
- {slug: seat, label: {en: Member}, person: other, organization: court}
laws:
- {slug: code, title: {en: Code}, kind: code, status: in_force, jurisdiction: kz, relations: [{key: r, kind: amends, target: code-2}]}
- {slug: code-2, title: {en: Code 2}, kind: code, status: in_force, jurisdiction: kz}
provisions:
- {slug: art-1, law: code, kind: article, number: "1", heading: {en: One}, position: 1, versions: [{key: v, validFrom: "2020", text: {en: Text}}]}
proposals:
- {slug: bill, title: {en: Bill}, kind: bill, status: introduced, jurisdiction: kz, sponsors: [{key: s, person: other}], actions: [{key: a, classification: introduction, text: {en: T}}], changes: [{key: c, law: code}]}
voteEvents:
- {slug: vote, motion: {en: Motion}, result: pass, proposal: bill, votes: [{key: v, person: other, option: "yes"}]}
cases:
- slug: case-1
  title: {en: Case}
  kind: criminal
  status: decided
  court: court
  jurisdiction: kz
  parties: [{key: p, role: defendant, description: {en: bloggers}}, {key: w, role: witness, person: other}]
  charges: [{key: c, party: p, provision: art-1, outcome: pending, text: {en: T}}]
  events: [{key: e, kind: hearing, text: {en: T}}]
  sentences: [{key: s, party: p, kind: fine, amount: 1, unit: KZT, text: {en: T}}]
  citations: [{key: q, source: news, field: docketNumber, value: "1", quote: Q, note: N}]
  topics: [press]
- {slug: case-2, title: {en: Second}, kind: criminal, status: pending, parties: [{key: zk, role: defendant, person: zk}], summary: {en: Karabekova was charged., ru: Карабековой предъявили обвинение.}}
statements:
- {slug: said, text: {en: Text}, speaker: other, saidOn: "2020", about: [{case: case-1}]}
statistics:
- {slug: stat, measure: {en: Charged}, value: 1, unit: persons, periodStart: "2020", jurisdiction: kz}
topics:
- {slug: press, label: {en: Press}}
sources:
- {slug: news, title: {en: News}, kind: article, url: "https://example.org/news", publisher: P, author: A}
"#;

/// The five forms of the name in one text.
const FORMS: [&str; 5] = [
    "ZULFIYA KARABEKOVA",
    "Зульфия Карабекова",
    "Карабекова Зульфия Маратовна",
    "дело Зульфии Карабековой",
    "a longer text about Zulfiya Karabekova, who spoke",
];

/// Whether a text names the person.
fn names_the_person(text: &str) -> bool {
    let folded = fold(text);
    ["karabekov", "zulfi", "maratovn"].iter().any(|part| folded.contains(part))
}

/// Every column of a migrated database with text, as table and column.
async fn actual_text_columns(database: &DatabaseConnection) -> BTreeSet<(String, String)> {
    let backend = database.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => {
            "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public' \
             AND data_type NOT IN ('uuid', 'integer', 'bigint', 'boolean', 'double precision', 'timestamp with time zone')"
        }
        _ => {
            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_xinfo(m.name) c WHERE m.type = 'table' \
             AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'search_index_%' AND c.name NOT IN ('search_index', 'rank') \
             AND lower(c.type) NOT LIKE 'uuid%' AND lower(c.type) NOT LIKE '%int%' AND lower(c.type) NOT LIKE 'bool%' \
             AND lower(c.type) NOT LIKE 'double%' AND lower(c.type) NOT LIKE 'timestamp%'"
        }
    };
    let rows = database.query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
    rows.iter().map(|row| (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())).collect()
}

#[rstest]
#[tokio::test]
async fn every_text_column_is_known(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    let actual = actual_text_columns(&server.database.raw().await).await;
    let listed: BTreeSet<(String, String)> = text_columns().into_iter().map(|column| (column.table.to_owned(), column.column)).collect();
    let other: BTreeSet<(String, String)> = other_columns().into_iter().map(|column| (column.table.to_owned(), column.column)).collect();
    let unknown: Vec<_> = actual.iter().filter(|column| !listed.contains(column) && !other.contains(column)).collect();
    assert!(unknown.is_empty(), "these columns are neither text columns nor named with a reason why not: {unknown:?}");
    let both: Vec<_> = listed.intersection(&other).collect();
    assert!(both.is_empty(), "{both:?}");
    // the list has no stale entries: each declared field is a column
    let missing: Vec<_> = text_columns()
        .into_iter()
        .filter(|column| matches!(column.holder, TextHolder::Record(_) | TextHolder::Revisions | TextHolder::SavedQueries))
        .filter(|column| !actual.contains(&(column.table.to_owned(), column.column.clone())))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// All texts in the database that name the person.
async fn named_places(database: &DatabaseConnection) -> Vec<String> {
    let backend = database.get_database_backend();
    let mut found = Vec::new();
    for (table, column) in actual_text_columns(database).await {
        let sql = format!("SELECT CAST(\"{column}\" AS text) FROM \"{table}\" WHERE \"{column}\" IS NOT NULL");
        for row in database.query_all_raw(Statement::from_string(backend, sql)).await.unwrap() {
            let text: String = row.try_get_by_index(0).unwrap();
            if names_the_person(&text) {
                found.push(format!("{table}.{column}: {text}"));
            }
        }
    }
    found
}

/// A value of a list with the text in every member that can hold one; `None` if no member can.
fn list_with(structure: &Structure, text: &str) -> Option<Value> {
    let members = structure.members.iter().filter_map(|member| match member.kind {
        FieldKind::Text => Some((member.name, json!(text))),
        FieldKind::Url => Some((member.name, json!("https://example.org/zulfiya-karabekova"))),
        _ => None,
    });
    let members: serde_json::Map<String, Value> = members.map(|(name, value)| (name.to_owned(), value)).collect();
    (!members.is_empty()).then(|| json!([members]))
}

/// Puts the name into every text column of the records, behind the back of the store.
async fn fill_text_columns(database: &DatabaseConnection) {
    let backend = database.get_database_backend();
    let text = FORMS.join("\n");
    for record in catalog().all().filter(|record| record.kind != RecordKind::Log) {
        for field in text_fields(record) {
            let (value, is_json) = match field.kind {
                FieldKind::Translated => (json!({"en": text, "ru": text}).to_string(), true),
                FieldKind::List(structure) => match list_with(structure, &text) {
                    Some(value) => (value.to_string(), true),
                    None => continue,
                },
                FieldKind::Url => ("https://example.org/zulfiya-karabekova/%D0%97%D1%83%D0%BB%D1%8C%D1%84%D0%B8%D1%8F_%D0%9A%D0%B0%D1%80%D0%B0%D0%B1%D0%B5%D0%BA%D0%BE%D0%B2%D0%B0".to_owned(), false),
                _ if ["slug", "key"].contains(&field.name) => ("zulfiya-karabekova".to_owned(), false),
                _ if field.unique => ("ZULFIYA-KARABEKOVA".to_owned(), false),
                // names of fields are validated
                _ if record.table == "citations" && field.name == "field" => continue,
                _ => (text.clone(), false),
            };
            let value = value.replace('\'', "''");
            let value = if is_json && backend == DbBackend::Postgres { format!("CAST('{value}' AS json)") } else { format!("'{value}'") };
            // slugs, keys and unique values differ from row to row
            let needs_suffix = field.unique || ["slug", "key"].contains(&field.name) || record.table == "identifiers";
            let id = if backend == DbBackend::Postgres { "replace(id::text, '-', '')" } else { "lower(hex(id))" };
            let value = if needs_suffix && !is_json { format!("{value} || '-' || {id}") } else { value };
            let keep = if record.table == "persons" { " WHERE slug NOT IN ('zk', 'zk-2')" } else { "" };
            let own = "SELECT id FROM persons WHERE slug IN ('zk', 'zk-2')";
            let keep = if record.table == "identifiers" { format!(" WHERE record_id NOT IN ({own})") } else { keep.to_owned() };
            let sql = format!("UPDATE {} SET {} = {value}{keep}", record.table, field.column);
            // the slug is last, so that the person is still known by it
            database.execute_unprepared(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
    }
}

/// Name of the mutation type, id and slug of every record.
async fn all_records(asker: &Asker<'_>) -> Vec<(&'static str, String)> {
    let mut records = Vec::new();
    for record in catalog().all().filter(|record| record.kind == RecordKind::Record) {
        let found = asker.data(&format!("{{ {}(first: 50) {{ nodes {{ id }} }} }}", record.plural)).await;
        let nodes = found[record.plural].as_array().cloned().or_else(|| found[record.plural]["nodes"].as_array().cloned()).unwrap();
        records.extend(nodes.iter().map(|node| (record.ty.name(), node["id"].as_str().unwrap().to_owned())));
    }
    records
}

/// What an interface shows of the person, as any of these clients.
async fn shown_names(server: &Server, askers: &[&Asker<'_>]) -> Vec<String> {
    let mut found = Vec::new();
    for asker in askers {
        for record in catalog().all().filter(|record| record.kind == RecordKind::Record) {
            let label = record.label().unwrap();
            let history = "history(first: 50) { nodes { by message changes { field old new } } }";
            let query = format!("{{ {}(first: 50) {{ nodes {{ id slug {} {{ text }} {history} }} }} }}", record.plural, label.plural());
            found.push(asker.data(&query).await.to_string());
        }
        for query in [
            "{ revisions(first: 100) { nodes { by message changes { field old new } } } }",
            "{ changes(first: 100) { nodes { by message changes { field old new } } } }",
            "{ savedQueries { name title query variables savedBy } }",
        ] {
            found.push(asker.data(query).await.to_string());
        }
        for words in ["karabekova", "Зульфия Карабекова", "karabekvoa"] {
            let hits = asker.answer("query($q: String!) { search(query: $q) { nodes { snippet } totalCount } }", json!({"q": words})).await;
            assert_eq!(hits["data"]["search"]["totalCount"], 0, "{words}: {hits:#}");
        }
    }
    for (path, query) in [
        ("feed.atom", "{ cases { nodes { slug title updatedAt } } }"),
        ("table.csv", "{ people { nodes { slug name otherNames { name } } } }"),
    ] {
        let response = server.client.get(format!("{}/{path}", server.address)).query(&[("query", query)]).send().await.unwrap();
        found.push(response.text().await.unwrap());
    }
    found.retain(|text| names_the_person(text));
    found
}

#[rstest]
#[tokio::test]
async fn withheld_name_stands_in_no_column_and_no_interface(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let admin = Asker::with_role(&server, Role::Admin).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let reader = Asker::reader(&server);
    // a duplicate merged earlier, a former slug, a saved query, and messages
    editor.done("mergePeople { person { id } }", json!({"from": "zk-2", "into": "zk", "message": "both are Zulfiya Karabekova"})).await;
    editor.done("updatePerson { person { id } }", json!({"id": "zk", "gender": "f", "message": "З. Карабекова"})).await;
    let query = "query A($name: String) { people(filter: {name: {eq: $name}}) { nodes { slug } } }";
    let saved = json!({"query": query, "variables": r#"{"name": "Zulfiya Karabekova"}"#, "title": "All of Karabekova, Zulfiya"});
    editor.done("saveQuery { savedQuery { hash } }", saved).await;
    let raw = server.database.raw().await;
    fill_text_columns(&raw).await;
    // histories and the search index get the texts too
    for (ty, id) in all_records(&editor).await {
        editor.done(&format!("unpublish{ty} {{ errors {{ code }} }}"), json!({"id": id})).await;
        editor.done(&format!("publish{ty} {{ errors {{ code }} }}"), json!({"id": id, "message": "Zulfiya Karabekova"})).await;
    }
    let before = named_places(&raw).await;
    let declared: BTreeSet<String> = text_columns()
        .into_iter()
        .filter(|column| matches!(column.holder, TextHolder::Record(_)))
        .map(|column| format!("{}.{}:", column.table, column.column))
        .collect();
    let unfilled: Vec<_> = declared.iter().filter(|column| !before.iter().any(|place| place.starts_with(column.as_str()))).collect();
    assert!(unfilled.len() <= 2, "the test does not fill {unfilled:?}");

    let input = json!({"person": "zk", "message": "asked by Zulfiya Karabekova"});
    let done = admin.done("withholdPerson { person { name slug } places { type record field redacted } placeCount }", input).await;
    assert_eq!(done["person"]["name"], "Name withheld");
    let places = done["places"].as_array().unwrap();
    for (ty, field) in [("case", "caseEvent.text"), ("source", "author"), ("saved_queries", "variables"), ("person", "biography")] {
        assert!(
            places.iter().any(|place| place["type"] == ty && place["field"] == field && place["redacted"] == true),
            "{ty}.{field}: {places:#?}"
        );
    }
    let after = named_places(&raw).await;
    assert!(after.is_empty(), "{after:#?}");
    let shown = shown_names(&server, &[&reader, &editor, &admin]).await;
    assert!(shown.is_empty(), "{shown:#?}");
    // the case keeps its party, under the neutral label
    let case = reader.data("{ people(filter: {name: {contains: \"withheld\"}}) { nodes { caseParties { totalCount } } } }").await;
    assert!(case["people"]["nodes"].as_array().unwrap().iter().any(|person| person["caseParties"]["totalCount"] == 1), "{case:#}");
}

/// Requires that no attempt brings the name back: each is rejected, or has no effect on what stands in the database.
#[rstest]
#[tokio::test]
async fn no_editor_brings_a_withheld_name_back(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let admin = Asker::with_role(&server, Role::Admin).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    editor.done("mergePeople { person { id } }", json!({"from": "zk-2", "into": "zk"})).await;
    let id_of = async |ty: &str, slug: &str| {
        let found = editor.data(&format!("{{ found: {ty}(by: {{slug: \"{slug}\"}}) {{ id }} }}")).await;
        found["found"]["id"].as_str().unwrap().to_owned()
    };
    let (zk, other, case) = (id_of("person", "zk").await, id_of("person", "other").await, id_of("case", "case-2").await);
    admin.done("withholdPerson { person { id } }", json!({"person": "zk"})).await;
    let raw = server.database.raw().await;
    assert_eq!(named_places(&raw).await, Vec::<String>::new());

    let name = |text: &str| json!({"en": text});
    let mut rejected: Vec<(&str, Value)> = Vec::new();
    for form in FORMS {
        rejected.push(("createPerson { person { id } }", json!({"name": name(form)})));
        rejected.push(("updatePerson { person { id } }", json!({"id": "other", "biography": name(form)})));
        rejected.push(("updateCase { case { id } }", json!({"id": "case-1", "title": name(form)})));
    }
    let new = name("New");
    let more = [
        ("createPerson { person { id } }", json!({"name": new, "otherNames": [{"name": "Zulfiya Karabekova"}]})),
        ("createPerson { person { id } }", json!({"name": new, "sortName": "Karabekova, Zulfiya"})),
        ("createPerson { person { id } }", json!({"name": new, "slug": "zulfiya-karabekova"})),
        (
            "createPerson { person { id } }",
            json!({"name": new, "slug": "z-karabekova", "image": "https://example.org/zulfiyakarabekova.jpg"}),
        ),
        ("createPerson { person { id } }", json!({"name": new, "identifiers": [{"scheme": "register", "value": "77"}]})),
        ("createPerson { person { id } }", json!({"name": new, "identifiers": [{"scheme": "register", "value": "78"}]})),
        (
            "createPerson { person { id } }",
            json!({"name": new, "links": [{"url": "https://example.org/1", "note": "К. Зульфия Карабекова"}]}),
        ),
        ("createPerson { person { id } }", json!({"name": new, "slug": "withheld-again"})),
        ("updatePerson { person { id } }", json!({"id": "other", "slug": "karabekova-zulfiya"})),
        ("updatePerson { person { id } }", json!({"id": "other", "slug": "withheld-person"})),
        ("updatePerson { person { id } }", json!({"id": zk, "gender": "f"})),
        ("deletePerson { deletedId }", json!({"id": zk})),
        ("publishPerson { person { id } }", json!({"id": zk})),
        ("unpublishPerson { person { id } }", json!({"id": zk})),
        ("mergePeople { person { id } }", json!({"from": zk, "into": "other"})),
        ("mergePeople { person { id } }", json!({"from": "other", "into": zk})),
        ("revert { record { id } }", json!({"record": zk, "toRevision": 1})),
        ("addIdentifier { record { id } }", json!({"record": zk, "scheme": "register", "value": "77"})),
        ("addIdentifier { record { id } }", json!({"record": other, "scheme": "name", "value": "Zulfiya Karabekova"})),
        ("addCitation { record { id } }", json!({"record": case, "citation": {"source": "news", "quote": "said Zulfiya Karabekova"}})),
        ("addCitation { record { id } }", json!({"record": case, "citation": {"source": "news", "note": "Карабекова З. М."}})),
        (
            "updateCase { case { id } }",
            json!({"id": "case-1", "parties": [{"role": "DEFENDANT", "description": name("Zulfiya Karabekova")}]}),
        ),
        ("updateCase { case { id } }", json!({"id": "case-1", "events": [{"kind": "HEARING", "text": name("Зульфию Карабекову")}]})),
        ("createSource { source { id } }", json!({"title": new, "kind": "ARTICLE", "author": "Z. Karabekova"})),
        ("createSource { source { id } }", json!({"title": new, "kind": "ARTICLE", "publisher": "Zu\u{ad}lfiya\u{200b} Karabekova"})),
        ("createTopic { topic { id } }", json!({"label": name("The case of Zulfiya Karabekova")})),
        ("createOrganization { organization { id } }", json!({"name": name("Zulfiya Karabekova Fund"), "classification": "OTHER"})),
        ("createStatement { statement { id } }", json!({"text": name("Zulfiya Karabekova!"), "speaker": "other"})),
        ("saveQuery { savedQuery { hash } }", json!({"query": "{ people { totalCount } }", "title": "Zulfiya Karabekova"})),
        ("saveQuery { savedQuery { hash } }", json!({"query": "{ people { totalCount } }", "name": "zulfiya-karabekova"})),
        ("saveQuery { savedQuery { hash } }", json!({"query": "{ people(filter: {name: {eq: \"Zulfiya Karabekova\"}}) { totalCount } }"})),
    ];
    rejected.extend(more);
    assert!(rejected.len() >= 40);
    for (mutation, input) in rejected {
        let payload = editor.payload(mutation, input.clone()).await;
        let errors = payload["errors"].as_array().unwrap();
        assert!(!errors.is_empty(), "{mutation} {input}");
        assert!(errors.iter().all(|error| !names_the_person(error["message"].as_str().unwrap())), "{errors:?}");
    }
    // these succeed, and bring nothing back
    let harmless = [
        ("upsertPerson { person { id } }", json!({"slug": "zk", "name": name("Zulfiya Karabekova")})),
        (
            "upsertPerson { person { id } }",
            json!({"name": name("Zulfiya Karabekova"), "identifiers": [{"scheme": "register", "value": "78"}]}),
        ),
        (
            "upsertCase { case { id } }",
            json!({"slug": "case-1", "title": name("The case of Zulfiya Karabekova"), "kind": "CIVIL", "status": "PENDING"}),
        ),
        ("updateCase { case { id } }", json!({"id": "case-1", "docketNumber": "2", "message": "for Zulfiya Karabekova"})),
        ("revert { record { id } }", json!({"record": case, "toRevision": 1})),
    ];
    for (mutation, input) in harmless {
        editor.done(mutation, input).await;
    }
    let records = json!([{"person": {"slug": "zk-9", "name": name("Zulfiya Karabekova")}}, {"topic": {"slug": "t", "label": name("Карабековой Зульфии")}}]);
    editor.done("importRecords { failed }", json!({"records": records})).await;
    // an old file can be imported again
    server.import(TEXT).await.unwrap();
    assert_eq!(named_places(&raw).await, Vec::<String>::new());
    let people = editor.data("{ people { totalCount } zk: person(by: {slug: \"zk\"}) { id } }").await;
    assert_eq!((&people["people"]["totalCount"], &people["zk"]), (&json!(2), &Value::Null), "{people:#}");

    // a slug is no oracle: that of the withheld person is as free as any other
    for slug in ["zk", "zk-7"] {
        let created = editor.payload("createPerson { person { slug } }", json!({"slug": slug, "name": name("Somebody")})).await;
        assert_eq!((&created["person"]["slug"], &created["errors"]), (&json!(slug), &json!([])));
    }
    // an admin ends the withholding, with a reason
    let ended =
        editor.answer("mutation { endWithholding(input: {person: \"other\", message: \"m\"}) { errors { code } } }", json!({})).await;
    assert_eq!(ended["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let ended =
        admin.done("endWithholding { person { name } places { record } }", json!({"person": zk, "message": "the person agreed"})).await;
    assert!(ended["places"].as_array().unwrap().iter().any(|place| place["record"] == zk), "{ended:#}");
    editor.done("updatePerson { person { id } }", json!({"id": zk, "name": name("Zulfiya Karabekova")})).await;
}

/// A record with one word of the name in its text or history cannot be linked to the person afterwards.
#[rstest]
#[tokio::test]
async fn earlier_text_does_not_come_to_stand_beside_a_withheld_person(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let admin = Asker::with_role(&server, Role::Admin).await;
    editor.done("mergePeople { person { id } }", json!({"from": "zk-2", "into": "zk"})).await;
    let withheld = admin.done("withholdPerson { person { id slug } }", json!({"person": "zk"})).await["person"].clone();
    let text = |text: &str| json!({"en": text});
    let statement = "createStatement { statement { id } }";
    for (slug, said) in [("lone", "Karabekova spoke"), ("corrected", "Karabekova spoke"), ("clean", "Somebody spoke")] {
        editor.done(statement, json!({"slug": slug, "text": text(said)})).await;
    }
    let update = "updateStatement { statement { id } }";
    editor.done(update, json!({"id": "corrected", "text": text("Somebody spoke")})).await;
    editor
        .done(
            "createMembership { membership { id } }",
            json!({"slug": "heir", "label": text("Karabekova, heir"), "person": "other", "organization": "court"}),
        )
        .await;
    let person = &withheld["id"];
    let links = [
        (update, json!({"id": "lone", "speaker": person})),
        (update, json!({"id": "lone", "speaker": person, "text": text("Somebody spoke")})),
        (update, json!({"id": "lone", "speaker": withheld["slug"]})),
        (update, json!({"id": "lone", "about": [{"person": person}]})),
        (update, json!({"id": "corrected", "speaker": person})),
        ("updateMembership { membership { id } }", json!({"id": "heir", "person": person})),
        ("upsertStatement { statement { id } }", json!({"slug": "lone", "text": text("Somebody spoke"), "speaker": person})),
    ];
    for (mutation, input) in links {
        let refused = editor.payload(mutation, input.clone()).await;
        assert_eq!(refused["errors"][0]["code"], "WITHHELD", "{mutation} {input}: {refused:#}");
    }
    editor.done(update, json!({"id": "clean", "speaker": person})).await;
    editor.done(update, json!({"id": "clean", "occasion": text("A speech")})).await;

    // a former slug with the name, or an identifier, leads to no record, and tells nobody's
    let upsert = "upsertPerson { person { slug } }";
    for input in [
        json!({"slug": "zk", "name": text("Zulfiya Karabekova")}),
        json!({"name": text("Somebody"), "identifiers": [{"scheme": "Register", "value": "78"}]}),
    ] {
        assert_eq!(editor.done(upsert, input.clone()).await["person"], Value::Null, "{input}");
    }
    let imported = editor
        .done(
            "importRecords { results { outcome record { id } } }",
            json!({"records": [{"person": {"slug": "zk", "name": text("Zulfiya Karabekova")}}]}),
        )
        .await;
    assert_eq!(imported["results"], json!([{"outcome": "UNCHANGED", "record": null}]));
    let created = json!({"name": text("Somebody"), "identifiers": [{"scheme": "REGISTER", "value": "77"}]});
    let refused = editor.payload("createPerson { person { id } }", created).await;
    assert!(!refused["errors"][0]["message"].as_str().unwrap().contains("withheld"), "{refused:#}");
    let query = json!({"query": r#"{ search(query: "\u005aulfiya K\u{61}rabekova") { totalCount } }"#});
    assert_eq!(editor.payload("saveQuery { savedQuery { hash } }", query).await["errors"][0]["code"], "WITHHELD");
}

#[rstest]
#[tokio::test]
async fn namesakes_keep_their_name_if_an_admin_says_so(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let admin = Asker::with_role(&server, Role::Admin).await;
    let refused = admin.payload("withholdPerson { person { id } }", json!({"person": "zk"})).await;
    assert_eq!(refused["errors"][0]["path"], json!(["input", "namesakes"]), "{refused:#}");
    admin.done("withholdPerson { person { id } }", json!({"person": "zk", "namesakes": ["zk-2"]})).await;
    let kept = server.data("{ person(by: {slug: \"zk-2\"}) { name } case(by: {slug: \"case-2\"}) { summary(lang: \"ru\") } }").await;
    assert_eq!(kept, json!({"person": {"name": "Zulfiya Karabekova"}, "case": {"summary": "Имя не разглашается предъявили обвинение."}}));
    let editor = Asker::with_role(&server, Role::Editor).await;
    editor.done("updateCase { case { id } }", json!({"id": "case-1", "title": {"en": "Zulfiya Karabekova, minister"}})).await;
}

#[rstest]
#[tokio::test]
async fn words_of_removed_names_leave_the_index_of_misspellings(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let raw = server.database.raw().await;
    let words = async || {
        let backend = raw.get_database_backend();
        let rows = raw.query_all_raw(Statement::from_string(backend, "SELECT DISTINCT word FROM search_variants")).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect::<BTreeSet<String>>()
    };
    editor.done("createPerson { person { id } }", json!({"slug": "q", "name": {"en": "Quentin Other"}})).await;
    assert!(words().await.contains("quentin"));
    editor.done("updatePerson { person { id } }", json!({"id": "q", "name": {"en": "Quirin Other"}})).await;
    let renamed = words().await;
    assert!(!renamed.contains("quentin") && renamed.contains("quirin") && renamed.contains("other"), "{renamed:?}");
    editor.done("deletePerson { deletedId }", json!({"id": "q"})).await;
    let deleted = words().await;
    assert!(!deleted.contains("quirin") && deleted.contains("other"), "{deleted:?}");
}

/// Keys that are made of a slug have no name in them, when a file from before the withholding is imported again.
#[rstest]
#[tokio::test]
async fn repeated_import_brings_no_name_back_in_a_key(#[values(On::Sqlite, On::Postgres)] on: On) {
    let text = "people:\n- {slug: lola-karimbek, name: {en: Lola Karimbek}}\n\
                statements:\n- {slug: said, text: {en: Text}, saidOn: \"2020\", about: [{person: lola-karimbek}]}\n";
    let server = Server::with(on, text).await;
    let admin = Asker::with_role(&server, Role::Admin).await;
    admin.done("withholdPerson { person { id } }", json!({"person": "lola-karimbek", "namesakes": null})).await;
    server.import(text).await.unwrap();
    let query = "{ statement(by: {slug: \"said\"}) { about { nodes { key } } history { nodes { changes { field old new } } } } }";
    let shown = Asker::reader(&server).data(query).await.to_string();
    assert!(!shown.contains("karimbek") && shown.contains("\"key\""), "{shown}");
}

/// The given name in one field and the family name in another are the name, in the record and in a new one.
#[rstest]
#[tokio::test]
async fn parts_of_a_name_are_withheld_as_a_whole(#[values(On::Sqlite, On::Postgres)] on: On) {
    let text = "
people:
- {slug: witness, name: {en: Witness N.}, givenName: Ariadna, familyName: Nezabudkina}
- {slug: lady, name: {en: Zinaida Khvostova}}
- {slug: writer, name: {en: Writer}, biography: {en: Met Ariadna Nezabudkina.}}
";
    let server = Server::with(on, text).await;
    let admin = Asker::with_role(&server, Role::Admin).await;
    for person in ["witness", "lady"] {
        admin.done("withholdPerson { placeCount }", json!({"person": person, "message": "asked"})).await;
    }
    let biography = "{ person(by: {slug: \"writer\"}) { biography history { nodes { changes { new } } } } }";
    assert!(!admin.data(biography).await.to_string().contains("Nezabudkina"));
    for (given, family, name) in [("Ariadna", "Nezabudkina", "N."), ("Zinaida", "Khvostova", "A lady"), ("Zinaida", "", "Khvostova")] {
        let mut input = json!({"name": {"en": name}, "givenName": given});
        if !family.is_empty() {
            input["familyName"] = json!(family);
        }
        let payload = admin.payload("createPerson { person { id } }", input.clone()).await;
        assert_eq!(payload["errors"][0]["code"], "WITHHELD", "{payload}");
        let payload =
            admin.payload("importRecords { created }", json!({"records": [{"person": {"slug": "back", "name": {"en": "Back"}}}]})).await;
        assert_eq!(payload["errors"], json!([]), "{payload}");
        input["slug"] = json!("back");
        admin.payload("importRecords { updated }", json!({"records": [{"person": input}]})).await;
        let data = admin.data("{ person(by: {slug: \"back\"}) { name givenName familyName } }").await;
        assert!(data["person"]["givenName"].is_null() && data["person"]["familyName"].is_null(), "{data}");
    }
    // in two steps
    admin.done("createPerson { person { id } }", json!({"slug": "steps", "name": {"en": "Steps"}, "givenName": "Zinaida"})).await;
    let payload = admin.payload("updatePerson { person { id } }", json!({"id": "steps", "familyName": "Khvostova"})).await;
    assert_eq!(payload["errors"][0]["code"], "WITHHELD", "{payload}");
}

#[rstest]
#[tokio::test]
async fn memberships_lose_the_contacts_of_a_withheld_person(#[values(On::Sqlite, On::Postgres)] on: On) {
    let text = "
organizations: [{slug: house, name: {en: House}, classification: legislature}]
people: [{slug: mp, name: {en: Member Memberova}}]
memberships:
- {slug: seat, label: {en: Member}, person: mp, organization: house, contactDetails: [{type: email, value: private@example.org}], links: [{url: 'https://parl.example/4711'}]}
";
    let server = Server::with(on, text).await;
    let admin = Asker::with_role(&server, Role::Admin).await;
    admin.done("withholdPerson { placeCount }", json!({"person": "mp", "message": "asked"})).await;
    let query = "{ memberships { nodes { contactDetails { value } links { url } history { nodes { changes { field old new } } } } } }";
    let data = admin.data(query).await;
    assert_eq!(data["memberships"]["nodes"][0]["contactDetails"], json!([]), "{data}");
    assert!(!data.to_string().contains("private@example.org") && !data.to_string().contains("4711"), "{data}");
}

//! Withholding: words and slugs of a withheld person beside the full name, in linked records and in what editors write later.

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{Asker, On, Server};

/// A person with a name of short words, which are words of a vocabulary too, and records with single words of it.
const SHORT: &str = r#"
people:
- {slug: af, name: {en: Anna Fine, ru: Анна Фин}, identifiers: [{scheme: register, value: "77"}]}
- {slug: other, name: {en: Other Person}}
organizations:
- {slug: fund, name: {en: Fine}, classification: other, identifiers: [{scheme: archive, value: "77"}]}
cases:
- slug: case-1
  title: {en: The case}
  kind: criminal
  status: decided
  summary: {en: Fine was charged.}
  parties: [{key: defendant, role: defendant, person: af, description: {en: Fine}}]
  sentences: [{key: fine, party: defendant, kind: fine, amount: 1, unit: KZT}]
statements:
- {slug: said, text: {en: "«Fine»"}, speaker: af, saidOn: "2020"}
sources:
- {slug: split, title: {en: Letters of Anna}, kind: article, author: Fine}
- {slug: lone, title: {en: Letters}, kind: article, author: Fine}
"#;

#[rstest]
#[tokio::test]
async fn short_words_of_a_name_are_redacted_or_listed(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, SHORT).await;
    let (editor, admin) = (Asker::with_role(&server, Role::Editor).await, Asker::with_role(&server, Role::Admin).await);
    let done = admin.done("withholdPerson { places { type field redacted } }", json!({"person": "af"})).await;
    let mut places: Vec<String> = Vec::new();
    for place in done["places"].as_array().unwrap() {
        assert_eq!(place["redacted"], false, "{done:#}");
        places.push(format!("{} {}", place["type"].as_str().unwrap(), place["field"].as_str().unwrap()));
    }
    places.sort();
    assert_eq!(places, ["case summary", "organization identifier.value", "source author", "source title"]);
    // a word that is a whole field is redacted in linked records; values of closed lists and keys stay what they are
    let query = r#"{
      case(by: {slug: "case-1"}) {
        summary parties { nodes { key role description person { name } } } sentences { nodes { kind party { role } } }
        history { nodes { changes { field old new } } }
      }
      statement(by: {slug: "said"}) { text }
      organization(by: {slug: "fund"}) { name }
    }"#;
    let mut shown = server.data(query).await;
    let history = shown["case"]["history"].take().to_string();
    assert!(!history.contains(r#""Fine""#) && history.contains("fine"), "{history}");
    let case = &shown["case"];
    assert_eq!(case["sentences"]["nodes"], json!([{"kind": "FINE", "party": {"role": "DEFENDANT"}}]));
    let party = &case["parties"]["nodes"][0];
    assert_eq!((&party["role"], &party["description"]), (&json!("DEFENDANT"), &json!("Name withheld")));
    assert!(party["key"].as_str().unwrap().starts_with("withheld-"), "{party}");
    let rest = [&case["summary"], &shown["statement"]["text"], &shown["organization"]["name"]];
    assert_eq!(rest, [&json!("Fine was charged."), &json!("Name withheld"), &json!("Fine")]);
    // neither comes back, nor does the identifier on a record of another type
    let refused = [
        ("updateStatement { statement { id } }", json!({"id": "said", "text": {"en": "Fine"}})),
        (
            "createOrganization { organization { id } }",
            json!({"name": {"en": "N"}, "classification": "OTHER", "identifiers": [{"scheme": "Register", "value": "77"}]}),
        ),
    ];
    for (mutation, input) in refused {
        let payload = editor.payload(mutation, input).await;
        assert_eq!(payload["errors"][0]["code"], "WITHHELD", "{payload:#}");
    }
    let text = "organizations:\n- {slug: new, name: {en: New}, classification: other, identifiers: [{scheme: register, value: \"77\"}]}\n";
    assert_eq!(server.import(text).await.unwrap().redacted, 1);
    let imported = server.data("{ organization(by: {slug: \"new\"}) { identifiers { value } } }").await;
    assert_eq!(imported["organization"]["identifiers"], json!([]));
}

/// A person, and records with the name in their slug, in an identifier and in earlier text.
const LONG: &str = r#"
people:
- {slug: zk, name: {en: Zulfiya Karabekova}}
- {slug: victim, name: {en: Other Person}, identifiers: [{scheme: wiki, value: Murder_of_Zulfiya_Karabekova}, {scheme: wiki, value: Q1}]}
sources:
- {slug: letter-of-zulfiya-karabekova, title: {en: Letter}, kind: article}
- {slug: letter, title: {en: Letter}, kind: article}
cases:
- {slug: state-v-zulfiya-karabekova, title: {en: The case}, kind: criminal, status: pending, parties: [{key: p, role: defendant, person: zk}]}
statements:
- {slug: said, text: {en: Text}, speaker: zk, saidOn: "2020"}
- {slug: deleted, text: {en: Karabekova spoke}, saidOn: "2020"}
"#;

/// Codes, paths and messages of the errors of a mutation, with the slug that was given replaced.
async fn errors(editor: &Asker<'_>, mutation: &str, input: &Value, slug: &str) -> String {
    let payload = editor.payload(mutation, input.clone()).await;
    assert_ne!(payload["errors"], json!([]), "{mutation} {input}");
    payload["errors"].to_string().replace(slug, "SLUG")
}

/// The slug of a withheld person is answered as any unknown slug, and so is a slug from which the name was redacted.
#[rstest]
#[tokio::test]
async fn slugs_of_withheld_persons_are_like_unknown_ones(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, LONG).await;
    let (editor, admin) = (Asker::with_role(&server, Role::Editor).await, Asker::with_role(&server, Role::Admin).await);
    admin.done("withholdPerson { person { id } }", json!({"person": "zk"})).await;
    let text = json!({"en": "T"});
    for (guess, unknown, member) in [("zk", "zz", "person"), ("state-v-zulfiya-karabekova", "state-v-nobody", "case")] {
        let about = |slug: &str| json!([{member: slug}]);
        for mutation in ["createStatement { statement { id } }", "upsertStatement { statement { id } }"] {
            let input = |slug: &str| json!({"slug": "new", "text": text, "about": about(slug)});
            assert_eq!(errors(&editor, mutation, &input(guess), guess).await, errors(&editor, mutation, &input(unknown), unknown).await);
        }
        let update = "updateStatement { statement { id } }";
        let input = |slug: &str| json!({"id": "said", "about": about(slug)});
        assert_eq!(errors(&editor, update, &input(guess), guess).await, errors(&editor, update, &input(unknown), unknown).await);
    }
    // an upsert does not show the record that had the slug
    let case = json!({"slug": "state-v-zulfiya-karabekova", "title": text, "kind": "CIVIL", "status": "PENDING"});
    assert_eq!(editor.done("upsertCase { case { id } }", case).await["case"], Value::Null);
    // the slug of the person is as free as any other, given or generated
    let created = editor.done("createPerson { person { slug } }", json!({"name": {"en": "Zk"}})).await;
    assert_eq!(created["person"]["slug"], "zk");
    editor.done("deletePerson { deletedId }", json!({"id": "zk"})).await;
    let upserted = editor.done("upsertPerson { person { slug } }", json!({"slug": "zk", "name": {"en": "Somebody"}})).await;
    assert_eq!(upserted["person"]["slug"], "zk");
    editor.done("deletePerson { deletedId }", json!({"id": "zk"})).await;
    // a file from before can be imported again: it neither creates the person nor loses its references
    let before = server.data("{ people { totalCount } statements { totalCount } cases { totalCount } }").await;
    let imported = server.import(LONG).await.unwrap();
    assert_eq!(imported.created, 0, "{imported:?}");
    assert_eq!(server.data("{ people { totalCount } statements { totalCount } cases { totalCount } }").await, before);
    let speaker = server.data("{ statement(by: {slug: \"said\"}) { speaker { name } } }").await;
    assert_eq!(speaker["statement"]["speaker"]["name"], "Name withheld");
}

#[rstest]
#[tokio::test]
async fn messages_beside_a_withheld_person_have_no_word_of_the_name(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, LONG).await;
    let (editor, admin) = (Asker::with_role(&server, Role::Editor).await, Asker::with_role(&server, Role::Admin).await);
    let person = admin.done("withholdPerson { person { id } }", json!({"person": "zk", "message": "asked by Karabekova"})).await["person"]
        ["id"]
        .clone();
    let message = "at the request of Karabekova";
    editor.done("updateStatement { statement { id } }", json!({"id": "said", "saidOn": "2021", "message": message})).await;
    let created = json!({"slug": "new", "text": {"en": "T"}, "speaker": person, "message": message});
    editor.done("createStatement { statement { id } }", created).await;
    // other people have the same family name
    editor.done("updatePerson { person { id } }", json!({"id": "victim", "gender": "f", "message": message})).await;
    let messages = async |asker: &Asker<'_>, node: &str| {
        let found = asker.data(&format!("{{ found: {node} {{ history {{ nodes {{ message }} }} }} }}")).await;
        found["found"]["history"]["nodes"][0]["message"].as_str().unwrap().to_owned()
    };
    let redacted = message.replace("Karabekova", "Name withheld");
    assert_eq!(messages(&editor, "statement(by: {slug: \"said\"})").await, redacted);
    assert_eq!(messages(&editor, "statement(by: {slug: \"new\"})").await, redacted);
    assert_eq!(messages(&editor, "person(by: {slug: \"victim\"})").await, message);
    assert_eq!(messages(&editor, &format!("person(by: {{id: {person}}})")).await, "asked by Name withheld");
}

/// Records whose slug was replaced are ordinary records, and the history brings nothing back.
#[rstest]
#[tokio::test]
async fn reverts_and_unmerges_of_redacted_records_bring_nothing_back(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, LONG).await;
    let (editor, admin) = (Asker::with_role(&server, Role::Editor).await, Asker::with_role(&server, Role::Admin).await);
    let id = async |node: &str| editor.data(&format!("{{ found: {node} {{ id }} }}")).await["found"]["id"].clone();
    let victim = id("person(by: {slug: \"victim\"})").await;
    let statement = id("statement(by: {slug: \"deleted\"})").await;
    let source = id("source(by: {slug: \"letter-of-zulfiya-karabekova\"})").await;
    let update = "updateStatement { statement { id } }";
    editor.done(update, json!({"id": "deleted", "text": {"en": "Somebody spoke"}})).await;
    editor.done(update, json!({"id": "deleted", "speaker": "zk"})).await;
    editor.done("deleteStatement { deletedId }", json!({"id": "deleted"})).await;
    editor.done("deletePerson { deletedId }", json!({"id": "victim"})).await;
    admin.done("withholdPerson { person { id } }", json!({"person": "zk"})).await;
    let slug = async || editor.data(&format!("{{ node(id: {source}) {{ ... on Source {{ id slug }} }} }}")).await["node"].clone();
    let before = slug().await;
    assert!(before["slug"].as_str().unwrap().starts_with("withheld-"), "{before}");

    editor.done("mergeSources { source { id } }", json!({"from": source, "into": "letter"})).await;
    editor.done("unmergeSources { record { id } }", json!({"from": source})).await;
    assert_eq!(slug().await, before);
    editor.done("deleteSource { deletedId }", json!({"id": source})).await;
    editor.done("revert { record { id } }", json!({"record": source, "toRevision": 1})).await;
    let restored = slug().await;
    assert!(restored["id"] == source && !restored["slug"].as_str().unwrap().contains("karabekova"), "{restored}");
    editor.done("revert { record { id } }", json!({"record": victim, "toRevision": 1})).await;
    let restored = editor.data("{ person(by: {slug: \"victim\"}) { identifiers { value } history { nodes { changes { new } } } } }").await;
    assert_eq!(restored["person"]["identifiers"], json!([{"value": "Q1"}]));
    assert!(!restored.to_string().contains("Murder"), "{restored:#}");
    // the history of the statement has a word of the name
    let refused = editor.payload("revert { record { id } }", json!({"record": statement, "toRevision": 3})).await;
    assert_eq!(refused["errors"][0]["code"], "WITHHELD", "{refused:#}");
}

/// Texts in which a name must not be cut out of something else, and words of it that stay.
const WITHIN: &str = r#"
people:
- {slug: ap, name: {en: Anna Petrova}}
- {slug: writer, name: {en: Writer Writerly}, biography: {en: "Met Anna Petrova."}, image: "https://example.org/writer.png", sortName: "Petrova, biographer of"}
organizations:
- {slug: press, name: {en: Press}, classification: other, contactDetails: [{type: email, value: anna.petrova@press.example}, {type: phone, value: "+7 1"}]}
sources:
- {slug: echr, title: {en: "Anna Petrova v. Kazakhstan"}, kind: article, author: "Write to anna.petrova@press.example."}
cases:
- {slug: the-case, title: {en: Case}, kind: criminal, status: pending, parties: [{key: anna-petrova, role: defendant, person: ap}, {key: w, role: witness}]}
"#;

/// An address without a part of it is that of somebody else, and a party without a key is none.
#[rstest]
#[tokio::test]
async fn what_is_around_a_name_keeps_its_meaning(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, WITHIN).await;
    let (editor, admin) = (Asker::with_role(&server, Role::Editor).await, Asker::with_role(&server, Role::Admin).await);
    editor.done("updatePerson { person { id } }", json!({"id": "writer", "image": null, "message": "after Petrova complained"})).await;
    editor.done("updateCase { case { id } }", json!({"id": "the-case", "title": {"en": "The case"}})).await;
    let done = admin.done("withholdPerson { places { type field redacted } }", json!({"person": "ap"})).await;
    let places: Vec<String> =
        done["places"].as_array().unwrap().iter().filter(|place| place["redacted"] == false).map(Value::to_string).collect();
    for field in ["sortName", "revision.message"] {
        assert!(places.iter().any(|place| place.contains("person") && place.contains(field)), "{field}: {places:?}");
    }
    let query = r#"{
      organization(by: {slug: "press"}) { contactDetails { value } }
      source(by: {slug: "echr"}) { title author }
      case(by: {slug: "the-case"}) { id parties { nodes { key role person { name } } } }
    }"#;
    let shown = editor.data(query).await;
    assert_eq!(shown["organization"]["contactDetails"], json!([{"value": "+7 1"}]));
    assert_eq!(shown["source"], json!({"title": "Name withheld v. Kazakhstan", "author": "Write to Name withheld."}));
    let parties = &shown["case"]["parties"];
    // each earlier state has the party, so a revert keeps it
    for revision in [1, 2] {
        editor.done("revert { record { id } }", json!({"record": shown["case"]["id"], "toRevision": revision})).await;
        assert_eq!(&editor.data(query).await["case"]["parties"], parties, "revision {revision}");
    }
}

/// Parts that become alike by the redaction of a name do not stop the withholding, and a repeated import of them is accepted.
#[rstest]
#[tokio::test]
async fn parts_that_become_alike_do_not_stop_a_withholding(#[values(On::Sqlite, On::Postgres)] on: On) {
    let text = "
organizations: [{slug: court, name: {en: Court}, classification: court}]
people: [{slug: kt, name: {en: Kairbek Toktamys}}]
proposals:
- slug: bill
  title: {en: The bill}
  kind: bill
  status: introduced
  sponsors: [{organization: court, role: for Kairbek Toktamys}, {organization: court, role: for KAIRBEK TOKTAMYS}]
";
    let server = Server::with(on, text).await;
    let admin = Asker::with_role(&server, Role::Admin).await;
    admin.done("withholdPerson { person { id } }", json!({"person": "kt"})).await;
    let query = "{ proposal(by: {slug: \"bill\"}) { sponsors { nodes { role } } } }";
    let redacted = json!([{"role": "for Name withheld"}, {"role": "for Name withheld"}]);
    assert_eq!(server.data(query).await["proposal"]["sponsors"]["nodes"], redacted);
    // an import that repeats them, or has them in another proposal
    let proposals = text.split_once("proposals:").unwrap().1;
    server
        .import(&format!("proposals:{proposals}{}", proposals.replace("slug: bill", "slug: bill-2").trim_start_matches('\n')))
        .await
        .unwrap();
    assert_eq!(server.data(query).await["proposal"]["sponsors"]["nodes"], redacted);
    assert_eq!(server.data(&query.replace("bill", "bill-2")).await["proposal"]["sponsors"]["nodes"], redacted);
    // parts that are alike without a redaction are refused
    let alike =
        proposals.replace("KAIRBEK TOKTAMYS", "the court").replace("Kairbek Toktamys", "the court").replace("slug: bill", "slug: bill-3");
    let problems = server.import(&format!("proposals:{alike}")).await.unwrap_err();
    assert!(problems[0].message.contains("it has the same"), "{problems:?}");
}

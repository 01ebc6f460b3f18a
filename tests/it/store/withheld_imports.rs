//! Imports after a person was withheld whose name others have: nothing that leads to the person comes back.

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use crate::interchange::ImportFixture;
use crate::interchange::identity::{Door, import};
use crate::server::{Asker, On, Server};

/// Two people of one name, and records that have it in slugs and keys.
const NAMESAKES: &str = "
people:
- {slug: lola-karimbek, name: {en: Lola Karimbek}}
- {slug: lola-karimbek-judge, name: {en: Lola Karimbek}}
organizations:
- {slug: house, name: {en: House}, classification: legislature}
memberships:
- {slug: lola-karimbek-deputy-4f1c, label: {en: Deputy}, person: lola-karimbek, organization: house}
- {slug: lola-karimbek-judge-77aa, label: {en: Judge}, person: lola-karimbek-judge, organization: house}
cases:
- slug: the-case
  title: {en: State v. Lola Karimbek}
  kind: criminal
  status: pending
  parties: [{key: lola-karimbek, role: defendant, person: lola-karimbek}, {key: witness, role: witness}]
  sentences: [{key: lola-karimbek-fine, party: lola-karimbek, kind: fine, amount: 1, unit: KZT}]
  events: [{key: karimbek-spoke, kind: hearing, text: {en: Karimbek spoke}}]
";

const SHOWN: &str = "{
  people { nodes { slug name } }
  memberships { nodes { slug label person { slug } history { nodes { changes { field old new } message } } } }
  cases { nodes {
    slug title parties { nodes { key person { slug } } } sentences { nodes { key party { key } } } events { nodes { key text } }
    history { nodes { changes { field old new } } }
  } }
}";

/// What is shown without the namesake, who keeps the name.
async fn shown(editor: &Asker<'_>) -> String {
    let mut data = editor.data(SHOWN).await;
    for list in ["people", "memberships"] {
        let nodes = data[list]["nodes"].as_array_mut().unwrap();
        let before = nodes.len();
        nodes.retain(|node| node["slug"] != "lola-karimbek-judge" && node["person"]["slug"] != "lola-karimbek-judge");
        assert_eq!(nodes.len(), before - 1, "the namesake keeps the name: {nodes:?}");
    }
    data.to_string().to_lowercase()
}

#[rstest]
#[tokio::test]
async fn repeated_import_does_not_name_a_withheld_namesake(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, NAMESAKES).await;
    let (editor, admin) = (Asker::with_role(&server, Role::Editor).await, Asker::with_role(&server, Role::Admin).await);
    let input = json!({"person": "lola-karimbek", "namesakes": ["lola-karimbek-judge"]});
    let done = admin.done("withholdPerson { places { type field redacted } }", input).await;
    let redacted = json!({"type": "case", "field": "title", "redacted": true});
    assert!(done["places"].as_array().unwrap().contains(&redacted), "{done:#}");
    let before = shown(&editor).await;
    assert!(!before.contains("karimbek") && !before.contains("4f1c"), "{before}");
    for _ in 0..2 {
        let summary = server.import(NAMESAKES).await.unwrap();
        assert!(summary.redacted > 0);
        let after = shown(&editor).await;
        assert!(!after.contains("karimbek") && !after.contains("4f1c"), "{after}");
    }
    // the records are the same, not new ones
    let counted = admin.data("{ memberships { totalCount } cases { totalCount nodes { parties { totalCount } } } }").await;
    let expected = json!({"memberships": {"totalCount": 2}, "cases": {"totalCount": 1, "nodes": [{"parties": {"totalCount": 2}}]}});
    assert_eq!(counted, expected);
    // an editor cannot write the name beside the person either, and may elsewhere
    let case = admin.data("{ cases { nodes { id } } }").await["cases"]["nodes"][0]["id"].clone();
    let refused = editor.payload("updateCase { case { id } }", json!({"id": case, "title": {"en": "State v. Karimbek"}})).await;
    assert_eq!(refused["errors"][0]["code"], "WITHHELD", "{refused}");
    editor.done("updateCase { case { id } }", json!({"id": case, "docketNumber": "1", "message": "asked by Karimbek"})).await;
    let messages = editor.data("{ cases { nodes { history { nodes { message } } } } }").await.to_string();
    assert!(messages.contains("asked by Name withheld"), "{messages}");
    let other = json!({"title": {"en": "Lola Karimbek presides"}, "kind": "CIVIL", "status": "PENDING"});
    editor.done("createCase { case { id } }", other).await;
}

/// A register that names two people alike, with a seat of each.
fn register() -> Value {
    let person = |id: &str| json!({"id": id, "name": "Lola Karimbek"});
    let membership = |id: &str| json!({"person_id": id, "organization_id": "house", "role": "deputy"});
    json!({
        "persons": [person("1001"), person("1002")],
        "organizations": [{"id": "house", "name": "House"}],
        "memberships": [membership("1001"), membership("1002")],
    })
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn repeated_register_does_not_name_a_withheld_namesake(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("parl.popolo.json", register().to_string());
    let output = import(&fixture, door, "parl.popolo.json", Some("parl"), None).await;
    assert!(output.contains("5 created"), "{output}");
    let admin = Asker::with_role(&fixture.server, Role::Admin).await;
    let ids = admin.data("{ people(order: {field: CREATED_AT, direction: ASC}) { nodes { id slug } } }").await;
    let (first, second) = (&ids["people"]["nodes"][0], &ids["people"]["nodes"][1]);
    admin.done("withholdPerson { placeCount }", json!({"person": first["id"], "namesakes": [second["id"]]})).await;
    let memberships = async || {
        let query = format!(
            "{{ node(id: {}) {{ ... on Person {{ slug memberships {{ nodes {{ slug label history {{ nodes {{ changes {{ old new }} }} }} }} }} }} }} }}",
            first["id"]
        );
        admin.data(&query).await.to_string()
    };
    let (before, slug) = (memberships().await, first["slug"].as_str().unwrap());
    assert!(!before.contains("karimbek"), "{before}");
    for _ in 0..2 {
        let output = import(&fixture, door, "parl.popolo.json", Some("parl"), None).await;
        let after = memberships().await;
        assert!(!after.contains("karimbek") && !after.contains(slug), "{after}");
        assert!(!output.contains(slug), "{output}");
        let counted = admin.data("{ people { totalCount } }").await;
        assert_eq!(counted["people"]["totalCount"], 2, "{output}");
    }
}

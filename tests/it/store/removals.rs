//! Removals that an earlier version recorded as two revisions: the migration makes them one.

use kurultai::core::auth::Role;
use migration::sea_orm::ConnectionTrait;
use rstest::rstest;
use serde_json::json;

use crate::server::{Asker, On, Server, migrate_down_before};

const MIGRATION: &str = "m20261129_000023_care";

#[rstest]
#[tokio::test]
async fn migration_makes_one_revision_of_each_removal(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, "people:\n- {slug: a, name: {en: Anna}}\n- {slug: b, name: {en: Bulat}, published: false}\n").await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let ids = editor.data("{ people(order: {field: NAME}) { nodes { id } } }").await;
    let [a, b] = [0, 1].map(|index| ids["people"]["nodes"][index]["id"].clone());
    for id in [&a, &b] {
        editor.done("deletePerson { deletedId }", json!({"id": id})).await;
    }
    let raw = server.database.raw().await;
    migrate_down_before(&server.store, MIGRATION).await;
    // the values that the earlier version kept in a revision of its own, hidden from readers
    let old = "INSERT INTO revisions (id, record_id, number, changed_at, \"by\", message, changes, published, kind, record_type, sequence) \
               SELECT FRESH, record_id, 2, changed_at, \"by\", message, '[{\"field\": \"name\", \"old\": {\"en\": \"Anna\"}, \"new\": null}]', FALSE_, kind, record_type, 1000 \
               FROM revisions WHERE kind = 'deleted' AND published";
    let fresh = if on == On::Sqlite { "randomblob(16)" } else { "gen_random_uuid()" };
    let hidden = if on == On::Sqlite { "0" } else { "false" };
    raw.execute_unprepared("UPDATE revisions SET number = 3 WHERE kind = 'deleted' AND published").await.unwrap();
    raw.execute_unprepared(&old.replace("FRESH", fresh).replace("FALSE_", hidden)).await.unwrap();
    server.store.migrate().await.unwrap();
    let entries =
        "{ revisions(filter: {kind: {eq: DELETED}}, order: {field: NUMBER}) { nodes { number recordId changes { field old } } } }";
    let changes = json!([{"field": "name", "old": "{\"en\":\"Anna\"}"}]);
    let expected = json!([{"number": 3, "recordId": a, "changes": changes}]);
    let found = editor.data(entries).await["revisions"]["nodes"].take();
    let found: Vec<_> = found.as_array().unwrap().iter().filter(|node| node["recordId"] == a).cloned().collect();
    assert_eq!(json!(found), expected);
    let seen = server.data(entries).await["revisions"]["nodes"].take();
    assert_eq!(seen, json!([{"number": 3, "recordId": a, "changes": []}]));
}

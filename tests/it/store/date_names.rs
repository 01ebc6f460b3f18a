//! The migration that renames dates: columns, citations and histories.

use migration::sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{On, Server, migrate_down_before};

/// Name of the migration.
const MIGRATION: &str = "m20261129_000017_date_names";
const TEXT: &str = r#"
sources:
- {slug: paper, title: {en: Paper}, kind: article}
people:
- {slug: anna, name: {en: Anna}}
organizations:
- {slug: court, name: {en: Court}, classification: court, foundedOn: "1991", dissolvedOn: "2020-01-02", citations: [{source: paper, field: foundedOn, value: "1991"}]}
memberships:
- {slug: seat, label: {en: Seat}, person: anna, organization: court, start: "2001", end: "2005", citations: [{source: paper, field: end, value: "2005"}]}
laws:
- {slug: code, title: {en: Code}, kind: code, status: repealed, adoptedOn: "2014", repealedOn: "2020", citations: [{source: paper, field: status, value: repealed}]}
proposals:
- {slug: bill, title: {en: Bill}, kind: bill, status: introduced, introducedOn: "2019"}
cases:
- slug: case
  title: {en: Case}
  kind: criminal
  status: decided
  openedOn: "2019-01-10"
  decidedOn: "2020"
  citations:
  - {key: explicit, source: paper, field: openedOn}
  - {source: paper, field: openedOn, value: "2019-01-10"}
  - {source: paper, field: decidedOn}
  - {source: paper, field: status, value: decided}
  events: [{key: first, kind: other, date: "2019", text: {en: opened}, citations: [{source: paper, field: date, value: "2019"}]}]
"#;
/// Every date, and the citations.
const CURRENT: &str = "{ case(by: {slug: \"case\"}) { openedOn decidedOn status history { nodes { number changedAt changes { field old new } } } } law(by: {slug: \"code\"}) { adoptedOn repealedOn status } organization(by: {slug: \"court\"}) { foundedOn dissolvedOn } proposal(by: {slug: \"bill\"}) { introducedOn status } membership(by: {slug: \"seat\"}) { start end } citations { nodes { key field value } } }";
const DATES_BEFORE: &str = "SELECT c.opened || ' ' || c.opened_order || ' ' || c.decided || ' ' || c.decided_order || ' ' || l.adopted || ' ' || l.adopted_order || ' ' || l.repealed || ' ' || l.repealed_order || ' ' || o.founded || ' ' || o.founded_order || ' ' || o.dissolved || ' ' || p.introduced || ' ' || p.introduced_order || ' ' || m.start_date || ' ' || m.start_date_order || ' ' || m.end_date FROM cases c, laws l, organizations o, proposals p, memberships m";
const DATES_AFTER: &str = "SELECT c.opened_on || ' ' || c.opened_on_order || ' ' || c.decided_on || ' ' || c.decided_on_order || ' ' || l.adopted_on || ' ' || l.adopted_on_order || ' ' || l.repealed_on || ' ' || l.repealed_on_order || ' ' || o.founded_on || ' ' || o.founded_on_order || ' ' || o.dissolved_on || ' ' || p.introduced_on || ' ' || p.introduced_on_order || ' ' || m.start || ' ' || m.start_order || ' ' || m.\"end\" FROM cases c, laws l, organizations o, proposals p, memberships m";
const DATES: &str = "2019-01-10 2019-01-10 2020 2020 2014 2014 2020 2020 1991 1991 2020-01-02 2019 2019 2001 2001 2005";
const CITATIONS: &str = "SELECT key || ' ' || field AS line FROM citations ORDER BY line";

async fn lines(raw: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = raw.query_all_raw(Statement::from_string(raw.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// The changes of the first revision of the only record of a type.
async fn changes(raw: &DatabaseConnection, record_type: &str) -> Value {
    let sql = format!("SELECT CAST(changes AS text) FROM revisions WHERE number = 1 AND record_type = '{record_type}'");
    serde_json::from_str(&lines(raw, &sql).await[0]).unwrap()
}

/// Names of the fields that changes concern.
fn fields(changes: &Value) -> Vec<&str> {
    changes.as_array().unwrap().iter().map(|change| change["field"].as_str().unwrap()).collect()
}

/// Changes of a case as histories recorded them, with the names that its dates had or have.
fn recorded(opened: &str, decided: &str) -> Value {
    let (derived, other) = (format!("paper:{opened}:2019-01-10"), format!("paper:{decided}#2"));
    json!([
        {"field": opened, "old": "2019", "new": "2019-01-10"},
        {"field": "status", "old": "pending", "new": "decided"},
        {"field": "title", "old": null, "new": {"ru": "opened", "en": "decided", "kk": "opened:decided"}},
        {"field": format!("citations[{derived}]"), "old": {"value": "2019-01-10", "key": derived, "source": "src_1", "field": opened}, "new": null},
        {"field": format!("citations[{other}]"), "old": null, "new": {"key": other, "field": decided, "note": "opened"}},
        {"field": "citations[explicit]", "old": {"key": "explicit", "field": opened}, "new": {"key": "explicit", "field": decided}},
        {"field": "citations[explicit].field", "old": opened, "new": decided},
        {"field": "citations[explicit].note", "old": "opened", "new": "decided"},
        {"field": "citations[paper:status:decided]", "old": {"key": "paper:status:decided", "field": "status", "value": "decided"}, "new": null},
        {"field": "events[opened].citations[paper:date:2019]", "old": {"field": "date", "value": "2019"}, "new": null},
    ])
}

#[rstest]
#[tokio::test]
async fn migration_renames_columns_citations_and_histories(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let current = server.data(CURRENT).await;
    migrate_down_before(&server.store, MIGRATION).await;
    let raw = server.database.raw().await;
    assert_eq!(lines(&raw, DATES_BEFORE).await, [DATES]);
    assert_eq!(
        lines(&raw, CITATIONS).await,
        [
            "explicit opened",
            "paper:date:2019 date",
            "paper:decided decided",
            "paper:endDate:2005 endDate",
            "paper:founded:1991 founded",
            "paper:opened:2019-01-10 opened",
            "paper:status:decided status",
            "paper:status:repealed status",
        ]
    );
    assert_eq!(fields(&changes(&raw, "law").await)[..5], ["title", "kind", "status", "adopted", "repealed"]);
    assert_eq!(fields(&changes(&raw, "membership").await)[1..3], ["startDate", "endDate"]);
    assert_eq!(lines(&raw, "SELECT by FROM revisions WHERE at IS NULL").await, [""; 0]);
    server.store.migrate().await.unwrap();
    assert_eq!(lines(&raw, DATES_AFTER).await, [DATES]);
    assert_eq!(
        lines(&raw, CITATIONS).await,
        [
            "explicit openedOn",
            "paper:date:2019 date",
            "paper:decidedOn decidedOn",
            "paper:end:2005 end",
            "paper:foundedOn:1991 foundedOn",
            "paper:openedOn:2019-01-10 openedOn",
            "paper:status:decided status",
            "paper:status:repealed status",
        ]
    );
    assert_eq!(fields(&changes(&raw, "law").await)[..5], ["title", "kind", "status", "adoptedOn", "repealedOn"]);
    assert_eq!(fields(&changes(&raw, "membership").await)[1..3], ["start", "end"]);
    let migrated = server.answer(CURRENT, json!({"again": true})).await["data"].take();
    assert_eq!(migrated, current);
    // the keys of citations are those that an import derives
    let summary = server.import(TEXT).await.unwrap();
    assert_eq!((summary.created, summary.updated, summary.unchanged), (0, 0, 7));
}

#[rstest]
#[tokio::test]
async fn migration_renames_only_names_in_histories(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    migrate_down_before(&server.store, MIGRATION).await;
    let raw = server.database.raw().await;
    let (before, after) = (recorded("opened", "decided"), recorded("openedOn", "decidedOn"));
    // a law has no field with these names
    raw.execute_unprepared(&format!("UPDATE revisions SET changes = '{before}' WHERE record_type IN ('case', 'law')")).await.unwrap();
    server.store.migrate().await.unwrap();
    let text = |changes: &Value| changes.to_string();
    assert_eq!(text(&changes(&raw, "case").await), text(&after));
    assert_eq!(text(&changes(&raw, "law").await), text(&before));
    migrate_down_before(&server.store, MIGRATION).await;
    assert_eq!(text(&changes(&raw, "case").await), text(&before));
}

#[rstest]
#[tokio::test]
async fn failed_migration_leaves_no_name_changed(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let steps = migrate_down_before(&server.store, MIGRATION).await;
    let raw = server.database.raw().await;
    let history = changes(&raw, "membership").await;
    // the name of the last index is taken
    raw.execute_unprepared("CREATE INDEX revisions_changed_at_order_idx ON tags (position)").await.unwrap();
    server.store.migrate().await.unwrap_err();
    assert_eq!(lines(&raw, DATES_BEFORE).await, [DATES]);
    assert_eq!(changes(&raw, "membership").await, history);
    assert_eq!(server.store.migrations().await.unwrap().pending, steps as usize);
    raw.execute_unprepared("DROP INDEX revisions_changed_at_order_idx").await.unwrap();
    server.store.migrate().await.unwrap();
    assert_eq!(lines(&raw, DATES_AFTER).await, [DATES]);
}

//! A killed import leaves complete batches, and the next import completes the rest.

use std::fmt::Write;
use std::process::{Child, Stdio};
use std::time::Duration;

use migration::sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use rstest::rstest;

use super::ImportFixture;
use crate::cli::command::kurultai;
use crate::server::On;

const BATCH: i64 = 20;

/// Number of kills; `bench/kill.sh` sets a larger one.
fn kills() -> usize {
    std::env::var("KILLS").map_or(12, |kills| kills.parse().unwrap())
}

/// Cases with parties, charges, topics and identifiers.
fn records(count: usize) -> String {
    let mut lines = String::new();
    for index in 0..count {
        writeln!(lines, "{{\"case\": {{\"slug\": \"c{index}\", \"title\": {{\"en\": \"Case {index}\", \"ru\": \"Дело {index}\"}}, \"kind\": \"civil\", \"status\": \"pending\", \"topics\": [\"t{}\"], \"identifiers\": [{{\"scheme\": \"docket\", \"value\": \"{index}\"}}], \"parties\": [{{\"key\": \"a\", \"role\": \"defendant\", \"person\": \"p{index}\"}}], \"charges\": [{{\"key\": \"x\", \"party\": \"a\", \"outcome\": \"pending\"}}]}}}}", index % 50).unwrap();
        writeln!(lines, "{{\"person\": {{\"slug\": \"p{index}\", \"name\": {{\"en\": \"Person {index}\"}}, \"otherNames\": [{{\"name\": \"Other {index}\"}}]}}}}").unwrap();
    }
    for index in 0..50 {
        writeln!(lines, "{{\"topic\": {{\"slug\": \"t{index}\", \"label\": {{\"en\": \"Topic {index}\"}}}}}}").unwrap();
    }
    lines
}

/// Deterministic pseudo-random numbers (a linear congruential generator).
struct Lcg(u64);

impl Lcg {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn killed_import_leaves_complete_batches_and_resumes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let kills = kills();
    // enough records to outlast the last kill; SQLite is faster
    let lines = records(if on == On::Sqlite { 150 } else { 60 } * kills);
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("records.ndjson", &lines);
    let raw = fixture.server.database.raw().await;
    let mut random = Lcg(7);
    for kill in 0..kills {
        let before = count(&raw, "SELECT count(*) FROM revisions").await;
        let mut child = start(&fixture);
        // most imports are killed while writing, some while reading or validating
        if kill % 4 == 3 {
            tokio::time::sleep(Duration::from_millis(random.below(400))).await;
        } else {
            while count(&raw, "SELECT count(*) FROM revisions").await == before && child.try_wait().unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            tokio::time::sleep(Duration::from_millis(random.below(60))).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let written = assert_consistent(&raw, on).await;
        assert!(written >= before && written % BATCH == 0 || written == records_in(&lines), "{written} records after kill {kill}");
    }
    let written = count(&raw, "SELECT count(*) FROM revisions").await;
    assert!(written > 0 && written < records_in(&lines), "no kill occurred while writing: {written} records");
    let stdout = fixture.import_ok(&["records.ndjson", "--batch", "500"]);
    assert_eq!(stdout, format!("Records: {} created, 0 updated, {written} unchanged", records_in(&lines) - written));
    assert_consistent(&raw, on).await;
    let undisturbed = ImportFixture::new(on).await;
    undisturbed.write_file("records.ndjson", &lines);
    undisturbed.import_ok(&["records.ndjson", "--batch", "500"]);
    let (killed, undisturbed) = (contents(&raw).await, contents(&undisturbed.server.database.raw().await).await);
    assert_eq!(killed.len(), undisturbed.len());
    for (killed, undisturbed) in killed.iter().zip(&undisturbed) {
        assert_eq!(killed, undisturbed);
    }
}

fn start(fixture: &ImportFixture) -> Child {
    let batch = BATCH.to_string();
    let mut command = kurultai(&["import", "records.ndjson", "--batch", &batch, "--database-url", &fixture.server.database.url]);
    command.current_dir(fixture.folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn records_in(lines: &str) -> i64 {
    i64::try_from(lines.lines().count()).unwrap()
}

async fn count(raw: &DatabaseConnection, sql: &str) -> i64 {
    let row = raw.query_one_raw(Statement::from_string(raw.get_database_backend(), sql.to_owned())).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// Asserts that each record has all of its dependent rows and none is orphaned; returns the number of records.
async fn assert_consistent(raw: &DatabaseConnection, on: On) -> i64 {
    if on == On::Postgres {
        // the server may still be rolling back the transaction of the killed import
        while count(raw, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'")
            .await
            > 0
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let records = "(SELECT id, revision FROM persons UNION ALL SELECT id, revision FROM topics UNION ALL SELECT id, revision FROM cases)";
    let none = [
        format!("SELECT count(*) FROM {records} r WHERE r.revision <> (SELECT count(*) FROM revisions v WHERE v.record_id = r.id)"),
        format!("SELECT count(*) FROM revisions v WHERE v.record_id NOT IN (SELECT id FROM {records} r)"),
        format!("SELECT count(*) FROM {records} r WHERE r.id NOT IN (SELECT id FROM search_documents)"),
        format!("SELECT count(*) FROM search_documents d WHERE d.id NOT IN (SELECT id FROM {records} r)"),
        format!("SELECT count(*) FROM {records} r WHERE r.id NOT IN (SELECT id FROM nodes)"),
        format!("SELECT count(*) FROM tags WHERE record_id NOT IN (SELECT id FROM {records} r) OR topic_id NOT IN (SELECT id FROM topics)"),
        format!("SELECT count(*) FROM identifiers WHERE record_id NOT IN (SELECT id FROM {records} r)"),
        "SELECT count(*) FROM case_parties WHERE case_id NOT IN (SELECT id FROM cases)".to_owned(),
        "SELECT count(*) FROM charges WHERE party_id NOT IN (SELECT id FROM case_parties)".to_owned(),
        "SELECT count(*) FROM cases c WHERE 1 <> (SELECT count(*) FROM case_parties p WHERE p.case_id = c.id)".to_owned(),
        "SELECT count(*) FROM cases c WHERE 1 <> (SELECT count(*) FROM charges p WHERE p.case_id = c.id)".to_owned(),
        "SELECT count(*) FROM cases c WHERE 1 <> (SELECT count(*) FROM identifiers i WHERE i.record_id = c.id)".to_owned(),
        "SELECT count(*) FROM cases c WHERE 1 <> (SELECT count(*) FROM tags t WHERE t.record_id = c.id)".to_owned(),
    ];
    for sql in none {
        assert_eq!(count(raw, &sql).await, 0, "{sql}");
    }
    count(raw, &format!("SELECT count(*) FROM {records} r")).await
}

/// The contents of the database without ids and instants.
async fn contents(raw: &DatabaseConnection) -> Vec<Vec<String>> {
    let text = |column: &str| format!("CAST({column} AS text)");
    let queries = [
        format!("SELECT p.slug, {}, {}, d.names || '/' || d.words || '/' || d.body FROM persons p JOIN search_documents d ON d.id = p.id ORDER BY p.slug", text("p.name"), text("p.revision")),
        format!("SELECT t.slug, {}, {}, d.names || '/' || d.words || '/' || d.body FROM topics t JOIN search_documents d ON d.id = t.id ORDER BY t.slug", text("t.label"), text("t.revision")),
        format!("SELECT c.slug, {}, {}, d.names || '/' || d.words || '/' || d.body FROM cases c JOIN search_documents d ON d.id = c.id ORDER BY c.slug", text("c.title"), text("c.revision")),
        format!("SELECT c.slug, p.slug, y.key || h.key, {} FROM cases c JOIN case_parties y ON y.case_id = c.id JOIN persons p ON p.id = y.person_id JOIN charges h ON h.party_id = y.id ORDER BY c.slug", text("y.position")),
        "SELECT c.slug, t.slug, i.scheme, i.value FROM cases c JOIN tags g ON g.record_id = c.id JOIN topics t ON t.id = g.topic_id JOIN identifiers i ON i.record_id = c.id ORDER BY c.slug".to_owned(),
        format!("SELECT v.by, {}, {}, '' FROM revisions v ORDER BY {}, {}", text("v.number"), text("v.changes"), text("v.number"), text("v.changes")),
        "SELECT variant, word, '', '' FROM search_variants ORDER BY variant, word".to_owned(),
    ];
    let mut rows_as_text: Vec<Vec<String>> = Vec::new();
    for query in queries {
        let statement = Statement::from_string(raw.get_database_backend(), query.clone());
        let rows = raw.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{query}: {error}"));
        assert!(!rows.is_empty(), "{query}");
        rows_as_text
            .extend(rows.iter().map(|row| (0..4).map(|index| without_ids(&row.try_get_by_index::<String>(index).unwrap())).collect()));
    }
    rows_as_text.sort();
    rows_as_text
}

/// Removes ids, which differ between databases.
fn without_ids(text: &str) -> String {
    let is_id = |rest: &str| rest.len() > 26 && rest[..26].bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let mut pieces = text.split('_');
    let mut bare = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        bare.push('_');
        bare.push_str(if piece.is_char_boundary(26) && is_id(piece) { &piece[26..] } else { piece });
    }
    bare
}

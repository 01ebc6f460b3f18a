//! Backups: a restored database answers as the original did.

use std::path::Path;
use std::process::Command;

use kurultai::core::auth::Role;
use serde_json::json;

use crate::cli::command::{kurultai, run};
use crate::server::{Asker, On, Server, TestDatabase};

const EVERYTHING: &str = "{ people(first: 100) { totalCount nodes { id slug name revision createdAt history { nodes { number changedAt by } } citations { nodes { quote source { slug } } } } } cases(first: 100) { nodes { id title charges { nodes { id outcome } } } } search(query: \"law\", first: 50) { nodes { snippet } } revisions(first: 100) { totalCount } }";

/// A server over a restored database.
async fn server_at(url: String) -> Server {
    Server::at(TestDatabase::at(url)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_backup_during_writes_restores_the_same_data() {
    let server = Server::sample(On::Sqlite).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup.db");
    let backup = |to: &Path| run(kurultai(&["backup", to.to_str().unwrap(), "--database-url", &server.database.url]));

    let write = async {
        for number in 0..40 {
            let input = json!({"slug": format!("p{number}"), "name": {"en": format!("Person {number}")}});
            editor.done("createPerson { person { id } }", input).await;
        }
    };
    let during = folder.path().join("during.db");
    let ((), (ok, said, error)) = tokio::join!(write, async { tokio::task::block_in_place(|| backup(&during)) });
    assert!(ok && said.contains("during.db: "), "{said}{error}");
    let (ok, _, error) = backup(&file);
    assert!(ok, "{error}");

    let restored = server_at(format!("sqlite://{}", file.display())).await;
    assert_eq!(restored.data(EVERYTHING).await, server.data(EVERYTHING).await);
    // the copy made during writes is consistent: each person has its revision
    let between = server_at(format!("sqlite://{}", during.display())).await;
    let people = between
        .data("{ people(first: 100, filter: {slug: {startsWith: \"p\"}}) { nodes { slug revision history { totalCount } } } }")
        .await;
    for person in people["people"]["nodes"].as_array().unwrap() {
        assert_eq!((&person["revision"], &person["history"]["totalCount"]), (&json!(1), &json!(1)), "{person}");
    }
    // the restored database is writable
    let editor = Asker::with_role(&restored, Role::Admin).await;
    editor.done("createPerson { person { id } }", json!({"slug": "after", "name": {"en": "After"}})).await;

    let (ok, _, error) = backup(&file);
    assert!(!ok && error.contains("already exists"), "{error}");
    let (ok, _, error) = backup(&folder.path().join("nowhere/backup.db"));
    assert!(!ok && error.contains("nowhere/backup.db: No such file or directory"), "{error}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("kurultai-backup")), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pg_dump_restores_the_same_data() {
    let server = Server::sample(On::Postgres).await;
    let (ok, _, error) = run(kurultai(&["backup", "/dev/null/x", "--database-url", &server.database.url]));
    assert!(!ok && error.contains("pg_dump"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("kurultai.dump");
    let dump = dump.to_str().unwrap();
    let tool = |name: &str, arguments: &[&str]| {
        let (ok, _, error) = run({
            let mut command = Command::new(name);
            command.args(arguments);
            command
        });
        assert!(ok, "{name}: {error}");
    };
    tool("pg_dump", &["--format=custom", "--file", dump, &server.database.url]);
    let other = TestDatabase::new(On::Postgres).await;
    tool("pg_restore", &["--exit-on-error", "--dbname", &other.url, dump]);
    let restored = Server::at(other).await;
    assert_eq!(restored.data(EVERYTHING).await, server.data(EVERYTHING).await);
}

#[test]
fn backup_does_not_create_a_missing_database() {
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none.db");
    let url = format!("sqlite://{}", none.display());
    let (ok, _, error) = run(kurultai(&["backup", folder.path().join("backup.db").to_str().unwrap(), "--database-url", &url]));
    assert!(!ok && error.contains("there is no database"), "{error}");
    assert!(!none.exists());
}

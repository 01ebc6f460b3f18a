//! Uploads: their size, the names of their files, and what is left of them.

use std::time::Duration;

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

use crate::observability::server_process::ServerProcess;
use crate::server::{Asker, On, Server};

/// A form that imports a file.
fn form(name: &str, text: String) -> reqwest::multipart::Form {
    let query = "mutation($input: ImportFileInput!) { importFile(input: $input) { created errors { message } } }";
    reqwest::multipart::Form::new()
        .text("operations", json!({"query": query, "variables": {"input": {"file": null}}}).to_string())
        .text("map", r#"{"0": ["variables.input.file"]}"#)
        .part("0", reqwest::multipart::Part::text(text).file_name(name.to_owned()))
}

/// A file of this many bytes with one person.
fn person_of_bytes(bytes: usize) -> String {
    let record = "people: [{slug: a, name: {en: A}}]\n";
    format!("{record}#{}", "x".repeat(bytes - record.len() - 1))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn upload_may_have_the_configured_size(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let (status, answer) = editor.send(form("a.yaml", person_of_bytes(5_000_000))).await;
    assert_eq!((status, &answer["data"]["importFile"]), (200, &json!({"created": 1, "errors": []})), "{answer:#}");
    let (status, answer): (u16, Value) = editor.send(form("a.yaml", person_of_bytes(11_000_000))).await;
    let message = answer["errors"][0]["message"].as_str().unwrap();
    assert!(status == 413 && message.contains("longer than 10000000 bytes (max_upload_bytes)"), "{status} {answer:#}");
}

#[tokio::test]
async fn file_name_with_a_control_character_is_refused() {
    let server = Server::empty(On::Sqlite).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let (status, answer) = editor.send(form("a\u{ffff}.yaml", "people: []".to_owned())).await;
    assert!(status == 400 && answer["errors"][0]["message"].as_str().unwrap().contains("U+FFFF"), "{answer:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_server_leaves_no_temporary_file() {
    let server = Server::empty(On::Sqlite).await;
    let (_, token) = server.store.create_token("editor", Role::Editor, None).await.unwrap();
    let folder = TempDir::new().unwrap();
    let mut process = ServerProcess::start(&server, &[("TMPDIR", folder.path().to_str().unwrap())]).await;
    let address = process.address.trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let operations = json!({"query": "mutation($input: ImportFileInput!) { importFile(input: $input) { created } }",
        "variables": {"input": {"file": null}}});
    let part =
        |name: &str, more: &str, text: &str| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{text}\r\n");
    let body = [
        part("operations", "", &operations.to_string()),
        part("map", "", r#"{"0": ["variables.input.file"]}"#),
        part("0", "; filename=\"a.yaml\"", &person_of_bytes(3_000_000)),
    ]
    .concat();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: multipart/form-data; boundary=x\r\n\
         Content-Length: 20000000\r\n\r\n"
    );
    // the upload never ends
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let names = || std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(names(), Vec::<std::ffi::OsString>::new());
    process.child.kill().unwrap();
    process.child.wait().unwrap();
    assert_eq!(names(), Vec::<std::ffi::OsString>::new());
}

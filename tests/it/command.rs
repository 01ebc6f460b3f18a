//! The command line.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rstest::rstest;

use crate::server::{On, TestDatabase, path};

pub fn kurultai(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kurultai"));
    command.args(arguments).env_remove("DATABASE_URL").env_remove("KURULTAI_TOKEN").env("RUST_BACKTRACE", "0");
    command
}

pub fn run(mut command: Command) -> (bool, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.success(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn help_tells_a_newcomer_what_there_is_and_where_to_begin() {
    let (ok, help, _) = run(kurultai(&["--help"]));
    assert!(ok);
    for word in ["serve", "migrate", "import", "export", "backup", "token", "schema", "kurultai import data/", "http://127.0.0.1:8080/"] {
        assert!(help.contains(word), "{word} is missing in\n{help}");
    }
    for command in ["serve", "migrate", "import", "export", "backup", "token", "schema"] {
        let (ok, help, _) = run(kurultai(&[command, "--help"]));
        assert!(ok && help.contains("--database-url"), "{help}");
    }
}

#[test]
fn schema_prints_the_schema_and_needs_no_database() {
    let (ok, printed, _) = run(kurultai(&["schema", "--database-url", "postgres://nobody@127.0.0.1:1/nothing"]));
    assert!(ok);
    assert_eq!(printed, std::fs::read_to_string(path("schema.graphql")).unwrap());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn import_loads_the_sample_dataset_and_says_what_it_did(#[values(On::Sqlite, On::Postgres)] on: On) {
    let database = TestDatabase::new(on).await;
    let data = path("data");
    let import = || run(kurultai(&["import", data.to_str().unwrap(), "--database-url", &database.url]));
    if on == On::Postgres {
        let (ok, _, error) = import();
        assert!(!ok && error.contains("run \"kurultai migrate\" first"), "{error}");
        let (ok, said, error) = run(kurultai(&["migrate", "--database-url", &database.url]));
        assert!(ok && said.contains("Changes of the schema made: "), "{said}{error}");
    }
    let (ok, first, error) = import();
    assert!(ok && first.contains(" created, 0 updated, 0 unchanged"), "{first}{error}");
    let (ok, second, _) = import();
    let count = first.split(' ').nth(1).unwrap();
    assert!(ok && second.trim() == format!("Records: 0 created, 0 updated, {count} unchanged"), "{second}");
}

#[test]
fn an_import_with_problems_fails_and_tells_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.yaml");
    std::fs::write(&file, "people:\n- {slug: a}\n").unwrap();
    let url = format!("sqlite://{}", folder.path().join("k.db").display());
    let (ok, _, error) = run(kurultai(&["import", file.to_str().unwrap(), "--database-url", &url]));
    assert!(!ok);
    assert!(error.contains("1 problem; nothing was written") && error.contains("people.yaml:2: people[0]: name is missing"), "{error}");
    let (ok, _, error) = run(kurultai(&["import", folder.path().join("nothing.yaml").to_str().unwrap(), "--database-url", &url]));
    assert!(!ok && error.contains("cannot read"), "{error}");
}

#[test]
fn a_wrong_setting_is_told_by_its_name_and_a_password_is_not_told_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let with = |text: &str| {
        std::fs::write(&file, text).unwrap();
        run(kurultai(&["migrate", "--config", file.to_str().unwrap()])).2
    };
    assert!(with("listne = \"127.0.0.1:1\"").contains("listne"));
    assert!(with("database_connections = \"many\"").contains("database_connections"));
    assert!(with("database_url = \"mysql://root@localhost\"").contains("must begin with sqlite: or postgres:"));
    let (ok, _, error) = run(kurultai(&["migrate", "--database-url", "postgres://root:hunter2@127.0.0.1:1/nothing"]));
    assert!(
        !ok && error.contains("cannot open the database postgres://root:***@127.0.0.1:1/nothing") && !error.contains("hunter2"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_makes_its_database_answers_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = kurultai(&["serve", "--listen", "127.0.0.1:0"]);
    command.current_dir(folder.path()).stderr(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = lines
        .by_ref()
        .find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(&line.unwrap()).expect("a log line that is not JSON");
            let message = line["message"].as_str()?.to_owned();
            Some(message.split("the API at ").nth(1)?.to_owned())
        })
        .unwrap();
    let answer =
        reqwest::Client::new().post(&address).json(&serde_json::json!({"query": "{ people { totalCount } }"})).send().await.unwrap();
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap()["data"]["people"]["totalCount"], 0);
    assert!(folder.path().join("kurultai.db").exists());
    let terminated = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(terminated.success());
    let ended = tokio::task::spawn_blocking(move || child.wait().unwrap());
    let status = tokio::time::timeout(Duration::from_secs(20), ended).await.expect("it did not stop").unwrap();
    assert!(status.success());
}

//! The command line.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rstest::rstest;

use crate::server::{On, TestDatabase, path};

/// A command of the program, without settings from the environment of the tests.
pub fn kurultai(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kurultai"));
    command.args(arguments).env_remove("DATABASE_URL").env_remove("KURULTAI_TOKEN").env("RUST_BACKTRACE", "0");
    command
}

/// Runs a command; returns whether it succeeded, its output and its error output.
pub fn run(mut command: Command) -> (bool, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.success(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn help_lists_commands_and_first_steps() {
    let (ok, help, _) = run(kurultai(&["--help"]));
    assert!(ok);
    for word in
        ["serve", "migrate", "import", "export", "backup", "token", "queries", "schema", "kurultai import data/", "http://127.0.0.1:8080/"]
    {
        assert!(help.contains(word), "{word} is missing in\n{help}");
    }
    for command in ["serve", "migrate", "import", "export", "backup", "token", "queries", "schema"] {
        let (ok, help, _) = run(kurultai(&[command, "--help"]));
        assert!(ok && help.contains("--database-url"), "{help}");
    }
}

#[test]
fn schema_is_printed_without_a_database() {
    let (ok, printed, _) = run(kurultai(&["schema", "--database-url", "postgres://nobody@127.0.0.1:1/nothing"]));
    assert!(ok);
    assert_eq!(printed, std::fs::read_to_string(path("schema.graphql")).unwrap());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn import_loads_sample_dataset_and_prints_summary(#[values(On::Sqlite, On::Postgres)] on: On) {
    let database = TestDatabase::new(on).await;
    let data = path("data");
    let import = || run(kurultai(&["import", data.to_str().unwrap(), "--database-url", &database.url]));
    if on == On::Postgres {
        let (ok, _, error) = import();
        assert!(!ok && error.contains("run \"kurultai migrate\" first"), "{error}");
        let (ok, output, error) = run(kurultai(&["migrate", "--database-url", &database.url]));
        assert!(ok && output.contains("Migrations applied: "), "{output}{error}");
    }
    let (ok, first, error) = import();
    assert!(ok && first.contains(" created, 0 updated, 0 unchanged"), "{first}{error}");
    let (ok, second, _) = import();
    let count = first.split(' ').nth(1).unwrap();
    assert!(ok && second.trim() == format!("Records: 0 created, 0 updated, {count} unchanged"), "{second}");
}

#[test]
fn import_error_locates_each_problem() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.yaml");
    std::fs::write(&file, "people:\n- {slug: a}\n").unwrap();
    let url = format!("sqlite://{}", folder.path().join("k.db").display());
    let (ok, _, error) = run(kurultai(&["import", file.to_str().unwrap(), "--database-url", &url]));
    assert!(!ok);
    assert!(
        error.contains("1 problem; nothing was written") && error.contains("people.yaml:2: people[0].name: name is missing"),
        "{error}"
    );
    let (ok, _, error) = run(kurultai(&["import", folder.path().join("nothing.yaml").to_str().unwrap(), "--database-url", &url]));
    assert!(!ok && error.contains("cannot read"), "{error}");
}

#[test]
fn error_names_invalid_setting_and_redacts_password() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let error_with = |text: &str| {
        std::fs::write(&file, text).unwrap();
        run(kurultai(&["migrate", "--config", file.to_str().unwrap()])).2
    };
    assert!(error_with("listne = \"127.0.0.1:1\"").contains("listne"));
    assert!(error_with("database_max_connections = \"many\"").contains("database_max_connections"));
    assert!(error_with("database_url = \"mysql://root@localhost\"").contains("must begin with sqlite: or postgres:"));
    let (ok, _, error) = run(kurultai(&["migrate", "--database-url", "postgres://root:hunter2@127.0.0.1:1/nothing"]));
    assert!(
        !ok && error.contains("cannot open the database postgres://root:***@127.0.0.1:1/nothing") && !error.contains("hunter2"),
        "{error}"
    );
}

/// The warnings about deprecated settings that a command logs.
fn deprecation_warnings(mut command: Command, file: &str) -> Vec<serde_json::Value> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kurultai.toml"), file).unwrap();
    command.current_dir(folder.path());
    let (ok, output, error) = run(command);
    assert!(ok, "{output}{error}");
    let lines = error.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.filter(|line| line["event"] == "config.deprecated_setting").collect()
}

#[test]
fn old_setting_name_in_file_is_accepted_with_a_warning() {
    let warnings = deprecation_warnings(kurultai(&["migrate"]), "streams = 5\n[timeouts]\nrequest = 7\n");
    let names: Vec<_> = warnings.iter().map(|line| (line["old"].as_str().unwrap(), line["new"].as_str().unwrap())).collect();
    assert_eq!(names, [("streams", "max_streams"), ("timeouts.request", "timeouts.query_seconds")]);
    assert!(warnings.iter().all(|line| line["level"] == "WARN" && line["message"] == "deprecated setting name"), "{warnings:?}");
    assert!(warnings.iter().all(|line| line["source"].as_str().unwrap().ends_with("kurultai.toml")), "{warnings:?}");
}

#[test]
fn old_setting_name_in_environment_is_accepted_with_a_warning() {
    let mut command = kurultai(&["migrate"]);
    command.env("KURULTAI_RATE__ADDRESS", "5").env("KURULTAI_CACHE", "0");
    let warnings = deprecation_warnings(command, "");
    let fields: Vec<_> =
        warnings.iter().map(|line| [&line["old"], &line["new"], &line["source"]].map(|field| field.as_str().unwrap())).collect();
    let expected = [
        ["KURULTAI_CACHE", "KURULTAI_RESPONSE_CACHE_BYTES", "environment"],
        ["KURULTAI_RATE__ADDRESS", "KURULTAI_RATE_LIMIT__POINTS_PER_ADDRESS", "environment"],
    ];
    assert_eq!(fields, expected);
}

#[test]
fn old_setting_name_beside_new_name_is_ignored_with_warning() {
    let warnings = deprecation_warnings(kurultai(&["migrate"]), "replica_lag = 0\nmax_replica_lag_seconds = 5\n");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(warnings[0]["message"], "deprecated setting ignored because its new name is also set");
}

#[test]
fn invalid_value_of_old_setting_name_is_rejected() {
    let mut command = kurultai(&["migrate"]);
    command.env("KURULTAI_REPLICA_LAG", "0");
    let (ok, _, error) = run(command);
    assert!(!ok && error.contains("max_replica_lag_seconds: must be at least 1"), "{error}");
    let mut command = kurultai(&["migrate"]);
    command.env("KURULTAI_RATE__ADDRES", "0");
    let (ok, _, error) = run(command);
    assert!(!ok && error.contains("unknown field: found `addres`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_creates_database_responds_and_stops_on_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = kurultai(&["serve", "--listen", "127.0.0.1:0"]);
    command.current_dir(folder.path()).stderr(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = lines
        .by_ref()
        .find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(&line.unwrap()).expect("a log line that is not JSON");
            Some(line["graphql.url"].as_str()?.to_owned())
        })
        .unwrap();
    let response =
        reqwest::Client::new().post(&address).json(&serde_json::json!({"query": "{ people { totalCount } }"})).send().await.unwrap();
    assert_eq!(response.json::<serde_json::Value>().await.unwrap()["data"]["people"]["totalCount"], 0);
    assert!(folder.path().join("kurultai.db").exists());
    let terminated = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(terminated.success());
    let exited = tokio::task::spawn_blocking(move || child.wait().unwrap());
    let status = tokio::time::timeout(Duration::from_secs(20), exited).await.expect("the server did not stop").unwrap();
    assert!(status.success());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn queries_of_a_manifest_are_saved_all_or_none(#[values(On::Sqlite, On::Postgres)] on: On) {
    let database = TestDatabase::new(on).await;
    run(kurultai(&["migrate", "--database-url", &database.url]));
    let folder = tempfile::tempdir().unwrap();
    let import = |manifest: &str| {
        let file = folder.path().join("manifest.json");
        std::fs::write(&file, manifest).unwrap();
        run(kurultai(&["queries", "import", file.to_str().unwrap(), "--database-url", &database.url]))
    };
    let list = || run(kurultai(&["queries", "list", "--database-url", &database.url])).1;
    let valid = r#""d1": "query Cases { cases { totalCount } }", "d2": "mutation M($i: CreateTopicInput!) { createTopic(input: $i) { topic { slug } } }""#;
    let (ok, _, error) = import(&format!(r#"{{{valid}, "d3": "query Q {{ cases {{ title }} }}"}}"#));
    assert!(!ok, "{error}");
    assert!(error.contains("d3: line 1, column 19: CaseConnection has no field title; did you mean nodes { title }?"), "{error}");
    assert!(list().contains("There are no saved queries"));
    let (ok, output, error) = import(&format!("{{{valid}}}"));
    assert!(ok && output.contains("Saved 2 of 2 documents"), "{output}{error}");
    assert!(import(&format!("{{{valid}}}")).1.contains("Saved 0 of 2 documents; 2 were saved already"));
    assert_eq!(list().lines().count(), 3, "{}", list());
    let (ok, _, error) = import(r#"{"d1": "query Other { laws { totalCount } }"}"#);
    assert!(!ok && error.contains("the id d1 is permanently that of another document"), "{error}");
}

//! The output of commands: results on stdout as text or JSON, explanations on stderr, and exit codes by cause.

use std::process::Command;

use serde_json::Value;

use crate::cli::command::{kurultai, run};
use crate::server::path;

/// A command on a SQLite database in a folder.
fn command(folder: &tempfile::TempDir, arguments: &[&str]) -> Command {
    let mut command = kurultai(arguments);
    command.args(["--database-url", &format!("sqlite://{}", folder.path().join("k.db").display())]);
    command
}

fn json(folder: &tempfile::TempDir, arguments: &[&str]) -> Value {
    let (ok, output, error) = run(command(folder, &[arguments, &["--json"]].concat()));
    assert!(ok, "{output}{error}");
    serde_json::from_str(&output).unwrap_or_else(|_| panic!("{arguments:?}: {output}"))
}

#[test]
fn token_create_prints_the_token_alone() {
    let folder = tempfile::tempdir().unwrap();
    let create = ["token", "create", "--name", "Aigerim", "--role", "editor"];
    let (ok, output, error) = run(command(&folder, &create));
    assert!(ok && output.starts_with("kurultai_") && output.trim_end().lines().count() == 1, "{output}");
    assert!(error.contains("\"Aigerim\"") && error.contains("It is not shown again"), "{error}");
    let (ok, output, error) = run(command(&folder, &["token", "create", "--name", "B", "--role", "editor", "--quiet"]));
    assert!(ok && output.starts_with("kurultai_") && error.is_empty(), "{output}{error}");
    let created = json(&folder, &["token", "create", "--name", "Timur", "--role", "editor"]);
    assert!(created["token"].as_str().unwrap().starts_with("kurultai_"), "{created}");
    assert_eq!((&created["name"], &created["role"], &created["expiresAt"]), (&"Timur".into(), &"editor".into(), &Value::Null));
}

#[test]
fn every_result_is_printed_as_json_and_reports_are_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let (data, package, backup) = (path("data"), folder.path().join("package"), folder.path().join("copy.db"));
    let (data, package, backup) = (data.to_str().unwrap(), package.to_str().unwrap(), backup.to_str().unwrap());
    assert!(json(&folder, &["migrate"])["applied"].as_u64().unwrap() > 0);
    let dry = json(&folder, &["import", data, "--dry-run"]);
    let imported = json(&folder, &["import", data]);
    assert_eq!((&dry["dryRun"], &imported["dryRun"], &dry["created"]), (&true.into(), &false.into(), &imported["created"]));
    assert!(json(&folder, &["export", package])["tables"].as_u64().unwrap() > 0);
    assert!(json(&folder, &["backup", backup])["bytes"].as_u64().unwrap() > 0);
    assert!(json(&folder, &["reindex"])["indexed"].as_u64().unwrap() > 0);
    json(&folder, &["token", "create", "--name", "A", "--role", "admin"]);
    let tokens = json(&folder, &["token", "list"]);
    assert_eq!((&tokens[0]["name"], &tokens[0]["state"], &tokens[0]["lastUsedAt"]), (&"A".into(), &"active".into(), &Value::Null));
    assert_eq!(json(&folder, &["token", "revoke", "A"])["name"], "A");
    let manifest = folder.path().join("manifest.json");
    std::fs::write(&manifest, "{\"one\": \"{ __typename }\"}").unwrap();
    assert_eq!(json(&folder, &["queries", "import", manifest.to_str().unwrap()])["saved"], 1);
    assert_eq!(json(&folder, &["queries", "list"])[0]["savedBy"], "import");
    assert_eq!(json(&folder, &["migrate", "--down", "1"])["reverted"], 1);
    // a report is suppressed, a list is not
    for (arguments, is_data) in [(&["migrate", "-q"][..], false), (&["import", data, "-q"], false), (&["token", "list", "-q"], true)] {
        let (ok, output, error) = run(command(&folder, arguments));
        assert!(ok && output.is_empty() != is_data, "{arguments:?}: {output}{error}");
    }
}

#[test]
fn completions_and_manual_pages_are_printed() {
    for (shell, expected) in [("bash", "complete -F _kurultai"), ("zsh", "#compdef kurultai"), ("fish", "complete -c kurultai")] {
        let (ok, output, error) = run(kurultai(&["completions", shell]));
        assert!(ok && output.contains(expected) && output.contains("dry-run"), "{shell}: {error}");
    }
    let (ok, output, _) = run(kurultai(&["man"]));
    assert!(ok && output.contains(".TH kurultai 1") && output.contains("Exit codes"), "{output}");
    let folder = tempfile::tempdir().unwrap();
    let (ok, output, error) = run(kurultai(&["man", "--dir", folder.path().to_str().unwrap()]));
    assert!(ok && output.is_empty(), "{output}{error}");
    for page in ["kurultai.1", "kurultai-import.1", "kurultai-sources-check.1", "kurultai-token-create.1"] {
        assert!(folder.path().join(page).exists(), "{page}");
    }
}

#[test]
fn exit_code_tells_the_cause() {
    let folder = tempfile::tempdir().unwrap();
    let invalid = folder.path().join("people.yaml");
    std::fs::write(&invalid, "people:\n- {slug: b}\n").unwrap();
    let valid = folder.path().join("valid.yaml");
    std::fs::write(&valid, "people:\n- {slug: a, name: {en: A}}\n").unwrap();
    let (invalid, valid) = (invalid.to_str().unwrap(), valid.to_str().unwrap());
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let below_file = file.join("package");
    let manifest = folder.path().join("m.json");
    std::fs::write(&manifest, "[]").unwrap();
    for (arguments, expected) in [
        (&["import", valid][..], 0),
        (&["import", "--nonsense"], 2),
        (&["import", invalid], 3),
        (&["import", invalid, "--dry-run"], 3),
        (&["queries", "import", manifest.to_str().unwrap()], 3),
        (&["import", "/nothing/here.yaml"], 66),
        (&["queries", "import", "/nothing/here.json"], 66),
        (&["backup", valid], 73),
        (&["man", "--dir", below_file.to_str().unwrap()], 73),
    ] {
        let output = command(&folder, arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(expected), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let (_, help, _) = run(kurultai(&["--help"]));
    let documented = std::fs::read_to_string(path("docs/OPERATING.md")).unwrap();
    for code in [0, 1, 2, 3, 65, 66, 69, 71, 73, 77, 78, 130] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(&format!("{code} "))), "{code} is missing in\n{help}");
        assert!(documented.contains(&format!("\n| {code} | ")), "{code}");
    }
}

/// A server that rejects the token is another cause than one that does not answer.
#[tokio::test(flavor = "multi_thread")]
async fn exit_code_tells_what_a_server_rejects() {
    let server = crate::server::Server::empty(crate::server::On::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("valid.yaml");
    std::fs::write(&file, "people:\n- {slug: a, name: {en: A}}\n").unwrap();
    let mut command = kurultai(&["import", file.to_str().unwrap(), "--url", &server.address, "--token", "kurultai_wrong"]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(77), "{}", String::from_utf8_lossy(&output.stderr));
}

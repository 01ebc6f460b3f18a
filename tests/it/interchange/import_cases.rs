//! Tables and their mappings: each file in `import_cases` is a mapping, its tables, and what they become.
//!
//! A case has sections, each after a line `--- name`: files to import (`base.yaml` first, then tables, one after the other),
//! `mapping.yaml`, `output` with texts that the import of the last table says, and `query` with its `result`. A case with
//! `errors` instead is not imported; the last table has exactly these problems.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::Value;

use super::ImportFixture;
use super::identity::{Door, import};
use crate::server::{On, path};

/// Sections of a case, with their names.
struct Case {
    name: String,
    sections: Vec<(String, String)>,
}

impl Case {
    fn section(&self, name: &str) -> Option<&str> {
        self.sections.iter().find(|(section, _)| section == name).map(|(_, text)| text.as_str())
    }

    fn lines(&self, name: &str) -> Vec<&str> {
        self.section(name).unwrap_or_default().lines().filter(|line| !line.is_empty()).collect()
    }

    fn tables(&self) -> Vec<&str> {
        self.sections.iter().map(|(name, _)| name.as_str()).filter(|name| matches!(name.rsplit('.').next(), Some("csv" | "tsv"))).collect()
    }
}

fn cases() -> Vec<Case> {
    let folder = path("tests/it/interchange/import_cases");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let case = |file: &std::path::PathBuf| {
        let text = std::fs::read_to_string(file).unwrap();
        let sections = text.split("--- ").skip(1).map(|section| {
            let (name, content) = section.split_once('\n').unwrap();
            (name.to_owned(), content.to_owned())
        });
        let sections: Vec<(String, String)> = sections.collect();
        let has = |name: &str| sections.iter().any(|(section, _)| section == name);
        for (name, _) in &sections {
            assert!(
                name.contains('.') || ["output", "errors", "query", "result"].contains(&name.as_str()),
                "{}: section {name}",
                file.display()
            );
        }
        assert!(has("errors") || has("output") || has("query"), "{} expects nothing", file.display());
        assert_eq!(has("query"), has("result"), "{}", file.display());
        Case { name: file.file_stem().unwrap().to_string_lossy().into_owned(), sections }
    };
    files.iter().map(case).collect()
}

/// Imports the files of a case; returns what is wrong with the result.
async fn run(fixture: &ImportFixture, door: Door, case: &Case) -> Vec<String> {
    for (name, text) in case.sections.iter().filter(|(name, _)| name.contains('.')) {
        fixture.write_file(name, text);
    }
    if case.section("base.yaml").is_some() {
        fixture.import_ok(&["base.yaml"]);
    }
    let mut output = String::new();
    for table in case.tables() {
        output = import(fixture, door, table, None, Some("mapping.yaml")).await.replace("\\\"", "\"").replace("\\\\", "\\");
    }
    let mut wrong = Vec::new();
    let expected_errors = case.lines("errors");
    for line in case.lines("output") {
        if !output.contains(line) {
            wrong.push(format!("expected {line}"));
        }
    }
    for line in &expected_errors {
        if !output.contains(line) {
            wrong.push(format!("expected {line}"));
        }
    }
    let problems = match door {
        Door::Upload => output.matches("{\"message\":").count(),
        Door::Database | Door::Url => output
            .lines()
            .filter(|line| case.tables().iter().chain(&["mapping.yaml"]).any(|file| line.starts_with(&format!("{file}:"))))
            .count(),
    };
    if problems != expected_errors.len() && (!expected_errors.is_empty() || matches!(door, Door::Upload)) {
        wrong.push(format!("{problems} problems instead of {}", expected_errors.len()));
    }
    if let (Some(query), true) = (case.section("query"), wrong.is_empty()) {
        let result = fixture.server.data(query).await;
        let expected: Value = serde_json::from_str(case.section("result").unwrap()).unwrap();
        if result != expected {
            wrong.push(format!("result {result}"));
        }
    }
    if !wrong.is_empty() {
        wrong.push(output);
    }
    wrong
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn each_case_has_its_result(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    let cases = cases();
    assert_eq!(cases.iter().map(|case| &case.name).collect::<BTreeSet<_>>().len(), cases.len());
    let mut failures = Vec::new();
    for case in &cases {
        let wrong = run(&fixture, door, case).await;
        if !wrong.is_empty() {
            failures.push(format!("{}:\n{}", case.name, wrong.join("\n")));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

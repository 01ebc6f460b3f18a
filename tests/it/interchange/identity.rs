//! Records are matched by id, by identifier or by a slug that the file gives, never by a name, through every interface.

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use super::ImportFixture;
use crate::cli::command::{kurultai, run};
use crate::server::On;

/// An interface that imports files.
#[derive(Debug, Clone, Copy)]
pub enum Door {
    /// `kurultai import` into the database.
    Database,
    /// `kurultai import --url` into a running server.
    Url,
    /// The mutation `importFile`.
    Upload,
}

/// Imports a file; returns all that the interface says.
pub async fn import(fixture: &ImportFixture, door: Door, file: &str, scheme: Option<&str>, mapping: Option<&str>) -> String {
    import_with(fixture, door, file, Options { scheme, mapping, ..Options::default() }).await
}

/// As [`import`], with warnings as errors.
pub async fn import_strictly(fixture: &ImportFixture, door: Door, file: &str) -> String {
    import_with(fixture, door, file, Options { strict: true, ..Options::default() }).await
}

/// Options of an import that every interface has.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are independent of each other")]
pub struct Options<'o> {
    pub scheme: Option<&'o str>,
    pub mapping: Option<&'o str>,
    pub encoding: Option<&'o str>,
    pub strict: bool,
    pub overwrite: bool,
    pub set: Option<&'o str>,
    pub prune: Option<&'o str>,
    pub close_on: Option<&'o str>,
    /// Whether what is pruned need not be shown first.
    pub confirm: bool,
    /// Whether nothing is to be written.
    pub dry_run: bool,
    /// Number of records per transaction; `importFile` has one.
    pub batch: Option<&'o str>,
}

/// Imports a file with options; returns all that the interface says.
pub async fn import_with(fixture: &ImportFixture, door: Door, file: &str, options: Options<'_>) -> String {
    let Options { scheme, mapping, encoding, strict, overwrite, set, prune, close_on, confirm, dry_run, batch } = options;
    let mut arguments = vec![file];
    arguments.extend(strict.then_some("--strict"));
    arguments.extend(overwrite.then_some("--overwrite"));
    arguments.extend(scheme.iter().flat_map(|scheme| ["--scheme", scheme]));
    arguments.extend(encoding.iter().flat_map(|encoding| ["--encoding", encoding]));
    arguments.extend(set.iter().flat_map(|set| ["--set", set]));
    arguments.extend(prune.iter().flat_map(|prune| ["--prune", prune]));
    arguments.extend(close_on.iter().flat_map(|day| ["--close-on", day]));
    arguments.extend(confirm.then_some("--yes"));
    arguments.extend(dry_run.then_some("--dry-run"));
    arguments.extend(batch.iter().flat_map(|batch| ["--batch", batch]));
    arguments.extend(mapping.iter().flat_map(|mapping| ["--mapping", mapping]));
    // names of tokens are unique
    let name = format!("editor-{}", fixture.server.store.tokens().await.unwrap().len());
    let (_, token) = fixture.server.store.create_token(&name, Role::Editor, None).await.unwrap();
    match door {
        Door::Database => {
            let (_, stdout, stderr) = fixture.import(&arguments);
            format!("{stdout}{stderr}")
        }
        Door::Url => {
            let mut command = kurultai(&["import", "--url", &fixture.server.address, "--token", &token]);
            command.args(&arguments).current_dir(fixture.folder.path());
            let (_, stdout, stderr) = tokio::task::spawn_blocking(|| run(command)).await.unwrap();
            format!("{stdout}{stderr}")
        }
        Door::Upload => {
            let query = "mutation($input: ImportFileInput!) { importFile(input: $input) { created updated unchanged notes gone { type slug outcome reason } errors { message } } }";
            let mut input = json!({"file": null, "scheme": scheme, "encoding": encoding, "strict": strict, "overwrite": overwrite, "set": set, "confirm": confirm});
            input["prune"] = json!(prune.map(str::to_uppercase));
            input["closeOn"] = json!(close_on);
            input["dryRun"] = json!(dry_run);
            let part = |name: &str| {
                let bytes = std::fs::read(fixture.folder.path().join(name)).unwrap();
                reqwest::multipart::Part::bytes(bytes).file_name(name.to_owned())
            };
            let mut form = reqwest::multipart::Form::new();
            let mut map = json!({"0": ["variables.input.file"]});
            if mapping.is_some() {
                input["mapping"] = Value::Null;
                map["1"] = json!(["variables.input.mapping"]);
            }
            form = form.text("operations", json!({"query": query, "variables": {"input": input}}).to_string()).text("map", map.to_string());
            form = form.part("0", part(file));
            if let Some(mapping) = mapping {
                form = form.part("1", part(mapping));
            }
            let request = fixture.server.client.post(format!("{}/graphql", fixture.server.address)).bearer_auth(token);
            let answer: Value = request.multipart(form).send().await.unwrap().json().await.unwrap();
            let payload = &answer["data"]["importFile"];
            let count = |name: &str| payload[name].as_i64().unwrap_or(-1);
            format!(
                "Records: {} created, {} updated, {} unchanged {payload} {}",
                count("created"),
                count("updated"),
                count("unchanged"),
                answer["errors"]
            )
        }
    }
}

async fn people(fixture: &ImportFixture) -> Vec<(String, String)> {
    let data = fixture.server.data("{ people { nodes { slug biography(lang: \"en\") } } }").await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    data["people"]["nodes"].as_array().unwrap().iter().map(|node| (text(&node["slug"]), text(&node["biography"]))).collect()
}

const JUDGE: &str = "people:\n- {slug: john-lee, name: {en: John Lee}, biography: {en: A judge.}}\n";
const CONVICT: &str = r#"{"persons": [{"id": "77", "name": "John Lee", "biography": "A convict."}]}"#;

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn namesake_keeps_its_record(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("judge.yaml", JUDGE);
    fixture.import_ok(&["judge.yaml"]);
    fixture.write_file("convicts.popolo.json", CONVICT);
    for (expected, note) in [("1 created, 0 updated, 0 unchanged", true), ("0 created, 0 updated, 1 unchanged", false)] {
        let output = import(&fixture, door, "convicts.popolo.json", Some("prison"), None).await;
        assert!(output.contains(expected), "{output}");
        assert_eq!(output.contains("because the database has another john-lee"), note, "{output}");
        let people = people(&fixture).await;
        assert_eq!(people.len(), 2, "{people:?}");
        assert!(people.contains(&("john-lee".to_owned(), "A judge.".to_owned())), "{people:?}");
    }
}

/// A person or an organization without an id has its name as an id in the register, and in no other.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn name_without_id_identifies_in_its_register_only(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("judge.yaml", JUDGE);
    fixture.import_ok(&["judge.yaml"]);
    fixture.write_file("list.popolo.json", r#"{"persons": [{"name": "John Lee", "biography": "A convict."}]}"#);
    for (scheme, expected) in [("prison", "1 created"), ("prison", "1 unchanged"), ("police", "1 created")] {
        let output = import(&fixture, door, "list.popolo.json", Some(scheme), None).await;
        assert!(output.contains(expected), "{scheme} {output}");
    }
    let people = people(&fixture).await;
    assert_eq!(people.len(), 3, "{people:?}");
    assert!(people.contains(&("john-lee".to_owned(), "A judge.".to_owned())), "{people:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn ids_need_the_name_of_their_register(#[values(Door::Database, Door::Url, Door::Upload)] door: Door) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("convicts.popolo.json", CONVICT);
    let output = import(&fixture, door, "convicts.popolo.json", None, None).await;
    assert!(output.contains("name the register with --scheme"), "{output}");
    assert!(people(&fixture).await.is_empty());
    // two registers number their people alike
    for scheme in ["prison", "police"] {
        let output = import(&fixture, door, "convicts.popolo.json", Some(scheme), None).await;
        assert!(output.contains("1 created"), "{output}");
    }
    assert_eq!(people(&fixture).await.len(), 2);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn table_refers_to_records_by_identifier(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file(
        "base.yaml",
        "people:\n- {slug: ann, name: {en: Ann}, identifiers: [{scheme: register, value: \"1\"}, {scheme: register, value: \"2\"}]}\n\
         organizations:\n- {slug: house, name: {en: House}, classification: chamber}\n",
    );
    fixture.import_ok(&["base.yaml"]);
    fixture.write_file(
        "seats.mapping.yaml",
        "type: membership\nfields:\n  slug: Slug\n  label: {en: Label}\n  person: {column: No, scheme: register}\n  organization: {constant: house}\n",
    );
    fixture.write_file("seats.csv", "Slug,Label,No\nseat-1,Member,1\nseat-2,Chair,2\n");
    let output = import(&fixture, door, "seats.csv", None, Some("seats.mapping.yaml")).await;
    assert!(output.contains("2 created"), "{output}");
    fixture.write_file("seats.csv", "Slug,Label,No\nseat-3,Member,9\n");
    let output = import(&fixture, door, "seats.csv", None, Some("seats.mapping.yaml")).await;
    assert!(output.contains("no record has the identifier register 9"), "{output}");
}

/// An identifier that leads to a person with another name is a warning, and an error with `--strict`. A changed family name or
/// another spelling is neither.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn name_that_changes_wholly_is_a_warning(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    let person = |name: &str| format!("people:\n- slug: anna\n  name: {{en: {name}}}\n");
    fixture.write_file("a.yaml", person("Anna Yertayeva"));
    fixture.import_ok(&["a.yaml"]);
    for (name, is_warned) in [("Anna Berik", false), ("Анна Ертаева", false), ("Boris Chen", true), ("Boris Chen", false)] {
        fixture.write_file("a.yaml", person(name));
        if is_warned {
            fixture.write_file("strict.yaml", person(name));
            let output = import_strictly(&fixture, door, "strict.yaml").await;
            assert!(output.contains("the name changes wholly") && !output.contains("1 updated"), "{output}");
        }
        let output = import(&fixture, door, "a.yaml", None, None).await;
        let expected = if name == "Boris Chen" && !is_warned { "1 unchanged" } else { "1 updated" };
        assert!(output.contains(expected), "{name} {output}");
        let warning = "the name changes wholly, from \\\"Анна Ертаева\\\" to \\\"Boris Chen\\\"; check that person \\\"anna\\\""
            .replace("\\\"", "\"");
        assert_eq!(output.replace("\\\"", "\"").contains(&warning), is_warned, "{name} {output}");
    }
}

/// A slug that is made of a name leads to a namesake, which the birth date tells.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn another_year_of_birth_is_a_warning(#[values(Door::Database, Door::Url, Door::Upload)] door: Door) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    let person = |date: &str| format!("people:\n- slug: anna\n  name: {{en: Anna}}\n  birthDate: \"{date}\"\n");
    fixture.write_file("a.yaml", person("1970-01-01"));
    fixture.import_ok(&["a.yaml"]);
    for (date, is_warned) in [("1970", false), ("1970-02-01", false), ("1995-02-02", true)] {
        fixture.write_file("a.yaml", person(date));
        if is_warned {
            let output = import_strictly(&fixture, door, "a.yaml").await;
            assert!(output.contains("the birth date changes from") && !output.contains("1 updated"), "{output}");
        }
        let output = import(&fixture, door, "a.yaml", None, None).await;
        let warning = "the birth date changes from 1970-02-01 to 1995-02-02; check that person \"anna\" in the database is the same person";
        assert!(output.contains("1 updated"), "{date} {output}");
        assert_eq!(output.replace("\\\"", "\"").contains(warning), is_warned, "{date} {output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uploaded_file_of_an_unknown_kind_is_refused() {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("people.txt", "{}");
    let output = import(&fixture, Door::Upload, "people.txt", None, None).await;
    assert!(output.contains("unknown file extension; name the file .yaml"), "{output}");
    fixture.write_file("datapackage.json", "{}");
    let output = import(&fixture, Door::Upload, "datapackage.json", None, None).await;
    assert!(output.contains("a data package is a directory"), "{output}");
    fixture.write_file("people.csv", "a\n1\n");
    let output = import(&fixture, Door::Upload, "people.csv", None, None).await;
    assert!(output.contains("a table requires a mapping"), "{output}");
}

/// What cites one page is not divided between two records in silence.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn two_sources_of_one_url_are_warned_about(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    let source =
        |slug: &str, url: &str| format!("- {{slug: {slug}, title: {{en: News}}, kind: article, url: \"https://news.example/{url}\"}}\n");
    fixture.write_file("stored.yaml", format!("sources:\n{}", source("page-a", "1")));
    let output = import(&fixture, door, "stored.yaml", None, None).await;
    assert!(output.contains("1 created") && !output.contains("warning"), "{output}");
    fixture.write_file("more.yaml", format!("sources:\n{}{}{}", source("page-b", "1"), source("page-c", "2"), source("page-d", "2")));
    let refused = import_strictly(&fixture, door, "more.yaml").await;
    let output = import(&fixture, door, "more.yaml", None, None).await;
    assert!(output.contains("3 created"), "{output}");
    for output in [refused, output] {
        for (line, other, slug) in [(2, "page-a", "page-b"), (4, "page-c", "page-d")] {
            let message =
                format!("the source \"{other}\" has this URL, too; refer to it instead, or merge \"{slug}\" into it with mergeSources");
            assert!(output.replace("\\\"", "\"").contains(&message), "{line}: {output}");
        }
        assert_eq!(output.matches("has this URL, too").count(), 2, "{output}");
    }
}

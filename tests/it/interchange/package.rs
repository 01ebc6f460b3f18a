//! Data packages: an export and its import preserve the published dataset exactly.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kurultai::core::auth::Role;
use kurultai::interchange::package;
use kurultai::interchange::package::{ExportOptions, PackageFormat};
use kurultai::store::Store;
use kurultai::store::draft::parse;
use kurultai::store::draft::value_tree;
use kurultai::store::write::{Author, WriteError};
use migration::sea_orm::ConnectionTrait;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::cli::command::{kurultai, run};
use crate::server::{Asker, On, Server, TestDatabase};
use crate::store::drafts::{SECRET, TEXT};

const FORMATS: [PackageFormat; 3] = [PackageFormat::Csv, PackageFormat::Ndjson, PackageFormat::Parquet];

fn export_options(folder: &Path, format: PackageFormat) -> ExportOptions {
    ExportOptions { directory: folder.to_owned(), format, replace: false, title: "Test".to_owned(), licences: vec!["CC-BY-4.0".to_owned()] }
}

async fn export(store: &Store, folder: &Path, format: PackageFormat) {
    let mut dump = store.dump().await.unwrap();
    package::write(&mut dump, &export_options(folder, format), |_| ()).await.unwrap();
}

/// Imports a package as the `import` command does.
async fn import(store: &Store, folder: &Path) {
    let package = package::read(&folder.join("datapackage.json")).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let drafts = package.records.into_iter().map(|(ty, draft)| (ty, vec![draft])).collect();
    let author = Author { by: "tests".to_owned(), message: None };
    store.write(&drafts, &author, |_| ()).await.unwrap();
    store.register_redirects(&package.former_slugs, &package.merged_ids).await.unwrap();
}

/// The files of a package; the descriptor without properties of the database.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut bytes = fs::read(&path).unwrap();
        if name == "datapackage.json" {
            let mut descriptor: Map<String, Value> = serde_json::from_slice(&bytes).unwrap();
            assert!(descriptor.remove("created").is_some() && descriptor.remove("datasetRevision").is_some());
            bytes = serde_json::to_vec_pretty(&descriptor).unwrap();
        }
        (name, bytes)
    };
    entries.map(read).collect()
}

fn assert_same_files(one: &Path, other: &Path) {
    let (one, other) = (files(one), files(other));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, bytes) in &one {
        assert!(bytes == &other[name], "{name}:\n{}\n{}", String::from_utf8_lossy(bytes), String::from_utf8_lossy(&other[name]));
    }
}

/// The sample dataset with a merged record, a renamed record, votes and unusual text.
async fn server_with_history(on: On) -> Server {
    let server = Server::sample(on).await;
    let text = r#"
people:
- {slug: anna, name: {ru: Анна, en: "=Anna \"A\", the 1st"}, biography: {en: "A\r\nlife,\n\"quoted\""}, otherNames: [{name: A, lang: en, start: "1999"}], identifiers: [{scheme: register, value: "007"}]}
- {slug: anna-2, name: {en: Anna Again}, identifiers: [{scheme: register, value: "008"}]}
voteEvents:
- slug: vote-1
  motion: {en: "A motion, \"quoted\""}
  date: "2020-01"
  result: pass
  counts: [{option: "yes", value: 12}]
  votes: [{key: z, person: anna, option: "yes"}, {key: a, person: alnur-ilyashev, option: "no"}]
"#;
    server.import(text).await.unwrap();
    let editor = Asker::with_role(&server, Role::Editor).await;
    editor.done("mergePeople { person { slug } }", json!({"from": "anna-2", "into": "anna"})).await;
    editor.done("updatePerson { person { slug } }", json!({"id": id_of(&server, "anna").await, "slug": "hanna"})).await;
    server
}

async fn id_of(server: &Server, slug: &str) -> String {
    let found = server.data(&format!("{{ person(by: {{slug: \"{slug}\"}}) {{ id }} }}")).await;
    found["person"]["id"].as_str().unwrap().to_owned()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn package_round_trips_between_databases(#[values(On::Sqlite, On::Postgres)] from: On, #[values(On::Sqlite, On::Postgres)] to: On) {
    let (server, folder) = (server_with_history(from).await, TempDir::new().unwrap());
    for format in FORMATS {
        let (first, second) = (folder.path().join(format!("{format:?}-1")), folder.path().join(format!("{format:?}-2")));
        export(&server.store, &first, format).await;
        let empty = Server::empty(to).await;
        import(&empty.store, &first).await;
        export(&empty.store, &second, format).await;
        assert_same_files(&first, &second);
        // a second import changes nothing
        let version = empty.store.version().await.unwrap().number;
        import(&empty.store, &first).await;
        assert_eq!(empty.store.version().await.unwrap().number, version);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn queries_of_an_imported_package_return_the_same(#[values(On::Sqlite, On::Postgres)] on: On) {
    let (server, folder) = (server_with_history(on).await, TempDir::new().unwrap());
    let package = folder.path().join("package");
    export(&server.store, &package, PackageFormat::Parquet).await;
    let other = Server::empty(on).await;
    import(&other.store, &package).await;
    let old = {
        let raw = server.database.raw().await;
        let rows = raw.query_all_raw(migration::sea_orm::Statement::from_string(
            raw.get_database_backend(),
            "SELECT id FROM nodes WHERE merged_into IS NOT NULL",
        ));
        kurultai::core::id::encode("person", rows.await.unwrap()[0].try_get_by_index(0).unwrap())
    };
    let query = format!(
        r#"{{
            old: node(id: "{old}") {{ id ... on Person {{ slug names {{ lang text }} otherNames {{ name lang start }} identifiers {{ scheme value }} }} }}
            former: person(by: {{slug: "anna"}}) {{ id slug }}
            merged: person(by: {{slug: "anna-2"}}) {{ id slug }}
            cases {{ nodes {{ id slug title disputed disputes {{ field }} parties {{ nodes {{ id key person {{ id }} }} }} charges {{ nodes {{ id key outcome party {{ key }} provision {{ slug }} }} }} citations {{ nodes {{ id field value quote source {{ slug }} }} }} topics {{ nodes {{ slug }} }} }} }}
            voteEvents {{ nodes {{ id motion votes {{ nodes {{ id key option person {{ slug }} }} }} }} }}
            search(query: "Ilyashev") {{ nodes {{ record {{ id }} }} }}
        }}"#
    );
    let before = server.data(&query).await;
    assert_eq!(before["old"]["slug"], "hanna");
    assert_eq!(before["former"], before["merged"]);
    assert_eq!(before, other.data(&query).await);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn drafts_and_their_dependents_are_not_exported(#[values(On::Sqlite, On::Postgres)] on: On) {
    let (server, folder) = (Server::with(on, TEXT).await, TempDir::new().unwrap());
    for format in [PackageFormat::Csv, PackageFormat::Ndjson] {
        let (first, second) = (folder.path().join(format!("{format:?}-1")), folder.path().join(format!("{format:?}-2")));
        export(&server.store, &first, format).await;
        for (name, bytes) in files(&first) {
            let text = String::from_utf8(bytes).unwrap();
            assert!(!text.to_lowercase().contains(SECRET), "{name} contains a draft:\n{text}");
        }
        let empty = Server::empty(on).await;
        import(&empty.store, &first).await;
        export(&empty.store, &second, format).await;
        assert_same_files(&first, &second);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn package_is_a_snapshot_despite_concurrent_writes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let (server, folder) = (Server::sample(on).await, TempDir::new().unwrap());
    let (first, second, third) = (folder.path().join("1"), folder.path().join("2"), folder.path().join("3"));
    export(&server.store, &first, PackageFormat::Csv).await;
    let mut dump = server.store.dump().await.unwrap();
    dump.count().await.unwrap();
    server
        .import("people: [{slug: late, name: {en: Late}, topics: [defamation]}]\ntopics: [{slug: late, label: {en: Late}}]")
        .await
        .unwrap();
    package::write(&mut dump, &export_options(&second, PackageFormat::Csv), |_| ()).await.unwrap();
    drop(dump);
    assert_same_files(&first, &second);
    export(&server.store, &third, PackageFormat::Csv).await;
    assert_ne!(files(&second), files(&third));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_has_a_table_with_descriptions_and_keys() {
    let (server, folder) = (Server::empty(On::Sqlite).await, TempDir::new().unwrap());
    let package = folder.path().join("p");
    export(&server.store, &package, PackageFormat::Csv).await;
    let descriptor: Value = serde_json::from_slice(&fs::read(package.join("datapackage.json")).unwrap()).unwrap();
    let resources = descriptor["resources"].as_array().unwrap();
    let names: Vec<&str> = resources.iter().map(|resource| resource["name"].as_str().unwrap()).collect();
    for record in kurultai::store::read::dump::dumped_records() {
        let found = resources.iter().find(|resource| resource["description"] == record.doc);
        let schema = &found.unwrap_or_else(|| panic!("{} has no table", record.name()))["schema"];
        assert_eq!(schema["primaryKey"], json!(["id"]));
        for field in schema["fields"].as_array().unwrap() {
            assert!(!field["description"].as_str().unwrap().is_empty(), "{} {field}", record.name());
        }
        for key in schema["foreignKeys"].as_array().into_iter().flatten() {
            let target = key["reference"].get("resource").map(|name| name.as_str().unwrap());
            assert!(target.is_none_or(|name| names.contains(&name)), "{key}");
        }
    }
}

/// Text that stresses parsers and escaping.
fn tricky_text() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "=1+1",
        "\"",
        "\"\"",
        ",",
        ";",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "'",
        "\\",
        "\\n",
        "null",
        "NULL",
        "0",
        "007",
        "1e5",
        "true",
        "{",
        "[]",
        "Сенат",
        "Қазақ",
        "日本語",
        "🏛️",
        "e\u{301}",
        "\u{feff}",
        "\u{200f}",
        "\u{2028}",
        "a b",
        " ",
        "-",
        "@x",
        "#",
        "NaN",
        "a",
    ]);
    prop::collection::vec(parts, 1..6).prop_map(|parts| format!("x{}y", parts.concat()))
}

/// As [`tricky_text`], on one line.
fn tricky_line() -> impl Strategy<Value = String> {
    tricky_text().prop_map(|text| text.replace(['\n', '\r', '\t'], "~"))
}

fn maybe<T: std::fmt::Debug + Clone + 'static>(strategy: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Option<T>> {
    prop::option::of(strategy).boxed()
}

fn translated(text: fn() -> BoxedStrategy<String>) -> impl Strategy<Value = Value> {
    prop::sample::subsequence(vec!["ru", "en", "kk", "und", "sr-Latn"], 1..4).prop_shuffle().prop_flat_map(move |langs| {
        let count = langs.len();
        prop::collection::vec(text(), count)
            .prop_map(move |texts| Value::Object(langs.iter().zip(texts).map(|(lang, text)| ((*lang).to_owned(), json!(text))).collect()))
    })
}

fn translated_line() -> impl Strategy<Value = Value> {
    translated(|| tricky_line().boxed())
}

fn translated_text() -> impl Strategy<Value = Value> {
    translated(|| tricky_text().boxed())
}

fn date() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["1999", "2020-02", "2020-02-29", "0001", "9999-12-31"])
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![prop::num::f64::NORMAL, (-1_000i32..1_000).prop_map(f64::from)]
}

/// Removes null members recursively.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            members.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, without_nulls(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

/// Quote, note, index of the source, and claimed value of a citation.
type Claim = (Option<String>, Option<String>, usize, Option<&'static str>);

/// Records with unusual content that refer to each other.
fn dataset() -> impl Strategy<Value = Value> {
    let source = (translated_line(), maybe(tricky_line()), maybe(date()), maybe(tricky_line()));
    let person = (
        translated_line(),
        maybe(tricky_line()),
        maybe(date()),
        prop::collection::vec((tricky_line(), maybe(date()), maybe(tricky_line())), 0..3),
    );
    let claim = (maybe(tricky_text()), maybe(tricky_text()), 0..3usize, maybe(date()));
    let party = (maybe(0..3usize), translated_text(), prop::collection::vec(claim.clone(), 0..3));
    let case = (
        (translated_line(), maybe(tricky_line()), maybe(date()), maybe(translated_text())),
        prop::collection::vec(party, 0..4),
        prop::collection::vec(
            (maybe(number()), maybe(tricky_line()), maybe(prop::sample::select(vec!["P3Y", "P6M", "P1Y2M10DT2H30M"])), maybe(0..4usize)),
            0..4,
        ),
        prop::collection::vec(claim, 0..4),
        prop::sample::subsequence(vec![0, 1, 2], 0..3).prop_shuffle(),
    );
    let statistic = (translated_line(), number(), prop::collection::vec((tricky_line(), tricky_line()), 0..3));
    let topics = prop::collection::vec((translated_line(), maybe(0..3usize)), 3);
    (
        prop::collection::vec(source, 3),
        prop::collection::vec(person, 3),
        prop::collection::vec(case, 0..4),
        prop::collection::vec(statistic, 0..3),
        topics,
    )
        .prop_map(|(sources, people, cases, statistics, topics)| {
            let citations = |claims: &[Claim], field: &str| -> Vec<Value> {
                let mut seen = Vec::new();
                let mut list = Vec::new();
                for (quote, note, source, claimed) in claims {
                    if !seen.contains(&(*source, *claimed)) {
                        seen.push((*source, *claimed));
                        let field = claimed.map(|_| field);
                        list.push(json!({"source": format!("s{source}"), "field": field, "value": claimed, "quote": quote, "note": note}));
                    }
                }
                list
            };
            without_nulls(json!({
                "sources": sources.iter().enumerate().map(|(n, (title, author, date, licence))|
                    json!({"slug": format!("s{n}"), "title": title, "author": author, "publishedOn": date, "licence": licence, "kind": "other"})).collect::<Vec<_>>(),
                "people": people.iter().enumerate().map(|(n, (name, sort, born, others))| json!({
                    "slug": format!("p{n}"), "name": name, "sortName": sort, "birthDate": born,
                    "otherNames": others.iter().map(|(name, start, note)| json!({"note": note, "name": name, "start": start})).collect::<Vec<_>>(),
                    "identifiers": others.iter().enumerate().map(|(m, (name, ..))| json!({"scheme": format!("r{n}-{m}"), "value": name})).collect::<Vec<_>>(),
                })).collect::<Vec<_>>(),
                "topics": topics.iter().enumerate().map(|(n, (label, broader))|
                    json!({"slug": format!("t{n}"), "label": label, "broader": broader.filter(|broader| *broader < n).map(|n| format!("t{n}"))})).collect::<Vec<_>>(),
                "statistics": statistics.iter().enumerate().map(|(n, (measure, value, breakdown))| json!({
                    "slug": format!("n{n}"), "measure": measure, "value": value, "unit": "cases", "periodStart": "2020",
                    "breakdown": breakdown.iter().map(|(dimension, value)| json!({"dimension": dimension, "value": value})).collect::<Vec<_>>(),
                })).collect::<Vec<_>>(),
                "cases": cases.iter().enumerate().map(|(n, ((title, docket, opened, summary), parties, sentences, claims, tags))| json!({
                    "slug": format!("c{n}"), "title": title, "docketNumber": docket, "kind": "civil", "status": "pending", "openedOn": opened, "summary": summary,
                    "topics": tags.iter().map(|n| format!("t{n}")).collect::<Vec<_>>(),
                    "parties": parties.iter().enumerate().map(|(m, (person, description, claims))| json!({
                        "key": format!("k{}", 9 - m), "role": "other", "person": person.map(|n| format!("p{n}")), "description": description,
                        "citations": citations(claims, "description"),
                    })).collect::<Vec<_>>(),
                    "sentences": sentences.iter().map(|(amount, unit, length, party)| json!({
                        "kind": "fine", "amount": amount, "unit": unit, "length": length,
                        "party": party.filter(|m| *m < parties.len()).map(|m| format!("k{}", 9 - m)),
                    })).collect::<Vec<_>>(),
                    "citations": citations(claims, "openedOn"),
                })).collect::<Vec<_>>(),
            }))
        })
}

async fn write(store: &Store, records: &Value) {
    let file: Arc<str> = Arc::from("random.json");
    let (drafts, problems) = parse::file(&file, &value_tree::from_json(records));
    assert_eq!(problems, [], "{records:#}");
    let author = Author { by: "tests".to_owned(), message: None };
    match store.write(&drafts, &author, |_| ()).await {
        Ok(_) => {}
        Err(WriteError::Problems(problems)) => panic!("{problems:#?}\n{records:#}"),
        Err(WriteError::Failed(error)) => panic!("{error}"),
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn any_content_round_trips(
    #[values(PackageFormat::Csv, PackageFormat::Ndjson, PackageFormat::Parquet)] format: PackageFormat,
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let cases = if on == On::Sqlite { 24 } else { 4 };
    let mut runner = TestRunner::new(Config { cases, ..Config::default() });
    for _ in 0..cases {
        let records = dataset().new_tree(&mut runner).unwrap().current();
        let (from, to, folder) = (TestDatabase::new(on).await, TestDatabase::new(On::Sqlite).await, TempDir::new().unwrap());
        let (from, to) = (from.store().await, to.store().await);
        write(&from, &records).await;
        let (first, second) = (folder.path().join("1"), folder.path().join("2"));
        export(&from, &first, format).await;
        import(&to, &first).await;
        // writing the original records changes nothing, so the round trip was exact
        let before = to.version().await.unwrap().number;
        write(&to, &records).await;
        assert_eq!(to.version().await.unwrap().number, before, "{records:#}");
        export(&to, &second, format).await;
        assert_same_files(&first, &second);
    }
}

/// Exports a small package, corrupts it, and returns the problems that its import reports.
async fn problems_after(format: PackageFormat, corrupt: impl FnOnce(&Path)) -> Vec<String> {
    let text = "
topics: [{slug: t, label: {en: T}}]
people: [{slug: anna, name: {en: Anna}, topics: [t]}]
cases:
- slug: c
  title: {en: C}
  kind: civil
  status: pending
  parties: [{key: a, role: plaintiff, person: anna}]
  charges: [{key: x, party: a, outcome: pending}]
";
    let (server, folder) = (Server::with(On::Sqlite, text).await, TempDir::new().unwrap());
    let package = folder.path().join("p");
    export(&server.store, &package, format).await;
    // without sizes and hashes, corrupted files reach the row parser
    let descriptor = package.join("datapackage.json");
    let mut json: Value = serde_json::from_slice(&fs::read(&descriptor).unwrap()).unwrap();
    for resource in json["resources"].as_array_mut().unwrap() {
        resource.as_object_mut().unwrap().retain(|name, _| name != "bytes" && name != "hash");
    }
    fs::write(&descriptor, json.to_string()).unwrap();
    corrupt(&package);
    let database = format!("sqlite://{}", folder.path().join("new.db").display());
    let (ok, stdout, stderr) = run(kurultai(&["import", package.to_str().unwrap(), "--database-url", &database]));
    assert!(!ok && stderr.contains("nothing was written"), "{stdout}{stderr}");
    stderr
        .lines()
        .filter(|line| !line.starts_with("kurultai: "))
        .filter(|line| !line.starts_with('{'))
        .map(|line| line.replace(&format!("{}/", package.display()), ""))
        .collect()
}

fn replace(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(file, text.replacen(from, to, 1)).unwrap();
}

#[rstest]
#[case(
    "cases.csv",
    ",civil,",
    ",unkind,",
    "cases.csv:2: case.kind: \"unkind\" is not a value of this field; the values are criminal, civil"
)]
#[case("cases.csv", "docketNumber", "docket", "cases.csv:1: unknown column \"docket\"; expected id, slug, title, docketNumber")]
#[case("cases.csv", "id,slug", "di,slug", "cases.csv:1: unknown column \"di\"")]
#[case("cases.csv", ",civil,", ",civil,,", "cases.csv:2: case: the row has 16 values but the header has 15")]
#[case("cases.csv", "\"{\"\"en\"\":\"\"C\"\"}\"", "C", "cases.csv:2: case.title: invalid JSON")]
#[case("charges.csv", ",party_", ",person_", "charges.csv:2: charge.party: \"person_")]
#[case("case_parties.csv", ",case_", ",case_x", "case_parties.csv:2: caseParty.case: \"case_x")]
#[case("case_parties.csv", "party_", "charge_", "case_parties.csv:2: caseParty.id: \"charge_")]
#[case("case_parties.csv", ",1,false", ",first,false", "case_parties.csv:2: caseParty.position: this is a text; it must be a whole number")]
#[case("datapackage.json", "\"topics\"", "\"planets\"", "datapackage.json: unknown resource \"planets\"; expected one of")]
#[case(
    "datapackage.json",
    "people.csv",
    "../people.csv",
    "datapackage.json: the path of the resource \"people\" must be one file in the package directory"
)]
#[case("datapackage.json", "\"resources\"", "\"sources\"", "datapackage.json: not a data package")]
#[tokio::test(flavor = "multi_thread")]
async fn package_problems_name_file_and_line(#[case] file: &str, #[case] from: &str, #[case] to: &str, #[case] expected: &str) {
    let found = problems_after(PackageFormat::Csv, |package| replace(&package.join(file), from, to)).await;
    assert!(found.iter().any(|line| line.starts_with(expected)), "expected {expected}\nfound    {found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn orphan_rows_and_missing_files_are_reported() {
    let found = problems_after(PackageFormat::Ndjson, |package| {
        let file = package.join("cases.ndjson");
        fs::write(&file, "").unwrap();
    })
    .await;
    let expected =
        "case_parties.ndjson:1: caseParty.case: the package lacks the case that this row belongs to; add the case or remove the row";
    assert!(found.contains(&expected.to_owned()), "{found:#?}");
    let found = problems_after(PackageFormat::Parquet, |package| fs::remove_file(package.join("people.parquet")).unwrap()).await;
    assert!(found[0].starts_with("cannot read people.parquet: No such file"), "{found:#?}");
    let found = problems_after(PackageFormat::Parquet, |package| {
        let bytes = fs::read(package.join("people.parquet")).unwrap();
        fs::write(package.join("people.parquet"), &bytes[..bytes.len() - 10]).unwrap();
    })
    .await;
    assert!(found[0].starts_with("people.parquet: invalid Parquet"), "{found:#?}");
    let found = problems_after(PackageFormat::Parquet, |package| {
        fs::copy(package.join("topics.parquet"), package.join("people.parquet")).map(drop).unwrap();
    })
    .await;
    assert!(found[0].starts_with("people.parquet: unknown column \"label\""), "{found:#?}");
    let found = problems_after(PackageFormat::Ndjson, |package| replace(&package.join("people.ndjson"), "\"Anna\"", "\"Anna")).await;
    assert!(found[0].starts_with("people.ndjson:1: invalid JSON"), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_file_is_rejected() {
    let (server, folder) = (Server::sample(On::Sqlite).await, TempDir::new().unwrap());
    let package = folder.path().join("p");
    export(&server.store, &package, PackageFormat::Csv).await;
    let file = package.join("people.csv");
    let text = fs::read_to_string(&file).unwrap();
    let truncated = &text[..text.trim_end().rfind("\r\n").unwrap() + 2];
    fs::write(&file, truncated).unwrap();
    let problems = package::read(&package.join("datapackage.json")).unwrap_err();
    assert!(problems[0].to_string().contains("people.csv: the file differs from the exported one: it has"), "{problems:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn export_requires_an_empty_folder_or_force() {
    let (server, folder) = (Server::sample(On::Sqlite).await, TempDir::new().unwrap());
    let database = &server.database;
    let package = folder.path().join("a/b");
    let export = |more: &[&str]| {
        let mut arguments = vec!["export", package.to_str().unwrap(), "--database-url", &database.url];
        arguments.extend(more);
        run(kurultai(&arguments))
    };
    let (ok, stdout, stderr) = export(&[]);
    let dataset = server.data("{ dataset { revision records { type count } } }").await["dataset"].clone();
    let records: u64 = dataset["records"].as_array().unwrap().iter().map(|entry| entry["count"].as_u64().unwrap()).sum();
    let tables =
        fs::read_dir(&package).unwrap().filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|ext| ext == "csv")).count();
    let (start, end) =
        (format!("{records} records with "), format!(" parts in {tables} tables, revision {} of the dataset", dataset["revision"]));
    assert!(ok && stdout.contains(&start) && stdout.trim_end().ends_with(&end), "{stdout}{stderr} {start} {end}");
    let (ok, _, stderr) = export(&["--format", "parquet"]);
    assert!(
        !ok && stderr.contains("already contains a package; specify another directory, or replace the package with --force"),
        "{stderr}"
    );
    let (ok, _, stderr) = export(&["--format", "parquet", "--force", "--licence", "https://example.org/terms", "--title", "Ours"]);
    assert!(ok, "{stderr}");
    let names = files(&package);
    assert!(names.contains_key("people.parquet") && !names.contains_key("people.csv"), "{:?}", names.keys());
    let descriptor: Value = serde_json::from_slice(&names["datapackage.json"]).unwrap();
    assert_eq!((&descriptor["title"], &descriptor["licenses"]), (&json!("Ours"), &json!([{"path": "https://example.org/terms"}])));
    fs::write(package.join("notes.txt"), "mine").unwrap();
    let (ok, _, stderr) = export(&["--force"]);
    assert!(!ok && stderr.contains("contains \"notes.txt\", which is not part of a package"), "{stderr}");
    assert!(package.join("people.parquet").exists());
    let (ok, _, stderr) = export(&["--licence", "do what you want"]);
    assert!(!ok && stderr.contains("expected an SPDX licence identifier"), "{stderr}");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let (ok, _, stderr) = run(kurultai(&["export", file.to_str().unwrap(), "--database-url", &database.url]));
    assert!(!ok && stderr.contains("is a file; specify a new or empty directory"), "{stderr}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn empty_dataset_never_replaces_a_package(#[values(On::Sqlite, On::Postgres)] on: On) {
    let (server, folder) = (Server::sample(on).await, TempDir::new().unwrap());
    let package = folder.path().join("p");
    export(&server.store, &package, PackageFormat::Csv).await;
    let before = files(&package);
    let empty = Server::empty(on).await;
    let arguments = ["export", package.to_str().unwrap(), "--force", "--database-url", &empty.database.url];
    let (ok, _, stderr) = run(kurultai(&arguments));
    assert!(!ok && stderr.contains("the dataset has no published records, so the package in "), "{stderr}");
    assert_eq!(files(&package), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_export_leaves_no_package() {
    let (server, folder) = (Server::sample(On::Sqlite).await, TempDir::new().unwrap());
    let package = folder.path().join("p");
    let mut dump = server.store.dump().await.unwrap();
    // dropping the future interrupts the export
    {
        let options = export_options(&package, PackageFormat::Csv);
        let writing = package::write(&mut dump, &options, |_| ());
        tokio::pin!(writing);
        for _ in 0..3 {
            assert!(tokio::time::timeout(std::time::Duration::ZERO, &mut writing).await.is_err());
        }
        assert!(package.exists());
    }
    assert!(!package.exists());
    export(&server.store, &package, PackageFormat::Csv).await;
    assert!(files(&package).keys().all(|name| !name.starts_with('.')));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn package_imports_in_small_batches_and_resumes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let (server, other, folder) = (server_with_history(On::Sqlite).await, Server::empty(on).await, TempDir::new().unwrap());
    let (first, second) = (folder.path().join("1"), folder.path().join("2"));
    export(&server.store, &first, PackageFormat::Csv).await;
    let descriptor = first.join("datapackage.json");
    for (path, expected) in [(&first, " created, 0 updated, 0 unchanged"), (&descriptor, "0 created, 0 updated, ")] {
        let (ok, stdout, stderr) =
            run(kurultai(&["import", path.to_str().unwrap(), "--batch", "7", "--database-url", &other.database.url]));
        assert!(ok && stdout.contains(expected), "{stdout}{stderr}");
    }
    let (ok, stdout, stderr) = run(kurultai(&[
        "export",
        second.to_str().unwrap(),
        "--title",
        "Test",
        "--licence",
        "CC-BY-4.0",
        "--database-url",
        &other.database.url,
    ]));
    assert!(ok, "{stdout}{stderr}");
    assert_same_files(&first, &second);
    let (ok, _, stderr) = run(kurultai(&["import", first.to_str().unwrap(), "--url", "http://127.0.0.1:1"]));
    assert!(!ok && stderr.contains("a data package can only be imported into a database"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn package_import_keeps_later_changes_of_the_dataset() {
    let (server, folder) = (server_with_history(On::Sqlite).await, TempDir::new().unwrap());
    let package = folder.path().join("p");
    export(&server.store, &package, PackageFormat::Ndjson).await;
    let other = Server::empty(On::Sqlite).await;
    import(&other.store, &package).await;
    let editor = Asker::with_role(&other, Role::Editor).await;
    // records that were changed, deleted, withheld and merged after the first import
    let case = other.data("{ case(by: {slug: \"kazakhstan-v-ilyashev\"}) { id docketNumber } }").await;
    editor.done("updateCase { case { id } }", json!({"id": case["case"]["id"], "docketNumber": "changed here"})).await;
    let vote = other.data("{ voteEvent(by: {slug: \"vote-1\"}) { id } }").await;
    editor.done("deleteVoteEvent { deletedId }", json!({"id": vote["voteEvent"]["id"]})).await;
    let admin = Asker::with_role(&other, Role::Admin).await;
    admin.done("withholdPerson { person { slug } }", json!({"person": id_of(&other, "hanna").await})).await;
    other.import("people: [{slug: survivor, name: {en: Survivor}}]").await.unwrap();
    editor.done("mergePeople { person { slug } }", json!({"from": "alnur-ilyashev", "into": "survivor"})).await;
    import(&other.store, &package).await;
    let merged = other.data("{ person(by: {slug: \"alnur-ilyashev\"}) { slug } case(by: {slug: \"kazakhstan-v-ilyashev\"}) { parties { nodes { person { slug } } } } }").await;
    assert_eq!(merged["person"]["slug"], "survivor");
    assert!(merged["case"]["parties"]["nodes"].as_array().unwrap().contains(&json!({"person": {"slug": "survivor"}})), "{merged}");
    let after = other
        .data("{ case(by: {slug: \"kazakhstan-v-ilyashev\"}) { id docketNumber } voteEvent(by: {slug: \"vote-1\"}) { id motion } anna: person(by: {slug: \"anna\"}) { id } hanna: person(by: {slug: \"hanna\"}) { id } }")
        .await;
    assert_eq!(after["case"], case["case"]);
    assert_eq!(after["voteEvent"]["id"], vote["voteEvent"]["id"]);
    assert_eq!((&after["anna"], &after["hanna"]), (&Value::Null, &Value::Null));
    // a record with another id and the same slug is a different record
    let stranger = Server::with(On::Sqlite, "people: [{slug: hanna, name: {en: Other}}]").await;
    let read = package::read(&package.join("datapackage.json")).unwrap();
    let drafts = read.records.into_iter().map(|(ty, draft)| (ty, vec![draft])).collect();
    let author = Author { by: "tests".to_owned(), message: None };
    let Err(WriteError::Problems(problems)) = stranger.store.write(&drafts, &author, |_| ()).await else {
        panic!("the import was accepted")
    };
    let messages: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(
        messages.iter().any(|line| line.contains("people.ndjson:") && line.contains("\"hanna\" belongs to person \"hanna\" already")),
        "{messages:#?}"
    );
}

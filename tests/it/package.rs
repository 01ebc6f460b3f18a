//! The published dataset goes out as a data package and comes back exactly.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kurultai::core::auth::Role;
use kurultai::store::Store;
use kurultai::store::draft::parse;
use kurultai::store::draft::value_tree;
use kurultai::store::write::{Author, WriteError};
use kurultai::transfer::package;
use kurultai::transfer::package::{Format, Wish};
use migration::sea_orm::ConnectionTrait;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::command::{kurultai, run};
use crate::draft::{SECRET, TEXT};
use crate::server::{Asker, On, Server, TestDatabase};

const FORMATS: [Format; 3] = [Format::Csv, Format::Ndjson, Format::Parquet];

fn wish(folder: &Path, format: Format) -> Wish {
    Wish { folder: folder.to_owned(), format, replace: false, title: "Test".to_owned(), licences: vec!["CC-BY-4.0".to_owned()] }
}

async fn export(store: &Store, folder: &Path, format: Format) {
    let mut dump = store.dump().await.unwrap();
    package::write(&mut dump, &wish(folder, format), |_| ()).await.unwrap();
}

/// Imports a package as the command does.
async fn import(store: &Store, folder: &Path) {
    let package = package::read(&folder.join("datapackage.json")).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let drafts = package.records.into_iter().map(|(ty, draft)| (ty, vec![draft])).collect();
    let author = Author { by: "tests".to_owned(), message: None };
    store.write(&drafts, &author, |_| ()).await.unwrap();
    store.lead(&package.slugs, &package.ids).await.unwrap();
}

/// All files of a package; of the descriptor what does not tell of one database.
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

fn assert_same(one: &Path, other: &Path) {
    let (one, other) = (files(one), files(other));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, bytes) in &one {
        assert!(bytes == &other[name], "{name}:\n{}\n{}", String::from_utf8_lossy(bytes), String::from_utf8_lossy(&other[name]));
    }
}

/// The sample dataset with what it lacks: somebody merged, somebody renamed, votes, odd texts.
async fn eventful(on: On) -> Server {
    let server = Server::sample(on).await;
    let text = r#"
people:
- {slug: anna, name: {ru: Анна, en: "=Anna \"A\", the 1st"}, otherNames: [{name: A, lang: en, start: "1999"}], identifiers: [{scheme: register, value: "007"}]}
- {slug: anna-2, name: {en: Anna Again}, identifiers: [{scheme: register, value: "008"}]}
voteEvents:
- slug: vote-1
  motion: {en: "A\r\nmotion,\n\"quoted\""}
  date: "2020-01"
  result: pass
  counts: [{option: "yes", value: 12}]
  votes: [{key: z, person: anna, option: "yes"}, {key: a, person: anna-2, option: "no"}]
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
async fn a_package_comes_back_exactly_on_any_database(
    #[values(On::Sqlite, On::Postgres)] from: On,
    #[values(On::Sqlite, On::Postgres)] to: On,
) {
    let (server, folder) = (eventful(from).await, TempDir::new().unwrap());
    for format in FORMATS {
        let (first, second) = (folder.path().join(format!("{format:?}-1")), folder.path().join(format!("{format:?}-2")));
        export(&server.store, &first, format).await;
        let empty = Server::empty(to).await;
        import(&empty.store, &first).await;
        export(&empty.store, &second, format).await;
        assert_same(&first, &second);
        // a second import finds nothing to do
        let version = empty.store.version().await.unwrap().number;
        import(&empty.store, &first).await;
        assert_eq!(empty.store.version().await.unwrap().number, version);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_an_imported_package_is_answered_as_before(#[values(On::Sqlite, On::Postgres)] on: On) {
    let (server, folder) = (eventful(on).await, TempDir::new().unwrap());
    let package = folder.path().join("package");
    export(&server.store, &package, Format::Parquet).await;
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
async fn drafts_do_not_leave_and_what_cannot_be_without_them_does_not_either(#[values(On::Sqlite, On::Postgres)] on: On) {
    let (server, folder) = (Server::with(on, TEXT).await, TempDir::new().unwrap());
    for format in [Format::Csv, Format::Ndjson] {
        let (first, second) = (folder.path().join(format!("{format:?}-1")), folder.path().join(format!("{format:?}-2")));
        export(&server.store, &first, format).await;
        for (name, bytes) in files(&first) {
            let text = String::from_utf8(bytes).unwrap();
            assert!(!text.to_lowercase().contains(SECRET), "{name} tells of a draft:\n{text}");
        }
        let empty = Server::empty(on).await;
        import(&empty.store, &first).await;
        export(&empty.store, &second, format).await;
        assert_same(&first, &second);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_of_one_moment_whatever_is_written_meanwhile(#[values(On::Sqlite, On::Postgres)] on: On) {
    let (server, folder) = (Server::sample(on).await, TempDir::new().unwrap());
    let (first, second, third) = (folder.path().join("1"), folder.path().join("2"), folder.path().join("3"));
    export(&server.store, &first, Format::Csv).await;
    let mut dump = server.store.dump().await.unwrap();
    dump.count().await.unwrap();
    server
        .import("people: [{slug: late, name: {en: Late}, topics: [defamation]}]\ntopics: [{slug: late, label: {en: Late}}]")
        .await
        .unwrap();
    package::write(&mut dump, &wish(&second, Format::Csv), |_| ()).await.unwrap();
    drop(dump);
    assert_same(&first, &second);
    export(&server.store, &third, Format::Csv).await;
    assert_ne!(files(&second), files(&third));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_that_can_be_asked_for_has_a_table_with_descriptions_and_keys() {
    let (server, folder) = (Server::empty(On::Sqlite).await, TempDir::new().unwrap());
    let package = folder.path().join("p");
    export(&server.store, &package, Format::Csv).await;
    let descriptor: Value = serde_json::from_slice(&fs::read(package.join("datapackage.json")).unwrap()).unwrap();
    let resources = descriptor["resources"].as_array().unwrap();
    let names: Vec<&str> = resources.iter().map(|resource| resource["name"].as_str().unwrap()).collect();
    for record in kurultai::store::read::dump::dumped() {
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

/// Texts that formats stumble over.
fn odd_text() -> impl Strategy<Value = String> {
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
        "\u{1}",
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

fn maybe<T: std::fmt::Debug + Clone + 'static>(strategy: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Option<T>> {
    prop::option::of(strategy).boxed()
}

fn texts() -> impl Strategy<Value = Value> {
    prop::sample::subsequence(vec!["ru", "en", "kk", "und", "sr-Latn"], 1..4).prop_shuffle().prop_flat_map(|langs| {
        let count = langs.len();
        prop::collection::vec(odd_text(), count)
            .prop_map(move |texts| Value::Object(langs.iter().zip(texts).map(|(lang, text)| ((*lang).to_owned(), json!(text))).collect()))
    })
}

fn date() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["1999", "2020-02", "2020-02-29", "0001", "9999-12-31"])
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![prop::num::f64::NORMAL, (-1_000i32..1_000).prop_map(f64::from)]
}

/// An object without what is unknown.
fn known(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            members.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, known(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(known).collect(),
        other => other,
    }
}

/// Words of a source, a note, which source it is, and the value it claims.
type Claim = (Option<String>, Option<String>, usize, Option<&'static str>);

/// Records of odd content, which refer to each other.
fn dataset() -> impl Strategy<Value = Value> {
    let source = (texts(), maybe(odd_text()), maybe(date()), maybe(odd_text()));
    let person = (texts(), maybe(odd_text()), maybe(date()), prop::collection::vec((odd_text(), maybe(date()), maybe(odd_text())), 0..3));
    let claim = (maybe(odd_text()), maybe(odd_text()), 0..3usize, maybe(date()));
    let party = (maybe(0..3usize), texts(), prop::collection::vec(claim.clone(), 0..3));
    let case = (
        (texts(), maybe(odd_text()), maybe(date()), maybe(texts())),
        prop::collection::vec(party, 0..4),
        prop::collection::vec(
            (maybe(number()), maybe(odd_text()), maybe(prop::sample::select(vec!["P3Y", "P6M", "P1Y2M10DT2H30M"])), maybe(0..4usize)),
            0..4,
        ),
        prop::collection::vec(claim, 0..4),
        prop::sample::subsequence(vec![0, 1, 2], 0..3).prop_shuffle(),
    );
    let statistic = (texts(), number(), prop::collection::vec((odd_text(), odd_text()), 0..3));
    let topics = prop::collection::vec((texts(), maybe(0..3usize)), 3);
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
            known(json!({
                "sources": sources.iter().enumerate().map(|(n, (title, author, date, licence))|
                    json!({"slug": format!("s{n}"), "title": title, "author": author, "publishedOn": date, "licence": licence, "kind": "other"})).collect::<Vec<_>>(),
                "people": people.iter().enumerate().map(|(n, (name, sort, born, others))| json!({
                    "slug": format!("p{n}"), "name": name, "sortName": sort, "birthDate": born,
                    "otherNames": others.iter().map(|(name, start, note)| json!({"note": note, "name": name, "start": start})).collect::<Vec<_>>(),
                    "identifiers": others.iter().enumerate().map(|(m, (name, ..))| json!({"scheme": format!("r{n}-{m}"), "value": name})).collect::<Vec<_>>(),
                })).collect::<Vec<_>>(),
                "topics": topics.iter().enumerate().map(|(n, (label, broader))|
                    json!({"slug": format!("t{n}"), "label": label, "broader": broader.map(|n| format!("t{n}"))})).collect::<Vec<_>>(),
                "statistics": statistics.iter().enumerate().map(|(n, (measure, value, breakdown))| json!({
                    "slug": format!("n{n}"), "measure": measure, "value": value, "unit": "cases", "periodStart": "2020",
                    "breakdown": breakdown.iter().map(|(dimension, value)| json!({"dimension": dimension, "value": value})).collect::<Vec<_>>(),
                })).collect::<Vec<_>>(),
                "cases": cases.iter().enumerate().map(|(n, ((title, docket, opened, summary), parties, sentences, claims, tags))| json!({
                    "slug": format!("c{n}"), "title": title, "docketNumber": docket, "kind": "civil", "status": "pending", "opened": opened, "summary": summary,
                    "topics": tags.iter().map(|n| format!("t{n}")).collect::<Vec<_>>(),
                    "parties": parties.iter().enumerate().map(|(m, (person, description, claims))| json!({
                        "key": format!("k{}", 9 - m), "role": "other", "person": person.map(|n| format!("p{n}")), "description": description,
                        "citations": citations(claims, "description"),
                    })).collect::<Vec<_>>(),
                    "sentences": sentences.iter().map(|(amount, unit, length, party)| json!({
                        "kind": "fine", "amount": amount, "unit": unit, "length": length,
                        "party": party.filter(|m| *m < parties.len()).map(|m| format!("k{}", 9 - m)),
                    })).collect::<Vec<_>>(),
                    "citations": citations(claims, "opened"),
                })).collect::<Vec<_>>(),
            }))
        })
}

async fn write(store: &Store, records: &Value) {
    let file: Arc<str> = Arc::from("random.json");
    let drafts = parse::file(&file, &value_tree::of_json(records)).unwrap_or_else(|problems| panic!("{problems:#?}\n{records:#}"));
    let author = Author { by: "tests".to_owned(), message: None };
    match store.write(&drafts, &author, |_| ()).await {
        Ok(_) => {}
        Err(WriteError::Problems(problems)) => panic!("{problems:#?}\n{records:#}"),
        Err(WriteError::Failed(error)) => panic!("{error}"),
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn records_of_any_content_come_back_exactly(
    #[values(Format::Csv, Format::Ndjson, Format::Parquet)] format: Format,
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
        // what was given once is there already: nothing was changed on the way
        let before = to.version().await.unwrap().number;
        write(&to, &records).await;
        assert_eq!(to.version().await.unwrap().number, before, "{records:#}");
        export(&to, &second, format).await;
        assert_same(&first, &second);
    }
}

/// A small package, and what an import of it says when this is done to it.
async fn faulty(format: Format, spoil: impl FnOnce(&Path)) -> Vec<String> {
    let text = r#"
topics: [{slug: t, label: {en: T}}]
people: [{slug: anna, name: {en: Anna}, topics: [t]}]
cases:
- slug: c
  title: {en: C}
  kind: civil
  status: pending
  parties: [{key: a, role: plaintiff, person: anna}]
  charges: [{key: x, party: a, outcome: pending}]
"#;
    let (server, folder) = (Server::with(On::Sqlite, text).await, TempDir::new().unwrap());
    let package = folder.path().join("p");
    export(&server.store, &package, format).await;
    // what is said of the files must not be in the way of what is said of the rows
    let descriptor = package.join("datapackage.json");
    let mut json: Value = serde_json::from_slice(&fs::read(&descriptor).unwrap()).unwrap();
    for resource in json["resources"].as_array_mut().unwrap() {
        resource.as_object_mut().unwrap().retain(|name, _| name != "bytes" && name != "hash");
    }
    fs::write(&descriptor, json.to_string()).unwrap();
    spoil(&package);
    let database = format!("sqlite://{}", folder.path().join("new.db").display());
    let (ok, said, error) = run(kurultai(&["import", package.to_str().unwrap(), "--database-url", &database]));
    assert!(!ok && error.contains("nothing was written"), "{said}{error}");
    error
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
#[case("cases.csv", ",civil,", ",unkind,", "cases.csv:2: case.kind: \"unkind\" is none of the values this field can have: criminal, civil")]
#[case(
    "cases.csv",
    "docketNumber",
    "docket",
    "cases.csv:1: there is no column \"docket\" in this table; it has id, slug, title, docketNumber"
)]
#[case("cases.csv", "id,slug", "di,slug", "cases.csv:1: there is no column \"di\"")]
#[case("cases.csv", ",civil,", ",civil,,", "cases.csv:2: case: this row has 16 values and there are 15 columns")]
#[case("cases.csv", "\"{\"\"en\"\":\"\"C\"\"}\"", "C", "cases.csv:2: case.title: this is not JSON")]
#[case("charges.csv", ",party_", ",person_", "charges.csv:2: charge.party: \"person_")]
#[case("case_parties.csv", ",case_", ",case_x", "case_parties.csv:2: caseParty.case: \"case_x")]
#[case("case_parties.csv", "party_", "charge_", "case_parties.csv:2: caseParty.id: \"charge_")]
#[case("case_parties.csv", ",1,false", ",first,false", "case_parties.csv:2: caseParty.position: this is a text; it must be a whole number")]
#[case("datapackage.json", "\"topics\"", "\"planets\"", "datapackage.json: the resource \"planets\" is no table of a dataset")]
#[case(
    "datapackage.json",
    "people.csv",
    "../people.csv",
    "datapackage.json: the path of the resource \"people\" must name one file in the folder of the package"
)]
#[case("datapackage.json", "\"resources\"", "\"sources\"", "datapackage.json: this is no data package")]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_package_is_told_with_file_and_line(
    #[case] file: &str,
    #[case] from: &str,
    #[case] to: &str,
    #[case] expected: &str,
) {
    let found = faulty(Format::Csv, |package| replace(&package.join(file), from, to)).await;
    assert!(found.iter().any(|line| line.starts_with(expected)), "expected {expected}\nfound    {found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_belong_to_nothing_and_files_that_are_not_there_are_told() {
    let found = faulty(Format::Ndjson, |package| {
        let file = package.join("cases.ndjson");
        fs::write(&file, "").unwrap();
    })
    .await;
    let expected =
        "case_parties.ndjson:1: caseParty.case: the case that this belongs to is not in the package; add it, or leave the row out";
    assert!(found.contains(&expected.to_owned()), "{found:#?}");
    let found = faulty(Format::Parquet, |package| fs::remove_file(package.join("people.parquet")).unwrap()).await;
    assert!(found[0].starts_with("cannot read people.parquet: No such file"), "{found:#?}");
    let found = faulty(Format::Parquet, |package| {
        let bytes = fs::read(package.join("people.parquet")).unwrap();
        fs::write(package.join("people.parquet"), &bytes[..bytes.len() - 10]).unwrap();
    })
    .await;
    assert!(found[0].starts_with("people.parquet: this cannot be read as Parquet"), "{found:#?}");
    let found =
        faulty(Format::Parquet, |package| fs::copy(package.join("topics.parquet"), package.join("people.parquet")).map(drop).unwrap())
            .await;
    assert!(found[0].starts_with("people.parquet: there is no column \"label\""), "{found:#?}");
    let found = faulty(Format::Ndjson, |package| replace(&package.join("people.ndjson"), "\"Anna\"", "\"Anna")).await;
    assert!(found[0].starts_with("people.ndjson:1: this is not JSON"), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_cut_off_is_not_taken_for_a_whole_one() {
    let (server, folder) = (Server::sample(On::Sqlite).await, TempDir::new().unwrap());
    let package = folder.path().join("p");
    export(&server.store, &package, Format::Csv).await;
    let file = package.join("people.csv");
    let text = fs::read_to_string(&file).unwrap();
    let whole_lines = &text[..text.trim_end().rfind("\r\n").unwrap() + 2];
    fs::write(&file, whole_lines).unwrap();
    let problems = package::read(&package.join("datapackage.json")).unwrap_err();
    assert!(problems[0].to_string().contains("people.csv: the file is not the one that was exported: it has"), "{problems:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn export_writes_into_an_empty_folder_only_unless_it_replaces_a_package() {
    let (database, folder) = (TestDatabase::new(On::Sqlite).await, TempDir::new().unwrap());
    database.store().await;
    let package = folder.path().join("a/b");
    let export = |more: &[&str]| {
        let mut arguments = vec!["export", package.to_str().unwrap(), "--database-url", &database.url];
        arguments.extend(more);
        run(kurultai(&arguments))
    };
    let (ok, said, error) = export(&[]);
    assert!(ok && said.contains("0 records with 0 parts in "), "{said}{error}");
    let (ok, _, error) = export(&["--format", "parquet"]);
    assert!(!ok && error.contains("holds a package already; name another folder, or replace it with --force"), "{error}");
    let (ok, _, error) = export(&["--format", "parquet", "--force", "--licence", "https://example.org/terms", "--title", "Ours"]);
    assert!(ok, "{error}");
    let names = files(&package);
    assert!(names.contains_key("people.parquet") && !names.contains_key("people.csv"), "{:?}", names.keys());
    let descriptor: Value = serde_json::from_slice(&names["datapackage.json"]).unwrap();
    assert_eq!((&descriptor["title"], &descriptor["licenses"]), (&json!("Ours"), &json!([{"path": "https://example.org/terms"}])));
    fs::write(package.join("notes.txt"), "mine").unwrap();
    let (ok, _, error) = export(&["--force"]);
    assert!(!ok && error.contains("holds \"notes.txt\", which is no part of a package"), "{error}");
    assert!(package.join("people.parquet").exists());
    let (ok, _, error) = export(&["--licence", "do what you want"]);
    assert!(!ok && error.contains("expected an SPDX licence identifier"), "{error}");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let (ok, _, error) = run(kurultai(&["export", file.to_str().unwrap(), "--database-url", &database.url]));
    assert!(!ok && error.contains("is a file; name a folder"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_breaks_off_leaves_nothing_that_looks_whole() {
    let (server, folder) = (Server::sample(On::Sqlite).await, TempDir::new().unwrap());
    let package = folder.path().join("p");
    let mut dump = server.store.dump().await.unwrap();
    // dropped in the middle, as when it is stopped
    {
        let wish = wish(&package, Format::Csv);
        let writing = package::write(&mut dump, &wish, |_| ());
        tokio::pin!(writing);
        for _ in 0..3 {
            assert!(tokio::time::timeout(std::time::Duration::ZERO, &mut writing).await.is_err());
        }
        assert!(package.exists());
    }
    assert!(!package.exists());
    export(&server.store, &package, Format::Csv).await;
    assert!(files(&package).keys().all(|name| !name.starts_with('.')));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_command_imports_a_package_in_small_batches_and_goes_on_where_it_stopped(#[values(On::Sqlite, On::Postgres)] on: On) {
    let (server, other, folder) = (eventful(On::Sqlite).await, Server::empty(on).await, TempDir::new().unwrap());
    let (first, second) = (folder.path().join("1"), folder.path().join("2"));
    export(&server.store, &first, Format::Csv).await;
    let descriptor = first.join("datapackage.json");
    for (path, expected) in [(&first, " created, 0 updated, 0 unchanged"), (&descriptor, "0 created, 0 updated, ")] {
        let (ok, said, error) = run(kurultai(&["import", path.to_str().unwrap(), "--batch", "7", "--database-url", &other.database.url]));
        assert!(ok && said.contains(expected), "{said}{error}");
    }
    let (ok, said, error) = run(kurultai(&[
        "export",
        second.to_str().unwrap(),
        "--title",
        "Test",
        "--licence",
        "CC-BY-4.0",
        "--database-url",
        &other.database.url,
    ]));
    assert!(ok, "{said}{error}");
    assert_same(&first, &second);
    let (ok, _, error) = run(kurultai(&["import", first.to_str().unwrap(), "--url", "http://127.0.0.1:1"]));
    assert!(!ok && error.contains("a data package can only be imported into a database"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_into_a_dataset_that_lives_keeps_what_was_done_there() {
    let (server, folder) = (eventful(On::Sqlite).await, TempDir::new().unwrap());
    let package = folder.path().join("p");
    export(&server.store, &package, Format::Ndjson).await;
    let other = Server::empty(On::Sqlite).await;
    import(&other.store, &package).await;
    let editor = Asker::with_role(&other, Role::Editor).await;
    // changed, deleted, withheld and a new one under a slug of the package
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
    // a record of another id under the same slug is another record
    let stranger = Server::with(On::Sqlite, "people: [{slug: hanna, name: {en: Other}}]").await;
    let read = package::read(&package.join("datapackage.json")).unwrap();
    let drafts = read.records.into_iter().map(|(ty, draft)| (ty, vec![draft])).collect();
    let author = Author { by: "tests".to_owned(), message: None };
    let Err(WriteError::Problems(problems)) = stranger.store.write(&drafts, &author, |_| ()).await else { panic!("it was taken") };
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(
        told.iter().any(|line| line.contains("people.ndjson:") && line.contains("\"hanna\" belongs to person \"hanna\" already")),
        "{told:#?}"
    );
}

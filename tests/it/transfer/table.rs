//! Tables become records by a mapping.

use rstest::rstest;
use serde_json::json;

use super::Desk;
use crate::server::{On, path};

const BASE: &str = "topics: [{slug: language, label: {en: Language}}]\nsources: [{slug: register-2026, title: {en: Register}, kind: dataset}]\norganizations: [{slug: greens, name: {en: Greens}, classification: party, identifiers: [{scheme: register, value: G-1}]}]";

async fn desk(on: On) -> Desk {
    let desk = Desk::new(on).await;
    for name in ["deputies.csv", "deputies.mapping.yaml"] {
        desk.file(name, std::fs::read(path(&format!("tests/it/fixtures/{name}"))).unwrap());
    }
    desk.file("base.yaml", BASE);
    desk.imported(&["base.yaml"]);
    desk
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_table_becomes_records_by_its_mapping(#[values(On::Sqlite, On::Postgres)] on: On) {
    let desk = desk(on).await;
    let arguments = ["deputies.csv", "--mapping", "deputies.mapping.yaml"];
    assert_eq!(desk.imported(&arguments), "Records: 3 created, 0 updated, 0 unchanged");
    assert_eq!(desk.imported(&arguments), "Records: 0 created, 0 updated, 3 unchanged");
    let query =
        "{ people { nodes { slug names { lang text } gender birthDate topics { nodes { slug } } links { url note } otherNames { name lang }
        identifiers { scheme value } citations { nodes { field locator source { slug } } } } } }";
    insta::assert_json_snapshot!("table_records", desk.server.data(query).await);
    // standard input, with a byte order mark
    let text = format!("\u{FEFF}{}", std::fs::read_to_string(path("tests/it/fixtures/deputies.csv")).unwrap());
    let mapping = desk.folder.path().join("deputies.mapping.yaml");
    let (ok, said, error) = desk.piped(&["--format", "csv", "--mapping", mapping.to_str().unwrap()], &text);
    assert!(ok && said.trim() == "Records: 0 created, 0 updated, 3 unchanged", "{said}{error}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn lines_refer_to_records_by_slugs_and_by_identifiers(#[values(On::Sqlite, On::Postgres)] on: On) {
    let desk = desk(on).await;
    desk.imported(&["deputies.csv", "--mapping", "deputies.mapping.yaml"]);
    desk.file(
        "seats.mapping.yaml",
        "type: membership\nseparator: tab\nfields:\n  slug: {template: \"seat {no}\", slug: true}\n  label: {en: {constant: Deputy}}\n  person: {column: no, scheme: register}\n  organization: house\n  onBehalfOf: {column: party, scheme: register}\n  startDate: {column: from, empty: clear}\n",
    );
    desk.file("seats.tsv", "no\thouse\tparty\tfrom\n1\tgreens\tG-1\t2021\n2\tgreens\t\t\n");
    let arguments = ["seats.tsv", "--mapping", "seats.mapping.yaml"];
    assert_eq!(desk.imported(&arguments), "Records: 2 created, 0 updated, 0 unchanged");
    let query = "{ memberships { nodes { slug startDate person { slug } onBehalfOf { slug } } } }";
    let seats = desk.server.data(query).await;
    assert_eq!(
        seats["memberships"]["nodes"],
        json!([
            {"slug": "seat-1", "startDate": "2021", "person": {"slug": "turar-qasymov"}, "onBehalfOf": {"slug": "greens"}},
            {"slug": "seat-2", "startDate": null, "person": {"slug": "saule-bek"}, "onBehalfOf": null},
        ])
    );
    desk.file("seats.tsv", "no\thouse\tparty\tfrom\n1\tgreens\tG-2\t\n2\tnowhere\t\t\n");
    let error = desk.refused(&arguments);
    assert!(
        error.contains("seats.tsv:2: membership.onBehalfOf (column party): there is no record with the identifier register G-2, neither here nor in the database"),
        "{error}"
    );
    desk.file("seats.tsv", "no\thouse\tparty\tfrom\n1\tgreens\tG-1\t\n2\tnowhere\t\t\n");
    let error = desk.refused(&arguments);
    assert!(
        error.contains("seats.tsv:3: membership.organization (column house): there is no organization with the slug \"nowhere\""),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_name_file_line_and_column() {
    let desk = desk(On::Sqlite).await;
    let refused = |table: &[u8]| {
        desk.file("t.csv", table);
        desk.refused(&["t.csv", "--mapping", "t.mapping.yaml"])
    };
    desk.file("t.mapping.yaml", "type: person\ndates: [\"%d.%m.%Y\"]\nfields: {slug: id, name: {en: name}, birthDate: born, deathDate: {column: died, dates: [\"%Y\"]}, image: picture}\n");
    let error = refused("id,name,born,died,picture,height\na,A,31.02.1970,,nowhere,1\nB b,B,1970-05,May,,\nc,C\n".as_bytes());
    for expected in [
        "4 problems; nothing was written",
        "t.csv:2: person.birthDate (column born): \"31.02.1970\" fits none of the formats of dates: %d.%m.%Y",
        "t.csv:3: person.deathDate (column died): \"May\" fits none of the formats of dates: %Y",
        "t.csv:4: this line has 2 cells and the heading has 6; put cells that hold the separator into quotation marks",
    ] {
        assert!(error.contains(expected) || expected.starts_with('4'), "expected {expected}\n{error}");
    }
    let error = refused("id,name,born,died,picture,height\na,A,,,nowhere,1\nB b,B,,,,\n".as_bytes());
    for expected in [
        "2 problems; nothing was written",
        "t.csv:2: person.image (column picture): \"nowhere\" is not an address on the web",
        "t.csv:3: person.slug (column id): \"B b\" cannot be a name here",
    ] {
        assert!(error.contains(expected), "expected {expected}\n{error}");
    }
    let error = refused("id;name\na;A\n".as_bytes());
    assert!(
        error.contains(
            "t.mapping.yaml:3: fields.slug: t.csv has no column \"id\"; it has id;name; does the mapping name the right separator?"
        ),
        "{error}"
    );
    let error = refused(b"id,name,born,died,picture\na,\xc0,,,\n");
    assert!(error.contains("t.csv:2: this is not UTF-8; convert the file first, such as with \"iconv -f WINDOWS-1251"), "{error}");
    desk.file("t.csv", "id\n");
    assert!(
        desk.refused(&["t.csv"]).contains("t.csv: a table needs a mapping, which says what its columns are; give it with --mapping FILE")
    );
    desk.file("t.csv", "id,name,born,died,picture,height\na,A,,,,1\n");
    let (ok, _, error) = desk.import(&["t.csv", "--mapping", "t.mapping.yaml"]);
    assert!(ok && error.contains("t.csv: columns that the mapping does not use: height"), "{error}");
}

#[rstest]
#[case("type: martian\nfields: {}", "m.yaml:1: type: \"martian\" is no type of record; there are jurisdiction, organization, person")]
#[case("type: person", "m.yaml:1: fields is missing; it says which column becomes which field")]
#[case(
    "type: person\nfield: {}\nfields: {}",
    "m.yaml:2: field: a mapping has no such entry; it has type, fields, separator, dates, ignore"
)]
#[case("type: person\nfields: {nmae: a}", "m.yaml:2: nmae: a person has no \"nmae\"; it has name, otherNames")]
#[case(
    "type: person\nfields: {name: a}",
    "m.yaml:2: name: this is text in languages; write a map from language tags to columns, such as {en: name}"
)]
#[case("type: person\nfields: {identifiers: {scheme: a}}", "m.yaml:2: identifiers.scheme: this is a list; write - before each identifier")]
#[case(
    "type: person\nfields: {birthDate: {column: a, colour: b}}",
    "m.yaml:2: birthDate: a rule has no \"colour\"; it has column, template, constant"
)]
#[case("type: person\nfields: {birthDate: \"{a\"}", "m.yaml:2: birthDate: \"{a\" has a { without }")]
#[case("type: person\nfields: {otherNames: [{nmae: a}]}", "m.yaml:2: otherNames.nmae: a OtherName has no \"nmae\"; it has name, lang")]
#[case("type: person\nseparator: \";;\"\nfields: {}", "m.yaml:2: separator: write one character, such as \";\", or tab")]
#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_is_wrong_says_why(#[case] mapping: &str, #[case] expected: &str) {
    let desk = Desk::new(On::Sqlite).await;
    desk.file("m.yaml", mapping);
    desk.file("t.csv", "a\n1\n");
    let error = desk.refused(&["t.csv", "--mapping", "m.yaml"]);
    assert!(error.contains(expected), "expected {expected}\n{error}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_slugs_is_known_by_its_identifiers(#[values(On::Sqlite, On::Postgres)] on: On) {
    let desk = Desk::new(on).await;
    desk.file("t.mapping.yaml", "type: person\nfields:\n  name: {en: name}\n  identifiers: [{scheme: {constant: register}, value: no}]\n");
    desk.file("t.csv", "no,name\n1,Ann Lee\n2,Ann Lee\n");
    let arguments = ["t.csv", "--mapping", "t.mapping.yaml", "--batch", "1"];
    assert_eq!(desk.imported(&arguments), "Records: 2 created, 0 updated, 0 unchanged");
    desk.file("t.csv", "no,name\n1,Ann Lee\n2,Ann Moore\n");
    assert_eq!(desk.imported(&arguments), "Records: 0 created, 1 updated, 1 unchanged");
}

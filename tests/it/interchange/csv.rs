//! CSV tables are converted to records by a mapping.

use rstest::rstest;
use serde_json::json;

use super::ImportFixture;
use super::identity::{Door, import};
use crate::server::{On, path};

const BASE: &str = "topics: [{slug: language, label: {en: Language}}]\nsources: [{slug: register-2026, title: {en: Register}, kind: dataset}]\norganizations: [{slug: greens, name: {en: Greens}, classification: party, identifiers: [{scheme: register, value: G-1}]}]";

async fn fixture_with_base(on: On) -> ImportFixture {
    let fixture = ImportFixture::new(on).await;
    for name in ["deputies.csv", "deputies.mapping.yaml"] {
        fixture.write_file(name, std::fs::read(path(&format!("tests/it/fixtures/{name}"))).unwrap());
    }
    fixture.write_file("base.yaml", BASE);
    fixture.import_ok(&["base.yaml"]);
    fixture
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn mapped_table_imports_idempotently(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = fixture_with_base(on).await;
    let arguments = ["deputies.csv", "--mapping", "deputies.mapping.yaml"];
    assert_eq!(fixture.import_ok(&arguments), "Records: 3 created, 0 updated, 0 unchanged");
    assert_eq!(fixture.import_ok(&arguments), "Records: 0 created, 0 updated, 3 unchanged");
    let query =
        "{ people { nodes { slug names { lang text } gender birthDate topics { nodes { slug } } links { url note } otherNames { name lang }
        identifiers { scheme value } citations { nodes { field locator source { slug } } } } } }";
    insta::assert_json_snapshot!("csv_records", fixture.server.data(query).await);
    // standard input, with a byte order mark
    let text = format!("\u{FEFF}{}", std::fs::read_to_string(path("tests/it/fixtures/deputies.csv")).unwrap());
    let mapping = fixture.folder.path().join("deputies.mapping.yaml");
    let (ok, stdout, stderr) = fixture.import_stdin(&["--format", "csv", "--mapping", mapping.to_str().unwrap()], &text);
    assert!(ok && stdout.trim() == "Records: 0 created, 0 updated, 3 unchanged", "{stdout}{stderr}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn all_problems_of_a_row_are_reported_at_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file(
        "p.mapping.yaml",
        "type: person\ndates: [\"%d.%m.%Y\"]\nfields:\n  slug: id\n  name: {en: name}\n  birthDate: born\n  image: picture\n  jurisdiction: home\n",
    );
    fixture.write_file("p.csv", "id,name,born,picture,home\na,A,1.2.2000,x,nowhere\nb,,99.99.2000,,\n");
    fixture.write_file(
        "more.yaml",
        "cases:\n- {slug: c, title: {en: C}, kind: civil, status: none, parties: [{role: defendant, person: b}], court: d}\n",
    );
    let error = fixture.import_err(&["p.csv", "more.yaml", "--mapping", "p.mapping.yaml"]);
    let lines: Vec<&str> = error.lines().filter(|line| line.starts_with("p.csv") || line.starts_with("more.yaml")).collect();
    let expected = [
        "more.yaml:2: cases[0].status: \"none\" is not a value of this field",
        "more.yaml:2: cases[0].court: there is no organization with the slug \"d\"",
        "p.csv:2: person.image (column picture): \"x\" is not a web address",
        "p.csv:2: person.jurisdiction (column home): there is no jurisdiction with the slug \"nowhere\"",
        "p.csv:3: person.birthDate (column born): ",
        "p.csv:3: person.name: name is missing",
    ];
    for (expected, found) in expected.iter().zip(&lines) {
        assert!(found.starts_with(expected), "expected {expected}\nfound    {found}");
    }
    assert_eq!(lines.len(), expected.len(), "{error}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn rows_refer_to_records_by_slug_and_identifier(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = fixture_with_base(on).await;
    fixture.import_ok(&["deputies.csv", "--mapping", "deputies.mapping.yaml"]);
    fixture.write_file(
        "seats.mapping.yaml",
        "type: membership\nseparator: tab\nfields:\n  slug: {template: \"seat {no}\", slug: true}\n  label: {en: {constant: Deputy}}\n  person: {column: no, scheme: register}\n  organization: house\n  onBehalfOf: {column: party, scheme: register}\n  start: {column: from, empty: clear}\n",
    );
    fixture.write_file("seats.tsv", "no\thouse\tparty\tfrom\n1\tgreens\tG-1\t2021\n2\tgreens\t\t\n");
    let arguments = ["seats.tsv", "--mapping", "seats.mapping.yaml"];
    assert_eq!(fixture.import_ok(&arguments), "Records: 2 created, 0 updated, 0 unchanged");
    let query = "{ memberships { nodes { slug start person { slug } onBehalfOf { slug } } } }";
    let seats = fixture.server.data(query).await;
    assert_eq!(
        seats["memberships"]["nodes"],
        json!([
            {"slug": "seat-1", "start": "2021", "person": {"slug": "turar-qasymov"}, "onBehalfOf": {"slug": "greens"}},
            {"slug": "seat-2", "start": null, "person": {"slug": "saule-bek"}, "onBehalfOf": null},
        ])
    );
    fixture.write_file("seats.tsv", "no\thouse\tparty\tfrom\n1\tgreens\tG-2\t\n2\tnowhere\t\t\n");
    let error = fixture.import_err(&arguments);
    assert!(
        error.contains("seats.tsv:2: membership.onBehalfOf (column party): no record has the identifier register G-2, neither in the import nor in the database"),
        "{error}"
    );
    fixture.write_file("seats.tsv", "no\thouse\tparty\tfrom\n1\tgreens\tG-1\t\n2\tnowhere\t\t\n");
    let error = fixture.import_err(&arguments);
    assert!(
        error.contains("seats.tsv:3: membership.organization (column house): there is no organization with the slug \"nowhere\""),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_name_file_line_and_column() {
    let fixture = fixture_with_base(On::Sqlite).await;
    let refused = |table: &[u8]| {
        fixture.write_file("t.csv", table);
        fixture.import_err(&["t.csv", "--mapping", "t.mapping.yaml"])
    };
    fixture.write_file("t.mapping.yaml", "type: person\ndates: [\"%d.%m.%Y\"]\nfields: {slug: id, name: {en: name}, birthDate: born, deathDate: {column: died, dates: [\"%Y\"]}, image: picture}\n");
    let error = refused("id,name,born,died,picture,height\na,A,31.02.1970,,nowhere,1\nB b,B,1970-05,May,,\nc,C\n".as_bytes());
    for expected in [
        "5 problems; nothing was written",
        "t.csv:2: person.birthDate (column born): \"31.02.1970\" matches none of the date formats: %d.%m.%Y",
        "t.csv:2: person.image (column picture): \"nowhere\" is not a web address",
        "t.csv:3: person.deathDate (column died): \"May\" matches none of the date formats: %Y",
        "t.csv:3: person.slug (column id): \"B b\" is not a valid name",
        "t.csv:4: the row has 2 cells but the header has 6; quote cells that contain the separator",
    ] {
        assert!(error.contains(expected), "expected {expected}\n{error}");
    }
    let error = refused("id,name,born,died,picture,height\na,A,,,nowhere,1\nB b,B,,,,\n".as_bytes());
    for expected in [
        "2 problems; nothing was written",
        "t.csv:2: person.image (column picture): \"nowhere\" is not a web address; it must begin with https:// or http://",
        "t.csv:3: person.slug (column id): \"B b\" is not a valid name",
    ] {
        assert!(error.contains(expected), "expected {expected}\n{error}");
    }
    let error = refused("id;name\na;A\n".as_bytes());
    assert!(
        error.contains(
            "t.mapping.yaml:3: fields.slug (column 10): t.csv has no column \"id\"; it has id;name; is the separator of the mapping correct?"
        ),
        "{error}"
    );
    let error = refused(b"id,name,born,died,picture\na,\xc0,,,\n");
    assert!(error.contains("t.csv:2: not valid UTF-8; the file looks like windows-125"), "{error}");
    fixture.write_file("t.csv", "id\n");
    assert!(
        fixture.import_err(&["t.csv"]).contains("t.csv: a table requires a mapping from columns to fields; specify it with --mapping FILE")
    );
    fixture.write_file("t.csv", "id,name,born,died,picture,height\na,A,,,,1\n");
    let (ok, _, stderr) = fixture.import(&["t.csv", "--mapping", "t.mapping.yaml"]);
    assert!(ok && stderr.contains("t.csv: columns not used by the mapping: height"), "{stderr}");
}

#[rstest]
#[case(
    "type: martian\nfields: {}",
    "m.yaml:1: type (column 1): unknown record type \"martian\"; expected one of jurisdiction, organization"
)]
#[case("type: person", "m.yaml:1: fields is missing; it maps fields to columns")]
#[case("type: person\nfield: {}\nfields: {}", "m.yaml:2: field (column 1): unknown key; expected one of type, fields, table, when, key")]
#[case("type: person\nfields: {nmae: a}", "m.yaml:2: fields.nmae (column 10): person has no field \"nmae\"; it has name, otherNames")]
#[case(
    "type: person\nfields: {name: a}",
    "m.yaml:2: fields.name (column 10): translated text requires a map from language tags to columns, such as {en: name}"
)]
#[case("type: person\nfields: {name: {english!: a}}", "m.yaml:2: fields.name.english! (column 17): ")]
#[case(
    "type: person\nfields: {identifiers: {scheme: a}}",
    "m.yaml:2: fields.identifiers.scheme (column 24): expected a list; write - before each identifier"
)]
#[case("type: person\nfields: {links: {url: a}}", "m.yaml:2: fields.links.url (column 18): expected a list; write - before each Link")]
#[case("type: person\nfields: {links: a}", "m.yaml:2: fields.links (column 10): expected a list; write - before each Link")]
#[case(
    "type: person\nfields: {birthDate: {column: a, colour: b}}",
    "m.yaml:2: fields.birthDate.colour (column 33): unknown key; expected one of column, template, constant"
)]
#[case("type: person\nfields: {birthDate: \"{a\"}", "m.yaml:2: fields.birthDate (column 10): \"{a\" has an unclosed {")]
#[case("type: person\nfields: {birthDate: \"{} a\"}", "m.yaml:2: fields.birthDate (column 10): \"{} a\" has empty braces")]
#[case(
    "type: person\nfields: {otherNames: [{nmae: a}]}",
    "m.yaml:2: fields.otherNames[0].nmae (column 24): OtherName has no field \"nmae\"; it has name, lang"
)]
#[case(
    "type: person\nfields: {slug: {column: a, slug: yes}}",
    "m.yaml:2: fields.slug.slug (column 28): expected true or false, found a text"
)]
#[case(
    "type: person\nfields: {gender: {column: a, values: {m: [male]}}}",
    "m.yaml:2: fields.gender.values.m (column 39): expected text, found a list"
)]
#[case(
    "type: organization\nfields: {classification: {column: a, values: {m: mail}}}",
    "m.yaml:2: fields.classification.values.m (column 47): \"mail\" is not a value of this field; the values are"
)]
#[case(
    "type: organization\nfields: {classification: {constant: mail}}",
    "m.yaml:2: fields.classification.constant (column 27): \"mail\" is not a value of this field"
)]
#[case(
    "type: person\nfields: {slug: {constant: Ann Lee}}",
    "m.yaml:2: fields.slug.constant (column 17): \"Ann Lee\" is not a valid name; use up to"
)]
#[case(
    "type: person\nfields: {jurisdiction: {column: a, values: {k: \"K Z\"}}}",
    "m.yaml:2: fields.jurisdiction.values.k (column 45): \"K Z\" is not a valid name; use up to"
)]
#[case(
    "type: person\nfields: {sortName: {column: a, default: \"a\\u0007\"}}",
    "m.yaml:2: fields.sortName.default (column 32): text must not contain the character U+0007"
)]
#[case(
    "type: person\nseparator: \";;\"\nfields: {}",
    "m.yaml:2: separator (column 1): expected a single ASCII character, such as \";\", or tab"
)]
#[case("type: statistic\ndecimal: x\nfields: {}", "m.yaml:2: decimal (column 1): \"x\" is no separator; expected one of \".\", \",\"")]
#[case("type: statistic\ndecimal: \",\"\nthousands: \",\"\nfields: {}", "m.yaml:1: decimal and thousands are both \",\"")]
#[case(
    "type: person\nfields: {birthDate: {column: a, decimal: \",\"}}",
    "m.yaml:2: fields.birthDate.decimal (column 33): decimal has no effect, because the field is no number"
)]
#[case("type: person\ncentury: 19\nfields: {}", "m.yaml:2: century (column 1): expected a whole number from 1000 to 9900")]
#[case("type: person\ndates: [\"%d.%m\"]\nfields: {}", "m.yaml:2: dates (column 1): \"%d.%m\" lacks the year")]
#[case(
    "type: person\nfields: {birthDate: {column: a, split: \",\"}}",
    "m.yaml:2: fields.birthDate.split (column 33): split is only valid in a list, and this field has one value"
)]
#[case(
    "type: person\nfields: {birthDate: {column: a, constant: b}}",
    "m.yaml:2: fields.birthDate (column 10): expected only one of column, template, constant and coalesce"
)]
#[case(
    "type: person\nfields: {birthDate: {column: a, match: \"(\"}}",
    "m.yaml:2: fields.birthDate.match (column 33): \"(\" is not a regular expression: unclosed group"
)]
#[case("type: person\nfields: {birthDate: {column: a, match: \"(?<y>.*)\"}}", "match has groups, and template is missing")]
#[case("type: person\nfields: {birthDate: {column: a, when: {column: b}}}", "fields.birthDate.when (column 33): expected either is or not")]
#[case("type: person\nfields: {birthDate: {column: a, by: url}}", "by: url is only valid for references to sources")]
#[case("type: person\nrecords: []", "m.yaml:1: type (column 1): this belongs to an entry of records; move it there")]
#[tokio::test(flavor = "multi_thread")]
async fn invalid_mapping_is_rejected_with_reason(#[case] mapping: &str, #[case] expected: &str) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("m.yaml", mapping);
    fixture.write_file("t.csv", "a\n1\n");
    let error = fixture.import_err(&["t.csv", "--mapping", "m.yaml"]);
    assert!(error.contains(expected), "expected {expected}\n{error}");
}

/// A text of the mapping that no row could have is one problem, at its place in the mapping, and not one of each row.
#[rstest]
#[case("role: {constant: TEXT}", "fields.role.constant", 501)]
#[case("role: {column: a, default: TEXT}", "fields.role.default", 501)]
#[case("role: {column: a, values: {x: TEXT, \"*\": y}}", "fields.role.values.x", 501)]
#[case("label: {en: {constant: TEXT}}", "fields.label.en.constant", 2_001)]
#[case("identifiers: [{scheme: {constant: TEXT}, value: a}]", "fields.identifiers[0].scheme.constant", 101)]
#[case("links: [{url: a, note: {constant: TEXT}}]", "fields.links[0].note.constant", 501)]
#[tokio::test(flavor = "multi_thread")]
async fn constant_that_is_too_long_is_one_problem(#[case] field: &str, #[case] place: &str, #[case] chars: usize) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    let label = if field.starts_with("label") { "" } else { "label: {en: a}, " };
    let mapping = format!("type: membership\nfields: {{slug: a, {label}person: a, organization: a, {field}}}\n");
    fixture.write_file("m.yaml", mapping.replace("TEXT", &"x".repeat(chars)));
    fixture.write_file("t.csv", "a\nb\nc\nd\n");
    let max = chars - 1;
    let error = fixture.import_err(&["t.csv", "--mapping", "m.yaml"]);
    let expected = format!("the text has {chars} characters; the maximum is {max}");
    assert!(error.contains(&format!("m.yaml:2: {place}")), "{error}");
    assert_eq!((error.matches(&expected).count(), error.contains("t.csv")), (1, false), "{error}");
    // one character less is a value
    fixture.write_file("m.yaml", mapping.replace("TEXT", &"x".repeat(max)));
    let error = fixture.import_err(&["t.csv", "--mapping", "m.yaml"]);
    assert!(!error.contains("the maximum is") && error.contains("there is no person with the slug \"b\""), "{error}");
}

/// A slug in the mapping that no record has is one problem as well, through every interface, unless no row uses it.
#[rstest]
#[case("{constant: house}", "fields.organization.constant", true)]
#[case("{column: o, default: house}", "fields.organization.default", true)]
#[case("{column: o, values: {h: house, \"*\": senate}}", "fields.organization.values.h", false)]
#[tokio::test(flavor = "multi_thread")]
async fn unknown_slug_of_a_mapping_is_one_problem(
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
    #[case] rule: &str,
    #[case] place: &str,
    #[case] is_used: bool,
) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file(
        "base.yaml",
        "people: [{slug: a, name: {en: A}}, {slug: b, name: {en: B}}]\norganizations: [{slug: senate, name: {en: S}, classification: other}]\n",
    );
    fixture.import_ok(&["base.yaml"]);
    let fields = format!("{{slug: p, label: {{en: p}}, person: p, organization: {rule}}}");
    fixture.write_file("m.yaml", format!("type: membership\nfields: {fields}\n"));
    fixture.write_file("t.csv", "p,o\na,\nb,\n");
    let output = import(&fixture, door, "t.csv", None, Some("m.yaml")).await.replace("\\\"", "\"");
    let message = "there is no organization with the slug \"house\", neither in the import nor in the database";
    // a rule with values needs one for an empty cell
    if is_used {
        assert_eq!(output.matches(message).count(), 1, "{door:?} {output}");
        assert!(matches!(door, Door::Upload) || output.contains(&format!("m.yaml:2: {place}")), "{door:?} {output}");
        fixture.write_file("house.yaml", "organizations: [{slug: house, name: {en: House}, classification: other}]\n");
        fixture.import_ok(&["house.yaml"]);
    } else {
        fixture.write_file("t.csv", "p,o\na,x\nb,y\n");
    }
    let output = import(&fixture, door, "t.csv", None, Some("m.yaml")).await;
    assert!(output.contains("2 created"), "{door:?} {output}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn table_without_slugs_matches_by_identifier(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file(
        "t.mapping.yaml",
        "type: person\nfields:\n  name: {en: name}\n  identifiers: [{scheme: {constant: register}, value: no}]\n",
    );
    fixture.write_file("t.csv", "no,name\n1,Ann Lee\n2,Ann Lee\n");
    let arguments = ["t.csv", "--mapping", "t.mapping.yaml", "--batch", "1"];
    assert_eq!(fixture.import_ok(&arguments), "Records: 2 created, 0 updated, 0 unchanged");
    fixture.write_file("t.csv", "no,name\n1,Ann Lee\n2,Ann Moore\n");
    assert_eq!(fixture.import_ok(&arguments), "Records: 0 created, 1 updated, 1 unchanged");
}

/// Rows refer to records of the same import, in whatever order its tables are read and wherever their own references lead.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn tables_of_one_import_refer_to_each_other(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    let mapping = "records:
  - type: membership
    table: a-seats.csv
    fields:
      slug: {template: \"seat {No}\", slug: true}
      label: {en: {constant: Deputy}}
      person: {column: Person, scheme: people}
      organization: {column: House, scheme: houses}
      identifiers: [{scheme: {constant: seats}, value: No}]
  - type: organization
    table: b-houses.csv
    fields:
      slug: {column: Name, slug: true}
      name: {en: Name}
      classification: {constant: chamber}
      parent: {column: Parent, scheme: houses}
      identifiers: [{scheme: {constant: houses}, value: No}]
  - type: person
    table: c-people.csv
    fields:
      slug: {column: Name, slug: true}
      name: {en: Name}
      identifiers: [{scheme: {constant: people}, value: No}]
";
    fixture.write_file("all.mapping.yaml", mapping);
    fixture.write_file("a-seats.csv", "No,Person,House\n1,7,2\n");
    fixture.write_file("b-houses.csv", "No,Name,Parent\n2,Senate,1\n1,Parliament,\n");
    fixture.write_file("c-people.csv", "No,Name\n7,Ann Lee\n");
    assert_eq!(fixture.import_ok(&[".", "--mapping", "all.mapping.yaml"]), "Records: 4 created, 0 updated, 0 unchanged");
    let query = "{ membership(by: {slug: \"seat-1\"}) { person { slug } organization { slug parent { slug } } } }";
    let expected =
        json!({"membership": {"person": {"slug": "ann-lee"}, "organization": {"slug": "senate", "parent": {"slug": "parliament"}}}});
    assert_eq!(fixture.server.data(query).await, expected);
    // a record without a slug cannot be referred to until the database has given it one
    let unnamed = mapping.replace(
        "slug: {column: Name, slug: true}\n      name: {en: Name}\n      identifiers: [{scheme: {constant: people}",
        "name: {en: Name}\n      identifiers: [{scheme: {constant: people}",
    );
    fixture.write_file("all.mapping.yaml", unnamed);
    fixture.write_file("a-seats.csv", "No,Person,House\n1,8,2\n");
    fixture.write_file("c-people.csv", "No,Name\n8,Bo Chen\n");
    let error = fixture.import_err(&[".", "--mapping", "all.mapping.yaml"]);
    let expected = "a-seats.csv:2: membership.person (column Person): the record of this import with the identifier people 8 has no slug";
    assert!(error.contains(expected), "{error}");
    fixture.import_ok(&["c-people.csv", "--mapping", "all.mapping.yaml"]);
    assert_eq!(fixture.import_ok(&[".", "--mapping", "all.mapping.yaml"]), "Records: 0 created, 1 updated, 3 unchanged");
}

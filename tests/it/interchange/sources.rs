//! Files of every kind: compressed, in other encodings, as workbooks, and in folders.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use kurultai::core::auth::Role;
use rstest::rstest;
use rust_xlsxwriter::{Format, Formula, Workbook};
use serde_json::json;

use super::ImportFixture;
use super::identity::{Door, Options, import, import_strictly, import_with};
use crate::server::{Asker, On};

const MAPPING: &str = "type: person\nfields:\n  slug: id\n  name: {ru: name}\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstandard(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 0).unwrap()
}

/// A person in every format, with the name of its file.
fn people(slug: &str, name: &str) -> [(String, String); 5] {
    [
        (format!("{slug}-y.yaml"), format!("people: [{{slug: {slug}-y, name: {{ru: {name}}}}}]")),
        (format!("{slug}-j.json"), json!({"people": [{"slug": format!("{slug}-j"), "name": {"ru": name}}]}).to_string()),
        (format!("{slug}-n.ndjson"), json!({"person": {"slug": format!("{slug}-n"), "name": {"ru": name}}}).to_string()),
        (format!("{slug}-p.popolo.json"), json!({"persons": [{"id": format!("{slug}-p"), "name": name}]}).to_string()),
        (format!("{slug}-c.csv"), format!("id,name\n{slug}-c,{name}\n")),
    ]
}

fn options(file: &str) -> Options<'static> {
    Options {
        scheme: file.contains(".popolo").then_some("register"),
        mapping: file.contains(".csv").then_some("m.yaml"),
        ..Options::default()
    }
}

async fn names(fixture: &ImportFixture) -> Vec<String> {
    let data = fixture.server.data("{ people(first: 100) { nodes { name } } }").await;
    data["people"]["nodes"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn compressed_file_is_read_as_its_content(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("m.yaml", MAPPING);
    for (name, text) in people("g", "Ёж") {
        fixture.write_file(&format!("{name}.gz"), gzip(text.as_bytes()));
        let output = import_with(&fixture, door, &format!("{name}.gz"), options(&name)).await;
        assert!(output.contains("1 created, 0 updated, 0 unchanged"), "{name}: {output}");
    }
    for (name, text) in people("z", "Ёж") {
        fixture.write_file(&format!("{name}.zst"), zstandard(text.as_bytes()));
        let output = import_with(&fixture, door, &format!("{name}.zst"), options(&name)).await;
        assert!(output.contains("1 created, 0 updated, 0 unchanged"), "{name}: {output}");
    }
    assert_eq!(names(&fixture).await, ["Ёж"; 10]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn damaged_archive_is_an_error_with_its_name(#[values(Door::Database, Door::Url, Door::Upload)] door: Door) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    let text = "people:\n".to_owned() + &(0..500).map(|index| format!("- {{slug: p{index}, name: {{en: P}}}}\n")).collect::<String>();
    let mut flipped = gzip(text.as_bytes());
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xFF;
    let truncated = |bytes: Vec<u8>| bytes[..bytes.len() - 9].to_vec();
    let cases = [
        ("flipped.yaml.gz", flipped, "the gzip archive is damaged or incomplete ("),
        ("cut.yaml.gz", truncated(gzip(text.as_bytes())), "the gzip archive is damaged or incomplete ("),
        ("cut.yaml.zst", truncated(zstandard(text.as_bytes())), "the Zstandard archive is damaged or incomplete ("),
        ("plain.yaml.gz", text.clone().into_bytes(), "the file is no gzip archive, as its name says; rename or replace it"),
    ];
    for (name, bytes, message) in cases {
        fixture.write_file(name, bytes);
        let output = import(&fixture, door, name, None, None).await;
        assert!(output.contains(&format!("{name}: {message}")), "{output}");
    }
    assert!(names(&fixture).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn upload_is_bounded_after_decompression() {
    let fixture = ImportFixture::new(On::Sqlite).await;
    let bomb = vec![b' '; 11_000_000];
    for (name, bytes) in [("bomb.yaml.gz", gzip(&bomb)), ("bomb.ndjson.zst", zstandard(&bomb))] {
        fixture.write_file(name, bytes);
        let output = import(&fixture, Door::Upload, name, None, None).await;
        assert!(output.contains("the file has more than 10000000 bytes when it is decompressed (max_upload_bytes)"), "{output}");
    }
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write(0, 0, "id").unwrap();
    for row in 1..400 {
        sheet.write(row, 0, "x".repeat(30_000) + &row.to_string()).unwrap();
    }
    fixture.write_file("bomb.xlsx", workbook.save_to_buffer().unwrap());
    fixture.write_file("m.yaml", "type: person\nfields: {slug: id}\n");
    let output = import(&fixture, Door::Upload, "bomb.xlsx", None, Some("m.yaml")).await;
    assert!(output.contains("bomb.xlsx: the file has more than 10000000 bytes when it is decompressed"), "{output}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn byte_order_mark_is_read_in_every_format(#[values(Door::Database, Door::Url, Door::Upload)] door: Door) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("m.yaml", MAPPING);
    let utf16 = |text: &str, order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let encode = |encoding: &str, text: &str| match encoding {
        "a" => text.as_bytes().to_vec(),
        "b" => utf16(text, u16::to_le_bytes),
        _ => utf16(text, u16::to_be_bytes),
    };
    for encoding in ["a", "b", "c"] {
        for (name, text) in people(encoding, "Ёж") {
            fixture.write_file(&name, encode(encoding, &format!("\u{feff}{text}")));
            let output = import_with(&fixture, door, &name, options(&name)).await;
            assert!(output.contains("1 created, 0 updated, 0 unchanged"), "{name}: {output}");
        }
    }
    assert_eq!(names(&fixture).await, ["Ёж"; 15]);
}

/// "Председатель парламента" in windows-1251.
const SPEAKER: &[u8] = b"\xCF\xF0\xE5\xE4\xF1\xE5\xE4\xE0\xF2\xE5\xEB\xFC \xEF\xE0\xF0\xEB\xE0\xEC\xE5\xED\xF2\xE0";

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn other_encoding_is_named_or_refused(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("p.csv", [b"id,name\nx,", SPEAKER, b"\n"].concat());
    fixture.write_file("m.yaml", MAPPING);
    fixture.write_file("m-1251.yaml", format!("encoding: windows-1251\n{MAPPING}"));
    fixture.write_file("m-wrong.yaml", format!("encoding: windows-1259\n{MAPPING}"));
    let options = |mapping, encoding| Options { mapping: Some(mapping), encoding, ..Options::default() };
    let output = import_with(&fixture, door, "p.csv", options("m.yaml", None)).await;
    let expected = "p.csv:2: not valid UTF-8; the file looks like windows-1251: if it is, say so with --encoding windows-1251";
    assert!(output.contains(expected), "{output}");
    assert!(names(&fixture).await.is_empty());
    let output = import_with(&fixture, door, "p.csv", options("m.yaml", Some("windows-1251"))).await;
    assert!(output.contains("1 created, 0 updated, 0 unchanged"), "{output}");
    assert_eq!(names(&fixture).await, ["Председатель парламента"]);
    for (mapping, encoding) in [("m-1251.yaml", None), ("m.yaml", Some("auto"))] {
        let output = import_with(&fixture, door, "p.csv", options(mapping, encoding)).await;
        assert!(output.contains("0 created, 0 updated, 1 unchanged"), "{output}");
        assert_eq!(output.contains("p.csv: read as windows-1251, which was detected"), encoding.is_some(), "{output}");
    }
    let output = import_with(&fixture, door, "p.csv", options("m-wrong.yaml", None)).await;
    assert!(
        output.replace('\\', "").contains("m-wrong.yaml:1: encoding (column 1): \"windows-1259\" is not an encoding; write its name"),
        "{output}"
    );
    fixture.write_file("p.yaml", b"people:\n- {slug: y, name: {ru: \xCF\x98}}\n");
    let output = import_with(&fixture, door, "p.yaml", Options { encoding: Some("windows-1251"), ..Options::default() }).await;
    assert!(output.contains("p.yaml:2: the byte 98 is no text in windows-1251 (column 25); is the file in another encoding?"), "{output}");
}

const SHEET_MAPPING: &str = "type: statistic
decimal: \",\"
fields:
  slug: id
  measure: {en: {constant: Cases}}
  unit: {constant: cases}
  value: n
  periodStart: from
  identifiers: [{scheme: {constant: register}, value: code}]
";

fn workbook(sheets: &[&str]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    for name in sheets {
        let sheet = workbook.add_worksheet().set_name(*name).unwrap();
        let date = Format::new().set_num_format("dd.mm.yyyy");
        for (column, title) in ["id", "n", "from", "code", "note"].into_iter().enumerate() {
            sheet.write(0, u16::try_from(column).unwrap(), title).unwrap();
        }
        sheet.write(1, 0, "a").unwrap();
        sheet.write(1, 1, 1.234).unwrap();
        sheet.write_with_format(1, 2, 44004, &date).unwrap();
        sheet.write(1, 3, 20_190_401_234_567_f64).unwrap();
        sheet.write_formula(1, 4, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
        // the fourth row follows an empty one
        sheet.write(3, 0, "b").unwrap();
        sheet.write_formula(3, 1, Formula::new("=1+1").set_result("2")).unwrap();
        sheet.write(3, 2, "2013-08").unwrap();
        sheet.write(3, 3, "007").unwrap();
    }
    workbook.save_to_buffer().unwrap()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn workbook_is_read_as_a_table(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("t.xlsx", workbook(&["Data"]));
    fixture.write_file("m.yaml", SHEET_MAPPING);
    let output = import(&fixture, door, "t.xlsx", None, Some("m.yaml")).await;
    assert!(output.contains("2 created, 0 updated, 0 unchanged"), "{output}");
    assert!(output.contains("t.xlsx: columns not used by the mapping: note"), "{output}");
    let data = fixture.server.data("{ statistics { nodes { slug value periodStart identifiers { value } } } }").await;
    let expected = json!([
        {"slug": "a", "value": 1.234, "periodStart": "2020-06-22", "identifiers": [{"value": "20190401234567"}]},
        {"slug": "b", "value": 2, "periodStart": "2013-08", "identifiers": [{"value": "007"}]},
    ]);
    assert_eq!(data["statistics"]["nodes"], expected);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn sheet_is_named_if_there_are_several(#[values(Door::Database, Door::Url, Door::Upload)] door: Door) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("t.xlsx", workbook(&["2024", "Данные"]));
    for (sheet, expected) in [
        ("", "t.xlsx: the workbook has 2 sheets: 2024, Данные; write sheet: NAME in the mapping"),
        ("sheet: Data\n", "m.yaml:1: sheet (column 1): t.xlsx has no sheet \"Data\"; it has 2024, Данные"),
        ("sheet: Данные\n", "2 created, 0 updated, 0 unchanged"),
        ("sheet: 2024\n", "0 created, 0 updated, 2 unchanged"),
    ] {
        fixture.write_file("m.yaml", format!("{sheet}{SHEET_MAPPING}"));
        let output = import(&fixture, door, "t.xlsx", None, Some("m.yaml")).await;
        assert!(output.replace('\\', "").contains(expected), "{output}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn cell_without_a_value_is_named(#[values(Door::Database, Door::Url, Door::Upload)] door: Door) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let time = Format::new().set_num_format("hh:mm");
    let moment = Format::new().set_num_format("dd.mm.yyyy hh:mm");
    for (column, title) in ["id", "n", "from"].into_iter().enumerate() {
        sheet.write(0, u16::try_from(column).unwrap(), title).unwrap();
    }
    for (row, id) in (1..).zip(["a", "b", "c", "d"]) {
        sheet.write(row, 0, id).unwrap();
    }
    sheet.write_formula(1, 1, Formula::new("=Gone!A1").set_result("#REF!")).unwrap();
    sheet.write_with_format(2, 2, 0.5, &time).unwrap();
    sheet.write_with_format(3, 2, 44004.5, &moment).unwrap();
    sheet.write(4, 3, "beyond").unwrap();
    fixture.write_file("t.xlsx", workbook.save_to_buffer().unwrap());
    fixture
        .write_file("m.yaml", "type: statistic\nfields: {slug: id, value: n, periodStart: from, measure: {en: id}, unit: {constant: u}}\n");
    let output = import(&fixture, door, "t.xlsx", None, Some("m.yaml")).await;
    for expected in [
        "t.xlsx:2: the cell B2 (column n) has the error #REF!; correct its formula",
        "t.xlsx:3: the cell C3 (column from) has a time without a date",
        "t.xlsx:4: statistic.periodStart (column from): \"2020-06-22T12:00:00\" is not a date such as",
        "t.xlsx:5: the cell D5 is beyond the last column of the header; clear it, or give its column a name",
    ] {
        assert!(output.replace('\\', "").contains(expected), "{expected}\n{output}");
    }
}

const JUDGES: &str = "type: person\nheader: 2\nfields:\n  slug: id\n  name: {en: name}\n  gender: sex\n";

/// A sheet of judges below a title and a header of two lines, in which the sex is merged over two rows.
fn judges(change: impl FnOnce(&mut rust_xlsxwriter::Worksheet, &Format)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let format = Format::new();
    let sheet = workbook.add_worksheet();
    sheet.merge_range(0, 0, 1, 0, "id", &format).unwrap();
    sheet.merge_range(0, 1, 0, 2, "person", &format).unwrap();
    sheet.write(1, 1, "name").unwrap().write(1, 2, "sex").unwrap();
    for (row, id) in (2..).zip(["a", "b", "c"]) {
        sheet.write(row, 0, id).unwrap().write(row, 1, format!("Judge {id}")).unwrap();
    }
    // the region goes on below the table
    sheet.merge_range(3, 2, 8, 2, "female", &format).unwrap();
    change(sheet, &format);
    workbook.save_to_buffer().unwrap()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn merged_cells_have_their_value_in_every_row(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("m.yaml", JUDGES);
    fixture.write_file("t.xlsx", judges(|_, _| {}));
    let output = import(&fixture, door, "t.xlsx", None, Some("m.yaml")).await;
    assert!(output.contains("3 created, 0 updated, 0 unchanged"), "{output}");
    let data = fixture.server.data("{ people { nodes { slug gender } } }").await;
    let expected = json!([{"slug": "a", "gender": null}, {"slug": "b", "gender": "female"}, {"slug": "c", "gender": "female"}]);
    assert_eq!(data["people"]["nodes"], expected);
}

#[rstest]
#[case::columns(
    judges(|sheet, format| _ = sheet.merge_range(10, 0, 10, 6, "Source: the court", format).unwrap()),
    JUDGES,
    "t.xlsx:11: the cell B11 (column name) has no value of its own: the cells A11:G11 are merged over several columns; separate them, or remove the row if it is a title or a note"
)]
#[case::header(
    judges(|_, _| {}),
    "type: person\nheader: 1\nfields: {slug: id, name: {en: person}}\n",
    "t.xlsx:1: the cells A1:A2 are merged, from the header into the rows of the table; write header: 2 in the mapping if the header ends there"
)]
#[tokio::test(flavor = "multi_thread")]
async fn merged_cells_without_one_column_are_named(
    #[case] bytes: Vec<u8>,
    #[case] mapping: &str,
    #[case] expected: &str,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("m.yaml", mapping);
    fixture.write_file("t.xlsx", bytes);
    let output = import(&fixture, door, "t.xlsx", None, Some("m.yaml")).await;
    assert_eq!(output.matches(expected).count(), 1, "{door:?} {output}");
    assert!(!output.contains("3 created"), "{door:?} {output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_files_are_skipped_and_unknown_ones_named() {
    let fixture = ImportFixture::new(On::Sqlite).await;
    let folder = fixture.folder.path().join("data");
    std::fs::create_dir(&folder).unwrap();
    let person = "people: [{slug: a, name: {en: A}}]";
    for (name, text) in [
        ("a.yaml", person),
        ("._a.yaml", "\0\x05"),
        (".DS_Store", "\0"),
        ("~$b.xlsx", "x"),
        ("readme.pdf", ""),
        ("notes.txt", ""),
        ("t.csv", "id\n"),
        ("b.refused.yaml", person),
        ("t.mapping.yaml", ""),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let (ok, stdout, stderr) = fixture.import(&["data"]);
    assert!(ok && stdout.contains("Records: 1 created, 0 updated, 0 unchanged"), "{stdout}{stderr}");
    let notes: Vec<&str> = stderr.lines().collect();
    let expected = [
        "data: 2 files are not read, because the format of the name is not known: notes.txt, readme.pdf",
        "data: 1 file is not read, because a table requires --mapping: t.csv",
        "data: 1 file is not read, because refused rows are corrected first; name the file to import it: b.refused.yaml",
    ];
    assert_eq!(notes, expected);
}

const LEGISLATORS: &str = "- id:
    bioguide: C000127
    thomas: '00172'
    fec: [S8WA00194, H2WA01054]
    govtrack: 300018
  name: {first: Maria, last: Cantwell, official_full: Maria Cantwell}
  bio: {birthday: '1958-10-13', gender: F, religion: Roman Catholic}
  terms:
  - {type: rep, start: '1993-01-05', end: '1995-01-03', state: WA, district: 1, party: Democrat}
  - {type: sen, start: '2001-01-03', end: '2007-01-03', state: WA, class: 1, party: Democrat, url: 'https://cantwell.example'}
- id: {bioguide: B000944, govtrack: 400050}
  name: {first: Sherrod, middle: Campbell, last: Brown, suffix: Jr.}
  bio: {gender: M}
  terms:
  - {type: rep, start: '1993-01-05', end: '1995-01-03', state: OH, district: 13, party: Democrat}
  leadership_roles:
  - {title: Majority Whip, chamber: house, start: '1994-01-05', end: '1995-01-03'}
";

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn legislators_of_the_us_congress_are_recognized(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("legislators.yaml", LEGISLATORS);
    let output = import(&fixture, door, "legislators.yaml", Some("bioguide"), None).await;
    // two people, the House, the Senate, a party and four memberships
    assert!(output.contains("9 created, 0 updated, 0 unchanged"), "{output}");
    for omitted in ["persons.bio.religion (1", "memberships.class (1"] {
        assert!(output.contains(omitted), "{omitted}\n{output}");
    }
    let query = "{ people { nodes { name gender birthDate identifiers { scheme value } memberships { nodes { role start end organization { name } onBehalfOf { name } } } } } }";
    let data = fixture.server.data(query).await;
    let people = data["people"]["nodes"].as_array().unwrap();
    let cantwell = people.iter().find(|person| person["name"] == "Maria Cantwell").unwrap();
    assert_eq!((&cantwell["gender"], &cantwell["birthDate"]), (&json!("female"), &json!("1958-10-13")));
    let has = |scheme: &str, value: &str| cantwell["identifiers"].as_array().unwrap().contains(&json!({"scheme": scheme, "value": value}));
    for (scheme, value) in
        [("bioguide", "C000127"), ("thomas", "00172"), ("fec", "S8WA00194"), ("fec", "H2WA01054"), ("govtrack", "300018")]
    {
        assert!(has(scheme, value), "{scheme} {value}: {cantwell}");
    }
    let membership = |role: &str, start: &str, end: &str, organization: &str, party: serde_json::Value| json!({"role": role, "start": start, "end": end, "organization": {"name": organization}, "onBehalfOf": party});
    let democrat = json!({"name": "Democrat"});
    let house = "United States House of Representatives";
    let expected = [
        membership("Representative", "1993-01-05", "1995-01-03", house, democrat.clone()),
        membership("Senator", "2001-01-03", "2007-01-03", "United States Senate", democrat.clone()),
    ];
    for expected in expected {
        assert!(cantwell["memberships"]["nodes"].as_array().unwrap().contains(&expected), "{expected}\n{cantwell:#}");
    }
    let brown = people.iter().find(|person| person["name"] == "Sherrod Campbell Brown Jr.").unwrap();
    let whip = membership("Majority Whip", "1994-01-05", "1995-01-03", house, json!(null));
    assert!(brown["memberships"]["nodes"].as_array().unwrap().contains(&whip), "{brown:#}");
    let output = import(&fixture, door, "legislators.yaml", Some("bioguide"), None).await;
    assert!(output.contains("0 created, 0 updated, 9 unchanged"), "{output}");
}

/// The spellings of one address lead to one source, through every interface: by a mapping, in Popolo, and in a mutation.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn spellings_of_an_address_are_one_source(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    let spellings =
        ["https://пример.kz", "HTTPS://xn--e1afmkfd.KZ:443", "https://пример.kz./", "https://ПРИМЕР\u{3002}kz", "https://пример.kz:/"];
    fixture.write_file("s.yaml", "sources:\n- {slug: page, title: {en: Page}, kind: article, url: \"https://xn--e1afmkfd.kz\"}\n");
    assert_eq!(fixture.import_ok(&["s.yaml"]), "Records: 1 created, 0 updated, 0 unchanged");
    let rows: Vec<String> = spellings.iter().enumerate().map(|(index, url)| format!("p{index},{url}\n")).collect();
    fixture.write_file("t.csv", format!("id,link\n{}", rows.concat()));
    fixture.write_file("m.yaml", "type: person\nfields: {slug: id, name: {en: id}, citations: [{source: {column: link, by: url}}]}\n");
    let output = import(&fixture, door, "t.csv", None, Some("m.yaml")).await;
    assert!(output.contains("5 created"), "{door:?} {output}");
    let sources: Vec<_> = spellings.iter().map(|url| json!({"url": url})).collect();
    fixture.write_file("t.popolo.json", json!({"persons": [{"id": "9", "name": "Ann", "sources": sources}]}).to_string());
    let output = import(&fixture, door, "t.popolo.json", Some("parl"), None).await;
    assert!(output.contains("1 created"), "{door:?} {output}");
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let person = editor.data("{ person(by: {slug: \"p0\"}) { id } }").await["person"]["id"].clone();
    for (index, url) in spellings.iter().enumerate() {
        let citation = json!({"source": url, "quote": index.to_string()});
        editor.done("addCitation { record { id } }", json!({"record": person, "citation": citation})).await;
    }
    let output = import(&fixture, door, "s.yaml", None, None).await;
    assert!(output.contains("1 unchanged"), "{door:?} {output}");
    let data = fixture.server.data("{ sources { nodes { slug url citedFor { totalCount } } } }").await;
    assert_eq!(data["sources"]["nodes"], json!([{"slug": "page", "url": "https://пример.kz/", "citedFor": {"totalCount": 11}}]));
    for spelling in spellings {
        let found = fixture.server.data(&format!("{{ sources(filter: {{url: {{eq: \"{spelling}\"}}}}) {{ totalCount }} }}")).await;
        assert_eq!(found["sources"]["totalCount"], 1, "{spelling}");
        fixture.write_file("other.yaml", format!("sources:\n- {{slug: other, title: {{en: O}}, kind: article, url: \"{spelling}\"}}\n"));
        let output = import_strictly(&fixture, door, "other.yaml").await.replace("\\\"", "\"");
        assert!(output.contains("the source \"page\" has this URL, too"), "{door:?} {spelling} {output}");
    }
}

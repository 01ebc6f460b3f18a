//! Acts in Akoma Ntoso become laws with provisions; their expressions become versions and translations.

mod containers;
mod expressions;
mod refusals;

use std::fmt::Write;

use rstest::rstest;
use serde_json::{Value, json};

use super::ImportFixture;
use super::identity::{Door, import};
use crate::server::On;

/// The country of the acts.
const JURISDICTION: &str =
    "jurisdictions:\n- {slug: kz, name: {en: Kazakhstan}, classification: country, ocdId: ocd-division/country:kz}\n";

/// An act of the tests: one expression of the law on assemblies.
#[derive(Debug, Clone)]
pub struct Expression<'e> {
    pub date: &'e str,
    pub language: &'e str,
    pub title: &'e str,
    /// Body of the act in XML.
    pub body: String,
    /// More elements of `FRBRWork`.
    pub work: &'e str,
}

impl Default for Expression<'_> {
    fn default() -> Self {
        Self {
            date: "2014-07-03",
            language: "eng",
            title: "On peaceful assemblies",
            body: chapter(&[("1", "Scope", &["First."])]),
            work: "",
        }
    }
}

/// A chapter of articles: number, heading and paragraphs of each.
pub fn chapter(articles: &[(&str, &str, &[&str])]) -> String {
    let mut xml = String::from("<chapter eId=\"chp_1\"><num>CHAPTER I.</num><heading>General provisions</heading>\n");
    for (number, heading, paragraphs) in articles {
        let _ = writeln!(xml, "<article eId=\"chp_1__art_{number}\"><num>Article {number}.</num><heading>{heading}</heading>");
        for (paragraph, index) in paragraphs.iter().zip(1..) {
            let id = format!("chp_1__art_{number}__para_{index}");
            let _ = writeln!(xml, "<paragraph eId=\"{id}\"><num>{index}.</num><content><p>{paragraph}</p></content></paragraph>");
        }
        xml.push_str("</article>\n");
    }
    xml.push_str("</chapter>");
    xml
}

impl Expression<'_> {
    pub fn xml(&self) -> String {
        let Self { date, language, title, body, work } = self;
        format!(
            r##"<?xml version="1.0" encoding="UTF-8"?>
<akomaNtoso xmlns="http://docs.oasis-open.org/legaldocml/ns/akn/3.0">
<act name="act" contains="singleVersion">
<meta>
<identification source="#editor">
<FRBRWork>
<FRBRthis value="/akn/kz/act/2014/226-V/!main"/>
<FRBRuri value="/akn/kz/act/2014/226-V"/>
<FRBRdate date="2014-07-03" name="enactment"/>
<FRBRauthor href="#parliament"/>
<FRBRcountry value="kz"/>
<FRBRnumber value="226-V"/>
{work}
</FRBRWork>
<FRBRExpression>
<FRBRdate date="{date}" name="Generation"/>
<FRBRauthor href="#parliament"/>
<FRBRlanguage language="{language}"/>
</FRBRExpression>
</identification>
</meta>
<preface><p><docTitle>{title}</docTitle></p></preface>
<body>
{body}
</body>
</act>
</akomaNtoso>
"##
        )
    }
}

/// A database with the country of the acts.
pub async fn fixture(on: On) -> ImportFixture {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("kz.yaml", JURISDICTION);
    fixture.import_ok(&["kz.yaml"]);
    fixture
}

/// All laws with their provisions and versions.
pub async fn laws(fixture: &ImportFixture) -> Value {
    let data = fixture
        .server
        .data(
            "{ laws { nodes { slug titles { lang text } number kind status adoptedOn inForceFrom repealedOn eli jurisdiction { slug } identifiers { scheme value }
                 provisions { nodes { slug number kind headings { lang text } position parent { slug } identifiers { scheme value }
                   versions { nodes { key validFrom validTo texts { lang text } } } } } } } }",
        )
        .await;
    data["laws"]["nodes"].clone()
}

/// The versions of a provision: key, first and last day, and the texts.
pub async fn versions(fixture: &ImportFixture, slug: &str) -> Value {
    let query =
        format!("{{ provision(by: {{slug: \"{slug}\"}}) {{ versions {{ nodes {{ key validFrom validTo texts {{ lang text }} }} }} }} }}");
    let data = fixture.server.data(&query).await;
    let nodes = data["provision"]["versions"]["nodes"].as_array().unwrap().iter();
    nodes
        .map(|node| {
            let texts = node["texts"].as_array().unwrap().iter();
            let texts: Vec<String> =
                texts.map(|text| format!("{}: {}", text["lang"].as_str().unwrap(), text["text"].as_str().unwrap())).collect();
            json!([node["key"], node["validFrom"], node["validTo"], texts.join("; ")])
        })
        .collect()
}

const DOORS: [Door; 3] = [Door::Database, Door::Url, Door::Upload];

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn act_becomes_a_law_with_chapters_and_articles(#[values(On::Sqlite, On::Postgres)] on: On) {
    for door in DOORS {
        let fixture = fixture(on).await;
        let body =
            chapter(&[("1", "Scope", &["This law governs assemblies.", "It covers pickets."]), ("2", "Notice", &["Notice is given."])]);
        fixture.write_file("act.xml", Expression { body, ..Expression::default() }.xml());
        let output = import(&fixture, door, "act.xml", None, None).await;
        assert!(output.contains("4 created, 0 updated, 0 unchanged"), "{door:?} {output}");
        let laws = laws(&fixture).await;
        let article = |number: &str, heading: &str, position: i64, text: &str| {
            json!({
                "slug": format!("kz-act-2014-226-v-chp-1-art-{number}"), "number": number, "kind": "ARTICLE",
                "headings": [{"lang": "en", "text": heading}], "position": position,
                "parent": {"slug": "kz-act-2014-226-v-chp-1"},
                "identifiers": [{"scheme": "frbr", "value": format!("/akn/kz/act/2014/226-V~chp_1__art_{number}")}],
                "versions": {"nodes": [{"key": "from-2014-07-03", "validFrom": "2014-07-03", "validTo": null, "texts": [{"lang": "en", "text": text}]}]},
            })
        };
        assert_eq!(
            laws,
            json!([{
                "slug": "kz-act-2014-226-v", "titles": [{"lang": "en", "text": "On peaceful assemblies"}], "number": "226-V", "kind": "LAW",
                "status": "IN_FORCE", "adoptedOn": "2014-07-03", "inForceFrom": null, "repealedOn": null, "eli": null,
                "jurisdiction": {"slug": "kz"}, "identifiers": [{"scheme": "frbr", "value": "/akn/kz/act/2014/226-V"}],
                "provisions": {"nodes": [
                    {
                        "slug": "kz-act-2014-226-v-chp-1", "number": "I", "kind": "CHAPTER",
                        "headings": [{"lang": "en", "text": "General provisions"}], "position": 100, "parent": null,
                        "identifiers": [{"scheme": "frbr", "value": "/akn/kz/act/2014/226-V~chp_1"}], "versions": {"nodes": []},
                    },
                    article("1", "Scope", 200, "1. This law governs assemblies.\n2. It covers pickets."),
                    article("2", "Notice", 300, "1. Notice is given."),
                ]},
            }]),
            "{door:?}"
        );
        let output = import(&fixture, door, "act.xml", None, None).await;
        assert!(output.contains("0 created, 0 updated, 4 unchanged"), "{door:?} {output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_becomes_fields_of_the_law() {
    let fixture = fixture(On::Sqlite).await;
    let work = r#"<FRBRalias name="eli" value="http://data.example.org/eli/act/2014/226"/>
        <FRBRsubtype value="constitutional-law"/>
        <FRBRdate date="2014-07-10" name="publication"/>
        <FRBRdate date="2015-01-01" name="in force"/>"#;
    let xml = Expression { work, ..Expression::default() }.xml();
    let lifecycle = "</identification><lifecycle source=\"#e\"><eventRef date=\"2023-05-01\" type=\"repeal\" source=\"#r\"/></lifecycle>";
    fixture.write_file("act.akn", xml.replace("</identification>", lifecycle));
    fixture.import_ok(&["act.akn"]);
    let law = &laws(&fixture).await[0];
    let fields = ["kind", "status", "adoptedOn", "inForceFrom", "repealedOn", "eli"].map(|field| law[field].as_str().unwrap_or_default());
    let eli = "http://data.example.org/eli/act/2014/226";
    assert_eq!(fields, ["CONSTITUTIONAL_LAW", "REPEALED", "2014-07-03", "2015-01-01", "2023-05-01", eli]);
    // a law that will be repealed is in force until then
    let coming = xml.replace("</identification>", &lifecycle.replace("2023-05-01", "2999-05-01")).replace("2014/226", "2014/227");
    fixture.write_file("act.akn", coming);
    let output = fixture.import_ok(&["act.akn"]);
    let laws = laws(&fixture).await;
    let law = laws.as_array().unwrap().iter().find(|law| law["repealedOn"] == "2999-05-01").unwrap_or_else(|| panic!("{laws:#?} {output}"));
    assert_eq!(law["status"], "IN_FORCE");
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_without_a_kind_keep_their_text() {
    let fixture = fixture(On::Sqlite).await;
    let body = r##"<book eId="book_1"><num>Book One</num><heading>Persons</heading>
        <intro><p>Of persons.</p></intro>
        <section eId="sec_1"><num>Section A</num>
          <subsection eId="sec_1__subsec_1"><num>(1)</num><content><p>See <ref href="#x">another law</ref>.<authorialNote marker="*"><p>Note.</p></authorialNote></p></content></subsection>
          <subsection eId="sec_1__subsec_2"><num>(2)</num><content><table><tr><td><p>a</p></td><td><p>b<sup>2</sup></p></td></tr></table></content></subsection>
        </section><crossHeading eId="cross_1">Of things</crossHeading>
        <section eId="sec_2" status="edited"><num>Section B</num><content><p status="incomplete">Things.</p></content></section></book>
        <article eId="art_9"><content><p>Without number and heading.</p></content></article>"##;
    fixture.write_file("act.xml", Expression { body: body.to_owned(), ..Expression::default() }.xml());
    let (ok, stdout, stderr) = fixture.import(&["act.xml"]);
    assert!(ok && stdout.contains("5 created"), "{stdout}{stderr}");
    for note in [
        "raised position of sup (1, such as \"2\" at act.xml:",
        "place of crossHeading after a provision (1, such as \"Of things\" at act.xml:",
        "status edited of section (1, such as",
        "status incomplete of p (1, such as \"Things.\" at act.xml:",
        "authorialNote (1, such as \"Note.\" at act.xml:",
        "targets of ref (1, such as \"another law\" at act.xml:",
        "layout of tables (1, such as \"ab2\" at act.xml:",
        "name of the element book, imported as part (1, such as",
        "FRBRExpression FRBRauthor (1, such as \"#parliament\" at act.xml:",
        "new laws get the status in_force, because their files do not say whether they are in force (1, such as kz-act-2014-226-v at act.xml:3)",
    ] {
        assert!(stderr.contains(note), "{note}\n{stderr}");
    }
    let laws = laws(&fixture).await;
    let provisions: Vec<Value> = laws[0]["provisions"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| json!([node["kind"], node["number"], node["headings"][0]["text"], node["versions"]["nodes"][0]["texts"][0]["text"]]))
        .collect();
    assert_eq!(
        json!(provisions),
        json!([
            ["PART", "Book One", "Persons", "Of persons.\nOf things"],
            ["SECTION", "A", "Section A", "(1) See another law.\n(2) a\tb2"],
            ["SECTION", "B", "Section B", "Things."],
            ["ARTICLE", null, "Without number and heading.", "Without number and heading."],
        ])
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn law_is_found_by_its_identifiers(#[values(On::Sqlite, On::Postgres)] on: On) {
    for door in DOORS {
        let fixture = fixture(on).await;
        fixture.write_file(
            "own.yaml",
            "laws:\n- {slug: assemblies, title: {en: Assemblies}, kind: code, status: adopted, jurisdiction: kz, identifiers: [{scheme: frbr, value: /akn/kz/act/2014/226-V}, {scheme: adilet, value: Z1}]}\n\
             provisions:\n- {slug: scope, law: assemblies, kind: article, heading: {en: Scope, ru: Сфера}, position: 1, identifiers: [{scheme: frbr, value: /akn/kz/act/2014/226-V~chp_1__art_1}],\n  \
             versions: [{key: as-described, text: {en: A paraphrase.}, note: Ours.}]}\n",
        );
        fixture.import_ok(&["own.yaml"]);
        fixture.write_file("act.xml", Expression::default().xml());
        let output = import(&fixture, door, "act.xml", None, None).await;
        assert!(output.contains("1 created, 2 updated"), "{door:?} {output}");
        let laws = laws(&fixture).await;
        assert_eq!(laws.as_array().unwrap().len(), 1);
        assert_eq!((&laws[0]["slug"], &laws[0]["status"], &laws[0]["kind"]), (&json!("assemblies"), &json!("ADOPTED"), &json!("CODE")));
        let schemes: Vec<&str> =
            laws[0]["identifiers"].as_array().unwrap().iter().map(|identifier| identifier["scheme"].as_str().unwrap()).collect();
        assert!(schemes.contains(&"adilet") && schemes.contains(&"frbr"), "{schemes:?}");
        assert_eq!(
            versions(&fixture, "scope").await,
            json!([["as-described", null, null, "en: A paraphrase."], ["from-2014-07-03", "2014-07-03", null, "en: 1. First."]])
        );
        let output = import(&fixture, door, "act.xml", None, None).await;
        assert!(output.contains("0 created, 0 updated, 3 unchanged"), "{door:?} {output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn law_is_found_by_its_eli_unless_two_laws_are_meant() {
    let fixture = fixture(On::Sqlite).await;
    let eli = "http://data.example.org/eli/act/2014/226";
    let law = |slug: &str, rest: &str| {
        format!("laws:\n- {{slug: {slug}, title: {{en: A}}, kind: law, status: in_force, jurisdiction: kz, {rest}}}\n")
    };
    fixture.write_file("own.yaml", law("own", &format!("eli: \"{eli}\"")));
    fixture.import_ok(&["own.yaml"]);
    let work = format!("<FRBRalias name=\"eli\" value=\"{eli}\"/>");
    fixture.write_file("act.xml", Expression { work: &work, ..Expression::default() }.xml());
    assert_eq!(fixture.import_ok(&["act.xml"]), "Records: 2 created, 1 updated, 0 unchanged");
    assert_eq!(laws(&fixture).await[0]["slug"], "own");
    fixture.write_file("other.yaml", law("other", "eli: \"http://data.example.org/eli/act/2014/7\""));
    fixture.import_ok(&["other.yaml"]);
    let work = "<FRBRalias name=\"eli\" value=\"http://data.example.org/eli/act/2014/7\"/>";
    fixture.write_file("act.xml", Expression { work, ..Expression::default() }.xml());
    let error = fixture.import_err(&["act.xml"]);
    assert!(error.contains("the identifier frbr /akn/kz/act/2014/226-V and the ELI belong to different laws: other, own"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn slug_of_another_law_is_not_taken() {
    let fixture = fixture(On::Sqlite).await;
    let law = "laws:\n- {slug: kz-act-2014-226-v, title: {en: Another}, kind: law, status: in_force, jurisdiction: kz}\n";
    fixture.write_file("other.yaml", law);
    fixture.import_ok(&["other.yaml"]);
    fixture.write_file("act.xml", Expression::default().xml());
    let (ok, stdout, stderr) = fixture.import(&["act.xml"]);
    assert!(ok && stdout.contains("3 created"), "{stdout}{stderr}");
    assert!(stderr.contains("because the database has another kz-act-2014-226-v"), "{stderr}");
    assert_eq!(fixture.import_ok(&["act.xml"]), "Records: 0 created, 0 updated, 3 unchanged");
}

//! Acts as legislation.gov.uk publishes them: sections under headings, schedules, containers without ids, and tables.

use rstest::rstest;
use serde_json::{Value, json};

use super::DOORS;
use crate::interchange::ImportFixture;
use crate::interchange::identity::import;
use crate::server::On;

/// An act of Parliament with a part, headings between sections, and a schedule.
const ACT: &str = r##"<?xml version="1.0" encoding="utf-8"?>
<akomaNtoso xmlns="http://docs.oasis-open.org/legaldocml/ns/akn/3.0" xmlns:uk="https://www.legislation.gov.uk/namespaces/UK-AKN">
<act name="ukpga">
<meta>
  <identification source="#source">
    <FRBRWork>
      <FRBRthis value="http://www.legislation.gov.uk/id/ukpga/2031/7"/>
      <FRBRuri value="http://www.legislation.gov.uk/id/ukpga/2031/7"/>
      <FRBRdate date="2031-05-23" name="enacted"/>
      <FRBRauthor href="http://www.legislation.gov.uk/id/legislature/UnitedKingdomParliament"/>
      <FRBRcountry value="GB-UKM"/>
      <FRBRnumber value="7"/>
    </FRBRWork>
    <FRBRExpression>
      <FRBRthis value="http://www.legislation.gov.uk/ukpga/2031/7/enacted"/>
      <FRBRuri value="http://www.legislation.gov.uk/ukpga/2031/7/enacted"/>
      <FRBRdate date="2031-05-23" name="enacted"/>
      <FRBRauthor href="#source"/>
      <FRBRlanguage language="eng"/>
    </FRBRExpression>
  </identification>
</meta>
<preface><p class="title"><shortTitle>Harbour Lights Act 2031</shortTitle></p></preface>
<body>
  <part eId="part-1">
    <num>Part 1</num><heading>Lights</heading>
    <hcontainer name="crossheading" eId="part-1-crossheading-duties">
      <heading>Duties</heading>
      <section eId="section-1" class="prov1">
        <num>1</num><heading>Duty to keep lights</heading>
        <subsection eId="section-1-1"><num>(1)</num><content><p>Each harbour keeps a light.</p></content></subsection>
        <subsection eId="section-1-2"><num>(2)</num>
          <intro><p>The light is—</p></intro>
          <paragraph eId="section-1-2-a"><num>(a)</num><content><p>green, or</p></content></paragraph>
          <hcontainer name="wrapper"><content><p>in fog</p></content></hcontainer>
          <paragraph eId="section-1-2-b"><num>(b)</num><content><p>white.</p></content></paragraph>
        </subsection>
      </section>
      <section eId="section-2"><num>2</num><heading>Fees</heading>
        <content><p>The fees are:</p>
          <tblock class="tabular"><foreign><table xmlns="http://www.w3.org/1999/xhtml"><thead><tr><th>Light</th><th>Note</th><th>Fee</th></tr></thead>
            <tbody><tr><td>Green</td><td/><td><em>£</em>5</td></tr><tr><td>White</td><td>in fog</td><td>£7</td></tr></tbody></table></foreign></tblock>
        </content>
      </section>
    </hcontainer>
    <hcontainer name="crossheading">
      <heading>Offences</heading>
      <section eId="section-3"><num>3</num><heading>Dark harbours</heading><content><p>A dark harbour is an offence.</p></content></section>
    </hcontainer>
  </part>
  <hcontainer name="schedules" eId="schedules">
    <hcontainer name="schedule" eId="schedule-1">
      <num>SCHEDULE 1</num><heading>Keepers</heading>
      <part eId="schedule-1-part-1"><num>Part 1</num><heading>Appointment</heading>
        <hcontainer name="crossheading" eId="schedule-1-part-1-crossheading-terms"><heading>Terms</heading>
          <paragraph eId="schedule-1-paragraph-1"><num>1</num>
            <subparagraph eId="schedule-1-paragraph-1-1"><num>(1)</num><content><p>A keeper is appointed.</p></content></subparagraph>
          </paragraph>
          <hcontainer name="tabular"><content><table><tr><td><p>Keeper</p></td><td><p>Term</p></td></tr><tr><td><p>First</p></td><td><p>2 years</p></td></tr></table></content></hcontainer>
        </hcontainer>
      </part>
    </hcontainer>
    <hcontainer name="schedule" eId="schedule-2"><num>SCHEDULE 2</num><heading>Repeals</heading><content><p>The Lamps Act 1901 is repealed.</p></content></hcontainer>
  </hcontainer>
  <hcontainer name="signatures"><content><p>Signed at Dover.</p></content></hcontainer>
</body>
</act>
</akomaNtoso>
"##;

const COUNTRY: &str =
    "jurisdictions:\n- {slug: uk, name: {en: United Kingdom}, classification: country, identifiers: [{scheme: iso-3166, value: GB-UKM}]}\n";

/// The provisions of the law: id, kind, number, heading, id of the parent, and text.
async fn provisions(fixture: &ImportFixture) -> Value {
    let data = fixture
        .server
        .data(
            "{ laws { nodes { provisions { nodes { slug kind number headings { text } parent { slug }
                 versions { nodes { texts { text } } } } } } } }",
        )
        .await;
    let id = |slug: &Value| slug.as_str().map(|slug| slug.rsplit_once("-2031-7-").unwrap().1.to_owned());
    let nodes = data["laws"]["nodes"][0]["provisions"]["nodes"].as_array().unwrap().iter();
    nodes
        .map(|node| {
            let text = &node["versions"]["nodes"][0]["texts"][0]["text"];
            json!([id(&node["slug"]), node["kind"], node["number"], node["headings"][0]["text"], id(&node["parent"]["slug"]), text])
        })
        .collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn sections_under_headings_and_in_schedules_are_provisions(#[values(On::Sqlite, On::Postgres)] on: On) {
    for door in DOORS {
        let fixture = ImportFixture::new(on).await;
        fixture.write_file("uk.yaml", COUNTRY);
        fixture.import_ok(&["uk.yaml"]);
        fixture.write_file("act.xml", ACT);
        let output = import(&fixture, door, "act.xml", None, None).await.replace("\\\"", "\"");
        assert!(output.contains("11 created, 0 updated, 0 unchanged"), "{door:?} {output}");
        assert_eq!(
            provisions(&fixture).await,
            json!([
                ["part-1", "PART", "1", "Lights", null, "Offences"],
                ["part-1-crossheading-duties", "SECTION", null, "Duties", "part-1", null],
                [
                    "section-1",
                    "SECTION",
                    "1",
                    "Duty to keep lights",
                    "part-1-crossheading-duties",
                    "(1) Each harbour keeps a light.\n(2) The light is—\n(a) green, or\nin fog\n(b) white."
                ],
                [
                    "section-2",
                    "SECTION",
                    "2",
                    "Fees",
                    "part-1-crossheading-duties",
                    "The fees are:\nLight\tNote\tFee\nGreen\t\t£5\nWhite\tin fog\t£7"
                ],
                ["section-3", "SECTION", "3", "Dark harbours", "part-1", "A dark harbour is an offence."],
                ["schedule-1", "PART", "SCHEDULE 1", "Keepers", null, null],
                ["schedule-1-part-1", "PART", "1", "Appointment", "schedule-1", null],
                ["schedule-1-part-1-crossheading-terms", "SECTION", null, "Terms", "schedule-1-part-1", "Keeper\tTerm\nFirst\t2 years"],
                ["schedule-1-paragraph-1", "PARAGRAPH", "1", "1", "schedule-1-part-1-crossheading-terms", "(1) A keeper is appointed."],
                ["schedule-2", "PART", "SCHEDULE 2", "Repeals", null, "The Lamps Act 1901 is repealed."],
            ]),
            "{door:?}"
        );
        for note in [
            "body hcontainer (1, such as \"Signed at Dover.\" at act.xml:",
            "element hcontainer schedules without number, heading and text (1, such as \"SCHEDULE 1",
            "place of heading after a provision (1, such as \"Offences\" at act.xml:",
            "place of hcontainer after a provision (1, such as \"KeeperTermFirst2 years\" at act.xml:",
            "name of the element hcontainer crossheading, imported as section (2, such as",
            "name of the element hcontainer schedule, imported as part (2, such as",
            "layout of tables (2, such as",
        ] {
            assert!(output.contains(note), "{door:?} {note}\n{output}");
        }
        let output = import(&fixture, door, "act.xml", None, None).await;
        assert!(output.contains("0 created, 0 updated, 11 unchanged"), "{door:?} {output}");
    }
}

/// An element of the hierarchy that says nothing is left out and reported, whether something is in it or not.
#[tokio::test(flavor = "multi_thread")]
async fn empty_elements_are_left_out_and_reported() {
    let body = r#"<body>
      <section eId="section-1"/>
      <chapter eId="chapter-1"><section eId="section-2"><content><p> </p></content></section></chapter>
      <hcontainer name="crossheading" eId="crossheading-1"><heading/></hcontainer>
      <part eId="part-1"><num/>
        <article eId="article-1"><num>1</num><paragraph eId="article-1-1"/></article>
        <article eId="article-2"/>
        <section eId="section-3" status="removed"/>
      </part>
      </body></act></akomaNtoso>"#;
    for door in DOORS {
        let fixture = ImportFixture::new(On::Sqlite).await;
        fixture.write_file("uk.yaml", COUNTRY);
        fixture.import_ok(&["uk.yaml"]);
        fixture.write_file("act.xml", format!("{}{body}", ACT.split_once("<body>").unwrap().0));
        let output = import(&fixture, door, "act.xml", None, None).await.replace("\\\"", "\"");
        assert!(output.contains("2 created, 0 updated, 0 unchanged"), "{door:?} {output}");
        assert_eq!(provisions(&fixture).await, json!([["article-1", "ARTICLE", "1", "1", null, null]]), "{door:?}");
        for note in [
            "element section without number, heading and text (3, such as",
            "element chapter without number, heading and text (1, such as",
            "element hcontainer crossheading without number, heading and text (1, such as",
            "element part without number, heading and text (1, such as",
            "element article without number, heading and text (1, such as",
        ] {
            assert!(output.contains(note), "{door:?} {note}\n{output}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn regulations_are_units_with_their_paragraphs_as_text() {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("uk.yaml", COUNTRY);
    let start = ACT.split_once("<body>").unwrap().0.replace("ukpga", "uksi");
    let body = r#"<body>
      <hcontainer name="regulation" eId="regulation-1"><num>1.</num><heading>Citation</heading>
        <paragraph eId="regulation-1-1"><num>(1)</num><content><p>These are the Lights Regulations.</p></content></paragraph>
        <paragraph eId="regulation-1-2"><num>(2)</num><content><p>They extend to Wales.</p></content></paragraph>
      </hcontainer>
      <hcontainer name="P1group" eId="p00002"><heading>Keepers</heading>
        <hcontainer name="regulation" eId="regulation-2"><num>2.</num><content><p>Keepers are appointed.</p></content></hcontainer>
        <hcontainer name="regulation" eId="regulation-3"><num>3.</num><content><p>Keepers are paid.</p></content></hcontainer>
      </hcontainer>
      <article eId="article-9"><num>9</num><section eId="article-9-section-1"><num>1</num><content><p>One.</p></content></section></article>
      </body></act></akomaNtoso>"#;
    fixture.write_file("act.xml", format!("{start}{body}"));
    let (ok, stdout, stderr) = fixture.import(&["uk.yaml", "act.xml"]);
    assert!(ok && stdout.contains("8 created"), "{stdout}{stderr}");
    assert_eq!(
        provisions(&fixture).await,
        json!([
            ["regulation-1", "ARTICLE", "1.", "Citation", null, "(1) These are the Lights Regulations.\n(2) They extend to Wales."],
            ["p00002", "SECTION", null, "Keepers", null, null],
            ["regulation-2", "ARTICLE", "2.", "2.", "p00002", "Keepers are appointed."],
            ["regulation-3", "ARTICLE", "3.", "3.", "p00002", "Keepers are paid."],
            ["article-9", "ARTICLE", "9", "9", null, null],
            ["article-9-section-1", "SECTION", "1", "1", "article-9", "One."],
        ])
    );
    let data = fixture.server.data("{ laws { nodes { kind } } }").await;
    assert_eq!(data["laws"]["nodes"], json!([{"kind": "REGULATION"}]));
}

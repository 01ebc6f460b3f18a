//! Files that are not read, and what the import says about them.

use std::io::Write;

use rstest::rstest;

use super::{DOORS, Expression, fixture, laws};
use crate::interchange::ImportFixture;
use crate::interchange::identity::import;
use crate::server::On;

const KINDS: &str = "of XML files, the import reads acts in Akoma Ntoso 2.0 or 3.0";

#[tokio::test(flavor = "multi_thread")]
async fn other_xml_is_refused_with_its_root() {
    for door in DOORS {
        let fixture = fixture(On::Sqlite).await;
        for (xml, expected) in [
            ("<?xml version=\"1.0\"?>\n<rss version=\"2.0\"/>", "x.xml:2: the root element is <rss> in no namespace; "),
            (
                "<feed xmlns=\"http://www.w3.org/2005/Atom\"/>",
                "x.xml:1: the root element is <feed> in the namespace http://www.w3.org/2005/Atom; ",
            ),
            ("<akomaNtoso/>", "the root element is <akomaNtoso> in no namespace; "),
            ("<akomaNtoso xmlns=\"http://www.akomantoso.org/2.0\"/>", "<akomaNtoso> is empty; "),
            (
                "<a:akomaNtoso xmlns:a=\"http://docs.oasis-open.org/legaldocml/ns/akn/3.0/CSD13\">\n<a:bill/></a:akomaNtoso>",
                "x.xml:2: this is a document of the kind <bill>; ",
            ),
        ] {
            fixture.write_file("x.xml", xml);
            let output = import(&fixture, door, "x.xml", None, None).await;
            assert!(output.contains(&format!("{expected}{KINDS}")), "{door:?} {output}");
        }
    }
}

#[rstest]
#[case::bomb("<!DOCTYPE akomaNtoso [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>", "x.xml:1: the file has a document type declaration")]
#[case::external("<!DOCTYPE akomaNtoso SYSTEM \"file:///etc/passwd\">", "x.xml:1: the file has a document type declaration")]
#[tokio::test(flavor = "multi_thread")]
async fn entities_are_refused(#[case] start: &str, #[case] expected: &str) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("x.xml", format!("{start}<akomaNtoso>&b;</akomaNtoso>"));
    let error = fixture.import_err(&["x.xml"]);
    assert!(error.contains(expected), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_nesting_and_broken_xml_are_refused_with_their_line() {
    let fixture = fixture(On::Sqlite).await;
    let deep = |levels: usize| Expression {
        body: format!("<article eId=\"a\"><content><p>{}x{}</p></content></article>", "<i>".repeat(levels), "</i>".repeat(levels)),
        ..Expression::default()
    };
    for (xml, expected) in [
        (deep(100_000).xml(), "x.xml:24: elements are nested more than 100 levels deep"),
        (Expression::default().xml().replace("</chapter>", "</article>"), "x.xml:28: invalid XML: expected 'chapter' tag, not 'article'"),
        (
            Expression::default().xml().replace("</akomaNtoso>\n", ""),
            "invalid XML: the root node was opened but never closed; is the file complete?",
        ),
        (Expression::default().xml().replace("First.", "&nbsp;"), "x.xml:26: the entity &nbsp; is not part of XML"),
    ] {
        fixture.write_file("x.xml", xml);
        let error = fixture.import_err(&["x.xml"]);
        assert!(error.contains(expected), "{expected}\n{error}");
    }
    fixture.write_file("x.xml", deep(80).xml());
    fixture.import_ok(&["x.xml"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_problem_of_a_file_is_reported_with_its_element() {
    let fixture = fixture(On::Sqlite).await;
    let xml = Expression { date: "25.05.2020", language: "english language", title: "", ..Expression::default() }.xml();
    let xml = xml.replace("eId=\"chp_1__art_1\"", "").replace("<FRBRcountry value=\"kz\"/>", "").replace("/!main", "/!schedule");
    fixture.write_file("x.xml", xml);
    let error = fixture.import_err(&["x.xml"]);
    for expected in [
        "6 problems; nothing was written",
        "x.xml:16: act.meta.identification.FRBRExpression.FRBRdate: date: \"25.05.2020\" is not a date",
        "x.xml:18: act.meta.identification.FRBRExpression.FRBRlanguage: language: \"english language\" is not a language; write a code of ISO 639-2",
        "x.xml:6: act.meta.identification.FRBRWork: <FRBRcountry> is missing",
        "x.xml:3: act: the title is missing",
        "x.xml:6: act.meta.identification.FRBRWork: FRBRthis is /akn/kz/act/2014/226-V/!schedule, which is neither the work /akn/kz/act/2014/226-V nor its main document",
        "x.xml:25: act.body.chapter[chp_1].article: the article has no eId",
    ] {
        assert!(error.contains(expected), "{expected}\n{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn country_without_a_jurisdiction_is_a_problem() {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("act.xml", Expression::default().xml());
    let error = fixture.import_err(&["act.xml"]);
    assert!(error.contains("act.xml:11: act.FRBRcountry: no jurisdiction has the ocdId \"ocd-division/country:kz\""), "{error}");
    // one of the same import will do
    fixture.write_file(
        "kz.yaml",
        "jurisdictions:\n- {slug: kazakhstan, name: {en: Kazakhstan}, classification: country, identifiers: [{scheme: iso-3166, value: KZ}]}\n",
    );
    assert_eq!(fixture.import_ok(&["act.xml", "kz.yaml"]), "Records: 4 created, 0 updated, 0 unchanged");
    assert_eq!(laws(&fixture).await[0]["jurisdiction"]["slug"], "kazakhstan");
    assert_eq!(fixture.import_ok(&["act.xml"]), "Records: 0 created, 0 updated, 3 unchanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_encoded_and_piped_files_are_read() {
    let fixture = fixture(On::Sqlite).await;
    let xml = Expression { language: "rus", title: "О собраниях", ..Expression::default() }.xml();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(xml.as_bytes()).unwrap();
    fixture.write_file("act.xml.gz", gzip.finish().unwrap());
    assert_eq!(fixture.import_ok(&["act.xml.gz"]), "Records: 3 created, 0 updated, 0 unchanged");
    let (bytes, _, is_lossy) = encoding_rs::WINDOWS_1251.encode(&xml);
    assert!(!is_lossy);
    fixture.write_file("undeclared.xml", &bytes);
    assert!(fixture.import_err(&["undeclared.xml"]).contains("not valid UTF-8; the file looks like "));
    let declared = xml.replace("encoding=\"UTF-8\"", "encoding=\"windows-1251\"");
    fixture.write_file("declared.xml", encoding_rs::WINDOWS_1251.encode(&declared).0);
    assert_eq!(fixture.import_ok(&["declared.xml"]), "Records: 0 created, 0 updated, 3 unchanged");
    let (ok, stdout, stderr) = fixture.import_stdin(&["--format", "akoma-ntoso"], &xml);
    assert!(ok && stdout.trim() == "Records: 0 created, 0 updated, 3 unchanged", "{stdout}{stderr}");
    fixture.write_file("wrong.xml", xml.replace("UTF-8", "klingon"));
    let error = fixture.import_err(&["wrong.xml"]);
    assert!(error.contains("wrong.xml:1: the XML declaration names the encoding \"klingon\""), "{error}");
}

//! Several expressions of one work.

use rstest::rstest;
use serde_json::json;

use super::{DOORS, Expression, chapter, fixture, laws, versions};
use crate::interchange::identity::{Door, import};
use crate::server::On;

const SCOPE: &str = "kz-act-2014-226-v-chp-1-art-1";
const NOTICE: &str = "kz-act-2014-226-v-chp-1-art-2";
const PICKETS: &str = "kz-act-2014-226-v-chp-1-art-3";

/// The text of 2014 in two languages, and that of 2020 in one, in which one article is new, one is gone, and one is the same.
fn expressions() -> [(&'static str, String); 3] {
    let english = Expression {
        body: chapter(&[("1", "Scope", &["This law governs assemblies."]), ("2", "Notice", &["Notice is given."])]),
        ..Expression::default()
    };
    let russian = Expression {
        language: "rus",
        title: "О мирных собраниях",
        body: chapter(&[("1", "Сфера", &["О собраниях."]), ("2", "Уведомление", &["Подаётся уведомление."])]),
        ..Expression::default()
    };
    let later = Expression {
        date: "2020-05-25",
        title: "On the organization of peaceful assemblies",
        body: chapter(&[("1", "Scope", &["This law governs assemblies."]), ("3", "Pickets", &["A picket has one person."])]),
        ..Expression::default()
    };
    [("a-en-2014.xml", english.xml()), ("b-ru-2014.xml", russian.xml()), ("c-en-2020.xml", later.xml())]
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn expressions_become_versions_and_translations(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url)] door: Door,
) {
    let fixture = fixture(on).await;
    std::fs::create_dir(fixture.folder.path().join("acts")).unwrap();
    for (name, xml) in expressions() {
        fixture.write_file(&format!("acts/{name}"), xml);
    }
    let output = import(&fixture, door, "acts", None, None).await;
    assert!(output.contains("5 created, 0 updated, 0 unchanged"), "{output}");
    assert!(output.contains("titles of earlier expressions (1, such as \"On peaceful assemblies\" at acts/a-en-2014.xml:"), "{output}");
    let law = &laws(&fixture).await[0];
    assert_eq!(
        law["titles"],
        json!([{"lang": "en", "text": "On the organization of peaceful assemblies"}, {"lang": "ru", "text": "О мирных собраниях"}])
    );
    let order: Vec<&str> =
        law["provisions"]["nodes"].as_array().unwrap().iter().map(|provision| provision["slug"].as_str().unwrap()).collect();
    assert_eq!(order, ["kz-act-2014-226-v-chp-1", SCOPE, NOTICE, PICKETS]);
    let scope = "en: 1. This law governs assemblies.; ru: 1. О собраниях.";
    assert_eq!(versions(&fixture, SCOPE).await, json!([["from-2014-07-03", "2014-07-03", null, scope]]));
    let notice = "en: 1. Notice is given.; ru: 1. Подаётся уведомление.";
    assert_eq!(versions(&fixture, NOTICE).await, json!([["from-2014-07-03", "2014-07-03", "2020-05-25", notice]]));
    assert_eq!(versions(&fixture, PICKETS).await, json!([["from-2020-05-25", "2020-05-25", null, "en: 1. A picket has one person."]]));
    let output = import(&fixture, door, "acts", None, None).await;
    assert!(output.contains("0 created, 0 updated, 5 unchanged"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn order_of_files_does_not_matter() {
    let mut first = None;
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let fixture = fixture(On::Sqlite).await;
        let files = expressions();
        for (name, xml) in &files {
            fixture.write_file(name, xml);
        }
        fixture.import_ok(&order.map(|index| files[index].0));
        let laws = laws(&fixture).await;
        assert_eq!(first.get_or_insert_with(|| laws.clone()), &laws, "{order:?}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn later_import_adds_versions(#[values(On::Sqlite, On::Postgres)] on: On) {
    for door in DOORS {
        let fixture = fixture(on).await;
        let text = |date, text: &str| Expression { date, body: chapter(&[("1", "Scope", &[text])]), ..Expression::default() }.xml();
        let gone = |date| Expression { date, body: chapter(&[("2", "Notice", &["Notice."])]), ..Expression::default() }.xml();
        fixture.write_file("2014.xml", text("2014-07-03", "Old."));
        fixture.write_file("2018.xml", text("2018-01-01", "New."));
        fixture.write_file("2020.xml", gone("2020-05-25"));
        for file in ["2014.xml", "2018.xml", "2020.xml"] {
            let output = import(&fixture, door, file, None, None).await;
            assert!(output.contains(" created") && !output.contains("problem"), "{door:?} {file} {output}");
        }
        let expected = json!([
            ["from-2014-07-03", "2014-07-03", "2018-01-01", "en: 1. Old."],
            ["from-2018-01-01", "2018-01-01", "2020-05-25", "en: 1. New."],
        ]);
        assert_eq!(versions(&fixture, SCOPE).await, expected, "{door:?}");
        // an earlier text changes neither later ones nor titles
        let earlier = Expression { title: "Of old", ..Expression::default() };
        fixture.write_file("2014.xml", earlier.xml().replace("First.", "Old."));
        let output = import(&fixture, door, "2014.xml", None, None).await;
        assert!(
            output.contains("0 created, 0 updated") && output.contains("because the database has a later text of them (1, such as"),
            "{door:?} {output}"
        );
        assert_eq!(versions(&fixture, SCOPE).await, expected, "{door:?}");
    }
}

/// An article that an expression marks as removed, or that is in a removed chapter, is no longer in force from its day.
#[rstest]
#[case("<article eId=\"chp_1__art_1\"", "<article status=\"removed\" eId=\"chp_1__art_1\"")]
#[case("<chapter eId=\"chp_1\"", "<chapter status=\"removed\" eId=\"chp_1\"")]
#[tokio::test(flavor = "multi_thread")]
async fn removed_provision_ends_its_version(#[case] element: &str, #[case] removed: &str) {
    let fixture = fixture(On::Sqlite).await;
    let act = |date| Expression { date, body: chapter(&[("1", "Scope", &["Old."])]), ..Expression::default() }.xml();
    let later = act("2020-05-25");
    assert!(later.contains(element), "{later}");
    fixture.write_file("2014.xml", act("2014-07-03"));
    fixture.write_file("2020.xml", later.replace(element, removed));
    let (ok, stdout, stderr) = fixture.import(&["2014.xml", "2020.xml"]);
    assert!(ok && stderr.contains("text of a removed article (1, such as"), "{stdout}{stderr}");
    assert_eq!(versions(&fixture, SCOPE).await, json!([["from-2014-07-03", "2014-07-03", "2020-05-25", "en: 1. Old."]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn id_of_the_work_outlives_new_numbers() {
    let fixture = fixture(On::Sqlite).await;
    let article = |id: &str, number: &str, text: &str| {
        format!("<article {id}><num>Article {number}</num><heading>Notice</heading><content><p>{text}</p></content></article>")
    };
    let first = Expression { body: article("eId=\"art_2\"", "2", "Old."), ..Expression::default() };
    let second = Expression { date: "2020-01-01", body: article("eId=\"art_3\" wId=\"art_2\"", "3", "New."), ..Expression::default() };
    fixture.write_file("a.xml", first.xml());
    fixture.write_file("b.xml", second.xml());
    assert_eq!(fixture.import_ok(&["a.xml", "b.xml"]), "Records: 2 created, 0 updated, 0 unchanged");
    assert_eq!(laws(&fixture).await[0]["provisions"]["nodes"][0]["number"], "3");
    assert_eq!(versions(&fixture, "kz-act-2014-226-v-art-2").await.as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn contradictions_between_files_are_refused() {
    let fixture = fixture(On::Sqlite).await;
    fixture.write_file("a.xml", Expression::default().xml());
    fixture.write_file("b.xml", Expression { title: "Another", ..Expression::default() }.xml());
    let error = fixture.import_err(&["b.xml", "a.xml"]);
    let message =
        "b.xml:3: act: the text of /akn/kz/act/2014/226-V as of 2014-07-03 in the language en is in a.xml:3 as well; import one of the two";
    assert!(error.contains(message), "{error}");
    let other = Expression { date: "2020-01-01", ..Expression::default() }.xml();
    fixture.write_file("b.xml", other.replace("FRBRnumber value=\"226-V\"", "FRBRnumber value=\"7\""));
    let error = fixture.import_err(&["b.xml", "a.xml"]);
    assert!(error.contains("b.xml:12: act.FRBRnumber: FRBRnumber is \"7\", but \"226-V\" at a.xml:12; a work has one"), "{error}");
    // a problem of a value names the file that has it
    let long = "x".repeat(2_001);
    fixture.write_file("b.xml", other.replace("<heading>Scope</heading>", &format!("<heading>{long}</heading>")));
    let error = fixture.import_err(&["b.xml", "a.xml"]);
    assert!(error.contains("b.xml:25: act.body.chapter[chp_1].article[chp_1__art_1].heading.en: the text has 2001 characters"), "{error}");
}

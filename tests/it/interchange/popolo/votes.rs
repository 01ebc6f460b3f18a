//! Motions, vote events and speeches.

use rstest::rstest;
use serde_json::json;

use crate::interchange::ImportFixture;
use crate::interchange::identity::{Door, import};
use crate::server::On;

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn vote_events_and_speeches_are_imported(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file(
        "bill.yaml",
        "proposals:\n- {slug: bill, title: {en: Bill}, kind: bill, status: introduced, identifiers: [{scheme: parl-motion, value: mo1}]}\n",
    );
    fixture.import_ok(&["bill.yaml"]);
    let file = json!({
        "persons": [{"id": "p1", "name": "Ann Lee"}, {"id": "p2", "name": "Bek Aru"}],
        "organizations": [{"id": "o", "name": "House", "classification": "chamber"}],
        "motions": [
            {"id": "mo1", "text": "That the bill be read\na second time", "organization_id": "o", "result": "pass", "requirement": "majority"},
            {"id": "mo2", "text": "That nobody votes on this"}
        ],
        "vote_events": [
            {
                "id": "v1",
                "motion_id": "mo1",
                "start_date": "2020-05-06T14:30:00Z",
                "counts": [{"option": "yes", "value": 1}, {"option": "no", "value": "1"}, {"option": "paired", "value": 2}],
                "votes": [
                    {"voter_id": "p1", "option": "yes", "role": "whip"},
                    {"voter": {"id": "p2"}, "option": "not voting"},
                    {"voter_id": "o", "option": "yes"}
                ]
            },
            {"id": "v2", "motion": {"text": "That the House rise"}, "result": "fail", "organization_id": "o"}
        ],
        "events": [{"id": "e", "name": "Debate on the bill", "start_date": "2020-05-06"}],
        "speeches": [
            {"id": "s1", "creator_id": "p1", "text": "I rise.\nAnd I speak.", "title": "Second reading", "start_date": "2020-05-06", "event_id": "e", "audio": "https://a.example/1.mp3"},
            {"id": "s2", "video": "https://a.example/2.mp4"}
        ]
    });
    fixture.write_file("house.popolo.json", file.to_string());
    let output = import(&fixture, door, "house.popolo.json", Some("parl"), None).await;
    assert!(output.contains("6 created, 0 updated, 0 unchanged"), "{output}");
    for omitted in [
        "motions without vote events (1, such as ",
        "motions.requirement (1, such as ",
        "speeches without text (1, such as ",
        "speeches.audio (1, such as ",
        "vote_events.counts.option (1, such as ",
        "vote_events.start_date time of day (1, such as ",
        "vote_events.votes.role (1, such as ",
        "vote_events.votes.voter_id (1, such as ",
    ] {
        assert!(output.contains(omitted), "{omitted} {output}");
    }
    let data = fixture
        .server
        .data(
            "{ voteEvents(order: {field: DATE, direction: DESC}) { nodes { motions { lang text } date result counts { option value } organization { slug } proposal { slug }
                 votes { nodes { option person { slug } } } identifiers { scheme value } } }
               statements { nodes { texts { text } saidOn occasions { text } speaker { slug } identifiers { scheme value } } } }",
        )
        .await;
    assert_eq!(
        data["voteEvents"]["nodes"],
        json!([
            {
                "motions": [{"lang": "und", "text": "That the bill be read a second time"}],
                "date": "2020-05-06",
                "result": "PASS",
                "counts": [{"option": "YES", "value": 1}, {"option": "NO", "value": 1}],
                "organization": {"slug": "house"},
                "proposal": {"slug": "bill"},
                "votes": {"nodes": [{"option": "YES", "person": {"slug": "ann-lee"}}, {"option": "NOT_VOTING", "person": {"slug": "bek-aru"}}]},
                "identifiers": [{"scheme": "parl-vote_event", "value": "v1"}]
            },
            {
                "motions": [{"lang": "und", "text": "That the House rise"}],
                "date": null,
                "result": "FAIL",
                "counts": [],
                "organization": {"slug": "house"},
                "proposal": null,
                "votes": {"nodes": []},
                "identifiers": [{"scheme": "parl-vote_event", "value": "v2"}]
            }
        ])
    );
    assert_eq!(
        data["statements"]["nodes"],
        json!([{
            "texts": [{"text": "I rise.\nAnd I speak."}],
            "saidOn": "2020-05-06",
            "occasions": [{"text": "Second reading, Debate on the bill"}],
            "speaker": {"slug": "ann-lee"},
            "identifiers": [{"scheme": "parl-speech", "value": "s1"}]
        }])
    );
    let output = import(&fixture, door, "house.popolo.json", Some("parl"), None).await;
    assert!(output.contains("0 created, 0 updated, 6 unchanged"), "{output}");
}

#[rstest]
#[case(json!({"vote_events": [{"id": "v"}]}), "the vote event has no motion with a text")]
#[case(json!({"vote_events": [{"motion": {"text": "A"}}]}), "id is missing; give the vote event an id")]
#[case(json!({"speeches": [{"text": "A"}]}), "id is missing; give the speech an id")]
#[case(json!({"vote_events": [{"id": "v", "motion": {"text": "A"}, "votes": [{"voter_id": "p9", "option": "yes"}]}]}), "no person has the id \"p9\"")]
#[tokio::test(flavor = "multi_thread")]
async fn incomplete_vote_event_or_speech_is_refused(#[case] file: serde_json::Value, #[case] message: &str) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("a.popolo.json", file.to_string());
    let error = fixture.import_err(&["a.popolo.json", "--scheme", "parl"]);
    assert!(error.contains(message), "{error}");
}

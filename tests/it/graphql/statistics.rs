//! Statistics match their descriptions, and facets match their lists.

mod facet;
mod property;

use heck::ToShoutySnakeCase;
use kurultai::catalog::catalog;
use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{Asker, On, Server};

const TEXT: &str = r#"
jurisdictions:
- {slug: kz, name: {en: Kazakhstan}, classification: country}
organizations:
- {slug: almaty, name: {en: Almaty court, ru: Алматинский суд}, classification: court}
- {slug: astana, name: {en: Astana court}, classification: court}
people:
- {slug: anna, name: {en: Anna}}
- {slug: berik, name: {en: Berik}}
- {slug: clara, name: {en: Clara}}
- {slug: judge, name: {en: Judge}}
topics:
- {slug: press, label: {en: Press}}
- {slug: protest, label: {en: Protest}}
laws:
- {slug: code, title: {en: Code}, kind: code, status: in_force, adoptedOn: "2014-07-03", inForceFrom: "2015-01-01"}
provisions:
- {slug: a274, number: "274", heading: {en: False information}, kind: article, position: 1, law: code}
- {slug: a174, number: "174", heading: {en: Discord}, kind: article, position: 2, law: code}
cases:
- slug: three
  title: {en: Three defendants}
  kind: criminal
  status: final
  openedOn: "2019-01-10"
  decidedOn: "2019-01-20"
  court: almaty
  topics: [press, protest]
  parties:
  - {key: a, person: anna, role: defendant}
  - {key: b, person: berik, role: defendant}
  - {key: c, person: clara, role: defendant}
  - {key: j, person: judge, role: judge}
  charges:
  - {key: a, party: a, provision: a274, outcome: convicted}
  - {key: b, party: b, provision: a274, outcome: convicted}
  - {key: c, party: c, provision: a274, outcome: acquitted}
  sentences:
  - {key: a, party: a, kind: imprisonment, length: P3Y}
  - {key: b, party: b, kind: imprisonment, length: P6M}
  - {key: bb, party: b, kind: ban, length: P5Y}
- slug: two
  title: {en: Two provisions}
  kind: criminal
  status: decided
  openedOn: "2019"
  decidedOn: "2022-03-01"
  court: almaty
  topics: [press]
  parties:
  - {key: a, person: anna, role: defendant}
  - {key: x, description: {en: bloggers}, role: defendant}
  charges:
  - {key: a, party: a, provision: a274, outcome: convicted}
  - {key: aa, party: a, provision: a174, outcome: acquitted}
  sentences:
  - {key: a, party: a, kind: imprisonment, length: P1Y}
- {slug: late, title: {en: Late}, kind: criminal, status: pending, openedOn: "2022-08", court: astana}
- {slug: unknown, title: {en: Unknown}, kind: civil, status: pending}
"#;

async fn case_statistics(server: &Server, query: &str) -> Value {
    server.data(&format!("{{ caseStatistics{query} }}")).await["caseStatistics"].take()
}

#[rstest]
#[tokio::test]
async fn case_with_three_defendants_is_one_case_three_people(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let found = case_statistics(&server, "(filter: {slug: {eq: \"three\"}}) { total { count people charges convictions peopleConvicted casesWithConviction sentences prisonSentences } }").await;
    let expected = json!({"count": 1, "people": 3, "charges": 3, "convictions": 2, "peopleConvicted": 2, "casesWithConviction": 1, "sentences": 3, "prisonSentences": 2});
    assert_eq!(found["total"], expected);
    // grouped by outcome, only people whose charge has that outcome
    let found =
        case_statistics(&server, "(filter: {slug: {eq: \"three\"}}, groupBy: [OUTCOME]) { rows { outcome count people sentences } }").await;
    let expected = json!([{"outcome": "ACQUITTED", "count": 1, "people": 1, "sentences": 0}, {"outcome": "CONVICTED", "count": 1, "people": 2, "sentences": 3}]);
    assert_eq!(found["rows"], expected);
}

#[rstest]
#[tokio::test]
async fn people_count_once_and_unnamed_parties_do_not_count(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let found =
        case_statistics(&server, "(groupBy: [COURT]) { rows { court { name(lang: \"ru\") slug } count people } total { count people } }")
            .await;
    let expected = json!([
        {"court": null, "count": 1, "people": 0},
        {"court": {"name": "Алматинский суд", "slug": "almaty"}, "count": 2, "people": 3},
        {"court": {"name": "Astana court", "slug": "astana"}, "count": 1, "people": 0},
    ]);
    assert_eq!(found["rows"], expected);
    assert_eq!(found["total"], json!({"count": 4, "people": 3}));
}

#[rstest]
#[tokio::test]
async fn case_under_two_provisions_is_in_both_groups(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let query = "(filter: {charges: {some: {}}}, groupBy: [PROVISION, OUTCOME]) { rows { provision { number label law { title } } outcome count people convictions } total { count people convictions } }";
    let found = case_statistics(&server, query).await;
    let row = |number: &str, label: &str, outcome: &str, figures: [u32; 3]| {
        let provision = json!({"number": number, "label": label, "law": {"title": "Code"}});
        json!({"provision": provision, "outcome": outcome, "count": figures[0], "people": figures[1], "convictions": figures[2]})
    };
    let expected = [
        row("174", "Discord", "ACQUITTED", [1, 1, 0]),
        row("274", "False information", "ACQUITTED", [1, 1, 0]),
        row("274", "False information", "CONVICTED", [2, 2, 3]),
    ];
    assert_eq!(found["rows"], json!(expected));
    assert_eq!(found["total"], json!({"count": 2, "people": 3, "convictions": 3}));
}

#[rstest]
#[tokio::test]
async fn filtered_charges_exclude_other_charges_of_the_case(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let rows = "groupBy: [YEAR, OUTCOME]) { rows { year outcome count charges } total { count charges people } }";
    // with all charges of the cases
    let whole =
        case_statistics(&server, &format!("(filter: {{charges: {{some: {{provision: {{slug: {{eq: \"a174\"}}}}}}}}}}, {rows}")).await;
    let expected = json!([{"year": 2019, "outcome": "ACQUITTED", "count": 1, "charges": 1}, {"year": 2019, "outcome": "CONVICTED", "count": 1, "charges": 1}]);
    assert_eq!(whole["rows"], expected);
    assert_eq!(whole["total"], json!({"count": 1, "charges": 2, "people": 1}));
    let narrowed = case_statistics(&server, &format!("(charges: {{provision: {{slug: {{eq: \"a174\"}}}}}}, {rows}")).await;
    assert_eq!(narrowed["rows"], json!([{"year": 2019, "outcome": "ACQUITTED", "count": 1, "charges": 1}]));
    assert_eq!(narrowed["total"], json!({"count": 1, "charges": 1, "people": 1}));
}

#[rstest]
#[tokio::test]
async fn partial_date_counts_in_its_year_but_in_no_month(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let years = case_statistics(&server, "(groupBy: [YEAR]) { rows { year month count } }").await;
    let expected = json!([{"year": null, "month": null, "count": 1}, {"year": 2019, "month": null, "count": 2}, {"year": 2022, "month": null, "count": 1}]);
    assert_eq!(years["rows"], expected);
    let months = case_statistics(&server, "(groupBy: [YEAR, QUARTER, MONTH]) { rows { year quarter month count } }").await;
    let expected = json!([
        {"year": null, "quarter": null, "month": null, "count": 1},
        {"year": 2019, "quarter": null, "month": null, "count": 1},
        {"year": 2019, "quarter": "2019-Q1", "month": "2019-01", "count": 1},
        {"year": 2022, "quarter": "2022-Q3", "month": "2022-08", "count": 1},
    ]);
    assert_eq!(months["rows"], expected);
    let decided =
        case_statistics(&server, "(groupBy: [YEAR], by: DECIDED_ON, filter: {decidedOn: {isNull: false}}) { rows { year count } }").await;
    assert_eq!(decided["rows"], json!([{"year": 2019, "count": 1}, {"year": 2022, "count": 1}]));
}

#[rstest]
#[tokio::test]
async fn empty_periods_are_rows_if_requested(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let filter = "filter: {openedOn: {isNull: false}}";
    let found = case_statistics(
        &server,
        &format!("({filter}, groupBy: [YEAR], emptyPeriods: true) {{ rows {{ year count people medianSentence }} }}"),
    )
    .await;
    let expected = json!([
        {"year": 2019, "count": 2, "people": 3, "medianSentence": 12},
        {"year": 2020, "count": 0, "people": 0, "medianSentence": null},
        {"year": 2021, "count": 0, "people": 0, "medianSentence": null},
        {"year": 2022, "count": 1, "people": 0, "medianSentence": null},
    ]);
    assert_eq!(found["rows"], expected);
    // as far as the filter reaches
    let filter = "filter: {openedOn: {gte: \"2018-02\", lt: \"2020-01-01\"}}";
    let found = case_statistics(&server, &format!("({filter}, groupBy: [YEAR], emptyPeriods: true) {{ rows {{ year count }} }}")).await;
    assert_eq!(found["rows"], json!([{"year": 2018, "count": 0}, {"year": 2019, "count": 2}]));
    // with another dimension, for each of its values that occurs
    let filter = "filter: {openedOn: {gte: \"2021\"}, status: {eq: PENDING}}";
    let found = case_statistics(
        &server,
        &format!("({filter}, groupBy: [COURT, YEAR], emptyPeriods: true) {{ rows {{ court {{ slug }} year count }} }}"),
    )
    .await;
    assert_eq!(
        found["rows"],
        json!([{"court": {"slug": "astana"}, "year": 2021, "count": 0}, {"court": {"slug": "astana"}, "year": 2022, "count": 1}])
    );
    let none = case_statistics(
        &server,
        "(filter: {openedOn: {gte: \"2001\", lte: \"2002\"}}, groupBy: [YEAR], emptyPeriods: true) { rows { year count } }",
    )
    .await;
    assert_eq!(none["rows"], json!([{"year": 2001, "count": 0}, {"year": 2002, "count": 0}]));
}

#[rstest]
#[tokio::test]
async fn medians_use_distinct_sentences_and_full_dates(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let figures = "prisonSentences medianSentence meanSentence casesTimed medianDaysToDecision meanDaysToDecision";
    let found = case_statistics(
        &server,
        &format!("(groupBy: [PROVISION]) {{ rows {{ provision {{ number }} {figures} }} total {{ {figures} }} }}"),
    )
    .await;
    // 36, 6 and 12 months; the ban is none of them, and no charge makes a sentence two
    let expected = json!([
        {"provision": null, "prisonSentences": 0, "medianSentence": null, "meanSentence": null, "casesTimed": 0, "medianDaysToDecision": null, "meanDaysToDecision": null},
        {"provision": {"number": "174"}, "prisonSentences": 1, "medianSentence": 12, "meanSentence": 12, "casesTimed": 0, "medianDaysToDecision": null, "meanDaysToDecision": null},
        {"provision": {"number": "274"}, "prisonSentences": 3, "medianSentence": 12, "meanSentence": 18, "casesTimed": 1, "medianDaysToDecision": 10, "meanDaysToDecision": 10},
    ]);
    assert_eq!(found["rows"], expected);
    let expected = json!({"prisonSentences": 3, "medianSentence": 12, "meanSentence": 18, "casesTimed": 1, "medianDaysToDecision": 10, "meanDaysToDecision": 10});
    assert_eq!(found["total"], expected);
    let three = case_statistics(&server, "(filter: {slug: {eq: \"three\"}}) { total { medianSentence } }").await;
    assert_eq!(three["total"]["medianSentence"], 21);
}

#[rstest]
#[tokio::test]
async fn rows_keep_requested_order_and_report_truncation(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let ask = async |arguments: &str| {
        let found = case_statistics(&server, &format!("(groupBy: [STATUS], {arguments}) {{ rows {{ status }} truncated }}")).await;
        let rows: Vec<String> = found["rows"].as_array().unwrap().iter().map(|row| row["status"].as_str().unwrap().to_owned()).collect();
        (rows.join(" "), found["truncated"] == true)
    };
    let all = |text: &str| (text.to_owned(), false);
    assert_eq!(ask("first: 3").await, all("DECIDED FINAL PENDING"));
    assert_eq!(ask("first: 2").await, ("DECIDED FINAL".to_owned(), true));
    assert_eq!(ask("order: {field: COUNT, direction: DESC}").await, all("PENDING DECIDED FINAL"));
    assert_eq!(ask("order: {field: COUNT, direction: DESC}, first: 1").await, ("PENDING".to_owned(), true));
    assert_eq!(ask("order: {field: STATUS, direction: DESC}").await, all("PENDING FINAL DECIDED"));
    assert_eq!(ask("order: {field: PEOPLE, direction: DESC}").await, all("FINAL DECIDED PENDING"));
    assert_eq!(ask("order: {field: MEDIAN_SENTENCE}").await, all("PENDING DECIDED FINAL"));
    assert_eq!(ask("order: {field: MEAN_DAYS_TO_DECISION, direction: DESC}").await, all("FINAL DECIDED PENDING"));
}

#[rstest]
#[tokio::test]
async fn invalid_arguments_are_rejected_with_advice(#[values(On::Sqlite)] on: On) {
    let server = Server::empty(on).await;
    for (arguments, message) in [
        ("groupBy: [STATUS, STATUS]", "groupBy: STATUS is repeated; give each dimension once"),
        ("groupBy: [STATUS, KIND, YEAR, COURT, TOPIC]", "groupBy: 5 dimensions are too many; give at most 4"),
        ("first: 0", "first: 0 is out of range; request 1 to 10000 rows"),
        ("first: 10001", "first: 10001 is out of range; request 1 to 10000 rows"),
        ("order: {field: STATUS}", "order.field: rows are not grouped by STATUS; add it to groupBy, or order by a measure"),
        ("emptyPeriods: true", "emptyPeriods: requires exactly one of YEAR, QUARTER and MONTH in groupBy"),
        (
            "groupBy: [YEAR], emptyPeriods: true, order: {field: COUNT}",
            "emptyPeriods: cannot be combined with order: rows with empty periods are in the order of groupBy",
        ),
        (
            "groupBy: [MONTH], emptyPeriods: true, filter: {openedOn: {gte: \"0001\", lte: \"9999\"}}",
            "emptyPeriods: there would be more than 10000 rows; narrow the filter, or group by longer periods",
        ),
    ] {
        let error = server.error(&format!("{{ caseStatistics({arguments}) {{ rows {{ count }} }} }}")).await;
        assert_eq!(error, (message.to_owned(), "BAD_USER_INPUT".to_owned()));
    }
}

#[rstest]
#[tokio::test]
async fn statistics_of_laws_proposals_votes_and_statements(#[values(On::Sqlite, On::Postgres)] on: On) {
    let text = r#"
people: [{slug: anna, name: {en: Anna}}, {slug: berik, name: {en: Berik}}]
organizations: [{slug: senate, name: {en: Senate}, classification: chamber}]
laws: [{slug: a, title: {en: A}, kind: law, status: in_force, adoptedOn: "2014-07-03", inForceFrom: "2014-07-13"}, {slug: b, title: {en: B}, kind: law, status: in_force, adoptedOn: "2014"}]
provisions: [{slug: p, heading: {en: P}, kind: article, position: 1, law: a}]
proposals:
- slug: one
  title: {en: One}
  kind: bill
  status: signed
  introducedOn: "2020-01-01"
  becameLaw: b
  sponsors: [{key: a, person: anna}, {key: b, person: berik}, {key: o, organization: senate}]
  changes: [{key: a, law: a, provision: p}]
  actions: [{key: w, date: "2020-01-05", classification: referral}, {key: m, date: "2020-01", classification: signature}, {key: s, date: "2020-02-01", classification: signature}, {key: t, date: "2020-03-01", classification: signature}]
- {slug: two, title: {en: Two}, kind: bill, status: rejected, introducedOn: "2020-06-01", sponsors: [{key: a, person: anna}], actions: [{key: r, date: "2020-06-03", classification: rejection}]}
voteEvents:
- {slug: v, motion: {en: V}, result: pass, date: "2021", proposal: one, votes: [{person: anna, option: "yes"}, {person: berik, option: "no"}]}
- {slug: w, motion: {en: W}, result: fail, date: "2021", proposal: one, votes: [{person: anna, option: abstain}]}
statements:
- {slug: s, text: {en: S}, saidOn: "2021-01-01", speaker: anna}
- {slug: t, text: {en: T}, saidOn: "2021-01-02", speaker: anna}
- {slug: u, text: {en: U}, organization: senate}
"#;
    let server = Server::with(on, text).await;
    let data = server
        .data(
            "{ lawStatistics { total { count provisions proposals lawsTimed medianDaysToForce } }
               proposalStatistics(groupBy: [SPONSOR]) { rows { sponsor { slug } count adopted meanDaysToDecision }
                 total { count sponsors sponsoringOrganizations adopted rejected laws proposalsTimed medianDaysToDecision } }
               voteEventStatistics(groupBy: [OPTION]) { rows { option count voters votes } total { count passed failed voters votes yes no abstentions absences notVoting } }
               statementStatistics(groupBy: [SPEAKER]) { rows { speaker { name } count speakers } total { count speakers organizations } } }",
        )
        .await;
    assert_eq!(
        data["lawStatistics"]["total"],
        json!({"count": 2, "provisions": 1, "proposals": 1, "lawsTimed": 1, "medianDaysToForce": 10})
    );
    assert_eq!(
        data["proposalStatistics"],
        json!({
            "rows": [
                {"sponsor": null, "count": 1, "adopted": 1, "meanDaysToDecision": 31},
                {"sponsor": {"slug": "anna"}, "count": 2, "adopted": 1, "meanDaysToDecision": 16.5},
                {"sponsor": {"slug": "berik"}, "count": 1, "adopted": 1, "meanDaysToDecision": 31},
            ],
            "total": {"count": 2, "sponsors": 2, "sponsoringOrganizations": 1, "adopted": 1, "rejected": 1, "laws": 1, "proposalsTimed": 2, "medianDaysToDecision": 16.5},
        })
    );
    assert_eq!(
        data["voteEventStatistics"],
        json!({
            "rows": [
                {"option": "ABSTAIN", "count": 1, "voters": 1, "votes": 1},
                {"option": "NO", "count": 1, "voters": 1, "votes": 1},
                {"option": "YES", "count": 1, "voters": 1, "votes": 1},
            ],
            "total": {"count": 2, "passed": 1, "failed": 1, "voters": 2, "votes": 3, "yes": 1, "no": 1, "abstentions": 1, "absences": 0, "notVoting": 0},
        })
    );
    assert_eq!(
        data["statementStatistics"],
        json!({
            "rows": [{"speaker": null, "count": 1, "speakers": 0}, {"speaker": {"name": "Anna"}, "count": 2, "speakers": 1}],
            "total": {"count": 3, "speakers": 1, "organizations": 1},
        })
    );
}

#[rstest]
#[tokio::test]
async fn every_measure_by_every_dimension_takes_one_statement(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    for record in catalog().all() {
        let Some(statistics) = &record.statistics else { continue };
        let measures: Vec<&str> = statistics.measures.iter().map(|measure| measure.name).collect();
        let measures = measures.join(" ");
        let enum_value = |name: &str| name.to_shouty_snake_case();
        for dimension in &record.dimensions {
            let selected =
                if dimension.target().is_some() { format!("{} {{ id label }}", dimension.name) } else { dimension.name.to_owned() };
            let query = format!(
                "{{ {}(groupBy: [{}]) {{ rows {{ {selected} {measures} }} total {{ {measures} }} truncated }} }}",
                statistics.name,
                enum_value(dimension.name)
            );
            let before = server.store.statement_count();
            server.data(&query).await;
            assert_eq!(server.store.statement_count() - before, 1, "{query}");
        }
        for measure in &statistics.measures {
            let query = format!("{{ {}(order: {{field: {}}}) {{ rows {{ __typename }} }} }}", statistics.name, enum_value(measure.name));
            assert_eq!(server.data(&query).await[statistics.name]["rows"].as_array().unwrap().len(), 1);
        }
    }
}

#[rstest]
#[tokio::test]
async fn only_editors_see_drafts_counted(#[values(On::Sqlite, On::Postgres)] on: On) {
    let text = "
people: [{slug: anna, name: {en: Anna}}, {slug: draft, name: {en: Draft}, published: false}]
organizations: [{slug: court, name: {en: Court}, classification: court, published: false}]
topics: [{slug: press, label: {en: Press}}, {slug: draft, label: {en: Draft}, published: false}]
cases:
- {slug: one, title: {en: One}, kind: civil, status: decided, court: court, topics: [press, draft], parties: [{key: a, person: anna, role: defendant}, {key: b, person: draft, role: defendant}]}
- {slug: two, title: {en: Two}, kind: civil, status: decided, published: false, topics: [press], parties: [{key: a, person: anna, role: defendant}], charges: [{key: a, party: a, outcome: convicted}]}
";
    let server = Server::with(on, text).await;
    let query = "{ caseStatistics(groupBy: [COURT, TOPIC]) { rows { court { slug } topic { slug } count people convictions } total { count people convictions } }
        cases { facets(by: [COURT, TOPIC]) { values { label count } } } topics { nodes { slug } } }";
    let mut seen = Asker::reader(&server).data(query).await;
    assert_eq!(
        seen["caseStatistics"].take(),
        json!({
            "rows": [{"court": null, "topic": {"slug": "press"}, "count": 1, "people": 1, "convictions": 0}],
            "total": {"count": 1, "people": 1, "convictions": 0},
        })
    );
    assert_eq!(seen["cases"]["facets"], json!([{"values": []}, {"values": [{"label": "Press", "count": 1}]}]));
    let mut seen = Asker::with_role(&server, Role::Editor).await.data(query).await;
    assert_eq!(seen["caseStatistics"]["total"].take(), json!({"count": 2, "people": 2, "convictions": 1}));
    assert_eq!(seen["caseStatistics"]["rows"].as_array().unwrap().len(), 3);
    let courts = json!({"values": [{"label": "Court", "count": 1}]});
    let topics = json!({"values": [{"label": "Press", "count": 2}, {"label": "Draft", "count": 1}]});
    assert_eq!(seen["cases"]["facets"], json!([courts, topics]));
}

#[tokio::test]
async fn published_statistics_accompany_own_counts() {
    let query = "{ provision(by: {slug: \"kz-criminal-code-2014-article-274\"}) { statistics { nodes { value unit periodStart publisher { name } citations { totalCount } } } }
        caseStatistics(charges: {provision: {slug: {eq: \"kz-criminal-code-2014-article-274\"}}}) { total { count people } } }";
    let (sqlite, postgres) = (Server::sample(On::Sqlite).await.data(query).await, Server::sample(On::Postgres).await.data(query).await);
    assert_eq!(sqlite, postgres);
    assert_eq!(sqlite["caseStatistics"]["total"], json!({"count": 1, "people": 1}));
    let published = sqlite["provision"]["statistics"]["nodes"].as_array().unwrap();
    assert!(published.iter().any(|figure| figure["value"] == 67), "{published:?}");
    assert!(published.iter().all(|figure| figure["citations"]["totalCount"].as_u64() > Some(0)));
}

#[rstest]
#[tokio::test]
async fn rows_without_measures_are_as_many_as_with_them(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let data = server.data("{ voteEventStatistics { truncated rows { __typename } } caseStatistics(groupBy: [YEAR]) { rows { __typename } } figures: caseStatistics(groupBy: [YEAR]) { rows { count } } }").await;
    assert_eq!(data["voteEventStatistics"], json!({"truncated": false, "rows": [{"__typename": "VoteEventStatisticsRow"}]}));
    let count = |name: &str| data[name]["rows"].as_array().unwrap().len();
    assert_eq!(count("caseStatistics"), count("figures"));
}

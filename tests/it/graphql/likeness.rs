//! Likeness: descriptions find their records in any spelling, namesakes with other dates do not match, and all duplicates are listed.

use std::fmt::Write;

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{Asker, On, Server, Settings};

/// Words of real names in two spellings.
const SPELLINGS: [(&str, &str); 26] = [
    ("Ертаев", "YERTAYEV"),
    ("Соловьева", "Solovyova"),
    ("Соловьёва", "Solovieva"),
    ("Дмитрий", "Dmitry"),
    ("Дмитрий", "Dmitriy"),
    ("Мария", "Maria"),
    ("Евгения", "Yevgeniya"),
    ("Щербаков", "Shcherbakov"),
    ("Щербаков", "Scherbakov"),
    ("Хасенов", "Khasenov"),
    ("Хасенов", "Hasenov"),
    ("Жумагулов", "Jumagulov"),
    ("Қуат", "Куат"),
    ("Ғабит", "Габит"),
    ("Жаңабаев", "Жанабаев"),
    ("Әлия", "Алия"),
    ("Өмірбек", "Омирбек"),
    ("Ұлан", "Улан"),
    ("Үміт", "Умит"),
    ("Һайдар", "Хайдар"),
    ("Цой", "Tsoy"),
    ("Александр", "Alexandr"),
    ("Ксения", "Xenia"),
    ("Юлия", "Yuliya"),
    ("Ильяс", "Ilyas"),
    ("Сергей", "Sergei"),
];

const MATCH: &str = "query($type: MatchableType!, $candidates: [MatchCandidate!]!, $first: Int) { match(type: $type, candidates: $candidates, first: $first) { isExhaustive matches { score isCertain features { name given stored share } record { slug } } } }";

async fn matches(server: &Server, ty: &str, candidates: Value) -> Vec<Value> {
    let mut found = Vec::new();
    for candidates in candidates.as_array().unwrap().chunks(25) {
        let answer = server.answer(MATCH, json!({"type": ty, "candidates": candidates})).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        found.extend_from_slice(answer["data"]["match"].as_array().unwrap());
    }
    found
}

/// Slugs and scores of the matches of one candidate.
async fn found(server: &Server, ty: &str, candidate: Value) -> Vec<(String, f64)> {
    let found = matches(server, ty, json!([candidate])).await;
    slugs_and_scores(&found[0])
}

fn slugs_and_scores(of: &Value) -> Vec<(String, f64)> {
    let pair = |found: &Value| (found["record"]["slug"].as_str().unwrap().to_owned(), found["score"].as_f64().unwrap());
    of["matches"].as_array().unwrap().iter().map(pair).collect()
}

fn pairs(expected: &[(&str, f64)]) -> Vec<(String, f64)> {
    expected.iter().map(|(slug, score)| ((*slug).to_owned(), *score)).collect()
}

#[rstest]
#[tokio::test]
async fn names_match_across_scripts_spellings_and_orders(#[values(On::Sqlite, On::Postgres)] on: On) {
    let mut text = String::from("people:\n");
    for (number, (name, _)) in SPELLINGS.iter().enumerate() {
        writeln!(text, "- {{slug: p{number}, name: {{ru: \"{name} Оспанов\"}}}}").unwrap();
    }
    let server = Server::with(on, &text).await;
    let candidates: Vec<Value> = SPELLINGS.iter().map(|(_, other)| json!({"names": [format!("OSPANOV {other}")]})).collect();
    let found = matches(&server, "PERSON", json!(candidates)).await;
    for (number, (name, other)) in SPELLINGS.iter().enumerate() {
        let found = slugs_and_scores(&found[number]);
        assert!(found.contains(&(format!("p{number}"), 0.7)), "{name} {other}: {found:?}");
        // other names are no matches of this score
        let spelled_alike = |slug: &str| SPELLINGS[slug[1..].parse::<usize>().unwrap()].0.replace('ё', "е") == name.replace('ё', "е");
        assert!(found.iter().all(|(slug, score)| *score < 0.7 || spelled_alike(slug)), "{name} {other}: {found:?}");
    }
}

const NAMESAKES: &str = r#"
people:
- {slug: judge, name: {ru: Қуат Ертаев, en: Kuat Yertayev}, birthDate: "1971-02-03"}
- {slug: convict, name: {ru: Қуат Ертаев}, birthDate: "1985"}
- {slug: other, name: {ru: Серик Ахметов}}
"#;

#[rstest]
#[tokio::test]
async fn namesakes_with_other_birth_dates_do_not_match(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, NAMESAKES).await;
    let candidates = json!([
        {"names": ["ERTAEV Kuat"], "birthDate": "1971-02-03"},
        {"names": ["ERTAEV Kuat"], "birthDate": "1971"},
        {"names": ["ERTAEV Kuat"], "birthDate": "1990-01-01"},
        {"names": ["ERTAEV Kuat"]},
    ]);
    let found = matches(&server, "PERSON", candidates).await;
    assert_eq!(slugs_and_scores(&found[0]), pairs(&[("judge", 0.95)]));
    assert_eq!(slugs_and_scores(&found[1]), pairs(&[("judge", 0.82)]));
    assert_eq!(slugs_and_scores(&found[2]), vec![]);
    assert_eq!(slugs_and_scores(&found[3]), pairs(&[("judge", 0.7), ("convict", 0.7)]));
    let certain = |of: &Value| of["matches"].as_array().unwrap().iter().map(|found| found["isCertain"] == true).collect::<Vec<_>>();
    assert_eq!(found.iter().map(certain).collect::<Vec<_>>(), [vec![true], vec![false], vec![], vec![false, false]]);
    let features = json!([
        {"name": "NAME", "given": "ERTAEV Kuat", "stored": "Қуат Ертаев", "share": 0.7},
        {"name": "BIRTH_DATE", "given": "1971-02-03", "stored": "1971-02-03", "share": 0.25},
    ]);
    assert_eq!(found[0]["matches"][0]["features"], features);
}

#[rstest]
#[tokio::test]
async fn initials_patronymics_and_misspellings_match(#[values(On::Sqlite, On::Postgres)] on: On) {
    let text = r#"
people:
- {slug: full, name: {ru: Қуат Нұрланұлы Ертаев}}
- {slug: short, name: {ru: "Ж. Сейтов"}}
- {slug: one, name: {en: Sukarno}}
"#;
    let server = Server::with(on, text).await;
    let person = |name: &str| json!({"names": [name]});
    for (name, expected) in [
        ("Ертаев Куат Нурланович", ("full", 0.676)),
        ("Kuat Yertayev", ("full", 0.665)),
        ("К. Ертаев", ("full", 0.532)),
        ("К.Н. Ертаев", ("full", 0.513)),
        ("Ертаев", ("full", 0.315)),
        ("Ertaef Kuat", ("full", 0.532)),
        ("Жандос Сейтов", ("short", 0.56)),
        ("SUKARNO", ("one", 0.7)),
    ] {
        assert_eq!(found(&server, "PERSON", person(name)).await, pairs(&[expected]), "{name}");
    }
    for name in ["Ертаев Қайрат", "Nobody Known"] {
        assert_eq!(found(&server, "PERSON", person(name)).await, vec![], "{name}");
    }
}

const REGISTERS: &str = "
jurisdictions:
- {slug: kz, name: {en: Kazakhstan}, classification: country}
- {slug: kg, name: {en: Kyrgyzstan}, classification: country}
people:
- {slug: a, name: {en: Anna Petrova}, identifiers: [{scheme: wikidata, value: Q1}], jurisdiction: kz}
- {slug: b, name: {en: Anna Petrova}, identifiers: [{scheme: wikidata, value: Q2}], jurisdiction: kg}
organizations:
- {slug: justice-kz, name: {en: Ministry of Justice, ru: Министерство юстиции}, classification: ministry, jurisdiction: kz}
- {slug: justice-kg, name: {en: Ministry of Justice}, classification: ministry, jurisdiction: kg}
- {slug: court-2, name: {ru: Суд № 2 города Алматы}, classification: court}
";

#[rstest]
#[tokio::test]
async fn identifiers_decide_and_jurisdictions_count(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, REGISTERS).await;
    let by_identifier = json!([{"identifiers": [{"scheme": "wikidata", "value": "Q2"}], "names": ["Somebody Married"]}]);
    let answer = matches(&server, "PERSON", by_identifier).await;
    assert_eq!(slugs_and_scores(&answer[0]), pairs(&[("b", 1.0)]));
    assert_eq!(answer[0]["matches"][0]["isCertain"], true);
    // a namesake does not make a common identifier doubtful, and has another one
    let named = json!({"identifiers": [{"scheme": "wikidata", "value": "Q2"}], "names": ["Петрова Анна"]});
    assert_eq!(found(&server, "PERSON", named).await, pairs(&[("b", 1.0), ("a", 0.6)]));
    let in_country = json!({"names": ["Петрова Анна"], "jurisdiction": "kg"});
    assert_eq!(found(&server, "PERSON", in_country).await, pairs(&[("b", 0.75), ("a", 0.6)]));
    let ministry = json!({"names": ["Министерство Юстиции"], "jurisdiction": "kz", "classification": "MINISTRY"});
    assert_eq!(found(&server, "ORGANIZATION", ministry).await, pairs(&[("justice-kz", 0.9)]));
    let ministry = json!({"names": ["Ministry of Justice"], "jurisdiction": "kz", "classification": "COURT"});
    assert_eq!(found(&server, "ORGANIZATION", ministry).await, pairs(&[("justice-kz", 0.7), ("justice-kg", 0.35)]));
    let court = json!({"names": ["Суд № 2 г. Алматы"]});
    assert_eq!(found(&server, "ORGANIZATION", court).await, pairs(&[("court-2", 0.728)]));
    let court = json!({"names": ["Суд № 3 города Алматы"]});
    let score = 318.0 / 1000.0;
    assert_eq!(found(&server, "ORGANIZATION", court).await, pairs(&[("court-2", score)]));
}

#[rstest]
#[tokio::test]
async fn matches_and_pairs_hide_drafts_from_readers(#[values(On::Sqlite, On::Postgres)] on: On) {
    let text = "
people:
- {slug: draft, name: {en: Anna Petrova}, published: false}
- {slug: anna, name: {en: Anna Petrova}}
";
    let server = Server::with(on, text).await;
    let query = "{ match(type: PERSON, candidates: [{names: [\"Anna Petrova\"]}]) { matches { record { slug } } } possibleDuplicatePairs { totalCount nodes { score } } }";
    let seen = Asker::reader(&server).data(query).await;
    assert_eq!(seen["match"][0]["matches"], json!([{"record": {"slug": "anna"}}]));
    assert_eq!(seen["possibleDuplicatePairs"], json!({"totalCount": 0, "nodes": []}));
    let editor = Asker::with_role(&server, Role::Editor).await;
    let seen = editor.data(query).await;
    assert_eq!(seen["match"][0]["matches"], json!([{"record": {"slug": "draft"}}, {"record": {"slug": "anna"}}]));
    assert_eq!(seen["possibleDuplicatePairs"]["totalCount"], 1);
    editor.done("publishPerson { person { id } }", json!({"id": "draft"})).await;
    assert_eq!(Asker::reader(&server).data(query).await, seen);
}

#[tokio::test]
async fn requests_that_cannot_match_are_refused() {
    let server = Server::with(On::Sqlite, NAMESAKES).await;
    let too_many: Vec<Value> = (0..26).map(|_| json!({"names": ["A B"]})).collect();
    let too_many_names: Vec<String> = (0..11).map(|number| format!("Name {number}")).collect();
    for (ty, candidates, first, expected) in [
        ("PERSON", json!(too_many), 5, "candidates: 26 candidates are too many; give at most 25"),
        ("PERSON", json!([]), 5, "candidates: the list is empty"),
        ("PERSON", json!([{}]), 5, "candidates[0]: give at least one name or identifier"),
        ("PERSON", json!([{"names": ["A B"]}, {"names": ["—"]}]), 5, "candidates[1].names[0]: the name has no letter and no digit"),
        ("PERSON", json!([{"names": too_many_names}]), 5, "candidates[0].names: 11 names are too many"),
        ("PERSON", json!([{"names": ["x".repeat(1_001)]}]), 5, "candidates[0].names[0]: the name is longer than 1000 bytes"),
        (
            "PERSON",
            json!([{"names": ["A B"], "foundedOn": "1990"}]),
            5,
            "candidates[0].foundedOn: a record of the type person has no foundedOn",
        ),
        ("ORGANIZATION", json!([{"names": ["A B"], "birthDate": "1990"}]), 5, "candidates[0].birthDate"),
        ("PERSON", json!([{"names": ["A B"], "birthDate": "03.02.1971"}]), 5, "is not a date"),
        ("PERSON", json!([{"names": ["A B"], "jurisdiction": "xx"}]), 5, "there is no jurisdiction with the slug \"xx\""),
        ("PERSON", json!([{"names": ["A B"]}]), 26, "first: request 1 to 25 matches"),
        ("PERSON", json!([{"names": ["A B"]}]), 0, "first: request 1 to 25 matches"),
    ] {
        let answer = server.answer(MATCH, json!({"type": ty, "candidates": candidates, "first": first})).await;
        let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(message.contains(expected), "{expected}: {answer}");
    }
}

#[tokio::test]
async fn each_candidate_costs_as_much_as_two_searches() {
    let settings = Settings { limits: kurultai::graphql::limits::Limits::default(), ..Settings::default() };
    let server = Server::set(On::Sqlite, settings).await;
    let candidates: Vec<Value> = (0..25).map(|number| json!({"names": [format!("Name Number {number}")]})).collect();
    let answer = server.whole(MATCH, json!({"type": "PERSON", "candidates": candidates, "first": 10})).await;
    let cost = &answer["extensions"]["cost"];
    assert_eq!(cost["scans"], 50, "{answer}");
    // 20 for each candidate, and each of its 10 records
    assert_eq!(cost["nodes"], 25 * 20 + 25 * 10, "{answer}");
    let four = "{ a: match(type: PERSON, candidates: $c) { isExhaustive } b: match(type: PERSON, candidates: $c) { isExhaustive } c: match(type: PERSON, candidates: $c) { isExhaustive } d: match(type: PERSON, candidates: $c) { isExhaustive } }";
    let answer = server.answer(&format!("query($c: [MatchCandidate!]!) {four}"), json!({"c": candidates})).await;
    assert_eq!(answer["errors"][0]["extensions"]["limit"], "scans", "{answer}");
    let answer = server.whole("{ possibleDuplicatePairs { totalCount } }", json!({})).await;
    assert_eq!(answer["extensions"]["cost"]["scans"], 21, "{answer}");
}

#[rstest]
#[tokio::test]
async fn common_names_are_not_exhausted_in_silence(#[values(On::Sqlite, On::Postgres)] on: On) {
    let mut text = String::from("people:\n");
    for number in 0..301 {
        let born = if number == 300 { ", birthDate: \"1971-02-03\", identifiers: [{scheme: s, value: v}]" } else { "" };
        writeln!(text, "- {{slug: p{number}, name: {{en: Anna Petrova}}{born}}}").unwrap();
    }
    text.push_str("- {slug: rare-1, name: {en: Dana Akhmetova}}\n- {slug: rare-2, name: {ru: Ахметова Дана}}\n");
    let server = Server::with(on, &text).await;
    let candidates = json!([
        {"names": ["Petrova Anna"]},
        {"names": ["Petrova Anna"], "birthDate": "1971-02-03"},
        {"names": ["Petrova Anna"], "identifiers": [{"scheme": "s", "value": "v"}]},
        {"names": ["Akhmetova Dana"]},
    ]);
    let found = matches(&server, "PERSON", candidates).await;
    assert_eq!(found.iter().map(|of| of["isExhaustive"] == true).collect::<Vec<_>>(), [false, false, false, true]);
    // what is rare still finds the record
    assert_eq!(slugs_and_scores(&found[1]), pairs(&[("p300", 0.95)]));
    assert_eq!(slugs_and_scores(&found[2]), pairs(&[("p300", 1.0)]));
    let data = server.data("{ possibleDuplicatePairs { isComplete nodes { first { slug } second { slug } } } }").await;
    let expected = json!({"isComplete": false, "nodes": [{"first": {"slug": "rare-1"}, "second": {"slug": "rare-2"}}]});
    assert_eq!(data["possibleDuplicatePairs"], expected);
}

const DUPLICATES: &str = r#"
organizations:
- {slug: court, name: {en: Supreme Court of the Republic}, classification: court, foundedOn: "1992-01-01"}
- {slug: court-2, name: {en: The Supreme Court of the Republic}, classification: court, foundedOn: "1992-01-01"}
people:
- {slug: a, name: {en: Anna Petrova}, birthDate: "1971-02-03"}
- {slug: a-2, name: {ru: Петрова Анна Сергеевна}, birthDate: "1971-02-03"}
- {slug: b, name: {en: Boris Kim}}
- {slug: b-2, name: {ru: Ким Борис}}
- {slug: c, name: {en: Chingiz Omarov}, birthDate: "1960"}
- {slug: c-2, name: {en: Chingiz Omarov}, birthDate: "1990"}
- {slug: d, name: {en: Dana Akhmetova}, birthDate: "1980-05-06"}
- {slug: d-2, name: {en: Dana Akhmetovna}, birthDate: "1980-05-06"}
- {slug: e, name: {en: Erlan Sadykov}}
"#;

#[rstest]
#[tokio::test]
async fn pairs_are_listed_most_alike_first(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, DUPLICATES).await;
    let query = |arguments: &str| {
        format!(
            "{{ possibleDuplicatePairs{arguments} {{ totalCount isComplete edges {{ cursor node {{ score first {{ slug }} second {{ slug }} features {{ name share }} }} }} pageInfo {{ hasNextPage hasPreviousPage endCursor }} }} }}"
        )
    };
    let list = server.data(&query("")).await["possibleDuplicatePairs"].clone();
    let pairs: Vec<(&str, &str, f64)> = list["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| &edge["node"])
        .map(|node| (node["first"]["slug"].as_str().unwrap(), node["second"]["slug"].as_str().unwrap(), node["score"].as_f64().unwrap()))
        .collect();
    assert_eq!(pairs[..3], [("a", "a-2", 0.915), ("court", "court-2", 0.854), ("d", "d-2", 0.81)]);
    assert_eq!(pairs[3..], [("b", "b-2", 0.7)]);
    assert_eq!((&list["totalCount"], &list["isComplete"]), (&json!(4), &json!(true)));
    assert_eq!(list["edges"][0]["node"]["features"], json!([{"name": "NAME", "share": 0.665}, {"name": "BIRTH_DATE", "share": 0.25}]));

    let mut paged = Vec::new();
    let mut after = String::new();
    for page in 0..2 {
        let list = server.data(&query(&format!("(first: 2, after: \"{after}\")"))).await["possibleDuplicatePairs"].clone();
        assert_eq!(list["pageInfo"]["hasNextPage"], page == 0);
        assert_eq!(list["pageInfo"]["hasPreviousPage"], page == 1);
        after = list["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
        paged.extend(list["edges"].as_array().unwrap().clone());
    }
    assert_eq!(list["edges"], json!(paged));
    let organizations = server.data(&query("(types: [ORGANIZATION])")).await["possibleDuplicatePairs"].clone();
    assert_eq!(organizations["totalCount"], 1);
    let (message, code) = server.error(&query("(after: \"x\")")).await;
    assert_eq!(code, "INVALID_CURSOR", "{message}");

    // a merge ends a pair, and a name that is no longer public has none
    let editor = Asker::with_role(&server, Role::Editor).await;
    editor.done("mergePeople { person { id } }", json!({"from": "a-2", "into": "a"})).await;
    editor.done("updatePerson { person { id } }", json!({"id": "b-2", "name": {"en": "Someone Else"}})).await;
    let admin = Asker::with_role(&server, Role::Admin).await;
    for person in ["d", "d-2"] {
        admin.done("withholdPerson { person { id } }", json!({"person": person})).await;
    }
    let list = server.data(&query("")).await["possibleDuplicatePairs"].clone();
    assert_eq!(list["totalCount"], 1, "{list}");
    assert_eq!(found(&server, "PERSON", json!({"names": ["Dana Akhmetova"]})).await, vec![]);
    assert_eq!(found(&server, "PERSON", json!({"names": ["Name withheld"]})).await, vec![]);
}

#[rstest]
#[tokio::test]
async fn reindexing_makes_the_keys_anew(#[values(On::Sqlite, On::Postgres)] on: On) {
    use sea_orm::ConnectionTrait;

    let server = Server::with(on, NAMESAKES).await;
    server.database.raw().await.execute_unprepared("DELETE FROM name_keys").await.unwrap();
    let query = "{ possibleDuplicatePairs { totalCount } }";
    let candidate = json!({"names": ["Ахметов Серик"]});
    server.store.reindex().await.unwrap();
    assert_eq!(found(&server, "PERSON", candidate).await, pairs(&[("other", 0.7)]));
    assert_eq!(server.data(query).await["possibleDuplicatePairs"]["totalCount"], 0);
    let editor = Asker::with_role(&server, Role::Editor).await;
    editor.done("updatePerson { person { id } }", json!({"id": "convict", "birthDate": null})).await;
    assert_eq!(server.data(query).await["possibleDuplicatePairs"]["totalCount"], 1);
}

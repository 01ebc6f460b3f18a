//! Limits of one request and of one client.

use std::time::Duration;

use kurultai::core::auth::Role;
use kurultai::entity::RecordType;
use kurultai::graphql::limits::Limits;
use kurultai::http::RateLimits;
use kurultai::http::Timeouts;
use migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, TransactionTrait};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, RETRY_AFTER};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::{Asker, On, Server, Settings, TestDatabase};

fn limits() -> Limits {
    Limits {
        query_bytes: 2_000,
        query_tokens: 400,
        nesting: 12,
        depth: 7,
        fields: 60,
        root_fields: 4,
        aliases: 5,
        directives: 6,
        variable_values: 50,
        response_bytes: 100_000,
        nodes: 2_000,
        response_values: 6_000,
        filter_values: 45,
        scans: 10,
        comparisons: 1_000,
    }
}

async fn rejection(server: &Server, query: &str, variables: Value) -> Value {
    let answer = server.answer(query, variables).await;
    assert!(answer.get("data").is_none(), "{query}: {answer:#}");
    answer["errors"][0].clone()
}

#[tokio::test]
async fn exceeded_limit_is_named_with_advice() {
    let server = Server::set(On::Sqlite, Settings { limits: limits(), ..Settings::default() }).await;
    let many = |count: usize, one: &str| (0..count).map(|index| one.replace('#', &index.to_string())).collect::<String>();
    let doubled = (0..20).map(|index| format!(" fragment f{index} on Case {{ ...f{0} ...f{0} }}", index + 1)).collect::<String>();
    let cases: Vec<(&str, String, Value)> = vec![
        ("query_bytes", format!("{{ __typename }} # {}", "x".repeat(2_000)), json!({})),
        ("query_tokens", format!("{{ {} }}", many(401, "id ")), json!({})),
        ("nesting", format!("{}{}", "{a".repeat(13), "}".repeat(13)), json!({})),
        ("depth", "{ cases { nodes { charges { nodes { case { court { jurisdiction { id } } } } } } } }".to_owned(), json!({})),
        ("root_fields", format!("{{ {} }}", many(5, "c#: cases { totalCount } ")), json!({})),
        ("root_fields", "{ ...f ...f ...f } fragment f on Query { __typename viewer { name } }".to_owned(), json!({})),
        ("aliases", format!("{{ cases {{ {} }} }}", many(6, "t#: totalCount ")), json!({})),
        ("directives", format!("{{ __typename {} }}", many(7, "@include(if: true) ")), json!({})),
        ("fields", format!("{{ cases {{ nodes {{ {} }} }} }}", many(60, "id ")), json!({})),
        ("fields", format!("{{ cases {{ nodes {{ ...f0 }} }} }}{doubled} fragment f20 on Case {{ id }}"), json!({})),
        ("introspection", "{ __type(name: \"Case\") { fields { type { fields { type { fields { name } } } } } } }".to_owned(), json!({})),
        ("variable_values", "query($ids: [ID!]!) { nodes(ids: $ids) { id } }".to_owned(), json!({"ids": vec!["x"; 60]})),
        ("nesting", "query($filter: CaseFilter) { cases(filter: $filter) { totalCount } }".to_owned(), json!({"filter": nested(13)})),
        ("nodes", "{ cases(first: 100) { nodes { charges(first: 20) { nodes { id } } } } }".to_owned(), json!({})),
        ("nodes", "{ cases(first: 100) { edges { node { charges(last: 20) { edges { node { id } } } } } } }".to_owned(), json!({})),
        (
            "nodes",
            "query($n: Int) { cases(first: $n) { nodes { charges(first: $n) { nodes { id } } } } }".to_owned(),
            json!({"n": 100}),
        ),
        (
            "nodes",
            // each alias of a field counts
            "{ a: cases(first: 100) { nodes { parties(first: 9) { nodes { id } } } } b: cases(first: 100) { nodes { parties(first: 9) { nodes { id } } } } c: cases(first: 100) { nodes { id } } }"
                .to_owned(),
            json!({}),
        ),
        ("response_values", "{ people(first: 100) { nodes { slug history(first: 18) { nodes { number by kind message } } } } }".to_owned(), json!({})),
        ("response_values", "{ __schema { types { name } } }".to_owned(), json!({})),
        ("filter_values", "query($in: [String!]) { people(filter: {slug: {in: $in}}) { nodes { id } } }".to_owned(), json!({"in": vec!["x"; 48]})),
        (
            "filter_values",
            "query($in: [String!]) { people(first: 1) { nodes { caseParties(filter: {case: {slug: {in: $in}}}) { totalCount nodes { id } } } } }".to_owned(),
            json!({"in": vec!["x"; 40]}),
        ),
        ("filter_values", "query($in: [String!]) { caseStatistics(groupBy: [STATUS], filter: {slug: {in: $in}}) { rows { count } } }".to_owned(), json!({"in": vec!["x"; 40]})),
        ("filter_values", "query($in: [String!]) { cases(filter: {slug: {in: $in}}) { facets(by: [STATUS, YEAR]) { dimension } } }".to_owned(), json!({"in": vec!["x"; 40]})),
        ("scans", "{ cases { totalCount facets(by: [STATUS, YEAR, QUARTER, MONTH, COURT, KIND, TOPIC, JURISDICTION, PROVISION, LAW]) { dimension } } }".to_owned(), json!({})),
        ("scans", "{ a: compareRevisions(record: \"x\", from: 1, to: 2) { field } b: compareRevisions(record: \"x\", from: 1, to: 2) { field } }".to_owned(), json!({})),
        ("scans", "{ a: recordState(record: \"x\", asOfRevision: 1) { revision } b: recordState(record: \"x\", asOfRevision: 1) { revision } c: recordState(record: \"x\", asOfRevision: 1) { revision } d: recordState(record: \"x\", asOfRevision: 1) { revision } }".to_owned(), json!({})),
        ("scans", "{ search(query: \"a b c d e f g h i j k\") { nodes { snippet } } }".to_owned(), json!({})),
        ("scans", "{ dataset { records { count } } }".to_owned(), json!({})),
    ];
    for (limit, query, variables) in cases {
        let server = match limit {
            // the lower limits of this test would reject the query first
            "introspection" => &Server::empty(On::Sqlite).await,
            _ => &server,
        };
        let error = rejection(server, &query, variables).await;
        assert_eq!(error["extensions"]["code"], "LIMIT_EXCEEDED", "{query}: {error:#}");
        assert_eq!(error["extensions"]["limit"], limit, "{query}: {error:#}");
        assert!(error["extensions"]["given"].as_u64() > error["extensions"]["max"].as_u64(), "{error:#}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(&format!("(limits.{limit}); ")), "{message}");
    }
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!({}), |inner, _| json!({ "not": inner }))
}

#[tokio::test]
async fn first_hundred_errors_are_listed_and_the_others_counted() {
    let server = Server::empty(On::Sqlite).await;
    let fields: String = (0..250).map(|index| format!(" nothing{index}")).collect();
    let values: Vec<Value> = (0..250).map(|index| json!({"slug": {"nothing": index}})).collect();
    let of_variables = "query($filters: [CaseFilter!]) { cases(filter: {and: $filters}) { totalCount } }";
    for (query, variables) in
        [(format!("{{ cases {{ nodes {{{fields} }} }} }}"), json!({})), (of_variables.to_owned(), json!({"filters": values}))]
    {
        let response = Asker::reader(&server).answer(&query, variables).await;
        let errors = response["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 101, "{response:#}");
        assert_eq!(errors[100]["message"], "150 more errors are not listed: a response lists the first 100; correct these first");
    }
}

#[tokio::test]
async fn extreme_nesting_is_rejected_without_a_crash() {
    let server = Server::empty(On::Sqlite).await;
    for (open, close) in [("{a", "}"), ("{a(b:[", "])}"), ("{a(b:{c:", "})}")] {
        let query = format!("{}{}", open.repeat(7_000), close.repeat(7_000));
        let error = rejection(&server, &query, json!({})).await;
        assert_eq!(error["extensions"]["code"], "LIMIT_EXCEEDED", "{error:#}");
    }
    assert!(server.answer("{ __typename }", json!({})).await["data"].is_object());
}

#[rstest]
#[case("{ __typename }", [0, 1, 0, 0])]
#[case("{ cases { totalCount } }", [20, 1, 0, 1])]
#[case("{ cases { nodes { id } } }", [20, 20, 0, 0])]
#[case("{ cases(first: 3) { nodes { id } edges { node { id } } pageInfo { hasNextPage } } }", [3, 7, 0, 0])]
#[case("{ cases(first: 3) { nodes { court { label } charges(first: 2) { nodes { provision { id } } } } } }", [18, 9, 0, 0])]
#[case(r#"{ case(by: {slug: "x"}) { id } nodes(ids: ["case_01h455vb4pex5vsknk084sn02q"]) { id } }"#, [2, 2, 0, 0])]
#[case("{ cases(first: 5) { facets(by: [STATUS, YEAR], first: 4) { values { key record { id } } } nodes { id } } }", [53, 21, 0, 2])]
#[case("{ caseStatistics(groupBy: [COURT], first: 7) { rows { court { id } count } } }", [27, 14, 0, 2])]
#[case(r#"{ search(query: "x y", first: 4) { nodes { record { id } } } }"#, [8, 4, 0, 2])]
#[case(r#"{ cases(first: 2, filter: {slug: {in: ["a", "b"]}}) { totalCount nodes { id } } }"#, [22, 3, 6, 2])]
#[case("{ cases(first: 100) { nodes { a: title b: title parties(first: 5) { nodes { id } } } } }", [600, 700, 0, 0])]
#[tokio::test]
async fn response_reports_its_cost(#[case] query: &str, #[case] expected: [u64; 4]) {
    let server = Server::empty(On::Sqlite).await;
    let answer = server.whole(query, json!({})).await;
    let cost = &answer["extensions"]["cost"];
    let [nodes, values, filter_values, scans] = expected;
    assert_eq!(*cost, json!({"nodes": nodes, "values": values, "filterValues": filter_values, "scans": scans}), "{answer:#}");
}

/// The same query costs the same everywhere: each interface rejects it with the same limit.
#[tokio::test]
async fn every_interface_rejects_what_costs_too_much() {
    let server = Server::set(On::Sqlite, Settings { limits: Limits::default(), ..Settings::default() }).await;
    server.import("people:\n- {slug: a, name: {en: A}}").await.unwrap();
    let texts: String = (0..97).map(|index| format!("b{index}: biography ")).collect();
    let texts = format!("{{ people(first: 50) {{ nodes {{ memberships(first: 100) {{ nodes {{ person {{ {texts} }} }} }} }} }} }}");
    let conditions =
        format!("query($in: [String!]) {{ people(filter: {{or: [{}]}}) {{ nodes {{ id }} }} }}", "{slug: {in: $in}} ".repeat(75));
    let values = json!({"in": vec!["x"; 200]});
    let compared: String = (0..20).map(|index| format!("c{index}: compareRevisions(record: \"x\", from: 1, to: 2) {{ field }} ")).collect();
    let compared = format!("{{ {compared} people {{ nodes {{ id }} }} }}");
    for (limit, query, variables) in
        [("response_values", texts, json!({})), ("filter_values", conditions, values), ("scans", compared, json!({}))]
    {
        let url = |path: &str, more: &str| {
            let mut url = reqwest::Url::parse(&format!("{}{path}", server.address)).unwrap();
            url.query_pairs_mut().append_pair("query", &query).append_pair("variables", &variables.to_string());
            url.set_query(Some(&format!("{}{more}", url.query().unwrap())));
            server.client.get(url)
        };
        let post = |media: &str| {
            let request = server.client.post(format!("{}/graphql", server.address)).header(ACCEPT, media);
            request.json(&json!({"query": query, "variables": variables}))
        };
        let requests = [
            post("application/json"),
            post("text/event-stream"),
            url("/graphql", ""),
            url("/table.csv", ""),
            url("/chart.svg", "&x=id"),
            url("/feed.atom", ""),
        ];
        for request in requests {
            let response = request.send().await.unwrap();
            let (url, text) = (response.url().path().to_owned(), response.text().await.unwrap());
            assert!(text.contains("LIMIT_EXCEEDED") && text.contains(&format!("\"limit\":\"{limit}\"")), "{url}: {text}");
        }
    }
}

/// What the limits allow, the databases accept: SQLite and PostgreSQL bound the number of variables of a statement.
#[rstest]
#[tokio::test]
async fn filters_within_the_limit_fit_into_a_statement(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::set(on, Settings { limits: Limits::default(), ..Settings::default() }).await;
    let values: Vec<String> = (0..200).map(|index| format!("value-{index}")).collect();
    let query = |conditions: usize, below: &str| {
        let all: String = (0..conditions).map(|_| "{slug: {in: $in}} ").collect();
        format!("query($in: [String!]) {{ people(filter: {{or: [{all}]}}) {{ {below} }} }}")
    };
    for (query, is_allowed) in [
        (query(14, "nodes { id }"), true),
        (query(1, "totalCount nodes { id } facets(by: [YEAR, TOPIC]) { values { count } }"), true),
        (query(95, "nodes { id }"), false),
        (query(20, "totalCount"), false),
    ] {
        let answer = server.answer(&query, json!({"in": values})).await;
        if is_allowed {
            assert!(answer["data"]["people"].is_object(), "{answer:#}");
        } else {
            assert_eq!(answer["errors"][0]["extensions"]["limit"], "filter_values", "{answer:#}");
        }
    }
}

#[rstest]
#[tokio::test]
async fn table_sizes_are_known_without_counting(#[values(On::Sqlite, On::Postgres)] on: On) {
    let people: String = (0..50).map(|index| format!("\n- {{slug: p{index}, name: {{en: P}}}}")).collect();
    let server = Server::with(on, &format!("people:{people}")).await;
    assert_eq!(server.store.table_sizes().of(RecordType::Person), 0);
    server.store.run_upkeep().await.unwrap();
    server.store.refresh_table_sizes().await.unwrap();
    assert_eq!(server.store.table_sizes().of(RecordType::Person), 50);
    assert_eq!(server.store.table_sizes().of(RecordType::Law), 0);
}

/// A mutation whose payload is too large is rejected before it runs if its selection shows that. Otherwise the error states
/// that it was executed.
#[tokio::test]
async fn payload_that_becomes_too_large_does_not_hide_the_mutation() {
    let limits = Limits { response_bytes: 10_000, nodes: 10_000, ..Limits::default() };
    let server = Server::set(On::Sqlite, Settings { limits, ..Settings::default() }).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let create = |slug: &str, below: &str| {
        let input = format!("{{slug: \"{slug}\", name: {{en: \"A\"}}, biography: {{en: \"{}\"}}}}", "word ".repeat(100));
        format!("mutation {{ createPerson(input: {input}) {{ person {{ {below} }} errors {{ message }} }} }}")
    };
    let deep = "memberships(first: 100) { nodes { organization { memberships(first: 100) { nodes { organization { memberships(first: 100) { nodes { id } } } } } } } }";
    let answer = editor.answer(&create("deep", deep), json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["limit"], "nodes", "{answer:#}");
    let texts: String = (0..40).map(|index| format!("b{index}: biography ")).collect();
    let answer = editor.answer(&create("long", &texts), json!({})).await;
    let error = &answer["errors"][0];
    assert_eq!((&error["extensions"]["limit"], &error["path"]), (&json!("response_bytes"), &json!(["createPerson"])), "{answer:#}");
    assert!(error["message"].as_str().unwrap().starts_with("createPerson was executed"), "{error}");
    let people = editor.answer("{ people { nodes { slug } } }", json!({})).await;
    assert_eq!(people["data"]["people"]["nodes"], json!([{"slug": "long"}]));
}

/// Comparisons are counted by the size of the list and by the conditions, wherever the filter is evaluated.
#[rstest]
#[tokio::test]
async fn comparisons_grow_with_the_list_and_its_conditions(#[values(On::Sqlite, On::Postgres)] on: On) {
    let limits = Limits { comparisons: 12, ..Limits::default() };
    let server = Server::set(on, Settings { limits, ..Settings::default() }).await;
    let people: String = (0..4).map(|number| format!("- {{slug: p-{number}, name: {{en: P}}}}\n")).collect();
    server.import(&format!("people:\n{people}")).await.unwrap();
    let raw = server.database.raw().await;
    if on == On::Postgres {
        raw.execute_unprepared("ANALYZE persons").await.unwrap();
    }
    server.store.refresh_table_sizes().await.unwrap();
    let one = "{slug: {not: \"a\"}}";
    let two = "{slug: {not: \"a\"}, sortName: {not: \"b\"}}";
    let values = "{slug: {in: [\"a\", \"b\", \"c\", \"d\"]}}";
    for (fields, filter, is_allowed) in [
        ("nodes { id }", one, true),
        ("nodes { id } totalCount", one, true),
        ("nodes { id } totalCount", two, false),
        ("nodes { id } totalCount", values, true),
        ("totalCount facets(by: [JURISDICTION, TOPIC, YEAR, MONTH]) { dimension }", one, false),
    ] {
        let query = format!("{{ people(filter: {filter}) {{ {fields} }} }}");
        let answer = Asker::reader(&server).answer(&query, json!({})).await;
        let limit = &answer["errors"][0]["extensions"]["limit"];
        assert_eq!(*limit == "comparisons", !is_allowed, "{query} {answer:#}");
        assert_eq!(answer["data"].is_object(), is_allowed, "{query} {answer:#}");
    }
    // the history has a revision or more of each record
    for (count, is_allowed) in [(1, true), (2, false)] {
        let fields: String = (0..count).map(|number| format!("a{number}: changes(first: 1) {{ totalCount }} ")).collect();
        let answer = Asker::reader(&server).answer(&format!("{{ {fields} }}"), json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["limit"] == "comparisons", !is_allowed, "{answer:#}");
    }
}

/// Reads of histories by readers use the connections of readers.
#[tokio::test]
async fn history_of_readers_takes_no_connection_of_writers() {
    let server = Server::with(On::Postgres, "people:\n- {slug: a, name: {en: A}}").await;
    server.import("people:\n- {slug: a, name: {en: B}}").await.unwrap();
    let id = server.data("{ person(by: {slug: \"a\"}) { id } }").await["person"]["id"].clone();
    let writers = || server.store.pools().iter().find(|pool| pool.name == "writing").map(|pool| pool.open).unwrap();
    let before = writers();
    let query = format!("{{ compareRevisions(record: {id}, from: 1, to: 2) {{ field old new }} }}");
    let answers = (0..20).map(|index| {
        let query = format!("{query} # {index}");
        let server = &server;
        async move { server.data(&query).await }
    });
    for data in futures_util::future::join_all(answers).await {
        assert_eq!(data["compareRevisions"][0]["field"], "name", "{data:#}");
    }
    assert!(writers() <= before);
}

#[tokio::test]
async fn abandoned_query_is_cancelled_in_postgresql() {
    let server = Server::set(On::Postgres, Settings::default()).await;
    let (lock, other) = (server.database.raw().await, server.database.raw().await);
    let transaction = lock.begin().await.unwrap();
    transaction.execute_unprepared("LOCK TABLE cases IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let query = "{ cases(first: 100) { nodes { parties(first: 100) { nodes { id } } } } }";
    let waiting = tokio::spawn(server.client.post(format!("{}/graphql", server.address)).json(&json!({"query": query})).send());
    until_running(&other, 1).await;
    waiting.abort();
    until_running(&other, 0).await;
    transaction.rollback().await.unwrap();
}

#[tokio::test]
async fn standard_introspection_is_within_the_limits() {
    let server = Server::empty(On::Sqlite).await;
    let type_ref = "fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";
    let query = format!(
        "{{ __schema {{ description queryType {{ name }} mutationType {{ name }} subscriptionType {{ name }} types {{ kind name description specifiedByURL fields(includeDeprecated: true) {{ name description args {{ name description type {{ ...T }} defaultValue }} type {{ ...T }} isDeprecated deprecationReason }} inputFields {{ name description type {{ ...T }} defaultValue }} interfaces {{ ...T }} enumValues(includeDeprecated: true) {{ name }} possibleTypes {{ ...T }} }} directives {{ name locations args {{ name type {{ ...T }} }} }} }} }} {type_ref}"
    );
    let data = server.data(&query).await;
    assert!(data["__schema"]["types"].as_array().unwrap().len() > 100);
}

#[tokio::test]
async fn rate_limited_client_gets_retry_after() {
    let rate = RateLimits { points_per_address: 10, points_per_token: 20, trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()] };
    let server = Server::set(On::Sqlite, Settings { rate, ..Settings::default() }).await;
    let ask = async |address: &str, query: &str| {
        let request = server.client.post(format!("{}/graphql", server.address)).header("x-forwarded-for", address);
        request.json(&json!({"query": query})).send().await.unwrap()
    };
    let rate = "{ rateLimit { limit cost remaining resetIn } }";
    let first = ask("198.51.100.1", rate).await;
    assert_eq!(first.headers()["ratelimit-policy"], "\"minute\";q=10;w=60");
    assert_eq!(first.headers()["ratelimit"], "\"minute\";r=9;t=6");
    let answer: Value = first.json().await.unwrap();
    assert_eq!(answer["data"]["rateLimit"], json!({"limit": 10, "cost": 1, "remaining": 9, "resetIn": 6}));
    // the state of the rate limit is not cached
    let answer: Value = ask("198.51.100.1", rate).await.json().await.unwrap();
    assert_eq!(answer["data"]["rateLimit"]["remaining"], 8);
    let dear: Value =
        ask("198.51.100.1", "{ rateLimit { cost remaining } cases(first: 100) { nodes { charges(first: 4) { nodes { id } } } } }")
            .await
            .json()
            .await
            .unwrap();
    assert_eq!(dear["data"]["rateLimit"], json!({"cost": 6, "remaining": 2}));
    let dear = ask("198.51.100.1", "{ cases(first: 100) { nodes { charges(first: 4) { nodes { id } } } } }").await;
    assert_eq!(dear.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = dear.headers()[RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let answer: Value = dear.json().await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "RATE_LIMITED");
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("10 points"), "{answer:#}");
    while ask("198.51.100.1", "{ __typename }").await.status() == StatusCode::OK {}
    for path in ["/table.csv?query={cases{nodes{id}}}", "/feed.atom", "/chart.svg?query={cases{nodes{id}}}&x=id"] {
        let response =
            server.client.get(format!("{}{path}", server.address)).header("x-forwarded-for", "198.51.100.1").send().await.unwrap();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS, "{path}");
    }
    // other clients are not affected
    assert_eq!(ask("198.51.100.2", "{ __typename }").await.status(), StatusCode::OK);
    assert_eq!(ask("2001:db8::1", "{ __typename }").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn token_has_its_own_rate_limit() {
    let rate = RateLimits { points_per_address: 1_000, points_per_token: 3, trusted_proxies: Vec::new() };
    let server = Server::set(On::Sqlite, Settings { rate, ..Settings::default() }).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    for left in [2, 1, 0] {
        let answer = editor.answer("{ rateLimit { limit remaining } }", json!({})).await;
        assert_eq!(answer["data"]["rateLimit"], json!({"limit": 3, "remaining": left}));
    }
    let answer = editor.answer("{ __typename }", json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "RATE_LIMITED", "{answer:#}");
    let other = Asker::with_role(&server, Role::Admin).await;
    assert!(other.answer("{ __typename }", json!({})).await["data"].is_object());
}

/// Asserts that the database cancels the query and that the connection remains usable.
async fn assert_cancelled(server: &Server, query: &str) {
    let answer = server.answer(query, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "TIMEOUT", "{answer:#}");
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("timeouts.query_seconds"), "{answer:#}");
    assert!(!answer.to_string().to_lowercase().contains("statement"), "{answer:#}");
    assert_eq!(server.data("{ laws { totalCount } }").await["laws"]["totalCount"], 0);
}

#[tokio::test]
async fn sqlite_cancels_statements_over_the_time_limit() {
    let server = Server::set(On::Sqlite, Settings { statement: Some(Duration::ZERO), ..Settings::default() }).await;
    let topics: String = (0..3_000).map(|index| format!("  - slug: topic-{index}\n    label: {{en: Topic {index}}}\n")).collect();
    server.import(&format!("topics:\n{topics}")).await.unwrap();
    assert_cancelled(&server, "{ topics(filter: {or: [{slug: {contains: \"opic-1\"}}, {slug: {contains: \"c-2\"}}, {slug: {contains: \"-3\"}}]}) { totalCount } }").await;
}

#[tokio::test]
async fn postgresql_cancels_statements_over_the_time_limit() {
    let server = Server::set(On::Postgres, Settings { statement: Some(Duration::from_millis(200)), ..Settings::default() }).await;
    let lock = server.database.raw().await;
    let transaction = lock.begin().await.unwrap();
    transaction.execute_unprepared("LOCK TABLE cases IN ACCESS EXCLUSIVE MODE").await.unwrap();
    assert_cancelled(&server, "{ cases { totalCount } }").await;
    assert_eq!(running(&transaction).await, 0);
}

/// Number of statements that the database executes for other sessions. Constant within a transaction.
async fn running(database: &impl ConnectionTrait) -> i64 {
    let running =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()";
    let row = database.query_one_raw(Statement::from_string(DbBackend::Postgres, running)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// Waits until the database executes this many statements for other sessions.
async fn until_running(database: &DatabaseConnection, count: i64) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while running(database).await != count {
        assert!(tokio::time::Instant::now() < deadline, "there are not {count} statements");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn abandoned_or_late_table_is_cancelled_in_the_database() {
    let server = Server::set(On::Postgres, Settings { statement: Some(Duration::from_millis(500)), ..Settings::default() }).await;
    let (lock, other) = (server.database.raw().await, server.database.raw().await);
    let transaction = lock.begin().await.unwrap();
    transaction.execute_unprepared("LOCK TABLE cases IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let table = || server.client.get(format!("{}/table.csv?query={{cases{{nodes{{slug}}}}}}", server.address)).send();
    let response = table().await.unwrap();
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "TIMEOUT", "{answer:#}");
    until_running(&other, 0).await;
    let server = Server::over(TestDatabase::at(server.database.url.clone()), server.database.connect().await).await;
    let table = || server.client.get(format!("{}/table.csv?query={{cases{{nodes{{slug}}}}}}", server.address)).send();
    let waiting = tokio::spawn(table());
    until_running(&other, 1).await;
    waiting.abort();
    until_running(&other, 0).await;
    transaction.rollback().await.unwrap();
    assert_eq!(table().await.unwrap().text().await.unwrap(), "slug\r\n");
}

#[tokio::test]
async fn query_over_its_time_limit_gets_504() {
    let timeouts = Timeouts { query_seconds: 1, ..Timeouts::default() };
    let server = Server::set(On::Postgres, Settings { timeouts, ..Settings::default() }).await;
    let lock = server.database.raw().await;
    let transaction = lock.begin().await.unwrap();
    transaction.execute_unprepared("LOCK TABLE cases IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let request = server.client.post(format!("{}/graphql", server.address)).json(&json!({"query": "{ cases { totalCount } }"}));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "TIMEOUT", "{answer:#}");
}

#[tokio::test]
async fn overloaded_server_rejects_within_two_seconds() {
    let server = Server::set(On::Postgres, Settings { concurrency: 1, ..Settings::default() }).await;
    let lock = server.database.raw().await;
    let transaction = lock.begin().await.unwrap();
    transaction.execute_unprepared("LOCK TABLE cases IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let ask = || {
        let request = server.client.post(format!("{}/graphql", server.address)).header(ACCEPT, "application/graphql-response+json");
        request.json(&json!({"query": "{ cases { totalCount } }"})).send()
    };
    let waiting = tokio::spawn(ask());
    tokio::time::sleep(Duration::from_millis(200)).await;
    // a query that is not deduplicated with the waiting one
    let other = server.client.post(format!("{}/graphql", server.address)).json(&json!({"query": "{ laws { totalCount } }"}));
    let begun = std::time::Instant::now();
    let response = other.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert_eq!(response.headers()[RETRY_AFTER], "1");
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    transaction.rollback().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(ask().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn sequential_clients_above_capacity_are_all_admitted() {
    let server = Server::set(On::Sqlite, Settings { concurrency: 2, ..Settings::default() }).await;
    let clients = (0..16).map(async |_| {
        for _ in 0..25 {
            let request = server.client.post(format!("{}/graphql", server.address)).json(&json!({"query": "{ __typename }"}));
            assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
        }
    });
    futures_util::future::join_all(clients).await;
}

#[tokio::test]
async fn incomplete_requests_time_out() {
    let timeouts = Timeouts { header_seconds: 1, body_seconds: 1, ..Timeouts::default() };
    let server = Server::set(On::Sqlite, Settings { timeouts, ..Settings::default() }).await;
    let address = server.address.trim_start_matches("http://");
    let response_to = async |sent: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut received = String::new();
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_string(&mut received)).await;
        read.expect("the connection is closed").unwrap();
        received
    };
    assert_eq!(response_to("").await, "");
    response_to("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
    let late =
        response_to("POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"query\"").await;
    assert!(late.starts_with("HTTP/1.1 408") && late.contains("timeouts.body_seconds"), "{late}");
}

#[tokio::test]
async fn excess_connection_waits_until_another_closes() {
    let server = Server::set(On::Sqlite, Settings { connections: 1, ..Settings::default() }).await;
    let address = server.address.trim_start_matches("http://");
    let held = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
    tokio::time::sleep(Duration::from_millis(100)).await;
    let second = tokio::spawn(server.client.get(format!("{}/healthz", server.address)).send());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!second.is_finished());
    drop(held);
    assert_eq!(second.await.unwrap().unwrap().status(), StatusCode::OK);
}

#[rstest]
#[tokio::test]
async fn response_that_becomes_too_large_is_abandoned(#[values(On::Sqlite, On::Postgres)] on: On) {
    let limits = Limits { response_bytes: 20_000, aliases: 1_000, ..Limits::default() };
    let server = Server::set(on, Settings { limits, ..Settings::default() }).await;
    let biography = "word ".repeat(200);
    let people: String =
        (0..60).map(|index| format!("\n- {{slug: p{index}, name: {{en: P}}, biography: {{en: \"{biography}\"}}}}")).collect();
    server.import(&format!("people:{people}")).await.unwrap();
    let query = "{ a: people(first: 60) { nodes { biography } } b: people(first: 60) { nodes { biography } } }";
    let error = rejection(&server, query, json!({})).await;
    assert_eq!((&error["extensions"]["limit"], &error["extensions"]["max"]), (&json!("response_bytes"), &json!(20_000)), "{error}");
    // a single row is not bounded by its list
    let many: String = (0..30).map(|index| format!("b{index}: biography ")).collect();
    let error = rejection(&server, &format!("{{ person(by: {{slug: \"p1\"}}) {{ {many} }} }}"), json!({})).await;
    assert_eq!(error["extensions"]["limit"], "response_bytes", "{error}");
    let answer = server.data("{ people(first: 10) { nodes { biography } } }").await;
    assert_eq!(answer["people"]["nodes"].as_array().unwrap().len(), 10);
}

/// Inputs whose work grows faster than their length are bounded by length.
#[rstest]
#[tokio::test]
async fn long_words_and_tags_do_not_take_long(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, "people:\n- {slug: a, name: {en: Anna}}").await;
    let search = "query($q: String!) { search(query: $q) { totalCount nodes { snippet } } }";
    for word in ["a".repeat(16_000), "щ".repeat(8_000), "x".repeat(40_000)] {
        let answer = server.answer(search, json!({"q": word})).await;
        assert_eq!(answer["data"]["search"]["totalCount"], 0, "{answer}");
    }
    let answer = server.answer(search, json!({"q": "a ".repeat(13)})).await;
    assert_eq!(answer["errors"][0]["message"], "query: search for at most 12 words; these are 13");
    let tag = format!("en{}", "-abcdefgh".repeat(4_000));
    let query = "query($l: Language) { people { nodes { name(lang: $l) } } }";
    assert!(server.answer(query, json!({"l": tag})).await["errors"][0]["message"].as_str().unwrap().contains("is not a language tag"));
    let header = server.client.post(format!("{}/graphql", server.address)).header("accept-language", &tag);
    let answer: Value = header.json(&json!({"query": "{ people { nodes { name } } }"})).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["data"]["people"]["nodes"][0]["name"], "Anna");
    // the longest name can be stored and found
    let name = "Longnameletters".repeat(130);
    server.import(&format!("people:\n- {{slug: long, name: {{en: \"{name} Second\"}}}}")).await.unwrap();
    let answer = server.answer(search, json!({"q": name})).await;
    assert_eq!(answer["data"]["search"]["totalCount"], 1, "{answer}");
}

/// Fields of different types under one response key are counted apart: any of them may be the one that is read.
#[tokio::test]
async fn fields_of_every_type_are_counted() {
    let server = Server::set(On::Sqlite, Settings { limits: Limits::default(), ..Settings::default() }).await;
    let deep = "x: memberships(first: 100) { nodes { organization { memberships(first: 100) { nodes { organization { memberships(first: 100) { nodes { id } } } } } } } }";
    let cheap = "x: memberships(first: 0) { nodes { id } }";
    for (one, other) in [(cheap, deep), (deep, cheap)] {
        let query = format!("{{ nodes(ids: [\"x\"]) {{ ... on Person {{ {one} }} ... on Organization {{ {other} }} }} }}");
        let error = rejection(&server, &query, json!({})).await;
        assert_eq!(error["extensions"]["limit"], "nodes", "{error}");
    }
}

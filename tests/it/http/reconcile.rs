//! The reconciliation API, with the requests that OpenRefine sends.

use std::collections::BTreeSet;

use kurultai::core::auth::Role;
use kurultai::core::dataset::{Dataset, public_url};
use kurultai::graphql::limits::Limits;
use kurultai::http::RateLimits;
use reqwest::Response;
use reqwest::header::{ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, CONTENT_TYPE, ORIGIN};
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{On, Server, Settings};

const TEXT: &str = r#"
jurisdictions:
- {slug: kz, name: {en: Kazakhstan}, classification: country}
people:
- {slug: judge, name: {en: Kuat Yertayev, ru: Қуат Ертаев}, birthDate: "1971-02-03", jurisdiction: kz}
- {slug: convict, name: {ru: Қуат Ертаев}, birthDate: "1985"}
- {slug: anna, name: {en: Anna Petrova}, identifiers: [{scheme: wikidata, value: Q7}]}
- {slug: hidden, name: {en: Bolat Secretov}, published: false}
organizations:
- {slug: court, name: {en: Supreme Court}, classification: court, jurisdiction: kz}
"#;

/// Sends queries as OpenRefine does: a form in UTF-8.
async fn post(server: &Server, queries: &Value) -> Response {
    let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("queries", &queries.to_string()).finish();
    let request = server.client.post(format!("{}/reconcile", server.address)).body(form);
    request.header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=UTF-8").send().await.unwrap()
}

async fn get(server: &Server, path_and_query: &str) -> Response {
    server.client.get(format!("{}{path_and_query}", server.address)).send().await.unwrap()
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn json_of(response: Response) -> Value {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json; charset=utf-8");
    response.json().await.unwrap()
}

/// Checks a result against the schema of the specification.
fn check_result(result: &Value) {
    let members: BTreeSet<&str> = result.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, BTreeSet::from(["id", "name", "description", "type", "score", "match", "features"]));
    assert!(result["id"].is_string() && result["name"].is_string() && result["match"].is_boolean(), "{result}");
    assert!((0.0..=100.0).contains(&result["score"].as_f64().unwrap()), "{result}");
    for ty in result["type"].as_array().unwrap() {
        assert!(ty["id"].is_string() && ty["name"].is_string(), "{result}");
    }
    for feature in result["features"].as_array().unwrap() {
        assert!(feature["id"].is_string() && feature["value"].is_number(), "{result}");
    }
}

#[rstest]
#[tokio::test]
async fn batch_of_openrefine_is_answered(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let names = ["Ертаев Қуат", "YERTAYEV K.", "Petrova Anna", "Supreme court", "Nobody Known", "Bolat Secretov"];
    let mut queries = json!({});
    for (number, name) in names.iter().enumerate() {
        let ty = if number == 3 { "organization" } else { "person" };
        queries[format!("q{number}")] = json!({"query": name, "type": ty, "type_strict": "should", "limit": 3});
    }
    queries["q6"] = json!({"query": "Ертаев Қуат", "type": "person", "type_strict": "should", "properties": [{"pid": "birthDate", "v": "1971-02-03"}, {"pid": "jurisdiction", "v": "kz"}]});
    queries["q7"] = json!({"query": "Ертаев Қуат", "type": "person", "type_strict": "should", "properties": [{"pid": "birthDate", "v": ["1999"]}, {"pid": "deathDate", "v": ""}]});
    queries["q8"] =
        json!({"query": "A. Other", "type": "person", "properties": [{"pid": "identifier:wikidata", "v": {"id": "Q7", "name": "Q7"}}]});
    // to guess the type of a column, OpenRefine sends queries without one
    queries["q9"] = json!({"query": "Supreme Court", "limit": 3});
    let answer = json_of(post(&server, &queries).await).await;
    assert_eq!(
        answer.as_object().unwrap().keys().collect::<Vec<_>>(),
        (0..10).map(|number| format!("q{number}")).collect::<Vec<_>>().iter().collect::<Vec<_>>()
    );
    let results = |key: &str| {
        let results = answer[key]["result"].as_array().unwrap();
        results.iter().for_each(check_result);
        results
            .iter()
            .map(|result| (result["name"].as_str().unwrap(), result["score"].as_f64().unwrap(), result["match"] == true))
            .collect::<Vec<_>>()
    };
    assert_eq!(results("q0"), [("Kuat Yertayev", 70.0, false), ("Қуат Ертаев", 70.0, false)]);
    assert_eq!(results("q1"), [("Kuat Yertayev", 56.0, false), ("Қуат Ертаев", 56.0, false)]);
    assert_eq!(results("q2"), [("Anna Petrova", 70.0, false)]);
    assert_eq!(results("q3"), [("Supreme Court", 85.0, false)]);
    // readers find published records only
    assert_eq!((results("q4"), results("q5")), (vec![], vec![]));
    assert_eq!(results("q6"), [("Kuat Yertayev", 100.0, true)]);
    assert!(results("q7").is_empty());
    assert_eq!(results("q8"), [("Anna Petrova", 100.0, true)]);
    assert_eq!(results("q9"), [("Supreme Court", 85.0, false)]);
    assert_eq!(answer["q0"]["result"][0]["description"], "1971-02-03, kz");
    assert_eq!(answer["q9"]["result"][0]["type"], json!([{"id": "organization", "name": "Organization"}]));
    let features = json!([{"id": "name", "value": 0.7}, {"id": "birth_date", "value": 0.25}, {"id": "jurisdiction", "value": 0.05}]);
    assert_eq!(answer["q6"]["result"][0]["features"], features);
    // the id leads to the page of the record
    let id = answer["q6"]["result"][0]["id"].as_str().unwrap();
    assert_eq!(get(&server, &format!("/r/{id}")).await.url().path(), "/r/person/judge");

    let by_get = get(&server, &format!("/reconcile?queries={}", encoded(&queries.to_string()))).await;
    assert_eq!(json_of(by_get).await, answer);
    // an editor finds drafts
    let (_, token) = server.store.create_token("editor", Role::Editor, None).await.unwrap();
    let url = format!("{}/reconcile?queries={}", server.address, encoded(&json!({"q": {"query": "Bolat Secretov"}}).to_string()));
    let drafts = server.client.get(url).header(AUTHORIZATION, format!("Bearer {token}")).send().await.unwrap();
    assert_eq!(json_of(drafts).await["q"]["result"][0]["name"], "Bolat Secretov");
}

#[tokio::test]
async fn manifest_describes_the_service() {
    let dataset = Dataset {
        title: Some("Speech law".to_owned()),
        public_url: Some(public_url("https://data.example.org").unwrap()),
        ..Dataset::default()
    };
    let server = Server::about(On::Sqlite, dataset).await;
    let request = server.client.get(format!("{}/reconcile", server.address)).header(ORIGIN, "http://127.0.0.1:3333");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let suggest = |kind: &str| json!({"service_url": "https://data.example.org/reconcile", "service_path": format!("/suggest/{kind}")});
    let expected = json!({
        "versions": ["0.1", "0.2"],
        "name": "Speech law",
        "identifierSpace": "https://data.example.org/r/",
        "schemaSpace": "https://data.example.org/schema.graphql",
        "defaultTypes": [{"id": "person", "name": "Person"}, {"id": "organization", "name": "Organization"}],
        "view": {"url": "https://data.example.org/r/{{id}}"},
        "suggest": {"entity": suggest("entity"), "type": suggest("type"), "property": suggest("property")},
        "extend": {
            "propose_properties": {"service_url": "https://data.example.org/reconcile", "service_path": "/extend/propose"},
            "property_settings": [],
        },
        "batchSize": 25,
    });
    assert_eq!(json_of(response).await, expected);
    // without a public address, that by which the client came
    let server = Server::empty(On::Sqlite).await;
    let manifest = json_of(get(&server, "/reconcile").await).await;
    assert_eq!(manifest["view"]["url"], format!("{}/r/{{{{id}}}}", server.address));
}

#[tokio::test]
async fn callback_must_be_the_name_of_a_function() {
    let server = Server::with(On::Sqlite, TEXT).await;
    let response = get(&server, "/reconcile?callback=jQuery123_456&_=789").await;
    assert_eq!(response.headers()[CONTENT_TYPE], "text/javascript; charset=utf-8");
    let script = response.text().await.unwrap();
    let json = script.strip_prefix("/**/jQuery123_456(").and_then(|rest| rest.strip_suffix(");")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(json).unwrap()["versions"], json!(["0.1", "0.2"]));
    let query = encoded(&json!({"q0": {"query": "Anna Petrova"}}).to_string());
    let script = get(&server, &format!("/reconcile?callback=app.receive&queries={query}")).await.text().await.unwrap();
    assert!(script.starts_with("/**/app.receive({\"q0\""), "{script}");
    for callback in ["alert(1)", "a;b", "1a", "a.", "a b", "<script>", &"a".repeat(129)] {
        let response = get(&server, &format!("/reconcile?callback={}", encoded(callback))).await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()[CONTENT_TYPE].to_str().unwrap()[..16]),
            (400, "application/json"),
            "{callback}"
        );
        let body: Value = response.json().await.unwrap();
        assert!(body["errors"][0]["message"].as_str().unwrap().contains("not the name of a function"), "{body}");
    }
}

#[tokio::test]
async fn what_is_not_understood_is_refused_with_its_place() {
    let server = Server::with(On::Sqlite, TEXT).await;
    let many: serde_json::Map<String, Value> = (0..26).map(|number| (format!("q{number}"), json!({"query": "A"}))).collect();
    for (queries, expected) in [
        (json!([]), "queries: this must be an object"),
        (json!({}), "queries: there is no query"),
        (json!(many), "queries: 26 queries are too many; give at most 25"),
        (json!({"q3": {"query": "A B", "lang": "en"}}), "queries.q3: there is no member \"lang\""),
        (json!({"q3": {"query": "A B", "type": "Q5"}}), "queries.q3.type: there is no type \"Q5\"; the types are person and organization"),
        (json!({"q3": {"query": "A B", "type_strict": "maybe"}}), "queries.q3.type_strict"),
        (json!({"q3": {"query": "A B", "limit": 0}}), "queries.q3.limit: 0 is not a number from 1 to 25"),
        (json!({"q3": {"query": 7}}), "queries.q3.query: this must be a text"),
        (json!({"q3": {}}), "queries.q3: give a name in query"),
        (
            json!({"q3": {"query": "A B", "properties": [{"pid": "P31", "v": "Q5"}]}}),
            "queries.q3.properties[0].pid: there is no property \"P31\"",
        ),
        (
            json!({"q3": {"query": "A B", "properties": [{"pid": "birthDate", "v": "22.06.1971"}]}}),
            "queries.q3.properties[0].v: \"22.06.1971\" is not a date",
        ),
        (json!({"q3": {"query": "A B", "properties": [{"pid": "birthDate"}]}}), "queries.q3.properties[0].v: the value is missing"),
        (json!({"q3": {"query": "A B", "properties": [{"pid": "birthDate", "v": true}]}}), "the value must be a text or a number"),
        (
            json!({"q3": {"query": "A B", "type": "organization", "properties": [{"pid": "birthDate", "v": "1971"}]}}),
            "queries.q3: no requested type has all of these properties",
        ),
        (
            json!({"q1": {"query": "A B"}, "q3": {"query": "A B", "properties": [{"pid": "jurisdiction", "v": "xx"}]}}),
            "queries.q3.properties: jurisdiction: there is no jurisdiction with the slug \"xx\"",
        ),
        (
            json!({"q3": {"query": "A B", "properties": [{"pid": "classification", "v": "kolkhoz"}]}}),
            "queries.q3.properties[0].v: \"kolkhoz\" is not a value of this field; the values are ",
        ),
    ] {
        let response = post(&server, &queries).await;
        assert_eq!(response.status(), 400, "{queries}");
        let body: Value = response.json().await.unwrap();
        assert!(body["errors"][0]["message"].as_str().unwrap().contains(expected), "{expected}: {body}");
        assert_eq!(body["errors"].as_array().unwrap().len(), 1, "{body}");
    }
    // a dash in a column names nobody, and leaves the other rows their results
    let answer = json_of(post(&server, &json!({"q1": {"query": "Anna Petrova"}, "q3": {"query": "—"}})).await).await;
    assert_eq!((answer["q1"]["result"].as_array().unwrap().len(), &answer["q3"]["result"]), (1, &json!([])));
    for (path, status, expected) in [
        ("/reconcile?queries=%7B", 400, "queries is not JSON"),
        ("/reconcile?query=Anna", 400, "there is no parameter \"query\""),
        ("/reconcile?extend=%7B%7D", 400, "extend.ids: this must be a list"),
        ("/reconcile?extend=%7B%7D&queries=%7B%7D", 400, "give queries or extend, not both"),
        ("/reconcile?extend=%7B%22ids%22:[],%22properties%22:[%7B%22id%22:%22P31%22%7D]%7D", 400, "there is no property \"P31\""),
        ("/reconcile?extend=%7B%22ids%22:[%22Q1%22],%22properties%22:[]%7D", 400, "extend.ids[0]"),
        ("/reconcile/extend/propose?type=law", 400, "there is no type \"law\""),
        ("/reconcile/suggest/thing?prefix=a", 404, "entity, type or property"),
        ("/reconcile/suggest/entity", 400, "prefix is missing"),
        ("/reconcile/suggest/type", 400, "prefix is missing"),
        ("/reconcile/suggest/entity?prefix=a&type=law", 400, "there is no type \"law\""),
    ] {
        let response = get(&server, path).await;
        assert_eq!(response.status(), status, "{path}");
        let body: Value = response.json().await.unwrap();
        assert!(body["errors"][0]["message"].as_str().unwrap().contains(expected), "{path}: {body}");
    }
    let json = server.client.post(format!("{}/reconcile", server.address)).json(&json!({})).send().await.unwrap();
    assert_eq!(json.status(), 415);
    let deleted = server.client.delete(format!("{}/reconcile", server.address)).send().await.unwrap();
    assert_eq!((deleted.status().as_u16(), deleted.headers()["allow"].to_str().unwrap()), (405, "GET, POST"));
}

#[rstest]
#[tokio::test]
async fn suggestions_follow_what_the_user_types(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let entities = json_of(get(&server, &format!("/reconcile/suggest/entity?prefix={}", encoded("ертае"))).await).await;
    let names: Vec<&str> = entities["result"].as_array().unwrap().iter().map(|entity| entity["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 2, "{entities}");
    assert_eq!(entities["result"][0]["notable"], json!([{"id": "person", "name": "Person"}]));
    assert!(entities["result"][0]["id"].as_str().unwrap().starts_with("person_"), "{entities}");
    let none = json_of(get(&server, "/reconcile/suggest/entity?prefix=supreme&type=person").await).await;
    assert_eq!(none, json!({"result": []}));
    let types = json_of(get(&server, "/reconcile/suggest/type?prefix=org").await).await;
    assert_eq!(types, json!({"result": [{"id": "organization", "name": "Organization"}]}));
    let properties = json_of(get(&server, "/reconcile/suggest/property?prefix=birth").await).await;
    assert_eq!(properties, json!({"result": [{"id": "birthDate", "name": "Date of birth"}]}));
    let register = json_of(get(&server, "/reconcile/suggest/property?prefix=identifier:viaf").await).await;
    assert_eq!(register, json!({"result": [{"id": "identifier:viaf", "name": "Identifier of the register viaf"}]}));
}

#[rstest]
#[tokio::test]
async fn columns_of_values_are_added_to_ids(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let data = server.data("{ a: person(by: {slug: \"judge\"}) { id } b: person(by: {slug: \"anna\"}) { id } c: organization(by: {slug: \"court\"}) { id } }").await;
    let id = |name: &str| data[name]["id"].as_str().unwrap().to_owned();
    let gone = "person_01h455vb4pex5vsknk084sn02q";
    let properties = ["name", "birthDate", "jurisdiction", "classification", "identifier:wikidata"].map(|id| json!({"id": id}));
    let extend = json!({"ids": [id("a"), id("b"), id("c"), gone], "properties": properties});
    let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("extend", &extend.to_string()).finish();
    let request = server.client.post(format!("{}/reconcile", server.address)).body(form);
    let answer = json_of(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").send().await.unwrap()).await;
    assert_eq!(answer["meta"][1], json!({"id": "birthDate", "name": "Date of birth"}));
    let text = |text: &str| json!([{"str": text}]);
    let country = json!([{"id": "kz", "name": "Kazakhstan"}]);
    let row = |name: Value, birth: Value, jurisdiction: Value, classification: Value, identifier: Value| json!({"name": name, "birthDate": birth, "jurisdiction": jurisdiction, "classification": classification, "identifier:wikidata": identifier});
    assert_eq!(answer["rows"][id("a")], row(text("Kuat Yertayev"), text("1971-02-03"), country.clone(), json!([]), json!([])));
    assert_eq!(answer["rows"][id("b")], row(text("Anna Petrova"), json!([]), json!([]), json!([]), text("Q7")));
    assert_eq!(answer["rows"][id("c")], row(text("Supreme Court"), json!([]), country, text("court"), json!([])));
    assert_eq!(answer["rows"][gone], row(json!([]), json!([]), json!([]), json!([]), json!([])));
    let proposed = json_of(get(&server, "/reconcile/extend/propose?type=organization&limit=2").await).await;
    let expected = json!([{"id": "name", "name": "Name"}, {"id": "foundedOn", "name": "Date of foundation"}]);
    assert_eq!(proposed, json!({"properties": expected, "type": "organization"}));
}

#[tokio::test]
async fn queries_are_limited_and_charged_as_searches() {
    let limits = Limits { scans: 10, ..Limits::default() };
    let rate = RateLimits { points_per_address: 3, ..RateLimits::default() };
    let server = Server::set(On::Sqlite, Settings { limits, rate, ..Settings::default() }).await;
    let queries = |number: usize| -> Value {
        let queries = (0..number).map(|number| (format!("q{number}"), json!({"query": "Anna Petrova", "type": "person"})));
        Value::Object(queries.collect())
    };
    let response = post(&server, &queries(6)).await;
    assert_eq!(response.status(), 400);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["errors"][0]["extensions"]["limit"], "scans", "{body}");
    // the request above cost a point, and this one two: it may read more than a hundred records
    assert_eq!(post(&server, &queries(5)).await.status(), 200);
    assert_eq!(post(&server, &queries(5)).await.status(), 429);
}

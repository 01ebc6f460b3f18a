//! Saved queries have a permanent address; persisted queries need to be sent only once.

use kurultai::core::auth::Role;
use kurultai::core::digest::sha256_hex;
use kurultai::store::access::saved_query::NewSavedQuery;
use reqwest::header::CACHE_CONTROL;
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{Asker, On, Server, Settings};

const PEOPLE: &str = "people:\n- {slug: a, name: {en: A}}\n- {slug: b, name: {en: B}}";
const QUERY: &str = "query People($first: Int) { people(first: $first) { nodes { name } } }";
const SAVE: &str = "saveQuery { savedQuery { hash name title query operationName variables savedBy } }";
const SAVE_WITH_ERRORS: &str = "saveQuery { savedQuery { hash } errors { code path } }";

async fn get(server: &Server, query: &[(&str, &str)]) -> (u16, Value, String) {
    let response = server.client.get(format!("{}/graphql", server.address)).query(query).send().await.unwrap();
    let cache = response.headers().get(CACHE_CONTROL).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    (response.status().as_u16(), response.json().await.unwrap(), cache)
}

fn persisted(hash: &str) -> String {
    json!({"persistedQuery": {"version": 1, "sha256Hash": hash}}).to_string()
}

#[rstest]
#[tokio::test]
async fn saved_query_executes_by_name_and_by_hash(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, PEOPLE).await;
    let reader = Asker::with_role(&server, Role::Reader).await;
    let input = json!({"query": QUERY, "variables": "{\"first\": 1}", "name": "people", "title": "People"});
    let payload = reader.done(SAVE, input.clone()).await;
    let saved = &payload["savedQuery"];
    assert_eq!(saved["name"], "people");
    assert_eq!(saved["variables"], "{\"first\":1}");
    assert_eq!(saved["savedBy"], "reader");
    // saving is idempotent
    assert_eq!(reader.done(SAVE, input).await, payload);
    let hash = saved["hash"].as_str().unwrap();
    for which in ["people", hash] {
        let (status, answer, _) = get(&server, &[("documentId", which)]).await;
        assert_eq!((status, &answer["data"]), (200, &json!({"people": {"nodes": [{"name": "A"}]}})), "{which}");
    }
    let (_, answer, _) = get(&server, &[("documentId", "people"), ("variables", "{\"first\": 2}")]).await;
    assert_eq!(answer["data"]["people"]["nodes"].as_array().unwrap().len(), 2);
    let found = server.data("{ savedQuery(by: {name: \"people\"}) { hash title } savedQueries { name } }").await;
    assert_eq!(found, json!({"savedQuery": {"hash": hash, "title": "People"}, "savedQueries": [{"name": "people"}]}));
    // another process finds it
    let other = server.beside().await;
    assert_eq!(other.store.saved_query("people").await.unwrap().unwrap().hash, hash);
    let before = other.store.statement_count();
    assert!(other.store.saved_query("people").await.unwrap().is_some());
    assert_eq!(other.store.statement_count(), before);
}

/// A name and a title are added to a query that both servers keep in memory.
#[rstest]
#[tokio::test]
async fn name_added_later_is_visible_to_every_server(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, PEOPLE).await;
    let other = server.beside().await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let plain = editor.done(SAVE, json!({"query": QUERY})).await;
    let hash = plain["savedQuery"]["hash"].as_str().unwrap();
    let by_hash = format!("{{ savedQuery(by: {{hash: \"{hash}\"}}) {{ name title }} }}");
    for server in [&server, &other] {
        assert_eq!(server.data(&by_hash).await, json!({"savedQuery": {"name": null, "title": null}}));
    }
    editor.done(SAVE, json!({"query": QUERY, "name": "people", "title": "People"})).await;
    for server in [&server, &other] {
        assert_eq!(server.data(&by_hash).await, json!({"savedQuery": {"name": "people", "title": "People"}}));
        let (status, answer, _) = get(server, &[("documentId", "people")]).await;
        assert_eq!((status, answer["data"]["people"]["nodes"].as_array().unwrap().len()), (200, 2));
        // each key finds only what it names
        let crossed =
            format!("{{ a: savedQuery(by: {{name: \"{hash}\"}}) {{ hash }} b: savedQuery(by: {{hash: \"people\"}}) {{ hash }} }}");
        assert_eq!(server.data(&crossed).await, json!({"a": null, "b": null}));
    }
}

#[rstest]
#[tokio::test]
async fn name_refers_to_one_query_permanently(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, PEOPLE).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let plain = editor.done(SAVE, json!({"query": "{ people { totalCount } }"})).await;
    assert_eq!(plain["savedQuery"]["hash"], sha256_hex("{ people { totalCount } }"));
    assert_eq!(plain["savedQuery"]["name"], Value::Null);
    let named = editor.done(SAVE, json!({"query": "{ people { totalCount } }", "name": "count"})).await;
    assert_eq!(named["savedQuery"]["hash"], plain["savedQuery"]["hash"]);
    let rejected = [
        (json!({"query": "{ laws { totalCount } }", "name": "count"}), "name", "TAKEN", "the name of another query"),
        (json!({"query": "{ people { totalCount } }", "name": "other"}), "name", "TAKEN", "already saved with the name \"count\""),
        (json!({"query": "{ laws { totalCount } }", "name": "Not A Slug"}), "name", "INVALID", "such as cases-by-year"),
        (json!({"query": "{ nothing }"}), "query", "INVALID", "nothing"),
        (json!({"query": "{ people {"}), "query", "INVALID", "expected"),
        (json!({"query": "mutation { __typename }"}), "query", "INVALID", "only queries can be saved"),
        (json!({"query": QUERY, "variables": "[1]"}), "variables", "INVALID", "must be a JSON object"),
        (
            json!({"query": QUERY, "variables": "{\"first\": 1, \"first\": 2}"}),
            "variables",
            "INVALID",
            "the JSON has the member \"first\" twice: line 1, column 20",
        ),
        (
            json!({"query": QUERY, "variables": json!({"$serde_json::private::RawValue": "{\"first\": 1}"}).to_string()}),
            "variables",
            "INVALID",
            "no variable",
        ),
        (json!({"query": QUERY, "variables": "{\"first\": 1e400}"}), "variables", "INVALID", "too large"),
        (json!({"query": QUERY, "variables": "{\"first\": \"x\"}"}), "variables", "INVALID", "first"),
        (json!({"query": QUERY, "variables": "{\"other\": 1}"}), "variables", "INVALID", "no variable"),
        (json!({"query": QUERY, "operationName": "Other"}), "operationName", "INVALID", "Other"),
    ];
    for (input, path, code, message) in rejected {
        let payload = editor.payload(SAVE, input.clone()).await;
        assert_eq!(payload["savedQuery"], Value::Null, "{input}");
        let error = &payload["errors"][0];
        assert_eq!((&error["path"], &error["code"]), (&json!(["input", path]), &json!(code)), "{input}: {error}");
        assert!(error["message"].as_str().unwrap().contains(message), "{input}: {error}");
    }
    let (status, answer, _) = get(&server, &[("documentId", "nowhere")]).await;
    assert_eq!(status, 404);
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("\"nowhere\""));
}

#[rstest]
#[tokio::test]
async fn all_errors_of_a_saved_query_are_reported_at_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, PEOPLE).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    editor.done(SAVE, json!({"query": "{ people { totalCount } }", "name": "count"})).await;
    let title = "long ".repeat(100);
    let cases = [
        (
            json!({"name": "Not A Slug", "query": "{ nothing }", "variables": "[1]", "title": title, "operationName": "Other"}),
            vec![("name", "INVALID"), ("query", "INVALID"), ("variables", "INVALID"), ("title", "INVALID")],
        ),
        (
            json!({"query": QUERY, "operationName": "Other", "variables": "x", "title": title}),
            vec![("operationName", "INVALID"), ("variables", "INVALID"), ("title", "INVALID")],
        ),
        (
            json!({"variables": "{\"other\": 1}", "query": "mutation { __typename }", "title": title}),
            vec![("variables", "INVALID"), ("query", "INVALID"), ("title", "INVALID")],
        ),
        (json!({"title": title, "query": "{ laws { totalCount } }", "name": "count"}), vec![("title", "INVALID"), ("name", "TAKEN")]),
        // which query has the name is not known before the query is valid
        (json!({"query": "{ people { total } }", "name": "count", "title": title}), vec![("query", "INVALID"), ("title", "INVALID")]),
    ];
    for (input, expected) in cases {
        let payload = editor.payload(SAVE, input.clone()).await;
        let errors = payload["errors"].as_array().unwrap().iter();
        let found: Vec<_> = errors.map(|error| (error["path"][1].as_str().unwrap(), error["code"].as_str().unwrap())).collect();
        assert_eq!(found, expected, "{input} {payload:#}");
        assert_eq!(payload["savedQuery"], Value::Null);
    }
    assert_eq!(server.data("{ savedQueries { name } }").await, json!({"savedQueries": [{"name": "count"}]}));
}

#[tokio::test]
async fn saving_requires_a_token_of_any_role() {
    let server = Server::empty(On::Sqlite).await;
    let query = "mutation { saveQuery(input: {query: \"{ __typename }\"}) { errors { message } } }";
    let (message, code) = server.error(query).await;
    assert_eq!(code, "UNAUTHENTICATED");
    assert!(message.contains("token of any role"), "{message}");
}

#[rstest]
#[tokio::test]
async fn persisted_query_executes_by_hash_after_first_request(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, PEOPLE).await;
    let query = "{ people { totalCount } }";
    let extensions = persisted(&sha256_hex(query));
    let (status, answer, cache) = get(&server, &[("extensions", &extensions)]).await;
    assert_eq!((status, cache.as_str()), (200, "no-store"));
    let expected = json!({"errors": [{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}]});
    assert_eq!(answer, expected);
    let (_, answer, _) = get(&server, &[("extensions", &extensions), ("query", query)]).await;
    assert_eq!(answer["data"]["people"]["totalCount"], 2);
    let (_, answer, cache) = get(&server, &[("extensions", &extensions)]).await;
    assert_eq!(answer["data"]["people"]["totalCount"], 2);
    assert!(cache.starts_with("public"), "{cache}");
    // also by POST, and on another process after it was sent again
    let other = server.beside().await;
    let post = async |body: Value| {
        let sent = other.client.post(format!("{}/graphql", other.address)).json(&body).send().await.unwrap();
        sent.json::<Value>().await.unwrap()
    };
    let extensions: Value = serde_json::from_str(&extensions).unwrap();
    assert_eq!(post(json!({"extensions": extensions})).await, expected);
    assert_eq!(post(json!({"extensions": extensions, "query": query})).await["data"]["people"]["totalCount"], 2);
    assert_eq!(post(json!({"extensions": extensions})).await["data"]["people"]["totalCount"], 2);
}

#[rstest]
#[tokio::test]
async fn document_of_saved_query_is_persisted_by_hash(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, PEOPLE).await;
    let reader = Asker::with_role(&server, Role::Reader).await;
    reader.done(SAVE, json!({"query": QUERY, "variables": "{\"first\": 1}"})).await;
    let (_, answer, _) = get(&server, &[("extensions", &persisted(&sha256_hex(QUERY)))]).await;
    assert_eq!(answer["data"]["people"]["nodes"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn mismatched_hash_is_rejected() {
    let server = Server::empty(On::Sqlite).await;
    let wrong = [
        (persisted(&sha256_hex("other")), "provided sha does not match query"),
        (json!({"persistedQuery": {"version": 2, "sha256Hash": sha256_hex("a")}}).to_string(), "version must be 1"),
        (json!({"persistedQuery": {"version": 1, "sha256Hash": "x"}}).to_string(), "SHA-256"),
    ];
    for (extensions, message) in wrong {
        let (status, answer, _) = get(&server, &[("extensions", &extensions), ("query", "{ __typename }")]).await;
        assert_eq!(status, 400);
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains(message), "{answer}");
    }
    // an invalid document is not persisted
    let extensions = persisted(&sha256_hex("{ nothing }"));
    get(&server, &[("extensions", &extensions), ("query", "{ nothing }")]).await;
    let (_, answer, _) = get(&server, &[("extensions", &extensions)]).await;
    assert_eq!(answer["errors"][0]["message"], "PersistedQueryNotFound");
}

#[rstest]
#[tokio::test]
async fn empty_operation_name_names_no_operation(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, PEOPLE).await;
    let reader = Asker::with_role(&server, Role::Reader).await;
    let payload = reader.done(SAVE, json!({"query": QUERY, "operationName": "", "name": "people"})).await;
    assert_eq!(payload["savedQuery"]["operationName"], Value::Null);
    let list = "query People { people { nodes { id name birthDate } totalCount } }";
    for (path, parameters) in [
        ("/graphql", vec![("query", list)]),
        ("/graphql", vec![("saved", "people")]),
        ("/table.csv", vec![("query", list)]),
        ("/chart.svg", vec![("query", "query Law { laws { nodes { title } } }"), ("x", "title")]),
        ("/feed.atom", vec![("query", list)]),
    ] {
        let url = format!("{}{path}", server.address);
        let responses = [("operationName", Some("")), ("operationName", None), ("operationName", Some("Other"))].map(|(name, value)| {
            let request = server.client.get(&url).query(&parameters).header("accept", "application/graphql-response+json");
            value.map_or(request.try_clone().unwrap(), |value| request.query(&[(name, value)]))
        });
        let mut answers = Vec::new();
        for response in responses {
            let response = response.send().await.unwrap();
            answers.push((response.status().as_u16(), response.text().await.unwrap().replace("&amp;operationName=", "")));
        }
        // a chart of no rows is an error as well, and the same one
        assert_eq!(answers[0], answers[1], "{path}");
        assert!(answers[2].0 == 400 && answers[2].1.contains("no operation named"), "{path}: {answers:?}");
    }
    let body = json!({"query": list, "operationName": ""});
    let answer: Value = server.client.post(format!("{}/graphql", server.address)).json(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["data"]["people"]["totalCount"], 2);
}

#[rstest]
#[tokio::test]
async fn document_is_found_by_the_hash_of_its_text(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, PEOPLE).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    editor.done(SAVE, json!({"query": QUERY, "variables": "{\"first\": 1}"})).await;
    let hash = sha256_hex(QUERY);
    for id in [format!("sha256:{hash}"), format!("sha256:{}", hash.to_uppercase())] {
        // the document alone: the variables of the saved query are not part of it
        let (status, answer, _) = get(&server, &[("documentId", &id)]).await;
        assert_eq!((status, answer["data"]["people"]["nodes"].as_array().map(Vec::len)), (200, Some(2)), "{answer}");
    }
    let persisted_query = "{ people { totalCount } }";
    let hash = sha256_hex(persisted_query);
    let (status, ..) = get(&server, &[("query", persisted_query), ("extensions", &persisted(&hash))]).await;
    assert_eq!(status, 200);
    let (status, answer, _) = get(&server, &[("documentId", &format!("sha256:{hash}"))]).await;
    assert_eq!((status, &answer["data"]["people"]["totalCount"]), (200, &json!(2)));
    let (status, answer, _) = get(&server, &[("documentId", &format!("sha256:{}", sha256_hex("other")))]).await;
    assert_eq!(status, 404, "{answer}");
    let (status, answer, _) = get(&server, &[("documentId", "sha256:abc")]).await;
    assert_eq!(status, 400, "{answer}");
}

#[rstest]
#[tokio::test]
async fn server_with_trusted_documents_executes_no_other_query(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::set(on, Settings { trusted_documents_only: true, ..Settings::default() }).await;
    server.import(PEOPLE).await.unwrap();
    let trusted = "query Trusted { people { nodes { slug } } }";
    let document = NewSavedQuery { document: trusted.to_owned(), title: Some("Trusted".to_owned()), ..NewSavedQuery::default() };
    let documents = [("0cc175b9c0f1b6a831c399e269772661".to_owned(), document)];
    assert_eq!(server.store.save_documents(&documents, "import").await.unwrap(), 1);
    assert_eq!(server.store.save_documents(&documents, "import").await.unwrap(), 0);
    let hash = sha256_hex(trusted);
    for id in ["0cc175b9c0f1b6a831c399e269772661", &hash, &format!("sha256:{hash}")] {
        let (status, answer, _) = get(&server, &[("documentId", id)]).await;
        assert_eq!((status, answer["data"]["people"]["nodes"].as_array().map(Vec::len)), (200, Some(2)), "{id} {answer}");
    }
    let (status, answer, _) = get(&server, &[("query", trusted)]).await;
    assert_eq!(status, 200, "{answer}");
    let (status, answer, _) = get(&server, &[("extensions", &persisted(&hash))]).await;
    assert_eq!(status, 200, "{answer}");
    let other = "{ people { nodes { name } } }";
    for path in ["graphql?", "table.csv?", "chart.svg?x=name&", "feed.atom?"] {
        let response = server.client.get(format!("{}/{path}", server.address)).query(&[("query", other)]).send().await.unwrap();
        assert_eq!(response.status(), 403, "{path}");
        assert!(response.text().await.unwrap().contains("trusted_documents_only"), "{path}");
    }
    let stream = server.client.post(format!("{}/graphql", server.address)).header("accept", "text/event-stream");
    let text = stream.json(&json!({"query": "subscription { changed { cursor } }"})).send().await.unwrap().text().await.unwrap();
    assert!(text.contains("trusted_documents_only"), "{text}");
    // editors can send any query, and a hash does not make a document trusted
    let editor = Asker::with_role(&server, Role::Editor).await;
    assert_eq!(editor.data(other).await["people"]["nodes"].as_array().map(Vec::len), Some(2));
    let (status, ..) = get(&server, &[("query", other), ("extensions", &persisted(&sha256_hex(other)))]).await;
    assert_eq!(status, 403);
}

/// The names of saved queries and the ids of manifests share one namespace: each leads to one query.
#[rstest]
#[tokio::test]
async fn name_and_id_of_a_manifest_do_not_lead_to_two_queries(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, PEOPLE).await;
    let reader = Asker::with_role(&server, Role::Reader).await;
    let document = |text: &str| NewSavedQuery { document: text.to_owned(), ..NewSavedQuery::default() };
    let id = "0cc175b9c0f1b6a831c399e269772661";
    server.store.save_documents(&[(id.to_owned(), document("{ people { totalCount } }"))], "import").await.unwrap();
    let payload = reader.payload(SAVE_WITH_ERRORS, json!({"query": "{ people { nodes { slug } } }", "name": id})).await;
    assert_eq!((&payload["savedQuery"], &payload["errors"][0]["code"]), (&Value::Null, &json!("TAKEN")), "{payload}");
    reader.done(SAVE, json!({"query": "{ people { nodes { slug } } }", "name": "named"})).await;
    let taken = server.store.save_documents(&[("named".to_owned(), document("{ people { totalCount } }"))], "import").await;
    assert!(taken.is_err());
    // the same query may have both
    let both = [("named".to_owned(), document("{ people { nodes { slug } } }"))];
    server.store.save_documents(&both, "import").await.unwrap();
    let (_, answer, _) = get(&server, &[("documentId", id)]).await;
    assert_eq!(answer["data"]["people"]["totalCount"], 2);
}

/// An editor who sends a query with its hash does not make it trusted.
#[tokio::test]
async fn persisted_query_of_an_editor_is_not_trusted() {
    let server = Server::set(On::Sqlite, Settings { trusted_documents_only: true, ..Settings::default() }).await;
    server.import(PEOPLE).await.unwrap();
    let editor = Asker::with_role(&server, Role::Editor).await;
    let query = "{ people { nodes { name } } }";
    let hash = sha256_hex(query);
    let body = json!({"query": query, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash}}});
    assert_eq!(editor.post(&body).await["data"]["people"]["nodes"].as_array().map(Vec::len), Some(2));
    let (status, ..) = get(&server, &[("extensions", &persisted(&hash))]).await;
    assert_eq!(status, 403);
    let (status, ..) = get(&server, &[("documentId", &format!("sha256:{hash}"))]).await;
    assert_eq!(status, 403);
}

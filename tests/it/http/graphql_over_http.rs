//! GraphQL over HTTP, and the web pages.

use kurultai::core::auth::Role;
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, ALLOW, CONTENT_TYPE};
use reqwest::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{Asker, On, Server, without_cost};

const RESPONSE: &str = "application/graphql-response+json";
const JSON: &str = "application/json";

/// Sends a body and returns the status code, the media type and the response.
async fn post(
    server: &Server,
    accept: Option<&str>,
    content_type: Option<&str>,
    body: impl Into<reqwest::Body>,
) -> (StatusCode, String, Value) {
    let mut request = server.client.post(format!("{}/graphql", server.address)).body(body);
    if let Some(accept) = accept {
        request = request.header(ACCEPT, accept);
    }
    if let Some(content_type) = content_type {
        request = request.header(CONTENT_TYPE, content_type);
    }
    parts(request.send().await.unwrap()).await
}

async fn parts(response: reqwest::Response) -> (StatusCode, String, Value) {
    let media = response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
    (response.status(), media, without_cost(response.json().await.unwrap()))
}

#[rstest]
#[case(None, "application/json; charset=utf-8")]
#[case(Some("*/*"), "application/json; charset=utf-8")]
#[case(Some(JSON), "application/json; charset=utf-8")]
#[case(Some(RESPONSE), "application/graphql-response+json; charset=utf-8")]
#[case(Some("application/json;q=0.5, application/graphql-response+json"), "application/graphql-response+json; charset=utf-8")]
#[case(Some("text/html, application/json;q=0.9, */*;q=0.1"), "application/json; charset=utf-8")]
#[tokio::test]
async fn media_type_is_negotiated_by_weight(#[case] accept: Option<&str>, #[case] expected: &str) {
    let server = Server::empty(On::Sqlite).await;
    let (status, media, answer) = post(&server, accept, Some(JSON), r#"{"query":"{ __typename }"}"#).await;
    assert_eq!((status, media.as_str()), (StatusCode::OK, expected));
    assert_eq!(answer, json!({"data": {"__typename": "Query"}}));
}

#[rstest]
// a malformed request is a 4xx with both media types
#[case(JSON, Some(JSON), "{", 400, "the body is not JSON: line 1, column 1")]
#[case(JSON, Some(JSON), "[]", 400, "one JSON object")]
#[case(JSON, Some(JSON), "{}", 400, "query must be a string")]
#[case(RESPONSE, Some(JSON), r#"{"query": 7}"#, 400, "query must be a string")]
#[case(JSON, Some(JSON), r#"{"query": "{__typename}", "variables": 7}"#, 400, "variables must be an object")]
#[case(JSON, Some(JSON), r#"{"query": "{__typename}", "operationName": 7}"#, 400, "operationName must be a string")]
#[case(JSON, Some(JSON), r#"{"query": "{__typename}", "extensions": 7}"#, 400, "extensions must be an object")]
#[case(JSON, Some("text/plain"), r#"{"query": "{__typename}"}"#, 415, "Content-Type: application/json")]
#[case(JSON, Some("application/x-www-form-urlencoded"), "query={__typename}", 415, "Content-Type: application/json")]
#[case(JSON, None, r#"{"query": "{__typename}"}"#, 415, "Content-Type: application/json")]
#[case("text/html", Some(JSON), r#"{"query": "{__typename}"}"#, 406, "accept one of them")]
// only the newer media type reports an invalid query by the status code
#[case(RESPONSE, Some(JSON), r#"{"query": "{"}"#, 400, "")]
#[case(JSON, Some(JSON), r#"{"query": "{"}"#, 200, "")]
#[case(RESPONSE, Some(JSON), r#"{"query": "{ nonsense }"}"#, 400, "nonsense")]
#[case(JSON, Some(JSON), r#"{"query": "{ nonsense }"}"#, 200, "nonsense")]
#[case(RESPONSE, Some(JSON), r#"{"query": "query A {__typename} query B {__typename}"}"#, 400, "")]
#[case(RESPONSE, Some(JSON), r#"{"query": "query($id: ID!) { node(id: $id) { id } }"}"#, 400, "id")]
#[tokio::test]
async fn bad_request_has_status_message_and_code_without_data(
    #[case] accept: &str,
    #[case] content_type: Option<&str>,
    #[case] body: &str,
    #[case] expected: u16,
    #[case] message: &str,
) {
    let server = Server::empty(On::Sqlite).await;
    let (status, _, answer) = post(&server, Some(accept), content_type, body.to_owned()).await;
    assert_eq!(status.as_u16(), expected, "{answer:#}");
    assert!(answer.get("data").is_none(), "{answer:#}");
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains(message), "{answer:#}");
    assert!(answer["errors"][0]["extensions"]["code"].is_string(), "{answer:#}");
}

#[rstest]
#[case("{", "GRAPHQL_PARSE_FAILED")]
#[case("{ nonsense }", "GRAPHQL_VALIDATION_FAILED")]
#[case("{ node(id: 1.5) { id } }", "GRAPHQL_VALIDATION_FAILED")]
#[tokio::test]
async fn query_errors_have_code_and_location(#[case] query: &str, #[case] code: &str) {
    let server = Server::empty(On::Sqlite).await;
    let answer = server.answer(query, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer:#}");
    assert!(answer["errors"][0]["locations"][0]["line"].is_number(), "{answer:#}");
}

#[tokio::test]
async fn duplicate_errors_are_reported_once() {
    let server = Server::empty(On::Sqlite).await;
    let answer = server.answer("mutation { x }", json!({})).await;
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1, "{answer:#}");
}

#[tokio::test]
async fn query_can_be_sent_in_the_url() {
    let server = Server::sample(On::Sqlite).await;
    let get = async |pairs: &[(&str, &str)]| {
        let mut url = reqwest::Url::parse(&format!("{}/graphql", server.address)).unwrap();
        url.query_pairs_mut().extend_pairs(pairs);
        server.client.get(url).header(ACCEPT, RESPONSE).send().await.unwrap()
    };
    let document = "query One($slug: String!) { person(by: {slug: $slug}) { slug } } query Two { __typename }";
    let (status, _, answer) =
        parts(get(&[("query", document), ("operationName", "One"), ("variables", r#"{"slug": "alnur-ilyashev"}"#)]).await).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({"data": {"person": {"slug": "alnur-ilyashev"}}})));
    let (_, _, answer) = parts(get(&[("query", document), ("operationName", "Two")]).await).await;
    assert_eq!(answer, json!({"data": {"__typename": "Query"}}));
    for pairs in [
        vec![("query", document), ("operationName", "Three")],
        vec![("query", "{__typename}"), ("variables", "{")],
        vec![],
        vec![("query", "{__typename}"), ("query", "{__typename}")],
    ] {
        let (status, _, answer) = parts(get(&pairs).await).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{pairs:?} {answer:#}");
        assert!(answer.get("data").is_none());
    }
    let rejected = get(&[("query", "mutation { x }")]).await;
    assert_eq!((rejected.status(), rejected.headers()[ALLOW].to_str().unwrap()), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
}

#[tokio::test]
async fn json_is_read_strictly_by_every_transport() {
    const FILTERED: &str = "query($f: PersonFilter, $ids: [ID!]! = []) { people(filter: $f) { totalCount } nodes(ids: $ids) { id } }";
    // variables, and the error
    let cases = [
        (r#"{"f": null, "f": {}}"#, "has the member \"f\" twice"),
        (r#"{"f": {"slug": {"eq": "a", "eq": "b"}}}"#, "has the member \"eq\" twice"),
        (r#"{"f": {"$serde_json::private::RawValue": "{\"slug\": {\"eq\": \"a\"}}"}}"#, "has no field $serde_json::private::RawValue"),
        (r#"{"f": {"$serde_json::private::RawValue": "x"}}"#, "has no field $serde_json::private::RawValue"),
        (r#"{"f": 1e400}"#, "has a number that is too large"),
        (r#"{"f": {"slug": {"eq": "\ud83d"}}}"#, "has one half of a surrogate pair"),
        (r#"{"f": {"slug": {"eq": "\ude00 \ud83d"}}}"#, "has one half of a surrogate pair"),
        (r#"{"ids": [18446744073709551617]}"#, "write the id in quotes"),
        (r#"{"ids": [9007199254740992.0]}"#, "write the id in quotes"),
    ];
    let server = Server::sample(On::Sqlite).await;
    let url = format!("{}/graphql", server.address);
    let editor = Asker::with_role(&server, Role::Editor).await;
    let mut failures = Vec::new();
    for (variables, expected) in cases {
        let body = format!("{{\"query\": {}, \"variables\": {variables}}}", json!(FILTERED));
        let (_, _, posted) = post(&server, Some(RESPONSE), Some(JSON), body.clone()).await;
        let request = server.client.get(&url).query(&[("query", FILTERED), ("variables", variables)]);
        let (_, _, got) = parts(request.header(ACCEPT, RESPONSE).send().await.unwrap()).await;
        let form = reqwest::multipart::Form::new().text("operations", body.clone()).text("map", "{}");
        let (_, uploaded) = editor.send(form).await;
        let streamed = server.client.post(&url).header(ACCEPT, "text/event-stream").header(CONTENT_TYPE, JSON).body(body);
        let streamed = streamed.send().await.unwrap().text().await.unwrap().replace("\\\"", "\"");
        for (transport, answer) in [("POST", posted), ("GET", got), ("multipart", uploaded)] {
            let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
            if !message.contains(expected) || answer.get("data").is_some() {
                failures.push(format!("{transport} {variables}: {answer}"));
            }
        }
        if !streamed.contains(expected) || streamed.contains("\"data\"") {
            failures.push(format!("SSE {variables}: {streamed}"));
        }
    }
    let bodies = [
        (
            r#"{"query": "{ __typename }", "query": "{ people { totalCount } }"}"#,
            "the body has the member \"query\" twice: line 1, column 35",
        ),
        (r#"{"query": "{ __typename }", "extensions": {"a": 1, "a": 1}}"#, "the body has the member \"a\" twice"),
        (r#"{"$serde_json::private::RawValue": "{\"query\": \"{ __typename }\"}"}"#, "query must be a string"),
        (r#"{"query": {"$serde_json::private::RawValue": "\"{ __typename }\""}}"#, "query must be a string"),
    ];
    for (body, expected) in bodies {
        let (_, _, answer) = post(&server, Some(RESPONSE), Some(JSON), body).await;
        if !answer["errors"][0]["message"].as_str().unwrap_or_default().contains(expected) {
            failures.push(format!("{body}: {answer}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    // an undeclared variable, which is ignored
    let raw = json!({"$serde_json::private::RawValue": r#"{"f": {"slug": {"eq": "nobody"}}}"#});
    let answer = server.answer(FILTERED, raw).await;
    assert!(answer["data"]["people"]["totalCount"].as_u64() > Some(0), "{answer}");
    // exact numbers and pairs of surrogates are valid
    for variables in [r#"{"ids": [18446744073709551615, 9007199254740991.0]}"#, r#"{"f": {"slug": {"eq": "\ud83d\ude00"}}}"#] {
        let body = format!("{{\"query\": {}, \"variables\": {variables}}}", json!(FILTERED));
        let (_, _, answer) = post(&server, Some(RESPONSE), Some(JSON), body).await;
        assert!(!answer.to_string().contains("in quotes") && answer["data"].is_object(), "{answer}");
    }
}

#[tokio::test]
async fn other_methods_are_rejected() {
    let server = Server::empty(On::Sqlite).await;
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let response = server.client.request(method, format!("{}/graphql", server.address)).send().await.unwrap();
        assert_eq!((response.status(), response.headers()[ALLOW].to_str().unwrap()), (StatusCode::METHOD_NOT_ALLOWED, "GET, POST"));
    }
}

#[tokio::test]
async fn too_long_body_is_rejected() {
    let server = Server::empty(On::Sqlite).await;
    let body = json!({"query": format!("{{ __typename }} #{}", " ".repeat(100_000))}).to_string();
    let (status, _, answer) = post(&server, None, Some(JSON), body).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("longer than 100000 bytes"));
}

#[tokio::test]
async fn depth_limit_rejects_deep_queries_but_not_introspection() {
    let server = Server::empty(On::Sqlite).await;
    let deep = format!("{{ case(by: {{slug: \"x\"}}) {{ {} slug {} }} }}", "court { cases { nodes {".repeat(8), "} } }".repeat(8));
    let (message, code) = server.error(&deep).await;
    assert_eq!(code, "LIMIT_EXCEEDED");
    assert!(message.contains("the limit is 20 (limits.depth)"), "{message}");
    let standard = format!("{{ __schema {{ types {{ fields {{ type {{ {} name {} }} }} }} }} }}", "ofType {".repeat(9), "}".repeat(9));
    assert!(server.data(&standard).await["__schema"]["types"].is_array());
}

#[tokio::test]
async fn text_language_is_argument_then_header_then_original() {
    let server = Server::with(On::Sqlite, "people:\n- {slug: a, name: {kk: Бақытжан, ru: Бакытжан}, biography: {en: A senator}}").await;
    let query = "{ person(by: {slug: \"a\"}) { own: name asked: name(lang: \"ru-KZ\") missing: name(lang: \"de\") names { lang text } biography } }";
    let ask = async |languages: &str| {
        let request =
            server.client.post(format!("{}/graphql", server.address)).header(ACCEPT_LANGUAGE, languages).json(&json!({"query": query}));
        parts(request.send().await.unwrap()).await.2["data"]["person"].clone()
    };
    assert_eq!(
        ask("").await,
        json!({"own": "Бақытжан", "asked": "Бакытжан", "missing": "Бақытжан", "names": [{"lang": "kk", "text": "Бақытжан"}, {"lang": "ru", "text": "Бакытжан"}], "biography": "A senator"})
    );
    let preferring = ask("fr, ru;q=0.8, en;q=0.5").await;
    assert_eq!((&preferring["own"], &preferring["missing"]), (&json!("Бакытжан"), &json!("Бакытжан")));
    let (message, _) = server.error("{ people { nodes { name(lang: \"not a tag\") } } }").await;
    assert!(message.contains("lang: \"not a tag\" is not a language tag"), "{message}");
}

#[rstest]
#[tokio::test]
async fn fields_are_in_query_order(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let query = "{ search(query: \"a\") { totalCount } z: __typename case(by: {slug: \"kazakhstan-v-ilyashev\"}) { slug court { name id } id parties { nodes { role id } } title } a: __typename people { totalCount } ...F } fragment F on Query { laws { totalCount } }";
    let text = server
        .client
        .post(format!("{}/graphql", server.address))
        .json(&json!({"query": query}))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let mut from = 0;
    for name in ["search", "z", "case", "slug", "court", "name", "id", "id", "parties", "nodes", "role", "title", "a", "people", "laws"] {
        let at = text[from..].find(&format!("\"{name}\":")).unwrap_or_else(|| panic!("{name} is missing or out of order in {text}"));
        from += at + name.len();
    }
}

#[tokio::test]
async fn server_is_live_and_ready() {
    let server = Server::empty(On::Sqlite).await;
    for (path, expected) in [("/healthz", "ok\n"), ("/readyz", "{\"ready\":true,")] {
        let response = server.client.get(format!("{}{path}", server.address)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert!(response.text().await.unwrap().starts_with(expected), "{path}");
    }
}

#[tokio::test]
async fn pages_and_schema_are_served_other_paths_are_404() {
    let server = Server::empty(On::Sqlite).await;
    let get = async |path: &str| {
        let response = server.client.get(format!("{}{path}", server.address)).send().await.unwrap();
        (response.status(), response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned(), response.text().await.unwrap())
    };
    for path in ["/", "/graphiql"] {
        let (status, media, text) = get(path).await;
        assert_eq!((status, media.as_str()), (StatusCode::OK, "text/html; charset=utf-8"));
        assert!(text.contains("Kurultai"), "{text}");
    }
    let (status, _, text) = get("/schema.graphql").await;
    assert_eq!((status, text), (StatusCode::OK, kurultai::graphql::engine::sdl().unwrap()));
    assert_eq!(get("/nothing").await.0, StatusCode::NOT_FOUND);
    assert_eq!(server.client.get(format!("{}/assets/../Cargo.toml", server.address)).send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn security_headers_are_set_but_not_on_304() {
    let server = Server::sample(On::Sqlite).await;
    let get = async |path: &str, tag: &str| {
        let request = server.client.get(format!("{}{path}", server.address)).header("if-none-match", tag);
        request.send().await.unwrap()
    };
    for (path, policy) in [
        ("/r/case/kazakhstan-v-ilyashev", "script-src 'self'"),
        ("/graphql?query=%7B__typename%7D", "default-src 'none'"),
        ("/table.csv?query=%7Bcases%7Bnodes%7Bid%7D%7D%7D", "default-src 'none'"),
    ] {
        let first = get(path, "").await;
        assert_eq!(first.headers()["x-content-type-options"], "nosniff", "{path}");
        let actual = first.headers()["content-security-policy"].to_str().unwrap();
        assert!(actual.contains(policy) && !actual.contains("unsafe-inline"), "{path}: {actual}");
        // headers of a 304 replace those of the cached response
        let second = get(path, first.headers()["etag"].to_str().unwrap()).await;
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED, "{path}");
        assert!(!second.headers().contains_key("content-security-policy"), "{path}");
    }
}

#[tokio::test]
async fn misspelled_url_parameters_are_rejected_and_others_ignored() {
    let server = Server::empty(On::Sqlite).await;
    for (name, status) in [("variable", 400), ("Variables", 400), ("operationname", 400), ("docId", 200), ("utm_source", 200), ("_", 200)] {
        let address = format!("{}/graphql?query=%7B__typename%7D", server.address);
        let response = server.client.get(address).query(&[(name, "{}")]).send().await.unwrap();
        let (is, text) = (response.status().as_u16(), response.text().await.unwrap());
        assert_eq!(is, status, "{name} {text}");
        assert!(status == 200 || text.contains("did you mean"), "{name} {text}");
    }
}

#[tokio::test]
async fn most_specific_range_of_accept_decides() {
    let server = Server::with(On::Sqlite, "people:\n- {slug: a, name: {en: A}}\n").await;
    for (path, accept, expected) in [
        ("graphql?query=%7B__typename%7D", "text/event-stream;q=0, application/json", JSON),
        ("graphql?query=%7B__typename%7D", "text/event-stream;q=0.5, application/json", JSON),
        ("graphql?query=%7B__typename%7D", "application/json, text/event-stream", JSON),
        ("graphql?query=%7B__typename%7D", "text/event-stream, application/json", "text/event-stream"),
        ("graphql?query=%7B__typename%7D", "text/event-stream, */*", "text/event-stream"),
        ("graphql?query=%7B__typename%7D", "application/json;q=0.5, text/event-stream", "text/event-stream"),
        ("graphql?query=%7B__typename%7D", "application/json;q=0, */*", RESPONSE),
        ("graphql?query=%7B__typename%7D", "*/*, application/graphql-response+json;q=0", JSON),
        ("graphql?query=%7B__typename%7D", "application/*", JSON),
        ("r/person/a", "*/*", "text/html"),
        ("r/person/a", "text/html;q=0, */*", "application/ld+json"),
        ("r/person/a", "application/json;q=0, */*;q=0.5", "text/html"),
        ("r/person/a", "application/ld+json;q=0, text/html;q=0.1, application/json", "text/html"),
        ("r/person/a", "application/ld+json, text/html;q=0.9", "application/ld+json"),
    ] {
        let response = server.client.get(format!("{}/{path}", server.address)).header(ACCEPT, accept).send().await.unwrap();
        let media = response.headers()[CONTENT_TYPE].to_str().unwrap();
        assert!(response.status() == StatusCode::OK && media.starts_with(expected), "{path} {accept}: {media}");
    }
    let none = server.client.get(format!("{}/graphql?query=%7B__typename%7D", server.address));
    assert_eq!(none.header(ACCEPT, "*/*;q=0").send().await.unwrap().status(), StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn malformed_handshake_is_rejected_in_our_words() {
    let server = Server::empty(On::Sqlite).await;
    let handshake = || server.client.get(format!("{}/graphql", server.address)).header("upgrade", "websocket");
    for (request, expected) in [
        (handshake(), "Connection: upgrade"),
        (handshake().header("connection", "upgrade").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="), "Sec-WebSocket-Version: 13"),
        (handshake().header("connection", "upgrade").header("sec-websocket-version", "13"), "Sec-WebSocket-Key"),
    ] {
        let (status, media, answer) = parts(request.send().await.unwrap()).await;
        assert_eq!((status, media.as_str()), (StatusCode::BAD_REQUEST, "application/json; charset=utf-8"));
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains(expected), "{answer:#}");
    }
}

#[tokio::test]
async fn malformed_upload_is_rejected_in_our_words() {
    let server = Server::empty(On::Sqlite).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let query = "mutation($input: ImportFileInput!) { importFile(input: $input) { created errors { message } } }";
    let null = json!({"query": query, "variables": {"input": {"file": null}}});
    let text = json!({"query": query, "operationName": null, "variables": {"input": {"file": "0"}, "other": null}});
    let name = json!({"query": "query($name: String!) { search(query: $name) { totalCount } }", "variables": {"name": null}});
    for (operations, map, status, expected) in [
        (&null, r#"{"0": [5]}"#, 400, "must be an array of paths"),
        (&null, r#"{"0": "variables.input.file"}"#, 400, "must be an array of paths"),
        (&null, r#"{"0": ["variables.input.file"], "1": ["variables.other"]}"#, 400, "map names the file \"1\""),
        (&null, r#"{"0": ["variables.nowhere"]}"#, 400, "the path \"variables.nowhere\", where"),
        (&null, r#"{"0": []}"#, 400, "must be an array of paths"),
        (&null, r#"{"0": ["variables/input/file"]}"#, 400, "the path \"variables/input/file\", where"),
        (&null, r#"{"0": ["variables..input.file"]}"#, 400, "a path begins with variables"),
        (&text, r#"{"0": ["operationName"]}"#, 400, "a path begins with variables"),
        (&null, r#"{"0": ["variables.input.file"]}"#, 200, ""),
        // a text is no file, whatever it is
        (&text, r#"{"0": ["variables.other"]}"#, 200, "a file must be a part of a multipart request"),
        // and a file is no text
        (&name, r#"{"0": ["variables.name"]}"#, 200, "a file is given where a value of type String is expected"),
    ] {
        let file = reqwest::multipart::Part::text("people: []").file_name("people.yaml");
        let form = reqwest::multipart::Form::new().text("operations", operations.to_string()).text("map", map).part("0", file);
        let (is, answer) = editor.send(form).await;
        let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(is == status && message.contains(expected) && message.is_empty() == expected.is_empty(), "{map} {is} {answer:#}");
    }
    let (_, token) = server.store.create_token("A", Role::Editor, None).await.unwrap();
    for (media, expected) in [("multipart/form-data", "must name its boundary"), ("multipart/form-data; boundary=x", "malformed")] {
        let request = server.client.post(format!("{}/graphql", server.address)).bearer_auth(&token).header(CONTENT_TYPE, media);
        let (status, _, answer) = parts(request.body("--x\r\n").send().await.unwrap()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains(expected), "{answer:#}");
    }
}

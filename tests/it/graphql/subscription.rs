//! Changes are followed as they happen, by WebSocket and by a stream of events: none is missed and none comes twice.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use kurultai::core::auth::Role;
use kurultai::graphql::limits::Limits;
use kurultai::http::RateLimits;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::server::{On, Server, Settings};

const ALL: &str = "subscription($since: String) { changed(since: $since) { cursor change { kind record { ... on Person { slug } } } } }";
/// Timeout for an expected message.
const LONG: Duration = Duration::from_secs(20);

/// A client of `graphql-transport-ws`.
struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn open(server: &Server) -> Self {
        Self::open_with(server, "graphql-transport-ws").await
    }

    async fn open_with(server: &Server, protocol: &str) -> Self {
        let mut request = format!("{}/graphql", server.address.replace("http", "ws")).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
        let socket = connect_async(request).await;
        // a server that rejects the protocol does not name it
        let socket = match socket {
            Ok((socket, _)) => socket,
            Err(error) => panic!("{error}"),
        };
        Self(socket)
    }

    /// Opens a connection and waits for its acknowledgement.
    async fn ready(server: &Server, payload: Value) -> Self {
        let mut client = Self::open(server).await;
        client.send(json!({"type": "connection_init", "payload": payload})).await;
        assert_eq!(client.receive().await, json!({"type": "connection_ack"}));
        client
    }

    async fn send(&mut self, message: Value) {
        self.0.send(Message::Text(message.to_string().into())).await.unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        self.send(json!({"id": id, "type": "subscribe", "payload": {"query": query, "variables": variables}})).await;
    }

    /// The next message other than a ping, or the code and reason of the close.
    async fn next(&mut self) -> Result<Value, (u16, String)> {
        let next = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                    Some(Ok(Message::Close(Some(frame)))) => return Err((frame.code.into(), frame.reason.to_string())),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => panic!("{other:?}"),
                }
            }
        };
        tokio::time::timeout(LONG, next).await.expect("nothing came")
    }

    async fn receive(&mut self) -> Value {
        self.next().await.unwrap()
    }

    /// The event of the next message; panics if it is not an event.
    async fn event(&mut self) -> Value {
        let mut message = self.receive().await;
        assert_eq!(message["type"], "next", "{message}");
        assert!(message["payload"].get("errors").is_none(), "{message}");
        message["payload"]["data"]["changed"].take()
    }

    /// Waits for a round trip, so that all earlier messages are processed.
    async fn settle(&mut self) {
        self.subscribe("settle", "{ __typename }", json!({})).await;
        assert_eq!(self.receive().await["id"], "settle");
        assert_eq!(self.receive().await["type"], "complete");
    }
}

fn person(slug: &str) -> String {
    format!("people:\n- {{slug: {slug}, name: {{en: {slug}}}}}\n")
}

fn slug(event: &Value) -> String {
    event["change"]["record"]["slug"].as_str().unwrap_or_else(|| panic!("{event}")).to_owned()
}

/// Waits until the server has this number of streams.
async fn until_open(server: &Server, count: usize) {
    for _ in 0..1_000 {
        if server.streams.open() == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} streams are open", server.streams.open());
}

#[rstest]
#[tokio::test]
async fn write_of_one_process_reaches_subscribers_of_another(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, &person("before")).await;
    let other = server.beside().await;
    let mut client = Client::ready(&other, json!({})).await;
    client.subscribe("1", ALL, json!({})).await;
    until_open(&other, 2).await;
    client.settle().await;
    server.import(&person("a")).await.unwrap();
    let event = client.event().await;
    assert_eq!((slug(&event).as_str(), &event["change"]["kind"]), ("a", &json!("CREATED")));
    // and subscribers of the same process
    server.import("people:\n- {slug: a, name: {en: A again}}").await.unwrap();
    assert_eq!(client.event().await["change"]["kind"], "UPDATED");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn reconnections_skip_and_repeat_no_event(#[values(On::Sqlite, On::Postgres)] on: On) {
    const COUNT: usize = 40;
    let server = Server::with(on, &person("before")).await;
    let other = server.beside().await;
    let start = server.data("{ changes { pageInfo { endCursor } } }").await["changes"]["pageInfo"]["endCursor"].clone();
    let writes = async {
        for number in 0..COUNT {
            server.import(&person(&format!("p{number}"))).await.unwrap();
        }
    };
    let follows = async {
        let (mut seen, mut cursor) = (Vec::new(), start);
        while seen.len() < COUNT {
            let mut client = Client::ready(&other, json!({})).await;
            client.subscribe("1", ALL, json!({"since": cursor})).await;
            for _ in 0..7.min(COUNT - seen.len()) {
                let event = client.event().await;
                cursor = event["cursor"].clone();
                seen.push(slug(&event));
            }
        }
        seen
    };
    let ((), seen) = tokio::join!(writes, follows);
    assert_eq!(seen, (0..COUNT).map(|number| format!("p{number}")).collect::<Vec<_>>());
}

#[rstest]
#[tokio::test]
async fn stream_contains_only_matching_changes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, &person("before")).await;
    let mut client = Client::ready(&server, json!({})).await;
    let shown = "{ change { kind record { id ... on Record { slug } } } }";
    for (id, arguments) in [
        ("types", "types: [LAW]"),
        ("filter", "filter: {law: {number: {eq: \"1\"}}}"),
        ("kinds", "types: [PERSON], filter: {kinds: [UPDATED]}"),
    ] {
        client.subscribe(id, &format!("subscription {{ changed({arguments}) {shown} }}"), json!({})).await;
    }
    until_open(&server, 4).await;
    let law = |slug: &str, number: &str| {
        format!("laws:\n- {{slug: {slug}, title: {{en: L}}, kind: law, status: in_force, number: \"{number}\"}}\n")
    };
    // each write reaches its subscribers before the next
    let mut told = Vec::new();
    for (text, count) in
        [(person("a"), 0), ("people:\n- {slug: a, name: {en: Other}}\n".to_owned(), 1), (law("one", "1"), 2), (law("two", "2"), 1)]
    {
        server.import(&text).await.unwrap();
        for _ in 0..count {
            let message = client.receive().await;
            let slug = message["payload"]["data"]["changed"]["change"]["record"]["slug"].as_str().unwrap_or_default().to_owned();
            told.push(format!("{} {slug}", message["id"].as_str().unwrap()));
        }
    }
    told.sort();
    assert_eq!(told, ["filter one", "kinds a", "types one", "types two"]);
    let wrong = "subscription { changed(filter: {records: [\"x\"]}) { cursor } }";
    client.send(json!({"id": "kinds", "type": "complete"})).await;
    client.subscribe("wrong", wrong, json!({})).await;
    let message = client.receive().await;
    assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("wrong")));
    assert!(message["payload"][0]["message"].as_str().unwrap().starts_with("filter.records[0]"), "{message}");
}

#[rstest]
#[tokio::test]
async fn stream_follows_the_role_until_the_token_is_revoked(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, &person("before")).await;
    let (_, token) = server.store.create_token("Aigerim", Role::Editor, None).await.unwrap();
    let mut reader = Client::ready(&server, json!({})).await;
    let mut editor = Client::ready(&server, json!({"Authorization": format!("Bearer {token}")})).await;
    reader.subscribe("1", ALL, json!({})).await;
    editor.subscribe("1", ALL, json!({})).await;
    until_open(&server, 4).await;
    reader.settle().await;
    editor.settle().await;
    server.import("people:\n- {slug: secret, name: {en: Secret}, published: false}").await.unwrap();
    assert_eq!(slug(&editor.event().await), "secret");
    server.import(&person("open")).await.unwrap();
    assert_eq!(slug(&editor.event().await), "open");
    assert_eq!(slug(&reader.event().await), "open");
    server.store.revoke_token("Aigerim").await.unwrap();
    server.import(&person("later")).await.unwrap();
    let message = editor.receive().await;
    assert_eq!((&message["type"], &message["payload"][0]["extensions"]["code"]), (&json!("error"), &json!("UNAUTHENTICATED")));
    assert_eq!(slug(&reader.event().await), "later");
}

#[tokio::test]
async fn websocket_executes_queries_and_mutations() {
    let server = Server::with(On::Sqlite, &person("a")).await;
    let (_, token) = server.store.create_token("A", Role::Editor, None).await.unwrap();
    let mut client = Client::ready(&server, json!({"authorization": format!("Bearer {token}")})).await;
    client.subscribe("q", "{ viewer { name } people { totalCount } }", json!({})).await;
    let data = json!({"viewer": {"name": "A"}, "people": {"totalCount": 1}});
    let cost = json!({"nodes": 20, "values": 2, "filterValues": 0, "scans": 1});
    let payload = json!({"data": data, "extensions": {"cost": cost}});
    assert_eq!(client.receive().await, json!({"id": "q", "type": "next", "payload": payload}));
    assert_eq!(client.receive().await, json!({"id": "q", "type": "complete"}));
    client.subscribe("q", "mutation { saveQuery(input: {query: \"{ __typename }\"}) { errors { message } } }", json!({})).await;
    assert_eq!(client.receive().await["payload"]["data"], json!({"saveQuery": {"errors": []}}));
    assert_eq!(client.receive().await["type"], "complete");
    client.subscribe("wrong", "{ nothing }", json!({})).await;
    let message = client.receive().await;
    assert_eq!((&message["type"], &message["payload"][0]["extensions"]["code"]), (&json!("error"), &json!("GRAPHQL_VALIDATION_FAILED")));
    client.send(json!({"type": "ping", "payload": {"a": 1}})).await;
    assert_eq!(client.receive().await, json!({"type": "pong", "payload": {"a": 1}}));
}

#[rstest]
#[case::no_json(&["x"], 4400)]
#[case::no_type(&["{}"], 4400)]
#[case::unknown_type(&[r#"{"type":"start"}"#], 4400)]
#[case::payload_no_object(&[r#"{"type":"connection_init","payload":1}"#], 4400)]
#[case::too_early(&[r#"{"type":"subscribe","id":"1","payload":{"query":"{ __typename }"}}"#], 4401)]
#[case::bad_token(&[r#"{"type":"connection_init","payload":{"Authorization":"Bearer x"}}"#], 4403)]
#[case::twice(&[r#"{"type":"connection_init"}"#, r#"{"type":"connection_init"}"#], 4429)]
#[case::no_id(&[r#"{"type":"connection_init"}"#, r#"{"type":"subscribe","payload":{"query":"{ __typename }"}}"#], 4400)]
#[case::no_query(&[r#"{"type":"connection_init"}"#, r#"{"type":"subscribe","id":"1","payload":{}}"#], 4400)]
#[case::same_id(&[
    r#"{"type":"connection_init"}"#,
    r#"{"type":"subscribe","id":"1","payload":{"query":"subscription { changed { cursor } }"}}"#,
    r#"{"type":"subscribe","id":"1","payload":{"query":"subscription { changed { cursor } }"}}"#,
], 4409)]
#[case::silent(&[], 4408)]
#[tokio::test]
async fn protocol_violation_closes_the_connection_with_its_code(#[case] messages: &[&str], #[case] code: u16) {
    let server = Server::empty(On::Sqlite).await;
    let mut client = Client::open(&server).await;
    for message in messages {
        client.0.send(Message::Text((*message).into())).await.unwrap();
    }
    loop {
        match client.next().await {
            Ok(message) => assert_eq!(message, json!({"type": "connection_ack"})),
            Err((closed, reason)) => {
                assert_eq!(closed, code, "{reason}");
                assert!(!reason.is_empty());
                break;
            }
        }
    }
    until_open(&server, 0).await;
}

#[tokio::test]
async fn message_is_read_as_strictly_as_a_body() {
    let server = Server::with(On::Sqlite, &person("a")).await;
    let subscribe = |payload: &str| format!(r#"{{"type":"subscribe","id":"1","payload":{payload}}}"#);
    let closing = [
        (subscribe(r#"{"query":"{ a }","query":"{ b }"}"#), "has the member \"query\" twice"),
        (subscribe(r#"{"query":"{ __typename }","variables":{"f":[{"a":1,"a":2}]}}"#), "has the member \"a\" twice"),
        (r#"{"type":"ping","type":"ping"}"#.to_owned(), "has the member \"type\" twice"),
        (r#"{"type":"ping","payload":{"a":1,"a":1}}"#.to_owned(), "has the member \"a\" twice"),
        (subscribe(r#"{"query":"{ __typename }","variables":{"f":1e400}}"#), "has a number that is too large"),
        (subscribe(r#"{"query":"\ud83d"}"#), "surrogate pair"),
        (subscribe(r#"{"$serde_json::private::RawValue":"{\"query\":\"{ __typename }\"}"}"#), "query must be a string"),
        (subscribe(r#"{"query":{"$serde_json::private::RawValue":"\"{ __typename }\""}}"#), "query must be a string"),
        (r#"{"type":"ping","payload":{"b":[{"$serde_json::private::RawValue":"2"}]}}"#.to_owned(), "a reserved name"),
        ("{".to_owned(), "the message is not JSON: line 1, column 1"),
    ];
    for (message, expected) in closing {
        let mut client = Client::ready(&server, json!({})).await;
        client.0.send(Message::Text(message.as_str().into())).await.unwrap();
        let (code, reason) = client.next().await.unwrap_err();
        assert!(code == 4400 && reason.contains(expected), "{message}: {code} {reason}");
    }
    // the key of a raw value is no field of a filter, and no token
    let raw = |text: &str| json!({"$serde_json::private::RawValue": text});
    let mut client = Client::open(&server).await;
    client.send(json!({"type": "connection_init", "payload": raw(r#"{"Authorization": "Bearer x"}"#)})).await;
    assert_eq!(client.next().await.unwrap_err().0, 4400);
    let mut client = Client::ready(&server, json!({})).await;
    client.send(json!({"type": "ping", "payload": {"a": 1}})).await;
    assert_eq!(client.receive().await, json!({"type": "pong", "payload": {"a": 1}}));
    let query = "query($f: PersonFilter) { people(filter: $f) { totalCount } }";
    client.subscribe("1", query, json!({"f": raw(r#"{"slug": {"eq": "a"}}"#)})).await;
    let answer = client.receive().await;
    let message = answer["payload"][0]["message"].as_str().unwrap_or_default();
    assert!(answer["type"] == "error" && message.contains("$serde_json::private::RawValue"), "{answer}");
}

#[tokio::test]
async fn completed_id_can_be_reused_at_once() {
    let server = Server::with(On::Sqlite, &person("a")).await;
    let mut client = Client::ready(&server, json!({})).await;
    for _ in 0..20 {
        client.subscribe("1", ALL, json!({})).await;
        client.send(json!({"id": "1", "type": "complete"})).await;
    }
    client.subscribe("1", "{ __typename }", json!({})).await;
    // no message of an earlier operation
    assert_eq!(client.receive().await["payload"]["data"], json!({"__typename": "Query"}));
    assert_eq!(client.receive().await, json!({"id": "1", "type": "complete"}));
    until_open(&server, 1).await;
}

#[tokio::test]
async fn websocket_runs_stored_documents() {
    let server = Server::with(On::Sqlite, &person("a")).await;
    let mut client = Client::ready(&server, json!({})).await;
    let hash = "0".repeat(64);
    let extensions = json!({"persistedQuery": {"version": 1, "sha256Hash": hash}});
    let payloads = [
        (json!({"query": null, "documentId": "none", "variables": null, "extensions": null}), "BAD_REQUEST"),
        (json!({"extensions": extensions}), "PERSISTED_QUERY_NOT_FOUND"),
        (json!({"query": "{ nothing }", "operationName": null}), "GRAPHQL_VALIDATION_FAILED"),
    ];
    for (payload, code) in payloads {
        client.send(json!({"id": "1", "type": "subscribe", "payload": payload})).await;
        let message = client.receive().await;
        assert_eq!((&message["type"], &message["payload"][0]["extensions"]["code"]), (&json!("error"), &json!(code)), "{message}");
    }
}

#[tokio::test]
async fn result_over_websocket_is_written_in_query_order() {
    let server = Server::with(On::Sqlite, &person("a")).await;
    let mut client = Client::ready(&server, json!({})).await;
    client.subscribe("1", "{ z: people { totalCount } a: __typename b: node(id: \"x\") { id } }", json!({})).await;
    let Some(Ok(Message::Text(text))) = client.0.next().await else { panic!("no text") };
    assert!(text.contains(r#""data":{"z":{"totalCount":1},"a":"Query","b":null}"#), "{text}");
    assert!(text.contains(r#""path":["b"]"#), "{text}");
}

#[tokio::test]
async fn long_replay_does_not_delay_other_operations() {
    const COUNT: usize = 200;
    let name = "x".repeat(2_000);
    let people: String = (0..COUNT).map(|number| format!("- {{slug: p{number}, name: {{en: {name}}}}}\n")).collect();
    let server = Server::with(On::Sqlite, &format!("people:\n{}{people}", "- {slug: first, name: {en: First}}\n")).await;
    let first = server.data("{ changes(first: 1) { pageInfo { endCursor } } }").await;
    // more data than the buffers of the connection take
    let fields: String = (0..40).map(|number| format!("c{number}: changes {{ new }} ")).collect();
    let query = format!("subscription($since: String) {{ changed(since: $since) {{ change {{ {fields} }} }} }}");
    let mut client = Client::ready(&server, json!({})).await;
    client.subscribe("replay", &query, json!({"since": first["changes"]["pageInfo"]["endCursor"]})).await;
    assert_eq!(client.receive().await["id"], "replay");
    client.subscribe("query", "{ __typename }", json!({})).await;
    let mut events = 1;
    while client.receive().await["id"] == "replay" {
        events += 1;
    }
    assert!(events < COUNT, "the query waited for the whole replay");
}

#[rstest]
// as the Python client gql sends them
#[case("graphql-ws, graphql-transport-ws", "graphql-ws", "start", "data")]
#[case("other,graphql-transport-ws,graphql-ws", "graphql-transport-ws", "subscribe", "next")]
#[tokio::test]
async fn handshake_selects_the_first_known_protocol(
    #[case] offered: &str,
    #[case] selected: &str,
    #[case] start: &str,
    #[case] next: &str,
) {
    let server = Server::empty(On::Sqlite).await;
    let mut request = format!("{}/graphql", server.address.replace("http", "ws")).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", offered.parse().unwrap());
    let (socket, response) = connect_async(request).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], selected);
    let mut client = Client(socket);
    client.send(json!({"type": "connection_init"})).await;
    assert_eq!(client.receive().await, json!({"type": "connection_ack"}));
    client.send(json!({"type": start, "id": "1", "payload": {"query": "{ __typename }"}})).await;
    assert_eq!(client.receive().await["type"], next);
}

#[tokio::test]
async fn old_protocol_executes_and_resumes() {
    let server = Server::with(On::Sqlite, &person("before")).await;
    let start = server.data("{ changes { pageInfo { endCursor } } }").await["changes"]["pageInfo"]["endCursor"].clone();
    server.import(&person("a")).await.unwrap();
    let (_, token) = server.store.create_token("A", Role::Editor, None).await.unwrap();
    let mut client = Client::open_with(&server, "graphql-ws").await;
    client.send(json!({"type": "connection_init", "payload": {"Authorization": format!("Bearer {token}")}})).await;
    assert_eq!(client.receive().await, json!({"type": "connection_ack"}));
    client.send(json!({"type": "start", "id": "1", "payload": {"query": ALL, "variables": {"since": start}}})).await;
    let mut message = client.receive().await;
    assert_eq!((&message["type"], &message["id"]), (&json!("data"), &json!("1")));
    assert_eq!(slug(&message["payload"]["data"]["changed"].take()), "a");
    client.send(json!({"type": "stop", "id": "1"})).await;
    assert_eq!(client.receive().await, json!({"type": "complete", "id": "1"}));
    client.send(json!({"type": "start", "id": "2", "payload": {"query": "{ viewer { name } }"}})).await;
    assert_eq!(client.receive().await["payload"]["data"], json!({"viewer": {"name": "A"}}));
    assert_eq!(client.receive().await["type"], "complete");
    client.send(json!({"type": "start", "id": "3", "payload": {"query": "{ nothing }"}})).await;
    let message = client.receive().await;
    assert_eq!(message["payload"]["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{message}");
    assert_eq!(client.receive().await["type"], "complete");
    client.send(json!({"type": "connection_terminate"})).await;
    assert_eq!(client.next().await.unwrap_err().0, 1000);
    until_open(&server, 0).await;
}

#[rstest]
#[case::bad_token(&[r#"{"type":"connection_init","payload":{"Authorization":"Bearer x"}}"#], 4403)]
#[case::too_early(&[r#"{"type":"start","id":"1","payload":{"query":"{ __typename }"}}"#], 4401)]
#[case::same_id(&[
    r#"{"type":"connection_init"}"#,
    r#"{"type":"start","id":"1","payload":{"query":"subscription { changed { cursor } }"}}"#,
    r#"{"type":"start","id":"1","payload":{"query":"subscription { changed { cursor } }"}}"#,
], 4409)]
#[case::other_protocol(&[r#"{"type":"subscribe","id":"1","payload":{"query":"{ __typename }"}}"#], 4400)]
#[case::silent(&[], 4408)]
#[tokio::test]
async fn violation_of_the_old_protocol_closes_the_connection(#[case] messages: &[&str], #[case] code: u16) {
    let server = Server::empty(On::Sqlite).await;
    let mut client = Client::open_with(&server, "graphql-ws").await;
    for message in messages {
        client.0.send(Message::Text((*message).into())).await.unwrap();
    }
    let closed = loop {
        match client.next().await {
            Ok(message) => assert!(["connection_ack", "connection_error"].iter().any(|ty| message["type"] == *ty), "{message}"),
            Err((closed, _)) => break closed,
        }
    };
    assert_eq!(closed, code);
    until_open(&server, 0).await;
}

#[tokio::test]
async fn unknown_protocol_and_long_message_close_the_connection() {
    let server = Server::empty(On::Sqlite).await;
    let mut request = format!("{}/graphql", server.address.replace("http", "ws")).into_client_request().unwrap();
    // a client that asks for no protocol
    request.headers_mut().remove("sec-websocket-protocol");
    let mut client = Client(connect_async(request).await.unwrap().0);
    assert_eq!(client.next().await.unwrap_err().0, 4406);
    for (message, code) in [
        (Message::Text(json!({"type": "ping", "payload": {"x": "x".repeat(200_000)}}).to_string().into()), 4400),
        (Message::Binary(vec![1].into()), 4400),
        (
            Message::Text(json!({"type": "subscribe", "id": "x".repeat(201), "payload": {"query": "{ __typename }"}}).to_string().into()),
            4400,
        ),
    ] {
        let mut client = Client::ready(&server, json!({})).await;
        client.0.send(message).await.unwrap();
        assert_eq!(client.next().await.unwrap_err().0, code);
    }
}

#[tokio::test]
async fn subscription_over_json_names_the_streaming_transports() {
    let server = Server::empty(On::Sqlite).await;
    let (message, _) = server.error("subscription { changed { cursor } }").await;
    assert!(message.contains("text/event-stream") && message.contains("graphql-transport-ws"), "{message}");
}

#[tokio::test]
async fn stream_beyond_the_maximum_is_rejected() {
    let server = Server::empty(On::Sqlite).await;
    let mut client = Client::ready(&server, json!({})).await;
    for id in ["1", "2", "3", "4"] {
        client.subscribe(id, "subscription { changed { cursor } }", json!({})).await;
    }
    let message = client.receive().await;
    assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("4")), "{message}");
    assert!(message["payload"][0]["message"].as_str().unwrap().contains("3 operations"));
    let mut more = Vec::new();
    until_open(&server, 4).await;
    for _ in 0..6 {
        more.push(Client::ready(&server, json!({})).await);
    }
    let refused = stream(&server, "subscription { changed { cursor } }", &[]).await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key(RETRY_AFTER));
    drop(client);
    until_open(&server, 6).await;
    assert_eq!(stream(&server, "subscription { changed { cursor } }", &[]).await.status(), 200);
}

async fn stream(server: &Server, query: &str, headers: &[(&str, &str)]) -> reqwest::Response {
    let mut request = server.client.post(format!("{}/graphql", server.address)).header(ACCEPT, "text/event-stream");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.json(&json!({"query": query})).send().await.unwrap()
}

/// Reads events until the stream ends or the count is reached.
async fn events(response: &mut reqwest::Response, count: usize) -> Vec<(String, Option<String>, String)> {
    let (mut text, mut events) = (String::new(), Vec::new());
    while events.len() < count {
        let Some(chunk) = tokio::time::timeout(LONG, response.chunk()).await.expect("nothing came").unwrap() else { break };
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        while let Some((event, rest)) = text.split_once("\n\n") {
            let member =
                |name: &str| event.lines().find_map(|line| line.strip_prefix(&format!("{name}:"))).map(|value| value.trim().to_owned());
            if let Some(ty) = member("event") {
                events.push((ty, member("id"), member("data").unwrap_or_default()));
            }
            text = rest.to_owned();
        }
    }
    events
}

#[rstest]
#[tokio::test]
async fn event_stream_resumes_after_last_event_id(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, &person("before")).await;
    let query = "subscription { changed { change { record { ... on Person { slug } } } } }";
    let mut response = stream(&server, query, &[]).await;
    assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
    server.import(&person("a")).await.unwrap();
    let (ty, id, data) = events(&mut response, 1).await.remove(0);
    assert_eq!((ty.as_str(), data.as_str()), ("next", r#"{"data":{"changed":{"change":{"record":{"slug":"a"}}}}}"#));
    drop(response);
    server.import(&person("b")).await.unwrap();
    server.import(&person("c")).await.unwrap();
    let mut response = stream(&server, query, &[("last-event-id", &id.unwrap())]).await;
    let told: Vec<String> = events(&mut response, 2).await.into_iter().map(|(_, _, data)| data).collect();
    assert!(told[0].contains("\"b\"") && told[1].contains("\"c\""), "{told:?}");
}

#[tokio::test]
async fn finished_operation_completes_the_stream() {
    let server = Server::with(On::Sqlite, &person("a")).await;
    for (query, part) in [("{ people { totalCount } }", "\"totalCount\":1"), ("{ nothing }", "GRAPHQL_VALIDATION_FAILED")] {
        let told = events(&mut stream(&server, query, &[]).await, 3).await;
        assert_eq!(told.len(), 2);
        assert!(told[0].0 == "next" && told[0].2.contains(part), "{told:?}");
        assert_eq!(told[1].0, "complete");
    }
    let rejected = stream(&server, "{ __typename }", &[(AUTHORIZATION.as_str(), "Bearer x")]).await;
    assert_eq!(rejected.status(), 401);
}

#[tokio::test]
async fn client_that_does_not_read_is_disconnected() {
    let name = "x".repeat(2_000);
    let people: String = (0..200).map(|number| format!("- {{slug: p{number}, name: {{en: {name}}}}}\n")).collect();
    let server = Server::with(On::Sqlite, &format!("people:\n{}{people}", "- {slug: first, name: {en: First}}\n")).await;
    let first = server.data("{ changes(first: 1) { pageInfo { endCursor } } }").await;
    let fields: String = (0..80).map(|number| format!("c{number}: changes {{ new }} ")).collect();
    let since = first["changes"]["pageInfo"]["endCursor"].as_str().unwrap();
    let query = format!("subscription {{ changed(since: \"{since}\") {{ change {{ {fields} }} }} }}");
    // the response is held but not read: more data than the buffers take
    let response = stream(&server, &query, &[]).await;
    until_open(&server, 0).await;
    drop(response);
    let mut client = Client::ready(&server, json!({})).await;
    client.subscribe("1", &query, json!({})).await;
    until_open(&server, 0).await;
}

#[tokio::test]
async fn shutdown_ends_all_streams() {
    let server = Server::with(On::Sqlite, &person("a")).await;
    let mut client = Client::ready(&server, json!({})).await;
    client.subscribe("1", ALL, json!({})).await;
    let mut response = stream(&server, "subscription { changed { cursor } }", &[]).await;
    until_open(&server, 3).await;
    server.streams.stop();
    assert_eq!(client.next().await.unwrap_err().0, 1001);
    // the stream does not complete, so the client reconnects and resumes
    assert_eq!(events(&mut response, 1).await, []);
    tokio::time::timeout(LONG, server.streams.wait_until_closed()).await.expect("streams are open still");
    assert_eq!(stream(&server, "subscription { changed { cursor } }", &[]).await.status(), 503);
}

#[rstest]
#[tokio::test]
async fn empty_cursor_starts_the_stream_now(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, &person("before")).await;
    let start = server.data("{ changes { pageInfo { endCursor } } }").await["changes"]["pageInfo"]["endCursor"].to_string();
    server.import(&person("missed")).await.unwrap();
    let query =
        |since: &str| format!("subscription {{ changed(since: {since}) {{ change {{ record {{ ... on Person {{ slug }} }} }} }} }}");
    let mut socket = Client::ready(&server, json!({})).await;
    socket.subscribe("1", ALL, json!({"since": ""})).await;
    let mut now = stream(&server, &query("\"\""), &[("last-event-id", "")]).await;
    // without an event, the stream resumes from the argument
    let mut since = stream(&server, &query(&start), &[("last-event-id", "")]).await;
    until_open(&server, 4).await;
    socket.settle().await;
    assert!(events(&mut since, 1).await[0].2.contains("\"missed\""));
    server.import(&person("new")).await.unwrap();
    assert_eq!(slug(&socket.event().await), "new");
    assert!(events(&mut now, 1).await[0].2.contains("\"new\""));
}

#[tokio::test]
async fn empty_operation_name_selects_the_only_operation() {
    let server = Server::with(On::Sqlite, &person("a")).await;
    let mut client = Client::ready(&server, json!({})).await;
    let payload = json!({"query": "query Only { people { totalCount } }", "operationName": ""});
    client.send(json!({"id": "1", "type": "subscribe", "payload": payload})).await;
    assert_eq!(client.receive().await["payload"]["data"], json!({"people": {"totalCount": 1}}));
}

#[tokio::test]
async fn reason_of_a_close_says_what_would_be_right() {
    let server = Server::empty(On::Sqlite).await;
    let init = r#"{"type":"connection_init"}"#;
    for (message, expected) in [
        ("x", "the message is not JSON: line 1, column 1"),
        ("5", "a message must be a JSON object with type"),
        (r#"["ping",null,null]"#, "a message must be a JSON object with type"),
        ("{}", "a message must be a JSON object with type"),
        (r#"{"type":5}"#, "type must be a string"),
        (r#"{"type":"subscribe","id":5,"payload":{"query":"{ __typename }"}}"#, "id must be a string"),
        (r#"{"type":"ping","type":"ping"}"#, "the message has the member \"type\" twice: line 1, column"),
        (
            r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }","query":"{ b }"}}"#,
            "the message has the member \"query\" twice: line 1, column",
        ),
    ] {
        let mut client = Client::open(&server).await;
        for text in [init, message] {
            client.0.send(Message::Text(text.into())).await.unwrap();
        }
        let closed = loop {
            if let Err(closed) = client.next().await {
                break closed;
            }
        };
        assert!(closed.0 == 4400 && closed.1.starts_with(expected), "{message} {closed:?}");
    }
}

/// Changes of as many records.
async fn with_backlog(settings: Settings, count: usize) -> Server {
    let server = Server::set(On::Sqlite, settings).await;
    let biography = "word ".repeat(100);
    let people: String =
        (0..count).map(|index| format!("\n- {{slug: p{index}, name: {{en: P}}, biography: {{en: \"{biography}\"}}}}")).collect();
    server.import(&format!("people:{people}")).await.unwrap();
    server
}

#[tokio::test]
async fn subscription_passes_the_limits_of_a_page_of_its_events() {
    let server = with_backlog(Settings { limits: Limits::default(), ..Settings::default() }, 3).await;
    let below =
        "record { ... on Person { memberships(first: 100) { nodes { organization { memberships(first: 100) { nodes { id } } } } } } }";
    let texts: String = (0..97).map(|index| format!("b{index}: biography ")).collect();
    let texts = format!("record {{ ... on Person {{ memberships(first: 50) {{ nodes {{ person {{ {texts} }} }} }} }} }}");
    let ids: Vec<String> = (0..200).map(|index| format!("\"s{index}\"")).collect();
    let many: String = (0..20).map(|_| format!("{{slug: {{in: [{}]}}}} ", ids.join(" "))).collect();
    let mut client = Client::ready(&server, json!({})).await;
    for (limit, query) in [
        ("nodes", format!("subscription {{ changed {{ change {{ {below} }} }} }}")),
        ("response_values", format!("subscription {{ changed {{ change {{ {texts} }} }} }}")),
        ("filter_values", format!("subscription {{ changed(filter: {{person: {{or: [{many}]}}}}) {{ cursor }} }}")),
    ] {
        client.subscribe("1", &query, json!({})).await;
        let message = client.receive().await;
        assert_eq!((&message["type"], &message["payload"][0]["extensions"]["limit"]), (&json!("error"), &json!(limit)), "{message}");
        let stream = server.client.post(format!("{}/graphql", server.address)).header("accept", "text/event-stream");
        let text = stream.json(&json!({"query": query})).send().await.unwrap().text().await.unwrap();
        assert!(text.contains(&format!("\"limit\":\"{limit}\"")), "{text}");
    }
}

#[tokio::test]
async fn events_are_paid_for_as_they_are_read() {
    let rate = RateLimits { points_per_address: 150, points_per_token: 0, trusted_proxies: Vec::new() };
    let server = with_backlog(Settings { rate, ..Settings::default() }, 120).await;
    let start = server.data("{ changes(first: 1) { pageInfo { endCursor } } }").await["changes"]["pageInfo"]["endCursor"].clone();
    let events = "subscription($since: String!) { changed(since: $since) { cursor change { kind } } }";
    let mut client = Client::ready(&server, json!({})).await;
    client.subscribe("cheap", events, json!({"since": start})).await;
    for _ in 0..119 {
        client.event().await;
    }
    // a page of these events costs more than an hour of points
    let dear = "subscription($since: String!) { changed(since: $since) { change { record { ... on Person { memberships(first: 100) { nodes { id person { memberships(first: 100) { nodes { id } } } } } } } } } }";
    client.subscribe("dear", dear, json!({"since": start})).await;
    let silent = tokio::time::timeout(Duration::from_millis(500), client.0.next()).await;
    assert!(silent.is_err(), "{silent:?}");
    assert_eq!(server.streams.open(), 3);
    // the client has spent its points on the stream
    let other = server
        .client
        .post(format!("{}/graphql", server.address))
        .json(&json!({"query": "{ cases(first: 100) { nodes { parties(first: 100) { nodes { id } } } } }"}));
    assert_eq!(other.send().await.unwrap().status(), 429);
}

#[tokio::test]
async fn event_that_becomes_too_large_ends_the_stream() {
    let limits = Limits { response_bytes: 10_000, ..Limits::default() };
    let server = with_backlog(Settings { limits, ..Settings::default() }, 2).await;
    let start = server.data("{ changes(first: 1) { pageInfo { endCursor } } }").await["changes"]["pageInfo"]["endCursor"].clone();
    let texts: String = (0..40).map(|index| format!("b{index}: biography ")).collect();
    let query =
        format!("subscription($since: String!) {{ changed(since: $since) {{ change {{ record {{ ... on Person {{ {texts} }} }} }} }} }}");
    let mut client = Client::ready(&server, json!({})).await;
    client.subscribe("1", &query, json!({"since": start})).await;
    let message = client.receive().await;
    assert_eq!((&message["type"], &message["payload"][0]["extensions"]["limit"]), (&json!("error"), &json!("response_bytes")), "{message}");
}

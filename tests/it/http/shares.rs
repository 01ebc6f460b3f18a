//! One client cannot take the places of others, and readers cannot take those of editors.

use std::time::Duration;

use kurultai::core::auth::Role;
use kurultai::http::{RateLimits, Shares};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONNECTION, RETRY_AFTER, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use reqwest::{RequestBuilder, Response};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::server::{On, Server, Settings};

/// Upper bound for what must not wait for anything.
const PROMPT: Duration = Duration::from_secs(8);
const FIRST: &str = "198.51.100.1";
const SECOND: &str = "198.51.100.2";
const SUBSCRIPTION: &str = "subscription { changed { cursor } }";

/// A server with the default shares, which trusts the addresses that the test states.
async fn server(on: On) -> Server {
    Server::set(on, settings()).await
}

fn settings() -> Settings {
    let rate = RateLimits { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..RateLimits::default() };
    Settings { rate, shares: Shares::default(), ..Settings::default() }
}

/// A request of a client with this address.
fn from(request: RequestBuilder, address: &str) -> RequestBuilder {
    request.header("x-forwarded-for", address)
}

async fn subscribe(server: &Server, address: &str) -> Response {
    let request = server.client.post(format!("{}/graphql", server.address)).header(ACCEPT, "text/event-stream");
    from(request, address).json(&json!({"query": SUBSCRIPTION})).send().await.unwrap()
}

#[tokio::test]
async fn client_holds_no_more_than_its_share_of_streams() {
    let server = server(On::Sqlite).await;
    // two of ten
    let held = [subscribe(&server, FIRST).await, subscribe(&server, FIRST).await];
    assert!(held.iter().all(|response| response.status() == 200));
    let handshake = from(server.client.get(format!("{}/graphql", server.address)), FIRST)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, "AAAAAAAAAAAAAAAAAAAAAA==")
        .send();
    for rejected in [subscribe(&server, FIRST).await, handshake.await.unwrap()] {
        assert_eq!(rejected.status(), 429);
        assert!(rejected.headers().contains_key(RETRY_AFTER));
        let body: Value = rejected.json().await.unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "RATE_LIMITED", "{body}");
        assert!(body["errors"][0]["message"].as_str().unwrap().contains("shares.client_percent"), "{body}");
    }
    assert_eq!(subscribe(&server, SECOND).await.status(), 200);
    // clients of one IPv6 network are one client
    let network =
        [subscribe(&server, "2001:db8::1").await, subscribe(&server, "2001:db8::2").await, subscribe(&server, "2001:db8::3").await];
    assert_eq!(network.map(|response| response.status().as_u16()), [200, 200, 429]);
    drop(held);
    while subscribe(&server, FIRST).await.status() != 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The path of a table that is larger than all buffers between the database and a client.
fn large_table() -> String {
    let columns: String = (0..30).map(|number| format!("b{number}: biography ")).collect();
    let query =
        format!("{{ people {{ nodes {{ slug {columns} memberships {{ nodes {{ role }} }} statements {{ nodes {{ slug }} }} }} }} }}");
    format!("/table.csv?query={}", url::form_urlencoded::byte_serialize(query.as_bytes()).collect::<String>())
}

fn people() -> String {
    let biography = "word ".repeat(20);
    let people: String =
        (0..2_000).map(|index| format!("\n- {{slug: p{index}, name: {{en: P}}, biography: {{en: \"{biography}\"}}}}")).collect();
    format!("people:{people}")
}

/// Requests a table and reads its status only, over a connection that buffers little.
async fn hold_table(address: String, client: &'static str) -> (TcpStream, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    let mut stream = socket.connect(address.trim_start_matches("http://").parse().unwrap()).await.unwrap();
    let head = format!("GET {} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\n\r\n", large_table());
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    (stream, String::from_utf8_lossy(&status).into_owned())
}

#[rstest]
#[tokio::test]
async fn tables_that_are_not_read_delay_no_other_client(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = server(on).await;
    server.import(&people()).await.unwrap();
    let (_, token) = server.store.create_token("editor", Role::Editor, None).await.unwrap();
    let held = tokio::time::timeout(PROMPT, hold_table(server.address.clone(), FIRST)).await.expect("the first table waits");
    // one of two places: the next table of this client waits for its own
    let mut next = tokio::spawn(hold_table(server.address.clone(), FIRST));
    let other = tokio::time::timeout(PROMPT, hold_table(server.address.clone(), SECOND)).await.expect("another client waits");
    assert_eq!((held.1.as_str(), other.1.as_str()), ("HTTP/1.1 200", "HTTP/1.1 200"));
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut next).await.is_err());
    // all places of readers are taken: editors have their own, and tokens are looked up at once
    let small = "/table.csv?query=%7Bpeople(first:1)%7Bnodes%7Bslug%7D%7D%7D";
    for path in [small, "/graphql?query=%7Bviewer%7Bname%7D%7D", "/graphql?query=%7Bpeople%7BtotalCount%7D%7D"] {
        let request = server.client.get(format!("{}{path}", server.address)).header(AUTHORIZATION, format!("Bearer {token}"));
        let response = tokio::time::timeout(PROMPT, from(request, FIRST).send()).await.expect("an editor waits").unwrap();
        assert_eq!(response.status(), 200, "{path}: {}", response.text().await.unwrap());
    }
    drop(held);
    let next = tokio::time::timeout(PROMPT, next).await.expect("the place was not given back").unwrap();
    assert_eq!(next.1, "HTTP/1.1 200");
    drop(other);
}

#[tokio::test]
async fn tables_that_are_abandoned_at_once_give_their_places_back() {
    let server = server(On::Sqlite).await;
    server.import(&people()).await.unwrap();
    let (_, token) = server.store.create_token("editor", Role::Editor, None).await.unwrap();
    let large = large_table();
    for number in 0..7 {
        let request = from(server.client.get(format!("{}{large}", server.address)), &format!("198.51.100.{number}"));
        drop(tokio::time::timeout(Duration::from_millis(30), request.send()).await);
    }
    let request = server.client.get(format!("{}/graphql?query=%7Bviewer%7Bname%7D%7D", server.address));
    let response = tokio::time::timeout(PROMPT, request.header(AUTHORIZATION, format!("Bearer {token}")).send()).await;
    assert_eq!(response.expect("a token waits for tables").unwrap().status(), 200);
    let table = tokio::time::timeout(PROMPT, hold_table(server.address.clone(), SECOND)).await;
    assert_eq!(table.expect("the places were not given back").1, "HTTP/1.1 200");
}

#[tokio::test]
async fn readiness_and_schema_are_metered_and_liveness_is_not() {
    let rate = RateLimits { points_per_address: 4, ..RateLimits::default() };
    let server = Server::set(On::Sqlite, Settings { rate, ..Settings::default() }).await;
    let status = async |path: &str| server.client.get(format!("{}{path}", server.address)).send().await.unwrap();
    for path in ["/readyz", "/schema.graphql", "/readyz", "/schema.graphql"] {
        assert_eq!(status(path).await.status(), 200, "{path}");
    }
    for path in ["/readyz", "/schema.graphql"] {
        let rejected = status(path).await;
        assert_eq!(rejected.status(), 429, "{path}");
        assert!(rejected.headers().contains_key(RETRY_AFTER));
    }
    assert_eq!(status("/healthz").await.status(), 200);
}

#[rstest]
#[case("text/event-stream")]
#[case("application/json")]
#[tokio::test]
async fn overload_is_a_status_with_retry_after_for_every_transport(#[case] accept: &str) {
    let server =
        Server::set(On::Sqlite, Settings { rate: RateLimits { points_per_address: 1, ..RateLimits::default() }, ..Settings::default() })
            .await;
    let ask = async || {
        let request = server.client.post(format!("{}/graphql", server.address)).header(ACCEPT, accept);
        request
            .json(&json!({"query": "{ people(first: 100) { nodes { memberships(first: 10) { nodes { role } } } } }"}))
            .send()
            .await
            .unwrap()
    };
    // the request itself has a point, its records have none
    let rejected = ask().await;
    assert_eq!(rejected.status(), 429, "{accept}");
    assert!(rejected.headers().contains_key(RETRY_AFTER));
}

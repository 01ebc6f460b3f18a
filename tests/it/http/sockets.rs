//! Clients that do not read, and clients that open more connections than they may.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Request;
use kurultai::http::{Shares, Timeouts};
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::server::{On, Server, Settings};

/// Upper bound for what must not wait for a client that does not read.
const PROMPT: Duration = Duration::from_secs(10);
/// Receive buffer of a client that does not read: the rest of a response waits on the server.
const RECEIVE_BUFFER_BYTES: u32 = 16 << 10;

/// A query whose response has about 6 MB.
fn large_query() -> String {
    let fields: String = (0..60).map(|number| format!("b{number}: biography ")).collect();
    format!("{{ person(by: {{slug: \"p\"}}) {{ {fields} }} people {{ nodes {{ {fields} }} }} }}")
}

async fn server(connections: u32, shares: Shares) -> Server {
    let timeouts = Timeouts { send_seconds: 1, ..Timeouts::default() };
    let server = Server::set(On::Sqlite, Settings { timeouts, shares, connections, ..Settings::default() }).await;
    let biography = "word ".repeat(10_000);
    server.import(&format!("people:\n- {{slug: p, name: {{en: P}}, biography: {{en: \"{biography}\"}}}}")).await.unwrap();
    server
}

fn encoded(query: &str) -> String {
    url::form_urlencoded::byte_serialize(query.as_bytes()).collect()
}

/// A connection from this address of the loopback network, with a small buffer.
async fn connect(server: &Server, last: u8) -> TcpStream {
    let address: SocketAddr = server.address.trim_start_matches("http://").parse().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES).unwrap();
    socket.bind(([127, 0, 0, last], 0).into()).unwrap();
    socket.connect(address).await.unwrap()
}

/// Requests a large response.
async fn request(stream: &mut TcpStream, path: &str) {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: identity\r\n\r\n").as_bytes()).await.unwrap();
}

async fn assert_alive(server: &Server) {
    let client = reqwest::Client::new();
    let response = tokio::time::timeout(PROMPT, client.get(format!("{}/healthz", server.address)).send()).await;
    assert_eq!(response.expect("/healthz does not respond").unwrap().status(), StatusCode::OK);
}

#[rstest]
#[case(25)]
#[case(100)]
#[tokio::test]
async fn sockets_that_do_not_read_never_silence_the_server(#[case] client_percent: u32) {
    let server = server(5, Shares { client_percent, ..Shares::default() }).await;
    let path = format!("/graphql?query={}", encoded(&large_query()));
    let mut sockets = Vec::new();
    for _ in 0..5 {
        let mut stream = connect(&server, 2).await;
        request(&mut stream, &path).await;
        sockets.push(stream);
    }
    assert_alive(&server).await;
    // a slow client holds its connection for a second; afterwards there are places for all
    tokio::time::sleep(Duration::from_secs(3)).await;
    for _ in 0..5 {
        assert_alive(&server).await;
    }
}

#[tokio::test]
async fn address_with_its_share_of_connections_is_rejected() {
    let server = server(8, Shares::default()).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(connect(&server, 2).await);
    }
    let mut third = connect(&server, 2).await;
    request(&mut third, "/healthz").await;
    let mut response = String::new();
    tokio::time::timeout(PROMPT, third.read_to_string(&mut response)).await.expect("the connection is not closed").unwrap();
    assert!(response.starts_with("HTTP/1.1 503") && response.contains("Retry-After: "), "{response}");
    let body: serde_json::Value = serde_json::from_str(response.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert!(body["errors"][0]["message"].as_str().unwrap().contains("shares.client_percent"), "{body}");
    assert_alive(&server).await;
    drop(held);
}

#[rstest]
#[case::json("/graphql")]
#[case::table("/table.csv")]
#[tokio::test]
async fn client_that_does_not_read_is_disconnected(#[case] endpoint: &str) {
    let server = server(10, Shares::default()).await;
    let query = if endpoint == "/graphql" {
        large_query()
    } else {
        large_query().split_once(" people").map(|(_, list)| format!("{{ people{list}")).unwrap()
    };
    let mut stream = connect(&server, 2).await;
    request(&mut stream, &format!("{endpoint}?query={}", encoded(&query))).await;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    tokio::time::sleep(Duration::from_secs(4)).await;
    // what the buffers hold, and then the end or a reset, long before the response is complete
    let (mut received, mut buffer) = (0, vec![0; 64 << 10]);
    let drained = async {
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            received += count;
        }
    };
    tokio::time::timeout(PROMPT, drained).await.expect("the connection is open still");
    assert!(received < 2_500_000, "{received}");
    // a client that reads gets all of it
    let response = server.client.get(format!("{}{endpoint}?query={}", server.address, encoded(&query))).send().await.unwrap();
    assert!(response.bytes().await.unwrap().len() > 2_900_000);
}

#[tokio::test]
async fn http2_stream_that_is_not_read_ends_its_connection() {
    let server = server(10, Shares::default()).await;
    let address = server.address.trim_start_matches("http://");
    let query = encoded(&large_query());
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = || Request::get(format!("{}/graphql?query={query}", server.address)).body(()).unwrap();
    let (response, _) = client.send_request(request(), true).unwrap();
    // the body is held: the window of the stream is never extended
    let held = response.await.unwrap();
    assert_eq!(held.status().as_u16(), 200);
    let ended = tokio::time::timeout(PROMPT, connection).await.expect("the connection is open still");
    drop((ended, held));
    // a client that refuses even the first byte, many times over one connection
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::Builder::new().initial_window_size(0).handshake::<_, Bytes>(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut held = Vec::new();
    for _ in 0..20 {
        // the connection may end before all requests are sent
        let Ok(mut ready) = client.clone().ready().await else { break };
        let Ok((response, _)) = ready.send_request(request(), true) else { break };
        let Ok(response) = response.await else { break };
        held.push(response);
    }
    assert!(!held.is_empty());
    let ended = tokio::time::timeout(PROMPT, connection).await.expect("the connection is open still");
    drop((ended, held));
    assert_alive(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rapid_reset_of_requests_delays_no_other_client() {
    let server = server(10, Shares::default()).await;
    let address = server.address.trim_start_matches("http://");
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let query = encoded(&large_query());
    for _ in 0..2_000 {
        let Ok(mut client) = client.clone().ready().await else { break };
        let request = Request::get(format!("{}/graphql?query={query}", server.address)).body(()).unwrap();
        let Ok((response, mut stream)) = client.send_request(request, true) else { break };
        stream.send_reset(h2::Reason::CANCEL);
        drop(response);
    }
    assert_alive(&server).await;
    drop(client);
    drop(tokio::time::timeout(PROMPT, connection).await);
    assert_alive(&server).await;
}

#[tokio::test]
async fn long_request_head_is_rejected_before_it_is_parsed() {
    let server = server(10, Shares::default()).await;
    let languages = (0..40_000).map(|number| format!("x{number}-a-b")).collect::<Vec<_>>().join("-");
    let client = reqwest::Client::new();
    let request = client.post(format!("{}/graphql", server.address)).header("accept-language", languages);
    // the server may close the connection before it has read all of the head
    if let Ok(response) = request.json(&json!({"query": "{ __typename }"})).send().await {
        assert_eq!(response.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    let languages = vec!["q"; 20_000].join(",");
    let request = client.post(format!("{}/graphql", server.address)).header("accept-language", languages);
    let response = request.json(&json!({"query": "{ __typename }"})).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

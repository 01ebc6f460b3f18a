//! URLs: percent-encoding, slashes at the end, and browsers that open the endpoint.

use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION, VARY};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::server::{On, Server};

const ONE: &str = "people:\n- {slug: a, name: {en: A}}";
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

/// A client that does not follow redirects.
fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

async fn get(server: &Server, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = client().get(format!("{}{path}", server.address));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

fn location(response: &Response) -> &str {
    response.headers()[LOCATION].to_str().unwrap()
}

#[rstest]
#[tokio::test]
async fn url_that_is_not_utf8_is_rejected_everywhere(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, ONE).await;
    let paths = [
        "/graphql?query=%7B__typename%7D%23X",
        "/graphql?query=%7B__typename%7D&variables=%7B%22a%22:%22X%22%7D",
        "/graphql?query=%7B__typename%7D&X=1",
        "/graphql/?query=%7B__typename%7D%23X",
        "/table.csv?query=%7Bpeople%7Bnodes%7Bslug%7D%7D%7D&rows=X",
        "/table.X?query=%7B__typename%7D",
        "/chart.svg?query=%7B__typename%7D&x=a&title=X",
        "/feed.atom?saved=X",
        "/r/person/X",
        "/r/X",
        "/r/person/a?lang=X",
        "/schema.graphql?types=X",
        "/schema/changes.json?X",
        "/assets/X",
        "/?X",
        "/graphiql?query=X",
        "/nothing/X",
    ];
    for (wrong, message) in [
        ("%ff", "\"%ff\", which is not UTF-8"),
        ("ok%C3%28", "\"%C3\", which is not UTF-8"),
        ("%ED%A0%80", "\"%ED\", which is not UTF-8"),
        ("%zz", "\"%zz\", which is not a percent-encoded byte"),
        ("100%", "not a percent-encoded byte"),
        ("a%00b", "U+0000"),
    ] {
        for path in paths {
            let path = path.replace('X', wrong);
            let response = get(&server, &path, &[]).await;
            assert_eq!(response.status(), 400, "{path}");
            let answer: Value = response.json().await.unwrap();
            let actual = answer["errors"][0]["message"].as_str().unwrap();
            assert!(actual.contains(message), "{path}: {actual}");
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_REQUEST", "{path}: {answer}");
        }
    }
    // text in any script, and a percent sign that is encoded
    let rejected = get(&server, "/graphql?query=%7Bsearch(query:%22%D0%B0%20100%25%20+%22)%7BtotalCount%7D%7D", &[]).await;
    assert_eq!(rejected.status(), 200);
    assert_eq!(rejected.json::<Value>().await.unwrap()["data"]["search"]["totalCount"], 0);
}

#[rstest]
#[tokio::test]
async fn trailing_slash_redirects_with_the_query_string(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, ONE).await;
    for path in [
        "/graphql",
        "/graphiql",
        "/schema.graphql",
        "/schema/changes.json",
        "/schema/changes.atom",
        "/table.csv",
        "/chart.svg",
        "/feed.atom",
        "/r/a",
        "/r/person/a",
        "/healthz",
        "/readyz",
        "/assets/record.css",
        "/favicon.svg",
    ] {
        for method in [Method::GET, Method::HEAD, Method::POST] {
            let request = client().request(method.clone(), format!("{}{path}/?query=%7B__typename%7D&a=%2F", server.address));
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 308, "{method} {path}");
            assert_eq!(location(&response), format!("{path}?query=%7B__typename%7D&a=%2F"), "{method}");
        }
    }
    assert_eq!(location(&get(&server, "/graphql///", &[]).await), "/graphql");
    // never to another host
    for path in ["//other.example/", "/\\other.example/", "///"] {
        let response = get(&server, path, &[]).await;
        assert!(response.headers().get(LOCATION).is_none_or(|location| location.as_bytes()[1..].first() != Some(&b'/')), "{path}");
        assert_ne!(response.status(), 308, "{path}");
    }
    assert_eq!(get(&server, "/", &[]).await.status(), 200);
    // the redirect keeps the method and the body
    let request = server.client.post(format!("{}/graphql/", server.address)).json(&json!({"query": "{ people { totalCount } }"}));
    assert_eq!(request.send().await.unwrap().json::<Value>().await.unwrap()["data"], json!({"people": {"totalCount": 1}}));
    let page = server.client.get(format!("{}/r/person/a/", server.address)).send().await.unwrap();
    assert_eq!((page.status().as_u16(), page.url().path()), (200, "/r/person/a"));
}

#[rstest]
#[case("/graphql", BROWSER, Some("/graphiql"))]
#[case("/graphql?utm_source=mail", BROWSER, Some("/graphiql?utm_source=mail"))]
#[case("/graphql", "text/html", Some("/graphiql"))]
#[case("/graphql", "text/html, */*", Some("/graphiql"))]
#[case("/graphql", "application/json;q=0.5, text/html", Some("/graphiql"))]
#[case("/graphql", "application/json, text/html", None)]
#[case("/graphql", "application/graphql-response+json, text/html;q=0.9", None)]
#[case("/graphql", "*/*, text/html;q=0.1", None)]
#[case("/graphql", "*/*", None)]
#[case("/graphql", "application/json", None)]
#[case("/graphql", "text/html;q=0", None)]
#[tokio::test]
async fn browser_that_opens_the_endpoint_gets_graphiql(#[case] path: &str, #[case] accept: &str, #[case] expected: Option<&str>) {
    let server = Server::empty(On::Sqlite).await;
    let response = get(&server, path, &[(ACCEPT.as_str(), accept)]).await;
    assert!(response.headers()[VARY].to_str().unwrap().contains("Accept"), "{accept}");
    if let Some(expected) = expected {
        assert_eq!((response.status().as_u16(), location(&response)), (303, expected), "{accept}");
    } else {
        assert!(response.headers().get(LOCATION).is_none(), "{accept}");
        assert!(response.json::<Value>().await.unwrap()["errors"][0]["message"].is_string(), "{accept}");
    }
}

#[rstest]
#[tokio::test]
async fn browser_with_a_query_gets_json(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, ONE).await;
    let response = get(&server, "/graphql?query=%7Bpeople%7BtotalCount%7D%7D", &[(ACCEPT.as_str(), BROWSER)]).await;
    assert_eq!(response.status(), 200);
    assert!(response.headers()[CONTENT_TYPE].to_str().unwrap().starts_with("application/json"));
    assert_eq!(response.json::<Value>().await.unwrap()["data"], json!({"people": {"totalCount": 1}}));
    let saved = get(&server, "/graphql?documentId=missing", &[(ACCEPT.as_str(), BROWSER)]).await;
    assert_eq!(saved.status(), 404);
}

#[rstest]
#[tokio::test]
async fn offer_of_another_protocol_is_ignored(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, ONE).await;
    let (url, query) = (format!("{}/graphql", server.address), "{ people { totalCount } }");
    for protocol in ["h2c", "HTTP/3.0", "h2c, TLS/1.2", "IRC/6.9"] {
        let offering = |request: reqwest::RequestBuilder| {
            request
                .header("upgrade", protocol)
                .header("connection", "Upgrade, HTTP2-Settings")
                .header("http2-settings", "AAMAAABkAAQAoAAAAAIAAAAA")
        };
        for request in [server.client.get(&url).query(&[("query", query)]), server.client.post(&url).json(&json!({"query": query}))] {
            let response = offering(request).send().await.unwrap();
            assert_eq!(response.status(), 200, "{protocol}");
            assert_eq!(response.json::<Value>().await.unwrap()["data"], json!({"people": {"totalCount": 1}}), "{protocol}");
        }
    }
    // the handshake of a WebSocket without its key
    for protocol in ["websocket", "WebSocket"] {
        let request = server.client.get(&url).query(&[("query", query)]).header("upgrade", protocol).header("connection", "upgrade");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400, "{protocol}");
        assert!(response.text().await.unwrap().to_lowercase().contains("sec-websocket"), "{protocol}");
    }
}

/// Sends bytes to a server and returns the beginning of its response.
async fn raw_response(server: &Server, request: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(server.address.trim_start_matches("http://")).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.unwrap();
    String::from_utf8_lossy(&response).into_owned()
}

#[rstest]
#[case::one("HTTP/1.1", "Host: a.example\r\n", 200, "")]
#[case::port("HTTP/1.1", "Host: a.example:8080\r\n", 200, "")]
#[case::address("HTTP/1.1", "Host: [::1]:8080\r\n", 200, "")]
#[case::none("HTTP/1.1", "", 400, "the header Host is missing")]
#[case::two("HTTP/1.1", "Host: a.example\r\nHost: b.example\r\n", 400, "several Host headers")]
#[case::same("HTTP/1.1", "Host: a.example\r\nHost: a.example\r\n", 400, "several Host headers")]
#[case::empty("HTTP/1.1", "Host:\r\n", 400, "not the name of a host")]
#[case::path("HTTP/1.1", "Host: a.example/b\r\n", 400, "not the name of a host")]
#[case::credentials("HTTP/1.1", "Host: a@b.example\r\n", 400, "not the name of a host")]
#[case::old("HTTP/1.0", "", 200, "")]
#[tokio::test]
async fn request_names_one_host(#[case] version: &str, #[case] hosts: &str, #[case] status: u16, #[case] message: &str) {
    let server = Server::empty(On::Sqlite).await;
    for path in ["/healthz", "/graphql?query=%7B__typename%7D", "/feed.atom"] {
        let response = raw_response(&server, &format!("GET {path} {version}\r\n{hosts}Connection: close\r\n\r\n")).await;
        assert!(response.starts_with(&format!("{version} {status}")) && response.contains(message), "{path} {response}");
    }
}

/// With HTTP/2, `:authority` names the host; a request can also have a header `Host`, or neither.
#[rstest]
#[case::authority("http://a.example/healthz", None, 200)]
#[case::credentials("http://user@a.example/healthz", None, 400)]
#[case::host("/healthz", Some("a.example"), 200)]
#[case::neither("/healthz", None, 400)]
#[tokio::test]
async fn http2_request_names_a_host(#[case] uri: &str, #[case] host: Option<&str>, #[case] status: u16) {
    let server = Server::empty(On::Sqlite).await;
    let stream = tokio::net::TcpStream::connect(server.address.trim_start_matches("http://")).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut request = axum::http::Request::get(uri);
    if let Some(host) = host {
        request = request.header("host", host);
    }
    let (response, _) = client.send_request(request.body(()).unwrap(), true).unwrap();
    // hyper itself resets a stream whose authority is not valid
    let found = response.await.map_or(400, |response| response.status().as_u16());
    assert_eq!(found, status);
    connection.abort();
}

#[tokio::test]
async fn response_that_depends_on_the_scheme_varies_by_it() {
    let server = Server::with(On::Sqlite, ONE).await;
    for path in ["/feed.atom", "/r/person/a", "/schema/changes.atom"] {
        let response = get(&server, path, &[("x-forwarded-proto", "https")]).await;
        let vary = response.headers()[VARY].to_str().unwrap().to_lowercase();
        assert!(vary.contains("x-forwarded-proto"), "{path} {vary}");
    }
}

#[rstest]
#[case("%00", "U+0000")]
#[case("%1B", "U+001B")]
#[case("%C2%92", "U+0092")]
#[case("%EF%BF%BF", "U+FFFF")]
#[tokio::test]
async fn url_with_a_control_character_is_refused(#[case] escape: &str, #[case] expected: &str) {
    let server = Server::with(On::Sqlite, ONE).await;
    for path in ["/r/person/a", "/table.csv?query=", "/feed.atom?saved=", "/chart.svg?title=", "/graphql?operationName="] {
        let response = get(&server, &format!("{path}{escape}"), &[]).await;
        assert_eq!(response.status(), 400, "{path}");
        assert!(response.text().await.unwrap().contains(expected), "{path}");
    }
}

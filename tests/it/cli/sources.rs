//! `kurultai sources check`: dead pages are found, archived copies proposed, and private addresses never requested.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, USER_AGENT};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use rstest::rstest;
use serde_json::{Value, json};

use crate::cli::command::{kurultai, run};
use crate::server::{On, Server};

/// The requests that a web server received: method, path, user agent, and when.
type Log = Arc<Mutex<Vec<(Method, String, String, Instant)>>>;

async fn respond(State(log): State<Log>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let agent = headers.get(USER_AGENT).map_or("", |agent| agent.to_str().unwrap()).to_owned();
    log.lock().unwrap().push((method.clone(), uri.path().to_owned(), agent, Instant::now()));
    let html = |text: &str| ([(CONTENT_TYPE, "text/html; charset=utf-8")], text.to_owned()).into_response();
    match uri.path() {
        "/alive" => html("<h1>News</h1><p>The court <b>ruled</b> on&nbsp;Monday.</p>"),
        "/moved" => (StatusCode::MOVED_PERMANENTLY, [(LOCATION, "/alive")]).into_response(),
        // a server that does not know HEAD
        "/get-only" if method == Method::HEAD => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        "/get-only" => html("here"),
        "/loop" => (StatusCode::FOUND, [(LOCATION, "/loop")]).into_response(),
        "/broken" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        "/metadata" => (StatusCode::FOUND, [(LOCATION, "http://169.254.169.254/latest/meta-data")]).into_response(),
        "/archive" => {
            let Query(parameters) = Query::<std::collections::HashMap<String, String>>::try_from_uri(&uri).unwrap();
            let closest = json!({"available": true, "url": format!("https://web.archive.org/web/2020/{}", parameters["url"])});
            let snapshots = if parameters["url"].ends_with("/gone") { json!({"closest": closest}) } else { json!({}) };
            axum::Json(json!({"archived_snapshots": snapshots})).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn web_server() -> (String, Log) {
    let log = Log::default();
    let router = Router::new().fallback(respond).with_state(log.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, log)
}

fn sources(web: &str, pages: &[&str]) -> String {
    let mut text = "sources:\n".to_owned();
    for page in pages {
        writeln!(text, "- {{slug: {page}, title: {{en: {page}}}, kind: article, url: \"{web}/{page}\"}}").unwrap();
    }
    text
}

/// Runs the check and returns its result as JSON.
async fn check(server: &Server, web: &str, more: &[&str]) -> Value {
    let api = format!("{web}/archive");
    let common = ["sources", "check", "--database-url", &server.database.url, "--json", "--archive-api", &api];
    let command = kurultai(&[&common, more].concat());
    let (ok, output, error) = tokio::task::spawn_blocking(|| run(command)).await.unwrap();
    assert!(ok, "{output}{error}");
    serde_json::from_str(&output).unwrap_or_else(|_| panic!("{output}{error}"))
}

fn result<'r>(report: &'r Value, slug: &str) -> &'r Value {
    report["sources"].as_array().unwrap().iter().find(|source| source["slug"] == slug).unwrap_or_else(|| panic!("{slug}: {report:#}"))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn dead_pages_are_stored_with_a_proposed_copy(#[values(On::Sqlite, On::Postgres)] on: On) {
    let (web, log) = web_server().await;
    let pages = ["alive", "moved", "get-only", "gone", "never", "loop", "broken"];
    let cited = "people:\n- slug: anna\n  name: {en: Anna}\n  citations:\n  - {source: alive, quote: \"The court ruled … on Monday\"}\n  - {key: b, source: alive, quote: The court did not rule}\n";
    let server = Server::with_system_clock(on, &(sources(&web, &pages) + cited)).await;
    let report = check(&server, &web, &["--allow-private", "--delay", "0"]).await;
    for (slug, status, reason) in [
        ("alive", "found", "200 OK"),
        ("moved", "found", "200 OK"),
        ("get-only", "found", "200 OK"),
        ("gone", "dead", "404 Not Found"),
        ("never", "dead", "404 Not Found"),
        ("loop", "unknown", "more than 10 redirects"),
        ("broken", "unknown", "500 Internal Server Error"),
    ] {
        let found = result(&report, slug);
        assert_eq!((&found["status"], &found["reason"]), (&json!(status), &json!(reason)), "{report:#}");
    }
    assert_eq!((&report["checked"], &report["found"], &report["dead"], &report["unknown"]), (&json!(7), &json!(3), &json!(2), &json!(2)));
    assert_eq!(result(&report, "gone")["archivedUrl"], format!("https://web.archive.org/web/2020/{web}/gone"));
    assert_eq!(result(&report, "never")["archivedUrl"], Value::Null);
    let quotes = json!([
        {"quote": "The court did not rule", "found": false}, {"quote": "The court ruled … on Monday", "found": true},
    ]);
    assert_eq!(result(&report, "alive")["quotes"], quotes);

    // polite: a name, HEAD first, and GET only if needed
    let requests = log.lock().unwrap().clone();
    assert!(requests.iter().all(|(_, _, agent, _)| agent.starts_with("kurultai/")), "{requests:?}");
    let of = |path: &str| requests.iter().filter(|(_, of, ..)| of == path).map(|(method, ..)| method.as_str()).collect::<Vec<_>>();
    assert_eq!((of("/get-only"), of("/moved")), (vec!["HEAD", "GET"], vec!["HEAD"]));

    // the results are stored, and what was checked is not due again
    let dead = "{ sources(filter: {urlStatus: {eq: DEAD}}) { nodes { slug } } }";
    assert_eq!(server.data(dead).await["sources"]["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(check(&server, &web, &["--allow-private", "--delay", "0"]).await["checked"], 0);
    assert_eq!(check(&server, &web, &["--allow-private", "--delay", "0", "--max-age", "0", "--limit", "2"]).await["checked"], 2);
    let text = kurultai(&[
        "sources",
        "check",
        "--database-url",
        &server.database.url,
        "--allow-private",
        "--delay",
        "0",
        "--max-age",
        "0",
        "--archive-api",
        &format!("{web}/archive"),
    ]);
    let (ok, output, error) = tokio::task::spawn_blocking(|| run(text)).await.unwrap();
    assert!(ok && output.contains("Sources checked: 7; 3 found, 2 dead, 2 unknown. Quotes: 1 found, 1 missing"), "{output}{error}");
    assert!(
        output.contains("quote missing  alive") && output.contains("404 Not Found; archived copy: https://web.archive.org/"),
        "{output}"
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_are_never_requested(#[values(On::Sqlite, On::Postgres)] on: On) {
    let (web, log) = web_server().await;
    let port = web.rsplit(':').next().unwrap();
    let hosts = ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433", "0.0.0.0", "10.0.0.1", "169.254.169.254"];
    let mut text = "sources:\n".to_owned();
    for (index, host) in hosts.iter().enumerate() {
        writeln!(text, "- {{slug: s{index}, title: {{en: S}}, kind: article, url: \"http://{host}:{port}/alive\"}}").unwrap();
    }
    let server = Server::with_system_clock(on, &text).await;
    let report = check(&server, &web, &["--delay", "0"]).await;
    for (index, host) in hosts.iter().enumerate() {
        let found = result(&report, &format!("s{index}"));
        assert_eq!(found["status"], "unknown", "{host}: {found:#}");
        assert!(found["reason"].as_str().unwrap().contains("is an address of a private network"), "{host}: {found:#}");
    }
    assert!(log.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_to_one_host_keep_their_distance() {
    let (web, log) = web_server().await;
    let server = Server::with_system_clock(On::Sqlite, &sources(&web, &["alive", "moved", "get-only"])).await;
    check(&server, &web, &["--allow-private", "--delay", "200"]).await;
    let times: Vec<Instant> = log.lock().unwrap().iter().map(|(.., at)| *at).collect();
    assert_eq!(times.len(), 5);
    // a redirect is a request of its own
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_millis(190)), "{times:?}");
}

//! Authentication with tokens, and the commands that manage them.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Duration;

use kurultai::core::auth::Role;
use kurultai::core::clock::Clock;
use reqwest::header::{AUTHORIZATION, CACHE_CONTROL, VARY, WWW_AUTHENTICATE};
use reqwest::{Response, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{On, Server, TestDatabase};

const VIEWER: &str = "{ viewer { __typename name role expiresAt } }";

async fn post(server: &Server, authorization: &str) -> Response {
    let request = server.client.post(format!("{}/graphql", server.address)).header(AUTHORIZATION, authorization);
    request.json(&json!({"query": VIEWER})).send().await.unwrap()
}

async fn get(server: &Server, authorization: &str) -> Response {
    let mut url = reqwest::Url::parse(&format!("{}/graphql", server.address)).unwrap();
    url.query_pairs_mut().append_pair("query", VIEWER);
    server.client.get(url).header(AUTHORIZATION, authorization).send().await.unwrap()
}

/// The message of a 401 response, after its status, headers and error code are checked.
async fn unauthenticated_message(response: Response) -> String {
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(response.headers()[WWW_AUTHENTICATE].to_str().unwrap().starts_with("Bearer"));
    assert_eq!(response.headers()[CACHE_CONTROL], "private, no-store");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{body:#}");
    assert!(body.get("data").is_none(), "{body:#}");
    body["errors"][0]["message"].as_str().unwrap().to_owned()
}

#[rstest]
#[tokio::test]
async fn token_authenticates_get_and_post_requests(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    assert_eq!(server.data(VIEWER).await["viewer"], json!({"__typename": "Viewer", "name": null, "role": "READER", "expiresAt": null}));
    let expires = "2026-06-01T00:00:00Z".parse().unwrap();
    let (_, editor) = server.store.create_token("Aigerim", Role::Editor, Some(expires)).await.unwrap();
    let (_, admin) = server.store.create_token("Timur", Role::Admin, None).await.unwrap();
    for (authorization, expected) in [
        (
            format!("Bearer {editor}"),
            json!({"__typename": "Viewer", "name": "Aigerim", "role": "EDITOR", "expiresAt": "2026-06-01T00:00:00.000000Z"}),
        ),
        (format!("bearer  {admin}"), json!({"__typename": "Viewer", "name": "Timur", "role": "ADMIN", "expiresAt": null})),
    ] {
        for response in [post(&server, &authorization).await, get(&server, &authorization).await] {
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(response.headers()[CACHE_CONTROL], "private, no-store");
            assert!(response.headers()[VARY].to_str().unwrap().contains("Authorization"));
            assert_eq!(response.json::<Value>().await.unwrap()["data"], json!({"viewer": expected}));
        }
    }
    // the next request without a token has the role of a reader
    assert_eq!(server.data(VIEWER).await["viewer"]["role"], "READER");
}

#[rstest]
#[tokio::test]
async fn invalid_token_is_rejected_with_the_reason(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    let earlier = server.database.connect_with(Clock::fixed("2025-01-01T00:00:00Z".parse().unwrap())).await;
    let (_, expired) = earlier.create_token("Old", Role::Admin, Some("2025-12-31T00:00:00Z".parse().unwrap())).await.unwrap();
    let (_, good) = server.store.create_token("New", Role::Admin, None).await.unwrap();
    assert_eq!(post(&server, &format!("Bearer {good}")).await.status(), StatusCode::OK);
    let secret_of_another = format!("{}{}", &good[..good.len() - 43], &expired[expired.len() - 43..]);
    for wrong in ["kurultai_x", "hunter2", &good[..good.len() - 1], &secret_of_another, &good.to_uppercase()] {
        for response in [post(&server, &format!("Bearer {wrong}")).await, get(&server, &format!("Bearer {wrong}")).await] {
            let message = unauthenticated_message(response).await;
            assert!(message.contains("this token is unknown") && !message.contains(wrong), "{message}");
        }
    }
    for malformed in ["Bearer", "Basic YTpi", &good] {
        let message = unauthenticated_message(post(&server, malformed).await).await;
        assert!(message.contains("send Authorization: Bearer kurultai_..."), "{message}");
    }
    let message = unauthenticated_message(post(&server, &format!("Bearer {expired}")).await).await;
    assert!(message.contains("expired on 2025-12-31; ask an admin for a new one"), "{message}");
    server.store.revoke_token("New").await.unwrap();
    let message = unauthenticated_message(post(&server, &format!("Bearer {good}")).await).await;
    assert!(message.contains("was revoked; ask an admin for a new one"), "{message}");
    let twice =
        server.client.post(format!("{}/graphql", server.address)).header(AUTHORIZATION, "Bearer a").header(AUTHORIZATION, "Bearer b");
    let message = unauthenticated_message(twice.json(&json!({"query": VIEWER})).send().await.unwrap()).await;
    assert!(message.contains("given twice"), "{message}");
}

#[rstest]
#[tokio::test]
async fn token_revoked_by_another_process_is_rejected_at_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    let (token, text) = server.store.create_token("A", Role::Editor, None).await.unwrap();
    let authorization = format!("Bearer {text}");
    assert_eq!(post(&server, &authorization).await.status(), StatusCode::OK);
    let other = server.database.connect_with(Clock::System).await;
    other.revoke_token(&token.id()).await.unwrap();
    unauthenticated_message(post(&server, &authorization).await).await;
}

#[rstest]
#[tokio::test]
async fn last_use_of_token_is_recorded(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    let (token, text) = server.store.create_token("A", Role::Editor, None).await.unwrap();
    assert_eq!(token.last_used, None);
    post(&server, &format!("Bearer {text}")).await;
    for _ in 0..500 {
        if server.store.tokens().await.unwrap()[0].last_used == Some(server.store.clock.now()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the use of the token was not recorded");
}

#[tokio::test]
async fn database_stores_no_token_secret() {
    let server = Server::empty(On::Sqlite).await;
    let (_, text) = server.store.create_token("A", Role::Editor, None).await.unwrap();
    let secret = text.splitn(3, '_').nth(2).unwrap();
    let file = server.database.url.strip_prefix("sqlite://").unwrap();
    for file in [file.to_owned(), format!("{file}-wal")] {
        let bytes = std::fs::read(file).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}

/// Runs `kurultai token`; returns whether it succeeded, its output and its error output.
fn token(database: &TestDatabase, arguments: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kurultai"));
    command.arg("token").args(arguments).args(["--database-url", &database.url]).env("RUST_BACKTRACE", "0").env_remove("DATABASE_URL");
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn token_commands_create_list_and_revoke(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    let database = &server.database;
    let (ok, output, _) = token(database, &["list"]);
    assert!(ok && output.contains("There are no tokens"), "{output}");
    let (ok, output, error) = token(database, &["create", "--name", "Aigerim", "--role", "editor", "--expires", "90d"]);
    assert!(
        ok && error.contains("\"Aigerim\"") && error.contains("editor, expires on ") && error.contains("It is not shown again"),
        "{output}{error}"
    );
    let text = output.trim_end().to_owned();
    assert_eq!(post(&server, &format!("Bearer {text}")).await.json::<Value>().await.unwrap()["data"]["viewer"]["name"], "Aigerim");
    let (ok, _, error) = token(database, &["create", "--name", "Aigerim", "--role", "admin"]);
    assert!(!ok && error.contains("\"Aigerim\" has a token already") && error.contains("revoke that one first"), "{error}");
    let (ok, output, error) = token(database, &["create", "--name", "Timur", "--role", "admin", "--expires", "2099-01-01"]);
    assert!(ok && error.contains("admin, expires on 2099-01-01"), "{output}{error}");
    let (ok, list, _) = token(database, &["list"]);
    let lines: Vec<Vec<&str>> =
        list.lines().map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()).collect();
    assert!(ok && lines.len() == 3, "{list}");
    assert_eq!(lines[0], ["id", "name", "role", "created", "last used", "expires", "state"]);
    assert_eq!((lines[2][1], lines[2][2], lines[2][4], lines[2][5], lines[2][6]), ("Timur", "admin", "never", "2099-01-01", "active"));
    assert!(!list.contains(&text[text.len() - 43..]));
    let (ok, output, error) = token(database, &["revoke", "Aigerim"]);
    assert!(ok && output.contains("Revoked the token of \"Aigerim\""), "{output}{error}");
    unauthenticated_message(post(&server, &format!("Bearer {text}")).await).await;
    let (ok, output, error) = token(database, &["revoke", lines[2][0]]);
    assert!(ok && output.contains("Timur"), "{output}{error}");
    let (ok, _, error) = token(database, &["revoke", "Timur"]);
    assert!(!ok && error.contains("was revoked already"), "{error}");
    // the name can be used again
    let (ok, _, error) = token(database, &["create", "--name", "Aigerim", "--role", "editor"]);
    assert!(ok, "{error}");
}

#[rstest]
#[case(&["revoke", "nobody"], "there is no token with the id or name \"nobody\"")]
#[case(&["create", "--name", "A", "--role", "writer"], "[possible values: reader, editor, admin]")]
#[case(&["create", "--name", " ", "--role", "editor"], "give the name of the token's holder in 1 to 100 characters")]
#[case(&["create", "--name", "A", "--role", "editor", "--expires", "2027-13-01"], "expected a day, such as 2027-01-01")]
#[case(&["create", "--name", "A", "--role", "editor", "--expires", "0d"], "such as 90d")]
#[case(&["create", "--name", "A", "--role", "editor", "--expires", "2001-01-01"], "lies in the past")]
#[tokio::test(flavor = "multi_thread")]
async fn invalid_token_command_names_the_correction(#[case] arguments: &[&str], #[case] expected: &str) {
    let database = TestDatabase::new(On::Sqlite).await;
    let (ok, _, error) = token(&database, arguments);
    assert!(!ok && error.contains(expected), "{error}");
}

#[rstest]
#[tokio::test]
async fn response_to_a_token_is_not_cached_for_others(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, "people:\n- {slug: a, name: {en: A}}\n- {slug: b, name: {en: B}, published: false}").await;
    let (_, text) = server.store.create_token("A", Role::Editor, None).await.unwrap();
    let query = "{ people { totalCount } }";
    let editor = async || {
        let request = server.client.post(format!("{}/graphql", server.address)).header(AUTHORIZATION, format!("Bearer {text}"));
        request.json(&json!({"query": query})).send().await.unwrap().json::<Value>().await.unwrap()["data"]["people"]["totalCount"].clone()
    };
    for _ in 0..2 {
        assert_eq!(editor().await, 2);
        assert_eq!(server.data(query).await["people"]["totalCount"], 1);
    }
    server.store.revoke_token("A").await.unwrap();
    assert_eq!(editor().await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_is_not_logged() {
    let database = TestDatabase::new(On::Sqlite).await;
    let (_, output, _) = token(&database, &["create", "--name", "A", "--role", "admin"]);
    let text = output.lines().next().unwrap().to_owned();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kurultai"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--database-url", &database.url]).env("KURULTAI_LOG", "trace").stdout(Stdio::null());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut log = String::new();
    let address = loop {
        let start = log.len();
        assert!(stderr.read_line(&mut log).unwrap() > 0, "{log}");
        let line: Value = serde_json::from_str(&log[start..]).unwrap();
        if let Some(url) = line["graphql.url"].as_str() {
            break url.to_owned();
        }
    };
    for authorization in [format!("Bearer {text}"), format!("Bearer {text}x"), text.clone()] {
        let request = reqwest::Client::new().post(&address).header(AUTHORIZATION, authorization).json(&json!({"query": VIEWER}));
        request.send().await.unwrap();
    }
    child.kill().unwrap();
    stderr.read_to_string(&mut log).unwrap();
    child.wait().unwrap();
    assert!(log.contains("/graphql"), "{log}");
    assert!(!log.contains(&text[text.len() - 43..]), "{log}");
}

#[rstest]
#[tokio::test]
async fn only_one_of_concurrent_tokens_with_one_name_is_created(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    let other = server.database.connect_with(Clock::System).await;
    let results = futures_util::future::join_all((0..8).map(|number| {
        let store = if number % 2 == 0 { &server.store } else { &other };
        store.create_token("A", Role::Editor, None)
    }))
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for error in results.into_iter().filter_map(Result::err) {
        assert!(error.to_string().contains("\"A\" has a token already"), "{error}");
    }
}

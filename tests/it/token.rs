//! Tokens let those who maintain the dataset in, and nobody else.

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

/// Message of an answer to a token that does not work, which must say so in every way.
async fn rejection(response: Response) -> String {
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(response.headers()[WWW_AUTHENTICATE].to_str().unwrap().starts_with("Bearer"));
    assert_eq!(response.headers()[CACHE_CONTROL], "private, no-store");
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer:#}");
    assert!(answer.get("data").is_none(), "{answer:#}");
    answer["errors"][0]["message"].as_str().unwrap().to_owned()
}

#[rstest]
#[tokio::test]
async fn a_token_tells_who_asks_by_get_and_by_post(#[values(On::Sqlite, On::Postgres)] on: On) {
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
    // who asks without a token right after is a reader still
    assert_eq!(server.data(VIEWER).await["viewer"]["role"], "READER");
}

#[rstest]
#[tokio::test]
async fn a_token_that_does_not_work_is_refused_with_the_reason(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    let earlier = server.database.connect_with(Clock::fixed("2025-01-01T00:00:00Z".parse().unwrap())).await;
    let (_, expired) = earlier.create_token("Old", Role::Admin, Some("2025-12-31T00:00:00Z".parse().unwrap())).await.unwrap();
    let (_, good) = server.store.create_token("New", Role::Admin, None).await.unwrap();
    assert_eq!(post(&server, &format!("Bearer {good}")).await.status(), StatusCode::OK);
    let secret_of_another = format!("{}{}", &good[..good.len() - 43], &expired[expired.len() - 43..]);
    for wrong in ["kurultai_x", "hunter2", &good[..good.len() - 1], &secret_of_another, &good.to_uppercase()] {
        for response in [post(&server, &format!("Bearer {wrong}")).await, get(&server, &format!("Bearer {wrong}")).await] {
            let said = rejection(response).await;
            assert!(said.contains("this token is unknown") && !said.contains(wrong), "{said}");
        }
    }
    for malformed in ["Bearer", "Basic YTpi", &good] {
        let said = rejection(post(&server, malformed).await).await;
        assert!(said.contains("send Authorization: Bearer kurultai_..."), "{said}");
    }
    let said = rejection(post(&server, &format!("Bearer {expired}")).await).await;
    assert!(said.contains("expired on 2025-12-31; ask an admin for a new one"), "{said}");
    server.store.revoke_token("New").await.unwrap();
    let said = rejection(post(&server, &format!("Bearer {good}")).await).await;
    assert!(said.contains("was revoked; ask an admin for a new one"), "{said}");
    let twice =
        server.client.post(format!("{}/graphql", server.address)).header(AUTHORIZATION, "Bearer a").header(AUTHORIZATION, "Bearer b");
    let said = rejection(twice.json(&json!({"query": VIEWER})).send().await.unwrap()).await;
    assert!(said.contains("given twice"), "{said}");
}

#[rstest]
#[tokio::test]
async fn a_token_that_another_process_revokes_stops_at_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    let (token, text) = server.store.create_token("A", Role::Editor, None).await.unwrap();
    let authorization = format!("Bearer {text}");
    assert_eq!(post(&server, &authorization).await.status(), StatusCode::OK);
    let other = server.database.connect_with(Clock::System).await;
    other.revoke_token(&token.id()).await.unwrap();
    rejection(post(&server, &authorization).await).await;
}

#[rstest]
#[tokio::test]
async fn the_last_use_is_written_down_after_the_answer(#[values(On::Sqlite, On::Postgres)] on: On) {
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
    panic!("the use was never written down");
}

#[tokio::test]
async fn the_database_keeps_no_secret() {
    let server = Server::empty(On::Sqlite).await;
    let (_, text) = server.store.create_token("A", Role::Editor, None).await.unwrap();
    let secret = text.splitn(3, '_').nth(2).unwrap();
    let file = server.database.url.strip_prefix("sqlite://").unwrap();
    for file in [file.to_owned(), format!("{file}-wal")] {
        let bytes = std::fs::read(file).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}

fn token(database: &TestDatabase, arguments: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kurultai"));
    command.arg("token").args(arguments).args(["--database-url", &database.url]).env("RUST_BACKTRACE", "0").env_remove("DATABASE_URL");
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_made_listed_and_revoked_on_the_command_line(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    let database = &server.database;
    let (ok, said, _) = token(database, &["list"]);
    assert!(ok && said.contains("There are no tokens"), "{said}");
    let (ok, said, error) = token(database, &["create", "--name", "Aigerim", "--role", "editor", "--expires", "90d"]);
    assert!(
        ok && said.contains("\"Aigerim\"") && said.contains("editor, expires on ") && said.contains("It is not shown again"),
        "{said}{error}"
    );
    let text = said.lines().next().unwrap().to_owned();
    assert_eq!(post(&server, &format!("Bearer {text}")).await.json::<Value>().await.unwrap()["data"]["viewer"]["name"], "Aigerim");
    let (ok, _, error) = token(database, &["create", "--name", "Aigerim", "--role", "admin"]);
    assert!(!ok && error.contains("\"Aigerim\" has a token already") && error.contains("revoke that one first"), "{error}");
    let (ok, said, error) = token(database, &["create", "--name", "Timur", "--role", "admin", "--expires", "2099-01-01"]);
    assert!(ok && said.contains("admin, expires on 2099-01-01"), "{said}{error}");
    let (ok, list, _) = token(database, &["list"]);
    let lines: Vec<Vec<&str>> =
        list.lines().map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()).collect();
    assert!(ok && lines.len() == 3, "{list}");
    assert_eq!(lines[0], ["id", "name", "role", "created", "last used", "expires", "state"]);
    assert_eq!((lines[2][1], lines[2][2], lines[2][4], lines[2][5], lines[2][6]), ("Timur", "admin", "never", "2099-01-01", "active"));
    assert!(!list.contains(&text[text.len() - 43..]));
    let (ok, said, error) = token(database, &["revoke", "Aigerim"]);
    assert!(ok && said.contains("The token of \"Aigerim\"") && said.contains("works no more"), "{said}{error}");
    rejection(post(&server, &format!("Bearer {text}")).await).await;
    let (ok, said, error) = token(database, &["revoke", lines[2][0]]);
    assert!(ok && said.contains("Timur"), "{said}{error}");
    let (ok, _, error) = token(database, &["revoke", "Timur"]);
    assert!(!ok && error.contains("was revoked already"), "{error}");
    // the name is free again
    let (ok, _, error) = token(database, &["create", "--name", "Aigerim", "--role", "editor"]);
    assert!(ok, "{error}");
}

#[rstest]
#[case(&["revoke", "nobody"], "there is no token with the id or name \"nobody\"")]
#[case(&["create", "--name", "A", "--role", "writer"], "[possible values: reader, editor, admin]")]
#[case(&["create", "--name", " ", "--role", "editor"], "who has the token")]
#[case(&["create", "--name", "A", "--role", "editor", "--expires", "2027-13-01"], "write a day, such as 2027-01-01")]
#[case(&["create", "--name", "A", "--role", "editor", "--expires", "0d"], "such as 90d")]
#[case(&["create", "--name", "A", "--role", "editor", "--expires", "2001-01-01"], "lies in the past")]
#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_on_the_command_line_is_told_with_what_would_be_right(#[case] arguments: &[&str], #[case] expected: &str) {
    let database = TestDatabase::new(On::Sqlite).await;
    let (ok, _, error) = token(&database, arguments);
    assert!(!ok && error.contains(expected), "{error}");
}

#[rstest]
#[tokio::test]
async fn an_answer_to_a_token_is_never_given_to_anyone_else(#[values(On::Sqlite, On::Postgres)] on: On) {
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
async fn a_token_stands_in_no_log_line() {
    let database = TestDatabase::new(On::Sqlite).await;
    let (_, said, _) = token(&database, &["create", "--name", "A", "--role", "admin"]);
    let text = said.lines().next().unwrap().to_owned();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kurultai"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--database-url", &database.url]).env("KURULTAI_LOG", "trace").stdout(Stdio::null());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut log = String::new();
    let address = loop {
        let start = log.len();
        assert!(stderr.read_line(&mut log).unwrap() > 0, "{log}");
        if let Some(address) = log[start..].split("the API at ").nth(1) {
            break address.split('"').next().unwrap().trim().to_owned();
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
async fn of_two_tokens_of_one_name_made_at_once_one_is_refused(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    let other = server.database.connect_with(Clock::System).await;
    let made = futures_util::future::join_all((0..8).map(|number| {
        let store = if number % 2 == 0 { &server.store } else { &other };
        store.create_token("A", Role::Editor, None)
    }))
    .await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
    for error in made.into_iter().filter_map(Result::err) {
        assert!(error.to_string().contains("\"A\" has a token already"), "{error}");
    }
}

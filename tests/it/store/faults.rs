//! Faults of the database and of the environment: failed fields are null, errors disclose no internals, and the server recovers.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kurultai::core::auth::Role;
use migration::sea_orm::{ConnectionTrait, DbBackend, Statement};
use rstest::rstest;
use serde_json::{Value, json};

use crate::cli::command::{kurultai, run};
use crate::server::{Asker, On, Server, TestDatabase, path};

#[rstest]
#[tokio::test]
async fn failed_field_is_null_with_an_error(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    server.database.raw().await.execute_unprepared("ALTER TABLE charges RENAME TO elsewhere").await.unwrap();
    let query = "{ case(by: {slug: \"kazakhstan-v-ilyashev\"}) { slug charges { nodes { id } } } provision(by: {slug: \"kz-criminal-code-2014-article-274\"}) { number } }";
    let answer = server.answer(query, json!({})).await;
    assert_eq!(answer["data"], json!({"case": null, "provision": {"number": "274"}}), "{answer:#}");
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0]["path"], json!(["case"]));
    assert_eq!(errors[0]["extensions"]["code"], "INTERNAL_SERVER_ERROR");
    assert_eq!(errors[0]["message"], "internal server error");
    assert_eq!(errors[0]["locations"], json!([{"line": 1, "column": 3}]));
}

#[rstest]
#[tokio::test]
async fn failed_root_field_leaves_the_others(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    server.database.raw().await.execute_unprepared("ALTER TABLE statistics RENAME TO elsewhere").await.unwrap();
    let answer = server.answer("{ statistics { totalCount } people { totalCount } }", json!({})).await;
    assert_eq!(answer["data"]["statistics"], json!(null));
    assert!(answer["data"]["people"]["totalCount"].as_u64().unwrap() > 5);
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn closed_connections_are_replaced_and_the_statement_retried() {
    let server = Server::sample(On::Postgres).await;
    let query = "{ people(first: 1) { nodes { id } } }";
    let before = server.data(query).await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    server.database.raw().await.execute_unprepared(end).await.unwrap();
    // a different document, so that the response is not cached
    assert_eq!(server.data(&format!("{query} # again")).await, before);
}

#[rstest]
#[tokio::test]
async fn failed_import_is_rolled_back(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    server.database.raw().await.execute_unprepared("ALTER TABLE revisions RENAME TO elsewhere").await.unwrap();
    let drafts = crate::server::read(&[("test.yaml".into(), "people:\n- {slug: a, name: {en: A}}".to_owned())]).unwrap();
    let author = kurultai::store::write::Author { by: "tests".to_owned(), message: None };
    let refused = server.store.write(&drafts, &author, |_| ()).await;
    assert!(matches!(refused, Err(kurultai::store::write::WriteError::Failed(_))));
    let data = server.data("{ people { totalCount } search(query: \"a\") { totalCount } }").await;
    assert_eq!(data, json!({"people": {"totalCount": 0}, "search": {"totalCount": 0}}));
}

/// Runs the program with invalid input; returns its exit code and its output on stderr.
fn run_expecting_failure(arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    let mut command = kurultai(arguments);
    command.envs(environment.iter().copied()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut started = command.spawn().unwrap();
    let begun = Instant::now();
    while started.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(30) {
            started.kill().unwrap();
            let output = started.wait_with_output().unwrap();
            panic!("{arguments:?} does not fail; its output is\n{}", String::from_utf8_lossy(&output.stderr));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = started.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn startup_failure_explains_itself_and_sets_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let url = |name: &str| format!("sqlite://{}", file(name).display());
    std::fs::write(file("no.db"), "this is a text and not a database, and it is long enough to be told apart".repeat(50)).unwrap();
    std::fs::write(file("wrong.toml"), "listn = 1\n").unwrap();
    let sample = |name: &str| {
        let (ok, _, error) = run(kurultai(&["import", path("data").to_str().unwrap(), "--database-url", &url(name)]));
        assert!(ok, "{error}");
    };
    sample("later.db");
    let later = migration::sea_orm::Database::connect(url("later.db")).await.unwrap();
    later.execute_unprepared("INSERT INTO seaql_migrations VALUES ('m20990101_000001_later', 0)").await.unwrap();
    later.close().await.unwrap();
    sample("damaged.db");
    // everything must be in the file, not in the log, for the corruption to be seen
    assert!(!file("damaged.db-wal").exists(), "the import left its records in the write-ahead log");
    let mut bytes = std::fs::read(file("damaged.db")).unwrap();
    bytes[100..4_096].fill(0xff);
    std::fs::write(file("damaged.db"), bytes).unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let serve = |database: &str, more: &[&str], environment: &[(&str, &str)]| {
        run_expecting_failure(&[&["serve", "--database-url", database, "--listen", "127.0.0.1:0"], more].concat(), environment)
    };
    for ((code, said), expected, help) in [
        (serve(&url("no.db"), &[], &[]), 65, "restore it from a backup"),
        (serve(&url("damaged.db"), &[], &[]), 65, "restore it from a backup"),
        (serve(&url("later.db"), &[], &[]), 65, "a later version of this program has migrated the database (m20990101_000001_later)"),
        (serve(&url("nowhere/x.db"), &[], &[]), 69, "unable to open database file"),
        (serve("postgres://nobody@127.0.0.1:1/x", &[], &[]), 69, "Connection refused"),
        (
            run_expecting_failure(&["serve", "--database-url", &url("fine.db"), "--listen", &taken], &[]),
            71,
            "choose another address with --listen",
        ),
        (serve("mysql://x", &[], &[]), 78, "must begin with sqlite: or postgres:"),
        (serve(&url("fine.db"), &["--config", file("wrong.toml").to_str().unwrap()], &[]), 78, "found `listn`"),
        (serve(&url("fine.db"), &["--config", "nothing.toml"], &[]), 78, "nothing.toml"),
        (serve(&url("fine.db"), &[], &[("KURULTAI_LIMITS__DEPTH", "deep")]), 78, "LIMITS.DEPTH"),
        (serve(&url("fine.db"), &["--nonsense"], &[]), 2, "--nonsense"),
    ] {
        assert!(code == expected && said.contains(help), "{code} is not {expected}, or \"{help}\" is missing in\n{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[tokio::test]
async fn server_recovers_after_postgres_restarts() {
    let server = Server::sample(On::Postgres).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let name = server.database.url.rsplit('/').next().unwrap().to_owned();
    let administration = migration::sea_orm::Database::connect(server.database.url.replace(&name, "postgres")).await.unwrap();
    let query = "{ person(by: {slug: \"alnur-ilyashev\"}) { slug } }";
    let before = server.data(query).await;
    for round in 0..3 {
        administration.execute_unprepared(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await.unwrap();
        let terminate = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        administration.execute_unprepared(&terminate).await.unwrap();
        let requests = (0..20).map(|number| {
            let request = server.client.post(format!("{}/graphql", server.address));
            request.json(&json!({"query": format!("{query} # {round} {number}")})).send()
        });
        for response in futures_util::future::join_all(requests).await {
            let answer: Value = response.unwrap().json().await.unwrap();
            assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer:#}");
        }
        let write = json!({"input": {"slug": format!("away-{round}"), "name": {"en": "Away"}}});
        let mutation = "mutation($input: CreatePersonInput!) { createPerson(input: $input) { person { slug } errors { code } } }";
        let answer = editor.answer(mutation, write.clone()).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer:#}");
        administration.execute_unprepared(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await.unwrap();
        // recovers at once, without a restart
        assert_eq!(server.data(&format!("{query} # {round} after")).await, before);
        // the rejected write left nothing behind
        let answer = editor.answer(mutation, write).await;
        assert_eq!(answer["data"]["createPerson"]["errors"], json!([]), "{answer:#}");
        // the server listens again, so that responses are cached
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while server.store.generation().await.is_none() {
            assert!(tokio::time::Instant::now() < deadline, "the server does not listen for changes again");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[rstest]
#[tokio::test]
async fn read_only_database_serves_reads_and_rejects_writes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let (_, token) = server.store.create_token("editor", Role::Editor, None).await.unwrap();
    let url = match on {
        On::Sqlite => format!("{}?mode=ro", server.database.url),
        On::Postgres => format!("{}?options=-c%20default_transaction_read_only%3Don", server.database.url),
    };
    let reading = Server::at(TestDatabase::at(url)).await;
    let query = "{ people { totalCount } }";
    assert_eq!(reading.data(query).await, server.data(query).await);
    let body = json!({"query": "mutation { createPerson(input: {slug: \"x\", name: {en: \"X\"}}) { errors { code } } }"});
    let request = reading.client.post(format!("{}/graphql", reading.address)).bearer_auth(token).json(&body);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer:#}");
    assert_eq!(answer["errors"][0]["message"], "the database cannot be written to: it is read-only; nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn full_disk_is_reported_and_rolled_back() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("kurultai.db").display());
    let database = TestDatabase::at(url.clone());
    let store = database.store().await;
    let (_, token) = store.create_token("editor", Role::Editor, None).await.unwrap();
    drop(store);
    // limits the file size of the process to four megabytes, which fails writes as a full disk does
    let limited =
        format!("trap '' XFSZ; ulimit -f 4096; exec {} serve --listen 127.0.0.1:0 --database-url {url}", env!("CARGO_BIN_EXE_kurultai"));
    let mut shell = std::process::Command::new("bash");
    let mut running = Process(shell.args(["-c", &limited]).stderr(std::process::Stdio::piped()).spawn().unwrap());
    let address = running.address();
    let client = reqwest::Client::new();
    let ask = async |body: Value| {
        let request = client.post(format!("{address}/graphql")).bearer_auth(&token).json(&body);
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let create = |number: usize| {
        let input = json!({"slug": format!("p{number}"), "name": {"en": "P"}, "biography": {"en": "word ".repeat(20_000)}});
        json!({"query": "mutation($input: CreatePersonInput!) { createPerson(input: $input) { errors { code } } }", "variables": {"input": input}})
    };
    let mut written = 0;
    let refused = loop {
        let answer = ask(create(written)).await;
        if answer.get("errors").is_some() {
            break answer;
        }
        written += 1;
        assert!(written < 200, "the disk never becomes full");
    };
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{refused:#}");
    let message = refused["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("its disk is full or failing; nothing was changed"), "{message}");
    let count = json!({"query": "{ people { totalCount } revisions { totalCount } }"});
    assert_eq!(ask(count).await["data"], json!({"people": {"totalCount": written}, "revisions": {"totalCount": written}}));
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    // with space again, the database is intact and writable
    let server = Server::at(database).await;
    let editor = Asker::with_role(&server, Role::Admin).await;
    editor.done("createPerson { person { id } }", json!({"slug": format!("p{written}"), "name": {"en": "P"}})).await;
    assert_eq!(server.data("{ people { totalCount } }").await["people"]["totalCount"], written + 1);
}

/// A process that is killed with the test.
struct Process(std::process::Child);

impl Process {
    /// Waits until the server listens, and returns its address.
    fn address(&mut self) -> String {
        use std::io::{BufRead, BufReader};
        let lines = BufReader::new(self.0.stderr.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.split_once("\"graphql.url\":\"")?.1.split("/graphql").next()?.to_owned()));
        // what it says later must go somewhere, or it would wait
        std::thread::spawn(move || lines.for_each(drop));
        address.expect("it serves")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_before_shutdown_are_answered() {
    let server = Server::sample(On::Sqlite).await;
    let mut command = kurultai(&["serve", "--listen", "127.0.0.1:0", "--database-url", &server.database.url]);
    // there is room for all who ask
    command.env("KURULTAI_RATE_LIMIT__POINTS_PER_ADDRESS", "0").env("KURULTAI_MAX_CONCURRENT_QUERIES", "16");
    command.env("KURULTAI_SHARES__CLIENT_PERCENT", "100").stderr(Stdio::piped());
    let mut running = Process(command.spawn().unwrap());
    let address = running.address();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let clients: Vec<_> = (0..16)
        .map(|client| {
            let (address, stop) = (address.clone(), stop.clone());
            tokio::spawn(async move {
                let mut answered = 0;
                loop {
                    // a new connection per request: a reused one may be closed just as the next request is sent
                    let Ok(connection) = reqwest::Client::builder().pool_max_idle_per_host(0).build() else { return answered };
                    let query = format!("{{ cases {{ nodes {{ title parties {{ nodes {{ role }} }} }} }} }} # {client} {answered}");
                    match connection.post(format!("{address}/graphql")).json(&json!({"query": query})).send().await {
                        Ok(response) => {
                            let answer: Value = response.json().await.expect("a response that has begun is complete");
                            assert!(answer["data"]["cases"]["nodes"].is_array(), "{answer:#}");
                            answered += 1;
                        }
                        // the server no longer listens
                        Err(error) => {
                            assert!(stop.load(std::sync::atomic::Ordering::SeqCst) && error.is_connect(), "{error:?}");
                            return answered;
                        }
                    }
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(700)).await;
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(std::process::Command::new("kill").args(["-TERM", &running.0.id().to_string()]).status().unwrap().success());
    let mut answered = 0;
    for client in clients {
        answered += client.await.unwrap();
    }
    assert!(answered > 16, "{answered}");
    assert!(running.0.wait().unwrap().success());
}

/// A client can leave at any moment while a transaction begins; the connection then returns without a transaction.
#[tokio::test]
async fn abandoned_snapshot_leaves_no_transaction_open() {
    let server = Server::empty(On::Postgres).await;
    for delay in 0..300 {
        drop(tokio::time::timeout(Duration::from_micros(delay * 10), server.store.snapshot()).await);
    }
    let raw = server.database.raw().await;
    let open = "SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    let count = async || -> i32 {
        let row = raw.query_one_raw(Statement::from_string(DbBackend::Postgres, open)).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    };
    while count().await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for _ in 0..20 {
        server.store.snapshot().await.unwrap();
    }
}

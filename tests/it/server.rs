//! Test harness: each test starts its own server with its own database.

use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use kurultai::core::auth::Role;
use kurultai::core::clock::Clock;
use kurultai::core::dataset::Dataset;
use kurultai::graphql::limits::Limits;
use kurultai::http::{AppState, ConnectionLimits, RateLimits, Shares, StreamLimits, Timeouts, router, serve};
use kurultai::interchange::import_reader::ImportReader;
use kurultai::store::draft::{InputProblem, mark_as_import};
use kurultai::store::write::{Author, Drafts, WriteError, WriteSummary};
use kurultai::store::{Store, StoreOptions};
use migration::sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use migration::{Migrator, MigratorTrait};
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// The database system of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    Sqlite,
    Postgres,
}

/// A database that is dropped when the test ends.
pub struct TestDatabase {
    pub url: String,
    folder: Option<TempDir>,
    name: Option<String>,
}

/// URL of the PostgreSQL server that tests create their databases on: that of `TEST_DATABASE_URL`, or a cluster that is
/// shared by all tests of a run and removed when the run ends.
fn postgres_url() -> &'static str {
    static URL: LazyLock<String> = LazyLock::new(|| {
        std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| {
            let mut command = Command::new(path("tests/postgres.sh"));
            let output = command.arg(test_run().to_string()).arg(env!("CARGO_TARGET_TMPDIR")).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        })
    });
    &URL
}

/// The process that runs all tests: nextest, which starts a process for each of them, or this one.
fn test_run() -> u32 {
    let parent = parent_id();
    let name = std::fs::read_to_string(format!("/proc/{parent}/comm")).unwrap_or_default();
    if name.trim_end() == "cargo-nextest" { parent } else { std::process::id() }
}

async fn admin_connection() -> DatabaseConnection {
    let url = format!("{}/postgres", postgres_url());
    Database::connect(&url).await.unwrap_or_else(|error| panic!("cannot connect to PostgreSQL at {url}: {error}"))
}

impl TestDatabase {
    pub async fn new(on: On) -> Self {
        match on {
            On::Sqlite => {
                let folder = TempDir::new().unwrap();
                let url = format!("sqlite://{}", folder.path().join("kurultai.db").display());
                Self { url, folder: Some(folder), name: None }
            }
            On::Postgres => {
                let name = format!("kurultai_test_{}", uuid::Uuid::now_v7().simple());
                // a locale that does not sort text by bytes: no order may depend on the default locale of the server
                let create = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'");
                admin_connection().await.execute_unprepared(&create).await.unwrap();
                Self { url: format!("{}/{name}", postgres_url()), folder: None, name: Some(name) }
            }
        }
    }

    /// An existing database, which is not dropped.
    pub fn at(url: String) -> Self {
        Self { url, folder: None, name: None }
    }

    /// A store on the migrated database, with a fixed clock.
    pub async fn store(&self) -> Store {
        let store = self.connect().await;
        store.migrate().await.unwrap();
        store
    }

    pub async fn connect(&self) -> Store {
        self.connect_with(Clock::fixed("2026-01-01T00:00:00Z".parse().unwrap())).await
    }

    /// A store with this clock and its own connection pool, as in another process.
    pub async fn connect_with(&self, clock: Clock) -> Store {
        let options = StoreOptions { max_connections: 4, acquire_timeout: Duration::from_secs(10), ..StoreOptions::new(&self.url) };
        Store::connect(&options, clock).await.unwrap()
    }

    /// A connection for SQL statements of the test.
    pub async fn raw(&self) -> DatabaseConnection {
        Database::connect(&self.url).await.unwrap()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        drop(self.folder.take());
        if let Some(name) = self.name.take() {
            // a separate runtime, because that of the test may be shutting down
            let dropped = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    admin_connection().await.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
                });
            });
            dropped.join().unwrap();
        }
    }
}

/// Settings of a server that differ from those of other tests.
pub struct Settings {
    pub limits: Limits,
    pub rate: RateLimits,
    pub timeouts: Timeouts,
    pub shares: Shares,
    pub connections: u32,
    pub concurrency: u32,
    pub statement: Option<Duration>,
    pub dataset: Dataset,
    pub trusted_documents_only: bool,
}

impl Default for Settings {
    fn default() -> Self {
        // tests send larger queries than clients do
        let unlimited = u64::MAX;
        let limits = Limits {
            aliases: 1_000,
            nodes: unlimited,
            response_values: unlimited,
            filter_values: unlimited,
            scans: unlimited,
            ..Limits::default()
        };
        let (rate, timeouts) = (RateLimits::default(), Timeouts::default());
        Self {
            limits,
            rate,
            timeouts,
            // all clients of a test have one address
            shares: Shares { client_percent: 100, ..Shares::default() },
            connections: 1000,
            concurrency: 1000,
            statement: None,
            dataset: Dataset::default(),
            trusted_documents_only: false,
        }
    }
}

/// A running server, which is stopped when it is dropped.
pub struct Server {
    pub address: String,
    pub store: Store,
    pub client: reqwest::Client,
    pub streams: StreamLimits,
    tasks: [JoinHandle<()>; 2],
    pub database: TestDatabase,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Server {
    /// A server without records.
    pub async fn empty(on: On) -> Self {
        let database = TestDatabase::new(on).await;
        let store = database.store().await;
        Self::over(database, store).await
    }

    /// A server with the sample dataset.
    pub async fn sample(on: On) -> Self {
        let server = Self::empty(on).await;
        server.load(&sample_files()).await.unwrap();
        server
    }

    /// A server with the sample dataset and this description.
    pub async fn sample_about(on: On, dataset: Dataset) -> Self {
        let server = Self::about(on, dataset).await;
        server.load(&sample_files()).await.unwrap();
        server
    }

    /// A server with the records of a YAML document.
    pub async fn with(on: On, text: &str) -> Self {
        let server = Self::empty(on).await;
        server.import(text).await.unwrap();
        server
    }

    /// A server with the records of a YAML document, with the system clock.
    pub async fn with_system_clock(on: On, text: &str) -> Self {
        let database = TestDatabase::new(on).await;
        let store = database.connect_with(Clock::System).await;
        store.migrate().await.unwrap();
        let server = Self::over(database, store).await;
        server.import(text).await.unwrap();
        server
    }

    /// A server on a migrated database, with the system clock.
    pub async fn at(database: TestDatabase) -> Self {
        let store = database.connect_with(Clock::System).await;
        Self::over(database, store).await
    }

    /// Another server on the same database.
    pub async fn beside(&self) -> Self {
        Self::at(TestDatabase::at(self.database.url.clone())).await
    }

    /// Another server on the same database, with these settings.
    pub async fn beside_with(&self, settings: Settings) -> Self {
        let database = TestDatabase::at(self.database.url.clone());
        let store = database.connect_with(Clock::System).await;
        Self::start(database, store, settings).await
    }

    /// A server with these settings, without records.
    pub async fn set(on: On, settings: Settings) -> Self {
        let database = TestDatabase::new(on).await;
        let options = StoreOptions { max_connections: 4, statement_timeout: settings.statement, ..StoreOptions::new(&database.url) };
        let store = Store::connect(&options, Clock::fixed("2026-01-01T00:00:00Z".parse().unwrap())).await.unwrap();
        store.migrate().await.unwrap();
        Self::start(database, store, settings).await
    }

    /// A server on an existing database, which other servers may share.
    pub async fn over(database: TestDatabase, store: Store) -> Self {
        Self::start(database, store, Settings::default()).await
    }

    /// A server without records, with this description of the dataset.
    pub async fn about(on: On, dataset: Dataset) -> Self {
        let database = TestDatabase::new(on).await;
        let store = database.store().await;
        Self::start(database, store, Settings { dataset, ..Settings::default() }).await
    }

    async fn start(database: TestDatabase, store: Store, settings: Settings) -> Self {
        let dataset = Arc::new(settings.dataset);
        let mut streams = StreamLimits::new(10, &settings.shares);
        streams.init_timeout = Duration::from_millis(500);
        streams.max_operations_per_socket = 3;
        streams.send_timeout = Duration::from_millis(500);
        let state = AppState {
            api: kurultai::graphql::engine::Api::new(
                store.clone(),
                kurultai::cli::upload_reader(10_000_000),
                settings.limits,
                dataset.clone(),
            )
            .unwrap(),
            store: store.clone(),
            sdl: Arc::from(kurultai::graphql::engine::sdl().unwrap()),
            response_cache: kurultai::http::ResponseCache::new(1_000_000),
            revalidation: kurultai::http::Revalidation::default(),
            persisted_documents: kurultai::http::PersistedDocuments::default(),
            trusted_documents_only: settings.trusted_documents_only,
            stream_limits: streams.clone(),
            dataset,
            cors_origins: vec!["*".to_owned()],
            max_body_bytes: 100_000,
            max_upload_bytes: 10_000_000,
            table_queue: kurultai::http::table_queue(4, &settings.shares),
            admission_queue: kurultai::http::AdmissionQueue::new(settings.concurrency, &settings.shares),
            rate_limiter: kurultai::http::ClientRateLimiter::new(&settings.rate),
            timeouts: settings.timeouts.clone(),
            health: kurultai::http::HealthState::default(),
            slow_query_threshold: None,
        };
        let listening_store = store.clone();
        let change_listener = tokio::spawn(async move { listening_store.listen().await });
        while store.generation().await.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let limits =
            ConnectionLimits { max: settings.connections, shares: settings.shares, trusted_proxies: settings.rate.trusted_proxies };
        let server = tokio::spawn(async move {
            serve(listener, router(state), &limits, &settings.timeouts, std::future::pending()).await.unwrap();
        });
        Self { address, store, client: reqwest::Client::new(), streams, tasks: [server, change_listener], database }
    }

    /// Imports the records of a YAML document.
    pub async fn import(&self, text: &str) -> Result<WriteSummary, Vec<InputProblem>> {
        self.load(&[(Arc::from("test.yaml"), text.to_owned())]).await
    }

    async fn load(&self, files: &[(Arc<str>, String)]) -> Result<WriteSummary, Vec<InputProblem>> {
        let mut drafts = read(files)?;
        mark_as_import(&mut drafts, true);
        let author = Author { by: "tests".to_owned(), message: None };
        self.store.write(&drafts, &author, |_| ()).await.map_err(|error| match error {
            WriteError::Problems(problems) => problems,
            WriteError::Failed(error) => panic!("{error}"),
        })
    }

    /// Sends a query and returns the response without its cost extension.
    pub async fn answer(&self, query: &str, variables: Value) -> Value {
        without_cost(self.whole(query, variables).await)
    }

    /// Sends a query and returns the whole response.
    pub async fn whole(&self, query: &str, variables: Value) -> Value {
        let response = self
            .client
            .post(format!("{}/graphql", self.address))
            .json(&json!({"query": query, "variables": variables}))
            .send()
            .await
            .unwrap();
        response.json().await.unwrap()
    }

    /// Sends a query that must succeed and returns its data.
    pub async fn data(&self, query: &str) -> Value {
        let mut response = self.answer(query, json!({})).await;
        assert!(response.get("errors").is_none(), "{query}\n{response:#}");
        response["data"].take()
    }

    /// Sends a query that must fail and returns the message and code of its first error.
    pub async fn error(&self, query: &str) -> (String, String) {
        let response = self.answer(query, json!({})).await;
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{query}\n{response:#}")).to_owned();
        (text(&response["errors"][0]["message"]), text(&response["errors"][0]["extensions"]["code"]))
    }
}

/// A client of a server, with or without a token.
pub struct Asker<'s> {
    server: &'s Server,
    authorization: Option<String>,
}

impl<'s> Asker<'s> {
    /// A client without a token.
    pub fn reader(server: &'s Server) -> Self {
        Self { server, authorization: None }
    }

    /// A client with a token that has this role and the name of the role.
    pub async fn with_role(server: &'s Server, role: Role) -> Self {
        Self::with_token(server, role.as_str(), role).await
    }

    /// A client with a token that has this name and role.
    pub async fn with_token(server: &'s Server, name: &str, role: Role) -> Self {
        let (_, token) = server.store.create_token(name, role, None).await.unwrap();
        Self { server, authorization: Some(format!("Bearer {token}")) }
    }

    /// Sends a query and returns the response without its cost extension.
    pub async fn answer(&self, query: &str, variables: Value) -> Value {
        self.post(&json!({"query": query, "variables": variables})).await
    }

    /// Sends a request body and returns the response without its cost extension.
    pub async fn post(&self, body: &Value) -> Value {
        let mut request = self.server.client.post(format!("{}/graphql", self.server.address));
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        without_cost(request.json(body).send().await.unwrap().json().await.unwrap())
    }

    /// Sends a multipart form and returns the status and the response.
    pub async fn send(&self, form: reqwest::multipart::Form) -> (u16, Value) {
        let mut request = self.server.client.post(format!("{}/graphql", self.server.address));
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let response = request.multipart(form).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Sends a query that must succeed and returns its data.
    pub async fn data(&self, query: &str) -> Value {
        let mut response = self.answer(query, json!({})).await;
        assert!(response.get("errors").is_none(), "{query}\n{response:#}");
        response["data"].take()
    }

    /// Runs a mutation of one field that must succeed and returns its payload.
    pub async fn done(&self, mutation: &str, input: Value) -> Value {
        let payload = self.payload(mutation, input).await;
        assert_eq!(payload["errors"], json!([]), "{mutation}");
        payload
    }

    /// Runs a mutation of one field, such as `updateCase { case { id } }`, with this input and returns its payload.
    pub async fn payload(&self, mutation: &str, input: Value) -> Value {
        let (name, selection) = mutation.split_once(' ').unwrap();
        let owner = name.strip_prefix("remove").and_then(owner_of_part);
        let ty = match name {
            _ if owner.is_some() => format!("Remove{}PartInput", owner.unwrap_or_default()),
            "addTopic" | "removeTopic" => "RecordTopicInput".to_owned(),
            "addIdentifier" | "removeIdentifier" => "RecordIdentifierInput".to_owned(),
            "withholdPerson" => "WithholdInput".to_owned(),
            _ if name.starts_with("unmerge") => "UnmergeInput".to_owned(),
            _ if name.starts_with("merge") => "MergeInput".to_owned(),
            _ if ["delete", "publish", "unpublish"].iter().any(|verb| name.starts_with(verb)) => "RecordInput".to_owned(),
            _ => format!("{}{}Input", name[..1].to_uppercase(), &name[1..]),
        };
        let selection = selection.trim_start_matches('{').trim_end_matches('}');
        let query =
            format!("mutation($input: {ty}!) {{ {name}(input: $input) {{ {selection} errors {{ path code message currentRevision }} }} }}");
        let mut response = self.answer(&query, json!({"input": input})).await;
        assert!(response.get("errors").is_none(), "{query}\n{response:#}");
        response["data"][name].take()
    }
}

/// Name of the type of records that have parts of the type with this name.
fn owner_of_part(name: &str) -> Option<&'static str> {
    let part = kurultai::catalog::catalog().all().find(|record| record.name() == name)?;
    kurultai::store::write::part_change::owner_of(part).map(kurultai::catalog::record::Record::name)
}

/// A response without its cost extension, which most tests do not depend on.
pub fn without_cost(mut response: Value) -> Value {
    if let Some(members) = response.as_object_mut() {
        members.remove("extensions");
    }
    response
}

/// Parses files as an import does.
pub fn read(files: &[(Arc<str>, String)]) -> Result<Drafts, Vec<InputProblem>> {
    let mut reader = ImportReader::default();
    for (name, text) in files {
        let tree = kurultai::interchange::yaml::parse(name, text).map_err(|problem| vec![problem])?;
        let (parsed, problems) = kurultai::store::draft::parse::file(name, &tree);
        reader.drafts.extend(parsed);
        reader.problems.extend(problems);
    }
    reader.complete().map(|reader| reader.drafts)
}

/// Resolves a path relative to the root of the repository.
pub fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// The files of the sample dataset, in the order of their names.
fn sample_files() -> Vec<(Arc<str>, String)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(path("data")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    paths.iter().map(|path| (Arc::from(path.file_name().unwrap().to_string_lossy()), std::fs::read_to_string(path).unwrap())).collect()
}

/// Reverts a migration, by the name of its module, and all that came after it. Returns how many these are.
pub async fn migrate_down_before(store: &Store, name: &str) -> u32 {
    let migrations = Migrator::migrations();
    let later = migrations.iter().rev().position(|migration| migration.name() == name).unwrap();
    let steps = u32::try_from(later + 1).unwrap();
    store.migrate_down(steps).await.unwrap();
    steps
}

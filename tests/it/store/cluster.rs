//! PostgreSQL clusters, a pooler and Kurultai processes for one test. All of them are terminated when the thread that
//! started them ends, even if it panics.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use migration::sea_orm::{ConnectionTrait, Database};
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::command::{kurultai, run};
use crate::observability::server_process::Scrape;
use crate::server::path;

/// How long an expected condition is waited for.
const CONDITION_TIMEOUT: Duration = Duration::from_secs(20);
/// The database role of the servers, which owns their tables and has no other privileges.
const USER: &str = "kurultai";

/// Waits until a condition holds; the panic names the condition.
pub async fn wait_until(condition: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + CONDITION_TIMEOUT;
    while !holds().await {
        assert!(Instant::now() < end, "timed out while waiting until {condition}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A free port.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The folder of the PostgreSQL server binaries.
fn postgres_binaries() -> PathBuf {
    let has_binaries = |folder: &Path| ["initdb", "postgres", "pg_basebackup"].iter().all(|program| folder.join(program).exists());
    let on_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let mut debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.filter_map(|version| Some(version.ok()?.path().join("bin"))).collect())
        .unwrap_or_default();
    debian.sort();
    let found = on_path.into_iter().chain(debian.into_iter().rev()).find(|folder| has_binaries(folder));
    found.expect("the PostgreSQL server binaries are missing; run tests/setup.sh")
}

/// Name, uid and gid of the user that PostgreSQL runs as if the tests run as root, which PostgreSQL refuses.
fn unprivileged_user() -> Option<(String, u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let found = ["postgres:", "nobody:"].iter().find_map(|name| users.lines().find(|line| line.starts_with(name)));
    let fields: Vec<&str> = found.expect("there is no user postgres or nobody").split(':').collect();
    Some((fields[0].to_owned(), fields[2].parse().unwrap(), fields[3].parse().unwrap()))
}

/// A temporary folder that PostgreSQL can write to.
fn temporary_folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    if let Some((_, uid, gid)) = unprivileged_user() {
        chown(folder.path(), Some(uid), Some(gid)).unwrap();
    }
    folder
}

/// A command that runs as the user of PostgreSQL and receives this signal when the thread that starts it ends.
fn command_as_postgres(program: &Path, folder: &Path, signal: &str) -> Command {
    let mut command = Command::new("setpriv");
    if let Some((name, _, gid)) = unprivileged_user() {
        command.args(["--reuid", &name, "--regid", &gid.to_string(), "--init-groups"]);
    }
    command.args(["--pdeathsig", signal, "--"]).arg(program).current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs a command that must succeed.
fn run_to_success(mut command: Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Sends a signal to a process.
fn send_signal(process: u32, name: &str) {
    Command::new("kill").args([name, &process.to_string()]).status().unwrap();
}

/// The child processes of a process.
fn child_processes(process: u32) -> Vec<u32> {
    let parent = |id: u32| -> Option<u32> {
        let status = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // the name before the parenthesis can contain spaces
        status.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok()
    };
    let all = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    all.filter(|id| parent(*id) == Some(process)).collect()
}

/// A PostgreSQL cluster: a primary or a replica. It logs each statement with its values.
pub struct Cluster {
    pub port: u16,
    folder: TempDir,
    server: Option<Child>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Cluster {
    /// A primary with a migrated database.
    pub async fn primary() -> Self {
        let mut cluster = Self { port: free_port(), folder: temporary_folder(), server: None };
        let mut initdb = command_as_postgres(&postgres_binaries().join("initdb"), cluster.folder.path(), "KILL");
        initdb.args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "-D"]);
        initdb.arg(cluster.data());
        run_to_success(initdb);
        cluster.start().await;
        for statement in [&format!("CREATE ROLE {USER} LOGIN"), &format!("CREATE DATABASE {USER} OWNER {USER}")] {
            cluster.run_in("postgres", statement).await;
        }
        let (ok, _, error) = run(kurultai(&["migrate", "--database-url", &cluster.url()]));
        assert!(ok, "{error}");
        cluster
    }

    /// A streaming replica.
    pub async fn replica(&self) -> Self {
        let mut replica = Self { port: free_port(), folder: temporary_folder(), server: None };
        let mut copy = command_as_postgres(&postgres_binaries().join("pg_basebackup"), replica.folder.path(), "KILL");
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--wal-method=stream", "-h", "127.0.0.1", "-U", "postgres"]);
        copy.args(["-p", &self.port.to_string(), "-D"]).arg(replica.data());
        run_to_success(copy);
        replica.start().await;
        replica
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The database URL for servers.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{USER}?sslmode=disable", self.port)
    }

    /// Starts the cluster and waits until it accepts connections.
    pub async fn start(&mut self) {
        let mut server = command_as_postgres(&postgres_binaries().join("postgres"), self.folder.path(), "QUIT");
        server.arg("-D").arg(self.data()).arg("-k").arg(self.folder.path()).args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        let settings = [
            "fsync=off",
            "shared_buffers=32MB",
            "wal_level=replica",
            "hot_standby=on",
            // reconnect quickly after an interruption
            "wal_retrieve_retry_interval=200ms",
            "log_statement=all",
            "autovacuum=off",
        ];
        for setting in &settings {
            server.args(["-c", setting]);
        }
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        server.stdout(log.try_clone().unwrap()).stderr(log);
        self.server = Some(server.spawn().unwrap());
        let url = self.administration("postgres");
        wait_until(&format!("PostgreSQL starts:\n{}", self.log()), async || Database::connect(&url).await.is_ok()).await;
    }

    /// Terminates the cluster immediately, as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            send_signal(server.id(), "-QUIT");
            send_signal(server.id(), "-CONT");
            server.wait().unwrap();
        }
    }

    /// Suspends the cluster, as a network partition would: connections stay open without a response.
    pub fn freeze(&self) {
        self.signal_all("-STOP");
    }

    /// Resumes the cluster.
    pub fn thaw(&self) {
        self.signal_all("-CONT");
    }

    fn signal_all(&self, name: &str) {
        let server = self.server.as_ref().map(Child::id).unwrap();
        // the postmaster first, so that it starts no further processes
        std::iter::once(server).chain(child_processes(server)).for_each(|process| send_signal(process, name));
    }

    fn administration(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    async fn run_in(&self, database: &str, statement: &str) {
        let connection = Database::connect(self.administration(database)).await.unwrap();
        connection.execute_unprepared(statement).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Executes a statement as superuser.
    pub async fn run(&self, statement: &str) {
        self.run_in(USER, statement).await;
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Whether the cluster executed a statement with this value.
    pub fn has_executed(&self, value: &str) -> bool {
        self.log().contains(&format!("'{value}'"))
    }

    /// Creates a token for an editor.
    pub fn token(&self) -> String {
        let (ok, output, error) =
            run(kurultai(&["token", "create", "--name", "editor", "--role", "editor", "--database-url", &self.url()]));
        assert!(ok, "{error}");
        output.lines().next().unwrap().to_owned()
    }
}

/// A PgBouncer in transaction mode, with four connections to each cluster.
pub struct Pooler {
    port: u16,
    child: Child,
    _folder: TempDir,
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Pooler {
    pub async fn start(primary: &Cluster, replica: &Cluster) -> Self {
        let found = Command::new(path("tests/pgbouncer.sh")).output().unwrap();
        assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
        let pgbouncer = PathBuf::from(String::from_utf8(found.stdout).unwrap().trim());
        let (folder, port) = (temporary_folder(), free_port());
        let settings = format!(
            "[databases]\n\
             {USER} = host=127.0.0.1 port={}\n\
             {USER}_again = host=127.0.0.1 port={} dbname={USER}\n\
             {USER}_replica = host=127.0.0.1 port={} dbname={USER}\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             auth_type = trust\n\
             auth_file = users\n\
             pool_mode = transaction\n\
             default_pool_size = 4\n\
             max_client_conn = 500\n\
             max_prepared_statements = 200\n\
             ignore_startup_parameters = extra_float_digits, options\n",
            primary.port, primary.port, replica.port
        );
        fs::write(folder.path().join("settings"), settings).unwrap();
        fs::write(folder.path().join("users"), format!("\"{USER}\" \"\"\n")).unwrap();
        let mut command = command_as_postgres(&pgbouncer, folder.path(), "KILL");
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = command.arg("settings").stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let pooler = Self { port, child, _folder: folder };
        let url = pooler.url("");
        wait_until("the pooler accepts connections", async || Database::connect(&url).await.is_ok()).await;
        pooler
    }

    /// A database URL for servers. The suffix is empty for the primary, `_again` for the primary in a separate pool, and
    /// `_replica` for the replica.
    pub fn url(&self, suffix: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{USER}{suffix}?sslmode=disable", self.port)
    }
}

/// A `kurultai serve` process.
pub struct ClusterServer {
    pub address: String,
    child: Child,
    log_lines: Arc<Mutex<Vec<String>>>,
    client: reqwest::Client,
}

impl Drop for ClusterServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl ClusterServer {
    /// Starts a server with these settings and waits until it accepts requests.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", env!("CARGO_BIN_EXE_kurultai"), "serve", "--listen", "127.0.0.1:0"]);
        command
            .env_remove("DATABASE_URL")
            .env_remove("KURULTAI_TOKEN")
            .env("KURULTAI_RATE_LIMIT__POINTS_PER_ADDRESS", "0")
            .env("KURULTAI_SHARES__CLIENT_PERCENT", "100")
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log_lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let (lines, collected) = (BufReader::new(child.stderr.take().unwrap()).lines(), log_lines.clone());
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| collected.lock().unwrap().push(line)));
        let mut server = Self { address: String::new(), child, log_lines, client: reqwest::Client::new() };
        wait_until("the server accepts requests", async || {
            let lines = server.log_lines.lock().unwrap().clone();
            let address = lines.iter().find_map(|line| Some(line.split("\"graphql.url\":\"").nth(1)?.split('"').next()?.to_owned()));
            server.address = address.unwrap_or_default();
            let has_exited = server.child.try_wait().unwrap().is_some();
            assert!(!has_exited, "{lines:#?}");
            !server.address.is_empty()
        })
        .await;
        server
    }

    /// Number of log lines that contain this text.
    pub fn log_count(&self, text: &str) -> usize {
        self.log_lines.lock().unwrap().iter().filter(|line| line.contains(text)).count()
    }

    /// Scrapes the metrics; requires `KURULTAI_METRICS_LISTEN`.
    pub async fn scrape(&self) -> Scrape {
        let lines = self.log_lines.lock().unwrap().clone();
        let address = lines.iter().find_map(|line| line.split("\"metrics.url\":\"").nth(1)?.split('"').next()).unwrap();
        Scrape(self.client.get(address).send().await.unwrap().text().await.unwrap())
    }

    /// Sends a query, with or without a token; returns the status and the response.
    pub async fn query(&self, token: Option<&str>, query: &str) -> (u16, Value) {
        let mut request = self.client.post(&self.address).json(&json!({"query": query}));
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Sends a query that must succeed and returns its data.
    pub async fn data(&self, token: Option<&str>, query: &str) -> Value {
        let (status, mut answer) = self.query(token, query).await;
        assert!(status == 200 && answer.get("errors").is_none(), "{query}\n{answer:#}\n{:#?}", self.log_lines.lock().unwrap());
        answer["data"].take()
    }

    /// Sends a query by GET with the ETag of an earlier response; returns the status, the ETag and the body.
    pub async fn get(&self, query: &str, tag: Option<&str>) -> (u16, Option<String>, String) {
        let mut request = self.client.get(&self.address).query(&[("query", query)]);
        if let Some(tag) = tag {
            request = request.header("if-none-match", tag);
        }
        let response = request.send().await.unwrap();
        let tag = response.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
        (response.status().as_u16(), tag, response.text().await.unwrap())
    }

    /// Whether the server now sends anonymous reads to this cluster.
    pub async fn reads_from(&self, cluster: &Cluster) -> bool {
        let marker = format!("nobody-{}", uuid::Uuid::new_v4().simple());
        self.data(None, &format!("{{ person(by: {{slug: \"{marker}\"}}) {{ name }} }}")).await;
        cluster.has_executed(&marker)
    }
}

//! Servers of PostgreSQL, a pooler and processes of Kurultai of a test's own. All of them end with the thread that started
//! them, whatever happens to it.

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

use crate::command::{kurultai, run};
use crate::observe::running::Scrape;
use crate::server::path;

/// How long something that must happen is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// The user of the database that servers are: one without rights beyond their tables.
const USER: &str = "kurultai";

/// Waits until this is so; `what` says what was waited for in vain.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < end, "in vain was waited until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A port of this machine that nobody listens at.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Where the programs of PostgreSQL's server are.
fn programs() -> PathBuf {
    let is_there = |folder: &Path| ["initdb", "postgres", "pg_basebackup"].iter().all(|program| folder.join(program).exists());
    let on_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let mut debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.filter_map(|version| Some(version.ok()?.path().join("bin"))).collect())
        .unwrap_or_default();
    debian.sort();
    let found = on_path.into_iter().chain(debian.into_iter().rev()).find(|folder| is_there(folder));
    found.expect("the programs of PostgreSQL's server are missing; run tests/setup.sh")
}

/// The user that PostgreSQL runs as where tests run as root, which it refuses.
fn user() -> Option<(String, u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let found = ["postgres:", "nobody:"].iter().find_map(|name| users.lines().find(|line| line.starts_with(name)));
    let fields: Vec<&str> = found.expect("neither the user postgres nor nobody is there").split(':').collect();
    Some((fields[0].to_owned(), fields[2].parse().unwrap(), fields[3].parse().unwrap()))
}

/// A folder that PostgreSQL may write to.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    if let Some((_, uid, gid)) = user() {
        chown(folder.path(), Some(uid), Some(gid)).unwrap();
    }
    folder
}

/// A program that PostgreSQL's user runs, and that gets this signal when the thread that starts it ends.
fn program(program: &Path, folder: &Path, signal: &str) -> Command {
    let mut command = Command::new("setpriv");
    if let Some((name, _, gid)) = user() {
        command.args(["--reuid", &name, "--regid", &gid.to_string(), "--init-groups"]);
    }
    command.args(["--pdeathsig", signal, "--"]).arg(program).current_dir(folder).stdin(Stdio::null());
    command
}

fn finish(mut command: Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A signal to a process.
fn signal(process: u32, name: &str) {
    Command::new("kill").args([name, &process.to_string()]).status().unwrap();
}

/// The processes that this one has started.
fn children(process: u32) -> Vec<u32> {
    let parent = |id: u32| -> Option<u32> {
        let status = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // the name before may have spaces in it
        status.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok()
    };
    let all = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    all.filter(|id| parent(*id) == Some(process)).collect()
}

/// A server of PostgreSQL: a primary, or a replica of one. It writes each statement with its values into a log.
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
    /// A primary with a database that has the tables.
    pub async fn primary() -> Self {
        let mut cluster = Self { port: free_port(), folder: folder(), server: None };
        let mut initdb = program(&programs().join("initdb"), cluster.folder.path(), "KILL");
        initdb.args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "-D"]);
        initdb.arg(cluster.data());
        finish(initdb);
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
        let mut replica = Self { port: free_port(), folder: folder(), server: None };
        let mut copy = program(&programs().join("pg_basebackup"), replica.folder.path(), "KILL");
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--wal-method=stream", "-h", "127.0.0.1", "-U", "postgres"]);
        copy.args(["-p", &self.port.to_string(), "-D"]).arg(replica.data());
        finish(copy);
        replica.start().await;
        replica
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its address for servers.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{USER}?sslmode=disable", self.port)
    }

    /// Starts it, and waits until it answers.
    pub async fn start(&mut self) {
        let mut server = program(&programs().join("postgres"), self.folder.path(), "QUIT");
        server.arg("-D").arg(self.data()).arg("-k").arg(self.folder.path()).args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        let settings = [
            "fsync=off",
            "shared_buffers=32MB",
            "wal_level=replica",
            "hot_standby=on",
            // tells a primary soon that its replica has gone, and the other way round
            "wal_retrieve_retry_interval=200ms",
            "log_statement=all",
            "autovacuum=off",
        ];
        settings.iter().for_each(|setting| {
            server.args(["-c", setting]);
        });
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        server.stdout(log.try_clone().unwrap()).stderr(log);
        self.server = Some(server.spawn().unwrap());
        let url = self.administration("postgres");
        until(&format!("PostgreSQL starts:\n{}", self.log()), async || Database::connect(&url).await.is_ok()).await;
    }

    /// Ends it at once, as a fault would.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            signal(server.id(), "-QUIT");
            signal(server.id(), "-CONT");
            server.wait().unwrap();
        }
    }

    /// Has it stand still, as a machine that is cut off does: connections stay, and nothing answers.
    pub fn freeze(&self) {
        self.signal_all("-STOP");
    }

    /// Has it go on.
    pub fn thaw(&self) {
        self.signal_all("-CONT");
    }

    fn signal_all(&self, name: &str) {
        let server = self.server.as_ref().map(Child::id).unwrap();
        // the server itself first: it starts no other then
        std::iter::once(server).chain(children(server)).for_each(|process| signal(process, name));
    }

    fn administration(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    async fn run_in(&self, database: &str, statement: &str) {
        let connection = Database::connect(self.administration(database)).await.unwrap();
        connection.execute_unprepared(statement).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Runs a statement as an administrator.
    pub async fn run(&self, statement: &str) {
        self.run_in(USER, statement).await;
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Whether it was given a statement with this value.
    pub fn was_asked(&self, value: &str) -> bool {
        self.log().contains(&format!("'{value}'"))
    }

    /// Makes a token for an editor.
    pub fn token(&self) -> String {
        let (ok, said, error) = run(kurultai(&["token", "create", "--name", "editor", "--role", "editor", "--database-url", &self.url()]));
        assert!(ok, "{error}");
        said.lines().next().unwrap().to_owned()
    }
}

/// A pooler in transaction mode, with four connections to each server.
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
    pub async fn over(primary: &Cluster, replica: &Cluster) -> Self {
        let found = Command::new(path("tests/pgbouncer.sh")).output().unwrap();
        assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
        let pgbouncer = PathBuf::from(String::from_utf8(found.stdout).unwrap().trim());
        let (folder, port) = (folder(), free_port());
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
        let mut command = program(&pgbouncer, folder.path(), "KILL");
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = command.arg("settings").stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let pooler = Self { port, child, _folder: folder };
        let url = pooler.url("");
        until("the pooler answers", async || Database::connect(&url).await.is_ok()).await;
        pooler
    }

    /// An address for servers; `which` is empty for the primary, `_again` for it by other connections, and `_replica` for
    /// the replica.
    pub fn url(&self, which: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{USER}{which}?sslmode=disable", self.port)
    }
}

/// A process that serves.
pub struct Serving {
    pub address: String,
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    client: reqwest::Client,
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Serving {
    /// Starts it with these settings, and waits until it serves.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", env!("CARGO_BIN_EXE_kurultai"), "serve", "--listen", "127.0.0.1:0"]);
        command
            .env_remove("DATABASE_URL")
            .env_remove("KURULTAI_TOKEN")
            .env("KURULTAI_RATE__ADDRESS", "0")
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let (lines, kept) = (BufReader::new(child.stderr.take().unwrap()).lines(), said.clone());
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line)));
        let mut serving = Self { address: String::new(), child, said, client: reqwest::Client::new() };
        until("the server serves", async || {
            let lines = serving.said.lock().unwrap().clone();
            let address = lines.iter().find_map(|line| Some(line.split("the API at ").nth(1)?.split('"').next()?.to_owned()));
            serving.address = address.unwrap_or_default();
            let is_over = serving.child.try_wait().unwrap().is_some();
            assert!(!is_over, "{lines:#?}");
            !serving.address.is_empty()
        })
        .await;
        serving
    }

    /// How often it has said this in its log.
    pub fn said(&self, words: &str) -> usize {
        self.said.lock().unwrap().iter().filter(|line| line.contains(words)).count()
    }

    /// What is counted, where it counts: `KURULTAI_METRICS_LISTEN`.
    pub async fn scrape(&self) -> Scrape {
        let lines = self.said.lock().unwrap().clone();
        let address = lines.iter().find_map(|line| line.split("metrics are at ").nth(1)?.split('"').next()).unwrap();
        Scrape(self.client.get(address).send().await.unwrap().text().await.unwrap())
    }

    /// Asks, with a token or as anyone; gives the status and the answer.
    pub async fn ask(&self, token: Option<&str>, query: &str) -> (u16, Value) {
        let mut request = self.client.post(&self.address).json(&json!({"query": query}));
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Asks what must not fail and gives its data.
    pub async fn data(&self, token: Option<&str>, query: &str) -> Value {
        let (status, mut answer) = self.ask(token, query).await;
        assert!(status == 200 && answer.get("errors").is_none(), "{query}\n{answer:#}\n{:#?}", self.said.lock().unwrap());
        answer["data"].take()
    }

    /// Asks by the address, with the tag of an earlier answer; gives the status, the tag and the text.
    pub async fn get(&self, query: &str, tag: Option<&str>) -> (u16, Option<String>, String) {
        let mut request = self.client.get(&self.address).query(&[("query", query)]);
        if let Some(tag) = tag {
            request = request.header("if-none-match", tag);
        }
        let response = request.send().await.unwrap();
        let tag = response.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
        (response.status().as_u16(), tag, response.text().await.unwrap())
    }

    /// Whether it reads from this server what anyone asks now.
    pub async fn reads_from(&self, cluster: &Cluster) -> bool {
        let marker = format!("nobody-{}", uuid::Uuid::new_v4().simple());
        self.data(None, &format!("{{ person(by: {{slug: \"{marker}\"}}) {{ name }} }}")).await;
        cluster.was_asked(&marker)
    }
}

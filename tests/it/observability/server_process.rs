//! A server process with its log lines and metrics.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};

use crate::cli::command::kurultai;
use crate::server::Server;

/// How long an expected event is waited for.
const EVENT_TIMEOUT: Duration = Duration::from_secs(30);

/// A running `kurultai serve`.
pub struct ServerProcess {
    pub child: Child,
    /// Base URL of the public address.
    pub address: String,
    /// URL of the metrics.
    pub metrics_url: String,
    pub client: reqwest::Client,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl ServerProcess {
    /// Starts a process on the database of a test server, with these environment variables.
    pub async fn start(server: &Server, environment: &[(&str, &str)]) -> Self {
        let mut command = kurultai(&["serve", "--listen", "127.0.0.1:0", "--database-url", &server.database.url]);
        command.env("KURULTAI_METRICS_LISTEN", "127.0.0.1:0").envs(environment.iter().copied());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let (collected, stderr) = (lines.clone(), child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                collected.lock().unwrap().push(line);
            }
        });
        let client = reqwest::Client::new();
        let mut process = Self { child, address: String::new(), metrics_url: String::new(), client, lines };
        let field = |line: &Value, name: &str| Some(line[name].as_str()?.to_owned());
        let graphql_url = process.wait_for_line(|line| field(line, "graphql.url")).await;
        process.address = graphql_url.trim_end_matches("/graphql").to_owned();
        process.metrics_url = process.wait_for_line(|line| field(line, "metrics.url")).await;
        // responses are not cached before the process receives change notifications
        let is_listening = async { while process.scrape().await.sum("kurultai_dataset_generation", &[]).is_none() {} };
        tokio::time::timeout(EVENT_TIMEOUT, is_listening).await.expect("the process does not receive change notifications");
        process
    }

    /// Waits for the first log line from which a value can be extracted.
    pub async fn wait_for_line<T>(&self, extract: impl Fn(&Value) -> Option<T>) -> T {
        let found = async {
            loop {
                if let Some(found) = self.lines().iter().find_map(&extract) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(EVENT_TIMEOUT, found).await.unwrap_or_else(|_| panic!("no such line in\n{}", self.log()))
    }

    /// The log lines so far.
    pub fn lines(&self) -> Vec<Value> {
        self.lines.lock().unwrap().iter().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect()
    }

    /// The log so far.
    pub fn log(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.address)).send().await.unwrap()
    }

    /// Sends a GraphQL request with these headers.
    pub async fn post(&self, body: &Value, headers: &[(&str, &str)]) -> Response {
        let mut request = self.client.post(format!("{}/graphql", self.address)).json(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    /// Sends a query and returns the response.
    pub async fn query(&self, query: &str) -> Value {
        self.post(&json!({"query": query}), &[]).await.json().await.unwrap()
    }

    /// Scrapes the metrics.
    pub async fn scrape(&self) -> Scrape {
        let response = self.client.get(&self.metrics_url).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        Scrape(response.text().await.unwrap())
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
    }

    /// Waits until the process has exited.
    pub async fn wait_for_exit(&mut self) {
        let exited = async {
            while self.child.try_wait().unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(EVENT_TIMEOUT, exited).await.expect("the process did not exit");
    }
}

/// Metrics in the text format of Prometheus.
pub struct Scrape(pub String);

impl Scrape {
    /// The sum of the samples of a metric that have these labels; `None` if there are no such samples.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let has_labels = |line: &str| labels.iter().all(|(label, value)| line.contains(&format!("{label}=\"{value}\"")));
        let samples = self.0.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            (rest.starts_with(['{', ' ']) && has_labels(rest)).then(|| rest.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        });
        samples.reduce(|left, right| left + right)
    }

    #[track_caller]
    pub fn assert_eq(&self, name: &str, labels: &[(&str, &str)], expected: f64) {
        assert_eq!(self.sum(name, labels), Some(expected), "{name} {labels:?}\n{}", self.0);
    }

    #[track_caller]
    pub fn assert_greater(&self, name: &str, labels: &[(&str, &str)], than: f64) {
        assert!(self.sum(name, labels).is_some_and(|sum| sum > than), "{name} {labels:?}\n{}", self.0);
    }
}

//! The program itself, as it is run, with everything that it writes.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};

use crate::command::kurultai;
use crate::server::Server;

/// How long it is waited for what has to come.
const LONG: Duration = Duration::from_secs(30);

/// A program that serves.
pub struct Running {
    pub child: Child,
    /// Where the public asks.
    pub address: String,
    /// Where metrics are.
    pub metrics: String,
    pub client: reqwest::Client,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Running {
    /// Serves the database of a server of a test, with these variables in its environment.
    pub async fn over(server: &Server, environment: &[(&str, &str)]) -> Self {
        let mut command = kurultai(&["serve", "--listen", "127.0.0.1:0", "--database-url", &server.database.url]);
        command.env("KURULTAI_METRICS_LISTEN", "127.0.0.1:0").envs(environment.iter().copied());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let (written, stderr) = (lines.clone(), child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                written.lock().unwrap().push(line);
            }
        });
        let mut running = Self { child, address: String::new(), metrics: String::new(), client: reqwest::Client::new(), lines };
        let said = |message: &str, before: &str| message.split_once(before).map(|(_, address)| address.to_owned());
        let api = running.line(|line| said(line["message"].as_str()?, "the API at ")).await;
        running.address = api.trim_end_matches("/graphql").to_owned();
        running.metrics = running.line(|line| said(line["message"].as_str()?, "metrics are at ")).await;
        // until it hears of the writes of others it keeps nothing
        let hears = async { while running.scrape().await.sum("kurultai_dataset_generation", &[]).is_none() {} };
        tokio::time::timeout(LONG, hears).await.expect("it does not hear of writes");
        running
    }

    /// Waits for a log line that something can be found in.
    pub async fn line<T>(&self, find: impl Fn(&Value) -> Option<T>) -> T {
        let found = async {
            loop {
                if let Some(found) = self.lines().iter().find_map(&find) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(LONG, found).await.unwrap_or_else(|_| panic!("no such line in\n{}", self.log()))
    }

    /// The log lines so far.
    pub fn lines(&self) -> Vec<Value> {
        self.lines.lock().unwrap().iter().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect()
    }

    /// Everything that it wrote so far.
    pub fn log(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.address)).send().await.unwrap()
    }

    /// Asks, with these headers.
    pub async fn post(&self, body: &Value, headers: &[(&str, &str)]) -> Response {
        let mut request = self.client.post(format!("{}/graphql", self.address)).json(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    pub async fn ask(&self, query: &str) -> Value {
        self.post(&json!({"query": query}), &[]).await.json().await.unwrap()
    }

    /// What is counted.
    pub async fn scrape(&self) -> Scrape {
        let response = self.client.get(&self.metrics).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        Scrape(response.text().await.unwrap())
    }

    /// Tells it to stop.
    pub fn terminate(&self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
    }

    /// Waits until it has stopped by itself.
    pub async fn stopped(&mut self) {
        let stopped = async {
            while self.child.try_wait().unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(LONG, stopped).await.expect("it did not stop");
    }
}

/// What Prometheus reads.
pub struct Scrape(pub String);

impl Scrape {
    /// The sum of the samples of a name that have these labels; nothing where there are none.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let has = |line: &str| labels.iter().all(|(label, value)| line.contains(&format!("{label}=\"{value}\"")));
        let samples = self.0.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            (rest.starts_with(['{', ' ']) && has(rest)).then(|| rest.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        });
        samples.reduce(|one, other| one + other)
    }

    #[track_caller]
    pub fn is(&self, name: &str, labels: &[(&str, &str)], expected: f64) {
        assert_eq!(self.sum(name, labels), Some(expected), "{name} {labels:?}\n{}", self.0);
    }

    #[track_caller]
    pub fn is_more(&self, name: &str, labels: &[(&str, &str)], than: f64) {
        assert!(self.sum(name, labels).is_some_and(|sum| sum > than), "{name} {labels:?}\n{}", self.0);
    }
}

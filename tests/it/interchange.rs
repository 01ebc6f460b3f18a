//! Import and export through the command line and the store.

mod akoma_ntoso;
mod batches;
mod contradictions;
mod csv;
mod edges;
mod edits;
mod formats;
pub mod identity;
mod import;
mod import_cases;
mod kill;
mod likeness;
mod line_tracker;
mod merged;
mod open_states;
mod package;
mod popolo;
mod prune;
mod prune_runs;
mod push;
mod refused;
mod round_trip;
mod sources;
mod stream;
mod texts;

use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use tempfile::TempDir;

use crate::cli::command::{kurultai, run};
use crate::server::{On, Server};

/// A server with an empty database, and a folder of files to import into it.
pub struct ImportFixture {
    pub server: Server,
    pub folder: TempDir,
}

impl ImportFixture {
    pub async fn new(on: On) -> Self {
        Self { server: Server::empty(on).await, folder: TempDir::new().unwrap() }
    }

    /// Writes a file into the folder.
    pub fn write_file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Runs an import in the folder; returns whether it succeeded, its stdout and its stderr.
    pub fn import(&self, arguments: &[&str]) -> (bool, String, String) {
        let mut command = kurultai(&["import", "--database-url", &self.server.database.url]);
        command.args(arguments).current_dir(self.folder.path());
        run(command)
    }

    /// Runs an import that must succeed; returns its stdout.
    pub fn import_ok(&self, arguments: &[&str]) -> String {
        let (ok, stdout, stderr) = self.import(arguments);
        assert!(ok, "{stdout}{stderr}");
        stdout.trim().to_owned()
    }

    /// Runs an import that must fail; returns its stderr.
    pub fn import_err(&self, arguments: &[&str]) -> String {
        let (ok, stdout, stderr) = self.import(arguments);
        assert!(!ok, "{stdout}{stderr}");
        stderr
    }

    /// Runs an import of text from standard input.
    pub fn import_stdin(&self, arguments: &[&str], text: &str) -> (bool, String, String) {
        let mut command = kurultai(&["import", "-", "--database-url", &self.server.database.url]);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    }
}

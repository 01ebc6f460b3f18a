//! Formats that the command line reads, and how it writes what it read.

mod kill;
mod line;
mod popolo;
mod push;
mod stream;
mod table;

use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use tempfile::TempDir;

use crate::command::{kurultai, run};
use crate::server::{On, Server};

/// A server, and a folder for files to import.
pub struct Desk {
    pub server: Server,
    pub folder: TempDir,
}

impl Desk {
    pub async fn new(on: On) -> Self {
        Self { server: Server::empty(on).await, folder: TempDir::new().unwrap() }
    }

    /// Writes a file into the folder.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Runs an import in the folder; gives whether it went well, what it said and what it complained of.
    pub fn import(&self, arguments: &[&str]) -> (bool, String, String) {
        let mut command = kurultai(&["import", "--database-url", &self.server.database.url]);
        command.args(arguments).current_dir(self.folder.path());
        run(command)
    }

    /// Runs an import that must go well; gives what it said.
    pub fn imported(&self, arguments: &[&str]) -> String {
        let (ok, said, error) = self.import(arguments);
        assert!(ok, "{said}{error}");
        said.trim().to_owned()
    }

    /// Runs an import that must be refused; gives what it complained of.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let (ok, said, error) = self.import(arguments);
        assert!(!ok, "{said}{error}");
        error
    }

    /// Runs an import that reads this from standard input.
    pub fn piped(&self, arguments: &[&str], text: &str) -> (bool, String, String) {
        let mut command = kurultai(&["import", "-", "--database-url", &self.server.database.url]);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    }
}

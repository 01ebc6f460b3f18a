//! How a command ends when it does not fail, and what it prints.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

/// Whether `--quiet` is given.
static QUIET: AtomicBool = AtomicBool::new(false);

/// The result of a command, as text for people and as JSON for programs.
#[derive(Debug)]
pub(super) struct CommandResult {
    text: String,
    json: Json,
    /// Whether the command was run for this result, so that `--quiet` does not suppress it.
    is_data: bool,
}

impl CommandResult {
    /// A report of what the command did.
    pub(super) fn report(text: impl Into<String>, json: Json) -> Self {
        Self { text: text.into(), json, is_data: false }
    }

    /// What the command was asked to print, such as a list.
    pub(super) fn data(text: impl Into<String>, json: Json) -> Self {
        Self { is_data: true, ..Self::report(text, json) }
    }

    /// The same result with the number of records that were refused.
    pub(super) fn with_refused(self, refused: usize) -> Self {
        let text = match self.text.split_once('\n') {
            None => format!("{}; {refused} refused", self.text),
            Some((first, rest)) => format!("{first}; {refused} refused\n{rest}"),
        };
        let mut json = self.json;
        json["refused"] = refused.into();
        Self { text, json, is_data: self.is_data }
    }

    /// The same result with one more member for programs.
    pub(super) fn with_member(mut self, name: &str, value: Json) -> Self {
        self.json[name] = value;
        self
    }

    /// Prints the result on standard output.
    pub(super) fn print(&self, as_json: bool) -> std::io::Result<()> {
        if is_quiet() && !self.is_data {
            return Ok(());
        }
        let mut out = std::io::stdout();
        if as_json { writeln!(out, "{}", self.json) } else { writeln!(out, "{}", self.text) }
    }
}

/// How a command ended.
#[derive(Debug)]
pub(super) enum CommandOutcome {
    /// The command completed and has no result to print.
    Silent,
    /// The command completed with this result.
    Completed(CommandResult),
    /// The command completed with this result, except for records that it refused.
    Partial(CommandResult),
    /// The command was interrupted; the text says how far it got.
    Interrupted(String),
}

/// Suppresses everything but data, warnings and errors from now on.
pub(super) fn set_quiet(is_quiet: bool) {
    QUIET.store(is_quiet, Ordering::Relaxed);
}

/// Whether everything but data, warnings and errors is suppressed.
pub(super) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Prints an explanation on standard error, unless it is suppressed.
pub(super) fn note(text: impl std::fmt::Display) {
    if !is_quiet() {
        eprintln!("{text}");
    }
}

/// An instant to the minute, in UTC.
pub(super) fn format_minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M").to_string()
}

/// Aligns the columns of a table.
pub(super) fn format_table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

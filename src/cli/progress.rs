//! Progress of long commands: a bar on a terminal, and a line at intervals elsewhere.

use std::io::{IsTerminal, stderr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};

use super::outcome::is_quiet;

/// Interval between progress lines if standard error is not a terminal.
const PROGRESS_LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Progress of one step of a command.
#[derive(Debug)]
pub(super) struct Progress {
    unit: &'static str,
    verb: &'static str,
    bar: ProgressBar,
    is_terminal: bool,
    last_line: Mutex<Instant>,
}

impl Progress {
    /// Shows the progress of `total` records. `verb` is a participle such as "written".
    pub(super) fn records(verb: &'static str, total: usize) -> Self {
        Self::new("records", verb, total)
    }

    /// Shows the progress of `total` units. `verb` is a participle such as "written".
    pub(super) fn new(unit: &'static str, verb: &'static str, total: usize) -> Self {
        let is_terminal = stderr().is_terminal() && !is_quiet();
        let bar = if is_terminal { ProgressBar::new(total as u64) } else { ProgressBar::hidden() };
        bar.set_length(total as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} {msg}, {per_sec}, {eta} left") {
            bar.set_style(style);
        }
        bar.set_message(verb);
        Self { unit, verb, bar, is_terminal, last_line: Mutex::new(Instant::now()) }
    }

    /// Adds completed units.
    pub(super) fn add(&self, count: usize) {
        self.bar.inc(count as u64);
        if self.is_terminal || is_quiet() {
            return;
        }
        if let Ok(mut last_line) = self.last_line.lock()
            && last_line.elapsed() >= PROGRESS_LINE_INTERVAL
        {
            *last_line = Instant::now();
            eprintln!("{}", self.line());
        }
    }

    fn line(&self) -> String {
        let (completed, total) = (self.bar.position(), self.bar.length().unwrap_or_default());
        let seconds = self.bar.elapsed().as_secs().max(1);
        let per_second = (completed / seconds).max(1);
        let left = HumanDuration(Duration::from_secs(total.saturating_sub(completed) / per_second));
        let Self { unit, verb, .. } = self;
        format!("{} of {} {unit} {verb}, {} per second, {left} left", HumanCount(completed), HumanCount(total), HumanCount(per_second))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

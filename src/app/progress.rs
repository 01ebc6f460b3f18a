//! Tells how far an import is: a bar on a terminal, a line from time to time elsewhere.

use std::io::{IsTerminal, stderr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};

/// How often a line is written where there is no terminal.
const INTERVAL: Duration = Duration::from_secs(10);

/// How far something is.
#[derive(Debug)]
pub struct Progress {
    of: &'static str,
    what: &'static str,
    bar: ProgressBar,
    is_terminal: bool,
    told: Mutex<Instant>,
}

impl Progress {
    /// Begins to count records; `what` is done with each, such as written.
    pub fn new(what: &'static str, count: usize) -> Self {
        Self::of("records", what, count)
    }

    /// Begins to count such things; `what` is done with each.
    pub fn of(of: &'static str, what: &'static str, count: usize) -> Self {
        let is_terminal = stderr().is_terminal();
        let bar = if is_terminal { ProgressBar::new(count as u64) } else { ProgressBar::hidden() };
        bar.set_length(count as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} {msg}, {per_sec}, {eta} left") {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self { of, what, bar, is_terminal, told: Mutex::new(Instant::now()) }
    }

    /// So many more are done.
    pub fn add(&self, count: usize) {
        self.bar.inc(count as u64);
        if self.is_terminal {
            return;
        }
        if let Ok(mut told) = self.told.lock()
            && told.elapsed() >= INTERVAL
        {
            *told = Instant::now();
            eprintln!("{}", self.line());
        }
    }

    fn line(&self) -> String {
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
        let seconds = self.bar.elapsed().as_secs().max(1);
        let rate = (done / seconds).max(1);
        let left = HumanDuration(Duration::from_secs(all.saturating_sub(done) / rate));
        let Self { of, what, .. } = self;
        format!("{} of {} {of} {what}, {} a second, {left} left", HumanCount(done), HumanCount(all), HumanCount(rate))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

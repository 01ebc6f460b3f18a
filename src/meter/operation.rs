//! Operations by their names, of which there is a bounded number.
//!
//! Anyone may send an operation of any name. So only names that the one who runs the service knows are told apart: those
//! of saved queries, which need a token, and those in the configuration. All others are counted together.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;

use metrics::{Counter, Histogram};
use metrics_exporter_prometheus::PrometheusRecorder;

use super::catalog::{counter, histogram};

/// What operations without a name are counted as.
const ANONYMOUS: &str = "anonymous";
/// What operations of unknown names are counted as.
const OTHER: &str = "other";

/// Names that operations are told apart by.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Names of operations that clients send.
    pub names: Vec<String>,
    /// Saved queries that are told apart besides, at most.
    pub saved: usize,
}

/// What kind of operation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A query.
    Query,
    /// A mutation.
    Mutation,
    /// The beginning of a subscription.
    Subscription,
    /// A query that is read as a table or a chart.
    Table,
}

impl Kind {
    /// Its name in labels.
    pub fn as_str(self) -> &'static str {
        ["query", "mutation", "subscription", "table"][self as usize]
    }
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was given.
    Ok,
    /// Something, or all of it, could not be given.
    Errors,
    /// Nobody waited for its end.
    Abandoned,
}

impl Outcome {
    /// Its name in labels.
    pub fn as_str(self) -> &'static str {
        OUTCOMES[self as usize]
    }
}

const OUTCOMES: [&str; 3] = ["ok", "errors", "abandoned"];

struct Meters {
    outcomes: [Counter; 3],
    seconds: Histogram,
}

type Kinds = Arc<[OnceLock<Meters>; 4]>;

pub(super) struct Operations {
    by_label: RwLock<HashMap<String, Kinds>>,
    most: usize,
}

impl Operations {
    pub(super) fn new(known: Known, recorder: &PrometheusRecorder) -> Self {
        let mut by_label: HashMap<String, Kinds> = HashMap::new();
        for name in known.names.into_iter().chain([ANONYMOUS.to_owned(), OTHER.to_owned()]) {
            by_label.entry(name).or_default();
        }
        let most = by_label.len() + known.saved;
        let operations = Self { by_label: RwLock::new(by_label), most };
        // shown before the first of them comes
        operations.meters(recorder, ANONYMOUS, Kind::Query, |_| ());
        operations
    }

    pub(super) fn count(
        &self,
        recorder: &PrometheusRecorder,
        saved: Option<&str>,
        name: Option<&str>,
        (kind, outcome): (Kind, Outcome),
        took: Duration,
    ) {
        let count = |meters: &Meters| {
            meters.outcomes[outcome as usize].increment(1);
            meters.seconds.record(took);
        };
        let label = saved.or(name).unwrap_or(ANONYMOUS);
        if self.meters(recorder, label, kind, count).is_none() {
            if saved.is_some() && self.make_room(label) {
                self.meters(recorder, label, kind, count);
            } else {
                self.meters(recorder, OTHER, kind, count);
            }
        }
    }

    /// Does something with the meters of a label that is told apart.
    fn meters(&self, recorder: &PrometheusRecorder, label: &str, kind: Kind, with: impl FnOnce(&Meters)) -> Option<()> {
        let kinds = self.by_label.read().ok()?.get(label)?.clone();
        with(kinds[kind as usize].get_or_init(|| {
            let labels = [("operation", label), ("type", kind.as_str())];
            let outcome = |outcome| counter(recorder, "kurultai_operations_total", &[labels[0], labels[1], ("outcome", outcome)]);
            Meters { outcomes: OUTCOMES.map(outcome), seconds: histogram(recorder, "kurultai_operation_seconds", &labels) }
        }));
        Some(())
    }

    /// Makes a saved query one that is told apart, if there is room.
    fn make_room(&self, label: &str) -> bool {
        let Ok(mut by_label) = self.by_label.write() else { return false };
        if by_label.len() >= self.most && !by_label.contains_key(label) {
            return false;
        }
        by_label.entry(label.to_owned()).or_default();
        true
    }
}

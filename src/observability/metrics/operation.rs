//! Metrics of operations by name, with a bounded number of names.
//!
//! Clients can send operations of any name. Therefore only names that the operator knows have metrics of their own: those
//! of saved queries, which require a token, and those in the configuration. All other names share one label.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;

use metrics::{Counter, Histogram};
use metrics_exporter_prometheus::PrometheusRecorder;
use strum::VariantArray;

use super::catalog::{counter, histogram};
use super::family::per_variant;

/// Label of operations without a name.
const ANONYMOUS_LABEL: &str = "anonymous";
/// Label of operations whose name has no metrics of its own.
const OTHER_LABEL: &str = "other";

/// Operation names that have metrics of their own.
#[derive(Debug, Clone, Default)]
pub struct OperationLabels {
    /// Operation names in requests.
    pub names: Vec<String>,
    /// Maximum number of saved queries in addition to `names`.
    pub max_saved_queries: usize,
}

/// Kind of an operation. Its text form is the value of the label `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum OperationKind {
    /// A query.
    Query,
    /// A mutation.
    Mutation,
    /// The start of a subscription.
    Subscription,
    /// A query that is exported as a table or a chart.
    Table,
}

impl OperationKind {
    /// The value of the label `type`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How an operation ended. Its text form is the value of the label `outcome`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum OperationOutcome {
    /// The response has no errors.
    Ok,
    /// The response has errors.
    Errors,
    /// The client closed the connection before the end.
    Abandoned,
}

impl OperationOutcome {
    /// The value of the label `outcome`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The metrics of one name and kind.
struct OperationMetrics {
    total: [Counter; OperationOutcome::VARIANTS.len()],
    seconds: Histogram,
}

type MetricsByKind = Arc<[OnceLock<OperationMetrics>; OperationKind::VARIANTS.len()]>;

/// The metrics of all operations.
pub(super) struct OperationRegistry {
    by_label: RwLock<HashMap<String, MetricsByKind>>,
    max_labels: usize,
}

impl OperationRegistry {
    pub(super) fn new(labels: OperationLabels, recorder: &PrometheusRecorder) -> Self {
        let mut by_label: HashMap<String, MetricsByKind> = HashMap::new();
        for name in labels.names.into_iter().chain([ANONYMOUS_LABEL.to_owned(), OTHER_LABEL.to_owned()]) {
            by_label.entry(name).or_default();
        }
        let max_labels = by_label.len() + labels.max_saved_queries;
        let registry = Self { by_label: RwLock::new(by_label), max_labels };
        // exported as 0 before the first operation
        registry.with_metrics(recorder, ANONYMOUS_LABEL, OperationKind::Query, |_| ());
        registry
    }

    /// Records an operation, under the name of its saved query or its own, if that has metrics.
    pub(super) fn record(
        &self,
        recorder: &PrometheusRecorder,
        saved_query: Option<&str>,
        name: Option<&str>,
        (kind, outcome): (OperationKind, OperationOutcome),
        duration: Duration,
    ) {
        let record = |metrics: &OperationMetrics| {
            metrics.total[outcome as usize].increment(1);
            metrics.seconds.record(duration);
        };
        let label = saved_query.or(name).unwrap_or(ANONYMOUS_LABEL);
        if self.with_metrics(recorder, label, kind, record).is_none() {
            if saved_query.is_some() && self.add_label(label) {
                self.with_metrics(recorder, label, kind, record);
            } else {
                self.with_metrics(recorder, OTHER_LABEL, kind, record);
            }
        }
    }

    /// Calls `use_metrics` with the metrics of a label, if the label has metrics.
    fn with_metrics(
        &self,
        recorder: &PrometheusRecorder,
        label: &str,
        kind: OperationKind,
        use_metrics: impl FnOnce(&OperationMetrics),
    ) -> Option<()> {
        let by_kind = self.by_label.read().ok()?.get(label)?.clone();
        use_metrics(by_kind[kind as usize].get_or_init(|| {
            let labels = [("operation", label), ("type", kind.as_str())];
            let total = |outcome: OperationOutcome| {
                counter(recorder, "kurultai_operations_total", &[labels[0], labels[1], ("outcome", outcome.as_str())])
            };
            OperationMetrics { total: per_variant(total), seconds: histogram(recorder, "kurultai_operation_seconds", &labels) }
        }));
        Some(())
    }

    /// Adds the label of a saved query, unless the maximum number is reached; returns whether the label exists.
    fn add_label(&self, label: &str) -> bool {
        let Ok(mut by_label) = self.by_label.write() else { return false };
        if by_label.len() >= self.max_labels && !by_label.contains_key(label) {
            return false;
        }
        by_label.entry(label.to_owned()).or_default();
        true
    }
}

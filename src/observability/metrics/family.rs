//! Metrics of one name, by their labels.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::RwLock;

use metrics_exporter_prometheus::PrometheusRecorder;
use strum::VariantArray;

/// One value for each variant of an enum, in the order of their declaration, so that a variant is the index of its value.
pub(super) fn per_variant<K: Copy + VariantArray, T, const COUNT: usize>(value: impl Fn(K) -> T) -> [T; COUNT] {
    std::array::from_fn(|index| value(K::VARIANTS[index]))
}

/// Metrics of one name. Each is registered when its labels first occur, so the labels must be bounded.
pub(super) struct MetricFamily<K, M> {
    registered: RwLock<HashMap<K, M>>,
    register: fn(&PrometheusRecorder, K) -> M,
}

impl<K: Copy + Eq + Hash, M: Clone> MetricFamily<K, M> {
    pub(super) fn new(register: fn(&PrometheusRecorder, K) -> M) -> Self {
        Self { registered: RwLock::default(), register }
    }

    /// The metric with these labels, registered if necessary.
    pub(super) fn get(&self, recorder: &PrometheusRecorder, labels: K) -> M {
        if let Some(metric) = self.registered.read().ok().and_then(|registered| registered.get(&labels).cloned()) {
            return metric;
        }
        let metric = (self.register)(recorder, labels);
        if let Ok(mut registered) = self.registered.write() {
            registered.insert(labels, metric.clone());
        }
        metric
    }
}

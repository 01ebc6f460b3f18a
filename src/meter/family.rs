//! Meters of one name, by their labels.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::RwLock;

use metrics_exporter_prometheus::PrometheusRecorder;

/// Meters of one name, each made when its labels are met first. The labels must be bounded.
pub(super) struct Family<K, M> {
    known: RwLock<HashMap<K, M>>,
    make: fn(&PrometheusRecorder, K) -> M,
}

impl<K: Copy + Eq + Hash, M: Clone> Family<K, M> {
    pub(super) fn new(make: fn(&PrometheusRecorder, K) -> M) -> Self {
        Self { known: RwLock::default(), make }
    }

    pub(super) fn get(&self, recorder: &PrometheusRecorder, labels: K) -> M {
        if let Some(meter) = self.known.read().ok().and_then(|known| known.get(&labels).cloned()) {
            return meter;
        }
        let meter = (self.make)(recorder, labels);
        if let Ok(mut known) = self.known.write() {
            known.insert(labels, meter.clone());
        }
        meter
    }
}

//! Comparison of the responses of all targets before the measurement.

use anyhow::ensure;
use serde_json::Value;

use crate::client::Connection;
use crate::target::{Target, TargetKind};
use crate::workload::Workload;
use crate::workload::encoding::uuid_of_global_id;
use crate::workload::sample::Samples;

/// Requests of each workload that are compared.
const COMPARED_REQUESTS: usize = 10;

/// Sends the same requests to all targets.
///
/// # Errors
/// If a response differs from that of the first target. PostGraphile and Seaography have other response formats, so only
/// their ids are compared.
pub async fn compare_responses(targets: &[Target], workload: &'static Workload, samples: &Samples) -> anyhow::Result<()> {
    let Some(reference) = targets.first() else { return Ok(()) };
    for component in workload.components(reference.kind) {
        for number in 0..COMPARED_REQUESTS {
            let mut expected: Option<Value> = None;
            for target in targets.iter().filter(|target| workload.components(target.kind).iter().any(|other| other.name == component.name))
            {
                let (path, body) = component.request(target.kind, samples, number)?;
                let mut response = Connection::open(&target.address).await?.fetch(&path, &body).await?;
                replace_global_ids(&mut response);
                let Some(expected) = &expected else {
                    expected = Some(response);
                    continue;
                };
                let is_equal = match target.kind {
                    TargetKind::Postgraphile | TargetKind::Seaography => {
                        let (mut expected_ids, mut ids) = (Vec::new(), Vec::new());
                        collect_ids(expected, &mut expected_ids);
                        collect_ids(&response, &mut ids);
                        expected_ids == ids
                    }
                    TargetKind::Kurultai | TargetKind::Cached | TargetKind::Limit => *expected == response,
                };
                ensure!(
                    is_equal,
                    "the response of {} differs from that of {}:\n{expected}\n{response}",
                    target.kind.label(),
                    reference.kind.label()
                );
            }
        }
    }
    Ok(())
}

/// Replaces the global ids in a response by the UUIDs that they encode.
fn replace_global_ids(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(id) = uuid_of_global_id(text) {
                *text = id.to_string();
            }
        }
        Value::Array(list) => list.iter_mut().for_each(replace_global_ids),
        Value::Object(map) => map.values_mut().for_each(replace_global_ids),
        Value::Null | Value::Bool(_) | Value::Number(_) => (),
    }
}

/// Collects the ids of a response in their order, from fields named `id` or `rowId`.
fn collect_ids(value: &Value, ids: &mut Vec<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| collect_ids(value, ids)),
        Value::Object(map) => {
            for (name, value) in map {
                match value.as_str() {
                    Some(id) if name == "id" || name == "rowId" => ids.push(id.to_owned()),
                    _ => collect_ids(value, ids),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
    }
}

//! The service manifest: what the service is, and where its parts are.

use serde_json::{Value as Json, json};

use crate::core::dataset;
use crate::core::dataset::Dataset;
use crate::http::client::{ClientContext, request_origin};
use crate::http::reconcile::query::{EntityType, MAX_QUERIES};
use crate::http::state::AppState;

/// Versions of the specification that the service follows.
const VERSIONS: [&str; 2] = ["0.1", "0.2"];
/// Name of the service of a dataset without a title.
const DEFAULT_NAME: &str = "Kurultai";

/// The manifest, with addresses as the client knows them.
pub(super) fn manifest(state: &AppState, client: &ClientContext) -> Json {
    let origin = match &state.dataset.public_url {
        Some(_) => None,
        None => dataset::public_url(&request_origin(client)).ok(),
    };
    let mut dataset = Dataset::clone(&state.dataset);
    dataset.public_url = dataset.public_url.or(origin);
    let service = dataset.address("/reconcile");
    let suggest = |kind: &str| json!({"service_url": service, "service_path": format!("/suggest/{kind}")});
    json!({
        "versions": VERSIONS,
        "name": dataset.title.as_deref().unwrap_or(DEFAULT_NAME),
        "identifierSpace": dataset.address("/r/"),
        "schemaSpace": dataset.address("/schema.graphql"),
        "defaultTypes": EntityType::ALL.map(EntityType::json),
        "view": {"url": dataset.address("/r/{{id}}")},
        "suggest": {"entity": suggest("entity"), "type": suggest("type"), "property": suggest("property")},
        "extend": {"propose_properties": {"service_url": service, "service_path": "/extend/propose"}, "property_settings": []},
        "batchSize": MAX_QUERIES,
    })
}

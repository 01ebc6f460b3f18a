//! The routes and the middleware around them.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::http::export::{chart, feed, table};
use crate::http::graphql::handler;
use crate::http::middleware::{compression, cors, rate_limit, request_log, security_headers, url};
use crate::http::ops::{assets, health, schema, schema_changes};
use crate::http::reconcile::handler as reconcile;
use crate::http::record_page::{care, handler as record_page, stylesheet};
use crate::http::response;
use crate::http::state::AppState;

/// The router of the public server. Only the endpoints that compute their response are rate limited; operators probe /readyz
/// at the address of the metrics, where it is not.
pub fn router(state: AppState) -> Router {
    let cors = cors::layer(&state.cors_origins);
    let state = Arc::new(state);
    // outermost first; one combined layer is faster than several
    let middleware = ServiceBuilder::new()
        .layer(from_fn(request_log::log_request))
        .layer(cors)
        .map_response(security_headers::insert_security_headers)
        .map_response(response::insert_retry_after)
        .map_request(compression::prefer_brotli)
        .map_response(compression::weaken_etag)
        // event streams and images are not compressed
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::custom(response::panic_response))
        .layer(from_fn(url::validate_url));
    let data = Router::new()
        .route("/graphql", get(handler::get).post(handler::post).fallback(handler::method_not_allowed))
        .route("/table.{format}", get(table::get))
        .route("/chart.{format}", get(chart::get))
        .route("/feed.atom", get(feed::get))
        .route("/schema.graphql", get(schema::get))
        .route("/r/{name}", get(record_page::by_name))
        .route("/r/{type}/{name}", get(record_page::by_type_and_name))
        .route("/reconcile", get(reconcile::get).post(reconcile::post).fallback(reconcile::method_not_allowed))
        .route("/reconcile/suggest/{kind}", get(reconcile::suggest))
        .route("/reconcile/extend/propose", get(reconcile::propose))
        .route("/care", get(care::short))
        .route("/editors/care", get(care::get))
        .route("/readyz", get(health::ready))
        .route_layer(from_fn_with_state(state.clone(), rate_limit::charge));
    Router::new()
        .route("/schema/changes.json", get(schema_changes::json))
        .route("/schema/changes.atom", get(schema_changes::atom))
        .route("/", get(assets::landing))
        .route("/graphiql", get(assets::graphiql))
        .route("/assets/record.css", get(stylesheet::get))
        .route("/assets/{*path}", get(assets::asset))
        .route("/favicon.svg", get(assets::favicon))
        .route("/healthz", get(health::live))
        .merge(data)
        .fallback(assets::not_found)
        .layer(middleware)
        .with_state(state)
}

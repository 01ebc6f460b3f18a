//! The upper limits: one hand-written statement per workload, whose JSON PostgreSQL builds, and a fixed body.

use std::fmt::Write;
use std::net::SocketAddr;

use anyhow::{Context, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use clap::Args;
use kurultai::entity::RecordType;
use serde_json::Value;
use sqlx::postgres::{PgPool, PgPoolOptions};
use uuid::Uuid;

/// Database and address.
#[derive(Debug, Args)]
pub struct Arguments {
    /// PostgreSQL database with the schema of Kurultai
    #[arg(long, value_name = "URL", env = "DATABASE_URL")]
    database_url: String,
    /// Address and port to listen on
    #[arg(long, default_value = "127.0.0.1:8094")]
    listen: SocketAddr,
    /// Connections to the database; Kurultai reads over 8
    #[arg(long, default_value_t = 8)]
    connections: u32,
}

const ID_SQL: &str = "SELECT json_build_object('case', json_build_object('id', id, 'title', title->>'en', \
    'docketNumber', docket_number, 'kind', upper(kind), 'status', upper(status), 'openedOn', opened_on, 'decidedOn', decided_on))::text \
    FROM cases WHERE id = $1 AND published";
const CASE_JSON: &str = "json_build_object('id', id, 'title', title->>'en', 'status', upper(status), 'openedOn', opened_on)";
const NESTED_CASE_JSON: &str = "json_build_object('id', c.id, 'title', c.title->>'en', 'status', upper(c.status), 'openedOn', c.opened_on, \
    'parties', json_build_object('nodes', p.nodes), 'charges', json_build_object('nodes', h.nodes))";
const CHILD_ROWS_SQL: &str = "CROSS JOIN LATERAL (SELECT coalesce(json_agg(node ORDER BY position, id), '[]') AS nodes FROM \
    (SELECT p.position, p.id, json_build_object('id', p.id, 'role', upper(p.role), 'person', \
      CASE WHEN r.id IS NOT NULL THEN json_build_object('id', r.id, 'name', r.name->>'en') END) AS node \
    FROM case_parties p LEFT JOIN persons r ON r.id = p.person_id AND r.published \
    WHERE p.case_id = c.id AND p.published ORDER BY p.position, p.id LIMIT 5) p) p \
    CROSS JOIN LATERAL (SELECT coalesce(json_agg(node ORDER BY position, id), '[]') AS nodes FROM \
    (SELECT h.position, h.id, json_build_object('id', h.id, 'locator', h.locator, 'outcome', upper(h.outcome), 'provision', \
      CASE WHEN v.id IS NOT NULL THEN json_build_object('id', v.id, 'number', v.number, 'heading', v.heading->>'en', 'law', \
        CASE WHEN l.id IS NOT NULL THEN json_build_object('id', l.id, 'title', l.title->>'en') END) END) AS node \
    FROM charges h LEFT JOIN provisions v ON v.id = h.provision_id AND v.published LEFT JOIN laws l ON l.id = v.law_id AND l.published \
    WHERE h.case_id = c.id AND h.published ORDER BY h.position, h.id LIMIT 5) h) h";
const FILTER_SQL: &str = "SELECT json_build_object('cases', json_build_object('nodes', coalesce(json_agg(node ORDER BY opened_on_order DESC, id DESC), \
    '[]')))::text FROM (SELECT c.opened_on_order, c.id, json_build_object('id', c.id, 'title', c.title->>'en', 'status', upper(c.status), \
    'openedOn', c.opened_on) AS node FROM cases c WHERE c.published AND c.id IN (SELECT p.case_id FROM case_parties p \
    JOIN persons r ON r.id = p.person_id WHERE r.slug = $1 AND r.published AND p.published) \
    ORDER BY c.opened_on_order DESC, c.id DESC LIMIT 20) t";

const STATISTICS_SQL: &str = "SELECT json_build_object('caseStatistics', json_build_object('rows', (SELECT json_agg(json_build_object('year', \
    nullif(year, '')::int, 'provision', CASE WHEN id IS NOT NULL THEN json_build_object('id', id, 'number', number, 'heading', heading->>'en') END, \
    'count', n) ORDER BY n DESC, year, coalesce(sort_key, ''), id) FROM (SELECT g.n, g.year, v.id, v.number, v.heading, v.sort_key \
    FROM (SELECT substr(c.opened_on_order, 1, 4) AS year, v.id, count(DISTINCT c.id) AS n FROM cases c LEFT JOIN charges h ON h.case_id = c.id AND h.published \
    LEFT JOIN provisions v ON v.id = h.provision_id AND v.published WHERE c.published GROUP BY 1, 2) g LEFT JOIN provisions v ON v.id = g.id \
    ORDER BY g.n DESC, g.year, coalesce(v.sort_key, ''), v.id LIMIT 100) t), \
    'total', (SELECT json_build_object('count', count(*)) FROM cases WHERE published)))::text";

/// A page of cases that satisfy a condition.
fn page_sql(condition: &str) -> String {
    format!(
        "SELECT json_build_object('cases', json_build_object('nodes', coalesce(json_agg({CASE_JSON} ORDER BY opened_on_order DESC, id DESC), '[]')))::text \
         FROM (SELECT * FROM cases WHERE published {condition} ORDER BY opened_on_order DESC, id DESC LIMIT 20) c"
    )
}

/// The same with their parties and charges.
fn levels_sql(condition: &str) -> String {
    format!(
        "SELECT json_build_object('cases', json_build_object('nodes', coalesce(json_agg({NESTED_CASE_JSON} ORDER BY c.opened_on_order DESC, c.id DESC), \
         '[]')))::text FROM (SELECT * FROM cases WHERE published {condition} ORDER BY opened_on_order DESC, id DESC LIMIT 20) c {CHILD_ROWS_SQL}"
    )
}

/// Search ranked as in Kurultai: complete words of names, prefixes in names, other text; then by type, then by name.
fn search_sql() -> String {
    let mut types = String::new();
    for (rank, ty) in RecordType::ALL.iter().enumerate() {
        // writing to a String cannot fail
        let _ = write!(types, " WHEN '{}' THEN {rank}", ty.prefix());
    }
    format!(
        "SELECT json_build_object('search', json_build_object('nodes', coalesce(json_agg(json_build_object('record', json_build_object('id', id)) \
         ORDER BY tier, priority, sort_key, id), '[]')))::text FROM (SELECT id, sort_key, \
         CASE WHEN document @@ to_tsquery('simple', $1 || ':A') THEN 0 WHEN document @@ to_tsquery('simple', $1 || ':*A') THEN 1 ELSE 2 END \
         AS tier, CASE record_type {types} END AS priority FROM search_documents \
         WHERE published AND document @@ to_tsquery('simple', $1 || ':*') ORDER BY tier, priority, sort_key, id LIMIT 20) d"
    )
}

/// Keyset predicate.
const AFTER_SQL: &str = "AND (opened_on_order, id) < ($1, $2)";

/// Serves until the process is terminated.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let pool = PgPoolOptions::new()
        .min_connections(arguments.connections)
        .max_connections(arguments.connections)
        // as in Kurultai: connections are not tested before each use
        .test_before_acquire(false)
        .connect(&arguments.database_url)
        .await
        .context("cannot connect to the database")?;
    let data: String =
        sqlx::query_scalar(sqlx::AssertSqlSafe(levels_sql(""))).fetch_one(&pool).await.context("cannot fetch the fixed body")?;
    // without the spaces that PostgreSQL puts into JSON
    let data: Value = serde_json::from_str(&data).context("the fixed body is not JSON")?;
    let fixed_body = Bytes::from(serde_json::json!({ "data": data }).to_string());
    ensure!(fixed_body.len() > 100, "the database has no cases");

    let app = Router::new()
        .route("/id", statement_route(&pool, ID_SQL.to_owned(), Parameters::Id))
        .route("/newest", statement_route(&pool, page_sql(""), Parameters::None))
        .route("/levels", statement_route(&pool, levels_sql(AFTER_SQL), Parameters::Cursor))
        .route("/filter", statement_route(&pool, FILTER_SQL.to_owned(), Parameters::Text("person")))
        .route("/deep", statement_route(&pool, page_sql(AFTER_SQL), Parameters::Cursor))
        .route("/search", statement_route(&pool, search_sql(), Parameters::Text("words")))
        .route("/statistics", statement_route(&pool, STATISTICS_SQL.to_owned(), Parameters::None))
        .route("/repeated", post(async move |_: Bytes| json_response(fixed_body.clone())));
    let listener =
        tokio::net::TcpListener::bind(arguments.listen).await.with_context(|| format!("cannot listen on {}", arguments.listen))?;
    axum::serve(listener, app).await.context("the server failed")
}

/// Parameters of a statement.
#[derive(Debug, Clone, Copy)]
enum Parameters {
    None,
    /// The id of a case.
    Id,
    /// The date and the id of the case before the page.
    Cursor,
    /// A text, by the name of its variable.
    Text(&'static str),
}

/// A route that executes one statement with the variables in the request body.
fn statement_route(pool: &PgPool, statement: String, parameters: Parameters) -> MethodRouter {
    let pool = pool.clone();
    // leaked once per route, so that every request executes the same prepared statement
    let statement: &'static str = String::leak(statement);
    post(async move |body: Bytes| match execute(&pool, statement, parameters, &body).await {
        Ok(text) => json_response(Bytes::from(format!("{{\"data\":{text}}}"))),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response(),
    })
}

async fn execute(pool: &PgPool, statement: &'static str, parameters: Parameters, body: &[u8]) -> anyhow::Result<String> {
    let variables: Value = serde_json::from_slice(body).context("the request body is not JSON")?;
    let text = |name: &str| variables[name].as_str().map(str::to_owned).with_context(|| format!("variable {name} is missing"));
    let id = || text("id").and_then(|id| Uuid::parse_str(&id).context("variable id is not a UUID"));
    let query = sqlx::query_scalar(statement);
    let query = match parameters {
        Parameters::None => query,
        Parameters::Id => query.bind(id()?),
        Parameters::Cursor => query.bind(text("opened")?).bind(id()?),
        Parameters::Text(name) => query.bind(text(name)?),
    };
    query.fetch_one(pool).await.context("the statement failed")
}

fn json_response(body: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

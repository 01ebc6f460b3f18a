//! Queries as charts: `/chart.svg` and `/chart.png`, for embedding in other sites.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use typed_arena::Arena;

use crate::chart;
use crate::chart::{ChartKind, ChartLanguage, ChartSpec, MAX_CHART_ROWS, Theme};
use crate::core::error::internal;
use crate::graphql::tabular::TableQuery;
use crate::http::client::ClientContext;
use crate::http::conditional::Validators;
use crate::http::export::address::{TABLE_PARAMETERS, TableParameters, error_response, reject_response};
use crate::http::response::{HttpReject, reject};
use crate::http::state::AppState;
use crate::tabular::{TableColumn, TableRows};

/// Parameters besides those of the table.
const PARAMETERS: &[&str] = &["x", "y", "series", "kind", "title", "width", "height", "theme"];
const DEFAULT_WIDTH_PIXELS: u32 = 720;
/// Policy of an image that is opened by itself: nothing is loaded or executed.
const IMAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// Image format of a chart.
#[derive(Debug, Clone, Copy)]
enum ImageFormat {
    Svg,
    Png,
}

/// `GET /chart.{format}`.
pub async fn get(
    State(state): State<Arc<AppState>>,
    Path(format): Path<String>,
    client: ClientContext,
    RawQuery(query): RawQuery,
) -> Response {
    let parameters = TableParameters::new(query.as_deref());
    let key: [&[u8]; 3] = [b"chart", format.as_bytes(), query.as_deref().unwrap_or_default().as_bytes()];
    let validators = match Validators::check(&state, &client, &key).await {
        Ok(validators) => validators,
        Err(not_modified) => return not_modified,
    };
    match Box::pin(draw(&state, &format, &client, parameters, validators.changed_at())).await {
        Ok(response) | Err(response) => validators.apply(response),
    }
}

async fn draw(
    state: &AppState,
    format: &str,
    client: &ClientContext,
    mut parameters: TableParameters,
    changed_at: Option<DateTime<Utc>>,
) -> Result<Response, Response> {
    let format = match format {
        "svg" => ImageFormat::Svg,
        "png" => ImageFormat::Png,
        other => return Err(reject_response(reject(StatusCode::NOT_FOUND, format!("\"{other}\" is not a chart format; use svg or png")))),
    };
    parameters.reject_unknown(&[TABLE_PARAMETERS, PARAMETERS]).map_err(reject_response)?;
    let spec = chart_spec(&parameters, client, changed_at).map_err(reject_response)?;
    // one row above the maximum reveals that there are too many
    parameters.default_limit(MAX_CHART_ROWS + 1);
    let (table, run) = parameters.open_table(state, client).await?;
    let (columns, rows) = match run.log.scope(read_rows(table)).await {
        Ok(read) => read,
        Err(response) => {
            run.log.finish(false, None);
            return Err(response);
        }
    };
    // drawing is processor-bound; the permit in `run` limits how many charts are drawn concurrently
    let drawn = tokio::task::spawn_blocking(move || {
        let image = match format {
            ImageFormat::Svg => chart::render_svg(&spec, &columns, &rows).map(String::into_bytes),
            ImageFormat::Png => chart::render_png(&spec, &columns, &rows),
        };
        run.log.finish(image.is_ok(), image.as_ref().ok().map(Vec::len));
        image
    });
    let image = drawn.await.map_err(|error| error_response(internal(error)))?.map_err(error_response)?;
    let media_type = match format {
        ImageFormat::Svg => "image/svg+xml; charset=utf-8",
        ImageFormat::Png => "image/png",
    };
    let headers: [(HeaderName, &str); 3] =
        [(CONTENT_TYPE, media_type), (CONTENT_SECURITY_POLICY, IMAGE_POLICY), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Ok((headers.map(|(name, value)| (name, HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static("")))), image).into_response())
}

/// The specification of the chart, without its data.
fn chart_spec(parameters: &TableParameters, headers: &HeaderMap, changed_at: Option<DateTime<Utc>>) -> Result<ChartSpec, HttpReject> {
    let bad_request = |message: String| reject(StatusCode::BAD_REQUEST, message);
    let Some(x) = parameters.value("x") else {
        return Err(bad_request("x: name the column along the axis; the columns are those of /table.csv with the same query".to_owned()));
    };
    let kind = match parameters.value("kind") {
        None | Some("bar") => ChartKind::Bar,
        Some("line") => ChartKind::Line,
        Some(other) => return Err(bad_request(format!("kind: \"{other}\" is not a kind of chart; write bar or line"))),
    };
    let theme = parameters.value("theme").map(|theme| {
        Theme::from_str(theme).map_err(|_| bad_request(format!("theme: \"{theme}\" is not a theme; write light, dark or auto")))
    });
    let pixels = |name: &str| {
        parameters
            .value(name)
            .map(|text| text.parse().map_err(|_| bad_request(format!("{name}: \"{text}\" is not a number of pixels"))))
            .transpose()
    };
    let text = |name: &str| parameters.value(name).map(str::to_owned);
    let language =
        parameters.languages(headers)?.best(["en", "ru", "kk"].into_iter()).map_or(ChartLanguage::English, ChartLanguage::from_tag);
    Ok(ChartSpec {
        kind,
        x: x.to_owned(),
        y: text("y"),
        series: text("series"),
        title: text("title"),
        width: pixels("width")?.unwrap_or(DEFAULT_WIDTH_PIXELS),
        height: pixels("height")?,
        theme: theme.transpose()?.unwrap_or_default(),
        language,
        source: language.attribution(changed_at.map(|at| at.format("%Y-%m-%d").to_string()).as_deref()),
    })
}

/// Reads the rows of a table, up to the first above the maximum.
async fn read_rows(table: TableQuery) -> Result<(Vec<TableColumn>, TableRows<'static>), Response> {
    let TableQuery { columns, mut reader, mut converter, .. } = table;
    let mut all_rows = TableRows::new(columns.len());
    while let Some(part) = reader.next().await.map_err(error_response)? {
        let arena = Arena::new();
        let rows = converter.rows(&part, &arena).map_err(error_response)?;
        for value in rows.iter().flatten() {
            all_rows.push(value.clone().into_owned());
        }
        if all_rows.count() > MAX_CHART_ROWS {
            break;
        }
    }
    Ok((columns, all_rows))
}

//! Queries as charts: `/chart.svg` and `/chart.png`, to be embedded in pages of others.

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
use crate::http::client::Sender;
use crate::http::conditional::Freshness;
use crate::http::export::table::{Asking, failed, refused};
use crate::http::graphql::handler::{Refused, refuse};
use crate::http::router::AppState;
use crate::tabular::{TableColumn, TableRows};

/// Parameters besides those of a query.
const PARAMETERS: &str = "query, saved, variables, operationName, lang, rows, lists, explode, sources, limit, x, y, series, kind, title, width, height and theme";
const WIDTH: u32 = 720;
/// An image that is opened by itself loads and runs nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// What a chart is sent as.
#[derive(Debug, Clone, Copy)]
enum Format {
    Svg,
    Png,
}

/// A query as a chart.
pub async fn get(State(service): State<Arc<AppState>>, Path(format): Path<String>, sender: Sender, RawQuery(query): RawQuery) -> Response {
    let asking = Asking::new(query.as_deref());
    let key: [&[u8]; 3] = [b"chart", format.as_bytes(), query.as_deref().unwrap_or_default().as_bytes()];
    let fresh = match Freshness::of(&service, &sender, &key).await {
        Ok(fresh) => fresh,
        Err(not_modified) => return not_modified,
    };
    match draw(&service, &format, &sender, asking, fresh.changed_at()).await {
        Ok(response) | Err(response) => fresh.put(response),
    }
}

async fn draw(
    service: &AppState,
    format: &str,
    sender: &Sender,
    mut asking: Asking,
    changed_at: Option<DateTime<Utc>>,
) -> Result<Response, Response> {
    let format = match format {
        "svg" => Format::Svg,
        "png" => Format::Png,
        other => return Err(refused(refuse(StatusCode::NOT_FOUND, format!("\"{other}\" is not a format of charts: write svg or png")))),
    };
    asking.only(PARAMETERS).map_err(refused)?;
    let spec = spec(&asking, sender, changed_at).map_err(refused)?;
    // one row more than may be shows that there are too many
    asking.at_most(MAX_CHART_ROWS + 1);
    let (table, turn) = asking.table(service, sender).await?;
    let read = turn.operation.of(read(table)).await;
    let (columns, rows) = match read {
        Ok(read) => read,
        Err(failed) => {
            turn.operation.end(false, None);
            return Err(failed);
        }
    };
    // drawing takes the processor for a while; the turn bounds how many draw at the same time
    let drawn = tokio::task::spawn_blocking(move || {
        let image = match format {
            Format::Svg => chart::render_svg(&spec, &columns, &rows).map(String::into_bytes),
            Format::Png => chart::render_png(&spec, &columns, &rows),
        };
        turn.operation.end(image.is_ok(), image.as_ref().ok().map(Vec::len));
        image
    });
    let image = drawn.await.map_err(|error| failed(internal(error)))?.map_err(failed)?;
    let media_type = match format {
        Format::Svg => "image/svg+xml; charset=utf-8",
        Format::Png => "image/png",
    };
    let said: [(HeaderName, &str); 3] =
        [(CONTENT_TYPE, media_type), (CONTENT_SECURITY_POLICY, POLICY), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Ok((said.map(|(name, value)| (name, HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static("")))), image).into_response())
}

/// What is to be drawn, but for the data.
fn spec(asking: &Asking, headers: &HeaderMap, changed_at: Option<DateTime<Utc>>) -> Result<ChartSpec, Refused> {
    let wrong = |message: String| refuse(StatusCode::BAD_REQUEST, message);
    let Some(x) = asking.value("x") else {
        return Err(wrong("x: name the column along the axis; columns are those of /table.csv with the same query".to_owned()));
    };
    let kind = match asking.value("kind") {
        None | Some("bar") => ChartKind::Bar,
        Some("line") => ChartKind::Line,
        Some(other) => return Err(wrong(format!("kind: \"{other}\" is not a kind of chart; write bar or line"))),
    };
    let theme = asking
        .value("theme")
        .map(|theme| Theme::from_str(theme).map_err(|()| wrong(format!("theme: \"{theme}\" is not a theme; write light, dark or auto"))));
    let side = |name: &str| {
        asking.value(name).map(|side| side.parse().map_err(|_| wrong(format!("{name}: \"{side}\" is not a number of pixels")))).transpose()
    };
    let text = |name: &str| asking.value(name).map(str::to_owned);
    let language = asking.languages(headers).best(["en", "ru", "kk"].into_iter()).map_or(ChartLanguage::English, ChartLanguage::from_tag);
    Ok(ChartSpec {
        kind,
        x: x.to_owned(),
        y: text("y"),
        series: text("series"),
        title: text("title"),
        width: side("width")?.unwrap_or(WIDTH),
        height: side("height")?,
        theme: theme.transpose()?.unwrap_or_default(),
        language,
        source: language.attribution(changed_at.map(|at| at.format("%Y-%m-%d").to_string()).as_deref()),
    })
}

/// Reads all rows of a table.
async fn read(table: TableQuery) -> Result<(Vec<TableColumn>, TableRows<'static>), Response> {
    let TableQuery { columns, mut reader, mut filler, .. } = table;
    let mut all = TableRows::new(columns.len());
    while let Some(part) = reader.next().await.map_err(failed)? {
        let arena = Arena::new();
        let rows = filler.rows(&part, &arena).map_err(failed)?;
        for value in rows.iter().flatten() {
            all.push(value.clone().into_owned());
        }
        if all.count() > MAX_CHART_ROWS {
            break;
        }
    }
    Ok((columns, all))
}

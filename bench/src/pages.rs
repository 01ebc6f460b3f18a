//! Pages through the list of cases by cursor, from the first page to the last and back, and compares the cost of the pages.

use std::collections::HashSet;
use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

/// Address and sizes of pages.
#[derive(Debug, Args)]
pub struct Arguments {
    /// URL of the GraphQL API
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080/graphql")]
    url: String,
    /// Rows per page
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100))]
    size: u32,
    /// Pages per block; the medians of the blocks are compared with that of the first
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    block: u32,
    /// Pages to fetch backward from the end
    #[arg(long, default_value_t = 1_000)]
    back: usize,
    /// Maximum ratio of the median of a block to that of the first block
    #[arg(long, default_value_t = 2.0)]
    bar: f64,
}

const FORWARD_QUERY: &str = "query ($size: Int!, $at: String) { cases(first: $size, after: $at) \
    { nodes { id title openedOn } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
const BACKWARD_QUERY: &str = "query ($size: Int!, $at: String) { cases(last: $size, before: $at) \
    { nodes { id title openedOn } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
const COUNT_QUERY: &str = "{ cases { totalCount } }";

/// Requests that are sent before the measurement, so that it does not include connecting.
const WARM_UP_REQUESTS: usize = 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    nodes: Vec<Case>,
    page_info: PageInfo,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    id: String,
    opened_on: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    has_previous_page: bool,
    start_cursor: Option<String>,
    end_cursor: Option<String>,
}

struct Api {
    client: reqwest::Client,
    url: String,
}

impl Api {
    /// Sends a query and returns its data and the time from the request to the last byte of the response.
    async fn query(&self, query: &str, variables: Value) -> anyhow::Result<(Value, Duration)> {
        let request = self.client.post(&self.url).json(&json!({"query": query, "variables": variables}));
        let started = Instant::now();
        let response = request.send().await.context("the API does not respond")?;
        let body = response.bytes().await.context("the response is incomplete")?;
        let latency = started.elapsed();
        let mut response: Value = serde_json::from_slice(&body).context("the response is not JSON")?;
        if let Some(errors) = response.get("errors") {
            bail!("the response contains errors: {errors}");
        }
        Ok((response["data"].take(), latency))
    }

    async fn page(&self, query: &str, size: u32, cursor: Option<&str>) -> anyhow::Result<(Page, Duration)> {
        let (mut data, latency) = self.query(query, json!({"size": size, "at": cursor})).await?;
        Ok((serde_json::from_value(data["cases"].take()).context("the page cannot be deserialized")?, latency))
    }
}

/// Fetches all pages, checks their rows, and prints their latencies.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let api = Api { client: reqwest::Client::new(), url: arguments.url.clone() };
    let (data, count_latency) = api.query(COUNT_QUERY, json!({})).await?;
    let total = data["cases"]["totalCount"].as_u64().context("the API returns no totalCount")?;
    ensure!(total > 0, "the API has no cases");
    for _ in 0..WARM_UP_REQUESTS {
        api.page(FORWARD_QUERY, arguments.size, None).await?;
    }

    let (ids, latencies) = page_forward(&api, arguments.size).await?;
    ensure!(ids.len() as u64 == total, "{} rows were returned, but totalCount is {total}", ids.len());
    let pages = latencies.len();
    writeln!(stdout(), "{total} rows in {pages} pages of {}, each row exactly once, dates never increase", arguments.size)?;
    writeln!(stdout(), "totalCount alone: {}", format_millis(count_latency))?;
    let forward = report("forward", &latencies, arguments.block as usize)?;

    let latencies = page_backward(&api, arguments.size, arguments.back, &ids).await?;
    let backward = report("backward", &latencies, arguments.block as usize)?;

    let worst = forward.max(backward);
    ensure!(worst <= arguments.bar, "a block of pages takes {worst:.2} times as long as the first; the limit is {}", arguments.bar);
    writeln!(stdout(), "no block takes more than {} times as long as the first", arguments.bar)?;
    Ok(())
}

/// Fetches all pages with `after`; returns the ids in their order and the latencies.
async fn page_forward(api: &Api, size: u32) -> anyhow::Result<(Vec<String>, Vec<Duration>)> {
    let (mut ids, mut latencies, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    let mut cursor: Option<String> = None;
    // an unknown date sorts last, as the empty text
    let mut previous: Option<String> = None;
    loop {
        let (page, latency) = api.page(FORWARD_QUERY, size, cursor.as_deref()).await?;
        latencies.push(latency);
        let number = latencies.len();
        ensure!(page.page_info.has_previous_page == cursor.is_some(), "hasPreviousPage is wrong on page {number}");
        for case in page.nodes {
            let opened = case.opened_on.unwrap_or_default();
            if let Some(previous) = &previous {
                ensure!(opened <= *previous, "{} opened {opened:?} follows a case opened {previous:?}", case.id);
            }
            previous = Some(opened);
            ensure!(seen.insert(case.id.clone()), "{} was returned again on page {number}", case.id);
            ids.push(case.id);
        }
        if !page.page_info.has_next_page {
            return Ok((ids, latencies));
        }
        cursor = Some(page.page_info.end_cursor.context("a page with a next page has no endCursor")?);
    }
}

/// Fetches up to `max_pages` pages from the end with `before`, and compares their rows with `ids`; returns the latencies.
async fn page_backward(api: &Api, size: u32, max_pages: usize, ids: &[String]) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let mut cursor: Option<String> = None;
    let mut end = ids.len();
    while latencies.len() < max_pages {
        let (page, latency) = api.page(BACKWARD_QUERY, size, cursor.as_deref()).await?;
        latencies.push(latency);
        let number = latencies.len();
        ensure!(page.page_info.has_next_page == cursor.is_some(), "hasNextPage is wrong on page {number} from the end");
        let start = end.checked_sub(page.nodes.len()).context("paging backward returns more rows than paging forward")?;
        ensure!(
            page.nodes.iter().map(|case| &case.id).eq(&ids[start..end]),
            "page {number} from the end has other rows than the same positions when paging forward"
        );
        end = start;
        if !page.page_info.has_previous_page {
            ensure!(end == 0, "{end} rows are missing when paging backward");
            break;
        }
        cursor = Some(page.page_info.start_cursor.context("a page with a previous page has no startCursor")?);
    }
    Ok(latencies)
}

/// Prints the latencies of pages; returns the median of the slowest block relative to that of the first.
fn report(direction: &str, latencies: &[Duration], block: usize) -> anyhow::Result<f64> {
    // an incomplete last block is ignored unless it is the only one
    let blocks = latencies.chunks(block).filter(|chunk| chunk.len() == block || latencies.len() < block);
    let medians: Vec<Duration> = blocks.map(|chunk| percentile(chunk, 0.5)).collect();
    let (first, last) = (medians[0], medians[medians.len() - 1]);
    let (index, slowest) = medians.iter().enumerate().max_by_key(|(_, median)| **median).context("there are no pages")?;
    let ratio = slowest.as_secs_f64() / first.as_secs_f64();
    let mut out = stdout();
    writeln!(out, "{direction}: {} pages, {:.1} s", latencies.len(), latencies.iter().sum::<Duration>().as_secs_f64())?;
    writeln!(
        out,
        "  page        median {}, p99 {}, maximum {}",
        format_millis(percentile(latencies, 0.5)),
        format_millis(percentile(latencies, 0.99)),
        format_millis(percentile(latencies, 1.0))
    )?;
    writeln!(
        out,
        "  first block {}, last block {} ({:.2} times), median block {}, slowest block {} (block {} of {})",
        format_millis(first),
        format_millis(last),
        last.as_secs_f64() / first.as_secs_f64(),
        format_millis(percentile(&medians, 0.5)),
        format_millis(*slowest),
        index + 1,
        medians.len()
    )?;
    writeln!(out, "  slowest block over first block: {ratio:.2}")?;
    Ok(ratio)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the rank of a percentile is a small positive number")]
fn percentile(latencies: &[Duration], share: f64) -> Duration {
    let mut sorted = latencies.to_vec();
    sorted.sort_unstable();
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

fn format_millis(latency: Duration) -> String {
    format!("{:.2} ms", latency.as_secs_f64() * 1_000.0)
}

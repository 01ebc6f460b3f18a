//! Browses the list of cases by cursor, from the first page to the last, then from the last page back.

use std::collections::HashSet;
use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

/// What to browse, and how.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Address of the API
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080/graphql")]
    url: String,
    /// Rows in a page
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100))]
    size: u32,
    /// Pages in a block, whose median is compared with that of the first block
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    block: u32,
    /// Pages to go back from the end
    #[arg(long, default_value_t = 1_000)]
    back: usize,
    /// How many times the median of the first block another block may cost; more is a failure
    #[arg(long, default_value_t = 2.0)]
    bar: f64,
}

const FORWARD: &str = "query ($size: Int!, $at: String) { cases(first: $size, after: $at) \
    { nodes { id title opened } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
const BACKWARD: &str = "query ($size: Int!, $at: String) { cases(last: $size, before: $at) \
    { nodes { id title opened } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
const COUNT: &str = "{ cases { totalCount } }";

/// Requests that are not timed, so that the first pages do not pay for the connection.
const WARM_UP: usize = 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    nodes: Vec<Case>,
    page_info: PageInfo,
}

#[derive(Debug, Deserialize)]
struct Case {
    id: String,
    opened: Option<String>,
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
    /// Sends a query; gives its data and the time until the whole answer was there.
    async fn ask(&self, query: &str, variables: Value) -> anyhow::Result<(Value, Duration)> {
        let request = self.client.post(&self.url).json(&json!({"query": query, "variables": variables}));
        let started = Instant::now();
        let answer = request.send().await.context("the API does not answer")?;
        let body = answer.bytes().await.context("the answer breaks off")?;
        let took = started.elapsed();
        let mut answer: Value = serde_json::from_slice(&body).context("the answer is not JSON")?;
        if let Some(errors) = answer.get("errors") {
            bail!("the API refuses: {errors}");
        }
        Ok((answer["data"].take(), took))
    }

    async fn page(&self, query: &str, size: u32, at: Option<&str>) -> anyhow::Result<(Page, Duration)> {
        let (mut data, took) = self.ask(query, json!({"size": size, "at": at})).await?;
        Ok((serde_json::from_value(data["cases"].take()).context("the page has another shape")?, took))
    }
}

/// Browses, checks, and prints what the pages cost.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let api = Api { client: reqwest::Client::new(), url: arguments.url.clone() };
    let (data, count_took) = api.ask(COUNT, json!({})).await?;
    let total = data["cases"]["totalCount"].as_u64().context("the API gives no totalCount")?;
    ensure!(total > 0, "there are no cases to browse");
    for _ in 0..WARM_UP {
        api.page(FORWARD, arguments.size, None).await?;
    }

    let mut ids: Vec<String> = Vec::new();
    let mut times = Vec::new();
    let mut seen = HashSet::new();
    let mut cursor: Option<String> = None;
    // "unknown" comes last, and sorts as the empty text
    let mut latest: Option<String> = None;
    loop {
        let (page, took) = api.page(FORWARD, arguments.size, cursor.as_deref()).await?;
        times.push(took);
        ensure!(page.page_info.has_previous_page == cursor.is_some(), "hasPreviousPage is wrong on page {}", times.len());
        for case in page.nodes {
            let opened = case.opened.unwrap_or_default();
            if let Some(latest) = &latest {
                ensure!(opened <= *latest, "{} opened {opened:?} comes after a case opened {latest:?}", case.id);
            }
            latest = Some(opened);
            ensure!(seen.insert(case.id.clone()), "{} was given twice, again on page {}", case.id, times.len());
            ids.push(case.id);
        }
        if !page.page_info.has_next_page {
            break;
        }
        cursor = Some(page.page_info.end_cursor.context("a page with a next page has no endCursor")?);
    }
    ensure!(ids.len() as u64 == total, "{} rows were given, and totalCount is {total}", ids.len());
    writeln!(stdout(), "{total} rows in {} pages of {}, each row once, dates never rise", times.len(), arguments.size)?;
    writeln!(stdout(), "totalCount alone: {}", millis(count_took))?;
    let forward = report("forward", &times, arguments.block as usize)?;

    let mut times = Vec::new();
    let mut cursor: Option<String> = None;
    let mut end = ids.len();
    while times.len() < arguments.back {
        let (page, took) = api.page(BACKWARD, arguments.size, cursor.as_deref()).await?;
        times.push(took);
        ensure!(page.page_info.has_next_page == cursor.is_some(), "hasNextPage is wrong on page {} from the end", times.len());
        let start = end.checked_sub(page.nodes.len()).context("more rows come back than went")?;
        ensure!(
            page.nodes.iter().map(|case| &case.id).eq(&ids[start..end]),
            "page {} from the end holds other rows than the same place had on the way there",
            times.len()
        );
        end = start;
        if !page.page_info.has_previous_page {
            ensure!(end == 0, "{end} rows are missing on the way back");
            break;
        }
        cursor = Some(page.page_info.start_cursor.context("a page with a page before it has no startCursor")?);
    }
    let backward = report("backward", &times, arguments.block as usize)?;

    let worst = forward.max(backward);
    ensure!(worst <= arguments.bar, "a block of pages costs {worst:.2} times the first, more than {}", arguments.bar);
    writeln!(stdout(), "no block costs more than {} times the first", arguments.bar)?;
    Ok(())
}

/// Prints what pages cost; gives the median of the dearest block over that of the first.
fn report(way: &str, times: &[Duration], block: usize) -> anyhow::Result<f64> {
    // a block cut short by the end of the list is left out unless it is the only one
    let whole = times.chunks(block).filter(|chunk| chunk.len() == block || times.len() < block);
    let medians: Vec<Duration> = whole.map(|chunk| quantile(chunk, 0.5)).collect();
    let (first, last) = (medians[0], medians[medians.len() - 1]);
    let (place, worst) = medians.iter().enumerate().max_by_key(|(_, median)| **median).context("there are no pages")?;
    let ratio = worst.as_secs_f64() / first.as_secs_f64();
    let mut out = stdout();
    writeln!(out, "{way}: {} pages, {:.1} s", times.len(), times.iter().sum::<Duration>().as_secs_f64())?;
    writeln!(
        out,
        "  page        median {}, 99 of 100 under {}, maximum {}",
        millis(quantile(times, 0.5)),
        millis(quantile(times, 0.99)),
        millis(quantile(times, 1.0))
    )?;
    writeln!(
        out,
        "  first block {}, last block {} ({:.2} times), median block {}, dearest block {} (block {} of {})",
        millis(first),
        millis(last),
        last.as_secs_f64() / first.as_secs_f64(),
        millis(quantile(&medians, 0.5)),
        millis(*worst),
        place + 1,
        medians.len()
    )?;
    writeln!(out, "  dearest block over first block: {ratio:.2}")?;
    Ok(ratio)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]
fn quantile(times: &[Duration], share: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

fn millis(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1_000.0)
}

//! `kurultai sources check`: requests the URLs of sources and stores which are dead.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::anyhow;
use chrono::Days;
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Value as Json, json};

use super::args::SourcesCheckArgs;
use super::database::{open_migrated, with_store};
use super::interrupt::InterruptCounter;
use super::outcome::{CommandOutcome, CommandResult, format_table, note};
use super::progress::Progress;
use crate::config::Config;
use crate::interchange::source_check::{CheckOptions, CheckedSource, SourceChecker};
use crate::store::Store;
use crate::store::care::address_check::{CheckedAddress, SourceAddress, UrlStatus};

/// Hosts that are requested at a time.
const CONCURRENT_HOSTS: usize = 8;

/// Checks the URLs of sources that are due.
pub(super) async fn check(config: &Config, args: SourcesCheckArgs) -> anyhow::Result<CommandOutcome> {
    let options = CheckOptions {
        delay: Duration::from_millis(args.delay),
        timeout: Duration::from_secs(args.timeout),
        allow_private: args.allow_private,
        archive_api: args.archive_api,
    };
    let checker = SourceChecker::new(&options).map_err(|message| anyhow!(message).context("--archive-api"))?;
    with_store(open_migrated(config, false).await?, async |store| {
        let before = store
            .clock
            .now()
            .checked_sub_days(Days::new(args.max_age.into()))
            .ok_or_else(|| anyhow!("--max-age: the number is too large"))?;
        let sources = store.sources_to_check(before, args.limit.into()).await?;
        check_all(store, &checker, sources).await
    })
    .await
}

/// Checks sources, host by host, and stores each result. An interrupt leaves the rest for the next run.
async fn check_all(store: &Store, checker: &SourceChecker, sources: Vec<SourceAddress>) -> anyhow::Result<CommandOutcome> {
    let total = sources.len();
    let progress = Progress::new("sources", "checked", total);
    let mut interrupt = InterruptCounter::start();
    // addresses without a host are never requested
    let mut by_host: BTreeMap<Option<String>, Vec<SourceAddress>> = BTreeMap::new();
    for source in sources {
        let host = url::Url::parse(&source.url).ok().and_then(|url| url.host_str().map(str::to_owned));
        by_host.entry(host).or_default().push(source);
    }
    let check = |sources: Vec<SourceAddress>| stream::iter(sources).then(|source| checker.check(source)).boxed();
    let mut results = stream::iter(by_host.into_values()).map(check).flatten_unordered(CONCURRENT_HOSTS);
    let mut checked = Vec::with_capacity(total);
    let mut unresolved = Vec::new();
    loop {
        let result = tokio::select! {
            result = results.next() => result,
            () = interrupt.wait_for(1) => {
                let count = checked.len();
                return Ok(CommandOutcome::Interrupted(format!("interrupted after {count} of {total} sources; run the same command again to continue")));
            }
        };
        let Some(mut result) = result else { break };
        progress.add(1);
        if result.is_unknown_host {
            unresolved.push(result);
            continue;
        }
        complete(store, checker, &mut result).await?;
        checked.push(result);
    }
    drop(progress);
    // a host that does not exist is dead, unless none does because there is no connection
    let is_connected = checked.iter().any(|result| result.status != UrlStatus::Unknown);
    if !unresolved.is_empty() && !is_connected {
        anyhow::bail!("no host is known, so nothing was stored; is there a connection to the internet?");
    }
    for mut result in unresolved {
        result.status = UrlStatus::Dead;
        complete(store, checker, &mut result).await?;
        checked.push(result);
    }
    checked.sort_by(|one, other| one.source.slug.cmp(&other.source.slug));
    Ok(CommandOutcome::Completed(report(&checked)))
}

/// Looks up an archived copy of a dead page, and stores the result.
async fn complete(store: &Store, checker: &SourceChecker, result: &mut CheckedSource) -> anyhow::Result<()> {
    if result.status == UrlStatus::Dead && !result.source.is_archived {
        match checker.find_archived(&result.source).await {
            Ok(archived) => result.archived_url = archived,
            Err(reason) => note(format_args!("{}: no archived copy could be looked up: {reason}", result.source.slug)),
        }
    }
    let CheckedSource { source, status, .. } = &*result;
    store.record_address_checks(&[CheckedAddress { id: source.id, url: &source.url, status: *status }]).await?;
    Ok(())
}

fn report(checked: &[CheckedSource]) -> CommandResult {
    let count = |status| checked.iter().filter(|result| result.status == status).count();
    let (found, dead, unknown) = (count(UrlStatus::Found), count(UrlStatus::Dead), count(UrlStatus::Unknown));
    let quotes = |expected| checked.iter().flat_map(|result| &result.quotes).filter(|found| **found == expected).count();
    let (present, missing) = (quotes(Some(true)), quotes(Some(false)));
    let mut rows = Vec::new();
    for CheckedSource { source, status, reason, quotes, archived_url, .. } in checked {
        if *status != UrlStatus::Found {
            let archived = archived_url.as_ref().map(|url| format!("; archived copy: {url}")).unwrap_or_default();
            rows.push([status.value().to_owned(), source.slug.clone(), source.url.clone(), format!("{reason}{archived}")]);
        }
        for (quote, _) in source.quotes.iter().zip(quotes).filter(|(_, found)| **found == Some(false)) {
            rows.push(["quote missing".to_owned(), source.slug.clone(), source.url.clone(), format!("\"{quote}\"")]);
        }
    }
    let summary = format!(
        "Sources checked: {}; {found} found, {dead} dead, {unknown} unknown. Quotes: {present} found, {missing} missing",
        checked.len()
    );
    let text = if rows.is_empty() { summary } else { format!("{}\n\n{summary}", format_table(&rows)) };
    let sources: Vec<Json> = checked.iter().map(to_json).collect();
    let json = json!({
        "checked": checked.len(), "found": found, "dead": dead, "unknown": unknown, "quotesFound": present, "quotesMissing": missing,
        "sources": sources,
    });
    CommandResult::report(text, json)
}

fn to_json(of: &CheckedSource) -> Json {
    let quotes: Vec<Json> = of.source.quotes.iter().zip(&of.quotes).map(|(quote, found)| json!({"quote": quote, "found": found})).collect();
    json!({
        "slug": of.source.slug, "url": of.source.url, "status": of.status.value(), "reason": of.reason, "archivedUrl": of.archived_url,
        "quotes": quotes,
    })
}

//! Checks of the URLs of sources: whether a page is still there, whether it still has the quotes of citations, and where an
//! archived copy of a dead page is.

mod address;
mod quote;
mod web;

use std::time::Duration;

use reqwest::{Method, StatusCode, Url};
use serde_json::Value as Json;

use crate::core::web_address::check_web_address;
use crate::interchange::source_check::quote::{has_quote, page_text};
use crate::interchange::source_check::web::{FetchError, Fetched, WebClient};
use crate::store::care::address_check::{SourceAddress, UrlStatus};

/// How sources are checked.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// Time between two requests to one host.
    pub delay: Duration,
    /// Time until a request is given up.
    pub timeout: Duration,
    /// Whether addresses of private networks are requested.
    pub allow_private: bool,
    /// URL of the availability API of a web archive.
    pub archive_api: String,
}

/// The result of the check of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedSource {
    /// The source.
    pub source: SourceAddress,
    /// Whether the page is there.
    pub status: UrlStatus,
    /// Whether the host is not known. The status is then [`UrlStatus::Unknown`]: without a connection, no host is known.
    pub is_unknown_host: bool,
    /// The status of the response, or why there is none.
    pub reason: String,
    /// Whether each quote is in the page, in the order of the quotes of the source. Not set if the text of the page is unknown.
    pub quotes: Vec<Option<bool>>,
    /// URL of an archived copy, if the page is dead and the source has none.
    pub archived_url: Option<String>,
}

/// Checks sources.
#[derive(Debug)]
pub struct SourceChecker {
    web: WebClient,
    archive_api: Url,
}

impl SourceChecker {
    /// A checker. Fails if the URL of the archive is not one.
    pub fn new(options: &CheckOptions) -> Result<Self, String> {
        check_web_address(&options.archive_api)?;
        let archive_api = Url::parse(&options.archive_api).map_err(|error| error.to_string())?;
        Ok(Self { web: WebClient::new(options.delay, options.timeout, options.allow_private)?, archive_api })
    }

    /// Requests the page of a source: its headers, and then the page itself if there are quotes to find or the server gives no
    /// headers.
    pub async fn check(&self, source: SourceAddress) -> CheckedSource {
        let result = self.request(&source).await;
        let mut checked = CheckedSource {
            status: UrlStatus::Unknown,
            is_unknown_host: matches!(result, Err(FetchError::UnknownHost(_))),
            reason: String::new(),
            quotes: vec![None; source.quotes.len()],
            archived_url: None,
            source,
        };
        match result {
            Ok(fetched) => {
                checked.status = status(fetched.status);
                checked.reason = fetched.status.to_string();
                if checked.status == UrlStatus::Found
                    && let Some(page) = page_text(&fetched.content_type, &fetched.body)
                {
                    // what is not in the beginning of a page may be in the rest
                    let found = |quote: &String| has_quote(&page, quote).filter(|found| *found || !fetched.is_cut);
                    checked.quotes = checked.source.quotes.iter().map(found).collect();
                }
            }
            Err(error) => checked.reason = error.to_string(),
        }
        checked
    }

    async fn request(&self, source: &SourceAddress) -> Result<Fetched, FetchError> {
        let url = Url::parse(&source.url).map_err(|_| FetchError::NotWeb)?;
        let reads_body = !source.quotes.is_empty();
        match self.web.fetch(&Method::HEAD, &url, false).await {
            Ok(head) if head.status.is_success() && !reads_body => Ok(head),
            Err(error @ (FetchError::NotWeb | FetchError::Private(_) | FetchError::UnknownHost(_) | FetchError::TooManyRedirects)) => {
                Err(error)
            }
            // some servers answer HEAD wrongly or not at all
            Ok(_) | Err(FetchError::Failed(_)) => self.web.fetch(&Method::GET, &url, reads_body).await,
        }
    }

    /// Finds an archived copy of the page of a source that has none. The error says why the archive did not answer.
    pub async fn find_archived(&self, source: &SourceAddress) -> Result<Option<String>, String> {
        let mut url = self.archive_api.clone();
        url.query_pairs_mut().append_pair("url", &source.url);
        let fetched = self.web.fetch(&Method::GET, &url, true).await.map_err(|error| error.to_string())?;
        if !fetched.status.is_success() {
            return Err(fetched.status.to_string());
        }
        let answer: Json = serde_json::from_slice(&fetched.body).map_err(|_| "the response is not JSON".to_owned())?;
        let closest = &answer["archived_snapshots"]["closest"];
        let archived = closest["url"].as_str().filter(|_| closest["available"] == true);
        Ok(archived.filter(|url| check_web_address(url).is_ok()).map(str::to_owned))
    }
}

/// What the status of a response says about a page.
fn status(status: StatusCode) -> UrlStatus {
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => UrlStatus::Dead,
        status if status.is_success() => UrlStatus::Found,
        _ => UrlStatus::Unknown,
    }
}

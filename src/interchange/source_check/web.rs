//! Requests to web pages: to public addresses only, one at a time for each host, and of bounded time and size.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, StatusCode, Url};
use tokio::time::Instant;

use crate::interchange::source_check::address::is_public;

/// Maximum number of redirects that are followed.
const MAX_REDIRECTS: usize = 10;
/// Bytes of a page that are read.
const MAX_PAGE_BYTES: usize = 5 << 20;
/// Name of the program in requests.
const USER_AGENT: &str = concat!("kurultai/", env!("CARGO_PKG_VERSION"), " (checks links of a dataset)");

/// Why a page was not fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FetchError {
    /// The URL is not one of a web page.
    #[error("not the URL of a web page")]
    NotWeb,
    /// The address is not public.
    #[error("{0} is an address of a private network, which is not requested")]
    Private(String),
    /// No address is known for the host.
    #[error("there is no host {0}")]
    UnknownHost(String),
    /// There are more redirects than are followed.
    #[error("more than {MAX_REDIRECTS} redirects")]
    TooManyRedirects,
    /// The request failed, such as by a timeout.
    #[error("{0}")]
    Failed(String),
}

/// The last response, after all redirects.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) status: StatusCode,
    /// Value of the header `Content-Type`.
    pub(crate) content_type: String,
    /// The beginning of the page, if it was to be read.
    pub(crate) body: Vec<u8>,
    /// Whether the page is longer than that.
    pub(crate) is_cut: bool,
}

/// The time of the last request to a host.
type HostLock = Arc<tokio::sync::Mutex<Option<Instant>>>;

/// A client for web pages.
#[derive(Debug)]
pub(crate) struct WebClient {
    client: Client,
    allow_private: bool,
    delay: Duration,
    /// The time of the last request to each host. It is locked during a request.
    hosts: Mutex<HashMap<String, HostLock>>,
}

/// Resolves names to public addresses only, so that a connection cannot reach another one than was checked.
struct PublicResolver {
    allow_private: bool,
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let addresses = look_up(name.as_str(), allow_private).await?;
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

/// The addresses of a host. Fails if one of them is not public.
async fn look_up(host: &str, allow_private: bool) -> Result<Vec<IpAddr>, FetchError> {
    let found = tokio::net::lookup_host((host, 0)).await.map_err(|_| FetchError::UnknownHost(host.to_owned()))?;
    let addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    if addresses.is_empty() {
        return Err(FetchError::UnknownHost(host.to_owned()));
    }
    if !allow_private && !addresses.iter().all(|address| is_public(*address)) {
        return Err(FetchError::Private(host.to_owned()));
    }
    Ok(addresses)
}

impl WebClient {
    /// A client that waits `delay` between two requests to one host, and `timeout` for each response.
    pub(crate) fn new(delay: Duration, timeout: Duration, allow_private: bool) -> Result<Self, String> {
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .referer(false)
            // a proxy would resolve names by itself
            .no_proxy()
            .timeout(timeout)
            .dns_resolver(Arc::new(PublicResolver { allow_private }))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { client, allow_private, delay, hosts: Mutex::default() })
    }

    /// Requests a page and follows its redirects. The page is read if `reads_body` is set.
    pub(crate) async fn fetch(&self, method: &Method, url: &Url, reads_body: bool) -> Result<Fetched, FetchError> {
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let host = self.check(&url).await?;
            let turn = self.turn(&host);
            let mut last = turn.lock().await;
            if let Some(last) = *last {
                tokio::time::sleep_until(last + self.delay).await;
            }
            let response = self.client.request(method.clone(), url.clone()).send().await;
            let result = match response {
                Ok(response) => match redirect(&response, &url) {
                    Some(target) => Ok(Err(target)),
                    None => read(response, reads_body).await.map(Ok),
                },
                Err(error) => Err(failure(&error)),
            };
            *last = Some(Instant::now());
            drop(last);
            match result? {
                Ok(fetched) => return Ok(fetched),
                Err(target) => url = target,
            }
        }
        Err(FetchError::TooManyRedirects)
    }

    /// The host of a URL, if the URL may be requested.
    async fn check(&self, url: &Url) -> Result<String, FetchError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::NotWeb);
        }
        let address = match url.host().ok_or(FetchError::NotWeb)? {
            url::Host::Domain(name) => {
                look_up(name, self.allow_private).await?;
                return Ok(name.to_owned());
            }
            url::Host::Ipv4(address) => IpAddr::V4(address),
            url::Host::Ipv6(address) => IpAddr::V6(address),
        };
        if self.allow_private || is_public(address) { Ok(address.to_string()) } else { Err(FetchError::Private(address.to_string())) }
    }

    /// The lock of a host, which is held during a request.
    fn turn(&self, host: &str) -> HostLock {
        let mut hosts = self.hosts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        hosts.entry(host.to_owned()).or_default().clone()
    }
}

/// The target of a redirect.
fn redirect(response: &Response, url: &Url) -> Option<Url> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(LOCATION).filter(|_| is_redirect)?;
    url.join(location.to_str().ok()?).ok()
}

async fn read(mut response: Response, reads_body: bool) -> Result<Fetched, FetchError> {
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let mut fetched = Fetched { status: response.status(), content_type, body: Vec::new(), is_cut: false };
    while reads_body && let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        let free = MAX_PAGE_BYTES - fetched.body.len();
        fetched.body.extend_from_slice(&chunk[..chunk.len().min(free)]);
        if chunk.len() > free {
            fetched.is_cut = true;
            break;
        }
    }
    Ok(fetched)
}

/// Why a request failed, without the URL.
fn failure(error: &reqwest::Error) -> FetchError {
    if error.is_timeout() {
        return FetchError::Failed("no response in time".to_owned());
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        if let Some(refused) = source.downcast_ref::<FetchError>() {
            return refused.clone();
        }
        cause = source;
    }
    FetchError::Failed(cause.to_string())
}

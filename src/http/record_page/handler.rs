//! The permanent page of a record, `/r/TYPE/SLUG`: HTML for people, JSON-LD for machines.
//!
//! An id, an earlier slug and the id of a record that was merged lead to the page, as does a slug without a type where
//! one record alone has it. What readers do not see has no page.

use std::sync::{Arc, LazyLock};

use axum::extract::{Path, RawQuery, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::future::try_join_all;
use mime::Mime;
use sha2::{Digest, Sha256};

use crate::catalog::catalog;
use crate::catalog::record::{Record, RecordKind};
use crate::core::dataset;
use crate::core::dataset::Dataset;
use crate::core::error::Error;
use crate::core::id;
use crate::core::language;
use crate::core::language::Languages;
use crate::entity::RecordType;
use crate::http::authentication;
use crate::http::conditional::Freshness;
use crate::http::export::feed::base;
use crate::http::graphql::handler::{languages, status};
use crate::http::record_page::html;
use crate::http::record_page::json_ld;
use crate::http::record_page::plan::Reading;
use crate::http::record_page::view::{Link, Sheet};
use crate::http::router::AppState;
use crate::store::Store;
use crate::store::read::plan::Lookup;

const HTML: &str = "text/html; charset=utf-8";
pub(crate) const JSON_LD: &str = "application/ld+json";
/// What the pages share with the landing page, and what is their own.
const STYLE: &str = concat!(include_str!("../../../web/src/base.css"), include_str!("record.css"));
/// Parameter that asks for JSON-LD where a header cannot be sent.
const FORMAT: &str = "format";

/// What an address names.
enum Named {
    /// The page of a record.
    Page(Box<Sheet>),
    /// A record whose page is elsewhere: its path, and whether that is so for ever.
    Elsewhere(String, bool),
    /// Records of several types that have the same slug.
    Several(Vec<Link>),
    Nothing,
}

/// What is asked for, whichever record it is.
pub(crate) struct Asking {
    /// What the dataset says of itself, with the address that the one who asks knows it by.
    pub(crate) dataset: Dataset,
    pub(crate) languages: Languages,
    /// Language that is asked for in the address.
    pub(crate) lang: Option<String>,
    /// Whether the answer is for machines.
    pub(crate) is_data: bool,
}

/// A record by its id, or by its slug alone.
pub async fn named(
    State(service): State<Arc<AppState>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    answer(&service, &headers, &query.unwrap_or_default(), None, &name).await
}

/// A record by its type and its slug.
pub async fn page(
    State(service): State<Arc<AppState>>,
    Path((ty, name)): Path<(String, String)>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    answer(&service, &headers, &query.unwrap_or_default(), Some(&ty), &name).await
}

/// The style of the pages. Its address has a hash of what is in it, so that it is kept for ever.
pub async fn style(RawQuery(query): RawQuery) -> Response {
    let is_this = query.as_deref() == Some(style_version());
    let cache = if is_this { "public, max-age=31536000, immutable" } else { "no-cache" };
    let tag = format!("\"{}\"", style_version());
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, cache), (ETAG, tag.as_str())], STYLE).into_response()
}

/// Hash of the style.
pub(crate) fn style_version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| Sha256::digest(STYLE).iter().take(8).map(|byte| format!("{byte:02x}")).collect());
    &VERSION
}

async fn answer(service: &AppState, headers: &HeaderMap, query: &str, ty: Option<&str>, name: &str) -> Response {
    let base = match &service.dataset.public_url {
        Some(_) => None,
        None => dataset::public_url(&base(headers)).ok(),
    };
    let mut about = Dataset::clone(&service.dataset);
    about.public_url = about.public_url.or(base);
    let address = about.address("/");
    let key = [b"record", address.as_bytes(), ty.unwrap_or_default().as_bytes(), name.as_bytes(), query.as_bytes()];
    let fresh = match Freshness::of(service, headers, &key).await {
        Ok(fresh) => fresh,
        Err(not_modified) => return not_modified,
    };
    let asking = Asking::new(headers, about, query);
    let caller = match authentication::of(&service.store, headers).await {
        Ok(caller) => caller,
        Err(error) => return fresh.put_once(asking.failed(&error)),
    };
    let Some(_place) = service.admission.enter().await else {
        return fresh.put_once(asking.failed(&Error::Overloaded));
    };
    match asking.find(&service.store.for_role(caller.role), ty, name).await {
        Ok(Named::Page(sheet)) => fresh.put(asking.page(&sheet)),
        Ok(Named::Elsewhere(path, for_ever)) => fresh.put_once(redirect(&path, query, for_ever)),
        Ok(Named::Several(links)) => fresh.put_once(asking.choices(name, &links)),
        Ok(Named::Nothing) => fresh.put_once(asking.nothing()),
        Err(error) => fresh.put_once(asking.failed(&error)),
    }
}

/// Sends one on to the page of a record, with what else was asked.
fn redirect(path: &str, query: &str, for_ever: bool) -> Response {
    let status = if for_ever { StatusCode::PERMANENT_REDIRECT } else { StatusCode::TEMPORARY_REDIRECT };
    let address = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    match HeaderValue::from_str(&address) {
        Ok(address) => (status, [(LOCATION, address)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// Whether JSON-LD is wanted rather than HTML; of two that are wanted alike, people come first.
fn wants_data(headers: &HeaderMap) -> bool {
    let mut html = 0.0_f32;
    let mut data = 0.0_f32;
    for item in headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')) {
        let Ok(media) = item.trim().parse::<Mime>() else { continue };
        let weight = media.get_param("q").map_or(1.0, |weight| weight.as_str().parse().unwrap_or(0.0));
        match media.essence_str() {
            JSON_LD | "application/json" => data = data.max(weight),
            "text/html" | "application/xhtml+xml" | "text/*" | "*/*" => html = html.max(weight),
            _ => {}
        }
    }
    data > html
}

/// Types whose records have pages.
fn types() -> impl Iterator<Item = &'static Record> {
    catalog().all().filter(|record| record.shape == RecordKind::Record)
}

impl Asking {
    fn new(headers: &HeaderMap, dataset: Dataset, query: &str) -> Self {
        let given: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
        let value = |name: &str| given.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_ref());
        let lang = value("lang").and_then(|text| language::tag(text).ok());
        let languages = languages(headers);
        let languages = lang.iter().fold(languages, |languages, tag| languages.preferring(tag.clone()));
        let is_data = match value(FORMAT) {
            Some(format) => format == "jsonld",
            None => wants_data(headers),
        };
        Self { dataset, languages, lang, is_data }
    }

    async fn find(&self, store: &Store, ty: Option<&str>, name: &str) -> Result<Named, Error> {
        let record = match ty {
            None => None,
            Some(ty) => match types().find(|record| record.ty.prefix() == ty.replace('-', "_")) {
                Some(record) => Some(record),
                None => return Ok(Named::Nothing),
            },
        };
        // a slug has no underscore, and an id has one
        if name.contains('_') {
            let found = id::decode(name).ok().and_then(|(prefix, id)| Some((RecordType::from_prefix(prefix)?, id)));
            let found = found.filter(|(ty, _)| record.is_none_or(|record| record.ty == *ty));
            let Some((ty, id)) = found.filter(|(ty, _)| catalog().get(*ty).shape == RecordKind::Record) else { return Ok(Named::Nothing) };
            let link = self.link(store, catalog().get(ty), &Lookup::Id(id)).await?;
            return Ok(link.and_then(|link| link.path).map_or(Named::Nothing, |path| Named::Elsewhere(path, true)));
        }
        match record {
            Some(record) => self.sheet(store, record, ty.unwrap_or_default(), name).await,
            None => {
                let by = Lookup::Slug(name.to_owned());
                let links = try_join_all(types().map(|record| self.link(store, record, &by))).await?;
                let mut links: Vec<Link> = links.into_iter().flatten().collect();
                match (links.len(), links.pop()) {
                    (1, Some(Link { path: Some(path), .. })) => Ok(Named::Elsewhere(path, false)),
                    (_, None) => Ok(Named::Nothing),
                    (_, Some(last)) => {
                        links.push(last);
                        Ok(Named::Several(links))
                    }
                }
            }
        }
    }

    /// What a record is called, and where its page is.
    async fn link(&self, store: &Store, record: &'static Record, by: &Lookup) -> Result<Option<Link>, Error> {
        let (plan, reading) = Reading::name(record);
        let found = store.get(by, &plan).await?;
        Ok(found.get(0).map(|node| Link::of(node, &reading, &self.languages)))
    }

    async fn sheet(&self, store: &Store, record: &'static Record, ty: &str, slug: &str) -> Result<Named, Error> {
        let (plan, reading, lists) = Reading::page(record);
        let found = store.get(&Lookup::Slug(slug.to_owned()), &plan).await?;
        let sheet = found.get(0).and_then(|node| Sheet::of(node, &reading, &lists, &self.languages));
        let here = format!("/r/{ty}/{slug}");
        Ok(match sheet {
            None => Named::Nothing,
            Some(sheet) if sheet.path() != here => Named::Elsewhere(sheet.path(), true),
            Some(sheet) => Named::Page(Box::new(sheet)),
        })
    }

    fn page(&self, sheet: &Sheet) -> Response {
        match self.is_data {
            true => ([(CONTENT_TYPE, JSON_LD)], json_ld::of(sheet, &self.dataset).to_string()).into_response(),
            false => ([(CONTENT_TYPE, HTML)], html::page(self, sheet).into_string()).into_response(),
        }
    }

    fn choices(&self, slug: &str, links: &[Link]) -> Response {
        self.told(StatusCode::MULTIPLE_CHOICES, "Several records have this name", || {
            html::choices(&self.dataset, slug, links).into_string()
        })
    }

    fn nothing(&self) -> Response {
        self.told(StatusCode::NOT_FOUND, "There is no such record", || html::nothing(&self.dataset).into_string())
    }

    fn failed(&self, error: &Error) -> Response {
        error.log();
        let message = error.to_string();
        self.told(status(error.code()), &message, || html::failed(&self.dataset, &message).into_string())
    }

    /// Something other than a record: a page for people, and a line for machines.
    fn told(&self, status: StatusCode, message: &str, page: impl Fn() -> String) -> Response {
        match self.is_data {
            true => (status, [(CONTENT_TYPE, "application/json")], serde_json::json!({"error": message}).to_string()).into_response(),
            false => (status, [(CONTENT_TYPE, HTML)], page()).into_response(),
        }
    }
}

//! The permanent page of a record, `/r/{type}/{slug}`: HTML for people, JSON-LD for programs.
//!
//! An id, an earlier slug and the id of a merged record redirect to the page, as does a slug without a type if only one
//! record has it. Records that the caller may not see have no page.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::future::try_join_all;
use serde_json::json;

use crate::catalog::catalog;
use crate::catalog::record::{Record, RecordKind};
use crate::core::dataset;
use crate::core::dataset::Dataset;
use crate::core::error::Error;
use crate::core::id;
use crate::core::text::printable;
use crate::entity::RecordType;
use crate::graphql::limits::Cost;
use crate::http::authentication::authenticate;
use crate::http::client::{ClientContext, request_origin};
use crate::http::conditional::Validators;
use crate::http::record_page::html;
use crate::http::record_page::json_ld::to_json_ld;
use crate::http::record_page::page_request::{JSON_LD_MEDIA_TYPE, PageRequest};
use crate::http::record_page::plan::ReadLayout;
use crate::http::record_page::view::{RecordLink, RecordView};
use crate::http::response::status_code;
use crate::http::state::AppState;
use crate::store::Store;
use crate::store::read::plan::Lookup;

const HTML_MEDIA_TYPE: &str = "text/html; charset=utf-8";

/// The result of the lookup of a path.
enum PageLookup {
    /// The content of the page, and the number of records that were read for it.
    Found(Box<RecordView>, u64),
    /// The page has another path.
    Redirect {
        path: String,
        is_permanent: bool,
    },
    /// Records of several types have the slug.
    Ambiguous(Vec<RecordLink>),
    NotFound,
}

/// `GET /r/{name}`: a record by its id, or by its slug alone.
pub async fn by_name(
    State(state): State<Arc<AppState>>,
    Path(name): Path<String>,
    client: ClientContext,
    RawQuery(query): RawQuery,
) -> Response {
    respond(&state, &client, &query.unwrap_or_default(), None, &name).await
}

/// `GET /r/{type}/{name}`: a record by its type and its slug or id.
pub async fn by_type_and_name(
    State(state): State<Arc<AppState>>,
    Path((ty, name)): Path<(String, String)>,
    client: ClientContext,
    RawQuery(query): RawQuery,
) -> Response {
    respond(&state, &client, &query.unwrap_or_default(), Some(&ty), &name).await
}

async fn respond(state: &AppState, client: &ClientContext, query: &str, ty: Option<&str>, name: &str) -> Response {
    let origin = match &state.dataset.public_url {
        Some(_) => None,
        None => dataset::public_url(&request_origin(client)).ok(),
    };
    let mut dataset = Dataset::clone(&state.dataset);
    dataset.public_url = dataset.public_url.or(origin);
    let base_url = dataset.address("/");
    let key = [b"record", base_url.as_bytes(), ty.unwrap_or_default().as_bytes(), name.as_bytes(), query.as_bytes()];
    let validators = match Validators::check(state, client, &key).await {
        Ok(validators) => validators,
        Err(not_modified) => return not_modified,
    };
    let request = PageRequest::new(client, dataset, query);
    let caller = match authenticate(&state.store, client).await {
        Ok(caller) => caller,
        Err(error) => return validators.apply_uncacheable(error_page(&request, &error)),
    };
    let Some(_permit) = state.admission_queue.acquire(client.rate_limit.client(&caller)).await else {
        return validators.apply_uncacheable(error_page(&request, &Error::Overloaded));
    };
    let store = state.store.for_role(caller.role);
    let lookup = tokio::time::timeout(state.timeouts.query(), look_up(&request, &store, ty, name)).await;
    match lookup.unwrap_or(Err(Error::Timeout)) {
        Ok(PageLookup::Found(view, records)) => {
            client.rate_limit.pay(&caller, Cost { nodes: records, ..Cost::default() }.points()).await;
            validators.apply(record_page(&request, &view))
        }
        Ok(PageLookup::Redirect { path, is_permanent }) => validators.apply_uncacheable(redirect(&path, query, is_permanent)),
        Ok(PageLookup::Ambiguous(links)) => validators.apply_uncacheable(ambiguous_page(&request, name, &links)),
        Ok(PageLookup::NotFound) => validators.apply_uncacheable(not_found_page(&request)),
        Err(error) => validators.apply_uncacheable(error_page(&request, &error)),
    }
}

/// The record types that have pages.
fn types_with_pages() -> impl Iterator<Item = &'static Record> {
    catalog().all().filter(|record| record.kind == RecordKind::Record)
}

async fn look_up(request: &PageRequest, store: &Store, ty: Option<&str>, name: &str) -> Result<PageLookup, Error> {
    let record = match ty {
        None => None,
        Some(ty) => match types_with_pages().find(|record| record.ty.prefix() == ty.replace('-', "_")) {
            Some(record) => Some(record),
            None => return Ok(PageLookup::NotFound),
        },
    };
    // an id contains an underscore, a slug does not
    if name.contains('_') {
        return look_up_id(request, store, record, name).await;
    }
    match record {
        Some(record) => look_up_slug(request, store, record, ty.unwrap_or_default(), name).await,
        None => look_up_slug_of_any_type(request, store, name).await,
    }
}

/// Looks up an id, of any type if `record` is not given.
async fn look_up_id(request: &PageRequest, store: &Store, record: Option<&'static Record>, name: &str) -> Result<PageLookup, Error> {
    let decoded = id::decode(name).ok().and_then(|(prefix, id)| Some((RecordType::from_prefix(prefix)?, id)));
    let decoded = decoded
        .filter(|(ty, _)| record.is_none_or(|record| record.ty == *ty))
        .filter(|(ty, _)| catalog().get(*ty).kind == RecordKind::Record);
    let Some((ty, id)) = decoded else { return Ok(PageLookup::NotFound) };
    let link = link_to(request, store, catalog().get(ty), &Lookup::Id(id)).await?;
    let path = link.and_then(|link| link.path);
    Ok(path.map_or(PageLookup::NotFound, |path| PageLookup::Redirect { path, is_permanent: true }))
}

async fn look_up_slug(request: &PageRequest, store: &Store, record: &'static Record, ty: &str, slug: &str) -> Result<PageLookup, Error> {
    let (plan, layout, sections) = ReadLayout::plan_page(record);
    let rows = store.get(&Lookup::Slug(slug.to_owned()), &plan).await?;
    let view = rows.get(0).and_then(|row| RecordView::new(row, &layout, &sections, &request.languages));
    Ok(match view {
        None => PageLookup::NotFound,
        Some(view) if view.path() != format!("/r/{ty}/{slug}") => PageLookup::Redirect { path: view.path(), is_permanent: true },
        Some(view) => PageLookup::Found(Box::new(view), rows.record_count()),
    })
}

/// The redirect is temporary: a record of another type may get the same slug.
async fn look_up_slug_of_any_type(request: &PageRequest, store: &Store, slug: &str) -> Result<PageLookup, Error> {
    let lookup = Lookup::Slug(slug.to_owned());
    let links = try_join_all(types_with_pages().map(|record| link_to(request, store, record, &lookup))).await?;
    let mut links: Vec<RecordLink> = links.into_iter().flatten().collect();
    Ok(match (links.len(), links.pop()) {
        (1, Some(RecordLink { path: Some(path), .. })) => PageLookup::Redirect { path, is_permanent: false },
        (_, None) => PageLookup::NotFound,
        (_, Some(last)) => {
            links.push(last);
            PageLookup::Ambiguous(links)
        }
    })
}

/// The label and path of a record, if it exists.
async fn link_to(request: &PageRequest, store: &Store, record: &'static Record, lookup: &Lookup) -> Result<Option<RecordLink>, Error> {
    let (plan, layout) = ReadLayout::plan_link(record);
    let rows = store.get(lookup, &plan).await?;
    Ok(rows.get(0).map(|row| RecordLink::new(row, &layout, &request.languages)))
}

/// Redirects to the page of a record, with the same query string.
fn redirect(path: &str, query: &str, is_permanent: bool) -> Response {
    let status = if is_permanent { StatusCode::PERMANENT_REDIRECT } else { StatusCode::TEMPORARY_REDIRECT };
    let location = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    match HeaderValue::from_str(&location) {
        Ok(location) => (status, [(LOCATION, location)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

fn record_page(request: &PageRequest, view: &RecordView) -> Response {
    if request.is_json_ld {
        ([(CONTENT_TYPE, JSON_LD_MEDIA_TYPE)], to_json_ld(view, &request.dataset).to_string()).into_response()
    } else {
        ([(CONTENT_TYPE, HTML_MEDIA_TYPE)], printable(&html::page(request, view).into_string()).into_owned()).into_response()
    }
}

fn ambiguous_page(request: &PageRequest, slug: &str, links: &[RecordLink]) -> Response {
    message_page(request, StatusCode::MULTIPLE_CHOICES, "Several records have this name", || {
        printable(&html::ambiguous(&request.dataset, slug, links).into_string()).into_owned()
    })
}

fn not_found_page(request: &PageRequest) -> Response {
    message_page(request, StatusCode::NOT_FOUND, "There is no such record", || {
        printable(&html::not_found(&request.dataset).into_string()).into_owned()
    })
}

/// The page of an error; logs its cause.
fn error_page(request: &PageRequest, error: &Error) -> Response {
    error.log();
    let message = error.to_string();
    message_page(request, status_code(error.code()), &message, || {
        printable(&html::error(&request.dataset, &message).into_string()).into_owned()
    })
}

/// A response without a record: an HTML page, or JSON with the message.
fn message_page(request: &PageRequest, status: StatusCode, message: &str, html: impl Fn() -> String) -> Response {
    if request.is_json_ld {
        (status, [(CONTENT_TYPE, "application/json")], json!({"error": message}).to_string()).into_response()
    } else {
        (status, [(CONTENT_TYPE, HTML_MEDIA_TYPE)], html()).into_response()
    }
}

//! `/editors/care`: the page of the records that need the care of an editor. It is HTML without scripts and requires a token.
//!
//! Browsers cannot send a bearer token without a script. The page therefore also accepts HTTP Basic authentication with the
//! token as the password, here and nowhere else: a browser sends such credentials by itself, so no request that changes
//! anything may accept them. Browsers send them to paths below `/editors/` only.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use headers::authorization::{Basic, Credentials};
use maud::{Markup, html};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::field::CHECKED_AT;
use crate::catalog::record::RecordKind;
use crate::core::auth::{Caller, Role};
use crate::core::dataset::Dataset;
use crate::core::error::{Error, ErrorCode, bad_input, unauthenticated};
use crate::core::language::Languages;
use crate::core::pagination::{Cursor, MAX_PAGE_SIZE, Page};
use crate::core::text::printable;
use crate::entity::RecordType;
use crate::graphql::limits::Cost;
use crate::http::authentication::authenticate;
use crate::http::client::{ClientContext, accepted_languages};
use crate::http::record_page::example_query::path_with_query;
use crate::http::record_page::format::spaced_words;
use crate::http::record_page::html::{document, error, instant, link, url_or_text};
use crate::http::record_page::plan::ReadLayout;
use crate::http::record_page::view::RecordLink;
use crate::http::response::status_code;
use crate::http::state::AppState;
use crate::http::url_parameters::UrlParameters;
use crate::store::Store;
use crate::store::care::list::{CareItem, CareKind, CarePage, CareQuery, care_list_name};
use crate::store::read::result::{Cell, ReferencedRows};

const PATH: &str = "/editors/care";
const KIND: &str = "kind";
const AFTER: &str = "after";
/// Records of each kind on the page of all kinds.
const OVERVIEW_ROWS: u32 = 10;
/// Asks a browser for a token.
const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"Kurultai for editors: the token is the password\", charset=\"UTF-8\"");

/// What the page shows of one kind.
struct CareSection {
    kind: CareKind,
    count: u64,
    page: CarePage,
    /// The records of the page, in its order.
    rows: ReferencedRows,
    layouts: Vec<(RecordType, ReadLayout)>,
}

/// `GET /care`: the page for programs, which send a token. A browser is redirected to the path below which it keeps the token.
pub async fn short(state: State<Arc<AppState>>, client: ClientContext, query: RawQuery) -> Response {
    if client.contains_key(AUTHORIZATION) {
        return get(state, client, query).await;
    }
    let query = query.0.unwrap_or_default();
    let location = if query.is_empty() { PATH.to_owned() } else { format!("{PATH}?{query}") };
    match HeaderValue::from_str(&location) {
        Ok(location) => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// `GET /editors/care`.
pub async fn get(State(state): State<Arc<AppState>>, client: ClientContext, RawQuery(query): RawQuery) -> Response {
    let result = tokio::time::timeout(state.timeouts.query(), respond(&state, &client, &query.unwrap_or_default())).await;
    let mut response = result.unwrap_or(Err(Error::Timeout)).unwrap_or_else(|error| error_page(&state.dataset, &error));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

async fn respond(state: &AppState, client: &ClientContext, query: &str) -> Result<Response, Error> {
    let caller = authenticate_page(&state.store, client).await?;
    caller.require(Role::Editor)?;
    let permit = state.admission_queue.acquire(client.rate_limit.client(&caller)).await;
    let _permit = permit.ok_or(Error::Overloaded)?;
    let parameters = UrlParameters::new(query);
    let bad_request = |message: String| bad_input("the URL", message);
    parameters.reject_unknown(&[&[KIND, AFTER]]).map_err(|reject| bad_request(reject.message))?;
    let kind = match parameters.value(KIND) {
        Some(name) => Some(CareKind::from_name(&name.to_uppercase()).ok_or_else(|| {
            let known = CareKind::ALL.map(|kind| kind.name().to_lowercase()).join(", ");
            bad_request(format!("{KIND}: \"{name}\" is not a kind; the kinds are {known}"))
        })?),
        None => None,
    };
    let after = Cursor::parse(parameters.value(AFTER), care_list_name(), AFTER)?;
    if after.is_some() && kind.is_none() {
        return Err(bad_request(format!("{AFTER} requires {KIND}")));
    }
    let store = state.store.for_role(caller.role);
    let size = if kind.is_some() { MAX_PAGE_SIZE } else { OVERVIEW_ROWS };
    let mut sections = Vec::new();
    for (counted, count) in store.care_counts(&CareQuery::default()).await? {
        let is_shown = kind.is_none_or(|kind| kind == counted);
        let page = Page { after: after.clone().filter(|_| is_shown), ..Page::first(if is_shown { size } else { 0 }) };
        let query = CareQuery { kinds: vec![counted], types: Vec::new() };
        let page = if is_shown && count > 0 { store.care_page(&query, &page).await? } else { CarePage::default() };
        sections.push(section(&store, counted, count, page).await?);
    }
    let records: usize = sections.iter().map(|section| section.page.items.len()).sum();
    client.rate_limit.pay(&caller, Cost { nodes: records as u64, ..Cost::default() }.points()).await;
    let languages = accepted_languages(client);
    let main = html! {
        div.head {
            p.kind { "For editors" }
            h1 { "Records that need care" }
            p { "Signed in as " (caller.name.as_deref().unwrap_or_default()) "." }
        }
        @for of in &sections { (section_markup(of, kind, &languages)) }
    };
    let page = document(&state.dataset, "Records that need care · Kurultai", &html! { meta name="robots" content="noindex"; }, &main);
    Ok(([(CONTENT_TYPE, "text/html; charset=utf-8")], printable(&page.into_string()).into_owned()).into_response())
}

/// The caller, by a bearer token or by one that a browser sends as the password of Basic authentication.
async fn authenticate_page(store: &Store, client: &ClientContext) -> Result<Caller, Error> {
    let basic =
        client.get(AUTHORIZATION).filter(|value| value.as_bytes().get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic ")));
    let Some(basic) = basic else { return authenticate(store, client).await };
    let malformed = || unauthenticated("the Authorization header is malformed; send the token as the password");
    let credentials = Basic::decode(basic).ok_or_else(malformed)?;
    let bearer = HeaderValue::from_str(&format!("Bearer {}", credentials.password())).map_err(|_| malformed())?;
    authenticate(store, &HeaderMap::from_iter([(AUTHORIZATION, bearer)])).await
}

async fn section(store: &Store, kind: CareKind, count: u64, page: CarePage) -> Result<CareSection, Error> {
    let (mut plans, mut layouts) = (Vec::new(), Vec::new());
    let records = catalog().all().filter(|record| record.kind == RecordKind::Record);
    for record in records.filter(|record| page.items.iter().any(|item| item.ty == record.ty)) {
        let (mut plan, layout) = ReadLayout::plan_link(record);
        [CHECKED_AT, "url"].iter().filter_map(|name| record.field_id(name)).for_each(|field| plan.select_field(field));
        plans.push(plan);
        layouts.push((record.ty, layout));
    }
    let ids: Vec<Option<(RecordType, Uuid)>> = page.items.iter().map(|item| Some((item.ty, item.id))).collect();
    let rows = store.nodes(&plans, &ids).await?;
    Ok(CareSection { kind, count, page, rows, layouts })
}

/// Heading of a kind, and what to do about its records.
fn heading(kind: CareKind) -> (&'static str, &'static str) {
    match kind {
        CareKind::WithoutSource => ("Without a source", "Neither the record nor a part of it cites a source. Add a citation."),
        CareKind::DisputedWithoutNote => {
            ("Disputed without a note", "Sources disagree, and no citation explains it. Add a note to one of the citations.")
        }
        CareKind::NotChecked => ("Not checked for a year", "Read the source again, and record the check with markChecked."),
        CareKind::DeadUrl => ("Dead URL", "The page is gone. Add the URL of an archived copy, or correct the URL."),
    }
}

fn section_markup(of: &CareSection, selected: Option<CareKind>, languages: &Languages) -> Markup {
    let (title, doc) = heading(of.kind);
    let name = of.kind.name().to_lowercase();
    let path = |after: Option<&str>| {
        let mut parameters = vec![(KIND, name.as_str())];
        parameters.extend(after.map(|after| (AFTER, after)));
        path_with_query(PATH, &parameters)
    };
    let next = of.page.items.last().filter(|_| of.page.has_next).map(|last| last.cursor.as_str());
    html! {
        section aria-labelledby=(name) {
            h2 id=(name) { (title) " (" (of.count) ")" }
            p { (doc) }
            @if !of.page.items.is_empty() {
                ul.links { @for (index, item) in of.page.items.iter().enumerate() { (item_markup(of, index, item, languages)) } }
            }
            @match (next, selected) {
                (Some(after), Some(_)) => p { a href=(path(Some(after))) rel="next" { "Next page" } },
                (Some(_), None) => p { a href=(path(None)) { "All " (of.count) } },
                (None, _) => @if selected.is_some_and(|kind| kind != of.kind) && of.count > 0 { p { a href=(path(None)) { "All " (of.count) } } },
            }
        }
    }
}

/// A record; nothing if it was deleted after the list was read.
fn item_markup(of: &CareSection, index: usize, item: &CareItem, languages: &Languages) -> Markup {
    let layout = of.layouts.iter().find(|(ty, _)| *ty == item.ty).map(|(_, layout)| layout);
    let Some((row, layout)) = of.rows.get(index).zip(layout) else { return html! {} };
    let record = catalog().get(item.ty);
    let cell = |name: &str| record.field_id(name).map(|field| row.cell(field));
    html! {
        li {
            (link(&RecordLink::new(row, layout, languages))) ", " (spaced_words(record.name()).to_lowercase())
            @if let (CareKind::DeadUrl, Some(Cell::Text(url))) = (item.kind, cell("url")) { ", " (url_or_text(url)) }
            @if let (CareKind::NotChecked, Some(Cell::Instant(at))) = (item.kind, cell(CHECKED_AT)) { ", checked " (instant(*at)) }
        }
    }
}

/// The page of an error; logs its cause.
fn error_page(dataset: &Dataset, cause: &Error) -> Response {
    cause.log();
    let page = printable(&error(dataset, &cause.to_string()).into_string()).into_owned();
    let mut response = (status_code(cause.code()), [(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
    if cause.code() == ErrorCode::Unauthenticated {
        response.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE);
    }
    response
}

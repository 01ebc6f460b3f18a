//! The record page as HTML, without scripts or inline styles.

use chrono::{DateTime, SecondsFormat, Utc};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use url::Url;

use crate::catalog::record::Record;
use crate::core::dataset::{CitedRecord, Dataset};
use crate::http::record_page::example_query::{example_query, path_with_query};
use crate::http::record_page::page_request::{JSON_LD_MEDIA_TYPE, PageRequest};
use crate::http::record_page::stylesheet::stylesheet_version;
use crate::http::record_page::view::{
    CitationView, ClaimView, DisputeView, EntryView, FieldValue, LocalizedText, RecordLink, RecordView, RevisionView, Section, SectionItems,
};
use crate::http::record_page::{format, json_ld};

/// Facts shown for a mention, besides its links.
const MAX_MENTION_FACTS: usize = 3;

/// A page with header and footer.
pub(super) fn document(dataset: &Dataset, title: &str, head: &Markup, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" type="image/svg+xml" href="/favicon.svg";
                link rel="stylesheet" href={ "/assets/record.css?" (stylesheet_version()) };
                (head)
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header.bar {
                    a.brand href="/" { img src="/favicon.svg" alt="" width="28" height="28"; "Kurultai" }
                    nav aria-label="Main" {
                        a href="/schema.graphql" { "Schema" }
                        a href="/graphiql" { "GraphiQL" }
                    }
                }
                main #main { (main) }
                footer {
                    @if let Some(title) = &dataset.title { p { (title) } }
                    @if let Some(attribution) = &dataset.attribution { p { "Attribution: " (attribution) } }
                    @if let Some(licence) = &dataset.licence { p { "Licence: " (url_or_text(licence)) } }
                    p { "Sources are shown beside the facts that cite them. Where sources disagree, every claim is shown, and the accepted one is marked." }
                }
            }
        }
    }
}

/// A web URL as a link; other text unchanged.
pub(super) fn url_or_text(text: &str) -> Markup {
    html! { @if is_web_url(text) { a href=(text) rel="noopener" { (text) } } @else { (text) } }
}

fn is_web_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// A text with its language.
fn text(text: &LocalizedText) -> Markup {
    html! { span lang=[text.lang.as_deref()] { (text.text) } }
}

pub(super) fn link(link: &RecordLink) -> Markup {
    html! {
        @match &link.path {
            Some(path) => a href=(path) lang=[link.text.lang.as_deref()] { (link.text.text) },
            None => (text(&link.text)),
        }
    }
}

pub(super) fn instant(at: DateTime<Utc>) -> Markup {
    let day = format::date(&at.format("%Y-%m-%d").to_string());
    html! { time datetime=(at.to_rfc3339_opts(SecondsFormat::Secs, true)) { (day) } }
}

fn date(date: &str) -> Markup {
    html! { time datetime=(date) { (format::date(date)) } }
}

fn value(of: &FieldValue) -> Markup {
    html! {
        @match of {
            FieldValue::Text(given) => (text(given)),
            FieldValue::Texts(texts) => @if let Some(first) = texts.first() { (text(first)) },
            FieldValue::Date(given) => (date(given)),
            FieldValue::Instant(at) => (instant(*at)),
            FieldValue::Number(number) => (number),
            FieldValue::Boolean(boolean) => (if *boolean { "yes" } else { "no" }),
            FieldValue::Url(given) => (url_or_text(given)),
            FieldValue::Duration(given) => time datetime=(given) { (format::duration(given)) },
            FieldValue::Choice(choice) => (format::choice_label(choice)),
            FieldValue::Record(to) => (link(to)),
            FieldValue::Items(items) => ul.items { @for item in items { li { (members(item)) } } },
        }
    }
}

/// The members of an object in one line, the first without its label.
fn members(item: &[(&'static str, FieldValue)]) -> Markup {
    let lang = item.iter().find_map(|(name, value)| match (*name, value) {
        ("lang", FieldValue::Text(text)) => Some(text.text.as_str()),
        _ => None,
    });
    let shown = item.iter().filter(|(name, _)| *name != "lang").enumerate();
    html! {
        @for (index, (name, of)) in shown {
            @if index > 0 { " · " }
            @match of {
                FieldValue::Text(text) if index == 0 => span lang=[lang] { (text.text) },
                FieldValue::Text(_) => (value(of)),
                _ => { (format::field_label(name).to_lowercase()) " " (value(of)) },
            }
        }
    }
}

fn facts(entry: &EntryView) -> Markup {
    html! {
        @if !entry.facts.is_empty() {
            dl.facts {
                @for fact in &entry.facts {
                    div { dt { (format::field_label(fact.name)) } dd { (value(&fact.value)) } }
                }
            }
        }
    }
}

fn citation(of: &CitationView) -> Markup {
    html! {
        @if let Some(quote) = &of.quote { q lang=[of.lang.as_deref()] { (quote) } " " }
        cite { @match &of.source { Some(source) => (link(source)), None => "an unpublished source" } }
        @if let Some(publisher) = &of.publisher { ", " (publisher) }
        @if let Some(published) = &of.published_on { ", " (date(published)) }
        @if let Some(locator) = &of.locator { ", " (locator) }
        @for (url, name) in [(&of.url, "original"), (&of.archived_url, "archived copy")] {
            @if let Some(url) = url.as_ref().filter(|url| is_web_url(url)) {
                // screen readers list links out of context
                @let label = of.source.as_ref().map(|source| format!("{name}: {}", source.text.text));
                " (" a href=(url) rel="noopener" aria-label=[label] { (name) } ")"
            }
        }
        @if let Some(note) = &of.note { " " span.note { (note) } }
    }
}

/// The field and value that a citation supports, if it is specific.
fn cited_field(of: &CitationView) -> Markup {
    html! {
        @if let Some(field) = &of.field {
            span.about { (format::field_label(field)) @if let Some(value) = &of.value { ": " (format::claim(value)) } }
            " "
        }
    }
}

fn citations(of: &[&CitationView]) -> Markup {
    html! { @if !of.is_empty() { ul.citations { @for one in of { li { (cited_field(one)) (citation(one)) } } } } }
}

fn dispute(of: &DisputeView) -> Markup {
    html! {
        div.dispute {
            h3 { (format::field_label(&of.field)) }
            @let unaccepted = if of.claims.iter().any(|claim| claim.accepted) { "also claimed" } else { "claimed" };
            dl.claims { @for one in &of.claims { (claim(one, unaccepted)) } }
        }
    }
}

/// One side of a dispute; `unaccepted` is the tag of a claim that the record does not accept.
fn claim(of: &ClaimView, unaccepted: &str) -> Markup {
    html! {
        div.accepted[of.accepted] {
            dt { (format::claim(&of.value)) " " span.tag { (if of.accepted { "accepted" } else { unaccepted }) } }
            @for one in &of.citations { dd { (citation(one)) } }
        }
    }
}

/// A part of the record.
fn part(entry: &EntryView) -> Markup {
    html! {
        li {
            (facts(entry))
            @for of in &entry.disputes { (dispute(of)) }
            // citations shown in a dispute are not repeated
            @let is_in_dispute = |one: &&CitationView| entry.disputes.iter().any(|of| one.value.is_some() && one.field.as_ref() == Some(&of.field));
            (citations(&entry.citations.iter().filter(|one| !is_in_dispute(one)).collect::<Vec<_>>()))
        }
    }
}

/// A part of another record in one line, links first.
fn mention(entry: &EntryView) -> Markup {
    let is_link = |value: &&FieldValue| matches!(value, FieldValue::Record(_));
    let values = || entry.facts.iter().map(|fact| &fact.value);
    let others = values().filter(|value| !is_link(value)).take(MAX_MENTION_FACTS);
    html! {
        li {
            @for (index, of) in values().filter(is_link).chain(others).enumerate() {
                @if index > 0 { " · " }
                (value(of))
            }
        }
    }
}

fn section(of: &Section, id: usize) -> Markup {
    let heading = format!("list-{id}");
    html! {
        section aria-labelledby=(heading) {
            h2 id=(heading) { (format::field_label(of.name)) }
            p.doc { (of.doc) }
            @match &of.items {
                SectionItems::Parts(entries) => ol.parts { @for entry in entries { (part(entry)) } },
                SectionItems::Records(links) => ul.links { @for one in links { li { (link(one)) } } },
                SectionItems::Mentions(entries) => ul.links { @for entry in entries { (mention(entry)) } },
            }
            @if of.has_more { p.more { "There are more; the query below returns all." } }
        }
    }
}

fn history(revisions: &[RevisionView], feed: &str) -> Markup {
    html! {
        section aria-labelledby="history" {
            h2 #history { "Latest changes" }
            ul.links {
                @for revision in revisions {
                    li {
                        "Revision " (revision.number) ", " (instant(revision.at)) ": " (format::choice_label(&revision.kind))
                        @if let Some(message) = &revision.message { " · " (message) }
                    }
                }
            }
            p { a href=(feed) { "Follow this record" } " in a feed reader (Atom)." }
        }
    }
}

/// Links to the page in each language of the record.
fn languages(request: &PageRequest, view: &RecordView) -> Markup {
    let shown = view.label.lang.as_deref();
    html! {
        @if view.langs.len() > 1 {
            nav.langs aria-label="Languages" {
                @for lang in &view.langs {
                    @let is_current = request.lang.as_deref().or(shown) == Some(lang.as_str());
                    a href={ "?lang=" (lang) } lang=(lang) hreflang=(lang) aria-current=[is_current.then_some("true")] { (format::language_name(lang)) }
                }
            }
        }
    }
}

fn citation_text(request: &PageRequest, view: &RecordView) -> String {
    request.dataset.citation(&CitedRecord {
        label: &view.label.text,
        lang: view.label.lang.as_deref(),
        revision: view.revision,
        changed: view.updated,
        path: &view.path(),
    })
}

/// Links to the record in other formats.
fn data_links(view: &RecordView) -> Markup {
    let full_query = example_query(view.record, &view.slug, true);
    let table_query = example_query(view.record, &view.slug, false);
    let links = [
        ("Open it in GraphiQL", path_with_query("/graphiql", &[("query", &full_query)])),
        ("JSON", path_with_query("/graphql", &[("query", &full_query)])),
        ("Table (CSV)", path_with_query("/table.csv", &[("query", &table_query), ("sources", "true")])),
        ("JSON-LD", format!("{}?format=jsonld", view.path())),
    ];
    html! {
        section aria-labelledby="use" {
            h2 #use { "Use the data" }
            ul.uses { @for (name, address) in &links { li { a href=(address) { (name) } } } }
            p { "Its id is " code { (view.id) } " and never changes." }
        }
    }
}

/// JSON escaped for a script element: without characters that are special in HTML.
fn escape_for_script(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// The page of a record.
pub(super) fn page(request: &PageRequest, view: &RecordView) -> Markup {
    let RecordView { label, entry, .. } = view;
    let kind = match entry.value("number") {
        Some(FieldValue::Text(number)) => format!("{} {}", kind(view.record), number.text),
        _ => kind(view.record),
    };
    let url = request.dataset.address(&view.path());
    let head = html! {
        link rel="canonical" href=(url);
        link rel="alternate" type=(JSON_LD_MEDIA_TYPE) href={ (view.path()) "?format=jsonld" };
        @for lang in &view.langs { link rel="alternate" hreflang=(lang) href={ (url) "?lang=" (lang) }; }
        meta property="og:title" content=(label.text);
        meta property="og:url" content=(url);
        // a data block, which browsers do not execute
        script type=(JSON_LD_MEDIA_TYPE) { (PreEscaped(escape_for_script(&json_ld::to_json_ld(view, &request.dataset).to_string()))) }
    };
    let main = html! {
        div.head {
            p.kind {
                (kind)
                @if view.disputed { " " span.tag { "sources disagree" } }
                @if !view.published { " " span.tag { "draft" } }
            }
            h1 lang=[label.lang.as_deref()] { (label.text) }
            @for other in view.labels.iter().skip(1) { p.other lang=[other.lang.as_deref()] { (other.text) } }
            (languages(request, view))
        }
        @if !entry.facts.is_empty() {
            section aria-labelledby="facts" {
                h2 #facts { "Facts" }
                (facts(entry))
            }
        }
        @if !entry.disputes.is_empty() {
            section aria-labelledby="disputes" {
                h2 #disputes { "Where sources disagree" }
                @for of in &entry.disputes { (dispute(of)) }
            }
        }
        @for (id, of) in view.sections.iter().enumerate() { (section(of, id)) }
        section aria-labelledby="sources" {
            h2 #sources { "Sources" }
            @if entry.citations.is_empty() { p { "No source is cited for this record as a whole." } }
            (citations(&entry.citations.iter().collect::<Vec<_>>()))
        }
        section aria-labelledby="cite" {
            h2 #cite { "Cite this" }
            p.copy lang=[label.lang.as_deref()] { (citation_text(request, view)) }
        }
        (data_links(view))
        (history(&view.revisions, &path_with_query("/feed.atom", &[("record", &view.id)])))
    };
    document(&request.dataset, &format!("{} · {kind} · Kurultai", label.text), &head, &main)
}

fn kind(record: &Record) -> String {
    format::spaced_words(record.name())
}

/// The page that lists the records of several types with the same slug.
pub(super) fn ambiguous(dataset: &Dataset, slug: &str, links: &[RecordLink]) -> Markup {
    let main = html! {
        div.head { h1 { "Several records have this name" } }
        section {
            p { "The records with the slug " code { (slug) } ":" }
            ul.links { @for to in links { li { (link(to)) ", " (format::spaced_words(to.ty.name()).to_lowercase()) } } }
        }
    };
    document(dataset, "Several records have this name · Kurultai", &html! {}, &main)
}

/// The page of a path without a record.
pub(super) fn not_found(dataset: &Dataset) -> Markup {
    let main = html! {
        div.head { h1 { "There is no such record" } }
        section {
            p { "No published record has this address. It may be misspelt, or the record was unpublished or deleted." }
            p { a href="/graphiql?example=Search" { "Search for it in GraphiQL" } ", or start at " a href="/" { "the home page" } "." }
        }
    };
    document(dataset, "There is no such record · Kurultai", &html! { meta name="robots" content="noindex"; }, &main)
}

/// The page of an error.
pub(super) fn error(dataset: &Dataset, message: &str) -> Markup {
    let main = html! {
        div.head { h1 { "This page is not available" } }
        section { p { (message) } }
    };
    document(dataset, "This page is not available · Kurultai", &html! { meta name="robots" content="noindex"; }, &main)
}

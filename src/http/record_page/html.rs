//! The page of a record for people: it needs no script, and has no style of its own inside.

use chrono::{DateTime, SecondsFormat, Utc};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use url::Url;

use crate::catalog::record::Record;
use crate::core::dataset::{CitedRecord, Dataset};
use crate::http::record_page::handler::{Asking, JSON_LD, style_version};
use crate::http::record_page::view::{Change, Citation, Claim, Dispute, Entry, Link, List, Listed, Sheet, Text, Value};
use crate::http::record_page::{example_query, format, json_ld};

/// Facts that say in one line what a part is.
const MOST_IN_LINE: usize = 3;

/// A page with a head and a foot.
fn document(dataset: &Dataset, title: &str, head: &Markup, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" type="image/svg+xml" href="/favicon.svg";
                link rel="stylesheet" href={ "/assets/record.css?" (style_version()) };
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
                    @if let Some(attribution) = &dataset.attribution { p { "Please name: " (attribution) } }
                    @if let Some(licence) = &dataset.licence { p { "Licence: " (address(licence)) } }
                    p { "Where a source is cited for a fact, it stands beside it. Where sources disagree, each claim is shown, and which of them the record accepts." }
                }
            }
        }
    }
}

/// An address as a link, where it leads to the web; anything else as the text that it is.
fn address(text: &str) -> Markup {
    html! { @if leads_to_web(text) { a href=(text) rel="noopener" { (text) } } @else { (text) } }
}

fn leads_to_web(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// A text, with its language where that is not the page's.
fn text(text: &Text) -> Markup {
    html! { span lang=[text.lang.as_deref()] { (text.text) } }
}

fn link(link: &Link) -> Markup {
    html! {
        @match &link.path {
            Some(path) => a href=(path) lang=[link.text.lang.as_deref()] { (link.text.text) },
            None => (text(&link.text)),
        }
    }
}

fn instant(at: DateTime<Utc>) -> Markup {
    let day = format::date(&at.format("%Y-%m-%d").to_string());
    html! { time datetime=(at.to_rfc3339_opts(SecondsFormat::Secs, true)) { (day) } }
}

fn date(date: &str) -> Markup {
    html! { time datetime=(date) { (format::date(date)) } }
}

fn value(of: &Value) -> Markup {
    html! {
        @match of {
            Value::Text(given) => (text(given)),
            Value::Texts(texts) => @if let Some(first) = texts.first() { (text(first)) },
            Value::Date(given) => (date(given)),
            Value::Instant(at) => (instant(*at)),
            Value::Number(number) => (number),
            Value::Boolean(boolean) => (if *boolean { "yes" } else { "no" }),
            Value::Url(given) => (address(given)),
            Value::Duration(given) => time datetime=(given) { (format::duration(given)) },
            Value::Choice(choice) => (format::choice(choice)),
            Value::Record(to) => (link(to)),
            Value::Items(items) => ul.items { @for item in items { li { (members(item)) } } },
        }
    }
}

/// Members of a small object in one line: the first, and what is known of it.
fn members(item: &[(&'static str, Value)]) -> Markup {
    let lang = item.iter().find_map(|(name, value)| match (*name, value) {
        ("lang", Value::Text(text)) => Some(text.text.as_str()),
        _ => None,
    });
    let shown = item.iter().filter(|(name, _)| *name != "lang").enumerate();
    html! {
        @for (place, (name, of)) in shown {
            @if place > 0 { " · " }
            @match of {
                Value::Text(text) if place == 0 => span lang=[lang] { (text.text) },
                Value::Text(_) => (value(of)),
                _ => { (format::field(name).to_lowercase()) " " (value(of)) },
            }
        }
    }
}

fn facts(entry: &Entry) -> Markup {
    html! {
        @if !entry.facts.is_empty() {
            dl.facts {
                @for fact in &entry.facts {
                    div { dt { (format::field(fact.name)) } dd { (value(&fact.value)) } }
                }
            }
        }
    }
}

fn citation(of: &Citation) -> Markup {
    html! {
        @if let Some(quote) = &of.quote { q lang=[of.lang.as_deref()] { (quote) } " " }
        cite { @match &of.source { Some(source) => (link(source)), None => "a source that is not published" } }
        @if let Some(publisher) = &of.publisher { ", " (publisher) }
        @if let Some(published) = &of.published_on { ", " (date(published)) }
        @if let Some(locator) = &of.locator { ", " (locator) }
        @for (url, name) in [(&of.url, "read it"), (&of.archived_url, "archived copy")] {
            @if let Some(url) = url.as_ref().filter(|url| leads_to_web(url)) {
                // links that are read out one by one say what they lead to
                @let told = of.source.as_ref().map(|source| format!("{name}: {}", source.text.text));
                " (" a href=(url) rel="noopener" aria-label=[told] { (name) } ")"
            }
        }
        @if let Some(note) = &of.note { " " span.note { (note) } }
    }
}

/// What a citation is about, where it is about one field.
fn claimed(of: &Citation) -> Markup {
    html! {
        @if let Some(field) = &of.field {
            span.about { (format::field(field)) @if let Some(value) = &of.value { ": " (format::claim(value)) } }
            " "
        }
    }
}

fn citations(of: &[&Citation]) -> Markup {
    html! { @if !of.is_empty() { ul.citations { @for one in of { li { (claimed(one)) (citation(one)) } } } } }
}

fn dispute(of: &Dispute) -> Markup {
    html! {
        div.dispute {
            h3 { (format::field(&of.field)) }
            @let other = if of.claims.iter().any(|claim| claim.accepted) { "also claimed" } else { "claimed" };
            dl.claims { @for one in &of.claims { (claim(one, other)) } }
        }
    }
}

/// One side of a dispute; `other` is what a claim is called that the record does not show.
fn claim(of: &Claim, other: &str) -> Markup {
    html! {
        div.accepted[of.accepted] {
            dt { (format::claim(&of.value)) " " span.tag { (if of.accepted { "accepted" } else { other }) } }
            @for one in &of.citations { dd { (citation(one)) } }
        }
    }
}

/// A part of the record: what it says in a line, then what else is known of it.
fn part(entry: &Entry) -> Markup {
    html! {
        li {
            (facts(entry))
            @for of in &entry.disputes { (dispute(of)) }
            // what is told in a dispute is not told again
            @let is_told = |one: &&Citation| entry.disputes.iter().any(|of| one.value.is_some() && one.field.as_ref() == Some(&of.field));
            (citations(&entry.citations.iter().filter(|one| !is_told(one)).collect::<Vec<_>>()))
        }
    }
}

/// A part of another record, in a line.
fn mention(entry: &Entry) -> Markup {
    let leads = |value: &&Value| matches!(value, Value::Record(_));
    let values = || entry.facts.iter().map(|fact| &fact.value);
    let others = values().filter(|value| !leads(value)).take(MOST_IN_LINE);
    html! {
        li {
            @for (place, of) in values().filter(leads).chain(others).enumerate() {
                @if place > 0 { " · " }
                (value(of))
            }
        }
    }
}

fn list(of: &List, id: usize) -> Markup {
    let heading = format!("list-{id}");
    html! {
        section aria-labelledby=(heading) {
            h2 id=(heading) { (format::field(of.name)) }
            p.doc { (of.doc) }
            @match &of.listed {
                Listed::Parts(entries) => ol.parts { @for entry in entries { (part(entry)) } },
                Listed::Records(links) => ul.links { @for one in links { li { (link(one)) } } },
                Listed::Mentions(entries) => ul.links { @for entry in entries { (mention(entry)) } },
            }
            @if of.has_more { p.more { "There are more of them: the query below gives all." } }
        }
    }
}

fn history(changes: &[Change], feed: &str) -> Markup {
    html! {
        section aria-labelledby="history" {
            h2 #history { "Latest changes" }
            ul.links {
                @for change in changes {
                    li {
                        "Revision " (change.number) ", " (instant(change.at)) ": " (format::choice(&change.kind))
                        @if let Some(message) = &change.message { " · " (message) }
                    }
                }
            }
            p { a href=(feed) { "Follow this record" } " in a reader of feeds (Atom)." }
        }
    }
}

/// Languages that the record has texts in, each as a link.
fn languages(asking: &Asking, sheet: &Sheet) -> Markup {
    let shown = sheet.label.lang.as_deref();
    html! {
        @if sheet.langs.len() > 1 {
            nav.langs aria-label="Languages" {
                @for lang in &sheet.langs {
                    @let is_current = asking.lang.as_deref().or(shown) == Some(lang.as_str());
                    a href={ "?lang=" (lang) } lang=(lang) hreflang=(lang) aria-current=[is_current.then_some("true")] { (format::language(lang)) }
                }
            }
        }
    }
}

fn cited(asking: &Asking, sheet: &Sheet) -> String {
    asking.dataset.citation(&CitedRecord {
        label: &sheet.label.text,
        lang: sheet.label.lang.as_deref(),
        revision: sheet.revision,
        changed: sheet.changed,
        path: &sheet.path(),
    })
}

/// Where to go on from here with the same record.
fn uses(sheet: &Sheet) -> Markup {
    let whole = example_query::of(sheet.record, &sheet.slug, true);
    let table = example_query::of(sheet.record, &sheet.slug, false);
    let ways = [
        ("Open it in GraphiQL", example_query::address("/graphiql", &[("query", &whole)])),
        ("JSON", example_query::address("/graphql", &[("query", &whole)])),
        ("Table (CSV)", example_query::address("/table.csv", &[("query", &table), ("sources", "true")])),
        ("JSON-LD", format!("{}?format=jsonld", sheet.path())),
    ];
    html! {
        section aria-labelledby="use" {
            h2 #use { "Use the data" }
            ul.uses { @for (name, address) in &ways { li { a href=(address) { (name) } } } }
            p { "Its id is " code { (sheet.id) } ", the same for ever." }
        }
    }
}

/// JSON as it can stand inside an element: no sign in it means anything to HTML.
fn inside(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// The page of a record.
pub(crate) fn page(asking: &Asking, sheet: &Sheet) -> Markup {
    let Sheet { label, entry, .. } = sheet;
    let kind = match entry.value("number") {
        Some(Value::Text(number)) => format!("{} {}", kind(sheet.record), number.text),
        _ => kind(sheet.record),
    };
    let url = asking.dataset.address(&sheet.path());
    let head = html! {
        link rel="canonical" href=(url);
        link rel="alternate" type=(JSON_LD) href={ (sheet.path()) "?format=jsonld" };
        @for lang in &sheet.langs { link rel="alternate" hreflang=(lang) href={ (url) "?lang=" (lang) }; }
        meta property="og:title" content=(label.text);
        meta property="og:url" content=(url);
        // data, which no browser runs; nothing in it can end the element
        script type=(JSON_LD) { (PreEscaped(inside(&json_ld::of(sheet, &asking.dataset).to_string()))) }
    };
    let main = html! {
        div.head {
            p.kind {
                (kind)
                @if sheet.disputed { " " span.tag { "sources disagree" } }
                @if !sheet.published { " " span.tag { "draft" } }
            }
            h1 lang=[label.lang.as_deref()] { (label.text) }
            @for other in sheet.labels.iter().skip(1) { p.other lang=[other.lang.as_deref()] { (other.text) } }
            (languages(asking, sheet))
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
        @for (id, of) in sheet.lists.iter().enumerate() { (list(of, id)) }
        section aria-labelledby="sources" {
            h2 #sources { "Sources" }
            @if entry.citations.is_empty() { p { "No source is cited for this record as a whole." } }
            (citations(&entry.citations.iter().collect::<Vec<_>>()))
        }
        section aria-labelledby="cite" {
            h2 #cite { "Cite this" }
            p.copy lang=[label.lang.as_deref()] { (cited(asking, sheet)) }
        }
        (uses(sheet))
        (history(&sheet.changes, &example_query::address("/feed.atom", &[("record", &sheet.id)])))
    };
    document(&asking.dataset, &format!("{} · {kind} · Kurultai", label.text), &head, &main)
}

fn kind(record: &Record) -> String {
    crate::http::export::feed::in_words(record.name())
}

/// What there is to choose from where records of several types have the same slug.
pub(crate) fn choices(dataset: &Dataset, slug: &str, links: &[Link]) -> Markup {
    let main = html! {
        div.head { h1 { "Several records have this name" } }
        section {
            p { "These are called " code { (slug) } ":" }
            ul.links { @for to in links { li { (link(to)) ", " (crate::http::export::feed::in_words(to.ty.name()).to_lowercase()) } } }
        }
    };
    document(dataset, "Several records have this name · Kurultai", &html! {}, &main)
}

/// There is no such record.
pub(crate) fn nothing(dataset: &Dataset) -> Markup {
    let main = html! {
        div.head { h1 { "There is no such record" } }
        section {
            p { "Nothing that is published has this address. It may be misspelt, or the record was taken back or deleted." }
            p { a href="/graphiql?example=Search" { "Search for it in GraphiQL" } ", or begin at " a href="/" { "the first page" } "." }
        }
    };
    document(dataset, "There is no such record · Kurultai", &html! { meta name="robots" content="noindex"; }, &main)
}

/// The record cannot be shown.
pub(crate) fn failed(dataset: &Dataset, message: &str) -> Markup {
    let main = html! {
        div.head { h1 { "This cannot be shown just now" } }
        section { p { (message) } }
    };
    document(dataset, "This cannot be shown just now · Kurultai", &html! { meta name="robots" content="noindex"; }, &main)
}

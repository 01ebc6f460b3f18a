//! A record in terms of schema.org, as JSON-LD. Fields that schema.org has no term for are told too, under the names that
//! they have in our own schema, so that nothing is lost.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value as Json, json};

use crate::core::dataset::{CitedRecord, Dataset};
use crate::entity::RecordType;
use crate::http::record_page::view::{Citation, Entry, Link, Listed, Sheet, Text, Value};

/// Terms of our own schema.
const OWN: &str = "kurultai";

/// Terms of schema.org for fields of a type, and for what stands in its lists.
const TERMS: &[(RecordType, &[(&str, &str)])] = &[
    (RecordType::Jurisdiction, &[("ocdId", "identifier"), ("parent", "containedInPlace"), ("children", "containsPlace")]),
    (
        RecordType::Organization,
        &[
            ("otherNames", "alternateName"),
            ("founded", "foundingDate"),
            ("dissolved", "dissolutionDate"),
            ("description", "description"),
            ("image", "image"),
            ("links", "sameAs"),
            ("parent", "parentOrganization"),
            ("jurisdiction", "areaServed"),
            ("children", "subOrganization"),
        ],
    ),
    (
        RecordType::Person,
        &[
            ("otherNames", "alternateName"),
            ("birthDate", "birthDate"),
            ("deathDate", "deathDate"),
            ("gender", "gender"),
            ("biography", "description"),
            ("image", "image"),
            ("links", "sameAs"),
        ],
    ),
    (RecordType::Membership, &[("role", "roleName"), ("startDate", "startDate"), ("endDate", "endDate"), ("organization", "memberOf")]),
    (
        RecordType::Law,
        &[
            ("number", "legislationIdentifier"),
            ("eli", "sameAs"),
            ("kind", "legislationType"),
            ("adopted", "legislationDate"),
            ("summary", "abstract"),
            ("jurisdiction", "legislationJurisdiction"),
            ("provisions", "hasPart"),
        ],
    ),
    (
        RecordType::Provision,
        &[
            ("number", "legislationIdentifier"),
            ("kind", "legislationType"),
            ("summary", "abstract"),
            ("law", "isPartOf"),
            ("children", "hasPart"),
        ],
    ),
    (
        RecordType::Proposal,
        &[
            ("identifier", "legislationIdentifier"),
            ("kind", "legislationType"),
            ("introduced", "dateCreated"),
            ("summary", "abstract"),
            ("jurisdiction", "legislationJurisdiction"),
            ("status", "creativeWorkStatus"),
        ],
    ),
    (RecordType::VoteEvent, &[("date", "startDate"), ("organization", "organizer"), ("proposal", "about")]),
    (
        RecordType::Case,
        &[
            ("docketNumber", "identifier"),
            ("ecli", "sameAs"),
            ("opened", "startDate"),
            ("decided", "endDate"),
            ("summary", "description"),
            ("court", "organizer"),
            ("jurisdiction", "location"),
        ],
    ),
    (RecordType::Statement, &[("saidOn", "dateCreated"), ("speaker", "creator"), ("about", "about")]),
    (
        RecordType::Statistic,
        &[
            ("value", "value"),
            ("unit", "unitText"),
            ("periodStart", "observationDate"),
            ("note", "description"),
            ("publisher", "publisher"),
        ],
    ),
    (RecordType::Topic, &[("scheme", "inDefinedTermSet")]),
    (
        RecordType::Source,
        &[
            ("publisher", "publisher"),
            ("author", "author"),
            ("publishedOn", "datePublished"),
            ("url", "url"),
            ("archivedUrl", "archivedAt"),
            ("language", "inLanguage"),
            ("licence", "license"),
        ],
    ),
];

fn term(ty: RecordType, name: &str) -> Option<&'static str> {
    match name {
        "identifiers" => return Some("identifier"),
        "topics" if ty != RecordType::Person => return Some("keywords"),
        _ => {}
    }
    let (_, terms) = TERMS.iter().find(|(of, _)| *of == ty)?;
    terms.iter().find(|(field, _)| *field == name).map(|(_, term)| *term)
}

/// The type of schema.org that a record is of.
fn type_of(sheet: &Sheet) -> &'static str {
    let choice = |name| match sheet.entry.value(name) {
        Some(Value::Choice(choice)) => choice.as_str(),
        _ => "",
    };
    match sheet.record.ty {
        RecordType::Jurisdiction if choice("classification") == "country" => "Country",
        RecordType::Jurisdiction if choice("classification") == "city" => "City",
        RecordType::Organization => match choice("classification") {
            "legislature" | "chamber" | "committee" | "government" | "ministry" | "court" | "prosecutor" | "agency" => {
                "GovernmentOrganization"
            }
            "party" => "PoliticalParty",
            "media" => "NewsMediaOrganization",
            _ => "Organization",
        },
        RecordType::Source => match choice("kind") {
            "article" => "NewsArticle",
            "report" => "Report",
            "law_database" | "dataset" => "Dataset",
            _ => "CreativeWork",
        },
        ty => plain_type(ty),
    }
}

/// The same, where no more is known of it than its type.
fn plain_type(ty: RecordType) -> &'static str {
    match ty {
        RecordType::Jurisdiction => "AdministrativeArea",
        RecordType::Organization => "Organization",
        RecordType::Person => "Person",
        RecordType::Membership => "OrganizationRole",
        RecordType::Law | RecordType::Provision | RecordType::Proposal => "Legislation",
        RecordType::VoteEvent | RecordType::Case => "Event",
        RecordType::Statement => "Quotation",
        RecordType::Statistic => "Observation",
        RecordType::Topic => "DefinedTerm",
        RecordType::Source => "CreativeWork",
        _ => "Thing",
    }
}

/// The term for what a record is called.
fn called(ty: RecordType) -> &'static str {
    if ty == RecordType::Statement { "text" } else { "name" }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn text(text: &Text) -> Json {
    match &text.lang {
        Some(lang) => json!({"@value": text.text, "@language": lang}),
        None => json!(text.text),
    }
}

/// One value by itself, several as a list.
fn some(mut values: Vec<Json>) -> Json {
    if values.len() == 1 { values.remove(0) } else { Json::Array(values) }
}

fn link(to: &Link, dataset: &Dataset) -> Json {
    let mut object = Map::new();
    object.insert("@type".to_owned(), json!(plain_type(to.ty)));
    if let Some(path) = &to.path {
        object.insert("@id".to_owned(), json!(dataset.address(path)));
    }
    object.insert(called(to.ty).to_owned(), text(&to.text));
    Json::Object(object)
}

fn value(of: &Value, term: Option<&str>, dataset: &Dataset) -> Json {
    match of {
        Value::Text(given) => text(given),
        Value::Texts(texts) => some(texts.iter().map(text).collect()),
        Value::Date(given) | Value::Duration(given) | Value::Url(given) | Value::Choice(given) => json!(given),
        Value::Instant(at) => json!(instant(*at)),
        Value::Number(number) => serde_json::from_str(number).unwrap_or_else(|_| json!(number)),
        Value::Boolean(boolean) => json!(boolean),
        Value::Record(to) => link(to, dataset),
        Value::Items(items) => some(items.iter().map(|item| small(item, term, dataset)).collect()),
    }
}

/// A small object: where schema.org has a term for it, its first member alone, such as a name or an address.
fn small(item: &[(&'static str, Value)], term: Option<&str>, dataset: &Dataset) -> Json {
    let lang = item.iter().find_map(|(name, value)| match (*name, value) {
        ("lang", Value::Text(text)) => Some(text.text.clone()),
        _ => None,
    });
    match (term, item.first()) {
        (Some(_), Some((_, Value::Text(first)))) => text(&Text { lang, ..first.clone() }),
        (Some(_), Some((_, first))) => value(first, None, dataset),
        _ => Json::Object(item.iter().map(|(name, of)| ((*name).to_owned(), value(of, None, dataset))).collect()),
    }
}

fn own(name: &str) -> String {
    format!("{OWN}:{name}")
}

fn part(entry: &Entry, dataset: &Dataset) -> Json {
    Json::Object(entry.facts.iter().map(|fact| (own(fact.name), value(&fact.value, None, dataset))).collect())
}

fn source(of: &Citation, dataset: &Dataset) -> Option<Json> {
    let to = of.source.as_ref()?;
    let mut object = match link(to, dataset) {
        Json::Object(object) => object,
        _ => Map::new(),
    };
    for (term, given) in [("url", &of.url), ("publisher", &of.publisher), ("datePublished", &of.published_on), ("inLanguage", &of.lang)] {
        if let Some(given) = given {
            object.insert(term.to_owned(), json!(given));
        }
    }
    Some(Json::Object(object))
}

/// Everything that is cited for the record and its parts, each source once.
fn sources(sheet: &Sheet, dataset: &Dataset) -> Vec<Json> {
    let parts = sheet.lists.iter().flat_map(|list| match &list.listed {
        Listed::Parts(entries) => entries.as_slice(),
        _ => &[],
    });
    let cited = sheet.entry.citations.iter().chain(parts.flat_map(|entry| &entry.citations));
    let mut found: Vec<Json> = Vec::new();
    for source in cited.filter_map(|citation| source(citation, dataset)) {
        if !found.contains(&source) {
            found.push(source);
        }
    }
    found
}

/// Where the words of a law stand, in terms of ELI.
fn legal_force(sheet: &Sheet) -> Option<&'static str> {
    match (sheet.record.ty, sheet.entry.value("status")) {
        (RecordType::Law, Some(Value::Choice(status))) => Some(match status.as_str() {
            "in_force" => "https://schema.org/InForce",
            "partly_in_force" => "https://schema.org/PartiallyInForce",
            _ => "https://schema.org/NotInForce",
        }),
        _ => None,
    }
}

/// The time in which a law is or was in force, open where it has not ended.
fn in_force(sheet: &Sheet) -> Option<String> {
    let date = |name| match sheet.entry.value(name) {
        Some(Value::Date(date)) => Some(date.as_str()),
        _ => None,
    };
    let from = date("inForceFrom").filter(|_| sheet.record.ty == RecordType::Law)?;
    Some(format!("{from}/{}", date("repealed").unwrap_or("..")))
}

/// An identifier that another register gave.
fn identifier(entry: &Entry, dataset: &Dataset) -> Json {
    let of = |name| entry.value(name).map(|given| value(given, None, dataset));
    json!({"@type": "PropertyValue", "propertyID": of("scheme"), "value": of("value")})
}

/// Adds a value; a term that is there already gets a list of both.
fn add(object: &mut Map<String, Json>, term: &str, value: Json) {
    let list = |value| match value {
        Json::Array(values) => values,
        one => vec![one],
    };
    let value = match object.remove(term) {
        Some(before) => Json::Array(list(before).into_iter().chain(list(value)).collect()),
        None => value,
    };
    object.insert(term.to_owned(), value);
}

/// The page that tells of the record: when it changed, who says so, and of which dataset it is.
fn page(sheet: &Sheet, dataset: &Dataset) -> Json {
    let path = sheet.path();
    let mut page = json!({
        "@type": "WebPage",
        "@id": format!("{}#page", dataset.address(&path)),
        "url": dataset.address(&path),
        "dateCreated": instant(sheet.created),
        "dateModified": instant(sheet.changed),
        "version": sheet.revision,
        "creditText": dataset.citation(&CitedRecord {
            label: &sheet.label.text,
            lang: sheet.label.lang.as_deref(),
            revision: sheet.revision,
            changed: sheet.changed,
            path: &path,
        }),
        "citation": sources(sheet, dataset),
    });
    if let Some(licence) = &dataset.licence {
        page["license"] = json!(licence);
    }
    let mut whole = json!({"@type": "Dataset", "@id": dataset.address("/"), "url": dataset.address("/")});
    for (term, given) in [("name", &dataset.title), ("creditText", &dataset.attribution), ("license", &dataset.licence)] {
        if let Some(given) = given {
            whole[term] = json!(given);
        }
    }
    page["isPartOf"] = whole;
    page
}

/// A record as JSON-LD.
pub(crate) fn of(sheet: &Sheet, dataset: &Dataset) -> Json {
    let ty = sheet.record.ty;
    let mut object = Map::new();
    object.insert("@context".to_owned(), json!(["https://schema.org", {OWN: format!("{}#", dataset.address("/schema.graphql"))}]));
    object.insert("@type".to_owned(), json!(type_of(sheet)));
    object.insert("@id".to_owned(), json!(dataset.address(&sheet.path())));
    object.insert(called(ty).to_owned(), some(sheet.labels.iter().map(text).collect()));
    object.insert(own("id"), json!(sheet.id));
    object.insert(own("disputed"), json!(sheet.disputed));
    for fact in &sheet.entry.facts {
        let term = term(ty, fact.name);
        add(&mut object, &term.map_or_else(|| own(fact.name), str::to_owned), value(&fact.value, term, dataset));
    }
    if let Some(time) = in_force(sheet) {
        object.insert("temporalCoverage".to_owned(), json!(time));
    }
    if let Some(force) = legal_force(sheet) {
        object.insert("legislationLegalForce".to_owned(), json!(force));
    }
    for list in &sheet.lists {
        let items = match &list.listed {
            Listed::Parts(entries) if list.name == "identifiers" => entries.iter().map(|entry| identifier(entry, dataset)).collect(),
            Listed::Parts(entries) | Listed::Mentions(entries) => entries.iter().map(|entry| part(entry, dataset)).collect(),
            Listed::Records(links) => links.iter().map(|to| link(to, dataset)).collect::<Vec<_>>(),
        };
        add(&mut object, &term(ty, list.name).map_or_else(|| own(list.name), str::to_owned), Json::Array(items));
    }
    object.insert("mainEntityOfPage".to_owned(), page(sheet, dataset));
    Json::Object(object)
}

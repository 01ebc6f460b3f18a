//! A record as JSON-LD with the terms of schema.org. Fields without such a term keep their name in the namespace
//! `kurultai`, so that no field is lost.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value as Json, json};

use crate::core::dataset::{CitedRecord, Dataset};
use crate::entity::RecordType;
use crate::http::record_page::view::{CitationView, EntryView, FieldValue, LocalizedText, RecordLink, RecordView, SectionItems};

/// The namespace of fields without a term of schema.org.
const NAMESPACE: &str = "kurultai";

/// Terms of schema.org by record type, for fields and relations.
const TERMS: &[(RecordType, &[(&str, &str)])] = &[
    (RecordType::Jurisdiction, &[("ocdId", "identifier"), ("parent", "containedInPlace"), ("children", "containsPlace")]),
    (
        RecordType::Organization,
        &[
            ("otherNames", "alternateName"),
            ("foundedOn", "foundingDate"),
            ("dissolvedOn", "dissolutionDate"),
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
            ("givenName", "givenName"),
            ("additionalName", "additionalName"),
            ("familyName", "familyName"),
            ("honorificPrefix", "honorificPrefix"),
            ("honorificSuffix", "honorificSuffix"),
            ("birthDate", "birthDate"),
            ("deathDate", "deathDate"),
            ("gender", "gender"),
            ("biography", "description"),
            ("image", "image"),
            ("links", "sameAs"),
        ],
    ),
    (RecordType::Membership, &[("role", "roleName"), ("start", "startDate"), ("end", "endDate"), ("organization", "memberOf")]),
    (
        RecordType::Law,
        &[
            ("number", "legislationIdentifier"),
            ("eli", "sameAs"),
            ("kind", "legislationType"),
            ("adoptedOn", "legislationDate"),
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
            ("introducedOn", "dateCreated"),
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
            ("openedOn", "startDate"),
            ("decidedOn", "endDate"),
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

/// The schema.org type of a record.
fn schema_type(view: &RecordView) -> &'static str {
    let choice = |name| match view.entry.value(name) {
        Some(FieldValue::Choice(choice)) => choice.as_str(),
        _ => "",
    };
    match view.record.ty {
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
        ty => default_schema_type(ty),
    }
}

/// The schema.org type by record type alone.
fn default_schema_type(ty: RecordType) -> &'static str {
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

/// The term of the label of a record.
fn label_term(ty: RecordType) -> &'static str {
    if ty == RecordType::Statement { "text" } else { "name" }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn text(text: &LocalizedText) -> Json {
    match &text.lang {
        Some(lang) => json!({"@value": text.text, "@language": lang}),
        None => json!(text.text),
    }
}

/// A single value unwrapped, several as a list.
fn unwrap_single(mut values: Vec<Json>) -> Json {
    if values.len() == 1 { values.remove(0) } else { Json::Array(values) }
}

fn link(to: &RecordLink, dataset: &Dataset) -> Json {
    let mut object = Map::new();
    object.insert("@type".to_owned(), json!(default_schema_type(to.ty)));
    if let Some(path) = &to.path {
        object.insert("@id".to_owned(), json!(dataset.address(path)));
    }
    object.insert(label_term(to.ty).to_owned(), text(&to.text));
    Json::Object(object)
}

fn value(of: &FieldValue, term: Option<&str>, dataset: &Dataset) -> Json {
    match of {
        FieldValue::Text(given) => text(given),
        FieldValue::Texts(texts) => unwrap_single(texts.iter().map(text).collect()),
        FieldValue::Date(given) | FieldValue::Duration(given) | FieldValue::Url(given) | FieldValue::Choice(given) => json!(given),
        FieldValue::Instant(at) => json!(instant(*at)),
        FieldValue::Number(number) => serde_json::from_str(number).unwrap_or_else(|_| json!(number)),
        FieldValue::Boolean(boolean) => json!(boolean),
        FieldValue::Record(to) => link(to, dataset),
        FieldValue::Items(items) => unwrap_single(items.iter().map(|item| object(item, term, dataset)).collect()),
    }
}

/// An object; if its field has a term of schema.org, its first member only, such as a name or a URL.
fn object(item: &[(&'static str, FieldValue)], term: Option<&str>, dataset: &Dataset) -> Json {
    let lang = item.iter().find_map(|(name, value)| match (*name, value) {
        ("lang", FieldValue::Text(text)) => Some(text.text.clone()),
        _ => None,
    });
    match (term, item.first()) {
        (Some(_), Some((_, FieldValue::Text(first)))) => text(&LocalizedText { lang, ..first.clone() }),
        (Some(_), Some((_, first))) => value(first, None, dataset),
        _ => Json::Object(item.iter().map(|(name, of)| ((*name).to_owned(), value(of, None, dataset))).collect()),
    }
}

fn namespaced(name: &str) -> String {
    format!("{NAMESPACE}:{name}")
}

fn part(entry: &EntryView, dataset: &Dataset) -> Json {
    Json::Object(entry.facts.iter().map(|fact| (namespaced(fact.name), value(&fact.value, None, dataset))).collect())
}

fn source(of: &CitationView, dataset: &Dataset) -> Option<Json> {
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

/// The sources cited for the record and its parts, each once.
fn sources(view: &RecordView, dataset: &Dataset) -> Vec<Json> {
    let parts = view.sections.iter().flat_map(|section| match &section.items {
        SectionItems::Parts(entries) => entries.as_slice(),
        _ => &[],
    });
    let cited = view.entry.citations.iter().chain(parts.flat_map(|entry| &entry.citations));
    let mut found: Vec<Json> = Vec::new();
    for source in cited.filter_map(|citation| source(citation, dataset)) {
        if !found.contains(&source) {
            found.push(source);
        }
    }
    found
}

/// Whether a law is in force, as a term of ELI.
fn legal_force(view: &RecordView) -> Option<&'static str> {
    match (view.record.ty, view.entry.value("status")) {
        (RecordType::Law, Some(FieldValue::Choice(status))) => Some(match status.as_str() {
            "in_force" => "https://schema.org/InForce",
            "partly_in_force" => "https://schema.org/PartiallyInForce",
            _ => "https://schema.org/NotInForce",
        }),
        _ => None,
    }
}

/// The interval in which a law is or was in force, open if it has not ended.
fn temporal_coverage(view: &RecordView) -> Option<String> {
    let date = |name| match view.entry.value(name) {
        Some(FieldValue::Date(date)) => Some(date.as_str()),
        _ => None,
    };
    let from = date("inForceFrom").filter(|_| view.record.ty == RecordType::Law)?;
    Some(format!("{from}/{}", date("repealedOn").unwrap_or("..")))
}

/// An identifier in an external register.
fn identifier(entry: &EntryView, dataset: &Dataset) -> Json {
    let of = |name| entry.value(name).map(|given| value(given, None, dataset));
    json!({"@type": "PropertyValue", "propertyID": of("scheme"), "value": of("value")})
}

/// Inserts a value; if the term exists, both values become a list.
fn insert_or_append(object: &mut Map<String, Json>, term: &str, value: Json) {
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

/// The page of the record: its dates, citations and dataset.
fn web_page(view: &RecordView, dataset: &Dataset) -> Json {
    let path = view.path();
    let mut page = json!({
        "@type": "WebPage",
        "@id": format!("{}#page", dataset.address(&path)),
        "url": dataset.address(&path),
        "dateCreated": instant(view.created),
        "dateModified": instant(view.updated),
        "version": view.revision,
        "creditText": dataset.citation(&CitedRecord {
            label: &view.label.text,
            lang: view.label.lang.as_deref(),
            revision: view.revision,
            changed: view.updated,
            path: &path,
        }),
        "citation": sources(view, dataset),
    });
    if let Some(licence) = &dataset.licence {
        page["license"] = json!(licence);
    }
    let mut parent = json!({"@type": "Dataset", "@id": dataset.address("/"), "url": dataset.address("/")});
    for (term, given) in [("name", &dataset.title), ("creditText", &dataset.attribution), ("license", &dataset.licence)] {
        if let Some(given) = given {
            parent[term] = json!(given);
        }
    }
    page["isPartOf"] = parent;
    page
}

/// A record as JSON-LD.
pub(super) fn to_json_ld(view: &RecordView, dataset: &Dataset) -> Json {
    let ty = view.record.ty;
    let mut object = Map::new();
    object.insert("@context".to_owned(), json!(["https://schema.org", {NAMESPACE: format!("{}#", dataset.address("/schema.graphql"))}]));
    object.insert("@type".to_owned(), json!(schema_type(view)));
    object.insert("@id".to_owned(), json!(dataset.address(&view.path())));
    object.insert(label_term(ty).to_owned(), unwrap_single(view.labels.iter().map(text).collect()));
    object.insert(namespaced("id"), json!(view.id));
    object.insert(namespaced("disputed"), json!(view.disputed));
    for fact in &view.entry.facts {
        let term = term(ty, fact.name);
        insert_or_append(&mut object, &term.map_or_else(|| namespaced(fact.name), str::to_owned), value(&fact.value, term, dataset));
    }
    if let Some(time) = temporal_coverage(view) {
        object.insert("temporalCoverage".to_owned(), json!(time));
    }
    if let Some(force) = legal_force(view) {
        object.insert("legislationLegalForce".to_owned(), json!(force));
    }
    for section in &view.sections {
        let items = match &section.items {
            SectionItems::Parts(entries) if section.name == "identifiers" => {
                entries.iter().map(|entry| identifier(entry, dataset)).collect()
            }
            SectionItems::Parts(entries) | SectionItems::Mentions(entries) => entries.iter().map(|entry| part(entry, dataset)).collect(),
            SectionItems::Records(links) => links.iter().map(|to| link(to, dataset)).collect::<Vec<_>>(),
        };
        insert_or_append(&mut object, &term(ty, section.name).map_or_else(|| namespaced(section.name), str::to_owned), Json::Array(items));
    }
    object.insert("mainEntityOfPage".to_owned(), web_page(view, dataset));
    Json::Object(object)
}

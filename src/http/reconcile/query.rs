//! Queries: `{"q0": {"query": "Kuat Ertaev", "type": "person", "properties": [{"pid": "birthDate", "v": "1971"}]}}`.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::catalog::catalog;
use crate::core::partial_date::PartialDate;
use crate::core::strict_json;
use crate::entity::RecordType;
use crate::http::reconcile::parameters::bad_request;
use crate::http::response::HttpReject;
use crate::store::draft::scalar::normalize;

/// Maximum number of queries of a request: as many as `match` takes candidates.
pub(super) const MAX_QUERIES: usize = 25;
/// Number of results of a query if it does not say how many, and its maximum.
const DEFAULT_LIMIT: u64 = 5;
const MAX_LIMIT: u64 = 25;
/// Members of a query.
const MEMBERS: [&str; 5] = ["query", "type", "limit", "properties", "type_strict"];
/// Values of `type_strict`. Records have one type, so all of them mean the same.
const TYPE_STRICT: [&str; 3] = ["any", "all", "should"];
/// Beginning of the id of a property for the identifiers of a register.
pub(super) const IDENTIFIER_PREFIX: &str = "identifier:";
/// Property for a further name.
pub(super) const NAME_PROPERTY: &str = "name";

/// Property for the type of an organization.
const CLASSIFICATION: &str = "classification";

/// A type of entity: a type of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EntityType {
    Person,
    Organization,
}

impl EntityType {
    pub(super) const ALL: [Self; 2] = [Self::Person, Self::Organization];

    /// Id of the type; also the alias of its matches and the name of their variable.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Organization => "organization",
        }
    }

    /// Name of the type.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Person => "Person",
            Self::Organization => "Organization",
        }
    }

    /// The value of the enum of types in the schema.
    pub(super) fn enum_value(self) -> &'static str {
        match self {
            Self::Person => "PERSON",
            Self::Organization => "ORGANIZATION",
        }
    }

    /// The type as the specification writes it.
    pub(super) fn json(self) -> Json {
        json!({"id": self.id(), "name": self.name()})
    }

    /// Reads the id of a type.
    pub(super) fn parse(text: &str, path: &str) -> Result<Self, HttpReject> {
        let found = Self::ALL.into_iter().find(|ty| ty.id() == text);
        found.ok_or_else(|| bad_request(format!("{path}: there is no type \"{text}\"; the types are person and organization")))
    }
}

/// A property, with the types that have it.
pub(super) struct Property {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) types: &'static [EntityType],
    pub(super) is_date: bool,
}

const BOTH: &[EntityType] = &EntityType::ALL;

/// The properties, besides the identifiers of each register.
pub(super) const PROPERTIES: [Property; 7] = [
    Property { id: NAME_PROPERTY, name: "Another name", types: BOTH, is_date: false },
    Property { id: "birthDate", name: "Date of birth", types: &[EntityType::Person], is_date: true },
    Property { id: "deathDate", name: "Date of death", types: &[EntityType::Person], is_date: true },
    Property { id: "foundedOn", name: "Date of foundation", types: &[EntityType::Organization], is_date: true },
    Property { id: "dissolvedOn", name: "Date of dissolution", types: &[EntityType::Organization], is_date: true },
    Property { id: CLASSIFICATION, name: "Type of organization", types: &[EntityType::Organization], is_date: false },
    Property { id: "jurisdiction", name: "Slug of the jurisdiction", types: BOTH, is_date: false },
];

/// A query.
#[derive(Debug)]
pub(super) struct ReconciliationQuery {
    /// Its key in the request.
    pub(super) key: String,
    /// The types to search; none if the query is no name, such as a dash: it names nobody.
    pub(super) types: Vec<EntityType>,
    pub(super) limit: u64,
    /// The candidate as `match` takes it.
    pub(super) candidate: Map<String, Json>,
}

/// Parses the parameter `queries`.
pub(super) fn parse(text: &str) -> Result<Vec<ReconciliationQuery>, HttpReject> {
    let value: Json = strict_json::parse(text.as_bytes()).map_err(|error| bad_request(error.message("queries")))?;
    let Json::Object(queries) = value else {
        return Err(bad_request("queries: this must be an object, such as {\"q0\": {\"query\": \"Kuat Ertaev\"}}"));
    };
    if queries.is_empty() {
        return Err(bad_request("queries: there is no query; give at least one"));
    }
    if queries.len() > MAX_QUERIES {
        return Err(bad_request(format!("queries: {} queries are too many; give at most {MAX_QUERIES} in one request", queries.len())));
    }
    queries.into_iter().map(|(key, query)| parse_query(key, &query)).collect()
}

fn parse_query(key: String, query: &Json) -> Result<ReconciliationQuery, HttpReject> {
    let path = format!("queries.{key}");
    let Json::Object(members) = query else { return Err(bad_request(format!("{path}: a query must be an object"))) };
    if let Some(name) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(bad_request(format!("{path}: there is no member \"{name}\"; the members are {}", MEMBERS.join(", "))));
    }
    if let Some(strict) = members.get("type_strict").filter(|strict| !strict.as_str().is_some_and(|text| TYPE_STRICT.contains(&text))) {
        return Err(bad_request(format!("{path}.type_strict: {strict} is not one of any, all and should")));
    }
    let types = parse_types(members.get("type"), &path)?;
    let mut candidate = Candidate::default();
    match members.get("query") {
        Some(Json::String(name)) if !name.trim().is_empty() => candidate.add_name(name),
        Some(Json::String(_)) | None => {}
        Some(_) => return Err(bad_request(format!("{path}.query: this must be a text"))),
    }
    match members.get("properties") {
        None => {}
        Some(Json::Array(properties)) => {
            for (index, property) in properties.iter().enumerate() {
                candidate.add_property(property, &format!("{path}.properties[{index}]"))?;
            }
        }
        Some(_) => return Err(bad_request(format!("{path}.properties: this must be a list"))),
    }
    let names_nobody = candidate.names.is_empty() && candidate.identifiers.is_empty();
    if names_nobody && !candidate.has_other_text {
        return Err(bad_request(format!("{path}: give a name in query, or an identifier in properties")));
    }
    let limit = match members.get("limit") {
        None => DEFAULT_LIMIT,
        Some(limit) => limit
            .as_u64()
            .filter(|limit| (1..=MAX_LIMIT).contains(limit))
            .ok_or_else(|| bad_request(format!("{path}.limit: {limit} is not a number from 1 to {MAX_LIMIT}")))?,
    };
    let can_have = |ty: &EntityType| candidate.types.iter().all(|types| types.contains(ty));
    let kept: Vec<EntityType> = types.iter().copied().filter(can_have).collect();
    if names_nobody {
        return Ok(ReconciliationQuery { key, types: Vec::new(), limit, candidate: Map::new() });
    }
    if kept.is_empty() {
        return Err(bad_request(format!("{path}: no requested type has all of these properties; /reconcile/suggest/property lists them")));
    }
    Ok(ReconciliationQuery { key, types: kept, limit, candidate: candidate.into_json() })
}

/// The requested types: one, a list, or all if the member is absent.
fn parse_types(value: Option<&Json>, path: &str) -> Result<Vec<EntityType>, HttpReject> {
    let path = format!("{path}.type");
    let invalid =
        || bad_request(format!("{path}: this must be the id of a type, or a list of such ids; the types are person and organization"));
    match value {
        None | Some(Json::Null) => Ok(EntityType::ALL.to_vec()),
        Some(Json::String(text)) => Ok(vec![EntityType::parse(text, &path)?]),
        Some(Json::Array(items)) if !items.is_empty() => {
            let mut types = Vec::new();
            for item in items {
                types.push(EntityType::parse(item.as_str().ok_or_else(invalid)?, &path)?);
            }
            types.sort_unstable();
            types.dedup();
            Ok(types)
        }
        Some(_) => Err(invalid()),
    }
}

/// What a query says of an entity.
#[derive(Default)]
struct Candidate {
    names: Vec<String>,
    /// Whether a text was given as a name that has neither a letter nor a digit.
    has_other_text: bool,
    identifiers: Vec<Json>,
    fields: BTreeMap<&'static str, String>,
    /// Types that have each of the properties.
    types: Vec<&'static [EntityType]>,
}

impl Candidate {
    fn add_name(&mut self, text: &str) {
        if text.chars().any(char::is_alphanumeric) {
            self.names.push(text.to_owned());
        } else {
            self.has_other_text = true;
        }
    }

    fn add_property(&mut self, property: &Json, path: &str) -> Result<(), HttpReject> {
        let Some(members) = property.as_object() else { return Err(bad_request(format!("{path}: a property must be an object"))) };
        if let Some(name) = members.keys().find(|name| !matches!(name.as_str(), "pid" | "v")) {
            return Err(bad_request(format!("{path}: there is no member \"{name}\"; the members are pid and v")));
        }
        let Some(pid) = members.get("pid").and_then(Json::as_str) else {
            return Err(bad_request(format!("{path}.pid: the id of a property is missing")));
        };
        let values = match members.get("v") {
            None => return Err(bad_request(format!("{path}.v: the value is missing"))),
            Some(Json::Array(values)) => values.iter().map(|value| text_of(value, path)).collect::<Result<Vec<_>, _>>()?,
            Some(value) => vec![text_of(value, path)?],
        };
        // empty cells of a table say nothing
        let values: Vec<String> = values.into_iter().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()).collect();
        if let Some(scheme) = pid.strip_prefix(IDENTIFIER_PREFIX).filter(|scheme| !scheme.is_empty()) {
            self.identifiers.extend(values.into_iter().map(|value| json!({"scheme": scheme, "value": value})));
            return Ok(());
        }
        let Some(property) = PROPERTIES.iter().find(|property| property.id == pid) else {
            let ids: Vec<&str> = PROPERTIES.iter().map(|property| property.id).collect();
            return Err(bad_request(format!(
                "{path}.pid: there is no property \"{pid}\"; the properties are {}, and {IDENTIFIER_PREFIX} followed by a register",
                ids.join(", ")
            )));
        };
        if property.id == NAME_PROPERTY {
            for value in &values {
                self.add_name(value);
            }
            return Ok(());
        }
        match values.as_slice() {
            [] => Ok(()),
            [value] => {
                if property.is_date
                    && let Err(error) = value.parse::<PartialDate>()
                {
                    return Err(bad_request(format!("{path}.v: {error}")));
                }
                let value = if property.id == CLASSIFICATION { classification(value, path)? } else { value.clone() };
                if self.fields.insert(property.id, value).is_some() {
                    return Err(bad_request(format!("{path}: the property {pid} is given twice")));
                }
                self.types.push(property.types);
                Ok(())
            }
            _ => Err(bad_request(format!("{path}.v: the property {pid} has one value"))),
        }
    }

    fn into_json(self) -> Map<String, Json> {
        let mut json = Map::new();
        if !self.names.is_empty() {
            json.insert("names".to_owned(), json!(self.names));
        }
        if !self.identifiers.is_empty() {
            json.insert("identifiers".to_owned(), json!(self.identifiers));
        }
        json.extend(self.fields.into_iter().map(|(name, value)| (name.to_owned(), json!(value))));
        json
    }
}

impl ReconciliationQuery {
    /// A message about a member of the candidate as one about the query. `rest` is the path below the candidate with the
    /// message, such as `.names[0]: ...`.
    pub(super) fn locate(&self, rest: &str) -> String {
        let key = &self.key;
        match rest.strip_prefix('.').and_then(|rest| rest.split_once(": ")) {
            Some((member, message)) if member.starts_with("names") => format!("queries.{key}.query: {message}"),
            Some((member, message)) if member.starts_with("identifiers") => format!("queries.{key}.properties: {message}"),
            Some((property, message)) => format!("queries.{key}.properties: {property}: {message}"),
            None => format!("queries.{key}{rest}"),
        }
    }
}

/// The enum value of a type of organization.
fn classification(text: &str, path: &str) -> Result<String, HttpReject> {
    let record = catalog().get(RecordType::Organization);
    let value = normalize(record.field(record.known_field(CLASSIFICATION)).kind, &text.to_lowercase());
    value.map(|value| value.to_uppercase()).map_err(|message| bad_request(format!("{path}.v: {message}")))
}

/// The text of a value: a text, a number, or an object with an id.
fn text_of(value: &Json, path: &str) -> Result<String, HttpReject> {
    match value {
        Json::String(text) => Ok(text.clone()),
        Json::Number(number) => Ok(number.to_string()),
        Json::Object(members) => match members.get("id") {
            Some(Json::String(id)) => Ok(id.clone()),
            _ => Err(bad_request(format!("{path}.v: an object as a value has an id"))),
        },
        Json::Null | Json::Bool(_) | Json::Array(_) => Err(bad_request(format!("{path}.v: the value must be a text or a number"))),
    }
}

//! Data extension: columns of values for ids that were found, such as the birth dates of people.

use serde_json::{Map, Value as Json, json};

use crate::core::{error, strict_json};
use crate::http::reconcile::operation::items;
use crate::http::reconcile::parameters::bad_request;
use crate::http::reconcile::query::{EntityType, IDENTIFIER_PREFIX, NAME_PROPERTY, PROPERTIES};
use crate::http::response::HttpReject;
use crate::http::url_parameters::UrlParameters;

/// Parameters of proposals of properties.
pub(super) const PROPOSE_PARAMETERS: &[&str] = &["type", "limit"];
/// Maximum number of ids of a request: as many as `nodes` takes.
const MAX_IDS: usize = 100;
/// Maximum number of properties of a request.
const MAX_PROPERTIES: usize = 25;

/// A request for columns.
pub(super) struct Extension {
    /// The ids, in the order of the request.
    ids: Vec<String>,
    /// Ids and names of the properties.
    properties: Vec<(String, String)>,
}

/// The query behind a request.
pub(super) fn query() -> String {
    let shared = "jurisdiction { slug label } identifiers { scheme value }";
    format!(
        "query Extend($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Person {{ label birthDate deathDate {shared} }} ... on Organization {{ label foundedOn dissolvedOn classification {shared} }} }} }}"
    )
}

/// Parses the parameter `extend`.
pub(super) fn parse(text: &str) -> Result<Extension, HttpReject> {
    let value: Json = strict_json::parse(text.as_bytes()).map_err(|error| bad_request(error.message("extend")))?;
    let Json::Object(members) = &value else { return Err(bad_request("extend: this must be an object with ids and properties")) };
    if let Some(name) = members.keys().find(|name| !matches!(name.as_str(), "ids" | "properties")) {
        return Err(bad_request(format!("extend: there is no member \"{name}\"; the members are ids and properties")));
    }
    let list = |name: &str, max: usize| match members.get(name) {
        Some(Json::Array(items)) if items.len() <= max => Ok(items),
        Some(Json::Array(items)) => Err(bad_request(format!("extend.{name}: {} are too many; give at most {max}", items.len()))),
        Some(_) | None => Err(bad_request(format!("extend.{name}: this must be a list"))),
    };
    let id = |(index, id): (usize, &Json)| {
        id.as_str().map(str::to_owned).ok_or_else(|| bad_request(format!("extend.ids[{index}]: an id must be a text")))
    };
    let ids = list("ids", MAX_IDS)?.iter().enumerate().map(id).collect::<Result<_, _>>()?;
    let property = |(index, property): (usize, &Json)| parse_property(property, &format!("extend.properties[{index}]"));
    let properties = list("properties", MAX_PROPERTIES)?.iter().enumerate().map(property).collect::<Result<_, _>>()?;
    Ok(Extension { ids, properties })
}

fn parse_property(property: &Json, path: &str) -> Result<(String, String), HttpReject> {
    let members = property.as_object().ok_or_else(|| bad_request(format!("{path}: a property must be an object with an id")))?;
    if let Some(name) = members.keys().find(|name| !matches!(name.as_str(), "id" | "settings")) {
        return Err(bad_request(format!("{path}: there is no member \"{name}\"; the members are id and settings")));
    }
    if members.get("settings").is_some_and(|settings| settings.as_object().is_none_or(|settings| !settings.is_empty())) {
        return Err(bad_request(format!("{path}.settings: the properties have no settings; leave them out")));
    }
    let id = members.get("id").and_then(Json::as_str).ok_or_else(|| bad_request(format!("{path}.id: the id of a property is missing")))?;
    if let Some(scheme) = id.strip_prefix(IDENTIFIER_PREFIX).filter(|scheme| !scheme.is_empty()) {
        return Ok((id.to_owned(), format!("Identifier of the register {scheme}")));
    }
    let known = PROPERTIES.iter().find(|property| property.id == id);
    let known =
        known.ok_or_else(|| bad_request(format!("{path}.id: there is no property \"{id}\"; /reconcile/extend/propose lists them")))?;
    Ok((id.to_owned(), if id == NAME_PROPERTY { "Name".to_owned() } else { known.name.to_owned() }))
}

impl Extension {
    /// The variables of [`query`].
    pub(super) fn variables(&self) -> Map<String, Json> {
        [("ids".to_owned(), json!(self.ids))].into_iter().collect()
    }

    /// The rows, from the data of [`query`]. A row of an id that no visible person or organization has is empty.
    pub(super) fn rows(&self, data: &Json) -> error::Result<Json> {
        let mut rows: Map<String, Json> = Map::new();
        for (id, node) in self.ids.iter().zip(items(&data["nodes"])?) {
            let cells = self.properties.iter().map(|(property, _)| Ok((property.clone(), cell(property, node)?)));
            rows.insert(id.clone(), Json::Object(cells.collect::<error::Result<_>>()?));
        }
        let meta: Vec<Json> = self.properties.iter().map(|(id, name)| json!({"id": id, "name": name})).collect();
        Ok(json!({"meta": meta, "rows": rows}))
    }
}

/// The values of a property of a record; none if no visible record of the types has the id.
fn cell(property: &str, node: &Json) -> error::Result<Json> {
    if node.as_object().is_none_or(Map::is_empty) {
        return Ok(json!([]));
    }
    let text = |value: &Json| value.as_str().map(|text| json!({"str": text}));
    let values: Vec<Json> = if let Some(scheme) = property.strip_prefix(IDENTIFIER_PREFIX) {
        items(&node["identifiers"])?
            .iter()
            .filter(|identifier| identifier["scheme"] == scheme)
            .filter_map(|identifier| text(&identifier["value"]))
            .collect()
    } else {
        match property {
            NAME_PROPERTY => text(&node["label"]).into_iter().collect(),
            "jurisdiction" if node["jurisdiction"].is_object() => {
                // the slug is what the property takes in a query
                vec![json!({"id": node["jurisdiction"]["slug"], "name": node["jurisdiction"]["label"]})]
            }
            "classification" => node[property].as_str().map(|text| json!({"str": text.to_lowercase()})).into_iter().collect(),
            property => text(&node[property]).into_iter().collect(),
        }
    };
    Ok(Json::Array(values))
}

/// The properties that a type has.
pub(super) fn propose(parameters: &UrlParameters) -> Result<Json, HttpReject> {
    let ty = parameters.value("type").map(|text| EntityType::parse(text, "type")).transpose()?;
    let limit = match parameters.value("limit") {
        None => PROPERTIES.len(),
        Some(text) => text.parse().map_err(|_| bad_request(format!("limit: \"{text}\" is not a number")))?,
    };
    let of_type = PROPERTIES.iter().filter(|property| ty.is_none_or(|ty| property.types.contains(&ty)));
    let named = |id: &str, name: &str| json!({"id": id, "name": if id == NAME_PROPERTY { "Name" } else { name }});
    let found = of_type.map(|property| named(property.id, property.name));
    let wikidata = named(&format!("{IDENTIFIER_PREFIX}wikidata"), "Identifier of the register wikidata");
    let found: Vec<Json> = found.chain([wikidata]).take(limit).collect();
    let mut json = json!({"properties": found});
    if let Some(ty) = ty {
        json["type"] = json!(ty.id());
    }
    Ok(json)
}

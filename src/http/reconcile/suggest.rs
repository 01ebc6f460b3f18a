//! Suggestions while a user types: entities, types and properties.

use serde_json::{Map, Value as Json, json};

use crate::core::error;
use crate::core::normalize::fold;
use crate::http::reconcile::operation::items;
use crate::http::reconcile::parameters::bad_request;
use crate::http::reconcile::query::{EntityType, IDENTIFIER_PREFIX, PROPERTIES};
use crate::http::response::HttpReject;
use crate::http::url_parameters::UrlParameters;

/// Parameters of suggestions. The last ones are sent by widgets and change nothing.
pub(super) const PARAMETERS: &[&str] = &["prefix", "type", "type_strict", "spell", "lang", "key", "exact", "scoring", "prefixed", "filter"];
/// Parameter of the entities after which suggestions continue. The suggestions have one page.
pub(super) const CURSOR: &str = "cursor";
/// Number of suggested entities.
const MAX_ENTITIES: u32 = 10;

/// The query behind suggestions of entities.
pub(super) fn entity_query() -> String {
    format!(
        "query SuggestEntities($prefix: String!, $types: [RecordType!]) {{ search(query: $prefix, types: $types, namesOnly: true, first: {MAX_ENTITIES}) {{ nodes {{ record {{ __typename id label ... on Person {{ birthDate }} ... on Organization {{ foundedOn }} }} }} }} }}"
    )
}

/// The variables of [`entity_query`].
pub(super) fn entity_variables(parameters: &UrlParameters) -> Result<Map<String, Json>, HttpReject> {
    let types = match parameters.value("type") {
        None => EntityType::ALL.to_vec(),
        Some(text) => vec![EntityType::parse(text, "type")?],
    };
    let types: Vec<&str> = types.into_iter().map(EntityType::enum_value).collect();
    let prefix = prefix(parameters)?;
    Ok([("prefix".to_owned(), json!(prefix)), ("types".to_owned(), json!(types))].into_iter().collect())
}

/// What the user has typed.
fn prefix(parameters: &UrlParameters) -> Result<&str, HttpReject> {
    parameters.value("prefix").ok_or_else(|| bad_request("prefix is missing: give the beginning of a name"))
}

/// The suggestions from the data of [`entity_query`].
pub(super) fn entities(data: &Json) -> error::Result<Json> {
    let result: Vec<Json> = items(&data["search"]["nodes"])?
        .iter()
        .map(|node| {
            let record = &node["record"];
            let types: Vec<Json> =
                EntityType::ALL.into_iter().filter(|ty| record["__typename"] == ty.name()).map(EntityType::json).collect();
            let date = ["birthDate", "foundedOn"].into_iter().find_map(|name| record[name].as_str());
            json!({"id": record["id"], "name": record["label"], "description": date.unwrap_or(""), "notable": types})
        })
        .collect();
    Ok(json!({"result": result}))
}

/// Whether a name or an id begins like the text that the user types.
fn begins(prefix: &str, texts: [&str; 2]) -> bool {
    let prefix = fold(prefix);
    texts.iter().any(|text| fold(text).split(' ').any(|word| word.starts_with(&prefix)) || fold(text).starts_with(&prefix))
}

/// Suggested types.
pub(super) fn types(parameters: &UrlParameters) -> Result<Json, HttpReject> {
    let prefix = prefix(parameters)?;
    let found: Vec<Json> = EntityType::ALL.into_iter().filter(|ty| begins(prefix, [ty.id(), ty.name()])).map(EntityType::json).collect();
    Ok(json!({"result": found}))
}

/// Suggested properties; those of a type if one is given.
pub(super) fn properties(parameters: &UrlParameters) -> Result<Json, HttpReject> {
    let prefix = prefix(parameters)?;
    let ty = parameters.value("type").map(|text| EntityType::parse(text, "type")).transpose()?;
    let is_of_type = |types: &[EntityType]| ty.is_none_or(|ty| types.contains(&ty));
    let known = PROPERTIES.iter().filter(|property| is_of_type(property.types) && begins(prefix, [property.id, property.name]));
    let mut found: Vec<Json> = known.map(|property| json!({"id": property.id, "name": property.name})).collect();
    // a register is whatever the user types after the colon
    if prefix.starts_with(IDENTIFIER_PREFIX) && prefix.len() > IDENTIFIER_PREFIX.len() {
        found.push(json!({"id": prefix, "name": format!("Identifier of the register {}", &prefix[IDENTIFIER_PREFIX.len()..])}));
    } else if begins(prefix, [IDENTIFIER_PREFIX, "Identifier of a register"]) {
        found.push(json!({"id": format!("{IDENTIFIER_PREFIX}wikidata"), "name": "Identifier of the register wikidata"}));
    }
    Ok(json!({"result": found}))
}

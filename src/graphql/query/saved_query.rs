//! Saved queries: `saveQuery`, `savedQuery` and `savedQueries`.

use async_graphql::Value;
use async_graphql::dynamic::{Field, InputObject, InputValue, Object, SchemaBuilder, TypeRef};
use async_graphql::parser::types::OperationType;
use serde_json::{Map, Value as Json};

use crate::core::auth::Caller;
use crate::core::error::{Result, bad_input, unauthenticated};
use crate::core::pagination::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::graphql::engine::Api;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::{Selection, below};
use crate::graphql::request::{document, variables};
use crate::graphql::schema::input;
use crate::graphql::schema::input::take_text;
use crate::graphql::schema::object::field;
use crate::graphql::schema::payload;
use crate::graphql::schema::payload::Errors;
use crate::graphql::schema::scalar::DATE_TIME;
use crate::store::Store;
use crate::store::access::saved_query::{NewSavedQuery, SavedQuery};
use crate::store::draft::{InputProblem, Origin, ProblemCode};
use crate::store::write::WriteError;

/// Names of the fields.
pub(crate) const SAVE: &str = "saveQuery";
pub(crate) const ONE: &str = "savedQuery";
pub(crate) const ALL: &str = "savedQueries";
const TYPE: &str = "SavedQuery";
const BY: &str = "SavedQueryBy";
const INPUT: &str = "SaveQueryInput";
const PAYLOAD: &str = "SaveQueryPayload";

/// Fields of the root of queries.
pub(crate) fn fields() -> Vec<Field> {
    vec![
        field(ONE, TypeRef::named(TYPE), "One saved query; nothing where there is none.")
            .argument(InputValue::new("by", TypeRef::named_nn(BY)).description("How it is named.")),
        field(ALL, TypeRef::named_nn_list(TYPE), "Saved queries, the latest first.").argument(
            InputValue::new("first", TypeRef::named(TypeRef::INT)).description("Number of them, 0 to 100; 20 where nothing is asked for."),
        ),
    ]
}

/// The mutation.
pub(crate) fn mutation() -> Field {
    let doc = "Saves a query, so that it has a short address that never changes what it means. Any token will do. The same again gives the same; a name leads to one query for ever.";
    field(SAVE, TypeRef::named(PAYLOAD), doc)
        .argument(InputValue::new("input", TypeRef::named_nn(INPUT)).description("The query that is to be saved."))
}

pub(crate) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let text = |name: &str, doc: &str| InputValue::new(name, TypeRef::named(TypeRef::STRING)).description(doc);
    let shown = |name: &str, doc: &str| field(name, TypeRef::named(TypeRef::STRING), doc);
    let needed = |name: &str, doc: &str| field(name, TypeRef::named_nn(TypeRef::STRING), doc);
    let saved = Object::new(TYPE)
        .description("A query that was saved. It never changes.")
        .field(needed(
            "hash",
            "Hash of the query: the SHA-256 of its text, or of its text with its operation name and variables where it has any.",
        ))
        .field(shown("name", "Name that leads to it, as in /table.csv?saved=NAME; nothing where it has none."))
        .field(shown("title", "What it is about, for people."))
        .field(needed("query", "The GraphQL document."))
        .field(shown("operationName", "Name of the operation to run, where the document has several."))
        .field(needed("variables", "Values of its variables where nothing else is asked for, as a JSON object."))
        .field(needed("savedBy", "Name of the token of who saved it."))
        .field(field("savedAt", TypeRef::named_nn(DATE_TIME), "When it was saved."));
    let by = InputObject::new(BY)
        .oneof()
        .description("One way to name a saved query.")
        .field(text("name", "By its name."))
        .field(text("hash", "By its hash."));
    let input = InputObject::new(INPUT)
        .description("A query that is to be saved.")
        .field(InputValue::new("query", TypeRef::named_nn(TypeRef::STRING)).description("The GraphQL document: queries only."))
        .field(text("operationName", "Name of the operation to run, where the document has several."))
        .field(text("variables", "Values of its variables where nothing else is asked for, as a JSON object."))
        .field(text("name", "Name that is to lead to it, for ever: a to z, 0 to 9 and -, such as cases-by-year."))
        .field(text("title", "What it is about, for people."));
    let payload = Object::new(PAYLOAD)
        .description("What saving a query gives.")
        .field(field(ONE, TypeRef::named(TYPE), "The saved query; nothing where an error kept it from being saved."))
        .field(payload::errors());
    builder.register(saved).register(by).register(input).register(payload)
}

/// What a selection shows of a saved query.
struct Shown(Fields<String>);

impl Shown {
    fn new(selection: &Selection<'_>) -> Self {
        Self(selection.below(&[TYPE]).iter().map(|below| (below.key(), below.name().to_owned())).collect())
    }

    fn write(&self, saved: &SavedQuery, out: &mut JsonWriter<'_>) {
        out.object(&self.0, |name, out| match name.as_str() {
            "hash" => out.value(&saved.hash),
            "name" => out.value(&saved.name),
            "title" => out.value(&saved.title),
            "query" => out.value(&saved.document),
            "operationName" => out.value(&saved.operation_name),
            "variables" => out.value(Json::Object(saved.variables.clone()).to_string()),
            "savedBy" => out.value(&saved.saved_by),
            "savedAt" => out.instant(saved.saved_at),
            _ => out.value(TYPE),
        });
    }
}

/// Writes one saved query.
pub(crate) async fn one(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let by = match selection.argument("by") {
        Some(Value::Object(by)) => by,
        _ => return Err(bad_input("by", "name the saved query by one of its ways")),
    };
    let which = by.values().find_map(|value| match value {
        Value::String(text) => Some(text.clone()),
        _ => None,
    });
    let is_name = by.get("name").is_some_and(|value| *value != Value::Null);
    // a hash is no name, and a name no hash: neither leads to what the other is for
    let saved = store.saved_query(&which.unwrap_or_default()).await?.filter(|saved| saved.name.is_some() || !is_name);
    let shown = Shown::new(selection);
    out.option(saved, |saved, out| shown.write(&saved, out));
    Ok(())
}

/// Writes the latest saved queries.
pub(crate) async fn all(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let first = selection.number("first").unwrap_or(DEFAULT_PAGE_SIZE.into());
    let first = u32::try_from(first).ok().filter(|first| *first <= MAX_PAGE_SIZE);
    let first = first.ok_or_else(|| bad_input("first", format_args!("ask for 0 to {MAX_PAGE_SIZE}")))?;
    let saved = store.saved_queries(first).await?;
    let shown = Shown::new(selection);
    out.list(saved.iter(), |saved, out| shown.write(saved, out));
    Ok(())
}

/// Saves a query and writes the payload.
pub(crate) async fn save(api: &Api, caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let by = caller.name.as_deref().filter(|_| caller.token.is_some()).ok_or_else(|| {
        unauthenticated(
            "saving a query needs a token of any role; without one, put the query into the address (/graphql?query=...), or send its hash as automatic persisted queries do",
        )
    })?;
    let members = input::members(&selection.argument("input").unwrap_or_default());
    let saved = match to_save(api, members).await {
        Ok(query) => match api.store.save_query(&query, by).await {
            Ok(saved) => Ok(saved),
            Err(WriteError::Problems(problems)) => Err(problems),
            Err(WriteError::Failed(error)) => return Err(error),
        },
        Err(problem) => Err(vec![problem]),
    };
    let (saved, problems) = match saved {
        Ok(saved) => (Some(saved), Vec::new()),
        Err(problems) => (None, problems),
    };
    let mut written: Fields<Vec<u8>> = Fields::new();
    for field in below(std::slice::from_ref(selection), &[PAYLOAD]) {
        let mut part = JsonWriter::new(out.languages);
        match field.name() {
            ONE => part.option(saved.as_ref(), |saved, out| Shown::new(&field).write(saved, out)),
            "errors" => Errors::new(&field).write(&problems, &mut part),
            _ => part.value(PAYLOAD),
        }
        written.push((field.key(), part.into_json()));
    }
    out.object(&written, |json, out| out.json(json));
    Ok(())
}

fn wrong(path: &'static str, message: impl Into<String>) -> InputProblem {
    InputProblem::new(Origin::input([path]), message).with_code(ProblemCode::Invalid)
}

/// Checks a query that is to be saved against the schema.
async fn to_save(api: &Api, mut members: Map<String, Json>) -> Result<NewSavedQuery, InputProblem> {
    let mut text = |name| take_text(&mut members, name).filter(|text| !text.is_empty());
    let document = text("query").unwrap_or_default();
    let operation_name = text("operationName");
    let variables = match text("variables").map(|text| serde_json::from_str(&text)) {
        None => Map::new(),
        Some(Ok(Json::Object(variables))) => variables,
        Some(_) => return Err(wrong("variables", "this is not a JSON object, such as {\"year\": 2020}")),
    };
    let (name, title) = (text("name"), text("title"));
    let told = |path: &'static str, failures: Vec<crate::graphql::error::GraphqlError>| {
        let messages: Vec<String> = failures.into_iter().map(|failure| failure.message).collect();
        wrong(path, messages.join("; "))
    };
    let read = api.read(&document).await.map_err(|failures| told("query", failures))?;
    let operation = document::operation(&read, operation_name.as_deref()).map_err(|failure| told("operationName", vec![failure]))?;
    if operation.ty != OperationType::Query {
        return Err(wrong("query", "only queries are saved: this changes records, or is a stream"));
    }
    variables::read_given(api.schema.registry(), operation, &variables).map_err(|failures| told("variables", failures))?;
    Ok(NewSavedQuery { document, operation_name, variables, name, title })
}

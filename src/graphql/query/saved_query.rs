//! Saved queries: `saveQuery`, `savedQuery` and `savedQueries`.

use std::sync::LazyLock;

use async_graphql::Value;
use async_graphql::dynamic::{Field, InputObject, InputValue, Object, SchemaBuilder, TypeRef};
use async_graphql::parser::types::OperationType;
use serde_json::{Map, Value as Json};

use crate::core::auth::Caller;
use crate::core::error::{Result, bad_input, unauthenticated};
use crate::core::pagination::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::core::strict_json;
use crate::graphql::error::GraphqlError;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::output_type::{FieldWriter, OutputObject, OutputType, TYPE_NAME, undeclared};
use crate::graphql::projection::selection::Selection;
use crate::graphql::request::document::{Documents, find_operation};
use crate::graphql::request::variables;
use crate::graphql::schema::builder::{field, null_only_on_error};
use crate::graphql::schema::input;
use crate::graphql::schema::input::{take_required_text, take_text};
use crate::graphql::schema::payload;
use crate::graphql::schema::payload::ErrorsProjection;
use crate::graphql::schema::scalar::DATE_TIME;
use crate::store::Store;
use crate::store::access::saved_query::{NewSavedQuery, SavedQuery};
use crate::store::draft::{InputProblem, Origin, ProblemCode};
use crate::store::write::WriteError;

/// Names of the fields.
pub(crate) const SAVE_FIELD: &str = "saveQuery";
pub(crate) const FIELD: &str = "savedQuery";
pub(crate) const LIST_FIELD: &str = "savedQueries";
const SAVED_QUERY: &str = "SavedQuery";
const KEY_INPUT: &str = "SavedQueryBy";
const INPUT: &str = "SaveQueryInput";
const PAYLOAD: &str = "SaveQueryPayload";

/// Fields of the query root.
pub(crate) fn fields() -> Vec<Field> {
    vec![
        field(FIELD, TypeRef::named(SAVED_QUERY), "One saved query. Null if there is none.")
            .argument(InputValue::new("by", TypeRef::named_nn(KEY_INPUT)).description("Exactly one key of the saved query.")),
        null_only_on_error(field(LIST_FIELD, TypeRef::named_nn_list(SAVED_QUERY), "Saved queries, the latest first.")).argument(
            InputValue::new("first", TypeRef::named(TypeRef::INT)).description("Maximum number of saved queries, 0 to 100; default 20."),
        ),
    ]
}

/// The mutation `saveQuery`.
pub(crate) fn mutation() -> Field {
    let doc = "Saves a query under a short, immutable address. Requires a token of any role. Saving the same query again returns the saved one; a name refers to one query permanently.";
    null_only_on_error(field(SAVE_FIELD, TypeRef::named(PAYLOAD), doc))
        .argument(InputValue::new("input", TypeRef::named_nn(INPUT)).description("Query to save."))
}

impl OutputObject for SavedQuery {
    type Plan<'q> = ();
    type Field = FieldWriter<Self>;
}

static SAVED_QUERY_TYPE: LazyLock<OutputType<SavedQuery>> = LazyLock::new(|| {
    let text = || TypeRef::named(TypeRef::STRING);
    let required_text = || TypeRef::named_nn(TypeRef::STRING);
    OutputType::<SavedQuery>::new(SAVED_QUERY, "A saved query. It is immutable.")
        .value(
            "hash",
            required_text(),
            "SHA-256 of the document; if there is an operation name or variables, of the document together with them.",
            |saved, out| out.value(&saved.hash),
        )
        .value("name", text(), "Name in addresses such as /table.csv?saved=NAME. Null if not set.", |saved, out| out.value(&saved.name))
        .value("title", text(), "Display title.", |saved, out| out.value(&saved.title))
        .value("query", required_text(), "GraphQL document.", |saved, out| out.value(&saved.document))
        .value("operationName", text(), "Operation to execute, if the document has several.", |saved, out| {
            out.value(&saved.operation_name);
        })
        .value("variables", required_text(), "Default values of its variables, as a JSON object.", |saved, out| {
            out.value(Json::Object(saved.variables.clone()).to_string());
        })
        .value("savedBy", required_text(), "Name of the token that saved it.", |saved, out| out.value(&saved.saved_by))
        .value("savedAt", TypeRef::named_nn(DATE_TIME), "Time at which it was saved.", |saved, out| out.instant(saved.saved_at))
});

pub(crate) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let text = |name: &str, doc: &str| InputValue::new(name, TypeRef::named(TypeRef::STRING)).description(doc);
    let by = InputObject::new(KEY_INPUT)
        .oneof()
        .description("Key of a saved query.")
        .field(text("name", "Permanent name."))
        .field(text("hash", "SHA-256 hash."));
    let input = InputObject::new(INPUT)
        .description("A query to save.")
        .field(InputValue::new("query", TypeRef::named_nn(TypeRef::STRING)).description("GraphQL document with queries only."))
        .field(text("operationName", "Operation to execute, if the document has several."))
        .field(text("variables", "Default values of its variables, as a JSON object."))
        .field(text("name", "Permanent name: a to z, 0 to 9 and -, such as cases-by-year."))
        .field(text("title", "Display title."));
    let payload = Object::new(PAYLOAD)
        .description("Result of saving a query.")
        .field(field(FIELD, TypeRef::named(SAVED_QUERY), "The saved query. Null if errors prevented saving."))
        .field(payload::errors());
    builder.register(SAVED_QUERY_TYPE.object()).register(by).register(input).register(payload)
}

/// Writes one saved query.
pub(crate) async fn one(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let Some(Value::Object(by)) = selection.argument("by") else { return Err(input::not_coerced("by")) };
    let (key, is_name) = match (by.get("name"), by.get("hash")) {
        (Some(Value::String(name)), None) => (name, true),
        (None, Some(Value::String(hash))) => (hash, false),
        (Some(_) | None, Some(_) | None) => return Err(input::not_coerced("by")),
    };
    // the store finds a query by any key: only the given one counts
    let has_key = |saved: &SavedQuery| {
        if is_name { saved.name.as_ref() == Some(key) } else { saved.hash.eq_ignore_ascii_case(key) }
    };
    let saved = store.saved_query(key).await?.filter(has_key);
    let projection = SAVED_QUERY_TYPE.project(selection, &mut ())?;
    out.option(saved, |saved, out| projection.write(&saved, out));
    Ok(())
}

/// Writes a list of saved queries, the latest first.
pub(crate) async fn all(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let first = selection.int_argument("first").unwrap_or(DEFAULT_PAGE_SIZE.into());
    let first = u32::try_from(first).ok().filter(|first| *first <= MAX_PAGE_SIZE);
    let first = first.ok_or_else(|| bad_input("first", format_args!("request 0 to {MAX_PAGE_SIZE}")))?;
    let saved = store.saved_queries(first).await?;
    let projection = SAVED_QUERY_TYPE.project(selection, &mut ())?;
    out.list(saved.iter(), |saved, out| projection.write(saved, out));
    Ok(())
}

/// Saves a query and writes the payload. Fails if the caller has no token.
pub(crate) async fn save(
    documents: &Documents,
    store: &Store,
    caller: &Caller,
    selection: &Selection<'_>,
    out: &mut JsonWriter<'_>,
) -> Result<()> {
    let by = caller.name.as_deref().filter(|_| caller.token.is_some()).ok_or_else(|| {
        unauthenticated(
            "saving a query requires a token of any role; without one, put the query into the URL (/graphql?query=...), or use automatic persisted queries",
        )
    })?;
    let (query, problems) = validate(documents, input::members(selection)?)?;
    let (saved, problems) = match store.save_query(&query, by, problems).await {
        Ok(saved) => (Some(saved), Vec::new()),
        Err(WriteError::Problems(mut problems)) => {
            input::sort_problems(&mut problems, selection)?;
            (None, problems)
        }
        Err(WriteError::Failed(error)) => return Err(error),
    };
    let mut written: Fields<Vec<u8>> = Fields::new();
    for field in selection.subfields(&[PAYLOAD]) {
        let mut value = out.part();
        match field.name() {
            TYPE_NAME => value.value(PAYLOAD),
            FIELD => {
                let projection = SAVED_QUERY_TYPE.project(&field, &mut ())?;
                value.option(saved.as_ref(), |saved, out| projection.write(saved, out));
            }
            "errors" => ErrorsProjection::new(&field).write(&problems, &mut value),
            other => return Err(undeclared(PAYLOAD, other)),
        }
        written.push((field.json_key(), value.into_json()));
    }
    out.object(&written, |json, out| out.json(json));
    Ok(())
}

fn invalid(path: &'static str, message: impl Into<String>) -> InputProblem {
    InputProblem::new(Origin::input([path]), message).with_code(ProblemCode::Invalid)
}

/// Validates the input against the schema. Returns the query, and the problems that prevent saving it.
fn validate(documents: &Documents, mut members: Map<String, Json>) -> Result<(NewSavedQuery, Vec<InputProblem>)> {
    let mut text = |name| take_text(&mut members, name).map(|text| text.filter(|text| !text.is_empty()));
    let (operation_name, variables, name, title) = (text("operationName")?, text("variables")?, text("name")?, text("title")?);
    let document = take_required_text(&mut members, "query")?;
    let mut problems = Vec::new();
    let variables = match variables.map(|text| strict_json::parse(text.as_bytes())) {
        None => Some(Map::new()),
        Some(Ok(Json::Object(variables))) => Some(variables),
        Some(Err(error)) if !error.is_syntax() => {
            problems.push(invalid("variables", error.message("the JSON")));
            None
        }
        Some(Ok(_) | Err(_)) => {
            problems.push(invalid("variables", "must be a JSON object, such as {\"year\": 2020}"));
            None
        }
    };
    problems.extend(document_problems(documents, &document, operation_name.as_deref(), variables.as_ref()));
    Ok((NewSavedQuery { document, operation_name, variables: variables.unwrap_or_else(Map::new), name, title }, problems))
}

/// Problems of a document, its operation, and the variables of that.
fn document_problems(
    documents: &Documents,
    document: &str,
    operation_name: Option<&str>,
    variables: Option<&Map<String, Json>>,
) -> Vec<InputProblem> {
    let problem = |path: &'static str, errors: Vec<GraphqlError>| {
        let messages: Vec<String> = errors.into_iter().map(|error| error.message).collect();
        invalid(path, messages.join("; "))
    };
    let parsed = match documents.load(document) {
        Ok(parsed) => parsed,
        Err(errors) => return vec![problem("query", errors)],
    };
    let operation = match find_operation(&parsed.executable, operation_name) {
        Ok(operation) => operation,
        Err(error) => return vec![problem("operationName", vec![error])],
    };
    let mut problems = Vec::new();
    if operation.ty != OperationType::Query {
        problems.push(invalid("query", "only queries can be saved; this is a mutation or a subscription"));
    }
    if let Some(variables) = variables
        && let Err(errors) = variables::check_given_variables(documents.registry(), &parsed, operation, variables)
    {
        problems.push(problem("variables", errors));
    }
    problems
}

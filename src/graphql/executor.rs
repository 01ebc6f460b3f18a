//! The engine as an [`Executor`] of async-graphql, for the integrations of that framework.
//!
//! An integration passes the caller and the languages as data of the request or of the session:
//!
//! ```no_run
//! use async_graphql::{Executor, Request};
//! use kurultai::core::auth::Caller;
//! use kurultai::core::language::Languages;
//! use kurultai::graphql::Api;
//!
//! # async fn example(api: Api) {
//! let languages = Languages::from_header("ky, ru;q=0.8");
//! let request = Request::new("{ viewer { role } }").data(Caller::reader()).data(languages);
//! let response = Executor::execute(&api, request).await;
//! println!("{}", serde_json::to_string(&response).unwrap());
//! # }
//! ```
//!
//! What belongs to a server is not part of it: persisted documents, rate limits, timeouts and logs of operations are those of
//! `http::graphql::executor`.

use std::any::{Any, TypeId};
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Data, Executor, Name, Request, Response, ServerError, Value};
use async_graphql_value::RAW_VALUE_TOKEN;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use serde_json::{Map, Value as Json};

use crate::core::auth::Caller;
use crate::core::error::{Error, internal};
use crate::core::language::Languages;
use crate::graphql::engine::{Api, OnError, OperationRequest, OperationResult, PrepareError, PreparedOperation};
use crate::graphql::error::{GraphqlError, codes};
use crate::graphql::limits::{Cost, Unmetered};
use crate::graphql::subscription::EventStream;
use crate::store::access::token::TokenRejection;

/// Executes requests for the [`Caller`] in the data of the request or of the session, or else for a reader, with the
/// [`Languages`] from there.
///
/// - The data of a response serializes to JSON in the order of the query. It is serialized already:
///   [`into_json`](Value::into_json) parses it, but it cannot be matched as an object.
/// - A request that is rejected has no data, only errors.
/// - Introspection is always enabled. Uploads are rejected; use the multipart endpoint.
impl Executor for Api {
    /// Executes a query or mutation.
    async fn execute(&self, request: Request) -> Response {
        let (caller, languages) = client(&request, None);
        let prepared = match prepare(self, request, |kind| kind != OperationType::Subscription) {
            Ok(prepared) => prepared,
            Err(errors) => return errors_response(errors),
        };
        Box::pin(execute(self, &prepared, &languages, &caller)).await
    }

    /// Executes an operation of any type. The role and the token of the caller are checked again, because a session can be
    /// older than a revocation.
    fn execute_stream(&self, request: Request, session_data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let api = self.clone();
        let (caller, languages) = client(&request, session_data.as_deref());
        let responses = async move {
            match start(&api, request, &languages, &caller).await {
                Ok(responses) => responses,
                Err(errors) => response_stream(errors_response(errors)),
            }
        };
        stream::once(responses).flatten().boxed()
    }
}

fn client(request: &Request, session: Option<&Data>) -> (Caller, Languages) {
    (datum(request, session).unwrap_or_else(Caller::reader), datum(request, session).unwrap_or_default())
}

/// The value of a type in the data of the request or else of the session.
pub(crate) fn datum<T: Any + Clone>(request: &Request, session: Option<&Data>) -> Option<T> {
    let find = |data: &Data| data.get(&TypeId::of::<T>())?.downcast_ref::<T>().cloned();
    find(&request.data).or_else(|| session.and_then(find))
}

fn prepare(api: &Api, request: Request, allows: impl Fn(OperationType) -> bool) -> Result<PreparedOperation, Vec<GraphqlError>> {
    if !request.uploads.is_empty() {
        return Err(vec![GraphqlError::new(codes::BAD_REQUEST, "files are not accepted here; upload them as multipart/form-data")]);
    }
    let variables = json_object(&*request.variables);
    let request = OperationRequest {
        query: request.query,
        operation: request.operation_name,
        variables,
        uploads: Vec::new(),
        on_error: OnError::default(),
    };
    api.prepare(request, allows).map_err(|error| match error {
        PrepareError::Invalid(errors) => errors,
        PrepareError::OperationNotAllowed => vec![GraphqlError::new(codes::BAD_REQUEST, "a subscription requires a stream")],
    })
}

async fn execute(api: &Api, prepared: &PreparedOperation, languages: &Languages, caller: &Caller) -> Response {
    match api.execute(prepared, languages, caller).await {
        Ok(result) => result_response(result, prepared.cost()),
        Err(error) => errors_response(vec![error]),
    }
}

async fn start(
    api: &Api,
    request: Request,
    languages: &Languages,
    caller: &Caller,
) -> Result<BoxStream<'static, Response>, Vec<GraphqlError>> {
    let rejected = |error| vec![GraphqlError::from(TokenRejection::into_error(error))];
    let caller = &api.store.refresh_caller(caller).await.map_err(rejected)?;
    let prepared = prepare(api, request, |_| true)?;
    if prepared.kind() != OperationType::Subscription {
        return Ok(response_stream(Box::pin(execute(api, &prepared, languages, caller)).await));
    }
    let events = Box::pin(api.subscribe(&prepared, languages, caller, None, Arc::new(Unmetered))).await.map_err(|error| vec![error])?;
    Ok(event_responses(events).boxed())
}

/// The responses of a subscription; an error is the last one.
pub(crate) fn event_responses(events: EventStream) -> impl Stream<Item = Response> + Send + use<> {
    stream::unfold(Some(events), |events| async move {
        let mut events = events?;
        match events.next().await {
            Ok(event) => Some((raw_json(event.data).map_or_else(failed_response, Response::new), Some(events))),
            Err(error) => Some((errors_response(vec![error]), None)),
        }
    })
}

/// A stream of one response.
pub(crate) fn response_stream(response: Response) -> BoxStream<'static, Response> {
    stream::once(std::future::ready(response)).boxed()
}

/// The response to an executed operation: data, errors and the cost in `extensions`.
pub(crate) fn result_response(result: OperationResult, cost: Cost) -> Response {
    // a struct of numbers is always a value
    let cost = async_graphql::to_value(cost).unwrap_or_else(|error| unreachable!("{error}"));
    let mut response = match raw_json(result.data) {
        Ok(data) => Response::new(data).extension("cost", cost),
        Err(error) => return failed_response(error),
    };
    response.errors = result.errors.into_iter().map(ServerError::from).collect();
    response
}

/// The response to a request that was rejected or failed as a whole: errors without data.
pub(crate) fn errors_response(errors: Vec<GraphqlError>) -> Response {
    Response::from_errors(errors.into_iter().map(ServerError::from).collect())
}

fn failed_response(error: Error) -> Response {
    errors_response(vec![GraphqlError::from(error)])
}

/// A value that serializes to this JSON text, byte for byte. Fails if the text is not UTF-8, which the writer of responses
/// never writes.
fn raw_json(json: Vec<u8>) -> Result<Value, Error> {
    let text = String::from_utf8(json).map_err(internal)?;
    Ok(Value::Object([(Name::new(RAW_VALUE_TOKEN), Value::String(text))].into_iter().collect()))
}

/// A map of the framework, such as variables, as a JSON object.
///
/// Not by serialization, which parses the text of a member with the name [`RAW_VALUE_TOKEN`].
pub(crate) fn json_object<'v, N: ToString + 'v>(values: impl IntoIterator<Item = (&'v N, &'v Value)>) -> Map<String, Json> {
    values.into_iter().map(|(name, value)| (name.to_string(), json_value(value))).collect()
}

fn json_value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Number(number) => Json::Number(number.clone()),
        Value::String(text) => Json::from(text.as_str()),
        Value::Boolean(boolean) => Json::Bool(*boolean),
        Value::Binary(bytes) => bytes.iter().copied().collect(),
        Value::Enum(name) => Json::from(name.as_str()),
        Value::List(items) => items.iter().map(json_value).collect(),
        Value::Object(members) => Json::Object(json_object(members)),
    }
}

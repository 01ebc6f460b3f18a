//! The root of all mutations. Each is one transaction; what is wrong with the input is told in the payload, all of it.

mod bulk;
mod check;
mod graph;
mod record;
mod upload;

use async_graphql::dynamic::{Field, InputValue, Object, SchemaBuilder, TypeRef};

use crate::core::auth::{Caller, Role};
use crate::core::error::{Error, Result};
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::selection::Selection;
use crate::graphql::query::saved_query;
use crate::graphql::request::upload::{Upload, UploadParser};
use crate::graphql::schema::input;
use crate::graphql::schema::object::field;
use crate::graphql::schema::payload;
use crate::store::Store;
use crate::store::draft::InputProblem;
use crate::store::write::{Author, WriteError};

/// Name of the root type.
pub(super) const NAME: &str = "Mutation";
/// Name of the one argument that mutations have.
const INPUT: &str = "input";

pub(super) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    builder = payload::register(input::register(builder));
    let fields = record::fields()
        .into_iter()
        .chain(graph::fields())
        .chain(bulk::fields())
        .chain(upload::fields())
        .chain(check::fields())
        .chain([saved_query::mutation()]);
    let mutation = fields.fold(Object::new(NAME).description("Everything that can be changed, by those who have a token."), Object::field);
    check::register(upload::register(bulk::register(graph::register(record::register(builder))))).register(mutation)
}

/// A mutation as the schema has it.
fn mutation(name: impl Into<String>, input: impl Into<String>, payload: impl Into<String>, doc: impl Into<String>) -> Field {
    field(name, TypeRef::named(payload.into()), doc)
        .argument(InputValue::new(INPUT, TypeRef::named_nn(input.into())).description("What is to be done."))
}

/// Why a mutation did nothing: what is wrong with its input, or what is wrong with the request.
enum Stopped {
    Problems(Vec<InputProblem>),
    Failed(Error),
}

impl From<WriteError> for Stopped {
    fn from(refused: WriteError) -> Self {
        match refused {
            WriteError::Problems(problems) => Self::Problems(problems),
            WriteError::Failed(error) => Self::Failed(error),
        }
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<InputProblem> for Stopped {
    fn from(problem: InputProblem) -> Self {
        Self::Problems(vec![problem])
    }
}

/// Runs a mutation with all that is selected of its payload, and writes that.
pub(super) async fn write(
    store: &Store,
    caller: &Caller,
    selection: &Selection<'_>,
    files: (&[Upload], &UploadParser),
    out: &mut JsonWriter<'_>,
) -> Result<()> {
    if selection.name() == "__typename" {
        out.value(NAME);
        return Ok(());
    }
    caller.require(Role::Editor)?;
    if let Some((action, record)) = record::find(selection.name()) {
        record::write(store, caller, action, record, selection, out).await
    } else if selection.name() == bulk::NAME {
        bulk::write(store, caller, selection, out).await
    } else if selection.name() == upload::NAME {
        upload::write(store, caller, selection, files, out).await
    } else if selection.name() == check::NAME {
        check::write(store, selection, out).await
    } else {
        graph::write(store, caller, selection, out).await
    }
}

/// Who the history says it was.
fn author(caller: &Caller, message: Option<String>) -> Author {
    Author { by: caller.name.clone().unwrap_or_default(), message }
}

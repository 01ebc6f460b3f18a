//! What the fields of the mutation type share.

use async_graphql::dynamic::{Field, TypeRef};

use crate::core::auth::Caller;
use crate::graphql::schema::builder::{field, input_value, null_only_on_error};
use crate::graphql::schema::input::INPUT;
use crate::store::write::Author;

/// Creates a mutation with its single argument `input`.
pub(super) fn mutation_field(
    name: impl Into<String>,
    input: impl Into<String>,
    payload: impl Into<String>,
    doc: impl Into<String>,
) -> Field {
    null_only_on_error(field(name, TypeRef::named(payload.into()), doc)).argument(input_value(
        INPUT,
        TypeRef::named_nn(input.into()),
        "Input.",
    ))
}

/// The author of a change, for the history.
pub(super) fn author(caller: &Caller, message: Option<String>) -> Author {
    Author { by: caller.name.clone().unwrap_or_default(), message }
}

//! `viewer`: who asks.

use async_graphql::dynamic::{Enum, EnumItem, Field, Object, SchemaBuilder, TypeRef};

use crate::core::auth::{Caller, Role};
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::object;
use crate::graphql::schema::scalar::DATE_TIME;

/// Name of the field.
pub(super) const NAME: &str = "viewer";
const VIEWER: &str = "Viewer";
const ROLE: &str = "ViewerRole";

#[derive(Debug, Clone, Copy)]
enum Part {
    TypeName,
    Name,
    Role,
    ExpiresAt,
}

pub(super) fn field() -> Field {
    object::field(NAME, TypeRef::named_nn(VIEWER), "Who asks: you, as the token of your request tells. Without a token you are a reader.")
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let roles = Role::ALL
        .into_iter()
        .fold(Enum::new(ROLE).description("What one may see and do; each role may do what those before it may."), |roles, role| {
            roles.item(EnumItem::new(role.as_str().to_uppercase()).description(role.doc()))
        });
    let viewer = Object::new(VIEWER)
        .description("Who asks.")
        .field(object::field(
            "name",
            TypeRef::named(TypeRef::STRING),
            "Name of the token, which the history of records shows; nothing for a reader without one.",
        ))
        .field(object::field("role", TypeRef::named_nn(ROLE), "What you may see and do."))
        .field(object::field(
            "expiresAt",
            TypeRef::named(DATE_TIME),
            "When the token ceases to work; nothing where it does not by itself.",
        ));
    builder.register(roles).register(viewer)
}

/// Writes what is selected of who asks.
pub(super) fn write(caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) {
    let part = |name: &str| match name {
        "name" => Part::Name,
        "role" => Part::Role,
        "expiresAt" => Part::ExpiresAt,
        _ => Part::TypeName,
    };
    let parts: Fields<Part> = selection.below(&[VIEWER]).iter().map(|below| (below.key(), part(below.name()))).collect();
    out.object(&parts, |part, out| match part {
        Part::TypeName => out.value(VIEWER),
        Part::Name => out.value(&caller.name),
        Part::Role => out.choice(caller.role.as_str()),
        Part::ExpiresAt => out.option(caller.expires, |expires, out| out.instant(expires)),
    });
}

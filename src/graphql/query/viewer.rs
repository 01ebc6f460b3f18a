//! `viewer`: the identity and role of the caller.

use std::sync::LazyLock;

use async_graphql::dynamic::{Enum, EnumItem, Field, SchemaBuilder, TypeRef};

use crate::core::auth::{Caller, Role};
use crate::core::error::Result;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::output_type::{FieldWriter, OutputObject, OutputType};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder;
use crate::graphql::schema::scalar::DATE_TIME;

/// Name of the root field.
pub(super) const NAME: &str = "viewer";
const VIEWER: &str = "Viewer";
const ROLE: &str = "ViewerRole";

pub(super) fn field() -> Field {
    builder::field(
        NAME,
        TypeRef::named_nn(VIEWER),
        "The caller, identified by the token of the request. A caller without a token is a reader.",
    )
}

impl OutputObject for Caller {
    type Plan<'q> = ();
    type Field = FieldWriter<Self>;
}

static VIEWER_TYPE: LazyLock<OutputType<Caller>> = LazyLock::new(|| {
    OutputType::<Caller>::new(VIEWER, "The caller.")
        .value(
            "name",
            TypeRef::named(TypeRef::STRING),
            "Name of the token, which appears in the history of records. Null for a reader without a token.",
            |caller, out| out.value(&caller.name),
        )
        .value("role", TypeRef::named_nn(ROLE), "Role of the caller.", |caller, out| out.choice(caller.role.as_str()))
        .value("expiresAt", TypeRef::named(DATE_TIME), "Time at which the token expires. Null if it does not expire.", |caller, out| {
            out.option(caller.expires, |expires, out| out.instant(expires));
        })
});

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let role = Enum::new(ROLE).description("Role of a caller. Each role includes the permissions of the roles before it.");
    let role = Role::ALL.iter().fold(role, |roles, role| roles.item(EnumItem::new(role.as_str().to_uppercase()).description(role.doc())));
    builder.register(role).register(VIEWER_TYPE.object())
}

/// Writes the caller.
pub(super) fn write(caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    VIEWER_TYPE.project(selection, &mut ())?.write(caller, out);
    Ok(())
}

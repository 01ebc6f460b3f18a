//! `rateLimit`: the rate limit of the caller.

use std::sync::LazyLock;

use async_graphql::dynamic::{Field, SchemaBuilder, TypeRef};

use crate::core::auth::{Allowance, Caller};
use crate::core::error::Result;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::output_type::{FieldWriter, OutputObject, OutputType};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder;

/// Name of the root field.
pub(crate) const NAME: &str = "rateLimit";
const RATE_LIMIT: &str = "RateLimit";

pub(super) fn field() -> Field {
    let doc = "Rate limit of the caller. Null if the server sets none. A request costs one point, and more for what it may read and return (extensions.cost).";
    builder::field(NAME, TypeRef::named(RATE_LIMIT), doc)
}

impl OutputObject for Allowance {
    type Plan<'q> = ();
    type Field = FieldWriter<Self>;
}

static RATE_LIMIT_TYPE: LazyLock<OutputType<Allowance>> = LazyLock::new(|| {
    let int = || TypeRef::named_nn(TypeRef::INT);
    OutputType::<Allowance>::new(RATE_LIMIT, "Points per minute of the caller, identified by token or else by IP address.")
        .value("limit", int(), "Points per minute.", |allowance, out| out.value(allowance.limit))
        .value("cost", int(), "Points that this request cost.", |allowance, out| out.value(allowance.cost))
        .value("remaining", int(), "Remaining points.", |allowance, out| out.value(allowance.remaining))
        .value("resetIn", int(), "Seconds until all points are available again, without further requests.", |allowance, out| {
            out.value(allowance.seconds);
        })
});

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    builder.register(RATE_LIMIT_TYPE.object())
}

/// Writes the rate limit of the caller.
pub(super) fn write(caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let projection = RATE_LIMIT_TYPE.project(selection, &mut ())?;
    out.option(caller.allowance.as_ref(), |allowance, out| projection.write(allowance, out));
    Ok(())
}

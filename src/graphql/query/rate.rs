//! `rateLimit`: what the one who asks may still ask for.

use async_graphql::dynamic::{Field, Object, SchemaBuilder, TypeRef};

use crate::core::auth::{Allowance, Caller};
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::object::field as described;

/// Name of the field.
pub(in crate::graphql) const NAME: &str = "rateLimit";
const RATE_LIMIT: &str = "RateLimit";

#[derive(Debug, Clone, Copy)]
enum Part {
    TypeName,
    Limit,
    Cost,
    Remaining,
    ResetIn,
}

pub(super) fn field() -> Field {
    let doc = "What you may still ask for in this minute; nothing where this server sets no limit. A request costs one point, and one more for each hundred records that its answer may hold (extensions.cost.nodes).";
    described(NAME, TypeRef::named(RATE_LIMIT), doc)
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let int = || TypeRef::named_nn(TypeRef::INT);
    builder.register(
        Object::new(RATE_LIMIT)
            .description("What one may ask for in a minute, in points: by the token of the request, or else by the address it comes from.")
            .field(described("limit", int(), "Points that there are for a minute."))
            .field(described("cost", int(), "Points that this request took."))
            .field(described("remaining", int(), "Points that are left."))
            .field(described("resetIn", int(), "Seconds until all points are there again, if nothing is asked meanwhile.")),
    )
}

/// Writes what is selected of it.
pub(super) fn write(caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) {
    let part = |name: &str| match name {
        "limit" => Part::Limit,
        "cost" => Part::Cost,
        "remaining" => Part::Remaining,
        "resetIn" => Part::ResetIn,
        _ => Part::TypeName,
    };
    let parts: Fields<Part> = selection.below(&[RATE_LIMIT]).iter().map(|below| (below.key(), part(below.name()))).collect();
    out.option(caller.allowance.as_ref(), |Allowance { limit, remaining, seconds, cost }, out| {
        out.object(&parts, |part, out| match part {
            Part::TypeName => out.value(RATE_LIMIT),
            Part::Limit => out.value(limit),
            Part::Cost => out.value(cost),
            Part::Remaining => out.value(remaining),
            Part::ResetIn => out.value(seconds),
        });
    });
}

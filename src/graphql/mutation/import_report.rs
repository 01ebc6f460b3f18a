//! What the payloads of imports report alike.

use async_graphql::dynamic::{Field, Object, SchemaBuilder, TypeRef};

use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder::field;
use crate::store::write::RecordUpdate;

/// Field of a payload with the updated records.
pub(super) const UPDATES: &str = "updates";
const UPDATE: &str = "ImportUpdate";

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let update = Object::new(UPDATE)
        .description("A record that an import updates.")
        .field(field("type", TypeRef::named_nn("RecordType"), "Type."))
        .field(field("slug", TypeRef::named_nn(TypeRef::STRING), "Slug."))
        .field(field("fields", TypeRef::named_nn_list_nn(TypeRef::STRING), "Changed fields, as in the history."));
    builder.register(update)
}

/// The field of a payload with the updated records.
pub(super) fn updates() -> Field {
    field(UPDATES, TypeRef::named_nn_list_nn(UPDATE), "The first 20 updated records of each type.")
}

pub(super) fn write_updates(selection: &Selection<'_>, updates: &[RecordUpdate], out: &mut JsonWriter<'_>) {
    let fields: Fields<&str> = selection.subfields(&[UPDATE]).iter().map(|below| (below.json_key(), below.name())).collect();
    out.list(updates.iter(), |update, out| {
        out.object(&fields, |name, out| match *name {
            "type" => out.choice(update.ty.prefix()),
            "slug" => out.value(&update.slug),
            "fields" => out.value(&update.fields),
            _ => out.value(UPDATE),
        });
    });
}

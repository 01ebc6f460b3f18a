//! The root type of mutations. Each mutation is one transaction; its payload reports all errors in the input.

mod curation;
mod error;
mod field;
mod import_file;
mod import_records;
mod import_report;
mod mark_checked;
mod part;
mod prune;
mod record;
mod target;
mod unmerge;
mod withholding;

use async_graphql::dynamic::{Object, SchemaBuilder};

use crate::core::auth::{Caller, Role};
use crate::core::error::Result;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::selection::Selection;
use crate::graphql::query::saved_query;
use crate::graphql::request::upload::{Upload, UploadParser};
use crate::graphql::schema::input;
use crate::graphql::schema::payload;
use crate::store::Store;

/// Name of the root type.
pub(super) const NAME: &str = "Mutation";

pub(super) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    builder = payload::register(input::register(builder));
    builder = record::register(builder);
    builder = curation::register(builder);
    builder = import_report::register(import_records::register(builder));
    builder = prune::register(import_file::register(builder));
    builder = mark_checked::register(builder);
    builder = withholding::register(builder);
    builder = unmerge::register(builder);
    builder = part::register(builder);
    let fields = record::fields()
        .into_iter()
        .chain(part::fields())
        .chain(curation::fields())
        .chain(withholding::fields())
        .chain(unmerge::fields())
        .chain([import_records::field(), import_file::field(), prune::field(), mark_checked::field(), saved_query::mutation()]);
    builder.register(fields.fold(Object::new(NAME).description("All changes; they require a token."), Object::field))
}

/// Executes one mutation and writes the selected fields of its payload.
pub(super) async fn execute(
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
        return record::execute(store, caller, action, record, selection, out).await;
    }
    if let Some(mutation) = part::find(selection.name()) {
        return part::execute(store, caller, mutation, selection, out).await;
    }
    if let Some(ty) = unmerge::find(selection.name()) {
        return unmerge::execute(store, caller, ty, selection, out).await;
    }
    match selection.name() {
        import_records::NAME => import_records::execute(store, caller, selection, out).await,
        import_file::NAME => import_file::execute(store, caller, selection, files, out).await,
        prune::NAME => prune::execute(store, caller, selection, out).await,
        mark_checked::NAME => mark_checked::execute(store, selection, out).await,
        withholding::WITHHOLD | withholding::END => withholding::execute(store, caller, selection, out).await,
        _ => curation::execute(store, caller, selection, out).await,
    }
}

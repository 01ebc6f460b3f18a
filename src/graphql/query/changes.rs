//! `changes`: the feed of all changes of the dataset.

use async_graphql::dynamic::{Field, InputValue, TypeRef};

use crate::catalog::catalog;
use crate::catalog::field::RECORD_TYPE;
use crate::core::error::Result;
use crate::core::filter::{Filter, Predicate};
use crate::core::pagination::{Cursor, Direction, Page};
use crate::entity::RecordType;
use crate::graphql::projection::connection::ConnectionProjection;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder;
use crate::graphql::schema::connection::connection_name;
use crate::graphql::schema::filter::choices;
use crate::store::Store;
use crate::store::read::plan::ListPlan;

/// Name of the root field.
pub(super) const NAME: &str = "changes";

pub(super) fn field() -> Field {
    let argument = |name: &str, ty: TypeRef, doc: &str| InputValue::new(name, ty).description(doc);
    let field = builder::field(
        NAME,
        TypeRef::named(connection_name(catalog().get(RecordType::Revision))),
        "Feed of all changes of the dataset, in the order in which they became visible. Start without since and continue from endCursor. No change is skipped or repeated, even during concurrent writes. Deletions, merges, unpublications and withholdings are changes, too.",
    );
    builder::null_only_on_error(field)
        .argument(argument("since", TypeRef::named(TypeRef::STRING), "Only changes after this cursor: the endCursor of the previous page."))
        .argument(argument("first", TypeRef::named(TypeRef::INT), "Page size, 0 to 100; default 20."))
        .argument(argument("types", TypeRef::named_nn_list("RecordType"), "Only changes of records of these types."))
}

/// Writes a page of the feed.
pub(super) async fn write(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let (list, connection) = plan(selection)?;
    let pages = store.page(&list).await?;
    out.option(pages.get(0), |page, out| connection.write(page, out));
    Ok(())
}

/// Projects the feed; returns the plan of the list.
pub(super) fn plan(selection: &Selection<'_>) -> Result<(ListPlan, ConnectionProjection)> {
    let revision = catalog().get(RecordType::Revision);
    let (mut list, connection) = ConnectionProjection::new(selection, revision)?;
    list.order = (revision.known_field("sequence"), Direction::Asc);
    let name = revision.list_name(list.order);
    list.page = Page::from_arguments(selection.int_argument("first"), None, None, None, &name)?;
    list.page.after = Cursor::parse(selection.string_argument("since").as_deref(), &name, "since")?;
    let types = choices(&selection.non_empty_list_argument("types")?);
    if !types.is_empty() {
        list.filter = Filter::Field(revision.known_field(RECORD_TYPE), Predicate::In(types));
    }
    Ok((list, connection))
}

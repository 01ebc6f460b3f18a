//! `possibleDuplicates`: people that may be the same person.

use async_graphql::dynamic::{Field, InputValue, TypeRef};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::core::error::{Result, bad_input, internal};
use crate::entity::RecordType;
use crate::graphql::global_id;
use crate::graphql::projection::ProjectionSet;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder;
use crate::store::Store;
use crate::store::likeness::score::{MIN_DUPLICATE_SCORE, comparison};

/// Name of the root field and of the payload field.
pub(crate) const NAME: &str = "possibleDuplicates";
const MAX_DUPLICATES: usize = 20;

pub(super) fn field() -> Field {
    builder::field(
        NAME,
        TypeRef::named_nn_list(RecordType::Person.name()),
        "People that may be the same as this person, the most alike first, at most 20: those with a score of 0.6 or more, as match and possibleDuplicatePairs count it. See mergePeople.",
    )
    .argument(InputValue::new("person", TypeRef::named_nn(TypeRef::ID)).description("Id of the person."))
}

/// Writes the possible duplicates of the person given as argument.
pub(super) async fn write(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let (ty, id) = global_id::decode(&selection.argument("person").unwrap_or_default(), "person")?;
    match ty {
        RecordType::Person => write_duplicates_of(store, selection, id, out).await,
        _ => Err(bad_input("person", "this is not the id of a person")),
    }
}

/// Writes the possible duplicates of a person, or null if there is no such person.
pub(crate) async fn write_duplicates_of(store: &Store, selection: &Selection<'_>, id: Uuid, out: &mut JsonWriter<'_>) -> Result<()> {
    let comparison = comparison(RecordType::Person).ok_or_else(|| internal("persons are not compared"))?;
    // the id of a merged record is that of the record it was merged into
    let id = store.current_id(comparison.ty, id).await?;
    let Some(subject) = store.subject(comparison, id).await? else {
        out.null();
        return Ok(());
    };
    let matches = store.find_like(comparison, &[subject], MAX_DUPLICATES + 1).await?;
    let alike = matches.iter().flat_map(|of| &of.matches).filter(|found| found.likeness.score >= MIN_DUPLICATE_SCORE && found.id != id);
    let ids: Vec<_> = alike.take(MAX_DUPLICATES).map(|found| Some((comparison.ty, found.id))).collect();
    let (plans, projections) = ProjectionSet::new(std::slice::from_ref(selection), std::iter::once(catalog().get(comparison.ty)))?;
    let rows = store.existing_nodes(&plans, &ids).await?;
    out.list(rows.iter().flatten(), |row, out| projections.write(row, out));
    Ok(())
}

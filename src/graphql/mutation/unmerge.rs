//! `unmergePeople` and its likes: mutations that undo a merge.

use async_graphql::dynamic::{Field, InputObject, Object, SchemaBuilder, TypeRef};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::core::auth::Caller;
use crate::core::error::Result;
use crate::entity::RecordType;
use crate::graphql::global_id;
use crate::graphql::mutation::error::MutationError;
use crate::graphql::mutation::field::{author, mutation_field};
use crate::graphql::mutation::target::resolve;
use crate::graphql::projection::ProjectionSet;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::{Selection, merged_subfields};
use crate::graphql::schema::builder::{RECORD, field as output_field, input_value};
use crate::graphql::schema::input;
use crate::graphql::schema::payload;
use crate::graphql::schema::payload::ErrorsProjection;
use crate::store::Store;
use crate::store::curation::merge::unmerge::{Unmerged, UnrestoredPlace};
use crate::store::draft::Origin;

/// The mutations, with the type of their records.
const MUTATIONS: [(&str, RecordType); 3] =
    [("unmergePeople", RecordType::Person), ("unmergeOrganizations", RecordType::Organization), ("unmergeSources", RecordType::Source)];
const INPUT: &str = "UnmergeInput";
const PAYLOAD: &str = "UnmergePayload";
const PLACE: &str = "UnrestoredPlace";

/// Type of the records of a mutation. Not set for other mutations.
pub(super) fn find(name: &str) -> Option<RecordType> {
    MUTATIONS.iter().find(|(mutation, _)| *mutation == name).map(|(_, ty)| *ty)
}

pub(super) fn fields() -> impl Iterator<Item = Field> {
    MUTATIONS.iter().map(|(name, ty)| {
        let doc = match ty {
            RecordType::Person => "Undoes a merge: restores the merged person, with its id and slug, and gives back what the merge moved. What was edited since stays and is listed in notRestored.".to_owned(),
            ty => format!("Undoes a merge of {}, as unmergePeople does.", catalog().get(*ty).plural),
        };
        mutation_field(*name, INPUT, PAYLOAD, doc)
    })
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let input = InputObject::new(INPUT)
        .description("A merge to undo.")
        .field(input_value("from", TypeRef::named_nn(TypeRef::ID), "Id or former slug of the record that was merged."))
        .field(input_value(
            input::EXPECTED_REVISION,
            TypeRef::named(TypeRef::INT),
            "Revision of the record that it was merged into; CONFLICT if that changed since.",
        ))
        .field(input::message());
    let text = |name, doc: &str| output_field(name, TypeRef::named_nn(TypeRef::STRING), doc);
    let place = Object::new(PLACE)
        .description("A place that an unmerge could not restore.")
        .field(text("type", "Type of the record."))
        .field(output_field("record", TypeRef::named_nn(TypeRef::ID), "Id of the record."))
        .field(text("path", "Path as in FieldChange.field; empty for the record itself."))
        .field(text("reason", "Why it was not restored."));
    let payload = Object::new(PAYLOAD)
        .description("Result of undoing a merge.")
        .field(output_field("record", TypeRef::named(RECORD), "The restored record; null on error."))
        .field(output_field("into", TypeRef::named(RECORD), "The record that it was merged into; null on error."))
        .field(output_field("notRestored", TypeRef::named_nn_list_nn(PLACE), "What could not be taken apart, because it was edited since."))
        .field(payload::errors());
    builder.register(input).register(place).register(payload)
}

pub(super) async fn execute(
    store: &Store,
    caller: &Caller,
    ty: RecordType,
    selection: &Selection<'_>,
    out: &mut JsonWriter<'_>,
) -> Result<()> {
    let (done, problems) = match apply(store, caller, ty, selection).await {
        Ok(done) => (Some(done), Vec::new()),
        Err(error) => (None, error.into_problems(selection)?),
    };
    let mut written: Fields<Vec<u8>> = Fields::new();
    for field in merged_subfields(std::slice::from_ref(selection), &[PAYLOAD]) {
        let mut value = out.part();
        match (field.name(), &done) {
            ("record", Some((from, _))) => write_record(store, &field, ty, *from, &mut value).await?,
            ("into", Some((_, unmerged))) => write_record(store, &field, ty, unmerged.into, &mut value).await?,
            ("record" | "into", None) => value.null(),
            ("notRestored", done) => write_places(&field, done.as_ref().map_or(&[], |(_, unmerged)| &unmerged.not_restored), &mut value),
            ("errors", _) => ErrorsProjection::new(&field).write(&problems, &mut value),
            _ => value.value(PAYLOAD),
        }
        written.push((field.json_key(), value.into_json()));
    }
    out.object(&written, |json, out| out.json(json));
    Ok(())
}

async fn apply(store: &Store, caller: &Caller, ty: RecordType, selection: &Selection<'_>) -> Result<(Uuid, Unmerged), MutationError> {
    let mut members = input::members(selection)?;
    let author = author(caller, input::take_text(&mut members, input::MESSAGE)?);
    let expected_revision = input::take_integer(&mut members, input::EXPECTED_REVISION)?;
    let name = input::take_required_text(&mut members, "from")?;
    let from = if name.contains('_') {
        resolve(store, ty, &name, Origin::input(["from"])).await??
    } else {
        store.find_merged(ty, &name, "from").await??
    };
    Ok((from, store.unmerge(ty, from, expected_revision, &author).await?))
}

async fn write_record(store: &Store, field: &Selection<'_>, ty: RecordType, id: Uuid, out: &mut JsonWriter<'_>) -> Result<()> {
    let (plans, projections) = ProjectionSet::new(std::slice::from_ref(field), std::iter::once(catalog().get(ty)))?;
    let found = store.nodes(&plans, &[Some((ty, id))]).await?;
    out.option(found.get(0), |node, out| projections.write(node, out));
    Ok(())
}

fn write_places(selection: &Selection<'_>, places: &[UnrestoredPlace], out: &mut JsonWriter<'_>) {
    let fields: Vec<_> =
        merged_subfields(std::slice::from_ref(selection), &[PLACE]).iter().map(|field| (field.json_key(), field.name())).collect();
    out.list(places.iter(), |place, out| {
        out.object(&fields, |name, out| match *name {
            "type" => out.value(catalog().get(place.ty).singular()),
            "record" => out.value(global_id::encode(place.ty, place.id)),
            "path" => out.value(&place.path),
            "reason" => out.value(&place.reason),
            _ => out.value(PLACE),
        });
    });
}

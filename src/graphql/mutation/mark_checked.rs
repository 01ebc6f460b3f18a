//! `markChecked`: records that sources or jurisdictions were checked and had no news.

use async_graphql::dynamic::{Field, InputObject, Object, SchemaBuilder, TypeRef};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::core::error::{Result, bad_input};
use crate::core::id;
use crate::entity::RecordType;
use crate::graphql::mutation::error::MutationError;
use crate::graphql::mutation::field::mutation_field;
use crate::graphql::projection::ProjectionSet;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::{Selection, merged_subfields};
use crate::graphql::schema::builder::{RECORD, field as output_field, input_value};
use crate::graphql::schema::input;
use crate::graphql::schema::payload;
use crate::graphql::schema::payload::ErrorsProjection;
use crate::store::Store;
use crate::store::draft::{InputProblem, Origin};

pub(super) const NAME: &str = "markChecked";
const INPUT_TYPE: &str = "MarkCheckedInput";
const PAYLOAD: &str = "MarkCheckedPayload";
/// Maximum number of ids per call.
const MAX_IDS: usize = 100;

pub(super) fn field() -> Field {
    let doc = "Records that sources or jurisdictions were checked and had no news: sets checkedAt of each to now. This is not a change: history and feeds do not show it.";
    mutation_field(NAME, INPUT_TYPE, PAYLOAD, doc)
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let input = InputObject::new(INPUT_TYPE).description("Sources and jurisdictions that were checked.").field(input_value(
        "ids",
        TypeRef::named_nn_list_nn(TypeRef::ID),
        "Ids of sources and jurisdictions, at most 100.",
    ));
    let payload = Object::new(PAYLOAD)
        .description("Result of markChecked.")
        .field(output_field(
            "records",
            TypeRef::named_nn_list_nn(RECORD),
            "The sources and jurisdictions, in the order of the ids; empty on error.",
        ))
        .field(payload::errors());
    builder.register(input).register(payload)
}

/// Type and id of a record. Not set if the id is not valid.
type CheckedId = Option<(RecordType, Uuid)>;

/// The ids, and the problems of those.
fn parse_ids(selection: &Selection<'_>) -> Result<(Vec<CheckedId>, Vec<InputProblem>)> {
    let ids = input::take_list(&mut input::members(selection)?, "ids")?;
    if ids.len() > MAX_IDS {
        return Err(bad_input("input.ids", format_args!("{} ids are too many; give at most {MAX_IDS} in one call", ids.len())));
    }
    let mut problems = Vec::new();
    let mut decoded = Vec::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate() {
        let text = id.as_str().ok_or_else(|| input::not_coerced("ids"))?;
        let record = match id::decode(text) {
            Ok((prefix, id)) => match RecordType::from_prefix(prefix) {
                Some(ty) => Ok((ty, id)),
                None => Err(format!("no record has ids that begin with {prefix}_")),
            },
            Err(error) => Err(format!("{error}; give the id of a source or jurisdiction")),
        };
        decoded.push(record.map_err(|message| problems.push(InputProblem::new(Origin::input(["ids"]).child(index, None), message))).ok());
    }
    Ok((decoded, problems))
}

pub(super) async fn execute(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let (ids, problems) = parse_ids(selection)?;
    let problems = match store.mark_checked(&ids, problems).await {
        Ok(()) => Vec::new(),
        Err(error) => MutationError::from(error).into_problems(selection)?,
    };
    write_payload(store, selection, &ids, &problems, out).await
}

async fn write_payload(
    store: &Store,
    selection: &Selection<'_>,
    ids: &[CheckedId],
    problems: &[InputProblem],
    out: &mut JsonWriter<'_>,
) -> Result<()> {
    let checked: Vec<_> = ids.iter().filter(|_| problems.is_empty()).copied().collect();
    let mut written: Fields<Vec<u8>> = Fields::new();
    for field in merged_subfields(std::slice::from_ref(selection), &[PAYLOAD]) {
        let mut value = out.part();
        match field.name() {
            "records" => {
                let types = catalog().all().filter(|record| checked.iter().flatten().any(|(ty, _)| *ty == record.ty));
                let (plans, projections) = ProjectionSet::new(std::slice::from_ref(&field), types)?;
                let found = store.nodes(&plans, &checked).await?;
                value.list(found.iter().flatten(), |node, out| projections.write(node, out));
            }
            "errors" => ErrorsProjection::new(&field).write(problems, &mut value),
            _ => value.value(PAYLOAD),
        }
        written.push((field.json_key(), value.into_json()));
    }
    out.object(&written, |json, out| out.json(json));
    Ok(())
}

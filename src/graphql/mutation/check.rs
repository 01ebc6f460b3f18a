//! `markChecked`: somebody has looked at sources or jurisdictions and found nothing new.

use async_graphql::dynamic::{Field, InputObject, InputValue, Object, SchemaBuilder, TypeRef};
use uuid::Uuid;

use super::{INPUT, mutation};
use crate::catalog::catalog;
use crate::core::error::{Result, bad_input};
use crate::entity::RecordType;
use crate::graphql::projection::ProjectionSet;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::{Selection, below};
use crate::graphql::query::read_id;
use crate::graphql::schema::object::{RECORD, field};
use crate::graphql::schema::payload;
use crate::graphql::schema::payload::Errors;
use crate::store::Store;
use crate::store::draft::InputProblem;
use crate::store::write::WriteError;

pub(super) const NAME: &str = "markChecked";
const MARK: &str = "MarkCheckedInput";
const PAYLOAD: &str = "MarkCheckedPayload";
/// Ids that one call takes at most.
const MOST: usize = 100;

pub(super) fn fields() -> Vec<Field> {
    let doc = "Notes that you have looked at sources or jurisdictions and found nothing new: checkedAt of each becomes now. It is no change: no history and no feed tells of it.";
    vec![mutation(NAME, MARK, PAYLOAD, doc)]
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let mark = InputObject::new(MARK).description("Sources and jurisdictions that were looked at.").field(
        InputValue::new("ids", TypeRef::named_nn_list_nn(TypeRef::ID)).description("Ids of sources and jurisdictions, at most 100."),
    );
    let payload = Object::new(PAYLOAD)
        .description("What noting that records were looked at gives.")
        .field(field(
            "records",
            TypeRef::named_nn_list_nn(RECORD),
            "The sources and jurisdictions as they are now, in the order of the ids; none where an error kept it from being noted.",
        ))
        .field(payload::errors());
    builder.register(mark).register(payload)
}

/// Types and ids that are given, or what is wrong with the first that is none.
fn given(selection: &Selection<'_>) -> Result<Vec<(RecordType, Uuid)>> {
    let ids = match selection.argument(INPUT) {
        Some(async_graphql::Value::Object(mut members)) => match members.swap_remove("ids") {
            Some(async_graphql::Value::List(ids)) => ids,
            Some(one) => vec![one],
            None => Vec::new(),
        },
        _ => Vec::new(),
    };
    if ids.len() > MOST {
        return Err(bad_input("input.ids", format_args!("{} ids are too many; give at most {MOST} in one call", ids.len())));
    }
    ids.iter().enumerate().map(|(place, id)| read_id(id, &format!("input.ids[{place}]"))).collect()
}

pub(super) async fn write(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let given = given(selection)?;
    let problems = match store.mark_checked(&given).await {
        Ok(()) => Vec::new(),
        Err(WriteError::Problems(problems)) => problems,
        Err(WriteError::Failed(error)) => return Err(error),
    };
    show(store, selection, &given, &problems, out).await
}

async fn show(
    store: &Store,
    selection: &Selection<'_>,
    given: &[(RecordType, Uuid)],
    problems: &[InputProblem],
    out: &mut JsonWriter<'_>,
) -> Result<()> {
    let wanted: Vec<_> = given.iter().filter(|_| problems.is_empty()).copied().map(Some).collect();
    let mut written: Fields<Vec<u8>> = Fields::new();
    for selected in below(std::slice::from_ref(selection), &[PAYLOAD]) {
        let mut part = JsonWriter::new(out.languages);
        match selected.name() {
            "records" => {
                let types = catalog().all().filter(|record| wanted.iter().flatten().any(|(ty, _)| *ty == record.ty));
                let (plans, shapes) = ProjectionSet::new(std::slice::from_ref(&selected), types)?;
                let found = store.nodes(&plans, &wanted).await?;
                part.list(found.iter().flatten(), |node, out| shapes.write(node, out));
            }
            "errors" => Errors::new(&selected).write(problems, &mut part),
            _ => part.value(PAYLOAD),
        }
        written.push((selected.key(), part.into_json()));
    }
    out.object(&written, |json, out| out.json(json));
    Ok(())
}

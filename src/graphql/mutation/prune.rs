//! `pruneImportSet`, and the arguments and results of pruning that imports share with it.

use async_graphql::dynamic::{Enum, EnumItem, Field, InputObject, InputValue, Object, SchemaBuilder, TypeRef};
use serde_json::{Map, Value as Json};

use crate::catalog::catalog;
use crate::core::auth::Caller;
use crate::core::error::{Result, bad_input};
use crate::core::partial_date::PartialDate;
use crate::core::text::TextRule;
use crate::graphql::mutation::error::MutationError;
use crate::graphql::mutation::field::{author, mutation_field};
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::{Selection, merged_subfields};
use crate::graphql::schema::builder::{field as output_field, input_value};
use crate::graphql::schema::input;
use crate::graphql::schema::payload;
use crate::graphql::schema::payload::ErrorsProjection;
use crate::graphql::schema::scalar::PARTIAL_DATE;
use crate::store::Store;
use crate::store::write::{ImportRun, PruneMode, PruneOutcome, PrunedRecord, TransactionEnd};

pub(super) const NAME: &str = "pruneImportSet";
const INPUT_TYPE: &str = "PruneImportSetInput";
const PAYLOAD: &str = "PruneImportSetPayload";
const MODE: &str = "PruneMode";
const GONE_RECORD: &str = "GoneRecord";
const OUTCOME: &str = "GoneOutcome";
/// Field of a payload with the records that are gone.
pub(super) const GONE: &str = "gone";

pub(super) fn field() -> Field {
    let doc = "Lists the records of an import set that the batches of a run did not hold. Once confirmed, prunes them and ends the run.";
    mutation_field(NAME, INPUT_TYPE, PAYLOAD, doc)
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let mode = Enum::new(MODE)
        .description("What happens to records that are gone.")
        .item(EnumItem::new("DELETE").description("Delete those that no record refers to."))
        .item(EnumItem::new("CLOSE").description("End memberships."));
    let outcome = Enum::new(OUTCOME)
        .description("What happened to a record that is gone.")
        .item(EnumItem::new("GONE").description("Nothing."))
        .item(EnumItem::new("DELETED").description("It was deleted."))
        .item(EnumItem::new("CLOSED").description("It has ended."))
        .item(EnumItem::new("KEPT").description("It is kept, for a reason."));
    let record = Object::new(GONE_RECORD)
        .description("A record of a set that its import no longer holds.")
        .field(output_field("type", TypeRef::named_nn("RecordType"), "Type."))
        .field(output_field("slug", TypeRef::named_nn(TypeRef::STRING), "Slug."))
        .field(output_field("outcome", TypeRef::named_nn(OUTCOME), "What happened, or would happen."))
        .field(output_field("reason", TypeRef::named(TypeRef::STRING), "Why it is kept."));
    let text = |name: &str, doc: &str| input_value(name, TypeRef::named_nn(TypeRef::STRING), doc);
    let input = InputObject::new(INPUT_TYPE)
        .description("A run of an import set to end.")
        .field(text("set", "Name of the set."))
        .field(text("run", "Name of the run, as in importRecords."));
    let input = arguments().into_iter().fold(input, InputObject::field).field(input::message());
    let payload = Object::new(PAYLOAD).description("Result of pruneImportSet.").field(gone()).field(payload::errors());
    builder.register(mode).register(outcome).register(record).register(input).register(payload)
}

/// The input fields that say what is pruned.
pub(super) fn arguments() -> [InputValue; 3] {
    [
        input_value("prune", TypeRef::named(MODE), "What to do with records that are gone; by default they are listed."),
        input_value("closeOn", TypeRef::named(PARTIAL_DATE), "End of the memberships that CLOSE ends."),
        input_value("confirm", TypeRef::named(TypeRef::BOOLEAN), "Without it, only show what would be done; write nothing."),
    ]
}

/// The field of a payload with the records that are gone.
pub(super) fn gone() -> Field {
    output_field(GONE, TypeRef::named_nn_list_nn(GONE_RECORD), "Records of the set that the import does not hold.")
}

/// What is pruned.
pub(super) struct Pruning {
    pub(super) mode: PruneMode,
    /// Whether it is more than shown.
    pub(super) is_confirmed: bool,
}

impl Pruning {
    /// Removes the arguments from the members of an input.
    pub(super) fn take(members: &mut Map<String, Json>) -> Result<Self> {
        let is_confirmed = input::take_flag(members, "confirm")?;
        let close_on = input::take_text(members, "closeOn")?.map(|date| date.parse::<PartialDate>()).transpose();
        let close_on = close_on.map_err(|message| bad_input("input.closeOn", message))?;
        let mode = match (input::take_text(members, "prune")?.as_deref(), close_on) {
            (None, None) => PruneMode::List,
            (Some("delete"), None) => PruneMode::Delete,
            (Some("close"), Some(day)) => PruneMode::Close(day),
            (Some("close"), None) => return Err(bad_input("input.closeOn", "CLOSE needs the end; give closeOn")),
            (None | Some("delete"), Some(_)) => return Err(bad_input("input.closeOn", "closeOn is for prune: CLOSE")),
            (Some(_), _) => return Err(input::not_coerced("prune")),
        };
        Ok(Self { mode, is_confirmed })
    }
}

/// Removes the name of a set or a run from the members of an input.
pub(super) fn take_name(members: &mut Map<String, Json>, member: &'static str) -> Result<Option<String>> {
    let name = input::take_text(members, member)?.map(|name| TextRule::NAME.clean_name(&name));
    name.transpose().map_err(|message| bad_input(format!("input.{member}"), message))
}

pub(super) async fn execute(store: &Store, caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let mut members = input::members(selection)?;
    let author = author(caller, input::take_text(&mut members, input::MESSAGE)?);
    let name = |members: &mut Map<String, Json>, member| take_name(members, member)?.ok_or_else(|| input::not_coerced(member));
    let run = ImportRun { set: name(&mut members, "set")?, run: name(&mut members, "run")? };
    let Pruning { mode, is_confirmed } = Pruning::take(&mut members)?;
    let end = TransactionEnd::of(!is_confirmed, false);
    let (pruned, problems) = match Box::pin(store.prune_run(&run, &mode, &author, end)).await {
        Ok(pruned) => (pruned, Vec::new()),
        Err(error) => (Vec::new(), MutationError::from(error).into_problems(selection)?),
    };
    let fields: Fields<Selection<'_>> =
        merged_subfields(std::slice::from_ref(selection), &[PAYLOAD]).into_iter().map(|field| (field.json_key(), field)).collect();
    out.object(&fields, |field, out| match field.name() {
        GONE => write_gone(field, &pruned, out),
        "errors" => ErrorsProjection::new(field).write(&problems, out),
        _ => out.value(PAYLOAD),
    });
    Ok(())
}

pub(super) fn write_gone(selection: &Selection<'_>, pruned: &[PrunedRecord], out: &mut JsonWriter<'_>) {
    let fields: Fields<&str> = selection.subfields(&[GONE_RECORD]).iter().map(|below| (below.json_key(), below.name())).collect();
    out.list(pruned.iter(), |record, out| {
        let (outcome, reason) = match &record.outcome {
            PruneOutcome::Listed => ("GONE", None),
            PruneOutcome::Deleted => ("DELETED", None),
            PruneOutcome::Closed => ("CLOSED", None),
            PruneOutcome::Kept(reason) => ("KEPT", Some(reason)),
        };
        out.object(&fields, |name, out| match *name {
            "type" => out.choice(catalog().get(record.ty).ty.prefix()),
            "slug" => out.value(&record.slug),
            "outcome" => out.value(outcome),
            "reason" => out.option(reason, |reason, out| out.value(reason)),
            _ => out.value(GONE_RECORD),
        });
    });
}

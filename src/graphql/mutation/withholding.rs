//! `withholdPerson` and `endWithholding`: mutations of admins that hide what identifies a person, and end that.

use async_graphql::dynamic::{Field, InputObject, Object, SchemaBuilder, TypeRef};
use uuid::Uuid;

use crate::core::auth::{Caller, Role};
use crate::core::error::Result;
use crate::entity::RecordType;
use crate::graphql::mutation::error::MutationError;
use crate::graphql::mutation::field::{author, mutation_field};
use crate::graphql::mutation::target::resolve;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::selection::{Selection, merged_subfields};
use crate::graphql::schema::builder::{field as output_field, input_value};
use crate::graphql::schema::input;
use crate::graphql::schema::payload;
use crate::graphql::schema::payload::Written;
use crate::store::Store;
use crate::store::curation::withholding::text_scan::{TextPlace, TextPlaces};
use crate::store::curation::withholding::withhold::Withholding;
use crate::store::draft::Origin;

pub(super) const WITHHOLD: &str = "withholdPerson";
pub(super) const END: &str = "endWithholding";
const WITHHOLD_INPUT: &str = "WithholdInput";
const END_INPUT: &str = "EndWithholdingInput";
const PAYLOAD: &str = "WithholdingPayload";
const PLACE: &str = "TextPlace";

pub(super) fn fields() -> [Field; 2] {
    let withhold = "Permanently removes what identifies a person, from the record, from all other texts, and from every history. Links to the person stay, under a neutral label. Admins only.";
    let end = "Lets a withheld person be named and edited again; restores nothing. Admins only.";
    [mutation_field(WITHHOLD, WITHHOLD_INPUT, PAYLOAD, withhold), mutation_field(END, END_INPUT, PAYLOAD, end)]
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let person = || input_value("person", TypeRef::named_nn(TypeRef::ID), "Id or slug of the person.");
    let namesakes = "Ids or slugs of others with this name, who keep it.";
    let withhold = InputObject::new(WITHHOLD_INPUT)
        .description("A person to withhold.")
        .field(person())
        .field(input_value("namesakes", TypeRef::named_nn_list(TypeRef::ID), namesakes))
        .field(input::message());
    let end = InputObject::new(END_INPUT).description("A withheld person.").field(person()).field(input_value(
        input::MESSAGE,
        TypeRef::named_nn(TypeRef::STRING),
        "Reason, for the history.",
    ));
    let text = |name, doc: &str| output_field(name, TypeRef::named_nn(TypeRef::STRING), doc);
    let place = Object::new(PLACE)
        .description("A text to look at.")
        .field(text("type", "Type of the record, or table."))
        .field(text("record", "Id of the record or row."))
        .field(text("field", "Field, such as caseParty.description, or revision.message in the history."))
        .field(output_field("redacted", TypeRef::named_nn(TypeRef::BOOLEAN), "Whether a name was redacted; otherwise it may stand there."));
    let payload = Object::new(PAYLOAD)
        .description("Result of withholdPerson or endWithholding.")
        .field(output_field("person", TypeRef::named("Person"), "The person; null on error."))
        .field(output_field("places", TypeRef::named_nn_list_nn(PLACE), "Texts to look at, at most 1,000."))
        .field(output_field("placeCount", TypeRef::named_nn(TypeRef::INT), "Number of all places."))
        .field(payload::errors());
    builder.register(withhold).register(end).register(place).register(payload)
}

pub(super) async fn execute(store: &Store, caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    caller.require(Role::Admin)?;
    let (record, places, problems) = match apply(store, caller, selection).await {
        Ok((person, places)) => (Some((RecordType::Person, person)), places, Vec::new()),
        Err(error) => (None, TextPlaces::default(), error.into_problems(selection)?),
    };
    payload::write_with(store, selection, PAYLOAD, Written::record(record), &problems, out, |field, value| match field.name() {
        "places" => {
            write_places(field, &places.places, value);
            true
        }
        "placeCount" => {
            value.value(places.total);
            true
        }
        _ => false,
    })
    .await
}

async fn apply(store: &Store, caller: &Caller, selection: &Selection<'_>) -> Result<(Uuid, TextPlaces), MutationError> {
    let mut members = input::members(selection)?;
    let author = author(caller, input::take_text(&mut members, input::MESSAGE)?);
    let name = input::take_required_text(&mut members, "person")?;
    let person = resolve(store, RecordType::Person, &name, Origin::input(["person"])).await??;
    if selection.name() == END {
        return Ok((person, store.end_withholding(person, &author).await?));
    }
    let is_given = members.get("namesakes").is_some_and(|namesakes| !namesakes.is_null());
    let given = if is_given { input::take_list(&mut members, "namesakes")? } else { Vec::new() };
    let mut namesakes = Vec::new();
    for (index, name) in given.iter().enumerate() {
        let name = name.as_str().ok_or_else(|| input::not_coerced("namesakes"))?;
        namesakes.push(resolve(store, RecordType::Person, name, Origin::input(["namesakes"]).child(index, None)).await??);
    }
    Ok((person, store.withhold(&Withholding { person, namesakes }, &author).await?))
}

fn write_places(selection: &Selection<'_>, places: &[TextPlace], out: &mut JsonWriter<'_>) {
    let fields: Vec<_> =
        merged_subfields(std::slice::from_ref(selection), &[PLACE]).iter().map(|field| (field.json_key(), field.name())).collect();
    out.list(places.iter(), |place, out| {
        out.object(&fields, |name, out| match *name {
            "type" => out.value(&place.kind),
            "record" => out.value(&place.record),
            "field" => out.value(&place.field),
            "redacted" => out.value(place.redacted),
            _ => out.value(PLACE),
        });
    });
}

//! Mutations that apply to records of several types: citations, topics, identifiers, merges, reverts and withholding.

use async_graphql::dynamic::{Field, InputObject, SchemaBuilder, TypeRef};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::RecordKind;
use crate::core::auth::{Caller, Role};
use crate::core::error::Result;
use crate::entity::RecordType;
use crate::graphql::global_id;
use crate::graphql::mutation::error::MutationError;
use crate::graphql::mutation::field::{author, mutation_field};
use crate::graphql::mutation::target::{decode_citable, problem_at, resolve};
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder::input_value;
use crate::graphql::schema::input;
use crate::graphql::schema::input::{EXPECTED_REVISION, INPUT, MESSAGE};
use crate::graphql::schema::payload;
use crate::store::Store;
use crate::store::curation::patch::ListPatch;
use crate::store::draft::{Origin, ProblemCode};

/// Declaration of a mutation.
struct Mutation {
    name: &'static str,
    input: &'static str,
    doc: &'static str,
    action: CurationAction,
}

#[derive(Debug, Clone, Copy)]
enum CurationAction {
    AddCitation,
    RemoveCitation,
    AddTopic,
    RemoveTopic,
    AddIdentifier,
    RemoveIdentifier,
    Merge(RecordType),
    Revert,
    Withhold,
}

const MUTATIONS: [Mutation; 10] = [
    Mutation {
        name: "addCitation",
        input: "AddCitationInput",
        doc: "Cites a source for a record or a part of one.",
        action: CurationAction::AddCitation,
    },
    Mutation { name: "removeCitation", input: "RemoveCitationInput", doc: "Removes a citation.", action: CurationAction::RemoveCitation },
    Mutation { name: "addTopic", input: "RecordTopicInput", doc: "Tags a record with a topic.", action: CurationAction::AddTopic },
    Mutation { name: "removeTopic", input: "RecordTopicInput", doc: "Removes a topic from a record.", action: CurationAction::RemoveTopic },
    Mutation {
        name: "addIdentifier",
        input: "RecordIdentifierInput",
        doc: "Adds an identifier from another register to a record. It must be unique among all records.",
        action: CurationAction::AddIdentifier,
    },
    Mutation {
        name: "removeIdentifier",
        input: "RecordIdentifierInput",
        doc: "Removes an identifier from a record.",
        action: CurationAction::RemoveIdentifier,
    },
    Mutation {
        name: "mergePeople",
        input: "MergeInput",
        doc: "Merges two records of the same person. All links, names, identifiers, topics and citations move to the remaining record, and the id and slug of the other redirect to it.",
        action: CurationAction::Merge(RecordType::Person),
    },
    Mutation {
        name: "mergeOrganizations",
        input: "MergeInput",
        doc: "Merges two records of the same organization. All links, names, identifiers, topics and citations move to the remaining record, and the id and slug of the other redirect to it.",
        action: CurationAction::Merge(RecordType::Organization),
    },
    Mutation {
        name: "revert",
        input: "RevertInput",
        doc: "Restores a record to an earlier revision, also after its deletion. A revert is itself a change and can be reverted.",
        action: CurationAction::Revert,
    },
    Mutation {
        name: "withholdPerson",
        input: "WithholdInput",
        doc: "Permanently removes what identifies a person: names, image, dates, links and citations of the record, the names in texts that mention the person, and all of these in every history. Other records keep their links to the person, under a neutral label. Cannot be undone. Admins only.",
        action: CurationAction::Withhold,
    },
];

impl CurationAction {
    /// Name of the payload.
    fn payload(self) -> String {
        match self {
            Self::Merge(ty) => payload::name(catalog().get(ty)),
            Self::Withhold => payload::name(catalog().get(RecordType::Person)),
            Self::AddCitation
            | Self::RemoveCitation
            | Self::AddTopic
            | Self::RemoveTopic
            | Self::AddIdentifier
            | Self::RemoveIdentifier
            | Self::Revert => payload::ANY_RECORD.to_owned(),
        }
    }
}

pub(super) fn fields() -> Vec<Field> {
    MUTATIONS.iter().map(|mutation| mutation_field(mutation.name, mutation.input, mutation.action.payload(), mutation.doc)).collect()
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let id = |name: &str, doc: &str| input_value(name, TypeRef::named_nn(TypeRef::ID), doc);
    let text = |name: &str, doc: &str| input_value(name, TypeRef::named_nn(TypeRef::STRING), doc);
    let citation = input::name(catalog().get(RecordType::Citation), input::Purpose::Part);
    let inputs = [
        InputObject::new("AddCitationInput")
            .description("A citation to add.")
            .field(id("record", "Id of the cited record or part."))
            .field(input_value("citation", TypeRef::named_nn(citation), "The citation."))
            .field(input::expected_revision()),
        InputObject::new("RemoveCitationInput")
            .description("A citation to remove.")
            .field(id("record", "Id of the cited record or part."))
            .field(text("key", "Key of the citation."))
            .field(input::expected_revision()),
        InputObject::new("RecordTopicInput")
            .description("A record and a topic.")
            .field(id("record", "Id of the record."))
            .field(id("topic", "Id or slug of the topic."))
            .field(input::expected_revision()),
        InputObject::new("RecordIdentifierInput")
            .description("A record and an identifier.")
            .field(id("record", "Id of the record."))
            .field(text("scheme", "Register of the identifier, such as wikidata or adilet."))
            .field(text("value", "The identifier."))
            .field(input::expected_revision()),
        InputObject::new("MergeInput")
            .description("Two records to merge.")
            .field(id("from", "Id or slug of the record to remove."))
            .field(id("into", "Id or slug of the record to keep; its values take precedence.")),
        InputObject::new("RevertInput")
            .description("A record and the revision to restore.")
            .field(id("record", "Id of the record."))
            .field(input_value("toRevision", TypeRef::named_nn(TypeRef::INT), "Revision to restore."))
            .field(input::expected_revision()),
        InputObject::new("WithholdInput").description("A person to withhold.").field(id("person", "Id or slug of the person.")),
    ];
    inputs.into_iter().fold(builder, |builder, object| builder.register(object.field(input::message())))
}

pub(super) async fn execute(store: &Store, caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let Some(mutation) = MUTATIONS.iter().find(|mutation| mutation.name == selection.name()) else {
        out.null();
        return Ok(());
    };
    if let CurationAction::Withhold = mutation.action {
        caller.require(Role::Admin)?;
    }
    let payload = mutation.action.payload();
    let members = input::members(&selection.argument(INPUT).unwrap_or_default());
    match apply(store, caller, mutation.action, members).await {
        Ok(record) => payload::write(store, selection, &payload, Some(record), &[], out).await,
        Err(MutationError::Invalid(problems)) => payload::write(store, selection, &payload, None, &problems, out).await,
        Err(MutationError::Failed(error)) => Err(error),
    }
}

async fn apply(
    store: &Store,
    caller: &Caller,
    action: CurationAction,
    mut members: Map<String, Json>,
) -> Result<(RecordType, Uuid), MutationError> {
    let author = author(caller, input::take_text(&mut members, MESSAGE));
    let expected = input::take_number(&mut members, EXPECTED_REVISION);
    let mut text = |name| input::take_text(&mut members, name).unwrap_or_default();
    let (list, patch, field) = match action {
        CurationAction::Merge(ty) => {
            let from = resolve(store, ty, &text("from"), Origin::input(["from"])).await?;
            let into = resolve(store, ty, &text("into"), Origin::input(["into"])).await?;
            store.merge(ty, from, into, &author).await?;
            return Ok((ty, into));
        }
        CurationAction::Withhold => {
            let id = resolve(store, RecordType::Person, &text("person"), Origin::input(["person"])).await?;
            store.withhold(id, &author).await?;
            return Ok((RecordType::Person, id));
        }
        CurationAction::Revert => {
            let (ty, id) = decode_citable(&text("record"))?;
            if catalog().get(ty).kind != RecordKind::Record {
                let message = "this is the id of a part; revert the record that contains it";
                return Err(problem_at(Origin::input(["record"]), message, ProblemCode::Invalid).into());
            }
            let number = input::take_number(&mut members, "toRevision").unwrap_or_default();
            store.revert(ty, id, number, expected, &author).await?;
            return Ok((ty, id));
        }
        CurationAction::AddCitation => {
            let mut citation = members.remove("citation").unwrap_or_default();
            if let Some(source) = citation.get("source").and_then(Json::as_str) {
                let source = resolve(store, RecordType::Source, source, Origin::input(["citation", "source"])).await?;
                citation["source"] = json!(global_id::encode(RecordType::Source, source));
            }
            ("citations", ListPatch::Add(citation), "citation")
        }
        CurationAction::RemoveCitation => ("citations", ListPatch::Remove(json!({"key": text("key")})), "key"),
        CurationAction::AddTopic | CurationAction::RemoveTopic => {
            let topic = resolve(store, RecordType::Topic, &text("topic"), Origin::input(["topic"])).await?;
            let tag = json!({"topic": global_id::encode(RecordType::Topic, topic)});
            let patch = if let CurationAction::AddTopic = action { ListPatch::Add(tag) } else { ListPatch::Remove(tag) };
            ("topics", patch, "topic")
        }
        CurationAction::AddIdentifier | CurationAction::RemoveIdentifier => {
            let identifier = json!({"scheme": text("scheme"), "value": text("value")});
            let is_added = matches!(action, CurationAction::AddIdentifier);
            ("identifiers", if is_added { ListPatch::Add(identifier) } else { ListPatch::Remove(identifier) }, "value")
        }
    };
    let (ty, id) = decode_citable(&input::take_text(&mut members, "record").unwrap_or_default())?;
    store.patch_list(id, list, patch, field, expected, &author).await?;
    Ok((ty, id))
}

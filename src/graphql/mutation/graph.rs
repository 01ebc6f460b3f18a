//! Mutations of what records share: citations, topics, identifiers; merging, going back, and withholding.

use async_graphql::dynamic::{Field, InputObject, InputValue, SchemaBuilder, TypeRef};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::INPUT;
use super::Stopped;
use super::author;
use super::mutation;
use super::record::resolve;
use crate::catalog::catalog;
use crate::catalog::record::RecordKind;
use crate::core::auth::{Caller, Role};
use crate::core::error::Result;
use crate::entity::RecordType;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::input;
use crate::graphql::schema::input::{EXPECTED, MESSAGE};
use crate::graphql::schema::payload;
use crate::store::Store;
use crate::store::curation::patch::ListPatch;
use crate::store::draft::{InputProblem, Origin, ProblemCode};

/// A mutation: its name, its input, what it does.
struct Mutation {
    name: &'static str,
    input: &'static str,
    doc: &'static str,
    action: Action,
}

#[derive(Debug, Clone, Copy)]
enum Action {
    Cite,
    Uncite,
    Tag,
    Untag,
    AddIdentifier,
    RemoveIdentifier,
    Merge(RecordType),
    Revert,
    Withhold,
}

const MUTATIONS: [Mutation; 10] = [
    Mutation { name: "cite", input: "CiteInput", doc: "Cites a source for a record or a part of one.", action: Action::Cite },
    Mutation { name: "uncite", input: "UnciteInput", doc: "Takes a citation back.", action: Action::Uncite },
    Mutation { name: "tag", input: "TagRecordInput", doc: "Tags a record with a topic.", action: Action::Tag },
    Mutation { name: "untag", input: "TagRecordInput", doc: "Takes a topic off a record.", action: Action::Untag },
    Mutation {
        name: "addIdentifier",
        input: "RecordIdentifierInput",
        doc: "Notes an identifier that another register gave a record. No two records can share one.",
        action: Action::AddIdentifier,
    },
    Mutation {
        name: "removeIdentifier",
        input: "RecordIdentifierInput",
        doc: "Takes an identifier off a record.",
        action: Action::RemoveIdentifier,
    },
    Mutation {
        name: "mergePeople",
        input: "MergeInput",
        doc: "Merges two people who are the same: every link of one moves to the other, with its names, identifiers, topics and sources. Its id and slug lead to the other from then on.",
        action: Action::Merge(RecordType::Person),
    },
    Mutation {
        name: "mergeOrganizations",
        input: "MergeInput",
        doc: "Merges two bodies that are the same: every link of one moves to the other, with its names, identifiers, topics and sources. Its id and slug lead to the other from then on.",
        action: Action::Merge(RecordType::Organization),
    },
    Mutation {
        name: "revert",
        input: "RevertInput",
        doc: "Makes a record what it was after an earlier change. A record that was deleted is made again. Going back is a change like others, and can be gone back on.",
        action: Action::Revert,
    },
    Mutation {
        name: "withholdPerson",
        input: "WithholdInput",
        doc: "Takes what names a person out of the dataset for good: names, image, dates, links and sources of the record, the names in texts that mention them, and in all histories. The links of the record stay, under a neutral label. It cannot be taken back. Admins only.",
        action: Action::Withhold,
    },
];

pub(super) fn fields() -> Vec<Field> {
    let payload = |action| match action {
        Action::Merge(ty) => payload::name(catalog().get(ty)),
        Action::Withhold => payload::name(catalog().get(RecordType::Person)),
        _ => payload::ANY.to_owned(),
    };
    MUTATIONS.iter().map(|one| mutation(one.name, one.input, payload(one.action), one.doc)).collect()
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let id = |name: &str, doc: &str| InputValue::new(name, TypeRef::named_nn(TypeRef::ID)).description(doc);
    let text = |name: &str, doc: &str| InputValue::new(name, TypeRef::named_nn(TypeRef::STRING)).description(doc);
    let citation = input::name(catalog().get(RecordType::Citation), input::For::Part);
    let inputs = [
        InputObject::new("CiteInput")
            .description("A source that is cited.")
            .field(id("record", "Id of the record or part that the source speaks of."))
            .field(InputValue::new("citation", TypeRef::named_nn(citation)).description("What the source says."))
            .field(input::expected()),
        InputObject::new("UnciteInput")
            .description("A citation that is taken back.")
            .field(id("record", "Id of the record or part with the citation."))
            .field(text("key", "Key of the citation."))
            .field(input::expected()),
        InputObject::new("TagRecordInput")
            .description("A record and a topic.")
            .field(id("record", "Id of the record."))
            .field(id("topic", "Id or slug of the topic."))
            .field(input::expected()),
        InputObject::new("RecordIdentifierInput")
            .description("A record and an identifier of it.")
            .field(id("record", "Id of the record."))
            .field(text("scheme", "Register that gives the identifier, such as wikidata or adilet."))
            .field(text("value", "The identifier itself."))
            .field(input::expected()),
        InputObject::new("MergeInput")
            .description("Two records that are the same.")
            .field(id("from", "Id or slug of the record that goes."))
            .field(id("into", "Id or slug of the record that stays: its own values win over those of the other.")),
        InputObject::new("RevertInput")
            .description("A record and one of its changes.")
            .field(id("record", "Id of the record."))
            .field(
                InputValue::new("toRevision", TypeRef::named_nn(TypeRef::INT))
                    .description("Number of the change after which it was as it is to be again."),
            )
            .field(input::expected()),
        InputObject::new("WithholdInput").description("A person who is to be withheld.").field(id("person", "Id or slug of the person.")),
    ];
    inputs.into_iter().fold(builder, |builder, object| builder.register(object.field(input::message())))
}

pub(super) async fn write(store: &Store, caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let Some(mutation) = MUTATIONS.iter().find(|one| one.name == selection.name()) else {
        out.null();
        return Ok(());
    };
    let payload = match mutation.action {
        Action::Merge(ty) => payload::name(catalog().get(ty)),
        Action::Withhold => {
            caller.require(Role::Admin)?;
            payload::name(catalog().get(RecordType::Person))
        }
        _ => payload::ANY.to_owned(),
    };
    let members = input::members(&selection.argument(INPUT).unwrap_or_default());
    match run(store, caller, mutation.action, members).await {
        Ok(record) => payload::write(store, selection, &payload, Some(record), &[], out).await,
        Err(Stopped::Problems(problems)) => payload::write(store, selection, &payload, None, &problems, out).await,
        Err(Stopped::Failed(error)) => Err(error),
    }
}

async fn run(store: &Store, caller: &Caller, action: Action, mut members: Map<String, Json>) -> Result<(RecordType, Uuid), Stopped> {
    let author = author(caller, input::take_text(&mut members, MESSAGE));
    let expected = input::take_number(&mut members, EXPECTED);
    let mut text = |name| input::take_text(&mut members, name).unwrap_or_default();
    let (list, amendment, place) = match action {
        Action::Merge(ty) => {
            let from = resolve(store, ty, &text("from"), Origin::input(["from"])).await?;
            let into = resolve(store, ty, &text("into"), Origin::input(["into"])).await?;
            store.merge(ty, from, into, &author).await?;
            return Ok((ty, into));
        }
        Action::Withhold => {
            let id = resolve(store, RecordType::Person, &text("person"), Origin::input(["person"])).await?;
            store.withhold(id, &author).await?;
            return Ok((RecordType::Person, id));
        }
        Action::Revert => {
            let (ty, id) = any(&text("record"))?;
            if catalog().get(ty).shape != RecordKind::Record {
                return Err(wrong("this is the id of a part; go back with the record that it belongs to").into());
            }
            let number = input::take_number(&mut members, "toRevision").unwrap_or_default();
            store.revert(ty, id, number, expected, &author).await?;
            return Ok((ty, id));
        }
        Action::Cite => {
            let mut citation = members.remove("citation").unwrap_or_default();
            if let Some(source) = citation.get("source").and_then(Json::as_str) {
                let source = resolve(store, RecordType::Source, source, Origin::input(["citation", "source"])).await?;
                citation["source"] = json!(crate::core::id::encode(RecordType::Source.prefix(), source));
            }
            ("citations", ListPatch::Add(citation), "citation")
        }
        Action::Uncite => ("citations", ListPatch::Remove(json!({"key": text("key")})), "key"),
        Action::Tag | Action::Untag => {
            let topic = resolve(store, RecordType::Topic, &text("topic"), Origin::input(["topic"])).await?;
            let tag = json!({"topic": crate::core::id::encode(RecordType::Topic.prefix(), topic)});
            let amendment = if let Action::Tag = action { ListPatch::Add(tag) } else { ListPatch::Remove(tag) };
            ("topics", amendment, "topic")
        }
        Action::AddIdentifier | Action::RemoveIdentifier => {
            let identifier = json!({"scheme": text("scheme"), "value": text("value")});
            let is_added = matches!(action, Action::AddIdentifier);
            ("identifiers", if is_added { ListPatch::Add(identifier) } else { ListPatch::Remove(identifier) }, "value")
        }
    };
    let (ty, id) = any(&input::take_text(&mut members, "record").unwrap_or_default())?;
    store.patch_list(id, list, amendment, place, expected, &author).await?;
    Ok((ty, id))
}

fn wrong(message: impl Into<String>) -> InputProblem {
    InputProblem::new(Origin::input(["record"]), message).with_code(ProblemCode::Invalid)
}

/// The record or part that an id names.
fn any(text: &str) -> Result<(RecordType, Uuid), InputProblem> {
    let (prefix, id) = crate::core::id::decode(text).map_err(|error| wrong(format!("{error}; give the id of a record")))?;
    let ty = RecordType::from_prefix(prefix).filter(|ty| catalog().get(*ty).is_cited());
    Ok((ty.ok_or_else(|| wrong(format!("no record has ids that begin with {prefix}_")))?, id))
}

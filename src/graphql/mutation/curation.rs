//! Mutations that apply to records of several types: citations, topics, identifiers, merges and reverts.

use async_graphql::dynamic::{Field, InputObject, SchemaBuilder, TypeRef};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::RecordKind;
use crate::core::auth::Caller;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::graphql::global_id;
use crate::graphql::mutation::error::MutationError;
use crate::graphql::mutation::field::{author, mutation_field};
use crate::graphql::mutation::target::{problem_at, resolve, take_target};
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder::input_value;
use crate::graphql::schema::input;
use crate::graphql::schema::input::{EXPECTED_REVISION, MESSAGE};
use crate::graphql::schema::payload;
use crate::store::Store;
use crate::store::curation::patch::{ListPatch, PatchInput};
use crate::store::draft::{InputProblem, Origin, ProblemCode};
use crate::store::write::Author;

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
    UpdateCitation,
    RemoveCitation,
    AddTopic,
    RemoveTopic,
    AddIdentifier,
    RemoveIdentifier,
    Merge(RecordType),
    Revert,
}

const MUTATIONS: [Mutation; 11] = [
    Mutation {
        name: "addCitation",
        input: "AddCitationInput",
        doc: "Cites a source for a record or a part of one.",
        action: CurationAction::AddCitation,
    },
    Mutation {
        name: "updateCitation",
        input: "UpdateCitationInput",
        doc: "Updates the given fields of a citation.",
        action: CurationAction::UpdateCitation,
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
        doc: "Merges two records of a person. All links, names, identifiers, topics and citations move to one, to which the id and slug of the other redirect.",
        action: CurationAction::Merge(RecordType::Person),
    },
    Mutation {
        name: "mergeOrganizations",
        input: "MergeInput",
        doc: "Merges two records of an organization, as mergePeople does.",
        action: CurationAction::Merge(RecordType::Organization),
    },
    Mutation {
        name: "mergeSources",
        input: "MergeInput",
        doc: "Merges two records of a source, as mergePeople does.",
        action: CurationAction::Merge(RecordType::Source),
    },
    Mutation {
        name: "revert",
        input: "RevertInput",
        doc: "Restores a record to an earlier revision, also after its deletion. A revert is itself a change and can be reverted.",
        action: CurationAction::Revert,
    },
];

impl CurationAction {
    /// Name of the payload.
    fn payload(self) -> String {
        match self {
            Self::Merge(ty) => payload::name(catalog().get(ty)),
            Self::AddCitation
            | Self::UpdateCitation
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
    let named = |name: &str, doc: &str, record: &str| {
        let object = InputObject::new(name).description(doc);
        input::record_or_reference(record).into_iter().fold(object, InputObject::field)
    };
    let part = || {
        let doc = "Path of the part by its key, if not the record itself is cited, such as parties[ilyashev].";
        input_value("part", TypeRef::named(TypeRef::STRING), doc)
    };
    let inputs = [
        named("AddCitationInput", "A citation to add.", "Id of the cited record or part.")
            .field(part())
            .field(input_value(
                "citation",
                TypeRef::named_nn(citation),
                "The citation. Its source can be a URL, which makes a source if none has it.",
            ))
            .field(input::expected_revision()),
        input::with_fields(
            named(
                "UpdateCitationInput",
                "Changes to a citation. Omitted fields stay as they are, and null clears a field.",
                "Id of the cited record or part.",
            )
            .field(part())
            .field(text("key", "Key of the citation.")),
            catalog().get(RecordType::Citation),
            input::Purpose::Update,
            &["key"],
        )
        .field(input::expected_revision()),
        named("RemoveCitationInput", "A citation to remove.", "Id of the cited record or part.")
            .field(part())
            .field(text("key", "Key of the citation."))
            .field(input::expected_revision()),
        named("RecordTopicInput", "A record and a topic.", "Id of the record.")
            .field(id("topic", "Id or slug of the topic."))
            .field(input::expected_revision()),
        named("RecordIdentifierInput", "A record and an identifier.", "Id of the record.")
            .field(text("scheme", "Register of the identifier, such as wikidata or adilet."))
            .field(text("value", "The identifier."))
            .field(input::expected_revision()),
        InputObject::new("MergeInput")
            .description("Two records to merge.")
            .field(id("from", "Id or slug of the record to remove."))
            .field(id("into", "Id or slug of the record to keep; its values take precedence.")),
        named("RevertInput", "A record and the revision to restore.", "Id of the record.")
            .field(input_value("toRevision", TypeRef::named_nn(TypeRef::INT), "Revision to restore."))
            .field(input::expected_revision()),
    ];
    inputs.into_iter().fold(builder, |builder, object| builder.register(object.field(input::message())))
}

pub(super) async fn execute(store: &Store, caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let mutation = MUTATIONS.iter().find(|mutation| mutation.name == selection.name());
    let mutation = mutation.ok_or_else(|| internal(format!("the mutation {} is not executed anywhere", selection.name())))?;
    let payload = mutation.action.payload();
    match apply(store, caller, mutation.action, input::members(selection)?).await {
        Ok(record) => payload::write(store, selection, &payload, Some(record), &[], out).await,
        Err(error) => payload::write(store, selection, &payload, None, &error.into_problems(selection)?, out).await,
    }
}

async fn apply(
    store: &Store,
    caller: &Caller,
    action: CurationAction,
    mut members: Map<String, Json>,
) -> Result<(RecordType, Uuid), MutationError> {
    let author = author(caller, input::take_text(&mut members, MESSAGE)?);
    match action {
        CurationAction::Merge(ty) => merge(store, ty, members, &author).await,
        CurationAction::Revert => {
            let expected = input::take_integer(&mut members, EXPECTED_REVISION)?;
            let target = take_target(store, &mut members).await?;
            let (ty, id) = target.found.clone()?;
            if catalog().get(ty).kind != RecordKind::Record {
                let message = "this is the id of a part; revert the record that contains it";
                return Err(problem_at(target.argument, message, ProblemCode::Invalid).into());
            }
            let number = input::take_integer(&mut members, "toRevision")?.ok_or_else(|| input::not_coerced("toRevision"))?;
            let reverted = store.revert(ty, id, number, expected, &author).await;
            reverted.map_err(|error| error.map_problems(|problems| target.relocate(problems)))?;
            Ok((ty, id))
        }
        CurationAction::AddCitation
        | CurationAction::UpdateCitation
        | CurationAction::RemoveCitation
        | CurationAction::AddTopic
        | CurationAction::RemoveTopic
        | CurationAction::AddIdentifier
        | CurationAction::RemoveIdentifier => patch(store, action, members, &author).await,
    }
}

async fn merge(
    store: &Store,
    ty: RecordType,
    mut members: Map<String, Json>,
    author: &Author,
) -> Result<(RecordType, Uuid), MutationError> {
    let [from_name, into_name] = ["from", "into"].map(|name| input::take_required_text(&mut members, name));
    let from = resolve(store, ty, &from_name?, Origin::input(["from"])).await?;
    let into = resolve(store, ty, &into_name?, Origin::input(["into"])).await?;
    let problems: Vec<InputProblem> = match (from, into) {
        (Ok(from), Ok(into)) => {
            store.merge(ty, from, into, author).await?;
            return Ok((ty, into));
        }
        (Err(problem), Err(other)) => vec![problem, other],
        (Err(problem), Ok(into)) => std::iter::once(problem).chain(store.unknown_id_problem(ty, into, "into").await?).collect(),
        (Ok(from), Err(problem)) => store.unknown_id_problem(ty, from, "from").await?.into_iter().chain([problem]).collect(),
    };
    Err(MutationError::Invalid(problems))
}

/// Adds or removes one entry of a list.
async fn patch(
    store: &Store,
    action: CurationAction,
    mut members: Map<String, Json>,
    author: &Author,
) -> Result<(RecordType, Uuid), MutationError> {
    let expected_revision = input::take_integer(&mut members, EXPECTED_REVISION)?;
    let mut problems = Vec::new();
    let named = take_target(store, &mut members).await?;
    let target = match &named.found {
        Ok(target) => Some(*target),
        Err(problem) => {
            problems.push(problem.clone());
            None
        }
    };
    let input = |list, patch, part, members: Origin, problems| PatchInput {
        target: target.map(|(_, id)| id),
        list,
        patch,
        part: Origin::input([part]),
        members,
        expected_revision,
        problems,
    };
    let input = match action {
        CurationAction::AddCitation => {
            let mut citation = input::take_object(&mut members, "citation")?;
            resolve_source(store, &mut citation).await?;
            input("citations", Some(ListPatch::Add(Json::Object(citation))), "citation", Origin::input(["citation"]), problems)
        }
        CurationAction::UpdateCitation => {
            let key = input::take_required_text(&mut members, "key")?;
            resolve_source(store, &mut members).await?;
            input("citations", Some(ListPatch::Update(key, members)), "key", Origin::input([]), problems)
        }
        CurationAction::RemoveCitation => {
            let key = input::take_required_text(&mut members, "key")?;
            input("citations", Some(ListPatch::Remove(json!({"key": key}))), "key", Origin::input([]), problems)
        }
        CurationAction::AddTopic | CurationAction::RemoveTopic => {
            let name = input::take_required_text(&mut members, "topic")?;
            let found = resolve(store, RecordType::Topic, &name, Origin::input(["topic"])).await?;
            let tag = found.map(|topic| json!({"topic": global_id::encode(RecordType::Topic, topic)}));
            let is_added = matches!(action, CurationAction::AddTopic);
            let patch = match tag {
                Ok(tag) => Some(if is_added { ListPatch::Add(tag) } else { ListPatch::Remove(tag) }),
                Err(problem) => {
                    problems.push(problem);
                    None
                }
            };
            input("topics", patch, "topic", Origin::input([]), problems)
        }
        CurationAction::AddIdentifier => {
            input("identifiers", Some(ListPatch::Add(take_identifier(&mut members)?)), "value", Origin::input([]), problems)
        }
        CurationAction::RemoveIdentifier => {
            input("identifiers", Some(ListPatch::Remove(take_identifier(&mut members)?)), "value", Origin::input([]), problems)
        }
        CurationAction::Merge(_) | CurationAction::Revert => {
            return Err(internal("this mutation does not patch a list").into());
        }
    };
    let patched = store.patch_list(input, author).await;
    patched.map_err(|error| error.map_problems(|problems| named.relocate(problems)))?;
    target.ok_or_else(|| internal("a patch without a record was written").into())
}

/// Replaces the slug of the source of a citation by its id. A source that is not found stays as it is given, and the store
/// reports it with the other references.
async fn resolve_source(store: &Store, citation: &mut Map<String, Json>) -> Result<()> {
    if let Some(source) = citation.get("source").and_then(Json::as_str)
        && let Ok(source) = resolve(store, RecordType::Source, source, Origin::default()).await?
    {
        citation.insert("source".to_owned(), json!(global_id::encode(RecordType::Source, source)));
    }
    Ok(())
}

fn take_identifier(members: &mut Map<String, Json>) -> Result<Json> {
    let [scheme, value] = ["scheme", "value"].map(|name| input::take_required_text(members, name));
    Ok(json!({"scheme": scheme?, "value": value?}))
}

//! Mutations that every record has: create, update, upsert, delete, publish and unpublish.

use std::collections::HashMap;
use std::sync::LazyLock;

use async_graphql::dynamic::{Field, InputObject, InputValue, SchemaBuilder, TypeRef};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::INPUT;
use super::Stopped;
use super::author;
use super::mutation;
use crate::catalog::catalog;
use crate::catalog::record::{Record, RecordKind};
use crate::core::auth::Caller;
use crate::core::error::Result;
use crate::entity::RecordType;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::input;
use crate::graphql::schema::input::For;
use crate::graphql::schema::payload;
use crate::store::Store;
use crate::store::draft::{Draft, InputProblem, Origin, ProblemCode, WriteMode, WriteTarget};

const TARGET: &str = "RecordInput";

/// What is done to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Update,
    Upsert,
    Delete,
    Publish,
    Unpublish,
}

impl Action {
    const ALL: [(Self, &str); 6] = [
        (Self::Create, "create"),
        (Self::Update, "update"),
        (Self::Upsert, "upsert"),
        (Self::Delete, "delete"),
        (Self::Publish, "publish"),
        (Self::Unpublish, "unpublish"),
    ];
}

/// The mutation of this name, if it is one of a record.
pub(super) fn find(name: &str) -> Option<(Action, &'static Record)> {
    static MUTATIONS: LazyLock<HashMap<String, (Action, &'static Record)>> = LazyLock::new(|| {
        let records = catalog().all().filter(|record| record.shape == RecordKind::Record);
        let all = records.flat_map(|record| Action::ALL.map(|(action, verb)| (format!("{verb}{}", record.name()), (action, record))));
        all.collect()
    });
    MUTATIONS.get(name).copied()
}

pub(super) fn fields() -> Vec<Field> {
    let records = catalog().all().filter(|record| record.shape == RecordKind::Record);
    let all = records.flat_map(|record| Action::ALL.map(|(action, verb)| self::field(record, action, verb)));
    all.collect()
}

fn field(record: &Record, action: Action, verb: &str) -> Field {
    let this = record.singular();
    let (input, payload, doc) = match action {
        Action::Create => (input::name(record, For::Create), payload::name(record), format!("Makes a {this}.")),
        Action::Update => (
            input::name(record, For::Update),
            payload::name(record),
            format!("Changes a {this}: only the fields that are given, and null clears one."),
        ),
        Action::Upsert => (
            input::name(record, For::Upsert),
            payload::name(record),
            format!("Makes or changes a {this}, found by its slug, or without one by an identifier. The same again changes nothing."),
        ),
        Action::Delete => (
            TARGET.to_owned(),
            payload::DELETED.to_owned(),
            format!("Deletes a {this}. It is refused while others refer to it. Its id is never given again, and revert can bring it back."),
        ),
        Action::Publish => (TARGET.to_owned(), payload::name(record), format!("Publishes a {this}: readers see it from now on.")),
        Action::Unpublish => (
            TARGET.to_owned(),
            payload::name(record),
            format!("Takes a {this} back: it is a draft again, and readers see neither it nor its history."),
        ),
    };
    mutation(format!("{verb}{}", record.name()), input, payload, doc)
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    builder.register(
        InputObject::new(TARGET)
            .description("A record that something is done to.")
            .field(InputValue::new(input::ID, TypeRef::named_nn(TypeRef::ID)).description("Id or slug of the record."))
            .field(input::expected())
            .field(input::message()),
    )
}

pub(super) async fn write(
    store: &Store,
    caller: &Caller,
    action: Action,
    record: &'static Record,
    selection: &Selection<'_>,
    out: &mut JsonWriter<'_>,
) -> Result<()> {
    let payload = if action == Action::Delete { payload::DELETED.to_owned() } else { payload::name(record) };
    let members = input::members(&selection.argument(INPUT).unwrap_or_default());
    match run(store, caller, action, record, members).await {
        Ok(id) => payload::write(store, selection, &payload, Some((record.ty, id)), &[], out).await,
        Err(Stopped::Problems(problems)) => payload::write(store, selection, &payload, None, &problems, out).await,
        Err(Stopped::Failed(error)) => Err(error),
    }
}

async fn run(
    store: &Store,
    caller: &Caller,
    action: Action,
    record: &'static Record,
    mut members: Map<String, Json>,
) -> Result<Uuid, Stopped> {
    let author = author(caller, input::take_text(&mut members, input::MESSAGE));
    let revision = input::take_number(&mut members, input::EXPECTED);
    let target = input::take_text(&mut members, input::ID);
    let id = match &target {
        Some(name) => Some(resolve(store, record.ty, name, Origin::input(["id"])).await?),
        None => None,
    };
    let mode = match action {
        Action::Create => WriteMode::Create,
        Action::Upsert => WriteMode::Upsert,
        Action::Update | Action::Delete | Action::Publish | Action::Unpublish => WriteMode::Update,
    };
    if let (Action::Delete, Some(id)) = (action, id) {
        store.delete(record.ty, id, revision, &author).await?;
        return Ok(id);
    }
    if matches!(action, Action::Publish | Action::Unpublish) {
        members.insert("published".to_owned(), json!(action == Action::Publish));
    }
    let draft = input::draft(record, members, &Origin::input([])).map_err(Stopped::Problems)?;
    let draft = Draft { target: WriteTarget { mode, id, expected_revision: revision, ..WriteTarget::default() }, ..draft };
    let outcome = store.write(&vec![(record.ty, vec![draft])], &author, |_| {}).await?;
    match outcome.records.first() {
        Some(written) => Ok(written.id),
        None => Err(Stopped::Problems(Vec::new())),
    }
}

/// The id of a record that is named by its id or its slug.
pub(super) async fn resolve(store: &Store, ty: RecordType, name: &str, origin: Origin) -> Result<Uuid, Stopped> {
    let this = catalog().get(ty).singular();
    let wrong = |message: String, fault| InputProblem::new(origin.clone(), message).with_code(fault);
    if !name.contains('_') {
        let found = store.find_id(ty, name).await?;
        return Ok(found.ok_or_else(|| wrong(format!("there is no {this} with the slug \"{name}\""), ProblemCode::NotFound))?);
    }
    match crate::core::id::decode(name) {
        Ok((prefix, id)) if prefix == ty.prefix() => Ok(id),
        Ok((prefix, _)) => Err(wrong(
            format!("this is the id of something else ({prefix}); the id of a {this} begins with {}_", ty.prefix()),
            ProblemCode::Invalid,
        )
        .into()),
        Err(error) => Err(wrong(format!("{error}; give the id or the slug of a {this}"), ProblemCode::Invalid).into()),
    }
}

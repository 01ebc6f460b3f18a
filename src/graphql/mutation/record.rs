//! Mutations of every record type: create, update, upsert, delete, publish and unpublish.

use std::collections::HashMap;
use std::sync::LazyLock;

use async_graphql::dynamic::{Field, InputObject, SchemaBuilder, TypeRef};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::{Record, RecordKind};
use crate::core::auth::Caller;
use crate::core::error::{Result, internal};
use crate::graphql::mutation::error::MutationError;
use crate::graphql::mutation::field::{author, mutation_field};
use crate::graphql::mutation::target::resolve;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder::input_value;
use crate::graphql::schema::input;
use crate::graphql::schema::input::Purpose;
use crate::graphql::schema::names;
use crate::graphql::schema::payload;
use crate::store::Store;
use crate::store::draft::{Origin, WriteMode, WriteTarget};

const TARGET_INPUT: &str = "RecordInput";

/// What a mutation does to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordAction {
    Create,
    Update,
    Upsert,
    Delete,
    Publish,
    Unpublish,
}

impl RecordAction {
    const ALL: [(Self, &str); 6] = [
        (Self::Create, "create"),
        (Self::Update, "update"),
        (Self::Upsert, "upsert"),
        (Self::Delete, "delete"),
        (Self::Publish, "publish"),
        (Self::Unpublish, "unpublish"),
    ];
}

/// Finds the action and the record type of a mutation by its name.
pub(super) fn find(name: &str) -> Option<(RecordAction, &'static Record)> {
    static MUTATIONS: LazyLock<HashMap<String, (RecordAction, &'static Record)>> = LazyLock::new(|| {
        let records = catalog().all().filter(|record| record.kind == RecordKind::Record);
        let all = records.flat_map(|record| RecordAction::ALL.map(|(action, verb)| (format!("{verb}{}", record.name()), (action, record))));
        all.collect()
    });
    MUTATIONS.get(name).copied()
}

pub(super) fn fields() -> Vec<Field> {
    let records = catalog().all().filter(|record| record.kind == RecordKind::Record);
    let all = records.flat_map(|record| RecordAction::ALL.map(|(action, verb)| self::field(record, action, verb)));
    all.collect()
}

fn field(record: &Record, action: RecordAction, verb: &str) -> Field {
    let this = names::a(record);
    let (input, payload, doc) = match action {
        RecordAction::Create => (input::name(record, Purpose::Create), payload::name(record), format!("Creates {this}.")),
        RecordAction::Update => {
            (input::name(record, Purpose::Update), payload::name(record), format!("Updates the given fields of {this}."))
        }
        RecordAction::Upsert => (
            input::name(record, Purpose::Upsert),
            payload::name(record),
            format!("Creates or updates {this}, found by slug, else by identifier. Idempotent."),
        ),
        RecordAction::Delete => {
            (TARGET_INPUT.to_owned(), payload::DELETE.to_owned(), format!("Deletes {this} that no record refers to; revert restores it."))
        }
        RecordAction::Publish => (TARGET_INPUT.to_owned(), payload::name(record), format!("Publishes {this} to readers.")),
        RecordAction::Unpublish => (TARGET_INPUT.to_owned(), payload::name(record), format!("Hides {this} and its history from readers.")),
    };
    mutation_field(format!("{verb}{}", record.name()), input, payload, doc)
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    builder.register(
        InputObject::new(TARGET_INPUT)
            .description("Target of a delete, publish or unpublish mutation.")
            .field(input_value(input::ID, TypeRef::named_nn(TypeRef::ID), "Id or slug of the record."))
            .field(input::expected_revision())
            .field(input::message()),
    )
}

pub(super) async fn execute(
    store: &Store,
    caller: &Caller,
    action: RecordAction,
    record: &'static Record,
    selection: &Selection<'_>,
    out: &mut JsonWriter<'_>,
) -> Result<()> {
    let payload = if action == RecordAction::Delete { payload::DELETE.to_owned() } else { payload::name(record) };
    match apply(store, caller, action, record, input::members(selection)?).await {
        Ok(id) => payload::write(store, selection, &payload, id.map(|id| (record.ty, id)), &[], out).await,
        Err(error) => payload::write(store, selection, &payload, None, &error.into_problems(selection)?, out).await,
    }
}

/// Returns the id of the record, if the response may show it.
async fn apply(
    store: &Store,
    caller: &Caller,
    action: RecordAction,
    record: &'static Record,
    mut members: Map<String, Json>,
) -> Result<Option<Uuid>, MutationError> {
    let author = author(caller, input::take_text(&mut members, input::MESSAGE)?);
    let expected_revision = input::take_integer(&mut members, input::EXPECTED_REVISION)?;
    let keeps_cited_parts = !input::take_choice(&mut members, input::REPLACE)?.unwrap_or(false);
    let mode = match action {
        RecordAction::Create => WriteMode::Create,
        RecordAction::Upsert => WriteMode::Upsert,
        RecordAction::Update | RecordAction::Delete | RecordAction::Publish | RecordAction::Unpublish => WriteMode::Update,
    };
    let found = match mode {
        WriteMode::Update => {
            let name = input::take_required_text(&mut members, input::ID)?;
            Some(resolve(store, record.ty, &name, Origin::input(["id"])).await?)
        }
        WriteMode::Create | WriteMode::Upsert | WriteMode::Exact => None,
    };
    let (id, problem) = match found.transpose() {
        Ok(id) => (id, None),
        Err(problem) => (None, Some(problem)),
    };
    match action {
        RecordAction::Delete => {
            let id = id.ok_or_else(|| MutationError::Invalid(problem.into_iter().collect()))?;
            store.delete(record.ty, id, expected_revision, &author).await?;
            return Ok(Some(id));
        }
        RecordAction::Publish | RecordAction::Unpublish => {
            members.insert("published".to_owned(), json!(action == RecordAction::Publish));
        }
        RecordAction::Create | RecordAction::Update | RecordAction::Upsert => {}
    }
    let mut draft = input::parse_draft(record, members, &Origin::input([]));
    draft.target = WriteTarget { mode, id, expected_revision, keeps_cited_parts, ..WriteTarget::default() };
    draft.is_unidentified |= problem.is_some();
    draft.problems.extend(problem);
    let summary = store.write(&vec![(record.ty, vec![draft])], &author, |_| {}).await?;
    // an import reports it as a warning, but a mutation of one record that writes nothing has failed
    if mode == WriteMode::Upsert && summary.created + summary.updated == 0 && !summary.warnings.is_empty() {
        return Err(MutationError::Invalid(summary.warnings));
    }
    let written = summary.records.first().ok_or_else(|| internal("the record was neither written nor rejected"))?;
    Ok(written.is_shown.then_some(written.id))
}

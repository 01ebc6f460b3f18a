//! Mutations of single parts of records: `addCaseEvent`, `updateCaseEvent`, `removeCaseEvent` and their likes for every type
//! of part that belongs to one type of record.

use std::collections::HashMap;
use std::sync::LazyLock;

use async_graphql::dynamic::{Field, InputObject, SchemaBuilder, TypeRef};
use serde_json::{Map, Value as Json};

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::auth::Caller;
use crate::core::error::Result;
use crate::graphql::mutation::error::MutationError;
use crate::graphql::mutation::field::{author, mutation_field};
use crate::graphql::mutation::target::resolve_by;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::selection::Selection;
use crate::graphql::query::by_name;
use crate::graphql::schema::builder::input_value;
use crate::graphql::schema::input;
use crate::graphql::schema::input::Purpose;
use crate::graphql::schema::names;
use crate::graphql::schema::payload;
use crate::graphql::schema::payload::Written;
use crate::store::Store;
use crate::store::draft::Origin;
use crate::store::write::part_change::{ChangedPart, PartChange, PartChangeInput, owner_of};

const PART: &str = "part";

/// What a mutation does to a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PartAction {
    Add,
    Update,
    Remove,
}

/// A mutation of a part.
#[derive(Debug, Clone, Copy)]
pub(super) struct PartMutation {
    action: PartAction,
    part: &'static Record,
    owner: &'static Record,
}

impl PartMutation {
    /// The mutations of all types of parts, in the order of the declarations. A part of a single value is not updated.
    fn all() -> impl Iterator<Item = Self> {
        let parts = catalog().all().filter_map(|part| Some((part, owner_of(part)?)));
        parts.flat_map(|(part, owner)| {
            let is_updated = input::single_value(part).is_none();
            let actions = [PartAction::Add, PartAction::Update, PartAction::Remove].into_iter();
            let actions = actions.filter(move |action| is_updated || *action != PartAction::Update);
            actions.map(move |action| Self { action, part, owner })
        })
    }

    fn name(self) -> String {
        let verb = match self.action {
            PartAction::Add => "add",
            PartAction::Update => "update",
            PartAction::Remove => "remove",
        };
        format!("{verb}{}", self.part.name())
    }

    fn input(self) -> String {
        match self.action {
            PartAction::Add => format!("Add{}Input", self.part.name()),
            PartAction::Update => format!("Update{}Input", self.part.name()),
            PartAction::Remove => format!("Remove{}PartInput", self.owner.name()),
        }
    }

    fn field(self) -> Field {
        let (this, owner) = (names::a(self.part), names::a(self.owner));
        let doc = match self.action {
            PartAction::Add => format!("Adds {this} to {owner}, after those it has."),
            PartAction::Update => format!("Updates the given fields of {this}."),
            PartAction::Remove if self.part.is_cited() => format!("Removes {this}, with its citations."),
            PartAction::Remove => format!("Removes {this}."),
        };
        mutation_field(self.name(), self.input(), payload::name(self.owner), doc)
    }

    /// The input type. The mutations that remove parts of one type of record share theirs.
    fn input_type(self) -> InputObject {
        let singular = self.owner.singular();
        let owner = names::singular(self.owner);
        let doc = match self.action {
            PartAction::Add => format!("{} to add.", names::capitalized(&names::a(self.part))),
            PartAction::Update => format!("Changes to {}, as in Update{}Input.", names::a(self.part), self.owner.name()),
            PartAction::Remove => format!("A part of {} to remove.", names::a(self.owner)),
        };
        let by = input_value(singular, TypeRef::named_nn(by_name(self.owner)), format!("The {owner}."));
        let part = || input_value(PART, TypeRef::named_nn(TypeRef::ID), "Key or id of the part.");
        let object = InputObject::new(self.input()).description(doc).field(by);
        let object = match self.action {
            PartAction::Add => {
                let doc = format!("The {}.", names::singular(self.part));
                object.field(input_value(self.part.singular(), input::part_type(self.part), doc))
            }
            PartAction::Update => input::with_fields(object.field(part()), self.part, Purpose::Update, &[]),
            PartAction::Remove => object.field(part()),
        };
        object.field(input::expected_revision()).field(input::message())
    }
}

/// Finds a mutation by its name.
pub(super) fn find(name: &str) -> Option<PartMutation> {
    static MUTATIONS: LazyLock<HashMap<String, PartMutation>> =
        LazyLock::new(|| PartMutation::all().map(|mutation| (mutation.name(), mutation)).collect());
    MUTATIONS.get(name).copied()
}

pub(super) fn fields() -> impl Iterator<Item = Field> {
    PartMutation::all().map(PartMutation::field)
}

pub(super) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    let mut registered = Vec::new();
    for mutation in PartMutation::all() {
        let name = mutation.input();
        if !registered.contains(&name) {
            builder = builder.register(mutation.input_type());
            registered.push(name);
        }
    }
    builder
}

pub(super) async fn execute(
    store: &Store,
    caller: &Caller,
    mutation: PartMutation,
    selection: &Selection<'_>,
    out: &mut JsonWriter<'_>,
) -> Result<()> {
    let (written, problems) = match apply(store, caller, mutation, input::members(selection)?).await {
        Ok(ChangedPart { record, part }) => {
            let part = part.filter(|_| mutation.part.is_cited()).map(|id| (mutation.part.ty, id));
            (Written { record: Some((mutation.owner.ty, record)), part }, Vec::new())
        }
        Err(error) => (Written::default(), error.into_problems(selection)?),
    };
    payload::write_with(store, selection, &payload::name(mutation.owner), written, &problems, out, |_, _| false).await
}

async fn apply(
    store: &Store,
    caller: &Caller,
    mutation: PartMutation,
    mut members: Map<String, Json>,
) -> Result<ChangedPart, MutationError> {
    let PartMutation { action, part, owner } = mutation;
    let author = author(caller, input::take_text(&mut members, input::MESSAGE)?);
    let expected_revision = input::take_integer(&mut members, input::EXPECTED_REVISION)?;
    let singular = owner.singular();
    let by = input::take_object(&mut members, &singular)?;
    let (record, argument) = resolve_by(store, owner.ty, by, Origin::input([]).child(singular, None)).await?;
    let (change, members) = match action {
        PartAction::Add => {
            let name = part.singular();
            let value = input::take_required(&mut members, &name)?;
            (PartChange::Add(value), Origin::input([]).child(name, None))
        }
        PartAction::Update => {
            let name = input::take_required_text(&mut members, PART)?;
            (PartChange::Update(name, members), Origin::input([]))
        }
        PartAction::Remove => (PartChange::Remove(input::take_required_text(&mut members, PART)?), Origin::input([])),
    };
    let input = PartChangeInput { ty: part.ty, record, argument, change, members, expected_revision };
    Ok(store.change_part(input, &author).await?)
}

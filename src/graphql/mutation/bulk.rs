//! `importRecords`: many records of any types in one transaction.

use async_graphql::Value;
use async_graphql::dynamic::{Enum, EnumItem, Field, InputObject, InputValue, Object, SchemaBuilder, TypeRef};
use serde_json::{Map, Value as Json};

use super::{INPUT, author, mutation};
use crate::catalog::catalog;
use crate::catalog::record::{Record, RecordKind};
use crate::core::auth::Caller;
use crate::core::error::{Result, bad_input};
use crate::entity::RecordType;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::{Selection, below};
use crate::graphql::schema::input;
use crate::graphql::schema::input::{For, MESSAGE};
use crate::graphql::schema::object::{RECORD, field};
use crate::graphql::schema::payload;
use crate::graphql::schema::payload::Errors;
use crate::store::Store;
use crate::store::draft::{Draft, InputProblem, WriteTarget};
use crate::store::write::{Drafts, TransactionEnd, WriteAction, WriteError, WrittenRecord};

pub(super) const NAME: &str = "importRecords";
const IMPORT: &str = "ImportRecordsInput";
const ONE: &str = "ImportRecordInput";
const POLICY: &str = "ImportErrorPolicy";
const PAYLOAD: &str = "ImportRecordsPayload";
const RESULT: &str = "ImportResult";
const OUTCOME: &str = "ImportOutcome";
/// Records that one call takes at most.
const MOST: usize = 1_000;

const OUTCOMES: [(&str, &str); 5] = [
    ("CREATED", "It is new."),
    ("UPDATED", "It changed."),
    ("UNCHANGED", "It was the same already."),
    ("FAILED", "Something is wrong with it: see errors."),
    ("SKIPPED", "Nothing is wrong with it, but with others, and nothing was written."),
];

pub(super) fn fields() -> Vec<Field> {
    let doc = "Makes or changes many records of any types, at most 1,000: each is found by its slug, or without one by an identifier. They can refer to each other by their slugs, in any order. All are written in one transaction, and the same again changes nothing.";
    vec![mutation(NAME, IMPORT, PAYLOAD, doc)]
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let records = catalog().all().filter(|record| record.shape == RecordKind::Record);
    let one = records.fold(InputObject::new(ONE).oneof().description("A record of any type."), |one, record| {
        let ty = TypeRef::named(input::name(record, For::Upsert));
        one.field(InputValue::new(record.singular(), ty).description(record.doc))
    });
    let policy = Enum::new(POLICY)
        .description("What becomes of the others where something is wrong with some records.")
        .item(EnumItem::new("STOP").description("Nothing is written."))
        .item(EnumItem::new("SKIP").description("The others are written, as far as they do not need those."));
    let import = InputObject::new(IMPORT)
        .description("Records to be imported.")
        .field(InputValue::new("records", TypeRef::named_nn_list_nn(ONE)).description("The records, at most 1,000."))
        .field(
            InputValue::new("dryRun", TypeRef::named(TypeRef::BOOLEAN))
                .description("Whether only to find out what would be done: nothing is written."),
        )
        .field(InputValue::new("onError", TypeRef::named(POLICY)).description("What becomes of the others; STOP where it is not given."))
        .field(input::message());
    let outcome = OUTCOMES.iter().fold(Enum::new(OUTCOME).description("What became of a record."), |outcome, (name, doc)| {
        outcome.item(EnumItem::new(*name).description(*doc))
    });
    let result = Object::new(RESULT)
        .description("What became of one record of an import.")
        .field(field("index", TypeRef::named_nn(TypeRef::INT), "Its place among the records that were given, counted from 0."))
        .field(field("outcome", TypeRef::named_nn(OUTCOME), "What became of it."))
        .field(field("record", TypeRef::named(RECORD), "The record as it is now; nothing where it was not written."))
        .field(payload::errors());
    let number = |name: &str, doc: &str| field(name, TypeRef::named_nn(TypeRef::INT), doc);
    let payload = Object::new(PAYLOAD)
        .description("What an import did.")
        .field(number("created", "Number of records that are new."))
        .field(number("updated", "Number of records that changed."))
        .field(number("unchanged", "Number of records that were the same already."))
        .field(number("failed", "Number of records with errors."))
        .field(field("results", TypeRef::named_nn_list_nn(RESULT), "Each record, in the order in which they were given."))
        .field(payload::errors());
    builder.register(one).register(policy).register(import).register(outcome).register(result).register(payload)
}

/// What became of one record.
#[derive(Debug, Clone, Default)]
struct Became {
    written: Option<WrittenRecord>,
    problems: Vec<InputProblem>,
}

impl Became {
    fn outcome(&self) -> &'static str {
        match self.written.map(|written| written.action) {
            _ if !self.problems.is_empty() => "FAILED",
            Some(WriteAction::Created) => "CREATED",
            Some(WriteAction::Updated) => "UPDATED",
            Some(WriteAction::Unchanged) => "UNCHANGED",
            None => "SKIPPED",
        }
    }
}

pub(super) async fn write(store: &Store, caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let mut members = match selection.argument(INPUT) {
        Some(Value::Object(members)) => members,
        _ => return Err(bad_input(INPUT, "give the records to import")),
    };
    let dry_run = members.swap_remove("dryRun") == Some(Value::Boolean(true));
    let skip = matches!(members.swap_remove("onError"), Some(Value::Enum(policy)) if policy == "SKIP");
    let message = match members.swap_remove(MESSAGE) {
        Some(Value::String(message)) => Some(message),
        _ => None,
    };
    let records = match members.swap_remove("records") {
        Some(Value::List(records)) => records,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    if records.len() > MOST {
        return Err(bad_input("input.records", format_args!("{} records are too many; give at most {MOST} in one call", records.len())));
    }
    let mut became = vec![Became::default(); records.len()];
    let mut drafts: Vec<(usize, RecordType, Draft)> = Vec::with_capacity(records.len());
    for (index, value) in records.iter().enumerate() {
        match read(value, index) {
            Ok((record, draft)) => drafts.push((index, record.ty, draft)),
            Err(problems) => became[index].problems = problems,
        }
    }
    let stopped = !skip && became.iter().any(|became| !became.problems.is_empty());
    if !stopped {
        let ending = if dry_run { TransactionEnd::Rollback } else { TransactionEnd::Commit };
        import(store, caller, message, drafts, ending, skip, &mut became).await?;
    }
    show(store, selection, &became, dry_run, out).await
}

/// Writes what can be written: where something is wrong with some, the others, or none.
async fn import(
    store: &Store,
    caller: &Caller,
    message: Option<String>,
    mut drafts: Vec<(usize, RecordType, Draft)>,
    ending: TransactionEnd,
    skip: bool,
    became: &mut [Became],
) -> Result<()> {
    let author = author(caller, message);
    while !drafts.is_empty() {
        let given: Drafts = drafts.iter().map(|(_, ty, draft)| (*ty, vec![draft.clone()])).collect();
        match store.write_or_try(&given, &author, ending, |_| {}).await {
            Ok(outcome) => {
                for ((index, ..), written) in drafts.iter().zip(outcome.records) {
                    became[*index].written = Some(written);
                }
                return Ok(());
            }
            Err(WriteError::Failed(error)) => return Err(error),
            Err(WriteError::Problems(problems)) => {
                let before = drafts.len();
                for problem in problems {
                    let index =
                        drafts.iter().find(|(_, _, draft)| problem.origin.path.starts_with(&draft.origin.path)).map(|found| found.0);
                    became[index.unwrap_or_default()].problems.push(problem);
                }
                drafts.retain(|(index, ..)| became[*index].problems.is_empty());
                if !skip || drafts.len() == before {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn read(value: &Value, index: usize) -> Result<(&'static Record, Draft), Vec<InputProblem>> {
    let mut members = input::members(value).into_iter().filter(|(_, value)| !value.is_null());
    let (name, fields) = members.next().unwrap_or_default();
    let origin = crate::store::draft::Origin::input(["records"]).child(index, None).child(name.clone(), None);
    let record = catalog().all().find(|record| record.shape == RecordKind::Record && record.singular() == name);
    let (Some(record), Json::Object(mut fields)) = (record, fields) else {
        return Err(vec![InputProblem::new(origin, "this is no record; give one as {person: {...}}")]);
    };
    let revision = input::take_number(&mut fields, input::EXPECTED);
    let fields: Map<String, Json> = fields;
    let draft = input::draft(record, fields, &origin)?;
    Ok((record, Draft { target: WriteTarget { expected_revision: revision, ..WriteTarget::default() }, ..draft }))
}

async fn show(store: &Store, selection: &Selection<'_>, became: &[Became], dry_run: bool, out: &mut JsonWriter<'_>) -> Result<()> {
    let count = |outcome| became.iter().filter(|became| became.outcome() == outcome).count();
    let mut fields: Fields<Vec<u8>> = Fields::new();
    for selected in below(std::slice::from_ref(selection), &[PAYLOAD]) {
        let mut part = JsonWriter::new(out.languages);
        match selected.name() {
            "results" => results(store, &selected, became, dry_run, &mut part).await?,
            "errors" => {
                let all: Vec<InputProblem> = became.iter().flat_map(|became| became.problems.clone()).collect();
                Errors::new(&selected).write(&all, &mut part);
            }
            "created" => part.value(count("CREATED")),
            "updated" => part.value(count("UPDATED")),
            "unchanged" => part.value(count("UNCHANGED")),
            "failed" => part.value(count("FAILED")),
            _ => part.value(PAYLOAD),
        }
        fields.push((selected.key(), part.into_json()));
    }
    out.object(&fields, |json, out| out.json(json));
    Ok(())
}

/// Writes what became of each record; the records themselves are read type by type.
async fn results(store: &Store, selection: &Selection<'_>, became: &[Became], dry_run: bool, out: &mut JsonWriter<'_>) -> Result<()> {
    use crate::graphql::projection::ProjectionSet;
    let fields = selection.below(&[RESULT]);
    let written: Vec<_> = became
        .iter()
        .map(|became| {
            became.written.filter(|written| !dry_run || written.action != WriteAction::Created).map(|written| (written.ty, written.id))
        })
        .collect();
    let mut shown = Vec::new();
    for field in fields.iter().filter(|field| field.name() == "record") {
        let types = catalog().all().filter(|record| written.iter().flatten().any(|(ty, _)| *ty == record.ty));
        let (plans, shapes) = ProjectionSet::new(std::slice::from_ref(field), types)?;
        shown.push((field.name_in_answer(), store.nodes(&plans, &written).await?, shapes));
    }
    let parts: Fields<&Selection<'_>> = fields.iter().map(|field| (field.key(), field)).collect();
    out.list(became.iter().enumerate(), |(index, became), out| {
        out.object(&parts, |field, out| match field.name() {
            "index" => out.value(index),
            "outcome" => out.value(became.outcome()),
            "errors" => Errors::new(field).write(&became.problems, out),
            "record" => {
                let found = shown.iter().find(|(name, ..)| *name == field.name_in_answer());
                let node = found.and_then(|(_, records, shapes)| Some((records.get(index)?, shapes)));
                out.option(node, |(node, shapes), out| shapes.write(node, out));
            }
            _ => out.value(RESULT),
        });
    });
    Ok(())
}

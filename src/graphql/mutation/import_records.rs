//! `importRecords`: upserts many records of any types in one transaction.

use async_graphql::dynamic::{Enum, EnumItem, Field, InputObject, Object, SchemaBuilder, TypeRef};
use serde_json::Value as Json;

use crate::catalog::catalog;
use crate::catalog::record::RecordKind;
use crate::core::auth::Caller;
use crate::core::error::{Result, bad_input};
use crate::entity::RecordType;
use crate::graphql::mutation::field::{author, mutation_field};
use crate::graphql::mutation::import_file::OVERWRITE;
use crate::graphql::mutation::import_report;
use crate::graphql::mutation::prune;
use crate::graphql::projection::ProjectionSet;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::{Selection, merged_subfields};
use crate::graphql::schema::builder::{RECORD, field as output_field, input_value};
use crate::graphql::schema::input;
use crate::graphql::schema::input::{MESSAGE, Purpose};
use crate::graphql::schema::names;
use crate::graphql::schema::payload;
use crate::graphql::schema::payload::ErrorsProjection;
use crate::store::Store;
use crate::store::draft::{Draft, DraftSource, InputProblem, Origin, ProblemCode, WriteTarget};
use crate::store::write::{
    Author, Drafts, ImportRun, REDACTED_WARNING, RecordUpdate, TransactionEnd, WriteAction, WriteError, WrittenRecord,
};

pub(super) const NAME: &str = "importRecords";
const INPUT_TYPE: &str = "ImportRecordsInput";
const RECORD_INPUT: &str = "ImportRecordInput";
const ERROR_POLICY: &str = "ImportErrorPolicy";
const PAYLOAD: &str = "ImportRecordsPayload";
const RESULT: &str = "ImportResult";
const OUTCOME: &str = "ImportOutcome";
/// Maximum number of records per call.
const MAX_RECORDS: usize = 1_000;

/// Outcome of the import of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Created,
    Updated,
    Unchanged,
    Failed,
    Skipped,
}

impl Outcome {
    const ALL: [Self; 5] = [Self::Created, Self::Updated, Self::Unchanged, Self::Failed, Self::Skipped];

    fn name(self) -> &'static str {
        self.described().0
    }

    /// Name in the schema, and description.
    fn described(self) -> (&'static str, &'static str) {
        match self {
            Self::Created => ("CREATED", "The record was created."),
            Self::Updated => ("UPDATED", "The record changed."),
            Self::Unchanged => ("UNCHANGED", "The record was already the same."),
            Self::Failed => ("FAILED", "The record has errors."),
            Self::Skipped => ("SKIPPED", "Nothing was written: others have errors, or a warning says why."),
        }
    }
}

pub(super) fn field() -> Field {
    let doc = "Creates or updates up to 1,000 records of any types in one transaction. Each is found by its slug, or else by an identifier; records may refer to each other by slug in any order. Idempotent.";
    mutation_field(NAME, INPUT_TYPE, PAYLOAD, doc)
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let records = catalog().all().filter(|record| record.kind == RecordKind::Record);
    let record = records.fold(InputObject::new(RECORD_INPUT).oneof().description("A record of any type."), |input, record| {
        let ty = TypeRef::named(input::name(record, Purpose::Upsert));
        input.field(input_value(record.singular(), ty, names::capitalized(&format!("{}.", names::a(record)))))
    });
    let policy = Enum::new(ERROR_POLICY)
        .description("Treatment of valid records if others have errors.")
        .item(EnumItem::new("STOP").description("Write nothing."))
        .item(EnumItem::new("SKIP").description("Write all valid records that do not depend on invalid ones."));
    let input = InputObject::new(INPUT_TYPE)
        .description("Records to import.")
        .field(input_value("records", TypeRef::named_nn_list_nn(RECORD_INPUT), "At most 1,000 records."))
        .field(input_value("dryRun", TypeRef::named(TypeRef::BOOLEAN), "Validate and report only; write nothing."))
        .field(input_value("strict", TypeRef::named(TypeRef::BOOLEAN), "Treat warnings as errors: write nothing."))
        .field(input_value("overwrite", TypeRef::named(TypeRef::BOOLEAN), OVERWRITE))
        .field(input_value(
            "merge",
            TypeRef::named(TypeRef::BOOLEAN),
            "Keep what stored records have and the input does not give: texts in other languages, identifiers of other schemes, other citations.",
        ))
        .field(input_value("set", TypeRef::named(TypeRef::STRING), "Name of the set that the import holds in full; see pruneImportSet."))
        .field(input_value("run", TypeRef::named(TypeRef::STRING), "Name of the import, the same in all its batches; for set."))
        .field(input_value("onError", TypeRef::named(ERROR_POLICY), "What to do with valid records if others have errors; default STOP."))
        .field(input::message());
    let outcome = Outcome::ALL
        .map(Outcome::described)
        .into_iter()
        .fold(Enum::new(OUTCOME).description("Outcome of the import of a record."), |outcome, (name, doc)| {
            outcome.item(EnumItem::new(name).description(doc))
        });
    let result = Object::new(RESULT)
        .description("Result of the import of one record.")
        .field(output_field("index", TypeRef::named_nn(TypeRef::INT), "Index in the list of records, counted from 0."))
        .field(output_field("outcome", TypeRef::named_nn(OUTCOME), "Outcome."))
        .field(output_field("record", TypeRef::named(RECORD), "The record; null if it was not written."))
        .field(payload::remarks("warnings", "What may be wrong, such as a name that changes wholly: the record found may be another one."))
        .field(payload::remarks("kept", "What was not written, because an editor wrote something else there since the last import."))
        .field(payload::errors());
    let count = |name: &str, doc: &str| output_field(name, TypeRef::named_nn(TypeRef::INT), doc);
    let payload = Object::new(PAYLOAD)
        .description("Result of an import.")
        .field(count("created", "Number of created records."))
        .field(count("updated", "Number of updated records."))
        .field(count("unchanged", "Number of unchanged records."))
        .field(count("failed", "Number of records with errors."))
        .field(output_field("results", TypeRef::named_nn_list_nn(RESULT), "Result of each record, in the order of the input."))
        .field(import_report::updates())
        .field(payload::errors());
    builder.register(record).register(policy).register(input).register(outcome).register(result).register(payload)
}

/// State of the import of one record.
#[derive(Debug, Clone, Default)]
struct RecordResult {
    written: Option<WrittenRecord>,
    problems: Vec<InputProblem>,
    warnings: Vec<InputProblem>,
    kept: Vec<InputProblem>,
}

/// A list of a result.
type ListOf = fn(&mut RecordResult) -> &mut Vec<InputProblem>;

impl RecordResult {
    fn warnings(&mut self) -> &mut Vec<InputProblem> {
        &mut self.warnings
    }

    fn kept(&mut self) -> &mut Vec<InputProblem> {
        &mut self.kept
    }

    fn outcome(&self) -> Outcome {
        match self.written.map(|written| written.action) {
            _ if !self.problems.is_empty() => Outcome::Failed,
            Some(WriteAction::Created) => Outcome::Created,
            Some(WriteAction::Updated) => Outcome::Updated,
            Some(WriteAction::Unchanged) => Outcome::Unchanged,
            Some(WriteAction::Skipped) | None => Outcome::Skipped,
        }
    }
}

pub(super) async fn execute(store: &Store, caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let mut members = input::members(selection)?;
    let dry_run = input::take_flag(&mut members, "dryRun")?;
    let strict = input::take_flag(&mut members, "strict")?;
    let overwrite = input::take_flag(&mut members, "overwrite")?;
    let merges_stored = input::take_flag(&mut members, "merge")?;
    let skip = match input::take_text(&mut members, "onError")?.as_deref() {
        None | Some("stop") => false,
        Some("skip") => true,
        Some(_) => return Err(input::not_coerced("onError")),
    };
    let message = input::take_text(&mut members, MESSAGE)?;
    let run = match (prune::take_name(&mut members, "set")?, prune::take_name(&mut members, "run")?) {
        (Some(set), Some(run)) => Some(ImportRun { set, run }),
        (None, None) => None,
        (Some(_), None) => return Err(bad_input("input.run", "a set needs the name of the run; give all batches of the import the same")),
        (None, Some(_)) => return Err(bad_input("input.set", "a run needs the name of its set")),
    };
    let records = input::take_list(&mut members, "records")?;
    if records.len() > MAX_RECORDS {
        let message = format_args!("{} records are too many; give at most {MAX_RECORDS} in one call", records.len());
        return Err(bad_input("input.records", message));
    }
    let mut results = vec![RecordResult::default(); records.len()];
    let mut drafts: Vec<(usize, RecordType, Draft)> = Vec::with_capacity(records.len());
    for (index, value) in records.into_iter().enumerate() {
        let (ty, draft) = parse(value, index)?;
        let draft = Draft { merges_stored, ..draft };
        results[index].warnings.extend(draft.notes.iter().cloned());
        drafts.push((index, ty, draft));
    }
    for (_, _, draft) in &mut drafts {
        draft.target.source = if overwrite { DraftSource::OverwritingImport } else { DraftSource::Import };
    }
    let end = TransactionEnd::of(dry_run, strict);
    let mut updates = Vec::new();
    let other_problems = import(store, &author(caller, message), drafts, (end, skip, run), (&mut results, &mut updates)).await?;
    for result in &mut results {
        input::sort_problems(&mut result.problems, selection)?;
    }
    write_payload(store, selection, (&results, &updates), &other_problems, dry_run, out).await
}

/// Writes all drafts, or with `skip` those that remain after invalid ones are removed. Returns the problems that belong to
/// none of the records; if there are any, no record is written.
async fn import(
    store: &Store,
    author: &Author,
    mut drafts: Vec<(usize, RecordType, Draft)>,
    (end, skip, run): (TransactionEnd, bool, Option<ImportRun>),
    (results, updates): (&mut [RecordResult], &mut Vec<RecordUpdate>),
) -> Result<Vec<InputProblem>> {
    let mut other_problems = Vec::new();
    // a run is known even if its batch is empty
    while !drafts.is_empty() || run.is_some() {
        let given: Drafts = drafts.iter().map(|(_, ty, draft)| (*ty, vec![draft.clone()])).collect();
        let written = match &run {
            Some(run) => Box::pin(store.write_in_run(&given, author, end, run, |_| {})).await,
            None => Box::pin(store.write_or_try(&given, author, end, |_| {})).await,
        };
        match written {
            Ok(summary) => {
                let index_of = |problem: &InputProblem| {
                    drafts.iter().find(|(_, _, draft)| problem.origin.path.starts_with(&draft.origin.path)).map(|(index, ..)| *index)
                };
                for (remarks, list) in [(summary.warnings, RecordResult::warnings as ListOf), (summary.kept, RecordResult::kept as ListOf)]
                {
                    for remark in remarks {
                        // the records are written: a remark about none of them in particular must not fail the request
                        let Some(index) = index_of(&remark).or_else(|| Some(drafts.first()?.0)) else { continue };
                        list(&mut results[index]).push(remark);
                    }
                }
                *updates = summary.updates;
                for ((index, _, draft), written) in drafts.iter().zip(summary.records) {
                    if summary.redacted_records.contains(&written.id) {
                        let warning = InputProblem::new(draft.origin.clone(), REDACTED_WARNING).with_code(ProblemCode::Withheld);
                        results[*index].warnings.push(warning);
                    }
                    results[*index].written = Some(written);
                }
                return Ok(other_problems);
            }
            Err(WriteError::Failed(error)) => return Err(error),
            Err(WriteError::Problems(problems)) => {
                let before = drafts.len();
                for problem in problems {
                    let index =
                        drafts.iter().find(|(_, _, draft)| problem.origin.path.starts_with(&draft.origin.path)).map(|found| found.0);
                    index.map_or(&mut other_problems, |index| &mut results[index].problems).push(problem);
                }
                drafts.retain(|(index, ..)| results[*index].problems.is_empty());
                if !skip || drafts.len() == before || !other_problems.is_empty() {
                    return Ok(other_problems);
                }
            }
        }
    }
    Ok(other_problems)
}

fn parse(value: Json, index: usize) -> Result<(RecordType, Draft)> {
    let Json::Object(members) = value else { return Err(input::not_coerced("records")) };
    let mut members = members.into_iter().filter(|(_, value)| !value.is_null());
    let (Some((name, Json::Object(mut fields))), None) = (members.next(), members.next()) else {
        return Err(input::not_coerced("records"));
    };
    let mut records = catalog().all().filter(|record| record.kind == RecordKind::Record);
    let record = records.find(|record| record.singular() == name).ok_or_else(|| input::not_coerced("records"))?;
    let origin = Origin::input(["records"]).child(index, None).child(name, None);
    let expected_revision = input::take_integer(&mut fields, input::EXPECTED_REVISION)?;
    // an import restates whole lists
    let keeps_cited_parts = !input::take_choice(&mut fields, input::REPLACE)?.unwrap_or(true);
    let draft = input::parse_draft(record, fields, &origin);
    Ok((record.ty, Draft { target: WriteTarget { expected_revision, keeps_cited_parts, ..WriteTarget::default() }, ..draft }))
}

async fn write_payload(
    store: &Store,
    selection: &Selection<'_>,
    (results, updates): (&[RecordResult], &[RecordUpdate]),
    other_problems: &[InputProblem],
    dry_run: bool,
    out: &mut JsonWriter<'_>,
) -> Result<()> {
    let count = |outcome| results.iter().filter(|result| result.outcome() == outcome).count();
    let mut fields: Fields<Vec<u8>> = Fields::new();
    for field in merged_subfields(std::slice::from_ref(selection), &[PAYLOAD]) {
        let mut value = out.part();
        match field.name() {
            "results" => write_results(store, &field, results, dry_run, &mut value).await?,
            "errors" => {
                let all: Vec<InputProblem> = results.iter().flat_map(|result| &result.problems).chain(other_problems).cloned().collect();
                ErrorsProjection::new(&field).write(&all, &mut value);
            }
            import_report::UPDATES => import_report::write_updates(&field, updates, &mut value),
            "created" => value.value(count(Outcome::Created)),
            "updated" => value.value(count(Outcome::Updated)),
            "unchanged" => value.value(count(Outcome::Unchanged)),
            "failed" => value.value(count(Outcome::Failed)),
            _ => value.value(PAYLOAD),
        }
        fields.push((field.json_key(), value.into_json()));
    }
    out.object(&fields, |json, out| out.json(json));
    Ok(())
}

/// Writes the result of each record; the records are fetched in one query per type.
async fn write_results(
    store: &Store,
    selection: &Selection<'_>,
    results: &[RecordResult],
    dry_run: bool,
    out: &mut JsonWriter<'_>,
) -> Result<()> {
    let fields = selection.subfields(&[RESULT]);
    let written: Vec<_> = results
        .iter()
        .map(|result| {
            result
                .written
                .filter(|written| written.is_shown && (!dry_run || written.action != WriteAction::Created))
                .map(|written| (written.ty, written.id))
        })
        .collect();
    let mut fetched = Vec::new();
    for field in fields.iter().filter(|field| field.name() == "record") {
        let types = catalog().all().filter(|record| written.iter().flatten().any(|(ty, _)| *ty == record.ty));
        let (plans, projections) = ProjectionSet::new(std::slice::from_ref(field), types)?;
        fetched.push((field.response_key(), store.nodes(&plans, &written).await?, projections));
    }
    let fields: Fields<&Selection<'_>> = fields.iter().map(|field| (field.json_key(), field)).collect();
    out.list(results.iter().enumerate(), |(index, result), out| {
        out.object(&fields, |field, out| match field.name() {
            "index" => out.value(index),
            "outcome" => out.value(result.outcome().name()),
            "errors" => ErrorsProjection::new(field).write(&result.problems, out),
            "warnings" => ErrorsProjection::new(field).write(&result.warnings, out),
            "kept" => ErrorsProjection::new(field).write(&result.kept, out),
            "record" => {
                let found = fetched.iter().find(|(name, ..)| *name == field.response_key());
                let node = found.and_then(|(_, records, projections)| Some((records.get(index)?, projections)));
                out.option(node, |(node, projections), out| projections.write(node, out));
            }
            _ => out.value(RESULT),
        });
    });
    Ok(())
}

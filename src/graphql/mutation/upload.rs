//! `importFile`: the records of a file, in one transaction.

use async_graphql::Value;
use async_graphql::dynamic::{Field, InputObject, InputValue, Object, Scalar, SchemaBuilder, TypeRef};

use super::{INPUT, author, mutation};
use crate::core::auth::Caller;
use crate::core::error::{Result, bad_input};
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::{Selection, below};
use crate::graphql::request::upload::{Upload, UploadParser};
use crate::graphql::schema::input;
use crate::graphql::schema::input::MESSAGE;
use crate::graphql::schema::object::field;
use crate::graphql::schema::payload;
use crate::graphql::schema::payload::Errors;
use crate::store::Store;
use crate::store::db::maintenance::BULK_WRITE_RECORDS;
use crate::store::draft::InputProblem;
use crate::store::write::{TransactionEnd, WriteError, WriteSummary};

pub(super) const NAME: &str = "importFile";
const IMPORT: &str = "ImportFileInput";
const PAYLOAD: &str = "ImportFilePayload";
const UPLOAD: &str = "Upload";
/// Errors that are told of a file at most.
const MOST: usize = 1_000;

pub(super) fn fields() -> Vec<Field> {
    let doc = "Makes or changes the records of a file: YAML, JSON, NDJSON or Popolo, as its name or its contents tell. All are written in one transaction, or none if anything is wrong, and the same again changes nothing.";
    vec![mutation(NAME, IMPORT, PAYLOAD, doc)]
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let upload = Scalar::new(UPLOAD)
        .description("A file that is sent with the request: as multipart/form-data, not as JSON.")
        .specified_by_url("https://github.com/jaydenseric/graphql-multipart-request-spec");
    let import = InputObject::new(IMPORT)
        .description("A file to be imported.")
        .field(InputValue::new("file", TypeRef::named_nn(UPLOAD)).description("The file."))
        .field(
            InputValue::new("dryRun", TypeRef::named(TypeRef::BOOLEAN))
                .description("Whether only to find out what would be done: nothing is written."),
        )
        .field(input::message());
    let number = |name: &str, doc: &str| field(name, TypeRef::named_nn(TypeRef::INT), doc);
    let payload = Object::new(PAYLOAD)
        .description("What the import of a file did.")
        .field(number("created", "Number of records that are new."))
        .field(number("updated", "Number of records that changed."))
        .field(number("unchanged", "Number of records that were the same already."))
        .field(field(
            "notes",
            TypeRef::named_nn_list_nn(TypeRef::STRING),
            "What you should know although nothing is wrong, such as what the file has and there is no place for.",
        ))
        .field(payload::errors());
    builder.register(upload).register(import).register(payload)
}

pub(super) async fn write(
    store: &Store,
    caller: &Caller,
    selection: &Selection<'_>,
    files: (&[Upload], &UploadParser),
    out: &mut JsonWriter<'_>,
) -> Result<()> {
    let (uploads, reader) = files;
    let Some(Value::Object(mut members)) = selection.argument(INPUT) else { return Err(bad_input(INPUT, "give the file to import")) };
    let sent = match members.swap_remove("file") {
        Some(Value::String(place)) => place.parse().ok().and_then(|place: usize| uploads.get(place)),
        _ => None,
    };
    let Some(upload) = sent else {
        return Err(bad_input(
            "input.file",
            "no file came with the request; send it as multipart/form-data, with operations, map and the file",
        ));
    };
    let dry_run = members.swap_remove("dryRun") == Some(Value::Boolean(true));
    let message = match members.swap_remove(MESSAGE) {
        Some(Value::String(message)) => Some(message),
        _ => None,
    };
    let contents = reader.read(upload.clone(), store.clone()).await?;
    let (mut problems, mut outcome) = (contents.problems, WriteSummary::default());
    if problems.is_empty() {
        let count: usize = contents.drafts.iter().map(|(_, drafts)| drafts.len()).sum();
        if count >= BULK_WRITE_RECORDS && !dry_run {
            store.prepare_bulk_write().await?;
        }
        let ending = if dry_run { TransactionEnd::Rollback } else { TransactionEnd::Commit };
        let written = store.write_or_try(&contents.drafts, &author(caller, message), ending, |_| {}).await;
        if count >= BULK_WRITE_RECORDS && !dry_run {
            store.run_upkeep().await?;
        }
        match written {
            Ok(written) => outcome = written,
            Err(WriteError::Problems(found)) => problems = found,
            Err(WriteError::Failed(error)) => return Err(error),
        }
    }
    problems.truncate(MOST);
    show(selection, &outcome, &contents.notes, &problems, out);
    Ok(())
}

fn show(selection: &Selection<'_>, outcome: &WriteSummary, notes: &[String], problems: &[InputProblem], out: &mut JsonWriter<'_>) {
    // where a problem stands in the file is said by its message: the input has but the file
    let told: Vec<InputProblem> = problems
        .iter()
        .map(|problem| {
            let origin = crate::store::draft::Origin::input(["file"]);
            InputProblem::new(origin, problem.to_string()).with_code(problem.code)
        })
        .collect();
    let parts: Fields<Selection<'_>> =
        below(std::slice::from_ref(selection), &[PAYLOAD]).into_iter().map(|field| (field.key(), field)).collect();
    out.object(&parts, |field, out| match field.name() {
        "created" => out.value(outcome.created),
        "updated" => out.value(outcome.updated),
        "unchanged" => out.value(outcome.unchanged),
        "notes" => out.value(notes),
        "errors" => Errors::new(field).write(&told, out),
        _ => out.value(PAYLOAD),
    });
}

//! `importFile`: upserts the records of an uploaded file in one transaction.

use async_graphql::dynamic::{Field, InputObject, Object, Scalar, SchemaBuilder, TypeRef};

use crate::core::auth::Caller;
use crate::core::error::{Result, bad_input};
use crate::graphql::mutation::field::{author, mutation_field};
use crate::graphql::mutation::import_report;
use crate::graphql::mutation::prune;
use crate::graphql::mutation::prune::Pruning;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::{Selection, merged_subfields};
use crate::graphql::request::upload::{UPLOAD, Upload, UploadOptions, UploadParser};
use crate::graphql::schema::builder::{LANGUAGE, field as output_field, input_value};
use crate::graphql::schema::input;
use crate::graphql::schema::input::MESSAGE;
use crate::graphql::schema::payload;
use crate::graphql::schema::payload::ErrorsProjection;
use crate::store::Store;
use crate::store::db::maintenance::BULK_WRITE_RECORDS;
use crate::store::draft::alike::{group_alike, group_alike_as};
use crate::store::draft::{InputProblem, Origin, has_problems, mark_as_import};
use crate::store::write::{PruneMode, PrunedRecord, TransactionEnd, WriteError, WriteSummary};

pub(super) const NAME: &str = "importFile";
const INPUT_TYPE: &str = "ImportFileInput";
const PAYLOAD: &str = "ImportFilePayload";
/// Description of the flag that overwrites edits.
pub(super) const OVERWRITE: &str = "Write over what editors wrote since the last import, and replace texts in all languages. By default these are kept, and texts are merged by language.";
/// Maximum number of reported errors.
const MAX_REPORTED_ERRORS: usize = 1_000;

pub(super) fn field() -> Field {
    let doc = "Creates or updates the records of a file: YAML, JSON, NDJSON, Popolo or a table with its mapping (CSV, XLSX), recognized by name; also compressed (.gz, .zst). All are written in one transaction; any error cancels it. Idempotent.";
    mutation_field(NAME, INPUT_TYPE, PAYLOAD, doc)
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let upload = Scalar::new(UPLOAD)
        .description("A file, sent with the request as multipart/form-data.")
        .specified_by_url("https://github.com/jaydenseric/graphql-multipart-request-spec");
    let input = InputObject::new(INPUT_TYPE)
        .description("A file to import.")
        .field(input_value("file", TypeRef::named_nn(UPLOAD), "The file."))
        .field(input_value(
            "scheme",
            TypeRef::named(TypeRef::STRING),
            "For Popolo: name of the register that assigned the ids, such as isles-parliament. Later imports find the records by it.",
        ))
        .field(input_value("lang", TypeRef::named(LANGUAGE), "For Popolo: language of names and other text. By default undetermined."))
        .field(input_value(
            "encoding",
            TypeRef::named(TypeRef::STRING),
            "Encoding of a file that is not UTF-8 and has no byte order mark, such as windows-1251; auto detects it, and a note names it.",
        ))
        .field(input_value("mapping", TypeRef::named(UPLOAD), "For a table: the YAML file that maps columns to fields."))
        .field(input_value("strict", TypeRef::named(TypeRef::BOOLEAN), "Treat warnings as errors: write nothing."))
        .field(input_value("overwrite", TypeRef::named(TypeRef::BOOLEAN), OVERWRITE))
        .field(input_value("dryRun", TypeRef::named(TypeRef::BOOLEAN), "Validate and report only; write nothing."))
        .field(input_value(
            "set",
            TypeRef::named(TypeRef::STRING),
            "Name of the set of records that the file holds in full; default: scheme.",
        ));
    let input = prune::arguments().into_iter().fold(input, InputObject::field).field(input::message());
    let count = |name: &str, doc: &str| output_field(name, TypeRef::named_nn(TypeRef::INT), doc);
    let payload = Object::new(PAYLOAD)
        .description("Result of the import of a file.")
        .field(count("created", "Number of created records."))
        .field(count("updated", "Number of updated records."))
        .field(count("unchanged", "Number of unchanged records."))
        .field(output_field(
            "notes",
            TypeRef::named_nn_list_nn(TypeRef::STRING),
            "Remarks that did not prevent the import, such as content that the schema has no field for. Alike ones are counted.",
        ))
        .field(import_report::updates())
        .field(prune::gone())
        .field(payload::errors());
    builder.register(upload).register(input).register(payload)
}

pub(super) async fn execute(
    store: &Store,
    caller: &Caller,
    selection: &Selection<'_>,
    files: (&[Upload], &UploadParser),
    out: &mut JsonWriter<'_>,
) -> Result<()> {
    let (uploads, parser) = files;
    let mut members = input::members(selection)?;
    let find = |key: &str, path: &str| {
        let found = uploads.iter().find(|upload| upload.key == key).cloned();
        found.ok_or_else(|| bad_input(path, "the request has no file; send it as multipart/form-data, with operations, map and the file"))
    };
    let upload = find(&input::take_required_text(&mut members, "file")?, "input.file")?;
    let options = UploadOptions {
        scheme: prune::take_name(&mut members, "scheme")?,
        lang: input::take_text(&mut members, "lang")?,
        encoding: input::take_text(&mut members, "encoding")?,
        mapping: input::take_text(&mut members, "mapping")?.map(|key| find(&key, "input.mapping")).transpose()?,
    };
    let Pruning { mode, is_confirmed } = Pruning::take(&mut members)?;
    if is_confirmed && mode == PruneMode::List {
        return Err(bad_input("input.confirm", "there is nothing to confirm; give prune, too"));
    }
    let set = prune::take_name(&mut members, "set")?.or_else(|| options.scheme.clone());
    if set.is_none() && mode != PruneMode::List {
        return Err(bad_input("input.prune", "prune needs the name of the set of records that the file holds in full; give set"));
    }
    // what is pruned is shown first
    let dry_run = input::take_flag(&mut members, "dryRun")? || (mode != PruneMode::List && !is_confirmed);
    let strict = input::take_flag(&mut members, "strict")?;
    let overwrite = input::take_flag(&mut members, "overwrite")?;
    let message = input::take_text(&mut members, MESSAGE)?;
    let mut contents = parser.parse(upload, options, store.clone()).await?;
    mark_as_import(&mut contents.drafts, overwrite);
    let (mut problems, mut summary) = (std::mem::take(&mut contents.problems), WriteSummary::default());
    let mut pruned = Vec::new();
    if problems.is_empty() {
        let count: usize = contents.drafts.iter().map(|(_, drafts)| drafts.len()).sum();
        let is_bulk = count >= BULK_WRITE_RECORDS && !dry_run && !has_problems(&contents.drafts);
        if is_bulk {
            store.prepare_bulk_write().await?;
        }
        let end = TransactionEnd::of(dry_run, strict);
        let author = author(caller, message);
        let drafts = &contents.drafts;
        let written = match &set {
            Some(set) => Box::pin(store.write_set(drafts, &author, end, (set, &mode), |_| {})).await,
            None => Box::pin(store.write_or_try(drafts, &author, end, |_| {})).await.map(|written| (written, Vec::new())),
        };
        if is_bulk {
            store.run_upkeep().await?;
        }
        match written {
            Ok((written, gone)) => {
                contents.notes.extend(group_alike_as("warnings", &written.warnings).iter().map(|warning| format!("warning: {warning}")));
                contents.notes.extend(group_alike_as("edits", &written.kept).iter().map(|kept| format!("kept: {kept}")));
                if written.redacted > 0 {
                    contents.notes.push(format!("in {} records the name of a withheld person was redacted", written.redacted));
                }
                (summary, pruned) = (written, gone);
            }
            Err(WriteError::Problems(found)) => problems = found,
            Err(WriteError::Failed(error)) => return Err(error),
        }
    }
    let problems = reported(&problems);
    write_payload(selection, (&summary, &pruned), &contents.notes, &problems, out);
    Ok(())
}

/// The problems as they are reported: alike ones are counted, and so are those beyond the maximum.
fn reported(problems: &[InputProblem]) -> Vec<InputProblem> {
    let mut problems = group_alike(problems);
    if problems.len() > MAX_REPORTED_ERRORS {
        let more = problems.len() - MAX_REPORTED_ERRORS;
        problems.truncate(MAX_REPORTED_ERRORS);
        let message = format!("the file has {more} more problems; correct these first");
        problems.push(InputProblem::new(Origin::default(), message));
    }
    problems
}

fn write_payload(
    selection: &Selection<'_>,
    (summary, pruned): (&WriteSummary, &[PrunedRecord]),
    notes: &[String],
    problems: &[InputProblem],
    out: &mut JsonWriter<'_>,
) {
    // the message contains the position in the file, because the path can only name the file
    let problems: Vec<InputProblem> = problems
        .iter()
        .map(|problem| {
            let origin = Origin::input(["file"]);
            InputProblem::new(origin, problem.to_string()).with_code(problem.code)
        })
        .collect();
    let fields: Fields<Selection<'_>> =
        merged_subfields(std::slice::from_ref(selection), &[PAYLOAD]).into_iter().map(|field| (field.json_key(), field)).collect();
    out.object(&fields, |field, out| match field.name() {
        "created" => out.value(summary.created),
        "updated" => out.value(summary.updated),
        "unchanged" => out.value(summary.unchanged),
        "notes" => out.value(notes),
        prune::GONE => prune::write_gone(field, pruned, out),
        import_report::UPDATES => import_report::write_updates(field, &summary.updates, out),
        "errors" => ErrorsProjection::new(field).write(&problems, out),
        _ => out.value(PAYLOAD),
    });
}

//! Payloads of mutations: the record as written, and the errors in the input.

use async_graphql::dynamic::{Enum, EnumItem, Field, Object, Scalar, SchemaBuilder, TypeRef};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::{Record, RecordKind};
use crate::core::error::Result;
use crate::core::path::PathSegment;
use crate::entity::RecordType;
use crate::graphql::global_id;
use crate::graphql::projection::ProjectionSet;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::{Selection, merged_subfields};
use crate::graphql::query::duplicates;
use crate::graphql::schema::builder::{CITABLE, field};
use crate::graphql::schema::names;
use crate::store::Store;
use crate::store::draft::{InputProblem, ProblemCode};

const ERROR: &str = "UserError";
const ERROR_CODE: &str = "UserErrorCode";
const PATH_SEGMENT: &str = "PathSegment";
/// Payload of mutations of a record of any type.
pub(crate) const ANY_RECORD: &str = "RecordPayload";
/// Payload of deletions.
pub(crate) const DELETE: &str = "DeletePayload";

/// Field of the payload of a record with the part that a mutation changed.
const PART: &str = "part";

/// The record and the part that a mutation wrote, as far as the response may show them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Written {
    pub(crate) record: Option<(RecordType, Uuid)>,
    pub(crate) part: Option<(RecordType, Uuid)>,
}

impl Written {
    /// A record, and no part of it.
    pub(crate) fn record(record: Option<(RecordType, Uuid)>) -> Self {
        Self { record, part: None }
    }
}

/// Name of the payload of mutations of a record type.
pub(crate) fn name(record: &Record) -> String {
    format!("{}Payload", record.name())
}

/// Name of an error code, and its description.
const fn error_code(code: ProblemCode) -> (&'static str, &'static str) {
    match code {
        ProblemCode::Invalid => ("INVALID", "A value is not valid."),
        ProblemCode::Missing => ("MISSING", "A required value is missing."),
        ProblemCode::NotFound => ("NOT_FOUND", "The referenced record does not exist."),
        ProblemCode::Taken => ("TAKEN", "The value belongs to another record."),
        ProblemCode::InUse => ("IN_USE", "Other records refer to the record."),
        ProblemCode::Conflict(_) => ("CONFLICT", "The record changed after the expected revision; see currentRevision."),
        ProblemCode::Withheld => ("WITHHELD", "The person is withheld."),
    }
}

const ERROR_CODES: [(&str, &str); 7] = [
    error_code(ProblemCode::Invalid),
    error_code(ProblemCode::Missing),
    error_code(ProblemCode::NotFound),
    error_code(ProblemCode::Taken),
    error_code(ProblemCode::InUse),
    error_code(ProblemCode::Conflict(0)),
    error_code(ProblemCode::Withheld),
];

pub(crate) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    let codes = ERROR_CODES.iter().fold(Enum::new(ERROR_CODE).description("Machine-readable code of an error."), |codes, (name, doc)| {
        codes.item(EnumItem::new(*name).description(*doc))
    });
    let error = Object::new(ERROR)
        .description("An error in the input: where it is, what is wrong, and what would be right.")
        .field(field(
            "path",
            TypeRef::named_nn_list_nn(PATH_SEGMENT),
            "Path to the value: [\"input\", \"parties\", 2, \"person\"] is the person of the third party.",
        ))
        .field(field("code", TypeRef::named_nn(ERROR_CODE), "Machine-readable code."))
        .field(field("message", TypeRef::named_nn(TypeRef::STRING), "What is wrong and what would be right."))
        .field(field("currentRevision", TypeRef::named(TypeRef::INT), "Current revision of the record, if the code is CONFLICT."));
    builder = builder
        .register(codes)
        .register(error)
        .register(Scalar::new(PATH_SEGMENT).description("A path segment: the name of a field, or an index in a list, counted from 0."));
    for record in catalog().all().filter(|record| record.kind == RecordKind::Record) {
        let doc = format!("The {}; null on error.", names::singular(record));
        let mut payload = Object::new(name(record))
            .description(format!("Result of a mutation of {}.", names::a(record)))
            .field(field(record.singular(), TypeRef::named(record.name()), doc))
            .field(errors());
        if record.ty == RecordType::Person {
            let doc = "Possible duplicates: other people who may be the same person. See mergePeople.";
            payload = payload.field(field(duplicates::NAME, TypeRef::named_nn_list(record.name()), doc));
        }
        if record.parts.iter().any(|list| catalog().get(list.part).is_cited()) {
            let doc = "The part that the mutation added or updated; null for other mutations.";
            payload = payload.field(field(PART, TypeRef::named(CITABLE), doc));
        }
        builder = builder.register(payload);
    }
    let any = Object::new(ANY_RECORD)
        .description("Result of a mutation of a record of any type.")
        .field(field("record", TypeRef::named(CITABLE), "The record or part; null on error."))
        .field(errors());
    let deleted = Object::new(DELETE)
        .description("Result of a deletion.")
        .field(field("deletedId", TypeRef::named(TypeRef::ID), "Id of the deleted record; null on error."))
        .field(errors());
    builder.register(any).register(deleted)
}

/// The field of a payload with the errors in the input.
pub(crate) fn errors() -> Field {
    field("errors", TypeRef::named_nn_list_nn(ERROR), "Errors in the input; empty on success.")
}

/// A field with remarks of the form of errors, which prevented nothing.
pub(crate) fn remarks(name: &str, doc: &str) -> Field {
    field(name, TypeRef::named_nn_list_nn(ERROR), doc)
}

/// Writes the path of a problem: names as strings, list indices as numbers.
fn write_path(path: &[PathSegment], out: &mut JsonWriter<'_>) {
    out.list(path.iter(), |segment, out| match segment {
        PathSegment::Index(index) => out.value(index),
        PathSegment::Name(name) | PathSegment::Column(name) => out.value(name),
    });
}

#[derive(Debug, Clone, Copy)]
enum ErrorField {
    TypeName,
    Path,
    Code,
    Message,
    CurrentRevision,
}

/// Projection of errors in the input.
pub(crate) struct ErrorsProjection(Fields<ErrorField>);

impl ErrorsProjection {
    pub(crate) fn new(selection: &Selection<'_>) -> Self {
        let field = |name: &str| match name {
            "path" => ErrorField::Path,
            "code" => ErrorField::Code,
            "message" => ErrorField::Message,
            "currentRevision" => ErrorField::CurrentRevision,
            _ => ErrorField::TypeName,
        };
        Self(selection.subfields(&[ERROR]).iter().map(|below| (below.json_key(), field(below.name()))).collect())
    }

    pub(crate) fn write(&self, problems: &[InputProblem], out: &mut JsonWriter<'_>) {
        out.list(problems.iter(), |problem, out| {
            out.object(&self.0, |field, out| match (field, problem.code) {
                (ErrorField::TypeName, _) => out.value(ERROR),
                (ErrorField::Path, _) => write_path(&problem.origin.path, out),
                (ErrorField::Code, code) => out.value(error_code(code).0),
                (ErrorField::Message, _) => out.value(&problem.message),
                (ErrorField::CurrentRevision, ProblemCode::Conflict(revision)) => out.value(revision),
                (ErrorField::CurrentRevision, _) => out.null(),
            });
        });
    }
}

/// Writes a payload: the record in its field, if it was written, and the errors.
pub(crate) async fn write(
    store: &Store,
    selection: &Selection<'_>,
    payload: &str,
    record: Option<(RecordType, Uuid)>,
    problems: &[InputProblem],
    out: &mut JsonWriter<'_>,
) -> Result<()> {
    write_with(store, selection, payload, Written::record(record), problems, out, |_, _| false).await
}

/// As [`write`], for a payload with fields of its own: `write_own` writes a field of the payload, or returns false.
pub(crate) async fn write_with(
    store: &Store,
    selection: &Selection<'_>,
    payload: &str,
    written: Written,
    problems: &[InputProblem],
    out: &mut JsonWriter<'_>,
    write_own: impl Fn(&Selection<'_>, &mut JsonWriter<'_>) -> bool + Send + Sync,
) -> Result<()> {
    let fields = merged_subfields(std::slice::from_ref(selection), &[payload]);
    let mut object: Fields<Vec<u8>> = Fields::new();
    for field in &fields {
        let mut value = out.part();
        match (field.name(), written.record) {
            _ if write_own(field, &mut value) => {}
            ("__typename", _) => value.value(payload),
            ("errors", _) => ErrorsProjection::new(field).write(problems, &mut value),
            (PART, _) => match written.part {
                Some((ty, id)) => write_record(store, field, ty, id, &mut value).await?,
                None => value.null(),
            },
            ("deletedId", Some((ty, id))) => value.value(global_id::encode(ty, id)),
            (duplicates::NAME, Some((_, id))) => duplicates::write_duplicates_of(store, field, id, &mut value).await?,
            (_, Some((ty, id))) => write_record(store, field, ty, id, &mut value).await?,
            (_, None) => value.null(),
        }
        object.push((field.json_key(), value.into_json()));
    }
    out.object(&object, |json, out| out.json(json));
    Ok(())
}

/// Writes the current state of a record.
async fn write_record(store: &Store, field: &Selection<'_>, ty: RecordType, id: Uuid, out: &mut JsonWriter<'_>) -> Result<()> {
    let (plans, projections) = ProjectionSet::new(std::slice::from_ref(field), std::iter::once(catalog().get(ty)))?;
    let found = store.nodes(&plans, &[Some((ty, id))]).await?;
    out.option(found.get(0), |node, out| projections.write(node, out));
    Ok(())
}

//! What mutations give: the record as it is now, and what is wrong with the input.

use async_graphql::dynamic::{Enum, EnumItem, Object, Scalar, SchemaBuilder, TypeRef};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::{Record, RecordKind};
use crate::core::error::Result;
use crate::core::path::PathSegment;
use crate::entity::RecordType;
use crate::graphql::projection::ProjectionSet;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::{Selection, below};
use crate::graphql::query::change::{DUPLICATES, duplicates_of};
use crate::graphql::schema::object::{CITABLE, field};
use crate::store::Store;
use crate::store::draft::{InputProblem, ProblemCode};

const ERROR: &str = "UserError";
const CODE: &str = "UserErrorCode";
const SEGMENT: &str = "PathSegment";
/// Payload of mutations of any record.
pub(crate) const ANY: &str = "RecordPayload";
/// Payload of deletions.
pub(crate) const DELETED: &str = "DeletePayload";

/// Name of the payload of mutations of a type.
pub(crate) fn name(record: &Record) -> String {
    format!("{}Payload", record.name())
}

const FAULTS: [(ProblemCode, &str, &str); 7] = [
    (ProblemCode::Invalid, "INVALID", "A value is not valid."),
    (ProblemCode::Missing, "MISSING", "Something that every such record has is missing."),
    (ProblemCode::NotFound, "NOT_FOUND", "What is referred to is not there."),
    (ProblemCode::Taken, "TAKEN", "Another record has it already."),
    (ProblemCode::InUse, "IN_USE", "Others refer to the record."),
    (ProblemCode::Conflict(0), "CONFLICT", "The record has changed meanwhile; currentRevision says to which."),
    (ProblemCode::Withheld, "WITHHELD", "The person is withheld."),
];

fn code(fault: ProblemCode) -> &'static str {
    let same = |known: &ProblemCode| std::mem::discriminant(known) == std::mem::discriminant(&fault);
    FAULTS.iter().find(|(known, ..)| same(known)).map_or("INVALID", |(_, name, _)| name)
}

pub(crate) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    let codes = FAULTS.iter().fold(Enum::new(CODE).description("What kind of error it is, for programs."), |codes, (_, name, doc)| {
        codes.item(EnumItem::new(*name).description(*doc))
    });
    let error = Object::new(ERROR)
        .description("Something wrong with an input: where, what, and what would be right.")
        .field(field(
            "path",
            TypeRef::named_nn_list_nn(SEGMENT),
            "Where it stands: [\"input\", \"parties\", 2, \"person\"] is the person of the third party.",
        ))
        .field(field("code", TypeRef::named_nn(CODE), "What kind of error it is."))
        .field(field("message", TypeRef::named_nn(TypeRef::STRING), "What is wrong, and what would be right."))
        .field(field(
            "currentRevision",
            TypeRef::named(TypeRef::INT),
            "Number of the change that the record is at, where that was not the expected one.",
        ));
    builder = builder
        .register(codes)
        .register(error)
        .register(Scalar::new(SEGMENT).description("A step of a path: the name of a field, or a place in a list counted from 0."));
    for record in catalog().all().filter(|record| record.shape == RecordKind::Record) {
        let doc = format!("The {} as it is now; nothing where an error kept it from being written.", record.singular());
        let mut payload = Object::new(name(record))
            .description(format!("What a mutation of a {} gives.", record.singular()))
            .field(field(record.singular(), TypeRef::named(record.name()), doc))
            .field(errors());
        if record.ty == RecordType::Person {
            let doc = "People who may be the same as this one: a warning, for you to judge. See mergePeople.";
            payload = payload.field(field(DUPLICATES, TypeRef::named_nn_list(record.name()), doc));
        }
        builder = builder.register(payload);
    }
    let any = Object::new(ANY)
        .description("What a mutation of any record gives.")
        .field(field(
            "record",
            TypeRef::named(CITABLE),
            "The record or part as it is now; nothing where an error kept it from being written.",
        ))
        .field(errors());
    let deleted = Object::new(DELETED)
        .description("What the deletion of a record gives.")
        .field(field("deletedId", TypeRef::named(TypeRef::ID), "Id of the record that is gone; nothing where it was not deleted."))
        .field(errors());
    builder.register(any).register(deleted)
}

pub(in crate::graphql) fn errors() -> async_graphql::dynamic::Field {
    field("errors", TypeRef::named_nn_list_nn(ERROR), "All that is wrong with the input; empty where the mutation was done.")
}

/// A step of the path of an error.
fn path(path: &[PathSegment], out: &mut JsonWriter<'_>) {
    out.list(path.iter(), |segment, out| match segment {
        PathSegment::Index(index) => out.value(index),
        PathSegment::Name(name) | PathSegment::Column(name) => out.value(name),
    });
}

#[derive(Debug, Clone, Copy)]
enum ErrorPart {
    TypeName,
    Path,
    Code,
    Message,
    CurrentRevision,
}

/// What is selected of errors.
pub(in crate::graphql) struct Errors(Fields<ErrorPart>);

impl Errors {
    pub(in crate::graphql) fn new(selection: &Selection<'_>) -> Self {
        let part = |name: &str| match name {
            "path" => ErrorPart::Path,
            "code" => ErrorPart::Code,
            "message" => ErrorPart::Message,
            "currentRevision" => ErrorPart::CurrentRevision,
            _ => ErrorPart::TypeName,
        };
        Self(selection.below(&[ERROR]).iter().map(|below| (below.key(), part(below.name()))).collect())
    }

    pub(in crate::graphql) fn write(&self, problems: &[InputProblem], out: &mut JsonWriter<'_>) {
        out.list(problems.iter(), |problem, out| {
            out.object(&self.0, |part, out| match (part, problem.code) {
                (ErrorPart::TypeName, _) => out.value(ERROR),
                (ErrorPart::Path, _) => path(&problem.origin.path, out),
                (ErrorPart::Code, fault) => out.value(code(fault)),
                (ErrorPart::Message, _) => out.value(&problem.message),
                (ErrorPart::CurrentRevision, ProblemCode::Conflict(number)) => out.value(number),
                (ErrorPart::CurrentRevision, _) => out.null(),
            });
        });
    }
}

/// Writes a payload: the record under the name of its field, and the errors.
pub(crate) async fn write(
    store: &Store,
    selection: &Selection<'_>,
    payload: &str,
    record: Option<(RecordType, Uuid)>,
    problems: &[InputProblem],
    out: &mut JsonWriter<'_>,
) -> Result<()> {
    let fields = below(std::slice::from_ref(selection), &[payload]);
    let mut written: Fields<Vec<u8>> = Fields::new();
    for field in &fields {
        let mut part = JsonWriter::new(out.languages);
        match (field.name(), record) {
            ("__typename", _) => part.value(payload),
            ("errors", _) => Errors::new(field).write(problems, &mut part),
            ("deletedId", Some((ty, id))) => part.value(crate::core::id::encode(ty.prefix(), id)),
            (DUPLICATES, Some((_, id))) => duplicates_of(store, field, id, &mut part).await?,
            (_, Some((ty, id))) => self::record(store, field, ty, id, &mut part).await?,
            (_, None) => part.null(),
        }
        written.push((field.key(), part.into_json()));
    }
    out.object(&written, |json, out| out.json(json));
    Ok(())
}

/// Writes a record as it is now.
pub(crate) async fn record(store: &Store, field: &Selection<'_>, ty: RecordType, id: Uuid, out: &mut JsonWriter<'_>) -> Result<()> {
    let (plans, shapes) = ProjectionSet::new(std::slice::from_ref(field), std::iter::once(catalog().get(ty)))?;
    let found = store.nodes(&plans, &[Some((ty, id))]).await?;
    out.option(found.get(0), |node, out| shapes.write(node, out));
    Ok(())
}

//! Output object types. Each field is declared once, with its type, description and projection: the schema registers the
//! declared fields, and selections are projected by the same declarations.

use std::collections::HashMap;

use async_graphql::dynamic::{InputValue, Object, TypeRef};

use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder::field;

/// Name of the field that every object type has.
pub(crate) const TYPE_NAME: &str = "__typename";

/// The types that the projection of an output type works with. Implemented by a marker, or by the value of the type.
pub(crate) trait OutputObject: 'static {
    /// Plan that a field adds its requirements to; `()` if its value needs no plan.
    type Plan<'q>;
    /// Projection of a field: writes the field, or holds the projections of its subfields.
    type Field;
}

/// Writes a field of an object that is written from a `V`.
pub(crate) type FieldWriter<V> = fn(&V, &mut JsonWriter<'_>);

/// An output object type: its name, description and fields.
pub(crate) struct OutputType<T: OutputObject> {
    name: String,
    doc: String,
    fields: Vec<OutputField<T>>,
}

struct OutputField<T: OutputObject> {
    name: &'static str,
    ty: TypeRef,
    doc: String,
    arguments: Vec<Box<DeclareArgument>>,
    project: Box<ProjectField<T>>,
}

type ProjectField<T> =
    dyn for<'q> Fn(&Selection<'q>, &mut <T as OutputObject>::Plan<'q>) -> Result<<T as OutputObject>::Field> + Send + Sync;

/// Makes an argument for the schema, which consumes it.
type DeclareArgument = dyn Fn() -> InputValue + Send + Sync;

impl<T: OutputObject> OutputType<T> {
    pub(crate) fn new(name: impl Into<String>, doc: impl Into<String>) -> Self {
        Self { name: name.into(), doc: doc.into(), fields: Vec::new() }
    }

    /// Declares a field. `project` is called for each selection of the field.
    pub(crate) fn field(
        mut self,
        name: &'static str,
        ty: TypeRef,
        doc: impl Into<String>,
        project: impl for<'q> Fn(&Selection<'q>, &mut T::Plan<'q>) -> Result<T::Field> + Send + Sync + 'static,
    ) -> Self {
        self.fields.push(OutputField { name, ty, doc: doc.into(), arguments: Vec::new(), project: Box::new(project) });
        self
    }

    /// Declares a field whose projection does not depend on its selection.
    pub(crate) fn value(self, name: &'static str, ty: TypeRef, doc: impl Into<String>, projection: T::Field) -> Self
    where
        T::Field: Clone + Send + Sync,
    {
        self.field(name, ty, doc, move |_, _| Ok(projection.clone()))
    }

    /// Adds an argument to the field declared last.
    pub(crate) fn argument(mut self, argument: impl Fn() -> InputValue + Send + Sync + 'static) -> Self {
        if let Some(field) = self.fields.last_mut() {
            field.arguments.push(Box::new(argument));
        }
        self
    }

    /// The type as the schema registers it.
    pub(crate) fn object(&self) -> Object {
        self.fields.iter().fold(Object::new(&self.name).description(&self.doc), |object, declared| {
            let output = field(declared.name, declared.ty.clone(), &declared.doc);
            object.field(declared.arguments.iter().fold(output, |output, argument| output.argument(argument())))
        })
    }

    /// Projects the fields selected on this type and adds their requirements to `plan`.
    pub(crate) fn project<'q>(&'static self, selection: &Selection<'q>, plan: &mut T::Plan<'q>) -> Result<ObjectProjection<T::Field>> {
        let mut fields = Fields::new();
        for selected in selection.subfields(&[&self.name]) {
            let name = selected.name();
            let projection = match self.fields.iter().find(|declared| declared.name == name) {
                Some(declared) => Some((declared.project)(&selected, plan)?),
                None if name == TYPE_NAME => None,
                None => return Err(undeclared(&self.name, name)),
            };
            fields.push((selected.json_key(), projection));
        }
        Ok(ObjectProjection { type_name: &self.name, fields })
    }
}

/// A field that passed validation but that no declaration knows: the schema and the projection disagree.
pub(crate) fn undeclared(type_name: &str, field: &str) -> crate::core::error::Error {
    internal(format!("the projection of {type_name} has no field {field}"))
}

/// Selected fields of an object, in the order of the query.
pub(crate) struct ObjectProjection<F> {
    type_name: &'static str,
    /// The fields; `None` is `__typename`.
    pub(crate) fields: Fields<Option<F>>,
}

impl<F> ObjectProjection<F> {
    /// Writes an object; `write` is called for each field except `__typename`.
    pub(crate) fn write_with(&self, out: &mut JsonWriter<'_>, mut write: impl FnMut(&F, &mut JsonWriter<'_>)) {
        out.object(&self.fields, |field, out| self.write_field(field.as_ref(), out, &mut write));
    }

    /// Writes one of [`Self::fields`].
    pub(crate) fn write_field(&self, field: Option<&F>, out: &mut JsonWriter<'_>, write: impl FnOnce(&F, &mut JsonWriter<'_>)) {
        match field {
            Some(field) => write(field, out),
            None => out.value(self.type_name),
        }
    }
}

impl<V> ObjectProjection<FieldWriter<V>> {
    /// Writes an object from its value.
    pub(crate) fn write(&self, value: &V, out: &mut JsonWriter<'_>) {
        self.write_with(out, |write, out| write(value, out));
    }
}

/// One output type for each of several record types.
pub(crate) struct RecordOutputTypes<T: OutputObject>(HashMap<RecordType, OutputType<T>>);

impl<T: OutputObject> RecordOutputTypes<T> {
    pub(crate) fn new(types: impl Iterator<Item = (&'static Record, OutputType<T>)>) -> Self {
        Self(types.map(|(record, ty)| (record.ty, ty)).collect())
    }

    /// The output type for a record type. Fails if it was not declared for that type.
    pub(crate) fn of(&self, record: &Record) -> Result<&OutputType<T>> {
        self.0.get(&record.ty).ok_or_else(|| internal(format!("{} has no such output type", record.name())))
    }

    /// The types as the schema registers them.
    pub(crate) fn objects(&self) -> impl Iterator<Item = Object> {
        self.0.values().map(OutputType::object)
    }
}

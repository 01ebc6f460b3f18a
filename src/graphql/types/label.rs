//! `label`: what a record is called, whatever its type.

use async_graphql::dynamic::{FieldValue, SchemaBuilder, TypeRef};

use super::{Argument, Computed};
use crate::graphql::object::{lang, languages};
use crate::graphql::scalar;
use crate::store::record::{Record, Shape};

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    builder
}

/// Records whose name stands in a field of another name.
fn is_called_otherwise(record: &Record) -> bool {
    record.shape == Shape::Record && record.label().is_some_and(|field| field.name != "label")
}

fn label_index(record: &Record) -> usize {
    record.fields.iter().position(|field| field.is_label).unwrap_or_default()
}

pub(super) fn computed() -> Vec<Computed> {
    vec![Computed {
        on: is_called_otherwise,
        shared: true,
        name: "label",
        ty: TypeRef::named_nn(TypeRef::STRING),
        doc: "What the record is called: its name, title or text, whatever its type.",
        arguments: &[Argument { name: "lang", ty: scalar::LANGUAGE, doc: "Language wanted, as a BCP 47 tag." }],
        plan: |_, record, plan| {
            plan.read(label_index(record));
            Ok(())
        },
        resolve: |ctx, node| {
            let index = label_index(node.record());
            let kind = node.record().fields[index].kind;
            Ok(scalar::value(kind, node.cell(index), lang(ctx), languages(ctx)).or_else(|| Some(FieldValue::value(""))))
        },
    }]
}

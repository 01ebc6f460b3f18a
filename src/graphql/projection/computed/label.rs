//! `label`: what a record is called, whatever its type.

use async_graphql::dynamic::{SchemaBuilder, TypeRef};

use crate::catalog::record::{Record, RecordKind};
use crate::graphql::projection::FieldProjection;
use crate::graphql::projection::computed::{Argument, Computed};
use crate::graphql::schema::scalar;

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    builder
}

/// Records whose name stands in a field of another name.
fn is_called_otherwise(record: &Record) -> bool {
    record.shape == RecordKind::Record && record.label().is_some_and(|field| field.name != "label")
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
        // every record is called something: the column is never empty
        show: |selection, record, plan| {
            let index = label_index(record);
            plan.select_field(index);
            Ok(FieldProjection::Value(index, record.fields[index].kind, selection.lang()?))
        },
    }]
}

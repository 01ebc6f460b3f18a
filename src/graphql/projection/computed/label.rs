//! `label`: the name, title or text of a record of any type.

use async_graphql::dynamic::TypeRef;

use crate::catalog::record::{Record, RecordKind};
use crate::core::error::internal;
use crate::graphql::projection::FieldProjection;
use crate::graphql::projection::computed::field::{ComputedField, FieldArgument};
use crate::graphql::schema::builder;

/// Whether the label of a record is a field that is not named `label`.
fn has_label_of_other_name(record: &Record) -> bool {
    record.kind == RecordKind::Record && record.label().is_some_and(|field| field.name != "label")
}

pub(super) fn fields() -> Vec<ComputedField> {
    vec![ComputedField {
        applies_to: has_label_of_other_name,
        in_interfaces: true,
        name: "label",
        // the column is never null
        ty: TypeRef::named_nn(TypeRef::STRING),
        doc: "Display name: the name, title or text of the record.",
        arguments: &[FieldArgument { name: "lang", ty: builder::LANGUAGE, doc: "Preferred language, as a BCP 47 tag." }],
        project: |selection, record, plan| {
            let id = record.label_id();
            let id = id.ok_or_else(|| internal(format!("{} declares no label", record.name())))?;
            plan.select_field(id);
            Ok(FieldProjection::Value(id, record.field(id).kind, selection.lang_argument()?))
        },
    }]
}

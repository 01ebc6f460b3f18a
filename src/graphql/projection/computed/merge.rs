//! `recordId` and `mergedInto` of revisions: they name a record that is gone.

use async_graphql::dynamic::TypeRef;

use crate::catalog::catalog;
use crate::catalog::field::RECORD_TYPE;
use crate::catalog::record::{Record, RecordKind};
use crate::entity::RecordType;
use crate::graphql::global_id;
use crate::graphql::projection::computed::field::ComputedField;
use crate::graphql::projection::{FieldProjection, ProjectionSet};
use crate::graphql::schema::builder::RECORD;
use crate::store::read::plan::ChildPlan;
use crate::store::read::result::Cell;

/// The field of a revision that refers to its record.
const CHANGED_RECORD: &str = "record";

fn is_revision(record: &Record) -> bool {
    record.ty == RecordType::Revision
}

pub(super) fn fields() -> Vec<ComputedField> {
    vec![
        ComputedField {
            applies_to: is_revision,
            in_interfaces: false,
            name: "recordId",
            ty: TypeRef::named_nn(TypeRef::ID),
            doc: "Id of the record that changed, also if it is gone.",
            arguments: &[],
            project: |_, record, plan| {
                let [id, ty] = [CHANGED_RECORD, RECORD_TYPE].map(|name| record.known_field(name));
                plan.select_field(id);
                plan.select_field(ty);
                Ok(FieldProjection::Computed(Box::new(move |row, out| {
                    match (row.cell(id), row.cell(ty).as_text().and_then(RecordType::from_prefix)) {
                        (Cell::Id(id), Some(ty)) => out.value(global_id::encode(ty, *id)),
                        // both columns are never null
                        _ => out.null(),
                    }
                })))
            },
        },
        ComputedField {
            applies_to: is_revision,
            in_interfaces: false,
            name: "mergedInto",
            ty: TypeRef::named(RECORD),
            doc: "Record that the id leads to now, if the record that changed was merged.",
            arguments: &[],
            project: |selection, record, plan| {
                let records = catalog().all().filter(|record| record.kind == RecordKind::Record);
                let (plans, projections) = ProjectionSet::new(std::slice::from_ref(selection), records)?;
                let child = plan.add_child(ChildPlan::MergedInto(record.known_field(CHANGED_RECORD), plans));
                Ok(FieldProjection::PolymorphicReference(child, projections))
            },
        },
    ]
}

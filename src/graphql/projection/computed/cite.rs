//! `permalink` and `citationText`: the permanent URL of a record, and a text to cite it by.

use async_graphql::dynamic::TypeRef;

use crate::catalog::record::{Record, RecordKind};
use crate::core::dataset::{CitedRecord, page};
use crate::core::ids::FieldId;
use crate::core::language::Languages;
use crate::graphql::projection::FieldProjection;
use crate::graphql::projection::computed::field::{ComputedField, FieldArgument};
use crate::graphql::schema::builder;
use crate::graphql::schema::scalar;
use crate::store::read::plan::Plan;
use crate::store::read::result::{Cell, RowRef};

fn is_top_level(record: &Record) -> bool {
    record.kind == RecordKind::Record
}

/// Adds fields to the plan; returns their ids.
fn require<const N: usize>(record: &Record, names: [&'static str; N], plan: &mut Plan) -> [FieldId; N] {
    let ids = names.map(|name| record.known_field(name));
    for id in ids {
        plan.select_field(id);
    }
    ids
}

fn path(row: RowRef<'_>, slug: FieldId) -> String {
    page(row.ty().prefix(), row.cell(slug).as_text().unwrap_or_default())
}

/// The label of a record in the preferred language, with the tag of that language if the label is translated.
fn label<'n>(cell: &'n Cell, lang: Option<&str>, languages: &Languages) -> (&'n str, Option<&'n str>) {
    match cell {
        Cell::Json(texts) => {
            let (lang, text) = scalar::best_with_tag(texts, lang, languages).unwrap_or_default();
            (text, Some(lang))
        }
        other => (other.as_text().unwrap_or_default(), None),
    }
}

pub(super) fn fields() -> Vec<ComputedField> {
    vec![
        ComputedField {
            applies_to: is_top_level,
            in_interfaces: true,
            name: "permalink",
            ty: TypeRef::named_nn(TypeRef::STRING),
            doc: "Permanent URL of its page; former slugs and ids redirect to it.",
            arguments: &[],
            project: |selection, record, plan| {
                let [slug] = require(record, ["slug"], plan);
                let dataset = selection.dataset().clone();
                Ok(FieldProjection::Computed(Box::new(move |row, out| out.value(dataset.address(&path(row, slug))))))
            },
        },
        ComputedField {
            applies_to: is_top_level,
            in_interfaces: true,
            name: "citationText",
            ty: TypeRef::named_nn(TypeRef::STRING),
            doc: "Citation of the record: label, dataset, revision and permalink.",
            arguments: &[FieldArgument { name: "lang", ty: builder::LANGUAGE, doc: "Language; default: Accept-Language." }],
            project: |selection, record, plan| {
                let label_field = record.label().map_or("label", |field| field.name);
                let [slug, label_index, revision, changed] = require(record, ["slug", label_field, "revision", "updatedAt"], plan);
                let (dataset, preferred) = (selection.dataset().clone(), selection.lang_argument()?);
                Ok(FieldProjection::Computed(Box::new(move |row, out| {
                    let (label, lang) = label(row.cell(label_index), preferred.as_deref(), out.languages);
                    let path = path(row, slug);
                    let text = match (row.cell(revision), row.cell(changed)) {
                        (Cell::Integer(revision), Cell::Instant(changed)) => {
                            Some(dataset.citation(&CitedRecord { label, lang, revision: *revision, changed: *changed, path: &path }))
                        }
                        _ => None,
                    };
                    out.value(text);
                })))
            },
        },
    ]
}

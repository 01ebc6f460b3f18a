//! `permalink` and `citationText`: where a record is for ever, and how it is cited.

use async_graphql::dynamic::{SchemaBuilder, TypeRef};

use crate::catalog::record::{Record, RecordKind};
use crate::core::dataset::{CitedRecord, page};
use crate::core::language::Languages;
use crate::graphql::projection::FieldProjection;
use crate::graphql::projection::computed::{Argument, Computed};
use crate::graphql::schema::scalar;
use crate::store::read::plan::Plan;
use crate::store::read::result::{Cell, RowRef};

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    builder
}

fn lives(record: &Record) -> bool {
    record.shape == RecordKind::Record
}

/// Reads these fields; gives their places.
fn read<const N: usize>(record: &Record, names: [&str; N], plan: &mut Plan) -> [usize; N] {
    names.map(|name| {
        let index = record.field_index(name).unwrap_or_default();
        plan.select_field(index);
        index
    })
}

fn path(node: RowRef<'_>, slug: usize) -> String {
    page(node.ty().prefix(), node.cell(slug).as_text().unwrap_or_default())
}

/// What a record is called, in the best language, and which that is.
fn label<'n>(cell: &'n Cell, lang: Option<&str>, languages: &Languages) -> (&'n str, Option<&'n str>) {
    match cell {
        Cell::Json(texts) => {
            let (lang, text) = scalar::best_with_tag(texts, lang, languages).unwrap_or_default();
            (text, Some(lang))
        }
        other => (other.as_text().unwrap_or_default(), None),
    }
}

pub(super) fn computed() -> Vec<Computed> {
    vec![
        Computed {
            on: lives,
            shared: true,
            name: "permalink",
            ty: TypeRef::named_nn(TypeRef::STRING),
            doc: "Address of the page of the record, with its facts, sources and disputes. It stays: earlier slugs and ids of merged records lead to it. Where whoever runs the server has not said where that is, it is the path on the server.",
            arguments: &[],
            show: |selection, record, plan| {
                let [slug] = read(record, ["slug"], plan);
                let dataset = selection.dataset().clone();
                Ok(FieldProjection::Computed(Box::new(move |node, out| out.value(dataset.address(&path(node, slug))))))
            },
        },
        Computed {
            on: lives,
            shared: true,
            name: "citationText",
            ty: TypeRef::named_nn(TypeRef::STRING),
            doc: "Text to cite the record by: what it is called, the dataset and who is to be named where that is known, which state of the record it is, and its address.",
            arguments: &[Argument {
                name: "lang",
                ty: scalar::LANGUAGE,
                doc: "Language wanted for the name of the record, as a BCP 47 tag; the words around it are in it too where it is English, Russian or Kazakh.",
            }],
            show: |selection, record, plan| {
                let called = record.label().map_or("label", |field| field.name);
                let [slug, called, revision, changed] = read(record, ["slug", called, "revision", "updatedAt"], plan);
                let (dataset, wanted) = (selection.dataset().clone(), selection.lang()?);
                Ok(FieldProjection::Computed(Box::new(move |node, out| {
                    let (label, lang) = label(node.cell(called), wanted.as_deref(), out.languages);
                    let path = path(node, slug);
                    let text = match (node.cell(revision), node.cell(changed)) {
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

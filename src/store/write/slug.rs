//! Slugs of drafts: generated ones, and those that lead to another record now.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::core::normalize::fold;
use crate::entity::RecordType;
use crate::store::database;
use crate::store::draft::{Draft, DraftValue, InputProblem, ProblemCode};

/// Maximum length of a slug generated from a name.
const MAX_GENERATED_SLUG_BYTES: usize = 80;

/// A slug that no record has any more, and the record that it leads to.
#[derive(Debug, Clone)]
pub(super) struct RetiredSlug {
    /// Slug of the record that it leads to.
    pub(super) target: String,
    /// Whether the record that had the slug was merged into the other one. Otherwise that one had it itself, or it is unknown.
    pub(super) is_merged: bool,
}

impl RetiredSlug {
    /// The warning that a draft with the slug is skipped.
    pub(super) fn warning(&self, ty: RecordType, slug: &str, draft: &Draft) -> InputProblem {
        let (singular, target) = (catalog().get(ty).singular(), &self.target);
        let message = if self.is_merged {
            format!(
                "the {singular} \"{slug}\" was merged into the {singular} \"{target}\", so nothing was written; give the slug of that one, or undo the merge first"
            )
        } else {
            format!("\"{slug}\" is a former slug of the {singular} \"{target}\", so nothing was written; give its present slug")
        };
        InputProblem::new(draft.origin.child("slug", None), message).with_code(ProblemCode::Taken)
    }
}

/// Former slugs among these that lead to existing records of a type, each with the id of the record.
pub(super) async fn former_slugs(
    transaction: &DatabaseTransaction,
    record: &Record,
    slugs: &[&str],
) -> Result<Vec<(String, Uuid, RetiredSlug)>> {
    let present = |name| Expr::col((Alias::new(record.table), Alias::new(name)));
    let select = Query::select()
        .columns(["record_id", "slug", "origin_id"].map(|name| ("former_slugs", name)))
        .expr(present("slug"))
        .from("former_slugs")
        .inner_join(Alias::new(record.table), present("id").equals(("former_slugs", "record_id")))
        .and_where(Expr::col(("former_slugs", "record_type")).eq(record.ty.prefix()))
        .and_where(Expr::col(("former_slugs", "slug")).is_in(slugs.iter().copied()))
        .to_owned();
    let rows = transaction.query_all(&select).await.map_err(database)?;
    let former = rows.iter().map(|row| {
        let (id, origin): (Uuid, Option<Uuid>) = (row.try_get_by_index(0)?, row.try_get_by_index(2)?);
        let retired = RetiredSlug { target: row.try_get_by_index(3)?, is_merged: origin.is_some_and(|origin| origin != id) };
        Ok((row.try_get_by_index(1)?, id, retired))
    });
    former.collect::<std::result::Result<_, sea_orm::DbErr>>().map_err(internal)
}

/// Slug from the name of a record, or from its type if it has none.
pub(super) fn slug_from_name(record: &Record, draft: &Draft) -> String {
    let label = record.find_field(|field| field.is_label).and_then(|field| draft.value(field));
    let name = match label {
        Some(DraftValue::Cell(cell)) => cell.texts().first().map(|text| fold(text)).unwrap_or_default(),
        _ => String::new(),
    };
    let mut slug = name.replace(' ', "-");
    slug.truncate(MAX_GENERATED_SLUG_BYTES);
    let slug = slug.trim_matches('-');
    if slug.is_empty() { record.ty.prefix().replace('_', "-") } else { slug.to_owned() }
}

//! Visibility of links, stored in their `published` column so that a read checks a single column.
//!
//! A link, such as a citation, a topic or the subject of a statement, is published if both of its ends are.

use std::collections::{BTreeMap, HashSet};

use sea_orm::sea_query::{Alias, Cond, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::field::Field;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::{Record, RecordKind};
use crate::core::error::Result;
use crate::core::ids::FieldId;
use crate::entity::RecordType;
use crate::store::curation::disputes::update_citing;
use crate::store::database;
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::load::LOOKUP_BATCH_VALUES;

/// Records and links whose visibility one write changes.
#[derive(Debug, Default)]
pub(crate) struct VisibilityChanges {
    /// Records that were published (true) or unpublished (false).
    records: BTreeMap<(RecordType, bool), Vec<Uuid>>,
    /// Written links of published records.
    links: BTreeMap<RecordType, Vec<Uuid>>,
}

impl VisibilityChanges {
    /// Adds a record that was published or unpublished.
    pub(crate) fn changed(&mut self, ty: RecordType, id: Uuid, published: bool) {
        self.records.entry((ty, published)).or_default().push(id);
    }

    /// Adds written rows of published records or of their parts.
    pub(crate) fn written(&mut self, record: &Record, ids: impl Iterator<Item = Uuid>) {
        if ends(record).next().is_some() {
            self.links.entry(record.ty).or_default().extend(ids);
        }
    }

    /// Hides links to drafts and shows links to records that became published. The rows and their search documents must
    /// have been written.
    pub(crate) async fn write(self, transaction: &DatabaseTransaction, draft_sources: &HashSet<Uuid>) -> Result<()> {
        for (ty, ids) in &self.links {
            let link = catalog().get(*ty);
            for end in ends(link) {
                set_published(transaction, link, false, "id", ids, target_is_draft(link, end)).await?;
            }
        }
        for ((ty, published), ids) in &self.records {
            for link in catalog().all() {
                for end in ends(link).filter(|end| can_link_to(end, *ty)) {
                    let condition = if *published { owner_is_published(link) } else { Cond::all() };
                    set_published(transaction, link, *published, end.column, ids, condition).await?;
                }
            }
            if *ty == RecordType::Source {
                update_citing(transaction, ids, draft_sources).await?;
            }
        }
        Ok(())
    }
}

/// The references of a link to its targets.
fn ends(link: &Record) -> impl Iterator<Item = &Field> {
    let is_link = link.kind == RecordKind::Part { cited: false };
    link.fields.iter().skip(1).filter(move |field| is_link && matches!(field.kind, FieldKind::One(_) | FieldKind::Any))
}

fn can_link_to(end: &Field, ty: RecordType) -> bool {
    match end.kind {
        FieldKind::One(target) => target == ty,
        _ => true,
    }
}

/// Predicate: the target of a link is a draft. Every record has a search document, so one table covers all types.
fn target_is_draft(link: &Record, end: &Field) -> Cond {
    row_exists("search_documents", Expr::col((Alias::new(link.table), Alias::new(end.column))), false)
}

/// Predicate: the row with this id exists and has this visibility.
fn row_exists(table: &'static str, id: Expr, published: bool) -> Cond {
    let row = |name| Expr::col((Alias::new("o"), Alias::new(name)));
    let select = Query::select()
        .expr(Expr::val(1))
        .from_as(Alias::new(table), Alias::new("o"))
        .and_where(row("id").eq(id))
        .and_where(row("published").eq(published))
        .to_owned();
    Cond::all().add(Expr::exists(select))
}

/// Predicate: the record or part that has the link is published.
fn owner_is_published(link: &Record) -> Cond {
    let owner = &link.field(FieldId::OWNER);
    let reference = || Expr::col((Alias::new(link.table), Alias::new(owner.column)));
    let owners = catalog().all().filter(|record| match owner.kind {
        FieldKind::One(target) => target == record.ty,
        _ => record.relations.iter().any(|relation| relation.target == link.ty) || record.parts.iter().any(|list| list.part == link.ty),
    });
    owners.fold(Cond::any(), |any, record| any.add(row_exists(record.table, reference(), true)))
}

/// Publishes or hides the rows of a table whose `column` is one of these ids and that satisfy a condition.
async fn set_published(
    transaction: &DatabaseTransaction,
    record: &Record,
    published: bool,
    column: &'static str,
    ids: &[Uuid],
    condition: Cond,
) -> Result<()> {
    for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
        let update = Query::update()
            .table(Alias::new(record.table))
            .value("published", published)
            .and_where(one_of_ids(transaction.get_database_backend(), column, batch)?)
            .cond_where(condition.clone())
            .to_owned();
        transaction.execute(&update).await.map_err(database)?;
    }
    Ok(())
}

//! What readers see of links: it is written with them, so that to read is to look at one column.
//!
//! A link (a citation, a topic, what a statement is about) is published when both its ends are.

use std::collections::{BTreeMap, HashSet};

use sea_orm::sea_query::{Alias, Cond, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::record::{Field, FieldKind, Record, RecordKind, catalog};
use crate::core::error::Result;
use crate::entity::RecordType;
use crate::store::curation::disputes::judge_again;
use crate::store::database;
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::CHUNK;

/// What one write does to what readers see.
#[derive(Debug, Default)]
pub(crate) struct Publication {
    /// Records that were published (true) or taken back (false).
    flipped: BTreeMap<(RecordType, bool), Vec<Uuid>>,
    /// Links that were written as those of a published record.
    links: BTreeMap<RecordType, Vec<Uuid>>,
}

impl Publication {
    /// A record was published or taken back.
    pub(crate) fn flipped(&mut self, ty: RecordType, id: Uuid, published: bool) {
        self.flipped.entry((ty, published)).or_default().push(id);
    }

    /// Rows of published records were written.
    pub(crate) fn written(&mut self, record: &Record, ids: impl Iterator<Item = Uuid>) {
        if ends(record).next().is_some() {
            self.links.entry(record.ty).or_default().extend(ids);
        }
    }

    /// Hides what leads to drafts, and shows what does no more. The rows and their search documents are written already.
    pub(crate) async fn write(self, transaction: &DatabaseTransaction, draft_sources: &HashSet<Uuid>) -> Result<()> {
        for (ty, ids) in &self.links {
            let link = catalog().get(*ty);
            for end in ends(link) {
                update(transaction, link, false, "id", ids, leads_to_draft(link, end)).await?;
            }
        }
        for ((ty, published), ids) in &self.flipped {
            for link in catalog().all() {
                for end in ends(link).filter(|end| leads_to(end, *ty)) {
                    let condition = if *published { owner_is_published(link) } else { Cond::all() };
                    update(transaction, link, *published, end.column, ids, condition).await?;
                }
            }
            if *ty == RecordType::Source {
                judge_again(transaction, ids, draft_sources).await?;
            }
        }
        Ok(())
    }
}

/// The far ends of a link.
fn ends(link: &Record) -> impl Iterator<Item = &Field> {
    let is_link = link.shape == RecordKind::Part { cited: false };
    link.fields.iter().skip(1).filter(move |field| is_link && matches!(field.kind, FieldKind::One(_) | FieldKind::Any))
}

fn leads_to(end: &Field, ty: RecordType) -> bool {
    match end.kind {
        FieldKind::One(target) => target == ty,
        _ => true,
    }
}

/// The condition that this end of a link is a draft: every record has a search document.
fn leads_to_draft(link: &Record, end: &Field) -> Cond {
    exists("search_documents", Expr::col((Alias::new(link.table), Alias::new(end.column))), false)
}

/// The condition that a row of a table with this id is published, or is not.
fn exists(table: &'static str, id: Expr, published: bool) -> Cond {
    let row = |name| Expr::col((Alias::new("o"), Alias::new(name)));
    let select = Query::select()
        .expr(Expr::val(1))
        .from_as(Alias::new(table), Alias::new("o"))
        .and_where(row("id").eq(id))
        .and_where(row("published").eq(published))
        .to_owned();
    Cond::all().add(Expr::exists(select))
}

/// The condition that the record or part with the link is published.
fn owner_is_published(link: &Record) -> Cond {
    let owner = &link.fields[0];
    let reference = || Expr::col((Alias::new(link.table), Alias::new(owner.column)));
    let owners = catalog().all().filter(|record| match owner.kind {
        FieldKind::One(target) => target == record.ty,
        _ => record.relations.iter().any(|relation| relation.target == link.ty) || record.parts.iter().any(|list| list.part == link.ty),
    });
    owners.fold(Cond::any(), |any, record| any.add(exists(record.table, reference(), true)))
}

/// Publishes or hides the rows of a table that have one of these ids in a column and satisfy a condition.
async fn update(
    transaction: &DatabaseTransaction,
    record: &Record,
    published: bool,
    column: &'static str,
    ids: &[Uuid],
    condition: Cond,
) -> Result<()> {
    for chunk in ids.chunks(CHUNK) {
        let update = Query::update()
            .table(Alias::new(record.table))
            .value("published", published)
            .and_where(one_of_ids(transaction.get_database_backend(), column, chunk)?)
            .cond_where(condition.clone())
            .to_owned();
        transaction.execute(&update).await.map_err(database)?;
    }
    Ok(())
}

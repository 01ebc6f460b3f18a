//! Reads a plan by one statement, and by one more for each type of what a reference to anything leads to.

use std::collections::HashMap;

use futures_util::future::{BoxFuture, FutureExt, join3, try_join_all};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{DbBackend, Statement};
use uuid::Uuid;

use crate::catalog::record::{FieldKind, Record, RecordKind, catalog};
use crate::core::error::{Result, internal};
use crate::core::filter::{Filter, FilterValue, Predicate};
use crate::core::partial_date::PartialDate;
use crate::entity::RecordType;
use crate::store::Store;
use crate::store::read::decode;
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};
use crate::store::read::redaction::changes;
use crate::store::read::result::{ChildRows, PageBounds, PagedRows, ReferencedRows, RowSet};
use crate::store::sql::filter::{FilterBuilder, SemiJoin, wanted};
use crate::store::sql::select::SelectBuilder;
use crate::store::sql::statement::statement;

/// How one record is named.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// By its id.
    Id(Uuid),
    /// By its slug.
    Slug(String),
    /// By an identifier that another register gave it.
    Identifier {
        /// The register.
        scheme: String,
        /// The identifier.
        value: String,
    },
}

/// Rows of a small set at most. A larger one is met soon enough by going through a list row by row.
const FEW: u64 = 1_000;
/// Variables in one statement at most: SQLite takes 32,766.
pub(crate) const CHUNK: usize = 16_000;

impl Store {
    /// One record, or nothing where no record that may be seen is named so. The old id of a merged record leads to the one
    /// it became, and so does a slug that a record had before.
    pub async fn get(&self, by: &Lookup, plan: &Plan) -> Result<ReferencedRows> {
        let found = self.get_unmerged(by, plan).await?;
        match by {
            _ if found.of(0).is_some() || catalog().get(plan.ty).shape != RecordKind::Record => Ok(found),
            Lookup::Id(id) => match self.merged_into(*id).await? {
                Some(id) => self.get_unmerged(&Lookup::Id(id), plan).await,
                None => Ok(found),
            },
            Lookup::Slug(slug) => match self.formerly(plan.ty, slug).await? {
                Some(id) => self.get_unmerged(&Lookup::Id(id), plan).await,
                None => Ok(found),
            },
            Lookup::Identifier { .. } => Ok(found),
        }
    }

    /// The id of the record with this slug, or that had it.
    pub async fn find(&self, ty: RecordType, slug: &str) -> Result<Option<Uuid>> {
        let found = self.get(&Lookup::Slug(slug.to_owned()), &Plan::new(ty)).await?;
        Ok(found.of(0).map(|node| node.uuid()))
    }

    async fn get_unmerged(&self, by: &Lookup, plan: &Plan) -> Result<ReferencedRows> {
        let mut level = RowSet::new(plan);
        let text = self.read_text(&self.selects().one(plan, by)?).await?;
        let count = decode::rows(text.as_deref().unwrap_or("null"), plan, &mut level).map_err(internal)?;
        self.complete(plan, &mut level).await?;
        Ok(ReferencedRows { levels: vec![level], at: vec![(count > 0).then_some((0, 0))] })
    }

    /// The id that the record with this id was merged into.
    async fn merged_into(&self, id: Uuid) -> Result<Option<Uuid>> {
        let select = Query::select()
            .column("merged_into")
            .from("nodes")
            .and_where(Expr::col("id").eq(id))
            .and_where(Expr::col("merged_into").is_not_null())
            .to_owned();
        let rows = self.read(&select).await?;
        rows.first().map(|row| row.try_get_by_index(0)).transpose().map_err(internal)
    }

    /// The id of the record that had this slug, or was merged into the one that had it.
    async fn formerly(&self, ty: RecordType, slug: &str) -> Result<Option<Uuid>> {
        let select = Query::select()
            .column("record_id")
            .from("former_slugs")
            .and_where(Expr::col("record_type").eq(ty.prefix()))
            .and_where(Expr::col("slug").eq(slug))
            .to_owned();
        let rows = self.read(&select).await?;
        rows.first().map(|row| row.try_get_by_index(0)).transpose().map_err(internal)
    }

    /// Records of one type by their ids, in any order; what is not there or may not be seen is left out.
    async fn get_many(&self, plan: &Plan, mut ids: Vec<Uuid>) -> Result<RowSet> {
        ids.sort_unstable();
        ids.dedup();
        let mut level = RowSet::new(plan);
        for chunk in ids.chunks(CHUNK) {
            if let Some(text) = self.read_text(&self.selects().many(plan, chunk)?).await? {
                decode::rows(&text, plan, &mut level).map_err(internal)?;
            }
        }
        self.complete(plan, &mut level).await?;
        Ok(level)
    }

    /// Records of any of these types by their ids, one for each id or nothing, in the order of the ids.
    pub async fn nodes(&self, plans: &[Plan], ids: &[Option<(RecordType, Uuid)>]) -> Result<ReferencedRows> {
        let levels = try_join_all(wanted_of(plans, ids).map(|(plan, wanted)| self.get_many(plan, wanted))).await?;
        Ok(ReferencedRows::new(levels, ids))
    }

    /// The same for ids of records that are known to be there and to be seen: what is wanted of them may be known with that.
    pub async fn known(&self, plans: &[Plan], ids: &[Option<(RecordType, Uuid)>]) -> Result<ReferencedRows> {
        let levels = wanted_of(plans, ids).map(async |(plan, wanted)| match plan.is_bare() {
            true => Ok(RowSet::bare(plan, wanted)),
            false => self.get_many(plan, wanted).await,
        });
        Ok(ReferencedRows::new(try_join_all(levels).await?, ids))
    }

    fn selects(&self) -> SelectBuilder {
        SelectBuilder::new(self.backend(), self.sees, Vec::new())
    }

    /// Chooses how conditions on related records are asked, in the order in which the filter has them. PostgreSQL
    /// does that by itself. SQLite asks as it is told, and each form can take seconds where the other takes
    /// milliseconds; so it is looked whether the set is small.
    pub(crate) fn forms<'a>(&'a self, record: &'a Record, filter: &'a Filter) -> BoxFuture<'a, Result<Vec<SemiJoin>>> {
        async move {
            let mut forms = Vec::new();
            if self.backend() == DbBackend::Postgres {
                return Ok(forms);
            }
            let (target, inner) = match filter {
                Filter::And(parts) | Filter::Or(parts) => {
                    for part in parts {
                        forms.extend(self.forms(record, part).await?);
                    }
                    return Ok(forms);
                }
                Filter::Not(part) => return self.forms(record, part).await,
                Filter::Id(_) | Filter::Field(..) => return Ok(forms),
                Filter::One(field, inner) => match record.fields[*field].kind {
                    FieldKind::One(target) => (target, (**inner).clone()),
                    _ => return Ok(forms),
                },
                Filter::Many(relation, quantifier, inner) => (record.relations[*relation].target, wanted(*quantifier, inner)),
            };
            let below = self.forms(catalog().get(target), &inner).await?;
            let look = FilterBuilder::new(self.backend(), self.sees, below.clone()).few(target, &inner, FEW + 1);
            let is_small = self.read_count(&look).await? <= FEW;
            forms.push(if is_small { SemiJoin::Set } else { SemiJoin::Row });
            forms.extend(below);
            Ok(forms)
        }
        .boxed()
    }

    /// The statement that reads a page, for a look at how the database runs it.
    pub async fn statement(&self, list: &ListPlan) -> Result<Statement> {
        let forms = self.forms(catalog().get(list.plan.ty), &list.filter).await?;
        Ok(statement(self.backend(), &SelectBuilder::new(self.backend(), self.sees, forms).page(list)?))
    }

    /// A page of all records of a type: the only one of the pages that are given.
    pub async fn page(&self, list: &ListPlan) -> Result<PagedRows> {
        let forms = self.forms(catalog().get(list.plan.ty), &list.filter).await?;
        let selects = || SelectBuilder::new(self.backend(), self.sees, forms.clone());
        let rows = async {
            let mut pages = PagedRows::new(list);
            match list.rows {
                true => {
                    let text = self.read_text(&selects().page(list)?).await?;
                    decode::page(text.as_deref().unwrap_or("null"), list, &mut pages).map_err(internal)?;
                    self.complete(&list.plan, &mut pages.level).await?;
                }
                false => pages.spans.push(PageBounds::default()),
            }
            Ok(pages)
        };
        let total = async {
            match list.total {
                true => self.read_count(&selects().count(list, None)).await.map(Some),
                false => Ok(None),
            }
        };
        let facets = async {
            match list.facets.is_empty() {
                true => Ok(None),
                false => self.read_text(&selects().facets(list)?).await,
            }
        };
        let (pages, total, facets) = join3(rows, total, facets).await;
        let (mut pages, total, facets) = (pages?, total?, facets?);
        pages.spans[0].total = total;
        if let Some(text) = facets {
            decode::facets(&text, list, &mut pages).map_err(internal)?;
            self.complete_facets(list, &mut pages).await?;
        }
        Ok(pages)
    }

    /// The same for records that are values of facets.
    async fn complete_facets(&self, list: &ListPlan, pages: &mut PagedRows) -> Result<()> {
        let found = list.facets.iter().zip(&mut pages.facets).filter_map(|(facet, level)| Some((facet.plan.as_ref()?, level.as_mut()?)));
        let found = found.filter(|(plan, _)| is_to_complete(plan)).map(|(plan, level)| self.complete(plan, level));
        try_join_all(found).await.map(drop)
    }

    /// Reads what references to records of any type lead to, all of it at the same time, and hides drafts in the history.
    pub(crate) fn complete<'a>(&'a self, plan: &'a Plan, level: &'a mut RowSet) -> BoxFuture<'a, Result<()>> {
        async move {
            self.veil(plan, level).await?;
            let mut wanted = Vec::new();
            for (place, child) in plan.children.iter().enumerate() {
                if let ChildPlan::Any(field, plans) = child {
                    wanted.push((place, plans, level.references(*field)));
                }
            }
            let found = try_join_all(wanted.into_iter().map(async |(place, plans, ids)| {
                let types = self.types(ids.iter().flatten().copied().collect()).await?;
                let ids: Vec<_> = ids.into_iter().map(|id| Some((*types.get(&id?)?, id?))).collect();
                self.nodes(plans, &ids).await.map(|found| (place, found))
            }))
            .await?;
            for (place, references) in found {
                level.children[place] = ChildRows::One(references);
            }
            for (child, found) in plan.children.iter().zip(&mut level.children) {
                if let (ChildPlan::Many(_, list), ChildRows::Many(pages)) = (child, found) {
                    self.complete_facets(list, pages).await?;
                }
            }
            let below = plan.children.iter().zip(&mut level.children).filter_map(|(child, found)| match (child, found) {
                (ChildPlan::One(_, plan), ChildRows::One(references)) => references.levels.first_mut().map(|level| (&**plan, level)),
                (ChildPlan::Many(_, list), ChildRows::Many(pages)) => Some((&list.plan, &mut pages.level)),
                _ => None,
            });
            let below = below.filter(|(plan, _)| is_to_complete(plan)).map(|(plan, level)| self.complete(plan, level));
            try_join_all(below).await.map(drop)
        }
        .boxed()
    }

    /// Types of the records with these ids.
    async fn types(&self, mut ids: Vec<Uuid>) -> Result<HashMap<Uuid, RecordType>> {
        ids.sort_unstable();
        ids.dedup();
        let mut types = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let select = Query::select()
                .columns(["id", "record_type"])
                .from("nodes")
                .and_where(Expr::col("id").is_in(chunk.iter().copied()))
                .to_owned();
            for row in self.read(&select).await? {
                let id: Uuid = row.try_get_by_index(0).map_err(internal)?;
                let prefix: String = row.try_get_by_index(1).map_err(internal)?;
                types.extend(RecordType::from_prefix(&prefix).map(|ty| (id, ty)));
            }
        }
        Ok(types)
    }
}

/// The plans of the types that ids are of, each with the ids of its type.
fn wanted_of<'a>(plans: &'a [Plan], ids: &'a [Option<(RecordType, Uuid)>]) -> impl Iterator<Item = (&'a Plan, Vec<Uuid>)> {
    plans.iter().filter_map(|plan| {
        let wanted: Vec<Uuid> = ids.iter().flatten().filter(|(ty, _)| *ty == plan.ty).map(|(_, id)| *id).collect();
        (!wanted.is_empty()).then_some((plan, wanted))
    })
}

/// Whether a plan has a reference to a record of any type somewhere, or changes of the history.
pub(crate) fn is_to_complete(plan: &Plan) -> bool {
    changes(plan).is_some()
        || plan.children.iter().any(|child| match child {
            ChildPlan::Any(..) => true,
            ChildPlan::One(_, plan) => is_to_complete(plan),
            ChildPlan::Many(_, list) => {
                is_to_complete(&list.plan) || list.facets.iter().filter_map(|facet| facet.plan.as_ref()).any(is_to_complete)
            }
        })
}

/// The filter for versions of a text that were in force on a date: from its first day up to, and not on, its last.
pub fn in_force_on(version: &Record, date: &PartialDate) -> Filter {
    let field = |name| version.field_index(name).unwrap_or_default();
    let test = |name, test| Filter::Field(field(name), test);
    let unknown = |name| test(name, Predicate::IsNull(true));
    let on = FilterValue::Date(date.clone());
    Filter::And(vec![
        Filter::Or(vec![unknown("validFrom"), test("validFrom", Predicate::Lte(on.clone()))]),
        Filter::Or(vec![unknown("validTo"), test("validTo", Predicate::Gt(on))]),
    ])
}

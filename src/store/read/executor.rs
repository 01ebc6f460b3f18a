//! Executes plans: one statement per plan, and one more per type of the targets of polymorphic references.

use std::collections::HashMap;

use futures_util::future::{BoxFuture, FutureExt, join3, try_join_all};
use sea_orm::Statement;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::{Record, RecordKind};
use crate::core::error::{Result, internal};
use crate::core::filter::{Filter, FilterValue, Predicate};
use crate::core::partial_date::PartialDate;
use crate::entity::RecordType;
use crate::store::handle::Store;
use crate::store::read::decode;
use crate::store::read::plan::{ChildPlan, ListPlan, Lookup, Plan};
use crate::store::read::result::{ChildRows, PageBounds, PagedRows, ReferencedRows, RowRef, RowSet};
use crate::store::read::semi_joins::ReadReach;
use crate::store::sql::filter::SemiJoin;
use crate::store::sql::select::SelectBuilder;
use crate::store::sql::statement::{MAX_BOUND_VALUES, statement};

impl Store {
    /// Fetches one record, at position 0 of the result; empty if there is none that is visible. The id of a merged record
    /// resolves to the record it was merged into, and a former slug to the record that had it.
    pub async fn get(&self, lookup: &Lookup, plan: &Plan) -> Result<ReferencedRows> {
        let found = self.get_current(lookup, plan).await?;
        match lookup {
            _ if found.get(0).is_some() || catalog().get(plan.ty).kind != RecordKind::Record => Ok(found),
            Lookup::Id(id) => match self.merge_target(*id).await? {
                Some(id) => self.get_current(&Lookup::Id(id), plan).await,
                None => Ok(found),
            },
            Lookup::Slug(slug) => match self.former_slug_owner(plan.ty, slug).await? {
                Some(id) => self.get_current(&Lookup::Id(id), plan).await,
                None => Ok(found),
            },
            Lookup::Identifier { .. } => Ok(found),
        }
    }

    /// The id of the record that has this slug, or formerly had it.
    pub async fn find_id(&self, ty: RecordType, slug: &str) -> Result<Option<Uuid>> {
        let found = self.get(&Lookup::Slug(slug.to_owned()), &Plan::new(ty)).await?;
        Ok(found.get(0).map(RowRef::uuid))
    }

    /// Fetches one record without following redirects.
    async fn get_current(&self, lookup: &Lookup, plan: &Plan) -> Result<ReferencedRows> {
        let mut level = RowSet::new(plan);
        let text = self.fetch_text(&self.select_builder().lookup(plan, lookup)?).await?;
        let count = decode::rows(text.as_deref().unwrap_or("null"), plan, &mut level).map_err(internal)?;
        self.complete_rows(plan, &mut level).await?;
        Ok(ReferencedRows { levels: vec![level], positions: vec![(count > 0).then_some((0, 0))] })
    }

    /// The id of the record that a record was merged into.
    async fn merge_target(&self, id: Uuid) -> Result<Option<Uuid>> {
        let select = Query::select()
            .column("merged_into")
            .from("nodes")
            .and_where(Expr::col("id").eq(id))
            .and_where(Expr::col("merged_into").is_not_null())
            .to_owned();
        let rows = self.fetch_all(&select).await?;
        rows.first().map(|row| row.try_get_by_index(0)).transpose().map_err(internal)
    }

    /// The id of the record that formerly had a slug, directly or through a record merged into it.
    async fn former_slug_owner(&self, ty: RecordType, slug: &str) -> Result<Option<Uuid>> {
        let select = Query::select()
            .column("record_id")
            .from("former_slugs")
            .and_where(Expr::col("record_type").eq(ty.prefix()))
            .and_where(Expr::col("slug").eq(slug))
            .and_where_option(self.visibility.predicate("former_slugs"))
            .to_owned();
        let rows = self.fetch_all(&select).await?;
        rows.first().map(|row| row.try_get_by_index(0)).transpose().map_err(internal)
    }

    /// Fetches records of one type by their ids, in any order. Missing and invisible records are left out.
    async fn fetch_by_ids(&self, plan: &Plan, mut ids: Vec<Uuid>) -> Result<RowSet> {
        ids.sort_unstable();
        ids.dedup();
        let mut level = RowSet::new(plan);
        for chunk in ids.chunks(MAX_BOUND_VALUES) {
            if let Some(text) = self.fetch_text(&self.select_builder().by_ids(plan, chunk)?).await? {
                decode::rows(&text, plan, &mut level).map_err(internal)?;
            }
        }
        self.complete_rows(plan, &mut level).await?;
        Ok(level)
    }

    /// Fetches records of any of the planned types by their ids: at most one per id, in the order of the ids.
    pub async fn nodes(&self, plans: &[Plan], ids: &[Option<(RecordType, Uuid)>]) -> Result<ReferencedRows> {
        let levels = try_join_all(ids_by_plan(plans, ids).map(|(plan, ids)| self.fetch_by_ids(plan, ids))).await?;
        Ok(ReferencedRows::new(levels, ids))
    }

    /// Fetches records that are known to exist and to be visible, as [`Store::nodes`] does; a plan that reads only the id
    /// takes no statement.
    pub async fn existing_nodes(&self, plans: &[Plan], ids: &[Option<(RecordType, Uuid)>]) -> Result<ReferencedRows> {
        let levels = ids_by_plan(plans, ids).map(async |(plan, ids)| {
            if plan.is_id_only() {
                return Ok(RowSet::of_ids(plan, ids));
            }
            self.fetch_by_ids(plan, ids).await
        });
        Ok(ReferencedRows::new(try_join_all(levels).await?, ids))
    }

    fn select_builder(&self) -> SelectBuilder {
        SelectBuilder::new(self.backend(), self.visibility, Vec::new())
    }

    /// The statement that reads a page, to examine its query plan.
    pub async fn statement(&self, list: &ListPlan) -> Result<Statement> {
        let semi_joins = self.choose_semi_joins(catalog().get(list.plan.ty), &list.filter, ReadReach::Page).await?;
        Ok(statement(self.backend(), &SelectBuilder::new(self.backend(), self.visibility, semi_joins).page(list)?))
    }

    /// Fetches a page of the list of all records of a type, with its total count and facets. The result holds one page.
    pub async fn page(&self, list: &ListPlan) -> Result<PagedRows> {
        let record = catalog().get(list.plan.ty);
        let counts = list.total || !list.facets.is_empty();
        let of_page = if list.rows { self.choose_semi_joins(record, &list.filter, ReadReach::Page).await? } else { Vec::new() };
        let of_counts = if counts { self.choose_semi_joins(record, &list.filter, ReadReach::Whole).await? } else { Vec::new() };
        let builder = |semi_joins: &[SemiJoin]| SelectBuilder::new(self.backend(), self.visibility, semi_joins.to_vec());
        let rows = async {
            let mut pages = PagedRows::new(list);
            if list.rows {
                let text = self.fetch_text(&builder(&of_page).page(list)?).await?;
                decode::page(text.as_deref().unwrap_or("null"), list, &mut pages).map_err(internal)?;
                self.complete_rows(&list.plan, &mut pages.level).await?;
            } else {
                pages.bounds.push(PageBounds::default());
            }
            Ok(pages)
        };
        let total = async { if list.total { self.fetch_count(&builder(&of_counts).count(list, None)).await.map(Some) } else { Ok(None) } };
        let facets = async { if list.facets.is_empty() { Ok(None) } else { self.fetch_text(&builder(&of_counts).facets(list)?).await } };
        let (pages, total, facets) = join3(rows, total, facets).await;
        let (mut pages, total, facets) = (pages?, total?, facets?);
        pages.bounds[0].total = total;
        if let Some(text) = facets {
            decode::facets(&text, list, &mut pages).map_err(internal)?;
            self.complete_facets(list, &mut pages).await?;
        }
        Ok(pages)
    }

    /// Completes the records that are values of facets.
    async fn complete_facets(&self, list: &ListPlan, pages: &mut PagedRows) -> Result<()> {
        let records = list.facets.iter().zip(&mut pages.facets).filter_map(|(facet, level)| Some((facet.plan.as_ref()?, level.as_mut()?)));
        let records = records.filter(|(plan, _)| plan.needs_completion()).map(|(plan, level)| self.complete_rows(plan, level));
        try_join_all(records).await.map(drop)
    }

    /// Completes rows decoded from the statement of their plan, at all levels: redacts revisions and resolves polymorphic
    /// references. Statements run concurrently.
    pub(crate) fn complete_rows<'a>(&'a self, plan: &'a Plan, level: &'a mut RowSet) -> BoxFuture<'a, Result<()>> {
        async move {
            self.redact_revisions(plan, level).await?;
            self.resolve_polymorphic(plan, level).await?;
            for (child, rows) in plan.children.iter().zip(&mut level.children) {
                if let (ChildPlan::Many(_, list), ChildRows::Many(pages)) = (child, rows) {
                    self.complete_facets(list, pages).await?;
                }
            }
            let below = plan.children.iter().zip(&mut level.children).filter_map(|(child, rows)| match (child, rows) {
                (ChildPlan::One(_, plan), ChildRows::One(references)) => references.levels.first_mut().map(|level| (&**plan, level)),
                (ChildPlan::Many(_, list), ChildRows::Many(pages)) => Some((&list.plan, &mut pages.level)),
                _ => None,
            });
            let below = below.filter(|(plan, _)| plan.needs_completion()).map(|(plan, level)| self.complete_rows(plan, level));
            try_join_all(below).await.map(drop)
        }
        .boxed()
    }

    /// Fetches the records that the polymorphic references of a level refer to.
    async fn resolve_polymorphic(&self, plan: &Plan, level: &mut RowSet) -> Result<()> {
        let mut references = Vec::new();
        for (id, child) in plan.children_with_ids() {
            match child {
                ChildPlan::Any(field, plans) => references.push((id, plans, level.references(*field), false)),
                ChildPlan::MergedInto(field, plans) => references.push((id, plans, level.references(*field), true)),
                ChildPlan::One(..) | ChildPlan::Many(..) => {}
            }
        }
        let resolved = try_join_all(references.into_iter().map(async |(id, plans, mut ids, is_merged)| {
            if is_merged {
                let targets = self.merge_targets(ids.iter().flatten().copied().collect()).await?;
                for id in &mut ids {
                    *id = id.and_then(|id| targets.get(&id).copied());
                }
            }
            let types = self.fetch_types(ids.iter().flatten().copied().collect()).await?;
            let ids: Vec<_> = ids.into_iter().map(|id| Some((*types.get(&id?)?, id?))).collect();
            self.nodes(plans, &ids).await.map(|rows| (id, rows))
        }))
        .await?;
        for (id, rows) in resolved {
            level.children[id.index()] = ChildRows::One(rows);
        }
        Ok(())
    }

    /// The records into which records were merged, by the ids of the latter.
    async fn merge_targets(&self, mut ids: Vec<Uuid>) -> Result<HashMap<Uuid, Uuid>> {
        ids.sort_unstable();
        ids.dedup();
        let mut targets = HashMap::new();
        for chunk in ids.chunks(MAX_BOUND_VALUES) {
            let select = Query::select()
                .columns(["id", "merged_into"])
                .from("nodes")
                .and_where(Expr::col("id").is_in(chunk.iter().copied()))
                .and_where(Expr::col("merged_into").is_not_null())
                .to_owned();
            for row in self.fetch_all(&select).await? {
                targets.insert(row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
            }
        }
        Ok(targets)
    }

    /// The types of records, by id.
    async fn fetch_types(&self, mut ids: Vec<Uuid>) -> Result<HashMap<Uuid, RecordType>> {
        ids.sort_unstable();
        ids.dedup();
        let mut types = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(MAX_BOUND_VALUES) {
            let select = Query::select()
                .columns(["id", "record_type"])
                .from("nodes")
                .and_where(Expr::col("id").is_in(chunk.iter().copied()))
                .to_owned();
            for row in self.fetch_all(&select).await? {
                let id: Uuid = row.try_get_by_index(0).map_err(internal)?;
                let prefix: String = row.try_get_by_index(1).map_err(internal)?;
                types.extend(RecordType::from_prefix(&prefix).map(|ty| (id, ty)));
            }
        }
        Ok(types)
    }
}

/// The plans for which there are ids of their type, each with these ids.
fn ids_by_plan<'a>(plans: &'a [Plan], ids: &'a [Option<(RecordType, Uuid)>]) -> impl Iterator<Item = (&'a Plan, Vec<Uuid>)> {
    plans.iter().filter_map(|plan| {
        let ids: Vec<Uuid> = ids.iter().flatten().filter(|(ty, _)| *ty == plan.ty).map(|(_, id)| *id).collect();
        (!ids.is_empty()).then_some((plan, ids))
    })
}

/// The filter for versions of a text in force on a date: from `validFrom`, inclusive, to `validTo`, exclusive.
pub fn in_force_on(version: &Record, date: &PartialDate) -> Filter {
    let test = |name, predicate| Filter::Field(version.known_field(name), predicate);
    let is_null = |name| test(name, Predicate::IsNull(true));
    let date = FilterValue::Date(date.clone());
    Filter::And(vec![
        Filter::Or(vec![is_null("validFrom"), test("validFrom", Predicate::Lte(date.clone()))]),
        Filter::Or(vec![is_null("validTo"), test("validTo", Predicate::Gt(date))]),
    ])
}

//! Joins of aggregate statements: the counted records, the parts in their lists, and the targets of references.

use sea_orm::sea_query::{Alias, CaseStatement, Cond, Expr, ExprTrait, Func, JoinType, SelectStatement, SimpleExpr};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::dimension::{Dimension, DimensionPath, DimensionSource};
use crate::catalog::kind::FieldKind;
use crate::catalog::period::PeriodUnit;
use crate::catalog::record::Record;
use crate::catalog::relation::RelationJoin;
use crate::core::filter::Filter;
use crate::core::ids::{FieldId, RelationId};
use crate::entity::RecordType;
use crate::store::sql::column::column;
use crate::store::sql::dialect;
use crate::store::sql::select::{Parent, SelectBuilder};

/// The records to count: all of a type, or those in the list of a parent.
#[derive(Debug, Clone, Copy)]
pub(super) struct CountSource<'a> {
    pub(super) ty: RecordType,
    pub(super) filter: &'a Filter,
    pub(super) parent: Option<Parent<'a>>,
    /// Filters of the parts of lists, by the relation.
    pub(super) part_filters: &'a [(RelationId, Filter)],
    /// Lists whose parts are joined by a common party, each with the field that refers to the party; the list of parties
    /// itself has none.
    pub(super) join_keys: &'static [(&'static str, Option<&'static str>)],
    /// Whether to keep records without such parts or references, by outer joins.
    pub(super) outer: bool,
    /// The date field that periods are taken from; `None` if the records have no date.
    pub(super) period_field: Option<FieldId>,
}

/// The tables that a statement has joined so far.
#[derive(Debug)]
pub(super) struct JoinedTables {
    record: &'static Record,
    /// Alias of the table of the records.
    pub(super) table: String,
    /// Relations, each with the alias of its table.
    lists: Vec<(RelationId, String)>,
    /// References: the alias and the field that hold them, and the alias of the target.
    references: Vec<(String, FieldId, String)>,
}

impl JoinedTables {
    /// Alias of the table of a relation.
    ///
    /// # Panics
    /// If the relation is not joined: a statement joins the lists that its dimensions and measures read.
    pub(super) fn list(&self, list: RelationId) -> &str {
        let joined = self.lists.iter().find(|(relation, _)| *relation == list);
        joined.map_or_else(|| panic!("{} is read but not joined", self.record.relation(list).name), |(_, table)| table)
    }
}

impl SelectBuilder {
    /// The records, joined with the parts of these lists.
    pub(super) fn joined_tables(&mut self, source: CountSource<'_>, lists: &[RelationId]) -> (SelectStatement, JoinedTables) {
        if source.parent.is_none() {
            self.filters.restart();
        }
        let (mut select, table) = self.source(source.ty, source.filter, source.parent);
        let record = catalog().get(source.ty);
        let mut joined = JoinedTables { record, table, lists: Vec::new(), references: Vec::new() };
        for list in lists {
            self.join_list(&mut select, &mut joined, source, *list);
        }
        (select, joined)
    }

    fn join_list(&mut self, select: &mut SelectStatement, joined: &mut JoinedTables, source: CountSource<'_>, list: RelationId) {
        let relation = joined.record.relation(list);
        let target = catalog().get(relation.target);
        let part_filter = source.part_filters.iter().find(|(relation, _)| *relation == list).map(|(_, filter)| filter);
        // with a part filter, the filter of the records requires such a part
        let join = if source.outer && part_filter.is_none() { JoinType::LeftJoin } else { JoinType::InnerJoin };
        let table = self.alias();
        let mut on = Cond::all().add_option(self.visibility.predicate(&table));
        let id = column(&joined.table, "id");
        match relation.via {
            RelationJoin::ForeignKey(parent) => on = on.add(column(&table, parent).eq(id)),
            RelationJoin::LinkTable { table: link, parent, child } => {
                let link_alias = self.alias();
                let link_on = Cond::all().add_option(self.visibility.predicate(&link_alias)).add(column(&link_alias, parent).eq(id));
                select.join_as(join, Alias::new(link), Alias::new(&link_alias), link_on);
                on = on.add(column(&table, "id").eq(column(&link_alias, child)));
            }
        }
        if let Some(filter) = part_filter {
            on = on.add(self.filters.predicate(target, &table, filter));
        }
        if let Some(own) = join_key(source, joined.record, list, &table) {
            for (other, other_table) in &joined.lists {
                if let Some(other) = join_key(source, joined.record, *other, other_table) {
                    let same = own.clone().eq(other.clone());
                    on = on.add(Cond::any().add(same).add(own.clone().is_null()).add(other.is_null()));
                }
            }
        }
        select.join_as(join, Alias::new(target.table), Alias::new(&table), on);
        joined.lists.push((list, table));
    }

    /// The key of a dimension: never null, so that groups can be joined by it. The lists of its path are joined already.
    pub(super) fn dimension_key(
        &mut self,
        select: &mut SelectStatement,
        joined: &mut JoinedTables,
        source: CountSource<'_>,
        dimension: &Dimension,
    ) -> Expr {
        match &dimension.source {
            DimensionSource::Period(unit) => {
                let period_field = source.period_field.expect("only records with a date have dimensions of periods");
                let field = joined.record.field(period_field);
                let date = column(&joined.table, field.column);
                period_of(*unit, &if field.required { date } else { dialect::text_or_empty(date) })
            }
            DimensionSource::Path(path) => self.path_key(select, joined, source, path),
        }
    }

    /// The value at the end of a path, or the id of the record there; the nil id if there is none.
    fn path_key(&mut self, select: &mut SelectStatement, joined: &mut JoinedTables, source: CountSource<'_>, path: &DimensionPath) -> Expr {
        let nil_id = Expr::val(Uuid::nil());
        let id_or_nil = |table: &str| Expr::expr(Func::coalesce([column(table, "id"), nil_id.clone()]));
        let (mut record, mut table) = (joined.record, joined.table.clone());
        if let Some(list) = path.relation {
            (record, table) = (catalog().get(record.relation(list).target), joined.list(list).to_owned());
        }
        for id in &path.fields {
            let field = record.field(*id);
            let FieldKind::One(target) = field.kind else {
                let is_not_null = field.required && table == joined.table;
                return if is_not_null { column(&table, field.column) } else { dialect::text_or_empty(column(&table, field.column)) };
            };
            table = self.join_reference(select, joined, source, (&table, record, *id));
            record = catalog().get(target);
        }
        id_or_nil(&table)
    }

    /// Joins the visible targets of a reference, once; returns the alias of their table.
    pub(super) fn join_reference(
        &mut self,
        select: &mut SelectStatement,
        joined: &mut JoinedTables,
        source: CountSource<'_>,
        (table, record, id): (&str, &Record, FieldId),
    ) -> String {
        if let Some((.., alias)) = joined.references.iter().find(|(owner, field, _)| owner == table && *field == id) {
            return alias.clone();
        }
        let field = record.field(id);
        let FieldKind::One(target) = field.kind else { return table.to_owned() };
        let alias = self.alias();
        let on = Cond::all().add(column(&alias, "id").eq(column(table, field.column))).add_option(self.visibility.predicate(&alias));
        let join = if source.outer { JoinType::LeftJoin } else { JoinType::InnerJoin };
        select.join_as(join, Alias::new(catalog().get(target).table), Alias::new(&alias), on);
        joined.references.push((table.to_owned(), id, alias.clone()));
        alias
    }
}

/// The column of the party that a part of a list concerns, if the list is joined by party.
fn join_key(source: CountSource<'_>, record: &Record, list: RelationId, table: &str) -> Option<Expr> {
    let relation = record.relation(list);
    let (_, field) = source.join_keys.iter().find(|(name, _)| *name == relation.name)?;
    let target = catalog().get(relation.target);
    Some(match field {
        Some(name) => column(table, target.field(target.known_field(name)).column),
        None => column(table, "id"),
    })
}

/// The period that contains a date; the empty text if the date is null or too imprecise.
fn period_of(unit: PeriodUnit, date: &Expr) -> Expr {
    let part = |start: i32, length: i32| Expr::expr(Func::cust("substr").args([date.clone(), Expr::val(start), Expr::val(length)]));
    let has_month = Expr::expr(Func::cust("length").arg(date.clone())).gte(7);
    match unit {
        PeriodUnit::Year => part(1, 4),
        PeriodUnit::Month => CaseStatement::new().case(has_month, part(1, 7)).finally(Expr::val("")).into(),
        PeriodUnit::Quarter => {
            let quarter = |last: &str| part(6, 2).lte(last);
            let name = |suffix: &str| -> SimpleExpr { dialect::concat(part(1, 4), Expr::val(suffix)) };
            CaseStatement::new()
                .case(has_month.not(), Expr::val(""))
                .case(quarter("03"), name("-Q1"))
                .case(quarter("06"), name("-Q2"))
                .case(quarter("09"), name("-Q3"))
                .finally(name("-Q4"))
                .into()
        }
    }
}

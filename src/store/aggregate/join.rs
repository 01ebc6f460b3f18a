//! The tables behind what is counted: the records, the parts of their lists, and what references lead to.

use sea_orm::sea_query::{Alias, CaseStatement, Cond, Expr, ExprTrait, Func, JoinType, SelectStatement, SimpleExpr};
use uuid::Uuid;

use crate::catalog::dimension::{Dimension, DimensionPath, DimensionSource};
use crate::catalog::period::PeriodUnit;
use crate::catalog::record::{FieldKind, Record, Via, catalog};
use crate::core::filter::Filter;
use crate::entity::RecordType;
use crate::store::sql::dialect;
use crate::store::sql::filter::column;
use crate::store::sql::select::{Parent, SelectBuilder};

/// What is counted: records of a type, those of a list of a parent or all.
#[derive(Debug, Clone, Copy)]
pub(super) struct From<'a> {
    pub(super) ty: RecordType,
    pub(super) filter: &'a Filter,
    pub(super) parent: Option<Parent<'a>>,
    /// Only these parts of lists.
    pub(super) narrowed: &'a [(usize, Filter)],
    /// Lists whose parts belong together where they have the same party.
    pub(super) ties: &'static [(&'static str, Option<&'static str>)],
    /// Records stay if they have no such part or reference.
    pub(super) keeps: bool,
    /// The date whose periods are meant.
    pub(super) date: usize,
}

/// Tables that are joined already.
#[derive(Debug)]
pub(super) struct Joined {
    record: &'static Record,
    /// Name of the table of the records.
    pub(super) table: String,
    /// Lists, each with the name of its table.
    lists: Vec<(usize, String)>,
    /// References: the table and the field they are in, and the name of the table they lead to.
    references: Vec<(String, usize, String)>,
}

impl Joined {
    /// Name of the table of a list that is joined.
    pub(super) fn list(&self, list: usize) -> Option<&str> {
        self.lists.iter().find(|(known, _)| *known == list).map(|(_, table)| table.as_str())
    }
}

impl SelectBuilder {
    /// The records, with a row for each part of these lists.
    pub(super) fn joined(&mut self, from: From<'_>, lists: &[usize]) -> (SelectStatement, Joined) {
        if from.parent.is_none() {
            self.conditions.restart();
        }
        let (mut select, table) = self.source(from.ty, from.filter, from.parent);
        let record = catalog().get(from.ty);
        let mut joined = Joined { record, table, lists: Vec::new(), references: Vec::new() };
        for list in lists {
            self.join_list(&mut select, &mut joined, from, *list);
        }
        (select, joined)
    }

    fn join_list(&mut self, select: &mut SelectStatement, joined: &mut Joined, from: From<'_>, list: usize) {
        let relation = &joined.record.relations[list];
        let target = catalog().get(relation.target);
        let narrowed = from.narrowed.iter().find(|(narrowed, _)| *narrowed == list).map(|(_, filter)| filter);
        // records without such a part have been left out already
        let join = if from.keeps && narrowed.is_none() { JoinType::LeftJoin } else { JoinType::InnerJoin };
        let table = self.name();
        let mut on = Cond::all().add_option(self.sees.only(&table));
        let id = column(&joined.table, "id");
        match relation.via {
            Via::Column(parent) => on = on.add(column(&table, parent).eq(id)),
            Via::Link { table: link, parent, child } => {
                let between = self.name();
                let here = Cond::all().add_option(self.sees.only(&between)).add(column(&between, parent).eq(id));
                select.join_as(join, Alias::new(link), Alias::new(&between), here);
                on = on.add(column(&table, "id").eq(column(&between, child)));
            }
        }
        if let Some(filter) = narrowed {
            on = on.add(self.conditions.condition(target, &table, filter));
        }
        if let Some(own) = party(from, joined.record, list, &table) {
            for (other, other_table) in &joined.lists {
                if let Some(other) = party(from, joined.record, *other, other_table) {
                    let same = own.clone().eq(other.clone());
                    on = on.add(Cond::any().add(same).add(own.clone().is_null()).add(other.is_null()));
                }
            }
        }
        select.join_as(join, Alias::new(target.table), Alias::new(&table), on);
        joined.lists.push((list, table));
    }

    /// The key of a dimension: never unknown, so that groups can be compared. The lists it goes through are joined.
    pub(super) fn key(&mut self, select: &mut SelectStatement, joined: &mut Joined, from: From<'_>, dimension: &Dimension) -> Expr {
        match &dimension.of {
            DimensionSource::Period(unit) => {
                let field = &joined.record.fields[from.date];
                let date = column(&joined.table, field.column);
                period(*unit, if field.required { date } else { dialect::known(date) })
            }
            DimensionSource::Path(path) => self.end(select, joined, from, path),
        }
    }

    fn end(&mut self, select: &mut SelectStatement, joined: &mut Joined, from: From<'_>, path: &DimensionPath) -> Expr {
        let unknown = Expr::val(Uuid::nil());
        let known_id = |table: &str| Expr::expr(Func::coalesce([column(table, "id"), unknown.clone()]));
        let (mut record, mut table) = (joined.record, joined.table.clone());
        if let Some((list, name)) = path.relation.and_then(|list| Some((list, joined.list(list)?.to_owned()))) {
            (record, table) = (catalog().get(record.relations[list].target), name);
        }
        for index in &path.fields {
            let field = &record.fields[*index];
            let FieldKind::One(target) = field.kind else {
                let own = field.required && table == joined.table;
                return if own { column(&table, field.column) } else { dialect::known(column(&table, field.column)) };
            };
            table = self.reference(select, joined, from, (&table, record, *index));
            record = catalog().get(target);
        }
        known_id(&table)
    }

    /// The table that a reference leads to; there is nothing in it where the record may not be seen.
    pub(super) fn reference(
        &mut self,
        select: &mut SelectStatement,
        joined: &mut Joined,
        from: From<'_>,
        (table, record, index): (&str, &Record, usize),
    ) -> String {
        if let Some((.., known)) = joined.references.iter().find(|(above, field, _)| above == table && *field == index) {
            return known.clone();
        }
        let field = &record.fields[index];
        let FieldKind::One(target) = field.kind else { return table.to_owned() };
        let name = self.name();
        let here = Cond::all().add(column(&name, "id").eq(column(table, field.column))).add_option(self.sees.only(&name));
        let join = if from.keeps { JoinType::LeftJoin } else { JoinType::InnerJoin };
        select.join_as(join, Alias::new(catalog().get(target).table), Alias::new(&name), here);
        joined.references.push((table.to_owned(), index, name.clone()));
        name
    }
}

/// The party that a part of a list is about, where the list has a place among those that belong together.
fn party(from: From<'_>, record: &Record, list: usize, table: &str) -> Option<Expr> {
    let relation = &record.relations[list];
    let (_, field) = from.ties.iter().find(|(name, _)| *name == relation.name)?;
    let target = catalog().get(relation.target);
    Some(match field {
        Some(name) => column(table, target.fields[target.field_index(name)?].column),
        None => column(table, "id"),
    })
}

/// The period that a date is in; the empty text where that is unknown.
fn period(unit: PeriodUnit, date: Expr) -> Expr {
    let part = |from: i32, length: i32| Expr::expr(Func::cust("substr").args([date.clone(), Expr::val(from), Expr::val(length)]));
    let knows_month = Expr::expr(Func::cust("length").arg(date.clone())).gte(7);
    match unit {
        PeriodUnit::Year => part(1, 4),
        PeriodUnit::Month => CaseStatement::new().case(knows_month, part(1, 7)).finally(Expr::val("")).into(),
        PeriodUnit::Quarter => {
            let quarter = |last: &str| part(6, 2).lte(last);
            let name = |suffix: &str| -> SimpleExpr { dialect::joined(part(1, 4), Expr::val(suffix)) };
            CaseStatement::new()
                .case(knows_month.not(), Expr::val(""))
                .case(quarter("03"), name("-Q1"))
                .case(quarter("06"), name("-Q2"))
                .case(quarter("09"), name("-Q3"))
                .finally(name("-Q4"))
                .into()
        }
    }
}

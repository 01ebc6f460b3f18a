//! Filters as SQL conditions, and the sort keys that pages and indexes share.

use sea_orm::sea_query::{Alias, Cond, Expr, ExprTrait, JoinType, Query, SelectStatement, SimpleExpr};
use sea_orm::{DbBackend, Value as Bound};

use crate::entity::RecordType;
use crate::filter::{Filter, Quantifier, Test, Value};
use crate::fold::fold;
use crate::store::dialect;
use crate::store::record::{Field, Kind, Record, Via, catalog};

/// Turns filters on a record into conditions on a table of a query.
#[derive(Debug)]
pub(super) struct Conditions {
    backend: DbBackend,
    aliases: usize,
}

/// A column of a table in a query.
pub(super) fn column(table: &str, column: &'static str) -> Expr {
    Expr::col((Alias::new(table), Alias::new(column)))
}

/// The column that a list in the order of this field sorts by: never unknown, and the one the index holds.
pub(super) fn sort_key(table: &str, field: &Field) -> Expr {
    Expr::col((Alias::new(table), Alias::new(field.order_column())))
}

impl Conditions {
    pub(super) fn new(backend: DbBackend) -> Self {
        Self { backend, aliases: 0 }
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("f{}", self.aliases)
    }

    /// The condition that a row of `table`, which holds records of this type, satisfies a filter.
    pub(super) fn condition(&mut self, record: &Record, table: &str, filter: &Filter) -> Cond {
        match filter {
            Filter::And(parts) => parts.iter().fold(Cond::all(), |all, part| all.add(self.condition(record, table, part))),
            Filter::Or(parts) if parts.is_empty() => Cond::all().add(Expr::val(1).eq(0)),
            Filter::Or(parts) => parts.iter().fold(Cond::any(), |any, part| any.add(self.condition(record, table, part))),
            Filter::Not(part) => self.condition(record, table, part).not(),
            Filter::Id(test) => test_column(self.backend, column(table, "id"), column(table, "id"), true, test),
            Filter::Field(index, test) => {
                let field = &record.fields[*index];
                if field.is_label {
                    return test_label(self.backend, column(table, "folded"), test);
                }
                let key = if field.ordered { sort_key(table, field) } else { column(table, field.column) };
                test_column(self.backend, column(table, field.column), key, field.required, test)
            }
            Filter::One(index, inner) => {
                let field = &record.fields[*index];
                let Kind::One(target) = field.kind else { return Cond::all() };
                let (mut select, alias) = self.subquery(target);
                select.expr(column(&alias, "id")).cond_where(self.condition(catalog().get(target), &alias, inner));
                // an unknown reference is in no set, which SQL would leave open
                let reference = column(table, field.column);
                Cond::all().add(reference.clone().is_not_null()).add(reference.in_subquery(select))
            }
            Filter::Many(index, quantifier, inner) => {
                let relation = &record.relations[*index];
                let (mut select, alias) = self.subquery(relation.target);
                let parent = match relation.via {
                    Via::Column(name) => column(&alias, name),
                    Via::Link { table: link, parent, child } => {
                        let between = self.alias();
                        select.join_as(
                            JoinType::InnerJoin,
                            Alias::new(link),
                            Alias::new(&between),
                            column(&between, child).equals((Alias::new(&alias), Alias::new("id"))),
                        );
                        column(&between, parent)
                    }
                };
                let inner = match quantifier {
                    Quantifier::Every => Filter::Not(inner.clone()),
                    _ => (**inner).clone(),
                };
                select.expr(parent.clone()).and_where(parent.is_not_null());
                select.cond_where(self.condition(catalog().get(relation.target), &alias, &inner));
                let found = Cond::all().add(column(table, "id").in_subquery(select));
                match quantifier {
                    Quantifier::Some => found,
                    Quantifier::None | Quantifier::Every => found.not(),
                }
            }
        }
    }

    /// A set of records, of which the filter then asks whether it has one. A set stands by itself: the database can
    /// make it first and go from there, where a question put for each row would be put for every row of the list.
    fn subquery(&mut self, target: RecordType) -> (SelectStatement, String) {
        let alias = self.alias();
        let record = catalog().get(target);
        let mut select = Query::select();
        select.from_as(Alias::new(record.table), Alias::new(&alias)).and_where(visible(&alias));
        (select, alias)
    }
}

/// Only what readers may see.
pub(super) fn visible(table: &str) -> SimpleExpr {
    column(table, "published").eq(true)
}

fn bound(value: &Value) -> Bound {
    match value {
        Value::Text(text) => text.clone().into(),
        Value::Date(date) => date.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Number(number) => (*number).into(),
        Value::Boolean(boolean) => (*boolean).into(),
        Value::Instant(instant) => (*instant).into(),
        Value::Id(id) => (*id).into(),
    }
}

/// Where a value ends: a year ends after its last day.
fn end(value: &Value) -> Bound {
    match value {
        Value::Date(date) => date.end().into(),
        other => bound(other),
    }
}

/// A test of a column. An unknown value satisfies only `not` and `isNull`, also under a negation,
/// which SQL's third truth value would break.
fn test_column(backend: DbBackend, plain: Expr, key: Expr, required: bool, test: &Test) -> Cond {
    let known = |condition: Cond| if required { condition } else { Cond::all().add(plain.clone().is_not_null()).add(condition) };
    let equal = |value: &Value| match value {
        Value::Date(_) => Cond::all().add(key.clone().gte(bound(value))).add(key.clone().lte(end(value))),
        _ => Cond::all().add(plain.clone().eq(bound(value))),
    };
    match test {
        Test::Eq(value) => known(equal(value)),
        Test::In(values) if values.iter().any(|value| matches!(value, Value::Date(_))) => {
            known(values.iter().fold(Cond::any().add(Expr::val(1).eq(0)), |any, value| any.add(equal(value))))
        }
        Test::In(values) => known(Cond::all().add(plain.clone().is_in(values.iter().map(bound)))),
        Test::Not(value) => known(equal(value)).not(),
        Test::Lt(value) => known(Cond::all().add(key.clone().lt(bound(value)))),
        Test::Lte(value) => known(Cond::all().add(key.clone().lte(end(value)))),
        Test::Gt(value) => known(Cond::all().add(key.clone().gt(end(value)))),
        Test::Gte(value) => known(Cond::all().add(key.clone().gte(bound(value)))),
        Test::IsNull(true) => Cond::all().add(plain.clone().is_null()),
        Test::IsNull(false) => Cond::all().add(plain.clone().is_not_null()),
        Test::StartsWith(prefix) => {
            let last = format!("{prefix}{}", char::MAX);
            known(Cond::all().add(plain.clone().gte(prefix.as_str())).add(plain.clone().lte(last)))
        }
        Test::Contains(part) => known(Cond::all().add(dialect::contains(backend, plain.clone(), part))),
    }
}

/// A test of the names of a record in all languages: one line for each, folded.
fn test_label(backend: DbBackend, folded: Expr, test: &Test) -> Cond {
    let has = |part: String| Cond::all().add(dialect::contains(backend, folded.clone(), &part));
    let whole = |value: &Value| match value {
        Value::Text(text) => has(format!("\n{}\n", fold(text))),
        _ => Cond::all(),
    };
    match test {
        Test::Eq(value) => whole(value),
        Test::In(values) => values.iter().fold(Cond::any().add(Expr::val(1).eq(0)), |any, value| any.add(whole(value))),
        Test::Not(value) => whole(value).not(),
        Test::StartsWith(text) => has(format!("\n{}", fold(text))),
        Test::Contains(text) => has(fold(text)),
        _ => Cond::all(),
    }
}

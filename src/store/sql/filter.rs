//! Filters as SQL conditions, and the sort keys that pages and indexes share.

use sea_orm::sea_query::{Alias, Cond, Expr, ExprTrait, Func, JoinType, Query, SelectStatement, SimpleExpr};
use sea_orm::{DbBackend, Value as Bound};

use crate::catalog::record::{Field, FieldKind, Record, Via, catalog};
use crate::core::filter::{Filter, FilterValue, Predicate, Quantifier};
use crate::core::normalize::fold;
use crate::entity::RecordType;
use crate::store::sql::dialect;

/// Turns filters on a record into conditions on a table of a query.
#[derive(Debug)]
pub(crate) struct FilterBuilder {
    backend: DbBackend,
    sees: Visibility,
    aliases: usize,
    forms: Vec<SemiJoin>,
    next: usize,
}

/// How a condition on related records is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SemiJoin {
    /// Is the row in the set of those that have such a related record? The database makes the set first and goes from
    /// there, which is right where the set is small.
    Set,
    /// Is there such a related record of this row? It is asked row by row, which is right where most have one, and
    /// where there are few rows.
    Row,
}

/// A column of a table in a query.
pub(crate) fn column(table: &str, column: &'static str) -> Expr {
    Expr::col((Alias::new(table), Alias::new(column)))
}

/// The column that a list in the order of this field sorts by: never unknown, and the one the index holds.
pub(crate) fn sort_key(table: &str, field: &Field) -> Expr {
    Expr::col((Alias::new(table), Alias::new(field.order_column())))
}

impl FilterBuilder {
    /// `forms` are those of the conditions on related records, in the order in which a filter has them.
    pub(crate) fn new(backend: DbBackend, sees: Visibility, forms: Vec<SemiJoin>) -> Self {
        Self { backend, sees, aliases: 0, forms, next: 0 }
    }

    /// The next condition is the first of the filter again, because a statement has it several times.
    pub(crate) fn restart(&mut self) {
        self.next = 0;
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("f{}", self.aliases)
    }

    /// The condition that a row of `table`, which holds records of this type, satisfies a filter.
    pub(crate) fn condition(&mut self, record: &Record, table: &str, filter: &Filter) -> Cond {
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
                let FieldKind::One(target) = field.kind else { return Cond::all() };
                let form = self.form();
                let (mut select, alias) = self.related(target);
                select.cond_where(self.condition(catalog().get(target), &alias, inner));
                let reference = column(table, field.column);
                match form {
                    // an unknown reference is in no set, which SQL would leave open
                    SemiJoin::Set => {
                        let set = select.expr(column(&alias, "id")).take();
                        Cond::all().add(reference.clone().is_not_null()).add(reference.in_subquery(set))
                    }
                    SemiJoin::Row => exists(select.and_where(column(&alias, "id").eq(reference)).take()),
                }
            }
            Filter::Many(index, quantifier, inner) => {
                let relation = &record.relations[*index];
                let form = self.form();
                let (mut select, alias) = self.related(relation.target);
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
                let inner = wanted(*quantifier, inner);
                select.cond_where(self.condition(catalog().get(relation.target), &alias, &inner));
                let id = column(table, "id");
                let found = match form {
                    SemiJoin::Set => {
                        let set = select.expr(parent.clone()).and_where(parent.is_not_null()).take();
                        Cond::all().add(id.in_subquery(set))
                    }
                    SemiJoin::Row => exists(select.and_where(parent.eq(id)).take()),
                };
                match quantifier {
                    Quantifier::Some => found,
                    Quantifier::None | Quantifier::Every => found.not(),
                }
            }
        }
    }

    /// The form of the next condition on related records. PostgreSQL turns one form into the other as it likes; where
    /// nothing was chosen for SQLite, the rows are those of one parent, and few.
    fn form(&mut self) -> SemiJoin {
        let usual = match self.backend {
            DbBackend::Postgres => SemiJoin::Set,
            _ => SemiJoin::Row,
        };
        self.next += 1;
        self.forms.get(self.next - 1).copied().unwrap_or(usual)
    }

    /// The records of a type that the one who asks may see.
    fn related(&mut self, target: RecordType) -> (SelectStatement, String) {
        let alias = self.alias();
        let record = catalog().get(target);
        let mut select = Query::select();
        select.from_as(Alias::new(record.table), Alias::new(&alias)).and_where_option(self.sees.only(&alias));
        (select, alias)
    }

    /// The number of records of a type that satisfy a filter, counted no further than this.
    pub(crate) fn few(&mut self, target: RecordType, filter: &Filter, most: u64) -> SelectStatement {
        let (mut select, alias) = self.related(target);
        select.cond_where(self.condition(catalog().get(target), &alias, filter)).expr(Expr::val(1)).limit(most);
        Query::select().expr(Func::count(Expr::cust("*"))).from_subquery(select, Alias::new("few")).to_owned()
    }
}

/// What a related record has to satisfy to be looked for: with `every`, it is one that does not.
pub(crate) fn wanted(quantifier: Quantifier, filter: &Filter) -> Filter {
    match quantifier {
        Quantifier::Every => Filter::Not(Box::new(filter.clone())),
        Quantifier::Some | Quantifier::None => filter.clone(),
    }
}

fn exists(mut select: SelectStatement) -> Cond {
    Cond::all().add(Expr::exists(select.expr(Expr::val(1)).take()))
}

/// What the one who asks may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// What is published.
    Published,
    /// Drafts too.
    All,
}

impl Visibility {
    /// The condition that a row of this table may be seen, where it is one.
    pub(crate) fn only(self, table: &str) -> Option<SimpleExpr> {
        (self == Self::Published).then(|| column(table, "published").eq(true))
    }
}

fn bound(value: &FilterValue) -> Bound {
    match value {
        FilterValue::Text(text) => text.clone().into(),
        FilterValue::Date(date) => date.as_str().into(),
        FilterValue::Integer(number) => (*number).into(),
        FilterValue::Number(number) => (*number).into(),
        FilterValue::Boolean(boolean) => (*boolean).into(),
        FilterValue::Instant(instant) => (*instant).into(),
        FilterValue::Id(id) => (*id).into(),
    }
}

/// Where a value ends: a year ends after its last day.
fn end(value: &FilterValue) -> Bound {
    match value {
        FilterValue::Date(date) => date.end().into(),
        other => bound(other),
    }
}

/// A test of a column. An unknown value satisfies only `not` and `isNull`, also under a negation,
/// which SQL's third truth value would break.
fn test_column(backend: DbBackend, plain: Expr, key: Expr, required: bool, test: &Predicate) -> Cond {
    let known = |condition: Cond| if required { condition } else { Cond::all().add(plain.clone().is_not_null()).add(condition) };
    let equal = |value: &FilterValue| match value {
        FilterValue::Date(_) => Cond::all().add(key.clone().gte(bound(value))).add(key.clone().lte(end(value))),
        _ => Cond::all().add(plain.clone().eq(bound(value))),
    };
    match test {
        Predicate::Eq(value) => known(equal(value)),
        Predicate::In(values) if values.iter().any(|value| matches!(value, FilterValue::Date(_))) => {
            known(values.iter().fold(Cond::any().add(Expr::val(1).eq(0)), |any, value| any.add(equal(value))))
        }
        Predicate::In(values) => known(Cond::all().add(plain.clone().is_in(values.iter().map(bound)))),
        Predicate::Not(value) => known(equal(value)).not(),
        Predicate::Lt(value) => known(Cond::all().add(key.clone().lt(bound(value)))),
        Predicate::Lte(value) => known(Cond::all().add(key.clone().lte(end(value)))),
        Predicate::Gt(value) => known(Cond::all().add(key.clone().gt(end(value)))),
        Predicate::Gte(value) => known(Cond::all().add(key.clone().gte(bound(value)))),
        Predicate::IsNull(true) => Cond::all().add(plain.clone().is_null()),
        Predicate::IsNull(false) => Cond::all().add(plain.clone().is_not_null()),
        Predicate::StartsWith(prefix) => {
            let last = format!("{prefix}{}", char::MAX);
            known(Cond::all().add(plain.clone().gte(prefix.as_str())).add(plain.clone().lte(last)))
        }
        Predicate::Contains(part) => known(Cond::all().add(dialect::contains(backend, plain.clone(), part))),
    }
}

/// A test of the names of a record in all languages: one line for each, folded.
fn test_label(backend: DbBackend, folded: Expr, test: &Predicate) -> Cond {
    let has = |part: String| Cond::all().add(dialect::contains(backend, folded.clone(), &part));
    let whole = |value: &FilterValue| match value {
        FilterValue::Text(text) => has(format!("\n{}\n", fold(text))),
        _ => Cond::all(),
    };
    match test {
        Predicate::Eq(value) => whole(value),
        Predicate::In(values) => values.iter().fold(Cond::any().add(Expr::val(1).eq(0)), |any, value| any.add(whole(value))),
        Predicate::Not(value) => whole(value).not(),
        Predicate::StartsWith(text) => has(format!("\n{}", fold(text))),
        Predicate::Contains(text) => has(fold(text)),
        _ => Cond::all(),
    }
}

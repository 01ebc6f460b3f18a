//! Compiles filters into SQL predicates.

use sea_orm::sea_query::{Alias, Cond, Expr, ExprTrait, Func, Query, SelectStatement, SimpleExpr};
use sea_orm::{DbBackend, Value};

use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::core::filter::{Filter, FilterValue, Predicate, Quantifier};
use crate::core::ids::{FieldId, RelationId};
use crate::core::normalize::fold;
use crate::entity::RecordType;
use crate::store::sql::column::{column, sort_key};
use crate::store::sql::dialect;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::relation::join_parent_id;

/// Compiles filters on records into predicates on the tables of one statement.
#[derive(Debug)]
pub(crate) struct FilterBuilder {
    backend: DbBackend,
    visibility: Visibility,
    aliases: usize,
    semi_joins: Vec<SemiJoin>,
    next_semi_join: usize,
    /// Whether the condition that is compiled is negated.
    is_negated: bool,
}

/// The form of a condition on related records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SemiJoin {
    /// `id IN (SELECT ...)`: the database computes the set of matching records first. Fast if the set is small.
    InSubquery,
    /// `EXISTS (SELECT ...)`: a correlated subquery per row. Fast if most rows match, or if there are few rows.
    Exists,
}

/// Which records a statement may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// Published records.
    Published,
    /// Published records and drafts.
    All,
}

impl Visibility {
    /// The predicate on a row of a table, if there is one.
    pub(crate) fn predicate(self, table: &str) -> Option<SimpleExpr> {
        (self == Self::Published).then(|| column(table, "published").eq(true))
    }
}

impl FilterBuilder {
    /// `semi_joins` are the forms of the conditions on related records, in the order of the filter.
    pub(crate) fn new(backend: DbBackend, visibility: Visibility, semi_joins: Vec<SemiJoin>) -> Self {
        Self { backend, visibility, aliases: 0, semi_joins, next_semi_join: 0, is_negated: false }
    }

    /// Starts over with the forms, for a statement that repeats the filter.
    pub(crate) fn restart(&mut self) {
        self.next_semi_join = 0;
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("f{}", self.aliases)
    }

    /// The predicate that a row of `table`, a table of this record type, satisfies a filter.
    pub(crate) fn predicate(&mut self, record: &Record, table: &str, filter: &Filter) -> Cond {
        match filter {
            Filter::And(parts) => parts.iter().fold(Cond::all(), |all, part| all.add(self.predicate(record, table, part))),
            Filter::Or(parts) if parts.is_empty() => Cond::all().add(Expr::val(1).eq(0)),
            Filter::Or(parts) => parts.iter().fold(Cond::any(), |any, part| any.add(self.predicate(record, table, part))),
            Filter::Not(part) => self.negated(|builder| builder.predicate(record, table, part)).not(),
            Filter::Id(predicate) => {
                let id = column(table, "id");
                column_predicate(self.backend, &id, &id, true, predicate)
            }
            Filter::Field(id, predicate) => {
                let field = record.field(*id);
                if field.is_label {
                    return label_predicate(self.backend, &column(table, "folded"), predicate);
                }
                let key = if field.ordered { sort_key(table, field) } else { column(table, field.column) };
                column_predicate(self.backend, &column(table, field.column), &key, field.required, predicate)
            }
            Filter::One(id, inner) => self.reference_predicate(record, table, *id, inner),
            Filter::Many(id, quantifier, inner) => self.relation_predicate(record, table, *id, *quantifier, inner),
        }
    }

    /// The record that a field refers to satisfies a filter.
    fn reference_predicate(&mut self, record: &Record, table: &str, id: FieldId, inner: &Filter) -> Cond {
        let field = record.field(id);
        let FieldKind::One(target) = field.kind else { return Cond::all() };
        let form = self.next_form();
        let (mut select, alias) = self.select_visible(target);
        let is_negated = std::mem::take(&mut self.is_negated);
        select.cond_where(self.predicate(catalog().get(target), &alias, inner));
        self.is_negated = is_negated;
        let reference = column(table, field.column);
        match form {
            // NULL IN (...) is NULL, which a negation would keep
            SemiJoin::InSubquery => {
                let matching = select.expr(column(&alias, "id")).take();
                Cond::all().add(reference.clone().is_not_null()).add(reference.in_subquery(matching))
            }
            SemiJoin::Exists => exists(select.and_where(column(&alias, "id").eq(reference)).take()),
        }
    }

    /// The records of a relation satisfy a filter, as the quantifier says.
    fn relation_predicate(&mut self, record: &Record, table: &str, id: RelationId, quantifier: Quantifier, inner: &Filter) -> Cond {
        if quantifier != Quantifier::Some {
            let counterexample = semi_join_filter(quantifier, inner);
            return self.negated(|builder| builder.has_related(record, table, id, &counterexample)).not();
        }
        self.has_related(record, table, id, inner)
    }

    /// Any record of a relation satisfies a filter.
    fn has_related(&mut self, record: &Record, table: &str, id: RelationId, inner: &Filter) -> Cond {
        let relation = record.relation(id);
        let form = self.next_form();
        let (mut select, alias) = self.select_visible(relation.target);
        let parent = join_parent_id(&mut select, relation, &alias, || self.alias());
        let is_negated = std::mem::take(&mut self.is_negated);
        select.cond_where(self.predicate(catalog().get(relation.target), &alias, inner));
        self.is_negated = is_negated;
        let id = column(table, "id");
        match form {
            SemiJoin::InSubquery => {
                let matching = select.expr(parent.clone()).and_where(parent.is_not_null()).take();
                Cond::all().add(id.in_subquery(matching))
            }
            SemiJoin::Exists => exists(select.and_where(parent.eq(id)).take()),
        }
    }

    /// Compiles a condition that will be negated.
    fn negated(&mut self, compile: impl FnOnce(&mut Self) -> Cond) -> Cond {
        self.is_negated = !self.is_negated;
        let condition = compile(self);
        self.is_negated = !self.is_negated;
        condition
    }

    /// The form of the next condition on related records. PostgreSQL rewrites either form by itself, but only the negation of
    /// `EXISTS` to an anti-join. On SQLite no form is chosen for the lists below a row, which are short.
    fn next_form(&mut self) -> SemiJoin {
        let default = match Dialect::of(self.backend) {
            Dialect::Postgres if self.is_negated => SemiJoin::Exists,
            Dialect::Postgres => SemiJoin::InSubquery,
            Dialect::Sqlite => SemiJoin::Exists,
        };
        self.next_semi_join += 1;
        self.semi_joins.get(self.next_semi_join - 1).copied().unwrap_or(default)
    }

    /// Selects the visible records of a type.
    fn select_visible(&mut self, target: RecordType) -> (SelectStatement, String) {
        let alias = self.alias();
        let record = catalog().get(target);
        let mut select = Query::select();
        select.from_as(Alias::new(record.table), Alias::new(&alias)).and_where_option(self.visibility.predicate(&alias));
        (select, alias)
    }

    /// Counts the visible records of a type that satisfy a filter, up to `limit`.
    pub(crate) fn count_up_to(&mut self, target: RecordType, filter: &Filter, limit: u64) -> SelectStatement {
        let (mut select, alias) = self.select_visible(target);
        select.cond_where(self.predicate(catalog().get(target), &alias, filter)).expr(Expr::val(1)).limit(limit);
        Query::select().expr(Func::count(Expr::cust("*"))).from_subquery(select, Alias::new("few")).to_owned()
    }
}

/// The filter of the semi-join for a quantifier: `every` searches for a counterexample.
pub(crate) fn semi_join_filter(quantifier: Quantifier, filter: &Filter) -> Filter {
    match quantifier {
        Quantifier::Every => Filter::Not(Box::new(filter.clone())),
        Quantifier::Some | Quantifier::None => filter.clone(),
    }
}

fn exists(mut select: SelectStatement) -> Cond {
    Cond::all().add(Expr::exists(select.expr(Expr::val(1)).take()))
}

/// A value as it is bound; of a partial date the start.
fn bind(value: &FilterValue) -> Value {
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

/// A value as it is bound; of a partial date the end: a year ends after its last day.
fn bind_end(value: &FilterValue) -> Value {
    match value {
        FilterValue::Date(date) => date.end().into(),
        other => bind(other),
    }
}

/// A predicate on a column. Null satisfies only `not` and `isNull`, and never makes the predicate itself null, so that it
/// can be negated.
fn column_predicate(backend: DbBackend, plain: &Expr, key: &Expr, required: bool, predicate: &Predicate) -> Cond {
    let not_null = |condition: Cond| if required { condition } else { Cond::all().add(plain.clone().is_not_null()).add(condition) };
    let equal = |value: &FilterValue| match value {
        FilterValue::Date(_) => Cond::all().add(key.clone().gte(bind(value))).add(key.clone().lte(bind_end(value))),
        _ => Cond::all().add(plain.clone().eq(bind(value))),
    };
    match predicate {
        Predicate::Eq(value) => not_null(equal(value)),
        Predicate::In(values) if values.iter().any(|value| matches!(value, FilterValue::Date(_))) => {
            not_null(values.iter().fold(Cond::any().add(Expr::val(1).eq(0)), |any, value| any.add(equal(value))))
        }
        Predicate::In(values) => not_null(Cond::all().add(plain.clone().is_in(values.iter().map(bind)))),
        Predicate::Not(value) => not_null(equal(value)).not(),
        Predicate::Lt(value) => not_null(Cond::all().add(key.clone().lt(bind(value)))),
        Predicate::Lte(value) => not_null(Cond::all().add(key.clone().lte(bind_end(value)))),
        Predicate::Gt(value) => not_null(Cond::all().add(key.clone().gt(bind_end(value)))),
        Predicate::Gte(value) => not_null(Cond::all().add(key.clone().gte(bind(value)))),
        Predicate::IsNull(true) => Cond::all().add(plain.clone().is_null()),
        Predicate::IsNull(false) => Cond::all().add(plain.clone().is_not_null()),
        Predicate::StartsWith(prefix) => {
            let last = format!("{prefix}{}", char::MAX);
            not_null(Cond::all().add(plain.clone().gte(prefix.as_str())).add(plain.clone().lte(last)))
        }
        Predicate::Contains(part) => not_null(Cond::all().add(dialect::contains(backend, plain.clone(), part))),
    }
}

/// A predicate on the names of a record in all languages. The column holds one normalized name per line.
fn label_predicate(backend: DbBackend, folded: &Expr, predicate: &Predicate) -> Cond {
    let contains = |part: String| Cond::all().add(dialect::contains(backend, folded.clone(), &part));
    let is_line = |value: &FilterValue| match value {
        FilterValue::Text(text) => contains(format!("\n{}\n", fold(text))),
        _ => Cond::all(),
    };
    match predicate {
        Predicate::Eq(value) => is_line(value),
        Predicate::In(values) => values.iter().fold(Cond::any().add(Expr::val(1).eq(0)), |any, value| any.add(is_line(value))),
        Predicate::Not(value) => is_line(value).not(),
        Predicate::StartsWith(text) => contains(format!("\n{}", fold(text))),
        Predicate::Contains(text) => contains(fold(text)),
        // labels have no other operators in the schema
        Predicate::Lt(_) | Predicate::Lte(_) | Predicate::Gt(_) | Predicate::Gte(_) | Predicate::IsNull(_) => Cond::all(),
    }
}

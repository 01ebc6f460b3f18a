//! Filters and orders: their input types, one for each record type, and their parsing into filters of the store.

use std::collections::BTreeSet;

use async_graphql::dynamic::{Enum, EnumItem, InputObject, SchemaBuilder, TypeRef};
use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Value};
use serde_json::Value as Json;

use crate::catalog::catalog;
use crate::catalog::field::Field;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::core::error::{Result, bad_input};
use crate::core::filter::{Filter, FilterValue, Predicate, Quantifier};
use crate::core::ids::FieldId;
use crate::core::language;
use crate::core::pagination::Direction;
use crate::core::web_address::comparable_web_address;
use crate::graphql::global_id;
use crate::graphql::schema::builder::{deprecate_input, input_value, is_paginated};
use crate::graphql::schema::names;
use crate::graphql::schema::scalar;

/// Maximum nesting of a filter.
const MAX_DEPTH: usize = 10;
/// Maximum number of conditions in a filter.
const MAX_CONDITIONS: usize = 200;
/// Maximum number of values of the operator `in`.
const MAX_VALUES: usize = 200;

/// Enum of the direction of an order.
pub(crate) const DIRECTION: &str = "OrderDirection";
const ID_FILTER: &str = "IdFilter";

/// An operator of a filter on one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Eq,
    In,
    Not,
    Lt,
    Lte,
    Gt,
    Gte,
    IsNull,
    StartsWith,
    Contains,
}

/// Every operator with its name and description.
const OPERATORS: [(Operator, &str, &str); 10] = [
    (Operator::Eq, "eq", "Equal."),
    (Operator::In, "in", "One of these values, at most 200."),
    (Operator::Not, "not", "Not equal; also matches null."),
    (Operator::Lt, "lt", "Less than, or before."),
    (Operator::Lte, "lte", "At most, or not after."),
    (Operator::Gt, "gt", "Greater than, or after."),
    (Operator::Gte, "gte", "At least, or not before."),
    (Operator::IsNull, "isNull", "Whether the value is null."),
    (Operator::StartsWith, "startsWith", "Starts with."),
    (Operator::Contains, "contains", "Contains."),
];

/// Every quantifier of a filter on a list, with its name and description.
const QUANTIFIERS: [(Quantifier, &str, &str); 3] = [
    (Quantifier::Some, "some", "At least one matches."),
    (Quantifier::None, "none", "None matches."),
    (Quantifier::Every, "every", "All match, or the list is empty."),
];

const EQUALITY_OPERATORS: &[Operator] = &[Operator::Eq, Operator::In, Operator::Not, Operator::IsNull];
const TEXT_OPERATORS: &[Operator] =
    &[Operator::Eq, Operator::In, Operator::Not, Operator::IsNull, Operator::StartsWith, Operator::Contains];
const LABEL_OPERATORS: &[Operator] = &[Operator::Eq, Operator::In, Operator::Not, Operator::StartsWith, Operator::Contains];
const ORDERED_OPERATORS: &[Operator] =
    &[Operator::Eq, Operator::In, Operator::Not, Operator::Lt, Operator::Lte, Operator::Gt, Operator::Gte, Operator::IsNull];
const ID_OPERATORS: &[Operator] = &[Operator::Eq, Operator::In, Operator::Not];

/// The input type of a filter on fields of one kind.
struct OperatorInput {
    name: String,
    doc: String,
    /// Type of the compared values.
    value_type: &'static str,
    operators: &'static [Operator],
}

/// Name of the filter of a record type.
pub(crate) fn filter_name(record: &Record) -> String {
    format!("{}Filter", record.name())
}

fn list_filter_name(record: &Record) -> String {
    format!("{}ListFilter", record.name())
}

/// Name of the order of a record type.
pub(crate) fn order_name(record: &Record) -> String {
    format!("{}Order", record.name())
}

fn order_field_name(record: &Record) -> String {
    format!("{}OrderField", record.name())
}

/// The filter of a field, if it can be filtered by its value.
fn operator_input(field: &Field) -> Option<OperatorInput> {
    let input = |name: &str, value_type, operators, doc: &str| {
        Some(OperatorInput { name: name.to_owned(), doc: doc.to_owned(), value_type, operators })
    };
    match field.kind {
        FieldKind::Translated if field.is_label => input(
            "NameFilter",
            TypeRef::STRING,
            LABEL_OPERATORS,
            "Filter on the names of a record, in all languages and with other names. Ignores case, diacritics and script: zhumagulov matches Жумагулов.",
        ),
        FieldKind::Text | FieldKind::Url | FieldKind::Language | FieldKind::Duration => {
            input("TextFilter", TypeRef::STRING, TEXT_OPERATORS, "Filter on a text; case-sensitive.")
        }
        FieldKind::Date => input(
            "PartialDateFilter",
            scalar::PARTIAL_DATE,
            ORDERED_OPERATORS,
            "Filter on a date. A year or month stands for all of its days: eq 2020 matches 2020-06-22, lte 2020 includes the whole year, gt 2020 starts after it.",
        ),
        FieldKind::Instant => input("DateTimeFilter", scalar::DATE_TIME, ORDERED_OPERATORS, "Filter on an instant."),
        FieldKind::Integer => input("IntFilter", TypeRef::INT, ORDERED_OPERATORS, "Filter on an integer."),
        FieldKind::Number => input("FloatFilter", TypeRef::FLOAT, ORDERED_OPERATORS, "Filter on a number."),
        FieldKind::Boolean => input("BooleanFilter", TypeRef::BOOLEAN, &[Operator::Eq], "Filter on a Boolean."),
        FieldKind::Choice(vocabulary) => {
            let doc = format!("Filter on {}.", names::with_article(vocabulary.name));
            input(&format!("{}Filter", vocabulary.name), vocabulary.name, EQUALITY_OPERATORS, &doc)
        }
        FieldKind::Translated | FieldKind::List(_) | FieldKind::One(_) | FieldKind::Any => None,
    }
}

pub(crate) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    builder = builder.register(
        Enum::new(DIRECTION)
            .description("Direction of a sort order.")
            .item(EnumItem::new("ASC").description("Ascending: smallest first, earliest first, A to Z; null first."))
            .item(EnumItem::new("DESC").description("Descending: largest first, latest first, Z to A; null last.")),
    );
    let id =
        OperatorInput { name: ID_FILTER.to_owned(), doc: "Filter on an id.".to_owned(), value_type: TypeRef::ID, operators: ID_OPERATORS };
    let mut inputs = vec![operator_object(&id)];
    let mut names = BTreeSet::new();
    for input in catalog().all().flat_map(|record| &record.fields).filter_map(operator_input) {
        if names.insert(input.name.clone()) {
            inputs.push(operator_object(&input));
        }
    }
    for record in catalog().all() {
        inputs.push(record_filter(record));
        if catalog().all().any(|from| from.relations.iter().any(|relation| relation.target == record.ty)) {
            inputs.push(list_filter(record));
        }
        if is_paginated(record) {
            inputs.push(order(record));
            builder = builder.register(order_fields(record));
        }
    }
    inputs.into_iter().fold(builder, SchemaBuilder::register)
}

fn operator_object(input: &OperatorInput) -> InputObject {
    let object = InputObject::new(&input.name).description(&input.doc);
    let operators = OPERATORS.iter().filter(|(operator, ..)| input.operators.contains(operator));
    operators.fold(object, |object, (operator, name, doc)| {
        let ty = match operator {
            Operator::In => TypeRef::named_nn_list(input.value_type),
            Operator::IsNull => TypeRef::named(TypeRef::BOOLEAN),
            Operator::Eq
            | Operator::Not
            | Operator::Lt
            | Operator::Lte
            | Operator::Gt
            | Operator::Gte
            | Operator::StartsWith
            | Operator::Contains => TypeRef::named(input.value_type),
        };
        object.field(input_value(*name, ty, *doc))
    })
}

fn record_filter(record: &Record) -> InputObject {
    let name = filter_name(record);
    let mut input = InputObject::new(&name)
        .description(format!("Filter on {}; all conditions must match.", names::plural(record)))
        .field(input_value("and", TypeRef::named_nn_list(&name), "All of these match."))
        .field(input_value("or", TypeRef::named_nn_list(&name), "At least one of these matches."))
        .field(input_value("not", TypeRef::named(&name), "This does not match."))
        .field(input_value("id", TypeRef::named(ID_FILTER), "Id."));
    for field in &record.fields {
        let ty = match (operator_input(field), field.kind) {
            (Some(input), _) => input.name,
            (None, FieldKind::One(target)) => filter_name(catalog().get(target)),
            (None, _) => continue,
        };
        input = input.field(deprecate_input(input_value(field.name, TypeRef::named(ty), names::sentence(field.name)), field));
    }
    for relation in &record.relations {
        let ty = list_filter_name(catalog().get(relation.target));
        input = input.field(input_value(relation.name, TypeRef::named(ty), names::sentence(relation.name)));
    }
    input
}

fn list_filter(record: &Record) -> InputObject {
    let input = InputObject::new(list_filter_name(record)).description(format!("Filter on a list of {}.", names::plural(record)));
    QUANTIFIERS.iter().fold(input, |input, (_, name, doc)| input.field(input_value(*name, TypeRef::named(filter_name(record)), *doc)))
}

fn order(record: &Record) -> InputObject {
    InputObject::new(order_name(record))
        .description(format!("Order of {}.", names::plural(record)))
        .field(input_value("field", TypeRef::named_nn(order_field_name(record)), "Field to order by."))
        .field(direction_input())
}

/// The input field with the direction of an order.
pub(crate) fn direction_input() -> async_graphql::dynamic::InputValue {
    input_value("direction", TypeRef::named(DIRECTION), "Sort direction.").default_value(Value::Enum(Name::new("ASC")))
}

fn order_fields(record: &Record) -> Enum {
    let fields = Enum::new(order_field_name(record)).description(format!("Fields to order {} by.", names::plural(record)));
    let ordered = record.fields.iter().filter(|field| field.ordered);
    ordered.fold(fields, |fields, field| fields.item(EnumItem::new(names::enum_value(field.name)).description(names::sentence(field.name))))
}

/// Parses an order into the field and the direction.
pub(crate) fn parse_order(record: &Record, value: &Value) -> Result<(FieldId, Direction)> {
    let Value::Object(given) = value else { return Ok(record.default_order) };
    let name = given.get("field").and_then(enum_name).unwrap_or_default();
    let field = record
        .find_field(|field| field.ordered && names::enum_value(field.name) == name)
        .ok_or_else(|| bad_input("order.field", format_args!("{} cannot be ordered by this field", names::plural(record))))?;
    Ok((field, parse_direction(given.get("direction"))))
}

/// Parses a direction; the default is ascending.
pub(crate) fn parse_direction(value: Option<&Value>) -> Direction {
    match value.and_then(enum_name) {
        Some("DESC") => Direction::Desc,
        _ => Direction::Asc,
    }
}

/// Name of an enum value.
pub(crate) fn enum_name(value: &Value) -> Option<&str> {
    match value {
        Value::Enum(name) => Some(name),
        Value::String(name) => Some(name),
        _ => None,
    }
}

/// Converts values of enums to their stored form.
pub(crate) fn choices(values: &[Value]) -> Vec<FilterValue> {
    values.iter().map(|value| FilterValue::Text(enum_name(value).unwrap_or_default().to_lowercase())).collect()
}

/// Parses a filter on records of a type. `path` locates it in errors.
pub(crate) fn parse(record: &'static Record, value: &Value, path: &str) -> Result<Filter> {
    FilterParser { conditions: 0 }.filter(record, value, path, 0)
}

struct FilterParser {
    /// Number of conditions so far.
    conditions: usize,
}

impl FilterParser {
    fn filter(&mut self, record: &'static Record, value: &Value, path: &str, depth: usize) -> Result<Filter> {
        if depth > MAX_DEPTH {
            return Err(bad_input(path, format_args!("the filter is nested more than {MAX_DEPTH} levels deep; simplify it")));
        }
        let Some(given) = conditions(value, path)? else { return Ok(Filter::all()) };
        let mut all = Vec::new();
        for (name, value) in given.iter().filter(|(_, value)| **value != Value::Null) {
            let path = format!("{path}.{name}");
            self.conditions += 1;
            if self.conditions > MAX_CONDITIONS {
                return Err(bad_input(path, format_args!("the filter has more than {MAX_CONDITIONS} conditions; simplify it")));
            }
            all.push(match name.as_str() {
                "and" => Filter::And(self.filters(record, value, &path, depth)?),
                "or" => Filter::Or(self.filters(record, value, &path, depth)?),
                "not" => Filter::Not(Box::new(self.filter(record, value, &path, depth + 1)?)),
                "id" => {
                    predicates(value, &path, |value, path| global_id::decode_as(record.ty, value, path).map(FilterValue::Id), Filter::Id)?
                }
                name => self.condition(record, name, value, &path, depth)?,
            });
        }
        Ok(Filter::And(all))
    }

    fn filters(&mut self, record: &'static Record, value: &Value, path: &str, depth: usize) -> Result<Vec<Filter>> {
        let items = list_items(value);
        items.iter().enumerate().map(|(index, item)| self.filter(record, item, &format!("{path}[{index}]"), depth + 1)).collect()
    }

    fn condition(&mut self, record: &'static Record, name: &str, value: &Value, path: &str, depth: usize) -> Result<Filter> {
        if let Some(id) = record.field_id(name) {
            let field = record.field(id);
            if let FieldKind::One(target) = field.kind {
                return Ok(Filter::One(id, Box::new(self.filter(catalog().get(target), value, path, depth + 1)?)));
            }
            return predicates(value, path, |value, path| parse_value(field.kind, value, path), |predicate| Filter::Field(id, predicate));
        }
        let unknown = || bad_input(path, format_args!("{} has no such field", record.name()));
        let id = record.relation_id(name).ok_or_else(unknown)?;
        let target = catalog().get(record.relation(id).target);
        let Some(given) = conditions(value, path)? else { return Ok(Filter::all()) };
        let mut all = Vec::new();
        for (name, value) in given.iter().filter(|(_, value)| **value != Value::Null) {
            let path = format!("{path}.{name}");
            let quantifier = parse_quantifier(name, &path)?;
            all.push(Filter::Many(id, quantifier, Box::new(self.filter(target, value, &path, depth + 1)?)));
        }
        Ok(Filter::And(all))
    }
}

fn parse_quantifier(name: &str, path: &str) -> Result<Quantifier> {
    let found = QUANTIFIERS.iter().find(|(_, known, _)| *known == name);
    found.map(|(quantifier, ..)| *quantifier).ok_or_else(|| bad_input(path, "there is no such quantifier; use some, none or every"))
}

fn parse_operator(name: &str, path: &str) -> Result<Operator> {
    let found = OPERATORS.iter().find(|(_, known, _)| *known == name);
    found.map(|(operator, ..)| *operator).ok_or_else(|| {
        let known: Vec<&str> = OPERATORS.iter().map(|(_, name, _)| *name).collect();
        bad_input(path, format_args!("there is no such operator; use one of {}", known.join(", ")))
    })
}

/// Items of a list; a single value counts as a list of one item.
pub(crate) fn list_items(value: &Value) -> &[Value] {
    match value {
        Value::List(items) => items,
        item => std::slice::from_ref(item),
    }
}

/// The members of a condition; `None` for null, which sets no condition.
fn conditions<'v>(value: &'v Value, path: &str) -> Result<Option<&'v IndexMap<Name, Value>>> {
    match value {
        Value::Object(given) => Ok(Some(given)),
        Value::Null => Ok(None),
        _ => Err(bad_input(path, "a condition is an object, such as {eq: ...}")),
    }
}

/// Parses the operators of a filter on one field.
fn predicates(
    value: &Value,
    path: &str,
    parse_value: impl Fn(&Value, &str) -> Result<FilterValue>,
    filter: impl Fn(Predicate) -> Filter,
) -> Result<Filter> {
    let Some(given) = conditions(value, path)? else { return Ok(Filter::all()) };
    let mut all = Vec::new();
    for (name, value) in given.iter().filter(|(_, value)| **value != Value::Null) {
        let path = format!("{path}.{name}");
        all.push(filter(predicate(parse_operator(name, &path)?, value, &path, &parse_value)?));
    }
    Ok(Filter::And(all))
}

fn predicate(
    operator: Operator,
    value: &Value,
    path: &str,
    parse_value: impl Fn(&Value, &str) -> Result<FilterValue>,
) -> Result<Predicate> {
    let text = || match value {
        Value::String(text) => Ok(text.clone()),
        _ => Err(bad_input(path, "the value must be a string")),
    };
    Ok(match operator {
        Operator::Eq => Predicate::Eq(parse_value(value, path)?),
        Operator::In => {
            let items = list_items(value);
            if items.len() > MAX_VALUES {
                return Err(bad_input(path, format_args!("{} values are too many; give at most {MAX_VALUES}", items.len())));
            }
            Predicate::In(
                items.iter().enumerate().map(|(index, item)| parse_value(item, &format!("{path}[{index}]"))).collect::<Result<_>>()?,
            )
        }
        Operator::Not => Predicate::Not(parse_value(value, path)?),
        Operator::Lt => Predicate::Lt(parse_value(value, path)?),
        Operator::Lte => Predicate::Lte(parse_value(value, path)?),
        Operator::Gt => Predicate::Gt(parse_value(value, path)?),
        Operator::Gte => Predicate::Gte(parse_value(value, path)?),
        Operator::IsNull => match value {
            Value::Boolean(is_null) => Predicate::IsNull(*is_null),
            _ => return Err(bad_input(path, "the value must be true or false")),
        },
        Operator::StartsWith => Predicate::StartsWith(text()?),
        Operator::Contains => Predicate::Contains(text()?),
    })
}

/// Parses a value of a field of this kind.
fn parse_value(kind: FieldKind, value: &Value, path: &str) -> Result<FilterValue> {
    let json = value.clone().into_json().unwrap_or(Json::Null);
    Ok(match (kind, &json) {
        (FieldKind::Date, Json::String(text)) => FilterValue::Date(text.parse().map_err(|error| bad_input(path, error))?),
        (FieldKind::Instant, Json::String(text)) => FilterValue::Instant(
            chrono::DateTime::parse_from_rfc3339(text)
                .map_err(|_| bad_input(path, format_args!("\"{text}\" is not an instant; write it as 2026-11-24T09:30:00Z")))?
                .to_utc(),
        ),
        (FieldKind::Integer, Json::Number(number)) => {
            FilterValue::Integer(number.as_i64().ok_or_else(|| bad_input(path, "the value must be an integer"))?)
        }
        (FieldKind::Number, Json::Number(number)) => {
            FilterValue::Number(number.as_f64().ok_or_else(|| bad_input(path, "the value must be a number"))?)
        }
        (FieldKind::Boolean, Json::Bool(boolean)) => FilterValue::Boolean(*boolean),
        (FieldKind::Choice(_), Json::String(text)) => FilterValue::Text(text.to_lowercase()),
        (FieldKind::Url, Json::String(text)) => FilterValue::Text(comparable_web_address(text)),
        (FieldKind::Language, Json::String(text)) => FilterValue::Text(language::tag(text).map_err(|error| bad_input(path, error))?),
        (FieldKind::Duration, Json::String(text)) if text.parse::<iso8601_duration::Duration>().is_err() => {
            return Err(bad_input(path, format_args!("\"{text}\" is not an ISO 8601 duration; write P3Y for three years")));
        }
        (_, Json::String(text)) => FilterValue::Text(text.clone()),
        _ => return Err(bad_input(path, "the value does not match the type of the field")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_operators_and_quantifiers_are_rejected() {
        assert_eq!(
            parse_operator("endsWith", "filter.slug.endsWith").unwrap_err().to_string(),
            "filter.slug.endsWith: there is no such operator; use one of eq, in, not, lt, lte, gt, gte, isNull, startsWith, contains"
        );
        assert_eq!(
            parse_quantifier("most", "filter.charges.most").unwrap_err().to_string(),
            "filter.charges.most: there is no such quantifier; use some, none or every"
        );
    }
}

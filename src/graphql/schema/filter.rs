//! Filters and orders: one typed input for each record, and their reading into the language of the store.

use async_graphql::Value;
use async_graphql::dynamic::{Enum, EnumItem, InputObject, InputValue, SchemaBuilder, TypeRef};
use heck::ToShoutySnakeCase;
use serde_json::Value as Json;

use crate::catalog::catalog;
use crate::catalog::field::Field;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::core::error::{Result, bad_input};
use crate::core::filter;
use crate::core::filter::{Filter, Predicate, Quantifier};
use crate::core::pagination::Direction;
use crate::entity::RecordType;
use crate::graphql::schema::scalar;

/// Levels of a filter at most.
const MAX_DEPTH: usize = 10;
/// Conditions in a filter at most.
const MAX_CONDITIONS: usize = 200;
/// Values that `in` takes at most.
const MAX_VALUES: usize = 200;

/// Name of the type of a direction.
pub(crate) const DIRECTION: &str = "OrderDirection";

/// Name of the filter of a type.
pub(crate) fn filter_name(record: &Record) -> String {
    format!("{}Filter", record.name())
}

fn list_filter_name(record: &Record) -> String {
    format!("{}ListFilter", record.name())
}

/// Name of the order of a type.
pub(crate) fn order_name(record: &Record) -> String {
    format!("{}Order", record.name())
}

fn order_field_name(record: &Record) -> String {
    format!("{}OrderField", record.name())
}

/// Name of a field as an enum value: `createdAt` becomes `CREATED_AT`.
pub(crate) fn constant(name: &str) -> String {
    name.to_shouty_snake_case()
}

/// What can be asked of a field of this kind: the name of the input, and its operators.
fn operators(field: &Field) -> Option<(String, &'static [&'static str])> {
    const EQUAL: &[&str] = &["eq", "in", "not", "isNull"];
    const TEXT: &[&str] = &["eq", "in", "not", "isNull", "startsWith", "contains"];
    const ORDERED: &[&str] = &["eq", "in", "not", "lt", "lte", "gt", "gte", "isNull"];
    Some(match field.kind {
        FieldKind::Translated if field.is_label => ("NameFilter".to_owned(), &["eq", "in", "not", "startsWith", "contains"]),
        FieldKind::Text | FieldKind::Url | FieldKind::Language | FieldKind::Duration => ("TextFilter".to_owned(), TEXT),
        FieldKind::Date => ("PartialDateFilter".to_owned(), ORDERED),
        FieldKind::Instant => ("DateTimeFilter".to_owned(), ORDERED),
        FieldKind::Integer => ("IntFilter".to_owned(), ORDERED),
        FieldKind::Number => ("FloatFilter".to_owned(), ORDERED),
        FieldKind::Boolean => ("BooleanFilter".to_owned(), &["eq"]),
        FieldKind::Choice(vocabulary) => (format!("{}Filter", vocabulary.name), EQUAL),
        _ => return None,
    })
}

const ID_OPERATORS: &[&str] = &["eq", "in", "not"];

pub(crate) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    builder = builder.register(
        Enum::new(DIRECTION)
            .description("Whether a list runs up or down.")
            .item(
                EnumItem::new("ASC")
                    .description("From the least to the greatest, the earliest to the latest, A to Z. Unknown values come first."),
            )
            .item(
                EnumItem::new("DESC")
                    .description("From the greatest to the least, the latest to the earliest, Z to A. Unknown values come last."),
            ),
    );
    let mut inputs = vec![operator_input("IdFilter", TypeRef::ID, "A condition on an id.", ID_OPERATORS)];
    let mut names = std::collections::BTreeSet::new();
    for field in catalog().all().flat_map(|record| &record.fields) {
        if let Some((name, operators)) = operators(field)
            && names.insert(name.clone())
        {
            let (value, doc) = match field.kind {
                FieldKind::Choice(vocabulary) => (vocabulary.name, format!("A condition on a {}.", vocabulary.name)),
                FieldKind::Translated => (TypeRef::STRING, "A condition on what a record is called, in any of its languages and other names. Capitals, diacritics and script do not matter: zhumagulov finds Жумагулов.".to_owned()),
                FieldKind::Date => (scalar::PARTIAL_DATE, "A condition on a date. A year stands for all of its days: eq 2020 finds 2020-06-22, lte 2020 goes to the end of the year, gt 2020 begins after it.".to_owned()),
                FieldKind::Instant => (scalar::DATE_TIME, "A condition on an instant.".to_owned()),
                FieldKind::Integer => (TypeRef::INT, "A condition on a whole number.".to_owned()),
                FieldKind::Number => (TypeRef::FLOAT, "A condition on a number.".to_owned()),
                FieldKind::Boolean => (TypeRef::BOOLEAN, "A condition on a yes or no.".to_owned()),
                _ => (TypeRef::STRING, "A condition on a text, letter by letter, capitals included.".to_owned()),
            };
            inputs.push(operator_input(&name, value, &doc, operators));
        }
    }
    for record in catalog().all() {
        inputs.push(record_filter(record));
        inputs.push(list_filter(record));
        inputs.push(order(record));
        let mut fields = Enum::new(order_field_name(record)).description(format!("What lists of {} can be ordered by.", described(record)));
        for field in record.fields.iter().filter(|field| field.ordered) {
            fields = fields.item(EnumItem::new(constant(field.name)).description(field.doc));
        }
        builder = builder.register(fields);
    }
    inputs.into_iter().fold(builder, SchemaBuilder::register)
}

/// The type in words, for descriptions: `VoteEvent` becomes `vote event`.
pub(crate) fn described(record: &Record) -> String {
    constant(&record.singular()).replace('_', " ").to_lowercase()
}

fn operator_input(name: &str, value: &str, doc: &str, operators: &[&str]) -> InputObject {
    operators.iter().fold(InputObject::new(name).description(doc), |input, operator| {
        let (ty, doc) = match *operator {
            "eq" => (TypeRef::named(value), "Equal to this."),
            "in" => (TypeRef::named_nn_list(value), "Equal to one of these, at most 200."),
            "not" => (TypeRef::named(value), "Not equal to this; an unknown value is not."),
            "lt" => (TypeRef::named(value), "Less than this, or before it."),
            "lte" => (TypeRef::named(value), "At most this, or not after it."),
            "gt" => (TypeRef::named(value), "Greater than this, or after it."),
            "gte" => (TypeRef::named(value), "At least this, or not before it."),
            "isNull" => (TypeRef::named(TypeRef::BOOLEAN), "True: the value is unknown. False: it is known."),
            "startsWith" => (TypeRef::named(value), "Begins with this."),
            _ => (TypeRef::named(value), "Has this somewhere in it."),
        };
        input.field(InputValue::new(*operator, ty).description(doc))
    })
}

fn record_filter(record: &Record) -> InputObject {
    let name = filter_name(record);
    let this = described(record);
    let mut input = InputObject::new(&name)
        .description(format!("Conditions on a {this}. All that are given must hold."))
        .field(InputValue::new("and", TypeRef::named_nn_list(&name)).description("Every one of these holds."))
        .field(InputValue::new("or", TypeRef::named_nn_list(&name)).description("At least one of these holds."))
        .field(InputValue::new("not", TypeRef::named(&name)).description("This does not hold."))
        .field(InputValue::new("id", TypeRef::named("IdFilter")).description("Its id."));
    for field in &record.fields {
        let ty = match (operators(field), field.kind) {
            (Some((name, _)), _) => name,
            (None, FieldKind::One(target)) => filter_name(catalog().get(target)),
            _ => continue,
        };
        input = input.field(InputValue::new(field.name, TypeRef::named(ty)).description(field.doc));
    }
    for relation in &record.relations {
        let ty = list_filter_name(catalog().get(relation.target));
        input = input.field(InputValue::new(relation.name, TypeRef::named(ty)).description(relation.doc));
    }
    input
}

fn list_filter(record: &Record) -> InputObject {
    let ty = || TypeRef::named(filter_name(record));
    let this = described(record);
    InputObject::new(list_filter_name(record))
        .description(format!("Conditions on a list of {this} records. All that are given must hold."))
        .field(InputValue::new("some", ty()).description("At least one of the list satisfies this."))
        .field(InputValue::new("none", ty()).description("None of the list satisfies this."))
        .field(InputValue::new("every", ty()).description("Every one of the list satisfies this; so does an empty list."))
}

fn order(record: &Record) -> InputObject {
    InputObject::new(order_name(record))
        .description(format!("The order of a list of {} records.", described(record)))
        .field(InputValue::new("field", TypeRef::named_nn(order_field_name(record))).description("What to order by."))
        .field(
            InputValue::new("direction", TypeRef::named(DIRECTION))
                .default_value(Value::Enum(async_graphql::Name::new("ASC")))
                .description("Up or down."),
        )
}

/// Reads an order.
pub(crate) fn read_order(record: &Record, value: &Value) -> Result<(usize, Direction)> {
    let Value::Object(given) = value else { return Ok(record.default_order) };
    let name = given.get("field").and_then(enum_name).unwrap_or_default();
    let field = record
        .fields
        .iter()
        .position(|field| field.ordered && constant(field.name) == name)
        .ok_or_else(|| bad_input("order.field", "there is no such order"))?;
    Ok((field, direction(given.get("direction"))))
}

/// Reads a direction.
pub(crate) fn direction(value: Option<&Value>) -> Direction {
    match value.and_then(enum_name) {
        Some("DESC") => Direction::Desc,
        _ => Direction::Asc,
    }
}

/// The name that a value of an enum has.
pub(crate) fn enum_name(value: &Value) -> Option<&str> {
    match value {
        Value::Enum(name) => Some(name),
        Value::String(name) => Some(name),
        _ => None,
    }
}

/// Values of enums, as they are stored.
pub(crate) fn choices(values: &[Value]) -> Vec<filter::FilterValue> {
    values.iter().map(|value| filter::FilterValue::Text(enum_name(value).unwrap_or_default().to_lowercase())).collect()
}

/// Reads a filter on records of a type; `path` is where it stands, for errors.
pub(crate) fn read(record: &'static Record, value: &Value, path: &str) -> Result<Filter> {
    Reader { conditions: 0 }.filter(record, value, path, 0)
}

struct Reader {
    conditions: usize,
}

impl Reader {
    fn filter(&mut self, record: &'static Record, value: &Value, path: &str, depth: usize) -> Result<Filter> {
        if depth > MAX_DEPTH {
            return Err(bad_input(path, format_args!("the filter is more than {MAX_DEPTH} levels deep; ask a simpler question")));
        }
        let Value::Object(given) = value else { return Ok(Filter::all()) };
        let mut all = Vec::new();
        for (name, value) in given.iter().filter(|(_, value)| **value != Value::Null) {
            let path = format!("{path}.{name}");
            self.conditions += 1;
            if self.conditions > MAX_CONDITIONS {
                return Err(bad_input(path, format_args!("the filter has more than {MAX_CONDITIONS} conditions; ask a simpler question")));
            }
            all.push(match name.as_str() {
                "and" => Filter::And(self.filters(record, value, &path, depth)?),
                "or" => Filter::Or(self.filters(record, value, &path, depth)?),
                "not" => Filter::Not(Box::new(self.filter(record, value, &path, depth + 1)?)),
                "id" => tests(value, &path, |value, path| id(record.ty, value, path), Filter::Id)?,
                name => self.condition(record, name, value, &path, depth)?,
            });
        }
        Ok(Filter::And(all))
    }

    fn filters(&mut self, record: &'static Record, value: &Value, path: &str, depth: usize) -> Result<Vec<Filter>> {
        let items = match value {
            Value::List(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        items.iter().enumerate().map(|(index, item)| self.filter(record, item, &format!("{path}[{index}]"), depth + 1)).collect()
    }

    fn condition(&mut self, record: &'static Record, name: &str, value: &Value, path: &str, depth: usize) -> Result<Filter> {
        if let Some(index) = record.field_index(name) {
            let field = &record.fields[index];
            if let FieldKind::One(target) = field.kind {
                return Ok(Filter::One(index, Box::new(self.filter(catalog().get(target), value, path, depth + 1)?)));
            }
            return tests(value, path, |value, path| read_value(field.kind, value, path), |test| Filter::Field(index, test));
        }
        let index = record.relation_index(name).ok_or_else(|| bad_input(path, "there is no such field"))?;
        let target = catalog().get(record.relations[index].target);
        let Value::Object(given) = value else { return Ok(Filter::all()) };
        let mut all = Vec::new();
        for (name, value) in given.iter().filter(|(_, value)| **value != Value::Null) {
            let quantifier = match name.as_str() {
                "some" => Quantifier::Some,
                "none" => Quantifier::None,
                _ => Quantifier::Every,
            };
            let inner = self.filter(target, value, &format!("{path}.{name}"), depth + 1)?;
            all.push(Filter::Many(index, quantifier, Box::new(inner)));
        }
        Ok(Filter::And(all))
    }
}

/// Reads the operators of one field.
fn tests(
    value: &Value,
    path: &str,
    read: impl Fn(&Value, &str) -> Result<filter::FilterValue>,
    filter: impl Fn(Predicate) -> Filter,
) -> Result<Filter> {
    let Value::Object(given) = value else { return Ok(Filter::all()) };
    let mut all = Vec::new();
    for (operator, value) in given.iter().filter(|(_, value)| **value != Value::Null) {
        let path = format!("{path}.{operator}");
        let text = |value: &Value| match value {
            Value::String(text) => Ok(text.clone()),
            _ => Err(bad_input(&path, "this must be a text")),
        };
        all.push(filter(match operator.as_str() {
            "eq" => Predicate::Eq(read(value, &path)?),
            "in" => {
                let items = match value {
                    Value::List(items) => items.as_slice(),
                    one => std::slice::from_ref(one),
                };
                if items.len() > MAX_VALUES {
                    return Err(bad_input(path, format_args!("{} values are too many; give at most {MAX_VALUES}", items.len())));
                }
                Predicate::In(items.iter().enumerate().map(|(index, item)| read(item, &format!("{path}[{index}]"))).collect::<Result<_>>()?)
            }
            "not" => Predicate::Not(read(value, &path)?),
            "lt" => Predicate::Lt(read(value, &path)?),
            "lte" => Predicate::Lte(read(value, &path)?),
            "gt" => Predicate::Gt(read(value, &path)?),
            "gte" => Predicate::Gte(read(value, &path)?),
            "isNull" => Predicate::IsNull(*value == Value::Boolean(true)),
            "startsWith" => Predicate::StartsWith(text(value)?),
            _ => Predicate::Contains(text(value)?),
        }));
    }
    Ok(Filter::And(all))
}

/// Reads an id that must be of this type.
pub(crate) fn id(ty: RecordType, value: &Value, path: &str) -> Result<filter::FilterValue> {
    let Value::String(text) = value else { return Err(bad_input(path, "an id is a text")) };
    let (prefix, uuid) = crate::core::id::decode(text).map_err(|error| bad_input(path, error))?;
    if prefix != ty.prefix() {
        return Err(bad_input(path, format_args!("\"{text}\" is not the id of a {}; those begin with {}_", ty.name(), ty.prefix())));
    }
    Ok(filter::FilterValue::Id(uuid))
}

/// Reads a value of a kind.
fn read_value(kind: FieldKind, value: &Value, path: &str) -> Result<filter::FilterValue> {
    let json = value.clone().into_json().unwrap_or(Json::Null);
    Ok(match (kind, &json) {
        (FieldKind::Date, Json::String(text)) => filter::FilterValue::Date(text.parse().map_err(|error| bad_input(path, error))?),
        (FieldKind::Instant, Json::String(text)) => filter::FilterValue::Instant(
            chrono::DateTime::parse_from_rfc3339(text)
                .map_err(|_| bad_input(path, format_args!("\"{text}\" is not an instant; write it as 2026-11-24T09:30:00Z")))?
                .to_utc(),
        ),
        (FieldKind::Integer, Json::Number(number)) => {
            filter::FilterValue::Integer(number.as_i64().ok_or_else(|| bad_input(path, "this must be a whole number"))?)
        }
        (FieldKind::Number, Json::Number(number)) => {
            filter::FilterValue::Number(number.as_f64().ok_or_else(|| bad_input(path, "this must be a number"))?)
        }
        (FieldKind::Boolean, Json::Bool(boolean)) => filter::FilterValue::Boolean(*boolean),
        (FieldKind::Choice(_), Json::String(text)) => filter::FilterValue::Text(text.to_lowercase()),
        (_, Json::String(text)) => filter::FilterValue::Text(text.clone()),
        _ => return Err(bad_input(path, "this value does not fit the field")),
    })
}

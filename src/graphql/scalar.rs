//! Scalars, vocabularies and small objects, and the values of cells.

use std::collections::BTreeMap;

use async_graphql::Value;
use async_graphql::dynamic::{Enum, EnumItem, Field, FieldFuture, FieldValue, Object, Scalar, SchemaBuilder, TypeRef};
use serde_json::Value as Json;

use crate::lang::{self, Languages};
use crate::store::record::{Kind, Structure, Vocabulary, catalog};
use crate::store::row::Cell;

pub(super) const PARTIAL_DATE: &str = "PartialDate";
pub(super) const DATE_TIME: &str = "DateTime";
pub(super) const LANGUAGE: &str = "Language";
const DURATION: &str = "Duration";
const URL: &str = "URL";
pub(super) const LOCALIZED_TEXT: &str = "LocalizedText";

pub(super) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    let scalars = [
        (
            PARTIAL_DATE,
            "A date as the sources give it: a year (2013), a month (2013-08) or a day (2013-08-22) of the Gregorian calendar. The text sorts by time.",
            None,
        ),
        (
            DATE_TIME,
            "An instant in UTC, written as in RFC 3339: 2026-11-24T09:30:00.000000Z.",
            Some("https://scalars.graphql.org/andimarek/date-time.html"),
        ),
        (LANGUAGE, "A language, as a BCP 47 tag: kk, ru, en, sr-Latn.", Some("https://www.rfc-editor.org/info/bcp47")),
        (DURATION, "A length of time, as an ISO 8601 duration: P3Y is three years, P15D is fifteen days.", None),
        (URL, "An address on the web that begins with http:// or https://.", Some("https://url.spec.whatwg.org/")),
    ];
    for (name, doc, specification) in scalars {
        let mut scalar = Scalar::new(name).description(doc);
        if let Some(url) = specification {
            scalar = scalar.specified_by_url(url);
        }
        builder = builder.register(scalar);
    }
    builder = builder.register(
        Object::new(LOCALIZED_TEXT)
            .description("A text and its language.")
            .field(text_field("lang", TypeRef::named_nn(LANGUAGE), "Language of the text.", |(lang, _)| lang))
            .field(text_field("text", TypeRef::named_nn(TypeRef::STRING), "The text.", |(_, text)| text)),
    );
    for vocabulary in vocabularies().values() {
        let items = vocabulary.choices.iter().map(|choice| EnumItem::new(choice.value.to_uppercase()).description(choice.doc));
        builder = builder.register(items.fold(Enum::new(vocabulary.name).description(vocabulary.doc), Enum::item));
    }
    for structure in structures().values() {
        let mut object = Object::new(structure.name).description(structure.doc);
        for member in structure.members {
            let name = member.name;
            let kind = member.kind;
            let ty = named(kind, member.required);
            object = object.field(
                Field::new(name, ty, move |ctx| {
                    let value = ctx.parent_value.downcast_ref::<Json>().and_then(|object| object.get(name));
                    FieldFuture::from_value(value.and_then(|value| member_value(kind, value)))
                })
                .description(member.doc),
            );
        }
        builder = builder.register(object);
    }
    builder
}

fn text_field(name: &'static str, ty: TypeRef, doc: &'static str, pick: fn(&(String, String)) -> &String) -> Field {
    Field::new(name, ty, move |ctx| FieldFuture::from_value(ctx.parent_value.downcast_ref().map(|text| Value::from(pick(text).as_str()))))
        .description(doc)
}

/// Every vocabulary of the declarations, by name.
pub(super) fn vocabularies() -> BTreeMap<&'static str, &'static Vocabulary> {
    let of_fields = catalog().all().flat_map(|record| record.fields.iter().map(|field| field.kind));
    let of_members = structures().into_values().flat_map(|structure| structure.members.iter().map(|member| member.kind));
    of_fields
        .chain(of_members)
        .filter_map(|kind| match kind {
            Kind::Choice(vocabulary) => Some((vocabulary.name, vocabulary)),
            _ => None,
        })
        .collect()
}

fn structures() -> BTreeMap<&'static str, &'static Structure> {
    catalog()
        .all()
        .flat_map(|record| &record.fields)
        .filter_map(|field| match field.kind {
            Kind::List(structure) => Some((structure.name, structure)),
            _ => None,
        })
        .collect()
}

/// Type of a field of this kind in the schema.
pub(super) fn named(kind: Kind, required: bool) -> TypeRef {
    let name = match kind {
        Kind::Text | Kind::Translated => TypeRef::STRING,
        Kind::Date => PARTIAL_DATE,
        Kind::Instant => DATE_TIME,
        Kind::Integer => TypeRef::INT,
        Kind::Number => TypeRef::FLOAT,
        Kind::Boolean => TypeRef::BOOLEAN,
        Kind::Url => URL,
        Kind::Language => LANGUAGE,
        Kind::Duration => DURATION,
        Kind::Choice(vocabulary) => vocabulary.name,
        Kind::List(structure) => return TypeRef::named_nn_list_nn(structure.name),
        // what is read from elsewhere can fail, and may not be published
        Kind::One(target) => return TypeRef::named(target.name()),
        Kind::Any => return TypeRef::named(super::object::CITABLE),
    };
    if required { TypeRef::named_nn(name) } else { TypeRef::named(name) }
}

/// Value of a cell in a response, in the best language where it has several.
pub(super) fn value(kind: Kind, cell: &Cell, lang: Option<&str>, languages: &Languages) -> Option<FieldValue<'static>> {
    Some(match (cell, kind) {
        (Cell::Null | Cell::Id(_), _) => return None,
        (Cell::Text(text), Kind::Choice(_)) => FieldValue::value(text.to_uppercase()),
        (Cell::Text(text), _) => FieldValue::value(text.as_str()),
        (Cell::Integer(number), _) => FieldValue::value(*number),
        // a whole number is written without a fraction: 67 cases, not 67.0
        (Cell::Number(number), _) if number.fract() == 0.0 && number.abs() < 1e15 => FieldValue::value(*number as i64),
        (Cell::Number(number), _) => FieldValue::value(*number),
        (Cell::Boolean(boolean), _) => FieldValue::value(*boolean),
        (Cell::Instant(instant), _) => FieldValue::value(instant.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)),
        (Cell::Json(json), Kind::Translated) => FieldValue::value(best(json, lang, languages)?),
        (Cell::Json(Json::Array(items)), _) => FieldValue::list(items.iter().cloned().map(FieldValue::owned_any)),
        (Cell::Json(_), _) => return None,
    })
}

/// The best of several translations: in the language asked for, then in one the reader prefers, then the record's own.
pub(super) fn best<'t>(texts: &'t Json, lang: Option<&str>, languages: &Languages) -> Option<&'t str> {
    let texts = texts.as_object()?;
    let tags = || texts.keys().map(String::as_str);
    let tag = lang.and_then(|lang| lang::lookup(lang, tags())).or_else(|| languages.best(tags())).or_else(|| tags().next())?;
    texts.get(tag)?.as_str()
}

/// All translations, the record's own first.
pub(super) fn translations(cell: &Cell) -> FieldValue<'static> {
    let texts = match cell {
        Cell::Json(Json::Object(texts)) => {
            texts.iter().filter_map(|(lang, text)| Some((lang.clone(), text.as_str()?.to_owned()))).collect()
        }
        _ => Vec::new(),
    };
    FieldValue::list(texts.into_iter().map(FieldValue::owned_any))
}

fn member_value(kind: Kind, value: &Json) -> Option<Value> {
    match (kind, value) {
        (_, Json::Null) => None,
        (Kind::Choice(_), Json::String(text)) => Some(Value::from(text.to_uppercase())),
        (_, Json::String(text)) => Some(Value::from(text.as_str())),
        (Kind::Text, other) => Some(Value::from(other.to_string())),
        (_, other) => Value::from_json(other.clone()).ok(),
    }
}

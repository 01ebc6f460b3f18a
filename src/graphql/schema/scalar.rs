//! Scalars, enums of vocabularies and types of structures, and the JSON of stored values.

use std::collections::BTreeMap;

use async_graphql::dynamic::{Enum, EnumItem, Object, Scalar, SchemaBuilder, TypeRef};
use serde_json::Value as Json;

use crate::catalog::catalog;
use crate::catalog::kind::{FieldKind, Structure, StructureMember, Vocabulary};
use crate::core::language;
use crate::core::language::Languages;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder::{CITABLE, LANGUAGE, field};
use crate::store::read::result::Cell;

pub(crate) const PARTIAL_DATE: &str = "PartialDate";
pub(crate) const DATE_TIME: &str = "DateTime";
const DURATION: &str = "Duration";
const URL: &str = "URL";
pub(crate) const LOCALIZED_TEXT: &str = "LocalizedText";
const LANG: &str = "lang";

pub(crate) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    let scalars = [
        (
            PARTIAL_DATE,
            "A Gregorian date as precise as the sources are: a year (2013), a month (2013-08) or a day (2013-08-22). Sorts chronologically as text.",
            None,
        ),
        (
            DATE_TIME,
            "An instant in UTC in RFC 3339 format: 2026-11-24T09:30:00.000000Z.",
            Some("https://scalars.graphql.org/andimarek/date-time.html"),
        ),
        (
            LANGUAGE,
            "A BCP 47 language tag, such as kk, ru, en or sr-Latn. A text that has no translation in the requested language falls back to the languages of Accept-Language, then to the original.",
            Some("https://www.rfc-editor.org/info/bcp47"),
        ),
        (DURATION, "An ISO 8601 duration: P3Y is three years, P15D fifteen days.", None),
        (URL, "A URL that begins with http:// or https://.", Some("https://url.spec.whatwg.org/")),
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
            .description("A text in one language.")
            .field(field(LANG, TypeRef::named_nn(LANGUAGE), "Language of the text."))
            .field(field("text", TypeRef::named_nn(TypeRef::STRING), "The text.")),
    );
    for vocabulary in vocabularies().values() {
        let items = vocabulary.choices.iter().map(|choice| EnumItem::new(choice.value.to_uppercase()).description(choice.doc));
        builder = builder.register(items.fold(Enum::new(vocabulary.name).description(vocabulary.doc), Enum::item));
    }
    for structure in structures().values() {
        let mut object = Object::new(structure.name).description(structure.doc);
        for member in structure.members {
            object = object.field(field(member.name, output_type(member.kind, member.required), member.doc));
        }
        builder = builder.register(object);
    }
    builder
}

/// All declared vocabularies, by name.
pub(crate) fn vocabularies() -> BTreeMap<&'static str, &'static Vocabulary> {
    let of_fields = catalog().all().flat_map(|record| record.fields.iter().map(|field| field.kind));
    let of_members = structures().into_values().flat_map(|structure| structure.members.iter().map(|member| member.kind));
    of_fields
        .chain(of_members)
        .filter_map(|kind| match kind {
            FieldKind::Choice(vocabulary) => Some((vocabulary.name, vocabulary)),
            _ => None,
        })
        .collect()
}

fn structures() -> BTreeMap<&'static str, &'static Structure> {
    catalog()
        .all()
        .flat_map(|record| &record.fields)
        .filter_map(|field| match field.kind {
            FieldKind::List(structure) => Some((structure.name, structure)),
            _ => None,
        })
        .collect()
}

/// Type of a field of this kind in object types.
pub(crate) fn output_type(kind: FieldKind, required: bool) -> TypeRef {
    let name = match kind {
        FieldKind::Text | FieldKind::Translated => TypeRef::STRING,
        FieldKind::Date => PARTIAL_DATE,
        FieldKind::Instant => DATE_TIME,
        FieldKind::Integer => TypeRef::INT,
        FieldKind::Number => TypeRef::FLOAT,
        FieldKind::Boolean => TypeRef::BOOLEAN,
        FieldKind::Url => URL,
        FieldKind::Language => LANGUAGE,
        FieldKind::Duration => DURATION,
        FieldKind::Choice(vocabulary) => vocabulary.name,
        FieldKind::List(structure) => return TypeRef::named_nn_list_nn(structure.name),
        // a referenced record may be unpublished, so the field is nullable
        FieldKind::One(target) => return TypeRef::named(target.name()),
        FieldKind::Any => return TypeRef::named(CITABLE),
    };
    if required { TypeRef::named_nn(name) } else { TypeRef::named(name) }
}

/// Writes the value of a cell; a translated text in the best language.
pub(crate) fn write(kind: FieldKind, cell: &Cell, lang: Option<&str>, out: &mut JsonWriter<'_>) {
    match (cell, kind) {
        (Cell::Text(text), FieldKind::Choice(_)) => out.choice(text),
        (Cell::Text(text), _) => out.value(text),
        (Cell::Integer(number), _) => out.value(number),
        // an integral number is written without a fraction: 67 cases, not 67.0
        #[expect(clippy::cast_possible_truncation, reason = "the number has no fraction and is below 2^53")]
        (Cell::Number(number), _) if number.fract() == 0.0 && number.abs() < 1e15 => out.value(*number as i64),
        (Cell::Number(number), _) => out.value(number),
        (Cell::Boolean(boolean), _) => out.value(boolean),
        (Cell::Instant(instant), _) => out.instant(*instant),
        (Cell::Json(texts), FieldKind::Translated) => out.value(best(texts, lang, out.languages)),
        (Cell::Null | Cell::Id(_) | Cell::Json(_), _) => out.null(),
    }
}

/// Returns the best translation: in the requested language, else in a preferred language, else the original.
pub(crate) fn best<'t>(texts: &'t Json, lang: Option<&str>, languages: &Languages) -> Option<&'t str> {
    best_with_tag(texts, lang, languages).map(|(_, text)| text)
}

/// Returns the best translation with its language tag, as [`best`] does.
pub(crate) fn best_with_tag<'t>(texts: &'t Json, lang: Option<&str>, languages: &Languages) -> Option<(&'t str, &'t str)> {
    let texts = texts.as_object()?;
    let tags = || texts.keys().map(String::as_str);
    let tag = lang.and_then(|lang| language::lookup(lang, tags())).or_else(|| languages.best(tags())).or_else(|| tags().next())?;
    Some((tag, texts.get(tag)?.as_str()?))
}

/// A selected field of a translation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TextPart {
    TypeName,
    Lang,
    Text,
}

/// Selected fields of each translation.
pub(crate) fn text_parts(selection: &Selection<'_>) -> Fields<TextPart> {
    let part = |name: &str| match name {
        LANG => TextPart::Lang,
        "text" => TextPart::Text,
        _ => TextPart::TypeName,
    };
    selection.subfields(&[LOCALIZED_TEXT]).iter().map(|below| (below.json_key(), part(below.name()))).collect()
}

/// Writes all translations, the original first.
pub(crate) fn write_texts(cell: &Cell, parts: &Fields<TextPart>, out: &mut JsonWriter<'_>) {
    let texts = match cell {
        Cell::Json(Json::Object(texts)) => Some(texts),
        _ => None,
    };
    let texts = texts.into_iter().flatten().filter_map(|(lang, text)| Some((lang, text.as_str()?)));
    out.list(texts, |(lang, text), out| {
        out.object(parts, |part, out| match part {
            TextPart::TypeName => out.value(LOCALIZED_TEXT),
            TextPart::Lang => out.value(lang),
            TextPart::Text => out.value(text),
        });
    });
}

/// A selected field of a structure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Member {
    TypeName(&'static str),
    Of(&'static StructureMember),
}

/// Selected fields of each structure.
pub(crate) fn members(selection: &Selection<'_>, structure: &'static Structure) -> Fields<Member> {
    let member = |name: &str| structure.members.iter().find(|member| member.name == name);
    let shown = |name: &str| member(name).map_or(Member::TypeName(structure.name), Member::Of);
    selection.subfields(&[structure.name]).iter().map(|below| (below.json_key(), shown(below.name()))).collect()
}

/// Writes a list of structures.
pub(crate) fn write_structures(cell: &Cell, members: &Fields<Member>, out: &mut JsonWriter<'_>) {
    let items = match cell {
        Cell::Json(Json::Array(items)) => items.as_slice(),
        _ => &[],
    };
    out.list(items.iter(), |item, out| {
        out.object(members, |member, out| match member {
            Member::TypeName(name) => out.value(name),
            Member::Of(member) => match (member.kind, item.get(member.name)) {
                (FieldKind::Choice(_), Some(Json::String(text))) => out.choice(text),
                // a value that is not a string is written as its JSON text
                (FieldKind::Text, Some(value)) if !value.is_string() && !value.is_null() => out.value(value.to_string()),
                (_, value) => out.value(value),
            },
        });
    });
}

//! Coercion of input values to the types of the schema, after the input coercion rules of the GraphQL specification
//! (section 3). One function coerces literals and variables, so that both follow the same rules.
//!
//! Nothing is understood by default: a value that does not fit its type is an error that states what would be right.

use std::borrow::Cow;

use apollo_compiler::Node;
use apollo_compiler::ast;
use async_graphql::indexmap::IndexMap;
use async_graphql::registry::{MetaInputValue, MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Number};
use async_graphql_value::Value;
use serde_json::Value as Json;

use crate::core::nearest::nearest;
use crate::core::text::{forbidden_character, forbidden_character_message};
use crate::graphql::request::upload::{UPLOAD, Upload};
use crate::graphql::schema::input::TRANSLATIONS;
use crate::graphql::schema::scalar::{DATE_TIME, PARTIAL_DATE};

/// Characters of a value that a message repeats.
const MAX_SHOWN_CHARS: usize = 60;
/// The operator of a condition that compares with one value.
const EQUALS: &str = "eq";
/// Range of the type Int.
const I32_RANGE: std::ops::RangeInclusive<f64> = i32::MIN as f64..=i32::MAX as f64;
/// Whole numbers below 2^53 are exact as a 64-bit float; larger ones may have been rounded.
const EXACT_BELOW: f64 = 9_007_199_254_740_992.0;

/// An input value as the client wrote it.
#[derive(Debug, Clone, Copy)]
pub(super) enum InputValue<'a> {
    /// A value of the variables of a request.
    Json(&'a Json),
    /// A literal of a document.
    Literal(&'a Node<ast::Value>),
}

/// The kind of an input value, regardless of where it is written.
enum View<'a> {
    Null,
    Boolean(bool),
    Integer(Cow<'a, str>),
    /// A number; in JSON also one without a fraction that is no 64-bit integer.
    Decimal(f64),
    Text(&'a str),
    /// A name without quotes, which only a literal can be.
    EnumName(&'a str),
    List(Vec<InputValue<'a>>),
    Object(Vec<(&'a str, InputValue<'a>)>),
    Variable(&'a str),
}

/// A value that does not fit its type.
#[derive(Debug)]
pub(super) struct InputError {
    /// Path inside the value, such as `records[2].title`; empty for the value itself.
    pub(super) path: String,
    pub(super) message: String,
    /// Byte offset of the literal in the document; `None` for JSON.
    pub(super) offset: Option<usize>,
}

/// A variable inside a literal, and the type that its position requires.
#[derive(Debug)]
pub(super) struct VariableUse<'a> {
    pub(super) name: &'a str,
    /// Type of the position, such as `[ID!]`; `None` inside a scalar, which states no type for its members.
    pub(super) ty: Option<Cow<'a, str>>,
    /// Whether the argument that the variable is the value of has a default.
    pub(super) has_default: bool,
    pub(super) offset: usize,
}

/// Coerces values and collects the errors and the variables in them.
pub(super) struct Coercion<'a> {
    pub(super) registry: &'a Registry,
    pub(super) errors: Vec<InputError>,
    pub(super) uses: Vec<VariableUse<'a>>,
    /// Files of the request, which variables name by their keys.
    uploads: &'a [Upload],
}

/// Path of a value inside an argument or a variable.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Path<'p>(Option<(&'p Path<'p>, Segment<'p>)>);

#[derive(Debug, Clone, Copy)]
enum Segment<'p> {
    Field(&'p str),
    Index(usize),
}

impl<'p> Path<'p> {
    fn field(&'p self, name: &'p str) -> Self {
        Self(Some((self, Segment::Field(name))))
    }

    fn index(&'p self, index: usize) -> Self {
        Self(Some((self, Segment::Index(index))))
    }

    fn write(&self, text: &mut String) {
        let Some((parent, segment)) = self.0 else { return };
        parent.write(text);
        match segment {
            Segment::Field(name) if text.is_empty() => text.push_str(name),
            Segment::Field(name) => text.extend([".", name]),
            Segment::Index(index) => text.extend(["[", &index.to_string(), "]"]),
        }
    }
}

impl<'a> InputValue<'a> {
    fn view(self) -> View<'a> {
        match self {
            Self::Json(json) => match json {
                Json::Null => View::Null,
                Json::Bool(boolean) => View::Boolean(*boolean),
                Json::Number(number) if number.is_i64() || number.is_u64() => View::Integer(Cow::Owned(number.to_string())),
                Json::Number(number) => number.as_f64().map_or_else(|| View::Integer(Cow::Owned(number.to_string())), View::Decimal),
                Json::String(text) => View::Text(text),
                Json::Array(items) => View::List(items.iter().map(Self::Json).collect()),
                Json::Object(members) => View::Object(members.iter().map(|(name, value)| (name.as_str(), Self::Json(value))).collect()),
            },
            Self::Literal(node) => match &**node {
                ast::Value::Null => View::Null,
                ast::Value::Boolean(boolean) => View::Boolean(*boolean),
                ast::Value::Int(number) => View::Integer(Cow::Borrowed(number.as_str())),
                ast::Value::Float(number) => View::Decimal(number.try_to_f64().unwrap_or(f64::INFINITY)),
                ast::Value::String(text) => View::Text(text),
                ast::Value::Enum(name) => View::EnumName(name),
                ast::Value::List(items) => View::List(items.iter().map(Self::Literal).collect()),
                ast::Value::Object(members) => {
                    View::Object(members.iter().map(|(name, value)| (name.as_str(), Self::Literal(value))).collect())
                }
                ast::Value::Variable(name) => View::Variable(name),
            },
        }
    }

    fn offset(self) -> Option<usize> {
        match self {
            Self::Json(_) => None,
            Self::Literal(node) => node.location().map(|span| span.offset()),
        }
    }

    /// The value as a message repeats it.
    fn shown(self) -> String {
        let text = match self {
            Self::Json(json) => json.to_string(),
            Self::Literal(node) => node.serialize().no_indent().to_string(),
        };
        match text.char_indices().nth(MAX_SHOWN_CHARS) {
            Some((end, _)) => format!("{}...", &text[..end]),
            None => text,
        }
    }
}

impl<'a> Coercion<'a> {
    pub(super) fn new(registry: &'a Registry) -> Self {
        Self { registry, errors: Vec::new(), uses: Vec::new(), uploads: &[] }
    }

    /// Coerces the variables of a request with these files.
    pub(super) fn with_uploads(registry: &'a Registry, uploads: &'a [Upload]) -> Self {
        Self { uploads, ..Self::new(registry) }
    }

    fn fail(&mut self, value: InputValue<'_>, path: &Path<'_>, message: impl Into<String>) -> Option<Value> {
        let mut text = String::new();
        path.write(&mut text);
        self.errors.push(InputError { path: text, message: message.into(), offset: value.offset() });
        None
    }

    /// Coerces a value to a type. Returns `None` if it does not fit; the errors say why.
    pub(super) fn coerce(&mut self, ty: &'a str, value: InputValue<'a>, path: &Path<'_>) -> Option<Value> {
        self.coerce_at(ty, value, path, false)
    }

    /// Coerces a value at a position that requires a value if `is_required`, even if the type is nullable.
    fn coerce_at(&mut self, ty: &'a str, value: InputValue<'a>, path: &Path<'_>, is_required: bool) -> Option<Value> {
        let view = value.view();
        if let View::Variable(name) = view {
            let ty = if is_required && !ty.ends_with('!') { Cow::Owned(format!("{ty}!")) } else { Cow::Borrowed(ty) };
            self.uses.extend(value.offset().map(|offset| VariableUse { name, ty: Some(ty), has_default: false, offset }));
            return Some(Value::Variable(Name::new(name)));
        }
        match (MetaTypeName::create(ty), view) {
            (MetaTypeName::NonNull(ty), View::Null) => self.fail(value, path, format!("a value of type {ty} must be given, and not null")),
            (MetaTypeName::NonNull(ty), _) => self.coerce_at(ty, value, path, false),
            (_, View::Null) if is_required => self.fail(value, path, format!("a value of type {ty} must be given, and not null")),
            (_, View::Null) => Some(Value::Null),
            (MetaTypeName::List(ty), View::List(items)) => {
                let mut coerced = Vec::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    coerced.extend(self.coerce(ty, item, &path.index(index)));
                }
                Some(Value::List(coerced))
            }
            // a single value coerces to a list of one item
            (MetaTypeName::List(ty), _) => Some(Value::List(vec![self.coerce(ty, value, path)?])),
            (MetaTypeName::Named(name), view) => self.named(name, value, view, path),
        }
    }

    fn named(&mut self, name: &'a str, value: InputValue<'a>, view: View<'a>, path: &Path<'_>) -> Option<Value> {
        let registry = self.registry;
        match registry.types.get(name) {
            Some(MetaType::Scalar { .. }) => self.scalar(name, value, view, path),
            Some(MetaType::Enum { enum_values, .. }) => {
                let written = match (&view, value) {
                    (View::EnumName(written), _) | (View::Text(written), InputValue::Json(_)) => Some(*written),
                    _ => None,
                };
                if let Some((known, _)) = written.and_then(|written| enum_values.get_key_value(written)) {
                    return Some(Value::Enum(Name::new(known)));
                }
                let known: Vec<&str> = enum_values.keys().map(String::as_str).collect();
                let hint = match &view {
                    View::Text(text) if enum_values.contains_key(*text) => format!("write {text} without quotes"),
                    View::Text(text) | View::EnumName(text) => match nearest(text, known.iter().copied()) {
                        Some(near) => format!("did you mean {near}? Its values are {}", known.join(", ")),
                        None => format!("its values are {}", known.join(", ")),
                    },
                    _ => format!("its values are {}", known.join(", ")),
                };
                self.fail(value, path, format!("{} is not a value of {name}; {hint}", value.shown()))
            }
            Some(MetaType::InputObject { input_fields, oneof, .. }) => {
                if let View::Object(members) = view {
                    return self.object(name, (input_fields, *oneof), value, &members, path);
                }
                let hint = match self.member_for(input_fields, value, &view) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => format!("its fields are {}", names(input_fields)),
                };
                self.fail(value, path, format!("{} is not an object of type {name}; {hint}", value.shown()))
            }
            Some(MetaType::Object { .. } | MetaType::Interface { .. } | MetaType::Union { .. }) | None => {
                self.fail(value, path, format!("{name} is not an input type"))
            }
        }
    }

    /// The member of an input object that a value was probably meant for, with the value as it should be written: the
    /// operator `eq` of a condition, or an enum that has the value.
    fn member_for(&self, fields: &IndexMap<String, MetaInputValue>, value: InputValue<'_>, view: &View<'_>) -> Option<String> {
        let registry = self.registry;
        fields.iter().find_map(|(member, field)| {
            let ty = MetaTypeName::concrete_typename(&field.ty);
            let text = match (registry.types.get(ty)?, view) {
                (MetaType::Enum { enum_values, .. }, View::EnumName(given) | View::Text(given)) => {
                    enum_values.keys().find(|known| known.eq_ignore_ascii_case(given))?.clone()
                }
                (MetaType::Scalar { .. }, View::Integer(digits)) if member == EQUALS && !matches!(ty, "Int" | "Float" | "ID") => {
                    format!("\"{digits}\"")
                }
                (MetaType::Scalar { .. }, View::Text(_) | View::Integer(_) | View::Decimal(_)) if member == EQUALS => value.shown(),
                _ => return None,
            };
            Some(format!("{{{member}: {text}}}"))
        })
    }

    /// Coerces a scalar. The format of custom scalars, which are strings, is validated where they are used.
    fn scalar(&mut self, name: &str, value: InputValue<'a>, view: View<'a>, path: &Path<'_>) -> Option<Value> {
        let is_json = matches!(value, InputValue::Json(_));
        let coerced = match (name, &view) {
            ("Int", View::Integer(digits)) => digits.parse::<i32>().ok().map(|number| Value::Number(number.into())),
            #[expect(clippy::cast_possible_truncation, reason = "the number is whole and within the range of i32")]
            ("Int", View::Decimal(number)) if is_json && number.fract() == 0.0 && I32_RANGE.contains(number) => {
                Some(Value::Number((*number as i32).into()))
            }
            ("Float", View::Integer(digits)) => digits.parse().ok().and_then(float),
            ("Float", View::Decimal(number)) => float(*number),
            ("Boolean", View::Boolean(boolean)) => Some(Value::Boolean(*boolean)),
            ("ID", View::Integer(digits)) => Some(Value::String(digits.clone().into_owned())),
            ("ID", View::Decimal(number)) if is_json && number.fract() == 0.0 && number.abs() < EXACT_BELOW => {
                Some(Value::String(format!("{number:.0}")))
            }
            ("Int" | "Float" | "Boolean", _) => None,
            (UPLOAD, View::Text(key)) if is_json && self.is_upload(key) => Some(Value::String((*key).to_owned())),
            (UPLOAD, _) => {
                return self.fail(value, path, "a file must be a part of a multipart request, with its path in the part map");
            }
            (_, View::Text(key)) if is_json && self.is_upload(key) => {
                return self.fail(value, path, format!("a file is given where a value of type {name} is expected"));
            }
            (TRANSLATIONS, View::Object(_)) => {
                let View::Object(members) = view else { return None };
                return self.translations(members, value, path);
            }
            (TRANSLATIONS, _) => None,
            (_, View::Text(text)) => match forbidden_character(text) {
                Some(char) => return self.fail(value, path, forbidden_character_message(char)),
                None => Some(Value::String((*text).to_owned())),
            },
            (_, _) => None,
        };
        match coerced {
            Some(coerced) => Some(coerced),
            None => self.fail(value, path, format!("{} is not of type {name}; {}", value.shown(), example(name, value))),
        }
    }

    fn is_upload(&self, text: &str) -> bool {
        self.uploads.iter().any(|upload| upload.key == text)
    }

    /// Coerces texts by language. Members may be variables, and null removes a language.
    fn translations(&mut self, members: Vec<(&'a str, InputValue<'a>)>, whole: InputValue<'a>, path: &Path<'_>) -> Option<Value> {
        let mut texts = IndexMap::new();
        for (tag, value) in members {
            let path = path.field(tag);
            let text = match value.view() {
                View::Variable(name) => {
                    self.uses.extend(value.offset().map(|offset| VariableUse { name, ty: None, has_default: false, offset }));
                    Some(Value::Variable(Name::new(name)))
                }
                View::Text(text) => match forbidden_character(text) {
                    Some(char) => self.fail(value, &path, forbidden_character_message(char)),
                    None => Some(Value::String(text.to_owned())),
                },
                View::Null => Some(Value::Null),
                View::Boolean(_) | View::Integer(_) | View::Decimal(_) | View::EnumName(_) | View::List(_) | View::Object(_) => {
                    self.fail(value, &path, format!("{} is not a text; write it in quotes", value.shown()))
                }
            };
            if texts.insert(Name::new(tag), text?).is_some() {
                return self.fail(whole, &path, format!("{tag} is given twice"));
            }
        }
        Some(Value::Object(texts))
    }

    fn object(
        &mut self,
        name: &str,
        (declared, oneof): (&'a IndexMap<String, MetaInputValue>, bool),
        whole: InputValue<'a>,
        given: &[(&'a str, InputValue<'a>)],
        path: &Path<'_>,
    ) -> Option<Value> {
        let mut fields: IndexMap<Name, Value> = IndexMap::with_capacity(given.len());
        let mut seen: Vec<&str> = Vec::with_capacity(given.len());
        let mut is_valid = true;
        for (field, value) in given {
            if seen.contains(field) {
                self.fail(*value, path, format!("{field} is given twice"));
                is_valid = false;
                continue;
            }
            seen.push(field);
            let Some(declaration) = declared.get(*field) else {
                let hint = match nearest(field, declared.keys().map(String::as_str)) {
                    Some(near) => format!("did you mean {near}? Its fields are {}", names(declared)),
                    None => format!("its fields are {}", names(declared)),
                };
                self.fail(*value, path, format!("{name} has no field {field}; {hint}"));
                is_valid = false;
                continue;
            };
            match self.coerce_at(&declaration.ty, *value, &path.field(field), oneof && given.len() == 1) {
                Some(value) => {
                    fields.insert(Name::new(field), value);
                }
                None => is_valid = false,
            }
        }
        for (field, declaration) in declared {
            if declaration.ty.ends_with('!') && declaration.default_value.is_none() && !seen.contains(&field.as_str()) {
                self.fail(whole, &path.field(field), format!("a value of type {} must be given", declaration.ty));
                is_valid = false;
            }
        }
        if oneof && given.len() != 1 {
            return self.fail(whole, path, format!("exactly one of {} must be given", names(declared)));
        }
        is_valid.then_some(Value::Object(fields))
    }
}

fn float(number: f64) -> Option<Value> {
    Number::from_f64(number).map(Value::Number)
}

/// What would be right for a scalar.
fn example(name: &str, value: InputValue<'_>) -> String {
    match name {
        "Int" => "write a whole number of 32 bits, such as 20".to_owned(),
        "Float" => "write a number, such as 0.5".to_owned(),
        "Boolean" => "write true or false".to_owned(),
        TRANSLATIONS => r#"write texts by language, such as {en: "Senate", ru: "Сенат"}"#.to_owned(),
        PARTIAL_DATE => match value.view() {
            View::Integer(digits) => format!("write it in quotes, such as \"{digits}\""),
            _ => r#"write a date in quotes, such as "2013", "2013-08" or "2013-08-22""#.to_owned(),
        },
        DATE_TIME => r#"write a time in quotes, such as "2026-11-24T09:30:00Z""#.to_owned(),
        "ID" if matches!(value.view(), View::Decimal(_)) => "write the id in quotes".to_owned(),
        _ => match value.view() {
            View::EnumName(name) => format!("write it in quotes: \"{name}\""),
            _ => "write a text in quotes".to_owned(),
        },
    }
}

fn names(declared: &IndexMap<String, MetaInputValue>) -> String {
    let names: Vec<&str> = declared.keys().map(String::as_str).collect();
    names.join(", ")
}

//! Validation of documents. The parser and the validator are those of `apollo-compiler`; this module adds the rules that
//! it leaves out and words the errors: what is wrong, where, and what would be right.

use std::collections::BTreeSet;

use apollo_compiler::ast;
use apollo_compiler::parser::Parser;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{Schema, diagnostic::ToCliReport};
use async_graphql::Pos;
use async_graphql::registry::Registry;

use crate::core::nearest::nearest;
use crate::graphql::error::{GraphqlError, codes};
use crate::graphql::limits;
use crate::graphql::request::conversion::{Converted, convert};
use crate::graphql::request::positions::Positions;

/// Recursion of the parser for one level of nested brackets.
const PARSER_RECURSION_PER_LEVEL: usize = 4;
/// Recursion of the parser outside brackets.
const PARSER_RECURSION_BASE: usize = 64;

/// Maximum number of errors of one kind of check that a response lists.
const MAX_LISTED_ERRORS: usize = 100;

/// Characters of a token that a message repeats.
const MAX_TOKEN_CHARS: usize = 30;

/// Rules of the validator that the conversion of documents also applies, with better messages.
const RULES_OF_CONVERSION: [&str; 15] = [
    "UndefinedField",
    "UndefinedArgument",
    "UniqueArgument",
    "RequiredArgument",
    "MissingSubselection",
    "SubselectionOnScalarType",
    "SubselectionOnEnumType",
    "UndefinedVariable",
    "DisallowedVariableUsage",
    "UndefinedEnumValue",
    "UndefinedInputValue",
    "RequiredField",
    "UnsupportedValueType",
    "IntCoercionError",
    "FloatCoercionError",
];
const ONE_OF_RULE: &str = "OneOfInputObjectFieldCount";
/// The validator counts fields here, and the specification counts response names: see [`check_subscriptions`].
const SUBSCRIPTION_FIELDS_RULE: &str = "SubscriptionUsesMultipleFields";

/// Parses a document. `nesting` is the maximum depth of brackets, which the text does not exceed.
pub(super) fn parse(text: &str, nesting: u64) -> Result<ast::Document, GraphqlError> {
    let levels = usize::try_from(nesting).unwrap_or(usize::MAX);
    let recursion = levels.saturating_mul(PARSER_RECURSION_PER_LEVEL).saturating_add(PARSER_RECURSION_BASE);
    if limits::tokens(text).next().is_none() {
        return Err(GraphqlError::new(codes::PARSE_FAILED, "the query is empty; write an operation, such as { cases { totalCount } }"));
    }
    if let Some(offset) = unclosed_string(text) {
        let message = "syntax error: the string is not closed on its line; close it with \", or write it between \"\"\"";
        return Err(GraphqlError::new(codes::PARSE_FAILED, message).at(Positions::new(text).of(offset)));
    }
    let parsed = Parser::new().recursion_limit(recursion).parse_ast(text, "query");
    let document = parsed.map_err(|failed| syntax_error(text, &failed.errors))?;
    match valueless_name(text, &document) {
        Some((offset, name)) => {
            let message = format!("syntax error: {name} has no value; write {name}: and a value");
            Err(GraphqlError::new(codes::PARSE_FAILED, message).at(Positions::new(text).of(offset)))
        }
        None => Ok(document),
    }
}

/// The offset of a string that is not closed on its line. The parser accepts a line end right after the opening quote.
fn unclosed_string(text: &str) -> Option<usize> {
    let is_unclosed = |token: &str| {
        let is_block = token.starts_with("\"\"\"");
        token.starts_with('"') && !is_block && (token.len() == 1 || !token.ends_with('"'))
    };
    limits::tokens(text).find(|token| is_unclosed(&text[token.clone()])).map(|token| token.start)
}

/// The first argument or member of an input object without a value, with its offset. The parser accepts such names and
/// leaves them out of the document, so the tokens of the document are compared with those of the text.
fn valueless_name<'t>(text: &'t str, document: &ast::Document) -> Option<(usize, &'t str)> {
    // validation rejects definitions of a schema, whose text can differ in other ways
    if !document.definitions.iter().all(ast::Definition::is_executable_definition) {
        return None;
    }
    let kept = document.serialize().no_indent().to_string();
    let mut kept_tokens = limits::tokens(&kept).map(|token| &kept[token]).peekable();
    let mut text_tokens = limits::tokens(text).map(|token| (token.start, &text[token])).peekable();
    while let Some((start, token)) = text_tokens.next() {
        match kept_tokens.peek() {
            // the keyword is optional
            Some(&"{") if token == "query" && text_tokens.peek().is_some_and(|(_, next)| *next == "{") => continue,
            Some(&"query") if token == "{" => drop(kept_tokens.next()),
            // strings can be written in several ways
            Some(kept) if *kept == token || kept.starts_with('"') && token.starts_with('"') => {}
            Some(_) | None => {
                let is_name = |token: &str| token.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic());
                return std::iter::once((start, token)).chain(text_tokens).find(|(_, token)| is_name(token));
            }
        }
        kept_tokens.next();
    }
    None
}

/// Validates a parsed document and converts it. Reports all errors, in the order of the text.
pub(super) fn validate(
    schema: &Valid<Schema>,
    registry: &Registry,
    text: &str,
    document: &ast::Document,
) -> Result<Converted, Vec<GraphqlError>> {
    let positions = Positions::new(text);
    let mut converted = convert(registry, &positions, document);
    let mut errors = std::mem::take(&mut converted.errors);
    errors.extend(check_subscriptions(&positions, document));
    if let Err(failed) = document.to_executable_validate(schema) {
        let is_covered = |rule: Option<&str>| rule.is_some_and(|rule| rule == ONE_OF_RULE || RULES_OF_CONVERSION.contains(&rule));
        let has_errors = !errors.is_empty();
        for diagnostic in failed.errors.iter() {
            let rule = diagnostic.error.unstable_error_name();
            if rule != Some(SUBSCRIPTION_FIELDS_RULE) && !(has_errors && is_covered(rule)) {
                let position = positions.of_span(diagnostic.error.location());
                let message = message(schema, rule, &diagnostic.error.to_string());
                errors.push(GraphqlError::new(codes::VALIDATION_FAILED, message).at(position));
            }
        }
    }
    if errors.is_empty() {
        return Ok(converted);
    }
    errors.sort_by_key(|error| error.locations.first().map(|Pos { line, column }| (*line, *column)));
    errors.dedup();
    Err(listed(errors))
}

/// The errors that a response lists: the first ones, and the number of the others.
pub(super) fn listed(mut errors: Vec<GraphqlError>) -> Vec<GraphqlError> {
    let more = errors.len().saturating_sub(MAX_LISTED_ERRORS);
    if more > 0 {
        errors.truncate(MAX_LISTED_ERRORS);
        let message = format!("{more} more errors are not listed: a response lists the first {MAX_LISTED_ERRORS}; correct these first");
        errors.push(GraphqlError::new(codes::VALIDATION_FAILED, message));
    }
    errors
}

/// Reports subscriptions with several root fields. A field that is selected twice under one response name is one field. Rule
/// "Single Root Field" of the GraphQL specification (section 5.2.4.1).
fn check_subscriptions(positions: &Positions<'_>, document: &ast::Document) -> Vec<GraphqlError> {
    let operations = document.definitions.iter().filter_map(|definition| definition.as_operation_definition());
    let subscriptions = operations.filter(|operation| operation.operation_type == ast::OperationType::Subscription);
    let several = subscriptions.filter(|operation| response_names(document, &operation.selection_set).len() > 1);
    let error = |location| {
        GraphqlError::new(codes::VALIDATION_FAILED, "a subscription must select exactly one root field").at(positions.of_span(location))
    };
    several.map(|operation| error(operation.location())).collect()
}

/// The response names of the fields of a selection set and of the fragments in it.
fn response_names<'d>(document: &'d ast::Document, selections: &'d [ast::Selection]) -> BTreeSet<&'d str> {
    let mut names = BTreeSet::new();
    let mut reached = BTreeSet::new();
    let mut pending = vec![selections];
    while let Some(selections) = pending.pop() {
        for selection in selections {
            match selection {
                ast::Selection::Field(field) => drop(names.insert(field.response_name().as_str())),
                ast::Selection::InlineFragment(fragment) => pending.push(&fragment.selection_set),
                ast::Selection::FragmentSpread(spread) => {
                    if reached.insert(spread.fragment_name.as_str()) {
                        let fragments = document.definitions.iter().filter_map(|definition| definition.as_fragment_definition());
                        let of_name = fragments.filter(|fragment| fragment.name == spread.fragment_name);
                        pending.extend(of_name.map(|fragment| fragment.selection_set.as_slice()));
                    }
                }
            }
        }
    }
    names
}

/// The first syntax error; those after it are often its consequences.
fn syntax_error(text: &str, errors: &DiagnosticList) -> GraphqlError {
    let first = errors.iter().map(|diagnostic| (diagnostic.error.location(), diagnostic.error.to_string()));
    let first = first.min_by_key(|(span, _)| span.map_or(usize::MAX, |span| span.offset()));
    let (span, message) = first.unwrap_or((None, "the query is not valid GraphQL".to_owned()));
    let offset = span.map_or(text.len(), |span| span.offset()).min(text.len());
    let message = message.trim_start_matches("syntax error: ").trim_start_matches("parser limit error: ");
    let expected = plain_syntax(message);
    let message = match token_at(text, offset) {
        None => format!("syntax error: {expected}; the query ends here"),
        Some("}" | ")" | "]") if message == EXPECTED_DEFINITION => {
            format!("syntax error: {expected}; there is one bracket too many, or one was closed too early")
        }
        Some(found) => format!("syntax error: {expected}; found {found}"),
    };
    GraphqlError::new(codes::PARSE_FAILED, message).at(Positions::new(text).of(offset))
}

/// What the parser expects after a complete operation.
const EXPECTED_DEFINITION: &str = "expected a StringValue, Name or OperationDefinition";

/// Names of tokens and parts of the grammar in messages of the parser, and how a query shows them.
const GRAMMAR: [(&str, &str); 29] = [
    (EXPECTED_DEFINITION, "expected another operation, a fragment, or the end of the query"),
    ("expected an Operation Type or a Selection Set", "expected {, or query, mutation or subscription"),
    ("R_CURLY", "}"),
    ("L_CURLY", "{"),
    ("R_PAREN", ")"),
    ("L_PAREN", "("),
    ("R_BRACK", "]"),
    ("L_BRACK", "["),
    ("COLON", ":"),
    (", got EOF", ""),
    ("unexpected <EOF>", "the query is incomplete"),
    ("a Selection Set", "fields in braces, such as { id }"),
    ("an Inline Fragment or a Fragment Spread", "the name of a fragment, or on and a type, after ..."),
    ("a Variable Definition", "a variable with its type, such as $id: ID!"),
    ("an Argument", "an argument, such as first: 10"),
    ("a Name in Type Condition", "the name of a type after on"),
    ("Type Condition", "on and the name of a type"),
    ("a valid Value", "a value"),
    ("Fragment Name", "the name of a fragment"),
    ("a Name Type", "the name of a type"),
    ("a Name", "a name"),
    ("non-significant leading zeroes", "leading zeros"),
    (" as integer suffix", " right after a number"),
    (" as float suffix", " right after a number"),
    ("unterminated spread operator", "write three dots before a fragment"),
    ("expected definition", "expected an operation or a fragment"),
    ("unexpected variable value in a Const context", "a default value must not use variables"),
    ("fragment Name cannot be 'on'", "a fragment cannot be named on"),
    ("shorthand operation must not have a description", "an operation with a description begins with query, mutation or subscription"),
];

/// A message of the parser in the words of a query.
fn plain_syntax(message: &str) -> String {
    // "expected X, got Y" repeats what the error shows anyway
    let message = message.split(", got ").next().unwrap_or(message);
    GRAMMAR.iter().fold(plain(message), |text, (of_parser, plain)| text.replace(of_parser, plain))
}

/// The token at a byte offset; `None` at the end of the text.
fn token_at(text: &str, offset: usize) -> Option<&str> {
    let rest = text.get(offset..)?.trim_start_matches([' ', '\t', '\n', '\r', ',', '\u{feff}']);
    let first = rest.chars().next()?;
    let belongs = |char: char| char.is_alphanumeric() || "_.-".contains(char);
    let end = match first {
        '"' => rest.char_indices().skip(1).find(|(_, char)| matches!(char, '"' | '\n' | '\r')).map(|(at, _)| at + 1),
        _ if belongs(first) => rest.find(|char| !belongs(char)),
        _ => Some(first.len_utf8()),
    };
    let token = &rest[..end.unwrap_or(rest.len())];
    Some(token.char_indices().nth(MAX_TOKEN_CHARS).map_or(token, |(at, _)| &token[..at]).trim_end_matches([' ', '\t']))
}

/// The first letter in lower case, and names in double quotes.
fn plain(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    let first = chars.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(chars).collect::<String>().replace('`', "\"")
}

/// Words an error of the validator. `names` in backticks are taken from its message.
fn message(schema: &Schema, rule: Option<&str>, text: &str) -> String {
    let names: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    let name = |index: usize| names.get(index).copied().unwrap_or("?");
    let types = || schema.types.keys().map(apollo_compiler::Name::as_str);
    match rule.unwrap_or_default() {
        "UniqueVariable" => format!("the variable {} is declared twice", name(0)),
        "UnusedVariable" => format!("the variable {} is not used; remove its declaration", name(0)),
        "UndefinedDefinition" | "UndefinedTypeInInlineFragmentTypeCondition" | "UndefinedTypeInNamedFragmentTypeCondition" => {
            unknown_type(name(0), types())
        }
        "VariableInputType" => format!("the variable {} must be of an input type: a scalar, an enum or an input object", name(0)),
        "UndefinedDirective" => format!("there is no directive {}; use @include(if:) or @skip(if:)", name(0)),
        "UnsupportedLocation" => {
            let words: Vec<&str> = text.split(' ').collect();
            let directive = words.first().copied().unwrap_or("?");
            format!("the directive @{directive} must not stand here; put it on a field or a fragment")
        }
        "UniqueDirective" => {
            let directive = text.split(' ').nth(2).unwrap_or("?");
            format!("the directive @{directive} is given twice here")
        }
        "UndefinedFragment" => format!("there is no fragment {}", name(0)),
        "UnusedFragment" => format!("the fragment {} is not used; remove it, or spread it with ...{}", name(0), name(0)),
        "RecursiveFragmentDefinition" => format!("the fragment {} spreads itself, directly or through other fragments", name(0)),
        "InvalidFragmentTarget" => "a fragment must be on an object, an interface or a union".to_owned(),
        "InvalidFragmentSpread" => {
            let (condition, parent) = (names.len().checked_sub(2).map_or("?", name), names.len().checked_sub(1).map_or("?", name));
            format!("a fragment on {condition} can never apply to {parent}{}", possible_types(schema, parent))
        }
        "OperationNameCollision" => format!("two operations are named {}", name(0)),
        "FragmentNameCollision" => format!("two fragments are named {}", name(0)),
        "AmbiguousAnonymousOperation" => "an operation without a name must be the only one; name each operation".to_owned(),
        "UndefinedRootOperation" => format!("the schema has no {}", name(0)),
        "TypeSystemDefinition" => "a query must not define types; remove the definition".to_owned(),
        "SubscriptionUsesIntrospection" => "a subscription must not select an introspection field as its root field".to_owned(),
        "SubscriptionUsesConditionalSelection" => "a subscription must not use @skip or @include on its root field".to_owned(),
        "ConflictingFieldType" => format!("{0} selects fields of different types here; give one of them another alias", name(0)),
        "ConflictingFieldName" => format!("{0} selects different fields here; give one of them another alias", conflicting(&names)),
        "ConflictingFieldArgument" => {
            format!("{0} is selected with different arguments here; give one of them another alias", conflicting(&names))
        }
        "RecursionError" | "RecursionLimitError" => "the query is nested too deeply; fetch deeper levels in a separate request".to_owned(),
        _ => plain(text),
    }
}

/// The response name of conflicting fields.
fn conflicting<'n>(names: &[&'n str]) -> &'n str {
    names.last().copied().unwrap_or("?")
}

fn unknown_type<'n>(name: &str, types: impl Iterator<Item = &'n str>) -> String {
    match nearest(name, types.filter(|known| !known.starts_with("__"))) {
        Some(near) => format!("there is no type {name}; did you mean {near}?"),
        None => format!("there is no type {name}; /schema.graphql lists the types"),
    }
}

/// The types of an interface or union, as a hint.
fn possible_types(schema: &Schema, parent: &str) -> String {
    match schema.types.get(parent) {
        Some(ExtendedType::Union(union)) => {
            let members: Vec<&str> = union.members.iter().map(|member| member.as_str()).collect();
            format!("; its types are {}", members.join(", "))
        }
        Some(ExtendedType::Interface(_)) => "; use a type that implements it".to_owned(),
        Some(ExtendedType::Object(_)) => format!("; write the fields without a fragment, or use ... on {parent}"),
        Some(ExtendedType::Scalar(_) | ExtendedType::Enum(_) | ExtendedType::InputObject(_)) | None => String::new(),
    }
}

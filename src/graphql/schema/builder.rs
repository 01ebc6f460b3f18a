//! Building blocks that the types of the schema share.

use async_graphql::dynamic::{Directive, Field, FieldFuture, InputValue, InterfaceField, TypeRef};

use crate::catalog::catalog;
use crate::catalog::field::Field as DeclaredField;
use crate::catalog::record::{Record, RecordKind};

/// Interface of everything with an id.
pub(crate) const NODE: &str = "Node";
/// Interface of everything that can have citations.
pub(crate) const CITABLE: &str = "Citable";
/// Interface of records that are not part of another record.
pub(crate) const RECORD: &str = "Record";
/// Scalar of a BCP 47 language tag.
pub(crate) const LANGUAGE: &str = "Language";

/// Name of the directive of fields that are null only if an error occurred.
const SEMANTIC_NON_NULL: &str = "semanticNonNull";
/// Its definition, which the framework does not print.
pub(crate) const SEMANTIC_NON_NULL_DEFINITION: &str = "\"The field is null only if an error occurred, which the errors of the response report.\"\ndirective @semanticNonNull(\"Levels of nested lists; 0 is the field.\" levels: [Int!]! = [0]) on FIELD_DEFINITION\n";

const LANG_DOC: &str = "Language; default: Accept-Language.";

/// Names of the object type and the interfaces of a record; a fragment on any of them matches the record.
pub(crate) fn type_names(record: &Record) -> Vec<&'static str> {
    let mut names = vec![record.name(), NODE];
    if record.is_cited() {
        names.push(CITABLE);
    }
    if record.kind == RecordKind::Record {
        names.push(RECORD);
    }
    names
}

/// Creates an output field. The framework does not resolve it: [`crate::graphql::projection`] writes its value.
pub(crate) fn field(name: impl Into<String>, ty: TypeRef, doc: impl Into<String>) -> Field {
    Field::new(name, ty, |_| FieldFuture::Value(None)).description(doc)
}

/// Marks a nullable field that is null only if an error occurred.
///
/// After the nullability directives of <https://specs.apollo.dev/nullability/v0.4>: a client that handles errors by itself
/// may treat the field as non-null.
pub(crate) fn null_only_on_error(field: Field) -> Field {
    field.directive(Directive::new(SEMANTIC_NON_NULL))
}

/// Creates an argument or an input field.
pub(crate) fn input_value(name: impl Into<String>, ty: TypeRef, doc: impl Into<String>) -> InputValue {
    InputValue::new(name, ty).description(doc)
}

/// Creates the argument that selects the language of a text.
pub(crate) fn lang_argument() -> InputValue {
    input_value("lang", TypeRef::named(LANGUAGE), LANG_DOC)
}

/// Returns whether some field of the schema returns pages of these records.
pub(crate) fn is_paginated(record: &Record) -> bool {
    let is_target = |from: &Record| from.relations.iter().any(|relation| relation.target == record.ty && !relation.short);
    !record.plural.is_empty() || catalog().all().any(is_target)
}

/// The reason of a deprecation, as `@deprecated` states it.
fn deprecation_reason(declared: &DeclaredField) -> Option<String> {
    declared.deprecated.map(|deprecation| format!("Since {}: {}", deprecation.since, deprecation.reason))
}

/// Marks an output field as deprecated if its declaration is.
pub(crate) fn deprecate_field(field: Field, declared: &DeclaredField) -> Field {
    match deprecation_reason(declared) {
        Some(reason) => field.deprecation(Some(&reason)),
        None => field,
    }
}

/// Marks an interface field as deprecated if its declaration is.
pub(crate) fn deprecate_interface_field(field: InterfaceField, declared: &DeclaredField) -> InterfaceField {
    match deprecation_reason(declared) {
        Some(reason) => field.deprecation(Some(&reason)),
        None => field,
    }
}

/// Marks an input field as deprecated if its declaration is.
pub(crate) fn deprecate_input(input: InputValue, declared: &DeclaredField) -> InputValue {
    match deprecation_reason(declared) {
        Some(reason) => input.deprecation(Some(&reason)),
        None => input,
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::dynamic::{InputObject, Object, Schema};

    use super::*;
    use crate::catalog::field::text;

    #[test]
    fn deprecated_declaration_is_printed_as_directive() {
        let declared = text("slug").deprecated("use name", "1.2.0");
        let output = deprecate_field(field("slug", TypeRef::named(TypeRef::STRING), "Slug."), &declared);
        let input = deprecate_input(input_value("slug", TypeRef::named(TypeRef::STRING), "Slug."), &declared);
        let output = output.argument(input_value("input", TypeRef::named("I"), "Input."));
        let schema = Schema::build("Query", None, None)
            .register(Object::new("Query").field(output))
            .register(InputObject::new("I").field(input))
            .finish()
            .unwrap();
        assert_eq!(schema.sdl().matches("String @deprecated(reason: \"Since 1.2.0: use name\")").count(), 2);
    }
}

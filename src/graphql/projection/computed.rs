//! Computed fields: fields that are neither a column nor a relation, and additional arguments of relations.

mod cite;
mod dispute;
pub(crate) mod field;
mod label;
mod merge;
mod provision;

use std::sync::LazyLock;

use async_graphql::dynamic::SchemaBuilder;

use crate::catalog::record::Record;

pub(crate) use field::{ComputedField, RelationArgument};

/// Every computed field.
pub(crate) fn all() -> &'static [ComputedField] {
    static ALL: LazyLock<Vec<ComputedField>> = LazyLock::new(|| {
        [cite::fields(), dispute::fields(), label::fields(), merge::fields(), provision::fields()].into_iter().flatten().collect()
    });
    &ALL
}

/// Registers the object types that only computed fields return.
pub(crate) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    dispute::register(builder)
}

/// Finds a computed field of a record by name.
pub(crate) fn find(record: &Record, name: &str) -> Option<&'static ComputedField> {
    all().iter().find(|computed| computed.name == name && (computed.applies_to)(record))
}

/// Additional arguments of a relation.
pub(crate) fn relation_arguments(record: &Record, relation: &str) -> impl Iterator<Item = &'static RelationArgument> {
    provision::relation_arguments(record, relation).iter()
}

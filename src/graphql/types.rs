//! Fields that are more than a column or a reference, and arguments that some lists take besides.

use std::sync::LazyLock;

use async_graphql::dynamic::{InputValue, SchemaBuilder, TypeRef};

use super::selection::Selection;
use super::shape::Show;
use crate::error::Result;
use crate::store::plan::{List, Plan};
use crate::store::record::Record;

macro_rules! types {
    ($($module:ident,)*) => {
        $(pub(super) mod $module;)*

        /// Every computed field.
        pub(super) fn all() -> &'static [Computed] {
            static ALL: LazyLock<Vec<Computed>> = LazyLock::new(|| {
                let mut all = Vec::new();
                $(all.extend($module::computed());)*
                all
            });
            &ALL
        }

        /// Object types that only computed fields have.
        pub(super) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
            $(builder = $module::register(builder);)*
            builder
        }
    };
}

types! {
    cite,
    dispute,
    label,
    provision,
}

/// A field made from what it asks the store for.
pub(super) struct Computed {
    /// Records that have it.
    pub(super) on: fn(&Record) -> bool,
    /// Whether the interface of all records has it too.
    pub(super) shared: bool,
    pub(super) name: &'static str,
    pub(super) ty: TypeRef,
    pub(super) doc: &'static str,
    pub(super) arguments: &'static [Argument],
    /// Asks for what it needs, and tells what to show of it.
    pub(super) show: fn(&Selection<'_>, &'static Record, &mut Plan) -> Result<Show>,
}

/// An argument of a computed field.
pub(super) struct Argument {
    pub(super) name: &'static str,
    pub(super) ty: &'static str,
    pub(super) doc: &'static str,
}

impl Argument {
    pub(super) fn input(&self) -> InputValue {
        InputValue::new(self.name, TypeRef::named(self.ty)).description(self.doc)
    }
}

/// An argument that a list takes besides those of every list.
pub(super) struct ListArgument {
    argument: Argument,
    pub(super) name: &'static str,
    /// Narrows the list.
    pub(super) apply: fn(&str, &mut List) -> Result<()>,
}

impl ListArgument {
    pub(super) fn input(&self) -> InputValue {
        self.argument.input()
    }
}

/// The computed field of this name, if the record has one.
pub(super) fn computed(record: &Record, name: &str) -> Option<&'static Computed> {
    all().iter().find(|computed| computed.name == name && (computed.on)(record))
}

/// Arguments that a list of a record takes besides those of every list.
pub(super) fn arguments(record: &Record, relation: &str) -> impl Iterator<Item = &'static ListArgument> {
    provision::arguments(record, relation).iter()
}

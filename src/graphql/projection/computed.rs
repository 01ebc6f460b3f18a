//! Fields that are more than a column or a reference, and arguments that some lists take besides.

use std::sync::LazyLock;

use async_graphql::dynamic::{InputValue, SchemaBuilder, TypeRef};

use crate::catalog::record::Record;
use crate::core::error::Result;
use crate::graphql::projection::FieldProjection;
use crate::graphql::projection::selection::Selection;
use crate::store::read::plan::{ListPlan, Plan};

macro_rules! types {
    ($($module:ident,)*) => {
        $(pub(crate) mod $module;)*

        /// Every computed field.
        pub(crate) fn all() -> &'static [Computed] {
            static ALL: LazyLock<Vec<Computed>> = LazyLock::new(|| {
                let mut all = Vec::new();
                $(all.extend($module::computed());)*
                all
            });
            &ALL
        }

        /// Object types that only computed fields have.
        pub(crate) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
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
pub(crate) struct Computed {
    /// Records that have it.
    pub(crate) on: fn(&Record) -> bool,
    /// Whether the interface of all records has it too.
    pub(crate) shared: bool,
    pub(crate) name: &'static str,
    pub(crate) ty: TypeRef,
    pub(crate) doc: &'static str,
    pub(crate) arguments: &'static [Argument],
    /// Asks for what it needs, and tells what to show of it.
    pub(crate) show: fn(&Selection<'_>, &'static Record, &mut Plan) -> Result<FieldProjection>,
}

/// An argument of a computed field.
pub(crate) struct Argument {
    pub(crate) name: &'static str,
    pub(crate) ty: &'static str,
    pub(crate) doc: &'static str,
}

impl Argument {
    pub(crate) fn input(&self) -> InputValue {
        InputValue::new(self.name, TypeRef::named(self.ty)).description(self.doc)
    }
}

/// An argument that a list takes besides those of every list.
pub(crate) struct ListArgument {
    argument: Argument,
    pub(crate) name: &'static str,
    /// Narrows the list.
    pub(crate) apply: fn(&str, &mut ListPlan) -> Result<()>,
}

impl ListArgument {
    pub(crate) fn input(&self) -> InputValue {
        self.argument.input()
    }
}

/// The computed field of this name, if the record has one.
pub(crate) fn computed(record: &Record, name: &str) -> Option<&'static Computed> {
    all().iter().find(|computed| computed.name == name && (computed.on)(record))
}

/// Arguments that a list of a record takes besides those of every list.
pub(crate) fn arguments(record: &Record, relation: &str) -> impl Iterator<Item = &'static ListArgument> {
    provision::arguments(record, relation).iter()
}

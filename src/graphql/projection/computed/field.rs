//! Declarations of computed fields.

use async_graphql::dynamic::{InputValue, TypeRef};

use crate::catalog::record::Record;
use crate::core::error::Result;
use crate::graphql::projection::FieldProjection;
use crate::graphql::projection::selection::Selection;
use crate::store::read::plan::{ListPlan, Plan};

/// A field computed from other fields or relations of its record.
pub(crate) struct ComputedField {
    /// Whether a record type has the field.
    pub(crate) applies_to: fn(&Record) -> bool,
    /// Whether the interfaces of records have it, too.
    pub(crate) in_interfaces: bool,
    pub(crate) name: &'static str,
    pub(crate) ty: TypeRef,
    pub(crate) doc: &'static str,
    pub(crate) arguments: &'static [FieldArgument],
    /// Projects the field and adds the fields and relations it needs to the plan.
    pub(crate) project: fn(&Selection<'_>, &'static Record, &mut Plan) -> Result<FieldProjection>,
}

/// An argument of a field, of a nullable type.
pub(crate) struct FieldArgument {
    pub(crate) name: &'static str,
    pub(crate) ty: &'static str,
    pub(crate) doc: &'static str,
}

impl FieldArgument {
    pub(crate) fn input(&self) -> InputValue {
        InputValue::new(self.name, TypeRef::named(self.ty)).description(self.doc)
    }
}

/// An argument of a relation in addition to those of every list.
pub(crate) struct RelationArgument {
    pub(super) argument: FieldArgument,
    /// Restricts the list by the value of the argument. Fails if the value is not valid.
    pub(crate) apply: fn(&str, &mut ListPlan) -> Result<()>,
}

impl RelationArgument {
    pub(crate) fn name(&self) -> &'static str {
        self.argument.name
    }

    pub(crate) fn input(&self) -> InputValue {
        self.argument.input()
    }
}

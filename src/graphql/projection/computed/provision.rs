//! The text of the law on a date: `Provision.text(asOf:)` and `Law.provisions(asOf:)`.

use async_graphql::dynamic::{SchemaBuilder, TypeRef};

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::{Result, bad_input};
use crate::core::filter::{Filter, Quantifier};
use crate::core::pagination::{Direction, Page};
use crate::core::partial_date::PartialDate;
use crate::entity::RecordType;
use crate::graphql::projection::FieldProjection;
use crate::graphql::projection::computed::{Argument, Computed, ListArgument};
use crate::graphql::schema::scalar;
use crate::store::read::executor::in_force_on;
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};

const NAME: &str = "text";

static AS_OF: [ListArgument; 1] = [ListArgument {
    name: "asOf",
    argument: Argument {
        name: "asOf",
        ty: scalar::PARTIAL_DATE,
        doc: "Only provisions of which a text is known that was in force on this date; a month or a year stands for its last day.",
    },
    apply: |value, list| {
        let provision = catalog().get(RecordType::Provision);
        let in_force = in_force_on(catalog().get(RecordType::ProvisionVersion), &date(value)?);
        let versions = provision.relation_index("versions").unwrap_or_default();
        list.filter = std::mem::replace(&mut list.filter, Filter::all()).and(Filter::Many(versions, Quantifier::Some, Box::new(in_force)));
        Ok(())
    },
}];

fn date(value: &str) -> Result<PartialDate> {
    value.parse().map_err(|error| bad_input("asOf", error))
}

pub(super) fn arguments(record: &Record, relation: &str) -> &'static [ListArgument] {
    match (record.ty, relation) {
        (RecordType::Law, "provisions") => &AS_OF,
        _ => &[],
    }
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    builder
}

pub(super) fn computed() -> Vec<Computed> {
    vec![Computed {
        on: |record| record.ty == RecordType::Provision,
        shared: false,
        name: NAME,
        ty: TypeRef::named(TypeRef::STRING),
        doc: "Text of the provision: the latest known, or the one in force on a date. See versions for where it comes from.",
        arguments: &[
            Argument {
                name: "asOf",
                ty: scalar::PARTIAL_DATE,
                doc: "Date on which the text was in force; a month or a year stands for its last day.",
            },
            Argument { name: "lang", ty: scalar::LANGUAGE, doc: "Language wanted, as a BCP 47 tag." },
        ],
        show: |selection, record, plan| {
            let version = catalog().get(RecordType::ProvisionVersion);
            let index = version.field_index(NAME).unwrap_or_default();
            let mut row = Plan::new(version.ty);
            row.select_field(index);
            let mut list = ListPlan { page: Page::first(1), ..ListPlan::new(row) };
            list.order = (version.field_index("validFrom").unwrap_or_default(), Direction::Desc);
            if let Some(value) = selection.text("asOf") {
                list.filter = in_force_on(version, &date(&value)?);
            }
            let versions = plan.add_child(ChildPlan::Many(record.relation_index("versions").unwrap_or_default(), list));
            let (kind, lang) = (version.fields[index].kind, selection.lang()?);
            Ok(FieldProjection::Computed(Box::new(move |node, out| {
                let found = node.many(versions).and_then(|slice| slice.nodes().next());
                out.option(found, |version, out| scalar::write(kind, version.cell(index), lang.as_deref(), out));
            })))
        },
    }]
}

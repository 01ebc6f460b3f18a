//! The text of a law as of a date: `Provision.text(asOf:)` and `Law.provisions(asOf:)`.

use async_graphql::dynamic::TypeRef;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::{Result, bad_input};
use crate::core::filter::{Filter, Quantifier};
use crate::core::pagination::{Direction, Page};
use crate::core::partial_date::PartialDate;
use crate::entity::RecordType;
use crate::graphql::projection::FieldProjection;
use crate::graphql::projection::computed::field::{ComputedField, FieldArgument, RelationArgument};
use crate::graphql::schema::builder;
use crate::graphql::schema::scalar;
use crate::store::read::executor::in_force_on;
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};

const TEXT: &str = "text";
const AS_OF: &str = "asOf";

static PROVISIONS_ARGUMENTS: [RelationArgument; 1] = [RelationArgument {
    argument: FieldArgument {
        name: AS_OF,
        ty: scalar::PARTIAL_DATE,
        doc: "Only provisions with a known text that was in force on this date. A month or a year means its last day.",
    },
    apply: |value, list| {
        let provision = catalog().get(RecordType::Provision);
        let in_force = in_force_on(catalog().get(RecordType::ProvisionVersion), &parse_date(value)?);
        let versions = provision.known_relation("versions");
        list.filter = std::mem::replace(&mut list.filter, Filter::all()).and(Filter::Many(versions, Quantifier::Some, Box::new(in_force)));
        Ok(())
    },
}];

fn parse_date(value: &str) -> Result<PartialDate> {
    value.parse().map_err(|error| bad_input(AS_OF, error))
}

/// Additional arguments of a relation.
pub(super) fn relation_arguments(record: &Record, relation: &str) -> &'static [RelationArgument] {
    match (record.ty, relation) {
        (RecordType::Law, "provisions") => &PROVISIONS_ARGUMENTS,
        _ => &[],
    }
}

pub(super) fn fields() -> Vec<ComputedField> {
    vec![ComputedField {
        applies_to: |record| record.ty == RecordType::Provision,
        in_interfaces: false,
        name: TEXT,
        ty: TypeRef::named(TypeRef::STRING),
        doc: "Text of the provision: the latest known text, or the text in force on a date. See versions for its source.",
        arguments: &[
            FieldArgument {
                name: AS_OF,
                ty: scalar::PARTIAL_DATE,
                doc: "Date on which the text was in force. A month or a year means its last day.",
            },
            FieldArgument { name: "lang", ty: builder::LANGUAGE, doc: "Preferred language, as a BCP 47 tag." },
        ],
        project: |selection, record, plan| {
            let version = catalog().get(RecordType::ProvisionVersion);
            let id = version.known_field(TEXT);
            let mut row = Plan::new(version.ty);
            row.select_field(id);
            let mut list = ListPlan { page: Page::first(1), ..ListPlan::new(row) };
            list.order = (version.known_field("validFrom"), Direction::Desc);
            if let Some(value) = selection.string_argument(AS_OF) {
                list.filter = in_force_on(version, &parse_date(&value)?);
            }
            let versions = plan.add_child(ChildPlan::Many(record.known_relation("versions"), list));
            let (kind, lang) = (version.field(id).kind, selection.lang_argument()?);
            Ok(FieldProjection::Computed(Box::new(move |row, out| {
                let latest = row.many(versions).and_then(|page| page.nodes().next());
                out.option(latest, |version, out| scalar::write(kind, version.cell(id), lang.as_deref(), out));
            })))
        },
    }]
}

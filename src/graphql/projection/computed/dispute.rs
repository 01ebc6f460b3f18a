//! `disputes`: fields about which sources disagree, with every claim and the citations that support it.

use std::sync::LazyLock;

use async_graphql::dynamic::{SchemaBuilder, TypeRef};

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::filter::{Filter, Predicate};
use crate::core::pagination::Page;
use crate::entity::RecordType;
use crate::graphql::projection::computed::field::ComputedField;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::output_type::{ObjectProjection, OutputObject, OutputType};
use crate::graphql::projection::{FieldProjection, Projection};
use crate::store::curation::claims::{Claim, agree, claims};
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};
use crate::store::read::result::{PageRows, RowRef};

const NAME: &str = "disputes";
const DISPUTE: &str = "Dispute";
const CLAIM: &str = "Claim";
/// Citations of a record that are compared.
const MAX_CITATIONS: u32 = 1_000;

/// A field in dispute.
struct DisputedField<'a> {
    field: &'a str,
    /// The value of the record, as a claim would state it.
    accepted: Option<String>,
    claims: &'a [Claim],
    citations: &'a [RowRef<'a>],
    record: &'static Record,
}

/// Writes a field of a dispute.
type DisputeWriter = dyn Fn(&DisputedField<'_>, &mut JsonWriter<'_>) + Send + Sync;

enum DisputeOutput {}

impl OutputObject for DisputeOutput {
    /// Plan of the citations.
    type Plan<'q> = Plan;
    type Field = Box<DisputeWriter>;
}

static DISPUTE_TYPE: LazyLock<OutputType<DisputeOutput>> = LazyLock::new(|| {
    OutputType::<DisputeOutput>::new(
        DISPUTE,
        "A field about which sources disagree. All claims are kept; the record shows the accepted one.",
    )
    .field("field", TypeRef::named_nn(TypeRef::STRING), "Name of the field.", |_, _| Ok(Box::new(|dispute, out| out.value(dispute.field))))
    .field("accepted", TypeRef::named(TypeRef::STRING), "Value that the record shows.", |_, _| {
        Ok(Box::new(|dispute, out| out.value(&dispute.accepted)))
    })
    .field("claims", TypeRef::named_nn_list_nn(CLAIM), "Every claimed value with its citations.", |selection, plan| {
        let claim = CLAIM_TYPE.project(selection, plan)?;
        Ok(Box::new(move |dispute, out| {
            out.list(dispute.claims.iter(), |of, out| claim.write_with(out, |write, out| write(dispute, of, out)));
        }))
    })
});

/// Writes a field of a claim.
type ClaimWriter = dyn Fn(&DisputedField<'_>, &Claim, &mut JsonWriter<'_>) + Send + Sync;

enum ClaimOutput {}

impl OutputObject for ClaimOutput {
    /// Plan of the citations.
    type Plan<'q> = Plan;
    type Field = Box<ClaimWriter>;
}

static CLAIM_TYPE: LazyLock<OutputType<ClaimOutput>> = LazyLock::new(|| {
    OutputType::<ClaimOutput>::new(CLAIM, "A value of a field that one or more sources state.")
        .field("value", TypeRef::named_nn(TypeRef::STRING), "The value.", |_, _| Ok(Box::new(|_, (value, _), out| out.value(value))))
        .field("accepted", TypeRef::named_nn(TypeRef::BOOLEAN), "Whether the record shows this value.", |_, _| {
            Ok(Box::new(|dispute, (value, _), out| out.value(dispute.accepts(value))))
        })
        .field(
            "citations",
            TypeRef::named_nn_list_nn(RecordType::Citation.name()),
            "Citations of the sources that state the value.",
            |selection, plan| {
                let citation = Projection::new(std::slice::from_ref(selection), catalog().get(RecordType::Citation), plan)?;
                Ok(Box::new(move |dispute, (_, indexes), out| {
                    out.list(indexes.iter(), |index, out| citation.write(dispute.citations[*index], out));
                }))
            },
        )
});

impl DisputedField<'_> {
    fn accepts(&self, value: &str) -> bool {
        let field = self.record.field_id(self.field).map(|id| self.record.field(id));
        self.accepted.as_deref().is_some_and(|accepted| agree(field, accepted, value))
    }
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    builder.register(DISPUTE_TYPE.object()).register(CLAIM_TYPE.object())
}

pub(super) fn fields() -> Vec<ComputedField> {
    vec![ComputedField {
        applies_to: Record::is_cited,
        in_interfaces: true,
        name: NAME,
        ty: TypeRef::named_nn_list_nn(DISPUTE),
        doc: "Fields about which sources disagree, with all claims.",
        arguments: &[],
        project: |selection, record, plan| {
            let citation = catalog().get(RecordType::Citation);
            let (field, value) = (citation.known_field("field"), citation.known_field("value"));
            let mut row = Plan::new(citation.ty);
            let dispute = DISPUTE_TYPE.project(selection, &mut row)?;
            row.select_field(field);
            row.select_field(value);
            let mut list = ListPlan { page: Page::first(MAX_CITATIONS), ..ListPlan::new(row) };
            list.filter = Filter::Field(value, Predicate::IsNull(false));
            plan.select_all_fields();
            let citations = plan.add_child(ChildPlan::Many(record.known_relation("citations"), list));
            Ok(FieldProjection::Computed(Box::new(move |row, out| {
                let citations: Vec<RowRef<'_>> = row.many(citations).into_iter().flat_map(PageRows::nodes).collect();
                let stated = citations.iter().map(|citation| (citation.cell(field).as_text(), citation.cell(value).as_text()));
                let disputes = claims(&row.record().fields, stated).into_iter().filter(|(_, claims)| claims.len() > 1);
                out.list(disputes, |(field, claims), out| write(row, &field, &claims, &citations, &dispute, out));
            })))
        },
    }]
}

fn write(
    row: RowRef<'_>,
    field: &str,
    claims: &[Claim],
    citations: &[RowRef<'_>],
    projection: &ObjectProjection<Box<DisputeWriter>>,
    out: &mut JsonWriter<'_>,
) {
    let accepted = row.record().field_id(field).and_then(|id| row.cell(id).to_claim());
    let dispute = DisputedField { field, accepted, claims, citations, record: row.record() };
    projection.write_with(out, |write, out| write(&dispute, out));
}

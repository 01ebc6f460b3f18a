//! `disputes`: fields about which sources disagree, with every claim and who makes it.

use async_graphql::dynamic::{Object, SchemaBuilder, TypeRef};

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::Result;
use crate::core::filter::{Filter, Predicate};
use crate::core::pagination::Page;
use crate::entity::RecordType;
use crate::graphql::projection::computed::Computed;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::Selection;
use crate::graphql::projection::{FieldProjection, Projection};
use crate::graphql::schema::object::field;
use crate::store::curation::claims::{agree, claims};
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};
use crate::store::read::result::RowRef;

const NAME: &str = "disputes";
const DISPUTE: &str = "Dispute";
const CLAIM: &str = "Claim";
/// Citations of one record that are looked at.
const MOST: u32 = 1_000;

/// What is shown of a field in dispute.
enum Part {
    TypeName,
    Field,
    Accepted,
    Claims(Fields<ClaimPart>),
}

/// What is shown of one side of a dispute.
enum ClaimPart {
    TypeName,
    Value,
    Accepted,
    Citations(Projection),
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let dispute = Object::new(DISPUTE)
        .description("A field about which sources disagree. All claims are kept; the record shows the accepted one.")
        .field(field("field", TypeRef::named_nn(TypeRef::STRING), "Field in dispute."))
        .field(field("accepted", TypeRef::named(TypeRef::STRING), "Value that the record shows."))
        .field(field("claims", TypeRef::named_nn_list_nn(CLAIM), "Every value that is claimed, and who claims it."));
    let claim = Object::new(CLAIM)
        .description("A value that one or more sources give for a field.")
        .field(field("value", TypeRef::named_nn(TypeRef::STRING), "The value."))
        .field(field("accepted", TypeRef::named_nn(TypeRef::BOOLEAN), "Whether the record shows this value."))
        .field(field("citations", TypeRef::named_nn_list_nn(RecordType::Citation.name()), "Sources that give this value."));
    builder.register(dispute).register(claim)
}

fn citation_field(name: &str) -> usize {
    catalog().get(RecordType::Citation).field_index(name).unwrap_or_default()
}

/// What a selection shows of disputes; what it needs of citations is added to the plan of a citation.
fn parts(selection: &Selection<'_>, citation: &mut Plan) -> Result<Fields<Part>> {
    let fields = selection.below(&[DISPUTE]).into_iter().map(|below| {
        let part = match below.name() {
            "field" => Part::Field,
            "accepted" => Part::Accepted,
            "claims" => Part::Claims(claim_parts(&below, citation)?),
            _ => Part::TypeName,
        };
        Ok((below.key(), part))
    });
    fields.collect()
}

fn claim_parts(selection: &Selection<'_>, citation: &mut Plan) -> Result<Fields<ClaimPart>> {
    let fields = selection.below(&[CLAIM]).into_iter().map(|below| {
        let part = match below.name() {
            "value" => ClaimPart::Value,
            "accepted" => ClaimPart::Accepted,
            "citations" => {
                ClaimPart::Citations(Projection::new(std::slice::from_ref(&below), catalog().get(RecordType::Citation), citation)?)
            }
            _ => ClaimPart::TypeName,
        };
        Ok((below.key(), part))
    });
    fields.collect()
}

pub(super) fn computed() -> Vec<Computed> {
    vec![Computed {
        on: Record::is_cited,
        shared: true,
        name: NAME,
        ty: TypeRef::named_nn_list(DISPUTE),
        doc: "Fields about which sources disagree, each with every claim and who makes it. Disputes about a part stand on the part.",
        arguments: &[],
        show: |selection, record, to| {
            let mut row = Plan::new(RecordType::Citation);
            let parts = parts(selection, &mut row)?;
            row.select_field(citation_field("field"));
            row.select_field(citation_field("value"));
            let mut list = ListPlan { page: Page::first(MOST), ..ListPlan::new(row) };
            list.filter = Filter::Field(citation_field("value"), Predicate::IsNull(false));
            to.select_all_fields();
            let citations = to.add_child(ChildPlan::Many(record.relation_index("citations").unwrap_or_default(), list));
            Ok(FieldProjection::Computed(Box::new(move |node, out| write(node, citations, &parts, out))))
        },
    }]
}

fn write(node: RowRef<'_>, citations: usize, parts: &Fields<Part>, out: &mut JsonWriter<'_>) {
    let citations: Vec<RowRef<'_>> = node.many(citations).into_iter().flat_map(|slice| slice.nodes()).collect();
    let given = citations
        .iter()
        .map(|citation| (citation.cell(citation_field("field")).as_text(), citation.cell(citation_field("value")).as_text()));
    let fields = &node.record().fields;
    let disputes = claims(fields, given).into_iter().filter(|(_, groups)| groups.len() > 1);
    out.list(disputes, |(name, groups), out| {
        let index = node.record().field_index(&name);
        let accepted = index.and_then(|index| node.cell(index).to_claim());
        let is_accepted =
            |value: &str| accepted.as_deref().is_some_and(|accepted| agree(index.map(|index| &fields[index]), accepted, value));
        out.object(parts, |part, out| match part {
            Part::TypeName => out.value(DISPUTE),
            Part::Field => out.value(&name),
            Part::Accepted => out.value(&accepted),
            Part::Claims(parts) => out.list(groups.iter(), |(value, places), out| {
                out.object(parts, |part, out| match part {
                    ClaimPart::TypeName => out.value(CLAIM),
                    ClaimPart::Value => out.value(value),
                    ClaimPart::Accepted => out.value(is_accepted(value)),
                    ClaimPart::Citations(shape) => out.list(places.iter(), |place, out| shape.write(citations[*place], out)),
                });
            }),
        });
    });
}

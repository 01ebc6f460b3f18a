//! `disputes`: fields about which sources disagree, with every claim and who makes it.

use async_graphql::dynamic::{Field, FieldFuture, FieldValue, Object, SchemaBuilder, TypeRef};

use super::Computed;
use crate::entity::RecordType;
use crate::filter::{Filter, Test};
use crate::graphql::object::key;
use crate::graphql::selection::{Selection, hidden, plan};
use crate::page::Page;
use crate::store::dispute::{agree, claims};
use crate::store::plan::{Child, List};
use crate::store::record::{Record, catalog};
use crate::store::row::Node;

const NAME: &str = "disputes";
const DISPUTE: &str = "Dispute";
const CLAIM: &str = "Claim";
/// Citations of one record that are looked at.
const MOST: u32 = 1_000;

/// A field in dispute.
#[derive(Debug, Clone)]
struct Dispute {
    field: String,
    accepted: Option<String>,
    claims: Vec<Claim>,
}

/// One side of a dispute.
#[derive(Debug, Clone)]
struct Claim {
    value: String,
    accepted: bool,
    citations: Vec<Node>,
}

fn of_dispute(name: &'static str, ty: TypeRef, doc: &'static str, pick: fn(&Dispute) -> Option<FieldValue<'static>>) -> Field {
    Field::new(name, ty, move |ctx| FieldFuture::Value(ctx.parent_value.downcast_ref().and_then(pick))).description(doc)
}

fn of_claim(name: &'static str, ty: TypeRef, doc: &'static str, pick: fn(&Claim) -> FieldValue<'static>) -> Field {
    Field::new(name, ty, move |ctx| FieldFuture::Value(ctx.parent_value.downcast_ref().map(pick))).description(doc)
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let dispute = Object::new(DISPUTE)
        .description("A field about which sources disagree. All claims are kept; the record shows the accepted one.")
        .field(of_dispute("field", TypeRef::named_nn(TypeRef::STRING), "Field in dispute.", |dispute| {
            Some(FieldValue::value(dispute.field.as_str()))
        }))
        .field(of_dispute("accepted", TypeRef::named(TypeRef::STRING), "Value that the record shows.", |dispute| {
            dispute.accepted.clone().map(FieldValue::value)
        }))
        .field(of_dispute("claims", TypeRef::named_nn_list_nn(CLAIM), "Every value that is claimed, and who claims it.", |dispute| {
            Some(FieldValue::list(dispute.claims.iter().cloned().map(FieldValue::owned_any)))
        }));
    let claim = Object::new(CLAIM)
        .description("A value that one or more sources give for a field.")
        .field(of_claim("value", TypeRef::named_nn(TypeRef::STRING), "The value.", |claim| FieldValue::value(claim.value.as_str())))
        .field(of_claim("accepted", TypeRef::named_nn(TypeRef::BOOLEAN), "Whether the record shows this value.", |claim| {
            FieldValue::value(claim.accepted)
        }))
        .field(of_claim("citations", TypeRef::named_nn_list_nn(RecordType::Citation.name()), "Sources that give this value.", |claim| {
            FieldValue::list(claim.citations.iter().cloned().map(FieldValue::owned_any))
        }));
    builder.register(dispute).register(claim)
}

fn citation_field(name: &str) -> usize {
    catalog().get(RecordType::Citation).field_index(name).unwrap_or_default()
}

/// What is selected under a name below these selections.
fn named<'a>(selections: &[Selection<'a>], ty: &str, name: &str) -> Vec<Selection<'a>> {
    selections.iter().flat_map(|selection| selection.below(&[ty])).filter(|below| below.name() == name).collect()
}

pub(super) fn computed() -> Vec<Computed> {
    vec![Computed {
        on: Record::is_cited,
        shared: true,
        name: NAME,
        ty: TypeRef::named_nn_list(DISPUTE),
        doc: "Fields about which sources disagree, each with every claim and who makes it. Disputes about a part stand on the part.",
        arguments: &[],
        plan: |selection, record, to| {
            let citation = catalog().get(RecordType::Citation);
            let mut row = plan(&named(&named(std::slice::from_ref(selection), DISPUTE, "claims"), CLAIM, "citations"), citation)?;
            row.read(citation_field("field"));
            row.read(citation_field("value"));
            let mut list = List { page: Page::first(MOST), ..List::new(row) };
            list.filter = Filter::Field(citation_field("value"), Test::IsNull(false));
            to.read_all();
            let citations = record.relation_index("citations").unwrap_or_default();
            to.add(&hidden(NAME, selection.key()), Child::Many(citations, list));
            Ok(())
        },
        resolve: |ctx, node| {
            let Some(slice) = node.many(&hidden(NAME, key(ctx)))? else {
                return Ok(Some(FieldValue::list(Vec::<FieldValue<'static>>::new())));
            };
            let citations: Vec<Node> = slice.nodes().collect();
            let given = citations
                .iter()
                .map(|citation| (citation.cell(citation_field("field")).as_text(), citation.cell(citation_field("value")).as_text()));
            let fields = &node.record().fields;
            let disputes = claims(fields, given).into_iter().filter(|(_, groups)| groups.len() > 1).map(|(name, groups)| {
                let index = node.record().field_index(&name);
                let accepted = index.and_then(|index| node.cell(index).to_claim());
                let claims = groups
                    .into_iter()
                    .map(|(value, places)| Claim {
                        accepted: accepted.as_deref().is_some_and(|accepted| agree(index.map(|index| &fields[index]), accepted, &value)),
                        citations: places.into_iter().map(|place| citations[place].clone()).collect(),
                        value,
                    })
                    .collect();
                Dispute { field: name, accepted, claims }
            });
            Ok(Some(FieldValue::list(disputes.map(FieldValue::owned_any).collect::<Vec<_>>())))
        },
    }]
}

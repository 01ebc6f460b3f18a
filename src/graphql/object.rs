//! Object types of the records, and the interfaces that they share.

use async_graphql::Value;
use async_graphql::dynamic::{
    Field, FieldFuture, FieldValue, InputValue, Interface, InterfaceField, Object, ResolverContext, SchemaBuilder, TypeRef,
};

use super::connection::{self, connection_name};
use super::error::settle;
use super::types::{self, Computed};
use super::{scalar, selection};
use crate::entity::RecordType;
use crate::error::Result;
use crate::lang::Languages;
use crate::store::record::{Field as Declared, Kind, Record, Relation, Shape, catalog};
use crate::store::row::Node;

/// Interface of everything that has an id.
pub(super) const NODE: &str = "Node";
/// Interface of everything that can have citations.
pub(super) const CITABLE: &str = "Citable";
/// Interface of records with a life of their own.
pub(super) const RECORD: &str = "Record";

const ID_DOC: &str = "Id of the record, the same for ever. Its first part tells its type.";
const LANG_DOC: &str = "Language wanted, as a BCP 47 tag. Where it is not given or there is no such text: the Accept-Language of the request, then the record's own language.";

/// Names by which a fragment can mean records of a type.
pub(super) fn names(record: &Record) -> Vec<&'static str> {
    let mut names = vec![record.name(), NODE];
    if record.is_cited() {
        names.push(CITABLE);
    }
    if record.shape == Shape::Record {
        names.push(RECORD);
    }
    names
}

pub(super) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    let all_cited = |computed: &Computed| catalog().all().filter(|record| record.is_cited()).all(computed.on);
    let citations = catalog().get(RecordType::Citation);
    // any record will do: what all have is the same in each
    let sample = catalog().get(RecordType::Person);
    let node = Interface::new(NODE).description("Anything that has an id.").field(id_of_interface());
    let mut citable = Interface::new(CITABLE)
        .description("Anything that sources can be cited for: a record, or a part of one.")
        .field(id_of_interface())
        .field(interface_relation(sample, "citations", citations));
    let mut record = Interface::new(RECORD)
        .description("A record with a life of its own: it has a slug, sources and a history.")
        .field(id_of_interface());
    for name in ["slug", "published", "disputed", "revision", "createdAt", "updatedAt"] {
        let Some(field) = sample.field_index(name).map(|index| &sample.fields[index]) else { continue };
        let shared = || InterfaceField::new(field.name, scalar::named(field.kind, field.required)).description(field.doc);
        record = record.field(shared());
        if name == "disputed" {
            citable = citable.field(shared());
        }
    }
    for computed in types::all().iter().filter(|computed| all_cited(computed)) {
        citable = citable.field(computed_of_interface(computed));
    }
    for computed in types::all().iter().filter(|computed| computed.shared && (computed.on)(sample)) {
        record = record.field(computed_of_interface(computed));
    }
    for relation in shared_relations(sample) {
        record = record.field(interface_relation(sample, relation.name, catalog().get(relation.target)));
    }
    builder = builder.register(node).register(citable).register(record);
    catalog().all().map(object).fold(builder, SchemaBuilder::register)
}

/// Relations that every record has.
fn shared_relations(sample: &Record) -> impl Iterator<Item = &Relation> {
    sample.relations.iter().filter(|relation| {
        catalog()
            .all()
            .filter(|record| record.shape == Shape::Record)
            .all(|record| record.relation_index(relation.name).is_some_and(|index| record.relations[index].via == relation.via))
    })
}

fn id_of_interface() -> InterfaceField {
    InterfaceField::new("id", TypeRef::named_nn(TypeRef::ID)).description(ID_DOC)
}

fn computed_of_interface(computed: &Computed) -> InterfaceField {
    let field = InterfaceField::new(computed.name, computed.ty.clone()).description(computed.doc);
    computed.arguments.iter().fold(field, |field, argument| field.argument(argument.input()))
}

fn interface_relation(sample: &Record, name: &str, target: &Record) -> InterfaceField {
    let relation = sample.relation_index(name).map(|index| &sample.relations[index]);
    let doc = relation.map_or("", |relation| relation.doc);
    match relation {
        Some(relation) if relation.short => InterfaceField::new(name, TypeRef::named_nn_list(target.name())).description(doc),
        _ => connection::interface_field(name, target, doc),
    }
}

fn object(record: &'static Record) -> Object {
    let mut object = Object::new(record.name()).description(record.doc).field(
        Field::new("id", TypeRef::named_nn(TypeRef::ID), |ctx| FieldFuture::from_value(node(&ctx).map(|node| node.id().into())))
            .description(ID_DOC),
    );
    for interface in &names(record)[1..] {
        object = object.implement(*interface);
    }
    for (index, field) in record.fields.iter().enumerate() {
        object = object.field(declared(index, field));
        if matches!(field.kind, Kind::Translated) {
            object = object.field(
                Field::new(field.plural(), TypeRef::named_nn_list_nn(scalar::LOCALIZED_TEXT), move |ctx| {
                    FieldFuture::Value(node(&ctx).map(|node| scalar::translations(node.cell(index))))
                })
                .description(format!("{} In all languages there are, the record's own first.", field.doc)),
            );
        }
    }
    for relation in &record.relations {
        object = object.field(relation_field(record, relation));
    }
    for computed in types::all().iter().filter(|computed| (computed.on)(record)) {
        let field = Field::new(computed.name, computed.ty.clone(), |ctx| {
            let resolved = node(&ctx).map_or(Ok(None), |node| (computed.resolve)(&ctx, node));
            settle(&ctx, resolved)
        });
        let field = computed.arguments.iter().fold(field.description(computed.doc), |field, argument| field.argument(argument.input()));
        object = object.field(field);
    }
    object
}

fn declared(index: usize, field: &'static Declared) -> Field {
    let ty = scalar::named(field.kind, field.required);
    match field.kind {
        Kind::One(_) => Field::new(field.name, ty, |ctx| settle(&ctx, one(&ctx).map(|node| node.map(FieldValue::owned_any)))),
        Kind::Any => Field::new(field.name, ty, |ctx| settle(&ctx, one(&ctx).map(|node| node.map(typed)))),
        kind => {
            let resolver = Field::new(field.name, ty, move |ctx| {
                FieldFuture::Value(node(&ctx).and_then(|node| scalar::value(kind, node.cell(index), lang(&ctx), languages(&ctx))))
            });
            match kind {
                Kind::Translated => resolver.argument(lang_argument()),
                _ => resolver,
            }
        }
    }
    .description(field.doc)
}

fn relation_field(record: &'static Record, relation: &'static Relation) -> Field {
    let target = catalog().get(relation.target);
    if relation.short {
        return Field::new(relation.name, TypeRef::named_nn_list(target.name()), |ctx| {
            settle(&ctx, many(&ctx).map(|slice| slice.map(|slice| FieldValue::list(slice.nodes().map(FieldValue::owned_any)))))
        })
        .description(relation.doc);
    }
    let field = Field::new(relation.name, TypeRef::named(connection_name(target)), |ctx| {
        settle(&ctx, many(&ctx).map(|slice| slice.cloned().map(FieldValue::owned_any)))
    })
    .description(relation.doc);
    let field = connection::with_arguments(field, target);
    types::arguments(record, relation.name).fold(field, |field, argument| field.argument(argument.input()))
}

/// The argument that asks for a language.
pub(super) fn lang_argument() -> InputValue {
    InputValue::new("lang", TypeRef::named(scalar::LANGUAGE)).description(LANG_DOC)
}

/// The record that is being resolved.
pub(super) fn node<'c>(ctx: &'c ResolverContext<'_>) -> Option<&'c Node> {
    ctx.parent_value.downcast_ref()
}

/// A record as a value of an interface.
pub(super) fn typed(node: Node) -> FieldValue<'static> {
    let name = node.record().name();
    FieldValue::owned_any(node).with_type(name)
}

/// The language that the field asks for.
pub(super) fn lang<'c>(ctx: &'c ResolverContext<'_>) -> Option<&'c str> {
    match ctx.args.as_index_map().get("lang") {
        Some(Value::String(lang)) => Some(lang),
        _ => None,
    }
}

/// The languages that the reader prefers.
pub(super) fn languages<'c>(ctx: &ResolverContext<'c>) -> &'c Languages {
    static NONE: std::sync::LazyLock<Languages> = std::sync::LazyLock::new(Languages::default);
    ctx.ctx.data_opt().unwrap_or(&NONE)
}

/// Name that the response gives the field being resolved.
pub(super) fn key<'c>(ctx: &ResolverContext<'c>) -> &'c str {
    selection::Selection::of(ctx.ctx).key()
}

fn one(ctx: &ResolverContext<'_>) -> Result<Option<Node>> {
    node(ctx).map_or(Ok(None), |node| node.one(key(ctx)))
}

fn many<'c>(ctx: &'c ResolverContext<'_>) -> Result<Option<&'c crate::store::row::Slice>> {
    node(ctx).map_or(Ok(None), |node| node.many(key(ctx)))
}

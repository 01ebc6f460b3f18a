//! Object types of records, and the interfaces that they share.

use async_graphql::dynamic::{Field, Interface, InterfaceField, Object, SchemaBuilder, TypeRef};

use crate::catalog::catalog;
use crate::catalog::field::Field as DeclaredField;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::{Record, RecordKind};
use crate::catalog::relation::Relation;
use crate::entity::RecordType;
use crate::graphql::projection::computed;
use crate::graphql::projection::computed::field::ComputedField;
use crate::graphql::schema::builder::{
    CITABLE, NODE, RECORD, deprecate_field, deprecate_interface_field, field, lang_argument, type_names,
};
use crate::graphql::schema::connection;
use crate::graphql::schema::connection::connection_name;
use crate::graphql::schema::scalar;

const ID_DOC: &str = "Permanent id; its prefix names the type.";

pub(crate) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    let on_all_citables = |computed: &ComputedField| catalog().all().filter(|record| record.is_cited()).all(computed.applies_to);
    let citations = catalog().get(RecordType::Citation);
    // the shared fields are the same on every record type
    let sample = catalog().get(RecordType::Person);
    let node = Interface::new(NODE).description("Anything with an id.").field(interface_id());
    let mut citable = Interface::new(CITABLE)
        .description("Anything that can have citations: a record, or a part of one.")
        .field(interface_id())
        .field(interface_relation(sample, "citations", citations));
    let mut record = Interface::new(RECORD)
        .description("A record that is not part of another: it has a slug, citations and a history.")
        .field(interface_id());
    for name in ["slug", "published", "disputed", "revision", "createdAt", "updatedAt"] {
        let Some(declared) = sample.field_id(name).map(|id| sample.field(id)) else { continue };
        let shared = || {
            let field = InterfaceField::new(declared.name, scalar::output_type(declared.kind, declared.required)).description(declared.doc);
            deprecate_interface_field(field, declared)
        };
        record = record.field(shared());
        if name == "disputed" {
            citable = citable.field(shared());
        }
    }
    for computed in computed::all().iter().filter(|computed| on_all_citables(computed)) {
        citable = citable.field(interface_computed(computed));
    }
    for computed in computed::all().iter().filter(|computed| computed.in_interfaces && (computed.applies_to)(sample)) {
        record = record.field(interface_computed(computed));
    }
    for relation in shared_relations(sample) {
        record = record.field(interface_relation(sample, relation.name, catalog().get(relation.target)));
    }
    builder = builder.register(node).register(citable).register(record);
    catalog().all().map(object).fold(builder, SchemaBuilder::register)
}

/// Relations that every record type has.
fn shared_relations(sample: &Record) -> impl Iterator<Item = &Relation> {
    sample.relations.iter().filter(|relation| {
        catalog()
            .all()
            .filter(|record| record.kind == RecordKind::Record)
            .all(|record| record.relation_id(relation.name).is_some_and(|id| record.relation(id).via == relation.via))
    })
}

fn interface_id() -> InterfaceField {
    InterfaceField::new("id", TypeRef::named_nn(TypeRef::ID)).description(ID_DOC)
}

fn interface_computed(computed: &ComputedField) -> InterfaceField {
    let field = InterfaceField::new(computed.name, computed.ty.clone()).description(computed.doc);
    computed.arguments.iter().fold(field, |field, argument| field.argument(argument.input()))
}

fn interface_relation(sample: &Record, name: &str, target: &Record) -> InterfaceField {
    let relation = sample.relation_id(name).map(|id| sample.relation(id));
    let doc = relation.map_or("", |relation| relation.doc);
    match relation {
        Some(relation) if relation.short => InterfaceField::new(name, TypeRef::named_nn_list_nn(target.name())).description(doc),
        _ => connection::interface_field(name, target, doc),
    }
}

fn object(record: &'static Record) -> Object {
    let mut object = Object::new(record.name()).description(record.doc).field(field("id", TypeRef::named_nn(TypeRef::ID), ID_DOC));
    for interface in &type_names(record)[1..] {
        object = object.implement(*interface);
    }
    for declared in &record.fields {
        object = object.field(declared_field(declared));
        if matches!(declared.kind, FieldKind::Translated) {
            let doc = format!("All translations of {}, the original first.", declared.name);
            let translations = field(declared.plural(), TypeRef::named_nn_list_nn(scalar::LOCALIZED_TEXT), doc);
            object = object.field(deprecate_field(translations, declared));
        }
    }
    for relation in &record.relations {
        object = object.field(relation_field(record, relation));
    }
    for computed in computed::all().iter().filter(|computed| (computed.applies_to)(record)) {
        let field = field(computed.name, computed.ty.clone(), computed.doc);
        object = object.field(computed.arguments.iter().fold(field, |field, argument| field.argument(argument.input())));
    }
    object
}

fn declared_field(declared: &DeclaredField) -> Field {
    let field = deprecate_field(field(declared.name, scalar::output_type(declared.kind, declared.required), declared.doc), declared);
    match declared.kind {
        FieldKind::Translated => field.argument(lang_argument()),
        _ => field,
    }
}

fn relation_field(record: &'static Record, relation: &'static Relation) -> Field {
    let target = catalog().get(relation.target);
    if relation.short {
        return field(relation.name, TypeRef::named_nn_list_nn(target.name()), relation.doc);
    }
    let field = connection::with_arguments(field(relation.name, TypeRef::named_nn(connection_name(target)), relation.doc), target);
    computed::relation_arguments(record, relation.name).fold(field, |field, argument| field.argument(argument.input()))
}

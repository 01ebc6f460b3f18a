//! Object types of the records, and the interfaces that they share.

use async_graphql::dynamic::{Field, FieldFuture, InputValue, Interface, InterfaceField, Object, SchemaBuilder, TypeRef};

use crate::catalog::catalog;
use crate::catalog::field::Field as Declared;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::{Record, RecordKind};
use crate::catalog::relation::Relation;
use crate::entity::RecordType;
use crate::graphql::projection::computed;
use crate::graphql::projection::computed::Computed;
use crate::graphql::projection::connection;
use crate::graphql::projection::connection::connection_name;
use crate::graphql::schema::scalar;

/// Interface of everything that has an id.
pub(crate) const NODE: &str = "Node";
/// Interface of everything that can have citations.
pub(crate) const CITABLE: &str = "Citable";
/// Interface of records with a life of their own.
pub(crate) const RECORD: &str = "Record";

const ID_DOC: &str = "Id of the record, the same for ever. Its first part tells its type.";
const LANG_DOC: &str = "Language wanted, as a BCP 47 tag. Where it is not given or there is no such text: the Accept-Language of the request, then the record's own language.";

/// Names by which a fragment can mean records of a type.
pub(crate) fn names(record: &Record) -> Vec<&'static str> {
    let mut names = vec![record.name(), NODE];
    if record.is_cited() {
        names.push(CITABLE);
    }
    if record.shape == RecordKind::Record {
        names.push(RECORD);
    }
    names
}

pub(crate) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
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
    for computed in computed::all().iter().filter(|computed| all_cited(computed)) {
        citable = citable.field(computed_of_interface(computed));
    }
    for computed in computed::all().iter().filter(|computed| computed.shared && (computed.on)(sample)) {
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
            .filter(|record| record.shape == RecordKind::Record)
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
    let mut object = Object::new(record.name()).description(record.doc).field(field("id", TypeRef::named_nn(TypeRef::ID), ID_DOC));
    for interface in &names(record)[1..] {
        object = object.implement(*interface);
    }
    for declared in &record.fields {
        object = object.field(declared_field(declared));
        if matches!(declared.kind, FieldKind::Translated) {
            let doc = format!("{} In all languages there are, the record's own first.", declared.doc);
            object = object.field(field(declared.plural(), TypeRef::named_nn_list_nn(scalar::LOCALIZED_TEXT), doc));
        }
    }
    for relation in &record.relations {
        object = object.field(relation_field(record, relation));
    }
    for computed in computed::all().iter().filter(|computed| (computed.on)(record)) {
        let field = field(computed.name, computed.ty.clone(), computed.doc);
        object = object.field(computed.arguments.iter().fold(field, |field, argument| field.argument(argument.input())));
    }
    object
}

/// A field as the schema has it. Its values are not made here: [`crate::graphql::projection`] does that.
pub(crate) fn field(name: impl Into<String>, ty: TypeRef, doc: impl Into<String>) -> Field {
    Field::new(name, ty, |_| FieldFuture::Value(None)).description(doc)
}

fn declared_field(declared: &Declared) -> Field {
    let field = field(declared.name, scalar::named(declared.kind, declared.required), declared.doc);
    match declared.kind {
        FieldKind::Translated => field.argument(lang_argument()),
        _ => field,
    }
}

fn relation_field(record: &'static Record, relation: &'static Relation) -> Field {
    let target = catalog().get(relation.target);
    if relation.short {
        return field(relation.name, TypeRef::named_nn_list(target.name()), relation.doc);
    }
    let field = connection::with_arguments(field(relation.name, TypeRef::named(connection_name(target)), relation.doc), target);
    computed::arguments(record, relation.name).fold(field, |field, argument| field.argument(argument.input()))
}

/// The argument that says in which language a text is wanted.
pub(crate) fn lang_argument() -> InputValue {
    InputValue::new("lang", TypeRef::named(scalar::LANGUAGE)).description(LANG_DOC)
}

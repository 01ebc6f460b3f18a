//! What an answer shows of records: made from a selection together with the plan of what to read for it.

pub(crate) mod computed;
pub(crate) mod connection;
pub(crate) mod facet;
pub(crate) mod json_writer;
pub(crate) mod selection;

use crate::catalog::catalog;
use crate::catalog::field::Field;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::catalog::relation::Relation;
use crate::core::error::Result;
use crate::core::pagination::Page;
use crate::entity::RecordType;
use crate::graphql::projection::connection::ConnectionProjection;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::{Selection, below};
use crate::graphql::schema::object;
use crate::graphql::schema::scalar;
use crate::graphql::schema::scalar::{Member, TextPart};
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};
use crate::store::read::result::RowRef;

/// Name of the field that every object type has.
const TYPE_NAME: &str = "__typename";

/// Fields of a record, in the order of the query.
pub(super) struct Projection(pub(super) Fields<FieldProjection>);

/// Shapes of records of several types.
pub(super) struct ProjectionSet(Vec<(RecordType, Projection)>);

/// What a field shows.
pub(super) enum FieldProjection {
    /// Name of the type.
    TypeName,
    /// The id.
    Id,
    /// The value of a field, in a language.
    Value(usize, FieldKind, Option<String>),
    /// All translations of a field.
    Texts(usize, Fields<TextPart>),
    /// The small objects of a field.
    Structures(usize, Fields<Member>),
    /// The record that a field refers to.
    One(usize, Projection),
    /// The record of any type that a field refers to.
    Any(usize, ProjectionSet),
    /// The whole of a short list.
    Short(usize, Projection),
    /// A page of a list.
    Page(usize, ConnectionProjection),
    /// What a computed field makes of what it asked for.
    Computed(Box<Write>),
}

/// Writes what a computed field makes of a record.
type Write = dyn Fn(RowRef<'_>, &mut JsonWriter<'_>) + Send + Sync;

impl Projection {
    /// What these selections show of records of a type; what they need is added to the plan.
    pub(super) fn new(selections: &[Selection<'_>], record: &'static Record, plan: &mut Plan) -> Result<Self> {
        let fields = below(selections, &object::names(record)).into_iter();
        fields.map(|selection| Ok((selection.key(), show(&selection, record, plan)?))).collect::<Result<_>>().map(Self)
    }

    /// Writes a record.
    pub(super) fn write(&self, node: RowRef<'_>, out: &mut JsonWriter<'_>) {
        out.object(&self.0, |show, out| show.write(node, out));
    }
}

impl ProjectionSet {
    /// What a selection shows of records of these types, and what to read of each.
    pub(super) fn new(selections: &[Selection<'_>], records: impl Iterator<Item = &'static Record>) -> Result<(Vec<Plan>, Self)> {
        let (mut plans, mut shapes) = (Vec::new(), Vec::new());
        for record in records {
            let mut plan = Plan::new(record.ty);
            shapes.push((record.ty, Projection::new(selections, record, &mut plan)?));
            plans.push(plan);
        }
        Ok((plans, Self(shapes)))
    }

    /// The shape of a record of this type.
    pub(super) fn of(&self, ty: RecordType) -> Option<&Projection> {
        self.0.iter().find(|(of, _)| *of == ty).map(|(_, shape)| shape)
    }

    /// Writes a record.
    pub(super) fn write(&self, node: RowRef<'_>, out: &mut JsonWriter<'_>) {
        out.option(self.of(node.ty()), |shape, out| shape.write(node, out));
    }
}

impl FieldProjection {
    /// Writes what the field shows of a record.
    pub(super) fn write(&self, node: RowRef<'_>, out: &mut JsonWriter<'_>) {
        match self {
            Self::TypeName => out.value(node.record().name()),
            Self::Id => out.value(node.id()),
            Self::Value(field, kind, lang) => scalar::write(*kind, node.cell(*field), lang.as_deref(), out),
            Self::Texts(field, parts) => scalar::write_texts(node.cell(*field), parts, out),
            Self::Structures(field, members) => scalar::write_structures(node.cell(*field), members, out),
            Self::One(child, shape) => out.option(node.one(*child), |node, out| shape.write(node, out)),
            Self::Any(child, shapes) => out.option(node.one(*child), |node, out| shapes.write(node, out)),
            Self::Short(child, shape) => {
                out.option(node.many(*child), |slice, out| out.list(slice.nodes(), |node, out| shape.write(node, out)));
            }
            Self::Page(child, connection) => out.option(node.many(*child), |slice, out| connection.write(slice, out)),
            Self::Computed(write) => write(node, out),
        }
    }
}

fn show(selection: &Selection<'_>, record: &'static Record, plan: &mut Plan) -> Result<FieldProjection> {
    let name = selection.name();
    if name == TYPE_NAME {
        Ok(FieldProjection::TypeName)
    } else if let Some(computed) = computed::computed(record, name) {
        (computed.show)(selection, record, plan)
    } else if let Some(index) = record.field_index(name) {
        declared(selection, index, &record.fields[index], plan)
    } else if let Some(index) = record.relation_index(name) {
        relation(selection, index, record, &record.relations[index], plan)
    } else if let Some(index) = record.fields.iter().position(|field| matches!(field.kind, FieldKind::Translated) && field.plural() == name)
    {
        plan.select_field(index);
        Ok(FieldProjection::Texts(index, scalar::text_parts(selection)))
    } else {
        // what is valid and none of these is the id
        Ok(FieldProjection::Id)
    }
}

fn declared(selection: &Selection<'_>, index: usize, field: &Field, plan: &mut Plan) -> Result<FieldProjection> {
    let selections = std::slice::from_ref(selection);
    Ok(match field.kind {
        FieldKind::One(target) => {
            let mut row = Plan::new(target);
            let shape = Projection::new(selections, catalog().get(target), &mut row)?;
            FieldProjection::One(plan.add_child(ChildPlan::One(index, Box::new(row))), shape)
        }
        FieldKind::Any => {
            let (plans, shapes) = ProjectionSet::new(selections, catalog().all().filter(|record| record.is_cited()))?;
            FieldProjection::Any(plan.add_child(ChildPlan::Any(index, plans)), shapes)
        }
        FieldKind::List(structure) => {
            plan.select_field(index);
            FieldProjection::Structures(index, scalar::members(selection, structure))
        }
        kind => {
            plan.select_field(index);
            FieldProjection::Value(index, kind, selection.lang()?)
        }
    })
}

fn relation(selection: &Selection<'_>, index: usize, record: &Record, relation: &Relation, plan: &mut Plan) -> Result<FieldProjection> {
    let target = catalog().get(relation.target);
    if relation.short {
        let mut row = Plan::new(target.ty);
        let shape = Projection::new(std::slice::from_ref(selection), target, &mut row)?;
        let list = ListPlan { page: Page::first(1_000), ..ListPlan::new(row) };
        return Ok(FieldProjection::Short(plan.add_child(ChildPlan::Many(index, list)), shape));
    }
    let (list, connection) = list_of(selection, record, relation)?;
    Ok(FieldProjection::Page(plan.add_child(ChildPlan::Many(index, list)), connection))
}

/// What a selection shows of a record's list, and what to read for it.
pub(super) fn list_of(selection: &Selection<'_>, record: &Record, relation: &Relation) -> Result<(ListPlan, ConnectionProjection)> {
    let (mut list, connection) = ConnectionProjection::new(selection, catalog().get(relation.target))?;
    for argument in computed::arguments(record, relation.name) {
        if let Some(value) = selection.text(argument.name) {
            (argument.apply)(&value, &mut list)?;
        }
    }
    Ok((list, connection))
}

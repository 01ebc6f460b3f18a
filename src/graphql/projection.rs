//! Projections: the fields of records in a response. A projection is built from a selection together with the plan of the
//! rows and cells to fetch.

pub(crate) mod computed;
pub(crate) mod connection;
pub(crate) mod facet;
pub(crate) mod json_writer;
pub(crate) mod output_type;
pub(crate) mod selection;

use crate::catalog::catalog;
use crate::catalog::field::Field;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::catalog::relation::Relation;
use crate::core::error::Result;
use crate::core::ids::{ChildId, FieldId, RelationId};
use crate::core::pagination::Page;
use crate::entity::RecordType;
use crate::graphql::projection::connection::ConnectionProjection;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::output_type::{TYPE_NAME, undeclared};
use crate::graphql::projection::selection::{Selection, merged_subfields};
use crate::graphql::schema::builder;
use crate::graphql::schema::scalar;
use crate::graphql::schema::scalar::{Member, TextPart};
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};
use crate::store::read::result::RowRef;

/// Rows of a list that is not paginated.
const MAX_UNPAGED_ROWS: u32 = 1_000;

/// Selected fields of a record type, in the order of the query.
pub(super) struct Projection(pub(super) Fields<FieldProjection>);

/// A projection for each of several record types.
pub(super) struct ProjectionSet(Vec<(RecordType, Projection)>);

/// Projection of one field. Ids are those of fields of the record and of children of the plan.
pub(super) enum FieldProjection {
    /// Name of the type.
    TypeName,
    /// Global id.
    Id,
    /// Value of a field, with the requested language of a translated one.
    Value(FieldId, FieldKind, Option<String>),
    /// All translations of a field.
    Translations(FieldId, Fields<TextPart>),
    /// Structures of a field.
    Structures(FieldId, Fields<Member>),
    /// Record that a field references.
    Reference(ChildId, Projection),
    /// Record of any type that a field references.
    PolymorphicReference(ChildId, ProjectionSet),
    /// List without pages.
    List(ChildId, Projection),
    /// Page of a list.
    Connection(ChildId, ConnectionProjection),
    /// Computed field.
    Computed(Box<RowWriter>),
}

/// Writes a computed field from the row of its record.
type RowWriter = dyn Fn(RowRef<'_>, &mut JsonWriter<'_>) + Send + Sync;

impl Projection {
    /// Projects selections of a record and adds the fields and relations they need to `plan`.
    pub(super) fn new(selections: &[Selection<'_>], record: &'static Record, plan: &mut Plan) -> Result<Self> {
        let fields = merged_subfields(selections, &builder::type_names(record)).into_iter();
        fields.map(|selection| Ok((selection.json_key(), project_field(&selection, record, plan)?))).collect::<Result<_>>().map(Self)
    }

    /// Writes a record.
    pub(super) fn write(&self, row: RowRef<'_>, out: &mut JsonWriter<'_>) {
        out.object(&self.0, |field, out| field.write(row, out));
    }
}

impl ProjectionSet {
    /// Projects selections of a record that may have any of these types; returns a plan for each type.
    pub(super) fn new(selections: &[Selection<'_>], records: impl Iterator<Item = &'static Record>) -> Result<(Vec<Plan>, Self)> {
        let (mut plans, mut projections) = (Vec::new(), Vec::new());
        for record in records {
            let mut plan = Plan::new(record.ty);
            projections.push((record.ty, Projection::new(selections, record, &mut plan)?));
            plans.push(plan);
        }
        Ok((plans, Self(projections)))
    }

    /// The projection for a record type.
    pub(super) fn of(&self, ty: RecordType) -> Option<&Projection> {
        self.0.iter().find(|(of, _)| *of == ty).map(|(_, projection)| projection)
    }

    /// Writes a record.
    pub(super) fn write(&self, row: RowRef<'_>, out: &mut JsonWriter<'_>) {
        out.option(self.of(row.ty()), |projection, out| projection.write(row, out));
    }
}

impl FieldProjection {
    /// Writes the field of a record.
    pub(super) fn write(&self, row: RowRef<'_>, out: &mut JsonWriter<'_>) {
        match self {
            Self::TypeName => out.value(row.record().name()),
            Self::Id => out.value(row.id()),
            Self::Value(field, kind, lang) => scalar::write(*kind, row.cell(*field), lang.as_deref(), out),
            Self::Translations(field, parts) => scalar::write_texts(row.cell(*field), parts, out),
            Self::Structures(field, members) => scalar::write_structures(row.cell(*field), members, out),
            Self::Reference(child, projection) => out.option(row.one(*child), |row, out| projection.write(row, out)),
            Self::PolymorphicReference(child, projections) => out.option(row.one(*child), |row, out| projections.write(row, out)),
            Self::List(child, projection) => {
                out.option(row.many(*child), |rows, out| out.list(rows.nodes(), |row, out| projection.write(row, out)));
            }
            Self::Connection(child, connection) => out.option(row.many(*child), |page, out| connection.write(page, out)),
            Self::Computed(write) => write(row, out),
        }
    }
}

fn project_field(selection: &Selection<'_>, record: &'static Record, plan: &mut Plan) -> Result<FieldProjection> {
    let name = selection.name();
    if name == TYPE_NAME {
        Ok(FieldProjection::TypeName)
    } else if let Some(computed) = computed::find(record, name) {
        (computed.project)(selection, record, plan)
    } else if let Some(id) = record.field_id(name) {
        project_declared_field(selection, id, record.field(id), plan)
    } else if let Some(id) = record.relation_id(name) {
        project_relation(selection, id, record, record.relation(id), plan)
    } else if let Some(id) = translated_field(record, name) {
        plan.select_field(id);
        Ok(FieldProjection::Translations(id, scalar::text_parts(selection)))
    } else if name == "id" {
        Ok(FieldProjection::Id)
    } else {
        Err(undeclared(record.name(), name))
    }
}

/// The translated field whose translations are selected by this name.
fn translated_field(record: &Record, name: &str) -> Option<FieldId> {
    record.find_field(|field| matches!(field.kind, FieldKind::Translated) && field.plural() == name)
}

fn project_declared_field(selection: &Selection<'_>, id: FieldId, field: &Field, plan: &mut Plan) -> Result<FieldProjection> {
    let selections = std::slice::from_ref(selection);
    Ok(match field.kind {
        FieldKind::One(target) => {
            let mut row = Plan::new(target);
            let projection = Projection::new(selections, catalog().get(target), &mut row)?;
            FieldProjection::Reference(plan.add_child(ChildPlan::One(id, Box::new(row))), projection)
        }
        FieldKind::Any => {
            let (plans, projections) = ProjectionSet::new(selections, catalog().all().filter(|record| record.is_cited()))?;
            FieldProjection::PolymorphicReference(plan.add_child(ChildPlan::Any(id, plans)), projections)
        }
        FieldKind::List(structure) => {
            plan.select_field(id);
            FieldProjection::Structures(id, scalar::members(selection, structure))
        }
        kind => {
            plan.select_field(id);
            FieldProjection::Value(id, kind, selection.lang_argument()?)
        }
    })
}

fn project_relation(
    selection: &Selection<'_>,
    id: RelationId,
    record: &Record,
    relation: &Relation,
    plan: &mut Plan,
) -> Result<FieldProjection> {
    if relation.short {
        let mut row = Plan::new(relation.target);
        let projection = Projection::new(std::slice::from_ref(selection), catalog().get(relation.target), &mut row)?;
        let list = ListPlan { page: Page::first(MAX_UNPAGED_ROWS), ..ListPlan::new(row) };
        return Ok(FieldProjection::List(plan.add_child(ChildPlan::Many(id, list)), projection));
    }
    let (list, connection) = project_connection(selection, record, relation)?;
    Ok(FieldProjection::Connection(plan.add_child(ChildPlan::Many(id, list)), connection))
}

/// Projects a paginated relation of a record; returns the plan of the list.
pub(super) fn project_connection(
    selection: &Selection<'_>,
    record: &Record,
    relation: &Relation,
) -> Result<(ListPlan, ConnectionProjection)> {
    let (mut list, connection) = ConnectionProjection::new(selection, catalog().get(relation.target))?;
    for argument in computed::relation_arguments(record, relation.name) {
        if let Some(value) = selection.string_argument(argument.name()) {
            (argument.apply)(&value, &mut list)?;
        }
    }
    Ok((list, connection))
}

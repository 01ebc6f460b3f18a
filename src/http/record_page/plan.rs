//! The query plan of a record page, derived from the catalog: the record, its parts and their references, and the first
//! records of each other relation. One SQL statement reads all of it, whatever the record type.

use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::{Record, RecordKind};
use crate::catalog::relation::Relation;
use crate::core::ids::{ChildId, FieldId};
use crate::core::pagination::Page;
use crate::entity::RecordType;
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};

/// Maximum number of citations of a record or part, and of parts of a record.
const MAX_PARTS: u32 = 200;
/// Maximum number of related records in a section.
const MAX_RELATED: u32 = 25;
/// Maximum number of revisions in the history.
const MAX_REVISIONS: u32 = 5;

/// The places of the children in the plan of a record or part.
#[derive(Debug)]
pub(crate) struct ReadLayout {
    pub(crate) record: &'static Record,
    /// References: the field, its child in the plan, and the layout of the target.
    pub(super) references: Vec<(FieldId, ChildId, ReadLayout)>,
    /// References to records of any type, with a layout per type.
    pub(super) polymorphic: Vec<(FieldId, ChildId, Vec<ReadLayout>)>,
    pub(crate) citations: Option<(ChildId, Box<ReadLayout>)>,
}

/// The places of the sections in the plan of a record page.
#[derive(Debug)]
pub(crate) struct SectionLayout {
    pub(super) sections: Vec<(&'static Relation, ChildId, ReadLayout)>,
    pub(crate) history: Option<(ChildId, ReadLayout)>,
}

/// Which fields of a record or part are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// The record of the page or a part of it: all fields and the citations.
    Whole,
    /// A part of another record: all fields.
    Part,
    /// A referenced record: the slug and the label.
    Name,
    /// A source: the slug, the label, and the bibliographic fields.
    Source,
}

impl ReadLayout {
    fn new(record: &'static Record) -> Self {
        Self { record, references: Vec::new(), polymorphic: Vec::new(), citations: None }
    }

    /// Plans a record or part. `skipped` is the reference back to its parent.
    fn plan_record(record: &'static Record, depth: Depth, skipped: Option<FieldId>) -> (Plan, Self) {
        let mut plan = Plan::new(record.ty);
        let mut layout = Self::new(record);
        let names: &[&'static str] = match depth {
            Depth::Source => &["slug", "url", "archivedUrl", "publisher", "publishedOn", "language"],
            Depth::Whole | Depth::Part | Depth::Name => &["slug"],
        };
        let is_name = matches!(depth, Depth::Name | Depth::Source) && record.kind == RecordKind::Record;
        if is_name {
            names.iter().map(|name| record.known_field(name)).for_each(|id| plan.select_field(id));
            record.label_id().into_iter().for_each(|id| plan.select_field(id));
            return (plan, layout);
        }
        plan.select_all_fields();
        let owner = (depth == Depth::Name).then_some(FieldId::OWNER);
        for (id, field) in record.fields_with_ids().filter(|(id, _)| skipped.or(owner) != Some(*id)) {
            match field.kind {
                FieldKind::One(target) => {
                    let depth = if target == RecordType::Source { Depth::Source } else { Depth::Name };
                    let (row, below) = Self::plan_record(catalog().get(target), depth, None);
                    layout.references.push((id, plan.add_child(ChildPlan::One(id, Box::new(row))), below));
                }
                FieldKind::Any => {
                    let others = catalog().all().filter(|record| record.is_cited());
                    let (rows, belows) = others.map(Self::plan_any).unzip();
                    layout.polymorphic.push((id, plan.add_child(ChildPlan::Any(id, rows)), belows));
                }
                _ => {}
            }
        }
        if depth == Depth::Whole && record.is_cited() {
            let citation = catalog().get(RecordType::Citation);
            let (row, below) = Self::plan_record(citation, Depth::Part, Some(FieldId::OWNER));
            let list = ListPlan { page: Page::first(MAX_PARTS), ..ListPlan::new(row) };
            let child = plan.add_child(ChildPlan::Many(record.known_relation("citations"), list));
            layout.citations = Some((child, Box::new(below)));
        }
        (plan, layout)
    }

    /// Plans the target of a polymorphic reference; a part includes the record that it belongs to.
    fn plan_any(record: &'static Record) -> (Plan, Self) {
        if record.kind == RecordKind::Record {
            return Self::plan_record(record, Depth::Name, None);
        }
        let mut plan = Plan::new(record.ty);
        let mut layout = Self::new(record);
        if let Some(FieldKind::One(owner)) = record.owner().map(|owner| owner.kind) {
            let (row, below) = Self::plan_any(catalog().get(owner));
            layout.references.push((FieldId::OWNER, plan.add_child(ChildPlan::One(FieldId::OWNER, Box::new(row))), below));
        }
        (plan, layout)
    }

    /// Plans a revision.
    fn plan_revision(record: &'static Record) -> (Plan, Self) {
        let mut plan = Plan::new(record.ty);
        let fields = ["number", "changedAt", "kind", "message"];
        fields.into_iter().map(|name| record.known_field(name)).for_each(|id| plan.select_field(id));
        (plan, Self::new(record))
    }

    /// Plans the page of a record of this type.
    pub(super) fn plan_page(record: &'static Record) -> (Plan, Self, SectionLayout) {
        let (mut plan, layout) = Self::plan_record(record, Depth::Whole, None);
        let mut sections = SectionLayout { sections: Vec::new(), history: None };
        for (id, relation) in record.relations_with_ids() {
            let target = catalog().get(relation.target);
            let mut add = |size, (row, below): (Plan, Self)| {
                let list = ListPlan { page: Page::first(size), probe_next: true, ..ListPlan::new(row) };
                (plan.add_child(ChildPlan::Many(id, list)), below)
            };
            let is_part_of_this = target.kind != RecordKind::Record && record.parts.iter().any(|list| list.name == relation.name);
            match (relation.name, target.kind) {
                ("citations", _) => {}
                (_, RecordKind::Log) => sections.history = Some(add(MAX_REVISIONS, Self::plan_revision(target))),
                (_, RecordKind::Record) => {
                    let (child, below) = add(MAX_RELATED, Self::plan_record(target, Depth::Name, None));
                    sections.sections.push((relation, child, below));
                }
                _ if is_part_of_this => {
                    let (child, below) = add(MAX_PARTS, Self::plan_record(target, Depth::Whole, Some(FieldId::OWNER)));
                    sections.sections.push((relation, child, below));
                }
                _ => {
                    // skips the reference back to this record
                    let skipped = target.find_field(|field| {
                        field.inverse.is_some_and(|inverse| inverse.name == relation.name)
                            && matches!(field.kind, FieldKind::One(to) if to == record.ty)
                    });
                    let (child, below) = add(MAX_RELATED, Self::plan_record(target, Depth::Part, skipped));
                    sections.sections.push((relation, child, below));
                }
            }
        }
        // parts of the record come first
        sections.sections.sort_by_key(|(relation, ..)| !record.parts.iter().any(|list| list.name == relation.name));
        (plan, layout, sections)
    }

    /// Plans a link to a record.
    pub(super) fn plan_link(record: &'static Record) -> (Plan, Self) {
        Self::plan_record(record, Depth::Name, None)
    }
}

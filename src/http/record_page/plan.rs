//! What to read for the page of a record, made from the declarations: the record with its parts and what they lead to, and
//! the beginning of each list of others. One statement reads it all, whatever the type.

use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::{Record, RecordKind};
use crate::catalog::relation::Relation;
use crate::core::pagination::Page;
use crate::entity::RecordType;
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};

/// Citations of one record or part, and parts of one record, that are told at most.
const PARTS: u32 = 200;
/// Other records of one list that are told at most.
const OTHERS: u32 = 25;
/// Changes that are told at most.
const CHANGES: u32 = 5;

/// Where the plan of a record or part has what is read below it.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) record: &'static Record,
    /// References: the field, its place among what is below, and what is read of the other.
    pub(crate) ones: Vec<(usize, usize, Reading)>,
    /// References to records of any type.
    pub(crate) anys: Vec<(usize, usize, Vec<Reading>)>,
    pub(crate) citations: Option<(usize, Box<Reading>)>,
}

/// Where the plan of the record of a page has its lists.
#[derive(Debug)]
pub(crate) struct Lists {
    pub(crate) lists: Vec<(&'static Relation, usize, Reading)>,
    pub(crate) history: Option<(usize, Reading)>,
}

/// How much is read of a record or part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// The record of the page, or a part of it: all fields, and what is cited for it.
    Whole,
    /// A part of another record: all fields.
    Part,
    /// What it is called.
    Name,
    /// What it is called, and where it can be read.
    Source,
}

impl Reading {
    fn new(record: &'static Record) -> Self {
        Self { record, ones: Vec::new(), anys: Vec::new(), citations: None }
    }

    /// What to read of a record or part. `apart` is the field that leads back to where one comes from.
    fn below(record: &'static Record, depth: Depth, apart: Option<usize>) -> (Plan, Self) {
        let mut plan = Plan::new(record.ty);
        let mut reading = Self::new(record);
        let names: &[&str] = match depth {
            Depth::Source => &["slug", "url", "archivedUrl", "publisher", "publishedOn", "language"],
            _ => &["slug"],
        };
        let is_name = matches!(depth, Depth::Name | Depth::Source) && record.shape == RecordKind::Record;
        if is_name {
            names.iter().filter_map(|name| record.field_index(name)).for_each(|index| plan.select_field(index));
            record.fields.iter().enumerate().filter(|(_, field)| field.is_label).for_each(|(index, _)| plan.select_field(index));
            return (plan, reading);
        }
        plan.select_all_fields();
        let owner = (depth == Depth::Name).then_some(0);
        for (index, field) in record.fields.iter().enumerate().filter(|(index, _)| apart.or(owner) != Some(*index)) {
            match field.kind {
                FieldKind::One(target) => {
                    let depth = if target == RecordType::Source { Depth::Source } else { Depth::Name };
                    let (row, below) = Self::below(catalog().get(target), depth, None);
                    reading.ones.push((index, plan.add_child(ChildPlan::One(index, Box::new(row))), below));
                }
                FieldKind::Any => {
                    let others = catalog().all().filter(|record| record.is_cited());
                    let (rows, belows) = others.map(Self::any).unzip();
                    reading.anys.push((index, plan.add_child(ChildPlan::Any(index, rows)), belows));
                }
                _ => {}
            }
        }
        if depth == Depth::Whole && record.is_cited() {
            let citation = catalog().get(RecordType::Citation);
            let (row, below) = Self::below(citation, Depth::Part, Some(0));
            let list = ListPlan { page: Page::first(PARTS), ..ListPlan::new(row) };
            let place = plan.add_child(ChildPlan::Many(record.relation_index("citations").unwrap_or_default(), list));
            reading.citations = Some((place, Box::new(below)));
        }
        (plan, reading)
    }

    /// What to read of a record or part of any type; a part leads to the record that it belongs to.
    fn any(record: &'static Record) -> (Plan, Self) {
        if record.shape == RecordKind::Record {
            return Self::below(record, Depth::Name, None);
        }
        let mut plan = Plan::new(record.ty);
        let mut reading = Self::new(record);
        if let Some(FieldKind::One(owner)) = record.owner().map(|owner| owner.kind) {
            let (row, below) = Self::any(catalog().get(owner));
            reading.ones.push((0, plan.add_child(ChildPlan::One(0, Box::new(row))), below));
        }
        (plan, reading)
    }

    /// What to read of a change: that it was made, and why.
    fn change(record: &'static Record) -> (Plan, Self) {
        let mut plan = Plan::new(record.ty);
        let fields = ["number", "at", "kind", "message"];
        fields.into_iter().filter_map(|name| record.field_index(name)).for_each(|index| plan.select_field(index));
        (plan, Self::new(record))
    }

    /// What to read for the page of a record of a type.
    pub(crate) fn page(record: &'static Record) -> (Plan, Self, Lists) {
        let (mut plan, reading) = Self::below(record, Depth::Whole, None);
        let mut lists = Lists { lists: Vec::new(), history: None };
        for (index, relation) in record.relations.iter().enumerate() {
            let target = catalog().get(relation.target);
            let mut add = |size, (row, below): (Plan, Self)| {
                let list = ListPlan { page: Page::first(size), probe_next: true, ..ListPlan::new(row) };
                (plan.add_child(ChildPlan::Many(index, list)), below)
            };
            let is_part_of_this = target.shape != RecordKind::Record && record.parts.iter().any(|list| list.name == relation.name);
            match (relation.name, target.shape) {
                ("citations", _) => {}
                (_, RecordKind::Log) => lists.history = Some(add(CHANGES, Self::change(target))),
                (_, RecordKind::Record) => {
                    let (place, below) = add(OTHERS, Self::below(target, Depth::Name, None));
                    lists.lists.push((relation, place, below));
                }
                _ if is_part_of_this => {
                    let (place, below) = add(PARTS, Self::below(target, Depth::Whole, Some(0)));
                    lists.lists.push((relation, place, below));
                }
                _ => {
                    // what leads here need not say so again
                    let apart = target.fields.iter().position(|field| {
                        field.inverse.is_some_and(|inverse| inverse.name == relation.name)
                            && matches!(field.kind, FieldKind::One(to) if to == record.ty)
                    });
                    let (place, below) = add(OTHERS, Self::below(target, Depth::Part, apart));
                    lists.lists.push((relation, place, below));
                }
            }
        }
        // parts of the record itself come first
        lists.lists.sort_by_key(|(relation, ..)| !record.parts.iter().any(|list| list.name == relation.name));
        (plan, reading, lists)
    }

    /// What to read of a record to know where its page is.
    pub(crate) fn name(record: &'static Record) -> (Plan, Self) {
        Self::below(record, Depth::Name, None)
    }
}

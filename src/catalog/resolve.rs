//! Resolves references between the declared records: relations in the opposite direction, lists of parts and dimensions.
//!
//! Declarations are code, so a name that does not resolve is a programming error and panics at the first use of the catalog.

use strum::VariantArray;

use crate::catalog::dimension::{Dimension, DimensionPath, DimensionSource, ExtraDimension};
use crate::catalog::field::{Field, Inverse, RECORD_TYPE};
use crate::catalog::kind::{Choice, FieldKind, Vocabulary};
use crate::catalog::measure::{CountTarget, Interval, Measure};
use crate::catalog::period::PeriodUnit;
use crate::catalog::record::{Record, RecordKind, Totals};
use crate::catalog::relation::{PartList, Relation, RelationJoin};
use crate::core::ids::FieldId;
use crate::entity::RecordType;

/// The declared records in the order of [`RecordType::ALL`], with everything that depends on other records.
///
/// # Panics
/// If a type is not declared, or declared twice, or if a declared name does not resolve.
pub(super) fn resolve(declared: Vec<Record>) -> Vec<Record> {
    let mut records = in_order(declared);
    let vocabulary = record_type_vocabulary(&records);
    for field in records.iter_mut().flat_map(|record| &mut record.fields).filter(|field| field.name == RECORD_TYPE) {
        field.kind = FieldKind::Choice(vocabulary);
    }
    for source in 0..records.len() {
        for index in 0..records[source].fields.len() {
            let id = FieldId::new(index);
            let field = records[source].field(id).clone();
            if let Some(inverse) = field.inverse {
                add_inverse(&mut records, source, id, &field, inverse);
            }
        }
    }
    let dimensions: Vec<Vec<Dimension>> = records.iter().map(|record| dimensions(&records, record)).collect();
    for (record, dimensions) in records.iter_mut().zip(dimensions) {
        record.dimensions = dimensions;
    }
    for record in &records {
        record.key_from.iter().chain(record.distinct).for_each(|name| _ = record.known_field(name));
        if let RecordKind::Part { .. } = record.kind {
            let says_one = record.distinct.is_empty() == record.alike_because.is_some();
            assert!(says_one, "{} must say either what is distinct in its parts, or why they may be alike", record.name());
        }
        if let Some(Totals { field, parts, by, .. }) = record.totals {
            record.known_field(field);
            records[record.relation(record.known_relation(parts)).target as usize].known_field(by);
        }
        check_statistics(&records, record);
    }
    records
}

/// Checks the names that statistics are computed from, which are first used by a request.
///
/// # Panics
/// If the statistics of a record name a list or a field that is not declared, or if the record has no date.
fn check_statistics(records: &[Record], record: &Record) {
    let Some(statistics) = &record.statistics else { return };
    assert!(!record.date_fields().is_empty(), "{} has statistics but no date", record.name());
    let list = |name| &records[record.relation(record.known_relation(name)).target as usize];
    for name in statistics.filterable_lists {
        list(name);
    }
    for (name, field) in statistics.join_keys {
        field.map(|field| list(name).known_field(field));
    }
    for measure in &statistics.measures {
        match measure.aggregate {
            Measure::Count(CountTarget::Record) => {}
            Measure::Count(CountTarget::Part(name)) => _ = list(name),
            Measure::Count(CountTarget::PartReference(name, field)) => _ = list(name).known_field(field),
            Measure::Count(CountTarget::Reference(field)) => _ = record.known_field(field),
            Measure::Median(interval) | Measure::Mean(interval) | Measure::SampleSize(interval) => match interval {
                Interval::Duration(name, field) => {
                    let parts = list(name);
                    let is_duration = parts.field(parts.known_field(field)).minutes_column().is_some();
                    assert!(is_duration, "{}.{field} is not a duration", parts.name());
                }
                Interval::Days(from, to) => _ = [from, to].map(|field| record.known_field(field)),
                Interval::DaysUntilPart { from, list: name, date, field, .. } => {
                    record.known_field(from);
                    _ = [date, field].map(|field| list(name).known_field(field));
                }
            },
        }
        for condition in &measure.conditions {
            condition.list.map_or(record, list).known_field(condition.field);
        }
    }
}

fn in_order(declared: Vec<Record>) -> Vec<Record> {
    let mut slots: Vec<Option<Record>> = RecordType::ALL.iter().map(|_| None).collect();
    for record in declared {
        let slot = &mut slots[record.ty as usize];
        assert!(slot.is_none(), "{} is declared twice", record.name());
        *slot = Some(record.with_common_fields());
    }
    let declaration = |(slot, ty): (Option<Record>, &RecordType)| slot.unwrap_or_else(|| panic!("{} is not declared", ty.name()));
    slots.into_iter().zip(RecordType::ALL).map(declaration).collect()
}

/// The types of independent records. The vocabulary lives as long as the process, so it is leaked.
fn record_type_vocabulary(records: &[Record]) -> &'static Vocabulary {
    let records = records.iter().filter(|record| record.kind == RecordKind::Record);
    let choices: Vec<Choice> = records.map(|record| Choice::new(record.ty.prefix(), record.doc)).collect();
    Box::leak(Box::new(Vocabulary { name: "RecordType", doc: "A type of record.", choices: choices.leak() }))
}

/// Adds the inverse list of a reference to every type that it can reference.
fn add_inverse(records: &mut [Record], source: usize, id: FieldId, field: &Field, inverse: Inverse) {
    let referring = &records[source];
    let (target, via) = match inverse.through {
        None => (referring.ty, RelationJoin::ForeignKey(field.column)),
        Some(name) => {
            let far = referring.field_id(name).map(|id| referring.field(id));
            let Some(Field { kind: FieldKind::One(target), column, .. }) = far else {
                panic!("{}.{name} is not a reference, so no list can go through it", referring.name())
            };
            (*target, RelationJoin::LinkTable { table: referring.table, parent: field.column, child: column })
        }
    };
    let relation = Relation { name: inverse.name, doc: inverse.doc, target, short: inverse.short, via };
    let is_owner = id == FieldId::OWNER && matches!(referring.kind, RecordKind::Part { .. });
    let parts = is_owner.then_some(PartList { name: inverse.name, part: referring.ty });
    let is_citation = referring.ty == RecordType::Citation;
    for record in records {
        let is_referenced = match field.kind {
            FieldKind::One(target) => target == record.ty,
            FieldKind::Any if is_citation => record.is_cited(),
            _ => record.kind == RecordKind::Record,
        };
        if is_referenced {
            record.relations.push(relation.clone());
            record.parts.extend(parts.clone());
        }
    }
}

/// The dimensions of a record: periods of its dates, its choices and references, its topics, and those it declares.
fn dimensions(records: &[Record], record: &Record) -> Vec<Dimension> {
    let mut dimensions = Vec::new();
    if !record.date_fields().is_empty() {
        dimensions.extend(PeriodUnit::VARIANTS.iter().map(|&unit| Dimension {
            name: unit.name(),
            doc: unit.doc(),
            source: DimensionSource::Period(unit),
        }));
    }
    for (id, field) in record.fields_with_ids() {
        if is_groupable(records, field.kind) {
            let path = DimensionPath { relation: None, fields: vec![id], kind: field.kind };
            dimensions.push(Dimension { name: field.name, doc: field.doc, source: DimensionSource::Path(path) });
        }
    }
    if let Some(id) = record.relation_id("topics") {
        let relation = record.relation(id);
        let path = DimensionPath { relation: Some(id), fields: Vec::new(), kind: FieldKind::One(relation.target) };
        dimensions.push(Dimension {
            name: "topic",
            doc: "Topic; a record with several counts for each.",
            source: DimensionSource::Path(path),
        });
    }
    dimensions.extend(record.extra_dimensions.iter().map(|extra| Dimension {
        name: extra.name,
        doc: extra.doc,
        source: DimensionSource::Path(resolve_path(records, record, extra)),
    }));
    dimensions
}

/// Whether records can be grouped by values of this kind: a choice, or a record that has a label.
fn is_groupable(records: &[Record], kind: FieldKind) -> bool {
    match kind {
        FieldKind::Choice(_) => true,
        FieldKind::One(target) => records.iter().any(|record| record.ty == target && record.kind == RecordKind::Record),
        _ => false,
    }
}

fn resolve_path(records: &[Record], record: &Record, extra: &ExtraDimension) -> DimensionPath {
    let invalid = |message: String| -> ! { panic!("dimension {} of {}: {message}", extra.name, record.name()) };
    let record_of = |ty: RecordType| records.iter().find(|record| record.ty == ty);
    let mut names = extra.path.iter();
    let relation = extra.path.first().and_then(|name| record.relation_id(name));
    let mut current = Some(record);
    if let Some(id) = relation {
        names.next();
        current = record_of(record.relation(id).target);
    }
    let mut path = DimensionPath { relation, fields: Vec::new(), kind: FieldKind::Any };
    for name in names {
        let field = current.and_then(|record| record.field_id(name).map(|id| (id, record.field(id).kind)));
        let Some((id, kind)) = field else { invalid(format!("there is no field {name}")) };
        path.fields.push(id);
        path.kind = kind;
        current = match kind {
            FieldKind::One(target) => record_of(target),
            _ => None,
        };
    }
    if !is_groupable(records, path.kind) {
        invalid("the path does not end at a choice or a record".to_owned())
    }
    path
}

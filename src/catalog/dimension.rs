//! What records can be divided by: periods of a date, vocabularies, and records that they refer to.

use crate::catalog::period::PeriodUnit;
use crate::catalog::record::{FieldKind, Record, RecordKind};
use crate::entity::RecordType;

/// Something that records can be divided by.
#[derive(Debug)]
pub struct Dimension {
    /// Name in the schema.
    pub name: &'static str,
    /// What it says, for a reader of the schema.
    pub doc: &'static str,
    /// Where its values come from.
    pub of: DimensionSource,
}

/// Where the values of a dimension come from.
#[derive(Debug)]
pub enum DimensionSource {
    /// A date of the record, which is chosen when it is asked.
    Period(PeriodUnit),
    /// What lies at the end of a path.
    Path(DimensionPath),
}

/// The way from a record to a value.
#[derive(Debug)]
pub struct DimensionPath {
    /// The list through which it goes first, where it goes through one: then a record can have several values.
    pub relation: Option<usize>,
    /// Fields to follow, one after the other.
    pub fields: Vec<usize>,
    /// What lies at its end: a value of a vocabulary, or a record.
    pub kind: FieldKind,
}

/// A dimension as a record declares it, besides those that it has by itself.
#[derive(Debug)]
pub struct ExtraDimension {
    pub(crate) name: &'static str,
    pub(crate) path: &'static [&'static str],
    pub(crate) doc: &'static str,
}

impl Dimension {
    /// The type of the records that it divides by, where it does.
    pub fn target(&self) -> Option<RecordType> {
        match self.of {
            DimensionSource::Path(DimensionPath { kind: FieldKind::One(target), .. }) => Some(target),
            _ => None,
        }
    }
}

/// Places of the dates of a record among its fields, the one that its lists run by first.
pub fn dates(record: &Record) -> Vec<usize> {
    let is_date = |index: &usize| matches!(record.fields[*index].kind, FieldKind::Date);
    let (ordered, _) = record.default_order;
    let others = (0..record.fields.len()).filter(|index| *index != ordered);
    std::iter::once(ordered).chain(others).filter(is_date).collect()
}

/// The dimensions of a record: periods of its dates, its own vocabularies and references, topics, and those it declares.
pub(crate) fn resolve(records: &[Record], record: &Record, further: &[ExtraDimension]) -> Vec<Dimension> {
    let mut dimensions = Vec::new();
    if !dates(record).is_empty() {
        let periods = [PeriodUnit::Year, PeriodUnit::Quarter, PeriodUnit::Month];
        dimensions.extend(periods.map(|unit| Dimension { name: unit.name(), doc: unit.doc(), of: DimensionSource::Period(unit) }));
    }
    for (index, field) in record.fields.iter().enumerate() {
        if is_divided_by(records, field.kind) {
            let path = DimensionPath { relation: None, fields: vec![index], kind: field.kind };
            dimensions.push(Dimension { name: field.name, doc: field.doc, of: DimensionSource::Path(path) });
        }
    }
    if let Some(index) = record.relation_index("topics") {
        let relation = &record.relations[index];
        let path = DimensionPath { relation: Some(index), fields: Vec::new(), kind: FieldKind::One(relation.target) };
        dimensions.push(Dimension {
            name: "topic",
            doc: "Topic that the record is tagged with; a record with several is in the group of each.",
            of: DimensionSource::Path(path),
        });
    }
    dimensions.extend(further.iter().map(|further| Dimension {
        name: further.name,
        doc: further.doc,
        of: DimensionSource::Path(follow(records, record, further)),
    }));
    dimensions
}

/// Whether groups of equal values say something: a choice, or a record that is called something.
fn is_divided_by(records: &[Record], kind: FieldKind) -> bool {
    match kind {
        FieldKind::Choice(_) => true,
        FieldKind::One(target) => records.iter().any(|record| record.ty == target && record.shape == RecordKind::Record),
        _ => false,
    }
}

fn follow(records: &[Record], record: &Record, further: &ExtraDimension) -> DimensionPath {
    let wrong = |name: &str| -> ! { panic!("{} cannot be divided by {}: there is no {name} to follow", record.name(), further.name) };
    let of = |ty: RecordType| records.iter().find(|record| record.ty == ty);
    let mut names = further.path.iter();
    let relation = further.path.first().and_then(|name| record.relation_index(name));
    let mut at = Some(record);
    if let Some(index) = relation {
        names.next();
        at = of(record.relations[index].target);
    }
    let mut path = DimensionPath { relation, fields: Vec::new(), kind: FieldKind::Any };
    for name in names {
        let found = at.and_then(|at| at.field_index(name).map(|index| (index, at.fields[index].kind)));
        let Some((index, kind)) = found else { wrong(name) };
        path.fields.push(index);
        path.kind = kind;
        at = match kind {
            FieldKind::One(target) => of(target),
            _ => None,
        };
    }
    if !is_divided_by(records, path.kind) {
        wrong("vocabulary or record")
    }
    path
}

//! The catalog: every record type, declared once. Schema, SQL, imports and exports are derived from it.

pub mod dimension;
pub mod field;
pub mod kind;
pub mod measure;
pub mod period;
pub mod record;
mod records;
pub mod relation;
mod resolve;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::catalog::kind::FieldKind;
use crate::catalog::record::{Record, RecordKind};
use crate::entity::RecordType;

/// All record types, with their relations in both directions.
#[derive(Debug)]
pub struct Catalog {
    /// In the order of [`RecordType::ALL`].
    records: Vec<Record>,
    by_plural: HashMap<&'static str, RecordType>,
}

impl Catalog {
    fn new(declared: Vec<Record>) -> Self {
        let records = resolve::resolve(declared);
        let roots = records.iter().filter(|record| record.kind == RecordKind::Record);
        let by_plural = roots.map(|record| (record.plural, record.ty)).collect();
        Self { records, by_plural }
    }

    /// The declaration of a type.
    pub fn get(&self, ty: RecordType) -> &Record {
        &self.records[ty as usize]
    }

    /// All types, in the order of [`RecordType::ALL`].
    pub fn all(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    /// The independent record type whose list has this name.
    pub fn by_plural(&self, plural: &str) -> Option<&Record> {
        self.by_plural.get(plural).map(|ty| self.get(*ty))
    }

    /// All types in an order in which each follows the types that it references: independent records first, then parts.
    ///
    /// # Panics
    /// If types reference each other in a cycle. A type may reference itself.
    pub fn write_order(&self) -> Vec<RecordType> {
        let mut order: Vec<RecordType> = Vec::new();
        while order.len() < self.records.len() {
            let before = order.len();
            for record in &self.records {
                let is_ready = record.fields.iter().all(|field| match field.kind {
                    FieldKind::One(target) => target == record.ty || order.contains(&target),
                    _ => true,
                });
                let is_due = record.kind == RecordKind::Record
                    || self.records.iter().all(|other| other.kind != RecordKind::Record || order.contains(&other.ty));
                if is_ready && is_due && !order.contains(&record.ty) {
                    order.push(record.ty);
                }
            }
            assert!(order.len() > before, "record types reference each other in a cycle");
        }
        order
    }
}

/// The catalog, built on first use.
pub fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::new(records::declared()));
    &CATALOG
}

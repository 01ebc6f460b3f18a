//! Approximate sizes of the tables, by which the cost of queries is estimated.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::catalog::catalog;
use crate::catalog::record::RecordKind;
use crate::entity::RecordType;

/// Approximate number of rows of the table of each record type, as of their latest refresh.
#[derive(Debug, Clone, Default)]
pub struct TableSizes(Arc<RwLock<HashMap<RecordType, u64>>>);

impl TableSizes {
    /// The number of rows of a type; 0 while it is not known.
    pub fn of(&self, ty: RecordType) -> u64 {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&ty).copied().unwrap_or(0)
    }

    /// The number of records of all types, as far as it is known.
    pub fn of_records(&self) -> u64 {
        let records = catalog().all().filter(|record| record.kind == RecordKind::Record);
        records.map(|record| self.of(record.ty)).fold(0, u64::saturating_add)
    }

    /// Replaces all sizes.
    pub(crate) fn set(&self, sizes: HashMap<RecordType, u64>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = sizes;
    }
}

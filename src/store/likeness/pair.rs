//! Pairs of records that may be the same.

use uuid::Uuid;

use crate::entity::RecordType;
use crate::store::likeness::score::Likeness;

/// Two records that may be the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicatePair {
    /// Type of both.
    pub ty: RecordType,
    /// The older record.
    pub first: Uuid,
    /// The newer record.
    pub second: Uuid,
    /// How alike they are.
    pub likeness: Likeness,
}

/// All pairs of records that may be the same.
#[derive(Debug, Clone, Default)]
pub struct DuplicatePairs {
    /// The pairs, the most alike first.
    pub pairs: Vec<DuplicatePair>,
    /// Whether all pairs with like names were compared.
    pub is_complete: bool,
}

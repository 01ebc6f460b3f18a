//! Reads: plans, their execution, scans, and results.

pub mod decode;
pub mod dump;
pub mod executor;
pub mod membership_lookup;
mod part_lookup;
pub mod plan;
pub mod provision_lookup;
pub mod record_counts;
pub mod redaction;
pub mod result;
pub mod scan;
pub(crate) mod semi_joins;
pub mod slug_lookup;
pub mod table_sizes;

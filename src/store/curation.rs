//! Curation: patches, merges, deletions, withheld persons, disputes, visibility and freshness.

mod cited_source;
pub mod claims;
pub mod delete;
pub mod disputes;
pub mod freshness;
pub mod merge;
pub mod patch;
pub(crate) mod referrers;
pub mod visibility;
pub mod withholding;

//! Curation: patches, merges, deletions, withheld persons, disputes, visibility and freshness.

pub mod claims;
pub mod delete;
pub(crate) mod digest_key;
pub mod disputes;
pub mod freshness;
pub mod merge;
pub(crate) mod name_parts;
pub(crate) mod name_recognition;
pub(crate) mod name_redaction;
pub(crate) mod name_words;
pub mod patch;
pub(crate) mod referrers;
pub(crate) mod screening;
pub mod text_columns;
pub mod text_scan;
pub mod visibility;
pub(crate) mod withheld_digest;
pub mod withhold;

//! Likeness: how probable it is that two records, or a record and a description, are the same person or organization.
//!
//! Names are compared by their sound, birth dates, identifiers and jurisdictions as values ([`score`]). Records with like
//! names are found by keys that the database indexes ([`keys`]), so that no search compares every record with every other.
//! Nothing is merged by likeness.

pub mod keys;
pub mod matching;
pub mod name;
pub mod pair;
pub mod pairs;
pub mod score;
pub mod stored;
pub mod warning;

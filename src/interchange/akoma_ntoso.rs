//! Imports acts in Akoma Ntoso XML (versions 2.0 and 3.0) as laws with their provisions.
//!
//! A file is one expression of a work: its text as of a date, in a language. The expressions of a work become one law: the
//! texts of its provisions at different dates are versions, and those in different languages translations. As these are in
//! several files, an import has three steps: collect the acts of all files, look up the laws that the database has for them,
//! and convert each work to records.

mod act;
mod body;
mod bounds;
mod convert;
mod encoding;
mod language;
mod lookup;
mod merge;
mod metadata;
mod slugs;
mod text;
mod tree;
mod versions;
mod vocabulary;
mod xml;

pub use act::ActSet;
pub use convert::ConvertedLaws;
pub use encoding::declared_encoding;
pub use lookup::{KnownLaws, jurisdictions_of};

//! Withholding a person: what identifies the person is removed from every text, and is recognized in later writes.

pub(crate) mod digest_key;
mod former_slugs;
pub(crate) mod name_parts;
pub(crate) mod name_recognition;
pub(crate) mod name_redaction;
pub(crate) mod name_words;
pub(crate) mod screening;
pub mod text_columns;
pub mod text_scan;
pub(crate) mod withheld_digest;
pub mod withhold;

//! What an import does beyond a write: it keeps what editors wrote, remembers the records of its set, and warns.

pub mod carried;
mod closings;
pub(crate) mod edits;
pub(super) mod import_run;
pub(super) mod import_set;
mod members;
pub(super) mod name_change;
pub(super) mod shared_urls;
pub mod stream;

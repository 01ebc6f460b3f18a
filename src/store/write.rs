//! Writing records. A write is validated as a whole and then written as a whole: the rows, their revisions and their
//! search documents commit together or not at all. Unchanged records are not written.
//!
//! Writes are serialized across all processes: SQLite has a single writer, and on PostgreSQL each write takes an advisory
//! lock first. Writes therefore never deadlock, and the order of revisions is the order of commits.

mod cells;
mod citation_cycles;
pub(crate) mod diff;
mod given_parts;
mod hierarchy;
pub(crate) mod identifiers;
pub mod import;
pub(crate) mod load;
pub(crate) mod membership_agreement;
mod merged_identifiers;
mod merged_names;
pub(crate) mod model;
pub(crate) mod part;
pub mod part_change;
mod requested_names;
pub(crate) mod resolve;
mod screened;
pub(crate) mod session;
mod slug;
mod stored_state;
mod totals;
pub(crate) mod types;
pub(crate) mod validate;
pub(crate) mod value;
mod withheld_drafts;
mod withheld_memberships;
mod withheld_parts;
mod withheld_slugs;
pub(crate) mod writer;

pub use crate::store::draft::Drafts;
pub use crate::store::write::import::import_run::{ImportRun, RUN_HAS_ENDED};
pub use crate::store::write::import::import_set::{PruneMode, PruneOutcome, PrunedRecord};
pub use crate::store::write::types::{
    ActionCounts, Author, MAX_LISTED_UPDATES, REDACTED_WARNING, RecordUpdate, TransactionEnd, WriteAction, WriteError, WriteSummary,
    WrittenRecord,
};

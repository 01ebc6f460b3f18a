//! History: revisions, earlier states, reverts and redirects.

pub mod redirects;
pub mod revert;
pub(crate) mod revisions;
pub(crate) mod state;

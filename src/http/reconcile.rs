//! `/reconcile`: the reconciliation API 0.2 of the W3C community group, by which OpenRefine and other tools turn a column of
//! names into ids.
//!
//! <https://www.w3.org/community/reports/reconciliation/CG-FINAL-specs-0.2-20230410/>

mod extend;
pub(super) mod handler;
mod manifest;
mod operation;
mod parameters;
mod query;
mod suggest;

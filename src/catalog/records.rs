//! Declarations of the record types, one file per independent type and its parts.

mod case;
mod citation;
mod jurisdiction;
mod law;
mod membership;
mod organization;
mod person;
mod proposal;
mod provision;
mod source;
mod statement;
mod statistic;
mod topic;
mod vote_event;

use crate::catalog::record::Record;

/// All declared record types.
pub(super) fn declared() -> Vec<Record> {
    [
        jurisdiction::records(),
        organization::records(),
        person::records(),
        membership::records(),
        law::records(),
        provision::records(),
        proposal::records(),
        vote_event::records(),
        case::records(),
        statement::records(),
        statistic::records(),
        topic::records(),
        source::records(),
        citation::records(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

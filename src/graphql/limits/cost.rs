//! Cost of an operation: what it may read and return, counted before anything runs.
//!
//! The same cost is checked against the limits of one request, charged to the rate limit of the client, and reported in
//! `extensions.cost`. [`super::estimate`] counts it from a selection, [`super::plan_cost`] from a read plan.

use std::time::Duration;

use serde::Serialize;

use crate::graphql::error::GraphqlError;
use crate::graphql::limits::bounds::{Limits, ensure_at_most};
use crate::graphql::projection::selection::Selection;

/// Assumed length of a list that is not paginated.
pub(super) const UNPAGED_LIST_LENGTH: u64 = 10;
/// Records that one point pays for.
const NODES_PER_POINT: u64 = 100;
/// Values that one point pays for.
const VALUES_PER_POINT: u64 = 1_000;
/// Conditions and values of filters that one point pays for.
const FILTER_VALUES_PER_POINT: u64 = 50;
/// Scanned records that one point pays for.
const SCANNED_PER_POINT: u64 = 50_000;
/// Values from which on a response is written outside of the asynchronous tasks: writing them takes milliseconds.
pub(crate) const LARGE_RESPONSE_VALUES: u64 = 20_000;
/// Time in which any response can be written, however short the time limit of statements.
pub(crate) const MIN_WRITING_TIME: Duration = Duration::from_secs(1);
/// Records to return or to scan from which on a statement may take long.
const LONG_READ_NODES: u64 = 10_000;
const LONG_READ_SCANNED: u64 = 100_000;
/// Rows of a table that one point pays for. A table reads its rows in order and holds few of them, so a row costs less than
/// a record of a response.
const TABLE_ROWS_PER_POINT: u64 = 1_000;

/// What an operation may read and return at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// Records of the response, by the page sizes multiplied through the levels. A total, a facet and statistics count as
    /// several records.
    pub nodes: u64,
    /// Scalar values of the response.
    pub values: u64,
    /// Conditions of filters and their values, once for each statement that evaluates them.
    pub filter_values: u64,
    /// Reads of whole lists: for totals, facets, statistics, filters, searches and histories.
    pub scans: u64,
    /// Records in the lists that are read as a whole, as far as their number is known.
    #[serde(skip)]
    pub scanned: u64,
    /// Conditions that these records are compared with, as far as their number is known.
    #[serde(skip)]
    pub comparisons: u64,
}

impl Cost {
    /// Price in points of a rate limit, besides the point for the request itself.
    pub fn points(&self) -> u64 {
        let response = (self.nodes / NODES_PER_POINT).max(self.values / VALUES_PER_POINT);
        let conditions = self.filter_values / FILTER_VALUES_PER_POINT;
        response.saturating_add(conditions).saturating_add(self.scanned / SCANNED_PER_POINT)
    }

    /// Whether statements of the operation may take long.
    pub(crate) fn is_long(&self) -> bool {
        self.nodes >= LONG_READ_NODES || self.scanned >= LONG_READ_SCANNED
    }

    /// Price of starting a subscription with this cost of a page of events: the events are paid for as they are read.
    pub(crate) fn without_response(self) -> Self {
        Self { nodes: 0, values: 0, ..self }
    }
}

/// Price in points of rows of a table.
pub fn table_points(rows: u64) -> u64 {
    rows.div_ceil(TABLE_ROWS_PER_POINT)
}

/// Rejects an operation that could cost too much.
pub(crate) fn check(limits: &Limits, cost: &Cost) -> Result<(), GraphqlError> {
    let Cost { nodes, values, filter_values, scans, comparisons, scanned: _ } = *cost;
    ensure_at_most(
        "nodes",
        limits.nodes,
        nodes,
        &format!("the response could contain {nodes} records, by the requested page sizes multiplied through the levels"),
        "request smaller pages (first), or deeper levels in a separate request; /table.csv returns lists of any length",
    )?;
    ensure_at_most(
        "response_values",
        limits.response_values,
        values,
        &format!("the response could contain {values} values, the selected fields and aliases of every record"),
        "request fewer fields, or smaller pages (first); /table.csv returns lists of any length",
    )?;
    ensure_at_most(
        "filter_values",
        limits.filter_values,
        filter_values,
        &format!("the filters have {filter_values} conditions and values, counted for each list, total, facet and statistic"),
        "give fewer values of in, or send them in several requests",
    )?;
    ensure_at_most(
        "scans",
        limits.scans,
        scans,
        &format!("the query reads {scans} whole lists, for totals, facets, statistics, filters, searches or histories"),
        "request fewer of them, or split the query into several requests",
    )?;
    ensure_at_most(
        "comparisons",
        limits.comparisons,
        comparisons,
        &format!("the query compares records with conditions {comparisons} times, in filtered lists, totals, facets and statistics"),
        "give fewer conditions, or fewer lists, totals and facets in one request",
    )
}

/// Rejects a response that is larger than allowed. It is not written to its end, so its full size is not known.
pub(crate) fn check_response(limits: &Limits, bytes: usize, is_exhausted: bool) -> Result<(), GraphqlError> {
    let bytes = if is_exhausted { bytes.max(limits.response_bytes.saturating_add(1)) } else { bytes };
    ensure_at_most(
        "response_bytes",
        limits.response_bytes as u64,
        bytes as u64,
        &format!("the response has at least {bytes} bytes"),
        "request fewer fields or smaller pages (first); /table.csv returns lists of any length",
    )
}

/// The error of a mutation whose payload is larger than allowed.
pub(crate) fn check_payload(limits: &Limits, mutation: &Selection<'_>) -> Result<(), GraphqlError> {
    let max = limits.response_bytes as u64;
    let finding = format!("{} was executed, but the payload has more bytes than a response may have", mutation.name());
    let rejected = ensure_at_most("response_bytes", max, max.saturating_add(1), &finding, "query the records instead of sending it again");
    rejected.map_err(|error| GraphqlError { path: vec![mutation.response_key().into()], ..error.at(mutation.position()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn price_follows_the_larger_of_records_and_values() {
        assert_eq!(Cost::default().points(), 0);
        assert_eq!(Cost { nodes: 550, values: 1_100, ..Cost::default() }.points(), 5);
        assert_eq!(Cost { nodes: 550, values: 90_000, ..Cost::default() }.points(), 90);
        assert_eq!(Cost { filter_values: 1_000, scanned: 500_000, scans: 3, ..Cost::default() }.points(), 30);
        assert_eq!((table_points(0), table_points(1), table_points(2_000)), (0, 1, 2));
    }
}

//! Tables, charts and feeds: GET endpoints whose URL contains the query.

mod address;
pub(super) mod chart;
pub(super) mod feed;
pub(super) mod table;

//! Tables, charts and feeds at plain addresses.

pub(crate) mod chart;
pub(crate) mod feed;
pub(crate) mod table;

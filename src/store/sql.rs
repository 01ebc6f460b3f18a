//! SQL: statements, filters, orders, joins and inserts; [`dialect`] holds what differs between the two databases.

pub mod bulk_insert;
pub mod column;
pub mod dialect;
pub mod filter;
pub mod join;
pub mod order;
pub mod pg_array;
pub mod relation;
pub mod select;
pub mod statement;

//! SQL shared by all statements; what differs between the two databases is in [`dialect`].

pub mod bulk_insert;
pub mod dialect;
pub mod filter;
pub mod join;
pub mod pg_array;
pub mod select;
pub mod statement;

//! What those who run it see: whether it is ready, what it counts, what it logs, and what it never tells.

mod log;
mod metric;
mod ready;
pub mod running;
mod trace;

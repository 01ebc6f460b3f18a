//! Limits of a request, enforced before anything is read from the database.
//!
//! The text is measured before it is parsed ([`text`]), the document before it is validated ([`size`]), the variables
//! before they are coerced ([`variables`]), and the cost once the variables are known ([`cost`], [`estimate`]).

mod bounds;
mod comparison;
mod cost;
mod estimate;
mod meter;
mod plan_cost;
mod size;
mod text;
mod variables;

pub use bounds::Limits;
pub use cost::{Cost, table_points};
pub(super) use cost::{LARGE_RESPONSE_VALUES, MIN_WRITING_TIME};
pub(super) use cost::{check as check_cost, check_payload, check_response};
pub(super) use estimate::CostEstimator;
pub use meter::{ReadMeter, Unmetered};
pub(crate) use plan_cost::row_nodes;
pub(super) use plan_cost::{check_row, widen_lists};
pub(super) use size::check as check_size;
pub(super) use text::{check as check_text, tokens};
pub(super) use variables::check as check_variables;

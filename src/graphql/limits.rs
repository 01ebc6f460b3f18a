//! Limits of a request, enforced before anything is read from the database.
//!
//! The text is measured before it is parsed ([`text`]), the document before it is validated ([`size`]), the variables
//! before they are coerced ([`variables`]), and the size of the response once the variables are known ([`cost`]).

mod bounds;
mod cost;
mod size;
mod text;
mod variables;

pub use bounds::Limits;
pub(super) use cost::{check as check_cost, check_response, estimate as estimate_cost};
pub(super) use size::check as check_size;
pub(super) use text::{check as check_text, tokens};
pub(super) use variables::check as check_variables;

//! Small, pure building blocks that every layer uses: typed ids, partial dates, languages, filters, pagination, errors.

pub mod article;
pub mod auth;
pub(crate) mod blocking;
pub mod clock;
pub mod dataset;
pub mod decimal;
pub mod digest;
pub mod error;
pub mod filter;
pub mod id;
pub mod ids;
pub mod language;
pub(crate) mod nearest;
pub mod normalize;
pub mod pagination;
pub mod partial_date;
pub mod path;
pub mod sound;
pub(crate) mod strict_json;
pub mod text;
pub mod web_address;

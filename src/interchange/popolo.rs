//! Imports Popolo JSON: persons, organizations, memberships, posts, areas, events, motions, vote events and speeches.
//!
//! Files may refer to each other, and a repeated import must find the records of the first, so an import has three steps:
//! collect the items of all files, look up the records that the database has for them, and convert the items to records.

mod bill_vocabulary;
mod class;
mod collect;
mod convert;
mod fields;
mod lookup;
mod model;
mod nested;
mod normalize;

pub(in crate::interchange) use class::PopoloClass;
pub use class::is_popolo;
pub use convert::ConvertedRecords;
pub use lookup::KnownRecords;
pub(in crate::interchange) use model::NAMED_AFTER;
pub use model::{PopoloData, PopoloOptions};

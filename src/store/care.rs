//! What editors have to look at: records that need care, and checks of the URLs of sources.

pub mod address_check;
pub mod list;

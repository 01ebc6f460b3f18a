//! All SQL. Each record has a file that declares it; the other files are what all records share.

mod array;
pub mod backup;
mod change;
pub mod condition;
pub mod count;
pub mod db;
mod decode;
mod dialect;
pub mod dispute;
pub mod draft;
pub mod dump;
pub mod fetch;
pub mod known;
mod link;
mod mark;
pub mod plan;
mod pool;
mod published;
pub mod record;
pub mod replica;
pub mod row;
mod rows;
pub mod saved;
pub mod schema;
pub mod search;
mod select;
mod sql;
mod still;
pub mod tidy;
pub mod token;
pub mod tree;
mod veil;
pub mod version;
pub mod walk;
pub mod write;

macro_rules! records {
    ($($module:ident,)*) => {
        $(mod $module;)*

        fn declared() -> Vec<record::Record> {
            let mut records = Vec::new();
            $(records.extend($module::records());)*
            records
        }
    };
}

records! {
    jurisdiction,
    organization,
    person,
    membership,
    law,
    provision,
    proposal,
    vote_event,
    case,
    statement,
    statistic,
    topic,
    source,
    citation,
}

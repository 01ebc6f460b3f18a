//! The store on both databases: plans, SQL, drafts, history, replicas and faults.

pub mod alike_citations;
pub mod backup;
pub mod clean_texts;
pub mod cluster;
pub mod dataset_version;
pub mod date_names;
pub mod disputes;
pub mod drafts;
pub mod faults;
pub mod feed;
pub mod freshness;
pub mod history;
pub mod mixed_merges;
pub mod plan;
pub mod property;
pub mod removals;
pub mod replicas;
pub mod sql;
pub mod statement;
pub mod web_addresses;
pub mod withheld_forms;
pub mod withheld_imports;
pub mod withheld_memberships;
pub mod withheld_names;
pub mod withheld_places;
pub mod withholding;

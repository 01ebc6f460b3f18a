//! Database connections: pools, change detection, snapshots, replicas, migrations, backups and maintenance.

pub mod backup;
pub mod changes;
pub mod dataset_version;
pub(crate) mod derived;
pub mod maintenance;
pub mod migrations;
pub mod pool;
pub mod replica;
pub mod replica_probe;
pub mod snapshot;
pub(crate) mod statement;
pub(crate) mod statement_guard;
pub mod version_cache;
pub mod watermark;

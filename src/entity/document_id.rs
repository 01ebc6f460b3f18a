//! Ids of documents in manifests of clients.

use sea_orm::entity::prelude::*;

/// A row of `document_ids`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "document_ids")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Hash of the saved query.
    pub hash: String,
}

/// The relation to saved queries is not declared: lookups are by hash.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

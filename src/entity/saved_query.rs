//! Saved queries.

use sea_orm::entity::prelude::*;

/// A row of `saved_queries`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "saved_queries")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: String,
    pub document_hash: String,
    pub name: Option<String>,
    pub title: Option<String>,
    pub document: String,
    pub operation_name: Option<String>,
    /// JSON object with the values of the variables.
    pub variables: String,
    pub saved_by: String,
    pub saved_at: DateTimeUtc,
}

/// Saved queries refer to no other table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

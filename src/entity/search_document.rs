//! What search finds a record by.

use sea_orm::entity::prelude::*;

/// A row of `search_documents`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "search_documents")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub record_type: String,
    pub jurisdiction_id: Option<Uuid>,
    pub sort_key: String,
    pub label: String,
    pub body: String,
    pub names: String,
    pub words: String,
    pub published: bool,
}

/// Relations are declared once, in `store`.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

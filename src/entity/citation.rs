//! A source that says so.

use sea_orm::entity::prelude::*;

/// A row of `citations`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "citations")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub record_id: Uuid,
    pub key: String,
    pub position: i32,
    pub source_id: Uuid,
    pub field: Option<String>,
    pub value: Option<String>,
    pub quote: Option<String>,
    pub locator: Option<String>,
    pub note: Option<String>,
    pub published: bool,
}

/// Relations are declared once, in `store`.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A change of a record.

use sea_orm::entity::prelude::*;

/// A row of `revisions`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "revisions")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub record_id: Uuid,
    pub number: i32,
    pub at: DateTimeUtc,
    pub by: String,
    pub message: Option<String>,
    pub changes: Json,
    pub published: bool,
    pub kind: String,
    pub record_type: String,
    pub sequence: i32,
}

/// Relations are declared once, in `store`.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

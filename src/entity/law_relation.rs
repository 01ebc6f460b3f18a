//! What one law does to another.

use sea_orm::entity::prelude::*;

/// A row of `law_relations`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "law_relations")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub law_id: Uuid,
    pub key: String,
    pub position: i32,
    pub kind: String,
    pub target_id: Uuid,
    pub note: Option<Json>,
    pub published: bool,
    pub disputed: bool,
}

/// Relations are declared once, in `store`.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

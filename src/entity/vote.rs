//! How one person voted.

use sea_orm::entity::prelude::*;

/// A row of `votes`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "votes")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub vote_event_id: Uuid,
    pub key: String,
    pub position: i32,
    pub person_id: Uuid,
    pub option: String,
    pub published: bool,
    pub disputed: bool,
}

/// Relations are declared once, in `store`.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

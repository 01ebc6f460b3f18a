//! A step in the life of a proposal.

use sea_orm::entity::prelude::*;

/// A row of `proposal_actions`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "proposal_actions")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub proposal_id: Uuid,
    pub key: String,
    pub position: i32,
    pub date: Option<String>,
    pub organization_id: Option<Uuid>,
    pub classification: String,
    pub text: Option<Json>,
    pub published: bool,
    pub disputed: bool,
}

/// Relations are declared once, in `store`.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

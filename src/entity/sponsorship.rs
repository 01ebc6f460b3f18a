//! Somebody's part in making a proposal.

use sea_orm::entity::prelude::*;

/// A row of `sponsorships`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sponsorships")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub proposal_id: Uuid,
    pub key: String,
    pub position: i32,
    pub person_id: Option<Uuid>,
    pub organization_id: Option<Uuid>,
    pub role: Option<String>,
    pub published: bool,
    pub disputed: bool,
}

/// Relations are declared once, in `store`.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

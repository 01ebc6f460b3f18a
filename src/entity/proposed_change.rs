//! A law or provision that a proposal would change.

use sea_orm::entity::prelude::*;

/// A row of `proposed_changes`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "proposed_changes")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub proposal_id: Uuid,
    pub key: String,
    pub position: i32,
    pub law_id: Uuid,
    pub provision_id: Option<Uuid>,
    pub note: Option<Json>,
    pub published: bool,
    pub disputed: bool,
}

/// Relations are declared once, in `store`.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

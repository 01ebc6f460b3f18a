//! Somebody who takes part in a case.

use sea_orm::entity::prelude::*;

/// A row of `case_parties`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "case_parties")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub case_id: Uuid,
    pub key: String,
    pub position: i32,
    pub person_id: Option<Uuid>,
    pub organization_id: Option<Uuid>,
    pub description: Option<Json>,
    pub role: String,
    pub published: bool,
    pub disputed: bool,
}

/// Relations are declared once, in `store`.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! An accusation in a case, under a provision of law.

use sea_orm::entity::prelude::*;

/// A row of `charges`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "charges")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub case_id: Uuid,
    pub key: String,
    pub position: i32,
    pub party_id: Option<Uuid>,
    pub provision_id: Option<Uuid>,
    pub locator: Option<String>,
    pub date: Option<String>,
    pub outcome: String,
    pub text: Option<Json>,
    pub published: bool,
    pub disputed: bool,
}

/// Relations are declared once, in `store`.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

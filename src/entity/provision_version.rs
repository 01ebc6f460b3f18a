//! The text of a provision as it stood over a period.

use sea_orm::entity::prelude::*;

/// A row of `provision_versions`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "provision_versions")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub provision_id: Uuid,
    pub key: String,
    pub position: i32,
    pub valid_from: Option<String>,
    pub valid_to: Option<String>,
    pub text: Json,
    pub note: Option<String>,
    pub published: bool,
    pub disputed: bool,
}

/// Relations are declared once, in `store`.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A law in force, to come into force, or repealed.

use sea_orm::entity::prelude::*;

/// A row of `laws`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "laws")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub slug: String,
    pub title: Json,
    pub number: Option<String>,
    pub kind: String,
    pub status: String,
    pub adopted: Option<String>,
    pub in_force_from: Option<String>,
    pub repealed: Option<String>,
    pub eli: Option<String>,
    pub summary: Option<Json>,
    pub jurisdiction_id: Option<Uuid>,
    pub sort_key: String,
    pub folded: String,
    pub published: bool,
    pub disputed: bool,
    pub revision: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// Relations are declared once, in `store`.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

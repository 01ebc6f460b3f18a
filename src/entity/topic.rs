//! A subject that records are tagged with.

use sea_orm::entity::prelude::*;

/// A row of `topics`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "topics")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub slug: String,
    pub label: Json,
    pub scheme: Option<String>,
    pub definition: Option<Json>,
    pub broader_id: Option<Uuid>,
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

//! A body that acts: a parliament or a chamber of it, a ministry, a court, a party, an association.

use sea_orm::entity::prelude::*;

/// A row of `organizations`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "organizations")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub slug: String,
    pub name: Json,
    pub other_names: Json,
    pub classification: String,
    pub founded: Option<String>,
    pub dissolved: Option<String>,
    pub description: Option<Json>,
    pub image: Option<String>,
    pub links: Json,
    pub parent_id: Option<Uuid>,
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

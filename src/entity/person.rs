//! A person in public life, or named in a public proceeding.

use sea_orm::entity::prelude::*;

/// A row of `persons`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "persons")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub slug: String,
    pub name: Json,
    pub other_names: Json,
    pub sort_name: Option<String>,
    pub birth_date: Option<String>,
    pub death_date: Option<String>,
    pub gender: Option<String>,
    pub biography: Option<Json>,
    pub image: Option<String>,
    pub links: Json,
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

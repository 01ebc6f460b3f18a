//! A publication that says so: an article, a report, a law database.

use sea_orm::entity::prelude::*;

/// A row of `sources`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sources")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub slug: String,
    pub title: Json,
    pub publisher: Option<String>,
    pub author: Option<String>,
    pub published_on: Option<String>,
    pub accessed_on: Option<String>,
    pub url: Option<String>,
    pub archived_url: Option<String>,
    pub language: Option<String>,
    pub kind: String,
    pub licence: Option<String>,
    pub sort_key: String,
    pub folded: String,
    pub published: bool,
    pub disputed: bool,
    pub revision: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub checked_at: DateTimeUtc,
    pub last_changed_at: DateTimeUtc,
}

/// Relations are declared once, in `store`.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

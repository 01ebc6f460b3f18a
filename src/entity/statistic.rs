//! A figure that somebody published.

use sea_orm::entity::prelude::*;

/// A row of `statistics`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "statistics")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub slug: String,
    pub measure: Json,
    pub value: f64,
    pub unit: String,
    pub period_start: Option<String>,
    pub period_end: Option<String>,
    pub breakdown: Json,
    pub note: Option<Json>,
    pub publisher_id: Option<Uuid>,
    pub provision_id: Option<Uuid>,
    pub law_id: Option<Uuid>,
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

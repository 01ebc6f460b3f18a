//! A court case or a criminal case under investigation: one proceeding, however many people are parties to it.

use sea_orm::entity::prelude::*;

/// A row of `cases`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "cases")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub slug: String,
    pub title: Json,
    pub docket_number: Option<String>,
    pub ecli: Option<String>,
    pub kind: String,
    pub status: String,
    pub opened: Option<String>,
    pub decided: Option<String>,
    pub summary: Option<Json>,
    pub court_id: Option<Uuid>,
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

//! A penalty or order that a court imposed.

use sea_orm::entity::prelude::*;

/// A row of `sentences`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sentences")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub case_id: Uuid,
    pub key: String,
    pub position: i32,
    pub party_id: Option<Uuid>,
    pub kind: String,
    pub length: Option<String>,
    pub length_minutes: Option<f64>,
    pub amount: Option<f64>,
    pub unit: Option<String>,
    pub text: Option<Json>,
    pub published: bool,
    pub disputed: bool,
}

/// Relations are declared once, in `store`.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

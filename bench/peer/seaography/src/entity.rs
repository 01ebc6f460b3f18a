//! The tables that the workloads read, with all their columns, as models of the sea-orm version that Seaography requires.
//!
//! Seaography sorts by columns in the order of the model, not of the query, so the sort columns precede the id. It omits
//! JSON columns, so the JSON columns that the workloads read are declared as text; their values are JSON nevertheless.

/// Court cases.
pub mod cases {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "cases")]
    pub struct Model {
        pub opened_on_order: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub slug: String,
        #[sea_orm(column_type = "Text")]
        pub title: Json,
        pub docket_number: Option<String>,
        pub ecli: Option<String>,
        pub kind: String,
        pub status: String,
        pub opened_on: Option<String>,
        pub decided_on: Option<String>,
        pub summary: Option<Json>,
        pub court_id: Option<Uuid>,
        pub jurisdiction_id: Option<Uuid>,
        pub sort_key: String,
        pub folded: String,
        pub published: bool,
        pub disputed: bool,
        pub revision: i32,
        pub created_at: DateTimeWithTimeZone,
        pub updated_at: DateTimeWithTimeZone,
        pub decided_on_order: String,
    }

    /// Foreign keys.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(has_many = "super::case_parties::Entity")]
        CaseParties,
        #[sea_orm(has_many = "super::charges::Entity")]
        Charges,
    }

    impl Related<super::case_parties::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::CaseParties.def()
        }
    }

    impl Related<super::charges::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Charges.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}

    /// Fields of related entities.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelatedEntity)]
    pub enum RelatedEntity {
        #[sea_orm(entity = "super::case_parties::Entity")]
        CaseParties,
        #[sea_orm(entity = "super::charges::Entity")]
        Charges,
    }
}

/// Parties of cases.
pub mod case_parties {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "case_parties")]
    pub struct Model {
        pub position: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub case_id: Uuid,
        pub key: String,
        pub person_id: Option<Uuid>,
        pub organization_id: Option<Uuid>,
        pub description: Option<Json>,
        pub role: String,
        pub published: bool,
        pub disputed: bool,
    }

    /// Foreign keys.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = "super::cases::Entity", from = "Column::CaseId", to = "super::cases::Column::Id")]
        Cases,
        #[sea_orm(belongs_to = "super::persons::Entity", from = "Column::PersonId", to = "super::persons::Column::Id")]
        Persons,
    }

    impl Related<super::cases::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Cases.def()
        }
    }

    impl Related<super::persons::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Persons.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}

    /// Fields of related entities.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelatedEntity)]
    pub enum RelatedEntity {
        #[sea_orm(entity = "super::cases::Entity")]
        Cases,
        #[sea_orm(entity = "super::persons::Entity")]
        Persons,
    }
}

/// Charges in cases.
pub mod charges {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "charges")]
    pub struct Model {
        pub position: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub case_id: Uuid,
        pub key: String,
        pub party_id: Option<Uuid>,
        pub provision_id: Option<Uuid>,
        pub locator: Option<String>,
        pub date: Option<String>,
        pub outcome: String,
        pub text: Option<Json>,
        pub published: bool,
        pub disputed: bool,
        pub date_order: String,
    }

    /// Foreign keys.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = "super::cases::Entity", from = "Column::CaseId", to = "super::cases::Column::Id")]
        Cases,
        #[sea_orm(belongs_to = "super::provisions::Entity", from = "Column::ProvisionId", to = "super::provisions::Column::Id")]
        Provisions,
    }

    impl Related<super::cases::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Cases.def()
        }
    }

    impl Related<super::provisions::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Provisions.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}

    /// Fields of related entities.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelatedEntity)]
    pub enum RelatedEntity {
        #[sea_orm(entity = "super::cases::Entity")]
        Cases,
        #[sea_orm(entity = "super::provisions::Entity")]
        Provisions,
    }
}

/// People.
pub mod persons {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "persons")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub slug: String,
        #[sea_orm(column_type = "Text")]
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
        pub created_at: DateTimeWithTimeZone,
        pub updated_at: DateTimeWithTimeZone,
        pub birth_date_order: String,
    }

    /// Foreign keys.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(has_many = "super::case_parties::Entity")]
        CaseParties,
    }

    impl Related<super::case_parties::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::CaseParties.def()
        }
    }

    impl Related<super::cases::Entity> for Entity {
        fn to() -> RelationDef {
            super::case_parties::Relation::Cases.def()
        }

        fn via() -> Option<RelationDef> {
            Some(super::case_parties::Relation::Persons.def().rev())
        }
    }

    impl ActiveModelBehavior for ActiveModel {}

    /// Fields of related entities.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelatedEntity)]
    pub enum RelatedEntity {
        #[sea_orm(entity = "super::case_parties::Entity")]
        CaseParties,
        #[sea_orm(entity = "super::cases::Entity")]
        Cases,
    }
}

/// Provisions of laws.
pub mod provisions {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "provisions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub slug: String,
        pub number: Option<String>,
        pub kind: String,
        #[sea_orm(column_type = "Text")]
        pub heading: Json,
        pub position: i32,
        pub summary: Option<Json>,
        pub law_id: Uuid,
        pub parent_id: Option<Uuid>,
        pub sort_key: String,
        pub folded: String,
        pub published: bool,
        pub disputed: bool,
        pub revision: i32,
        pub created_at: DateTimeWithTimeZone,
        pub updated_at: DateTimeWithTimeZone,
    }

    /// Foreign keys.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = "super::laws::Entity", from = "Column::LawId", to = "super::laws::Column::Id")]
        Laws,
        #[sea_orm(has_many = "super::charges::Entity")]
        Charges,
    }

    impl Related<super::laws::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Laws.def()
        }
    }

    impl Related<super::charges::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Charges.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}

    /// Fields of related entities.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelatedEntity)]
    pub enum RelatedEntity {
        #[sea_orm(entity = "super::laws::Entity")]
        Laws,
        #[sea_orm(entity = "super::charges::Entity")]
        Charges,
    }
}

/// Laws.
pub mod laws {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "laws")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub slug: String,
        #[sea_orm(column_type = "Text")]
        pub title: Json,
        pub number: Option<String>,
        pub kind: String,
        pub status: String,
        pub adopted_on: Option<String>,
        pub in_force_from: Option<String>,
        pub repealed_on: Option<String>,
        pub eli: Option<String>,
        pub summary: Option<Json>,
        pub jurisdiction_id: Option<Uuid>,
        pub sort_key: String,
        pub folded: String,
        pub published: bool,
        pub disputed: bool,
        pub revision: i32,
        pub created_at: DateTimeWithTimeZone,
        pub updated_at: DateTimeWithTimeZone,
        pub adopted_on_order: String,
        pub in_force_from_order: String,
        pub repealed_on_order: String,
    }

    /// Foreign keys.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(has_many = "super::provisions::Entity")]
        Provisions,
    }

    impl Related<super::provisions::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Provisions.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}

    /// Fields of related entities.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelatedEntity)]
    pub enum RelatedEntity {
        #[sea_orm(entity = "super::provisions::Entity")]
        Provisions,
    }
}

//! A builder for record and part tables, with the columns and indexes that they share.
//!
//! Text is collated by byte (`COLLATE "C"`) on PostgreSQL, as it is on SQLite: keyset pagination and partial dates depend
//! on this order, and the locale of the server must not change it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// How a column is used as a sort key.
#[derive(Debug, Clone, Copy)]
pub enum SortKey {
    /// Nullable text or a partial date: a generated column replaces null by the empty string, which sorts first.
    NullableText,
    /// A column that is never null.
    NotNull,
}

/// Name of the column by which lists are ordered. It is a plain column even for a nullable one: unlike PostgreSQL, SQLite
/// does not use an index on expressions for a row comparison of (key, id).
fn order_column(column: &str, key: SortKey) -> String {
    match key {
        SortKey::NullableText => format!("{column}_order"),
        SortKey::NotNull => column.to_owned(),
    }
}

/// A table under construction.
#[derive(Debug)]
pub struct Table {
    name: &'static str,
    owner: Option<&'static str>,
    /// Whether its ids are registered in `nodes`, so that polymorphic references can target them.
    registered: bool,
    /// Column of the default order.
    order: String,
    /// Nullable columns with a generated order column.
    ordered: Vec<&'static str>,
    columns: Vec<(&'static str, ColumnType, bool)>,
    references: Vec<(&'static str, &'static str)>,
    uniques: Vec<&'static str>,
    indexes: Vec<(String, Vec<String>)>,
}

#[derive(Debug, Clone, Copy)]
enum ColumnType {
    Text,
    Json,
    JsonList,
    Integer,
    Number,
    Boolean,
    Instant,
    Uuid,
}

impl Table {
    fn new(name: &'static str, order: &str) -> Self {
        Self {
            name,
            owner: None,
            registered: true,
            order: order.to_owned(),
            ordered: Vec::new(),
            columns: Vec::new(),
            references: Vec::new(),
            uniques: Vec::new(),
            indexes: Vec::new(),
        }
    }

    /// A table of records, with slug, revision and times. The default order is by label.
    pub fn record(name: &'static str) -> Self {
        Self::new(name, "sort_key")
            .text_required("slug")
            .unique("slug")
            .text_required("sort_key")
            .text_required("folded")
            .column("published", ColumnType::Boolean, true)
            .column("disputed", ColumnType::Boolean, true)
            .column("revision", ColumnType::Integer, true)
            .column("created_at", ColumnType::Instant, true)
            .column("updated_at", ColumnType::Instant, true)
            .sorted("sort_key", SortKey::NotNull)
            .sorted("created_at", SortKey::NotNull)
            .sorted("updated_at", SortKey::NotNull)
    }

    /// A table of parts, which belong to a record and are deleted with it. The default order is by position.
    pub fn part(name: &'static str, owner_column: &'static str, owner_table: &'static str) -> Self {
        let mut table = Self::uncited_part(name, owner_column, owner_table).column("disputed", ColumnType::Boolean, true);
        table.registered = true;
        table
    }

    /// A table of parts that cannot be cited.
    pub fn uncited_part(name: &'static str, owner_column: &'static str, owner_table: &'static str) -> Self {
        let mut table = Self::new(name, "position")
            .column(owner_column, ColumnType::Uuid, true)
            .text_required("key")
            .column("position", ColumnType::Integer, true)
            .column("published", ColumnType::Boolean, true);
        table.owner = Some(owner_column);
        table.registered = false;
        table.references.push((owner_column, owner_table));
        table.indexes.push(("order".into(), [owner_column, "position", "id"].map(str::to_owned).to_vec()));
        table
    }

    /// A table of immutable entries.
    pub fn log(name: &'static str) -> Self {
        let mut table = Self::new(name, "id").column("published", ColumnType::Boolean, true);
        table.registered = false;
        table
    }

    /// Sets the default order. Call it before adding references and filters, whose indexes include this column.
    pub fn ordered_by(mut self, column: &'static str, key: SortKey) -> Self {
        self.order = order_column(column, key);
        if self.owner.is_none() && self.registered { self.sorted(column, key) } else { self.sorted_unindexed(column, key) }
    }

    fn column(mut self, name: &'static str, column: ColumnType, required: bool) -> Self {
        self.columns.push((name, column, required));
        self
    }

    /// A nullable text column.
    pub fn text(self, name: &'static str) -> Self {
        self.column(name, ColumnType::Text, false)
    }

    /// A text column.
    pub fn text_required(self, name: &'static str) -> Self {
        self.column(name, ColumnType::Text, true)
    }

    /// A nullable `json` column, which unlike `jsonb` preserves the order of keys.
    pub fn json(self, name: &'static str) -> Self {
        self.column(name, ColumnType::Json, false)
    }

    /// A `json` column, which unlike `jsonb` preserves the order of keys.
    pub fn json_required(self, name: &'static str) -> Self {
        self.column(name, ColumnType::Json, true)
    }

    /// A `json` column with an empty list as its default.
    pub fn json_list(self, name: &'static str) -> Self {
        self.column(name, ColumnType::JsonList, true)
    }

    /// An integer column.
    pub fn integer_required(self, name: &'static str) -> Self {
        self.column(name, ColumnType::Integer, true)
    }

    /// A nullable floating-point column.
    pub fn number(self, name: &'static str) -> Self {
        self.column(name, ColumnType::Number, false)
    }

    /// A floating-point column.
    pub fn number_required(self, name: &'static str) -> Self {
        self.column(name, ColumnType::Number, true)
    }

    /// A timestamp column.
    pub fn instant_required(self, name: &'static str) -> Self {
        self.column(name, ColumnType::Instant, true)
    }

    /// A nullable foreign key, indexed together with the default order.
    pub fn reference(mut self, name: &'static str, table: &'static str) -> Self {
        self.references.push((name, table));
        self.filtered(name).column(name, ColumnType::Uuid, false)
    }

    /// A foreign key, indexed together with the default order.
    pub fn reference_required(self, name: &'static str, table: &'static str) -> Self {
        let mut table = self.reference(name, table);
        if let Some(last) = table.columns.last_mut() {
            last.2 = true;
        }
        table
    }

    /// Adds a unique index on a column.
    pub fn unique(mut self, name: &'static str) -> Self {
        self.uniques.push(name);
        self
    }

    /// Allows lists to be ordered by this column: adds an index on it.
    pub fn sorted(mut self, name: &'static str, key: SortKey) -> Self {
        self.indexes.push((format!("{name}_order"), vec![order_column(name, key), "id".to_owned()]));
        self.sorted_unindexed(name, key)
    }

    /// Allows short lists, such as the parts of one record, to be ordered by this column, without an index.
    pub fn sorted_unindexed(mut self, name: &'static str, key: SortKey) -> Self {
        if let SortKey::NullableText = key {
            self.ordered.push(name);
        }
        self
    }

    /// Adds an index for filters on this column, together with the default order.
    pub fn filtered(mut self, name: &'static str) -> Self {
        self.indexes.push((name.to_owned(), vec![name.to_owned(), self.order.clone(), "id".to_owned()]));
        self
    }

    /// Creates the table, its constraints and its indexes.
    pub async fn create(mut self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        if self.owner.is_none() && self.registered {
            // disputed records are rare and often filtered for
            self = self.filtered("disputed");
        }
        let backend = manager.get_database_backend();
        let mut table = sea_orm_migration::prelude::Table::create();
        table.table(Alias::new(self.name));
        table.col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key());
        for (name, column, required) in &self.columns {
            table.col(definition(backend, name, *column, *required));
        }
        for name in &self.ordered {
            let not_null = Func::coalesce([Expr::col(Alias::new(*name)), Expr::cust("''")]);
            let mut column = definition(backend, &order_column(name, SortKey::NullableText), ColumnType::Text, true);
            table.col(column.generated(not_null, true));
        }
        for (column, target) in &self.references {
            let is_owner = self.owner == Some(column);
            table.foreign_key(
                ForeignKey::create()
                    .name(format!("{}_{column}_fk", self.name))
                    .from(Alias::new(self.name), Alias::new(*column))
                    .to(Alias::new(*target), Alias::new("id"))
                    .on_delete(if is_owner { ForeignKeyAction::Cascade } else { ForeignKeyAction::Restrict }),
            );
        }
        if self.registered {
            table.foreign_key(
                ForeignKey::create()
                    .name(format!("{}_id_fk", self.name))
                    .from(Alias::new(self.name), Alias::new("id"))
                    .to(Alias::new("nodes"), Alias::new("id"))
                    .on_delete(ForeignKeyAction::Restrict),
            );
        }
        manager.create_table(table).await?;
        for column in &self.uniques {
            unique(manager, self.name, &[column]).await?;
        }
        if let Some(owner) = self.owner {
            unique(manager, self.name, &[owner, "key"]).await?;
        }
        for (name, columns) in &self.indexes {
            let mut index = Index::create();
            index.name(format!("{}_{name}_idx", self.name)).table(Alias::new(self.name));
            for column in columns {
                index.col(Alias::new(column));
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

/// A nullable text column, collated by byte.
pub fn text_column(backend: DbBackend, name: &str) -> ColumnDef {
    let mut definition = ColumnDef::new(Alias::new(name));
    definition.text();
    if backend == DbBackend::Postgres {
        definition.extra("COLLATE \"C\"");
    }
    definition
}

fn definition(backend: DbBackend, name: &str, column: ColumnType, required: bool) -> ColumnDef {
    let mut definition = ColumnDef::new(Alias::new(name));
    match column {
        ColumnType::Text => definition = text_column(backend, name),
        ColumnType::Json => {
            definition.json();
        }
        ColumnType::JsonList => {
            definition.json().default("[]");
        }
        ColumnType::Integer => {
            definition.integer();
        }
        ColumnType::Number => {
            definition.double();
        }
        ColumnType::Boolean => {
            definition.boolean();
        }
        ColumnType::Instant => {
            definition.timestamp_with_time_zone();
        }
        ColumnType::Uuid => {
            definition.uuid();
        }
    }
    if required {
        definition.not_null();
    }
    definition
}

/// Creates a unique index on these columns.
pub async fn unique(manager: &SchemaManager<'_>, table: &str, columns: &[&str]) -> Result<(), DbErr> {
    let mut index = Index::create();
    index.name(format!("{table}_{}_key", columns.join("_"))).table(Alias::new(table)).unique();
    for column in columns {
        index.col(Alias::new(*column));
    }
    manager.create_index(index).await
}

/// Drops tables, in the given order.
pub async fn drop_tables(manager: &SchemaManager<'_>, names: &[&str]) -> Result<(), DbErr> {
    for name in names {
        manager.drop_table(sea_orm_migration::prelude::Table::drop().table(Alias::new(*name)).to_owned()).await?;
    }
    Ok(())
}

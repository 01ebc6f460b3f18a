//! How tables of records and of their parts are made, with the columns and indexes that all share.
//!
//! Text that is sorted or compared is collated byte by byte on PostgreSQL, as it is on SQLite: pages
//! and partial dates depend on it, and no locale of a server may change their order.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// What stands for an unknown value where lists are sorted: it sorts before every known value.
#[derive(Debug, Clone, Copy)]
pub enum Key {
    /// Text and partial dates.
    Text,
    /// Anything that is never unknown.
    Required,
}

/// Name of the column that lists run by: a column that can be unknown has one beside it that never is.
/// Both databases bound a comparison of (key, id) by an index of plain columns; SQLite does not by one of expressions.
fn order_column(column: &str, key: Key) -> String {
    match key {
        Key::Text => format!("{column}_order"),
        Key::Required => column.to_owned(),
    }
}

/// A table under construction.
#[derive(Debug)]
pub struct Table {
    name: &'static str,
    owner: Option<&'static str>,
    /// Whether its ids are in the register of ids, so that other tables can refer to any of them.
    registered: bool,
    order: String,
    /// Columns that can be unknown and that lists run by.
    ordered: Vec<&'static str>,
    columns: Vec<(&'static str, Column, bool)>,
    references: Vec<(&'static str, &'static str)>,
    uniques: Vec<&'static str>,
    indexes: Vec<(String, Vec<String>)>,
}

#[derive(Debug, Clone, Copy)]
enum Column {
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

    /// A table of records: with slug, revision and dates. Lists run by name unless said otherwise.
    pub fn record(name: &'static str) -> Self {
        Self::new(name, "sort_key")
            .text_required("slug")
            .unique("slug")
            .text_required("sort_key")
            .text_required("folded")
            .column("published", Column::Boolean, true)
            .column("disputed", Column::Boolean, true)
            .column("revision", Column::Integer, true)
            .column("created_at", Column::Instant, true)
            .column("updated_at", Column::Instant, true)
            .sorted("sort_key", Key::Required)
            .sorted("created_at", Key::Required)
            .sorted("updated_at", Key::Required)
    }

    /// A table of parts that belong to a record and go with it, in an order of their own.
    pub fn part(name: &'static str, owner_column: &'static str, owner_table: &'static str) -> Self {
        let mut table = Self::uncited_part(name, owner_column, owner_table).column("disputed", Column::Boolean, true);
        table.registered = true;
        table
    }

    /// A table of parts that carry no citations.
    pub fn uncited_part(name: &'static str, owner_column: &'static str, owner_table: &'static str) -> Self {
        let mut table = Self::new(name, "position")
            .column(owner_column, Column::Uuid, true)
            .text_required("key")
            .column("position", Column::Integer, true)
            .column("published", Column::Boolean, true);
        table.owner = Some(owner_column);
        table.registered = false;
        table.references.push((owner_column, owner_table));
        table.indexes.push(("order".into(), [owner_column, "position", "id"].map(str::to_owned).to_vec()));
        table
    }

    /// A table of entries that are written once and never change.
    pub fn log(name: &'static str) -> Self {
        let mut table = Self::new(name, "id").column("published", Column::Boolean, true);
        table.registered = false;
        table
    }

    /// The order its lists run in; call it before the columns that refer to other tables.
    pub fn ordered_by(mut self, column: &'static str, key: Key) -> Self {
        self.order = order_column(column, key);
        if self.owner.is_none() && self.registered { self.sorted(column, key) } else { self.sorted_below(column, key) }
    }

    fn column(mut self, name: &'static str, column: Column, required: bool) -> Self {
        self.columns.push((name, column, required));
        self
    }

    /// Text that may be unknown.
    pub fn text(self, name: &'static str) -> Self {
        self.column(name, Column::Text, false)
    }

    /// Text.
    pub fn text_required(self, name: &'static str) -> Self {
        self.column(name, Column::Text, true)
    }

    /// A map or list that may be unknown. Kept as the text it was given as, so that the order of keys stays.
    pub fn json(self, name: &'static str) -> Self {
        self.column(name, Column::Json, false)
    }

    /// A map or list.
    pub fn json_required(self, name: &'static str) -> Self {
        self.column(name, Column::Json, true)
    }

    /// A list, empty unless given.
    pub fn json_list(self, name: &'static str) -> Self {
        self.column(name, Column::JsonList, true)
    }

    /// A whole number.
    pub fn integer_required(self, name: &'static str) -> Self {
        self.column(name, Column::Integer, true)
    }

    /// A number that may be unknown.
    pub fn number(self, name: &'static str) -> Self {
        self.column(name, Column::Number, false)
    }

    /// A number.
    pub fn number_required(self, name: &'static str) -> Self {
        self.column(name, Column::Number, true)
    }

    /// An instant.
    pub fn instant_required(self, name: &'static str) -> Self {
        self.column(name, Column::Instant, true)
    }

    /// A reference to another table that may be missing, indexed in the order of the lists it makes.
    pub fn reference(mut self, name: &'static str, table: &'static str) -> Self {
        self.references.push((name, table));
        self.filtered(name).column(name, Column::Uuid, false)
    }

    /// A reference to another table.
    pub fn reference_required(self, name: &'static str, table: &'static str) -> Self {
        let mut table = self.reference(name, table);
        if let Some(last) = table.columns.last_mut() {
            last.2 = true;
        }
        table
    }

    /// No two rows have the same value here.
    pub fn unique(mut self, name: &'static str) -> Self {
        self.uniques.push(name);
        self
    }

    /// Lists can run in the order of this column.
    pub fn sorted(mut self, name: &'static str, key: Key) -> Self {
        self.indexes.push((format!("{name}_order"), vec![order_column(name, key), "id".to_owned()]));
        self.sorted_below(name, key)
    }

    /// Short lists, such as the parts of one record, can run in the order of this column.
    pub fn sorted_below(mut self, name: &'static str, key: Key) -> Self {
        if let Key::Text = key {
            self.ordered.push(name);
        }
        self
    }

    /// Lists are often narrowed to one value of this column.
    pub fn filtered(mut self, name: &'static str) -> Self {
        self.indexes.push((name.to_owned(), vec![name.to_owned(), self.order.clone(), "id".to_owned()]));
        self
    }

    /// Makes the table, its constraints and its indexes.
    pub async fn create(mut self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        if self.owner.is_none() && self.registered {
            // what is in dispute is rare, and looked for
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
            let known = Func::coalesce([Expr::col(Alias::new(*name)), Expr::cust("''")]);
            let mut column = definition(backend, &order_column(name, Key::Text), Column::Text, true);
            table.col(column.generated(known, true));
        }
        for (column, target) in &self.references {
            let owned = self.owner == Some(column);
            table.foreign_key(
                ForeignKey::create()
                    .name(format!("{}_{column}_fk", self.name))
                    .from(Alias::new(self.name), Alias::new(*column))
                    .to(Alias::new(*target), Alias::new("id"))
                    .on_delete(if owned { ForeignKeyAction::Cascade } else { ForeignKeyAction::Restrict }),
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

fn definition(backend: DbBackend, name: &str, column: Column, required: bool) -> ColumnDef {
    let mut definition = ColumnDef::new(Alias::new(name));
    match column {
        Column::Text => {
            definition.text();
            if backend == DbBackend::Postgres {
                definition.extra("COLLATE \"C\"");
            }
        }
        Column::Json => {
            definition.json();
        }
        Column::JsonList => {
            definition.json().default("[]");
        }
        Column::Integer => {
            definition.integer();
        }
        Column::Number => {
            definition.double();
        }
        Column::Boolean => {
            definition.boolean();
        }
        Column::Instant => {
            definition.timestamp_with_time_zone();
        }
        Column::Uuid => {
            definition.uuid();
        }
    }
    if required {
        definition.not_null();
    }
    definition
}

/// No two rows have the same values in these columns.
pub async fn unique(manager: &SchemaManager<'_>, table: &str, columns: &[&str]) -> Result<(), DbErr> {
    let mut index = Index::create();
    index.name(format!("{table}_{}_key", columns.join("_"))).table(Alias::new(table)).unique();
    for column in columns {
        index.col(Alias::new(*column));
    }
    manager.create_index(index).await
}

/// Removes tables, in the order given.
pub async fn drop_tables(manager: &SchemaManager<'_>, names: &[&str]) -> Result<(), DbErr> {
    for name in names {
        manager.drop_table(sea_orm_migration::prelude::Table::drop().table(Alias::new(*name)).to_owned()).await?;
    }
    Ok(())
}

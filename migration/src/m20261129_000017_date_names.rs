//! One style for the names of dates: a day ends in `On`, an instant in `At`, and a span has a `start` and an `end`.
//!
//! Renames the columns, their order columns and indexes, and the names in data: the fields that citations support, the
//! keys derived from them, and the fields in histories. Saved queries are not rewritten.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use serde_json::Value as Json;

#[derive(DeriveMigrationName)]
pub struct Migration;

const REVISIONS: &str = "revisions";
/// Revisions read at a time.
const BATCH_ROWS: u64 = 1_000;

/// The old and the new name of a field or column.
#[derive(Debug, Clone, Copy)]
struct Rename {
    from: &'static str,
    to: &'static str,
}

impl Rename {
    const fn new(from: &'static str, to: &'static str) -> Self {
        Self { from, to }
    }

    fn reversed(self) -> Self {
        Self { from: self.to, to: self.from }
    }
}

/// A day of a record that is renamed.
#[derive(Debug, Clone, Copy)]
struct RenamedDay {
    table: &'static str,
    /// Type of the record as revisions name it.
    record_type: &'static str,
    field: Rename,
    column: Rename,
    /// Whether lists can be ordered by it: it has an order column and an index.
    is_ordered: bool,
}

const DAYS: [RenamedDay; 9] = [
    day("cases", "case", Rename::new("opened", "openedOn"), Rename::new("opened", "opened_on"), true),
    day("cases", "case", Rename::new("decided", "decidedOn"), Rename::new("decided", "decided_on"), true),
    day("laws", "law", Rename::new("adopted", "adoptedOn"), Rename::new("adopted", "adopted_on"), true),
    day("laws", "law", Rename::new("repealed", "repealedOn"), Rename::new("repealed", "repealed_on"), true),
    day("organizations", "organization", Rename::new("founded", "foundedOn"), Rename::new("founded", "founded_on"), true),
    day("organizations", "organization", Rename::new("dissolved", "dissolvedOn"), Rename::new("dissolved", "dissolved_on"), false),
    day("proposals", "proposal", Rename::new("introduced", "introducedOn"), Rename::new("introduced", "introduced_on"), true),
    day("memberships", "membership", Rename::new("startDate", "start"), Rename::new("start_date", "start"), true),
    day("memberships", "membership", Rename::new("endDate", "end"), Rename::new("end_date", "end"), false),
];

/// The column of the instant of a revision.
const CHANGED_AT: Rename = Rename::new("at", "changed_at");

const fn day(table: &'static str, record_type: &'static str, field: Rename, column: Rename, is_ordered: bool) -> RenamedDay {
    RenamedDay { table, record_type, field, column, is_ordered }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rename(manager, &DAYS, CHANGED_AT).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let days = DAYS.map(|day| RenamedDay { field: day.field.reversed(), column: day.column.reversed(), ..day });
        rename(manager, &days, CHANGED_AT.reversed()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        // SQLite migrations have none by default; an interrupted one must not leave half of the names
        Some(true)
    }
}

async fn rename(manager: &SchemaManager<'_>, days: &[RenamedDay], changed_at: Rename) -> Result<(), DbErr> {
    for RenamedDay { table, column, is_ordered, .. } in days {
        rename_column(manager, table, column.from, column.to).await?;
        if *is_ordered {
            let order_column = format!("{}_order", column.to);
            rename_column(manager, table, &format!("{}_order", column.from), &order_column).await?;
            rename_order_index(manager, table, *column, &order_column).await?;
        }
    }
    rename_column(manager, REVISIONS, changed_at.from, changed_at.to).await?;
    rename_order_index(manager, REVISIONS, changed_at, changed_at.to).await?;
    for day in days {
        rename_in_citations(manager, day).await?;
    }
    rename_in_histories(manager, days).await
}

async fn rename_column(manager: &SchemaManager<'_>, table: &'static str, from: &str, to: &str) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(table).rename_column(Alias::new(from), Alias::new(to)).to_owned()).await
}

/// Renames the index by which lists are ordered. SQLite cannot rename an index, so it is created again.
async fn rename_order_index(manager: &SchemaManager<'_>, table: &'static str, column: Rename, order_column: &str) -> Result<(), DbErr> {
    let [from, to] = [column.from, column.to].map(|column| format!("{table}_{column}_order_idx"));
    if manager.get_database_backend() == DbBackend::Postgres {
        let statement = format!("ALTER INDEX \"{from}\" RENAME TO \"{to}\"");
        return manager.get_connection().execute_unprepared(&statement).await.map(drop);
    }
    manager.drop_index(Index::drop().name(from).table(table).to_owned()).await?;
    manager.create_index(Index::create().name(to).table(table).col(Alias::new(order_column)).col("id").to_owned()).await
}

/// Renames the field that citations support, and that field in derived keys, such as `registry:decided:2020`.
async fn rename_in_citations(manager: &SchemaManager<'_>, day: &RenamedDay) -> Result<(), DbErr> {
    let RenamedDay { table, field: Rename { from, to }, .. } = day;
    let position = if manager.get_database_backend() == DbBackend::Postgres { "strpos" } else { "instr" };
    // the source, which is the first component of a derived key, contains no colon; neither does a key that an editor gave
    let colon = format!("{position}(key, ':')");
    let length = from.len() + 1;
    let statement = format!(
        "UPDATE citations SET field = '{to}', key = CASE WHEN substr(key, {colon}, {length}) = ':{from}' \
         THEN substr(key, 1, {colon}) || '{to}' || substr(key, {colon} + {length}) ELSE key END \
         WHERE field = '{from}' AND record_id IN (SELECT id FROM {table})"
    );
    manager.get_connection().execute_unprepared(&statement).await.map(drop)
}

/// Renames the fields in the changes of revisions.
async fn rename_in_histories(manager: &SchemaManager<'_>, days: &[RenamedDay]) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
    let mut last_sequence = 0;
    loop {
        let select = Query::select()
            .columns(["sequence", "record_type"])
            .expr(Expr::col("changes").cast_as("text"))
            .from(REVISIONS)
            .and_where(Expr::col("sequence").gt(last_sequence))
            .and_where(Expr::col("record_type").is_in(days.iter().map(|day| day.record_type)))
            .order_by("sequence", Order::Asc)
            .limit(BATCH_ROWS)
            .to_owned();
        let rows = connection.query_all(&select).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            last_sequence = row.try_get_by_index::<i32>(0)?;
            let record_type: String = row.try_get_by_index(1)?;
            let changes: String = row.try_get_by_index(2)?;
            let mut changes: Json = serde_json::from_str(&changes).map_err(|error| {
                DbErr::Migration(format!("the changes of the revision with sequence {last_sequence} are not JSON: {error}"))
            })?;
            let fields: Vec<Rename> = days.iter().filter(|day| day.record_type == record_type).map(|day| day.field).collect();
            if !rename_in_changes(&mut changes, &fields) {
                continue;
            }
            let text = Expr::val(changes.to_string());
            // bound as `jsonb`, the value would lose the order of its keys
            let value = if is_postgres { text.cast_as("json") } else { text };
            let update =
                Query::update().table(REVISIONS).value("changes", value).and_where(Expr::col("sequence").eq(last_sequence)).to_owned();
            connection.execute(&update).await?;
        }
    }
}

/// Renames fields in the changes of one revision. Returns whether any name changed.
fn rename_in_changes(changes: &mut Json, fields: &[Rename]) -> bool {
    let mut is_changed = false;
    for change in changes.as_array_mut().into_iter().flatten() {
        let Some(path) = change.get("field").and_then(Json::as_str).map(str::to_owned) else { continue };
        if let Some(name) = renamed(&path, fields) {
            change["field"] = name.into();
            is_changed = true;
        }
        let Some(key) = path.strip_prefix("citations[") else { continue };
        if let Some(key) = renamed_key(key, fields) {
            change["field"] = format!("citations[{key}").into();
            is_changed = true;
        }
        for side in ["old", "new"] {
            if let Some(value) = change.get_mut(side) {
                is_changed |= rename_in_citation(value, path.ends_with("].field"), fields);
            }
        }
    }
    is_changed
}

/// Renames the field in a recorded citation, or in the value of its field if `is_field`. Returns whether it was renamed.
fn rename_in_citation(value: &mut Json, is_field: bool, fields: &[Rename]) -> bool {
    match value {
        Json::String(name) if is_field => match renamed(name, fields) {
            Some(new) => {
                new.clone_into(name);
                true
            }
            None => false,
        },
        Json::Object(citation) => {
            let field = citation.get("field").and_then(Json::as_str).and_then(|name| renamed(name, fields));
            let key = citation.get("key").and_then(Json::as_str).and_then(|key| renamed_key(key, fields));
            let is_changed = field.is_some() || key.is_some();
            if let Some(field) = field {
                citation.insert("field".to_owned(), field.into());
            }
            if let Some(key) = key {
                citation.insert("key".to_owned(), key.into());
            }
            is_changed
        }
        _ => false,
    }
}

fn renamed(name: &str, fields: &[Rename]) -> Option<&'static str> {
    fields.iter().find(|field| field.from == name).map(|field| field.to)
}

/// A derived key of a citation, such as `registry:decided:2020`, with the new name of its field. Text after the key is kept.
fn renamed_key(key: &str, fields: &[Rename]) -> Option<String> {
    let (source, rest) = key.split_once(':')?;
    fields.iter().find_map(|field| {
        let tail = rest.strip_prefix(field.from)?;
        let is_whole_name = !tail.starts_with(|next: char| next.is_ascii_alphanumeric());
        is_whole_name.then(|| format!("{source}:{}{tail}", field.to))
    })
}

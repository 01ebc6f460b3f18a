//! Removes characters from stored texts that no text may contain, as versions before this one accepted them: control
//! characters other than tab and line ends, U+FFFE and U+FFFF. Histories and saved queries are cleaned like records.
//!
//! Logs a warning with the number of values for each column that had such characters.

use std::ops::BitOr;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Map, Value as Json};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// A column with texts.
#[derive(Debug)]
struct TextColumn {
    table: String,
    column: String,
    /// Whether the texts are JSON.
    is_json: bool,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in text_columns(manager).await? {
            let count = clean(manager, &column).await?;
            if count > 0 {
                let TextColumn { table, column, .. } = &column;
                tracing::warn!(db.table = table, db.column = column, values.count = count, "control characters removed from stored texts");
            }
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        // the characters are not restored
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// All columns with texts, except generated ones and those of the full-text index.
async fn text_columns(manager: &SchemaManager<'_>) -> Result<Vec<TextColumn>, DbErr> {
    let backend = manager.get_database_backend();
    let select = match backend {
        DbBackend::Postgres => {
            "SELECT c.table_name::text, c.column_name::text, c.data_type::text FROM information_schema.columns c \
             JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
             WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER' \
             AND c.data_type IN ('text', 'json') ORDER BY 1, 2"
        }
        DbBackend::Sqlite => {
            "SELECT t.name, c.name, lower(c.type) FROM sqlite_master t, pragma_table_xinfo(t.name) c \
             WHERE t.type = 'table' AND c.hidden = 0 AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE 'search_index%' \
             AND (lower(c.type) LIKE '%text%' OR lower(c.type) LIKE '%json%') AND lower(c.type) NOT LIKE 'uuid%' ORDER BY 1, 2"
        }
        other => return Err(DbErr::Migration(format!("{other:?} is not supported"))),
    };
    let rows = manager.get_connection().query_all_raw(Statement::from_string(backend, select)).await?;
    let column = |row: &sea_orm_migration::sea_orm::QueryResult| {
        let kind: String = row.try_get_by_index(2)?;
        Ok(TextColumn { table: row.try_get_by_index(0)?, column: row.try_get_by_index(1)?, is_json: kind.contains("json") })
    };
    rows.iter().map(column).collect()
}

/// Cleans the values of a column. Returns how many had forbidden characters.
async fn clean(manager: &SchemaManager<'_>, TextColumn { table, column, is_json }: &TextColumn) -> Result<usize, DbErr> {
    let (backend, connection) = (manager.get_database_backend(), manager.get_connection());
    let (row_id, text, mut condition, position) = match backend {
        DbBackend::Postgres => {
            let text = format!("\"{column}\"::text");
            let condition = format!("{text} ~ '[\\u0001-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\ufffe\\uffff]'");
            ("ctid::text", text, condition, "strpos")
        }
        // a pattern ends at U+0000, and a text with U+FFFE matches as U+FFFD
        DbBackend::Sqlite => {
            let text = format!("CAST(\"{column}\" AS TEXT)");
            let condition = format!(
                "instr(CAST(\"{column}\" AS BLOB), x'00') > 0 OR \"{column}\" GLOB '*[' || char(1) || '-' || char(8) || char(11, 12, 14) || '-' || \
                 char(31, 127) || '-' || char(159, 65533) || ']*'"
            );
            ("CAST(rowid AS TEXT)", text, condition, "instr")
        }
        other => return Err(DbErr::Migration(format!("{other:?} is not supported"))),
    };
    if *is_json {
        for escape in ["\\u", "\\b", "\\f"] {
            condition = format!("{condition} OR {position}({text}, '{escape}') > 0");
        }
    }
    let select = format!("SELECT {row_id}, {text} FROM \"{table}\" WHERE {condition}");
    let rows = connection.query_all_raw(Statement::from_string(backend, select)).await?;
    let mut count = 0;
    for row in rows {
        let (id, value): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let cleaned = if *is_json {
            let mut json: Json = serde_json::from_str(&value)
                .map_err(|error| DbErr::Migration(format!("a value of {column} in {table} is not JSON: {error}")))?;
            if !clean_json(&mut json) {
                continue;
            }
            json.to_string()
        } else {
            match without_forbidden(&value) {
                Some(cleaned) => cleaned,
                None => continue,
            }
        };
        let value = match (backend, is_json) {
            (DbBackend::Postgres, true) => Expr::val(cleaned).cast_as("json"),
            _ => Expr::val(cleaned),
        };
        // compared as text, each row would scan the table
        let row_condition = match backend {
            DbBackend::Postgres => Expr::cust("ctid").eq(Expr::val(id).cast_as("tid")),
            _ => Expr::cust("rowid").eq(Expr::val(id).cast_as("integer")),
        };
        let update = Query::update().table(Alias::new(table)).value(Alias::new(column), value).and_where(row_condition).to_owned();
        connection.execute(&update).await?;
        count += 1;
    }
    Ok(count)
}

fn is_forbidden(char: char) -> bool {
    (char.is_control() && !matches!(char, '\t' | '\n' | '\r')) || matches!(char, '\u{fffe}' | '\u{ffff}')
}

/// The text without forbidden characters; `None` if it has none.
fn without_forbidden(text: &str) -> Option<String> {
    text.contains(is_forbidden).then(|| text.replace(is_forbidden, ""))
}

/// Cleans the texts and names in a value. Returns whether any changed. The depth of stored values is bounded.
fn clean_json(value: &mut Json) -> bool {
    match value {
        Json::String(text) => match without_forbidden(text) {
            Some(cleaned) => {
                *text = cleaned;
                true
            }
            None => false,
        },
        Json::Array(items) => items.iter_mut().map(clean_json).fold(false, BitOr::bitor),
        Json::Object(members) => {
            let mut is_changed = members.values_mut().map(clean_json).fold(false, BitOr::bitor);
            if members.keys().any(|name| name.contains(is_forbidden)) {
                let renamed: Map<String, Json> =
                    std::mem::take(members).into_iter().map(|(name, value)| (name.replace(is_forbidden, ""), value)).collect();
                *members = renamed;
                is_changed = true;
            }
            is_changed
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_at_any_depth_are_cleaned_in_order() {
        let mut value: Json = serde_json::from_str(r#"{"b": ["a\u0000", {"k\u0007": "x\fy\tz"}], "a": "\\u0000", "n": 1.50}"#).unwrap();
        assert!(clean_json(&mut value));
        assert_eq!(value.to_string(), r#"{"b":["a",{"k":"xy\tz"}],"a":"\\u0000","n":1.5}"#);
        assert!(!clean_json(&mut value));
    }
}

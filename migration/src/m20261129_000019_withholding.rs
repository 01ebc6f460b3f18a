//! Keyed digests of withheld persons, with those of the words of their names, and former slugs that readers may follow.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::table::{drop_tables, text_column};

#[derive(DeriveMigrationName)]
pub struct Migration;

const FORMER_SLUGS: &str = "former_slugs";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let text = |name: &'static str| text_column(backend, name).not_null().take();
        let uuid = |name: &'static str| ColumnDef::new(name).uuid().not_null().take();
        // the store gives the existing digests a key
        let key = text("key").default("").take();
        manager.alter_table(Table::alter().table("withheld").add_column(key).to_owned()).await?;
        let to_nodes = |name: &str, table: &'static str| {
            ForeignKey::create().name(name).from(table, "record_id").to("nodes", "id").on_delete(ForeignKeyAction::Restrict).to_owned()
        };
        manager
            .create_table(
                Table::create()
                    .table("withheld_words")
                    .col(text("digest"))
                    .col(uuid("record_id"))
                    .col(ColumnDef::new("word").integer().not_null())
                    .col(text("key"))
                    .primary_key(Index::create().name("withheld_words_pkey").col("digest").col("record_id").col("word"))
                    .foreign_key(&mut to_nodes("withheld_words_record_id_fk", "withheld_words"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("withheld_slugs")
                    .col(text("digest"))
                    .col(text("record_type"))
                    .col(uuid("record_id"))
                    .col(text("key"))
                    .primary_key(Index::create().name("withheld_slugs_pkey").col("digest").col("record_type"))
                    .foreign_key(&mut to_nodes("withheld_slugs_record_id_fk", "withheld_slugs"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("withheld_salt")
                    .col(ColumnDef::new("id").integer().not_null().primary_key())
                    .col(text("salt"))
                    .to_owned(),
            )
            .await?;
        let published = ColumnDef::new("published").boolean().not_null().default(true).take();
        manager.alter_table(Table::alter().table(FORMER_SLUGS).add_column(published).to_owned()).await?;
        manager.get_connection().execute_unprepared(&hide_slugs_of_drafts(backend)).await?;
        // words that no name has any more; PostgreSQL runs NOT IN once per row if the words exceed its memory for hashes
        let forget = match backend {
            DbBackend::Postgres => {
                "DELETE FROM search_variants v WHERE NOT EXISTS (SELECT 1 FROM \
                 (SELECT unnest(string_to_array(names, ' ')) AS word FROM search_documents) kept WHERE kept.word = v.word)"
            }
            _ => {
                "DELETE FROM search_variants WHERE word NOT IN (WITH RECURSIVE split(word, rest) AS \
                 (SELECT '', names || ' ' FROM search_documents UNION ALL \
                 SELECT substr(rest, 1, instr(rest, ' ') - 1), substr(rest, instr(rest, ' ') + 1) FROM split WHERE rest <> '') \
                 SELECT word FROM split)"
            }
        };
        manager.get_connection().execute_unprepared(forget).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table(FORMER_SLUGS).drop_column("published").to_owned()).await?;
        drop_tables(manager, &["withheld_salt", "withheld_slugs", "withheld_words"]).await?;
        manager.alter_table(Table::alter().table("withheld").drop_column("key").to_owned()).await
    }
}

/// Hides the slugs that a record had only while readers could not see it, or before it was unpublished: a hidden revision
/// changed the slug, and no visible one did.
fn hide_slugs_of_drafts(backend: DbBackend) -> String {
    let position = if backend == DbBackend::Postgres { "strpos" } else { "instr" };
    let changed = |published: &str, record: &str| {
        format!(
            "EXISTS (SELECT 1 FROM revisions r WHERE r.record_id {record} AND {published} AND \
             {position}(CAST(r.changes AS text), '\"field\":\"slug\",\"old\":\"' || former_slugs.slug || '\"') > 0)"
        )
    };
    let itself = "= former_slugs.record_id";
    let hidden = changed("NOT r.published AND r.kind = 'updated'", itself);
    let visible = changed("r.published", itself);
    format!("UPDATE {FORMER_SLUGS} SET published = (1 = 0) WHERE {hidden} AND NOT {visible}")
}

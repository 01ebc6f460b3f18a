//! Search documents: what a record is found by, written with the record.

use std::collections::{BTreeSet, HashMap};

use sea_orm::sea_query::{Alias, Expr, ExprTrait, OnConflict, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value as Bound};
use uuid::Uuid;

use super::apply::{Row, insert, label_texts, sort_key, texts};
use super::{CHUNK, lives};
use crate::entity::RecordType;
use crate::error::{Result, internal};
use crate::fold::{fold, words};
use crate::store::db::database;
use crate::store::record::{Kind, OTHER_NAME, Record, Search};
use crate::store::row::Cell;
use crate::store::search::{MIN_MISTYPED, spellings};

/// Search documents to be written.
#[derive(Debug, Default)]
pub(super) struct Documents {
    rows: Vec<Vec<Bound>>,
    jurisdictions: HashMap<Uuid, Option<Uuid>>,
    variants: BTreeSet<(String, String)>,
}

const COLUMNS: [&str; 9] = ["id", "record_type", "jurisdiction_id", "sort_key", "label", "body", "names", "words", "published"];

impl Documents {
    /// Makes the documents of records of one type.
    pub(super) async fn add(&mut self, transaction: &DatabaseTransaction, record: &Record, rows: &[Row]) -> Result<()> {
        if !lives(record) {
            return Ok(());
        }
        let through = record.jurisdiction_field().and_then(|field| Some((record.field_index(field.name)?, field.kind)));
        if let Some((field, Kind::One(target))) = through
            && target != RecordType::Jurisdiction
        {
            self.find_jurisdictions(transaction, rows, field).await?;
        }
        let published = record.field_index("published").unwrap_or_default();
        for row in rows {
            let jurisdiction = match (record.ty, through.map(|(field, kind)| (&row.cells[field], kind))) {
                (RecordType::Jurisdiction, _) => Some(row.id),
                (_, Some((Cell::Id(id), Kind::One(RecordType::Jurisdiction)))) => Some(*id),
                (_, Some((Cell::Id(id), _))) => self.jurisdictions.get(id).copied().flatten(),
                _ => None,
            };
            self.jurisdictions.insert(row.id, jurisdiction);
            let fields = |search| record.fields.iter().zip(&row.cells).filter(move |(field, _)| field.search == search);
            let names: Vec<String> = fields(Search::Name).flat_map(|(_, cell)| texts(cell)).map(fold).collect();
            if record.fields.iter().any(|field| matches!(field.kind, Kind::List(of) if std::ptr::eq(of, &raw const OTHER_NAME))) {
                for word in names.iter().flat_map(|name| words(name)).filter(|word| word.len() >= MIN_MISTYPED) {
                    self.variants.extend(spellings(word).into_iter().map(|variant| (variant, word.to_owned())));
                }
            }
            let body = fields(Search::Text).flat_map(|(_, cell)| texts(cell)).collect::<Vec<_>>().join("\n");
            self.rows.push(vec![
                row.id.into(),
                record.ty.prefix().into(),
                jurisdiction.into(),
                sort_key(record, &row.cells).into(),
                label_texts(record, &row.cells).join("\n").into(),
                body.as_str().into(),
                names.join(" ").into(),
                fold(&body).into(),
                (row.cells[published] == Cell::Boolean(true)).into(),
            ]);
        }
        Ok(())
    }

    /// Looks up the jurisdictions of the records that these rows refer to.
    async fn find_jurisdictions(&mut self, transaction: &DatabaseTransaction, rows: &[Row], field: usize) -> Result<()> {
        let unknown: BTreeSet<Uuid> = rows
            .iter()
            .filter_map(|row| match row.cells[field] {
                Cell::Id(id) if !self.jurisdictions.contains_key(&id) => Some(id),
                _ => None,
            })
            .collect();
        let unknown: Vec<Uuid> = unknown.into_iter().collect();
        for chunk in unknown.chunks(CHUNK) {
            let select = Query::select()
                .columns(["id", "jurisdiction_id"])
                .from("search_documents")
                .and_where(Expr::col("id").is_in(chunk.iter().copied()))
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                self.jurisdictions.insert(row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
            }
        }
        Ok(())
    }

    /// Writes the documents.
    pub(super) async fn write(self, transaction: &DatabaseTransaction) -> Result<()> {
        insert(transaction, "search_documents", &COLUMNS, self.rows, true).await?;
        let variants: Vec<(String, String)> = self.variants.into_iter().collect();
        for chunk in variants.chunks(CHUNK / 2) {
            let mut insert = Query::insert();
            insert.into_table("search_variants").columns(["variant", "word"].map(Alias::new));
            for (variant, word) in chunk {
                insert.values([Expr::val(variant.as_str()), Expr::val(word.as_str())]).map_err(internal)?;
            }
            insert.on_conflict(OnConflict::new().do_nothing().to_owned());
            transaction.execute(&insert).await.map_err(database)?;
        }
        Ok(())
    }
}

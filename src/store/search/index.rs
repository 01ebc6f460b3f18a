//! Search documents: what a record is found by, written with the record.

use std::collections::{BTreeSet, HashMap};

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value as Bound};
use uuid::Uuid;

use crate::catalog::record::{FieldKind, OTHER_NAME, Record, SearchIndexing};
use crate::core::error::{Result, internal};
use crate::core::normalize::{fold, words};
use crate::entity::RecordType;
use crate::store::database;
use crate::store::read::result::Cell;
use crate::store::search::query::{MIN_MISTYPED, spellings};
use crate::store::sql::bulk_insert::{Conflict, Into, Split, insert};
use crate::store::sql::dialect::{one_of, one_of_ids};
use crate::store::write::load::LOOKUP_BATCH_VALUES;
use crate::store::write::model::NewRow;
use crate::store::write::value::{is_record, label_texts, sort_key};

/// Search documents to be written.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    rows: Vec<Vec<Bound>>,
    jurisdictions: HashMap<Uuid, Option<Uuid>>,
    /// Words of names, each to be found by its spellings of one letter less.
    words: BTreeSet<String>,
}

const COLUMNS: [&str; 9] = ["id", "record_type", "jurisdiction_id", "sort_key", "label", "body", "names", "words", "published"];

impl Documents {
    /// Makes the documents of records of one type.
    pub(crate) async fn add(&mut self, transaction: &DatabaseTransaction, record: &Record, rows: &[NewRow]) -> Result<()> {
        if !is_record(record) {
            return Ok(());
        }
        let through = record.jurisdiction_field().and_then(|field| Some((record.field_index(field.name)?, field.kind)));
        if let Some((field, FieldKind::One(target))) = through
            && target != RecordType::Jurisdiction
        {
            self.find_jurisdictions(transaction, rows, field).await?;
        }
        let published = record.field_index("published").unwrap_or_default();
        for row in rows {
            let jurisdiction = match (record.ty, through.map(|(field, kind)| (&row.cells[field], kind))) {
                (RecordType::Jurisdiction, _) => Some(row.id),
                (_, Some((Cell::Id(id), FieldKind::One(RecordType::Jurisdiction)))) => Some(*id),
                (_, Some((Cell::Id(id), _))) => self.jurisdictions.get(id).copied().flatten(),
                _ => None,
            };
            self.jurisdictions.insert(row.id, jurisdiction);
            let fields = |search| record.fields.iter().zip(&row.cells).filter(move |(field, _)| field.search == search);
            let names: Vec<String> = fields(SearchIndexing::Name).flat_map(|(_, cell)| cell.texts()).map(fold).collect();
            if record.fields.iter().any(|field| matches!(field.kind, FieldKind::List(of) if std::ptr::eq(of, &raw const OTHER_NAME))) {
                for word in names.iter().flat_map(|name| words(name)).filter(|word| word.len() >= MIN_MISTYPED) {
                    if !self.words.contains(word) {
                        self.words.insert(word.to_owned());
                    }
                }
            }
            let body = fields(SearchIndexing::Text).flat_map(|(_, cell)| cell.texts()).collect::<Vec<_>>().join("\n");
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
    async fn find_jurisdictions(&mut self, transaction: &DatabaseTransaction, rows: &[NewRow], field: usize) -> Result<()> {
        let unknown: BTreeSet<Uuid> = rows
            .iter()
            .filter_map(|row| match row.cells[field] {
                Cell::Id(id) if !self.jurisdictions.contains_key(&id) => Some(id),
                _ => None,
            })
            .collect();
        let unknown: Vec<Uuid> = unknown.into_iter().collect();
        for chunk in unknown.chunks(LOOKUP_BATCH_VALUES) {
            let select = Query::select()
                .columns(["id", "jurisdiction_id"])
                .from("search_documents")
                .and_where(one_of_ids(transaction.get_database_backend(), "id", chunk)?)
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                self.jurisdictions.insert(row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
            }
        }
        Ok(())
    }

    /// Writes the documents.
    pub(crate) async fn write(mut self, transaction: &DatabaseTransaction) -> Result<()> {
        self.forget_known_words(transaction).await?;
        // after each statement SQLite writes a new piece of the full-text index, to be merged with others later
        let into = Into { table: "search_documents", columns: &COLUMNS, conflict: Conflict::Replaces, split: Split::By(1_000) };
        insert(transaction, into, self.rows).await?;
        let spellings =
            |word: &String| spellings(word).into_iter().map(|variant| vec![variant.into(), word.as_str().into()]).collect::<Vec<_>>();
        let variants = self.words.iter().flat_map(spellings).collect();
        let into = Into { table: "search_variants", columns: &["variant", "word"], conflict: Conflict::Yields, split: Split::Freely };
        insert(transaction, into, variants).await
    }

    /// Leaves out words whose spellings have been written before: each word is among its own.
    async fn forget_known_words(&mut self, transaction: &DatabaseTransaction) -> Result<()> {
        let words: Vec<String> = self.words.iter().cloned().collect();
        for chunk in words.chunks(LOOKUP_BATCH_VALUES) {
            let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
            let select = Query::select()
                .column("word")
                .from("search_variants")
                .and_where(one_of(transaction.get_database_backend(), "variant", &chunk)?)
                .and_where(Expr::col("variant").equals("word"))
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                self.words.remove(&row.try_get_by_index::<String>(0).map_err(internal)?);
            }
        }
        Ok(())
    }
}

//! Search documents, written in the transaction of their records.

use std::collections::{BTreeSet, HashMap};

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::field::SearchIndexing;
use crate::catalog::kind::{FieldKind, OTHER_NAME};
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::core::ids::FieldId;
use crate::core::normalize::{MAX_INDEXED_NAME_BYTES, MAX_INDEXED_TEXT_BYTES, cut_for_index, fold_for_search, words};
use crate::core::sound::{SOUND_PREFIX, sound_word};
use crate::entity::RecordType;
use crate::store::error::database;
use crate::store::likeness::keys::NameKeys;
use crate::store::read::result::Cell;
use crate::store::search::query::{MIN_FUZZY_WORD_BYTES, deletion_variants};
use crate::store::sql::bulk_insert::{Batching, ConflictAction, InsertTarget, insert};
use crate::store::sql::dialect::{MatchMode, SearchTerms, one_of, one_of_ids};
use crate::store::write::load::LOOKUP_BATCH_VALUES;
use crate::store::write::model::NewRow;
use crate::store::write::value::{is_record, label_texts, sort_key};

/// Search documents to write.
#[derive(Debug, Default)]
pub(crate) struct SearchDocuments {
    rows: Vec<Vec<Value>>,
    jurisdictions: HashMap<Uuid, Option<Uuid>>,
    /// Words of names, which are indexed by their deletion variants.
    name_words: BTreeSet<String>,
    /// Records whose names are indexed by word, and which may have had others.
    replaced: Vec<Uuid>,
    /// Keys by which records with like names are found.
    name_keys: NameKeys,
}

/// Maximum number of words in the names of a record that are found despite a misspelling. Each takes up to 41 rows.
const MAX_FUZZY_WORDS: usize = 500;
/// Documents per statement on SQLite.
const FULL_TEXT_BATCH_ROWS: usize = 1_000;
const COLUMNS: [&str; 9] = ["id", "record_type", "jurisdiction_id", "sort_key", "label", "body", "names", "words", "published"];

impl SearchDocuments {
    /// Adds the documents of records of one type.
    pub(crate) async fn add(&mut self, transaction: &DatabaseTransaction, record: &Record, rows: &[NewRow]) -> Result<()> {
        if !is_record(record) {
            return Ok(());
        }
        let jurisdiction_field = record.jurisdiction_field().and_then(|field| Some((record.field_id(field.name)?, field.kind)));
        if let Some((field, FieldKind::One(target))) = jurisdiction_field
            && target != RecordType::Jurisdiction
        {
            self.fetch_jurisdictions(transaction, rows, field).await?;
        }
        let published = record.known_field("published");
        self.name_keys.add(record, rows);
        for row in rows {
            let jurisdiction = match (record.ty, jurisdiction_field.map(|(field, kind)| (&row.cells[field.index()], kind))) {
                (RecordType::Jurisdiction, _) => Some(row.id),
                (_, Some((Cell::Id(id), FieldKind::One(RecordType::Jurisdiction)))) => Some(*id),
                (_, Some((Cell::Id(id), _))) => self.jurisdictions.get(id).copied().flatten(),
                _ => None,
            };
            self.jurisdictions.insert(row.id, jurisdiction);
            let fields = |search| record.fields.iter().zip(&row.cells).filter(move |(field, _)| field.search == search);
            let names: Vec<String> = fields(SearchIndexing::Name).flat_map(|(_, cell)| cell.texts()).map(fold_for_search).collect();
            let sounds = names.iter().flat_map(|name| words(name)).filter_map(sound_word);
            let indexed_names = names.iter().cloned().chain(sounds).collect::<Vec<_>>().join(" ");
            if record.fields.iter().any(|field| matches!(field.kind, FieldKind::List(of) if std::ptr::eq(of, &raw const OTHER_NAME))) {
                self.replaced.push(row.id);
                let fuzzy = names.iter().flat_map(|name| words(name)).filter(|word| word.len() >= MIN_FUZZY_WORD_BYTES);
                for word in fuzzy.take(MAX_FUZZY_WORDS) {
                    if !self.name_words.contains(word) {
                        self.name_words.insert(word.to_owned());
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
                cut_for_index(indexed_names, MAX_INDEXED_NAME_BYTES).into(),
                cut_for_index(fold_for_search(&body), MAX_INDEXED_TEXT_BYTES).into(),
                (row.cells[published.index()] == Cell::Boolean(true)).into(),
            ]);
        }
        Ok(())
    }

    /// Fetches the jurisdictions of the records that a field of the rows refers to.
    async fn fetch_jurisdictions(&mut self, transaction: &DatabaseTransaction, rows: &[NewRow], field: FieldId) -> Result<()> {
        let unknown: BTreeSet<Uuid> = rows
            .iter()
            .filter_map(|row| match row.cells[field.index()] {
                Cell::Id(id) if !self.jurisdictions.contains_key(&id) => Some(id),
                _ => None,
            })
            .collect();
        let unknown: Vec<Uuid> = unknown.into_iter().collect();
        for batch in unknown.chunks(LOOKUP_BATCH_VALUES) {
            let select = Query::select()
                .columns(["id", "jurisdiction_id"])
                .from("search_documents")
                .and_where(one_of_ids(transaction.get_database_backend(), "id", batch)?)
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                self.jurisdictions.insert(row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
            }
        }
        Ok(())
    }

    /// Inserts or replaces the documents.
    pub(crate) async fn write(mut self, transaction: &DatabaseTransaction) -> Result<()> {
        let ids: Vec<Uuid> = std::mem::take(&mut self.replaced);
        let former = name_words_of(transaction, &ids).await?;
        self.remove_indexed_words(transaction).await?;
        // each statement makes SQLite write a segment of the full-text index, to be merged later
        let batching = Batching::Rows(FULL_TEXT_BATCH_ROWS);
        let target = InsertTarget { table: "search_documents", columns: &COLUMNS, on_conflict: ConflictAction::Replace, batching };
        insert(transaction, target, self.rows).await?;
        self.name_keys.write(transaction).await?;
        let variants = |word: &String| {
            let rows = deletion_variants(word).into_iter().map(|variant| vec![variant.into(), word.as_str().into()]);
            rows.collect::<Vec<_>>()
        };
        let variants = self.name_words.iter().flat_map(variants).collect();
        let columns = &["variant", "word"];
        let target = InsertTarget { table: "search_variants", columns, on_conflict: ConflictAction::Ignore, batching: Batching::Fastest };
        insert(transaction, target, variants).await?;
        forget_unused_words(transaction, former).await
    }

    /// Removes words whose variants are in the index: each word is one of its own variants.
    async fn remove_indexed_words(&mut self, transaction: &DatabaseTransaction) -> Result<()> {
        let words: Vec<String> = self.name_words.iter().cloned().collect();
        for batch in words.chunks(LOOKUP_BATCH_VALUES) {
            let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
            let select = Query::select()
                .column("word")
                .from("search_variants")
                .and_where(one_of(transaction.get_database_backend(), "variant", &batch)?)
                .and_where(Expr::col("variant").equals("word"))
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                self.name_words.remove(&row.try_get_by_index::<String>(0).map_err(internal)?);
            }
        }
        Ok(())
    }
}

/// Types whose names are indexed by word.
fn types_with_indexed_names() -> impl Iterator<Item = RecordType> {
    let has_other_names = |record: &&Record| {
        record.fields.iter().any(|field| matches!(field.kind, FieldKind::List(of) if std::ptr::eq(of, &raw const OTHER_NAME)))
    };
    catalog().all().filter(has_other_names).map(|record| record.ty)
}

/// The words of the names of records, according to their search documents.
pub(crate) async fn name_words_of(transaction: &DatabaseTransaction, records: &[Uuid]) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let types: Vec<&str> = types_with_indexed_names().map(RecordType::prefix).collect();
    for batch in records.chunks(LOOKUP_BATCH_VALUES) {
        let select = Query::select()
            .column("names")
            .from("search_documents")
            .and_where(one_of_ids(transaction.get_database_backend(), "id", batch)?)
            .and_where(Expr::col("record_type").is_in(types.iter().copied()))
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let names: String = row.try_get_by_index(0).map_err(internal)?;
            found.extend(words(&names).filter(|word| !word.starts_with(SOUND_PREFIX)).map(str::to_owned));
        }
    }
    Ok(found)
}

/// Removes the words among these that no name has any more from the index of misspellings.
pub(crate) async fn forget_unused_words(transaction: &DatabaseTransaction, former: BTreeSet<String>) -> Result<()> {
    let backend = transaction.get_database_backend();
    let types: Vec<&str> = types_with_indexed_names().map(RecordType::prefix).collect();
    for word in former.into_iter().filter(|word| word.len() >= MIN_FUZZY_WORD_BYTES) {
        let terms = [vec![word.clone()]];
        let used = Query::select()
            .expr(Expr::val(1))
            .from_as("search_documents", Alias::new("d"))
            .and_where(SearchTerms(&terms).matches(backend, MatchMode::WholeName))
            .and_where(Expr::col((Alias::new("d"), Alias::new("record_type"))).is_in(types.iter().copied()))
            .limit(1)
            .to_owned();
        if transaction.query_one(&used).await.map_err(database)?.is_none() {
            let delete = Query::delete().from_table("search_variants").and_where(Expr::col("word").eq(word)).to_owned();
            transaction.execute(&delete).await.map_err(database)?;
        }
    }
    Ok(())
}

//! Walks every column in which text about people can stand, to find or to redact names.

use std::collections::{BTreeSet, HashMap, HashSet};

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Order, Query};
use sea_orm::{ConnectionTrait, QueryResult};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::field::Field;
use crate::catalog::record::{Record, RecordKind};
use crate::core::error::{Result, internal};
use crate::core::id;
use crate::core::ids::FieldId;
use crate::store::curation::name_recognition::{NameRecognizer, REPLACEMENT_NAMES};
use crate::store::curation::name_redaction::{NameRedaction, ReplacedKeys, texts};
use crate::store::curation::referrers::{Referrer, owner_of};
use crate::store::curation::text_columns::{TextHolder, text_columns, text_fields};
use crate::store::database;
use crate::store::read::result::Cell;
use crate::store::sql::dialect;
use crate::store::write::session::WriteSession;

/// Rows read at a time.
const SCAN_BATCH_ROWS: u64 = 1_000;
/// Maximum number of places listed.
const MAX_PLACES: usize = 1_000;

/// A place with text about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPlace {
    /// Type of the record, such as `case`, or name of the table.
    pub kind: String,
    /// Id of the record, or key of the row.
    pub record: String,
    /// Field, such as `summary`, or `caseParty.description` for a field of a part.
    pub field: String,
    /// Whether a name was redacted there. Otherwise the text stays as it was.
    pub redacted: bool,
}

/// Places with text about a person, for an admin to look at.
#[derive(Debug, Clone, Default)]
pub struct TextPlaces {
    /// The places; at most 1,000.
    pub places: Vec<TextPlace>,
    /// Number of all places.
    pub total: usize,
    /// The records with the places.
    pub(super) owners: BTreeSet<Referrer>,
}

impl TextPlaces {
    fn add(&mut self, place: TextPlace) {
        if !self.places.contains(&place) {
            self.total += 1;
            if self.places.len() < MAX_PLACES {
                self.places.push(place);
            }
        }
    }

    /// Adds places that were not redacted.
    pub(super) fn add_possible(&mut self, possible: Self) {
        self.total += possible.total;
        let places = possible.places.into_iter().map(|place| TextPlace { redacted: false, ..place });
        self.places.extend(places);
        self.places.truncate(MAX_PLACES);
    }
}

/// What a scan looks for in texts.
#[derive(Debug, Clone, Copy)]
pub(super) enum TextPattern<'p> {
    /// A name of a person.
    Name(&'p NameRecognizer),
    /// A name of a person, or a single word of one.
    Word(&'p NameRecognizer),
    /// The label that replaces names.
    Label,
}

impl TextPattern<'_> {
    fn is_in(self, text: &str) -> bool {
        match self {
            Self::Name(recognizer) => recognizer.finds(text),
            Self::Word(recognizer) => recognizer.finds_words(text),
            Self::Label => REPLACEMENT_NAMES.iter().any(|(_, label)| text.contains(label)),
        }
    }
}

impl WriteSession<'_> {
    /// Finds the texts of records with a pattern, except in the records to `skip`.
    pub(super) async fn scan(&self, pattern: TextPattern<'_>, skip: &HashSet<Uuid>) -> Result<TextPlaces> {
        let mut found = TextPlaces::default();
        for record in catalog().all().filter(|record| record.kind != RecordKind::Log) {
            let fields: Vec<&Field> = text_fields(record).collect();
            let owner_column = if record.kind == RecordKind::Record { "id" } else { record.field(FieldId::OWNER).column };
            let mut last: Option<Uuid> = None;
            loop {
                let mut select = Query::select();
                select.column("id").column(Alias::new(owner_column)).columns(fields.iter().map(|field| Alias::new(field.column)));
                select.from(Alias::new(record.table)).and_where_option(last.map(|id| Expr::col("id").gt(id)));
                select.order_by("id", Order::Asc).limit(SCAN_BATCH_ROWS);
                let rows = self.transaction.query_all(&select).await.map_err(database)?;
                for row in &rows {
                    let (id, holder): (Uuid, Uuid) = (column(row, 0)?, column(row, 1)?);
                    last = Some(id);
                    let matching = matching_fields(row, &fields, pattern)?;
                    if !matching.is_empty() {
                        self.add_places(record, holder, matching, skip, &mut found).await?;
                    }
                }
                if (rows.len() as u64) < SCAN_BATCH_ROWS {
                    break;
                }
            }
        }
        Ok(found)
    }

    async fn add_places(
        &self,
        record: &Record,
        holder: Uuid,
        fields: Vec<&str>,
        skip: &HashSet<Uuid>,
        found: &mut TextPlaces,
    ) -> Result<()> {
        let Some(owner) = owner_of(&self.transaction, record, holder).await? else { return Ok(()) };
        if skip.contains(&owner.id) {
            return Ok(());
        }
        for name in fields {
            let field = if record.kind == RecordKind::Record { name.to_owned() } else { format!("{}.{name}", record.singular()) };
            let kind = catalog().get(owner.ty).singular();
            found.add(TextPlace { kind, record: id::encode(owner.ty.prefix(), owner.id), field, redacted: true });
        }
        found.owners.insert(owner);
        Ok(())
    }

    /// Redacts the histories: those of the person and of records merged into it lose all changes. `is_shared` means that
    /// others have the name, so that it is redacted only in the histories of related records.
    pub(super) async fn redact_histories(
        &self,
        person: &[Uuid],
        related: &HashSet<Uuid>,
        redaction: &NameRedaction<'_>,
        keys: &mut HashMap<Uuid, ReplacedKeys>,
        is_shared: bool,
    ) -> Result<()> {
        let backend = self.transaction.get_database_backend();
        let mut last = 0;
        loop {
            let mut select = Query::select();
            select.columns(["sequence", "record_id", "by", "message", "changes"]).from("revisions");
            select.and_where(Expr::col("sequence").gt(last)).order_by("sequence", Order::Asc).limit(SCAN_BATCH_ROWS);
            let rows = self.transaction.query_all(&select).await.map_err(database)?;
            for row in &rows {
                let (sequence, record): (i32, Uuid) = (column(row, 0)?, column(row, 1)?);
                last = sequence;
                let (by, message): (String, Option<String>) = (column(row, 2)?, column(row, 3)?);
                let changes: Json = column(row, 4)?;
                let is_own = person.contains(&record);
                let refers = || texts(&changes).into_iter().any(|text| redaction.ids.iter().any(|id| id == text));
                let lone = is_own || related.contains(&record) || refers();
                if is_shared && !lone {
                    continue;
                }
                let redacted_changes = if is_own {
                    Json::Array(Vec::new())
                } else {
                    let keys = keys.entry(record).or_default();
                    redaction.collect_keys(&changes, lone, keys);
                    redaction.redact(changes.clone(), keys, lone)
                };
                let redacted_by = redaction.redact_text(by.clone(), false);
                let redacted_message = message.clone().map(|message| redaction.redact_text(message, lone));
                if redacted_changes == changes && redacted_by == by && redacted_message == message {
                    continue;
                }
                let update = Query::update()
                    .table("revisions")
                    .value("changes", dialect::json(backend, &redacted_changes))
                    .values([("by", redacted_by.into()), ("message", redacted_message.into())])
                    .and_where(Expr::col("sequence").eq(sequence))
                    .to_owned();
                self.transaction.execute(&update).await.map_err(database)?;
            }
            if (rows.len() as u64) < SCAN_BATCH_ROWS {
                return Ok(());
            }
        }
    }

    /// Redacts the store's own tables. A saved query with a name is deleted, because its text cannot change, and so is a
    /// former slug.
    pub(super) async fn redact_own_tables(&self, redaction: &NameRedaction<'_>, is_shared: bool, places: &mut TextPlaces) -> Result<()> {
        if is_shared {
            return Ok(());
        }
        let is_match = |text: &str| redaction.finds(text, false);
        let mut walked: Vec<&str> = Vec::new();
        for text_column in text_columns() {
            let table = text_column.table;
            if walked.contains(&table) {
                continue;
            }
            let key = match text_column.holder {
                // the records and the histories were redacted, and what is derived from records was written with them
                TextHolder::Record(_) | TextHolder::Revisions | TextHolder::Derived => continue,
                TextHolder::FormerSlugs => "slug",
                TextHolder::SavedQueries => "hash",
                TextHolder::DocumentIds | TextHolder::Tokens => "id",
            };
            walked.push(table);
            let columns: Vec<String> =
                text_columns().into_iter().filter(|column| column.table == table).map(|column| column.column).collect();
            let mut select = Query::select();
            select.expr(dialect::text_of(self.transaction.get_database_backend(), key)).from(table);
            select.columns(columns.iter().map(Alias::new));
            for row in self.transaction.query_all(&select).await.map_err(database)? {
                let row_key: String = column(&row, 0)?;
                for (index, name) in columns.iter().enumerate() {
                    let text: Option<String> = column(&row, index + 1)?;
                    let Some(text) = text.filter(|text| is_match(text)) else { continue };
                    places.add(TextPlace { kind: table.to_owned(), record: row_key.clone(), field: name.clone(), redacted: true });
                    self.redact_own_row(text_column.holder, &row_key, &text, redaction).await?;
                }
            }
        }
        Ok(())
    }

    async fn redact_own_row(&self, holder: TextHolder, key: &str, text: &str, redaction: &NameRedaction<'_>) -> Result<()> {
        let delete =
            |table: &'static str, column: &'static str| Query::delete().from_table(table).and_where(Expr::col(column).eq(key)).to_owned();
        let run = |statement| async move { self.transaction.execute(&statement).await.map(drop).map_err(database) };
        match holder {
            TextHolder::FormerSlugs => run(delete("former_slugs", "slug")).await,
            TextHolder::DocumentIds => run(delete("document_ids", "id")).await,
            TextHolder::SavedQueries => {
                run(delete("document_ids", "hash")).await?;
                run(delete("saved_queries", "hash")).await
            }
            TextHolder::Tokens => {
                // names of tokens are unique
                let name = format!("{}-{}", redaction.new_slug, self.store.clock.new_uuid().simple());
                let update = Query::update().table("tokens").value("name", name).and_where(Expr::col("name").eq(text)).to_owned();
                self.transaction.execute(&update).await.map(drop).map_err(database)
            }
            TextHolder::Record(_) | TextHolder::Revisions | TextHolder::Derived => Ok(()),
        }
    }

    /// Removes deleted words from the files of the full-text index.
    pub(super) async fn purge_search_index(&self) -> Result<()> {
        for statement in dialect::purge_search_index(self.transaction.get_database_backend()) {
            self.transaction.execute_unprepared(statement).await.map_err(database)?;
        }
        Ok(())
    }
}

fn column<T: sea_orm::TryGetable>(row: &QueryResult, index: usize) -> Result<T> {
    row.try_get_by_index(index).map_err(internal)
}

/// Names of the fields of a row with the pattern in a text. The fields follow two other columns.
fn matching_fields<'f>(row: &QueryResult, fields: &[&'f Field], pattern: TextPattern<'_>) -> Result<Vec<&'f str>> {
    let mut matching = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        let is_found = match Cell::decode(row, index + 2, field.kind).map_err(internal)? {
            Cell::Text(text) => pattern.is_in(&text),
            Cell::Json(json) => texts(&json).into_iter().any(|text| pattern.is_in(text)),
            Cell::Null | Cell::Integer(_) | Cell::Number(_) | Cell::Boolean(_) | Cell::Id(_) | Cell::Instant(_) => false,
        };
        if is_found {
            matching.push(field.name);
        }
    }
    Ok(matching)
}

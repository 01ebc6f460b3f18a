//! Walks every column in which text about people can stand, to find or to redact names.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Order, Query};
use sea_orm::{ConnectionTrait, QueryResult};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::field::Field;
use crate::catalog::record::{Record, RecordKind};
use crate::core::error::{Result, internal};
use crate::core::id;
use crate::core::ids::FieldId;
use crate::entity::RecordType;
use crate::store::curation::referrers::{Referrer, owner_of};
use crate::store::curation::withholding::name_recognition::forms::REPLACEMENT_NAMES;
use crate::store::curation::withholding::name_recognition::{NameRecognizer, WordClass};
use crate::store::curation::withholding::name_redaction::{NameRedaction, ReplacedKeys, texts};
use crate::store::curation::withholding::text_columns::{CONTACT_FIELDS, TextHolder, text_columns, text_fields};
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
    pub(super) fn add(&mut self, place: TextPlace) {
        if !self.places.contains(&place) {
            self.total += 1;
            if self.places.len() < MAX_PLACES {
                self.places.push(place);
            }
        }
    }

    /// Adds places that were not redacted.
    pub(super) fn add_possible(&mut self, possible: Self) {
        self.total += possible.total - possible.places.len();
        for place in possible.places {
            self.add(TextPlace { redacted: false, ..place });
        }
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
            Self::Word(recognizer) => recognizer.finds_words_of_others(text),
            Self::Label => REPLACEMENT_NAMES.iter().any(|(_, label)| text.contains(label)),
        }
    }
}

impl WriteSession<'_> {
    /// Finds the texts of records with a pattern, except in the records to `skip`.
    pub(super) async fn scan(&self, pattern: TextPattern<'_>, skip: &HashSet<Uuid>) -> Result<TextPlaces> {
        let mut found = TextPlaces::default();
        let mut split = SplitNames::default();
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
                    let texts = field_texts(row, &fields)?;
                    let is_matching = |texts: &[String]| texts.iter().any(|text| pattern.is_in(text));
                    let matching: Vec<&str> = texts.iter().filter(|(_, texts)| is_matching(texts)).map(|(name, _)| *name).collect();
                    if !matching.is_empty() {
                        self.add_places(record, holder, matching, skip, &mut found).await?;
                    }
                    if let TextPattern::Word(recognizer) = pattern {
                        for (field, texts) in &texts {
                            let classes: WordSet = texts.iter().flat_map(|text| recognizer.word_classes(text)).collect();
                            if classes.is_empty() {
                                continue;
                            }
                            if let Some(owner) = split.owner(self, record, holder).await?.filter(|owner| !skip.contains(&owner.id)) {
                                split.places.entry(owner).or_default().push((text_place_field(record, field), classes));
                            }
                        }
                    }
                }
                if (rows.len() as u64) < SCAN_BATCH_ROWS {
                    break;
                }
            }
        }
        split.add_to(&mut found);
        Ok(found)
    }

    /// Finds the words of names that stay in these records: in those that are about the person (`related`), words too short to
    /// be redacted in longer texts, in others all.
    pub(super) async fn remaining_words(
        &self,
        recognizer: &NameRecognizer,
        records: impl Iterator<Item = &Referrer>,
        related: &HashSet<Uuid>,
    ) -> Result<TextPlaces> {
        fn collect(record: &'static Record, state: &Json, finds: &impl Fn(&str) -> bool, fields: &mut BTreeSet<String>) {
            for field in text_fields(record) {
                if state.get(field.name).is_some_and(|value| texts(value).into_iter().any(finds)) {
                    fields.insert(text_place_field(record, field.name));
                }
            }
            for list in &record.parts {
                for item in state.get(list.name).and_then(Json::as_array).into_iter().flatten() {
                    collect(catalog().get(list.part), item, finds, fields);
                }
            }
        }
        let mut found = TextPlaces::default();
        for owner in records {
            let record = catalog().get(owner.ty);
            let mut fields = BTreeSet::new();
            let is_related = related.contains(&owner.id);
            let finds = |text: &str| recognizer.finds_short_words(text) || (!is_related && recognizer.finds_words_of_others(text));
            collect(record, &self.state(record, owner.id).await?, &finds, &mut fields);
            for field in fields {
                found.add(TextPlace { kind: record.singular(), record: id::encode(owner.ty.prefix(), owner.id), field, redacted: false });
            }
        }
        Ok(found)
    }

    /// Finds the identifiers of other records that have the value of one of these, in any case.
    pub(super) async fn same_identifiers<'v>(&self, values: impl Iterator<Item = &'v str>, skip: &[Uuid]) -> Result<TextPlaces> {
        let identifier = catalog().get(RecordType::Identifier);
        let mut found = TextPlaces::default();
        let values: BTreeSet<String> = values.map(str::to_lowercase).collect();
        for value in values {
            let select = Query::select()
                .column("record_id")
                .from(identifier.table)
                .and_where(Expr::expr(Func::lower(Expr::col("value"))).eq(value))
                .and_where(Expr::col("record_id").is_not_in(skip.iter().copied()))
                .to_owned();
            for row in self.transaction.query_all(&select).await.map_err(database)? {
                self.add_places(identifier, column(&row, 0)?, vec!["value"], &HashSet::new(), &mut found).await?;
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
            let (kind, field) = (catalog().get(owner.ty).singular(), text_place_field(record, name));
            found.add(TextPlace { kind, record: id::encode(owner.ty.prefix(), owner.id), field, redacted: true });
        }
        found.owners.insert(owner);
        Ok(())
    }

    /// Redacts the histories: those of the person and of records merged into it lose all changes. `is_shared` means that
    /// others have the name, so that it is redacted only in the histories of related records. Returns the histories with a word
    /// of the name that stays.
    pub(super) async fn redact_histories(
        &self,
        person: &[Uuid],
        (related, memberships): (&HashSet<Uuid>, &HashSet<Uuid>),
        redaction: &NameRedaction<'_>,
        keys: &mut HashMap<Uuid, ReplacedKeys>,
        is_shared: bool,
    ) -> Result<TextPlaces> {
        let backend = self.transaction.get_database_backend();
        let mut possible = TextPlaces::default();
        let mut last = 0;
        loop {
            let mut select = Query::select();
            select.columns(["sequence", "record_id", "by", "message", "changes", "record_type"]).from("revisions");
            select.and_where(Expr::col("sequence").gt(last)).order_by("sequence", Order::Asc).limit(SCAN_BATCH_ROWS);
            let rows = self.transaction.query_all(&select).await.map_err(database)?;
            for row in &rows {
                let (sequence, record): (i32, Uuid) = (column(row, 0)?, column(row, 1)?);
                last = sequence;
                let (by, message): (String, Option<String>) = (column(row, 2)?, column(row, 3)?);
                let (changes, prefix): (Json, String) = (column(row, 4)?, column(row, 5)?);
                let ty = RecordType::from_prefix(&prefix).ok_or_else(|| internal(format!("no record type has the prefix {prefix}")))?;
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
                    let mut redacted = redaction.redact_changes(catalog().get(ty), &changes, keys, lone);
                    if let Some(changes) = redacted.as_array_mut().filter(|_| memberships.contains(&record)) {
                        let is_contact = |change: &Json| CONTACT_FIELDS.iter().any(|field| change["field"] == *field);
                        changes.retain(|change| !is_contact(change));
                    }
                    redacted
                };
                let redacted_by = redaction.redact_text(by.clone(), false);
                let redacted_message = message.clone().map(|message| redaction.redact_text(message, lone));
                let stays = |text: &str| redaction.recognizer.finds_words_of_others(text);
                for (field, is_found) in [
                    ("revision.message", redacted_message.as_deref().is_some_and(stays)),
                    ("revision.changes", texts(&redacted_changes).into_iter().any(stays)),
                ] {
                    if is_found {
                        let (kind, record) = (catalog().get(ty).singular(), id::encode(&prefix, record));
                        possible.add(TextPlace { kind, record, field: field.to_owned(), redacted: false });
                    }
                }
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
                return Ok(possible);
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
                // these were redacted before, and what is derived from records was written with them
                TextHolder::Record(_) | TextHolder::Revisions | TextHolder::Derived | TextHolder::FormerSlugs => continue,
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
                    let Some(text) = text else { continue };
                    let redacted = is_match(&text);
                    if redacted || redaction.recognizer.finds_words_of_others(&text) {
                        places.add(TextPlace { kind: table.to_owned(), record: row_key.clone(), field: name.clone(), redacted });
                    }
                    if !redacted {
                        continue;
                    }
                    self.redact_own_row(text_column.holder, (&row_key, name), &text, redaction).await?;
                }
            }
        }
        Ok(())
    }

    /// A name for a token, which no other has.
    fn redacted_token_name(&self, redaction: &NameRedaction<'_>) -> String {
        format!("{}-{}", redaction.new_slug, self.store.clock.new_uuid().simple())
    }

    async fn redact_own_row(
        &self,
        holder: TextHolder,
        (key, column): (&str, &str),
        text: &str,
        redaction: &NameRedaction<'_>,
    ) -> Result<()> {
        let delete =
            |table: &'static str, column: &'static str| Query::delete().from_table(table).and_where(Expr::col(column).eq(key)).to_owned();
        let run = |statement| async move { self.transaction.execute(&statement).await.map(drop).map_err(database) };
        match holder {
            TextHolder::DocumentIds => run(delete("document_ids", "id")).await,
            TextHolder::SavedQueries if column == "saved_by" => {
                let name = self.redacted_token_name(redaction);
                let update = Query::update().table("saved_queries").value("saved_by", name).and_where(Expr::col("hash").eq(key)).to_owned();
                self.transaction.execute(&update).await.map(drop).map_err(database)
            }
            TextHolder::SavedQueries => {
                run(delete("document_ids", "hash")).await?;
                run(delete("saved_queries", "hash")).await
            }
            TextHolder::Tokens => {
                // names of tokens are unique
                let name = self.redacted_token_name(redaction);
                let update = Query::update().table("tokens").value("name", name).and_where(Expr::col("name").eq(text)).to_owned();
                self.transaction.execute(&update).await.map(drop).map_err(database)
            }
            TextHolder::Record(_) | TextHolder::Revisions | TextHolder::Derived | TextHolder::FormerSlugs => Ok(()),
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

/// The texts of the fields of a row, by the name of the field. The fields follow two other columns.
fn field_texts<'f>(row: &QueryResult, fields: &[&'f Field]) -> Result<Vec<(&'f str, Vec<String>)>> {
    let mut found = Vec::with_capacity(fields.len());
    for (index, field) in fields.iter().enumerate() {
        let texts = match Cell::decode(row, index + 2, field.kind).map_err(internal)? {
            Cell::Text(text) => vec![text],
            Cell::Json(json) => texts(&json).into_iter().map(str::to_owned).collect(),
            Cell::Null | Cell::Integer(_) | Cell::Number(_) | Cell::Boolean(_) | Cell::Id(_) | Cell::Instant(_) => Vec::new(),
        };
        found.push((field.name, texts));
    }
    Ok(found)
}

/// The field of a place, such as `caseParty.description` for a field of a part.
fn text_place_field(record: &Record, name: &str) -> String {
    if record.kind == RecordKind::Record { name.to_owned() } else { format!("{}.{name}", record.singular()) }
}

/// Distinct words of names, by their classes.
type WordSet = BTreeSet<Vec<WordClass>>;

/// Words of names in the fields of records: a name may be split over two fields of one record.
#[derive(Default)]
struct SplitNames {
    /// Fields with words of names, with the classes of the words.
    places: BTreeMap<Referrer, Vec<(String, WordSet)>>,
    /// Records by the ids of their rows and parts.
    owners: HashMap<Uuid, Option<Referrer>>,
}

impl SplitNames {
    /// The record that a row belongs to. `holder` is as for [`owner_of`].
    async fn owner(&mut self, session: &WriteSession<'_>, record: &Record, holder: Uuid) -> Result<Option<Referrer>> {
        if let Some(owner) = self.owners.get(&holder) {
            return Ok(owner.clone());
        }
        let owner = owner_of(&session.transaction, record, holder).await?;
        self.owners.insert(holder, owner.clone());
        Ok(owner)
    }

    /// Adds the fields of records that have two words of the name of one person.
    fn add_to(self, found: &mut TextPlaces) {
        for (owner, fields) in self.places {
            let words: WordSet = fields.iter().flat_map(|(_, words)| words).cloned().collect();
            let is_of = |word: &Vec<WordClass>, person: Uuid| word.iter().any(|(of, _)| *of == person);
            let is_split = |(person, _): &WordClass| words.iter().filter(|word| is_of(word, *person)).count() > 1;
            for (field, _) in fields.iter().filter(|(_, words)| words.iter().flatten().any(is_split)) {
                let field = field.clone();
                let kind = catalog().get(owner.ty).singular();
                found.add(TextPlace { kind, record: id::encode(owner.ty.prefix(), owner.id), field, redacted: true });
            }
        }
    }
}

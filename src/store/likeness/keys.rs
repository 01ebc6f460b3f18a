//! Keys of names: records that share one may have like names. Each key is a digest, and the database finds records by it.
//!
//! - Of a person: each pair of words, each word with the birth date, each word with each initial, and the word of a name that
//!   has one.
//! - Of an organization: all words, and all words but one.

use std::collections::BTreeSet;

use sea_orm::sea_query::Query;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::catalog::record::Record;
use crate::core::error::Result;
use crate::core::partial_date::PartialDate;
use crate::store::error::database;
use crate::store::likeness::name::{Name, NameStyle, Word};
use crate::store::likeness::score::{Comparison, Subject, comparison};
use crate::store::likeness::stored::subject_of_cells;
use crate::store::sql::bulk_insert::{Batching, ConflictAction, InsertTarget, insert};
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::load::LOOKUP_BATCH_VALUES;
use crate::store::write::model::NewRow;

/// Table of the keys.
pub(crate) const TABLE: &str = "name_keys";
/// Words of a name of a person that make keys.
const MAX_KEY_WORDS: usize = 5;
/// Names of a record that make keys.
const MAX_KEY_NAMES: usize = 50;
/// Minimum number of words of the name of an organization of which one may be missing.
const MIN_WORDS_FOR_GAP: usize = 3;

/// Which keys of a person's name to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyUse {
    /// Those that the record is found by.
    Store,
    /// Also those by which records with initials are found.
    Find,
}

/// The keys of a subject, each once.
pub(crate) fn keys(comparison: &Comparison, subject: &Subject, purpose: KeyUse) -> BTreeSet<i64> {
    let mut keys = KeySet { prefix: comparison.ty.prefix(), keys: BTreeSet::new() };
    for name in subject.names.iter().take(MAX_KEY_NAMES) {
        match comparison.style {
            NameStyle::Person => {
                let birth = subject.dates[0].as_ref().map(PartialDate::as_str).filter(|date| date.len() == "2020-12-31".len());
                keys.add_person(name, birth, purpose);
            }
            NameStyle::Organization => keys.add_organization(name),
        }
    }
    keys.keys
}

/// Keys of records of one type.
struct KeySet {
    prefix: &'static str,
    keys: BTreeSet<i64>,
}

impl KeySet {
    /// Adds the key of a kind with these parts. Keys of different kinds and types never meet.
    fn add(&mut self, kind: &str, parts: &[&str]) {
        let text = format!("{} {kind} {}", self.prefix, parts.join(" "));
        let digest = Sha256::digest(text);
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&digest[..8]);
        self.keys.insert(i64::from_be_bytes(bytes));
    }

    fn add_person(&mut self, name: &Name, birth: Option<&str>, purpose: KeyUse) {
        let words: Vec<&Word> = name.words.iter().take(MAX_KEY_WORDS).collect();
        let full: Vec<&Word> = words.iter().copied().filter(|word| !word.is_initial).collect();
        for (index, word) in full.iter().enumerate() {
            for other in &full[index + 1..] {
                let (first, second) = if word.sound <= other.sound { (word, other) } else { (other, word) };
                self.add("pair", &[&first.sound, &second.sound]);
            }
            if let Some(birth) = birth {
                self.add("birth", &[&word.sound, birth]);
            }
            let others = words.iter().filter(|other| !std::ptr::eq(**other, *word));
            for other in others.filter(|other| other.is_initial || purpose == KeyUse::Find) {
                self.add("initial", &[&word.sound, other.initial()]);
            }
        }
        if let ([word], [_]) = (full.as_slice(), words.as_slice()) {
            self.add("single", &[&word.sound]);
        }
    }

    fn add_organization(&mut self, name: &Name) {
        let mut sounds: Vec<&str> = name.telling_words().into_iter().map(|word| word.sound.as_str()).collect();
        sounds.sort_unstable();
        sounds.dedup();
        if sounds.is_empty() {
            return;
        }
        self.add("words", &sounds);
        if sounds.len() >= MIN_WORDS_FOR_GAP {
            for gap in 0..sounds.len() {
                let rest: Vec<&str> = sounds.iter().enumerate().filter(|(index, _)| *index != gap).map(|(_, sound)| *sound).collect();
                self.add("words", &rest);
            }
        }
    }
}

/// Keys of records to write, in place of those that the records have.
#[derive(Debug, Default)]
pub(crate) struct NameKeys {
    records: Vec<Uuid>,
    rows: Vec<Vec<Value>>,
}

impl NameKeys {
    /// Adds the keys of records of one type. Types whose records are not compared have none.
    pub(crate) fn add(&mut self, record: &Record, rows: &[NewRow]) {
        let Some(comparison) = comparison(record.ty) else { return };
        for row in rows {
            self.records.push(row.id);
            let keys = keys(comparison, &subject_of_cells(comparison, record, &row.cells), KeyUse::Store);
            self.rows.extend(keys.into_iter().map(|key| vec![key.into(), row.id.into(), row.published.into()]));
        }
    }

    /// Replaces the keys. The search documents of the records must exist.
    pub(crate) async fn write(self, transaction: &DatabaseTransaction) -> Result<()> {
        for batch in self.records.chunks(LOOKUP_BATCH_VALUES) {
            let condition = one_of_ids(transaction.get_database_backend(), "record_id", batch)?;
            let delete = Query::delete().from_table(TABLE).and_where(condition).to_owned();
            transaction.execute(&delete).await.map_err(database)?;
        }
        let columns = &["key", "record_id", "published"];
        let target = InsertTarget { table: TABLE, columns, on_conflict: ConflictAction::Fail, batching: Batching::Fastest };
        insert(transaction, target, self.rows).await
    }
}

//! Every column of the database in which text about people can stand: those of the declared records, and those of the
//! store's own tables. A test compares the list with the columns of a migrated database.
//!
//! Withholding a person walks this list. A new field of a record is on it by its kind, and a new table must be added here.

use crate::catalog::catalog;
use crate::catalog::field::Field;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::{Record, RecordKind};
use crate::entity::RecordType;

/// The table that holds a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextHolder {
    /// Records or parts of a type.
    Record(RecordType),
    /// The histories.
    Revisions,
    /// Former slugs.
    FormerSlugs,
    /// Saved queries.
    SavedQueries,
    /// Ids of documents in manifests.
    DocumentIds,
    /// API tokens.
    Tokens,
    /// Copies of the text of records: search documents and words, sort keys.
    Derived,
}

/// A column in which text about people can stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextColumn {
    /// Name of the table.
    pub table: &'static str,
    /// Name of the column.
    pub column: String,
    /// What holds it.
    pub holder: TextHolder,
}

/// A column in which no text about people can stand, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherColumn {
    /// Name of the table.
    pub table: &'static str,
    /// Name of the column.
    pub column: String,
    /// Why it holds no such text.
    pub reason: &'static str,
}

/// Columns of the store's own tables.
const OWN_COLUMNS: [(&str, &[&str], TextHolder); 7] = [
    ("former_slugs", &["slug"], TextHolder::FormerSlugs),
    ("saved_queries", &["name", "title", "document", "operation_name", "variables", "saved_by"], TextHolder::SavedQueries),
    ("document_ids", &["id"], TextHolder::DocumentIds),
    ("tokens", &["name"], TextHolder::Tokens),
    ("search_documents", &["sort_key", "label", "body", "names", "words", "document"], TextHolder::Derived),
    ("search_variants", &["variant", "word"], TextHolder::Derived),
    ("search_index", &["names", "words"], TextHolder::Derived),
];

/// Columns of the store's own tables without such text.
const OTHER_OWN_COLUMNS: [(&str, &[&str], &str); 15] = [
    ("nodes", &["record_type"], "a type of record"),
    ("former_slugs", &["record_type"], "a type of record"),
    ("search_documents", &["record_type"], "a type of record"),
    ("name_keys", &[], "digests that are replaced with the names"),
    ("saved_queries", &["hash", "document_hash"], "a digest"),
    ("document_ids", &["hash"], "a digest"),
    ("tokens", &["role", "hash"], "a role and a digest of random bits"),
    ("withheld", &["digest", "key"], "a keyed digest, and the name of its key"),
    ("withheld_words", &["digest", "key"], "a keyed digest, and the name of its key"),
    ("withheld_slugs", &["digest", "record_type", "key"], "a keyed digest, and the name of its key"),
    ("withheld_salt", &["salt"], "random bits"),
    ("import_sets", &["hash"], "a digest"),
    ("import_runs", &["hash", "set_hash"], "a digest"),
    ("seaql_migrations", &["version"], "the name of a migration"),
    ("dataset_state", &[], "numbers and instants"),
];

/// Fields of a membership by which its person is reached. They go with a withheld person.
pub(super) const CONTACT_FIELDS: [&str; 2] = ["contactDetails", "links"];

/// The holder of the fields of a declared type.
fn holder(record: &Record) -> TextHolder {
    if record.kind == RecordKind::Log { TextHolder::Revisions } else { TextHolder::Record(record.ty) }
}

/// Why a field of this kind holds no text about people; `None` if it may.
fn reason_without_text(field: &Field) -> Option<&'static str> {
    match field.kind {
        FieldKind::Text | FieldKind::Translated | FieldKind::Url | FieldKind::List(_) => None,
        FieldKind::Date | FieldKind::Instant | FieldKind::Duration => Some("a time, which is validated"),
        FieldKind::Integer | FieldKind::Number | FieldKind::Boolean => Some("a number or a truth value"),
        FieldKind::Language => Some("a language tag, which is validated"),
        FieldKind::Choice(_) => Some("a value of a closed list"),
        FieldKind::One(_) | FieldKind::Any => Some("a reference by id"),
    }
}

/// Whether text about people can stand in a field.
pub(crate) fn holds_text(field: &Field) -> bool {
    reason_without_text(field).is_none()
}

/// Fields of a declared type in which text about people can stand.
pub fn text_fields(record: &Record) -> impl Iterator<Item = &Field> {
    record.fields.iter().filter(|field| holds_text(field))
}

/// Every column in which text about people can stand.
pub fn text_columns() -> Vec<TextColumn> {
    let mut columns = Vec::new();
    for record in catalog().all() {
        let column = |column: &str, holder| TextColumn { table: record.table, column: column.to_owned(), holder };
        for field in text_fields(record) {
            columns.push(column(field.column, holder(record)));
            columns.push(column(&format!("{}_order", field.column), TextHolder::Derived));
        }
        if record.kind == RecordKind::Record {
            columns.extend(["sort_key", "folded"].map(|name| column(name, TextHolder::Derived)));
        }
    }
    for (table, names, holder) in OWN_COLUMNS {
        columns.extend(names.iter().map(|name| TextColumn { table, column: (*name).to_owned(), holder }));
    }
    columns
}

/// Every other column, with the reason why it is not one of [`text_columns`].
pub fn other_columns() -> Vec<OtherColumn> {
    let mut columns = Vec::new();
    for record in catalog().all() {
        for (field, reason) in record.fields.iter().filter_map(|field| Some((field, reason_without_text(field)?))) {
            let names = [field.column.to_owned(), format!("{}_order", field.column)];
            columns.extend(names.map(|column| OtherColumn { table: record.table, column, reason }));
        }
    }
    for (table, names, reason) in OTHER_OWN_COLUMNS {
        columns.extend(names.iter().map(|name| OtherColumn { table, column: (*name).to_owned(), reason }));
    }
    columns
}

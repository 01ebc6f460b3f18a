//! Deleting a record with its parts. Its history stays, and records that others refer to are not deleted.

use futures_util::future::BoxFuture;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::Result;
use crate::entity::RecordType;
use crate::store::Store;
use crate::store::curation::freshness::FreshnessUpdates;
use crate::store::curation::referrers::referrers;
use crate::store::curation::withholding::withheld_digest::withheld_persons;
use crate::store::draft::{InputProblem, Origin, ProblemCode};
use crate::store::history::revisions::{NewRevision, hide_revisions, insert_revisions};
use crate::store::history::state;
use crate::store::search::index::{forget_unused_words, name_words_of};
use crate::store::write::load::referenced_types;
use crate::store::write::model::{StoredRow, is_published, revision_number};
use crate::store::write::session::{WriteSession, revision_problem};
use crate::store::write::types::{Author, WriteError};
use crate::store::write::value::PartKeys;
use crate::store::write::writer::delete_rows;

/// Maximum number of referrers that the error message of a refused deletion lists for each field.
const MAX_LISTED_REFERRERS: u64 = 10;

impl Store {
    /// Deletes the record whose id the input has in `id`. Fails if other records refer to it or if it is a withheld person.
    /// Its id is never reused.
    pub async fn delete(&self, ty: RecordType, id: Uuid, expected_revision: Option<i64>, author: &Author) -> Result<(), WriteError> {
        let session = self.begin(author).await?;
        let record = catalog().get(ty);
        let row = session.existing(record, id, "id").await?;
        let mut problems = Vec::new();
        let reject = |message: String, code| InputProblem::new(Origin::input(["id"]), message).with_code(code);
        if withheld_persons(&session.transaction).await?.contains(&id) {
            let message = "this person is withheld: the record stays so that no import restores its contents";
            problems.push(reject(message.to_owned(), ProblemCode::Withheld));
        }
        let referrers = referrers(&session.transaction, record, id, MAX_LISTED_REFERRERS).await?;
        if problems.is_empty() && !referrers.is_empty() {
            let names: Vec<String> =
                referrers.iter().map(|referrer| format!("{} \"{}\"", catalog().get(referrer.ty).singular(), referrer.slug)).collect();
            let message = format!("other records refer to this {}: {}; change or delete them first", record.singular(), names.join(", "));
            problems.push(reject(message, ProblemCode::InUse));
        }
        problems.extend(revision_problem(revision_number(record, &row), expected_revision));
        if !problems.is_empty() {
            return Err(WriteError::Problems(problems));
        }
        session.remove(record, &row, "deleted").await?;
        session.commit().await?;
        Ok(())
    }
}

impl WriteSession<'_> {
    /// Removes a record with its parts and records that in its history. Editors can read the removed values there; readers
    /// see only that the record is gone.
    pub(crate) async fn remove(&self, record: &'static Record, row: &StoredRow, kind: &'static str) -> Result<()> {
        let transaction = &self.transaction;
        let types = referenced_types(transaction, record, std::iter::once(row)).await?;
        let changes = removal_changes(record, &state::of(record, row, &types, &PartKeys::default()));
        let number = revision_number(record, row);
        let was_published = is_published(record, row);
        let removal = NewRevision { record: row.id, ty: record.ty, number: number + 1, kind, changes, published: was_published };
        hide_revisions(transaction, &[row.id]).await?;
        let words = name_words_of(transaction, &[row.id]).await?;
        delete_rows(transaction, "search_documents", "id", &[row.id]).await?;
        forget_unused_words(transaction, words).await?;
        self.remove_rows(record, row).await?;
        let stamp = self.stamp();
        if was_published {
            let mut freshness = FreshnessUpdates::default();
            freshness.removed(record, row);
            freshness.write(transaction, stamp.at).await?;
        }
        insert_revisions(self.store, transaction, &stamp, vec![removal]).await
    }

    /// Deletes the rows of a record or part, the innermost parts first.
    fn remove_rows<'a>(&'a self, record: &'static Record, row: &'a StoredRow) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            // parts refer to each other, those in later lists to those in earlier ones
            let order = catalog().write_order();
            for ty in order.iter().rev() {
                let Some(rows) = row.parts.get(ty) else { continue };
                for part in rows {
                    self.remove_rows(catalog().get(*ty), part).await?;
                }
            }
            delete_rows(&self.transaction, record.table, "id", &[row.id]).await
        })
    }
}

/// Field changes that remove everything in a state.
fn removal_changes(record: &Record, state: &Json) -> Vec<Json> {
    let mut changes = Vec::new();
    for (name, value) in state.as_object().into_iter().flatten() {
        match (record.parts.iter().any(|list| list.name == name), value.as_array()) {
            (true, Some(items)) => changes.extend(items.iter().map(|item| {
                let key = item.get("key").and_then(|key| key.as_str()).unwrap_or_default();
                json!({"field": format!("{name}[{key}]"), "old": item, "new": null})
            })),
            _ => changes.push(json!({"field": name, "old": value, "new": null})),
        }
    }
    changes
}

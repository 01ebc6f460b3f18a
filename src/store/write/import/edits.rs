//! What editors wrote after the last import of a record: later imports keep it, unless they overwrite.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::core::error::{Result, internal};
use crate::store::database;
use crate::store::history::revisions::{MOVED, TABLE};
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::load::LOOKUP_BATCH_VALUES;

/// Separates a path from a language: neither names nor keys contain control characters.
const LANGUAGE_SEPARATOR: char = '\u{1}';

const PUBLISHED: &str = "published";
const SLUG: &str = "slug";

/// What an edit did to the value or part at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EditKind {
    Added,
    Changed,
    Removed,
}

/// The last edit at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    kind: EditKind,
    by: String,
    day: NaiveDate,
    /// The value before the first edit since the last import.
    base: Json,
}

impl Edit {
    /// The author and the day, as a message names them.
    pub(crate) fn attribution(&self) -> String {
        format!("{} on {}", self.by, self.day)
    }

    /// Says that an import leaves something as this edit left it.
    pub(crate) fn outcome_of(&self, what: &str) -> String {
        let left = match self.kind {
            EditKind::Added | EditKind::Changed => "is kept as it was written",
            EditKind::Removed => "stays removed, as it was left",
        };
        format!("{what} {left} by {}; give --overwrite (or overwrite: true) to replace it", self.attribution())
    }
}

/// The edits of one record that no import has overwritten since, by the path that the history has for them.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    by_path: BTreeMap<String, Edit>,
    /// Paths of parts by the keys that editors have replaced, with their keys since.
    renamed_parts: HashMap<String, String>,
    has_revisions: bool,
}

impl Edits {
    /// The edit of the value at this path.
    pub(crate) fn of_value(&self, path: &str) -> Option<&Edit> {
        self.by_path.get(path)
    }

    /// The edit of the last day.
    pub(crate) fn latest(&self) -> Option<&Edit> {
        self.by_path.values().max_by_key(|edit| edit.day)
    }

    /// The edit of the text in one language at this path.
    pub(crate) fn of_language(&self, path: &str, tag: &str) -> Option<&Edit> {
        self.by_path.get(&language_path(path, tag))
    }

    /// The edit that removed the part at this path.
    pub(crate) fn removal_of_part(&self, path: &str) -> Option<&Edit> {
        self.by_path.get(path).filter(|edit| edit.kind == EditKind::Removed)
    }

    /// The edit that added or changed the part at this path as a whole. It wrote all values of the part.
    pub(crate) fn of_part(&self, path: &str) -> Option<&Edit> {
        self.by_path.get(path).filter(|edit| edit.kind != EditKind::Removed)
    }

    /// An edit that added or changed the part at this path, or something in it.
    pub(crate) fn within_part<'e>(&'e self, path: &'e str) -> Option<&'e Edit> {
        self.of_part(path).or_else(|| self.below(path).map(|(_, edit)| edit).find(|edit| edit.kind != EditKind::Removed))
    }

    /// The key that an editor gave to the part that had this path, and the edit.
    pub(crate) fn renaming_of_part(&self, list: &str, former_key: &str) -> Option<(&str, &Edit)> {
        let key = self.renamed_parts.get(&part_path(list, former_key))?;
        Some((key, self.by_path.get(&format!("{}.key", part_path(list, key)))?))
    }

    /// Notes that a part has another key. Its path in the history is the new one from here on.
    fn rename_part(&mut self, list: &str, old: &str, new: &str) {
        let (old_path, new_path) = (part_path(list, old), part_path(list, new));
        let moved: Vec<String> = self.below(&old_path).map(|(path, _)| path.clone()).collect();
        for path in moved {
            if let Some(edit) = self.by_path.remove(&path) {
                self.by_path.insert(format!("{new_path}{}", &path[old_path.len()..]), edit);
            }
        }
        let is_of_list = |path: &str, key: &str| path.strip_prefix(list).is_some_and(|rest| rest.starts_with('[')) && key == old;
        self.renamed_parts.iter_mut().filter(|(path, key)| is_of_list(path, key)).for_each(|(_, key)| new.clone_into(key));
        self.renamed_parts.insert(old_path, new.to_owned());
        self.renamed_parts.remove(&new_path);
    }

    fn below<'e>(&'e self, path: &'e str) -> impl Iterator<Item = (&'e String, &'e Edit)> {
        let following = self.by_path.range(path.to_owned()..).take_while(move |(other, _)| other.starts_with(path));
        following.filter(move |(other, _)| other[path.len()..].starts_with(['.', LANGUAGE_SEPARATOR]))
    }

    /// Adds a revision of the record. Revisions are added in their order; `edit` has the author and day of an edit, and is
    /// `None` for an import, which writes over earlier edits.
    fn add(&mut self, kind: &str, changes: &Json, edit: Option<(&str, NaiveDate)>) {
        // restoring a deleted or merged record writes what was there before
        let is_restored = kind == "unmerged" || (kind == "created" && self.has_revisions);
        self.has_revisions = true;
        let edit = edit.filter(|_| !is_restored);
        for change in changes.as_array().into_iter().flatten() {
            let Some(path) = change.get("field").and_then(Json::as_str) else { continue };
            // a publication lists the whole record, which it did not change
            if kind == "published" && path != PUBLISHED {
                continue;
            }
            let (old, new) = (change.get("old").unwrap_or(&Json::Null), change.get("new").unwrap_or(&Json::Null));
            if let (Some(old), Some(new)) = (old.as_str(), new.as_str())
                && let Some(list) = path.strip_suffix(&format!("[{new}].key"))
            {
                self.rename_part(list, old, new);
            }
            let is_part = path.ends_with(']');
            let tags = if is_part { Vec::new() } else { changed_members(old, new) };
            if is_part || (edit.is_none() && tags.is_empty()) {
                let within: Vec<String> = self.below(path).map(|(path, _)| path.clone()).collect();
                for path in within {
                    self.by_path.remove(&path);
                }
            }
            let Some((by, day)) = edit else {
                for tag in tags {
                    self.by_path.remove(&language_path(path, tag));
                }
                self.by_path.remove(path);
                continue;
            };
            let kind = match (old, new) {
                (Json::Null, _) => EditKind::Added,
                (_, Json::Null) => EditKind::Removed,
                (_, _) => EditKind::Changed,
            };
            let edit = Edit { kind, by: by.to_owned(), day, base: Json::Null };
            for tag in tags {
                let text = |texts: &Json| texts.get(tag).cloned().unwrap_or(Json::Null);
                self.insert(language_path(path, tag), &text(old), &text(new), edit.clone());
            }
            self.insert(path.to_owned(), old, new, edit);
        }
        if matches!(kind, "published" | "unpublished")
            && let Some((by, day)) = edit
        {
            let edit = Edit { kind: EditKind::Changed, by: by.to_owned(), day, base: Json::Null };
            self.by_path.insert(PUBLISHED.to_owned(), edit);
        }
    }

    /// Adds an edit of the value at a path. One that gives back what the last import wrote, such as a revert, is no edit.
    fn insert(&mut self, path: String, old: &Json, new: &Json, edit: Edit) {
        let base = self.by_path.get(&path).map_or_else(|| old.clone(), |earlier| earlier.base.clone());
        if base == *new {
            self.by_path.remove(&path);
        } else {
            self.by_path.insert(path, Edit { base, ..edit });
        }
    }

    /// Whether the content of the record is what imports wrote. Whether it is published, and its slug, are no content.
    fn is_of_imports(&self) -> bool {
        self.by_path.keys().all(|path| path == PUBLISHED || path == SLUG)
    }
}

fn part_path(list: &str, key: &str) -> String {
    format!("{list}[{key}]")
}

fn language_path(path: &str, tag: &str) -> String {
    format!("{path}{LANGUAGE_SEPARATOR}{tag}")
}

/// The members that differ between two objects, each once; absent ones are members that only one has.
fn changed_members<'j>(old: &'j Json, new: &'j Json) -> Vec<&'j String> {
    let empty = Map::new();
    let members = |value: &'j Json| value.as_object();
    let (old, new) = (members(old), members(new));
    let tags = old.into_iter().chain(new).flat_map(Map::keys);
    let (old, new) = (old.unwrap_or(&empty), new.unwrap_or(&empty));
    let mut changed: Vec<&String> = tags.filter(|tag| old.get(*tag) != new.get(*tag)).collect();
    changed.sort();
    changed.dedup();
    changed
}

/// The edits of these records. Records without edits are absent.
pub(crate) async fn load(transaction: &DatabaseTransaction, records: &[Uuid]) -> Result<HashMap<Uuid, Edits>> {
    load_until(transaction, records, i32::MAX).await
}

/// Whether imports wrote the content that a record had after a revision.
pub(crate) async fn is_state_of_imports(transaction: &DatabaseTransaction, record: Uuid, revision: i64) -> Result<bool> {
    let last = i32::try_from(revision).map_err(internal)?;
    let edits = load_until(transaction, &[record], last).await?;
    Ok(edits.get(&record).is_none_or(Edits::is_of_imports))
}

/// As [`load`], as the edits were after the revision with this number.
async fn load_until(transaction: &DatabaseTransaction, records: &[Uuid], last: i32) -> Result<HashMap<Uuid, Edits>> {
    let mut edits: HashMap<Uuid, Edits> = HashMap::new();
    for batch in records.chunks(LOOKUP_BATCH_VALUES) {
        let backend = transaction.get_database_backend();
        let edited = Query::select()
            .column("record_id")
            .from(TABLE)
            .and_where(one_of_ids(backend, "record_id", batch)?)
            .and_where(Expr::col("imported").eq(false))
            .and_where(Expr::col(MOVED).eq(false))
            .and_where(Expr::col("number").lte(last))
            .distinct()
            .to_owned();
        let rows = transaction.query_all(&edited).await.map_err(database)?;
        let edited: Vec<Uuid> = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>().map_err(internal)?;
        if edited.is_empty() {
            continue;
        }
        let revisions = Query::select()
            .columns(["record_id", "kind", "changes", "imported", "by", "changed_at"])
            .from(TABLE)
            .and_where(one_of_ids(backend, "record_id", &edited)?)
            .and_where(Expr::col(MOVED).eq(false))
            .and_where(Expr::col("number").lte(last))
            .order_by("record_id", Order::Asc)
            .order_by("number", Order::Asc)
            .to_owned();
        for row in transaction.query_all(&revisions).await.map_err(database)? {
            let record: Uuid = row.try_get_by_index(0).map_err(internal)?;
            let kind: String = row.try_get_by_index(1).map_err(internal)?;
            let changes: Json = row.try_get_by_index(2).map_err(internal)?;
            let imported: bool = row.try_get_by_index(3).map_err(internal)?;
            let by: String = row.try_get_by_index(4).map_err(internal)?;
            let at: DateTime<Utc> = row.try_get_by_index(5).map_err(internal)?;
            let edit = (!imported).then(|| (by.as_str(), at.date_naive()));
            edits.entry(record).or_default().add(&kind, &changes, edit);
        }
    }
    Ok(edits)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn edits(revisions: &[(&str, Json, bool)]) -> Edits {
        let day = NaiveDate::from_ymd_opt(2026, 2, 3).unwrap();
        let mut edits = Edits::default();
        for (kind, changes, imported) in revisions {
            edits.add(kind, changes, (!imported).then_some(("anna", day)));
        }
        edits
    }

    #[test]
    fn import_overwrites_earlier_edits_of_a_path_only() {
        let change = |field: &str| json!([{"field": field, "old": "a", "new": "b"}]);
        let edits = edits(&[
            ("updated", change("name"), false),
            ("updated", change("events[a].date"), false),
            ("updated", change("events[ab].date"), false),
            ("updated", json!([{"field": "events[a]", "old": {"date": "b"}, "new": {"date": "c"}}]), true),
        ]);
        assert!(edits.of_value("name").is_some() && edits.of_value("events[ab].date").is_some());
        assert!(edits.of_value("events[a].date").is_none() && edits.within_part("events[a]").is_none());
        assert!(edits.within_part("events[ab]").is_some());
    }

    #[test]
    fn edits_of_one_language_leave_the_others() {
        let edits = edits(&[("updated", json!([{"field": "name", "old": {"en": "A", "ru": "А"}, "new": {"en": "B", "ru": "А"}}]), false)]);
        assert!(edits.of_language("name", "en").is_some());
        assert_eq!(edits.of_language("name", "ru"), None);
    }

    #[test]
    fn import_of_one_language_leaves_the_edits_of_others() {
        let edits = edits(&[
            ("updated", json!([{"field": "name", "old": {"en": "A", "ru": "А"}, "new": {"en": "A", "ru": "Б"}}]), false),
            ("updated", json!([{"field": "name", "old": {"en": "A", "ru": "Б"}, "new": {"en": "B", "ru": "Б"}}]), true),
        ]);
        assert!(edits.of_language("name", "ru").is_some());
        assert_eq!(edits.of_language("name", "en"), None);
    }

    #[test]
    fn renamed_part_keeps_its_edits() {
        let key = |old: &str, new: &str| json!([{"field": format!("events[{new}].key"), "old": old, "new": new}]);
        let edits = edits(&[
            ("updated", json!([{"field": "events[a].date", "old": "1", "new": "2"}]), false),
            ("updated", key("a", "b"), false),
            ("updated", key("b", "c"), false),
        ]);
        assert_eq!(edits.renaming_of_part("events", "a").map(|(key, _)| key), Some("c"));
        assert_eq!(edits.renaming_of_part("events", "b").map(|(key, _)| key), Some("c"));
        assert!(edits.renaming_of_part("events", "c").is_none() && edits.renaming_of_part("parties", "a").is_none());
        assert!(edits.of_value("events[c].date").is_some() && edits.of_value("events[a].date").is_none());
    }

    #[test]
    fn restored_records_have_no_edits() {
        let change = json!([{"field": "birthDate", "old": null, "new": "1970"}]);
        for kind in ["created", "unmerged"] {
            let edits = edits(&[("created", change.clone(), true), ("deleted", json!([]), false), (kind, change.clone(), false)]);
            assert_eq!(edits.of_value("birthDate"), None);
        }
    }

    #[test]
    fn edit_back_to_what_the_import_wrote_is_none() {
        let change = |old: Json, new: Json| json!([{"field": "events[a]", "old": old, "new": new}]);
        let text = |old: &str, new: &str| json!([{"field": "name", "old": {"en": old}, "new": {"en": new}}]);
        let removed = ("updated", change(json!({"date": "1"}), Json::Null), false);
        let restored = ("updated", change(Json::Null, json!({"date": "1"})), false);
        assert!(edits(&[removed.clone(), restored]).is_of_imports());
        assert!(!edits(&[removed.clone(), ("updated", change(Json::Null, json!({"date": "2"})), false)]).is_of_imports());
        let named = [("updated", text("A", "B"), false), ("updated", text("B", "C"), false)];
        assert_eq!(edits(&named).of_language("name", "en").map(|edit| &edit.base), Some(&json!("A")));
        let back = edits(&[named[0].clone(), named[1].clone(), ("updated", text("C", "A"), false)]);
        assert!(back.is_of_imports() && back.of_language("name", "en").is_none());
    }

    #[test]
    fn publication_is_an_edit_of_nothing_else() {
        let edits = edits(&[("published", json!([{"field": "name", "old": null, "new": {"en": "A"}}]), false)]);
        assert!(edits.of_value("name").is_none() && edits.of_value("published").is_some());
    }
}

//! Redaction of histories for readers: mentions of drafts and of deleted records are removed from the revisions of published records.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::RecordKind;
use crate::core::error::{Result, internal};
use crate::core::id;
use crate::entity::RecordType;
use crate::store::handle::Store;
use crate::store::history::revisions::is_removal;
use crate::store::read::plan::Plan;
use crate::store::read::result::{Cell, RowSet};
use crate::store::sql::filter::Visibility;
use crate::store::sql::statement::MAX_BOUND_VALUES;

impl Store {
    /// Removes mentions of hidden records from the field changes of revisions, and all changes of revisions that removed
    /// their record, for readers.
    pub(crate) async fn redact_revisions(&self, plan: &Plan, level: &mut RowSet) -> Result<()> {
        let Some([index, kind]) = plan.revision_changes().filter(|_| self.visibility == Visibility::Published) else { return Ok(()) };
        for row in &mut level.rows {
            if row.cells[kind].as_text().is_some_and(is_removal) {
                row.cells[index] = Cell::Json(Json::Array(Vec::new()));
            }
        }
        let mut mentioned = HashSet::new();
        for row in &level.rows {
            if let Cell::Json(changes) = &row.cells[index] {
                collect_ids(changes, &mut mentioned);
            }
        }
        let hidden = self.hidden_records(mentioned).await?;
        if hidden.is_empty() {
            return Ok(());
        }
        for row in &mut level.rows {
            if let Cell::Json(Json::Array(changes)) = &mut row.cells[index] {
                changes.retain_mut(|change| redact_change(change, &hidden));
            }
        }
        Ok(())
    }

    /// Removes mentions of hidden records from the state of a record, and all links to them.
    pub(crate) async fn redact_state(&self, state: &mut Json) -> Result<()> {
        let mut mentioned = HashSet::new();
        collect_ids(state, &mut mentioned);
        let hidden = self.hidden_records(mentioned).await?;
        if !hidden.is_empty() {
            remove_links(state, &hidden);
            redact_value(state, &hidden);
        }
        Ok(())
    }

    /// The ids among these of records that readers do not see: drafts, and deleted records. A merged record counts as the one
    /// that it was merged into.
    async fn hidden_records(&self, ids: HashSet<Uuid>) -> Result<HashSet<Uuid>> {
        let mut ids: Vec<Uuid> = ids.into_iter().collect();
        ids.sort_unstable();
        let mut hidden = HashSet::new();
        for chunk in ids.chunks(MAX_BOUND_VALUES) {
            // the id itself and the record that it leads to
            let mut targets: HashMap<Uuid, Uuid> = HashMap::new();
            let select = Query::select()
                .columns(["id", "record_type", "merged_into"])
                .from("nodes")
                .and_where(Expr::col("id").is_in(chunk.iter().copied()))
                .to_owned();
            for row in self.fetch_all(&select).await? {
                let (id, prefix): (Uuid, String) = (row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
                let merged_into: Option<Uuid> = row.try_get_by_index(2).map_err(internal)?;
                let is_record = RecordType::from_prefix(&prefix).is_some_and(|ty| catalog().get(ty).kind == RecordKind::Record);
                if is_record {
                    targets.insert(id, merged_into.unwrap_or(id));
                }
            }
            let select = Query::select()
                .column("id")
                .from("search_documents")
                .and_where(Expr::col("id").is_in(targets.values().copied()))
                .and_where(Expr::col("published").eq(true))
                .to_owned();
            let rows = if targets.is_empty() { Vec::new() } else { self.fetch_all(&select).await? };
            let visible: HashSet<Uuid> = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>().map_err(internal)?;
            hidden.extend(targets.into_iter().filter(|(_, target)| !visible.contains(target)).map(|(id, _)| id));
        }
        Ok(hidden)
    }
}

/// Parses a text as an external or internal id.
fn parse_id(text: &str) -> Option<Uuid> {
    let typed = id::decode(text).ok().filter(|(prefix, _)| RecordType::from_prefix(prefix).is_some());
    typed.map(|(_, id)| id).or_else(|| Uuid::parse_str(text).ok())
}

/// Collects the ids in a value.
fn collect_ids(value: &Json, ids: &mut HashSet<Uuid>) {
    match value {
        Json::String(text) => ids.extend(parse_id(text)),
        Json::Array(items) => items.iter().for_each(|item| collect_ids(item, ids)),
        Json::Object(members) => members.values().for_each(|member| collect_ids(member, ids)),
        _ => {}
    }
}

/// Removes mentions of hidden records from a field change. Returns whether to keep the change.
fn redact_change(change: &mut Json, hidden: &HashSet<Uuid>) -> bool {
    let mut is_redacted = false;
    for side in ["old", "new"] {
        if let Some(value) = change.get_mut(side) {
            is_redacted |= redact_value(value, hidden);
        }
    }
    let is_null_or_missing = |side| change.get(side).is_none_or(Json::is_null);
    let field = change.get("field").and_then(Json::as_str).unwrap_or_default();
    // readers do not see a link to a hidden record, and its key may be the slug of that record
    !is_redacted || !(is_link(field) || (is_null_or_missing("old") && is_null_or_missing("new")))
}

/// Removes mentions of hidden records from a value. Returns whether there were any.
fn redact_value(value: &mut Json, hidden: &HashSet<Uuid>) -> bool {
    match value {
        Json::String(text) if parse_id(text).is_some_and(|id| hidden.contains(&id)) => {
            *value = Json::Null;
            true
        }
        Json::Array(items) => items.iter_mut().fold(false, |is_redacted, item| redact_value(item, hidden) | is_redacted),
        Json::Object(members) => {
            let mut is_redacted = false;
            members.retain(|_, member| {
                let is_mention = redact_value(member, hidden);
                is_redacted |= is_mention;
                // what a list or an object has beside the mention stays
                !(is_mention && (*member == Json::Null || member.as_object().is_some_and(Map::is_empty)))
            });
            is_redacted
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

/// Removes links to hidden records from the lists of a record and of its parts.
fn remove_links(state: &mut Json, hidden: &HashSet<Uuid>) {
    let Json::Object(members) = state else { return };
    for (name, value) in members {
        let Json::Array(items) = value else { continue };
        if is_link(&format!("{name}[")) {
            items.retain_mut(|item| !redact_value(item, hidden));
        }
        for item in items.iter_mut() {
            remove_links(item, hidden);
        }
    }
}

/// Whether the path of a field is that of a link, such as `citations[registry-2026:decidedOn]`.
fn is_link(field: &str) -> bool {
    let links = catalog().all().filter(|record| record.kind == RecordKind::Part { cited: false });
    links.filter_map(|record| record.owner()?.inverse).any(|list| {
        let list = format!("{}[", list.name);
        field.starts_with(&list) || field.contains(&format!(".{list}"))
    })
}

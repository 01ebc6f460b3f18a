//! Redaction of histories for readers: mentions of drafts are removed from the revisions of published records.

use std::collections::HashSet;

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::RecordKind;
use crate::core::error::{Result, internal};
use crate::core::id;
use crate::entity::RecordType;
use crate::store::handle::Store;
use crate::store::read::plan::Plan;
use crate::store::read::result::{Cell, RowSet};
use crate::store::sql::filter::Visibility;
use crate::store::sql::statement::MAX_BOUND_VALUES;

impl Store {
    /// Removes mentions of drafts from the field changes of revisions, for readers.
    pub(crate) async fn redact_revisions(&self, plan: &Plan, level: &mut RowSet) -> Result<()> {
        let Some(index) = plan.revision_changes().filter(|_| self.visibility == Visibility::Published) else { return Ok(()) };
        let mut mentioned = HashSet::new();
        for row in &level.rows {
            if let Cell::Json(changes) = &row.cells[index] {
                collect_ids(changes, &mut mentioned);
            }
        }
        let drafts = self.drafts(mentioned).await?;
        if drafts.is_empty() {
            return Ok(());
        }
        for row in &mut level.rows {
            if let Cell::Json(Json::Array(changes)) = &mut row.cells[index] {
                changes.retain_mut(|change| redact_change(change, &drafts));
            }
        }
        Ok(())
    }

    /// Removes mentions of drafts from the state of a record, and all links to drafts.
    pub(crate) async fn redact_state(&self, state: &mut Json) -> Result<()> {
        let mut mentioned = HashSet::new();
        collect_ids(state, &mut mentioned);
        let drafts = self.drafts(mentioned).await?;
        if !drafts.is_empty() {
            remove_links(state, &drafts);
            redact_value(state, &drafts);
        }
        Ok(())
    }

    /// The ids among these that belong to drafts, according to their search documents.
    async fn drafts(&self, ids: HashSet<Uuid>) -> Result<HashSet<Uuid>> {
        let mut drafts = HashSet::new();
        let mut ids: Vec<Uuid> = ids.into_iter().collect();
        ids.sort_unstable();
        for chunk in ids.chunks(MAX_BOUND_VALUES) {
            let select = Query::select()
                .column("id")
                .from("search_documents")
                .and_where(Expr::col("id").is_in(chunk.iter().copied()))
                .and_where(Expr::col("published").eq(false))
                .to_owned();
            for row in self.fetch_all(&select).await? {
                drafts.insert(row.try_get_by_index(0).map_err(internal)?);
            }
        }
        Ok(drafts)
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

/// Removes mentions of drafts from a field change. Returns whether to keep the change.
fn redact_change(change: &mut Json, drafts: &HashSet<Uuid>) -> bool {
    let mut is_redacted = false;
    for side in ["old", "new"] {
        if let Some(value) = change.get_mut(side) {
            is_redacted |= redact_value(value, drafts);
        }
    }
    let is_null_or_missing = |side| change.get(side).is_none_or(Json::is_null);
    let field = change.get("field").and_then(Json::as_str).unwrap_or_default();
    // readers do not see a link to a draft, and its key may be the slug of the draft
    !is_redacted || !(is_link(field) || (is_null_or_missing("old") && is_null_or_missing("new")))
}

/// Removes mentions of drafts from a value. Returns whether there were any.
fn redact_value(value: &mut Json, drafts: &HashSet<Uuid>) -> bool {
    match value {
        Json::String(text) if parse_id(text).is_some_and(|id| drafts.contains(&id)) => {
            *value = Json::Null;
            true
        }
        Json::Array(items) => items.iter_mut().fold(false, |is_redacted, item| redact_value(item, drafts) | is_redacted),
        Json::Object(members) => {
            let before = members.len();
            members.retain(|_, member| !redact_value(member, drafts));
            members.len() < before
        }
        _ => false,
    }
}

/// Removes links to drafts from the lists of a record and of its parts.
fn remove_links(state: &mut Json, drafts: &HashSet<Uuid>) {
    let Json::Object(members) = state else { return };
    for (name, value) in members {
        let Json::Array(items) = value else { continue };
        if is_link(&format!("{name}[")) {
            items.retain_mut(|item| !redact_value(item, drafts));
        }
        for item in items.iter_mut() {
            remove_links(item, drafts);
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

//! What readers see of a published record's history: what it says of drafts is left out.

use std::collections::HashSet;

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::catalog::record::{RecordKind, catalog};
use crate::core::error::{Result, internal};
use crate::core::id;
use crate::entity::RecordType;
use crate::store::Store;
use crate::store::read::executor::CHUNK;
use crate::store::read::plan::Plan;
use crate::store::read::result::{Cell, RowSet};
use crate::store::sql::filter::Visibility;

/// Place of the changes among the cells of a row, where they are read.
pub(crate) fn changes(plan: &Plan) -> Option<usize> {
    if plan.ty != RecordType::Revision {
        return None;
    }
    let field = catalog().get(RecordType::Revision).field_index("changes")?;
    plan.fields.binary_search(&field).ok()
}

impl Store {
    /// Takes what speaks of drafts out of the changes of a level.
    pub(crate) async fn veil(&self, plan: &Plan, level: &mut RowSet) -> Result<()> {
        let Some(place) = changes(plan).filter(|_| self.sees == Visibility::Published) else { return Ok(()) };
        let mut mentioned = HashSet::new();
        for row in &level.rows {
            if let Cell::Json(changes) = &row.cells[place] {
                mention(changes, &mut mentioned);
            }
        }
        let drafts = self.drafts(mentioned).await?;
        if drafts.is_empty() {
            return Ok(());
        }
        for row in &mut level.rows {
            if let Cell::Json(Json::Array(changes)) = &mut row.cells[place] {
                changes.retain_mut(|change| keep(change, &drafts));
            }
        }
        Ok(())
    }

    /// Takes what speaks of drafts out of the state of a record, and the links to them with all that they say.
    pub(crate) async fn veil_state(&self, state: &mut Json) -> Result<()> {
        let mut mentioned = HashSet::new();
        mention(state, &mut mentioned);
        let drafts = self.drafts(mentioned).await?;
        if !drafts.is_empty() {
            hide_links(state, &drafts);
            hide(state, &drafts);
        }
        Ok(())
    }

    /// Which of these ids are those of drafts: every record has a search document.
    async fn drafts(&self, ids: HashSet<Uuid>) -> Result<HashSet<Uuid>> {
        let mut drafts = HashSet::new();
        let mut ids: Vec<Uuid> = ids.into_iter().collect();
        ids.sort_unstable();
        for chunk in ids.chunks(CHUNK) {
            let select = Query::select()
                .column("id")
                .from("search_documents")
                .and_where(Expr::col("id").is_in(chunk.iter().copied()))
                .and_where(Expr::col("published").eq(false))
                .to_owned();
            for row in self.read(&select).await? {
                drafts.insert(row.try_get_by_index(0).map_err(internal)?);
            }
        }
        Ok(drafts)
    }
}

/// The id that a text is, if it is one.
fn id_of(text: &str) -> Option<Uuid> {
    let typed = id::decode(text).ok().filter(|(prefix, _)| RecordType::from_prefix(prefix).is_some());
    typed.map(|(_, id)| id).or_else(|| Uuid::parse_str(text).ok())
}

/// Gathers the ids in a value.
fn mention(value: &Json, ids: &mut HashSet<Uuid>) {
    match value {
        Json::String(text) => ids.extend(id_of(text)),
        Json::Array(items) => items.iter().for_each(|item| mention(item, ids)),
        Json::Object(members) => members.values().for_each(|member| mention(member, ids)),
        _ => {}
    }
}

/// Takes drafts out of a change; tells whether anything is left to say.
fn keep(change: &mut Json, drafts: &HashSet<Uuid>) -> bool {
    let mut hidden = false;
    for side in ["old", "new"] {
        if let Some(value) = change.get_mut(side) {
            hidden |= hide(value, drafts);
        }
    }
    let is_nothing = |side| change.get(side).is_none_or(Json::is_null);
    let field = change.get("field").and_then(Json::as_str).unwrap_or_default();
    // a link to a draft is not there for readers, and its key may be the slug of the draft
    !hidden || !(is_link(field) || (is_nothing("old") && is_nothing("new")))
}

/// Takes drafts out of a value; tells whether there were any.
fn hide(value: &mut Json, drafts: &HashSet<Uuid>) -> bool {
    match value {
        Json::String(text) if id_of(text).is_some_and(|id| drafts.contains(&id)) => {
            *value = Json::Null;
            true
        }
        Json::Array(items) => items.iter_mut().fold(false, |hidden, item| hide(item, drafts) | hidden),
        Json::Object(members) => {
            let before = members.len();
            members.retain(|_, member| !hide(member, drafts));
            members.len() < before
        }
        _ => false,
    }
}

/// Takes links to drafts out of the lists of a record and of its parts.
fn hide_links(state: &mut Json, drafts: &HashSet<Uuid>) {
    let Json::Object(members) = state else { return };
    for (name, value) in members {
        let Json::Array(items) = value else { continue };
        if is_link(&format!("{name}[")) {
            items.retain_mut(|item| !hide(item, drafts));
        }
        items.iter_mut().for_each(|item| hide_links(item, drafts));
    }
}

/// Whether a change is one of a link, such as `citations[registry-2026:decided]`.
fn is_link(field: &str) -> bool {
    let links = catalog().all().filter(|record| record.shape == RecordKind::Part { cited: false });
    links.filter_map(|record| record.owner()?.inverse).any(|list| {
        let list = format!("{}[", list.name);
        field.starts_with(&list) || field.contains(&format!(".{list}"))
    })
}

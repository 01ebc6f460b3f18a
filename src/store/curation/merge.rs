//! Merging two records of the same person, body or publication: one takes over the values and links of the other.

mod absorbed;
mod history;
mod item;
pub(crate) mod log;
mod overlap;
mod undo;
pub mod unmerge;

use std::collections::HashMap;

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::field::Field;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::core::error::Result;
use crate::core::id;
use crate::entity::RecordType;
use crate::store::curation::merge::item::{merged_state, remove_alike_parts, replace_text};
use crate::store::curation::merge::log::{MergedInstants, RecordedMerge, insert_merge, redirected_ids};
use crate::store::curation::referrers::referrers;
use crate::store::curation::withholding::name_redaction::texts;
use crate::store::curation::withholding::withheld_digest::{WITHHELD_MESSAGE, withheld_persons};
use crate::store::draft::{Draft, InputProblem, Origin, ProblemCode};
use crate::store::history::redirects::{insert_former_slugs, move_redirects};
use crate::store::history::revisions::{latest_sequence, mark_as_moved};
use crate::store::history::state;
use crate::store::read::dump::FormerName;
use crate::store::write::load::referenced_types;
use crate::store::write::model::{field, is_published, revision_number};
use crate::store::write::session::{WriteSession, relocate_state_problems, unknown_id, update_draft};
use crate::store::write::types::{Author, WriteError};
use crate::store::write::value::PartKeys;
use crate::store::write::writer::delete_rows;
use crate::store::{Store, database};

impl Store {
    /// Merges the record `from` into the record `into` of the same type. All links move, and the id and slug of `from`
    /// redirect to `into`.
    pub async fn merge(&self, ty: RecordType, from: Uuid, into: Uuid, author: &Author) -> Result<(), WriteError> {
        if from == into {
            let message = "these are the same record; specify the one to keep as into, and the other as from";
            return Err(WriteError::problem(InputProblem::new(Origin::input(["from"]), message)));
        }
        let session = self.begin(author).await?;
        let argument = Origin::input(["into"]);
        let relocate = |problems| relocate_state_problems(problems, &argument, &argument, &argument);
        session.merge(catalog().get(ty), from, into).await.map_err(|error| error.map_problems(relocate))?;
        session.commit().await?;
        Ok(())
    }

    /// The problem that no record of the type has this id, which the input has in `argument`.
    pub async fn unknown_id_problem(&self, ty: RecordType, id: Uuid, argument: &'static str) -> Result<Option<InputProblem>> {
        let record = catalog().get(ty);
        let select = Query::select().column("id").from(Alias::new(record.table)).and_where(Expr::col("id").eq(id)).to_owned();
        let found = self.pools.primary.query_one(&select).await.map_err(database)?;
        Ok(found.is_none().then(|| unknown_id(record, id, argument)))
    }
}

impl WriteSession<'_> {
    async fn merge(&self, record: &'static Record, from: Uuid, into: Uuid) -> Result<(), WriteError> {
        let transaction = &self.transaction;
        let (merged, kept) = match (self.existing(record, from, "from").await, self.existing(record, into, "into").await) {
            (Err(WriteError::Problems(mut problems)), Err(WriteError::Problems(more))) => {
                problems.extend(more);
                return Err(WriteError::Problems(problems));
            }
            (merged, kept) => (merged?, kept?),
        };
        let withheld = withheld_persons(transaction).await?;
        let problems: Vec<InputProblem> = [(from, "from"), (into, "into")]
            .into_iter()
            .filter(|(id, _)| withheld.contains(id))
            .map(|(_, argument)| InputProblem::new(Origin::input([argument]), WITHHELD_MESSAGE).with_code(ProblemCode::Withheld))
            .collect();
        if !problems.is_empty() {
            return Err(WriteError::Problems(problems));
        }
        // identifiers are unique, so the merged record must lose its own before the kept one gets them
        delete_rows(transaction, "identifiers", "record_id", &[from]).await?;
        let referrers = referrers(transaction, record, from, u64::from(u32::MAX)).await?;
        let [old, new] = [from, into].map(|id| id::encode(record.ty.prefix(), id));
        let mut drafts: HashMap<RecordType, Vec<Draft>> = HashMap::new();
        for referrer in referrers.iter().filter(|referrer| referrer.id != into) {
            let state = self.state(catalog().get(referrer.ty), referrer.id).await?;
            let mut state = replace_text(state, &old, &new);
            remove_alike_parts(catalog().get(referrer.ty), &mut state);
            let draft = update_draft(referrer.ty, referrer.id, &state, "into");
            drafts.entry(referrer.ty).or_default().push(draft);
        }
        let types = referenced_types(transaction, record, [&merged, &kept].into_iter()).await?;
        let [theirs, ours] = [&merged, &kept].map(|row| state::without_system_fields(state::of(record, row, &types, &PartKeys::default())));
        let mut ours = ours;
        replace_references(record, &mut ours, &old, |name| theirs.get(name).cloned().unwrap_or(Json::Null));
        let mut ours = replace_text(merged_state(record, ours, theirs), &old, &new);
        replace_references(record, &mut ours, &new, |_| Json::Null);
        remove_parts_about_itself(record, &mut ours, &new);
        remove_alike_parts(record, &mut ours);
        drafts.entry(record.ty).or_default().push(update_draft(record.ty, into, &ours, "into"));
        let before = latest_sequence(transaction).await?;
        self.write(&drafts.into_iter().collect(), &|_| {}).await?;
        let sequences = (before + 1, latest_sequence(transaction).await?);
        mark_as_moved(transaction, before, &[into]).await?;
        let redirected = redirected_ids(transaction, from).await?;
        // redirects to the merged record follow it, before its removal hides them
        move_redirects(transaction, from, into).await?;
        self.remove(record, &merged, "merged").await?;
        let redirect = Query::update().table("nodes").value("merged_into", into).and_where(Expr::col("id").eq(from)).to_owned();
        transaction.execute(&redirect).await.map_err(database)?;
        let name = field(record, &merged, "slug").as_text().unwrap_or_default().to_owned();
        let redirect = FormerName { ty: record.ty, name, record: from };
        insert_former_slugs(transaction, vec![(redirect, is_published(record, &merged))]).await?;
        move_redirects(transaction, from, into).await?;
        let instants = MergedInstants::of(record, &merged);
        let merge = RecordedMerge { into, revision: revision_number(record, &merged), sequences, redirected, instants };
        Ok(insert_merge(transaction, from, &merge).await?)
    }
}

/// Replaces references to a record of the same type with this id. The kept record must not become its own parent, because the
/// merged record was its parent, or the other way round.
fn replace_references(record: &Record, state: &mut Json, id: &str, replacement: impl Fn(&str) -> Json) {
    let is_own_type = |field: &&Field| matches!(field.kind, FieldKind::One(target) if target == record.ty);
    for field in record.fields.iter().filter(is_own_type) {
        if let Some(value) = state.get_mut(field.name).filter(|value| value.as_str() == Some(id)) {
            *value = replacement(field.name);
        }
    }
}

/// Removes parts that refer to the record with this id, to which they belong, such as a citation of a source by the other one.
fn remove_parts_about_itself(record: &Record, state: &mut Json, id: &str) {
    for list in &record.parts {
        if let Some(Json::Array(items)) = state.get_mut(list.name) {
            items.retain(|item| !texts(item).contains(&id));
        }
    }
}

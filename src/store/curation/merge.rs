//! Merging two records that are the same person or body: one takes over all that the other had and was linked to.

use std::collections::HashMap;

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::catalog::record::{FieldKind, Record, catalog};
use crate::core::error::Result;
use crate::entity::RecordType;
use crate::store::curation::delete::{at, delete, field, referrers};
use crate::store::draft::value_tree;
use crate::store::draft::{Draft, InputProblem, ProblemCode, WriteMode, WriteTarget, parse};
use crate::store::history::state;
use crate::store::write::apply;
use crate::store::write::apply::types;
use crate::store::write::{Author, WriteError, WriteSession};
use crate::store::{Store, database};

impl Store {
    /// Merges one record into another of the same type: every link moves, the old id and slug lead to the other.
    pub async fn merge(&self, ty: RecordType, from: Uuid, into: Uuid, author: &Author) -> Result<(), WriteError> {
        if from == into {
            let problem = InputProblem::new(at("from"), "these are the same record; name the one to keep as into, and the other as from");
            return Err(WriteError::Problems(vec![problem.of(ProblemCode::Invalid)]));
        }
        let writing = self.begin(author).await?;
        writing.merge(catalog().get(ty), from, into).await?;
        writing.commit().await?;
        Ok(())
    }
}

impl WriteSession<'_> {
    async fn merge(&self, record: &'static Record, from: Uuid, into: Uuid) -> Result<(), WriteError> {
        let transaction = &self.transaction;
        let gone = self.existing(record, from).await?;
        let kept = self.existing(record, into).await?;
        // no two records share an identifier, not even for a moment
        delete(transaction, "identifiers", "record_id", &[from]).await?;
        let referrers = referrers(transaction, record, from, u64::from(u32::MAX)).await?;
        let [old, new] = [from, into].map(|id| crate::core::id::encode(record.ty.prefix(), id));
        let mut drafts: HashMap<RecordType, Vec<Draft>> = HashMap::new();
        for referrer in referrers.iter().filter(|referrer| referrer.id != into) {
            let state = self.state(catalog().get(referrer.ty), referrer.id).await?;
            let draft = self.draft(referrer.ty, referrer.id, &replaced(state, &old, &new))?;
            drafts.entry(referrer.ty).or_default().push(draft);
        }
        let known = types(transaction, record, [&gone, &kept].into_iter()).await?;
        let [theirs, ours] = [&gone, &kept].map(|row| state::given(state::of(record, row, &known, &HashMap::new())));
        let ours = replaced(joined(record, ours, theirs), &old, &new);
        drafts.entry(record.ty).or_default().push(self.draft(record.ty, into, &ours)?);
        self.write(&drafts.into_iter().collect(), &|_| {}).await?;
        let gone = self.existing(record, from).await?;
        self.remove(record, &gone, "merged").await?;
        for table in ["former_slugs", "nodes"] {
            let column = if table == "nodes" { "merged_into" } else { "record_id" };
            let earlier = Query::update().table(table).value(column, into).and_where(Expr::col(column).eq(from)).to_owned();
            transaction.execute(&earlier).await.map_err(database)?;
        }
        let redirect = Query::update().table("nodes").value("merged_into", into).and_where(Expr::col("id").eq(from)).to_owned();
        transaction.execute(&redirect).await.map_err(database)?;
        let slug = field(record, &gone, "slug").as_text().unwrap_or_default().to_owned();
        apply::former(transaction, vec![(record.ty, slug, into)]).await?;
        Ok(())
    }

    /// A record as it is, as a value.
    pub(crate) async fn state(&self, record: &'static Record, id: Uuid) -> Result<Json, WriteError> {
        let row = self.existing(record, id).await?;
        let types = types(&self.transaction, record, std::iter::once(&row)).await?;
        Ok(state::given(state::of(record, &row, &types, &HashMap::new())))
    }

    /// A draft that makes a record what this value says.
    pub(crate) fn draft(&self, ty: RecordType, id: Uuid, state: &Json) -> Result<Draft, WriteError> {
        let draft = parse::state(catalog().get(ty), &value_tree::of_json(state), &at("record")).map_err(WriteError::Problems)?;
        Ok(Draft { aim: WriteTarget { mode: WriteMode::Update, id: Some(id), restates: true, ..WriteTarget::default() }, ..draft })
    }
}

/// A value in which one text stands for another wherever it is the whole of a value.
pub(crate) fn replaced(value: Json, old: &str, new: &str) -> Json {
    match value {
        Json::String(text) if text == old => Json::String(new.to_owned()),
        Json::Array(items) => Json::Array(items.into_iter().map(|item| replaced(item, old, new)).collect()),
        Json::Object(members) => Json::Object(members.into_iter().map(|(name, value)| (name, replaced(value, old, new))).collect()),
        other => other,
    }
}

/// What a record becomes that takes over another: its own values, the other's where it has none, and the lists of both.
fn joined(record: &Record, ours: Json, theirs: Json) -> Json {
    let (Json::Object(mut ours), Json::Object(mut theirs)) = (ours, theirs) else { return Json::Null };
    let label = record.label().map_or("", |field| field.name);
    let other = other_names(&theirs, label, &ours);
    for (name, value) in std::mem::take(&mut theirs) {
        if ["slug", "published", label].contains(&name.as_str()) {
            continue;
        }
        match (ours.get_mut(&name), value) {
            (Some(Json::Array(ours)), Json::Array(theirs)) => append(ours, theirs),
            (None, value) => {
                ours.insert(name, value);
            }
            _ => {}
        }
    }
    let is_list = |field: &crate::catalog::record::Field| matches!(field.kind, FieldKind::List(_));
    if !other.is_empty() && record.fields.iter().any(|field| field.name == "otherNames" && is_list(field)) {
        let names = ours.entry("otherNames").or_insert_with(|| json!([]));
        if let Json::Array(names) = names {
            append(names, other);
        }
    }
    Json::Object(ours)
}

/// Names of the other record that this one does not have.
fn other_names(theirs: &Map<String, Json>, label: &str, ours: &Map<String, Json>) -> Vec<Json> {
    let own: Vec<&Json> = ours.get(label).and_then(Json::as_object).into_iter().flat_map(Map::values).collect();
    let names = theirs.get(label).and_then(Json::as_object).into_iter().flatten();
    names.filter(|(_, name)| !own.contains(name)).map(|(lang, name)| json!({"name": name, "lang": lang})).collect()
}

/// Adds what is not there yet; a key that is taken becomes another.
fn append(ours: &mut Vec<Json>, theirs: Vec<Json>) {
    let bare = |item: &Json| match item {
        Json::Object(members) => {
            Json::Object(members.iter().filter(|(name, _)| *name != "key").map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        other => other.clone(),
    };
    for mut item in theirs {
        if ours.iter().any(|own| bare(own) == bare(&item)) {
            continue;
        }
        if let Some(key) = item.get("key").and_then(Json::as_str).map(str::to_owned) {
            let taken = |key: &str| ours.iter().any(|own| own.get("key").and_then(Json::as_str) == Some(key));
            let free = (1..).map(|count| if count == 1 { key.clone() } else { format!("{key}-{count}") }).find(|key| !taken(key));
            item["key"] = json!(free);
        }
        ours.push(item);
    }
}

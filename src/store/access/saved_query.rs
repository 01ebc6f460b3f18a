//! Saved queries: a query that has an address of its own, and stays what it is for ever.
//!
//! A saved query is known by the hash of what it is: the SHA-256 of its document, as automatic persisted queries
//! have it, or, where it has an operation name or values of variables, of the document with these. A name, once given,
//! leads to one hash for ever. So what was found is kept in memory without ever looking again.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use moka::sync::Cache;
use sea_orm::sea_query::{Cond, Expr, ExprTrait, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, QueryResult};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use crate::core::error::{Result, internal};
use crate::store::db::dataset_version;
use crate::store::db::dataset_version::WriteScope;
use crate::store::draft::{InputProblem, Origin, ProblemCode};
use crate::store::write::WriteError;
use crate::store::{Store, database};

/// Bytes of saved queries that are kept in memory.
const KEPT: u64 = 4 << 20;
/// Letters that a name may have.
pub const MAX_NAME: usize = 100;
/// Letters that a title may have.
pub const MAX_TITLE: usize = 200;
/// Bytes that a document may have, and bytes that the values of its variables may have.
pub const MAX_DOCUMENT: usize = 100_000;
const TABLE: &str = "saved_queries";
const COLUMNS: [&str; 9] = ["hash", "document_hash", "name", "title", "document", "operation_name", "variables", "saved_by", "saved_at"];

/// A saved query.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedQuery {
    /// Hash of all that it is.
    pub hash: String,
    /// Hash of its document alone.
    pub document_hash: String,
    /// Name that leads to it.
    pub name: Option<String>,
    /// What it is about, for people.
    pub title: Option<String>,
    /// The GraphQL document.
    pub document: String,
    /// Name of the operation to run, where the document has several.
    pub operation_name: Option<String>,
    /// Values of its variables where nothing else is asked for.
    pub variables: Map<String, Json>,
    /// Name of the token of who saved it.
    pub saved_by: String,
    /// When it was saved.
    pub saved_at: DateTime<Utc>,
}

/// A query that is to be saved. It has been checked against the schema.
#[derive(Debug, Clone, Default)]
pub struct ToSave {
    /// The GraphQL document.
    pub document: String,
    /// Name of the operation to run.
    pub operation_name: Option<String>,
    /// Values of its variables.
    pub variables: Map<String, Json>,
    /// Name that is to lead to it.
    pub name: Option<String>,
    /// What it is about, for people.
    pub title: Option<String>,
}

/// Saved queries that were asked for lately, by name and by hash.
#[derive(Debug, Clone)]
pub(crate) struct SavedQueries(Cache<String, Arc<SavedQuery>>);

impl Default for SavedQueries {
    fn default() -> Self {
        let weigh = |key: &String, saved: &Arc<SavedQuery>| u32::try_from(key.len() + saved.document.len() + 500).unwrap_or(u32::MAX);
        Self(Cache::builder().weigher(weigh).max_capacity(KEPT).build())
    }
}

/// The SHA-256 of a text, in hexadecimal.
pub fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a text can be such a hash.
fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

impl ToSave {
    /// Hash of all that it is. The order of variables does not matter.
    fn hash(&self) -> String {
        if self.operation_name.is_none() && self.variables.is_empty() {
            return hash(&self.document);
        }
        let rest = json!([self.operation_name, sorted(&Json::Object(self.variables.clone()))]);
        hash(&format!("{}\n{rest}", self.document))
    }

    /// What is wrong with it.
    fn problems(&self) -> Vec<InputProblem> {
        let mut problems = Vec::new();
        let mut wrong = |path: &str, message: String| problems.push(InputProblem::new(at(path), message).of(ProblemCode::Invalid));
        if self.document.len() > MAX_DOCUMENT {
            wrong("query", format!("the query is longer than {MAX_DOCUMENT} bytes"));
        }
        if Json::Object(self.variables.clone()).to_string().len() > MAX_DOCUMENT {
            wrong("variables", format!("the variables are longer than {MAX_DOCUMENT} bytes"));
        }
        if let Some(name) = &self.name {
            let fits = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            let is_slug = fits && !name.is_empty() && name.len() <= MAX_NAME && !name.starts_with('-') && !name.ends_with('-');
            if !is_slug || is_hash(name) {
                wrong("name", format!("write 1 to {MAX_NAME} of a to z, 0 to 9 and -, such as cases-by-year; a hash is no name"));
            }
        }
        if self.title.as_ref().is_some_and(|title| title.chars().count() > MAX_TITLE || title.chars().any(char::is_control)) {
            wrong("title", format!("give at most {MAX_TITLE} letters in one line"));
        }
        problems
    }
}

/// The same value, the members of its objects in the order of their names.
fn sorted(value: &Json) -> Json {
    match value {
        Json::Object(members) => {
            let mut members: Vec<_> = members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            Json::Object(members.into_iter().collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

impl Store {
    /// The saved query that has this name or this hash.
    pub async fn saved_query(&self, which: &str) -> Result<Option<SavedQuery>> {
        self.kept(which, false).await
    }

    /// A document that is saved, alone or as a part of a saved query, by its own hash.
    pub async fn saved_document(&self, hash: &str) -> Result<Option<String>> {
        Ok(self.kept(hash, true).await?.map(|saved| saved.document))
    }

    async fn kept(&self, which: &str, is_document: bool) -> Result<Option<SavedQuery>> {
        // what cannot be there costs nothing, and is not looked for
        let by_hash = is_hash(which);
        if which.len() > MAX_NAME || (is_document && !by_hash) {
            return Ok(None);
        }
        let key = if is_document { format!("document {which}") } else { which.to_owned() };
        if let Some(saved) = self.saved.0.get(&key) {
            return Ok(Some((*saved).clone()));
        }
        let column = match (is_document, by_hash) {
            (true, _) => "document_hash",
            (false, true) => "hash",
            (false, false) => "name",
        };
        let rows = self.read(select().and_where(Expr::col(column).eq(which)).order_by("hash", Order::Asc).limit(1)).await?;
        let saved = rows.first().map(read).transpose()?;
        if let Some(saved) = &saved {
            self.saved.0.insert(key, Arc::new(saved.clone()));
        }
        Ok(saved)
    }

    /// Saved queries, the latest first.
    pub async fn saved_queries(&self, first: u32) -> Result<Vec<SavedQuery>> {
        let mut latest = select();
        latest.order_by("saved_at", Order::Desc).order_by("hash", Order::Asc).limit(first.into());
        self.read(&latest).await?.iter().map(read).collect()
    }

    /// Saves a query. What is saved already stays as it is, and gets the name or title that it did not have.
    pub async fn save_query(&self, query: &ToSave, by: &str) -> Result<SavedQuery, WriteError> {
        let problems = query.problems();
        if !problems.is_empty() {
            return Err(WriteError::Problems(problems));
        }
        let hash = query.hash();
        let taken = |path, message| WriteError::Problems(vec![InputProblem::new(at(path), message).of(ProblemCode::Taken)]);
        let transaction = self.begin_alone().await?;
        let alike = Cond::any().add(Expr::col("hash").eq(&hash)).add_option(query.name.as_ref().map(|name| Expr::col("name").eq(name)));
        let rows = transaction.query_all(select().cond_where(alike)).await.map_err(database)?;
        let there = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        if let Some(other) = there.iter().find(|saved| saved.hash != hash) {
            let name = other.name.as_deref().unwrap_or_default();
            let message = format!("\"{name}\" is the name of another query, for ever: {}; give this one another name", other.hash);
            return Err(taken("name", message));
        }
        let saved = match there.into_iter().next() {
            Some(saved) => {
                if let (Some(has), Some(wanted)) = (&saved.name, &query.name)
                    && has != wanted
                {
                    return Err(taken("name", format!("this query is saved already, and its name is \"{has}\"; use that")));
                }
                let name = saved.name.clone().or_else(|| query.name.clone());
                let title = saved.title.clone().or_else(|| query.title.clone());
                let same = name == saved.name && title == saved.title;
                let saved = SavedQuery { name, title, ..saved };
                if same {
                    return Ok(saved);
                }
                let mut update = Query::update();
                update.table(TABLE).value("name", saved.name.clone()).value("title", saved.title.clone());
                transaction.execute(update.and_where(Expr::col("hash").eq(&hash))).await.map_err(database)?;
                saved
            }
            None => {
                let saved = SavedQuery {
                    document_hash: self::hash(&query.document),
                    hash,
                    name: query.name.clone(),
                    title: query.title.clone(),
                    document: query.document.clone(),
                    operation_name: query.operation_name.clone(),
                    variables: query.variables.clone(),
                    saved_by: by.to_owned(),
                    saved_at: self.clock.now(),
                };
                let insert = Query::insert()
                    .into_table(TABLE)
                    .columns(COLUMNS)
                    .values([
                        saved.hash.as_str().into(),
                        saved.document_hash.as_str().into(),
                        saved.name.clone().into(),
                        saved.title.clone().into(),
                        saved.document.as_str().into(),
                        saved.operation_name.clone().into(),
                        Json::Object(saved.variables.clone()).to_string().into(),
                        saved.saved_by.as_str().into(),
                        saved.saved_at.into(),
                    ])
                    .map_err(internal)?
                    .to_owned();
                transaction.execute(&insert).await.map_err(database)?;
                saved
            }
        };
        dataset_version::note(&transaction, self.clock.now(), WriteScope::Others).await?;
        self.changes.tell(&transaction).await.map_err(database)?;
        transaction.commit().await.map_err(database)?;
        self.saved.0.invalidate(&saved.hash);
        self.changes.bump();
        Ok(saved)
    }
}

/// A place in the input of the mutation.
fn at(path: &str) -> Origin {
    Origin { path: format!("input.{path}"), ..Origin::default() }
}

fn select() -> SelectStatement {
    Query::select().columns(COLUMNS).from(TABLE).to_owned()
}

fn read(row: &QueryResult) -> Result<SavedQuery> {
    fn get<T: sea_orm::TryGetable>(row: &QueryResult, index: usize) -> Result<T> {
        row.try_get_by_index(index).map_err(internal)
    }
    let variables: String = get(row, 6)?;
    Ok(SavedQuery {
        hash: get(row, 0)?,
        document_hash: get(row, 1)?,
        name: get(row, 2)?,
        title: get(row, 3)?,
        document: get(row, 4)?,
        operation_name: get(row, 5)?,
        variables: serde_json::from_str(&variables).map_err(internal)?,
        saved_by: get(row, 7)?,
        saved_at: get(row, 8)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_variables_does_not_matter_and_their_values_do() {
        let save = |variables: Json| {
            let Json::Object(variables) = variables else { unreachable!() };
            ToSave { document: "query A($a: Int, $b: Int) { x }".to_owned(), variables, ..ToSave::default() }.hash()
        };
        assert_eq!(save(json!({"a": 1, "b": {"c": 2, "d": 3}})), save(json!({"b": {"d": 3, "c": 2}, "a": 1})));
        assert_ne!(save(json!({"a": 1})), save(json!({"a": 2})));
        assert_eq!(save(json!({})), hash("query A($a: Int, $b: Int) { x }"));
    }
}

//! Saved queries: immutable queries with an address of their own.
//!
//! A saved query is identified by the SHA-256 of its document, as in automatic persisted queries. If it has an operation
//! name or variables, the hash covers those too. A name, once given, leads to the same hash forever.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};
use serde_json::{Map, Value as Json, json};

use crate::core::digest::sha256_hex;
use crate::core::error::{Result, internal};
use crate::core::strict_json;
use crate::core::text::{TextRule, cleaned, forbidden_character, forbidden_character_message};
use crate::entity::document_id;
use crate::entity::saved_query::{ActiveModel, Column, Entity, Model};
use crate::store::curation::withholding::name_recognition::NameRecognizer;
use crate::store::curation::withholding::withheld_digest::{WITHHELD_NAME_MESSAGE, load_recognizer};
use crate::store::db::dataset_version;
use crate::store::db::dataset_version::WriteScope;
use crate::store::draft::{InputProblem, Origin, ProblemCode, add_problems};
use crate::store::write::types::WriteError;
use crate::store::{Store, database};

pub use crate::store::access::saved_query_cache::SavedQuery;

/// Prefix of a `documentId` that is the SHA-256 of a document (GraphQL over HTTP, appendix A).
pub const HASH_PREFIX: &str = "sha256:";
/// Maximum length of a name.
const MAX_NAME_BYTES: usize = 100;
/// Maximum length of a title.
const MAX_TITLE_CHARS: usize = 200;
/// Maximum length of a document.
const MAX_DOCUMENT_BYTES: usize = 100_000;
/// Maximum length of the variables as JSON.
const MAX_VARIABLES_BYTES: usize = 100_000;

/// A query to save, validated against the schema.
#[derive(Debug, Clone, Default)]
pub struct NewSavedQuery {
    /// The GraphQL document.
    pub document: String,
    /// Name of the operation to execute.
    pub operation_name: Option<String>,
    /// Default values of the variables.
    pub variables: Map<String, Json>,
    /// Name that the query can be fetched by.
    pub name: Option<String>,
    /// Title for people.
    pub title: Option<String>,
}

/// Whether a text has the form of a hash.
fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

impl NewSavedQuery {
    /// Hash of the document, operation name and variables. The order of the variables does not matter.
    fn hash(&self) -> String {
        if self.operation_name.is_none() && self.variables.is_empty() {
            return sha256_hex(&self.document);
        }
        let rest = json!([self.operation_name, sorted(&Json::Object(self.variables.clone()))]);
        sha256_hex(format!("{}\n{rest}", self.document))
    }

    /// The query with its title as it is stored. One that is not valid is a problem.
    fn with_clean_title(&self) -> Self {
        let title = self.title.as_ref().map(|title| cleaned(title).trim().to_owned());
        Self { title, ..self.clone() }
    }

    /// Problems with names of withheld persons.
    fn withheld_names(&self, recognizer: &NameRecognizer) -> Vec<InputProblem> {
        let variables = Json::Object(self.variables.clone()).to_string();
        let document = without_escapes(&self.document);
        // the words of a name may stand in both
        let named = [self.name.as_deref(), self.title.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let texts = [
            ("query", Some(&document)),
            ("operationName", self.operation_name.as_ref()),
            ("variables", Some(&variables)),
            ("name", self.name.as_ref()),
            ("title", Some(&named)),
        ];
        let found = texts.into_iter().filter(|(_, text)| text.is_some_and(|text| recognizer.finds(text)));
        found
            .map(|(argument, _)| InputProblem::new(Origin::input([argument]), WITHHELD_NAME_MESSAGE).with_code(ProblemCode::Withheld))
            .collect()
    }

    /// Problems with the lengths, the name and the title.
    fn problems(&self) -> Vec<InputProblem> {
        let mut problems = Vec::new();
        let mut report = |argument, message: String| problems.push(InputProblem::new(Origin::input([argument]), message));
        if self.document.len() > MAX_DOCUMENT_BYTES {
            report("query", format!("the query is longer than {MAX_DOCUMENT_BYTES} bytes"));
        }
        if Json::Object(self.variables.clone()).to_string().len() > MAX_VARIABLES_BYTES {
            report("variables", format!("the variables are longer than {MAX_VARIABLES_BYTES} bytes"));
        }
        if let Some(name) = &self.name {
            let has_slug_characters = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            let is_slug =
                has_slug_characters && !name.is_empty() && name.len() <= MAX_NAME_BYTES && !name.starts_with('-') && !name.ends_with('-');
            if !is_slug || is_hash(name) {
                report(
                    "name",
                    format!("use 1 to {MAX_NAME_BYTES} of a to z, 0 to 9 and -, such as cases-by-year; a hash cannot be a name"),
                );
            }
        }
        if self.title.as_ref().is_some_and(|title| TextRule::line(MAX_TITLE_CHARS).clean_name(title).is_err()) {
            report("title", format!("give 1 to {MAX_TITLE_CHARS} characters in one line"));
        }
        for (argument, text) in [("query", Some(&self.document)), ("operationName", self.operation_name.as_ref())] {
            if let Some(char) = text.and_then(|text| forbidden_character(text)) {
                report(argument, forbidden_character_message(char));
            }
        }
        if let Some(char) = self.variables.iter().find_map(|(name, value)| forbidden_character(name).or_else(|| forbidden_in(value))) {
            report("variables", forbidden_character_message(char));
        }
        problems
    }
}

/// The first character in a value that no text may contain. The depth of variables is bounded.
fn forbidden_in(value: &Json) -> Option<char> {
    match value {
        Json::String(text) => forbidden_character(text),
        Json::Array(items) => items.iter().find_map(forbidden_in),
        Json::Object(members) => members.iter().find_map(|(name, value)| forbidden_character(name).or_else(|| forbidden_in(value))),
        Json::Null | Json::Bool(_) | Json::Number(_) => None,
    }
}

/// The same value with the members of its objects sorted by name.
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
    /// The saved query with this name or hash, or with this id in a manifest.
    pub async fn saved_query(&self, name_or_hash: &str) -> Result<Option<SavedQuery>> {
        let lower = name_or_hash.to_ascii_lowercase();
        if is_hash(&lower) {
            return self.cached_saved_query(Column::Hash, &lower, lower.clone()).await;
        }
        let column = Column::Name;
        self.cached_saved_query(column, name_or_hash, name_or_hash.to_owned()).await
    }

    /// The document with this hash, saved alone or as part of a saved query.
    pub async fn saved_document(&self, hash: &str) -> Result<Option<String>> {
        if !is_hash(hash) {
            return Ok(None);
        }
        let saved = self.cached_saved_query(Column::DocumentHash, hash, format!("document {hash}")).await?;
        Ok(saved.map(|saved| saved.document))
    }

    async fn cached_saved_query(&self, column: Column, value: &str, cache_key: String) -> Result<Option<SavedQuery>> {
        if value.len() > MAX_NAME_BYTES {
            return Ok(None);
        }
        // a name or a title can be added later, by any process; the generation advances when it is
        let cache_key = self.generation().await.map(|generation| format!("{generation} {cache_key}"));
        if let Some(saved) = cache_key.as_ref().and_then(|key| self.saved_queries.get(key)) {
            return Ok(Some(saved));
        }
        let select = Entity::find().filter(column.eq(value)).order_by_asc(Column::Hash).limit(1);
        let mut saved = self.read_saved_queries(select).await?.pop();
        if let (None, Column::Name) = (&saved, column) {
            let of_id = Query::select()
                .column(document_id::Column::Hash)
                .from(document_id::Entity)
                .and_where(document_id::Column::Id.eq(value))
                .to_owned();
            saved = self.read_saved_queries(Entity::find().filter(Column::Hash.in_subquery(of_id))).await?.pop();
        }
        if let (Some(saved), Some(key)) = (&saved, cache_key) {
            self.saved_queries.insert(key, saved.clone());
        }
        Ok(saved)
    }

    /// Saved queries, the latest first.
    pub async fn saved_queries(&self, first: u32) -> Result<Vec<SavedQuery>> {
        let select = Entity::find().order_by_desc(Column::SavedAt).order_by_asc(Column::Hash).limit(u64::from(first));
        self.read_saved_queries(select).await
    }

    /// Reads for the caller of this store, from a replica if possible.
    async fn read_saved_queries(&self, select: Select<Entity>) -> Result<Vec<SavedQuery>> {
        let rows = self.fetch_all(select.as_query()).await?;
        rows.iter().map(|row| Model::from_query_result(row, "").map_err(internal).and_then(SavedQuery::try_from)).collect()
    }

    /// Saves a query. One that is saved already keeps its name and title, and gets those it does not have yet. Fails if
    /// there are `problems` already: those of the document, its operation and its variables, without which it is not known
    /// whether the name belongs to the query.
    pub async fn save_query(
        &self,
        query: &NewSavedQuery,
        saved_by: &str,
        mut problems: Vec<InputProblem>,
    ) -> Result<SavedQuery, WriteError> {
        let is_hash_known = problems.is_empty();
        add_problems(&mut problems, query.problems());
        if !is_hash_known {
            return Err(WriteError::Problems(problems));
        }
        let transaction = self.begin_exclusive().await?;
        let (saved, is_changed) = self.save_within(&transaction, &query.with_clean_title(), saved_by, problems).await?;
        if is_changed {
            self.commit_saved_queries(transaction).await?;
        }
        Ok(saved)
    }

    /// Saves the documents of a manifest, in one transaction: all or none. The id of each leads to it from then on, like the
    /// name of a saved query. Returns the number of documents and ids that are new.
    pub async fn save_documents(&self, documents: &[(String, NewSavedQuery)], saved_by: &str) -> Result<usize, WriteError> {
        let problems: Vec<InputProblem> = documents.iter().flat_map(|(_, query)| query.problems()).collect();
        if !problems.is_empty() {
            return Err(WriteError::Problems(problems));
        }
        let transaction = self.begin_exclusive().await?;
        let mut added = 0;
        for (id, query) in documents {
            let query = &query.with_clean_title();
            let (saved, is_changed) = self.save_within(&transaction, query, saved_by, Vec::new()).await?;
            let has_new_id = add_document_id(&transaction, id, &saved).await?;
            added += usize::from(is_changed || has_new_id);
        }
        if added > 0 {
            self.commit_saved_queries(transaction).await?;
        }
        Ok(added)
    }

    async fn commit_saved_queries(&self, transaction: DatabaseTransaction) -> Result<()> {
        dataset_version::advance(&transaction, self.clock.now(), WriteScope::Others).await?;
        self.commit(transaction).await
    }

    /// Saves a query within a transaction, unless there are problems already. Returns it, and whether anything changed.
    async fn save_within(
        &self,
        transaction: &DatabaseTransaction,
        query: &NewSavedQuery,
        saved_by: &str,
        mut problems: Vec<InputProblem>,
    ) -> Result<(SavedQuery, bool), WriteError> {
        let hash = query.hash();
        let same = Condition::any().add(Column::Hash.eq(&hash)).add_option(query.name.as_ref().map(|name| Column::Name.eq(name)));
        let existing = Entity::find().filter(same).all(transaction).await.map_err(database)?;
        add_problems(&mut problems, name_problem(&existing, &hash, query).into_iter().collect());
        if let Some(name) = &query.name
            && let Some(id) = document_id::Entity::find_by_id(name).one(transaction).await.map_err(database)?
            && id.hash != hash
        {
            let message = format!("\"{name}\" is permanently the id of a document of a manifest: {}; give this one another name", id.hash);
            add_problems(&mut problems, vec![InputProblem::new(Origin::input(["name"]), message).with_code(ProblemCode::Taken)]);
        }
        let recognizer = load_recognizer(transaction, self.withholding_secret.as_deref()).await?;
        add_problems(&mut problems, query.withheld_names(&recognizer));
        if !problems.is_empty() {
            return Err(WriteError::Problems(problems));
        }
        if let Some(saved) = existing.into_iter().next().map(SavedQuery::try_from).transpose()? {
            return Ok(match add_name_and_title(transaction, &saved, query).await? {
                Some(updated) => (updated, true),
                None => (saved, false),
            });
        }
        let saved = SavedQuery {
            document_hash: sha256_hex(&query.document),
            hash,
            name: query.name.clone(),
            title: query.title.clone(),
            document: query.document.clone(),
            operation_name: query.operation_name.clone(),
            variables: query.variables.clone(),
            saved_by: saved_by.to_owned(),
            saved_at: self.clock.now(),
        };
        Entity::insert(ActiveModel::from(&saved)).exec_without_returning(transaction).await.map_err(database)?;
        Ok((saved, true))
    }
}

/// Makes the id of a document in a manifest lead to the saved query. Returns whether it did not before.
async fn add_document_id(transaction: &DatabaseTransaction, id: &str, saved: &SavedQuery) -> Result<bool, WriteError> {
    if id == saved.hash || id.strip_prefix(HASH_PREFIX) == Some(&saved.document_hash) {
        return Ok(false);
    }
    let taken = |hash: &str| {
        let message = format!("the id {id} is permanently that of another document: {hash}");
        Err(WriteError::problem(InputProblem::new(Origin::input(["id"]), message).with_code(ProblemCode::Taken)))
    };
    let named = Entity::find().filter(Column::Name.eq(id)).one(transaction).await.map_err(database)?;
    if let Some(named) = named.filter(|named| named.hash != saved.hash) {
        return taken(&named.hash);
    }
    match document_id::Entity::find_by_id(id).one(transaction).await.map_err(database)? {
        Some(known) if known.hash == saved.hash => Ok(false),
        Some(known) => taken(&known.hash),
        None => {
            let row = document_id::ActiveModel { id: Set(id.to_owned()), hash: Set(saved.hash.clone()) };
            document_id::Entity::insert(row).exec_without_returning(transaction).await.map_err(database)?;
            Ok(true)
        }
    }
}

/// The problem that the name belongs to another query, or that the query has another name. `existing` are the saved queries
/// with the hash or the name of the query.
fn name_problem(existing: &[Model], hash: &str, query: &NewSavedQuery) -> Option<InputProblem> {
    let requested = query.name.as_ref()?;
    let message = if let Some(other) = existing.iter().find(|saved| saved.hash != hash) {
        format!("\"{requested}\" is permanently the name of another query: {}; give this one another name", other.hash)
    } else {
        let own = existing.iter().find_map(|saved| saved.name.as_ref()).filter(|own| *own != requested)?;
        format!("this query is already saved with the name \"{own}\"; use that name")
    };
    Some(InputProblem::new(Origin::input(["name"]), message).with_code(ProblemCode::Taken))
}

/// Adds the name and title that a saved query does not have yet. Returns nothing if it already has them.
async fn add_name_and_title(transaction: &DatabaseTransaction, saved: &SavedQuery, query: &NewSavedQuery) -> Result<Option<SavedQuery>> {
    let name = saved.name.clone().or_else(|| query.name.clone());
    let title = saved.title.clone().or_else(|| query.title.clone());
    if name == saved.name && title == saved.title {
        return Ok(None);
    }
    let changes = ActiveModel { name: Set(name.clone()), title: Set(title.clone()), ..ActiveModel::default() };
    let update = Entity::update_many().set(changes).filter(Column::Hash.eq(&saved.hash));
    update.exec(transaction).await.map_err(database)?;
    Ok(Some(SavedQuery { name, title, ..saved.clone() }))
}

impl TryFrom<Model> for SavedQuery {
    type Error = crate::core::error::Error;

    fn try_from(row: Model) -> Result<Self> {
        let Model { hash, document_hash, name, title, document, operation_name, variables, saved_by, saved_at } = row;
        let variables = match strict_json::parse(variables.as_bytes()) {
            Ok(Json::Object(variables)) => variables,
            Ok(_) => return Err(internal(format!("the variables of the saved query {hash} are not an object"))),
            Err(error) => return Err(internal(error.message(&format!("the variables of the saved query {hash}")))),
        };
        Ok(Self { hash, document_hash, name, title, document, operation_name, variables, saved_by, saved_at })
    }
}

impl From<&SavedQuery> for ActiveModel {
    fn from(saved: &SavedQuery) -> Self {
        Self {
            hash: Set(saved.hash.clone()),
            document_hash: Set(saved.document_hash.clone()),
            name: Set(saved.name.clone()),
            title: Set(saved.title.clone()),
            document: Set(saved.document.clone()),
            operation_name: Set(saved.operation_name.clone()),
            variables: Set(Json::Object(saved.variables.clone()).to_string()),
            saved_by: Set(saved.saved_by.clone()),
            saved_at: Set(saved.saved_at),
        }
    }
}

/// A document with the escapes of its strings decoded (GraphQL specification, 2.9.4), so that names in it are recognized.
/// Escapes of surrogates stay.
fn without_escapes(document: &str) -> String {
    let mut decoded = String::with_capacity(document.len());
    let mut rest = document;
    while let Some(start) = rest.find("\\u") {
        let (before, escape) = rest.split_at(start);
        let digits = &escape[2..];
        let (digits, end) = match digits.strip_prefix('{') {
            Some(braced) => braced.find('}').map_or(("", 2), |close| (&braced[..close], close + 4)),
            None => (digits.get(..4).unwrap_or(""), 6),
        };
        decoded.push_str(before);
        if let Some(letter) = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32) {
            decoded.push(letter);
            rest = &escape[end..];
        } else {
            decoded.push_str(&escape[..2]);
            rest = &escape[2..];
        }
    }
    decoded + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_strings_are_decoded() {
        for (document, expected) in [
            (r#"{ a(b: "\u0041\u{43B}\n") }"#, "{ a(b: \"A\u{43b}\\n\") }"),
            (r#""\ud83d\u{}\u{1\u12"#, r#""\ud83d\u{}\u{1\u12"#),
            ("é \\u", "é \\u"),
            ("{ a }", "{ a }"),
        ] {
            assert_eq!(without_escapes(document), expected);
        }
    }

    #[test]
    fn hash_ignores_the_order_of_variables() {
        let hash_with = |variables: Json| {
            let Json::Object(variables) = variables else { unreachable!() };
            NewSavedQuery { document: "query A($a: Int, $b: Int) { x }".to_owned(), variables, ..NewSavedQuery::default() }.hash()
        };
        assert_eq!(hash_with(json!({"a": 1, "b": {"c": 2, "d": 3}})), hash_with(json!({"b": {"d": 3, "c": 2}, "a": 1})));
        assert_ne!(hash_with(json!({"a": 1})), hash_with(json!({"a": 2})));
        assert_eq!(hash_with(json!({})), sha256_hex("query A($a: Int, $b: Int) { x }"));
    }
}

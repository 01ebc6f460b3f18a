//! Withholding a person: what names them is taken out of the record, of everything that mentions them, and of the
//! history. That it happened is told, and nothing else.

use std::collections::{BTreeSet, HashMap, HashSet};

use sea_orm::sea_query::{Alias, Cond, Expr, ExprTrait, OnConflict, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::catalog::record::{FieldKind, Record, catalog};
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::curation::delete::{Referrer, delete, field, number, referrers};
use crate::store::draft::Draft;
use crate::store::sql::dialect;
use crate::store::sql::dialect::{one_of, one_of_ids};
use crate::store::write::apply;
use crate::store::write::apply::Change;
use crate::store::write::{Author, CHUNK, WriteError, WriteSession};
use crate::store::{Store, database};

/// What stands in the place of the name.
const LABEL: [(&str, &str); 3] = [("en", "Name withheld"), ("ru", "Имя не разглашается"), ("kk", "Есімі жарияланбайды")];
/// Letters that a name has at least to be looked for in texts.
const MIN_NAME: usize = 5;
/// Letters that an ending adds to a name at most.
const MAX_ENDING: usize = 3;

/// What is kept of a slug or an identifier of a person who is withheld, so that an import does not bring them back.
fn digest(what: &str, text: &str) -> String {
    let digest = Sha256::digest(format!("{what}:{text}"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// People who are withheld.
pub(crate) async fn withheld(transaction: &DatabaseTransaction) -> Result<HashSet<Uuid>> {
    let select = Query::select().column("record_id").from("withheld").distinct().to_owned();
    let rows = transaction.query_all(&select).await.map_err(database)?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>().map_err(internal)
}

pub(crate) fn slug_digest(slug: &str) -> String {
    digest("slug", slug)
}

pub(crate) fn identifier_digest(scheme: &str, value: &str) -> String {
    digest(&format!("identifier:{scheme}"), value)
}

/// What these digests are of, with the people who are withheld and had it.
pub(crate) async fn by_digest<T: Clone>(transaction: &DatabaseTransaction, digests: &HashMap<String, T>) -> Result<Vec<(T, Uuid)>> {
    let wanted: Vec<&str> = digests.keys().map(String::as_str).collect();
    let mut found = Vec::new();
    for chunk in wanted.chunks(CHUNK) {
        let select = Query::select()
            .columns(["record_id", "digest"])
            .from("withheld")
            .and_where(one_of(transaction.get_database_backend(), "digest", chunk)?)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let digest: String = row.try_get_by_index(1).map_err(internal)?;
            let id = row.try_get_by_index(0).map_err(internal)?;
            found.extend(digests.get(&digest).map(|of| (of.clone(), id)));
        }
    }
    Ok(found)
}

impl Store {
    /// Takes what names a person out of the dataset.
    pub async fn withhold(&self, id: Uuid, author: &Author) -> Result<(), WriteError> {
        let writing = self.begin(author).await?;
        writing.withhold(catalog().get(RecordType::Person), id).await?;
        writing.commit().await?;
        Ok(())
    }
}

/// Keys of parts that name the person, and those that stand for them, by record.
type Keys = HashMap<Uuid, HashMap<String, String>>;

/// What names a person, and what stands for it.
struct Names {
    /// Whole names, the longest first. They are looked for everywhere.
    names: Vec<String>,
    /// Words of them, as stems. They are other people's too, and looked for only where this one is spoken of.
    words: Vec<String>,
    slug: String,
    new_slug: String,
    id: String,
}

impl WriteSession<'_> {
    async fn withhold(&self, record: &'static Record, id: Uuid) -> Result<(), WriteError> {
        let transaction = &self.transaction;
        let row = self.existing(record, id).await?;
        let names = Names::of(record, &row, id);
        // the record itself keeps what it is linked to, and nothing that names it
        let mut bare = Map::new();
        for field in record.fields.iter().filter(|field| !field.system) {
            let kept = matches!(field.kind, FieldKind::One(_)) || field.name == "published";
            if !kept {
                bare.insert(field.name.to_owned(), if matches!(field.kind, FieldKind::List(_)) { json!([]) } else { Json::Null });
            }
        }
        bare.insert("name".to_owned(), Json::Object(LABEL.iter().map(|(lang, text)| ((*lang).to_owned(), json!(text))).collect()));
        bare.insert("slug".to_owned(), json!(names.new_slug));
        bare.insert("identifiers".to_owned(), json!([]));
        bare.insert("citations".to_owned(), json!([]));
        let mut drafts: HashMap<RecordType, Vec<Draft>> = HashMap::new();
        let mut keys = Keys::new();
        drafts.entry(record.ty).or_default().push(self.draft(record.ty, id, &Json::Object(bare))?);
        let mentioning = self.mentioning(record, id, &names).await?;
        for referrer in &mentioning {
            let state = self.state(catalog().get(referrer.ty), referrer.id).await?;
            let keys = keys.entry(referrer.id).or_default();
            names.find_keys(&state, keys);
            let cleaned = names.clean(state.clone(), keys, true);
            if cleaned != state {
                drafts.entry(referrer.ty).or_default().push(self.draft(referrer.ty, referrer.id, &cleaned)?);
            }
        }
        self.write(&drafts.into_iter().collect(), &|_| {}).await?;
        self.remember(id, record, &row, &names).await?;
        delete(transaction, "former_slugs", "record_id", &[id]).await?;
        self.clean_history(id, &mentioning, &names, &mut keys).await?;
        let now = self.existing(record, id).await?;
        let published = field(record, &now, "published") == &crate::store::read::result::Cell::Boolean(true);
        let number = number(record, &now);
        // the change that was just noted becomes the one that tells of it
        delete_latest(transaction, id, number).await?;
        let change = Change { record: id, ty: record.ty, number, kind: "withheld", changes: Vec::new(), published };
        apply::note(self.store, transaction, &self.stamp(), vec![change]).await?;
        Ok(())
    }

    /// Keeps what lets an import know the person, and nobody else.
    async fn remember(&self, id: Uuid, record: &Record, row: &apply::Existing, names: &Names) -> Result<()> {
        let identifier = catalog().get(RecordType::Identifier);
        let text = |row: &apply::Existing, name| field(identifier, row, name).as_text().unwrap_or_default().to_owned();
        let mut digests = BTreeSet::from([slug_digest(&names.slug)]);
        for row in row.parts.get(&RecordType::Identifier).into_iter().flatten() {
            digests.insert(identifier_digest(&text(row, "scheme"), &text(row, "value")));
        }
        let former = Query::select()
            .column("slug")
            .from("former_slugs")
            .and_where(Expr::col("record_type").eq(record.ty.prefix()))
            .and_where(Expr::col("record_id").eq(id))
            .to_owned();
        for row in self.transaction.query_all(&former).await.map_err(database)? {
            let slug: String = row.try_get_by_index(0).map_err(internal)?;
            digests.insert(slug_digest(&slug));
        }
        let mut insert = Query::insert();
        insert.into_table("withheld").columns(["digest", "record_id"].map(Alias::new));
        for digest in digests {
            insert.values([Expr::val(digest), Expr::val(id)]).map_err(internal)?;
        }
        insert.on_conflict(OnConflict::new().do_nothing().to_owned());
        self.transaction.execute(&insert).await.map(drop).map_err(database)
    }

    /// Records that refer to the person, or whose texts have one of the names.
    async fn mentioning(&self, record: &Record, id: Uuid, names: &Names) -> Result<BTreeSet<Referrer>> {
        let transaction = &self.transaction;
        let mut found: BTreeSet<Referrer> = referrers(transaction, record, id, u64::from(u32::MAX)).await?.into_iter().collect();
        let backend = transaction.get_database_backend();
        for (table, column, texts) in
            [("search_documents", "id", &["label", "body"][..]), ("citations", "record_id", &["quote", "note", "value"][..])]
        {
            let any = names.names.iter().fold(Cond::any().add(Expr::val(1).eq(0)), |any, name| {
                texts.iter().fold(any, |any, text| {
                    let text = dialect::known(Expr::col(Alias::new(*text)));
                    any.add(dialect::contains(backend, text, name))
                })
            });
            let select = Query::select().column(column).from(table).cond_where(any).distinct().to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                let holder: Uuid = row.try_get_by_index(0).map_err(internal)?;
                found.extend(crate::store::curation::delete::record_of(transaction, holder).await?);
            }
        }
        // who has the same name is somebody else
        found.retain(|referrer| referrer.ty != record.ty);
        Ok(found)
    }

    /// Takes the names out of the history of the whole dataset.
    async fn clean_history(&self, id: Uuid, mentioning: &BTreeSet<Referrer>, names: &Names, keys: &mut Keys) -> Result<()> {
        let transaction = &self.transaction;
        let backend = transaction.get_database_backend();
        let nothing = dialect::json(backend, &Json::Array(Vec::new()));
        let own = Query::update().table("revisions").value("changes", nothing).and_where(Expr::col("record_id").eq(id)).to_owned();
        transaction.execute(&own).await.map_err(database)?;
        let changes = || Expr::col("changes").cast_as("text");
        let sought = names.names.iter().chain(std::iter::once(&names.slug));
        let any = sought.fold(Cond::any(), |any, name| any.add(dialect::contains(backend, changes(), &json_text(name))));
        let of_others = catalog().get(RecordType::Person).ty.prefix();
        let any = Cond::all().add(any).add(Expr::col("record_type").ne(of_others));
        self.clean_revisions(any, names, keys, false).await?;
        let ids: Vec<Uuid> = mentioning.iter().map(|referrer| referrer.id).collect();
        for chunk in ids.chunks(CHUNK) {
            self.clean_revisions(Cond::all().add(one_of_ids(transaction.get_database_backend(), "record_id", chunk)?), names, keys, true)
                .await?;
        }
        Ok(())
    }

    async fn clean_revisions(&self, which: Cond, names: &Names, keys: &mut Keys, words: bool) -> Result<()> {
        let transaction = &self.transaction;
        let select = Query::select().columns(["id", "record_id", "changes"]).from("revisions").cond_where(which).to_owned();
        let mut revisions: Vec<(Uuid, Uuid, Json)> = Vec::new();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let read = |index| row.try_get_by_index(index);
            let (revision, record) = (read(0).map_err(internal)?, read(1).map_err(internal)?);
            let changes: Json = row.try_get_by_index(2).map_err(internal)?;
            names.find_keys(&changes, keys.entry(record).or_default());
            revisions.push((revision, record, changes));
        }
        for (revision, record, changes) in revisions {
            let cleaned = names.clean(changes, keys.entry(record).or_default(), words);
            let update = Query::update()
                .table("revisions")
                .value("changes", dialect::json(transaction.get_database_backend(), &cleaned))
                .and_where(Expr::col("id").eq(revision))
                .to_owned();
            transaction.execute(&update).await.map_err(database)?;
        }
        Ok(())
    }
}

/// A text as it stands inside JSON.
fn json_text(text: &str) -> String {
    let quoted = Json::from(text).to_string();
    quoted.trim_matches('"').to_owned()
}

async fn delete_latest(transaction: &DatabaseTransaction, id: Uuid, number: i64) -> Result<()> {
    let delete = Query::delete()
        .from_table("revisions")
        .and_where(Expr::col("record_id").eq(id))
        .and_where(Expr::col("number").eq(i32::try_from(number).unwrap_or(i32::MAX)))
        .to_owned();
    transaction.execute(&delete).await.map(drop).map_err(database)
}

impl Names {
    fn of(record: &Record, row: &apply::Existing, id: Uuid) -> Self {
        let mut names: Vec<String> = ["name", "otherNames", "sortName"]
            .into_iter()
            .flat_map(|name| field(record, row, name).texts())
            .map(|name| name.trim().to_owned())
            .filter(|name| name.chars().count() >= MIN_NAME)
            .collect();
        // a family name is how texts go on to call somebody
        let mut words: Vec<String> = names.iter().flat_map(|name| name.split_whitespace()).map(stem).collect();
        words.retain(|word| word.chars().count() >= MIN_NAME && !LABEL.iter().any(|(_, label)| label.contains(word.as_str())));
        for list in [&mut names, &mut words] {
            list.sort_by_key(|name| (std::cmp::Reverse(name.chars().count()), name.clone()));
            list.dedup();
        }
        let slug = field(record, row, "slug").as_text().unwrap_or_default().to_owned();
        let id = crate::core::id::encode(record.ty.prefix(), id);
        let short = &id[id.len().saturating_sub(8)..];
        Self { names, words, slug, new_slug: format!("withheld-{short}"), id }
    }

    /// Finds the keys of parts that refer to the person, and gives each another that does not name them.
    fn find_keys(&self, value: &Json, keys: &mut HashMap<String, String>) {
        match value {
            Json::Array(items) => items.iter().for_each(|item| self.find_keys(item, keys)),
            Json::Object(members) => {
                let refers = members
                    .values()
                    .any(|value| value.as_str() == Some(&self.id) || value.get("person").and_then(Json::as_str) == Some(&self.id));
                let key = members.get("key").and_then(Json::as_str).filter(|key| !key.starts_with(&self.new_slug));
                if let (true, Some(key)) = (refers, key) {
                    let count = keys.len() + 1;
                    keys.entry(key.to_owned()).or_insert_with(|| match count {
                        1 => self.new_slug.clone(),
                        count => format!("{}-{count}", self.new_slug),
                    });
                }
                members.values().for_each(|value| self.find_keys(value, keys));
            }
            _ => {}
        }
    }

    /// A value without the names.
    fn clean(&self, value: Json, keys: &HashMap<String, String>, words: bool) -> Json {
        match value {
            Json::String(text) => match keys.get(&text) {
                Some(key) => json!(key),
                None => json!(self.text(with_keys(text, keys), words)),
            },
            Json::Array(items) => items.into_iter().map(|item| self.clean(item, keys, words)).collect(),
            Json::Object(members) => {
                let cleaned = members.into_iter().map(|(name, value)| {
                    // addresses and slugs lead somewhere: they are not changed in part
                    let value =
                        if ["url", "archivedUrl", "slug"].contains(&name.as_str()) { value } else { self.clean(value, keys, words) };
                    (name, value)
                });
                Json::Object(cleaned.collect())
            }
            other => other,
        }
    }

    fn text(&self, text: String, words: bool) -> String {
        if text == self.id {
            return text;
        }
        let is_path = text.contains('[');
        let mut text = if is_path || text == self.slug { text.replace(&self.slug, &self.new_slug) } else { text };
        for name in self.names.iter().chain(self.words.iter().filter(|_| words)) {
            if text.contains(name.as_str()) {
                let is_cyrillic = name.chars().any(|letter| ('\u{400}'..'\u{530}').contains(&letter));
                text = without(&text, name, if is_cyrillic { LABEL[1].1 } else { LABEL[0].1 });
            }
        }
        text
    }
}

/// The path of a change with other keys in it.
fn with_keys(mut path: String, keys: &HashMap<String, String>) -> String {
    if path.contains('[') {
        for (old, new) in keys {
            path = path.replace(&format!("[{old}]"), &format!("[{new}]"));
        }
    }
    path
}

/// A name without the vowel that its endings replace: Петров of Петрова.
fn stem(name: &str) -> String {
    name.strip_suffix(['а', 'я', 'й', 'ь']).unwrap_or(name).to_owned()
}

/// A text in which a name is replaced where a word begins with it, with the ending of a case: Ильяшев, Ильяшева,
/// Ильяшеву. A longer word is another word.
fn without(text: &str, name: &str, label: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(name) {
        let (before, after) = (&rest[..start], &rest[start + name.len()..]);
        let begins = !before.chars().next_back().or_else(|| clean.chars().next_back()).is_some_and(char::is_alphabetic);
        let ending: usize = after.chars().take_while(|letter| letter.is_alphabetic()).map(char::len_utf8).sum();
        clean.push_str(before);
        if begins && after[..ending].chars().count() <= MAX_ENDING {
            clean.push_str(label);
            rest = &after[ending..];
        } else {
            clean.push_str(name);
            rest = after;
        }
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_goes_with_its_ending_and_other_words_stay() {
        assert_eq!(without("Суд над Ильяшевым, и Ильяшев; Ильяшевский", "Ильяшев", "N"), "Суд над N, и N; Ильяшевский");
        assert_eq!(without("Almas of Almaty, Almagambetov", "Alma", "N"), "N of N, Almagambetov");
        assert_eq!(without("nothing", "Alma", "N"), "nothing");
    }
}

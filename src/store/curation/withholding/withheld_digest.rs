//! Digests of the names, slugs and identifiers of withheld persons. They let a write recognize a withheld person without the
//! store keeping what identifies them.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Alias, Expr, ExprTrait, OnConflict, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::core::error::{Result, internal};
use crate::core::id;
use crate::entity::RecordType;
use crate::store::curation::withholding::digest_key::DigestKey;
use crate::store::curation::withholding::name_recognition::{NameRecognizer, WordClass};
use crate::store::database;
use crate::store::sql::bulk_insert::{Batching, ConflictAction, InsertTarget, insert};
use crate::store::sql::dialect::one_of;
use crate::store::write::load::LOOKUP_BATCH_VALUES;

/// The message for a write to a withheld person.
pub(crate) const WITHHELD_MESSAGE: &str = "this person is withheld: the record cannot be changed, only the records linked to it";

/// The message for a text with a withheld name. It does not tell which person is withheld.
pub(crate) const WITHHELD_NAME_MESSAGE: &str =
    "this text contains words that the dataset does not publish together; leave out the name, or ask an admin";

/// The message for an identifier that a withheld person has. It does not tell that the person is withheld.
pub(crate) const WITHHELD_IDENTIFIER_MESSAGE: &str = "the dataset does not publish this identifier; leave it out, or ask an admin";

/// The message for ways to reach a withheld person.
pub(crate) const WITHHELD_CONTACT_MESSAGE: &str = "the dataset does not publish how to reach this person; leave it out, or ask an admin";

/// The message for a new reference to a withheld person from a record with a word of the name.
pub(crate) const WITHHELD_LINK_MESSAGE: &str =
    "the text of this record or its history cannot stand beside a withheld person; create another record without the name, or ask an admin";

/// The slug of a withheld person, from the id of the record.
pub(crate) fn withheld_slug(ty: RecordType, id: Uuid) -> String {
    let id = id::encode(ty.prefix(), id);
    format!("{WITHHELD_SLUG_PREFIX}{}", &id[id.len().saturating_sub(8)..])
}

/// Beginning of the slugs of withheld persons; no other slug may begin with it.
pub(crate) const WITHHELD_SLUG_PREFIX: &str = "withheld-";

/// A form by which texts about a withheld person are recognized.
#[derive(Debug, Clone)]
pub(super) struct RecognizedForm {
    pub(super) form: String,
    /// Class of the word in the person's names.
    pub(super) word: i32,
    /// Whether other people have the name: it is recognized in records that refer to the person only.
    pub(super) is_shared: bool,
}

/// Stores digests of the slugs and identifiers of a withheld person, and of the forms by which texts are recognized.
pub(super) async fn insert_digests(
    transaction: &DatabaseTransaction,
    key: &DigestKey,
    person: Uuid,
    digests: impl Iterator<Item = String>,
    forms: Vec<RecognizedForm>,
) -> Result<()> {
    for digest in digests {
        let mut insert = Query::insert();
        insert.into_table("withheld").columns(["digest", "record_id", "key"].map(Alias::new));
        insert.values([Expr::val(digest), Expr::val(person), Expr::val(key.name.as_str())]).map_err(internal)?;
        insert.on_conflict(OnConflict::new().do_nothing().to_owned());
        transaction.execute(&insert).await.map_err(database)?;
    }
    let rows = forms
        .into_iter()
        .map(|RecognizedForm { form, word, is_shared }| {
            vec![key.digest(&form).into(), person.into(), word.into(), key.name.as_str().into(), is_shared.into()]
        })
        .collect();
    let columns = &["digest", "record_id", "word", "key", "shared"];
    let target = InsertTarget { table: "withheld_words", columns, on_conflict: ConflictAction::Ignore, batching: Batching::Fastest };
    insert(transaction, target, rows).await
}

/// Stores the digest of the former slug of another record, which had a name of a withheld person in it. An import with this
/// slug leaves the record unchanged.
pub(crate) async fn insert_slug_digest(
    transaction: &DatabaseTransaction,
    key: &DigestKey,
    (ty, record): (RecordType, Uuid),
    slug: &str,
) -> Result<()> {
    let row = vec![key.slug(slug).into(), ty.prefix().into(), record.into(), key.name.as_str().into()];
    let columns = &["digest", "record_type", "record_id", "key"];
    let target = InsertTarget { table: "withheld_slugs", columns, on_conflict: ConflictAction::Ignore, batching: Batching::Fastest };
    insert(transaction, target, vec![row]).await
}

/// Removes the digests of a person, who can then be named again.
pub(super) async fn delete_digests(transaction: &DatabaseTransaction, person: Uuid) -> Result<()> {
    for table in ["withheld", "withheld_words"] {
        let delete = Query::delete().from_table(table).and_where(Expr::col("record_id").eq(person)).to_owned();
        transaction.execute(&delete).await.map_err(database)?;
    }
    Ok(())
}

/// Recognizes the names of withheld people.
#[derive(Debug)]
pub(crate) struct Recognizers {
    /// Names that are recognized in any text.
    pub(crate) anywhere: NameRecognizer,
    /// Names that other people have, too: they are recognized in records that refer to the withheld person.
    pub(crate) beside: NameRecognizer,
}

impl Recognizers {
    /// Loads the digests of the names.
    pub(crate) async fn load(transaction: &DatabaseTransaction, secret: Option<&str>) -> Result<Self> {
        Ok(Self { anywhere: load_recognizer(transaction, secret).await?, beside: load_forms(transaction, secret, true).await? })
    }

    /// Whether there are no names.
    pub(crate) fn is_empty(&self) -> bool {
        self.anywhere.is_empty() && self.beside.is_empty()
    }
}

/// Recognizes the names of withheld people in any text.
pub(crate) async fn load_recognizer(transaction: &DatabaseTransaction, secret: Option<&str>) -> Result<NameRecognizer> {
    load_forms(transaction, secret, false).await
}

async fn load_forms(transaction: &DatabaseTransaction, secret: Option<&str>, is_shared: bool) -> Result<NameRecognizer> {
    let select = Query::select()
        .columns(["digest", "record_id", "word"])
        .from("withheld_words")
        .and_where(Expr::col("shared").eq(is_shared))
        .to_owned();
    let digests = transaction.query_all(&select).await.map_err(database)?;
    if digests.is_empty() {
        return Ok(NameRecognizer::new(DigestKey::new(&[], None), Vec::new()));
    }
    let key = DigestKey::load(transaction, secret).await?.ok_or_else(|| internal("the salt of the digests is missing"))?;
    let digests = digests.iter().map(|row| {
        let class: WordClass = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        Ok((row.try_get_by_index(0)?, class))
    });
    Ok(NameRecognizer::new(key, digests.collect::<Result<_, sea_orm::DbErr>>().map_err(internal)?))
}

/// Finds the records whose former slugs are known by their digests only.
pub(crate) async fn find_former_slugs(
    transaction: &DatabaseTransaction,
    key: &DigestKey,
    ty: RecordType,
    slugs: &[&str],
) -> Result<Vec<(String, Uuid)>> {
    let digests: HashMap<String, &str> = slugs.iter().map(|slug| (key.slug(slug), *slug)).collect();
    let wanted: Vec<&str> = digests.keys().map(String::as_str).collect();
    let mut found = Vec::new();
    for batch in wanted.chunks(LOOKUP_BATCH_VALUES) {
        let select = Query::select()
            .columns(["record_id", "digest"])
            .from("withheld_slugs")
            .and_where(Expr::col("record_type").eq(ty.prefix()))
            .and_where(one_of(transaction.get_database_backend(), "digest", batch)?)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let digest: String = row.try_get_by_index(1).map_err(internal)?;
            let id = row.try_get_by_index(0).map_err(internal)?;
            found.extend(digests.get(&digest).map(|slug| ((*slug).to_owned(), id)));
        }
    }
    Ok(found)
}

/// Ids of all withheld persons.
pub(crate) async fn withheld_persons(transaction: &DatabaseTransaction) -> Result<HashSet<Uuid>> {
    let select = Query::select().column("record_id").from("withheld").distinct().to_owned();
    let rows = transaction.query_all(&select).await.map_err(database)?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>().map_err(internal)
}

/// Looks up digests. Returns the value of each digest found, with the id of its withheld person.
pub(crate) async fn find_by_digest<T: Clone>(transaction: &DatabaseTransaction, digests: &HashMap<String, T>) -> Result<Vec<(T, Uuid)>> {
    let wanted: Vec<&str> = digests.keys().map(String::as_str).collect();
    let mut found = Vec::new();
    for batch in wanted.chunks(LOOKUP_BATCH_VALUES) {
        let select = Query::select()
            .columns(["record_id", "digest"])
            .from("withheld")
            .and_where(one_of(transaction.get_database_backend(), "digest", batch)?)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let digest: String = row.try_get_by_index(1).map_err(internal)?;
            let id = row.try_get_by_index(0).map_err(internal)?;
            found.extend(digests.get(&digest).map(|value| (value.clone(), id)));
        }
    }
    Ok(found)
}

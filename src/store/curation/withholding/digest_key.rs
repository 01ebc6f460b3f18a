//! The key of the digests of withheld persons.
//!
//! A digest is an HMAC-SHA256 with a random salt of the database, and with the secret of the setting `withholding_secret`, if
//! there is one. The salt keeps digests of two databases from being compared or computed in advance. Only the secret, which is
//! in no backup, keeps a holder of a backup from testing guesses.

use hmac::{Hmac, KeyInit, Mac};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use sha2::Sha256;

use crate::core::digest::{hex_digest, sha256_hex};
use crate::core::error::{Result, internal};
use crate::store::database;

/// Value of `key` of digests without a salt, as earlier versions stored them.
const UNKEYED: &str = "";
/// Value of `key` of digests with the salt of the database only.
const SALTED: &str = "salt";
/// Length of the salt.
const SALT_BYTES: usize = 32;
/// Tables of digests.
const TABLES: [&str; 3] = ["withheld", "withheld_words", "withheld_slugs"];

/// The key of digests.
#[derive(Clone)]
pub(crate) struct DigestKey {
    salted: Hmac<Sha256>,
    secret: Option<Hmac<Sha256>>,
    /// Tells keys with different secrets apart.
    pub(super) name: String,
}

impl std::fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DigestKey").field("name", &self.name).finish_non_exhaustive()
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC accepts keys of any length"))
}

fn finish(mac: &Hmac<Sha256>, text: &str) -> String {
    hex_digest(&mac.clone().chain_update(text).finalize().into_bytes())
}

impl DigestKey {
    pub(super) fn new(salt: &[u8], secret: Option<&str>) -> Self {
        let secret = secret.map(|secret| keyed(secret.as_bytes()));
        let name = secret.as_ref().map_or_else(|| SALTED.to_owned(), |secret| finish(secret, "name of the key")[..16].to_owned());
        Self { salted: keyed(salt), secret, name }
    }

    /// The digest of a text.
    pub(crate) fn digest(&self, text: &str) -> String {
        self.add_secret(&self.add_salt(&sha256_hex(text)))
    }

    /// Digest of a slug.
    pub(crate) fn slug(&self, slug: &str) -> String {
        self.digest(&format!("slug:{slug}"))
    }

    /// Digest of an identifier, in any case.
    pub(crate) fn identifier(&self, scheme: &str, value: &str) -> String {
        self.identifier_as_given(&scheme.to_lowercase(), &value.to_lowercase())
    }

    /// Digest of an identifier as earlier versions stored it.
    pub(crate) fn identifier_as_given(&self, scheme: &str, value: &str) -> String {
        self.digest(&format!("identifier:{scheme}:{value}"))
    }

    fn add_salt(&self, unkeyed: &str) -> String {
        finish(&self.salted, unkeyed)
    }

    fn add_secret(&self, salted: &str) -> String {
        self.secret.as_ref().map_or_else(|| salted.to_owned(), |secret| finish(secret, salted))
    }

    /// Loads the key of a database. Not set if no person was ever withheld.
    ///
    /// # Errors
    /// If there are digests with another key: withheld persons would not be recognized.
    pub(crate) async fn load(transaction: &DatabaseTransaction, secret: Option<&str>) -> Result<Option<Self>> {
        let Some(salt) = load_salt(transaction).await? else { return Ok(None) };
        let key = Self::new(salt.as_bytes(), secret);
        for table in TABLES {
            let other = Query::select().column("key").from(table).and_where(Expr::col("key").ne(key.name.as_str())).limit(1).to_owned();
            if transaction.query_one(&other).await.map_err(database)?.is_some() {
                return Err(internal(
                    "the digests of withheld persons were made with another withholding_secret: set it again, or, if there was none, run kurultai migrate",
                ));
            }
        }
        Ok(Some(key))
    }

    /// Loads the key of a database, and creates its salt. Digests without this secret get it.
    ///
    /// # Errors
    /// If there are digests with another secret.
    pub(crate) async fn prepare(transaction: &DatabaseTransaction, secret: Option<&str>) -> Result<Self> {
        let salt = if let Some(salt) = load_salt(transaction).await? {
            salt
        } else {
            let mut bytes = [0; SALT_BYTES];
            getrandom::fill(&mut bytes).map_err(|error| internal(format!("no random bytes: {error}")))?;
            let salt = hex_digest(&bytes);
            let mut insert = Query::insert();
            insert.into_table("withheld_salt").columns(["id", "salt"].map(Alias::new));
            insert.values([Expr::val(1), Expr::val(salt.as_str())]).map_err(internal)?;
            transaction.execute(&insert).await.map_err(database)?;
            salt
        };
        let key = Self::new(salt.as_bytes(), secret);
        for table in TABLES {
            key.renew(transaction, table).await?;
        }
        Ok(key)
    }

    /// Gives this key to the digests of a table that have an older one.
    async fn renew(&self, transaction: &DatabaseTransaction, table: &'static str) -> Result<()> {
        let older =
            Query::select().columns(["digest", "key"]).from(table).and_where(Expr::col("key").ne(self.name.as_str())).distinct().to_owned();
        for row in transaction.query_all(&older).await.map_err(database)? {
            let (digest, key): (String, String) = (row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
            let renewed = match key.as_str() {
                UNKEYED => self.add_secret(&self.add_salt(&digest)),
                SALTED => self.add_secret(&digest),
                _ => {
                    let message =
                        "the digests of withheld persons have another secret: set withholding_secret to the one they were made with";
                    return Err(internal(message));
                }
            };
            let update = Query::update()
                .table(table)
                .values([("digest", renewed.into()), ("key", self.name.as_str().into())])
                .and_where(Expr::col("digest").eq(digest))
                .to_owned();
            transaction.execute(&update).await.map_err(database)?;
        }
        Ok(())
    }
}

async fn load_salt(transaction: &DatabaseTransaction) -> Result<Option<String>> {
    let select = Query::select().column("salt").from("withheld_salt").to_owned();
    let row = transaction.query_one(&select).await.map_err(database)?;
    row.map(|row| row.try_get_by_index(0)).transpose().map_err(internal)
}

/// Gives the digests of withheld persons the current secret, if there are any.
///
/// # Errors
/// If there are digests with another secret.
pub(crate) async fn renew_digests(transaction: &DatabaseTransaction, secret: Option<&str>) -> Result<()> {
    for table in TABLES {
        let any = Query::select().column("digest").from(table).limit(1).to_owned();
        if transaction.query_one(&any).await.map_err(database)?.is_some() {
            return DigestKey::prepare(transaction, secret).await.map(drop);
        }
    }
    Ok(())
}

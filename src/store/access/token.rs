//! Tokens: who may see drafts and change records.
//!
//! A token is `kurultai_<id>_<secret>`. The id finds the row; of the secret only a hash is kept. A row is
//! read for each request that shows a token, so that taking one back works at once, in every process.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, QueryResult, SqlErr};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tracing::Instrument;
use uuid::Uuid;

use crate::core::auth::{Caller, Role};
use crate::core::error::{Error, Result, bad_input, internal, unauthenticated};
use crate::core::id;
use crate::store::{Store, database};

/// What the text of a token begins with; it lets programs that look for leaked secrets find it.
const PREFIX: &str = "kurultai";
/// What the id of a token begins with.
const ID_PREFIX: &str = "token";
/// Bytes of a secret.
const SECRET: usize = 32;
/// How much later a use must be than the last that was written down, to be written down too.
const PAUSE: TimeDelta = TimeDelta::minutes(1);
/// Letters that a name may have.
const MAX_NAME: usize = 100;
const TABLE: &str = "tokens";
const COLUMNS: [&str; 8] = ["id", "name", "role", "hash", "created_at", "expires_at", "revoked_at", "last_used_at"];

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: Uuid,
    /// Who has it, as the history of records shows.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it ceases to work; nothing where it does not by itself.
    pub expires: Option<DateTime<Utc>>,
    /// When it was taken back.
    pub revoked: Option<DateTime<Utc>>,
    /// When it was used last, to about a minute.
    pub last_used: Option<DateTime<Utc>>,
}

/// Whether a token works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenStatus {
    /// It works.
    Active,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

impl fmt::Display for TokenStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        })
    }
}

impl Token {
    /// Its id as text.
    pub fn id(&self) -> String {
        id::encode(ID_PREFIX, self.id)
    }

    /// Whether it works at this instant.
    pub fn state(&self, now: DateTime<Utc>) -> TokenStatus {
        match (self.revoked, self.expires) {
            (Some(_), _) => TokenStatus::Revoked,
            (None, Some(expires)) if expires <= now => TokenStatus::Expired,
            _ => TokenStatus::Active,
        }
    }
}

/// Why a token lets nobody in.
#[derive(Debug, Clone)]
pub enum Rejected {
    /// It does not look like a token, or there is none such.
    Unknown,
    /// Its time is over since then.
    Expired(DateTime<Utc>),
    /// It was taken back.
    Revoked,
    /// The database failed.
    Failed(Error),
}

impl From<Error> for Rejected {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Rejected {
    /// The same, as the one who asks is told.
    pub fn told(self) -> Error {
        let message = match self {
            Self::Unknown => {
                "this token is unknown; send it whole, as it was given: Authorization: Bearer kurultai_..., or leave it out to read what is published".to_owned()
            }
            Self::Expired(at) => {
                format!("this token expired on {}; ask an admin for a new one, or leave it out to read what is published", at.format("%Y-%m-%d"))
            }
            Self::Revoked => "this token was revoked; ask an admin for a new one, or leave it out to read what is published".to_owned(),
            Self::Failed(error) => return error,
        };
        unauthenticated(message)
    }
}

impl Store {
    /// Makes a token; gives it with its text, which is not kept.
    pub async fn create_token(&self, name: &str, role: Role, expires: Option<DateTime<Utc>>) -> Result<(Token, String)> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
            return Err(bad_input("name", format_args!("give 1 to {MAX_NAME} letters that say who has the token")));
        }
        let now = self.clock.now();
        if expires.is_some_and(|expires| expires <= now) {
            return Err(bad_input("expires", "this lies in the past; give a later date"));
        }
        if let Some(other) = self.tokens().await?.into_iter().find(|other| other.name == name && other.revoked.is_none()) {
            return Err(name_taken(name, &other.id()));
        }
        let mut secret = [0; SECRET];
        getrandom::fill(&mut secret).map_err(internal)?;
        let token = Token { id: self.clock.new_uuid(), name: name.to_owned(), role, created: now, expires, revoked: None, last_used: None };
        let secret = BASE64_URL_SAFE_NO_PAD.encode(secret);
        let insert = Query::insert()
            .into_table(TABLE)
            .columns(COLUMNS)
            .values([
                token.id.into(),
                name.into(),
                role.as_str().into(),
                hash(&secret).into(),
                token.created.into(),
                token.expires.into(),
                token.revoked.into(),
                token.last_used.into(),
            ])
            .map_err(internal)?
            .to_owned();
        self.pools.writer.execute(&insert).await.map_err(|error| match error.sql_err() {
            // another was quicker
            Some(SqlErr::UniqueConstraintViolation(_)) => name_taken(name, "made just now"),
            _ => database(error),
        })?;
        let text = format!("{}_{secret}", id::encode(PREFIX, token.id));
        Ok((token, text))
    }

    /// Every token, the oldest first.
    pub async fn tokens(&self) -> Result<Vec<Token>> {
        let rows = self.read_now(select().order_by("created_at", Order::Asc).order_by("id", Order::Asc)).await?;
        rows.iter().map(|row| read(row).map(|(token, _)| token)).collect()
    }

    /// Takes a token back, by its id or by the name of one that is not taken back yet; it works no more from then on.
    pub async fn revoke_token(&self, which: &str) -> Result<Token> {
        let by_id = id::decode(which).ok().filter(|(prefix, _)| *prefix == ID_PREFIX).map(|(_, id)| id);
        let tokens = self.tokens().await?;
        let mut named: Vec<Token> = tokens.into_iter().filter(|token| by_id == Some(token.id) || token.name == which).collect();
        named.sort_by_key(|token| (by_id != Some(token.id), token.revoked.is_some()));
        let Some(mut token) = named.into_iter().next() else {
            return Err(bad_input(
                "token",
                format_args!("there is no token with the id or name \"{which}\"; \"kurultai token list\" shows all"),
            ));
        };
        if token.revoked.is_some() {
            return Err(bad_input("token", format_args!("{} of \"{}\" was revoked already", token.id(), token.name)));
        }
        token.revoked = Some(self.clock.now());
        let update = Query::update().table(TABLE).value("revoked_at", token.revoked).and_where(Expr::col("id").eq(token.id)).to_owned();
        self.pools.writer.execute(&update).await.map_err(database)?;
        Ok(token)
    }

    /// Who shows this token. That it was used is written down afterwards, at most once a minute.
    pub async fn caller(&self, text: &str) -> Result<Caller, Rejected> {
        let (id, secret) = parts(text).ok_or(Rejected::Unknown)?;
        let rows = self.read_now(select().and_where(Expr::col("id").eq(id))).await?;
        let (token, kept) = rows.first().map(read).transpose()?.ok_or(Rejected::Unknown)?;
        if !bool::from(hash(secret).as_bytes().ct_eq(kept.as_bytes())) {
            return Err(Rejected::Unknown);
        }
        let now = self.clock.now();
        match (token.state(now), token.expires) {
            (TokenStatus::Revoked, _) => return Err(Rejected::Revoked),
            (TokenStatus::Expired, Some(expires)) => return Err(Rejected::Expired(expires)),
            _ => {}
        }
        if token.last_used.is_none_or(|used| used + PAUSE <= now) {
            let store = self.clone();
            tokio::spawn(async move { store.note_use(id, now).await }.in_current_span());
        }
        Ok(Caller { role: token.role, name: Some(token.name), token: Some(id), expires: token.expires, allowance: None })
    }

    /// The one who showed a token before, if it still works.
    pub async fn recall(&self, caller: &Caller) -> Result<Caller, Rejected> {
        let Some(id) = caller.token else { return Ok(caller.clone()) };
        let rows = self.read_now(select().and_where(Expr::col("id").eq(id))).await?;
        let (token, _) = rows.first().map(read).transpose()?.ok_or(Rejected::Unknown)?;
        match (token.state(self.clock.now()), token.expires) {
            (TokenStatus::Active, _) => {
                Ok(Caller { role: token.role, name: Some(token.name), token: Some(id), expires: token.expires, allowance: None })
            }
            (TokenStatus::Expired, Some(expires)) => Err(Rejected::Expired(expires)),
            _ => Err(Rejected::Revoked),
        }
    }

    async fn note_use(&self, id: Uuid, now: DateTime<Utc>) {
        // of all who used it at the same time, one writes
        let stale = Expr::col("last_used_at").is_null().or(Expr::col("last_used_at").lte(now - PAUSE));
        let update = Query::update().table(TABLE).value("last_used_at", now).and_where(Expr::col("id").eq(id)).and_where(stale).to_owned();
        if let Err(error) = self.pools.writer.execute(&update).await {
            tracing::warn!(%error, "the last use of a token was not written down");
        }
    }
}

fn name_taken(name: &str, other: &str) -> Error {
    bad_input("name", format_args!("\"{name}\" has a token already ({other}); revoke that one first, or give another name"))
}

fn select() -> SelectStatement {
    Query::select().columns(COLUMNS).from(TABLE).to_owned()
}

/// A token and the hash of its secret.
fn read(row: &QueryResult) -> Result<(Token, String)> {
    fn get<T: sea_orm::TryGetable>(row: &QueryResult, index: usize) -> Result<T> {
        row.try_get_by_index(index).map_err(internal)
    }
    let token = Token {
        id: get(row, 0)?,
        name: get(row, 1)?,
        role: get::<String>(row, 2)?.parse().map_err(internal)?,
        created: get(row, 4)?,
        expires: get(row, 5)?,
        revoked: get(row, 6)?,
        last_used: get(row, 7)?,
    };
    Ok((token, get(row, 3)?))
}

/// Id and secret of the text of a token.
fn parts(text: &str) -> Option<(Uuid, &str)> {
    // a secret can have the sign that parts it from the id
    let (id, secret) = text.strip_prefix(PREFIX)?.strip_prefix('_')?.split_once('_')?;
    let id = format!("{PREFIX}_{id}");
    let (_, id) = id::decode(&id).ok()?;
    Some((id, secret))
}

/// The hash that is kept of a secret.
fn hash(secret: &str) -> String {
    Sha256::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    proptest! {
        #[test]
        fn a_token_is_taken_apart_as_it_was_put_together(id: u128, secret in "[A-Za-z0-9_-]{43}") {
            let id = Uuid::from_u128(id);
            let text = format!("{}_{secret}", id::encode(PREFIX, id));
            prop_assert_eq!(parts(&text), Some((id, secret.as_str())));
        }

        #[test]
        fn no_text_makes_it_panic(text in "(kurultai_)?.{0,80}") {
            let _ = parts(&text);
        }
    }
}

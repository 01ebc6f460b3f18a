//! API tokens, which let a caller see drafts and change records.
//!
//! The text of a token is `kurultai_<id>_<secret>`. The row is found by the id, and only a hash of the secret is stored.
//! The row is read for every request with a token, so a revocation takes effect at once in every process.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QueryTrait, Select, SqlErr, TransactionTrait,
};
use subtle::ConstantTimeEq;
use tracing::Instrument;
use uuid::Uuid;

use crate::core::auth::{Caller, Role};
use crate::core::digest::sha256_hex;
use crate::core::error::{Error, Result, bad_input, internal, unauthenticated};
use crate::core::id;
use crate::core::text::{TextRule, cleaned};
use crate::entity::token::{ActiveModel, Column, Entity, Model};
use crate::store::curation::withholding::withheld_digest::{WITHHELD_NAME_MESSAGE, load_recognizer};
use crate::store::{Store, database};

/// Prefix of the text of a token, by which secret scanners find leaked tokens.
const TOKEN_PREFIX: &str = "kurultai";
/// Prefix of the id of a token.
const ID_PREFIX: &str = "token";
/// Length of a secret.
const SECRET_BYTES: usize = 32;
/// Minimum time between two updates of the last use of a token.
const LAST_USE_INTERVAL: TimeDelta = TimeDelta::minutes(1);
/// Maximum length of a token's name.
const MAX_NAME_CHARS: usize = 100;

/// A token without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Id of the token.
    pub id: Uuid,
    /// Name of the holder, as recorded in the history of records.
    pub name: String,
    /// Role of callers with the token.
    pub role: Role,
    /// Instant of creation.
    pub created: DateTime<Utc>,
    /// Instant of expiry; not set for a token that does not expire.
    pub expires: Option<DateTime<Utc>>,
    /// Instant of revocation.
    pub revoked: Option<DateTime<Utc>>,
    /// Instant of the last use, accurate to about a minute.
    pub last_used: Option<DateTime<Utc>>,
}

/// Whether a token is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenStatus {
    /// The token is accepted.
    Active,
    /// The token has expired.
    Expired,
    /// The token was revoked.
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
    /// Id of the token as text.
    pub fn id(&self) -> String {
        id::encode(ID_PREFIX, self.id)
    }

    /// Status of the token at an instant.
    pub fn status(&self, now: DateTime<Utc>) -> TokenStatus {
        match (self.revoked, self.expires) {
            (Some(_), _) => TokenStatus::Revoked,
            (None, Some(expires)) if expires <= now => TokenStatus::Expired,
            (None, _) => TokenStatus::Active,
        }
    }

    /// The caller that holds this token, if the token is active.
    fn authorize(self, now: DateTime<Utc>) -> Result<Caller, TokenRejection> {
        match (self.status(now), self.expires) {
            (TokenStatus::Active, expires) => {
                Ok(Caller { role: self.role, name: Some(self.name), token: Some(self.id), expires, allowance: None })
            }
            (TokenStatus::Expired, Some(expires)) => Err(TokenRejection::Expired(expires)),
            (TokenStatus::Expired, None) | (TokenStatus::Revoked, _) => Err(TokenRejection::Revoked),
        }
    }
}

impl TryFrom<Model> for Token {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            id: row.id,
            name: row.name,
            role: row.role.parse().map_err(internal)?,
            created: row.created_at,
            expires: row.expires_at,
            revoked: row.revoked_at,
            last_used: row.last_used_at,
        })
    }
}

/// Why a token is rejected.
#[derive(Debug, Clone)]
pub enum TokenRejection {
    /// The text is malformed, or there is no such token.
    Unknown,
    /// The token expired at this instant.
    Expired(DateTime<Utc>),
    /// The token was revoked.
    Revoked,
    /// The database failed.
    Failed(Error),
}

impl From<Error> for TokenRejection {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl TokenRejection {
    /// The error to send to the client.
    pub fn into_error(self) -> Error {
        let message = match self {
            Self::Unknown => {
                "this token is unknown; send it in full: Authorization: Bearer kurultai_..., or leave it out to read published records"
                    .to_owned()
            }
            Self::Expired(at) => format!(
                "this token expired on {}; ask an admin for a new one, or leave it out to read published records",
                at.format("%Y-%m-%d")
            ),
            Self::Revoked => "this token was revoked; ask an admin for a new one, or leave it out to read published records".to_owned(),
            Self::Failed(error) => return error,
        };
        unauthenticated(message)
    }
}

impl Store {
    /// Creates a token. Returns it with its text, which is not stored.
    pub async fn create_token(&self, name: &str, role: Role, expires: Option<DateTime<Utc>>) -> Result<(Token, String)> {
        let Ok(name) = TextRule::line(MAX_NAME_CHARS).clean_name(name) else {
            return Err(bad_input("name", format_args!("give the name of the token's holder in 1 to {MAX_NAME_CHARS} characters")));
        };
        let name = name.as_str();
        let now = self.clock.now();
        if expires.is_some_and(|expires| expires <= now) {
            return Err(bad_input("expires", "this lies in the past; give a later date"));
        }
        if let Some(other) = self.tokens().await?.into_iter().find(|other| other.name == name && other.revoked.is_none()) {
            return Err(name_taken(name, &other.id()));
        }
        // the name is shown in histories, with everything that the token's holder writes
        let transaction = self.pools.writer.begin().await.map_err(database)?;
        if load_recognizer(&transaction, self.withholding_secret.as_deref()).await?.finds(name) {
            return Err(bad_input("name", WITHHELD_NAME_MESSAGE));
        }
        transaction.rollback().await.map_err(database)?;
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret).map_err(internal)?;
        let secret = BASE64_URL_SAFE_NO_PAD.encode(secret);
        let token = Token { id: self.clock.new_uuid(), name: name.to_owned(), role, created: now, expires, revoked: None, last_used: None };
        let row = ActiveModel {
            id: Set(token.id),
            name: Set(token.name.clone()),
            role: Set(role.as_str().to_owned()),
            hash: Set(sha256_hex(&secret)),
            created_at: Set(token.created),
            expires_at: Set(token.expires),
            revoked_at: Set(token.revoked),
            last_used_at: Set(token.last_used),
        };
        Entity::insert(row).exec_without_returning(&self.pools.writer).await.map_err(|error| match error.sql_err() {
            // another process created a token with this name in the meantime
            Some(SqlErr::UniqueConstraintViolation(_)) => name_taken(name, "created just now"),
            _ => database(error),
        })?;
        let text = format!("{}_{secret}", id::encode(TOKEN_PREFIX, token.id));
        Ok((token, text))
    }

    /// All tokens, the oldest first.
    pub async fn tokens(&self) -> Result<Vec<Token>> {
        let rows = self.find_tokens(Entity::find().order_by_asc(Column::CreatedAt).order_by_asc(Column::Id)).await?;
        rows.into_iter().map(Token::try_from).collect()
    }

    /// Revokes a token, given by its id or by the name of an active one. It is rejected from then on.
    pub async fn revoke_token(&self, id_or_name: &str) -> Result<Token> {
        let id = id::decode(id_or_name).ok().filter(|(prefix, _)| *prefix == ID_PREFIX).map(|(_, id)| id);
        let tokens = self.tokens().await?;
        // a name is stored cleaned
        let is_named = |token: &Token| token.name == id_or_name || token.name == cleaned(id_or_name).trim();
        let mut candidates: Vec<Token> = tokens.into_iter().filter(|token| id == Some(token.id) || is_named(token)).collect();
        candidates.sort_by_key(|token| (id != Some(token.id), token.revoked.is_some()));
        let Some(mut token) = candidates.into_iter().next() else {
            return Err(bad_input(
                "token",
                format_args!("there is no token with the id or name \"{id_or_name}\"; \"kurultai token list\" shows all tokens"),
            ));
        };
        if token.revoked.is_some() {
            return Err(bad_input("token", format_args!("{} of \"{}\" was revoked already", token.id(), token.name)));
        }
        token.revoked = Some(self.clock.now());
        let changes = ActiveModel { revoked_at: Set(token.revoked), ..ActiveModel::default() };
        let update = Entity::update_many().set(changes).filter(Column::Id.eq(token.id));
        update.exec(&self.pools.writer).await.map_err(database)?;
        Ok(token)
    }

    /// The caller that presents this token. The use is recorded afterwards, at most once a minute.
    pub async fn authenticate(&self, text: &str) -> Result<Caller, TokenRejection> {
        let (id, secret) = split_token(text).ok_or(TokenRejection::Unknown)?;
        let row = self.find_token(id).await?.ok_or(TokenRejection::Unknown)?;
        if !bool::from(sha256_hex(secret).as_bytes().ct_eq(row.hash.as_bytes())) {
            return Err(TokenRejection::Unknown);
        }
        let now = self.clock.now();
        let token = Token::try_from(row)?;
        let last_used = token.last_used;
        let caller = token.authorize(now)?;
        if last_used.is_none_or(|used| used + LAST_USE_INTERVAL <= now) {
            let store = self.clone();
            tokio::spawn(async move { store.record_use(id, now).await }.in_current_span());
        }
        Ok(caller)
    }

    /// The caller again, with the current role of its token, if that is still active.
    pub async fn refresh_caller(&self, caller: &Caller) -> Result<Caller, TokenRejection> {
        let Some(id) = caller.token else { return Ok(caller.clone()) };
        let row = self.find_token(id).await?.ok_or(TokenRejection::Unknown)?;
        Token::try_from(row)?.authorize(self.clock.now())
    }

    async fn find_token(&self, id: Uuid) -> Result<Option<Model>> {
        Ok(self.find_tokens(Entity::find().filter(Column::Id.eq(id))).await?.into_iter().next())
    }

    /// Reads from the primary: a replica may lack a revocation that was acknowledged.
    async fn find_tokens(&self, select: Select<Entity>) -> Result<Vec<Model>> {
        let rows = self.fetch_latest(select.as_query()).await?;
        rows.iter().map(|row| Model::from_query_result(row, "")).collect::<Result<_, _>>().map_err(internal)
    }

    async fn record_use(&self, id: Uuid, now: DateTime<Utc>) {
        // of concurrent uses, one updates the row
        let is_stale = Condition::any().add(Column::LastUsedAt.is_null()).add(Column::LastUsedAt.lte(now - LAST_USE_INTERVAL));
        let changes = ActiveModel { last_used_at: Set(Some(now)), ..ActiveModel::default() };
        let update = Entity::update_many().set(changes).filter(Column::Id.eq(id)).filter(is_stale);
        if let Err(error) = update.exec(&self.pools.writer).await {
            tracing::warn!(%error, "could not record the last use of a token");
        }
    }
}

fn name_taken(name: &str, other: &str) -> Error {
    bad_input("name", format_args!("\"{name}\" has a token already ({other}); revoke that one first, or give another name"))
}

/// Splits the text of a token into its id and secret.
fn split_token(text: &str) -> Option<(Uuid, &str)> {
    // a secret may contain underscores, an id does not
    let (id, secret) = text.strip_prefix(TOKEN_PREFIX)?.strip_prefix('_')?.split_once('_')?;
    let id = format!("{TOKEN_PREFIX}_{id}");
    let (_, id) = id::decode(&id).ok()?;
    Some((id, secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn token_splits_into_the_id_and_secret_it_was_made_of(id: u128, secret in "[A-Za-z0-9_-]{43}") {
            let id = Uuid::from_u128(id);
            let text = format!("{}_{secret}", id::encode(TOKEN_PREFIX, id));
            prop_assert_eq!(split_token(&text), Some((id, secret.as_str())));
        }

        #[test]
        fn no_text_makes_split_token_panic(text in "(kurultai_)?.{0,80}") {
            let _ = split_token(&text);
        }
    }
}

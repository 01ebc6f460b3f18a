//! `kurultai token`: creates, lists and revokes tokens.

use chrono::{DateTime, Utc};

use super::args::TokenExpiry;
use super::database::{open_migrated, with_store};
use super::table::{format_minute, format_table};
use crate::config::Config;
use crate::core::auth::Role;
use crate::store::Store;

/// Creates a token. The result contains its secret, which cannot be shown again.
pub(super) async fn create(config: &Config, name: &str, role: Role, expires: Option<TokenExpiry>) -> anyhow::Result<String> {
    let create = async |store: &Store| {
        let expires = expires.and_then(|expires| expires.at(store.clock.now()));
        Ok((store.create_token(name, role, expires).await?, expires))
    };
    let ((token, secret), expires) = with_store(open_migrated(config, false).await?, create).await?;
    let expiry = expires.map_or("does not expire".to_owned(), |at| format!("expires on {}", format_day(at)));
    Ok(format!(
        "{secret}\n\nThis is the token of \"{}\" ({}, {role}, {expiry}). It is not shown again: store it in a password manager.",
        token.name,
        token.id()
    ))
}

/// Lists all tokens as a table.
pub(super) async fn list(config: &Config) -> anyhow::Result<String> {
    let list = async |store: &Store| Ok((store.clock.now(), store.tokens().await?));
    let (now, tokens) = with_store(open_migrated(config, false).await?, list).await?;
    if tokens.is_empty() {
        return Ok("There are no tokens; create one with \"kurultai token create\"".to_owned());
    }
    let mut rows = vec![["id", "name", "role", "created", "last used", "expires", "state"].map(str::to_owned)];
    rows.extend(tokens.iter().map(|token| {
        [
            token.id(),
            token.name.clone(),
            token.role.to_string(),
            format_minute(token.created),
            token.last_used.map_or("never".to_owned(), format_minute),
            token.expires.map_or("never".to_owned(), format_day),
            token.status(now).to_string(),
        ]
    }));
    Ok(format_table(&rows))
}

/// Revokes the token with this id or name.
pub(super) async fn revoke(config: &Config, id_or_name: &str) -> anyhow::Result<String> {
    let revoke = async |store: &Store| Ok(store.revoke_token(id_or_name).await?);
    let token = with_store(open_migrated(config, false).await?, revoke).await?;
    Ok(format!("Revoked the token of \"{}\" ({}, {})", token.name, token.id(), token.role))
}

fn format_day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
}

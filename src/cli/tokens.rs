//! `kurultai token`: creates, lists and revokes tokens.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::args::TokenExpiry;
use super::database::{open_migrated, with_store};
use super::outcome::{CommandResult, format_minute, format_table, note};
use crate::config::Config;
use crate::core::auth::Role;
use crate::store::Store;

/// Creates a token. The result is its secret alone, which cannot be shown again.
pub(super) async fn create(config: &Config, name: &str, role: Role, expires: Option<TokenExpiry>) -> anyhow::Result<CommandResult> {
    let create = async |store: &Store| {
        let expires = expires.and_then(|expires| expires.at(store.clock.now()));
        Ok((store.create_token(name, role, expires).await?, expires))
    };
    let ((token, secret), expires) = with_store(open_migrated(config, false).await?, create).await?;
    let expiry = expires.map_or("does not expire".to_owned(), |at| format!("expires on {}", format_day(at)));
    note(format_args!(
        "This is the token of \"{}\" ({}, {role}, {expiry}). It is not shown again: store it in a password manager.",
        token.name,
        token.id()
    ));
    let json = json!({
        "token": secret, "id": token.id(), "name": token.name, "role": role.to_string(), "expiresAt": expires.map(|at| at.to_rfc3339()),
    });
    Ok(CommandResult::data(secret, json))
}

/// Lists all tokens as a table.
pub(super) async fn list(config: &Config) -> anyhow::Result<CommandResult> {
    let list = async |store: &Store| Ok((store.clock.now(), store.tokens().await?));
    let (now, tokens) = with_store(open_migrated(config, false).await?, list).await?;
    let instant = |at: Option<DateTime<Utc>>| at.map(|at| at.to_rfc3339());
    let json = tokens
        .iter()
        .map(|token| {
            json!({
                "id": token.id(), "name": token.name, "role": token.role.to_string(), "createdAt": token.created.to_rfc3339(),
                "lastUsedAt": instant(token.last_used), "expiresAt": instant(token.expires), "state": token.status(now).to_string(),
            })
        })
        .collect();
    if tokens.is_empty() {
        return Ok(CommandResult::data("There are no tokens; create one with \"kurultai token create\"", json));
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
    Ok(CommandResult::data(format_table(&rows), json))
}

/// Revokes the token with this id or name.
pub(super) async fn revoke(config: &Config, id_or_name: &str) -> anyhow::Result<CommandResult> {
    let revoke = async |store: &Store| Ok(store.revoke_token(id_or_name).await?);
    let token = with_store(open_migrated(config, false).await?, revoke).await?;
    let text = format!("Revoked the token of \"{}\" ({}, {})", token.name, token.id(), token.role);
    Ok(CommandResult::report(text, json!({"id": token.id(), "name": token.name, "role": token.role.to_string()})))
}

fn format_day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
}

//! Settings: defaults, overridden by a file, the environment and flags, in this order.

mod database_url;
mod renamed;
mod secret;

use std::net::SocketAddr;
use std::path::Path;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

use crate::core::dataset;
use crate::core::dataset::Dataset;
use crate::core::text::TextRule;
use crate::graphql::limits::Limits;
use crate::http::{RateLimits, Shares, Timeouts};
use database_url::deserialize_list;
use renamed::{ENVIRONMENT_PREFIX, ENVIRONMENT_SEPARATOR, RenamedSettings};

pub use database_url::DatabaseUrl;
pub use renamed::DeprecatedSetting;
pub use secret::Secret;

/// Configuration file that is read if no other is given.
const DEFAULT_FILE: &str = "kurultai.toml";
/// Settings that are also read from environment variables without the prefix.
const UNPREFIXED_VARIABLES: [&str; 3] = ["DATABASE_URL", "DATABASE_REPLICA_URLS", "DATABASE_LISTEN_URL"];
/// Prefixed environment variables that are flags of commands rather than settings.
const FLAG_VARIABLES: [&str; 2] = ["config", "token"];

/// All settings; `config.default.toml` documents each of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// URL of the database.
    pub database_url: DatabaseUrl,
    /// Maximum number of connections for queries.
    pub database_max_connections: u32,
    /// Seconds to wait for a free connection.
    pub database_acquire_timeout_seconds: u64,
    /// URLs of streaming replicas.
    #[serde(deserialize_with = "deserialize_list")]
    pub database_replica_urls: Vec<DatabaseUrl>,
    /// Maximum lag in seconds of a replica that serves reads.
    pub max_replica_lag_seconds: u64,
    /// URL for change notifications, for use behind a pooler; `database_url` if empty.
    pub database_listen_url: DatabaseUrl,
    /// Secret of the digests by which withheld persons are recognized; empty for none.
    pub withholding_secret: Secret,
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Maximum number of client connections.
    pub max_connections: u32,
    /// Maximum number of queries that execute concurrently; 0 chooses a value that suits the database.
    pub max_concurrent_queries: u32,
    /// Limits of one request.
    pub limits: Limits,
    /// Rate limits of one client.
    pub rate_limit: RateLimits,
    /// Shares of one client.
    pub shares: Shares,
    /// Timeouts of requests.
    pub timeouts: Timeouts,
    /// Maximum size in bytes of a request body.
    pub max_body_bytes: usize,
    /// Maximum size in bytes of a request with files.
    pub max_upload_bytes: usize,
    /// Size in bytes of the response cache; 0 disables it.
    pub response_cache_bytes: u64,
    /// Whether readers can execute saved queries only.
    pub trusted_documents_only: bool,
    /// Maximum number of open streams: subscriptions and WebSockets.
    pub max_streams: u32,
    /// Origins whose pages can read responses in a browser; `*` allows all.
    pub cors_origins: Vec<String>,
    /// Address and port of the metrics endpoint; null disables metrics.
    pub metrics_listen: Option<SocketAddr>,
    /// Operation names that have metrics of their own.
    pub metrics_operations: Vec<String>,
    /// Maximum number of saved queries that have metrics of their own.
    pub metrics_max_saved_queries: usize,
    /// Duration in milliseconds from which an operation is logged as slow; 0 disables the slow query log.
    pub slow_query_ms: u64,
    /// Seconds to keep serving after a stop signal, while the readiness probe fails.
    pub shutdown_drain_seconds: u64,
    /// Public base URL of the server.
    #[serde(default)]
    pub public_url: Option<String>,
    /// Title of the dataset.
    #[serde(default)]
    pub dataset_title: Option<String>,
    /// Licence of the dataset.
    #[serde(default)]
    pub dataset_licence: Option<String>,
    /// Attribution that reuse of the dataset requires.
    #[serde(default)]
    pub dataset_attribution: Option<String>,
    /// Filter of log lines.
    pub log: String,
    /// Settings that were given by an old name.
    #[serde(skip)]
    pub deprecated: Vec<DeprecatedSetting>,
}

/// Settings given as flags; those that are not set come from the other sources.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Flags {
    /// See [`Config::database_url`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_url: Option<String>,
    /// See [`Config::listen`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A source cannot be read, a setting is unknown, or its value has the wrong type.
    #[error("invalid configuration: {0}")]
    Malformed(String),
    /// The value of a setting is not allowed.
    #[error("{setting}: {problem}")]
    InvalidSetting {
        /// Name of the setting.
        setting: &'static str,
        /// What is wrong with its value, and what would be right.
        problem: String,
    },
}

impl ConfigError {
    fn invalid(setting: &'static str, problem: impl Into<String>) -> Self {
        Self::InvalidSetting { setting, problem: problem.into() }
    }
}

impl Config {
    /// Loads the settings from all sources and validates them. The error names the setting and its source.
    pub fn load(file: Option<&Path>, flags: &Flags) -> Result<Self, ConfigError> {
        let mut deprecated = Vec::new();
        let file = match file {
            Some(file) => Toml::file_exact(file),
            None => Toml::file(DEFAULT_FILE),
        };
        let environment = Env::prefixed(ENVIRONMENT_PREFIX).ignore(&FLAG_VARIABLES).split(ENVIRONMENT_SEPARATOR);
        let extracted = Figment::from(Toml::string(include_str!("config.default.toml")))
            .merge(RenamedSettings::read(&file, &mut deprecated))
            .merge(Env::raw().only(&UNPREFIXED_VARIABLES))
            .merge(RenamedSettings::read(&environment, &mut deprecated))
            .merge(Serialized::defaults(flags))
            .extract::<Self>();
        let config = Self { deprecated, ..extracted.map_err(|error| ConfigError::Malformed(error.to_string().trim().to_owned()))? };
        config.validate()?;
        Ok(config)
    }

    /// Logs a warning for each setting that was given by an old name.
    pub fn warn_deprecated(&self) {
        for DeprecatedSetting { old, new, source, is_ignored } in &self.deprecated {
            let message =
                if *is_ignored { "deprecated setting ignored because its new name is also set" } else { "deprecated setting name" };
            tracing::warn!(event = "config.deprecated_setting", old, new, source, "{message}");
        }
    }

    /// The description of the dataset; empty settings count as not set.
    pub fn dataset(&self) -> Result<Dataset, ConfigError> {
        let non_empty = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let public_url = non_empty(&self.public_url).map(|text| dataset::public_url(&text)).transpose();
        Ok(Dataset {
            title: non_empty(&self.dataset_title),
            licence: non_empty(&self.dataset_licence),
            attribution: non_empty(&self.dataset_attribution),
            public_url: public_url.map_err(|error| ConfigError::invalid("public_url", error.clone()))?,
        })
    }

    fn validate(&self) -> Result<(), ConfigError> {
        if !self.database_url.is_sqlite() && !self.database_url.is_postgres() {
            return Err(ConfigError::invalid("database_url", "must begin with sqlite: or postgres:"));
        }
        self.validate_replication()?;
        let texts = [
            ("dataset_title", &self.dataset_title),
            ("dataset_licence", &self.dataset_licence),
            ("dataset_attribution", &self.dataset_attribution),
            ("public_url", &self.public_url),
        ];
        for (setting, text) in texts {
            let given = text.as_deref().filter(|text| !text.trim().is_empty());
            let checked = given.map_or(Ok(()), |text| TextRule::NAME.clean_name(text).map(drop));
            checked.map_err(|problem| ConfigError::invalid(setting, problem))?;
        }
        self.dataset().map(drop)
    }

    /// Replicas and poolers require PostgreSQL.
    fn validate_replication(&self) -> Result<(), ConfigError> {
        let (replicas, listen) = (&self.database_replica_urls, &self.database_listen_url);
        if self.database_url.is_sqlite() {
            let postgres_only =
                "requires PostgreSQL, but database_url is a SQLite database; remove this setting or use a PostgreSQL database";
            if !replicas.is_empty() {
                return Err(ConfigError::invalid("database_replica_urls", postgres_only));
            }
            if !listen.is_empty() {
                return Err(ConfigError::invalid("database_listen_url", postgres_only));
            }
        }
        if let Some(index) = replicas.iter().position(|replica| !replica.is_postgres()) {
            return Err(ConfigError::invalid("database_replica_urls", format!("URL {} must begin with postgres:", index + 1)));
        }
        if !listen.is_empty() && !listen.is_postgres() {
            return Err(ConfigError::invalid("database_listen_url", "must begin with postgres:"));
        }
        match self.max_replica_lag_seconds {
            0 => Err(ConfigError::invalid("max_replica_lag_seconds", "must be at least 1")),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_in_code_equal_defaults_in_file() {
        let config = Config::load(None, &Flags::default()).unwrap();
        assert_eq!(format!("{:?}", config.limits), format!("{:?}", Limits::default()));
        assert_eq!(format!("{:?}", config.shares), format!("{:?}", Shares::default()));
        assert_eq!(format!("{:?}", config.timeouts), format!("{:?}", Timeouts::default()));
    }
}

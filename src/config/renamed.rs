//! Renamed settings: a file or the environment may still use the old names, which are reported as deprecated.

use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider, Source};

/// Prefix of environment variables that hold settings.
pub(super) const ENVIRONMENT_PREFIX: &str = "KURULTAI_";
/// Separates a table from its settings in an environment variable.
pub(super) const ENVIRONMENT_SEPARATOR: &str = "__";

/// Old and new names of settings. The name of a table comes after those of its settings.
const RENAMED_SETTINGS: &[(&str, &str)] = &[
    ("database_connections", "database_max_connections"),
    ("database_timeout", "database_acquire_timeout_seconds"),
    ("replica_lag", "max_replica_lag_seconds"),
    ("connections", "max_connections"),
    ("concurrency", "max_concurrent_queries"),
    ("body_limit", "max_body_bytes"),
    ("upload_limit", "max_upload_bytes"),
    ("cache", "response_cache_bytes"),
    ("streams", "max_streams"),
    ("metrics_saved", "metrics_max_saved_queries"),
    ("slow_query", "slow_query_ms"),
    ("drain", "shutdown_drain_seconds"),
    ("limits.bytes", "limits.query_bytes"),
    ("limits.tokens", "limits.query_tokens"),
    ("limits.values", "limits.variable_values"),
    ("rate.address", "rate_limit.points_per_address"),
    ("rate.token", "rate_limit.points_per_token"),
    ("rate.trusted_proxies", "rate_limit.trusted_proxies"),
    ("timeouts.header", "timeouts.header_seconds"),
    ("timeouts.body", "timeouts.body_seconds"),
    ("timeouts.request", "timeouts.query_seconds"),
];
/// Old and new names of tables. What an old table still holds after its settings were renamed is moved to the new
/// table, so that an unknown setting is reported by its own name.
const RENAMED_TABLES: &[(&str, &str)] = &[("rate", "rate_limit")];

/// A setting that was given by its old name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeprecatedSetting {
    /// The old name, as it is written in the source: `cache` or `KURULTAI_CACHE`.
    pub old: String,
    /// The new name, as it would be written in the source.
    pub new: String,
    /// The file that contains the setting, or `environment`.
    pub source: String,
    /// Whether the value was ignored because the same source also sets the new name.
    pub is_ignored: bool,
}

/// The settings of one source, with old names replaced by new ones.
pub(super) struct RenamedSettings {
    metadata: Metadata,
    data: Result<Map<Profile, Dict>, Error>,
}

impl RenamedSettings {
    /// Reads the settings of a source and adds those that were given by old names to `deprecated`.
    pub(super) fn read(provider: &impl Provider, deprecated: &mut Vec<DeprecatedSetting>) -> Self {
        let metadata = provider.metadata();
        let mut data = provider.data();
        for settings in data.iter_mut().flat_map(Map::values_mut) {
            deprecated.extend(rename(settings, metadata.source.as_ref()));
        }
        Self { metadata, data }
    }
}

impl Provider for RenamedSettings {
    fn metadata(&self) -> Metadata {
        self.metadata.clone()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        self.data.clone()
    }
}

/// Replaces old names by new ones. A new name takes precedence over the old name of the same setting.
fn rename(settings: &mut Dict, source: Option<&Source>) -> Vec<DeprecatedSetting> {
    let mut deprecated = Vec::new();
    for (old, new) in RENAMED_SETTINGS {
        let Some(value) = remove(settings, old) else { continue };
        let is_ignored = !insert(settings, new, value);
        let (old, new) = (name_in(source, old), name_in(source, new));
        let source = source.map_or_else(|| "environment".to_owned(), ToString::to_string);
        deprecated.push(DeprecatedSetting { old, new, source, is_ignored });
    }
    for (old, new) in RENAMED_TABLES {
        match settings.remove(*old) {
            Some(Value::Dict(_, rest)) => rest.into_iter().for_each(|(name, value)| {
                insert(settings, &format!("{new}.{name}"), value);
            }),
            Some(value) => {
                insert(settings, new, value);
            }
            None => {}
        }
    }
    deprecated
}

/// The name of a setting as it is written in a source; sources without a file are the environment.
fn name_in(source: Option<&Source>, name: &str) -> String {
    match source {
        Some(_) => name.to_owned(),
        None => format!("{ENVIRONMENT_PREFIX}{}", name.replace('.', ENVIRONMENT_SEPARATOR).to_uppercase()),
    }
}

/// Removes a setting, named by its path with dots.
fn remove(settings: &mut Dict, path: &str) -> Option<Value> {
    match path.split_once('.') {
        Some((table, rest)) => match settings.get_mut(table) {
            Some(Value::Dict(_, table)) => remove(table, rest),
            _ => None,
        },
        None => settings.remove(path),
    }
}

/// Inserts a setting that is not set yet; returns whether it was inserted.
fn insert(settings: &mut Dict, path: &str, value: Value) -> bool {
    match path.split_once('.') {
        Some((table, rest)) => match settings.entry(table.to_owned()).or_insert_with(|| Value::from(Dict::new())) {
            Value::Dict(_, table) => insert(table, rest, value),
            // extraction reports the table that is no table
            _ => false,
        },
        None if settings.contains_key(path) => false,
        None => {
            settings.insert(path.to_owned(), value);
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use figment::Figment;
    use figment::providers::{Format, Toml};

    use super::*;

    fn renamed(text: &str) -> (Dict, Vec<DeprecatedSetting>) {
        let mut settings: Dict = Figment::from(Toml::string(text)).extract().unwrap();
        let deprecated = rename(&mut settings, Some(&Source::Custom("kurultai.toml".to_owned())));
        (settings, deprecated)
    }

    #[test]
    fn old_names_are_replaced_and_reported() {
        let (settings, deprecated) = renamed("cache = 1\nlisten = \"x\"\n[rate]\naddress = 2\n[limits]\ndepth = 3\nvalues = 4");
        let expected: Dict = Figment::from(Toml::string(
            "response_cache_bytes = 1\nlisten = \"x\"\n[rate_limit]\npoints_per_address = 2\n[limits]\ndepth = 3\nvariable_values = 4",
        ))
        .extract()
        .unwrap();
        assert_eq!(settings, expected);
        let names: Vec<_> = deprecated.iter().map(|setting| (setting.old.as_str(), setting.new.as_str(), setting.is_ignored)).collect();
        let expected = [
            ("cache", "response_cache_bytes", false),
            ("limits.values", "limits.variable_values", false),
            ("rate.address", "rate_limit.points_per_address", false),
        ];
        assert_eq!(names, expected);
        assert!(deprecated.iter().all(|setting| setting.source == "kurultai.toml"));
    }

    #[test]
    fn new_name_takes_precedence_over_old_name() {
        let (settings, deprecated) = renamed("cache = 1\nresponse_cache_bytes = 2\n[timeouts]\nbody = 1\nbody_seconds = 2");
        assert_eq!(settings["response_cache_bytes"].to_i128(), Some(2));
        assert_eq!(settings["timeouts"].find_ref("body_seconds").and_then(Value::to_i128), Some(2));
        assert!(deprecated.len() == 2 && deprecated.iter().all(|setting| setting.is_ignored), "{deprecated:?}");
    }

    #[test]
    fn unknown_setting_of_renamed_table_keeps_its_name() {
        let (settings, deprecated) = renamed("[rate]\naddres = 2");
        assert!(settings["rate_limit"].find_ref("addres").is_some() && !settings.contains_key("rate"));
        assert_eq!(deprecated, []);
    }

    #[test]
    fn environment_settings_are_reported_as_variables() {
        let mut settings: Dict = Figment::from(Toml::string("[rate]\naddress = 2")).extract().unwrap();
        let deprecated = rename(&mut settings, None);
        assert_eq!(
            (deprecated[0].old.as_str(), deprecated[0].new.as_str(), deprecated[0].source.as_str()),
            ("KURULTAI_RATE__ADDRESS", "KURULTAI_RATE_LIMIT__POINTS_PER_ADDRESS", "environment")
        );
    }
}

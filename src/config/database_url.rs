//! Database URLs, with passwords redacted wherever they are displayed.

use std::fmt;
use std::net::IpAddr;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use url::Url;

/// Shown in place of a password.
const REDACTED: &str = "***";

/// A database URL. `Display` and `Debug` redact the password.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The URL with its password.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the URL is not set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the URL names a PostgreSQL database.
    pub(super) fn is_postgres(&self) -> bool {
        ["postgres:", "postgresql:"].iter().any(|scheme| self.0.starts_with(scheme))
    }

    /// Whether the URL names a SQLite database.
    pub fn is_sqlite(&self) -> bool {
        self.0.starts_with("sqlite:")
    }

    /// Whether the database runs on this machine: a SQLite file, a Unix socket or a loopback address.
    pub fn is_local(&self) -> bool {
        let is_local = |host: &str| {
            let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
            let is_socket = host.is_empty() || host.starts_with('/');
            is_socket || host == "localhost" || address.is_ok_and(|address| address.is_loopback())
        };
        let Ok(url) = Url::parse(&self.0) else { return false };
        let host_parameter = url.query_pairs().find(|(name, _)| name == "host");
        self.is_sqlite() || host_parameter.map_or_else(|| is_local(url.host_str().unwrap_or_default()), |(_, host)| is_local(&host))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Url::parse(&self.0) {
            Ok(mut url) if !self.is_sqlite() => {
                if url.password().is_some() && url.set_password(Some(REDACTED)).is_err() {
                    return f.write_str(REDACTED);
                }
                url.set_query(None);
                f.write_str(url.as_str())
            }
            Ok(_) => f.write_str(&self.0),
            Err(_) if self.is_empty() => Ok(()),
            // a URL that cannot be parsed may contain a password anywhere
            Err(_) => f.write_str(REDACTED),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Deserializes database URLs from a list or from comma-separated text.
pub(super) fn deserialize_list<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Vec<DatabaseUrl>, D::Error> {
    struct DatabaseUrls;

    impl<'d> Visitor<'d> for DatabaseUrls {
        type Value = Vec<DatabaseUrl>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of database URLs, or database URLs separated by commas")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            let urls = text.split(',').map(str::trim).filter(|url| !url.is_empty());
            Ok(urls.map(|url| DatabaseUrl(url.to_owned())).collect())
        }

        fn visit_seq<A: SeqAccess<'d>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut urls = Vec::new();
            while let Some(url) = items.next_element()? {
                urls.push(url);
            }
            Ok(urls)
        }
    }

    deserializer.deserialize_any(DatabaseUrls)
}

#[cfg(test)]
mod tests {
    use figment::Figment;
    use figment::providers::{Format, Toml};

    use super::*;

    #[test]
    fn replica_urls_are_a_list_or_comma_separated_text() {
        #[derive(Deserialize)]
        struct Settings {
            #[serde(deserialize_with = "deserialize_list")]
            urls: Vec<DatabaseUrl>,
        }
        let parse = |text: &str| {
            let settings: Settings = Figment::from(Toml::string(&format!("urls = {text}"))).extract().unwrap();
            settings.urls.iter().map(|url| url.expose().to_owned()).collect::<Vec<_>>()
        };
        for text in ["\"postgres://a/k, postgres://b/k,\"", "[\"postgres://a/k\", \"postgres://b/k\"]"] {
            assert_eq!(parse(text), ["postgres://a/k", "postgres://b/k"]);
        }
        assert_eq!(parse("\"\""), [""; 0]);
    }

    #[test]
    fn local_databases_are_distinguished_from_remote() {
        let is_local = |url: &str| DatabaseUrl(url.to_owned()).is_local();
        for url in [
            "sqlite://a.db",
            "sqlite::memory:",
            "postgres://localhost/k",
            "postgres://a:b@127.0.0.1:5432/k",
            "postgres://[::1]/k",
            "postgres:///k?host=/run/postgresql",
        ] {
            assert!(is_local(url), "{url}");
        }
        for url in
            ["postgres://db.example/k", "postgres://10.0.0.1/k", "postgres://[2001:db8::1]/k", "postgres:///k?host=db.example", "nonsense"]
        {
            assert!(!is_local(url), "{url}");
        }
    }

    #[test]
    fn passwords_are_redacted() {
        for url in ["postgres://editor:hunter2@db.example/kurultai?password=hunter2", "postgres:// hunter2"] {
            let url = DatabaseUrl(url.to_owned());
            assert!(!format!("{url} {url:?}").contains("hunter2"), "{url}");
        }
        assert_eq!(
            DatabaseUrl("postgres://editor:hunter2@db.example/kurultai".to_owned()).to_string(),
            "postgres://editor:***@db.example/kurultai"
        );
        assert_eq!(DatabaseUrl("sqlite://kurultai.db".to_owned()).to_string(), "sqlite://kurultai.db");
    }
}

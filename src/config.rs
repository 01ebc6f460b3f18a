//! Settings: defaults, then a file, then the environment, then flags.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use url::Url;

use crate::app::Fault;
use crate::core::dataset;
use crate::core::dataset::Dataset;
use crate::graphql::limits::Limits;
use crate::http::{RateLimits, Timeouts};

/// File that is read where no other is named.
const FILE: &str = "kurultai.toml";

/// All settings; `config.default.toml` says what each is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the database is.
    pub database_url: DatabaseUrl,
    /// Connections for reading at most.
    pub database_connections: u32,
    /// Seconds to wait for a connection.
    pub database_timeout: u64,
    /// Where replicas of the database are.
    #[serde(deserialize_with = "addresses")]
    pub database_replica_urls: Vec<DatabaseUrl>,
    /// Seconds that a replica may lag.
    pub replica_lag: u64,
    /// Where changes are told, behind a pooler; an empty one stands for `database_url`.
    pub database_listen_url: DatabaseUrl,
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Connections of clients at most.
    pub connections: u32,
    /// Queries that are run at the same time at most; 0 stands for as many as there are processors where the database is on
    /// this machine, and otherwise for as many as there are connections to it.
    pub concurrency: u32,
    /// What a request may ask for at most.
    pub limits: Limits,
    /// How much each client may ask for.
    pub rate: RateLimits,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// Bytes that the body of a request may have at most.
    pub body_limit: usize,
    /// Bytes that a request with files may have at most.
    pub upload_limit: usize,
    /// Bytes of answers to keep at most.
    pub cache: u64,
    /// Subscriptions and open WebSockets at most.
    pub streams: u32,
    /// Origins whose pages may read answers; `*` stands for all.
    pub cors_origins: Vec<String>,
    /// Address and port of what is for those who run the service; nothing serves it nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Names of operations that are told apart in what is counted.
    pub metrics_operations: Vec<String>,
    /// Saved queries that are told apart besides, at most.
    pub metrics_saved: usize,
    /// Milliseconds after which a line tells of an operation; 0 tells of none.
    pub slow_query: u64,
    /// Seconds to go on after being told to stop, while it is said that no more should come.
    pub drain: u64,
    /// Where the server is, as the public calls it.
    #[serde(default)]
    pub public_url: Option<String>,
    /// What the dataset is called.
    #[serde(default)]
    pub dataset_title: Option<String>,
    /// Terms under which the dataset may be reused.
    #[serde(default)]
    pub dataset_licence: Option<String>,
    /// Who is to be named by those who reuse the dataset.
    #[serde(default)]
    pub dataset_attribution: Option<String>,
    /// Which log lines to write.
    pub log: String,
}

/// Settings that flags give; what is not given is taken from elsewhere.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Flags {
    /// See [`Config::database_url`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_url: Option<String>,
    /// See [`Config::listen`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
}

/// Address of a database; its password is never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The address with its password.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether none is given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn is_postgres(&self) -> bool {
        ["postgres:", "postgresql:"].iter().any(|scheme| self.0.starts_with(scheme))
    }

    /// Whether it is a file of this machine.
    pub fn is_sqlite(&self) -> bool {
        self.0.starts_with("sqlite:")
    }

    /// Whether the database runs on this machine.
    pub fn is_here(&self) -> bool {
        let is_here = |host: &str| {
            let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
            // by a socket of the file system, or by the network
            host.is_empty() || host.starts_with('/') || host == "localhost" || address.is_ok_and(|address| address.is_loopback())
        };
        let Ok(url) = Url::parse(&self.0) else { return false };
        let given = url.query_pairs().find(|(name, _)| name == "host");
        self.is_sqlite() || given.map_or_else(|| is_here(url.host_str().unwrap_or_default()), |(_, host)| is_here(&host))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Url::parse(&self.0) {
            Ok(mut url) if !self.is_sqlite() => {
                if url.password().is_some() && url.set_password(Some("***")).is_err() {
                    return f.write_str("***");
                }
                url.set_query(None);
                f.write_str(url.as_str())
            }
            Ok(_) => f.write_str(&self.0),
            Err(_) if self.is_empty() => Ok(()),
            // what cannot be read may hold a password anywhere
            Err(_) => f.write_str("***"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Addresses as a list, or as a text with commas between them.
fn addresses<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Vec<DatabaseUrl>, D::Error> {
    struct Addresses;

    impl<'d> Visitor<'d> for Addresses {
        type Value = Vec<DatabaseUrl>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("addresses of databases, as a list or with commas between them")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            let given = text.split(',').map(str::trim).filter(|address| !address.is_empty());
            Ok(given.map(|address| DatabaseUrl(address.to_owned())).collect())
        }

        fn visit_seq<A: SeqAccess<'d>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(address) = items.next_element()? {
                all.push(address);
            }
            Ok(all)
        }
    }

    deserializer.deserialize_any(Addresses)
}

impl Config {
    /// Gathers the settings; the error says which setting is wrong and where it was given.
    pub fn load(file: Option<&Path>, flags: &Flags) -> anyhow::Result<Self> {
        let mut figment = Figment::from(Toml::string(include_str!("config.default.toml")));
        figment = match file {
            Some(file) => figment.merge(Toml::file_exact(file)),
            None => figment.merge(Toml::file(FILE)),
        };
        let config: Self = figment
            .merge(Env::raw().only(&["DATABASE_URL", "DATABASE_REPLICA_URLS", "DATABASE_LISTEN_URL"]))
            .merge(Env::prefixed("KURULTAI_").ignore(&["config", "token"]).split("__"))
            .merge(Serialized::defaults(flags))
            .extract()
            .map_err(|error| Fault::Settings(format!("the configuration is not valid: {}", error.to_string().trim())))?;
        let url = config.database_url.expose();
        if !["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(Fault::Settings("database_url must begin with sqlite: or postgres:".to_owned()).into());
        }
        config.check_servers().map_err(|error| Fault::Settings(error.to_string()))?;
        config.dataset().map_err(|error| Fault::Settings(error.to_string()))?;
        Ok(config)
    }

    /// What the dataset says of itself; an empty setting says nothing.
    pub fn dataset(&self) -> anyhow::Result<Dataset> {
        let given = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let public_url = given(&self.public_url).map(|text| dataset::public_url(&text)).transpose();
        Ok(Dataset {
            title: given(&self.dataset_title),
            licence: given(&self.dataset_licence),
            attribution: given(&self.dataset_attribution),
            public_url: public_url.map_err(|error| anyhow::anyhow!("public_url: {error}"))?,
        })
    }

    /// Replicas and poolers are for PostgreSQL.
    fn check_servers(&self) -> anyhow::Result<()> {
        let (replicas, listened) = (&self.database_replica_urls, &self.database_listen_url);
        if self.database_url.is_sqlite() {
            let only = "is for PostgreSQL, and database_url names a SQLite database; leave it out, or name a PostgreSQL database";
            anyhow::ensure!(replicas.is_empty(), "database_replica_urls {only}");
            anyhow::ensure!(listened.is_empty(), "database_listen_url {only}");
        }
        for (place, replica) in replicas.iter().enumerate() {
            anyhow::ensure!(replica.is_postgres(), "database_replica_urls: address {} must begin with postgres:", place + 1);
        }
        anyhow::ensure!(listened.is_empty() || listened.is_postgres(), "database_listen_url must begin with postgres:");
        anyhow::ensure!(self.replica_lag > 0, "replica_lag must be at least 1 second");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_of_the_code_are_those_of_the_file() {
        let config = Config::load(None, &Flags::default()).unwrap();
        assert_eq!(format!("{:?}", config.limits), format!("{:?}", Limits::default()));
        assert_eq!(format!("{:?}", config.timeouts), format!("{:?}", Timeouts::default()));
    }

    #[test]
    fn addresses_of_replicas_are_a_list_or_a_text_with_commas() {
        #[derive(Deserialize)]
        struct Given {
            #[serde(deserialize_with = "addresses")]
            urls: Vec<DatabaseUrl>,
        }
        let read = |text: &str| {
            let given: Given = Figment::from(Toml::string(&format!("urls = {text}"))).extract().unwrap();
            given.urls.iter().map(|url| url.expose().to_owned()).collect::<Vec<_>>()
        };
        for text in ["\"postgres://a/k, postgres://b/k,\"", "[\"postgres://a/k\", \"postgres://b/k\"]"] {
            assert_eq!(read(text), ["postgres://a/k", "postgres://b/k"]);
        }
        assert_eq!(read("\"\""), [""; 0]);
    }

    #[test]
    fn a_database_is_on_this_machine_or_elsewhere() {
        let is_here = |url: &str| DatabaseUrl(url.to_owned()).is_here();
        for url in [
            "sqlite://a.db",
            "sqlite::memory:",
            "postgres://localhost/k",
            "postgres://a:b@127.0.0.1:5432/k",
            "postgres://[::1]/k",
            "postgres:///k?host=/run/postgresql",
        ] {
            assert!(is_here(url), "{url}");
        }
        for url in
            ["postgres://db.example/k", "postgres://10.0.0.1/k", "postgres://[2001:db8::1]/k", "postgres:///k?host=db.example", "nonsense"]
        {
            assert!(!is_here(url), "{url}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
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

//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use clap::{Args, Parser, Subcommand};

use crate::config::Flags;
use crate::core::language;
use crate::transfer::format::Format;
use crate::transfer::package;

/// A GraphQL API over an open civic dataset: laws, proposals, court cases and people, and the sources that say so.
///
/// Begin with "kurultai import data/" and "kurultai serve", then open http://127.0.0.1:8080/.
#[derive(Debug, Parser)]
#[command(name = "kurultai", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// Settings that every command takes.
    #[command(flatten)]
    pub settings: Settings,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Settings that every command takes.
#[derive(Debug, Args)]
pub struct Settings {
    /// File with settings [default: kurultai.toml in the working directory, if it is there]
    #[arg(long, global = true, value_name = "FILE", env = "KURULTAI_CONFIG")]
    pub config: Option<PathBuf>,
    /// Database: sqlite://path or postgres://user:password@host/database [default: sqlite://kurultai.db]
    #[arg(long, global = true, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API, GraphiQL and the pages. A SQLite database is made and brought up to date first
    Serve {
        /// Address and port to listen on [default: 127.0.0.1:8080]
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
        /// Bring the schema of a PostgreSQL database up to date first, too
        #[arg(long)]
        migrate: bool,
    },
    /// Bring the schema of the database up to date
    Migrate {
        /// Take back this many changes instead, with the data in them
        #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u32).range(1..))]
        down: Option<u32>,
    },
    /// Load records from files: everything is checked before the first record is written
    Import(ImportFlags),
    /// Write all published records as a data package: a folder of tables, and datapackage.json, which says what they hold
    Export(ExportFlags),
    /// Copy a SQLite database into a file while it is used. The copy is a database like the other
    Backup {
        /// File to make; one that is there is not replaced
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Make, list and take back the tokens of those who maintain the dataset
    #[command(arg_required_else_help = true)]
    Token {
        /// What to do with tokens.
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Print the GraphQL schema
    Schema,
}

/// What to import, and how.
#[derive(Debug, Args)]
pub struct ImportFlags {
    /// Files, folders whose files of known formats are read or that hold a data package, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Format of all files [default: as their names tell]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// CSV: YAML file that says which column becomes which field
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// Popolo: scheme of the identifiers that ids become, by which the next import finds the same records
    #[arg(long, value_name = "NAME", default_value = "popolo")]
    pub scheme: String,
    /// Popolo: language of names and other text, as a BCP 47 tag; und where it is not known
    #[arg(long, value_name = "TAG", default_value = "und", value_parser = language::tag)]
    pub lang: String,
    /// Records written in one transaction at most; up to so many are written all or none
    #[arg(long, value_name = "RECORDS", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: u32,
    /// Say what would be created, updated and unchanged, and everything that is wrong; write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Send the records to this running server instead of writing them into a database
    #[arg(long, value_name = "URL", conflicts_with = "by")]
    pub url: Option<String>,
    /// Token that lets the records into the server
    #[arg(long, value_name = "TOKEN", env = "KURULTAI_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Name to write into the history of the records
    #[arg(long, value_name = "NAME", default_value = "import")]
    pub by: String,
    /// Reason to write into the history of the records
    #[arg(long, value_name = "TEXT")]
    pub message: Option<String>,
}

/// What to export, and how.
#[derive(Debug, Args)]
pub struct ExportFlags {
    /// Folder to write into; it must be new or empty
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Format of the tables
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "csv")]
    pub format: package::Format,
    /// Replace the package that is in the folder
    #[arg(long)]
    pub force: bool,
    /// What to call the dataset in datapackage.json [default: dataset_title of the settings]
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// Licence of the dataset, as SPDX names it, such as CC-BY-4.0, or its address; give it again for a further one
    /// [default: dataset_licence of the settings, if it is such]
    #[arg(long = "licence", value_name = "NAME-OR-URL", value_parser = licence)]
    pub licences: Vec<String>,
}

/// A licence by its name in the list of SPDX, or by its address.
pub fn licence(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && text.chars().all(|sign| sign.is_ascii_alphanumeric() || "-._".contains(sign));
    let is_address = url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if is_name || is_address {
        return Ok(text.to_owned());
    }
    Err("write the name that SPDX gives the licence, such as CC-BY-4.0, or the address of its text".to_owned())
}

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it, once
    Create {
        /// Who gets it; the history of records shows this name
        #[arg(long, value_name = "NAME")]
        name: String,
        /// What it allows
        #[arg(long, value_name = "ROLE", value_parser = ["reader", "editor", "admin"])]
        role: String,
        /// When it ceases to work: a day, such as 2027-01-01, or a number of days from now, such as 90d [default: never]
        #[arg(long, value_name = "WHEN")]
        expires: Option<Expiry>,
    },
    /// List all tokens; their secrets are not kept and cannot be shown
    List,
    /// Take a token back: it works no more, at once
    Revoke {
        /// Its id, or the name of the one who has it
        #[arg(value_name = "ID-OR-NAME")]
        token: String,
    },
}

/// When a token ceases to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// At the beginning of this day, in UTC.
    On(NaiveDate),
    /// This many days after it is made.
    After(u32),
}

impl Expiry {
    /// The instant, for a token that is made now; nothing where it is later than dates go.
    pub fn at(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::On(day) => Some(day.and_time(NaiveTime::MIN).and_utc()),
            Self::After(days) => now.checked_add_days(Days::new(days.into())),
        }
    }
}

impl FromStr for Expiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let days = text.strip_suffix('d').and_then(|days| days.parse().ok()).filter(|days| (1..=MAX_DAYS).contains(days));
        let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| day.format("%Y-%m-%d").to_string() == text);
        days.map(Self::After)
            .or_else(|| day().map(Self::On))
            .ok_or_else(|| format!("write a day, such as 2027-01-01, or a number of days from 1 to {MAX_DAYS}, such as 90d"))
    }
}

/// Days that a token works at most, where it is made for a number of days: a hundred years.
const MAX_DAYS: u32 = 36_500;

impl Cli {
    /// Settings among the flags.
    pub fn flags(&self) -> Flags {
        let listen = match self.command {
            Command::Serve { listen, .. } => listen,
            _ => None,
        };
        Flags { database_url: self.settings.database_url.clone(), listen }
    }
}

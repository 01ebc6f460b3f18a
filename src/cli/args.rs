//! Arguments of the command line.

#![expect(clippy::doc_markdown, reason = "the comments are help texts, which are not Markdown")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::cli::error::EXIT_CODES;
use crate::config::Flags;
use crate::core::language;
use crate::core::partial_date::PartialDate;
use crate::core::text::TextRule;
use crate::core::web_address::check_web_address;
use crate::interchange::format::InputFormat;
use crate::interchange::input::encoding::TextEncoding;
use crate::interchange::package;

/// A GraphQL API over an open civic dataset: laws, proposals, court cases and people, with their sources.
///
/// Start with "kurultai import data/" and "kurultai serve", then open http://127.0.0.1:8080/.
#[derive(Debug, Parser)]
#[command(name = "kurultai", version, propagate_version = true, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// Options of all commands.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of all commands.
#[derive(Debug, Args)]
pub struct GlobalArgs {
    /// Configuration file [default: kurultai.toml in the current directory, if it exists]
    #[arg(long, global = true, value_name = "FILE", env = "KURULTAI_CONFIG")]
    pub config: Option<PathBuf>,
    /// Database URL: sqlite://path or postgres://user:password@host/database [default: sqlite://kurultai.db]
    #[arg(long, global = true, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Print the result as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only what was asked for, such as a list or a token, and warnings and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API, GraphiQL and the record pages. Creates and migrates a SQLite database first
    Serve {
        /// Address and port to listen on [default: 127.0.0.1:8080]
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
        /// Migrate a PostgreSQL database before serving
        #[arg(long)]
        migrate: bool,
    },
    /// Migrate the database schema to the version of this program
    Migrate {
        /// Revert this many migrations instead. Deletes the data in the tables and columns that they added
        #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u32).range(1..))]
        down: Option<u32>,
    },
    /// Import records from files. Validates all records before it writes any
    Import(ImportArgs),
    /// Export all published records as a data package: a directory of tables, described by its datapackage.json
    Export(ExportArgs),
    /// Back up a SQLite database to a file, even while it is in use
    Backup {
        /// File to create. Fails if the file exists
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Create, list and revoke the tokens of editors and admins
    #[command(arg_required_else_help = true)]
    Token {
        /// The command for tokens.
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Import and list saved queries
    #[command(arg_required_else_help = true)]
    Queries {
        /// The command for saved queries.
        #[command(subcommand)]
        command: QueriesCommand,
    },
    /// Check the URLs of sources
    #[command(arg_required_else_help = true)]
    Sources {
        /// The command for sources.
        #[command(subcommand)]
        command: SourcesCommand,
    },
    /// Write the search index and the folded names of all records anew. Needed once after an upgrade whose changelog says so
    Reindex,
    /// Print the GraphQL schema
    Schema,
    /// Print the script that completes the arguments of this program in a shell
    Completions {
        /// The shell
        #[arg(value_enum, value_name = "SHELL")]
        shell: Shell,
    },
    /// Print the manual page of this program
    Man {
        /// Directory to write a page for each command to, instead of printing one
        #[arg(long = "dir", value_name = "DIR")]
        directory: Option<PathBuf>,
    },
}

/// A command for sources.
#[derive(Debug, Subcommand)]
pub enum SourcesCommand {
    /// Request the URL of each source, and store whether it is dead. Proposes archived copies, and tells whether quotes of
    /// citations are still in the page
    ///
    /// Requests one page of a host at a time, and never addresses of a private network.
    Check(SourcesCheckArgs),
}

/// Arguments of `kurultai sources check`.
#[derive(Debug, Args)]
pub struct SourcesCheckArgs {
    /// Skip sources whose URL was checked in the last days
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub max_age: u32,
    /// Maximum number of sources, those checked longest ago first
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// Milliseconds between two requests to one host
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 1_000)]
    pub delay: u64,
    /// Seconds until a request is given up
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
    /// URL of the availability API that finds archived copies of dead pages, as the Wayback Machine has it
    #[arg(long, value_name = "URL", default_value = "https://archive.org/wayback/available")]
    pub archive_api: String,
    /// Also request addresses of this machine and of private networks. For tests, and for sources in an intranet
    #[arg(long)]
    pub allow_private: bool,
}

/// Arguments of `kurultai import`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct ImportArgs {
    /// Files and directories to import, or - for standard input. A directory holds record files or a data package
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Format of all files [default: detected from each file name]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<InputFormat>,
    /// Encoding of files that are not UTF-8 and have no byte order mark, such as windows-1251; auto detects and reports it
    #[arg(long, value_name = "NAME", value_parser = parse_encoding)]
    pub encoding: Option<TextEncoding>,
    /// For CSV and XLSX: YAML file that maps columns to fields
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// For Popolo: name of the register that assigned the ids, such as isles-parliament. Ids are stored as identifiers of this
    /// scheme, and later imports find the same records by them
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    pub scheme: Option<String>,
    /// For Popolo: language of names and other text, as a BCP 47 tag; und means undetermined
    #[arg(long, value_name = "TAG", default_value = "und", value_parser = language::tag)]
    pub lang: String,
    /// Maximum number of records per transaction. An import of at most this many records is atomic
    #[arg(long, value_name = "RECORDS", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: u32,
    /// Validate the records and report what would change, without writing anything
    #[arg(long)]
    pub dry_run: bool,
    /// Treat warnings as errors, such as a name that changes wholly: the record found may be another one
    #[arg(long)]
    pub strict: bool,
    /// Write over what editors wrote since the last import, and replace texts in all languages [default: keep and report
    /// these, and merge texts by language]
    #[arg(long)]
    pub overwrite: bool,
    /// Name of the set of records that these files hold in full, such as isles-parliament [default: --scheme]. The import
    /// remembers which records the set holds, so that a later import of the set finds those that are gone
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    pub set: Option<String>,
    /// What to do with records of the set that the files no longer hold: delete those that no other record refers to, or give
    /// memberships the end --close-on. Records that were edited since the last import are kept
    #[arg(long, value_enum, value_name = "HOW")]
    pub prune: Option<PruneArg>,
    /// End of the memberships that --prune close closes: 2013, 2013-08 or 2013-08-22
    #[arg(long, value_name = "DATE", required_if_eq("prune", "close"), requires = "prune")]
    pub close_on: Option<PartialDate>,
    /// Prune without having it shown first. Without --yes and --dry-run, --prune shows what it would do and writes nothing
    #[arg(long, requires = "prune")]
    pub yes: bool,
    /// Import the valid records, and write the others to files in the current directory, to be corrected and imported. The exit
    /// code is 4 if there are any
    #[arg(long)]
    pub skip: bool,
    /// Write the records while the files are read, so that memory does not grow with them. For CSV and NDJSON whose records
    /// refer to earlier ones or to the database only. All records are written in one transaction, or none
    #[arg(long, conflicts_with_all = ["url", "skip", "set", "prune", "scheme"])]
    pub stream: bool,
    /// URL of the GraphQL endpoint of a running server to import into, instead of a database
    #[arg(long, value_name = "URL", conflicts_with = "by")]
    pub url: Option<String>,
    /// Token for --url, with the role editor or admin
    #[arg(long, value_name = "TOKEN", env = "KURULTAI_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Author to store in the history of each changed record
    #[arg(long, value_name = "NAME", default_value = "import", value_parser = parse_name)]
    pub by: String,
    /// Reason to store in the history of each changed record
    #[arg(long, value_name = "TEXT", value_parser = parse_message)]
    pub message: Option<String>,
}

/// What `--prune` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum PruneArg {
    /// Delete the records.
    Delete,
    /// Give memberships an end.
    Close,
}

/// Arguments of `kurultai export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Directory to write to. It must be empty or not exist
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// Format of the tables
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "csv")]
    pub format: package::PackageFormat,
    /// Replace an existing package in the directory
    #[arg(long)]
    pub force: bool,
    /// Title of the dataset in datapackage.json [default: the setting dataset_title]
    #[arg(long, value_name = "TEXT", value_parser = parse_name)]
    pub title: Option<String>,
    /// Licence of the dataset: an SPDX identifier, such as CC-BY-4.0, or a URL. Can be given several times
    /// [default: the setting dataset_licence, if it is one of these]
    #[arg(long = "licence", value_name = "NAME-OR-URL", value_parser = parse_licence)]
    pub licences: Vec<String>,
}

/// Parses a name or title.
fn parse_name(text: &str) -> Result<String, String> {
    TextRule::NAME.clean_name(text)
}

/// Parses the name of the holder of a token. The store rejects a blank one.
fn parse_token_name(text: &str) -> Result<String, String> {
    TextRule::NAME.check(text).map(|()| text.to_owned())
}

/// Parses the name of an encoding.
fn parse_encoding(name: &str) -> Result<TextEncoding, String> {
    name.parse()
}

/// Parses the reason for a change.
fn parse_message(text: &str) -> Result<String, String> {
    TextRule::MESSAGE.check(text).map(|()| text.to_owned())
}

/// Parses a licence: an SPDX identifier or a URL.
pub(super) fn parse_licence(text: &str) -> Result<String, String> {
    let is_identifier = !text.is_empty() && text.chars().all(|char| char.is_ascii_alphanumeric() || "-._".contains(char));
    let is_url = check_web_address(text).is_ok();
    if is_identifier || is_url {
        return Ok(text.to_owned());
    }
    Err("expected an SPDX licence identifier, such as CC-BY-4.0, or the URL of the licence".to_owned())
}

/// A command for tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Create a token and print it once
    Create {
        /// Name of the person or program that will use the token, shown as author in the history
        #[arg(long, value_name = "NAME", value_parser = parse_token_name)]
        name: String,
        /// Role of the token, which determines its permissions
        #[arg(long, value_name = "ROLE", value_parser = ["reader", "editor", "admin"])]
        role: String,
        /// Expiry: a day, such as 2027-01-01, or a number of days from now, such as 90d [default: never]
        #[arg(long, value_name = "WHEN")]
        expires: Option<TokenExpiry>,
    },
    /// List all tokens. Secrets are not stored and cannot be shown
    List,
    /// Revoke a token with immediate effect
    Revoke {
        /// Id or name of the token
        #[arg(value_name = "ID-OR-NAME")]
        token: String,
    },
}

/// A command for saved queries.
#[derive(Debug, Subcommand)]
pub enum QueriesCommand {
    /// Save the documents of a manifest, as the build tools of Apollo, Relay and GraphQL Code Generator write it. All
    /// documents are validated before any is saved
    Import {
        /// File with the manifest
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Name to store as the author of the saved queries
        #[arg(long, value_name = "NAME", default_value = "import", value_parser = parse_name)]
        by: String,
    },
    /// List saved queries, the latest first
    List {
        /// Maximum number of saved queries
        #[arg(long, value_name = "NUMBER", default_value_t = 100)]
        limit: u32,
    },
}

/// Maximum number of days until a token expires: a hundred years.
const MAX_EXPIRY_DAYS: u32 = 36_500;

/// When a token expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenExpiry {
    /// At the start of this day, in UTC.
    On(NaiveDate),
    /// This many days after its creation.
    AfterDays(u32),
}

impl TokenExpiry {
    /// The expiry of a token that is created now; `None` if it is beyond the range of dates.
    pub fn at(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::On(day) => Some(day.and_time(NaiveTime::MIN).and_utc()),
            Self::AfterDays(days) => now.checked_add_days(Days::new(days.into())),
        }
    }
}

impl FromStr for TokenExpiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let days = text.strip_suffix('d').and_then(|days| days.parse().ok()).filter(|days| (1..=MAX_EXPIRY_DAYS).contains(days));
        let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| day.format("%Y-%m-%d").to_string() == text);
        days.map(Self::AfterDays)
            .or_else(|| day().map(Self::On))
            .ok_or_else(|| format!("expected a day, such as 2027-01-01, or a number of days from 1 to {MAX_EXPIRY_DAYS}, such as 90d"))
    }
}

impl Cli {
    /// The settings that were given as flags.
    pub fn flags(&self) -> Flags {
        let listen = if let Command::Serve { listen, .. } = self.command { listen } else { None };
        Flags { database_url: self.global.database_url.clone(), listen }
    }
}

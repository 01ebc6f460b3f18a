//! The whole published dataset as files: a Frictionless Data Package (version 2), with a table for each type of record
//! and of part, and two more for the slugs and ids that lead to records still.
//!
//! Tables are made from the declarations of the types, so that a new type is in the package without more. Everything
//! keeps its id, and each row can be read by itself: nothing depends on the order of rows.

mod assemble;
mod column;
mod descriptor;
mod folder;
mod read;
mod row;
mod write;

use crate::catalog::record::{Record, RecordKind};
use crate::store::read::dump::dumped;
use crate::tabular::TableFormat;

pub use read::{Package, read};
pub use write::{Failed, Wish, Written, write};

/// Name of the file that describes the package.
pub const DESCRIPTOR: &str = "datapackage.json";

/// Formats that the tables can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Comma-separated values, after RFC 4180, in UTF-8.
    Csv,
    /// A JSON object for each row, each on a line.
    Ndjson,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    const ALL: [Self; 3] = [Self::Csv, Self::Ndjson, Self::Parquet];

    fn table(self) -> TableFormat {
        match self {
            Self::Csv => TableFormat::Csv,
            Self::Ndjson => TableFormat::Ndjson,
            Self::Parquet => TableFormat::Parquet,
        }
    }

    /// How names of files of this format end, and what the descriptor calls it.
    fn name(self) -> &'static str {
        self.table().extension()
    }

    fn media_type(self) -> &'static str {
        self.table().media_type().split(';').next().unwrap_or_default()
    }
}

/// A table of the package.
#[derive(Debug, Clone, Copy)]
enum Resource {
    /// All records or parts of a type.
    Of(&'static Record),
    /// Slugs that records had before.
    FormerSlugs,
    /// Ids of records that were merged into others.
    MergedIds,
}

impl Resource {
    fn all() -> impl Iterator<Item = Self> {
        dumped().map(Self::Of).chain([Self::FormerSlugs, Self::MergedIds])
    }

    /// Name of the table: that of the list of all such records, in small letters as the standard wants it.
    fn name(self) -> String {
        match self {
            Self::Of(record) if record.shape == RecordKind::Record => small(record.plural),
            Self::Of(record) => record.table.to_owned(),
            Self::FormerSlugs => "former_slugs".to_owned(),
            Self::MergedIds => "merged_ids".to_owned(),
        }
    }

    fn file(self, format: Format) -> String {
        format!("{}.{}", self.name(), format.name())
    }

    fn doc(self) -> &'static str {
        match self {
            Self::Of(record) => record.doc,
            Self::FormerSlugs => "Slugs that records had before, which still lead to them.",
            Self::MergedIds => "Ids of records that were merged into others, which lead to these.",
        }
    }
}

/// A name in small letters, with low lines between its words.
fn small(name: &str) -> String {
    let mut small = String::with_capacity(name.len() + 1);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            small.push('_');
        }
        small.push(letter.to_ascii_lowercase());
    }
    small
}

/// Whether a file of this name is one that a package can hold.
fn is_ours(name: &str) -> bool {
    name == DESCRIPTOR || Resource::all().any(|resource| Format::ALL.into_iter().any(|format| resource.file(format) == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_a_name_of_its_own() {
        let mut names: Vec<String> = Resource::all().map(Resource::name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn only_files_of_a_package_are_known_as_such() {
        assert!(
            is_ours("datapackage.json")
                && is_ours("people.csv")
                && is_ours("case_parties.parquet")
                && is_ours("vote_events.csv")
                && is_ours("merged_ids.ndjson")
        );
        assert!(!is_ours("people.yaml") && !is_ours("notes.txt") && !is_ours("people.csv.bak") && !is_ours("revisions.csv"));
    }
}

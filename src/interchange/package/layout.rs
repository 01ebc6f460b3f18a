//! The files of a package: names, formats and tables.

use strum::VariantArray;

use crate::catalog::record::{Record, RecordKind};
use crate::store::read::dump::dumped_records;
use crate::tabular::TableFormat;

/// Name of the file that describes the package.
pub const DESCRIPTOR: &str = "datapackage.json";

/// Format of the tables of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, strum::VariantArray)]
pub enum PackageFormat {
    /// Comma-separated values (RFC 4180), in UTF-8.
    Csv,
    /// Newline-delimited JSON: one object per row.
    Ndjson,
    /// Apache Parquet.
    Parquet,
}

impl PackageFormat {
    /// The format of the table writer.
    pub(super) fn table_format(self) -> TableFormat {
        match self {
            Self::Csv => TableFormat::Csv,
            Self::Ndjson => TableFormat::Ndjson,
            Self::Parquet => TableFormat::Parquet,
        }
    }

    /// File extension, which is also the name of the format in the descriptor.
    pub(super) fn name(self) -> &'static str {
        self.table_format().extension()
    }

    /// Media type without parameters.
    pub(super) fn media_type(self) -> &'static str {
        self.table_format().media_type().split(';').next().unwrap_or_default()
    }
}

/// A table of a package, which the Data Package standard calls a resource.
#[derive(Debug, Clone, Copy)]
pub(super) enum PackageResource {
    /// All records or parts of a type.
    Records(&'static Record),
    /// Slugs that records had before.
    FormerSlugs,
    /// Ids of records that were merged into others.
    MergedIds,
}

impl PackageResource {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        dumped_records().map(Self::Records).chain([Self::FormerSlugs, Self::MergedIds])
    }

    /// Name of the table in snake case, as the standard requires lower-case names.
    pub(super) fn name(self) -> String {
        match self {
            Self::Records(record) if record.kind == RecordKind::Record => snake_case(record.plural),
            Self::Records(record) => record.table.to_owned(),
            Self::FormerSlugs => "former_slugs".to_owned(),
            Self::MergedIds => "merged_ids".to_owned(),
        }
    }

    pub(super) fn file_name(self, format: PackageFormat) -> String {
        format!("{}.{}", self.name(), format.name())
    }

    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Records(record) => record.doc,
            Self::FormerSlugs => "Former slugs of records, which still resolve to them.",
            Self::MergedIds => "Ids of merged records, which resolve to the records that they were merged into.",
        }
    }
}

/// Converts a camel-case name to snake case.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 1);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// Whether a package can contain a file of this name.
pub(super) fn is_package_file(name: &str) -> bool {
    name == DESCRIPTOR
        || PackageResource::all().any(|resource| PackageFormat::VARIANTS.iter().any(|format| resource.file_name(*format) == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resource_names_are_unique() {
        let mut names: Vec<String> = PackageResource::all().map(PackageResource::name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn only_package_files_are_recognized() {
        assert!(
            is_package_file("datapackage.json")
                && is_package_file("people.csv")
                && is_package_file("case_parties.parquet")
                && is_package_file("vote_events.csv")
                && is_package_file("merged_ids.ndjson")
        );
        let others = ["people.yaml", "notes.txt", "people.csv.bak", "revisions.csv"];
        assert!(!others.into_iter().any(is_package_file));
    }
}

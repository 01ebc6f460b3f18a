//! Formats that records are read from.

use std::path::Path;

use clap::ValueEnum;

use crate::transfer::package::DESCRIPTOR;

/// A format that records are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// YAML: a map from types of record to lists of records.
    Yaml,
    /// JSON in the same form.
    Json,
    /// JSON, one record a line.
    Ndjson,
    /// Popolo JSON: persons, organizations, memberships.
    Popolo,
    /// A table with a mapping.
    Csv,
    /// A data package that was exported: its datapackage.json.
    Package,
}

impl Format {
    /// The format that the name of a file tells.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        if name == DESCRIPTOR {
            return Some(Self::Package);
        }
        if name.ends_with(".popolo.json") {
            return Some(Self::Popolo);
        }
        match name.rsplit_once('.')?.1 {
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "csv" | "tsv" => Some(Self::Csv),
            _ => None,
        }
    }
}

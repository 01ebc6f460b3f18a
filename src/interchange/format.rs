//! Formats that an import reads.

use std::path::Path;

use clap::ValueEnum;

use crate::interchange::input::compression::uncompressed_name;
use crate::interchange::package::layout::DESCRIPTOR;

/// A format that records are imported from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// YAML: a map from record types to lists of records.
    Yaml,
    /// JSON of the same structure.
    Json,
    /// Newline-delimited JSON: one record per line.
    Ndjson,
    /// Popolo JSON: persons, organizations, memberships.
    Popolo,
    /// Akoma Ntoso XML: acts.
    AkomaNtoso,
    /// CSV or TSV; requires --mapping.
    Csv,
    /// XLSX, as a table; requires --mapping.
    Xlsx,
    /// Data package, as written by kurultai export.
    Package,
}

impl InputFormat {
    /// Detects the format from a file name, with or without the extension of a compressed file; `None` if the extension is
    /// unknown.
    pub fn from_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        if name == DESCRIPTOR {
            return Some(Self::Package);
        }
        let name = uncompressed_name(&name);
        if name.ends_with(".popolo.json") {
            return Some(Self::Popolo);
        }
        match name.rsplit_once('.')?.1 {
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "xml" | "akn" => Some(Self::AkomaNtoso),
            "csv" | "tsv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            _ => None,
        }
    }
    /// The extensions of files, for messages.
    pub fn extensions() -> &'static str {
        ".yaml, .yml, .json, .ndjson, .jsonl, .popolo.json, .xml, .akn, .csv, .tsv or .xlsx, each also with .gz or .zst"
    }
}

//! The files that the paths of a command stand for.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::refused_name::is_refused;
use super::{InputContent, InputSource};
use crate::interchange::format::InputFormat;
use crate::interchange::package::layout::DESCRIPTOR;
use crate::interchange::problem::{file_problem, unreadable};
use crate::store::draft::InputProblem;

/// Maximum number of files that a note names.
const MAX_NAMED_FILES: usize = 5;

/// The files of an import, and notes on those that are not read.
#[derive(Debug, Default)]
pub struct InputList {
    /// The sources, in the order of the paths and names.
    pub inputs: Vec<InputSource>,
    /// Notes for the user.
    pub notes: Vec<String>,
}

/// Expands command-line paths: a file is itself, `-` is standard input, and a directory is the files directly in it, sorted
/// by name. A directory with a data package is that package. Tables in other directories are included only if there is a
/// mapping, and hidden files never.
pub fn list_inputs(paths: &[PathBuf], format: Option<InputFormat>, has_mapping: bool) -> Result<InputList, InputProblem> {
    let mut list = InputList::default();
    for path in paths {
        if path == Path::new("-") {
            let format = format
                .ok_or_else(|| file_problem(None, "standard input requires an explicit format; specify it, such as --format ndjson"))?;
            let source = InputSource::new(Arc::from("standard input"), format, InputContent::StandardInput);
            list.inputs.push(InputSource { is_format_explicit: true, ..source });
        } else if path.is_dir() && path.join(DESCRIPTOR).exists() {
            list.inputs.push(file_input(&path.join(DESCRIPTOR), format)?);
        } else if path.is_dir() {
            list.add_directory(path, format, has_mapping)?;
        } else {
            list.inputs.push(file_input(path, format)?);
        }
    }
    if list.inputs.is_empty() {
        let message = format!("no input files found; expected {}", InputFormat::extensions());
        return Err(file_problem(None, list.notes.iter().fold(message, |message, note| format!("{message} ({note})"))));
    }
    Ok(list)
}

impl InputList {
    fn add_directory(&mut self, directory: &Path, format: Option<InputFormat>, has_mapping: bool) -> Result<(), InputProblem> {
        let name: Arc<str> = Arc::from(directory.display().to_string());
        let entries = std::fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut paths: Vec<PathBuf> = entries.map_err(|error| unreadable(&name, &error))?.into_iter().map(|entry| entry.path()).collect();
        paths.retain(|path| !is_hidden(path) && !path.is_dir());
        paths.sort();
        let (mut unknown, mut tables, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for path in &paths {
            match InputFormat::from_path(path) {
                _ if is_refused(&file_name(path)) => refused.push(file_name(path)),
                None => unknown.push(file_name(path)),
                Some(InputFormat::Csv | InputFormat::Xlsx) if !has_mapping => tables.push(file_name(path)),
                Some(InputFormat::Yaml) if is_mapping(path) => {}
                Some(
                    InputFormat::Yaml
                    | InputFormat::Json
                    | InputFormat::Ndjson
                    | InputFormat::Popolo
                    | InputFormat::AkomaNtoso
                    | InputFormat::Csv
                    | InputFormat::Xlsx
                    | InputFormat::Package,
                ) => self.inputs.push(file_input(path, format)?),
            }
        }
        let mut note = |files: &[String], reason: &str| {
            if !files.is_empty() {
                self.notes.push(format!("{name}: {} not read, because {reason}: {}", count(files.len()), names(files)));
            }
        };
        note(&unknown, "the format of the name is not known");
        note(&tables, "a table requires --mapping");
        note(&refused, "refused rows are corrected first; name the file to import it");
        Ok(())
    }
}

fn count(files: usize) -> String {
    if files == 1 { "1 file is".to_owned() } else { format!("{files} files are") }
}

fn names(files: &[String]) -> String {
    let named = files.iter().take(MAX_NAMED_FILES).cloned().collect::<Vec<_>>().join(", ");
    match files.len().saturating_sub(MAX_NAMED_FILES) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Whether a file is one that people do not make: `.DS_Store`, `._people.yaml` and other hidden files, and the locks of open
/// documents such as `~$people.xlsx`.
fn is_hidden(path: &Path) -> bool {
    let name = file_name(path);
    name.starts_with('.') || name.starts_with("~$")
}

fn is_mapping(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with(".mapping"))
}

fn file_input(path: &Path, explicit: Option<InputFormat>) -> Result<InputSource, InputProblem> {
    let name: Arc<str> = Arc::from(path.display().to_string());
    let format = explicit.or_else(|| InputFormat::from_path(path)).ok_or_else(|| {
        let message =
            format!("unknown file extension; expected {}, or specify the format, such as --format yaml", InputFormat::extensions());
        file_problem(Some(&name), message)
    })?;
    Ok(InputSource { is_format_explicit: explicit.is_some(), ..InputSource::new(name, format, InputContent::Path(path.to_owned())) })
}

//! Sources of an import: files, directories and standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, stdin};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::interchange::format::InputFormat;
use crate::interchange::package::layout::DESCRIPTOR;
use crate::interchange::problem::{file_problem, invalid_utf8, unreadable};
use crate::store::draft::InputProblem;

/// Buffer of an open file, in bytes.
const READ_BUFFER_BYTES: usize = 1 << 16;

/// A file to import, or standard input.
#[derive(Debug, Clone)]
pub struct InputSource {
    /// Name used in messages.
    pub name: Arc<str>,
    /// Format that it is parsed as.
    pub format: InputFormat,
    /// Whether the format was specified explicitly instead of detected from the file name.
    pub is_format_explicit: bool,
    /// Path of the file; `None` for standard input and for an open file.
    pub path: Option<PathBuf>,
    /// The file, if it is open already and has no path.
    pub file: Option<Arc<File>>,
}

impl InputSource {
    /// Opens the source for buffered reading.
    pub fn open(&self) -> Result<Box<dyn BufRead + Send>, InputProblem> {
        if let Some(file) = &self.file {
            let rewound = file.try_clone().and_then(|mut file| file.seek(SeekFrom::Start(0)).map(|_| file));
            let file = rewound.map_err(|error| unreadable(&self.name, &error))?;
            return Ok(Box::new(BufReader::with_capacity(READ_BUFFER_BYTES, file)));
        }
        match &self.path {
            None => Ok(Box::new(BufReader::new(stdin()))),
            Some(path) => match File::open(path) {
                Ok(file) => Ok(Box::new(BufReader::with_capacity(READ_BUFFER_BYTES, file))),
                Err(error) => Err(unreadable(&self.name, &error)),
            },
        }
    }

    /// Reads the whole source as UTF-8 text, without a byte order mark.
    pub fn read_to_string(&self) -> Result<String, InputProblem> {
        let mut bytes = Vec::new();
        self.open()?.read_to_end(&mut bytes).map_err(|error| unreadable(&self.name, &error))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            invalid_utf8(&self.name, error.as_bytes()[..valid].split(|byte| *byte == b'\n').count())
        })?;
        Ok(text.strip_prefix('\u{FEFF}').map(str::to_owned).unwrap_or(text))
    }
}

/// Expands command-line paths: a file is itself, `-` is standard input, and a directory is the files directly in it, sorted
/// by name. A directory with a data package is that package; CSV files in other directories are included only if there is
/// a mapping.
pub fn list_inputs(paths: &[PathBuf], format: Option<InputFormat>, has_mapping: bool) -> Result<Vec<InputSource>, InputProblem> {
    let mut inputs = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            let format = format
                .ok_or_else(|| file_problem(None, "standard input requires an explicit format; specify it, such as --format ndjson"))?;
            inputs.push(InputSource { name: Arc::from("standard input"), format, is_format_explicit: true, path: None, file: None });
        } else if path.is_dir() && path.join(DESCRIPTOR).exists() {
            inputs.push(file_input(&path.join(DESCRIPTOR), format)?);
        } else if path.is_dir() {
            inputs.extend(directory_inputs(path, format, has_mapping)?);
        } else {
            inputs.push(file_input(path, format)?);
        }
    }
    if inputs.is_empty() {
        return Err(file_problem(None, "no input files found; expected .yaml, .yml, .json, .ndjson or .jsonl"));
    }
    Ok(inputs)
}

fn directory_inputs(directory: &Path, format: Option<InputFormat>, has_mapping: bool) -> Result<Vec<InputSource>, InputProblem> {
    let name: Arc<str> = Arc::from(directory.display().to_string());
    let entries = std::fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut files: Vec<PathBuf> = entries.map_err(|error| unreadable(&name, &error))?.into_iter().map(|entry| entry.path()).collect();
    files.retain(|path| match InputFormat::from_path(path) {
        None => false,
        Some(InputFormat::Csv) => has_mapping,
        Some(InputFormat::Yaml) => !path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with(".mapping")),
        Some(InputFormat::Json | InputFormat::Ndjson | InputFormat::Popolo | InputFormat::Package) => true,
    });
    files.sort();
    files.iter().map(|path| file_input(path, format)).collect()
}

fn file_input(path: &Path, explicit: Option<InputFormat>) -> Result<InputSource, InputProblem> {
    let name: Arc<str> = Arc::from(path.display().to_string());
    let format = explicit
        .or_else(|| InputFormat::from_path(path))
        .ok_or_else(|| file_problem(Some(&name), "unknown file extension; specify the format, such as --format yaml"))?;
    Ok(InputSource { name, format, is_format_explicit: explicit.is_some(), path: Some(path.to_owned()), file: None })
}

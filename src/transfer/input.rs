//! Where records are read from: files, folders, standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, stdin};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::store::draft::{InputProblem, Origin};
use crate::transfer::format::Format;
use crate::transfer::package::DESCRIPTOR;

/// One file, or standard input.
#[derive(Debug, Clone)]
pub struct Input {
    /// What it is called in messages.
    pub name: Arc<str>,
    /// Its format.
    pub format: Format,
    /// Whether the format was said, not told by the name.
    pub said: bool,
    /// The file; nothing for standard input.
    pub path: Option<PathBuf>,
}

impl Input {
    /// Opens it.
    pub fn open(&self) -> Result<Box<dyn BufRead + Send>, InputProblem> {
        match &self.path {
            None => Ok(Box::new(BufReader::new(stdin()))),
            Some(path) => match File::open(path) {
                Ok(file) => Ok(Box::new(BufReader::with_capacity(1 << 16, file))),
                Err(error) => Err(cannot_read(&self.name, &error)),
            },
        }
    }

    /// Reads all of it as text.
    pub fn text(&self) -> Result<String, InputProblem> {
        let mut bytes = Vec::new();
        self.open()?.read_to_end(&mut bytes).map_err(|error| cannot_read(&self.name, &error))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            not_utf8(&self.name, error.as_bytes()[..good].iter().filter(|byte| **byte == b'\n').count() + 1)
        })?;
        Ok(text.strip_prefix('\u{FEFF}').map(str::to_owned).unwrap_or(text))
    }
}

/// Everything that is named: files, the files directly in folders in the order of their names, and `-` for standard input.
/// Tables in folders are read only if there is a mapping for them; a folder with a data package is that package.
pub fn list(paths: &[PathBuf], format: Option<Format>, mapping: bool) -> Result<Vec<Input>, InputProblem> {
    let mut inputs = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            let format = format.ok_or_else(|| {
                problem(None, "standard input has no name that tells its format; say it, such as --format ndjson".to_owned())
            })?;
            inputs.push(Input { name: Arc::from("standard input"), format, said: true, path: None });
        } else if path.is_dir() && path.join(DESCRIPTOR).exists() {
            inputs.push(file(&path.join(DESCRIPTOR), format)?);
        } else if path.is_dir() {
            inputs.extend(folder(path, format, mapping)?);
        } else {
            inputs.push(file(path, format)?);
        }
    }
    if inputs.is_empty() {
        return Err(problem(None, "there is no .yaml, .yml, .json, .ndjson or .jsonl file to read".to_owned()));
    }
    Ok(inputs)
}

fn folder(path: &Path, format: Option<Format>, mapping: bool) -> Result<Vec<Input>, InputProblem> {
    let name: Arc<str> = Arc::from(path.display().to_string());
    let entries = std::fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut found: Vec<PathBuf> = entries.map_err(|error| cannot_read(&name, &error))?.into_iter().map(|entry| entry.path()).collect();
    found.retain(|path| match Format::of(path) {
        None => false,
        Some(Format::Csv) => mapping,
        Some(Format::Yaml) => !path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with(".mapping")),
        Some(_) => true,
    });
    found.sort();
    found.iter().map(|path| file(path, format)).collect()
}

fn file(path: &Path, format: Option<Format>) -> Result<Input, InputProblem> {
    let name: Arc<str> = Arc::from(path.display().to_string());
    let told = format
        .or_else(|| Format::of(path))
        .ok_or_else(|| problem(Some(&name), "the name does not tell the format; say it, such as --format yaml".to_owned()))?;
    Ok(Input { name, format: told, said: format.is_some(), path: Some(path.to_owned()) })
}

/// A problem with a whole file.
pub fn problem(file: Option<&Arc<str>>, message: String) -> InputProblem {
    InputProblem::new(Origin { file: file.cloned(), line: None, path: String::new() }, message)
}

/// A file that cannot be read.
pub fn cannot_read(name: &Arc<str>, error: &io::Error) -> InputProblem {
    problem(None, format!("cannot read {name}: {error}"))
}

/// A file that is in another encoding.
pub fn not_utf8(name: &Arc<str>, line: usize) -> InputProblem {
    InputProblem::new(
        Origin { file: Some(name.clone()), line: Some(line), path: String::new() },
        format!(
            "this is not UTF-8; convert the file first, such as with \"iconv -f WINDOWS-1251 -t UTF-8 {name} > utf-8-{}\"",
            name.rsplit('/').next().unwrap_or(name)
        ),
    )
}

//! Stages a package in a temporary directory inside its target, so that an incomplete package is never visible.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::error::ExportError;
use super::layout::{DESCRIPTOR, is_package_file};

/// Prefix of staging directories.
const STAGING_PREFIX: &str = ".kurultai-export-";

/// The target directory of an export, with the staging directory inside it.
#[derive(Debug)]
pub(super) struct StagingDirectory {
    target: PathBuf,
    /// Folder of the files until all are written; deleted when dropped.
    staging: Option<TempDir>,
    /// Whether the target was created for the package.
    is_new: bool,
    is_published: bool,
}

impl StagingDirectory {
    /// Prepares a target that is new or empty, or whose package is to be replaced.
    pub(super) fn create(path: &Path, replace: bool) -> Result<Self, ExportError> {
        let is_new = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(path).map_err(|error| ExportError::file(path, error))?;
                true
            }
            Err(error) => return Err(ExportError::file(path, error)),
            Ok(_) if path.is_dir() => {
                check_target(path, replace)?;
                false
            }
            Ok(_) => return Err(ExportError::UnusableDirectory(format!("{} is a file; specify a new or empty directory", path.display()))),
        };
        let staging = tempfile::Builder::new().prefix(STAGING_PREFIX).tempdir_in(path).map_err(|error| ExportError::file(path, error));
        if staging.is_err() && is_new {
            let _ = fs::remove_dir(path);
        }
        Ok(Self { target: path.to_owned(), staging: Some(staging?), is_new, is_published: false })
    }

    /// Path of a file in the staging directory.
    pub(super) fn staged_path(&self, name: &str) -> PathBuf {
        self.staging.as_ref().map_or(self.target.as_path(), |staging| staging.path()).join(name)
    }

    /// Moves the files to the target, the descriptor last, and deletes the files of the previous package.
    pub(super) fn publish(mut self, files: &[String]) -> Result<(), ExportError> {
        let file_error = |path: &Path| {
            let path = path.to_owned();
            move |error| ExportError::file(&path, error)
        };
        let descriptor = self.target.join(DESCRIPTOR);
        match fs::remove_file(&descriptor) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(ExportError::file(&descriptor, error)),
            _ => {}
        }
        for entry in entry_names(&self.target)? {
            if is_package_file(&entry) && !files.contains(&entry) {
                let old = self.target.join(&entry);
                fs::remove_file(&old).map_err(file_error(&old))?;
            }
        }
        for name in files.iter().map(String::as_str).chain([DESCRIPTOR]) {
            let destination = self.target.join(name);
            fs::rename(self.staged_path(name), &destination).map_err(file_error(&destination))?;
        }
        self.is_published = true;
        Ok(())
    }
}

impl Drop for StagingDirectory {
    fn drop(&mut self) {
        drop(self.staging.take());
        if self.is_new && !self.is_published {
            // fails if the directory is not empty
            let _ = fs::remove_dir(&self.target);
        }
    }
}

/// Rejects a target with other files, or with a package that must not be replaced. Deletes abandoned staging directories.
fn check_target(path: &Path, replace: bool) -> Result<(), ExportError> {
    let entries = entry_names(path)?;
    let (abandoned, others): (Vec<&String>, Vec<&String>) = entries.iter().partition(|entry| entry.starts_with(STAGING_PREFIX));
    let directory = path.display();
    if let Some(foreign) = others.iter().find(|entry| !is_package_file(entry)) {
        return Err(ExportError::UnusableDirectory(format!(
            "{directory} contains \"{foreign}\", which is not part of a package; specify a new or empty directory"
        )));
    }
    if !others.is_empty() && !replace {
        return Err(ExportError::UnusableDirectory(format!(
            "{directory} already contains a package; specify another directory, or replace the package with --force"
        )));
    }
    for entry in abandoned {
        let directory = path.join(entry);
        fs::remove_dir_all(&directory).map_err(|error| ExportError::file(&directory, error))?;
    }
    Ok(())
}

fn entry_names(path: &Path) -> Result<Vec<String>, ExportError> {
    let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(|error| ExportError::file(path, error))?;
    let mut names: Vec<String> = entries.into_iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

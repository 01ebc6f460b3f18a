//! The folder that a package is written into: in a part of its own first, so that nothing looks whole that is not.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::write::Failed;
use super::{DESCRIPTOR, is_ours};

/// How names of folders begin in which a package is being made.
const UNFINISHED: &str = ".kurultai-export-";

/// A folder in which a package is being made.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Where files are until all are written; it goes with what is in it.
    part: Option<TempDir>,
    /// Whether the folder was made for the package.
    is_new: bool,
    is_whole: bool,
}

impl Folder {
    /// Takes a folder that is new or empty, or whose package is to be replaced.
    pub(super) fn take(path: &Path, replace: bool) -> Result<Self, Failed> {
        let is_new = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(path).map_err(|error| Failed::file(path, error))?;
                true
            }
            Err(error) => return Err(Failed::file(path, error)),
            Ok(_) if path.is_dir() => {
                check(path, replace)?;
                false
            }
            Ok(_) => return Err(Failed::Refused(format!("{} is a file; name a folder that is new or empty", path.display()))),
        };
        let part = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(path).map_err(|error| Failed::file(path, error));
        if part.is_err() && is_new {
            let _ = fs::remove_dir(path);
        }
        Ok(Self { path: path.to_owned(), part: Some(part?), is_new, is_whole: false })
    }

    /// Path of a file while the package is being made.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.part.as_ref().map_or(self.path.as_path(), |part| part.path()).join(name)
    }

    /// Puts the files in their places, the descriptor last; those of the package before go.
    pub(super) fn finish(mut self, files: &[String]) -> Result<(), Failed> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| Failed::file(&path, error)
        };
        let descriptor = self.path.join(DESCRIPTOR);
        match fs::remove_file(&descriptor) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Failed::file(&descriptor, error)),
            _ => {}
        }
        for entry in entries(&self.path)? {
            if is_ours(&entry) && !files.contains(&entry) {
                let old = self.path.join(&entry);
                fs::remove_file(&old).map_err(failed(&old))?;
            }
        }
        for name in files.iter().map(String::as_str).chain([DESCRIPTOR]) {
            let place = self.path.join(name);
            fs::rename(self.file(name), &place).map_err(failed(&place))?;
        }
        self.is_whole = true;
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.part.take());
        if self.is_new && !self.is_whole {
            // only if nothing is in it
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// Refuses a folder that holds something which is not to be replaced.
fn check(path: &Path, replace: bool) -> Result<(), Failed> {
    let entries = entries(path)?;
    let (unfinished, held): (Vec<&String>, Vec<&String>) = entries.iter().partition(|entry| entry.starts_with(UNFINISHED));
    let folder = path.display();
    if let Some(foreign) = held.iter().find(|entry| !is_ours(entry)) {
        return Err(Failed::Refused(format!(
            "{folder} holds \"{foreign}\", which is no part of a package; name a folder that is new or empty"
        )));
    }
    if !held.is_empty() && !replace {
        return Err(Failed::Refused(format!("{folder} holds a package already; name another folder, or replace it with --force")));
    }
    for entry in unfinished {
        let left = path.join(entry);
        fs::remove_dir_all(&left).map_err(|error| Failed::file(&left, error))?;
    }
    Ok(())
}

fn entries(path: &Path) -> Result<Vec<String>, Failed> {
    let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(|error| Failed::file(path, error))?;
    let mut names: Vec<String> = entries.into_iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

//! Names of files with refused records, which are corrected before they are imported.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::compression::uncompressed_name;

/// What stands in the names, before the extension and the number.
const MARK: &str = ".refused";
/// Largest number in a name.
const MAX_NUMBER: usize = 10_000;

/// Whether a file has refused records, by its name.
pub fn is_refused(name: &str) -> bool {
    matches!(without_refused_mark(name), Cow::Owned(_))
}

/// The name of the file that the records of a file with this name come from: `people.csv` for `people.refused-2.csv`.
pub fn without_refused_mark(name: &str) -> Cow<'_, str> {
    let Some((stem, rest)) = name.rsplit_once(MARK) else { return Cow::Borrowed(name) };
    let Some((number, extension)) = rest.split_once('.') else { return Cow::Borrowed(name) };
    let is_number = number.is_empty()
        || number.strip_prefix('-').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    if is_number { Cow::Owned(format!("{stem}.{extension}")) } else { Cow::Borrowed(name) }
}

/// Creates a file for the refused records of the file `name`. No file is overwritten: a number is added to the name if there is
/// one already.
pub fn create_refused_file(directory: &Path, name: &str, extension: &str) -> io::Result<(PathBuf, File)> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let original = without_refused_mark(uncompressed_name(name)).replace(' ', "-");
    let (stem, extension) = match original.strip_suffix(extension).and_then(|stem| stem.strip_suffix('.')) {
        Some(stem) => (stem, extension),
        // an extension of another form, such as .yml, or none, as of standard input
        None => original.rsplit_once('.').unwrap_or((&original, extension)),
    };
    for number in 1..MAX_NUMBER {
        let number = if number == 1 { String::new() } else { format!("-{number}") };
        let path = directory.join(format!("{stem}{MARK}{number}.{extension}"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created.map(|file| (path, file)),
        }
    }
    Err(io::Error::other(format!("there are {MAX_NUMBER} files {stem}{MARK}-N.{extension}; delete those that are imported")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mark_is_between_stem_and_extension() {
        assert_eq!(without_refused_mark("a.refused.csv"), "a.csv");
        assert_eq!(without_refused_mark("a.refused-12.popolo.json"), "a.popolo.json");
        for name in ["a.csv", "a.refused", "refused.csv", "a.refused-x.csv"] {
            assert!(!is_refused(name), "{name}");
        }
    }

    #[test]
    fn no_file_is_overwritten() {
        let folder = tempfile::TempDir::new().unwrap();
        let created = |name: &str, extension: &str| {
            let (path, _) = create_refused_file(folder.path(), name, extension).unwrap();
            path.file_name().unwrap().to_string_lossy().into_owned()
        };
        assert_eq!(created("data/a.csv.gz", "csv"), "a.refused.csv");
        assert_eq!(created("a.refused.csv", "csv"), "a.refused-2.csv");
        assert_eq!(created("a.popolo.json", "popolo.json"), "a.refused.popolo.json");
        assert_eq!(created("a.yml", "yaml"), "a.refused.yml");
        assert_eq!(created("standard input", "ndjson"), "standard-input.refused.ndjson");
    }
}

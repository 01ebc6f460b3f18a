//! Sources of an import: files and standard input, as decompressed and decoded texts.

pub mod compression;
pub mod encoding;
pub mod listing;
mod peek;
pub mod read_error;
pub mod refused_name;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, stdin};
use std::path::PathBuf;
use std::sync::Arc;

use crate::interchange::format::InputFormat;
use crate::interchange::problem::unreadable;
use crate::store::draft::InputProblem;
use compression::decompress;
use encoding::{TextEncoding, decode};
use encoding_rs::Encoding;
use peek::{AnyReader, peek};
use read_error::ReadError;

pub use compression::check_size;

/// Buffer of an open file, in bytes.
const READ_BUFFER_BYTES: usize = 1 << 16;
/// Bytes at the beginning of a file in which it can declare its encoding.
const DECLARATION_BYTES: usize = 1 << 10;

/// A file to import, or standard input.
#[derive(Debug, Clone)]
pub struct InputSource {
    /// Name used in messages.
    pub name: Arc<str>,
    /// Format that it is parsed as.
    pub format: InputFormat,
    /// Whether the format was specified explicitly instead of detected from the file name.
    pub is_format_explicit: bool,
    /// Where the bytes are.
    pub content: InputContent,
    /// Encoding of a text without a byte order mark.
    pub encoding: TextEncoding,
    /// Maximum number of decompressed bytes, if there is one.
    pub max_bytes: Option<u64>,
}

/// Where the bytes of a source are.
#[derive(Debug, Clone)]
pub enum InputContent {
    /// A file with this path.
    Path(PathBuf),
    /// An open file.
    File(Arc<File>),
    /// Standard input, which is read once.
    StandardInput,
}

impl InputSource {
    /// A source whose format is that of its name.
    pub fn new(name: Arc<str>, format: InputFormat, content: InputContent) -> Self {
        Self { name, format, is_format_explicit: false, content, encoding: TextEncoding::default(), max_bytes: None }
    }

    /// Opens the source as UTF-8 text without a byte order mark. Also returns the encoding if it was detected.
    pub fn open(&self) -> Result<(AnyReader, Option<&'static str>), InputProblem> {
        let decoded = self.open_bytes().and_then(|reader| decode(reader, self.encoding));
        decoded.map_err(|error| unreadable(&self.name, &error))
    }

    /// As [`Self::open`], for files that can declare their encoding in their first bytes, as XML does. `declared` finds it, or
    /// says what is wrong with it. A given encoding and a byte order mark replace it.
    pub fn open_declared(
        &self,
        declared: impl FnOnce(&[u8]) -> Result<Option<&'static Encoding>, String>,
    ) -> Result<(AnyReader, Option<&'static str>), InputProblem> {
        let decoded = self.open_bytes().and_then(|reader| {
            if self.encoding != TextEncoding::Unspecified {
                return decode(reader, self.encoding);
            }
            let (start, reader) = peek(reader, DECLARATION_BYTES)?;
            let declared = declared(&start).map_err(|message| ReadError { line: Some(1), message })?;
            decode(reader, declared.map_or(TextEncoding::Unspecified, TextEncoding::Named))
        });
        decoded.map_err(|error| unreadable(&self.name, &error))
    }

    /// Reads the whole source as UTF-8 text, without a byte order mark.
    pub fn read_to_string(&self) -> Result<String, InputProblem> {
        let mut text = String::new();
        self.open()?.0.read_to_string(&mut text).map_err(|error| unreadable(&self.name, &error))?;
        Ok(text)
    }

    /// Reads the whole source as decompressed bytes.
    pub fn read_bytes(&self) -> Result<Vec<u8>, InputProblem> {
        let mut bytes = Vec::new();
        let read = self.open_bytes().and_then(|mut reader| reader.read_to_end(&mut bytes));
        read.map(|_| bytes).map_err(|error| unreadable(&self.name, &error))
    }

    /// Opens the source as decompressed bytes.
    fn open_bytes(&self) -> io::Result<AnyReader> {
        let reader: AnyReader = match &self.content {
            InputContent::File(file) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(0))?;
                Box::new(BufReader::with_capacity(READ_BUFFER_BYTES, file))
            }
            InputContent::Path(path) => Box::new(BufReader::with_capacity(READ_BUFFER_BYTES, File::open(path)?)),
            InputContent::StandardInput => Box::new(BufReader::new(stdin())),
        };
        decompress(&self.name, reader, self.max_bytes)
    }
}

//! Compressed files: gzip and Zstandard.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use super::peek::{AnyReader, peek};
use super::read_error::ReadError;

/// Buffer of decompressed bytes.
const BUFFER_BYTES: usize = 1 << 16;
/// Bytes in a unit that people read.
const MEBIBYTE: u64 = 1 << 20;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    Gzip,
    Zstandard,
}

impl Compression {
    const ALL: [Self; 2] = [Self::Gzip, Self::Zstandard];

    /// The extension of names, with its point.
    fn extension(self) -> &'static str {
        match self {
            Self::Gzip => ".gz",
            Self::Zstandard => ".zst",
        }
    }

    /// The bytes that every file begins with.
    fn magic(self) -> &'static [u8] {
        match self {
            Self::Gzip => &[0x1F, 0x8B],
            Self::Zstandard => &[0x28, 0xB5, 0x2F, 0xFD],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstandard => "Zstandard",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|compression| compression.stem_of(name).is_some())
    }

    fn stem_of(self, name: &str) -> Option<&str> {
        let at = name.len().checked_sub(self.extension().len())?;
        let (stem, extension) = name.split_at_checked(at)?;
        extension.eq_ignore_ascii_case(self.extension()).then_some(stem)
    }
}

/// The name of a file without the extension of its compression: `people.csv` for `people.csv.gz`.
pub fn uncompressed_name(name: &str) -> &str {
    Compression::ALL.into_iter().find_map(|compression| compression.stem_of(name)).unwrap_or(name)
}

/// Decompresses a file that begins as a compressed one does. Reading fails if the file is damaged, or with more than `max_bytes`
/// decompressed bytes. A name that promises a compressed file must have one.
pub(super) fn decompress(name: &str, reader: AnyReader, max_bytes: Option<u64>) -> io::Result<AnyReader> {
    let (start, reader) = peek(reader, Compression::Zstandard.magic().len())?;
    let found = Compression::ALL.into_iter().find(|compression| start.starts_with(compression.magic()));
    let decoder: Box<dyn Read + Send> = match (found, Compression::of_name(name)) {
        (Some(Compression::Gzip), _) => Box::new(MultiGzDecoder::new(reader)),
        (Some(Compression::Zstandard), _) => Box::new(zstd::Decoder::with_buffer(reader)?),
        (None, Some(promised)) => {
            let message = format!("the file is no {} archive, as its name says; rename or replace it", promised.name());
            return Err(ReadError::of_file(message).into());
        }
        (None, None) => return Ok(reader),
    };
    let archive = Archive { decoder, compression: found.map_or("", Compression::name), read: 0, max_bytes };
    Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, archive)))
}

/// A compressed file that is being read.
struct Archive {
    decoder: Box<dyn Read + Send>,
    compression: &'static str,
    /// Number of decompressed bytes so far.
    read: u64,
    max_bytes: Option<u64>,
}

impl Read for Archive {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.decoder.read(buffer).map_err(|error| {
            if error.kind() == io::ErrorKind::Interrupted {
                return error;
            }
            let message = format!("the {} archive is damaged or incomplete ({error}); copy or download it again", self.compression);
            ReadError::of_file(message).into()
        })?;
        self.read += count as u64;
        check_size(self.read, self.max_bytes)?;
        Ok(count)
    }
}

/// Fails if a file has more decompressed bytes than it may have.
pub fn check_size(bytes: u64, max_bytes: Option<u64>) -> io::Result<()> {
    match max_bytes {
        Some(max_bytes) if bytes > max_bytes => {
            let size = match max_bytes {
                bytes if bytes >= MEBIBYTE && bytes % MEBIBYTE == 0 => format!("{} MiB", bytes / MEBIBYTE),
                bytes => format!("{bytes} bytes"),
            };
            let message = format!("the file has more than {size} when it is decompressed (max_upload_bytes); divide it into several");
            Err(ReadError::of_file(message).into())
        }
        _ => Ok(()),
    }
}

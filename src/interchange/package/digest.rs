//! SHA-256 digests of the files of a package.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::core::digest::hex_digest;

/// Buffer of a file that is hashed, in bytes.
const READ_BUFFER_BYTES: usize = 1 << 16;

/// The SHA-256 of a file and its length in bytes; the file is streamed.
pub(super) fn file_digest(path: &Path) -> io::Result<(String, u64)> {
    let mut reader = BufReader::with_capacity(READ_BUFFER_BYTES, File::open(path)?);
    let (mut digest, mut length) = (Sha256::new(), 0);
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok((hex_digest(&digest.finalize()), length));
        }
        digest.update(bytes);
        let count = bytes.len();
        length += count as u64;
        reader.consume(count);
    }
}

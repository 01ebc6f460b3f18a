//! Reads the first bytes of a file without consuming them.

use std::io::{self, BufRead, Cursor, Read};

/// A reader of any file.
pub type AnyReader = Box<dyn BufRead + Send>;

/// The first `count` bytes, or all if there are fewer, and a reader that still has them.
pub(super) fn peek(mut reader: AnyReader, count: usize) -> io::Result<(Vec<u8>, AnyReader)> {
    let mut start = Vec::with_capacity(count);
    reader.by_ref().take(count as u64).read_to_end(&mut start)?;
    let reader = Box::new(Cursor::new(start.clone()).chain(reader));
    Ok((start, reader))
}

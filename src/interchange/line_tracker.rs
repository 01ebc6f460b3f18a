//! Maps byte offsets of a file to line numbers.

use std::collections::VecDeque;
use std::io::{self, Read};

use csv::{Position, Reader};

/// A reader that records where lines begin. A line ends with LF, CR LF or CR.
#[derive(Debug)]
pub(super) struct LineTracker<R> {
    inner: R,
    /// First byte offset and line number, counted from 1, of each line that is not empty.
    line_starts: VecDeque<(u64, usize)>,
    offset: u64,
    line: usize,
    previous_byte: u8,
}

impl<R> LineTracker<R> {
    /// Wraps a reader at the beginning of a file.
    pub(super) fn new(inner: R) -> Self {
        Self::starting_at(inner, 1)
    }

    /// Wraps a reader at the beginning of a line, which is counted from 1.
    pub(super) fn starting_at(inner: R, line: usize) -> Self {
        Self { inner, line_starts: VecDeque::new(), offset: 0, line, previous_byte: b'\n' }
    }

    /// Line of the first byte at or after `offset` that does not belong to a line ending. Offsets must not decrease between
    /// calls, because earlier line starts are discarded.
    fn line_at(&mut self, offset: u64) -> usize {
        // without a line start at or after the offset, the offset is inside the last line that began before it
        let mut number = self.line;
        while let Some((start, line)) = self.line_starts.front().copied() {
            if start >= offset {
                return line;
            }
            number = line;
            self.line_starts.pop_front();
        }
        number
    }
}

impl<R: Read> Read for LineTracker<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        for byte in &buffer[..count] {
            match (byte, self.previous_byte) {
                // second byte of CR LF
                (b'\n', b'\r') => {}
                (b'\n' | b'\r', _) => self.line += 1,
                (_, b'\n' | b'\r') => self.line_starts.push_back((self.offset, self.line)),
                _ => {}
            }
            self.previous_byte = *byte;
            self.offset += 1;
        }
        Ok(count)
    }
}

/// Line on which the CSV record at `position` begins. The position's own line number is that of the end of the previous
/// record.
pub(super) fn line_of<R: Read>(reader: &mut Reader<LineTracker<R>>, position: Option<&Position>) -> usize {
    position.map_or(1, |position| reader.get_mut().line_at(position.byte()))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn tracked(text: &str) -> LineTracker<Cursor<&[u8]>> {
        let mut tracker = LineTracker::new(Cursor::new(text.as_bytes()));
        io::copy(&mut tracker, &mut io::sink()).unwrap();
        tracker
    }

    #[test]
    fn every_line_ending_counts_once() {
        for text in ["ab\ncd\n\nef", "ab\rcd\r\ref"] {
            let mut tracker = tracked(text);
            assert_eq!([0, 3, 6].map(|offset| tracker.line_at(offset)), [1, 2, 4], "{text:?}");
        }
        let mut tracker = tracked("ab\r\ncd\r\n\r\nef");
        assert_eq!([0, 4, 8].map(|offset| tracker.line_at(offset)), [1, 2, 4]);
    }

    #[test]
    fn empty_lines_before_a_record_are_skipped() {
        let mut tracker = tracked("ab\r\n\r\ncd");
        assert_eq!(tracker.line_at(3), 3);
    }
}

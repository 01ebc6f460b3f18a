//! Which line of a file a byte stands in.

use std::collections::VecDeque;
use std::io::{self, Read};

use csv::{Position, Reader};

/// Notes where lines begin while a file is read. A line ends with LF, CR LF, or CR.
#[derive(Debug)]
pub(super) struct Lines<R> {
    inner: R,
    /// Where lines begin that are not empty: the place of the first byte, and the number of the line, from 1.
    begins: VecDeque<(u64, usize)>,
    place: u64,
    number: usize,
    /// The byte before.
    last: u8,
}

impl<R> Lines<R> {
    /// Of a file from its beginning.
    pub(super) fn new(inner: R) -> Self {
        Self { inner, begins: VecDeque::new(), place: 0, number: 1, last: b'\n' }
    }

    /// The number of the line in which the first byte stands, from this place on, that is no end of a line. Nothing before
    /// it can be asked for again.
    fn at(&mut self, place: u64) -> usize {
        // what begins at a place or after it, or where there is none, in the middle of the last line that began before it
        let mut number = self.number;
        while let Some((begin, line)) = self.begins.front().copied() {
            if begin >= place {
                return line;
            }
            number = line;
            self.begins.pop_front();
        }
        number
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        for byte in &buffer[..count] {
            match (byte, self.last) {
                // the second half of an end
                (b'\n', b'\r') => {}
                (b'\n' | b'\r', _) => self.number += 1,
                (_, b'\n' | b'\r') => self.begins.push_back((self.place, self.number)),
                _ => {}
            }
            self.last = *byte;
            self.place += 1;
        }
        Ok(count)
    }
}

/// The line in which what stands at a position of a table begins. The reader's own number is of where the line before ended.
pub(super) fn line_of<R: Read>(reader: &mut Reader<Lines<R>>, position: Option<&Position>) -> usize {
    position.map_or(1, |position| reader.get_mut().at(position.byte()))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn lines(text: &str) -> Lines<Cursor<&[u8]>> {
        let mut lines = Lines::new(Cursor::new(text.as_bytes()));
        io::copy(&mut lines, &mut io::sink()).unwrap();
        lines
    }

    #[test]
    fn every_kind_of_end_counts_once() {
        for text in ["ab\ncd\n\nef", "ab\rcd\r\ref"] {
            let mut lines = lines(text);
            assert_eq!([0, 3, 6].map(|place| lines.at(place)), [1, 2, 4], "{text:?}");
        }
        let mut lines = lines("ab\r\ncd\r\n\r\nef");
        assert_eq!([0, 4, 8].map(|place| lines.at(place)), [1, 2, 4]);
    }

    #[test]
    fn ends_before_a_line_are_skipped() {
        let mut lines = lines("ab\r\n\r\ncd");
        assert_eq!(lines.at(3), 3);
    }
}

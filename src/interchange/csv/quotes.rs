//! Checks the quotation marks of a table (RFC 4180, section 2). The parser takes any text, and a mark in a wrong place would
//! swallow the cells and rows that follow.

use std::fmt;
use std::io::{self, Read};

/// A reader that fails where a quoted cell does not end as it must.
#[derive(Debug)]
pub(super) struct QuoteChecker<R> {
    inner: R,
    separator: u8,
    state: State,
    /// Line of the next byte, and the line and number of the cell that it belongs to; all counted from 1.
    line: usize,
    cell_line: usize,
    cell: usize,
    previous: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    CellStart,
    Plain,
    Quoted,
    /// After a mark in a quoted cell: its end, or the first of two marks that stand for one.
    AfterMark,
}

/// A quoted cell that does not end as it must.
#[derive(Debug, Clone)]
pub(super) struct QuoteError {
    /// Line on which the cell begins, or of the text after it.
    pub(super) line: usize,
    message: String,
}

impl fmt::Display for QuoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for QuoteError {}

impl<R> QuoteChecker<R> {
    /// Wraps a reader at the beginning of a line.
    pub(super) fn new(inner: R, separator: u8, line: usize) -> Self {
        Self { inner, separator, state: State::CellStart, line, cell_line: line, cell: 1, previous: 0 }
    }

    fn check(&mut self, byte: u8) -> Result<(), QuoteError> {
        let ends_line = matches!(byte, b'\n' | b'\r');
        if byte == b'\r' || (byte == b'\n' && self.previous != b'\r') {
            self.line += 1;
        }
        self.previous = byte;
        self.state = match (self.state, byte) {
            (State::Quoted, b'"') => State::AfterMark,
            (State::AfterMark, b'"') | (State::Quoted, _) => State::Quoted,
            (State::CellStart, b'"') => {
                self.cell_line = self.line;
                State::Quoted
            }
            (State::CellStart | State::Plain | State::AfterMark, byte) if byte == self.separator => {
                self.cell += 1;
                State::CellStart
            }
            (State::CellStart | State::Plain | State::AfterMark, _) if ends_line => {
                self.cell = 1;
                State::CellStart
            }
            (State::AfterMark, _) => {
                let cell = self.cell;
                let message = format!(
                    "cell {cell} has text after its closing quotation mark; put the whole cell in quotation marks and write those in it twice"
                );
                return Err(QuoteError { line: self.line, message });
            }
            (State::CellStart | State::Plain, _) => State::Plain,
        };
        Ok(())
    }

    fn end(&self) -> Result<(), QuoteError> {
        if self.state != State::Quoted {
            return Ok(());
        }
        let message = format!("cell {} begins with a quotation mark that is not closed; write a mark that is text twice", self.cell);
        Err(QuoteError { line: self.cell_line, message })
    }
}

impl<R: Read> Read for QuoteChecker<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let checked = match count {
            0 if !buffer.is_empty() => self.end(),
            count => buffer[..count].iter().try_for_each(|byte| self.check(*byte)),
        };
        checked.map(|()| count).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a,b\n\"x, \"\"y\"\"\nz\",\"\"\r\nплохо\"и,c", None)]
    #[case("a\n\"x\"", None)]
    #[case("a,b\nc,\"x\ny\n", Some("2: cell 2 begins"))]
    #[case("a,b\n\"Нур\" партия,c", Some("2: cell 1 has text after"))]
    #[case("a,b\n1,\"x\ny\" z", Some("3: cell 2 has text after"))]
    fn misplaced_marks_are_found(#[case] text: &str, #[case] expected: Option<&str>) {
        let mut checker = QuoteChecker::new(text.as_bytes(), b',', 1);
        let error = checker.read_to_end(&mut Vec::new()).err();
        let found = error.map(|error| error.into_inner().unwrap().downcast::<QuoteError>().unwrap());
        let found = found.map(|found| format!("{}: {found}", found.line));
        assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
        assert!(found.unwrap_or_default().starts_with(expected.unwrap_or_default()));
    }
}

//! Lines and columns of byte offsets of a document.

use apollo_compiler::parser::SourceSpan;
use async_graphql::Pos;

/// Bytes between two offsets whose number of characters is kept. A document can have one line, and a position for each name in it.
const BLOCK_BYTES: usize = 256;

/// Lines and columns of byte offsets of a document. Lines end as the GraphQL specification says (section 2.1.3); columns
/// count characters.
pub(super) struct Positions<'t> {
    bytes: &'t [u8],
    /// Byte offsets at which lines begin.
    lines: Vec<usize>,
    /// Number of characters that begin before each multiple of [`BLOCK_BYTES`].
    blocks: Vec<usize>,
}

impl<'t> Positions<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        let counts = bytes.chunks(BLOCK_BYTES).scan(0, |count, block| {
            *count += char_count(block);
            Some(*count)
        });
        Self { bytes, lines, blocks: std::iter::once(0).chain(counts).collect() }
    }

    /// The position of a byte offset: the column is the number of characters of the line that begin before it, plus one.
    pub(super) fn of(&self, offset: usize) -> Pos {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines[line - 1];
        Pos { line, column: self.chars_before(offset) - self.chars_before(start) + 1 }
    }

    pub(super) fn of_span(&self, span: Option<SourceSpan>) -> Pos {
        self.of(span.map_or(0, |span| span.offset()))
    }

    /// Number of characters that begin before a byte offset.
    fn chars_before(&self, offset: usize) -> usize {
        let offset = offset.min(self.bytes.len());
        let block = offset / BLOCK_BYTES;
        self.blocks[block] + char_count(&self.bytes[block * BLOCK_BYTES..offset])
    }
}

/// Number of characters that begin in some bytes of UTF-8.
fn char_count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn columns_count_the_characters_of_the_line(text in "([a-zщ😀\n\r]{0,40}){0,30}", at in 0usize..1_300) {
            let before = text.get(..at.min(text.len()));
            prop_assume!(before.is_some_and(|before| !before.ends_with('\r')));
            let lines = before.unwrap().replace("\r\n", "\n").replace('\r', "\n");
            let expected = (lines.matches('\n').count() + 1, lines.rsplit('\n').next().unwrap().chars().count() + 1);
            let Pos { line, column } = Positions::new(&text).of(at.min(text.len()));
            prop_assert_eq!((line, column), expected);
        }
    }
}

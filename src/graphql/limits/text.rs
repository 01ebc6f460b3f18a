//! Measurement of the query text before it is parsed: the parser recurses for each level, so deeply nested text must not
//! reach it.

use std::ops::Range;

use crate::graphql::error::GraphqlError;
use crate::graphql::limits::bounds::{Limits, ensure_at_most};

/// Rejects text that is too long or nested too deeply.
pub(crate) fn check(limits: &Limits, text: &str) -> Result<(), GraphqlError> {
    let bytes = text.len();
    ensure_at_most(
        "query_bytes",
        limits.query_bytes as u64,
        bytes as u64,
        &format!("the query is {bytes} bytes long"),
        "pass values as variables, or split it into several requests",
    )?;
    let TextSize { tokens, nesting } = measure(text);
    ensure_at_most(
        "query_tokens",
        limits.query_tokens,
        tokens,
        &format!("the query has {tokens} tokens"),
        "split it into several requests",
    )?;
    ensure_at_most(
        "nesting",
        limits.nesting,
        nesting,
        &format!("brackets in the query are nested {nesting} levels deep"),
        "fetch deeper levels in a separate request",
    )
}

/// U+FEFF in UTF-8, which is ignored.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

#[derive(Debug, PartialEq, Eq)]
struct TextSize {
    tokens: u64,
    nesting: u64,
}

/// Counts tokens and nested brackets.
fn measure(text: &str) -> TextSize {
    let (mut count, mut level, mut nesting) = (0, 0_u64, 0);
    for token in tokens(text) {
        count += 1;
        match text.as_bytes().get(token.start) {
            Some(b'{' | b'[' | b'(') => {
                level += 1;
                nesting = nesting.max(level);
            }
            Some(b'}' | b']' | b')') => level = level.saturating_sub(1),
            _ => {}
        }
    }
    TextSize { tokens: count, nesting }
}

/// The byte ranges of the tokens of a document, after the lexical grammar of the GraphQL specification (section 2.1).
/// Characters outside the grammar are one token each; the parser reports them.
pub(crate) fn tokens(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let end = match bytes.get(at)? {
                b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                    at += 1;
                    continue;
                }
                0xEF if bytes[at..].starts_with(BYTE_ORDER_MARK) => {
                    at += BYTE_ORDER_MARK.len();
                    continue;
                }
                b'#' => {
                    at = end_of(bytes, at, |byte| !matches!(byte, b'\n' | b'\r'));
                    continue;
                }
                b'"' => end_of_string(bytes, at),
                b'.' => end_of(bytes, at, |byte| byte == b'.'),
                b'-' | b'0'..=b'9' => end_of(bytes, at + 1, |byte| byte == b'_' || byte == b'.' || byte.is_ascii_alphanumeric()),
                b'_' | b'A'..=b'Z' | b'a'..=b'z' => end_of(bytes, at + 1, |byte| byte == b'_' || byte.is_ascii_alphanumeric()),
                // a character of several bytes is one token
                _ => end_of(bytes, at + 1, |byte| byte & 0xC0 == 0x80),
            };
            return Some(std::mem::replace(&mut at, end)..end);
        }
    })
}

/// Index of the first byte from `at` that does not belong to the token.
fn end_of(bytes: &[u8], at: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes[at..].iter().position(|byte| !belongs(*byte)).map_or(bytes.len(), |length| at + length)
}

/// Index after the string that begins at `at`.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let is_block = bytes[at..].starts_with(b"\"\"\"");
    let mut index = at + if is_block { 3 } else { 1 };
    while let Some(byte) = bytes.get(index) {
        match byte {
            b'\\' if is_block && bytes[index..].starts_with(b"\\\"\"\"") => index += 4,
            b'\\' if !is_block => index += 2,
            b'"' if is_block && bytes[index..].starts_with(b"\"\"\"") => return index + 3,
            b'"' if !is_block => return index + 1,
            b'\n' | b'\r' if !is_block => return index,
            _ => index += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("", 0, 0)]
    #[case("{ a }", 3, 1)]
    #[case("{ a...F...G }", 7, 1)]
    #[case("query($id: ID!) { node(id: $id) { ...f } } # { { {", 21, 2)]
    #[case(r#"{ a(b: "} \" {{", c: -1.5e3) }"#, 11, 2)]
    #[case(r#"{ a(b: """ " \""" {{{ """, c: [[1]]) }"#, 15, 4)]
    #[case("\"never ended {\n{", 2, 1)]
    fn tokens_and_nesting_follow_the_grammar(#[case] text: &str, #[case] tokens: u64, #[case] nesting: u64) {
        assert_eq!(measure(text), TextSize { tokens, nesting });
    }

    proptest! {
        #[test]
        fn measuring_any_text_terminates(text in "[ \\PC{}\\[\\]()\"#\\\\\n]{0,200}") {
            let measured = measure(&text);
            prop_assert!(measured.tokens <= text.len() as u64 && measured.nesting <= measured.tokens);
        }

        #[test]
        fn tokens_begin_and_end_between_characters(text in "[ \\PC{}\"\\\\\n\u{feff}\u{a0}！é😀]{0,60}") {
            for token in tokens(&text) {
                prop_assert!(text.get(token.clone()).is_some_and(|token| !token.is_empty()), "{token:?}");
            }
        }
    }
}

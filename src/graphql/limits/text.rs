//! The text of a document, measured before it is parsed: the parser calls itself for each level, so what is nested
//! too deeply must not reach it.

use crate::graphql::error::GraphqlError;
use crate::graphql::limits::{Limits, at_most};

/// Refuses a text that is too long or nested too deeply.
pub(in crate::graphql) fn check(limits: &Limits, text: &str) -> Result<(), GraphqlError> {
    let bytes = text.len();
    at_most(
        "query_bytes",
        limits.query_bytes as u64,
        bytes as u64,
        &format!("the query is {bytes} bytes long"),
        "give values as variables, and ask in several requests",
    )?;
    let Measured { tokens, nesting } = measure(text);
    at_most("query_tokens", limits.query_tokens, tokens, &format!("the query has {tokens} tokens"), "ask in several requests")?;
    at_most(
        "nesting",
        limits.nesting,
        nesting,
        &format!("brackets in the query are nested {nesting} levels deep"),
        "ask for what lies deeper in a request of its own",
    )
}

#[derive(Debug, PartialEq, Eq)]
struct Measured {
    tokens: u64,
    nesting: u64,
}

/// Counts tokens and brackets within brackets, after the lexical grammar of the GraphQL specification (2.1). What is not
/// in the grammar counts as a token for each byte; the parser will say what is wrong with it.
fn measure(text: &str) -> Measured {
    let bytes = text.as_bytes();
    let (mut at, mut tokens, mut level, mut nesting) = (0, 0, 0_u64, 0);
    while let Some(byte) = bytes.get(at) {
        let end = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' | 0xEF | 0xBB | 0xBF => {
                at += 1;
                continue;
            }
            b'#' => {
                at = end_of(bytes, at, |byte| !matches!(byte, b'\n' | b'\r'));
                continue;
            }
            b'"' => end_of_string(bytes, at),
            b'.' => end_of(bytes, at, |byte| byte == b'.'),
            b'_' | b'-' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                end_of(bytes, at + 1, |byte| byte == b'_' || byte == b'.' || byte.is_ascii_alphanumeric())
            }
            b'{' | b'[' | b'(' => {
                level += 1;
                nesting = nesting.max(level);
                at + 1
            }
            b'}' | b']' | b')' => {
                level = level.saturating_sub(1);
                at + 1
            }
            _ => at + 1,
        };
        tokens += 1;
        at = end;
    }
    Measured { tokens, nesting }
}

/// The first place from `at` on where a byte does not belong.
fn end_of(bytes: &[u8], at: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes[at..].iter().position(|byte| !belongs(*byte)).map_or(bytes.len(), |length| at + length)
}

/// The place after a string that begins at `at`.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let is_block = bytes[at..].starts_with(b"\"\"\"");
    let mut place = at + if is_block { 3 } else { 1 };
    while let Some(byte) = bytes.get(place) {
        match byte {
            b'\\' if is_block && bytes[place..].starts_with(b"\\\"\"\"") => place += 4,
            b'\\' if !is_block => place += 2,
            b'"' if is_block && bytes[place..].starts_with(b"\"\"\"") => return place + 3,
            b'"' if !is_block => return place + 1,
            b'\n' | b'\r' if !is_block => return place,
            _ => place += 1,
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
    #[case("query($id: ID!) { node(id: $id) { ...f } } # { { {", 21, 2)]
    #[case(r#"{ a(b: "} \" {{", c: -1.5e3) }"#, 11, 2)]
    #[case(r#"{ a(b: """ " \""" {{{ """, c: [[1]]) }"#, 15, 4)]
    #[case("\"never ended {\n{", 2, 1)]
    fn tokens_and_nesting_are_those_of_the_grammar(#[case] text: &str, #[case] tokens: u64, #[case] nesting: u64) {
        assert_eq!(measure(text), Measured { tokens, nesting });
    }

    proptest! {
        #[test]
        fn any_text_can_be_measured(text in "[ \\PC{}\\[\\]()\"#\\\\\n]{0,200}") {
            let measured = measure(&text);
            prop_assert!(measured.tokens <= text.len() as u64 && measured.nesting <= measured.tokens);
        }
    }
}

//! Makes text from data and callers safe for SVG and for error messages.

/// Characters of caller input that an error message repeats.
const EXCERPT_CHARS: usize = 80;

/// The beginning of a text, sanitized, to be quoted in an error message.
pub(super) fn excerpt(text: &str) -> String {
    sanitize(&text.chars().take(EXCERPT_CHARS).collect::<String>())
}

/// Collapses white space to single spaces and removes characters that XML forbids.
pub(super) fn sanitize(text: &str) -> String {
    let is_allowed = |character: &char| !character.is_control() && !matches!(character, '\u{fffe}' | '\u{ffff}');
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(is_allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sanitize_removes_characters_forbidden_in_xml() {
        assert_eq!(sanitize("a\u{0}b\nc\u{b}d \u{ffff}e"), "ab c d e");
    }
}

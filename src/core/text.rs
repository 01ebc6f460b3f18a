//! Characters that no text may contain, whatever interface it comes through.

/// The first character that a text must not contain: a control character other than tab and line ends, or one that XML and
/// JSON tools reject (U+FFFE, U+FFFF). PostgreSQL cannot store U+0000, and XML 1.0 (section 2.2) has none of them.
pub fn forbidden_character(text: &str) -> Option<char> {
    let is_forbidden = |char: char| (char.is_control() && !matches!(char, '\t' | '\n' | '\r')) || matches!(char, '\u{fffe}' | '\u{ffff}');
    text.chars().find(|char| is_forbidden(*char))
}

/// The message for a text with such a character.
pub fn forbidden_character_message(char: char) -> String {
    format!("text must not contain the character U+{:04X}; remove it", u32::from(char))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("Сенат\tline\r\nline 😀", None)]
    #[case("a\0b", Some('\0'))]
    #[case("a\u{1b}[31m", Some('\u{1b}'))]
    #[case("don\u{92}t", Some('\u{92}'))]
    #[case("a\u{ffff}", Some('\u{ffff}'))]
    fn control_characters_are_found(#[case] text: &str, #[case] expected: Option<char>) {
        assert_eq!(forbidden_character(text), expected);
    }
}

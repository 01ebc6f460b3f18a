//! What a text may contain, whatever interface it comes through: its characters, lines and length.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// What a text may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextRule {
    /// Maximum length in characters.
    pub max_chars: usize,
    /// Whether the text may have several lines and tabs.
    pub has_lines: bool,
}

impl TextRule {
    /// A text of several lines, such as the wording of a provision.
    pub const LINES: Self = Self { max_chars: 200_000, has_lines: true };
    /// A name that operators give: of an author, a token, a dataset.
    pub const NAME: Self = Self::line(500);
    /// The reason for a change.
    pub const MESSAGE: Self = Self { max_chars: 2_000, has_lines: true };

    /// A text on one line.
    pub const fn line(max_chars: usize) -> Self {
        Self { max_chars, has_lines: false }
    }

    /// Fails with what is wrong with a text, and what would be right.
    pub fn check(self, text: &str) -> Result<(), String> {
        if let Some(char) = forbidden_character(text) {
            return Err(forbidden_character_message(char));
        }
        if let Some(char) = text.chars().find(|char| !self.has_lines && char.is_control()) {
            return Err(format!("the text must be on one line; remove the character U+{:04X}", u32::from(char)));
        }
        // every character takes at least one byte
        let count = if text.len() > self.max_chars { text.chars().count() } else { 0 };
        if count > self.max_chars {
            return Err(format!("the text has {count} characters; the maximum is {}", self.max_chars));
        }
        Ok(())
    }

    /// A given name or title that is no value of a record, such as that of a token, as it is stored: [`cleaned`] and trimmed, as
    /// the texts of records are. Fails as [`TextRule::check`], or if nothing is left.
    pub fn clean_name(self, given: &str) -> Result<String, String> {
        if let Some(char) = forbidden_character(given) {
            return Err(forbidden_character_message(char));
        }
        let name = cleaned(given);
        let name = name.trim();
        if name.is_empty() {
            return Err("the name is blank".to_owned());
        }
        self.check(name).map(|()| name.to_owned())
    }
}

/// Whether no text may contain a character: a control character other than tab and line ends, or one that XML and JSON
/// tools reject (U+FFFE, U+FFFF). PostgreSQL cannot store U+0000, and XML 1.0 (section 2.2) has none of them.
pub fn is_forbidden(char: char) -> bool {
    (char.is_control() && !matches!(char, '\t' | '\n' | '\r')) || matches!(char, '\u{fffe}' | '\u{ffff}')
}

/// The first character that a text must not contain.
pub fn forbidden_character(text: &str) -> Option<char> {
    text.chars().find(|char| is_forbidden(*char))
}

/// The message for a text with such a character.
pub fn forbidden_character_message(char: char) -> String {
    format!("text must not contain the character U+{:04X}; remove it", u32::from(char))
}

/// Whether a character formats text without being seen: a soft hyphen, a character of no width, a mark of direction.
pub fn is_invisible(char: char) -> bool {
    matches!(char, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The text as it is stored, whatever program it was copied from: in Unicode normalization form C, with plain spaces, and
/// without invisible characters. Joiners and marks of direction stay within scripts that need them, such as Arabic.
/// Overrides of direction always go: they show another text than is stored.
pub fn cleaned(text: &str) -> Cow<'_, str> {
    let needs_cleaning = |char: char| is_invisible(char) || is_special_space(char);
    if is_nfc_quick(text.chars()) == IsNormalized::Yes && !text.contains(needs_cleaning) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text.chars().nfc().peekable();
    while let Some(char) = rest.next() {
        let joins = matches!(char, '\u{200b}'..='\u{200f}' | '\u{61c}')
            && (cleaned.chars().next_back().is_some_and(needs_joiners) || rest.peek().copied().is_some_and(needs_joiners));
        if is_special_space(char) {
            cleaned.push(' ');
        } else if joins || !is_invisible(char) {
            cleaned.push(char);
        }
    }
    Cow::Owned(cleaned)
}

/// Whether a character is a space of another width, or one that does not break.
fn is_special_space(char: char) -> bool {
    matches!(char, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}')
}

/// Whether a character belongs to a script in which joiners and marks of direction have a meaning, or to an emoji. Scripts of
/// Europe and the signs of all scripts have lower numbers.
fn needs_joiners(char: char) -> bool {
    matches!(char, '\u{590}'..='\u{1cff}' | '\u{2600}'..='\u{27bf}' | '\u{a800}'..='\u{abff}' | '\u{fb1d}'..='\u{fe0f}' | '\u{fe70}'..='\u{fefe}' | '\u{10800}'..)
}

/// The text without characters that no text may contain. Documents in XML, HTML and spreadsheets stay well-formed by it
/// whatever the database contains.
pub fn printable(text: &str) -> Cow<'_, str> {
    match forbidden_character(text) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(text.chars().filter(|char| !is_forbidden(*char)).collect()),
    }
}

/// Characters of an input that a message repeats.
const MAX_QUOTED_CHARS: usize = 100;

/// The beginning of an input, to be quoted in a message.
pub fn excerpt(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_QUOTED_CHARS) {
        None => printable(text),
        Some((end, _)) => Cow::Owned(format!("{}…", printable(&text[..end]))),
    }
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
    fn control_characters_are_found_and_removed(#[case] text: &str, #[case] expected: Option<char>) {
        assert_eq!(forbidden_character(text), expected);
        assert_eq!(forbidden_character(&printable(text)), None);
    }

    #[rstest]
    #[case("Ann Lee", "Ann Lee")]
    #[case("и\u{306}од e\u{301}", "йод é")]
    #[case("Ann\u{a0}Lee\u{202f}1", "Ann Lee 1")]
    #[case("\u{feff}An\u{ad}n\u{200b} Le\u{200d}e\u{200e}", "Ann Lee")]
    #[case("\u{202e}eeL\u{202c} nnA", "eeL nnA")]
    #[case("می\u{200c}خواهم \u{1f468}\u{200d}\u{1f469}", "می\u{200c}خواهم \u{1f468}\u{200d}\u{1f469}")]
    fn texts_are_cleaned_of_what_cannot_be_seen(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(cleaned(text), expected);
        assert_eq!(cleaned(expected), expected);
    }

    #[rstest]
    #[case("\u{200b}", Err("the name is blank".to_owned()))]
    #[case(" \u{a0}\u{feff} ", Err("the name is blank".to_owned()))]
    #[case(" par\u{200b}liament\u{202e} ", Ok("parliament".to_owned()))]
    #[case("a\nb", Err("the text must be on one line; remove the character U+000A".to_owned()))]
    #[case("a\u{7}", Err("text must not contain the character U+0007; remove it".to_owned()))]
    fn name_is_cleaned_as_texts_of_records_are(#[case] given: &str, #[case] expected: Result<String, String>) {
        assert_eq!(TextRule::NAME.clean_name(given), expected);
    }

    #[rstest]
    #[case(TextRule::LINES, "a\n\tb", None)]
    #[case(TextRule::line(10), "a\nb", Some("the text must be on one line; remove the character U+000A"))]
    #[case(TextRule::line(3), "щщщ", None)]
    #[case(TextRule::line(3), "щщщщ", Some("the text has 4 characters; the maximum is 3"))]
    #[case(TextRule::LINES, "\u{b}", Some("text must not contain the character U+000B; remove it"))]
    fn rule_states_what_is_wrong(#[case] rule: TextRule, #[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(rule.check(text).err().as_deref(), expected);
    }
}

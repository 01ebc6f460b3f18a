//! How wide a text is, and how it is broken. Measured in the font that is built in, which other fonts are close to.

use std::sync::LazyLock;

use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

/// Name of the font that is built in.
pub(super) const FAMILY: &str = "Noto Sans";
pub(super) static REGULAR: &[u8] = include_bytes!("font/NotoSans-Regular.ttf");
pub(super) static BOLD: &[u8] = include_bytes!("font/NotoSans-Bold.ttf");

static FONTS: LazyLock<[FontRef<'static>; 2]> =
    LazyLock::new(|| [REGULAR, BOLD].map(|bytes| FontRef::new(bytes).expect("the font that is built in can be read")));

/// Width of a text in pixels, with a little room for fonts that are wider.
pub(super) fn width(text: &str, size: f64, bold: bool) -> f64 {
    let font = &FONTS[usize::from(bold)];
    let characters = font.charmap();
    let advances = font.glyph_metrics(Size::new(size as f32), LocationRef::default());
    // a character that the font lacks is as wide as its highest letters are
    let advance = |character| characters.map(character).and_then(|glyph| advances.advance_width(glyph)).map_or(size, f64::from);
    text.chars().map(advance).sum::<f64>() * 1.04
}

/// The text in lines, broken between words; what does not fit into the last line ends in an ellipsis.
pub(super) fn wrap(text: &str, size: f64, bold: bool, room: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if lines_fit(line, word, size, bold, room) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    if lines.len() > most {
        let rest = lines.split_off(most.saturating_sub(1)).join(" ");
        lines.push(rest);
    }
    lines.into_iter().map(|line| shorten(&line, size, bold, room)).collect()
}

fn lines_fit(line: &str, word: &str, size: f64, bold: bool, room: f64) -> bool {
    width(line, size, bold) + width(word, size, bold) + width(" ", size, bold) <= room
}

/// The text, or as much of its beginning as there is room for.
pub(super) fn shorten(text: &str, size: f64, bold: bool, room: f64) -> String {
    if width(text, size, bold) <= room {
        return text.to_owned();
    }
    let mut short = text.to_owned();
    while short.pop().is_some() {
        let cut = format!("{}…", short.trim_end());
        if width(&cut, size, bold) <= room {
            return cut;
        }
    }
    "…".to_owned()
}

/// As much of a text of others as an error repeats.
pub(super) fn brief(text: &str) -> String {
    clean(&text.chars().take(80).collect::<String>())
}

/// The text in one line, without characters that XML does not allow.
pub(super) fn clean(text: &str) -> String {
    let allowed = |character: &char| !character.is_control() && !matches!(character, '\u{fffe}' | '\u{ffff}');
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_of_the_three_languages_is_in_both_fonts() {
        let letters = "AZazÀÿĞğŞşAÄÖÜАЯаяЁёӘәҒғҚқҢңӨөҰұҮүҺһІі0123456789.,;:…–—“”«»№\u{202f}-€₸";
        for font in FONTS.iter() {
            let missing: String = letters.chars().filter(|letter| font.charmap().map(*letter).is_none()).collect();
            assert_eq!(missing, "");
        }
    }

    #[test]
    fn text_is_broken_between_words_and_never_wider_than_its_room() {
        let text = "Распространение заведомо ложной информации, посягающей на общественный порядок";
        let lines = wrap(text, 12.0, false, 150.0, 3);
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| width(line, 12.0, false) <= 150.0), "{lines:?}");
        assert!(lines[2].ends_with('…'));
        assert_eq!(wrap("", 12.0, false, 150.0, 3), Vec::<String>::new());
    }

    #[test]
    fn what_xml_forbids_is_taken_out() {
        assert_eq!(clean("a\u{0}b\nc\u{b}d \u{ffff}e"), "ab c d e");
    }
}

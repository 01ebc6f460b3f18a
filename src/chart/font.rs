//! Embedded fonts, and the measurement, wrapping and truncation of text set in them.

use std::sync::LazyLock;

use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

/// Family name of the embedded fonts.
pub(super) const FONT_FAMILY: &str = "Noto Sans";
pub(super) static REGULAR: &[u8] = include_bytes!("font/NotoSans-Regular.ttf");
pub(super) static BOLD: &[u8] = include_bytes!("font/NotoSans-Bold.ttf");

/// Ratio of the reported to the measured width: a browser may substitute a slightly wider font.
const FALLBACK_FONT_MARGIN: f64 = 1.04;

static FONTS: LazyLock<[FontRef<'static>; 2]> =
    LazyLock::new(|| [REGULAR, BOLD].map(|bytes| FontRef::new(bytes).expect("the embedded font is valid")));

/// Width of a text in pixels, with a small margin for wider fallback fonts.
#[expect(clippy::cast_possible_truncation, reason = "font sizes are small numbers of pixels")]
pub(super) fn text_width(text: &str, size: f64, bold: bool) -> f64 {
    let font = &FONTS[usize::from(bold)];
    let characters = font.charmap();
    let advances = font.glyph_metrics(Size::new(size as f32), LocationRef::default());
    // a character without a glyph counts as one em
    let advance = |character| characters.map(character).and_then(|glyph| advances.advance_width(glyph)).map_or(size, f64::from);
    text.chars().map(advance).sum::<f64>() * FALLBACK_FONT_MARGIN
}

/// Wraps a text between words into at most `max_lines` lines of `max_width` pixels. The last line ends with an ellipsis if
/// the text does not fit.
pub(super) fn wrap(text: &str, size: f64, bold: bool, max_width: f64, max_lines: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if word_fits(line, word, size, bold, max_width) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    if lines.len() > max_lines {
        let rest = lines.split_off(max_lines.saturating_sub(1)).join(" ");
        lines.push(rest);
    }
    lines.into_iter().map(|line| truncate(&line, size, bold, max_width)).collect()
}

fn word_fits(line: &str, word: &str, size: f64, bold: bool, max_width: f64) -> bool {
    text_width(line, size, bold) + text_width(word, size, bold) + text_width(" ", size, bold) <= max_width
}

/// Truncates a text to `max_width` pixels, with an ellipsis at its end.
pub(super) fn truncate(text: &str, size: f64, bold: bool, max_width: f64) -> String {
    if text_width(text, size, bold) <= max_width {
        return text.to_owned();
    }
    let mut prefix = text.to_owned();
    while prefix.pop().is_some() {
        let truncated = format!("{}…", prefix.trim_end());
        if text_width(&truncated, size, bold) <= max_width {
            return truncated;
        }
    }
    "…".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fonts_cover_english_russian_and_kazakh() {
        let letters = "AZazÀÿĞğŞşAÄÖÜАЯаяЁёӘәҒғҚқҢңӨөҰұҮүҺһІі0123456789.,;:…–—“”«»№\u{202f}-€₸";
        for font in FONTS.iter() {
            let missing: String = letters.chars().filter(|letter| font.charmap().map(*letter).is_none()).collect();
            assert_eq!(missing, "");
        }
    }

    #[test]
    fn wrap_breaks_between_words_within_the_width() {
        let text = "Распространение заведомо ложной информации, посягающей на общественный порядок";
        let lines = wrap(text, 12.0, false, 150.0, 3);
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| text_width(line, 12.0, false) <= 150.0), "{lines:?}");
        assert!(lines[2].ends_with('…'));
        assert_eq!(wrap("", 12.0, false, 150.0, 3), Vec::<String>::new());
    }
}

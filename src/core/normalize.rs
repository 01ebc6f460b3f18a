//! Text normalization for search and sorting: transliteration to lower-case ASCII without diacritics.

use unicode_normalization::UnicodeNormalization;

/// Signs that only mark pronunciation: the soft and hard signs of Cyrillic, and apostrophes, those of Uzbek, Hawaiian and
/// transliterations among them.
pub(crate) fn is_pronunciation_mark(char: char) -> bool {
    matches!(char, 'ь' | 'Ь' | 'ъ' | 'Ъ' | '\'' | '`' | '´' | 'ʹ' | 'ʻ' | 'ʼ' | 'ʽ' | 'ʾ' | 'ʿ' | 'ˈ' | '‘' | '’' | '‛' | '′' | '＇')
}

/// Folds a text to lower-case ASCII. Every run of characters other than letters and digits becomes one space.
///
/// Signs that only mark pronunciation (the Cyrillic soft sign, apostrophes) are removed, so that
/// `Ильяшев`, `Il'yashev` and `Ilyashev` fold alike.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.nfc() {
        if is_pronunciation_mark(character) {
            continue;
        }
        let ascii = any_ascii::any_ascii_char(character);
        for byte in ascii.bytes() {
            if byte.is_ascii_alphanumeric() {
                folded.push(byte.to_ascii_lowercase() as char);
            } else if !folded.ends_with(' ') {
                folded.push(' ');
            }
        }
    }
    folded.trim().to_owned()
}

/// Maximum length of a word in the search index and in a search.
const MAX_SEARCH_WORD_BYTES: usize = 40;

/// Maximum length of the folded names of a record in the search index.
pub const MAX_INDEXED_NAME_BYTES: usize = 50_000;
/// Maximum length of the folded running text of a record in the search index. An index entry of PostgreSQL (`tsvector`) holds
/// at most 1 MB, and its size is up to twice that of the text.
pub const MAX_INDEXED_TEXT_BYTES: usize = 300_000;

/// The beginning of a folded text, cut between two words if it is longer than the search index takes.
pub fn cut_for_index(mut folded: String, max_bytes: usize) -> String {
    if folded.len() > max_bytes {
        let end = folded[..=max_bytes].rfind(' ').unwrap_or(max_bytes);
        folded.truncate(end);
    }
    folded
}

/// Folds a text for search: as [`fold`], with each word cut to 40 letters. The index and the search cut alike. Neither database
/// indexes words of any length, and the work to correct the spelling of a word grows with the square of its length.
pub fn fold_for_search(text: &str) -> String {
    let folded = fold(text);
    if folded.split(' ').all(|word| word.len() <= MAX_SEARCH_WORD_BYTES) {
        return folded;
    }
    // folded text is ASCII
    let cut: Vec<&str> = words(&folded).map(|word| &word[..word.len().min(MAX_SEARCH_WORD_BYTES)]).collect();
    cut.join(" ")
}

/// The words of a folded text.
pub fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(' ').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_and_scripts_of_a_name_fold_alike() {
        assert_eq!(fold("Жумагулов"), "zhumagulov");
        assert_eq!(fold("ZHUMAGULOV"), "zhumagulov");
        assert_eq!(fold("Ильяшев"), fold("Il'yashev"));
        assert_eq!(fold("Éva Škoda"), "eva skoda");
        assert_eq!(fold("и\u{306}од"), fold("йод"));
        for apostrophe in ["'", "’", "ʻ", "ʼ", "‘", "`", "´", "ʿ"] {
            assert_eq!(fold(&format!("O{apostrophe}zbek")), "ozbek");
        }
        assert_eq!(fold("Әлнұр Ілияшев"), fold("Әлнұр  ілияшев"));
    }

    #[test]
    fn punctuation_and_white_space_separate_words_once() {
        assert_eq!(fold("  No. 226-V,  (Code) "), "no 226 v code");
        assert_eq!(fold("—"), "");
    }

    #[test]
    fn long_words_are_cut_for_search() {
        assert_eq!(fold_for_search(&format!("{} b", "а".repeat(16_000))), format!("{} b", "a".repeat(40)));
        assert_eq!(fold_for_search(&"щ".repeat(8_000)).len(), 40);
        assert_eq!(fold_for_search("No. 226-V"), "no 226 v");
    }
}

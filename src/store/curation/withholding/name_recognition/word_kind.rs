//! Kinds of words in and around names: initials, patronymics, particles, titles, and what may stand between two words of a name.

use std::ops::Range;

use crate::store::curation::withholding::name_recognition::forms::PARTICLES;
use crate::store::curation::withholding::name_words::Token;

/// Maximum number of characters between two words of one name.
const MAX_GAP_CHARS: usize = 4;
/// Maximum number of words in brackets or quotation marks between two words of one name.
const MAX_ENCLOSED_WORDS: usize = 5;
/// Characters that begin what stands between two words of one name.
pub(super) const OPENING: [char; 11] = ['(', '[', '{', '«', '“', '„', '‘', '"', '\'', '<', '*'];
/// Characters that end it.
pub(super) const CLOSING: [char; 11] = [')', ']', '}', '»', '”', '“', '’', '"', '\'', '>', '*'];
/// Suffixes of patronymics with their case endings. Folded, with i for y.
const PATRONYMICS: [(&[&str], &[&str]); 3] = [
    (&["ovich", "evich"], &["", "a", "u", "em", "e"]),
    (&["ovn", "evn", "ichn"], &["a", "i", "e", "u", "oi", "oiu"]),
    (&["uli", "kizi", "qizi"], &["", "na", "nan", "nda", "ndagi", "ni", "nin", "men"]),
];

/// Second words of patronymics that are written apart. Folded, with i for y.
const PATRONYMIC_WORDS: [&str; 5] = ["kizi", "qizi", "uli", "ogli", "ugli"];

/// Titles and forms of address. Folded, with i for y.
const TITLES: [&str; 18] = [
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "dr",
    "prof",
    "professor",
    "sir",
    "madam",
    "madame",
    "mme",
    "gospodin",
    "gospozha",
    "grazhdanin",
    "grazhdanka",
    "doktor",
    "advokat",
];
/// Words before a former family name. Folded, with i for y.
const MAIDEN_WORDS: [&str; 12] = [
    "nee",
    "born",
    "formerly",
    "urozhdennaia",
    "urozhdennoi",
    "urozhdennuiu",
    "urozhd",
    "devichia",
    "rozhdennaia",
    "bivshaia",
    "kizdai",
    "tegi",
];

/// Words that join the given names of relatives before their family name. Folded, with i for y.
const CONJUNCTIONS: [&str; 8] = ["and", "i", "men", "ben", "pen", "zhane", "und", "et"];

/// Whether a letter can be an initial beside a word of a name. Between names in capitals, a small letter is a word of its own,
/// as in *Petrova v. Kazakhstan*.
pub(super) fn is_initial_beside(letter: &Token, word: &Token) -> bool {
    letter.is_initial && (letter.first.is_uppercase() || !word.first.is_uppercase())
}

pub(super) fn is_patronymic(token: &Token) -> bool {
    let stem_before = |suffix: &str, ending: &str| token.folded.strip_suffix(ending)?.strip_suffix(suffix);
    PATRONYMICS.iter().any(|(suffixes, endings)| {
        endings.iter().any(|ending| suffixes.iter().any(|suffix| stem_before(suffix, ending).is_some_and(|stem| stem.len() > 1)))
    })
}

/// Whether a word belongs to names without being one, such as *de* and the second word of a patronymic in *Кайрат кызы*.
pub(super) fn is_particle(token: &Token) -> bool {
    PARTICLES.contains(&token.folded.as_str()) || PATRONYMIC_WORDS.contains(&token.folded.as_str())
}

/// Whether a word is a title, such as *Mrs* in *Petrova, Mrs Anna*.
pub(super) fn is_title(token: &Token) -> bool {
    TITLES.contains(&token.folded.as_str())
}

/// Whether a comma or the like separates a word from the one before.
pub(super) fn is_after_comma(token: &Token) -> bool {
    token.gap.iter().any(|letter| matches!(letter, ',' | ';' | ':' | '.' | '/' | '|' | '\n'))
}

/// Whether a word follows closely on the one before.
pub(super) fn is_near(token: &Token) -> bool {
    token.gap_length() <= MAX_GAP_CHARS
}

/// Index of the last of the words in brackets or quotation marks that begin with the word at `first`, such as a nickname
/// between two words of a name.
pub(super) fn end_of_enclosed(tokens: &[Token], first: usize) -> Option<usize> {
    if !tokens[first].gap.iter().any(|letter| OPENING.contains(letter)) {
        return None;
    }
    let closes = |index: &usize| tokens.get(index + 1).is_some_and(|next| next.gap.iter().any(|letter| CLOSING.contains(letter)));
    (first..first + MAX_ENCLOSED_WORDS).find(closes)
}

/// Whether a word stands before a former family name, as in *Anna Petrova, née Ivanova*.
pub(super) fn is_before_maiden_name(token: &Token) -> bool {
    MAIDEN_WORDS.contains(&token.folded.as_str())
}

/// Whether a word joins given names, as in *Anna and Boris Petrov*.
pub(super) fn is_conjunction(token: &Token) -> bool {
    CONJUNCTIONS.contains(&token.folded.as_str()) && token.first.is_lowercase()
}

/// Whether a word is no part of a longer name: no capitalized word or initial stands beside it. A word with a digit is an
/// identifier, which is never part of a name. A word in small letters stands alone only as the whole text.
pub(super) fn stands_alone(tokens: &[Token], index: usize) -> bool {
    let token = &tokens[index];
    if token.folded.bytes().any(|byte| byte.is_ascii_digit()) {
        return true;
    }
    let before = (0..index).rev().find(|index| !is_in_tag(tokens, *index));
    let after = (index + 1..tokens.len()).find(|index| !is_in_tag(tokens, *index));
    if !token.first.is_uppercase() {
        return before.is_none() && after.is_none();
    }
    stands_apart(tokens, index..index + 1)
}

/// Whether no capitalized word or initial stands beside words.
pub(super) fn stands_apart(tokens: &[Token], words: Range<usize>) -> bool {
    let is_joined = |gap: &Token, is_initial: bool| {
        let ends_sentence = gap.gap.iter().any(|letter| matches!(letter, '.' | '!' | '?' | ';' | ':' | '\n' | '|'));
        gap.gap_length() <= MAX_GAP_CHARS && (is_initial || !ends_sentence)
    };
    let is_of_name = |neighbor: &Token| neighbor.first.is_uppercase() && !is_title(neighbor);
    let before = (0..words.start).rev().find(|index| !is_in_tag(tokens, *index));
    let after = (words.end..tokens.len()).find(|index| !is_in_tag(tokens, *index));
    let (index, last) = (words.start, words.end - 1);
    let follows = |before: usize| (before + 1..=index).all(|gap| is_joined(&tokens[gap], tokens[before].is_initial));
    let precedes = |after: usize| (last + 1..=after).all(|gap| is_joined(&tokens[gap], false));
    !before.is_some_and(|before| is_of_name(&tokens[before]) && follows(before))
        && !after.is_some_and(|after| is_of_name(&tokens[after]) && precedes(after))
}

/// Whether a word stands in a tag of HTML.
pub(super) fn is_in_tag(tokens: &[Token], index: usize) -> bool {
    let opens = matches!(tokens[index].gap.as_slice(), [.., '<'] | [.., '<', '/']);
    opens && tokens.get(index + 1).is_none_or(|next| next.gap.contains(&'>'))
}

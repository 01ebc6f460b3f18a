//! The words of a text as a reader sees them: what the recognition of names compares.
//!
//! Percent-encoding, character references and escapes are decoded, invisible characters and signs within words are skipped,
//! letters set apart are joined, and letters of one script that look like another's are read as both.

mod decoding;

use std::ops::Range;

use unicode_security::confusable_detection::skeleton;

use crate::core::normalize::is_pronunciation_mark;
use crate::store::curation::withholding::name_words::decoding::{Seen, readings, seen};

pub(crate) use crate::store::curation::withholding::name_words::decoding::Reading;

/// Maximum length of a word; longer ones are no names.
pub(crate) const MAX_WORD_LETTERS: usize = 40;
/// Characters that are kept of what stands before a word.
const MAX_KEPT_GAP_CHARS: usize = 24;
/// Minimum number of single letters in a row that make a word.
const MIN_SPACED_LETTERS: usize = 4;
/// White space in a row that is kept of it.
const MAX_KEPT_SPACES: usize = 4;
/// Signs of markup, which are no characters between words.
const MARKUP: [char; 4] = ['*', '_', '~', '`'];

/// A word of a text.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub range: Range<usize>,
    /// Folded to lower-case ASCII, with i for y, so that й and и are alike.
    pub folded: String,
    /// Other foldings, of Kazakh letters and of letters that look like those of another script.
    pub variants: Vec<String>,
    /// The first letter.
    pub first: char,
    pub is_latin: bool,
    pub is_initial: bool,
    /// Whether the word is one letter.
    pub is_letter: bool,
    /// The visible characters between the word before and this one, or the first of them.
    pub gap: Vec<char>,
}

impl Token {
    /// The word that this one and the next one are the pieces of.
    pub(crate) fn joined(&self, next: &Self) -> Self {
        Self {
            range: self.range.start..next.range.end,
            folded: format!("{}{}", self.folded, next.folded),
            variants: Vec::new(),
            is_latin: self.is_latin && next.is_latin,
            is_initial: false,
            is_letter: false,
            ..self.clone()
        }
    }

    /// Number of characters between the word before and this one, without signs of markup. White space in a row counts once.
    pub(crate) fn gap_length(&self) -> usize {
        let mut visible = self.gap.iter().filter(|letter| !MARKUP.contains(letter)).peekable();
        let mut length = 0;
        while let Some(letter) = visible.next() {
            length += usize::from(!(letter.is_whitespace() && visible.peek().is_some_and(|next| next.is_whitespace())));
        }
        length
    }

    /// The first letter, folded.
    pub(crate) fn initial(&self) -> String {
        keep(&fold_letter(self.first))
    }
}

/// The words of a text.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    tokens_of(seen(text))
}

/// The words of a text in each way to read it: names are recognized in any of them.
pub(crate) fn token_readings(text: &str) -> Vec<(Vec<Token>, Reading)> {
    readings(text).into_iter().map(|(seen, reading)| (tokens_of(seen), reading)).collect()
}

fn tokens_of(seen: Vec<Seen>) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut letters: Vec<Seen> = Vec::new();
    let mut gap: Vec<char> = Vec::new();
    let end = seen.last().map_or(0, |(range, _)| range.end);
    for (range, letter) in seen.into_iter().chain([(end..end, ' ')]) {
        if letter.is_alphanumeric() || (!letters.is_empty() && is_transparent(letter)) {
            letters.push((range, letter));
            continue;
        }
        if let Some(token) = token(&std::mem::take(&mut letters), &gap, letter == '.') {
            tokens.push(token);
            gap.clear();
        }
        let is_kept = !letter.is_whitespace() || gap.iter().rev().take_while(|letter| letter.is_whitespace()).count() < MAX_KEPT_SPACES;
        if !is_transparent(letter) && is_kept && gap.len() < MAX_KEPT_GAP_CHARS {
            gap.push(letter);
        }
    }
    join_spaced(&tokens)
}

/// Folds a letter. Signs, combining marks and invisible characters fold to the empty text.
fn fold_letter(letter: char) -> String {
    match letter {
        letter if is_pronunciation_mark(letter) => String::new(),
        'ё' | 'Ё' => "e".to_owned(),
        'ә' | 'Ә' => "a".to_owned(),
        'ө' | 'Ө' => "o".to_owned(),
        'ұ' | 'Ұ' | 'ү' | 'Ү' => "u".to_owned(),
        'ғ' | 'Ғ' => "g".to_owned(),
        letter => any_ascii::any_ascii_char(letter).to_ascii_lowercase().replace('y', "i"),
    }
}

/// Another folding of a Kazakh letter, as Russian writers spell it.
fn fold_letter_otherwise(letter: char) -> Option<&'static str> {
    match letter {
        'ә' | 'Ә' => Some("e"),
        'ө' | 'Ө' => Some("u"),
        'ұ' | 'Ұ' => Some("o"),
        _ => None,
    }
}

/// Latin letters, and the Cyrillic ones that look like them.
const LOOKALIKES: [(char, char); 23] = [
    ('A', 'А'),
    ('B', 'В'),
    ('C', 'С'),
    ('E', 'Е'),
    ('H', 'Н'),
    ('I', 'І'),
    ('K', 'К'),
    ('M', 'М'),
    ('O', 'О'),
    ('P', 'Р'),
    ('T', 'Т'),
    ('X', 'Х'),
    ('Y', 'У'),
    ('a', 'а'),
    ('c', 'с'),
    ('e', 'е'),
    ('i', 'і'),
    ('k', 'к'),
    ('o', 'о'),
    ('p', 'р'),
    ('x', 'х'),
    ('y', 'у'),
    ('h', 'һ'),
];

/// The Latin letter that a letter of another script looks like, such as Greek and Cherokee ones, by the confusable characters
/// of Unicode. Cyrillic letters are in [`LOOKALIKES`].
fn latin_lookalike(letter: char) -> Option<char> {
    if letter.is_ascii() || !letter.is_alphabetic() || is_cyrillic(letter) {
        return None;
    }
    let mut buffer = [0; 4];
    let skeleton: String = skeleton(letter.encode_utf8(&mut buffer)).collect();
    match skeleton.as_str() {
        "rn" => Some('m'),
        // the skeleton of I
        "l" if letter.is_uppercase() => Some('I'),
        skeleton => skeleton.parse().ok().filter(char::is_ascii_alphabetic),
    }
}

/// Digits, and the letters that they are written for.
const DIGITS_FOR_LETTERS: [&[(char, char)]; 2] =
    [&[('0', 'o'), ('1', 'l'), ('3', 'e'), ('4', 'a'), ('5', 's')], &[('0', 'o'), ('1', 'i'), ('3', 'e'), ('4', 'a'), ('5', 's')]];

fn is_cyrillic(letter: char) -> bool {
    ('\u{400}'..'\u{530}').contains(&letter)
}

/// Whether a character belongs to the word around it without being a letter of it.
fn is_transparent(letter: char) -> bool {
    !letter.is_whitespace() && fold_letter(letter).is_empty()
}

fn keep(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn folded(letters: impl Iterator<Item = char>) -> String {
    let mut folded = String::new();
    for letter in letters {
        folded.push_str(&keep(&fold_letter(letter)));
    }
    folded.truncate(MAX_WORD_LETTERS + 1);
    folded
}

fn token(letters: &[Seen], gap: &[char], has_dot: bool) -> Option<Token> {
    let last = letters.iter().rposition(|(_, letter)| !is_transparent(*letter) || letter.is_alphabetic())?;
    let letters = &letters[..=last];
    let ((first_range, first), (last_range, _)) = (letters.first()?, letters.last()?);
    let all = || letters.iter().map(|(_, letter)| *letter);
    let word = folded(all());
    if word.is_empty() {
        return None;
    }
    let visible = all().filter(|letter| !is_transparent(*letter)).count();
    Some(Token {
        range: first_range.start..last_range.end,
        variants: variants(&letters.iter().map(|(_, letter)| *letter).collect::<Vec<_>>(), &word),
        folded: word,
        first: *first,
        is_latin: all().all(|letter| !letter.is_alphabetic() || letter < '\u{250}'),
        is_letter: visible == 1 && first.is_alphabetic(),
        is_initial: visible == 1 && first.is_alphabetic() && (first.is_uppercase() || has_dot),
        gap: gap.to_vec(),
    })
}

/// The other foldings of a word.
fn variants(letters: &[char], word: &str) -> Vec<String> {
    let mut variants = Vec::new();
    if letters.iter().any(|letter| fold_letter_otherwise(*letter).is_some()) {
        let mut variant = String::new();
        for letter in letters {
            match fold_letter_otherwise(*letter) {
                Some(folded) => variant.push_str(folded),
                None => variant.push_str(&keep(&fold_letter(*letter))),
            }
        }
        variants.push(variant);
    }
    let has_lookalikes = letters.iter().any(|letter| latin_lookalike(*letter).is_some());
    let letters: Vec<char> = letters.iter().map(|letter| latin_lookalike(*letter).unwrap_or(*letter)).collect();
    if has_lookalikes {
        variants.push(folded(letters.iter().copied()));
    }
    let has_latin = letters.iter().any(char::is_ascii_alphabetic);
    if has_latin && letters.iter().any(|letter| is_cyrillic(*letter)) {
        let to_cyrillic = |letter: char| LOOKALIKES.iter().find(|(latin, _)| *latin == letter).map_or(letter, |(_, cyrillic)| *cyrillic);
        let to_latin = |letter: char| LOOKALIKES.iter().find(|(_, cyrillic)| *cyrillic == letter).map_or(letter, |(latin, _)| *latin);
        variants.push(folded(letters.iter().copied().map(to_cyrillic)));
        variants.push(folded(letters.iter().copied().map(to_latin)));
    }
    // a name with the number of a footnote, or of an account
    let without_number = word.trim_end_matches(|char: char| char.is_ascii_digit());
    if without_number.len() < word.len() && without_number.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        variants.push(without_number.to_owned());
    }
    let has_digit = |word: &str| word.bytes().any(|byte| byte.is_ascii_digit()) && word.bytes().any(|byte| byte.is_ascii_alphabetic());
    let spelled: Vec<String> =
        [word].into_iter().chain(variants.iter().map(String::as_str)).filter(|word| has_digit(word)).map(str::to_owned).collect();
    for (word, digits) in spelled.iter().flat_map(|word| DIGITS_FOR_LETTERS.map(|digits| (word, digits))) {
        let letter = |char: char| digits.iter().find(|(digit, _)| *digit == char).map_or(char, |(_, letter)| *letter);
        variants.push(word.chars().map(letter).collect());
    }
    variants.retain(|variant| variant != word && variant.len() <= MAX_WORD_LETTERS);
    variants.dedup();
    variants
}

/// Joins letters that are set apart by one character, such as in "A n n a" and "А-н-н-а".
fn join_spaced(tokens: &[Token]) -> Vec<Token> {
    let mut joined: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut index = 0;
    while index < tokens.len() {
        let gap = tokens.get(index + 1).map(|token| token.gap.as_slice());
        let follows = |token: &&Token| token.is_letter && token.gap.len() == 1 && Some(token.gap.as_slice()) == gap;
        let run = if tokens[index].is_letter { 1 + tokens[index + 1..].iter().take_while(follows).count() } else { 1 };
        if run < MIN_SPACED_LETTERS {
            joined.push(tokens[index].clone());
            index += 1;
            continue;
        }
        let letters = &tokens[index..index + run];
        let word: String = letters.iter().map(|token| token.folded.as_str()).collect();
        // letters of several words are read one by one
        if word.len() > MAX_WORD_LETTERS {
            joined.extend_from_slice(&letters[..run - 1]);
            index += run - 1;
            continue;
        }
        joined.push(Token {
            range: letters[0].range.start..letters[run - 1].range.end,
            folded: word,
            variants: Vec::new(),
            is_latin: letters.iter().all(|token| token.is_latin),
            is_initial: false,
            is_letter: false,
            ..letters[0].clone()
        });
        index += run;
    }
    joined
}

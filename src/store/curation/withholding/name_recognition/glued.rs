//! Names and identifiers whose words are not divided as words are: in hashtags, accounts, domain names and paths, in letters or
//! syllables set apart, and identifiers in groups of digits or within a word.

use std::collections::HashMap;
use std::ops::Range;

use crate::store::curation::withholding::name_recognition::forms::{
    MAX_IDENTIFIER_CHARS, MIN_IDENTIFIER_DIGITS, MIN_STEM_LETTERS, MIN_WORD_LETTERS_WITH_INITIAL, identifier_form,
};
use crate::store::curation::withholding::name_recognition::word_kind::is_in_tag;
use crate::store::curation::withholding::name_recognition::{MAX_PIECE_LETTERS, NameRecognizer, WordClass, cached, share_name};
use crate::store::curation::withholding::name_words::{MAX_WORD_LETTERS, Token};

/// Minimum length of a word behind an initial without a separator, as in *apetrova*: shorter ones are ordinary words.
const MIN_WORD_LETTERS_BEHIND_INITIAL: usize = 6;
/// As [`MIN_WORD_LETTERS_BEHIND_INITIAL`], in addresses and accounts.
const MIN_WORD_LETTERS_BEHIND_INITIAL_IN_ADDRESS: usize = 5;
/// Minimum number of pieces of words in a row that are read as letters or syllables set apart.
const MIN_PIECES: usize = 4;
/// Maximum length of a word that is read from pieces.
const MAX_SPELLED_WORD_LETTERS: usize = 20;
/// Maximum number of characters between two pieces.
const MAX_PIECE_GAP_CHARS: usize = 2;
/// Maximum number of words between two words of one name in an address, as in *petrova.kz/anna*.
const MAX_WORDS_BETWEEN_IN_ADDRESS: usize = 1;
/// Maximum number of groups in which an identifier is written.
const MAX_IDENTIFIER_GROUPS: usize = 20;
/// Minimum number of digits of an identifier that is recognized in groups or within a word: dates and shorter numbers can stand
/// beside each other.
const MIN_GROUPED_DIGITS: usize = 9;
/// Maximum number of characters between two groups of an identifier.
const MAX_GROUP_GAP_CHARS: usize = 3;

impl NameRecognizer {
    /// The ranges of names and identifiers that are not divided into words. They can overlap.
    pub(super) fn glued_matches(&self, tokens: &[Token], classes: &[Vec<WordClass>]) -> Vec<Range<usize>> {
        let mut found = self.spelled_matches(tokens);
        found.extend(self.identifier_matches(tokens));
        for (index, token) in tokens.iter().enumerate() {
            let is_account = token.first.is_lowercase() && self.begins_with_initial(token, MIN_WORD_LETTERS_BEHIND_INITIAL);
            found.extend(is_account.then(|| tokens[index].range.clone()));
        }
        for chunk in chunks(tokens) {
            let is_marked = tokens[chunk.start].gap.last().is_some_and(|letter| matches!(letter, '#' | '@' | '/' | '='));
            if chunk.len() > 1 || is_marked || chunk.len() == tokens.len() {
                self.add_address_matches(&tokens[chunk.clone()], &classes[chunk], &mut found);
            }
        }
        found
    }

    /// Adds the names in words that no white space divides.
    fn add_address_matches(&self, tokens: &[Token], classes: &[Vec<WordClass>], found: &mut Vec<Range<usize>>) {
        for (index, token) in tokens.iter().enumerate() {
            let has_initial = || {
                let length = MIN_WORD_LETTERS_BEHIND_INITIAL_IN_ADDRESS;
                self.begins_with_initial(token, length) || self.ends_with_initial(token, length)
            };
            if self.contains_glued_name(token) || has_initial() {
                found.push(token.range.clone());
            }
            for second in index + 1..tokens.len().min(index + 2 + MAX_WORDS_BETWEEN_IN_ADDRESS) {
                let is_name = match (token.is_letter, tokens[second].is_letter) {
                    (true, true) => false,
                    _ if is_in_tag(tokens, index) || is_in_tag(tokens, second) => false,
                    (false, false) => share_name(&classes[index], &classes[second]),
                    // in the middle, v is versus
                    (true, false) if index > 0 && token.folded == "v" => false,
                    (true, false) => second == index + 1 && self.has_initial(token, (&tokens[second], &classes[second])),
                    (false, true) if tokens[second].folded == "v" && second + 1 < tokens.len() => false,
                    (false, true) => second == index + 1 && self.has_initial(&tokens[second], (token, &classes[index])),
                };
                if is_name {
                    found.push(token.range.start..tokens[second].range.end);
                }
            }
        }
    }

    /// Whether a letter is the initial of another word of the name that a word is of.
    fn has_initial(&self, letter: &Token, (word, classes): (&Token, &[WordClass])) -> bool {
        let is_long_enough = word.folded.len() >= MIN_WORD_LETTERS_WITH_INITIAL;
        is_long_enough && !classes.is_empty() && share_name(&self.lookup_initial(&letter.initial()), classes)
    }

    fn lookup_initial(&self, initial: &str) -> Vec<WordClass> {
        self.lookup(&format!("initial:{initial}"))
    }

    fn begins_with_initial(&self, token: &Token, min_letters: usize) -> bool {
        let word = without_number(&token.folded);
        let is_name = |(initial, rest): (&str, &str)| share_name(&self.lookup_initial(initial), &self.lookup_word(rest, token.is_latin));
        word.len() > min_letters && word.len() <= MAX_WORD_LETTERS && is_name(word.split_at(1))
    }

    fn ends_with_initial(&self, token: &Token, min_letters: usize) -> bool {
        let word = without_number(&token.folded);
        let is_name = |(rest, initial): (&str, &str)| share_name(&self.lookup_initial(initial), &self.lookup(&format!("full:{rest}")));
        word.len() > min_letters && word.len() <= MAX_WORD_LETTERS && is_name(word.split_at(word.len() - 1))
    }

    /// Whether a word contains two words of one name, one behind the other.
    fn contains_glued_name(&self, token: &Token) -> bool {
        let word = without_number(&token.folded);
        if word.len() < 2 * MIN_WORD_LETTERS_WITH_INITIAL || word.len() > MAX_WORD_LETTERS {
            return false;
        }
        cached(&self.glued, (word.to_owned(), token.is_latin), || {
            let boundaries: Vec<usize> = (0..=word.len()).collect();
            self.find_adjacent_words(word, &boundaries, token.is_latin, Self::find_spelled).is_some()
        })
    }

    /// The classes of a word as it is spelled in the names.
    fn find_spelled(&self, word: &str, _is_latin: bool) -> Vec<WordClass> {
        self.lookup(&format!("full:{word}"))
    }

    /// The first two adjacent words of one name in letters without separators, by the boundaries between which they stand.
    fn find_adjacent_words(
        &self,
        letters: &str,
        boundaries: &[usize],
        is_latin: bool,
        find: impl Fn(&Self, &str, bool) -> Vec<WordClass>,
    ) -> Option<Range<usize>> {
        let mut by_end: HashMap<usize, Vec<(usize, Vec<WordClass>)>> = HashMap::new();
        for (index, start) in boundaries.iter().enumerate() {
            for (end_index, end) in boundaries.iter().enumerate().skip(index + 1) {
                let word = &letters[*start..*end];
                if word.len() > MAX_SPELLED_WORD_LETTERS {
                    break;
                }
                if word.len() < MIN_STEM_LETTERS || !self.may_begin_word(word) {
                    continue;
                }
                let classes = find(self, word, is_latin);
                if classes.is_empty() {
                    continue;
                }
                // the words before were found before, because they begin before
                let is_long_enough = |before: usize| end - boundaries[before] >= 2 * MIN_WORD_LETTERS_WITH_INITIAL;
                let mut before = by_end.get(&index).into_iter().flatten();
                if let Some((first, _)) = before.find(|(first, other)| is_long_enough(*first) && share_name(other, &classes)) {
                    return Some(*first..end_index);
                }
                by_end.entry(end_index).or_default().push((index, classes));
            }
        }
        None
    }

    /// The ranges of names in letters or syllables set apart, such as "A.n.n.a P.e.t.r.o.v.a" and "An na Pe tro va".
    fn spelled_matches(&self, tokens: &[Token]) -> Vec<Range<usize>> {
        let is_piece =
            |token: &Token| token.folded.len() <= MAX_PIECE_LETTERS && token.folded.bytes().all(|byte| byte.is_ascii_alphabetic());
        let mut found = Vec::new();
        let mut start = 0;
        while start < tokens.len() {
            let follows = |token: &&Token| is_piece(token) && token.gap_length() <= MAX_PIECE_GAP_CHARS;
            let count = if is_piece(&tokens[start]) { 1 + tokens[start + 1..].iter().take_while(follows).count() } else { 1 };
            if count >= MIN_PIECES {
                let pieces = &tokens[start..start + count];
                let letters: String = pieces.iter().map(|token| token.folded.as_str()).collect();
                let ends = pieces.iter().scan(0, |end, token| {
                    *end += token.folded.len();
                    Some(*end)
                });
                let boundaries: Vec<usize> = std::iter::once(0).chain(ends).collect();
                let mut first = 0;
                while let Some(words) = self.find_adjacent_words(&letters, &boundaries[first..], pieces[0].is_latin, Self::lookup_word) {
                    found.push(pieces[first + words.start].range.start..pieces[first + words.end - 1].range.end);
                    first += words.end;
                }
            }
            start += count;
        }
        found
    }

    /// The ranges of identifiers, in groups or within a word.
    fn identifier_matches(&self, tokens: &[Token]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if !self.has_identifiers {
            return found;
        }
        let is_identifier = |text: &str, digits: usize| {
            text.bytes().filter(u8::is_ascii_digit).count() >= digits && !self.lookup(&identifier_form(text)).is_empty()
        };
        let is_number = |token: &Token| token.folded.bytes().all(|byte| byte.is_ascii_digit());
        for (first, token) in tokens.iter().enumerate() {
            let mut numbers = token.folded.split(|letter: char| !letter.is_ascii_digit());
            if is_identifier(&token.folded, MIN_IDENTIFIER_DIGITS) || numbers.any(|number| is_identifier(number, MIN_GROUPED_DIGITS)) {
                found.push(token.range.clone());
            }
            let mut text = token.folded.clone();
            for (index, group) in tokens[first + 1..].iter().take(MAX_IDENTIFIER_GROUPS - 1).enumerate() {
                let is_group = is_number(group) && group.gap_length() <= MAX_GROUP_GAP_CHARS;
                if !is_group || text.len() + group.folded.len() > MAX_IDENTIFIER_CHARS {
                    break;
                }
                // a letter can be before the number, as in Q 12345678
                let digits = if index == 0 && !is_number(token) { MIN_IDENTIFIER_DIGITS } else { MIN_GROUPED_DIGITS };
                text.push_str(&group.folded);
                if is_identifier(&text, digits) {
                    found.push(token.range.start..group.range.end);
                }
            }
        }
        found
    }
}

/// A word without the number at its end, such as that of an account.
fn without_number(word: &str) -> &str {
    word.trim_end_matches(|letter: char| letter.is_ascii_digit())
}

/// The ranges of the words that no white space divides.
fn chunks(tokens: &[Token]) -> impl Iterator<Item = Range<usize>> {
    let is_start = |index: &usize| *index == 0 || tokens[*index].gap.iter().any(|letter| letter.is_whitespace());
    let starts: Vec<usize> = (0..tokens.len()).filter(is_start).collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([tokens.len()]).collect();
    starts.into_iter().zip(ends).map(|(start, end)| start..end)
}

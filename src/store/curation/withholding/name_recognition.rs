//! Recognition of the names of withheld persons in texts, by keyed digests of the forms of their words.
//!
//! A name is recognized in any case, in Latin and Cyrillic script, with initials, with a patronymic, in either order, in
//! slugs and URLs, and with Russian and Kazakh case endings. One word of a name, such as a family name, belongs to other
//! people too, so it counts only where a text is known to be about the person.

pub(crate) mod forms;
mod glued;
mod pair;
#[cfg(test)]
mod tests;
mod word_kind;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Mutex, OnceLock, PoisonError};

use uuid::Uuid;

use crate::core::sound::sound;
use crate::store::curation::withholding::digest_key::DigestKey;
use crate::store::curation::withholding::name_recognition::forms::{
    IDENTIFIER, MIN_LONE_WORD_LETTERS, MIN_STEM_LETTERS, MIN_WORD_LETTERS_WITH_INITIAL, REPLACEMENT_NAMES, SOUND, WHOLE_NAME, exact_form,
};
use crate::store::curation::withholding::name_recognition::pair::{has_space, is_cased_as_whole_name, is_one_name};
use crate::store::curation::withholding::name_recognition::word_kind::{
    CLOSING, OPENING, end_of_enclosed, is_after_comma, is_before_maiden_name, is_conjunction, is_initial_beside, is_near, is_particle,
    is_patronymic, is_title, stands_alone, stands_apart,
};
use crate::store::curation::withholding::name_words::{MAX_WORD_LETTERS, Reading, Token, token_readings, tokens};

/// Maximum length of a case ending, in folded letters.
const MAX_ENDING_LETTERS: usize = 4;
/// Maximum number of words, such as initials and patronymics, between two words of one name.
const MAX_WORDS_BETWEEN: usize = 3;
/// Distinct words whose classes are remembered.
const MAX_CACHED_WORDS: usize = 200_000;
/// Maximum length of a piece of a word that is tried with the next piece, wherever it stands.
const MAX_PIECE_LETTERS: usize = 3;

/// The class of a word: the person, and the position of the word among the distinct words of the person's names. Names of
/// one word have the class [`WHOLE_NAME`]. Names too short for anything else are recognized only as a whole: their class is
/// the negative number of their words.
pub(super) type WordClass = (Uuid, i32);

/// Recognizes names by the digests of their forms.
#[derive(Debug)]
pub(crate) struct NameRecognizer {
    key: DigestKey,
    classes: HashMap<String, Vec<WordClass>>,
    /// Numbers of words of the names that are recognized only as a whole.
    exact_lengths: BTreeSet<usize>,
    cache: WordCache<Vec<WordClass>>,
    joined: WordCache<bool>,
    glued: WordCache<bool>,
    has_identifiers: bool,
    /// First letters of the words of names.
    initials: OnceLock<BTreeSet<char>>,
}

/// What is known of words, with whether they are in Latin script.
type WordCache<T> = Mutex<HashMap<(String, bool), T>>;

impl NameRecognizer {
    /// `digests` are the stored digests of forms with their classes.
    pub(super) fn new(key: DigestKey, digests: Vec<(String, WordClass)>) -> Self {
        let mut classes: HashMap<String, Vec<WordClass>> = HashMap::new();
        for (digest, class) in digests {
            classes.entry(digest).or_default().push(class);
        }
        let exact = classes.values().flatten().filter_map(|(_, class)| usize::try_from(class.checked_neg()?).ok());
        let exact_lengths = exact.filter(|length| *length > 0).collect();
        let has_identifiers = classes.values().flatten().any(|(_, class)| *class == IDENTIFIER);
        Self {
            key,
            classes,
            exact_lengths,
            cache: Mutex::default(),
            joined: Mutex::default(),
            glued: Mutex::default(),
            has_identifiers,
            initials: OnceLock::new(),
        }
    }

    /// Whether there are names to recognize.
    pub(crate) fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// Whether a text contains a name.
    pub(crate) fn finds(&self, text: &str) -> bool {
        !self.is_empty() && !self.matches(text, false).is_empty()
    }

    /// Whether a text contains a name, or a word of one.
    pub(crate) fn finds_words(&self, text: &str) -> bool {
        !self.is_empty() && !self.matches(text, true).is_empty()
    }

    /// Whether a text contains a name or a word of one, also within the longer name of somebody else.
    pub(super) fn finds_words_of_others(&self, text: &str) -> bool {
        let is_word = |token: &Token| token.folded.len() >= MIN_LONE_WORD_LETTERS && !self.word_classes_of(token).is_empty();
        self.finds_words(text) || (!self.is_empty() && tokens(text).iter().any(is_word))
    }

    /// Whether two words of one name stand in these texts, whichever they are in.
    pub(super) fn finds_across<'t>(&self, texts: impl Iterator<Item = &'t str>) -> bool {
        if self.is_empty() {
            return false;
        }
        let words: Vec<Vec<WordClass>> = texts.flat_map(|text| self.word_classes(text)).collect::<BTreeSet<_>>().into_iter().collect();
        words.iter().enumerate().any(|(index, word)| words[..index].iter().any(|other| share_name(word, other)))
    }

    /// The text with its names replaced by a neutral label; `None` if it has none. `lone` replaces single words of names too.
    pub(crate) fn redact(&self, text: &str, lone: bool) -> Option<String> {
        self.replace(text, lone, |found| label(found).to_owned())
    }

    /// The text with its names replaced; `None` if it has none.
    pub(super) fn replace(&self, text: &str, lone: bool, replacement: impl Fn(&str) -> String) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let found = self.matches(text, lone);
        if found.is_empty() {
            return None;
        }
        let mut redacted = String::with_capacity(text.len());
        let mut end = 0;
        for range in found {
            // two names can stand in one address
            let whole = address_around(text, &range).unwrap_or_else(|| range.clone());
            if whole.start < end {
                continue;
            }
            redacted.push_str(&text[end..whole.start]);
            redacted.push_str(&replacement(&text[range]));
            end = whole.end;
        }
        redacted.push_str(&text[end..]);
        Some(redacted)
    }

    /// Whether there are words by which the person is recognized.
    pub(crate) fn knows(&self, person: Uuid) -> bool {
        self.classes.values().flatten().any(|(of, class)| *of == person && *class > WHOLE_NAME)
    }

    /// Whether a text is one short word of a name and nothing else. Longer ones are found by [`Self::finds_words`].
    pub(super) fn is_short_word(&self, text: &str) -> bool {
        match tokens(text).as_slice() {
            [token] => self.is_short(token),
            _ => false,
        }
    }

    /// Whether a text contains a word of a name that is too short to be redacted in other text.
    pub(super) fn finds_short_words(&self, text: &str) -> bool {
        !self.is_empty() && token_readings(text).iter().flat_map(|(tokens, _)| tokens).any(|token| self.is_short(token))
    }

    fn is_short(&self, token: &Token) -> bool {
        token.folded.len() < MIN_LONE_WORD_LETTERS && !self.word_classes_of(token).is_empty()
    }

    /// The classes of each word of a name in a text, of any length. Initials do not count.
    pub(super) fn word_classes(&self, text: &str) -> BTreeSet<Vec<WordClass>> {
        if self.is_empty() {
            return BTreeSet::new();
        }
        token_readings(text)
            .iter()
            .flat_map(|(tokens, _)| tokens)
            .map(|token| self.word_classes_of(token))
            .filter(|classes| !classes.is_empty())
            .collect()
    }

    fn word_classes_of(&self, token: &Token) -> Vec<WordClass> {
        if token.is_letter {
            return Vec::new();
        }
        self.classes_of(token).into_iter().filter(|(_, class)| *class > WHOLE_NAME).collect()
    }

    /// The ranges of names in a text, in order and without overlaps.
    fn matches(&self, text: &str, lone: bool) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for (tokens, reading) in token_readings(text) {
            let classes: Vec<Vec<WordClass>> = tokens.iter().map(|token| self.classes_of(token)).collect();
            found.extend(self.matches_of(&tokens, &classes, lone));
            if let Some((tokens, classes)) = self.join_cut_words(&tokens, &classes) {
                found.extend(self.matches_of(&tokens, &classes, lone));
            }
            // words that were joined have no names at their boundaries
            if reading != Reading::Joined {
                found.extend(self.glued_matches(&tokens, &classes));
            }
        }
        found.sort_by_key(|range| range.start);
        found.dedup_by(|next, range| {
            let overlaps = next.start < range.end;
            if overlaps {
                range.end = range.end.max(next.end);
            }
            overlaps
        });
        found
    }

    fn matches_of(&self, tokens: &[Token], classes: &[Vec<WordClass>], lone: bool) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        let mut index = 0;
        while index < tokens.len() {
            let last = self.full_match(tokens, classes, index).or_else(|| self.exact_match(tokens, index, lone));
            let is_lone = lone
                && tokens[index].folded.len() >= MIN_LONE_WORD_LETTERS
                && !classes[index].is_empty()
                && (!is_whole_name(&tokens[index], &classes[index]) || stands_alone(tokens, index));
            match last.or(is_lone.then_some(index)) {
                Some(last) => {
                    found.push(tokens[index].range.start..tokens[last].range.end);
                    index = last + 1;
                }
                None => index += 1,
            }
        }
        found
    }

    /// The words of a text with words of names that are cut in two joined, as in "An na Pet rova". Not set if there are none.
    /// Two pieces are tried if one is very short, or if another word of a name is near: a lookup of every two words of a text
    /// would take too long.
    fn join_cut_words(&self, tokens: &[Token], classes: &[Vec<WordClass>]) -> Option<(Vec<Token>, Vec<Vec<WordClass>>)> {
        let is_piece = |index: usize| {
            let is_word = tokens[index].folded.bytes().all(|byte| byte.is_ascii_alphabetic());
            is_word && (classes[index].is_empty() || tokens[index].is_letter)
        };
        let is_word_of_name = |index: usize| !tokens[index].is_letter && !classes[index].is_empty();
        let is_anchored = |index: usize| {
            let mut near = index.saturating_sub(MAX_WORDS_BETWEEN)..(index + 2 + MAX_WORDS_BETWEEN).min(tokens.len());
            tokens[index].folded.len().min(tokens[index + 1].folded.len()) <= MAX_PIECE_LETTERS || near.any(is_word_of_name)
        };
        let join = |index: usize, joined: &BTreeMap<usize, (Token, Vec<WordClass>)>| {
            let next = tokens.get(index + 1).filter(|next| next.gap.len() == 1 && !is_after_comma(next))?;
            if !is_piece(index)
                || !is_piece(index + 1)
                || !(is_anchored(index)
                    || joined.range(index.saturating_sub(MAX_WORDS_BETWEEN)..index + 2 + MAX_WORDS_BETWEEN).next().is_some())
            {
                return None;
            }
            let word = tokens[index].joined(next);
            if !(MIN_WORD_LETTERS_WITH_INITIAL..=MAX_WORD_LETTERS).contains(&word.folded.len()) {
                return None;
            }
            if !self.may_begin_word(&word.folded) {
                return None;
            }
            let classes = self.find_classes(&word.folded, word.is_latin);
            classes.iter().any(|(_, class)| *class > WHOLE_NAME).then_some((word, classes))
        };
        let mut joined: BTreeMap<usize, (Token, Vec<WordClass>)> = BTreeMap::new();
        // a word that was joined is near others
        for _ in 0..2 {
            let mut index = 0;
            while index < tokens.len() {
                let found = if joined.contains_key(&index) { None } else { join(index, &joined) };
                joined.extend(found.map(|found| (index, found)));
                index += if joined.contains_key(&index) { 2 } else { 1 };
            }
        }
        if joined.is_empty() {
            return None;
        }
        let single = |index: usize| (tokens[index].clone(), classes[index].clone());
        let mut words = Vec::with_capacity(tokens.len());
        let mut index = 0;
        while index < tokens.len() {
            let found = joined.remove(&index);
            let length = if found.is_some() { 2 } else { 1 };
            words.push(found.unwrap_or_else(|| single(index)));
            index += length;
        }
        Some(words.into_iter().unzip())
    }

    /// Index of the last word of the name that begins with the word at `first`.
    fn full_match(&self, tokens: &[Token], classes: &[Vec<WordClass>], first: usize) -> Option<usize> {
        if (is_whole_name(&tokens[first], &classes[first]) && stands_alone(tokens, first)) || self.is_joined_name(&tokens[first]) {
            return Some(extend(tokens, first));
        }
        let mut second = first + 1;
        let mut between = 0;
        // another name between the two, as in Анна Мария Петрова; an initial beside it may be of anybody
        let mut has_other_name = false;
        let mut conjunction: Option<usize> = None;
        while between <= MAX_WORDS_BETWEEN && tokens.get(second).is_some_and(is_near) {
            let may_complete =
                !has_other_name || (!tokens[first].is_initial && !tokens[second].is_initial && !is_after_comma(&tokens[second]));
            let completes_with = |second: usize| completes((&tokens[first], &classes[first]), (&tokens[second], &classes[second]));
            let completes_relatives = |second: usize| {
                let token = &tokens[second];
                // Kosherov is the family name of Zarina Kosherova's brother
                conjunction.is_some() && !token.is_initial && share_name(&classes[first], &self.lookup_word(&token.folded, false))
            };
            if may_complete && (completes_with(second) || completes_relatives(second)) && is_one_name(tokens, first, second, has_other_name)
            {
                match conjunction {
                    None => return Some(extend(tokens, second)),
                    // the family name of two people, as in Anna and Boris Petrov, is the other one's, too
                    Some(index) if index + 1 < second => return Some(first),
                    Some(_) => return None,
                }
            }
            if let Some(end) = end_of_enclosed(tokens, second) {
                let maiden = (second..end).find(|index| is_before_maiden_name(&tokens[*index]));
                if let Some(name) = maiden.and_then(|index| (index + 1..=end).find(|index| completes_with(*index))) {
                    return Some(name);
                }
                second = end + 1;
                continue;
            }
            let is_joined = |index: usize| is_conjunction(&tokens[index]) && tokens.get(index + 1).is_some_and(is_capitalized_near);
            if conjunction.is_none() && !has_other_name && is_joined(second) {
                conjunction = Some(second);
                between += 1;
                second += 1;
                continue;
            }
            if conjunction.is_none() && !has_other_name && tokens[second].gap.contains(&'&') {
                conjunction = Some(second - 1);
            }
            let token = &tokens[second];
            let is_part = is_initial_beside(token, &tokens[first])
                || is_patronymic(token)
                || is_particle(token)
                || is_title(token)
                || is_before_maiden_name(token)
                || !classes[second].is_empty();
            let is_other_name = !is_part && !has_other_name && token.first.is_uppercase() && !is_after_comma(token);
            if !is_part && !is_other_name {
                return None;
            }
            has_other_name |= is_other_name;
            between += 1;
            second += 1;
        }
        None
    }

    /// Index of the last word of the short name that begins with the word at `first`. A name of one short word may be an
    /// ordinary word, unless it is the whole text or `lone` words count.
    fn exact_match(&self, tokens: &[Token], first: usize, lone: bool) -> Option<usize> {
        self.exact_lengths.iter().rev().find_map(|length| {
            let words = tokens.get(first..first + length)?;
            let counts = words[1..].iter().all(is_near) && (*length > 1 || lone || tokens.len() == 1);
            let is_whole_text = tokens.len() == *length;
            let is_spaced = words[1..].iter().any(has_space);
            let is_name = is_whole_text || !is_spaced || (is_cased_as_whole_name(words) && stands_apart(tokens, first..first + length));
            let (form, _) = exact_form(words).filter(|_| counts && is_name)?;
            (!self.lookup(&form).is_empty()).then_some(first + length - 1)
        })
    }

    /// Whether letters can begin with a word of a name: an initial is known of each. Spares lookups where words are not divided.
    fn may_begin_word(&self, letters: &str) -> bool {
        let initials =
            self.initials.get_or_init(|| ('a'..='z').filter(|letter| !self.lookup(&format!("initial:{letter}")).is_empty()).collect());
        letters.chars().next().is_some_and(|letter| initials.contains(&letter))
    }

    /// Whether a word is two words of one name without a separator, as in an address.
    fn is_joined_name(&self, token: &Token) -> bool {
        let word = token.folded.trim_end_matches(|char: char| char.is_ascii_digit());
        if word.len() < 2 * MIN_WORD_LETTERS_WITH_INITIAL || word.len() > MAX_WORD_LETTERS {
            return false;
        }
        cached(&self.joined, (word.to_owned(), token.is_latin), || {
            let may_begin = |at: usize| self.may_begin_word(&word[at..]);
            let joined = may_begin(0)
                && (MIN_STEM_LETTERS..=word.len() - MIN_STEM_LETTERS).filter(|middle| may_begin(*middle)).any(|middle| {
                    let left = self.lookup_word(&word[..middle], token.is_latin);
                    !left.is_empty() && share_name(&left, &self.lookup_word(&word[middle..], token.is_latin))
                });
            joined && !self.lookup(&format!("full:{word}")).iter().any(|(_, class)| *class != WHOLE_NAME)
        })
    }

    fn lookup(&self, form: &str) -> Vec<WordClass> {
        self.classes.get(&self.key.digest(form)).cloned().unwrap_or_default()
    }

    /// The classes of a word.
    fn classes_of(&self, token: &Token) -> Vec<WordClass> {
        if token.is_initial {
            return self.lookup(&format!("initial:{}", token.initial()));
        }
        let words = [&token.folded].into_iter().chain(&token.variants);
        let mut classes: Vec<WordClass> = words.flat_map(|word| self.lookup_word(word, token.is_latin)).collect();
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    /// The classes of a folded word.
    fn lookup_word(&self, word: &str, is_latin: bool) -> Vec<WordClass> {
        if word.len() < 2 || word.len() > MAX_WORD_LETTERS {
            return Vec::new();
        }
        cached(&self.cache, (word.to_owned(), is_latin), || self.find_classes(word, is_latin))
    }

    /// As [`Self::lookup_word`], without the cache.
    fn find_classes(&self, word: &str, is_latin: bool) -> Vec<WordClass> {
        let mut classes = self.lookup_forms("", word, is_latin);
        classes.extend(self.lookup_forms(SOUND, &sound(word), is_latin));
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    /// The classes of the forms of a word that `prefix` says.
    fn lookup_forms(&self, prefix: &str, word: &str, is_latin: bool) -> Vec<WordClass> {
        let mut classes = self.lookup(&format!("{prefix}full:{word}"));
        if is_latin {
            if let Some(singular) = word.strip_suffix('s').filter(|singular| singular.len() > MIN_STEM_LETTERS) {
                classes.extend(self.lookup(&format!("{prefix}full:{singular}")));
            }
            return classes;
        }
        for length in 0..=MAX_ENDING_LETTERS.min(word.len().saturating_sub(MIN_STEM_LETTERS)) {
            let (stem, ending) = word.split_at(word.len() - length);
            // Петровский is another name than Петров
            if prefix == SOUND && ending.starts_with("sk") {
                continue;
            }
            classes.extend(self.lookup(&format!("{prefix}stem:{stem}")));
            if length > 0 {
                classes.extend(self.lookup(&format!("{prefix}stem+:{stem}")));
            }
        }
        classes
    }
}

/// The neutral label for a name, in its script.
pub(super) fn label(name: &str) -> &'static str {
    let is_cyrillic = name.chars().any(|letter| ('\u{400}'..'\u{530}').contains(&letter));
    REPLACEMENT_NAMES[usize::from(is_cyrillic)].1
}

/// Whether a word is the whole name of a person, or an identifier.
fn is_whole_name(token: &Token, classes: &[WordClass]) -> bool {
    token.folded.len() > 1 && classes.iter().any(|(_, class)| *class == WHOLE_NAME)
}

fn is_capitalized_near(token: &Token) -> bool {
    token.first.is_uppercase() && is_near(token)
}

/// What a cache has for a word, or else what is found.
fn cached<T: Clone>(cache: &WordCache<T>, key: (String, bool), find: impl FnOnce() -> T) -> T {
    if let Some(known) = cache.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return known.clone();
    }
    let found = find();
    let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
    if cache.len() < MAX_CACHED_WORDS {
        cache.insert(key, found.clone());
    }
    found
}

/// Whether two words are words of one person's name.
fn share_name(left: &[WordClass], right: &[WordClass]) -> bool {
    let is_word = |class: &i32| *class > WHOLE_NAME;
    left.iter().any(|(person, class)| is_word(class) && right.iter().any(|(other, word)| person == other && class != word && is_word(word)))
}

/// Whether two words make a name: both are words of it, or one is and the other is an initial.
fn completes(left: (&Token, &[WordClass]), right: (&Token, &[WordClass])) -> bool {
    let is_long_enough = match (left.0.is_initial, right.0.is_initial) {
        (true, true) => false,
        (true, false) => right.0.folded.len() >= MIN_WORD_LETTERS_WITH_INITIAL,
        (false, true) => left.0.folded.len() >= MIN_WORD_LETTERS_WITH_INITIAL,
        (false, false) => true,
    };
    let are_of_one_name = |initial: &Token, word: &Token| !initial.is_initial || is_initial_beside(initial, word);
    is_long_enough && are_of_one_name(left.0, right.0) && are_of_one_name(right.0, left.0) && share_name(left.1, right.1)
}

/// The email address around a part of a text: what is left of one would be the address of somebody else.
fn address_around(text: &str, part: &Range<usize>) -> Option<Range<usize>> {
    let is_end = |letter: char| letter.is_whitespace() || OPENING.contains(&letter) || CLOSING.contains(&letter) || ",;:/".contains(letter);
    let start = text[..part.start].rfind(is_end).map_or(0, |index| index + text[index..].chars().next().map_or(0, char::len_utf8));
    let end = text[part.end..].find(is_end).map_or(text.len(), |index| part.end + index);
    let address = text[start..end].trim_end_matches(['.', '!', '?']);
    let (local, domain) = address.split_once('@')?;
    (!local.is_empty() && domain.contains('.')).then_some(start..start + address.len())
}

/// Index of the last word that belongs to a name: a patronymic or initials may follow.
fn extend(tokens: &[Token], mut last: usize) -> usize {
    while let Some(next) = tokens.get(last + 1) {
        let is_separated = next.gap.iter().any(|letter| matches!(letter, ',' | ';' | ':' | '!' | '?' | '|' | '\n'));
        if next.gap_length() > 2 || is_separated || !(is_initial_beside(next, &tokens[last]) || is_patronymic(next)) {
            break;
        }
        last += 1;
    }
    last
}

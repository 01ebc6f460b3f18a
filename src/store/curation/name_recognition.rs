//! Recognition of the names of withheld persons in texts, by keyed digests of the forms of their words.
//!
//! A name is recognized in any case, in Latin and Cyrillic script, with initials, with a patronymic, in either order, in
//! slugs and URLs, and with Russian and Kazakh case endings. One word of a name, such as a family name, belongs to other
//! people too, so it counts only where a text is known to be about the person.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use crate::store::curation::digest_key::DigestKey;

/// Replacement for the name, by language.
pub(super) const REPLACEMENT_NAMES: [(&str, &str); 3] =
    [("en", "Name withheld"), ("ru", "Имя не разглашается"), ("kk", "Есімі жарияланбайды")];
/// Minimum length of a single word by which a person is recognized, in folded letters.
const MIN_LONE_WORD_LETTERS: usize = 5;
/// Minimum length of a word that an initial completes to a name.
const MIN_WORD_LETTERS_WITH_INITIAL: usize = 4;
/// Length from which on a stem may stand without an ending: Ann is not Anna, but Петров may be Петрова.
const MIN_BARE_STEM_LETTERS: usize = 5;
/// Minimum length of a stem.
const MIN_STEM_LETTERS: usize = 3;
/// Maximum length of a case ending, in folded letters.
const MAX_ENDING_LETTERS: usize = 4;
/// Maximum length of a word; longer ones are no names.
const MAX_WORD_LETTERS: usize = 40;
/// Maximum number of characters between two words of one name.
const MAX_GAP_CHARS: usize = 4;
/// Distinct words whose classes are remembered.
const MAX_CACHED_WORDS: usize = 200_000;
/// Endings of the dictionary forms of names, which case endings replace; the longest first. Folded, with i for y.
const NAME_ENDINGS: [&str; 11] = ["aia", "iaia", "ii", "oi", "ei", "ai", "ia", "a", "e", "i", "o"];
/// Suffixes of patronymics with their case endings. Folded, with i for y.
const PATRONYMICS: [(&[&str], &[&str]); 3] = [
    (&["ovich", "evich"], &["", "a", "u", "em", "e"]),
    (&["ovn", "evn", "ichn"], &["a", "i", "e", "u", "oi", "oiu"]),
    (&["uli", "kizi", "qizi"], &["", "na", "nan", "nda", "ndagi", "ni", "nin", "men"]),
];
/// Words of names that are no names by themselves.
const PARTICLES: [&str; 15] = ["van", "von", "der", "den", "de", "da", "di", "la", "le", "al", "el", "bin", "ibn", "ben", "ogli"];

/// The class of a word: the person, and the position of the word among the distinct words of the person's names. Names of
/// one word have the class [`WHOLE_NAME`]. Names too short for anything else are recognized only as a whole: their class is
/// the negative number of their words.
pub(super) type WordClass = (Uuid, i32);
/// Class of a name of one word.
const WHOLE_NAME: i32 = 0;
/// Maximum number of words of a name that is recognized only as a whole.
const MAX_EXACT_WORDS: usize = 6;

/// Forms of the words of a person's names, each with the class of its word. Their digests are stored.
pub(super) fn name_forms(names: &[String]) -> Vec<(String, i32)> {
    let labels: Vec<String> = REPLACEMENT_NAMES.iter().flat_map(|(_, label)| tokens(label)).map(|token| token.folded).collect();
    let mut classes: Vec<String> = Vec::new();
    let mut forms = Vec::new();
    let words_of = |name: &String| {
        let mut words: Vec<(String, String)> = tokens(name).into_iter().map(|token| (token.folded, token.initial)).collect();
        words.retain(|(word, _)| word.len() >= 2 && !labels.contains(word) && !PARTICLES.contains(&word.as_str()));
        words
    };
    // a nickname beside a full name may be an ordinary word
    let has_full_name = names.iter().any(|name| words_of(name).len() > 1);
    for name in names {
        let words = words_of(name);
        match words.as_slice() {
            [(word, _)] if word.len() >= MIN_LONE_WORD_LETTERS && !has_full_name => {
                forms.extend(forms_of(word).into_iter().map(|form| (form, WHOLE_NAME)));
            }
            [] | [_] if !has_full_name => forms.extend(exact_form(&tokens(name))),
            [] | [_] | [_, _, ..] => {}
        }
        for (word, initial) in words {
            if classes.contains(&word) {
                continue;
            }
            classes.push(word.clone());
            let class = i32::try_from(classes.len()).unwrap_or(i32::MAX);
            forms.extend(forms_of(&word).into_iter().chain([format!("initial:{initial}")]).map(|form| (form, class)));
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

/// The form of a name that is recognized as a whole, and its class.
fn exact_form(tokens: &[Token]) -> Option<(String, i32)> {
    let length = i32::try_from(tokens.len()).ok().filter(|_| (1..=MAX_EXACT_WORDS).contains(&tokens.len()))?;
    let words: Vec<&str> = tokens.iter().map(|token| token.folded.as_str()).collect();
    Some((format!("exact:{}", words.join(" ")), -length))
}

/// Forms by which a word of a name is recognized.
fn forms_of(word: &str) -> Vec<String> {
    let stem_form = |stem: &str| if stem.len() < MIN_BARE_STEM_LETTERS { format!("stem+:{stem}") } else { format!("stem:{stem}") };
    let mut forms = vec![format!("full:{word}")];
    let ending = NAME_ENDINGS.iter().filter(|ending| word.ends_with(**ending));
    let is_long_enough = |stem: &&str| stem.len() >= MIN_STEM_LETTERS;
    let stem = ending
        .map(|ending| (ending, &word[..word.len() - ending.len()]))
        .find(|(ending, stem)| is_long_enough(stem) && (ending.len() == 1 || stem.len() > MIN_STEM_LETTERS))
        .map(|(_, stem)| stem);
    forms.push(stem_form(stem.unwrap_or(word)));
    // a vowel that case endings drop: Павел, Павла
    if let (None, Some(last)) = (stem, word.len().checked_sub(2).filter(|_| word.len() >= MIN_BARE_STEM_LETTERS))
        && matches!(word.as_bytes()[last], b'e' | b'o')
    {
        forms.push(format!("stem+:{}{}", &word[..last], &word[last + 1..]));
    }
    forms
}

/// A word of a text.
#[derive(Debug, Clone)]
struct Token {
    range: Range<usize>,
    /// Folded to lower-case ASCII, with i for y, so that й and и are alike.
    folded: String,
    /// The first letter, folded.
    initial: String,
    is_latin: bool,
    is_initial: bool,
}

/// Folds a letter. Signs, combining marks and invisible characters fold to the empty text.
fn fold_letter(letter: char) -> String {
    match letter {
        'ь' | 'Ь' | 'ъ' | 'Ъ' | '\'' | '’' | 'ʼ' | '`' => String::new(),
        'ё' | 'Ё' => "e".to_owned(),
        letter => any_ascii::any_ascii_char(letter).to_ascii_lowercase().replace('y', "i"),
    }
}

/// Whether a character belongs to the word around it without being a letter of it.
fn is_transparent(letter: char) -> bool {
    !letter.is_whitespace() && fold_letter(letter).is_empty()
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut letters: Vec<(usize, char)> = Vec::new();
    for (index, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        if letter.is_alphanumeric() || (!letters.is_empty() && is_transparent(letter)) {
            letters.push((index, letter));
        } else if !letters.is_empty() {
            tokens.extend(token(text, &std::mem::take(&mut letters)));
        }
    }
    tokens
}

fn token(text: &str, letters: &[(usize, char)]) -> Option<Token> {
    let last = letters.iter().rposition(|(_, letter)| !is_transparent(*letter) || letter.is_alphabetic())?;
    let letters = &letters[..=last];
    let (start, first) = *letters.first()?;
    let end = letters.last().map(|(index, letter)| index + letter.len_utf8())?;
    let keep = |text: String| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let mut folded = String::new();
    for (_, letter) in letters {
        folded.push_str(&keep(fold_letter(*letter)));
    }
    if folded.is_empty() {
        return None;
    }
    folded.truncate(MAX_WORD_LETTERS + 1);
    let visible = letters.iter().filter(|(_, letter)| !is_transparent(*letter)).count();
    let is_initial = visible == 1 && first.is_alphabetic() && (first.is_uppercase() || text[end..].starts_with('.'));
    let is_latin = letters.iter().all(|(_, letter)| !letter.is_alphabetic() || *letter < '\u{250}');
    Some(Token { range: start..end, folded, initial: keep(fold_letter(first)), is_latin, is_initial })
}

/// Recognizes names by the digests of their forms.
#[derive(Debug)]
pub(crate) struct NameRecognizer {
    key: DigestKey,
    classes: HashMap<String, Vec<WordClass>>,
    /// Numbers of words of the names that are recognized only as a whole.
    exact_lengths: BTreeSet<usize>,
    cache: Mutex<HashMap<(String, bool), Vec<WordClass>>>,
}

impl NameRecognizer {
    /// `digests` are the stored digests of forms with their classes.
    pub(super) fn new(key: DigestKey, digests: Vec<(String, WordClass)>) -> Self {
        let mut classes: HashMap<String, Vec<WordClass>> = HashMap::new();
        for (digest, class) in digests {
            classes.entry(digest).or_default().push(class);
        }
        let exact = classes.values().flatten().filter_map(|(_, class)| usize::try_from(class.checked_neg()?).ok());
        let exact_lengths = exact.filter(|length| *length > 0).collect();
        Self { key, classes, exact_lengths, cache: Mutex::default() }
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

    /// The text with its names replaced by a neutral label; `None` if it has none. `lone` replaces single words of names too.
    pub(crate) fn redact(&self, text: &str, lone: bool) -> Option<String> {
        self.replace(text, lone, |found| {
            let is_cyrillic = found.chars().any(|letter| ('\u{400}'..'\u{530}').contains(&letter));
            REPLACEMENT_NAMES[usize::from(is_cyrillic)].1.to_owned()
        })
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
            redacted.push_str(&text[end..range.start]);
            redacted.push_str(&replacement(&text[range.clone()]));
            end = range.end;
        }
        redacted.push_str(&text[end..]);
        Some(redacted)
    }

    /// The ranges of names in a text, in order and without overlaps.
    fn matches(&self, text: &str, lone: bool) -> Vec<Range<usize>> {
        let tokens = tokens(text);
        let classes: Vec<Vec<WordClass>> = tokens.iter().map(|token| self.classes_of(token)).collect();
        let mut found: Vec<Range<usize>> = self.encoded_matches(text, lone);
        let mut index = 0;
        while index < tokens.len() {
            let last = self.full_match(text, &tokens, &classes, index).or_else(|| self.exact_match(text, &tokens, index, lone));
            let is_lone = lone && tokens[index].folded.len() >= MIN_LONE_WORD_LETTERS && !classes[index].is_empty();
            match last.or(is_lone.then_some(index)) {
                Some(last) => {
                    found.push(tokens[index].range.start..tokens[last].range.end);
                    index = last + 1;
                }
                None => index += 1,
            }
        }
        found.sort_by_key(|range| range.start);
        let mut merged: Vec<Range<usize>> = Vec::new();
        for range in found {
            match merged.last_mut() {
                Some(last) if range.start < last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        merged
    }

    /// The percent-encoded words with a name, such as the address of an article in Wikipedia.
    fn encoded_matches(&self, text: &str, lone: bool) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut start = 0;
        for piece in text.split_inclusive(char::is_whitespace) {
            if piece.contains('%') {
                let word = piece.trim_end();
                let decoded = percent_decode(word);
                if decoded != word && !self.matches(&decoded, lone).is_empty() {
                    found.push(start..start + word.len());
                }
            }
            start += piece.len();
        }
        found
    }

    /// Index of the last word of the name that begins with the word at `first`.
    fn full_match(&self, text: &str, tokens: &[Token], classes: &[Vec<WordClass>], first: usize) -> Option<usize> {
        if classes[first].iter().any(|(_, class)| *class == WHOLE_NAME) || self.is_joined_name(&tokens[first]) {
            return Some(extend(text, tokens, first));
        }
        let is_near = |left: usize| {
            tokens.get(left + 1).is_some_and(|right| text[tokens[left].range.end..right.range.start].chars().count() <= MAX_GAP_CHARS)
        };
        let mut second = first + 1;
        while second <= first + 3 && is_near(second - 1) {
            if completes((&tokens[first], &classes[first]), (&tokens[second], &classes[second])) {
                return Some(extend(text, tokens, second));
            }
            let may_stand_between = tokens[second].is_initial || is_patronymic(&tokens[second]) || !classes[second].is_empty();
            if !may_stand_between {
                return None;
            }
            second += 1;
        }
        None
    }

    /// Index of the last word of the short name that begins with the word at `first`. A name of one short word may be an
    /// ordinary word, unless it is the whole text or `lone` words count.
    fn exact_match(&self, text: &str, tokens: &[Token], first: usize, lone: bool) -> Option<usize> {
        self.exact_lengths.iter().rev().find_map(|length| {
            let words = tokens.get(first..first + length)?;
            let is_near = words.windows(2).all(|pair| text[pair[0].range.end..pair[1].range.start].chars().count() <= MAX_GAP_CHARS);
            let counts = is_near && (*length > 1 || lone || tokens.len() == 1);
            let (form, _) = exact_form(words).filter(|_| counts)?;
            (!self.lookup(&form).is_empty()).then_some(first + length - 1)
        })
    }

    /// Whether a word is two words of one name without a separator, as in an address.
    fn is_joined_name(&self, token: &Token) -> bool {
        let word = &token.folded;
        if word.len() < 2 * MIN_WORD_LETTERS_WITH_INITIAL || word.len() > MAX_WORD_LETTERS {
            return false;
        }
        let joined = (MIN_STEM_LETTERS..=word.len() - MIN_STEM_LETTERS).any(|middle| {
            let left = self.lookup(&format!("full:{}", &word[..middle]));
            !left.is_empty() && share_name(&left, &self.lookup(&format!("full:{}", &word[middle..])))
        });
        joined && !self.lookup(&format!("full:{word}")).iter().any(|(_, class)| *class != WHOLE_NAME)
    }

    fn lookup(&self, form: &str) -> Vec<WordClass> {
        self.classes.get(&self.key.digest(form)).cloned().unwrap_or_default()
    }

    /// The classes of a word.
    fn classes_of(&self, token: &Token) -> Vec<WordClass> {
        if token.is_initial {
            return self.lookup(&format!("initial:{}", token.initial));
        }
        if token.folded.len() < 2 || token.folded.len() > MAX_WORD_LETTERS {
            return Vec::new();
        }
        let cache_key = (token.folded.clone(), token.is_latin);
        if let Some(classes) = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(&cache_key) {
            return classes.clone();
        }
        let word = &token.folded;
        let mut classes = self.lookup(&format!("full:{word}"));
        if token.is_latin {
            if let Some(singular) = word.strip_suffix('s').filter(|singular| singular.len() > MIN_STEM_LETTERS) {
                classes.extend(self.lookup(&format!("full:{singular}")));
            }
        } else {
            for ending in 0..=MAX_ENDING_LETTERS.min(word.len().saturating_sub(MIN_STEM_LETTERS)) {
                let stem = &word[..word.len() - ending];
                classes.extend(self.lookup(&format!("stem:{stem}")));
                if ending > 0 {
                    classes.extend(self.lookup(&format!("stem+:{stem}")));
                }
            }
        }
        classes.sort_unstable();
        classes.dedup();
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() < MAX_CACHED_WORDS {
            cache.insert(cache_key, classes.clone());
        }
        classes
    }
}

/// Whether two words are words of one person's name.
fn share_name(left: &[WordClass], right: &[WordClass]) -> bool {
    left.iter().any(|(person, class)| right.iter().any(|(other, word)| person == other && class != word))
}

/// Whether two words make a name: both are words of it, or one is and the other is an initial.
fn completes(left: (&Token, &[WordClass]), right: (&Token, &[WordClass])) -> bool {
    let is_long_enough = match (left.0.is_initial, right.0.is_initial) {
        (true, true) => false,
        (true, false) => right.0.folded.len() >= MIN_WORD_LETTERS_WITH_INITIAL,
        (false, true) => left.0.folded.len() >= MIN_WORD_LETTERS_WITH_INITIAL,
        (false, false) => true,
    };
    is_long_enough && share_name(left.1, right.1)
}

fn is_patronymic(token: &Token) -> bool {
    let stem_before = |suffix: &str, ending: &str| token.folded.strip_suffix(ending)?.strip_suffix(suffix);
    PATRONYMICS.iter().any(|(suffixes, endings)| {
        endings.iter().any(|ending| suffixes.iter().any(|suffix| stem_before(suffix, ending).is_some_and(|stem| stem.len() > 1)))
    })
}

/// Index of the last word that belongs to a name: a patronymic or initials may follow.
fn extend(text: &str, tokens: &[Token], mut last: usize) -> usize {
    while let Some(next) = tokens.get(last + 1) {
        let is_near = text[tokens[last].range.end..next.range.start].chars().count() <= 2;
        if !is_near || !(next.is_initial || is_patronymic(next)) {
            break;
        }
        last += 1;
    }
    last
}

/// Decodes `%D0%B0`; bytes that are not UTF-8 stay as they are.
fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let digits = bytes.get(index + 1..index + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match (bytes[index], digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                index += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                index += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn recognizer(names: &[&str]) -> NameRecognizer {
        let key = DigestKey::new(b"salt", None);
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let digests = name_forms(&names).into_iter().map(|(form, class)| (key.digest(&form), (Uuid::nil(), class))).collect();
        NameRecognizer::new(key, digests)
    }

    #[rstest]
    #[case("said of Anna Petrova.", "said of Name withheld.")]
    #[case("ANNA PETROVA", "Name withheld")]
    #[case("Суд над Анной Петровой, и", "Суд над Имя не разглашается, и")]
    #[case("Петрову Анну Сергеевну осудили", "Имя не разглашается осудили")]
    #[case("Анна Сергеевна Петрова", "Имя не разглашается")]
    #[case("с Петровой Анной Сергеевной, Петровой Анне Ильиничне", "с Имя не разглашается, Имя не разглашается")]
    #[case("Петрова Анна Серікқызына", "Имя не разглашается")]
    #[case("А. С. Петрова и Петровой А.С.", "Имя не разглашается и Имя не разглашается.")]
    #[case("A. Petrova's case", "Name withheld case")]
    #[case("state-v-anna-petrova", "state-v-Name withheld")]
    #[case("mail annapetrova@example.org", "mail Name withheld@example.org")]
    #[case("https://ru.wikipedia.org/wiki/%D0%90%D0%BD%D0%BD%D0%B0_%D0%9F%D0%B5%D1%82%D1%80%D0%BE%D0%B2%D0%B0 x", "Name withheld x")]
    #[case("Anna\u{ad}\u{200b} Pe\u{200b}trova", "Name withheld")]
    #[case("Ann Petrova", "Ann Petrova")]
    #[case("Anna of Almaty, Petrova", "Anna of Almaty, Petrova")]
    #[case("Анна Петровская", "Анна Петровская")]
    #[case("A Petrova-like case", "Name withheld-like case")]
    fn names_are_recognized_in_all_forms(#[case] text: &str, #[case] expected: &str) {
        let recognizer = recognizer(&["Anna Petrova", "Анна Петрова"]);
        assert_eq!(recognizer.redact(text, false).unwrap_or_else(|| text.to_owned()), expected);
    }

    #[test]
    fn short_names_are_recognized_as_a_whole() {
        let recognizer = recognizer(&["О Ли", "Zhaq"]);
        assert_eq!(recognizer.redact("Суд: О Ли сказал", false).unwrap(), "Суд: Имя не разглашается сказал");
        assert_eq!(recognizer.redact("O LI", false).unwrap(), "Name withheld");
        assert_eq!(recognizer.redact("Zhaq", false).unwrap(), "Name withheld");
        assert_eq!(recognizer.redact("of Zhaq and Li", false), None);
        assert_eq!(recognizer.redact("of Zhaq", true).unwrap(), "of Name withheld");
    }

    #[test]
    fn single_words_count_only_where_asked_for() {
        let recognizer = recognizer(&["Альнур Ильяшев", "Zhumagul"]);
        assert_eq!(recognizer.redact("Ильяшеву; Ильяшевский", false), None);
        assert_eq!(recognizer.redact("Ильяшеву; Ильяшевский", true).unwrap(), "Имя не разглашается; Имя не разглашается");
        assert_eq!(recognizer.redact("and Zhumagul's", false), None);
        assert!(recognizer.finds("Alnur Ilyashev") && recognizer.finds("Альнуром Ильяшевым"));
        let recognizer = self::recognizer(&["Zhumagul"]);
        assert_eq!(recognizer.redact("and Zhumagul's", false).unwrap(), "and Name withheld");
    }
}

//! How alike two names are: by the sound of their words, in any script and order.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::core::normalize::{fold_for_search, is_pronunciation_mark, words};
use crate::core::sound::sound;

/// Similarities are in thousandths: this is that of a name with itself.
pub const SAME: u32 = 1_000;
/// Words of a name that are compared; further ones are ignored.
const MAX_NAME_WORDS: usize = 12;
/// Similarity of patronymics of one father in two languages, such as Nurlanovich and Nurlanuly.
const SAME_FATHER: u32 = 900;
/// Similarity of two initials that are the same letter.
const SAME_INITIAL: u32 = 700;
/// Similarity of words whose sounds are one letter apart.
const NEAR: u32 = 600;
/// Similarity of an initial and a word that begins with it.
const INITIAL_OF_WORD: u32 = 600;
/// What each word that only the longer name of a person has takes from the similarity, and how much all of them take at most.
const MISSING_WORD: u32 = 50;
const MAX_MISSING: u32 = 300;
/// Minimum length of a sound that may be one letter apart from another.
const MIN_NEAR_SOUND_BYTES: usize = 4;
/// Minimum length of the sound of a word that tells organizations apart; shorter ones are particles such as "of" and "и".
const MIN_TELLING_SOUND_BYTES: usize = 3;
/// Endings of patronymics, folded.
const PATRONYMIC_ENDINGS: [&str; 12] = ["ovich", "evich", "ovna", "evna", "uly", "ulu", "uulu", "kyzy", "qyzy", "gyzy", "ogly", "oglu"];
/// Minimum length of what stands before the ending of a patronymic.
const MIN_FATHER_BYTES: usize = 3;

/// How the words of a name tell what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameStyle {
    /// Given name, patronymic and family name: missing words say little, other words much.
    Person,
    /// Words of a language: each word that only one of the names has counts, and other numbers are other organizations.
    Organization,
}

/// A word of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its sound.
    pub sound: String,
    /// The word as the search index has it.
    pub folded: String,
    /// Whether it stands for a longer word.
    pub is_initial: bool,
    /// Sound of the father's name, if the word is a patronymic.
    father: Option<String>,
}

impl Word {
    fn new(folded: &str, is_initial: bool) -> Self {
        let father = PATRONYMIC_ENDINGS.iter().find_map(|ending| folded.strip_suffix(ending));
        let father = father.filter(|father| father.len() >= MIN_FATHER_BYTES).map(sound);
        Self { sound: sound(folded), folded: folded.to_owned(), is_initial, father }
    }

    /// The letter by which an initial would stand for the word.
    pub fn initial(&self) -> &str {
        &self.sound[..self.sound.len().min(1)]
    }

    fn is_number(&self) -> bool {
        self.sound.bytes().any(|byte| byte.is_ascii_digit())
    }

    /// Similarity of two words in thousandths.
    fn similarity(&self, other: &Self) -> u32 {
        match (self.is_initial, other.is_initial) {
            (true, true) if self.initial() == other.initial() => SAME_INITIAL,
            (true, false) | (false, true) if self.initial() == other.initial() => INITIAL_OF_WORD,
            (false, false) if self.sound == other.sound => SAME,
            (false, false) if self.father.is_some() && self.father == other.father => SAME_FATHER,
            (false, false) if is_near(&self.sound, &other.sound) => NEAR,
            (true, _) | (_, true) | (false, false) => 0,
        }
    }
}

/// Whether two sounds are one letter apart. The first letter and a final a, the ending of women's names, are never a slip.
fn is_near(left: &str, right: &str) -> bool {
    left.len().min(right.len()) >= MIN_NEAR_SOUND_BYTES
        && left[..1] == right[..1]
        && left.strip_suffix('a') != Some(right)
        && right.strip_suffix('a') != Some(left)
        && strsim::osa_distance(left, right) == 1
}

/// A name with its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name as given.
    pub text: String,
    /// Its words, in order.
    pub words: Vec<Word>,
}

impl Name {
    /// Splits a name into words. A text without letters and digits has none.
    pub fn parse(text: &str) -> Self {
        let mut parsed: Vec<Word> = Vec::new();
        let normal: String = text.nfc().collect();
        let is_in_word = |letter: char| letter.is_alphanumeric() || is_pronunciation_mark(letter) || is_combining_mark(letter);
        for raw in normal.split(|letter| !is_in_word(letter)) {
            let is_initial =
                raw.chars().filter(|letter| letter.is_alphabetic()).count() == 1 && raw.chars().all(|letter| !letter.is_numeric());
            let folded = fold_for_search(raw);
            for word in words(&folded) {
                match parsed.last_mut() {
                    // a patronymic of two words
                    Some(last) if PATRONYMIC_ENDINGS.contains(&word) && !last.is_initial => {
                        *last = Word::new(&format!("{}{word}", last.folded), false);
                    }
                    _ => parsed.push(Word::new(word, is_initial)),
                }
            }
        }
        parsed.retain(|word| !word.sound.is_empty());
        parsed.truncate(MAX_NAME_WORDS);
        Self { text: text.to_owned(), words: parsed }
    }

    /// Whether some word is an initial.
    pub fn has_initials(&self) -> bool {
        self.words.iter().any(|word| word.is_initial)
    }

    /// The words that tell an organization from others, all of them if no word is long.
    pub fn telling_words(&self) -> Vec<&Word> {
        let telling: Vec<&Word> =
            self.words.iter().filter(|word| word.sound.len() >= MIN_TELLING_SOUND_BYTES || word.is_number()).collect();
        if telling.is_empty() { self.words.iter().collect() } else { telling }
    }

    /// Similarity of two names in thousandths.
    pub fn similarity(&self, other: &Self, style: NameStyle) -> u32 {
        match style {
            NameStyle::Person => person_similarity(&self.words.iter().collect::<Vec<_>>(), &other.words.iter().collect::<Vec<_>>()),
            NameStyle::Organization => organization_similarity(&self.telling_words(), &other.telling_words()),
        }
    }
}

fn count(words: &[&Word]) -> u32 {
    // at most `MAX_NAME_WORDS`
    u32::try_from(words.len()).unwrap_or(u32::MAX)
}

/// The mean similarity of the words of the shorter name, less a part for the words that only the longer one has. One word in
/// common with a longer name counts half.
fn person_similarity(left: &[&Word], right: &[&Word]) -> u32 {
    let (short, long) = if left.len() <= right.len() { (left, right) } else { (right, left) };
    if short.is_empty() {
        return 0;
    }
    let missing = (MISSING_WORD * (count(long) - count(short))).min(MAX_MISSING);
    let similarity = aligned(short, long) / count(short) * (SAME - missing) / SAME;
    if short.len() == 1 && long.len() > 1 { similarity / 2 } else { similarity }
}

/// Twice the similarity of the common words, divided by the number of words of both names; half if the numbers differ.
fn organization_similarity(left: &[&Word], right: &[&Word]) -> u32 {
    if left.is_empty() || right.is_empty() {
        return 0;
    }
    let similarity = 2 * aligned(left, right) / (count(left) + count(right));
    let numbers = |words: &[&Word]| {
        let mut numbers: Vec<String> = words.iter().filter(|word| word.is_number()).map(|word| word.sound.clone()).collect();
        numbers.sort_unstable();
        numbers
    };
    if numbers(left) == numbers(right) { similarity } else { similarity / 2 }
}

/// The sum of the similarities of words of one name with words of the other, each used once, the most similar first.
fn aligned(left: &[&Word], right: &[&Word]) -> u32 {
    let mut pairs: Vec<(u32, usize, usize)> = Vec::new();
    for (at, word) in left.iter().enumerate() {
        pairs.extend(
            right.iter().enumerate().map(|(of, other)| (word.similarity(other), at, of)).filter(|(similarity, ..)| *similarity > 0),
        );
    }
    pairs.sort_by_key(|(similarity, at, of)| (std::cmp::Reverse(*similarity), *at, *of));
    let (mut used_left, mut used_right) = (vec![false; left.len()], vec![false; right.len()]);
    let mut sum = 0;
    for (similarity, at, of) in pairs {
        if !used_left[at] && !used_right[of] {
            (used_left[at], used_right[of]) = (true, true);
            sum += similarity;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn persons(left: &str, right: &str) -> u32 {
        let (left, right) = (Name::parse(left), Name::parse(right));
        assert_eq!(left.similarity(&right, NameStyle::Person), right.similarity(&left, NameStyle::Person), "not symmetric");
        left.similarity(&right, NameStyle::Person)
    }

    #[rstest]
    #[case("Қуат Ертаев", "YERTAYEV Kuat", 1_000)]
    #[case("Нұрлан ұлы Қуат", "Куат Нурланулы", 1_000)]
    #[case("Ертаев Қуат Нұрланұлы", "Ертаев Куат Нурланович", 966)]
    #[case("Ертаев Қуат Нұрланұлы", "Kuat Ertaev", 950)]
    #[case("К. Ертаев", "Қуат Ертаев", 800)]
    #[case("Ж. Сейтов", "Jandos Seitov", 800)]
    #[case("К.Ертаев", "К. Ертаев", 850)]
    #[case("Ertaev Kuat", "Ertaev Kuaf", 800)]
    #[case("Иван Иванович Иванов", "Иван Петрович Иванов", 666)]
    #[case("Анна Петрова", "Иван Петров", 0)]
    #[case("Серик Ахметов", "Берик Ахметов", 500)]
    #[case("К. Ертаев", "Е. Ертаев", 500)]
    #[case("Ертаев", "Қуат Ертаев", 475)]
    #[case("Сукарно", "Sukarno", 1_000)]
    #[case("", "Anna", 0)]
    fn similarity_of_persons_follows_the_formula(#[case] left: &str, #[case] right: &str, #[case] expected: u32) {
        assert_eq!(persons(left, right), expected);
    }

    #[rstest]
    #[case("Министерство юстиции", "Ministerstvo yustitsii", 1_000)]
    #[case("Ministry of Justice", "Ministry for Justice", 800)]
    #[case("Министерство юстиции", "Министерство обороны", 500)]
    #[case("Суд № 5 города Алматы", "Суд № 7 города Алматы", 375)]
    fn similarity_of_organizations_follows_the_formula(#[case] left: &str, #[case] right: &str, #[case] expected: u32) {
        let (left, right) = (Name::parse(left), Name::parse(right));
        assert_eq!(left.similarity(&right, NameStyle::Organization), expected);
    }
}

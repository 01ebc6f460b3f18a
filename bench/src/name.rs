//! Names made of syllables, in Latin and Cyrillic letters at once.

use rand::Rng;
use rand::seq::IndexedRandom;

/// The same text in Latin and in Cyrillic letters.
#[derive(Debug, Clone, Default)]
pub struct Name {
    /// In Latin letters.
    pub latin: String,
    /// In Cyrillic letters.
    pub cyrillic: String,
}

type Syllable = (&'static str, &'static str);

const SYLLABLES: &[Syllable] = &[
    ("ba", "ба"),
    ("be", "бе"),
    ("da", "да"),
    ("do", "до"),
    ("ga", "га"),
    ("zha", "жа"),
    ("zhu", "жу"),
    ("ka", "ка"),
    ("ki", "ки"),
    ("ko", "ко"),
    ("ku", "ку"),
    ("la", "ла"),
    ("li", "ли"),
    ("ma", "ма"),
    ("mi", "ми"),
    ("mu", "му"),
    ("na", "на"),
    ("ni", "ни"),
    ("nu", "ну"),
    ("ra", "ра"),
    ("ri", "ри"),
    ("ru", "ру"),
    ("sa", "са"),
    ("se", "се"),
    ("sha", "ша"),
    ("su", "су"),
    ("ta", "та"),
    ("te", "те"),
    ("ti", "ти"),
    ("to", "то"),
    ("ya", "я"),
    ("yer", "ер"),
];
const FAMILY_ENDINGS: &[Syllable] = &[("bayev", "баев"), ("ov", "ов"), ("kenov", "кенов"), ("sky", "ский"), ("lin", "лин"), ("nko", "нко")];
const GIVEN_ENDINGS: &[Syllable] = &[("r", "р"), ("n", "н"), ("m", "м"), ("l", "л"), ("gul", "гуль"), ("bek", "бек"), ("", "")];

impl Name {
    fn push(&mut self, (latin, cyrillic): Syllable) {
        self.latin.push_str(latin);
        self.cyrillic.push_str(cyrillic);
    }

    fn made(rng: &mut impl Rng, syllables: usize, endings: &[Syllable]) -> Self {
        let mut name = Self::default();
        for _ in 0..syllables {
            name.push(one_of(rng, SYLLABLES));
        }
        name.push(one_of(rng, endings));
        name.latin = capitalized(&name.latin);
        name.cyrillic = capitalized(&name.cyrillic);
        name
    }

    /// A family name.
    pub fn family(rng: &mut impl Rng) -> Self {
        let syllables = rng.random_range(1..=3);
        Self::made(rng, syllables, FAMILY_ENDINGS)
    }

    /// A given name.
    pub fn given(rng: &mut impl Rng) -> Self {
        Self::made(rng, 2, GIVEN_ENDINGS)
    }

    /// The name of a place.
    pub fn place(rng: &mut impl Rng) -> Self {
        Self::made(rng, 3, &[("", "")])
    }
}

/// One of a list, all equally likely.
pub fn one_of<T: Copy>(rng: &mut impl Rng, list: &[T]) -> T {
    *list.choose(rng).unwrap_or_else(|| panic!("the list is empty"))
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

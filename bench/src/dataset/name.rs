//! Names composed of syllables, in Latin and Cyrillic script.

use rand::Rng;
use rand::seq::IndexedRandom;

/// The same name in two scripts.
#[derive(Debug, Clone, Default)]
pub struct BilingualName {
    pub latin: String,
    pub cyrillic: String,
}

/// A syllable in Latin and in Cyrillic script.
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

impl BilingualName {
    fn push(&mut self, (latin, cyrillic): Syllable) {
        self.latin.push_str(latin);
        self.cyrillic.push_str(cyrillic);
    }

    fn compose(rng: &mut impl Rng, syllables: usize, endings: &[Syllable]) -> Self {
        let mut name = Self::default();
        for _ in 0..syllables {
            name.push(choose(rng, SYLLABLES));
        }
        name.push(choose(rng, endings));
        name.latin = capitalize(&name.latin);
        name.cyrillic = capitalize(&name.cyrillic);
        name
    }

    pub fn family(rng: &mut impl Rng) -> Self {
        let syllables = rng.random_range(1..=3);
        Self::compose(rng, syllables, FAMILY_ENDINGS)
    }

    pub fn given(rng: &mut impl Rng) -> Self {
        Self::compose(rng, 2, GIVEN_ENDINGS)
    }

    pub fn place(rng: &mut impl Rng) -> Self {
        Self::compose(rng, 3, &[("", "")])
    }
}

/// A random item of a list, which must not be empty.
pub fn choose<T: Copy>(rng: &mut impl Rng, list: &[T]) -> T {
    *list.choose(rng).unwrap_or_else(|| panic!("the list is empty"))
}

fn capitalize(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

//! Random and unusual values.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::fuzz::introspection::Schema;

const UNUSUAL_TEXTS: [&str; 22] = [
    "",
    " ",
    "a",
    "закон",
    "ё",
    "\u{0}",
    "\u{feff}x",
    "'",
    "\"",
    "\\",
    "%",
    "_",
    "*",
    "x'); DROP TABLE people; --",
    "2020",
    "2020-02-30",
    "2013-08",
    "9999-12-31",
    "0000",
    "en",
    "x-unknown",
    "\u{202e}kz",
];

/// Control characters and others that are not visible or not valid in some formats.
const CONTROL_CHARACTERS: [char; 14] =
    ['\u{0}', '\u{1}', '\u{8}', '\t', '\n', '\u{b}', '\r', '\u{1b}', '\u{7f}', '\u{85}', '\u{200b}', '\u{2028}', '\u{fffe}', '\u{10ffff}'];
/// Letters of long words; some of them fold to several letters.
const LETTERS: [char; 8] = ['a', 'z', 'щ', 'ё', 'ß', 'ﷺ', '字', '7'];
const MAX_WORD_LETTERS: usize = 12_000;
const MAX_LANGUAGE_SUBTAGS: usize = 8_000;
const MAX_NESTING: usize = 8_000;

/// A word of many letters, so that most requests with one are short.
fn long_word(random: &mut ChaCha8Rng) -> String {
    let length = skewed(random, MAX_WORD_LETTERS);
    let letters: Vec<char> = (0..random.random_range(1..5)).filter_map(|_| LETTERS.choose(random).copied()).collect();
    letters.iter().cycle().take(length).collect()
}

/// A language tag of many subtags.
pub fn long_language(random: &mut ChaCha8Rng) -> String {
    let subtag = ["-a", "-abcdefgh", "-x-1", "-Latn", "-"].choose(random).copied().unwrap_or("-a");
    format!("en{}", subtag.repeat(skewed(random, MAX_LANGUAGE_SUBTAGS)))
}

/// JSON text of nested lists or objects, closed or not.
pub fn nested_json(random: &mut ChaCha8Rng) -> String {
    let depth = skewed(random, MAX_NESTING);
    let (open, close) = [("[", "]"), ("{\"a\":", "}"), ("[[],", "]")].choose(random).copied().unwrap_or(("[", "]"));
    let end = if random.random_bool(0.8) { close.repeat(depth) } else { String::new() };
    format!("{}1{end}", open.repeat(depth))
}

/// A number from 1 to a maximum, whose logarithm is evenly distributed.
fn skewed(random: &mut ChaCha8Rng, max: usize) -> usize {
    let limit = 1_usize << random.random_range(1..=max.ilog2());
    random.random_range(1..=limit.min(max))
}

/// A text: one from the data, an unusual one, or a mutated one.
pub fn random_text(schema: &Schema, random: &mut ChaCha8Rng) -> String {
    match random.random_range(0..400) {
        0..5 => return long_word(random),
        5..8 => return long_language(random),
        8..14 => {
            let known = schema.known_values.choose(random).cloned().unwrap_or_default();
            let control = CONTROL_CHARACTERS.choose(random).copied().unwrap_or('\u{0}');
            return if random.random_bool(0.5) { format!("{known}{control}") } else { format!("{control}{known}") };
        }
        _ => {}
    }
    match random.random_range(0..10) {
        0..5 => schema.known_values.choose(random).cloned().unwrap_or_default(),
        5..9 => (*UNUSUAL_TEXTS.choose(random).unwrap_or(&"")).to_owned(),
        _ => {
            let known = schema.known_values.choose(random).cloned().unwrap_or_default();
            mutate(&known, random)
        }
    }
}

/// A copy of a text with random deletions, insertions, repetitions or truncations.
pub fn mutate(text: &str, random: &mut ChaCha8Rng) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..=chars.len());
        match random.random_range(0..4) {
            0 if at < chars.len() => drop(chars.remove(at)),
            1 => chars.insert(at, *['{', '}', '(', '$', '"', '\\', '#', '…', '\u{0}', '0'].choose(random).unwrap_or(&'x')),
            2 => {
                let repeated: Vec<char> = chars.iter().skip(at).take(random.random_range(0..40)).copied().collect();
                chars.splice(at..at, repeated);
            }
            _ => chars.truncate(at),
        }
    }
    chars.into_iter().collect()
}

/// Any JSON value, nested up to `depth` levels.
pub fn random_json(random: &mut ChaCha8Rng, depth: u32) -> Value {
    match random.random_range(0..if depth == 0 { 5 } else { 7 }) {
        0 => Value::Null,
        1 => json!(random.random_bool(0.5)),
        2 => json!(random.random::<i64>()),
        3 => json!(random.random::<f64>()),
        4 => json!(*UNUSUAL_TEXTS.choose(random).unwrap_or(&"")),
        5 => (0..random.random_range(0..4)).map(|_| random_json(random, depth - 1)).collect(),
        _ => (0..random.random_range(0..4))
            .map(|index| (format!("m{index}"), random_json(random, depth - 1)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

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

/// A text: one from the data, an unusual one, or a mutated one.
pub fn random_text(schema: &Schema, random: &mut ChaCha8Rng) -> String {
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

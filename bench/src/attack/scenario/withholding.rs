//! m. Withholding: long texts that are imported while the name of a person is withheld, so that each is searched for the name.
//! They are dry runs.

use serde_json::json;

use crate::attack::action::{Action, AttackRequest};
use crate::attack::sample::Samples;
use crate::attack::scenario::{Attack, token};

/// Bytes of each text.
const TEXT_BYTES: usize = 30_000;

pub const ATTACKS: &[Attack] = &[
    Attack::beside_withheld("m1", "biographies of 30,000 letters of distinct words, imported by each of four clients", |samples| {
        texts(samples, |number| format!("Wort{number:05} "))
    }),
    Attack::beside_withheld("m2", "the same of hashtags and accounts", |samples| {
        texts(samples, |number| if number % 2 == 0 { format!("#freeNobody{number} ") } else { format!("@nobody_of_{number} ") })
    }),
    Attack::beside_withheld("m3", "the same of single letters, as in initials and spaced names", |samples| {
        texts(samples, |number| format!("{}. ", char::from(b'A' + u8::try_from(number % 26).expect("less than 26"))))
    }),
    Attack::beside_withheld("m4", "the same of addresses, references and escapes", |samples| {
        texts(samples, |number| format!("https://x{number}.example/%D0%A2a&#1072;m\\x61r=61/ "))
    }),
    Attack::beside_withheld("m5", "the same of first names of the withheld person, and of words like its family name", |samples| {
        texts(samples, |number| if number % 3 == 0 { "Eslyambekov ".to_owned() } else { "Tamara ".to_owned() })
    }),
];

/// A dry run of an import by each of four clients, of a person with a biography of words.
fn texts(samples: &Samples, word: impl Fn(usize) -> String) -> Vec<Action> {
    let mut text = String::new();
    for number in 0.. {
        let word = word(number);
        if text.len() + word.len() > TEXT_BYTES {
            break;
        }
        text.push_str(&word);
    }
    let person = json!({"slug": "kurultai-bench-attack-text", "name": {"en": "Somebody Else"}, "biography": {"en": text.trim_end()}});
    let content = json!({"person": person}).to_string();
    vec![Action::Send(vec![AttackRequest::upload("person.ndjson", &content, true, token(samples))]); 4]
}

//! The forms of a person's names and identifiers by which texts are recognized.

use crate::core::sound::sound;
use crate::store::curation::withholding::name_words::{Token, tokens};

/// Replacement for the name, by language.
pub(crate) const REPLACEMENT_NAMES: [(&str, &str); 3] =
    [("en", "Name withheld"), ("ru", "Имя не разглашается"), ("kk", "Есімі жарияланбайды")];
/// Minimum length of a single word by which a person is recognized, in folded letters.
pub(super) const MIN_LONE_WORD_LETTERS: usize = 5;
/// Minimum length of a word that an initial completes to a name.
pub(super) const MIN_WORD_LETTERS_WITH_INITIAL: usize = 4;
/// Length from which on a stem may stand without an ending: Ann is not Anna, but Петров may be Петрова.
const MIN_BARE_STEM_LETTERS: usize = 5;
/// Minimum length of a stem.
pub(super) const MIN_STEM_LETTERS: usize = 3;
/// Prefix of the forms of how a word sounds.
pub(super) const SOUND: &str = "sound-";
/// Words of names that are no names by themselves.
pub(super) const PARTICLES: [&str; 15] =
    ["van", "von", "der", "den", "de", "da", "di", "la", "le", "al", "el", "bin", "ibn", "ben", "ogli"];
/// Class of a name of one word.
pub(super) const WHOLE_NAME: i32 = 0;
/// Class of an identifier.
pub(super) const IDENTIFIER: i32 = i32::MIN;
/// Maximum number of words of a name that is recognized only as a whole.
const MAX_EXACT_WORDS: usize = 6;
/// Endings of the dictionary forms of names, which case endings replace; the longest first. Folded, with i for y.
const NAME_ENDINGS: [&str; 11] = ["aia", "iaia", "ii", "oi", "ei", "ai", "ia", "a", "e", "i", "o"];
/// Minimum number of digits of an identifier that is recognized in texts, whatever its scheme. Shorter numbers mean other things.
pub(super) const MIN_IDENTIFIER_DIGITS: usize = 7;
/// Maximum length of an identifier that is recognized in texts.
pub(super) const MAX_IDENTIFIER_CHARS: usize = 64;

/// Forms of the words of a person's names and of the values of the identifiers, each with the class of its word. Their digests
/// are stored.
pub(in crate::store::curation) fn forms_of_person<'v>(names: &[String], identifiers: impl Iterator<Item = &'v str>) -> Vec<(String, i32)> {
    let mut forms = name_forms(names);
    for value in identifiers.filter(|value| value.chars().filter(char::is_ascii_digit).count() >= MIN_IDENTIFIER_DIGITS) {
        let letters: String = tokens(value).iter().map(|token| token.folded.as_str()).collect();
        if letters.len() <= MAX_IDENTIFIER_CHARS {
            forms.push((identifier_form(&letters), IDENTIFIER));
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

/// The form of an identifier, by its letters and digits.
pub(super) fn identifier_form(letters: &str) -> String {
    format!("identifier:{letters}")
}

/// Forms of the words of a person's names, each with the class of its word.
fn name_forms(names: &[String]) -> Vec<(String, i32)> {
    let labels: Vec<String> = REPLACEMENT_NAMES.iter().flat_map(|(_, label)| tokens(label)).map(|token| token.folded).collect();
    let mut classes: Vec<String> = Vec::new();
    let mut forms = Vec::new();
    let is_particle = |token: &Token| PARTICLES.contains(&token.folded.as_str());
    let all_of = |name: &String| -> Vec<Token> {
        tokens(name).into_iter().filter(|token| token.folded.len() >= 2 && !labels.contains(&token.folded)).collect()
    };
    let words_of = |name: &String| -> Vec<Token> { all_of(name).into_iter().filter(|token| !is_particle(token)).collect() };
    // a nickname or a family name beside a full name may be an ordinary word
    let has_full_name = names.iter().any(|name| words_of(name).len() > 1);
    for name in names {
        let mut words = words_of(name);
        // one particle can be a name, as in Van Viktor; several, as in van der Elst, belong to a family name
        let all = all_of(name);
        let has_particles = words.len() == 1 && all.len() > 1;
        if has_particles && all.len() == 2 && !has_full_name {
            words = all;
        }
        let initials: Vec<Token> = tokens(name).into_iter().filter(|token| token.is_letter).collect();
        match words.as_slice() {
            // a family name with initials is recognized with them, unless it is very short
            [token] if !initials.is_empty() && token.folded.len() < MIN_WORD_LETTERS_WITH_INITIAL => {
                forms.extend(exact_form(&tokens(name)));
            }
            [_] if !initials.is_empty() => {}
            [_] if has_particles && !has_full_name => forms.extend(exact_form(&tokens(name))),
            [token] if token.folded.len() >= MIN_LONE_WORD_LETTERS && !has_full_name => {
                forms.extend(forms_of(token).into_iter().map(|form| (form, WHOLE_NAME)));
            }
            [] | [_] if !has_full_name => forms.extend(exact_form(&tokens(name))),
            [] | [_] | [_, _, ..] => {}
        }
        if words.len() == 1 {
            for letter in initials {
                let form = format!("initial:{}", letter.initial());
                if !classes.contains(&form) {
                    classes.push(form.clone());
                    forms.push((form, i32::try_from(classes.len()).unwrap_or(i32::MAX)));
                }
            }
        }
        for token in words {
            if classes.contains(&token.folded) {
                continue;
            }
            classes.push(token.folded.clone());
            let class = i32::try_from(classes.len()).unwrap_or(i32::MAX);
            let initial = format!("initial:{}", token.initial());
            forms.extend(forms_of(&token).into_iter().chain([initial]).map(|form| (form, class)));
        }
    }
    forms
}

/// The form of a name that is recognized as a whole, and its class.
pub(super) fn exact_form(tokens: &[Token]) -> Option<(String, i32)> {
    let length = i32::try_from(tokens.len()).ok().filter(|_| (1..=MAX_EXACT_WORDS).contains(&tokens.len()))?;
    let words: Vec<&str> = tokens.iter().map(|token| token.folded.as_str()).collect();
    Some((format!("exact:{}", words.join(" ")), -length))
}

/// Forms by which a word of a name is recognized.
fn forms_of(token: &Token) -> Vec<String> {
    let mut forms = Vec::new();
    for word in [&token.folded].into_iter().chain(&token.variants) {
        forms.extend(forms_of_word(word));
        let sound = sound(word);
        if sound.len() >= MIN_STEM_LETTERS {
            forms.extend(forms_of_word(&sound).into_iter().map(|form| format!("{SOUND}{form}")));
        }
    }
    forms
}

fn forms_of_word(word: &str) -> Vec<String> {
    let stem_form = |stem: &str| if stem.len() < MIN_BARE_STEM_LETTERS { format!("stem+:{stem}") } else { format!("stem:{stem}") };
    let full_forms = |stem: &str, endings: &[&str]| endings.iter().map(|ending| format!("full:{stem}{ending}")).collect::<Vec<_>>();
    let mut forms = vec![format!("full:{word}")];
    let ending = NAME_ENDINGS.iter().filter(|ending| word.ends_with(**ending));
    let is_long_enough = |stem: &&str| stem.len() >= MIN_STEM_LETTERS;
    let stem = ending
        .map(|ending| (ending, &word[..word.len() - ending.len()]))
        .find(|(ending, stem)| is_long_enough(stem) && (ending.len() == 1 || stem.len() > MIN_STEM_LETTERS))
        .map(|(_, stem)| stem);
    forms.push(stem_form(stem.unwrap_or(word)));
    // stems too short to be recognized by themselves: Илья, Ильи
    if let Some(stem) = word.strip_suffix("ia").filter(|stem| stem.len() >= 2 && stem.len() <= MIN_STEM_LETTERS) {
        forms.extend(full_forms(stem, &["i", "ie", "iu", "iei"]));
    }
    if stem.is_none() && word.len() < MIN_STEM_LETTERS {
        forms.extend(full_forms(word, &["a", "u", "om", "em", "e"]));
    }
    // a vowel that case endings drop: Павел, Павла; Лев, Льва; Заяц, Зайца
    if let (None, Some(vowel)) = (stem, fleeting_vowel(word)) {
        let dropped = format!("{}{}", &word[..vowel], &word[vowel + 1..]);
        if dropped.len() < MIN_STEM_LETTERS {
            forms.extend(full_forms(&dropped, &["a", "u", "om", "em", "e"]));
        } else {
            forms.push(format!("stem+:{dropped}"));
        }
    }
    forms
}

/// Index of the vowel of the last syllable, if a case ending may drop it.
fn fleeting_vowel(word: &str) -> Option<usize> {
    let bytes = word.as_bytes();
    let vowel = bytes.iter().rposition(|byte| b"aeiou".contains(byte))?;
    let is_followed = (1..=2).contains(&(bytes.len() - 1 - vowel)) && vowel > 0;
    let is_fleeting = matches!(bytes[vowel], b'e' | b'o') || (bytes[vowel] == b'a' && word[..vowel].ends_with('i'));
    (is_followed && is_fleeting).then_some(vowel)
}

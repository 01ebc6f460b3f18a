//! Whether two words that could make a name do so where they stand: a list of people has the same words.

use crate::store::curation::withholding::name_recognition::forms::PARTICLES;
use crate::store::curation::withholding::name_recognition::word_kind::{CLOSING, OPENING, is_after_comma, is_patronymic, is_title};
use crate::store::curation::withholding::name_words::Token;

/// Maximum length of a word that is a name in a sentence only with a capital letter: many are ordinary words of some language.
const MAX_SHORT_WORD_LETTERS: usize = 4;
/// Capital letters that are numbers, too, as in *Article V*, or stand for versus.
const NUMERALS: [char; 3] = ['I', 'V', 'X'];
const CLAUSE_ENDS: [char; 5] = [';', ':', '!', '?', '|'];

/// Whether the words at `first` and `second` stand together as one name. `has_other_name` says that another name is between them.
pub(super) fn is_one_name(tokens: &[Token], first: usize, second: usize, has_other_name: bool) -> bool {
    if !(first + 1..=second).any(|index| has_space(&tokens[index])) {
        return true;
    }
    if (first + 1..=second).any(|index| ends_clause(tokens, index)) || !is_cased_as_name(&[&tokens[first], &tokens[second]]) {
        return false;
    }
    let has_comma = (first + 1..=second).any(|index| tokens[index].gap.contains(&','));
    if tokens[first].is_initial {
        return !has_comma && begins_initials(tokens, first) && !is_numeral(tokens, first);
    }
    if tokens[second].is_initial && tokens[first + 1..second].iter().any(|token| token.is_initial) {
        return false;
    }
    if has_comma {
        let is_quoted =
            tokens[second].gap.contains(&',') && tokens[second].gap.iter().any(|letter| *letter != ',' && CLOSING.contains(letter));
        return !is_quoted && !follows_name(tokens, first) && !precedes_name(tokens, second);
    }
    let opens = has_other_name && tokens[second].gap.iter().any(|letter| OPENING.contains(letter) && *letter != '*');
    !opens || tokens.get(second + 1).is_none_or(|next| next.gap.iter().any(|letter| CLOSING.contains(letter)))
}

/// Whether words are written as a name is in a sentence: short ones need a capital letter.
fn is_cased_as_name(words: &[&Token]) -> bool {
    let is_short = |word: &&&Token| word.folded.len() <= MAX_SHORT_WORD_LETTERS;
    let words: Vec<&&Token> = words.iter().filter(|word| !word.is_initial).collect();
    !words.iter().any(|word| word.first.is_lowercase()) || !words.iter().any(is_short)
}

/// As [`is_cased_as_name`], for a whole name. Particles have small letters.
pub(super) fn is_cased_as_whole_name(words: &[Token]) -> bool {
    let words: Vec<&Token> = words.iter().filter(|word| !PARTICLES.contains(&word.folded.as_str())).collect();
    is_cased_as_name(&words)
}

pub(super) fn has_space(token: &Token) -> bool {
    token.gap.iter().any(|letter| letter.is_whitespace())
}

/// Whether a clause ends before a word. A full stop behind an initial or a title does not end one.
fn ends_clause(tokens: &[Token], index: usize) -> bool {
    let before = &tokens[index - 1];
    let gap = &tokens[index].gap;
    has_space(&tokens[index])
        && (gap.iter().any(|letter| CLAUSE_ENDS.contains(letter)) || (gap.contains(&'.') && !before.is_initial && !is_title(before)))
}

/// Whether an initial is the first one: in *I. A. Petrova*, A. is that of the patronymic.
fn begins_initials(tokens: &[Token], index: usize) -> bool {
    !(index > 0 && tokens[index - 1].is_initial && tokens[index].gap_length() <= 2 && !tokens[index].gap.contains(&','))
}

/// Whether a letter is a number or stands for versus: a capitalized word is before it.
fn is_numeral(tokens: &[Token], index: usize) -> bool {
    NUMERALS.contains(&tokens[index].first) && follows_name(tokens, index)
}

/// Whether a capitalized word stands right before a word.
fn follows_name(tokens: &[Token], index: usize) -> bool {
    let is_joined = tokens[index].gap.iter().all(|letter| letter.is_whitespace());
    index > 0 && is_joined && is_capitalized(&tokens[index - 1])
}

/// Whether a capitalized word stands right behind a word, other than a patronymic, or behind an initial.
fn precedes_name(tokens: &[Token], index: usize) -> bool {
    let mut next = index + 1;
    if tokens[index].is_initial {
        next += tokens[next.min(tokens.len())..].iter().take_while(|token| token.is_initial).count();
    }
    tokens.get(next).is_some_and(|token| !is_after_comma_or_bracket(token) && is_capitalized(token) && !is_patronymic(token))
}

/// Whether something other than white space, or the full stop of an initial, separates a word from the one before.
fn is_after_comma_or_bracket(token: &Token) -> bool {
    let is_stop = token.gap.first() == Some(&'.');
    (is_after_comma(token) && !is_stop) || token.gap.iter().any(|letter| OPENING.contains(letter) || CLOSING.contains(letter))
}

fn is_capitalized(token: &Token) -> bool {
    token.first.is_uppercase() && !token.is_initial && !is_title(token)
}

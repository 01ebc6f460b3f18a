//! The characters of a text as a reader or a program sees them: encodings are decoded, and markup is left out.

use std::ops::Range;

/// Encodings may stand in each other, such as a percent-encoded address with character references.
const MAX_ENCODINGS: usize = 3;
/// Maximum number of characters of a tag of HTML.
const MAX_TAG_CHARS: usize = 300;
/// Maximum length of the name of a character reference. The longest of HTML is `CounterClockwiseContourIntegral`.
const MAX_REFERENCE_CHARS: usize = 32;
/// Maximum length of the name of a character reference that may stand without a semicolon.
const MAX_LEGACY_REFERENCE_CHARS: usize = 6;
/// Maximum number of characters of a label of a domain name (RFC 1035, section 2.3.4).
const MAX_LABEL_CHARS: usize = 63;
/// Minimum number of encoded bytes by which a text is taken as quoted-printable (RFC 2045, section 6.7).
const MIN_QUOTED_BYTES: usize = 3;
/// Maximum number of signs between two letters of a word that is divided, such as **Za**ri-na.
const MAX_DIVIDING_CHARS: usize = 4;
/// Elements of HTML that stand within a word. Others end it.
const INLINE_ELEMENTS: [&str; 20] = [
    "a", "abbr", "b", "bdi", "bdo", "cite", "del", "em", "font", "i", "ins", "mark", "s", "small", "span", "strong", "sub", "sup", "u",
    "wbr",
];

/// A character as a reader sees it, and the range of the text that stands for it.
pub(super) type Seen = (Range<usize>, char);

/// A way to read a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// As it stands, decoded.
    Plain,
    /// Without tags.
    Untagged,
    /// With words in mixed case divided, as in a hashtag.
    Divided,
    /// With divided words joined.
    Joined,
}

/// The ways to read a text, each as the characters that a reader or a program sees. Names are recognized in each of them.
pub(super) fn readings(text: &str) -> Vec<(Vec<Seen>, Reading)> {
    let plain = seen(text);
    let mut readings = Vec::with_capacity(1);
    let untagged = plain.iter().any(|(_, letter)| *letter == '<').then(|| without_tags(&plain)).filter(|found| found.len() < plain.len());
    for reading in std::iter::once(&plain).chain(&untagged) {
        readings.extend(divided_words(reading).map(|found| (found, Reading::Divided)));
        readings.extend(joined_words(reading).map(|found| (found, Reading::Joined)));
    }
    readings.extend(untagged.map(|found| (found, Reading::Untagged)));
    readings.extend(quoted_printable(&plain).map(|found| (found, Reading::Plain)));
    readings.insert(0, (plain, Reading::Plain));
    readings
}

/// The characters of a text, decoded.
pub(super) fn seen(text: &str) -> Vec<Seen> {
    let mut seen: Vec<Seen> = text.char_indices().map(|(start, letter)| (start..start + letter.len_utf8(), letter)).collect();
    if text.contains(['%', '&', '\\']) || has_encoded_label(text) {
        for _ in 0..MAX_ENCODINGS {
            let decoded = decode(&seen);
            if decoded.len() == seen.len() {
                break;
            }
            seen = decoded;
        }
    }
    seen
}

/// Decodes one layer of encoding. What is no valid code stays as it is.
fn decode(seen: &[Seen]) -> Vec<Seen> {
    let mut decoded = Vec::with_capacity(seen.len());
    let mut rest = seen;
    while let Some(((range, letter), tail)) = rest.split_first() {
        let code = match letter {
            '%' => percent_code(rest),
            '&' => character_reference(rest),
            '\\' => escape(rest),
            'x' | 'X' => {
                let before = decoded.last().is_some_and(|(_, letter): &Seen| letter.is_alphanumeric());
                if let Some((letters, length)) = encoded_label(rest).filter(|_| !before) {
                    let range = range.start..rest[length - 1].0.end;
                    decoded.extend(letters.chars().map(|letter| (range.clone(), letter)));
                    rest = &rest[length..];
                    continue;
                }
                None
            }
            _ => None,
        };
        if let Some((letter, length)) = code {
            decoded.push((range.start..rest[length - 1].0.end, letter));
            rest = &rest[length..];
        } else {
            decoded.push((range.clone(), *letter));
            rest = tail;
        }
    }
    decoded
}

/// Reads the number of two or more digits at the beginning of characters.
fn hex(seen: &[Seen], digits: usize) -> Option<u32> {
    let mut digits = seen.get(..digits)?.iter().map(|(_, letter)| letter.to_digit(16));
    digits.try_fold(0, |number, digit| Some(number * 16 + digit?))
}

/// The character of `%D0%B0` (RFC 3986, section 2.1), with the number of characters read.
fn percent_code(seen: &[Seen]) -> Option<(char, usize)> {
    let byte = |index: usize| {
        let code = seen.get(3 * index..).filter(|code| code.first().is_some_and(|(_, letter)| *letter == '%'))?;
        u8::try_from(hex(&code[1..], 2)?).ok()
    };
    let first = byte(0)?;
    let length = match first {
        0..0x80 => 1,
        0xC2..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0..0xF5 => 4,
        0x80..0xC2 | 0xF5..=0xFF => return None,
    };
    let bytes: Vec<u8> = (0..length).map(byte).collect::<Option<_>>()?;
    Some((std::str::from_utf8(&bytes).ok()?.chars().next()?, 3 * length))
}

/// The character of `&#1072;`, `&#x430;` or `&Acy;`, with the number of characters read. As in HTML, the semicolon may be
/// missing after a number and after the oldest names.
fn character_reference(seen: &[Seen]) -> Option<(char, usize)> {
    if seen.get(1).is_some_and(|(_, letter)| *letter == '#') {
        return numeric_reference(seen);
    }
    let letters = seen[1..].iter().map(|(_, letter)| *letter);
    let name: String = letters.take(MAX_REFERENCE_CHARS).take_while(char::is_ascii_alphanumeric).collect();
    if seen.get(name.len() + 1).is_some_and(|(_, letter)| *letter == ';') {
        return Some((named_character(&name)?, name.len() + 2));
    }
    // names without a semicolon stand for characters of Latin-1
    let lengths = (2..=name.len().min(MAX_LEGACY_REFERENCE_CHARS)).rev();
    let mut found = lengths.filter_map(|length| Some((named_character(&name[..length])?, length + 1)));
    found.find(|(letter, _)| *letter <= '\u{ff}')
}

/// The character of a name of HTML.
fn named_character(name: &str) -> Option<char> {
    let reference = format!("&{name};");
    let decoded = html_escape::decode_html_entities(&reference);
    let mut letters = decoded.chars();
    let letter = letters.next()?;
    (letters.next().is_none() && decoded != reference).then_some(letter)
}

fn numeric_reference(seen: &[Seen]) -> Option<(char, usize)> {
    const MAX_DIGITS: usize = 10;
    let (radix, start) = if matches!(seen.get(2)?.1, 'x' | 'X') { (16, 3) } else { (10, 2) };
    let letters = seen[start..].iter().map(|(_, letter)| *letter);
    let digits: String = letters.take(MAX_DIGITS).take_while(|letter| letter.is_digit(radix)).collect();
    let letter = u32::from_str_radix(&digits, radix).ok().and_then(char::from_u32)?;
    let end = start + digits.len();
    let has_semicolon = seen.get(end).is_some_and(|(_, letter)| *letter == ';');
    Some((letter, end + usize::from(has_semicolon)))
}

/// The character of `\u0430`, of two such escapes that make one, or of `\u{430}`, `\U00000430`, `\x41` and `\101`, with
/// the number of characters read.
fn escape(seen: &[Seen]) -> Option<(char, usize)> {
    let letter = |code: u32, length: usize| Some((char::from_u32(code)?, length));
    match seen.get(1)?.1 {
        'u' if seen.get(2)?.1 == '{' => {
            let digits = seen[3..].iter().take_while(|(_, letter)| letter.is_ascii_hexdigit()).count();
            let is_closed = (1..=6).contains(&digits) && seen.get(3 + digits).is_some_and(|(_, letter)| *letter == '}');
            if is_closed { letter(hex(&seen[3..], digits)?, digits + 4) } else { None }
        }
        'u' => utf16_escape(seen),
        'U' => letter(hex(seen.get(2..)?, 8)?, 10),
        'x' => letter(hex(seen.get(2..)?, 2)?, 4),
        '0'..='7' => {
            let mut digits = seen.get(1..4)?.iter().map(|(_, letter)| letter.to_digit(8));
            letter(digits.try_fold(0, |number, digit| Some(number * 8 + digit?))?, 4)
        }
        _ => None,
    }
}

fn utf16_escape(seen: &[Seen]) -> Option<(char, usize)> {
    let unit = |seen: &[Seen]| {
        let is_escape = seen.get(1).is_some_and(|(_, letter)| *letter == 'u') && seen[0].1 == '\\';
        u16::try_from(if is_escape { hex(seen.get(2..)?, 4)? } else { return None }).ok()
    };
    let first = unit(seen)?;
    let second = seen.get(6..).filter(|seen| !seen.is_empty()).and_then(unit);
    let letter = char::decode_utf16([first].into_iter().chain(second)).next()?.ok()?;
    Some((letter, 6 * letter.len_utf16()))
}

/// Whether a text may have a label of a domain name in Punycode.
fn has_encoded_label(text: &str) -> bool {
    text.as_bytes().windows(4).any(|start| start.eq_ignore_ascii_case(b"xn--"))
}

/// The letters of a label of a domain name in Punycode (RFC 3492), with the number of characters read.
fn encoded_label(seen: &[Seen]) -> Option<(String, usize)> {
    let is_of_label = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '-';
    let label: String = seen.iter().take(MAX_LABEL_CHARS).map(|(_, letter)| letter.to_ascii_lowercase()).take_while(is_of_label).collect();
    let letters = idna::punycode::decode_to_string(label.strip_prefix("xn--")?)?;
    Some((letters, label.len()))
}

/// The characters without tags of HTML. One that stands within a word leaves nothing, another one a space.
fn without_tags(seen: &[Seen]) -> Vec<Seen> {
    let mut found = Vec::with_capacity(seen.len());
    let mut rest = seen;
    while let Some((first, tail)) = rest.split_first() {
        let Some((name, length)) = tag(rest) else {
            found.push(first.clone());
            rest = tail;
            continue;
        };
        if !INLINE_ELEMENTS.contains(&name.as_str()) {
            found.push((first.0.start..rest[length - 1].0.end, ' '));
        }
        rest = &rest[length..];
    }
    found
}

/// The name of the tag at the beginning of characters, in lower case, with the number of characters of the tag.
fn tag(seen: &[Seen]) -> Option<(String, usize)> {
    if seen.first()?.1 != '<' {
        return None;
    }
    let start = if seen.get(1)?.1 == '/' { 2 } else { 1 };
    let name = seen.get(start..)?.iter().map(|(_, letter)| *letter).take_while(char::is_ascii_alphanumeric);
    let name: String = name.take(MAX_TAG_CHARS).map(|letter| letter.to_ascii_lowercase()).collect();
    let end = seen.iter().take(MAX_TAG_CHARS).skip(1).position(|(_, letter)| matches!(letter, '<' | '>'))? + 1;
    (!name.is_empty() && seen[end].1 == '>').then_some((name, end + 1))
}

/// The characters with a space before each capital letter within a word, as in `#FreeAnnaPetrova`. Not set if there are none.
fn divided_words(seen: &[Seen]) -> Option<Vec<Seen>> {
    let is_divided = |at: usize| at > 0 && seen[at].1.is_uppercase() && seen[at - 1].1.is_lowercase();
    if !(0..seen.len()).any(is_divided) {
        return None;
    }
    let mut found = Vec::with_capacity(seen.len() + 8);
    for (at, (range, letter)) in seen.iter().enumerate() {
        if is_divided(at) {
            found.push((range.start..range.start, ' '));
        }
        found.push((range.clone(), *letter));
    }
    Some(found)
}

/// The characters without the signs that divide words, as in "Za-ri-na" and "Za**ri**na". Not set if there are none.
fn joined_words(seen: &[Seen]) -> Option<Vec<Seen>> {
    let is_sign = |letter: char| !letter.is_alphanumeric() && !letter.is_whitespace();
    let mut found: Vec<Seen> = Vec::with_capacity(seen.len());
    let mut rest = seen;
    while let Some((first, tail)) = rest.split_first() {
        let signs = match rest {
            // a word that is divided at the end of a line
            [(_, '-' | '\u{ad}'), (_, '\n'), ..] => 2,
            _ => rest.iter().take(MAX_DIVIDING_CHARS + 1).take_while(|(_, letter)| is_sign(*letter)).count(),
        };
        let is_within = found.last().is_some_and(|(_, letter)| letter.is_alphanumeric())
            && rest.get(signs).is_some_and(|(_, letter)| letter.is_alphanumeric());
        if (1..=MAX_DIVIDING_CHARS).contains(&signs) && is_within {
            rest = &rest[signs..];
        } else {
            found.push(first.clone());
            rest = tail;
        }
    }
    (found.len() < seen.len()).then_some(found)
}

/// The characters of a quoted-printable text. Not set if it is none.
fn quoted_printable(seen: &[Seen]) -> Option<Vec<Seen>> {
    let is_code = |at: usize| {
        let is_digit = |at: usize| seen.get(at).is_some_and(|(_, letter)| matches!(letter, '0'..='9' | 'A'..='F'));
        seen[at].1 == '=' && is_digit(at + 1) && is_digit(at + 2)
    };
    if (0..seen.len()).filter(|at| is_code(*at)).take(MIN_QUOTED_BYTES).count() < MIN_QUOTED_BYTES {
        return None;
    }
    let as_percent = |(at, (range, letter)): (usize, &Seen)| (range.clone(), if is_code(at) { '%' } else { *letter });
    Some(decode(&seen.iter().enumerate().map(as_percent).collect::<Vec<_>>()))
}

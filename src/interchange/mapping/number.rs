//! Reads numbers as tables write them. A text that can be read in two ways is an error until the mapping says how.

use crate::core::decimal::exact_number;

/// Largest whole number that a floating-point number keeps exactly.
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;

/// Digits in a group of digits.
const GROUP_DIGITS: usize = 3;

/// How a table writes numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NumberFormat {
    /// Decimal separator: a point or a comma.
    pub(super) decimal: Option<char>,
    /// Separator of groups of three digits: a point, a comma, an apostrophe, or a space for every kind of space.
    pub(super) thousands: Option<char>,
}

/// The digits of a number.
struct Digits {
    is_negative: bool,
    integer: String,
    fraction: Option<String>,
}

impl NumberFormat {
    /// Digits with a decimal point and without groups, as programs write numbers.
    pub(super) const PLAIN: Self = Self { decimal: Some('.'), thousands: None };

    /// Why the two separators cannot be used together, if they cannot.
    pub(super) fn conflict(self) -> Option<String> {
        let same = self.decimal.filter(|decimal| self.thousands == Some(*decimal))?;
        Some(format!("decimal and thousands are both \"{same}\"; a number needs two different separators"))
    }

    /// A whole number of 32 bits.
    pub(super) fn integer(self, text: &str) -> Result<i64, String> {
        let digits = self.digits(text)?;
        if digits.fraction.is_some() {
            return Err(format!("\"{text}\" has a fraction; this field is a whole number"));
        }
        let sign = if digits.is_negative { "-" } else { "" };
        let number = format!("{sign}{}", digits.integer).parse::<i32>();
        number
            .map(i64::from)
            .map_err(|_| format!("\"{text}\" does not fit; this field is a whole number from {} to {}", i32::MIN, i32::MAX))
    }

    /// A number. Whole numbers that would be rounded are errors.
    pub(super) fn number(self, text: &str) -> Result<f64, String> {
        let digits = self.digits(text)?;
        let sign = if digits.is_negative { "-" } else { "" };
        let fraction = digits.fraction.as_deref().unwrap_or("0");
        let plain = format!("{sign}{}.{fraction}", digits.integer);
        if plain.parse::<f64>().is_ok_and(|number| number.abs() > MAX_EXACT_INTEGER) {
            return Err(format!("\"{text}\" does not fit; whole numbers up to {MAX_EXACT_INTEGER} are kept exactly"));
        }
        exact_number(&plain).ok_or_else(|| {
            format!("\"{text}\" would be rounded; a number keeps some 15 digits, and whole numbers up to {MAX_EXACT_INTEGER}")
        })
    }

    fn digits(self, text: &str) -> Result<Digits, String> {
        let (is_negative, body) = match text.strip_prefix(['-', '\u{2212}']) {
            Some(body) => (true, body),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let body: String = body.chars().map(unify_separator).collect();
        if body.contains(|char: char| !char.is_ascii_digit() && !is_separator(char)) || !body.contains(|char: char| char.is_ascii_digit()) {
            return Err(not_a_number(text));
        }
        let (integer, fraction) =
            if self.decimal.is_none() && self.thousands.is_none() { split_plain(text, &body)? } else { self.split(text, &body)? };
        Ok(Digits { is_negative, integer, fraction })
    }

    /// Splits a number by the separators of the mapping.
    fn split(self, text: &str, body: &str) -> Result<(String, Option<String>), String> {
        // a point that separates no groups is the decimal point
        let decimal = self.decimal.or((self.thousands != Some('.')).then_some('.'));
        if let Some(other) = body.chars().find(|char| is_separator(*char) && Some(*char) != decimal && Some(*char) != self.thousands) {
            let known = [("decimal", decimal), ("thousands", self.thousands)];
            let known: Vec<String> = known.iter().filter_map(|(name, char)| char.map(|char| format!("{name}: \"{char}\""))).collect();
            return Err(format!("\"{text}\" has a \"{other}\", which is not a separator of this mapping ({})", known.join(", ")));
        }
        let (integer, fraction) = match decimal.and_then(|decimal| body.split_once(decimal)) {
            Some((integer, fraction)) => (integer, Some(fraction)),
            None => (body, None),
        };
        if integer.is_empty() || fraction.is_some_and(|fraction| fraction.is_empty() || fraction.contains(is_separator)) {
            return Err(not_a_number(text));
        }
        if let Some(thousands) = self.thousands
            && integer.contains(thousands)
            && !is_grouped(integer, thousands)
        {
            return Err(format!("\"{text}\" has groups that are not of three digits; correct the number"));
        }
        if integer.contains(|char: char| is_separator(char) && Some(char) != self.thousands) {
            return Err(not_a_number(text));
        }
        Ok((integer.chars().filter(char::is_ascii_digit).collect(), fraction.map(str::to_owned)))
    }
}

/// Splits a number for which the mapping gives no separators: only digits, and a point that cannot separate groups.
fn split_plain(text: &str, body: &str) -> Result<(String, Option<String>), String> {
    let Some(separator) = body.chars().find(|char| is_separator(*char)) else { return Ok((body.to_owned(), None)) };
    let is_single = body.chars().filter(|char| is_separator(*char)).count() == 1;
    let (integer, fraction) = body.split_once(separator).unwrap_or((body, ""));
    if is_single && matches!(separator, '.' | ',') && is_grouped(body, separator) {
        return Err(format!(
            "\"{text}\" can be read as {integer}{fraction} and as {integer}.{fraction}; write decimal: \"{separator}\" or thousands: \
             \"{separator}\" in the mapping"
        ));
    }
    if is_single && separator == '.' && !integer.is_empty() && !fraction.is_empty() {
        return Ok((integer.to_owned(), Some(fraction.to_owned())));
    }
    let options = match separator {
        ',' if is_single => "decimal: \",\"".to_owned(),
        separator => format!("thousands: \"{separator}\""),
    };
    Err(format!(
        "\"{text}\" has a \"{separator}\"; without separators in the mapping, a number is written as 1234.5. Write {options} in the mapping"
    ))
}

/// Whether the digits can be groups: one to three digits, then groups of three. A group does not begin a number with 0.
fn is_grouped(integer: &str, separator: char) -> bool {
    let mut groups = integer.split(separator);
    let first = groups.next().unwrap_or_default();
    let has_first = (1..=GROUP_DIGITS).contains(&first.len()) && !first.starts_with('0') && first.bytes().all(|byte| byte.is_ascii_digit());
    has_first && groups.all(|group| group.len() == GROUP_DIGITS && group.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_separator(char: char) -> bool {
    matches!(char, '.' | ',' | ' ' | '\'')
}

/// Every kind of space on one line is a space, and a typographic apostrophe is an apostrophe.
fn unify_separator(char: char) -> char {
    match char {
        '\u{2019}' => '\'',
        char if char.is_whitespace() && !matches!(char, '\n' | '\r') => ' ',
        char => char,
    }
}

fn not_a_number(text: &str) -> String {
    format!("\"{text}\" is not a number; write digits, such as 1234.5, without units, percent signs and exponents")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn format(decimal: &str, thousands: &str) -> NumberFormat {
        NumberFormat { decimal: decimal.chars().next(), thousands: thousands.chars().next() }
    }

    #[rstest]
    #[case("1234", "", "", 1234.0)]
    #[case("-12.5", "", "", -12.5)]
    #[case("\u{2212}12.5", "", "", -12.5)]
    #[case("0.123", "", "", 0.123)]
    #[case("1234.567", "", "", 1234.567)]
    #[case("1.234", ".", "", 1.234)]
    #[case("1.234", "", ".", 1234.0)]
    #[case("1,234", ",", "", 1.234)]
    #[case("1,234", "", ",", 1234.0)]
    #[case("1\u{a0}234\u{202f}567,5", ",", " ", 1_234_567.5)]
    #[case("1\u{2009}234", ",", " ", 1234.0)]
    #[case("1'234.5", "", "'", 1234.5)]
    #[case("1\u{2019}234.5", ".", "'", 1234.5)]
    #[case("1.234.567,89", ",", ".", 1_234_567.89)]
    #[case("1234567", ",", " ", 1_234_567.0)]
    fn number_is_read_by_its_format(#[case] text: &str, #[case] decimal: &str, #[case] thousands: &str, #[case] expected: f64) {
        assert!((format(decimal, thousands).number(text).unwrap() - expected).abs() < f64::EPSILON, "{text}");
    }

    #[rstest]
    #[case("1,234", "", "", "can be read as 1234 and as 1.234; write decimal: \",\" or thousands: \",\" in the mapping")]
    #[case("1.234", "", "", "can be read as 1234 and as 1.234")]
    #[case("12,5", "", "", "Write decimal: \",\" in the mapping")]
    #[case("1 234", "", "", "Write thousands: \" \" in the mapping")]
    #[case("1,234,567", "", "", "Write thousands: \",\" in the mapping")]
    #[case("1.234,5", ",", "", "has a \".\", which is not a separator of this mapping (decimal: \",\")")]
    #[case("1 23", ",", " ", "groups that are not of three digits")]
    #[case("1234 567", ",", " ", "groups that are not of three digits")]
    #[case("1,234 567", ",", " ", "is not a number")]
    #[case("12%", "", "", "is not a number")]
    #[case("1e3", "", "", "is not a number")]
    #[case("NaN", "", "", "is not a number")]
    #[case("inf", "", "", "is not a number")]
    #[case("-", "", "", "is not a number")]
    #[case("1\n234", "", " ", "is not a number")]
    #[case("12345678901234567890", "", "", "does not fit")]
    #[case("9007199254740993", "", "", "would be rounded")]
    #[case("1234.5678901234567890", "", "", "would be rounded")]
    fn other_numbers_are_errors(#[case] text: &str, #[case] decimal: &str, #[case] thousands: &str, #[case] expected: &str) {
        let error = format(decimal, thousands).number(text).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn whole_number_has_no_fraction_and_fits() {
        assert_eq!(format(",", " ").integer("\u{2212}1 234"), Ok(-1234));
        assert!(format("", "").integer("1.0").unwrap_err().contains("has a fraction"));
        assert!(format("", "").integer("2147483648").unwrap_err().contains("from -2147483648 to 2147483647"));
    }
}

//! Decimal numbers that a floating-point number keeps exactly as they are written.

/// The number that a text in plain decimal notation (`-12.50`) stands for; `None` for other text, for numbers that would be
/// rounded, and for those beyond the range of floating-point numbers. A number is kept if the shortest text for it is the
/// given one, apart from zeros at its ends.
pub fn exact_number(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
    let shortest = number.to_string();
    (significant(&shortest)? == significant(text)?).then_some(number)
}

/// Whether a text is a number in plain decimal notation: an optional sign, digits, and a point between digits.
pub fn is_plain_decimal(text: &str) -> bool {
    significant(text).is_some()
}

/// Sign, whole digits and fraction, without zeros at the ends.
fn significant(text: &str) -> Option<(bool, &str, &str)> {
    let body = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match body.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (body, ""),
    };
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    Some((body.len() < text.len() && !(whole.is_empty() && fraction.is_empty()), whole, fraction))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0", Some(0.0))]
    #[case("-0.0", Some(0.0))]
    #[case("0012.500", Some(12.5))]
    #[case("20.20", Some(20.2))]
    #[case("9007199254740992", Some(9_007_199_254_740_992.0))]
    #[case("9007199254740993", None)]
    #[case("9007199254740992.5", None)]
    #[case("1234.5678901234567890", None)]
    #[case("0.30000000000000004", Some(0.300_000_000_000_000_04))]
    #[case("1e3", None)]
    #[case("nan", None)]
    #[case("inf", None)]
    #[case("+1", None)]
    #[case("1.", None)]
    #[case(".5", None)]
    fn number_is_kept_or_refused(#[case] text: &str, #[case] expected: Option<f64>) {
        assert_eq!(exact_number(text), expected);
    }
}

//! The name that a misspelled name was probably meant to be.

/// Longest name that is compared, in bytes: comparing two names takes time in proportion to the product of their lengths.
const MAX_COMPARED_BYTES: usize = 64;

/// The known name that is most similar to a name, if one is similar enough to be meant. Long names are similar to none, and only
/// names of about the same length are compared, so that the time does not depend on what a client sends.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if name.len() > MAX_COMPARED_BYTES {
        return None;
    }
    let lower = name.to_lowercase();
    let distance = |known: &'n str| {
        let max = max_distance(known);
        let is_comparable = known.len() <= MAX_COMPARED_BYTES && known.len().abs_diff(lower.len()) <= 4 * max;
        let distance = is_comparable.then(|| strsim::damerau_levenshtein(&lower, &known.to_lowercase()))?;
        (distance <= max).then_some((distance, known))
    };
    known.filter_map(distance).min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// Letters by which a name may differ from a known one.
fn max_distance(known: &str) -> usize {
    1 + known.len() / 5
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("titel", Some("title"))]
    #[case("TITLE", Some("title"))]
    #[case("docketNumer", Some("docketNumber"))]
    #[case("xyz", None)]
    // letters of another script take more bytes
    #[case("titlе", Some("title"))]
    fn similar_name_is_found(#[case] name: &str, #[case] expected: Option<&str>) {
        assert_eq!(nearest(name, ["title", "docketNumber", "summary"].into_iter()), expected);
    }

    #[test]
    fn long_name_is_not_compared() {
        let long = "title".repeat(20_000);
        assert_eq!(nearest(&long, ["title", long.as_str()].into_iter()), None);
    }
}

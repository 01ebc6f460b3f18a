//! The name that a misspelled name was probably meant to be.

/// Longest name that is compared, in letters: comparing two names takes time in proportion to the product of their lengths.
const MAX_COMPARED_LETTERS: usize = 64;
/// Longest name that is compared, in bytes: a letter takes up to four.
const MAX_COMPARED_BYTES: usize = 4 * MAX_COMPARED_LETTERS;
/// Groups in which the letters of names are counted.
const LETTER_GROUPS: usize = 64;

/// The known name that is most similar to a name, if one is similar enough to be meant. Long names are similar to none. Names whose
/// lengths or letters differ too much are not compared, so that a request with many unknown names takes little time.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if name.len() > MAX_COMPARED_BYTES {
        return None;
    }
    let lower = name.to_lowercase();
    let (length, letters) = (lower.chars().count(), letter_counts(&lower));
    if length > MAX_COMPARED_LETTERS {
        return None;
    }
    let distance = |known: &'n str| {
        let max = 1 + known.len() / 5;
        if known.len() > MAX_COMPARED_BYTES || known.chars().count().abs_diff(length) > max {
            return None;
        }
        let lower_known = known.to_lowercase();
        if min_distance(&letters, &letter_counts(&lower_known)) > max {
            return None;
        }
        let distance = strsim::osa_distance(&lower, &lower_known);
        (distance <= max).then_some((distance, known))
    };
    known.filter_map(distance).min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// How often the letters of each group occur.
fn letter_counts(name: &str) -> [i32; LETTER_GROUPS] {
    let mut counts = [0; LETTER_GROUPS];
    for letter in name.chars() {
        counts[letter as usize % LETTER_GROUPS] += 1;
    }
    counts
}

/// A lower bound of the distance of two names: each change adds at most one letter, and removes at most one.
fn min_distance(one: &[i32; LETTER_GROUPS], other: &[i32; LETTER_GROUPS]) -> usize {
    let missing =
        |from: &[i32; LETTER_GROUPS], to: &[i32; LETTER_GROUPS]| -> i32 { from.iter().zip(to).map(|(from, to)| (from - to).max(0)).sum() };
    missing(one, other).max(missing(other, one)).unsigned_abs() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("titel", Some("title"))]
    #[case("TITLE", Some("title"))]
    #[case("docketNumer", Some("docketNumber"))]
    #[case("xyz", None)]
    #[case("tilte", Some("title"))]
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
    proptest! {
        /// What is skipped without a comparison would not have been similar enough.
        #[test]
        fn nothing_similar_is_skipped(name in "[a-eа-в]{1,12}", known in proptest::collection::vec("[A-Ea-eа-в]{1,12}", 1..6)) {
            let found = nearest(&name, known.iter().map(String::as_str)).map(|found| strsim::osa_distance(&name, &found.to_lowercase()));
            let distances = known.iter().map(|known| (strsim::osa_distance(&name, &known.to_lowercase()), 1 + known.len() / 5));
            let expected = distances.filter(|(distance, max)| distance <= max).map(|(distance, _)| distance).min();
            prop_assert_eq!(found, expected);
        }
    }
}

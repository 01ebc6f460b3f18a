//! The name that a misspelled name was probably meant to be.

/// The known name that is most similar to a name, if one is similar enough to be meant.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let lower = name.to_lowercase();
    let distances = known.map(|known| (strsim::damerau_levenshtein(&lower, &known.to_lowercase()), known));
    distances.min_by_key(|(distance, _)| *distance).filter(|(distance, known)| *distance <= 1 + known.len() / 5).map(|(_, known)| known)
}

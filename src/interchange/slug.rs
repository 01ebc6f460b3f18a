//! Slugs generated from names.

use uuid::Uuid;

use crate::core::normalize::fold;

/// Maximum length of a generated slug, which leaves room for a suffix. Slugs are ASCII: one byte per character.
pub const MAX_SLUG_BYTES: usize = 80;

/// Length of [`short_hash`], in hexadecimal digits.
const SHORT_HASH_DIGITS: usize = 8;

/// Converts a name to a slug of at most `max_bytes`, truncated at a word boundary where there is one.
pub fn slugify(name: &str, max_bytes: usize) -> String {
    let mut slug = fold(name).replace(' ', "-");
    if slug.len() > max_bytes {
        let cut = slug[..=max_bytes].rfind('-').filter(|cut| *cut > 0).unwrap_or(max_bytes);
        slug.truncate(cut);
    }
    slug
}

/// The slug of a source that is known by its URL only, and its title.
pub fn slug_of_url(url: &str) -> (String, &str) {
    let title = url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/');
    (format!("{}-{}", slugify(title, MAX_SLUG_BYTES), short_hash(url)), title)
}

/// A short deterministic hash in lower-case hexadecimal, which makes a slug unique.
pub fn short_hash(text: &str) -> String {
    let mut hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).simple().to_string();
    hash.truncate(SHORT_HASH_DIGITS);
    hash
}

/// Whether a text is of the form that [`short_hash`] makes.
pub fn is_short_hash(text: &str) -> bool {
    text.len() == SHORT_HASH_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slug_is_cut_at_word_boundary_in_any_script() {
        assert_eq!(slugify("Ілияс Әбілқасым", MAX_SLUG_BYTES), slugify("ілияс әбілқасым", MAX_SLUG_BYTES));
        assert_eq!(slugify("Anna-Maria O'Neill", MAX_SLUG_BYTES), "anna-maria-oneill");
        assert_eq!(slugify("one two three", 8), "one-two");
        assert_eq!(slugify("onetwothree", 8), "onetwoth");
    }

    proptest! {
        #[test]
        fn generated_slug_is_valid(name in ".{0,200}", max_bytes in 1usize..100) {
            let slug = slugify(&name, max_bytes);
            prop_assert!(slug.len() <= max_bytes && !slug.starts_with('-') && !slug.ends_with('-'));
            prop_assert!(slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
        }
    }
}

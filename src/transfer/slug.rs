//! Slugs made of names.

use uuid::Uuid;

use crate::core::normalize::fold;

/// Letters of a slug that is made of a name at most; a mark has room behind it.
pub const LONGEST: usize = 80;

/// A name as a slug, cut between words.
pub fn slug(name: &str, longest: usize) -> String {
    let mut slug = fold(name).replace(' ', "-");
    if slug.len() > longest {
        let cut = slug[..=longest].rfind('-').filter(|cut| *cut > 0).unwrap_or(longest);
        slug.truncate(cut);
    }
    slug
}

/// A few letters and digits that are always the same for the same text, and differ for another.
pub fn mark(text: &str) -> String {
    let mut mark = Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).simple().to_string();
    mark.truncate(8);
    mark
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_slug_is_cut_between_words_and_made_of_any_script() {
        assert_eq!(slug("Ілияс Әбілқасым", LONGEST), slug("ілияс әбілқасым", LONGEST));
        assert_eq!(slug("Anna-Maria O'Neill", LONGEST), "anna-maria-oneill");
        assert_eq!(slug("one two three", 8), "one-two");
        assert_eq!(slug("onetwothree", 8), "onetwoth");
    }

    proptest! {
        #[test]
        fn a_slug_can_be_a_name_here(name in ".{0,200}", longest in 1usize..100) {
            let slug = slug(&name, longest);
            prop_assert!(slug.len() <= longest && !slug.starts_with('-') && !slug.ends_with('-'));
            prop_assert!(slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
        }
    }
}

//! Slugs of laws and provisions, which follow from their ids and not from their titles.

use std::collections::HashMap;

use crate::interchange::import_reader::record_lookup::{SlugUse, TakenSlugs};
use crate::interchange::slug::{short_hash, slugify};

/// Maximum length of the slug of a new law, to which the ids of provisions are added.
const MAX_LAW_SLUG_BYTES: usize = 60;
/// Maximum length of a slug to which a hash can be added.
const MAX_BASE_BYTES: usize = 91;
/// Longer than any slug of a law with the id of a provision that is not cut.
const UNCUT_BYTES: usize = 10_000;

/// The slugs that a new record can have: one of its id, and the same with a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SlugCandidates {
    base: String,
    hashed: String,
    /// Whether the first is not the whole id, so that another record can have the same.
    is_cut: bool,
}

/// The slug of a new record, and what it collides with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewSlug {
    pub(super) slug: String,
    /// The slug that another record has, so that the new one has a hash.
    pub(super) other: Option<String>,
    /// Whether a record has the slug with the hash as well.
    pub(super) is_taken: bool,
}

impl SlugCandidates {
    /// The slugs of a law, from the URI of its work: `kz-act-2014-226` of `/akn/kz/act/2014/226`.
    pub(super) fn of_law(uri: &str) -> Self {
        let path = uri.split_once("://").map_or(uri, |(_, rest)| rest);
        Self::new(&slugify(path.strip_prefix("/akn/").unwrap_or(path), UNCUT_BYTES), MAX_LAW_SLUG_BYTES, uri, "law")
    }

    /// The slugs of a provision, from the slug of its law and its id in it.
    pub(super) fn of_provision(law: &str, uri: &str, key: &str) -> Self {
        Self::new(&slugify(&format!("{law} {key}"), UNCUT_BYTES), MAX_BASE_BYTES, &provision_uri(uri, key), "provision")
    }

    fn new(whole: &str, max_bytes: usize, identity: &str, fallback: &str) -> Self {
        let base = slugify(if whole.is_empty() { fallback } else { whole }, max_bytes);
        let hashed = format!("{base}-{}", short_hash(identity));
        Self { is_cut: whole.is_empty() || whole.len() > max_bytes, base, hashed }
    }

    pub(super) fn all(&self) -> [String; 2] {
        [self.base.clone(), self.hashed.clone()]
    }
}

/// The slugs of new records, in their order: that of the id, or with a hash if another record has it.
pub(super) fn new_slugs(candidates: &[SlugCandidates], taken: &TakenSlugs) -> Vec<NewSlug> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for candidate in candidates {
        *counts.entry(&candidate.base).or_default() += 1;
    }
    let new_slug = |candidate: &SlugCandidates| {
        let other = taken.get(&candidate.base);
        if !candidate.is_cut && other.is_none() && counts.get(candidate.base.as_str()) == Some(&1) {
            return NewSlug { slug: candidate.base.clone(), other: None, is_taken: false };
        }
        NewSlug {
            slug: candidate.hashed.clone(),
            other: other.filter(|other| **other == SlugUse::Present).map(|_| candidate.base.clone()),
            is_taken: taken.contains_key(&candidate.hashed),
        }
    };
    candidates.iter().map(new_slug).collect()
}

/// The identifier of a provision: the URI of the work with the id of the provision, as Akoma Ntoso writes it.
pub(super) fn provision_uri(uri: &str, key: &str) -> String {
    format!("{uri}~{key}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(candidates: &SlugCandidates) -> NewSlug {
        new_slugs(std::slice::from_ref(candidates), &TakenSlugs::new()).remove(0)
    }

    #[test]
    fn slugs_follow_from_ids() {
        assert_eq!(slug(&SlugCandidates::of_law("/akn/kz/act/2014/226-V")).slug, "kz-act-2014-226-v");
        assert_eq!(slug(&SlugCandidates::of_law("http://data.example.org/eli/act/2014/1")).slug, "data-example-org-eli-act-2014-1");
        assert_eq!(slug(&SlugCandidates::of_provision("kz-act", "/akn/kz/act", "chp_2__art_10")).slug, "kz-act-chp-2-art-10");
        assert!(slug(&SlugCandidates::of_law("///")).slug.starts_with("law-"));
    }

    #[test]
    fn like_and_long_ids_get_a_hash() {
        let like = ["art_1__2", "art_1_2"].map(|key| SlugCandidates::of_provision("a", "/a", key));
        let slugs = new_slugs(&like, &TakenSlugs::new());
        assert!(slugs[0].slug != slugs[1].slug && slugs.iter().all(|new| new.slug.starts_with("a-art-1-2-")), "{slugs:?}");
        let long = slug(&SlugCandidates::of_provision(&"a".repeat(100), "/a", "art_1"));
        assert!(long.slug.len() <= 100, "{long:?}");
    }
}

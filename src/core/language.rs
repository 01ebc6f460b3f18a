//! Language tags (BCP 47) and the choice of the best match (RFC 4647, Lookup).

use oxilangtag::LanguageTag;

/// Maximum length of a tag in bytes: what RFC 5646 (section 4.4.1) asks implementations to support at least.
const MAX_TAG_BYTES: usize = 35;
/// Maximum number of languages of a header.
const MAX_LANGUAGES: usize = 16;

/// Preferred languages, best first, as normalized BCP 47 tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Languages(Vec<String>);

/// The text is not a language tag.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{0}\" is not a language tag: write a BCP 47 tag of at most {MAX_TAG_BYTES} letters, such as kk, ru or sr-Latn")]
pub struct InvalidLanguage(pub String);

/// Validates a language tag and returns it in canonical case: `sr-latn` becomes `sr-Latn`.
pub fn tag(text: &str) -> Result<String, InvalidLanguage> {
    let invalid = || InvalidLanguage(text.chars().take(80).collect());
    if text.len() > MAX_TAG_BYTES {
        return Err(invalid());
    }
    LanguageTag::parse_and_normalize(text).map(LanguageTag::into_inner).map_err(|_| invalid())
}

impl Languages {
    /// Parses an `Accept-Language` header (RFC 9110, 12.5.4). Ranges that are not valid, and those after the 16th, are ignored.
    pub fn from_header(header: &str) -> Self {
        let mut ranked: Vec<(f32, String)> = header
            .split(',')
            .take(MAX_LANGUAGES)
            .filter_map(|item| {
                let (range, weight) = match item.split_once(';') {
                    Some((range, weight)) => (range, weight.trim().strip_prefix("q=")?.parse().ok()?),
                    None => (item, 1.0),
                };
                (weight > 0.0).then_some(())?;
                Some((weight, tag(range.trim()).ok()?))
            })
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        Self(ranked.into_iter().map(|(_, tag)| tag).collect())
    }

    /// Puts a language before all others.
    pub fn preferring(mut self, tag: String) -> Self {
        self.0.insert(0, tag);
        self
    }

    /// The best match among these tags: each preferred language in turn, truncated from its end until a tag matches.
    #[expect(clippy::needless_pass_by_value, reason = "iterators are passed by value")]
    pub fn best<'t>(&self, available: impl Iterator<Item = &'t str> + Clone) -> Option<&'t str> {
        self.0.iter().find_map(|range| lookup(range, available.clone()))
    }
}

/// The tag that matches a language range best (RFC 4647, Lookup).
#[expect(clippy::needless_pass_by_value, reason = "iterators are passed by value")]
pub fn lookup<'t>(range: &str, available: impl Iterator<Item = &'t str> + Clone) -> Option<&'t str> {
    let mut range = range;
    loop {
        if let Some(found) = available.clone().find(|tag| tag.eq_ignore_ascii_case(range)) {
            return Some(found);
        }
        range = range.rsplit_once('-')?.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_validated_and_normalized() {
        assert_eq!(tag("sr-latn").unwrap(), "sr-Latn");
        assert!(tag("not a tag").is_err());
        assert!(tag("").is_err());
        assert!(tag(&format!("en{}", "-a1b2c3d4".repeat(4))).is_err());
    }

    #[test]
    fn header_is_ranked_by_weight_without_refusals() {
        let languages = Languages::from_header("en;q=0.5, kk, ru;q=0.8, fr;q=0, *, ;;");
        assert_eq!(languages.0, ["kk", "ru", "en"]);
    }

    #[test]
    fn regional_range_matches_its_language() {
        let available = ["en", "ru"];
        assert_eq!(lookup("ru-KZ", available.into_iter()), Some("ru"));
        assert_eq!(Languages::from_header("de, en-GB").best(available.into_iter()), Some("en"));
        assert_eq!(Languages::from_header("de").best(available.into_iter()), None);
    }
}

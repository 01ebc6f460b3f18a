//! Language tags (BCP 47) and the choice of the best match (RFC 4647, Lookup).

use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use oxilangtag::LanguageTag;

/// Maximum length of a tag in bytes: what RFC 5646 (section 4.4.1) asks implementations to support at least.
const MAX_TAG_BYTES: usize = 35;
/// Maximum number of languages of a header.
const MAX_LANGUAGES: usize = 16;

/// Languages that have extended languages in the IANA Language Subtag Registry.
const EXTENDED_LANGUAGES: [&str; 8] = ["ar", "kok", "lv", "ms", "sgn", "sw", "uz", "zh"];
/// Variants of the IANA Language Subtag Registry.
const VARIANTS: [&str; 134] = [
    "1606nict", "1694acad", "1901", "1959acad", "1994", "1996", "abl1943", "akhmimic", "akuapem", "alalc97", "aluku", "anpezo", "ao1990",
    "aranes", "arevela", "arevmda", "arkaika", "asante", "auvern", "baku1926", "balanka", "barla", "basiceng", "bauddha", "bciav",
    "bcizbl", "biscayan", "biske", "blasl", "bohairic", "bohoric", "boont", "bornholm", "cisaup", "colb1945", "cornu", "creiss", "dajnko",
    "ekavsk", "emodeng", "fascia", "fayyumic", "fodom", "fonipa", "fonkirsh", "fonnapa", "fonupa", "fonxsamp", "gallo", "gascon", "gherd",
    "grclass", "grital", "grmistr", "hanoi", "hepburn", "heploc", "hognorsk", "hsistemo", "huett", "ijekavsk", "itihasa", "ivanchov",
    "jauer", "jyutping", "kkcor", "kleinsch", "kociewie", "kscor", "laukika", "leidentr", "lemosin", "lengadoc", "lipaw", "ltg1929",
    "ltg2007", "luna1918", "lycopol", "mdcegyp", "mdctrans", "mesokem", "metelko", "monoton", "ndyuka", "nedis", "newfound", "nicard",
    "njiva", "nulik", "osojs", "oxendict", "pahawh2", "pahawh3", "pahawh4", "pamaka", "peano", "pehoeji", "petr1708", "pinyin", "polyton",
    "provenc", "puter", "rigik", "rozaj", "rumgr", "sahidic", "saigon", "scotland", "scouse", "simple", "solba", "sotav", "spanglis",
    "surmiran", "sursilv", "sutsilv", "synnejyl", "tailo", "tarask", "tongyong", "tunumiit", "uccor", "ucrcor", "ulster", "unifon",
    "vaidika", "valbadia", "valencia", "vallader", "vecdruka", "viennese", "vivaraup", "wadegile", "xsistemo",
];

/// Preferred languages, best first, as normalized BCP 47 tags.
#[derive(Debug, Clone, Default)]
pub struct Languages {
    tags: Vec<String>,
    /// Every tag and its truncations in lowercase, sorted, each with its rank; computed on first use.
    ranks: OnceLock<Vec<(String, usize)>>,
}

impl PartialEq for Languages {
    fn eq(&self, other: &Self) -> bool {
        self.tags == other.tags
    }
}

impl Eq for Languages {}

impl Hash for Languages {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.tags.hash(state);
    }
}

/// The text is not a language tag.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidLanguage {
    /// The text does not have the syntax of a tag.
    #[error("\"{0}\" is not a language tag: write a BCP 47 tag of at most {MAX_TAG_BYTES} letters, such as kk, ru or sr-Latn")]
    Syntax(String),
    /// A part of the tag is free text, or not registered.
    #[error("\"{tag}\" is not a language tag: \"{subtag}\" is {fault}; write a BCP 47 tag such as kk, sr-Latn, pt-BR or be-tarask")]
    Subtag {
        /// The tag.
        tag: String,
        /// The part of it.
        subtag: String,
        /// Why it is not accepted.
        fault: &'static str,
    },
}

/// Validates a language tag and returns it in canonical case: `sr-latn` becomes `sr-Latn`. The tag can have a language, a script, a
/// region and registered variants. Private use and extensions are rejected: they are free text, in which anything could be
/// published.
///
/// # Errors
/// If the syntax is wrong (RFC 5646, section 2.1), or a part is not accepted.
pub fn tag(text: &str) -> Result<String, InvalidLanguage> {
    let tag = parse(text)?;
    let invalid = |subtag: &str, fault| InvalidLanguage::Subtag { tag: text.to_owned(), subtag: subtag.to_owned(), fault };
    if let Some(private) = tag.private_use() {
        return Err(invalid(private, "private use"));
    }
    if let Some(extension) = tag.extension() {
        return Err(invalid(extension, "an extension"));
    }
    let language = tag.primary_language();
    if !(2..=3).contains(&language.len()) {
        return Err(invalid(language, "not a language of ISO 639"));
    }
    let is_extended = |known: &&str| known.eq_ignore_ascii_case(language);
    let is_accepted = |extended: &str| !extended.contains('-') && EXTENDED_LANGUAGES.iter().any(is_extended);
    if let Some(extended) = tag.extended_language().filter(|extended| !is_accepted(extended)) {
        return Err(invalid(extended, "not an extended language of it"));
    }
    let is_registered = |variant: &str| VARIANTS.iter().any(|known| known.eq_ignore_ascii_case(variant));
    if let Some(variant) = tag.variant_subtags().find(|variant| !is_registered(variant)) {
        return Err(invalid(variant, "not a registered variant"));
    }
    Ok(tag.into_inner())
}

/// Parses a tag of any registered or private form, in canonical case.
fn parse(text: &str) -> Result<LanguageTag<String>, InvalidLanguage> {
    let invalid = || InvalidLanguage::Syntax(text.chars().take(80).collect());
    if text.len() > MAX_TAG_BYTES {
        return Err(invalid());
    }
    LanguageTag::parse_and_normalize(text).map_err(|_| invalid())
}

impl Languages {
    /// Parses an `Accept-Language` header (RFC 9110, 12.5.4). Ranges that are not valid or longer than a tag may be, and those
    /// after the 16th, are ignored: the header states a preference, so a server may disregard it.
    pub fn from_header(header: &str) -> Self {
        Self::from_headers(std::iter::once(header))
    }

    /// Parses all `Accept-Language` headers of a request as one list, as [`Self::from_header`] does.
    pub fn from_headers<'h>(headers: impl Iterator<Item = &'h str>) -> Self {
        let mut ranked: Vec<(f32, String)> = headers
            .flat_map(|header| header.split(','))
            .take(MAX_LANGUAGES)
            .filter_map(|item| {
                let (range, weight) = match item.split_once(';') {
                    Some((range, weight)) => (range, weight.trim().strip_prefix("q=")?.parse().ok()?),
                    None => (item, 1.0),
                };
                (weight > 0.0).then_some(())?;
                Some((weight, parse(range.trim()).ok()?.into_inner()))
            })
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut tags: Vec<String> = Vec::with_capacity(ranked.len());
        for (_, tag) in ranked {
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        Self { tags, ranks: OnceLock::new() }
    }

    /// Puts a language before all others.
    pub fn preferring(mut self, tag: String) -> Self {
        self.tags.insert(0, tag);
        Self { tags: self.tags, ranks: OnceLock::new() }
    }

    /// Memory that the tags take, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.tags.iter().map(|tag| tag.len() + size_of::<String>()).sum()
    }

    /// The best match among these tags: each preferred language in turn, truncated from its end until a tag matches. Each
    /// available tag is examined once, however many languages are preferred.
    pub fn best<'t>(&self, available: impl Iterator<Item = &'t str>) -> Option<&'t str> {
        if self.tags.is_empty() {
            return None;
        }
        let ranks = self.ranks.get_or_init(|| ranks(&self.tags));
        // of equal ranks, the first is returned
        available.filter_map(|tag| Some((rank(ranks, tag)?, tag))).min_by_key(|(rank, _)| *rank).map(|(_, tag)| tag)
    }
}

/// Every tag and its truncations in lowercase with their ranks, sorted by tag.
fn ranks(tags: &[String]) -> Vec<(String, usize)> {
    let truncations = tags.iter().flat_map(|tag| std::iter::successors(Some(tag.as_str()), |tag| Some(tag.rsplit_once('-')?.0)));
    let mut ranks: Vec<(String, usize)> = truncations.enumerate().map(|(rank, tag)| (tag.to_ascii_lowercase(), rank)).collect();
    ranks.sort_unstable();
    // of equal tags, the first has the lowest rank
    ranks.dedup_by(|later, first| later.0 == first.0);
    ranks
}

fn rank(ranks: &[(String, usize)], tag: &str) -> Option<usize> {
    let mut buffer = [0; MAX_TAG_BYTES];
    let lowercase = buffer.get_mut(..tag.len())?;
    lowercase.copy_from_slice(tag.as_bytes());
    lowercase.make_ascii_lowercase();
    let found = ranks.binary_search_by(|(known, _)| known.as_bytes().cmp(lowercase)).ok()?;
    Some(ranks[found].1)
}

/// The tag that matches a language range best (RFC 4647, Lookup): the longest one that the range begins with, subtag by subtag.
/// Each available tag is examined once.
pub fn lookup<'t>(range: &str, available: impl Iterator<Item = &'t str>) -> Option<&'t str> {
    let matches = |tag: &&str| is_truncation(tag.as_bytes(), range.as_bytes());
    available.filter(matches).reduce(|best, tag| if tag.len() > best.len() { tag } else { best })
}

/// Whether a tag is a range, or the range without its last subtags.
fn is_truncation(tag: &[u8], range: &[u8]) -> bool {
    range.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)) && matches!(range.get(tag.len()), None | Some(b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_validated_and_normalized() {
        assert_eq!(tag("sr-latn").unwrap(), "sr-Latn");
        assert!(tag("not a tag").is_err());
        assert!(tag("").is_err());
        for valid in ["be-tarask", "ca-valencia", "zh-yue", "de-CH-1996", "uz-Cyrl-UZ", "und", "kk"] {
            assert_eq!(tag(valid).unwrap(), valid);
        }
        for free in ["en-x-anna", "x-anna-petrova", "en-petrova", "ru-petrov-anna1", "en-u-attr-co-phonebk", "en-ann-pet", "annapetr"] {
            let error = tag(free).unwrap_err().to_string();
            assert!(error.contains("is not a language tag") && error.contains("write a BCP 47 tag"), "{error}");
        }
        assert!(tag(&format!("en{}", "-a1b2c3d4".repeat(4))).is_err());
    }

    #[test]
    fn header_is_ranked_by_weight_without_refusals() {
        let languages = Languages::from_header("en;q=0.5, kk, ru;q=0.8, fr;q=0, *, ;;");
        assert_eq!(languages.tags, ["kk", "ru", "en"]);
    }

    #[test]
    fn regional_range_matches_its_language() {
        let available = ["en", "ru"];
        assert_eq!(lookup("ru-KZ", available.into_iter()), Some("ru"));
        assert_eq!(Languages::from_header("de, en-GB").best(available.into_iter()), Some("en"));
        assert_eq!(Languages::from_header("de").best(available.into_iter()), None);
        assert_eq!(lookup("sr-Latn-RS", ["sr", "SR-latn", "sr-L"].into_iter()), Some("SR-latn"));
        assert_eq!(lookup("s", ["sr"].into_iter()), None);
    }

    #[test]
    fn every_language_is_tried_before_the_next() {
        let available = ["en", "sr-Latn", "sr", "ru"];
        let best = |header: &str| Languages::from_header(header).best(available.into_iter());
        assert_eq!(best("sr-Latn-RS, en"), Some("sr-Latn"));
        assert_eq!(best("sr-Cyrl, en"), Some("sr"));
        assert_eq!(best("en;q=0.1, ru-KZ, sr;q=0.5"), Some("ru"));
        assert_eq!(Languages::from_header("ru").preferring("en-GB".to_owned()).best(available.into_iter()), Some("en"));
    }

    #[test]
    fn work_per_text_does_not_grow_with_the_header() {
        let long: Vec<String> = (0..40_000).map(|number| format!("x{number}-a-b-c-d-e-f")).collect();
        let distinct: Vec<String> = ('a'..='p').map(|letter| format!("q{letter}-x-a-b-c-d-e-f-g-h-i-j-k-l-m")).collect();
        for header in [long.join(","), long.join("-"), distinct.join(","), "en".to_owned()] {
            let languages = Languages::from_header(&header);
            assert!(languages.memory_bytes() <= MAX_LANGUAGES * (MAX_TAG_BYTES + size_of::<String>()));
            let examined = std::cell::Cell::new(0);
            let available = ["kk", "ru", "en"].into_iter().inspect(|_| examined.set(examined.get() + 1));
            languages.best(available);
            assert!(examined.get() <= 3, "{}", examined.get());
            assert!(languages.ranks.get().is_none_or(|ranks| ranks.len() <= MAX_LANGUAGES * MAX_TAG_BYTES.div_ceil(2)));
        }
    }
}

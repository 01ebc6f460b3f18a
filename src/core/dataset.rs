//! Metadata of the dataset (title, licence, attribution, public address), and the citation text of its records.

use chrono::{DateTime, Utc};
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

use crate::core::language;

/// Longest label in a citation, in grapheme clusters. The label of a statement is its whole text.
const MAX_LABEL_GRAPHEMES: usize = 200;

/// Metadata of the dataset, from the settings. A value that is not set is omitted, never guessed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dataset {
    /// Title.
    pub title: Option<String>,
    /// Licence: its name or its address.
    pub licence: Option<String>,
    /// Name to credit when the data is reused.
    pub attribution: Option<String>,
    /// Public address of the server.
    pub public_url: Option<Url>,
}

impl Dataset {
    /// The address of a path: absolute if the public address is set, otherwise the path itself.
    pub fn address(&self, path: &str) -> String {
        match &self.public_url {
            Some(url) => format!("{}{path}", url.as_str().trim_end_matches('/')),
            None => path.to_owned(),
        }
    }
}

/// The data of a citation.
#[derive(Debug, Clone, Copy)]
pub struct CitedRecord<'c> {
    /// Label of the record.
    pub label: &'c str,
    /// Language of the label, if known. The text of the citation is in the same language if a translation exists.
    pub lang: Option<&'c str>,
    /// Number of the latest revision.
    pub revision: i64,
    /// When that revision was made.
    pub changed: DateTime<Utc>,
    /// Path of the page of the record.
    pub path: &'c str,
}

impl Dataset {
    /// The citation text: label, title of the dataset, attribution, revision and address. Values that are not set are omitted.
    pub fn citation(&self, cited: &CitedRecord<'_>) -> String {
        let CitedRecord { label, lang, revision, changed, path } = cited;
        let date = changed.format("%Y-%m-%d");
        let state = match lang.and_then(|lang| language::lookup(lang, ["en", "ru", "kk"].into_iter())) {
            Some("ru") => format!("Версия {revision}, изменена {date}"),
            Some("kk") => format!("{revision}-нұсқа, {date} күні өзгертілген"),
            _ => format!("Revision {revision}, last changed on {date}"),
        };
        let quoted = format!("“{}”", truncated(label));
        let known = [Some(&quoted), self.title.as_ref(), self.attribution.as_ref(), Some(&state)];
        let sentences: Vec<&str> = known.into_iter().flatten().map(|sentence| sentence.trim_end_matches('.')).collect();
        format!("{}. {}", sentences.join(". "), self.address(path))
    }
}

/// The label on one line, truncated between two words if it is too long.
fn truncated(label: &str) -> String {
    let label = label.split_whitespace().collect::<Vec<_>>().join(" ");
    match label.grapheme_indices(true).nth(MAX_LABEL_GRAPHEMES) {
        None => label,
        Some((end, _)) => {
            let begin = &label[..end];
            format!("{}…", begin.rsplit_once(' ').map_or(begin, |(begin, _)| begin))
        }
    }
}

/// The path of the page of a record whose type has ids with this prefix.
pub fn page(prefix: &str, slug: &str) -> String {
    format!("/r/{}/{slug}", prefix.replace('_', "-"))
}

/// Parses the address of a server: absolute, without credentials, query or fragment.
pub fn public_url(text: &str) -> Result<Url, String> {
    let wrong = || format!("\"{text}\" is not the address of a server; write an address such as https://data.example.org");
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_address = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    let is_bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if is_address && is_bare { Ok(url) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_absolute_if_the_public_url_is_set() {
        let at = |url: &str| Dataset { public_url: Some(public_url(url).unwrap()), ..Dataset::default() };
        assert_eq!(Dataset::default().address("/r/x"), "/r/x");
        assert_eq!(at("https://data.example.org").address("/r/x"), "https://data.example.org/r/x");
        assert_eq!(at("https://example.org/data/").address("/r/x"), "https://example.org/data/r/x");
    }

    fn cited<'c>(label: &'c str, lang: &'c str) -> CitedRecord<'c> {
        CitedRecord { label, lang: Some(lang), revision: 3, changed: "2026-03-04T05:06:07Z".parse().unwrap(), path: "/r/case/a" }
    }

    #[test]
    fn citation_omits_values_that_are_not_set() {
        let bare = Dataset::default();
        assert_eq!(bare.citation(&cited("A v. B", "en")), "“A v. B”. Revision 3, last changed on 2026-03-04. /r/case/a");
        let complete = Dataset {
            title: Some("Speech law".to_owned()),
            attribution: Some("Example Inc.".to_owned()),
            public_url: Some(public_url("https://example.org").unwrap()),
            ..Dataset::default()
        };
        let text = "“Дело”. Speech law. Example Inc. Версия 3, изменена 2026-03-04. https://example.org/r/case/a";
        assert_eq!(complete.citation(&cited("Дело", "ru")), text);
    }

    #[test]
    fn long_label_is_truncated_between_words() {
        let long = "word ".repeat(100);
        let text = Dataset::default().citation(&cited(&long, "en"));
        assert!(text.starts_with("“word word") && text.contains("word…”. Revision") && text.len() < 300, "{text}");
    }

    #[test]
    fn invalid_server_address_is_rejected() {
        for wrong in ["data.example.org", "ftp://example.org", "https://example.org/?a=b", "https://user:secret@example.org", ""] {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }
}

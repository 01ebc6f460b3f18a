//! What the dataset says of itself: what it is called, who is to be named, on which terms it may be used, and where it is.
//! So also how its records are cited.

use chrono::{DateTime, Utc};
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

use crate::core::language;

/// Letters of a name that a citation has at most; the name of a statement is all of it.
const LONGEST: usize = 200;

/// The dataset as whoever runs the server describes it; nothing of it is guessed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dataset {
    /// What it is called.
    pub title: Option<String>,
    /// Terms under which it may be reused: the name of a licence, or its address.
    pub licence: Option<String>,
    /// Who is to be named by those who reuse it.
    pub attribution: Option<String>,
    /// Where the server is, as the public calls it.
    pub public_url: Option<Url>,
}

impl Dataset {
    /// The address of a path of the server: absolute where it is known where the server is, and the path otherwise.
    pub fn address(&self, path: &str) -> String {
        match &self.public_url {
            Some(url) => format!("{}{path}", url.as_str().trim_end_matches('/')),
            None => path.to_owned(),
        }
    }
}

/// A record as a citation names it.
#[derive(Debug, Clone, Copy)]
pub struct Cited<'c> {
    /// What it is called.
    pub label: &'c str,
    /// Language of the name, where it has one; words of the citation are in it if there are such.
    pub lang: Option<&'c str>,
    /// Number of its latest change.
    pub revision: i64,
    /// When that was made.
    pub changed: DateTime<Utc>,
    /// Path of its page.
    pub path: &'c str,
}

impl Dataset {
    /// The text that says what a record is and where it stands: its name, the dataset, who is to be named, which state of
    /// the record it is, and its address. What is not set is left out.
    pub fn citation(&self, cited: &Cited<'_>) -> String {
        let Cited { label, lang, revision, changed, path } = cited;
        let date = changed.format("%Y-%m-%d");
        let state = match lang.and_then(|lang| language::lookup(lang, ["en", "ru", "kk"].into_iter())) {
            Some("ru") => format!("Версия {revision}, изменена {date}"),
            Some("kk") => format!("{revision}-нұсқа, {date} күні өзгертілген"),
            _ => format!("Revision {revision}, last changed on {date}"),
        };
        let quoted = format!("“{}”", shortened(label));
        let known = [Some(&quoted), self.title.as_ref(), self.attribution.as_ref(), Some(&state)];
        let sentences: Vec<&str> = known.into_iter().flatten().map(|sentence| sentence.trim_end_matches('.')).collect();
        format!("{}. {}", sentences.join(". "), self.address(path))
    }
}

/// A name in one line, cut between two words where it is long.
fn shortened(label: &str) -> String {
    let label = label.split_whitespace().collect::<Vec<_>>().join(" ");
    match label.grapheme_indices(true).nth(LONGEST) {
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

/// Reads the address of a server: absolute, without a query.
pub fn public_url(text: &str) -> Result<Url, String> {
    let wrong = || format!("\"{text}\" is not the address of a server; write it as https://data.example.org");
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_address = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    let is_bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if is_address && is_bare { Ok(url) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_absolute_where_it_is_known_where_the_server_is() {
        let at = |url: &str| Dataset { public_url: Some(public_url(url).unwrap()), ..Dataset::default() };
        assert_eq!(Dataset::default().address("/r/x"), "/r/x");
        assert_eq!(at("https://data.example.org").address("/r/x"), "https://data.example.org/r/x");
        assert_eq!(at("https://example.org/data/").address("/r/x"), "https://example.org/data/r/x");
    }

    fn cited<'c>(label: &'c str, lang: &'c str) -> Cited<'c> {
        Cited { label, lang: Some(lang), revision: 3, changed: "2026-03-04T05:06:07Z".parse().unwrap(), path: "/r/case/a" }
    }

    #[test]
    fn a_citation_says_what_is_known_and_leaves_out_the_rest() {
        let bare = Dataset::default();
        assert_eq!(bare.citation(&cited("A v. B", "en")), "“A v. B”. Revision 3, last changed on 2026-03-04. /r/case/a");
        let told = Dataset {
            title: Some("Speech law".to_owned()),
            attribution: Some("Example Inc.".to_owned()),
            public_url: Some(public_url("https://example.org").unwrap()),
            ..Dataset::default()
        };
        let text = "“Дело”. Speech law. Example Inc. Версия 3, изменена 2026-03-04. https://example.org/r/case/a";
        assert_eq!(told.citation(&cited("Дело", "ru")), text);
    }

    #[test]
    fn a_long_name_is_cut_between_words() {
        let long = "word ".repeat(100);
        let text = Dataset::default().citation(&cited(&long, "en"));
        assert!(text.starts_with("“word word") && text.contains("word…”. Revision") && text.len() < 300, "{text}");
    }

    #[test]
    fn what_is_no_address_of_a_server_is_refused() {
        for wrong in ["data.example.org", "ftp://example.org", "https://example.org/?a=b", "https://user:secret@example.org", ""] {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }
}

//! Whether a quote is in a web page: letters and digits are compared, in any case, script and spelling of spaces and
//! punctuation.

use encoding_rs::{Encoding, UTF_8};
use mime::Mime;

use crate::core::normalize::fold;

/// Bytes at the beginning of a page in which it may name its encoding.
const PROLOGUE_BYTES: usize = 1_024;
/// Elements whose text is not shown.
const HIDDEN_ELEMENTS: [&str; 2] = ["script", "style"];

/// The text of a page, folded to letters and digits. Not set if the page has no text, such as a PDF.
pub(crate) fn page_text(content_type: &str, body: &[u8]) -> Option<String> {
    let mime: Option<Mime> = content_type.parse().ok();
    let is_html = mime.as_ref().is_some_and(|mime| matches!(mime.essence_str(), "text/html" | "application/xhtml+xml"));
    if !is_html && mime.as_ref().is_none_or(|mime| mime.type_() != mime::TEXT) {
        return None;
    }
    let declared =
        mime.as_ref().and_then(|mime| mime.get_param(mime::CHARSET)).and_then(|name| Encoding::for_label(name.as_str().as_bytes()));
    // a byte order mark takes precedence
    let (text, ..) = declared.or_else(|| encoding_in(body)).unwrap_or(UTF_8).decode(body);
    Some(if is_html { letters(&html_escape::decode_html_entities(&visible_text(&text))) } else { letters(&text) })
}

/// The encoding that a page names at its beginning, as in `<meta charset="windows-1251">`.
fn encoding_in(body: &[u8]) -> Option<&'static Encoding> {
    let prologue = String::from_utf8_lossy(&body[..body.len().min(PROLOGUE_BYTES)]).to_ascii_lowercase();
    let (_, rest) = prologue.split_once("charset=")?;
    let name =
        rest.trim_start_matches(['"', '\'', ' ']).split(|char: char| !(char.is_ascii_alphanumeric() || "-_:.".contains(char))).next()?;
    Encoding::for_label(name.as_bytes())
}

/// The text of a page without its tags, comments, scripts and styles.
fn visible_text(html: &str) -> String {
    // indexes are the same in both: only ASCII letters are changed
    let lower = html.to_ascii_lowercase();
    let mut text = String::with_capacity(html.len());
    let mut position = 0;
    while let Some(start) = lower[position..].find('<').map(|start| position + start) {
        text.push_str(&html[position..start]);
        let rest = &lower[start..];
        let hidden =
            HIDDEN_ELEMENTS.iter().find(|name| rest[1..].strip_prefix(**name).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)));
        let end = match hidden {
            _ if rest.starts_with("<!--") => rest.find("-->").map(|end| end + 3),
            Some(name) => rest.find(&format!("</{name}")).and_then(|close| Some(close + rest[close..].find('>')? + 1)),
            None => rest.find('>').map(|end| end + 1),
        };
        position = end.map_or(html.len(), |end| start + end);
    }
    text.push_str(&html[position..]);
    text
}

/// The letters and digits of a text, folded.
fn letters(text: &str) -> String {
    fold(text).replace(' ', "")
}

/// Whether a page has a quote. Words that the quote leaves out, marked by an ellipsis, may be in between. Not set if the
/// quote has no letters.
pub(crate) fn has_quote(page: &str, quote: &str) -> Option<bool> {
    let quote = quote.replace("[…]", "…").replace("[...]", "…").replace("...", "…");
    let pieces: Vec<String> = quote.split('…').map(letters).filter(|piece| !piece.is_empty()).collect();
    if pieces.is_empty() {
        return None;
    }
    let mut rest = page;
    Some(pieces.iter().all(|piece| match rest.find(piece.as_str()) {
        Some(start) => {
            rest = &rest[start + piece.len()..];
            true
        }
        None => false,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const PAGE: &str = "<!DOCTYPE html><title>News</title><script>var a = 'not shown';</script><!-- nor this --><p>The court &laquo;ruled&raquo;\n on <b>Mon</b>day&nbsp;that A&amp;B was d&eacute;j&agrave; vu.";

    #[rstest]
    #[case("the court “ruled” on Monday", Some(true))]
    #[case("The court … A & B was déjà vu", Some(true))]
    #[case("A & B was déjà vu [...] the court", Some(false))]
    #[case("not shown", Some(false))]
    #[case("nor this", Some(false))]
    #[case("the court did not rule", Some(false))]
    #[case("—", None)]
    fn quote_is_found_in_the_visible_text(#[case] quote: &str, #[case] expected: Option<bool>) {
        let page = page_text("text/html; charset=utf-8", PAGE.as_bytes()).unwrap();
        assert_eq!(has_quote(&page, quote), expected);
    }

    #[test]
    fn page_is_decoded_by_its_declared_encoding() {
        let (body, ..) = encoding_rs::WINDOWS_1251.encode("<meta charset=windows-1251><p>Суд постановил");
        for content_type in ["text/html", "text/html; charset=windows-1251"] {
            assert_eq!(has_quote(&page_text(content_type, &body).unwrap(), "суд постановил"), Some(true));
        }
        assert_eq!(page_text("application/pdf", &body), None);
    }

    #[test]
    fn unclosed_markup_does_not_fail() {
        for html in ["<", "a<script>b", "a<!-- b", "a<b", "<style>x</style", "é<script>é</script>é"] {
            page_text("text/html", html.as_bytes()).unwrap();
        }
    }
}

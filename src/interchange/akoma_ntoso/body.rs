//! Reads the provisions of an act.

use std::collections::HashMap;

use roxmltree::Node;

use super::text::{line_of, lines_of, status_of};
use super::tree::Located;
use super::vocabulary::{Depth, level};
use super::xml::FileReader;
use crate::core::text::excerpt;
use crate::store::draft::Origin;

/// Status of an element that the law had, and that is no longer in force in the expression.
const REMOVED: &str = "removed";
/// Letters of the text that stand for a missing heading.
const HEADING_CHARS: usize = 80;

/// A provision of one expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ActProvision {
    /// Its id in the work.
    pub(super) key: String,
    pub(super) kind: &'static str,
    pub(super) number: Option<String>,
    pub(super) heading: String,
    /// Id of the provision around it.
    pub(super) parent: Option<String>,
    /// Its text, without those of the provisions in it; not set if the provision was removed.
    pub(super) text: Option<Located>,
    pub(super) origin: Origin,
}

/// The provisions that were read.
#[derive(Default)]
struct Provisions {
    list: Vec<ActProvision>,
    /// Lines of their ids.
    lines: HashMap<String, usize>,
}

impl FileReader<'_> {
    /// The provisions of the body of an act, in their order. Everything else in the act but its metadata and its preface is
    /// counted as omitted.
    pub(super) fn provisions(&mut self, act: Node<'_, '_>) -> Vec<ActProvision> {
        let mut provisions = Provisions::default();
        let mut has_body = false;
        for section in self.read_elements(act) {
            match section.tag_name().name() {
                // they are read for the metadata
                "meta" | "preface" | "coverPage" => {}
                "body" => {
                    has_body = true;
                    for node in self.read_elements(section) {
                        if level(node.tag_name().name()).is_some() {
                            self.provision(node, None, &mut provisions);
                        } else {
                            self.omit(format!("body {}", node.tag_name().name()), node);
                        }
                    }
                }
                name => self.omit(name.to_owned(), section),
            }
        }
        if !has_body {
            self.problem(act, "<body> is missing");
        }
        provisions.list
    }

    /// Reads a provision and those in it. Recurses once for each level, of which there are few.
    fn provision(&mut self, node: Node<'_, '_>, parent: Option<&str>, provisions: &mut Provisions) {
        let name = node.tag_name().name();
        let Some(level) = level(name) else { return };
        // the id in the work stays if provisions are numbered anew
        let Some(key) = ["wId", "eId", "id"].into_iter().find_map(|id| node.attribute(id)).map(str::trim).filter(|id| !id.is_empty())
        else {
            return self.problem(node, format!("the {name} has no eId, by which later imports find it"));
        };
        let line = self.line(node);
        if let Some(first) = provisions.lines.insert(key.to_owned(), line) {
            let key = excerpt(key);
            return self
                .problem(node, format!("the id \"{key}\" is given twice, first on line {first}; give each element an id of its own"));
        }
        let is_division = match level.depth {
            Depth::Division => true,
            Depth::DivisionOfArticles => has_article(node),
            Depth::Unit => false,
        };
        let mut number = None;
        let mut heading = String::new();
        let mut content = Vec::new();
        let mut inner = Vec::new();
        for child in node.children() {
            let is_own = child.is_element() && child.tag_name().namespace() == self.namespace;
            match child.tag_name().name() {
                "num" if is_own && number.is_none() => number = Some(self.line_of(child)).filter(|text| !text.is_empty()),
                "heading" if is_own && heading.is_empty() => heading = self.line_of(child),
                name if is_own && is_division && level_of(name) => inner.push(child),
                name => {
                    // its text is that of the division, which stands before the provisions in it
                    if is_own && !inner.is_empty() {
                        self.omit(format!("place of {name} after a provision"), child);
                    }
                    content.push(child);
                }
            }
        }
        let first = content.iter().find(|node| node.is_element()).map_or(line, |node| self.line(*node));
        let is_removed = node.ancestors().any(|node| node.attribute("status") == Some(REMOVED));
        if !is_removed && let Some(status) = status_of(node) {
            self.omit(status, node);
        }
        let (text, omitted) = lines_of(content, self.namespace);
        for (description, node) in omitted {
            self.omit(description, node);
        }
        if heading.is_empty() {
            heading = match &number {
                Some(number) => number.clone(),
                None => self.heading_of_text(node, &text),
            };
        }
        let mut text = Some(Located { text, line: first }).filter(|text| !text.text.is_empty());
        if is_removed && text.take().is_some() {
            self.omit(format!("text of a removed {name}"), node);
        }
        if !level.is_own {
            self.omit(format!("name of the element {name}, imported as {}", level.kind), node);
        }
        provisions.list.push(ActProvision {
            key: key.to_owned(),
            kind: level.kind,
            number: number.map(|number| if level.is_own { bare_number(&number) } else { number }),
            heading,
            parent: parent.map(str::to_owned),
            text,
            origin: self.origin(node),
        });
        for node in inner {
            self.provision(node, Some(key), provisions);
        }
    }

    fn line_of(&mut self, node: Node<'_, '_>) -> String {
        let (text, omitted) = line_of(node, self.namespace);
        for (description, node) in omitted {
            self.omit(description, node);
        }
        text
    }

    /// The heading of a provision that has neither a heading nor a number: the beginning of its text.
    fn heading_of_text(&mut self, node: Node<'_, '_>, text: &str) -> String {
        let line = text.lines().next().unwrap_or_default();
        if line.is_empty() {
            self.problem(node, "the element has neither <num>, nor <heading>, nor text; give it one of them");
        }
        match line.char_indices().nth(HEADING_CHARS) {
            None => line.to_owned(),
            Some((end, _)) => {
                let cut = line[..end].rfind(' ').unwrap_or(end);
                format!("{}…", &line[..cut])
            }
        }
    }
}

fn level_of(name: &str) -> bool {
    level(name).is_some()
}

/// Whether an element has articles in it. Quoted structures are text, and are not looked into.
fn has_article(node: Node<'_, '_>) -> bool {
    let elements = node.children().filter(|child| level_of(child.tag_name().name()));
    elements.into_iter().any(|child| child.tag_name().name() == "article" || has_article(child))
}

/// A number without the word before it and the marks around it: `274` of `Article 274.`, `a` of `(a)`, `II` of `CHAPTER II`.
/// A text without a number in digits, letters or Roman numerals stays as it is.
fn bare_number(text: &str) -> String {
    let bare = |word: &str| -> String {
        let word = word.trim_end_matches(['.', ':', '—', '–']);
        let word = if word.starts_with('(') && word.find(')') == Some(word.len() - 1) { &word[1..word.len() - 1] } else { word };
        let word = if word.contains('(') { word } else { word.trim_end_matches(')') };
        word.to_owned()
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_number = |word: &&str| {
        let word = bare(word);
        let is_roman = !word.is_empty() && word.chars().all(|char| "IVXLCDM".contains(char));
        word.chars().any(|char| char.is_ascii_digit()) || is_roman || word.chars().count() == 1 && word.chars().all(char::is_alphabetic)
    };
    match words.iter().position(is_number) {
        // a word before the number, such as Article or §
        Some(at) if words[..at].iter().all(|word| word.chars().all(|char| char.is_alphabetic() || matches!(char, '§' | '.' | '№'))) => {
            bare(&words[at..].join(" "))
        }
        Some(_) | None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("Article 274.", "274")]
    #[case("Статья 456-2.", "456-2")]
    #[case("§ 5", "5")]
    #[case("(a)", "a")]
    #[case("1)", "1")]
    #[case("1 bis.", "1 bis")]
    #[case("CHAPTER II", "II")]
    #[case("274-бап.", "274-бап")]
    #[case("Article premier", "Article premier")]
    #[case("12(3)", "12(3)")]
    #[case("Часть первая", "Часть первая")]
    fn number_is_taken_out_of_its_words(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(bare_number(text), expected);
    }
}

//! Reads the provisions of an act.

use std::collections::HashMap;

use roxmltree::Node;

use super::text::{line_of, lines_of, status_of};
use super::tree::Located;
use super::vocabulary::{Depth, Level, level};
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

/// What is in a division.
#[derive(Default)]
struct Contents<'a, 't> {
    text: Vec<Node<'a, 't>>,
    provisions: Vec<Node<'a, 't>>,
    /// Whether the text is kept, which stands before the provisions.
    has_text: bool,
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
                    let mut contents = Contents::default();
                    for node in self.read_elements(section) {
                        self.divide(node, &mut contents);
                    }
                    for node in contents.text.into_iter().filter(Node::is_element) {
                        self.omit(format!("body {}", node.tag_name().name()), node);
                    }
                    for node in contents.provisions {
                        self.provision(node, None, &mut provisions);
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

    /// Sorts a node in a division by whether it is a provision. A container without an id is none: what is in it is in the
    /// division around it, and its number and heading are text. Recurses once for each level, of which there are few.
    fn divide<'a, 't>(&mut self, node: Node<'a, 't>, contents: &mut Contents<'a, 't>) {
        let name = node.tag_name().name();
        let level = level_of(node).filter(|_| node.tag_name().namespace() == self.namespace);
        match level {
            Some(level) if level.is_container && key_of(node).is_none() && is_division(node, level) => {
                for child in node.children() {
                    self.divide(child, contents);
                }
            }
            Some(level) if !level.is_container || key_of(node).is_some() => contents.provisions.push(node),
            Some(_) | None => {
                if contents.has_text
                    && node.is_element()
                    && node.tag_name().namespace() == self.namespace
                    && !contents.provisions.is_empty()
                {
                    self.omit(format!("place of {name} after a provision"), node);
                }
                contents.text.push(node);
            }
        }
    }

    /// Reads a provision and those in it. Recurses once for each level, of which there are few.
    fn provision(&mut self, node: Node<'_, '_>, parent: Option<&str>, provisions: &mut Provisions) {
        let name = node.tag_name().name();
        let Some(level) = level_of(node) else { return };
        let Some(key) = key_of(node) else {
            return self.problem(node, format!("the {name} has no eId, by which later imports find it"));
        };
        let line = self.line(node);
        if let Some(first) = provisions.lines.insert(key.to_owned(), line) {
            let key = excerpt(key);
            return self
                .problem(node, format!("the id \"{key}\" is given twice, first on line {first}; give each element an id of its own"));
        }
        let is_division = is_division(node, level);
        let mut number = None;
        let mut heading = String::new();
        let mut contents = Contents { has_text: true, ..Contents::default() };
        for child in node.children() {
            let is_own = child.is_element() && child.tag_name().namespace() == self.namespace;
            match child.tag_name().name() {
                "num" if is_own && number.is_none() => number = Some(self.line_of(child)).filter(|text| !text.is_empty()),
                "heading" if is_own && heading.is_empty() => heading = self.line_of(child),
                _ if is_division => self.divide(child, &mut contents),
                _ => contents.text.push(child),
            }
        }
        let first = contents.text.iter().find(|node| node.is_element()).map_or(line, |node| self.line(*node));
        let is_removed = node.ancestors().any(|node| node.attribute("status") == Some(REMOVED));
        if !is_removed && let Some(status) = status_of(node) {
            self.omit(status, node);
        }
        let (text, omitted) = lines_of(contents.text, self.namespace);
        for (description, node) in omitted {
            self.omit(description, node);
        }
        let label = label(node);
        if number.is_none() && heading.is_empty() && text.is_empty() {
            // it says nothing but what is in it, if anything
            self.omit(format!("element {label} without number, heading and text"), node);
            for node in contents.provisions {
                self.provision(node, parent, provisions);
            }
            return;
        }
        if heading.is_empty() {
            heading = match &number {
                Some(number) => number.clone(),
                None => heading_of_text(&text),
            };
        }
        let mut text = Some(Located { text, line: first }).filter(|text| !text.text.is_empty());
        if is_removed && text.take().is_some() {
            self.omit(format!("text of a removed {name}"), node);
        }
        if !level.is_own {
            self.omit(format!("name of the element {label}, imported as {}", level.kind), node);
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
        for node in contents.provisions {
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
}

/// The heading of a provision that has neither a heading nor a number: the beginning of its text.
fn heading_of_text(text: &str) -> String {
    let line = text.lines().next().unwrap_or(text);
    match line.char_indices().nth(HEADING_CHARS) {
        None => line.to_owned(),
        Some((end, _)) => {
            let cut = line[..end].rfind(' ').unwrap_or(end);
            format!("{}…", &line[..cut])
        }
    }
}

/// The id by which later imports find a provision. The one in the work stays if provisions are numbered anew.
fn key_of<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    ["wId", "eId", "id"].into_iter().find_map(|id| node.attribute(id)).map(str::trim).filter(|id| !id.is_empty())
}

fn level_of(node: Node<'_, '_>) -> Option<Level> {
    level(node.tag_name().name(), node.attribute("name"))
}

/// How an element is called in messages: a container has a name of its own.
fn label(node: Node<'_, '_>) -> String {
    let element = node.tag_name().name();
    let name = node.attribute("name").filter(|_| level_of(node).is_some_and(|level| level.is_container));
    name.map_or_else(|| element.to_owned(), |name| format!("{element} {}", excerpt(name)))
}

/// Whether the elements of the hierarchy in an element are provisions, and not part of its text.
fn is_division(node: Node<'_, '_>, level: Level) -> bool {
    match level.depth {
        Depth::Division => true,
        Depth::Group => {
            levels_in(node).any(|(child, level)| level.depth != Depth::Group || key_of(child).is_some() || is_division(child, level))
        }
        Depth::Unit | Depth::Part => has_unit(node),
    }
}

/// Whether an element has divisions or units in it, such as articles. Quoted structures are text, and are not looked into.
fn has_unit(node: Node<'_, '_>) -> bool {
    levels_in(node).any(|(child, level)| matches!(level.depth, Depth::Division | Depth::Unit) || has_unit(child))
}

/// The elements of the hierarchy directly in an element.
fn levels_in<'a, 't>(node: Node<'a, 't>) -> impl Iterator<Item = (Node<'a, 't>, Level)> {
    let namespace = node.tag_name().namespace();
    let elements = node.children().filter(move |child| child.tag_name().namespace() == namespace);
    elements.filter_map(|child| Some((child, level_of(child)?)))
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

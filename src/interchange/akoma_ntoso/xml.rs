//! Reads an XML file, and counts and locates what is in it.

use std::sync::Arc;

use roxmltree::{Document, Error, Node, ParsingOptions, TextPos};

use super::bounds;
use super::text::plain_text;
use super::tree::Located;
use crate::core::partial_date::PartialDate;
use crate::core::path::PathSegment;
use crate::core::text::excerpt;
use crate::interchange::omissions::Omissions;
use crate::interchange::problem::line_problem;
use crate::store::draft::{InputProblem, Origin};

/// Maximum number of elements, attributes aside, and texts between them in a file. Each takes about 100 bytes of memory.
const MAX_NODES: u32 = 4_000_000;
/// Namespace of Akoma Ntoso 3.0, of which drafts and errata of the standard have versions such as `/CSD13`.
const NAMESPACE_3: &str = "http://docs.oasis-open.org/legaldocml/ns/akn/3.0";
/// Namespace of Akoma Ntoso 2.0.
const NAMESPACE_2: &str = "http://www.akomantoso.org/2.0";
/// Attributes that say what an element without text is about, the most telling first.
const TELLING_ATTRIBUTES: [&str; 8] = ["showAs", "value", "href", "date", "language", "name", "eId", "id"];

/// Parses a file. DTDs are refused, and with them all entities that are not part of XML; nesting is bounded.
pub(super) fn parse<'t>(file: &Arc<str>, text: &'t str) -> Result<Document<'t>, InputProblem> {
    bounds::check(text).map_err(|(at, message)| line_problem(file, Some(Lines::of(text).line(at)), message))?;
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| syntax_problem(file, text, &error))
}

fn syntax_problem(file: &Arc<str>, text: &str, error: &Error) -> InputProblem {
    let TextPos { row, col } = error.pos();
    let (row, col) = (row as usize, col as usize);
    match error {
        Error::DtdDetected => {
            let line = text.find("<!DOCTYPE").map(|at| Lines::of(text).line(at));
            line_problem(file, line, "the file has a document type declaration (<!DOCTYPE ...>), which is not read; remove it")
        }
        Error::UnknownEntityReference(name, _) => {
            let message = format!("the entity &{name}; is not part of XML; write the character itself (column {col})");
            line_problem(file, Some(row), message)
        }
        // the parser has no place for what is missing at the end
        Error::UnclosedRootNode | Error::UnexpectedEndOfStream => {
            line_problem(file, Some(Lines::of(text).line(text.len())), format!("invalid XML: {error}; is the file complete?"))
        }
        Error::NodesLimitReached => {
            line_problem(file, None, format!("the file has more than {MAX_NODES} elements and texts; divide it into several"))
        }
        Error::NoRootNode => line_problem(file, Some(1), "the file contains no XML element"),
        error => {
            let reason = error.to_string().replace(&format!(" at {}", error.pos()), "");
            line_problem(file, Some(row), format!("invalid XML: {reason} (column {col})"))
        }
    }
}

/// The places at which the lines of a text begin.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1)).collect())
    }

    /// The line of a place, counted from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.0.partition_point(|start| *start <= at)
    }
}

/// Whether a namespace is one of Akoma Ntoso.
fn is_akoma_ntoso(namespace: &str) -> bool {
    namespace == NAMESPACE_2 || namespace.strip_prefix(NAMESPACE_3).is_some_and(|draft| draft.is_empty() || draft.starts_with('/'))
}

/// The act of a document, or what the file has instead of one.
pub(super) fn find_act<'a, 't>(document: &'a Document<'t>) -> Result<Node<'a, 't>, (Node<'a, 't>, String)> {
    const KINDS: &str = "of XML files, the import reads acts in Akoma Ntoso 2.0 or 3.0: <akomaNtoso xmlns=\"http://docs.oasis-open.org/legaldocml/ns/akn/3.0\"><act>";
    let root = document.root_element();
    let namespace = root.tag_name().namespace();
    if root.tag_name().name() != "akomaNtoso" || !namespace.is_some_and(is_akoma_ntoso) {
        let namespace = namespace.map_or_else(|| "no namespace".to_owned(), |namespace| format!("the namespace {}", excerpt(namespace)));
        return Err((root, format!("the root element is <{}> in {namespace}; {KINDS}", excerpt(root.tag_name().name()))));
    }
    let content: Vec<Node<'_, '_>> = root.children().filter(Node::is_element).collect();
    match content.as_slice() {
        [act, rest @ ..]
            if act.tag_name().name() == "act"
                && act.tag_name().namespace() == namespace
                && rest.iter().all(|node| node.tag_name().name() == "components") =>
        {
            Ok(*act)
        }
        [other] => Err((*other, format!("this is a document of the kind <{}>; {KINDS}", excerpt(other.tag_name().name())))),
        [] => Err((root, format!("<akomaNtoso> is empty; {KINDS}"))),
        [_, second, ..] => Err((*second, "<akomaNtoso> has several documents; write each to a file of its own".to_owned())),
    }
}

/// What is read of a file: where it is, and what is wrong with it or cannot be kept.
pub(super) struct FileReader<'r> {
    pub(super) file: &'r Arc<str>,
    pub(super) lines: Lines,
    /// Namespace of the elements that are read.
    pub(super) namespace: Option<&'r str>,
    pub(super) problems: Vec<InputProblem>,
    pub(super) omissions: &'r mut Omissions,
}

impl FileReader<'_> {
    pub(super) fn line(&self, node: Node<'_, '_>) -> usize {
        self.lines.line(node.range().start)
    }

    /// The place of an element, with the path of the elements around it from the act.
    pub(super) fn origin(&self, node: Node<'_, '_>) -> Origin {
        let mut path: Vec<PathSegment> =
            node.ancestors().filter(|node| node.is_element() && node.tag_name().name() != "akomaNtoso").map(segment).collect();
        path.reverse();
        Origin { file: Some(self.file.clone()), line: Some(self.line(node)), path }
    }

    pub(super) fn problem(&mut self, node: Node<'_, '_>, message: impl Into<String>) {
        let problem = InputProblem::new(self.origin(node), message);
        self.problems.push(problem);
    }

    /// Counts an element that is not kept.
    pub(super) fn omit(&mut self, description: impl Into<String>, node: Node<'_, '_>) {
        let text = plain_text(node);
        let attribute = || TELLING_ATTRIBUTES.into_iter().find_map(|name| node.attribute(name));
        let example = if text.is_empty() { attribute().unwrap_or(node.tag_name().name()) } else { &text };
        self.omissions.count_text(description, example, &self.origin(node));
    }

    /// The elements of Akoma Ntoso in another.
    pub(super) fn elements<'a, 't>(&self, node: Node<'a, 't>) -> Vec<Node<'a, 't>> {
        node.children().filter(|child| child.is_element() && child.tag_name().namespace() == self.namespace).collect()
    }

    /// The elements of Akoma Ntoso in another. Those of other namespaces are counted as omitted, so this is called once for an
    /// element.
    pub(super) fn read_elements<'a, 't>(&mut self, node: Node<'a, 't>) -> Vec<Node<'a, 't>> {
        let namespace = self.namespace;
        for other in node.children().filter(|child| child.is_element() && child.tag_name().namespace() != namespace) {
            self.omit("elements of other namespaces", other);
        }
        self.elements(node)
    }

    /// The text of an attribute that must be there.
    pub(super) fn required(&mut self, node: Node<'_, '_>, name: &str) -> Option<Located> {
        let text = node.attribute(name).map(str::trim).filter(|text| !text.is_empty());
        if text.is_none() {
            self.problem(node, format!("the attribute {name} is missing or empty"));
        }
        text.map(|text| Located { text: text.to_owned(), line: self.line(node) })
    }

    /// The day in the attribute `date`. A time of day is counted as omitted.
    pub(super) fn date(&mut self, node: Node<'_, '_>) -> Option<Located> {
        let given = self.required(node, "date")?;
        let (day, time) = given.text.split_once('T').unwrap_or((&given.text, ""));
        match day.parse::<PartialDate>() {
            Ok(day) => {
                if time.contains(|digit: char| ('1'..='9').contains(&digit)) {
                    self.omit(format!("{} time of day", node.tag_name().name()), node);
                }
                Some(Located { text: day.to_string(), line: given.line })
            }
            Err(error) => {
                self.problem(node, format!("date: {error}"));
                None
            }
        }
    }
}

/// An element in a path, with its id if it has one.
fn segment(node: Node<'_, '_>) -> PathSegment {
    let name = node.tag_name().name();
    let id = node.attribute("eId").or_else(|| node.attribute("id"));
    PathSegment::from(id.map_or_else(|| name.to_owned(), |id| format!("{name}[{}]", excerpt(id))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn problem(text: &str) -> String {
        parse(&Arc::from("x.xml"), text).unwrap_err().to_string()
    }

    #[rstest]
    #[case("<a>\n<b></a>", "x.xml:2: invalid XML: expected 'b' tag, not 'a' (column 4)")]
    #[case("<a>\n<b>", "x.xml:2: invalid XML: the root node was opened but never closed; is the file complete?")]
    #[case("<a\n x='1' x='2'/>", "x.xml:2: invalid XML: attribute 'x' is already defined (column 8)")]
    #[case("<a>\n&nbsp;</a>", "x.xml:2: the entity &nbsp; is not part of XML; write the character itself (column 1)")]
    #[case("", "x.xml:1: the file contains no XML element")]
    #[case(
        "<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY e \"x\">]>\n<a>&e;</a>",
        "x.xml:2: the file has a document type declaration (<!DOCTYPE ...>), which is not read; remove it"
    )]
    fn problem_names_the_line(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(problem(text), expected);
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| format!("{}\n{}", "<a>".repeat(levels), "</a>".repeat(levels));
        assert!(parse(&Arc::from("x.xml"), &nested(100)).is_ok());
        assert_eq!(problem(&nested(101)), "x.xml:1: elements are nested more than 100 levels deep");
        assert!(problem(&nested(200_000)).contains("nested more than 100 levels"));
    }

    #[test]
    fn lines_are_counted_from_one() {
        let lines = Lines::of("a\nbc\n\nd");
        assert_eq!([0, 1, 2, 4, 5, 6].map(|at| lines.line(at)), [1, 1, 2, 2, 3, 4]);
    }
}

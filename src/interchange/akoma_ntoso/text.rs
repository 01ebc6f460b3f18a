//! The text of elements: its lines, and what is not part of it.

use roxmltree::Node;

use crate::core::text::excerpt;

/// Elements in lines of text. All others begin and end a line.
const INLINE: &[&str] = &[
    "a",
    "abbr",
    "affectedDocument",
    "b",
    "change",
    "concept",
    "courtType",
    "date",
    "decoration",
    "def",
    "docAuthority",
    "docCommittee",
    "docDate",
    "docIntroducer",
    "docJurisdiction",
    "docNumber",
    "docProponent",
    "docPurpose",
    "docStage",
    "docStatus",
    "docTitle",
    "docType",
    "docketNumber",
    "documentRef",
    "entity",
    "event",
    "fillIn",
    "from",
    "i",
    "inline",
    "ins",
    "judge",
    "lawyer",
    "legislature",
    "location",
    "mmod",
    "mod",
    "mref",
    "neutralCitation",
    "object",
    "omissis",
    "opinion",
    "organization",
    "outcome",
    "party",
    "person",
    "placeholder",
    "process",
    "quantity",
    "quotedText",
    "recordedTime",
    "ref",
    "relatedDocument",
    "remark",
    "rmod",
    "role",
    "rref",
    "scene",
    "session",
    "shortTitle",
    "span",
    "sub",
    "sup",
    "term",
    "time",
    "tocItem",
    "u",
    "vote",
    "witness",
];
/// Elements that are not part of the text around them: notes, images, positions, and what was deleted.
const OUTSIDE: [&str; 9] = ["authorialNote", "del", "img", "marker", "meta", "note", "noteRef", "popup", "subFlow"];
/// Namespace of HTML, in which some publishers write tables. Its elements are read as those of Akoma Ntoso with their names.
const HTML_NAMESPACE: &str = "http://www.w3.org/1999/xhtml";
/// Elements in lines of text that only HTML has.
const HTML_INLINE: [&str; 16] =
    ["acronym", "big", "bdo", "cite", "code", "dfn", "em", "font", "kbd", "label", "q", "s", "samp", "small", "strong", "var"];
/// Elements of HTML that are not part of the text around them.
const HTML_OUTSIDE: [&str; 9] = ["canvas", "iframe", "input", "noscript", "object", "script", "style", "svg", "video"];
/// Elements of which the text is kept, but not what they link to or how they are laid out, and what is lost.
const SIMPLIFIED: [(&str, &str); 7] = [
    ("ref", "targets of ref"),
    ("mref", "targets of mref"),
    ("rref", "targets of rref"),
    ("a", "targets of a"),
    ("table", "layout of tables"),
    ("sup", "raised position of sup"),
    ("sub", "lowered position of sub"),
];

/// What separates two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Separator {
    None,
    Space,
    Line,
}

/// Writes the text of elements.
struct TextWriter<'w, 'a, 't> {
    text: String,
    separator: Separator,
    /// Whether the last text is a number, which stands on the line of what follows.
    is_after_number: bool,
    /// Namespace of the elements that are read.
    namespace: Option<&'w str>,
    omitted: Vec<(String, Node<'a, 't>)>,
}

/// Whether an element is a flow of text in a cell of a table: elements of the hierarchy can stand there in no other way.
fn is_flow_of_cell(node: Node<'_, '_>) -> bool {
    node.tag_name().name() == "subFlow" && node.ancestors().skip(1).any(|around| matches!(around.tag_name().name(), "td" | "th"))
}

/// What the status of an element says about it, such as that it was removed or is a translation; records have no field for it.
pub(super) fn status_of(node: Node<'_, '_>) -> Option<String> {
    let status = node.attribute("status").map(str::trim).filter(|status| !status.is_empty())?;
    Some(format!("status {} of {}", excerpt(status), node.tag_name().name()))
}

/// The text of some nodes in lines, and the elements that are not or not wholly kept in it, each with its description.
pub(super) fn lines_of<'a, 't>(
    nodes: impl IntoIterator<Item = Node<'a, 't>>,
    namespace: Option<&str>,
) -> (String, Vec<(String, Node<'a, 't>)>) {
    let mut writer = TextWriter { text: String::new(), separator: Separator::None, is_after_number: false, namespace, omitted: Vec::new() };
    for node in nodes {
        writer.node(node);
    }
    (writer.text, writer.omitted)
}

/// The text of an element on one line, whatever its elements are.
pub(super) fn plain_text(node: Node<'_, '_>) -> String {
    let texts = node.descendants().filter(Node::is_text).filter_map(|text| text.text());
    let text: String = texts.collect::<Vec<_>>().concat();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text of a heading or title on one line, as [`lines_of`].
pub(super) fn line_of<'a, 't>(node: Node<'a, 't>, namespace: Option<&str>) -> (String, Vec<(String, Node<'a, 't>)>) {
    let (text, omitted) = lines_of(node.children(), namespace);
    (text.split_whitespace().collect::<Vec<_>>().join(" "), omitted)
}

impl<'a, 't> TextWriter<'_, 'a, 't> {
    /// Writes a node. Recurses once for each level, of which there are few.
    fn node(&mut self, node: Node<'a, 't>) {
        if let Some(text) = node.text().filter(|_| node.is_text()) {
            return self.write(text);
        }
        if !node.is_element() {
            return;
        }
        let name = node.tag_name().name();
        let is_html = node.tag_name().namespace() == Some(HTML_NAMESPACE);
        if !is_html && node.tag_name().namespace() != self.namespace {
            return self.omitted.push(("elements of other namespaces".to_owned(), node));
        }
        if (OUTSIDE.contains(&name) && !is_flow_of_cell(node)) || (is_html && HTML_OUTSIDE.contains(&name)) {
            return self.omitted.push((name.to_owned(), node));
        }
        if let Some((_, lost)) = SIMPLIFIED.into_iter().find(|(simplified, _)| *simplified == name) {
            self.omitted.push((lost.to_owned(), node));
        }
        self.omitted.extend(status_of(node).map(|status| (status, node)));
        match name {
            "br" | "eol" => self.separate(Separator::Line),
            "tr" => self.row(node),
            "num" => {
                self.separate(Separator::Line);
                self.children(node);
                self.separate(Separator::Space);
                self.is_after_number = true;
            }
            name if INLINE.contains(&name) || (is_html && HTML_INLINE.contains(&name)) => self.children(node),
            _ => {
                self.separate(Separator::Line);
                self.children(node);
                self.separate(Separator::Line);
            }
        }
    }

    fn children(&mut self, node: Node<'a, 't>) {
        for child in node.children() {
            self.node(child);
        }
    }

    /// Writes a row of a table as a line, in which tabs separate the cells. Empty cells keep their places, and the lines of a
    /// cell are joined.
    fn row(&mut self, node: Node<'a, 't>) {
        self.separate(Separator::Line);
        let mut tabs = 0;
        for child in node.children() {
            if !matches!(child.tag_name().name(), "td" | "th") {
                self.node(child);
                continue;
            }
            let (text, omitted) = line_of(child, self.namespace);
            self.omitted.extend(omitted);
            if !text.is_empty() {
                self.begin_cell(tabs);
                self.text.push_str(&text);
                tabs = 0;
            }
            tabs += 1;
        }
        self.separate(Separator::Line);
    }

    /// Writes what stands before a cell: the end of the line before it or the space after a number, and a tab for each cell.
    fn begin_cell(&mut self, tabs: usize) {
        match self.separator {
            _ if self.text.is_empty() => {}
            Separator::Line => self.text.push('\n'),
            Separator::Space if tabs == 0 => self.text.push(' '),
            Separator::Space | Separator::None => {}
        }
        self.separator = Separator::None;
        self.is_after_number = false;
        self.text.extend(std::iter::repeat_n('\t', tabs));
    }

    fn separate(&mut self, separator: Separator) {
        let separator = if self.is_after_number { separator.min(Separator::Space) } else { separator };
        self.separator = self.separator.max(separator);
    }

    /// Writes a text in which white space is collapsed.
    fn write(&mut self, text: &str) {
        for char in text.chars() {
            if char.is_whitespace() {
                self.separate(Separator::Space);
                continue;
            }
            match self.separator {
                _ if self.text.is_empty() => {}
                Separator::None => {}
                Separator::Space => self.text.push(' '),
                Separator::Line => self.text.push('\n'),
            }
            self.separator = Separator::None;
            self.is_after_number = false;
            self.text.push(char);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use roxmltree::Document;
    use rstest::rstest;

    #[rstest]
    #[case("<p>One <b>two</b>,\n  three.</p><p>Four</p>", "One two, three.\nFour")]
    #[case(
        "<paragraph><num>1.</num><content><p>One</p></content></paragraph>\n<paragraph><num>2.</num><content><p>Two</p></content></paragraph>",
        "1. One\n2. Two"
    )]
    #[case("<p>One<authorialNote><p>note</p></authorialNote> two<eol/>three</p>", "One two\nthree")]
    #[case("<p>a<del>b</del><ins>c</ins></p>", "ac")]
    #[case("<table><tr><th><p>A</p></th><th>B</th></tr><tr><td>1</td><td><p>2</p><p>3</p></td></tr></table>", "A\tB\n1\t2 3")]
    #[case("<table><tr><td>a</td><td/><td>c</td><td> </td></tr><tr><td/><td>e</td></tr></table>", "a\t\tc\n\te")]
    #[case("<item><num>1.</num><table><tr><td>a</td><td>b</td></tr></table></item><p>c</p>", "1. a\tb\nc")]
    #[case(
        "<tblock><foreign><h:table xmlns:h='http://www.w3.org/1999/xhtml'><h:tr><h:th>A</h:th><h:td><h:strong>b</h:strong>c</h:td></h:tr></h:table></foreign></tblock>",
        "A\tbc"
    )]
    #[case("<table><tr><td><p><subFlow name='wrapper'><paragraph><num>1</num><p>a</p></paragraph></subFlow></p></td></tr></table>", "1 a")]
    #[case("<p/>  <p> </p>", "")]
    fn text_is_written_in_lines(#[case] xml: &str, #[case] expected: &str) {
        let xml = format!("<x>{xml}</x>");
        let document = Document::parse(&xml).unwrap();
        assert_eq!(lines_of(document.root_element().children(), None).0, expected);
    }

    #[test]
    fn what_is_not_text_is_listed() {
        let document =
            Document::parse("<x>a<note>b</note><ref href='#c'>c</ref><img/><f xmlns='urn:f'>d</f>m<sup>2</sup><p status='removed'/></x>")
                .unwrap();
        let (text, omitted) = lines_of(document.root_element().children(), None);
        assert_eq!(text, "acm2");
        let descriptions: Vec<String> = omitted.into_iter().map(|(description, _)| description).collect();
        assert_eq!(
            descriptions,
            ["note", "targets of ref", "img", "elements of other namespaces", "raised position of sup", "status removed of p",]
        );
    }
}

//! Bounds on XML files: parsing takes time that grows with the square of the attributes of an element and of the namespaces
//! around it, and memory for each level, so these are counted first.

/// Maximum number of nested elements: laws need about 30, and reading their text recurses once for each.
const MAX_ELEMENT_NESTING: usize = 100;
/// Maximum number of attributes of an element.
const MAX_ATTRIBUTES: usize = 100;
/// Maximum number of namespace declarations of an element and those around it.
const MAX_NAMESPACES: usize = 100;

/// Where a file exceeds a bound, and which one.
pub(super) type Exceeded = (usize, String);

/// A start tag, an end tag or an empty element.
struct Tag<'t> {
    is_end: bool,
    is_empty: bool,
    attributes: Vec<&'t str>,
    /// Place after the tag.
    end: usize,
}

/// Checks a file before it is parsed. It is exact for well-formed XML; what is not well-formed is left to the parser, which
/// ends at the first error.
pub(super) fn check(text: &str) -> Result<(), Exceeded> {
    // namespace declarations of the elements around the place
    let mut around: Vec<usize> = Vec::new();
    let mut namespaces = 0;
    let mut at = 0;
    while let Some(start) = text[at..].find('<').map(|found| at + found) {
        let rest = &text[start..];
        let skipped = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")].into_iter().find(|(open, _)| rest.starts_with(open));
        if let Some((open, close)) = skipped {
            let Some(length) = rest[open.len()..].find(close) else { return Ok(()) };
            at = start + open.len() + length + close.len();
            continue;
        }
        // a document type declaration is refused by the parser
        let Some(tag) = tag(text, start).filter(|_| !rest.starts_with("<!")) else { return Ok(()) };
        at = tag.end;
        if tag.is_end {
            namespaces -= around.pop().unwrap_or(namespaces);
            continue;
        }
        if around.len() == MAX_ELEMENT_NESTING {
            return Err((start, format!("elements are nested more than {MAX_ELEMENT_NESTING} levels deep")));
        }
        if tag.attributes.len() > MAX_ATTRIBUTES {
            return Err((start, format!("the element has more than {MAX_ATTRIBUTES} attributes")));
        }
        let declared = tag.attributes.iter().filter(|name| **name == "xmlns" || name.starts_with("xmlns:")).count();
        if namespaces + declared > MAX_NAMESPACES {
            return Err((start, format!("the element and those around it declare more than {MAX_NAMESPACES} namespaces")));
        }
        if !tag.is_empty {
            around.push(declared);
            namespaces += declared;
        }
    }
    Ok(())
}

/// The tag that begins at a place; `None` if it does not end.
fn tag(text: &str, start: usize) -> Option<Tag<'_>> {
    let bytes = text.as_bytes();
    let mut tag = Tag { is_end: bytes.get(start + 1) == Some(&b'/'), is_empty: false, attributes: Vec::new(), end: 0 };
    let (mut at, mut name) = (start + 1, start + 1);
    loop {
        match *bytes.get(at)? {
            quote @ (b'"' | b'\'') => {
                at += 1 + bytes[at + 1..].iter().position(|byte| *byte == quote)?;
                name = at + 1;
            }
            b'=' => tag.attributes.push(text[name..at].trim()),
            b'>' => {
                tag.is_empty = bytes[at - 1] == b'/';
                return Some(Tag { end: at + 1, ..tag });
            }
            b' ' | b'\t' | b'\r' | b'\n' => {
                // white space may also stand before the equals sign
                let spaces = bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                if bytes.get(at + spaces) != Some(&b'=') {
                    name = at + spaces;
                }
                at += spaces - 1;
            }
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("<a><!-- <b> --><![CDATA[<b>]]><?x <b> ?><b c='>' d=\"/>\"/></a>", None)]
    #[case(&format!("{}{}", "<a>".repeat(100), "</a>".repeat(100)), None)]
    #[case(&format!("<r>{}</r>", "<a/>".repeat(1_000)), None)]
    #[case(&"<a>".repeat(101), Some("nested more than 100 levels"))]
    #[case(&format!("<a {}/>", "b='1' ".repeat(101)), Some("more than 100 attributes"))]
    #[case(&format!("<r>{}</r>", "<a xmlns:b = 'c' xmlns='d'/>".repeat(1_000)), None)]
    #[case(&"<a xmlns:b='c' xmlns = 'd'>".repeat(51), Some("more than 100 namespaces"))]
    #[case("<a b='", None)]
    #[case("<a></a></a></a>", None)]
    #[case("<!-- ", None)]
    fn bounds_are_checked(#[case] text: &str, #[case] expected: Option<&str>) {
        match (check(text), expected) {
            (Ok(()), None) => {}
            (Err((_, message)), Some(expected)) => assert!(message.contains(expected), "{message}"),
            (found, expected) => panic!("{found:?} {expected:?}"),
        }
    }

    #[test]
    fn long_white_space_is_passed_once() {
        let text = format!("<a{}>", " ".repeat(1 << 22));
        assert_eq!(check(&text), Ok(()));
    }
}

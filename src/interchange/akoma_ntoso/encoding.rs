//! The encoding that an XML file declares.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::core::text::excerpt;

/// The encoding that the declaration of an XML file names, by its first bytes; `None` if it names UTF-8 or none. The declaration
/// of a file in an encoding without ASCII cannot be read: such a file has a byte order mark.
pub fn declared_encoding(start: &[u8]) -> Result<Option<&'static Encoding>, String> {
    let Some(name) = declared_name(start) else { return Ok(None) };
    match Encoding::for_label_no_replacement(name.as_bytes()) {
        Some(encoding) if encoding == UTF_8 => Ok(None),
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => {
            Err(format!("the XML declaration names the encoding {name}, but is not written in it; correct the declaration"))
        }
        Some(encoding) => Ok(Some(encoding)),
        None => {
            let name = excerpt(name);
            Err(format!("the XML declaration names the encoding \"{name}\", which is not known; save the file in UTF-8"))
        }
    }
}

/// The name in `<?xml version="1.0" encoding="NAME"?>`.
fn declared_name(start: &[u8]) -> Option<&str> {
    let rest = start.strip_prefix(b"<?xml")?;
    let end = rest.windows(2).position(|pair| pair == b"?>")?;
    let declaration = std::str::from_utf8(&rest[..end]).ok()?;
    let (_, rest) = declaration.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    rest[1..].split_once(quote).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("<?xml version=\"1.0\" encoding=\"windows-1251\"?><a/>", Ok(Some("windows-1251")))]
    #[case("<?xml version='1.0' encoding = 'KOI8-R' ?><a/>", Ok(Some("KOI8-R")))]
    #[case("<?xml version=\"1.0\" encoding=\"UTF-8\"?><a/>", Ok(None))]
    #[case("<?xml version=\"1.0\"?><a encoding=\"koi8-r\"/>", Ok(None))]
    #[case("<a/>", Ok(None))]
    #[case("<?xml version=\"1.0\" encoding=\"klingon\"?><a/>", Err("\"klingon\", which is not known"))]
    #[case("<?xml version=\"1.0\" encoding=\"utf-16\"?><a/>", Err("but is not written in it"))]
    fn declaration_names_the_encoding(#[case] text: &str, #[case] expected: Result<Option<&str>, &str>) {
        match (declared_encoding(text.as_bytes()), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found.map(Encoding::name), expected),
            (Err(message), Err(expected)) => assert!(message.contains(expected), "{message}"),
            (found, expected) => panic!("{found:?} {expected:?}"),
        }
    }
}

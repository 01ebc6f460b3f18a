//! Addresses of web pages, whatever interface they come through.

use migration::web_address::{authority_bytes, canonical};
use url::{Host, Url};

use super::text::{excerpt, is_invisible};

/// Maximum length of a label of a host name, and of the whole name.
const MAX_LABEL_BYTES: usize = 63;
const MAX_HOST_BYTES: usize = 253;

/// Requires the absolute address of a page: http or https, with a host, without white space, control characters and credentials.
pub fn check_web_address(text: &str) -> Result<(), String> {
    let wrong = |reason: &str| Err(format!("\"{}\" is not a web address; {reason}", excerpt(text)));
    if text.contains(|char: char| char.is_whitespace() || char.is_control()) {
        return wrong("write %20 for a space");
    }
    if text.contains(is_invisible) {
        return wrong("it contains an invisible character; type it again");
    }
    // browsers read it as a slash
    if text.contains('\\') {
        return wrong("write / instead of \\");
    }
    let rest = text.split_once("://").filter(|(scheme, _)| ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)));
    let Some((_, rest)) = rest else { return wrong("it must begin with https:// or http://") };
    // the parser also accepts other numbers of slashes
    if rest.starts_with('/') {
        return wrong("write two slashes before the host");
    }
    let authority = &rest[..authority_bytes(rest)];
    if authority.is_empty() {
        return wrong("the host is missing");
    }
    if authority.contains('@') {
        return wrong("remove the user name and password before @, and the @");
    }
    if let Some(escape) = control_escape(rest) {
        return wrong(&format!("it contains the control character {escape}; remove it"));
    }
    if authority.contains('%') {
        return wrong("write the characters of the host themselves, without %");
    }
    match Url::parse(text).as_ref().map(Url::host) {
        Ok(Some(Host::Domain(host))) if is_host_name(host) => Ok(()),
        Ok(Some(Host::Ipv4(_) | Host::Ipv6(_))) => Ok(()),
        Ok(Some(Host::Domain(_)) | None) | Err(_) => wrong("the host or port is not valid"),
    }
}

/// The address of a page in the form in which it is stored and compared, see [`canonical`]; an error as of [`check_web_address`].
pub fn normalize_web_address(text: &str) -> Result<String, String> {
    check_web_address(text)?;
    canonical(text).ok_or_else(|| format!("\"{}\" is not a web address; the host or port is not valid", excerpt(text)))
}

/// As [`normalize_web_address`]. A text that is no address is as given; it is reported where the address is read.
pub fn comparable_web_address(text: &str) -> String {
    normalize_web_address(text).unwrap_or_else(|_| text.to_owned())
}

/// Whether a host name in ASCII has labels of letters, digits, hyphens and underscores, with no hyphen at their ends. The name
/// may end in a dot.
fn is_host_name(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        let has_characters = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        !label.is_empty() && label.len() <= MAX_LABEL_BYTES && has_characters && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= MAX_HOST_BYTES && name.split('.').all(is_label)
}

/// The first percent-encoded control character of an address, such as `%00`.
fn control_escape(address: &str) -> Option<&str> {
    let escapes = address.match_indices('%').filter_map(|(at, _)| address.get(at..at + 3));
    escapes.into_iter().find(|escape| u8::from_str_radix(&escape[1..], 16).is_ok_and(|byte| byte.is_ascii_control()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://example.org/a?b=c#d", None)]
    #[case("http://\u{43f}\u{440}\u{438}\u{43c}\u{435}\u{440}.\u{440}\u{444}/\u{436}", None)]
    #[case("HTTPS://EXAMPLE.ORG", None)]
    #[case("https://example.org:8443/a@b?c=d@e", None)]
    #[case("https://192.0.2.1/", None)]
    #[case("https://[2001:db8::1]/", None)]
    #[case("https://a_b.x-y.kz./%20%D0%B6", None)]
    #[case("https://user:secret@example.org", Some("remove the user name and password before @, and the @"))]
    #[case("https://user@example.org", Some("remove the user name and password before @, and the @"))]
    #[case("https://@x.kz/", Some("remove the user name and password before @, and the @"))]
    #[case("https://:@x.kz", Some("remove the user name and password before @, and the @"))]
    #[case("https:///x.kz", Some("write two slashes before the host"))]
    #[case("https://-", Some("the host or port is not valid"))]
    #[case("https://-a.kz", Some("the host or port is not valid"))]
    #[case("https://a..kz", Some("the host or port is not valid"))]
    #[case("https://.", Some("the host or port is not valid"))]
    #[case("https://x.kz:99999/", Some("the host or port is not valid"))]
    #[case("https://x.kz/%00", Some("it contains the control character %00; remove it"))]
    #[case("https://x.kz/?a=%0d%0a", Some("it contains the control character %0d; remove it"))]
    #[case("https://%00.kz/", Some("it contains the control character %00; remove it"))]
    #[case("https://example.org/a b", Some("write %20 for a space"))]
    #[case("https://x%2ekz/", Some("write the characters of the host themselves, without %"))]
    #[case("https://x\u{3002}kz/", None)]
    #[case("https://x.kz:/", None)]
    #[case("https://exam\nple.org", Some("write %20 for a space"))]
    #[case("https://exam\u{200b}ple.org", Some("it contains an invisible character; type it again"))]
    #[case("https://example.org/\u{202e}a", Some("it contains an invisible character; type it again"))]
    #[case("https:example.org", Some("it must begin with https:// or http://"))]
    #[case("https://a.org\\@evil.org/", Some("write / instead of \\"))]
    #[case("https:/\\example.org", Some("write / instead of \\"))]
    #[case("https://", Some("the host is missing"))]
    #[case("https://?a", Some("the host is missing"))]
    #[case("javascript:alert(1)", Some("it must begin with https:// or http://"))]
    #[case("ftp://example.org", Some("it must begin with https:// or http://"))]
    #[case("//example.org", Some("it must begin with https:// or http://"))]
    fn web_address_says_what_is_wrong(#[case] text: &str, #[case] reason: Option<&str>) {
        let expected = reason.map(|reason| format!("\"{}\" is not a web address; {reason}", excerpt(text)));
        assert_eq!(check_web_address(text).err(), expected);
    }

    #[rstest]
    #[case("HTTPS://News.Example.KZ:443/A?b=C", "https://news.example.kz/A?b=C")]
    #[case("https://xn--e1afmkfd.xn--p1ai", "https://\u{43f}\u{440}\u{438}\u{43c}\u{435}\u{440}.\u{440}\u{444}/")]
    #[case("no address", "no address")]
    #[case("https://x%2ekz/", "https://x%2ekz/")]
    fn address_is_compared_in_one_form(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(comparable_web_address(text), expected);
    }
}

//! The one form of a web address in which sources are stored and compared.

use url::{Host, Url};

/// The form of the address of a page in which it is stored and compared: the scheme and the host in lower case, the host in one
/// spelling and without a dot at its end, no default port, and a path. The host is in Unicode, so that it can be read. What
/// follows the path's first slash is as given. `None` if the text is no such address.
pub fn canonical(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    if !matches!(scheme.as_str(), "http" | "https") {
        return None;
    }
    let end = authority_bytes(rest);
    // a parser reads more spellings than are valid
    if end == 0 || rest[..end].contains(['%', '@', '\\']) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let host = match url.host()? {
        Host::Domain(name) => readable(name.strip_suffix('.').unwrap_or(name)),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => format!("[{address}]"),
    };
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let rest = &rest[end..];
    let slash = if rest.starts_with('/') { "" } else { "/" };
    Some(format!("{scheme}://{host}{port}{slash}{rest}"))
}

/// Length of the host and port that a text begins with.
pub fn authority_bytes(text: &str) -> usize {
    text.find(['/', '?', '#']).unwrap_or(text.len())
}

/// A host name in Unicode if that leads back to the same name, and else in ASCII.
fn readable(ascii: &str) -> String {
    let (unicode, result) = idna::domain_to_unicode(ascii);
    let is_same = result.is_ok() && idna::domain_to_ascii(&unicode).is_ok_and(|back| back == ascii);
    if is_same { unicode } else { ascii.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_has_one_form() {
        for (form, spellings) in [
            (
                "https://x.kz/",
                &[
                    "https://x.kz",
                    "HTTPS://X.KZ/",
                    "https://x.kz:443",
                    "https://x.kz:/",
                    "https://x.kz./",
                    "https://x\u{3002}kz/",
                    "https://x.kz:0443/",
                ][..],
            ),
            ("http://x.kz/", &["http://x.kz:80/", "http://x.kz"]),
            ("http://x.kz:443/", &["http://x.kz:443"]),
            ("https://x.kz/?A=1", &["https://X.kz?A=1", "https://x.kz:443/?A=1"]),
            ("https://x.kz/#A", &["https://x.kz#A"]),
            ("https://x.kz/a/../B/%d0%b6?b=C#d", &["https://X.kz:443/a/../B/%d0%b6?b=C#d"]),
            ("https://пример.рф/ж", &["https://xn--e1afmkfd.xn--p1ai/ж", "https://ПРИМЕР.рф:443/ж", "https://пример。рф./ж"]),
            ("https://192.0.2.1/", &["https://192.0.2.1", "https://0xc0.0.2.1:443/"]),
            ("https://[2001:db8::1]:8443/", &["https://[2001:DB8:0::1]:8443"]),
        ] {
            for spelling in spellings {
                assert_eq!(canonical(spelling).as_deref(), Some(form), "{spelling}");
            }
            assert_eq!(canonical(form).as_deref(), Some(form));
        }
    }

    #[test]
    fn what_is_no_address_has_no_form() {
        for text in ["https://x%2ekz/", "https://a@x.kz/", "https:///x.kz", "https://", "ftp://x.kz/", "x.kz", "https://x.kz:99999/"] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }
}

//! What the dataset says of itself: what it is called, who is to be named, on which terms it may be used, and where it is.

use url::Url;

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

    #[test]
    fn what_is_no_address_of_a_server_is_refused() {
        for wrong in ["data.example.org", "ftp://example.org", "https://example.org/?a=b", "https://user:secret@example.org", ""] {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }
}

//! The parameters of a URL. [`crate::http::middleware::url`] has rejected URLs that do not decode to text.

use axum::http::StatusCode;

use crate::http::response::{HttpReject, reject};

/// The parameters of a query string, in order.
#[derive(Debug, Clone)]
pub(super) struct UrlParameters {
    pairs: Vec<(String, String)>,
}

fn bad_request(message: impl Into<String>) -> HttpReject {
    reject(StatusCode::BAD_REQUEST, message)
}

impl UrlParameters {
    /// Parses a query string.
    pub(super) fn new(query: &str) -> Self {
        Self { pairs: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect() }
    }

    /// The value of a parameter; `None` if it is absent or empty.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(given, value)| given == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is given, even if it is empty.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.pairs.iter().any(|(given, _)| given == name)
    }

    /// The items of a comma-separated list, sorted and each once; none if the parameter is absent or empty. An empty item is
    /// rejected: a list of nothing could mean all or none.
    pub(super) fn list(&self, name: &str) -> Result<Vec<String>, HttpReject> {
        let mut items: Vec<String> =
            self.value(name).into_iter().flat_map(|list| list.split(',')).map(|item| item.trim().to_owned()).collect();
        if items.iter().any(String::is_empty) {
            return Err(bad_request(format!("{name}: an item of the list is empty; separate names by one comma")));
        }
        items.sort();
        items.dedup();
        Ok(items)
    }

    /// Sets the default of a parameter.
    pub(super) fn set_default(&mut self, name: &str, value: impl FnOnce() -> String) {
        if self.value(name).is_none() {
            self.pairs.push((name.to_owned(), value()));
        }
    }

    /// The value of a boolean parameter, or its default.
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, HttpReject> {
        match self.value(name) {
            None => Ok(default),
            Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(other) => Err(bad_request(format!("{name}: \"{other}\" is neither true nor false"))),
        }
    }

    /// Rejects unknown and repeated parameters, except those that tools append: `utm_*` and names with a leading underscore.
    ///
    /// `known` are lists of names.
    pub(super) fn reject_unknown(&self, known: &[&[&str]]) -> Result<(), HttpReject> {
        let known = known.concat();
        let own = || self.pairs.iter().map(|(name, _)| name).filter(|name| !name.starts_with('_') && !name.starts_with("utm_"));
        if let Some(name) = own().find(|name| !known.contains(&name.as_str())) {
            let known = match known.as_slice() {
                [names @ .., last] if !names.is_empty() => format!("{} and {last}", names.join(", ")),
                names => names.join(", "),
            };
            return Err(bad_request(format!("there is no parameter \"{name}\"; the parameters are {known}")));
        }
        match own().enumerate().find(|(index, name)| own().take(*index).any(|earlier| earlier == *name)) {
            Some((_, name)) => Err(bad_request(format!("the URL parameter {name} is given twice"))),
            None => Ok(()),
        }
    }
}

//! Pagination after the Relay cursor connections specification: page arguments and cursors.
//!
//! Pages are keyset pages: a cursor holds the sort key and the id of a row, so a page deep in a list costs as much as the
//! first.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::core::error::{Error, Result, bad_input, invalid_cursor};
use crate::core::strict_json;

/// Page size in rows if neither `first` nor `last` is given.
pub const DEFAULT_PAGE_SIZE: u32 = 20;
/// Maximum page size in rows.
pub const MAX_PAGE_SIZE: u32 = 100;
/// Version of the cursor format. Cursors of another version are rejected.
const CURSOR_VERSION: u64 = 1;

/// Sort direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Ascending.
    Asc,
    /// Descending.
    Desc,
}

impl Direction {
    /// The opposite direction.
    pub fn reversed(self) -> Self {
        match self {
            Self::Asc => Self::Desc,
            Self::Desc => Self::Asc,
        }
    }
}

/// The position of a row in a list: its sort key and its id.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor {
    /// Sort key of the row. The id breaks ties.
    pub key: Vec<Value>,
    /// Id of the row.
    pub id: Uuid,
}

impl Cursor {
    /// Encodes the cursor for the list of this name (its record type and order).
    pub fn encode(&self, list: &str) -> String {
        BASE64.encode(json!([CURSOR_VERSION, list, self.key, self.id]).to_string())
    }

    /// Parses the argument of a request with a cursor of the list of this name. An empty text is no cursor.
    ///
    /// # Errors
    /// Returns the errors of [`Cursor::decode`].
    pub fn parse(text: Option<&str>, list: &str, argument: &str) -> Result<Option<Self>> {
        text.filter(|text| !text.is_empty()).map(|text| Self::decode(text, list, argument)).transpose()
    }

    /// Decodes a cursor of the list of this name. `argument` is named in the error.
    ///
    /// # Errors
    /// Returns [`Error::InvalidCursor`] for text that is not a cursor, and for cursors of another version or list.
    pub fn decode(text: &str, list: &str, argument: &str) -> Result<Self> {
        let foreign = || invalid_cursor(argument, "this is not a cursor of this server; use one from pageInfo or edges of the same list");
        let bytes = BASE64.decode(text).map_err(|_| foreign())?;
        let value: Value = strict_json::parse(&bytes).map_err(|_| foreign())?;
        let [version, of, key, id] = value.as_array().map(Vec::as_slice).unwrap_or_default() else {
            return Err(foreign());
        };
        if version.as_u64().ok_or_else(foreign)? != CURSOR_VERSION {
            return Err(invalid_cursor(argument, "this cursor is from another version of the server; start again at the first page"));
        }
        let of = of.as_str().ok_or_else(foreign)?;
        if of != list {
            return Err(invalid_cursor(
                argument,
                format_args!("this cursor belongs to a list of {of}, and this is a list of {list}; start again at the first page"),
            ));
        }
        let key = key.as_array().ok_or_else(foreign)?.clone();
        let id = id.as_str().and_then(|text| Uuid::parse_str(text).ok()).ok_or_else(foreign)?;
        Ok(Self { key, id })
    }
}

/// The page of a list to return.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Maximum number of rows.
    pub size: u32,
    /// Whether to count from the end of the list. The rows keep the order of the list either way.
    pub backward: bool,
    /// Only rows after this one.
    pub after: Option<Cursor>,
    /// Only rows before this one.
    pub before: Option<Cursor>,
}

impl Default for Page {
    fn default() -> Self {
        Self::first(DEFAULT_PAGE_SIZE)
    }
}

impl Page {
    /// The first rows of a list, this many at most.
    pub fn first(size: u32) -> Self {
        Self { size, backward: false, after: None, before: None }
    }

    /// Validates the four arguments of a connection. `list` is the name of the list, as in [`Cursor::encode`].
    pub fn from_arguments(first: Option<i64>, after: Option<&str>, last: Option<i64>, before: Option<&str>, list: &str) -> Result<Self> {
        let (size, backward) = match (first, last) {
            (Some(_), Some(_)) => {
                return Err(bad_input("first", "specify first or last, not both: first counts from the beginning, last from the end"));
            }
            (Some(size), None) => (page_size("first", size)?, false),
            (None, Some(size)) => (page_size("last", size)?, true),
            (None, None) => (DEFAULT_PAGE_SIZE, false),
        };
        Ok(Self { size, backward, after: Cursor::parse(after, list, "after")?, before: Cursor::parse(before, list, "before")? })
    }
}

fn page_size(argument: &str, size: i64) -> Result<u32, Error> {
    match u32::try_from(size) {
        Ok(size) if size <= MAX_PAGE_SIZE => Ok(size),
        Ok(_) => Err(bad_input(
            argument,
            format_args!("{size} is more than the maximum page size; request at most {MAX_PAGE_SIZE} and continue from pageInfo.endCursor"),
        )),
        Err(_) => Err(bad_input(argument, format_args!("{size} is negative; request 0 to {MAX_PAGE_SIZE}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> impl Strategy<Value = Vec<Value>> {
        prop::collection::vec(prop_oneof![any::<i64>().prop_map(Value::from), ".{0,20}".prop_map(Value::from)], 1..3)
    }

    proptest! {
        #[test]
        fn cursor_round_trips(key in key(), id: u128) {
            let cursor = Cursor { key, id: Uuid::from_u128(id) };
            let text = cursor.encode("Case by openedOn");
            prop_assert_eq!(Cursor::decode(&text, "Case by openedOn", "after").unwrap(), cursor);
            prop_assert!(Cursor::decode(&text, "Case by decidedOn", "after").is_err());
        }

        #[test]
        fn decoding_a_cursor_never_panics(text in ".{0,80}") {
            let _ = Cursor::decode(&text, "Case by openedOn", "after");
        }
    }

    #[test]
    fn cursor_of_another_version_is_rejected() {
        let text = BASE64.encode(json!([0, "Case by openedOn", ["2020"], Uuid::nil()]).to_string());
        let error = Cursor::decode(&text, "Case by openedOn", "after").unwrap_err();
        assert!(error.to_string().contains("another version"), "{error}");
    }

    #[test]
    fn page_size_out_of_range_is_rejected_with_a_hint() {
        let refuse = |first, last| Page::from_arguments(first, None, last, None, "x").unwrap_err().to_string();
        assert!(refuse(Some(1), Some(1)).contains("not both"));
        assert!(refuse(Some(-1), None).contains("negative"));
        assert!(refuse(None, Some(101)).contains("at most 100"));
        assert_eq!(Page::from_arguments(None, None, None, None, "x").unwrap(), Page::first(DEFAULT_PAGE_SIZE));
        assert_eq!(Page::from_arguments(Some(0), None, None, None, "x").unwrap().size, 0);
    }
}

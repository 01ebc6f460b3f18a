//! Pages of a list: the arguments of the Relay cursor connections specification, and the cursors.
//!
//! A page is found by key, never by counting: the cursor holds the sort key and the id of a row, so
//! a page deep in a list costs what the first one costs.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::core::error::{Error, Result, bad_input, invalid_cursor};

/// Records in a page when nothing is asked for.
pub const DEFAULT_SIZE: u32 = 20;
/// Most records a page may have.
pub const MAX_SIZE: u32 = 100;
/// Version of the cursors; a cursor of another version is refused.
const VERSION: u64 = 1;

/// Whether a list runs from the least to the greatest or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the least to the greatest.
    Asc,
    /// From the greatest to the least.
    Desc,
}

impl Direction {
    /// The other direction.
    pub fn reversed(self) -> Self {
        match self {
            Self::Asc => Self::Desc,
            Self::Desc => Self::Asc,
        }
    }
}

/// A place in a list: the sort key and the id of a row, and the list that they belong to.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor {
    /// Sort keys of the row; the id breaks ties.
    pub key: Vec<Value>,
    /// Id of the row.
    pub id: Uuid,
}

impl Cursor {
    /// Writes the cursor for the list of this name (its record type and order).
    pub fn encode(&self, list: &str) -> String {
        BASE64.encode(json!([VERSION, list, self.key, self.id]).to_string())
    }

    /// Reads a cursor that must belong to the list of this name; `argument` is named in the error.
    pub fn decode(text: &str, list: &str, argument: &str) -> Result<Self> {
        let foreign = || invalid_cursor(argument, "this is not a cursor of this server; take one from pageInfo or edges of the same list");
        let bytes = BASE64.decode(text).map_err(|_| foreign())?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|_| foreign())?;
        let [version, of, key, id] = value.as_array().map(Vec::as_slice).unwrap_or_default() else {
            return Err(foreign());
        };
        if version.as_u64().ok_or_else(foreign)? != VERSION {
            return Err(invalid_cursor(argument, "this cursor was made by another version of the server; begin again at the first page"));
        }
        let of = of.as_str().ok_or_else(foreign)?;
        if of != list {
            return Err(invalid_cursor(
                argument,
                format_args!("this cursor belongs to a list of {of}, and this is a list of {list}; begin again at the first page"),
            ));
        }
        let key = key.as_array().ok_or_else(foreign)?.clone();
        let id = id.as_str().and_then(|text| Uuid::parse_str(text).ok()).ok_or_else(foreign)?;
        Ok(Self { key, id })
    }
}

/// Which rows of a list to give.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Number of rows at most.
    pub size: u32,
    /// From the end of the list backwards, though the rows are given in the list's own order.
    pub backward: bool,
    /// Only rows after this one.
    pub after: Option<Cursor>,
    /// Only rows before this one.
    pub before: Option<Cursor>,
}

impl Default for Page {
    fn default() -> Self {
        Self::first(DEFAULT_SIZE)
    }
}

impl Page {
    /// The first rows of a list.
    pub fn first(size: u32) -> Self {
        Self { size, backward: false, after: None, before: None }
    }

    /// Checks the four arguments of a connection. `list` names the list as cursors do.
    pub fn from_arguments(first: Option<i64>, after: Option<&str>, last: Option<i64>, before: Option<&str>, list: &str) -> Result<Self> {
        let (size, backward) = match (first, last) {
            (Some(_), Some(_)) => {
                return Err(bad_input("first", "give first or last, not both: first counts from the beginning, last from the end"));
            }
            (Some(size), None) => (checked("first", size)?, false),
            (None, Some(size)) => (checked("last", size)?, true),
            (None, None) => (DEFAULT_SIZE, false),
        };
        Ok(Self {
            size,
            backward,
            after: after.map(|text| Cursor::decode(text, list, "after")).transpose()?,
            before: before.map(|text| Cursor::decode(text, list, "before")).transpose()?,
        })
    }
}

fn checked(argument: &str, size: i64) -> Result<u32, Error> {
    match u32::try_from(size) {
        Ok(size) if size <= MAX_SIZE => Ok(size),
        Ok(_) => Err(bad_input(
            argument,
            format_args!("{size} is more than a page can have; ask for at most {MAX_SIZE} and go on from pageInfo.endCursor"),
        )),
        Err(_) => Err(bad_input(argument, format_args!("{size} is negative; ask for 0 to {MAX_SIZE}"))),
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
        fn a_cursor_comes_back_as_it_went(key in key(), id: u128) {
            let cursor = Cursor { key, id: Uuid::from_u128(id) };
            let text = cursor.encode("Case by opened");
            prop_assert_eq!(Cursor::decode(&text, "Case by opened", "after").unwrap(), cursor);
            prop_assert!(Cursor::decode(&text, "Case by decided", "after").is_err());
        }

        #[test]
        fn no_text_makes_a_cursor_panic(text in ".{0,80}") {
            let _ = Cursor::decode(&text, "Case by opened", "after");
        }
    }

    #[test]
    fn a_cursor_of_another_version_says_so() {
        let text = BASE64.encode(json!([0, "Case by opened", ["2020"], Uuid::nil()]).to_string());
        let error = Cursor::decode(&text, "Case by opened", "after").unwrap_err();
        assert!(error.message.contains("another version"), "{error}");
    }

    #[test]
    fn sizes_out_of_bounds_are_refused_with_what_would_be_right() {
        let refuse = |first, last| Page::from_arguments(first, None, last, None, "x").unwrap_err().message;
        assert!(refuse(Some(1), Some(1)).contains("not both"));
        assert!(refuse(Some(-1), None).contains("negative"));
        assert!(refuse(None, Some(101)).contains("at most 100"));
        assert_eq!(Page::from_arguments(None, None, None, None, "x").unwrap(), Page::first(DEFAULT_SIZE));
        assert_eq!(Page::from_arguments(Some(0), None, None, None, "x").unwrap().size, 0);
    }
}

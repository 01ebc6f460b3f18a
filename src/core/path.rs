//! Paths into structured input, such as `cases[0].parties[2].person`.

use std::borrow::Cow;
use std::fmt;

/// One step of a path into structured input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PathSegment {
    /// Member of a map. The name may contain any character, including dots.
    Name(Cow<'static, str>),
    /// Position in a list, counted from 0.
    Index(usize),
    /// Columns of a table that the value is read from. Only part of messages: not a step into the input.
    Column(Cow<'static, str>),
}

impl From<&'static str> for PathSegment {
    fn from(name: &'static str) -> Self {
        Self::Name(Cow::Borrowed(name))
    }
}

impl From<String> for PathSegment {
    fn from(name: String) -> Self {
        Self::Name(Cow::Owned(name))
    }
}

impl From<usize> for PathSegment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// Displays a path as text for messages, such as `cases[0].parties[2].person`. The text is not meant to be parsed.
#[derive(Debug, Clone, Copy)]
pub struct DisplayPath<'p>(pub &'p [PathSegment]);

impl fmt::Display for DisplayPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                PathSegment::Name(name) if position == 0 => f.write_str(name)?,
                PathSegment::Name(name) => write!(f, ".{name}")?,
                PathSegment::Index(index) => write!(f, "[{index}]")?,
                PathSegment::Column(columns) => write!(f, " (column {columns})")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_displays_names_indexes_and_columns() {
        let path: Vec<PathSegment> = vec!["cases".into(), 0.into(), "a.b".into(), PathSegment::Column("Name".into())];
        assert_eq!(DisplayPath(&path).to_string(), "cases[0].a.b (column Name)");
        assert_eq!(DisplayPath(&path[1..]).to_string(), "[0].a.b (column Name)");
    }
}

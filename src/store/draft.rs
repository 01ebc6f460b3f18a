//! Records as somebody gives them, before they are written: checked, and still knowing where they stood.

pub mod parse;
pub mod value_tree;

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::entity::RecordType;
use crate::store::read::result::Cell;

/// Where something was given: a file and line, and a path inside the record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// File, where there is one.
    pub file: Option<Arc<str>>,
    /// Line in the file, counted from 1.
    pub line: Option<usize>,
    /// Path, such as `cases[0].parties[2].person`.
    pub path: String,
}

impl Origin {
    /// A place below this one, on a line of its own where that is known.
    pub fn below(&self, step: impl fmt::Display, line: Option<usize>) -> Self {
        Self { file: self.file.clone(), line: line.or(self.line), path: format!("{}{step}", self.path) }
    }
}

/// What kind of problem it is, for programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProblemCode {
    /// A value is not valid.
    #[default]
    Invalid,
    /// Something that every such record has is missing.
    Missing,
    /// What is referred to is not there.
    NotFound,
    /// Another record has it already.
    Taken,
    /// Others refer to the record.
    InUse,
    /// The record has changed meanwhile: it is at this change.
    Conflict(i64),
    /// The person is withheld.
    Withheld,
}

/// Something wrong with what was given: where, what, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputProblem {
    /// Where it stands.
    pub origin: Origin,
    /// What is wrong and what would be right.
    pub message: String,
    /// What kind of problem it is.
    pub fault: ProblemCode,
}

impl InputProblem {
    /// Something that is not valid.
    pub fn new(origin: Origin, message: impl Into<String>) -> Self {
        Self { origin, message: message.into(), fault: ProblemCode::default() }
    }

    /// The same, of this kind.
    pub fn of(self, fault: ProblemCode) -> Self {
        Self { fault, ..self }
    }
}

impl fmt::Display for InputProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.origin.file {
            write!(f, "{file}:")?;
            if let Some(line) = self.origin.line {
                write!(f, "{line}:")?;
            }
            f.write_str(" ")?;
        }
        if !self.origin.path.is_empty() {
            write!(f, "{}: ", self.origin.path)?;
        }
        f.write_str(&self.message)
    }
}

/// A value given for a field.
#[derive(Debug, Clone, PartialEq)]
pub enum DraftValue {
    /// A value of the field's kind, or nothing to clear it.
    Cell(Cell),
    /// A record, by its slug.
    Slug(RecordType, String),
    /// A record, by its id.
    Id(RecordType, Uuid),
    /// A part of the same record, by its key.
    Key(RecordType, String),
}

/// What is to be done with a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WriteMode {
    /// Write it, whether it is there or not.
    #[default]
    Upsert,
    /// Write it, if it is not there.
    Create,
    /// Write it, if it is there.
    Update,
    /// Write it under its id, whether it is there or not; a record of another id is another record, also where it is
    /// called the same.
    Exact,
}

/// Which record a draft is of, and what is expected of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct WriteTarget {
    /// What is to be done.
    pub mode: WriteMode,
    /// Id of the record; where none is given it is the one with the slug of the draft, or with one of its identifiers.
    pub id: Option<Uuid>,
    /// Number of the change that the record is expected to be at.
    pub revision: Option<i64>,
    /// Number of the latest change of a record that was deleted and is made again.
    pub latest: i64,
    /// Whether it says again what the record says already, but for a small change: then nobody has looked at its sources.
    pub restates: bool,
}

/// A record or a part as it was given: only the fields that were given are written.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Where it stands.
    pub origin: Origin,
    /// Which record it is; nothing for parts.
    pub aim: WriteTarget,
    /// Slug of a record, key of a part; what has none is found by its identifiers, or gets one of its own.
    pub name: Option<String>,
    /// Fields that were given, by their place in the declaration.
    pub values: Vec<(usize, DraftValue, Origin)>,
    /// Fields that are to be empty, beside those among the values: of a row of a table most are, and this takes no room.
    pub cleared: Vec<u16>,
    /// Lists of parts that were given, by the type of part: a list that is given replaces the one there is.
    pub parts: Vec<(RecordType, Vec<Draft>)>,
}

impl Draft {
    /// The value given for a field.
    pub fn value(&self, field: usize) -> Option<&DraftValue> {
        self.values.iter().find(|(index, ..)| *index == field).map(|(_, given, _)| given)
    }
}

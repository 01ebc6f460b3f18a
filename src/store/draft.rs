//! Drafts: records as given by a caller, validated against the catalog, with the origin of every value.

pub mod alike;
mod known_names;
pub mod parse;
pub mod record_names;
mod repeated_entries;
pub mod scalar;
mod spans;
pub mod value_tree;

pub use known_names::{check_name, check_reference, unknown_field};

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::core::ids::FieldId;
use crate::core::path::{DisplayPath, PathSegment};
use crate::entity::RecordType;
use crate::store::read::result::Cell;

/// Drafts to be written, grouped by record type.
pub type Drafts = Vec<(RecordType, Vec<Draft>)>;

/// Location of a value in the input: file, line, and path inside the record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Name of the file; `None` for input that is not a file.
    pub file: Option<Arc<str>>,
    /// Line in the file, counted from 1.
    pub line: Option<usize>,
    /// Path from the root of the input to the value.
    pub path: Vec<PathSegment>,
}

impl Origin {
    /// A location in the input of a mutation: `input` followed by these segments.
    pub fn input<const N: usize>(segments: [&'static str; N]) -> Self {
        let path = std::iter::once("input").chain(segments).map(PathSegment::from).collect();
        Self { path, ..Self::default() }
    }

    /// The location one segment below this one. `line` replaces the line of this location if it is known. Columns stay
    /// at the end of the path.
    pub fn child(&self, segment: impl Into<PathSegment>, line: Option<usize>) -> Self {
        let steps = self.path.iter().rposition(|segment| !matches!(segment, PathSegment::Column(_))).map_or(0, |last| last + 1);
        let mut path = Vec::with_capacity(self.path.len() + 1);
        path.extend_from_slice(&self.path[..steps]);
        path.push(segment.into());
        path.extend_from_slice(&self.path[steps..]);
        Self { file: self.file.clone(), line: line.or(self.line), path }
    }
}

/// Machine-readable kind of an [`InputProblem`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProblemCode {
    /// A value is not valid.
    #[default]
    Invalid,
    /// A required value is missing.
    Missing,
    /// A referenced record or part does not exist.
    NotFound,
    /// A unique value already belongs to another record.
    Taken,
    /// Other records refer to the record.
    InUse,
    /// The record is not at the expected revision; the number is its current revision.
    Conflict(i64),
    /// The person is withheld.
    Withheld,
}

/// An error in the input: where it is, what is wrong, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputProblem {
    /// Location of the value.
    pub origin: Origin,
    /// What is wrong and what would be right.
    pub message: String,
    /// Kind of the problem.
    pub code: ProblemCode,
}

impl InputProblem {
    /// A problem with the code [`ProblemCode::Invalid`].
    pub fn new(origin: Origin, message: impl Into<String>) -> Self {
        Self { origin, message: message.into(), code: ProblemCode::default() }
    }

    /// Replaces the code.
    pub fn with_code(self, code: ProblemCode) -> Self {
        Self { code, ..self }
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
            write!(f, "{}: ", DisplayPath(&self.origin.path))?;
        }
        f.write_str(&self.message)
    }
}

/// Value of one field in a draft.
#[derive(Debug, Clone, PartialEq)]
pub enum DraftValue {
    /// A value of the field's kind; [`Cell::Null`] clears the field.
    Cell(Cell),
    /// Reference to a record by its slug.
    Slug(RecordType, String),
    /// Reference to a record by its id.
    Id(RecordType, Uuid),
    /// Reference to a part of the same record by its key.
    Key(RecordType, String),
    /// A value that is not valid; the problem is reported. The field is given, so it is not missing.
    Invalid,
}

/// Whether a write may create or update a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WriteMode {
    /// Creates the record or updates the existing one.
    #[default]
    Upsert,
    /// Creates the record; an error if it exists.
    Create,
    /// Updates the record; an error if it does not exist.
    Update,
    /// Creates or updates the record with exactly this id. A record with another id is another record, even if it has
    /// the same slug.
    Exact,
}

/// What a draft comes from, which decides what it may overwrite.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DraftSource {
    /// An edit of the record: it writes what it gives.
    #[default]
    Edit,
    /// An import: it keeps what editors wrote since the last import, and merges texts by language.
    Import,
    /// An import that writes over edits, and replaces texts in all languages.
    OverwritingImport,
}

/// The record that a draft is written to, and its expected state.
#[derive(Debug, Clone, Copy, Default)]
pub struct WriteTarget {
    /// Whether the record may be created or updated.
    pub mode: WriteMode,
    /// Id of the record. If not set, the record is found by the slug of the draft or by one of its identifiers.
    pub id: Option<Uuid>,
    /// Revision that the record is expected to be at; a mismatch is a conflict.
    pub expected_revision: Option<i64>,
    /// Last revision of a deleted record that this write creates again; otherwise 0.
    pub last_revision: i64,
    /// Whether the draft repeats the stored state with a small edit. Such a write does not count as checking the
    /// record's sources.
    pub restates_stored: bool,
    /// Whether the draft is an edit or from an import.
    pub source: DraftSource,
    /// Whether an edit restores content that imports wrote. Later imports then do not keep it as an edit.
    pub restores_import: bool,
    /// Whether a list that drops parts with citations is an error.
    pub keeps_cited_parts: bool,
}

/// A record or part as given: only the fields in the draft are written.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Location of the draft in the input.
    pub origin: Origin,
    /// The record to write. Parts use only `id`.
    pub target: WriteTarget,
    /// Slug of a record, or key of a part. A record without one is found by its identifiers or gets a new slug.
    pub name: Option<String>,
    /// Identifier by which the file names the record, if the slug was looked up by it.
    pub found_by: Option<(String, String)>,
    /// Given fields, each with its value and origin.
    pub values: Vec<(FieldId, DraftValue, Origin)>,
    /// Further fields to clear. Rows of a table have many of them, and an id takes less memory than a value.
    pub cleared: Vec<FieldId>,
    /// Given lists of parts by the type of the parts. A given list replaces the stored one.
    pub parts: Vec<(RecordType, Vec<Draft>)>,
    /// Problems of the values of a record and of its parts. The store looks for further problems of such a draft, but
    /// never writes it.
    pub problems: Vec<InputProblem>,
    /// What was changed in the values, without preventing the write.
    pub notes: Vec<InputProblem>,
    /// Contradictions in the values: problems of an edit, and warnings of an import.
    pub warnings: Vec<InputProblem>,
    /// Whether the record or part that the draft is for is unknown, because its name is not valid or no record has it.
    /// Values that the draft does not give are then not missing: the record meant may have them.
    pub is_unidentified: bool,
    /// Whether the draft adds to the stored record: its texts in languages that the draft does not give, its identifiers of
    /// schemes that the draft does not give, and its citations of other claims are kept.
    pub merges_stored: bool,
}

impl Draft {
    /// The draft if it has no problems.
    pub fn into_valid(mut self) -> Result<Self, Vec<InputProblem>> {
        if self.problems.is_empty() { Ok(self) } else { Err(std::mem::take(&mut self.problems)) }
    }

    /// The given value of a field.
    pub fn value(&self, field: FieldId) -> Option<&DraftValue> {
        self.values.iter().find(|(id, ..)| *id == field).map(|(_, value, _)| value)
    }
}

/// Marks drafts as those of an import. `overwrite` writes over edits.
pub fn mark_as_import(drafts: &mut Drafts, overwrite: bool) {
    let source = if overwrite { DraftSource::OverwritingImport } else { DraftSource::Import };
    for draft in drafts.iter_mut().flat_map(|(_, drafts)| drafts) {
        // the rows of a package restate whole records
        draft.target.source = if draft.target.mode == WriteMode::Exact { DraftSource::OverwritingImport } else { source };
    }
}

/// Whether any of these drafts has problems, so that none of them can be written.
pub fn has_problems(drafts: &Drafts) -> bool {
    drafts.iter().flat_map(|(_, drafts)| drafts).any(|draft| !draft.problems.is_empty())
}

/// The problems that these drafts have.
pub fn problems_of(drafts: &Drafts) -> Vec<InputProblem> {
    drafts.iter().flat_map(|(_, drafts)| drafts).flat_map(|draft| &draft.problems).cloned().collect()
}

/// What was changed in the values of these drafts: a line for each kind of change, with the first place and the number.
pub fn note_lines(drafts: &Drafts) -> Vec<String> {
    let mut lines: Vec<(&InputProblem, usize)> = Vec::new();
    for note in drafts.iter().flat_map(|(_, drafts)| drafts).flat_map(|draft| &draft.notes) {
        match lines.iter_mut().find(|(first, _)| first.message == note.message) {
            Some((_, count)) => *count += 1,
            None => lines.push((note, 1)),
        }
    }
    let more = |count| if count > 1 { format!(", and in {} more texts", count - 1) } else { String::new() };
    lines.into_iter().map(|(first, count)| format!("{first}{}", more(count))).collect()
}

/// Adds problems found by a later stage, except at places where an earlier stage has found one: what is wrong there has
/// been said.
pub fn add_problems(earlier: &mut Vec<InputProblem>, later: Vec<InputProblem>) {
    let known: Vec<Vec<PathSegment>> = earlier.iter().map(|problem| problem.origin.path.clone()).collect();
    earlier.extend(later.into_iter().filter(|problem| !known.contains(&problem.origin.path)));
}

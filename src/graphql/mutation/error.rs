//! Why a mutation changed nothing.

use crate::core::error::{Error, Result};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::input;
use crate::store::draft::InputProblem;
use crate::store::write::WriteError;

/// Why a mutation changed nothing.
pub(super) enum MutationError {
    /// The input has errors, which the payload reports.
    Invalid(Vec<InputProblem>),
    /// The request failed, which the errors of the response report.
    Failed(Error),
}

impl MutationError {
    /// The problems, in the order of the input of this mutation. Fails if the request failed.
    pub(super) fn into_problems(self, selection: &Selection<'_>) -> Result<Vec<InputProblem>> {
        match self {
            Self::Invalid(mut problems) => {
                input::sort_problems(&mut problems, selection)?;
                Ok(problems)
            }
            Self::Failed(error) => Err(error),
        }
    }
}

impl From<WriteError> for MutationError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Problems(problems) => Self::Invalid(problems),
            WriteError::Failed(error) => Self::Failed(error),
        }
    }
}

impl From<Error> for MutationError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<InputProblem> for MutationError {
    fn from(problem: InputProblem) -> Self {
        Self::Invalid(vec![problem])
    }
}

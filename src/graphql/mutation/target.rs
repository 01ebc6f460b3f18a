//! Lookup of the records that a mutation names.

use uuid::Uuid;

use crate::catalog::catalog;
use crate::core::article::with_article;
use crate::core::error::Result;
use crate::core::id;
use crate::entity::RecordType;
use crate::store::Store;
use crate::store::draft::{InputProblem, Origin, ProblemCode};

/// Creates an error in the input at a path.
pub(super) fn problem_at(origin: Origin, message: impl Into<String>, code: ProblemCode) -> InputProblem {
    InputProblem::new(origin, message).with_code(code)
}

/// Resolves the id or slug of a record of the given type to its UUID. Whether the record with an id exists is left to the
/// store.
pub(super) async fn resolve(store: &Store, ty: RecordType, name: &str, origin: Origin) -> Result<Result<Uuid, InputProblem>> {
    let singular = catalog().get(ty).singular();
    let this = with_article(&singular);
    if !name.contains('_') {
        let found = store.find_id(ty, name).await?;
        let missing = || problem_at(origin.clone(), format!("there is no {singular} with the slug \"{name}\""), ProblemCode::NotFound);
        return Ok(found.ok_or_else(missing));
    }
    Ok(match id::decode(name) {
        Ok((prefix, id)) if prefix == ty.prefix() => Ok(id),
        Ok((prefix, _)) => Err(problem_at(
            origin,
            format!("this is the id of another record type ({prefix}); the id of {this} begins with {}_", ty.prefix()),
            ProblemCode::Invalid,
        )),
        Err(error) => Err(problem_at(origin, format!("{error}; give the id or the slug of {this}"), ProblemCode::Invalid)),
    })
}

/// Decodes the id of a record or part that can have citations, in `input.record`.
pub(super) fn decode_citable(text: &str) -> Result<(RecordType, Uuid), InputProblem> {
    let invalid = |message: String| problem_at(Origin::input(["record"]), message, ProblemCode::Invalid);
    let (prefix, id) = id::decode(text).map_err(|error| invalid(format!("{error}; give the id of a record")))?;
    let ty = RecordType::from_prefix(prefix).filter(|ty| catalog().get(*ty).is_cited());
    Ok((ty.ok_or_else(|| invalid(format!("no record has ids that begin with {prefix}_")))?, id))
}

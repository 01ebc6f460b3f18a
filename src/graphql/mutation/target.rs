//! Lookup of the records that a mutation names.

use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::RecordKind;
use crate::core::article::with_article;
use crate::core::error::Result;
use crate::core::id;
use crate::core::path::PathSegment;
use crate::entity::RecordType;
use crate::graphql::schema::input;
use crate::store::Store;
use crate::store::draft::{InputProblem, Origin, ProblemCode};
use crate::store::read::plan::{Lookup, Plan};
use crate::store::read::result::RowRef;

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

/// Resolves the key of a record, as queries take it in `by`, to its UUID and the location of the key: its id, slug or
/// identifier. Whether the record with an id exists is left to the store.
pub(super) async fn resolve_by(
    store: &Store,
    ty: RecordType,
    by: Map<String, Json>,
    argument: Origin,
) -> Result<(Result<Uuid, InputProblem>, Origin)> {
    let mut given = by.into_iter().filter(|(_, value)| !value.is_null());
    let (Some((name, value)), None) = (given.next(), given.next()) else { return Err(input::not_coerced("by")) };
    let singular = catalog().get(ty).singular();
    let origin = argument.child(name.clone(), None);
    let found = match (name.as_str(), value) {
        ("id", Json::String(text)) if text.contains('_') => resolve(store, ty, &text, origin.clone()).await?,
        ("id", Json::String(text)) => {
            let message = format!("\"{text}\" is not an id; give a slug as {{slug: \"{text}\"}}");
            Err(problem_at(origin.clone(), message, ProblemCode::Invalid))
        }
        ("slug", Json::String(slug)) => store
            .find_id(ty, &slug)
            .await?
            .ok_or_else(|| problem_at(origin.clone(), format!("there is no {singular} with the slug \"{slug}\""), ProblemCode::NotFound)),
        ("identifier", Json::Object(mut identifier)) => {
            let [scheme, value] = ["scheme", "value"].map(|name| input::take_required_text(&mut identifier, name));
            let (scheme, value) = (scheme?, value?);
            let missing = format!("there is no {singular} with the identifier {value} of {scheme}");
            let found = store.get(&Lookup::Identifier { scheme, value }, &Plan::new(ty)).await?;
            found.get(0).map(RowRef::uuid).ok_or_else(|| problem_at(origin.clone(), missing, ProblemCode::NotFound))
        }
        _ => return Err(input::not_coerced("by")),
    };
    Ok((found, origin))
}

/// Decodes the id of a record or part that can have citations, in `input.record`.
fn decode_citable(text: &str) -> Result<(RecordType, Uuid), InputProblem> {
    let invalid = |message: String| problem_at(Origin::input(["record"]), message, ProblemCode::Invalid);
    let (prefix, id) = id::decode(text).map_err(|error| invalid(format!("{error}; give the id of a record")))?;
    let ty = RecordType::from_prefix(prefix).filter(|ty| catalog().get(*ty).is_cited());
    Ok((ty.ok_or_else(|| invalid(format!("no record has ids that begin with {prefix}_")))?, id))
}

/// The record or part that a mutation is for, and the argument that names it.
pub(super) struct Target {
    /// The record or part, or what is wrong with its name.
    pub(super) found: Result<(RecordType, Uuid), InputProblem>,
    /// Path to the argument.
    pub(super) argument: Origin,
}

impl Target {
    /// Moves problems of the record, which the store reports in `input.record`, to the argument that names it.
    pub(super) fn relocate(&self, mut problems: Vec<InputProblem>) -> Vec<InputProblem> {
        let record = Origin::input(["record"]);
        for problem in &mut problems {
            if problem.origin.path == record.path {
                problem.origin = self.argument.clone();
            }
        }
        problems
    }
}

/// Takes the record or part that a mutation is for from its input: `record` is an id, `of` the type and slug of a record, and
/// `part` the path of a part of it.
pub(super) async fn take_target(store: &Store, members: &mut Map<String, Json>) -> Result<Target> {
    let record = input::take_text(members, "record")?;
    let of = input::take_reference(members, "of")?;
    let part = input::take_text(members, "part")?;
    let by_record = Origin::input(["record"]);
    let (found, argument) = match (record, of) {
        (Some(text), None) => (decode_citable(&text), by_record),
        (None, Some((ty, name))) => {
            let argument = Origin::input(["of"]).child(PathSegment::from(catalog().get(ty).singular()), None);
            (resolve(store, ty, &name, argument.clone()).await?.map(|id| (ty, id)), argument)
        }
        (None, None) => {
            let message = "specify the record: by its id in record, or by its type and slug in of";
            (Err(problem_at(by_record.clone(), message, ProblemCode::Missing)), by_record)
        }
        (Some(_), Some(_)) => {
            let message = "record and of both name a record; give one of them";
            (Err(problem_at(Origin::input(["of"]), message, ProblemCode::Invalid)), Origin::input(["of"]))
        }
    };
    let found = match (found, part) {
        (Ok((ty, _)), Some(_)) if catalog().get(ty).kind != RecordKind::Record => {
            let message = "this is the id of a part; give that of its record, or leave part out";
            Err(problem_at(argument.clone(), message, ProblemCode::Invalid))
        }
        (Ok((ty, id)), Some(path)) => {
            store.find_part(ty, id, &path).await?.map_err(|message| problem_at(Origin::input(["part"]), message, ProblemCode::NotFound))
        }
        (found, _) => found,
    };
    Ok(Target { found, argument })
}

//! Global ids, such as `person_01h455vb4pex5vsknk084sn02q`, in arguments and responses.

use async_graphql::Value;
use uuid::Uuid;

use crate::core::article::with_article;
use crate::core::error::{Result, bad_input};
use crate::core::id;
use crate::entity::RecordType;

/// Encodes the global id of a record.
pub(super) fn encode(ty: RecordType, id: Uuid) -> String {
    id::encode(ty.prefix(), id)
}

/// Decodes a global id of any record type. `path` locates the argument in errors.
pub(super) fn decode(value: &Value, path: &str) -> Result<(RecordType, Uuid)> {
    let text = match value {
        Value::String(text) => text.as_str(),
        _ => return Err(bad_input(path, "an id must be a string")),
    };
    let (prefix, uuid) = id::decode(text).map_err(|error| bad_input(path, error))?;
    let ty = RecordType::from_prefix(prefix).ok_or_else(|| bad_input(path, format_args!("no record has ids that begin with {prefix}_")))?;
    Ok((ty, uuid))
}

/// Decodes a global id that must be of the given record type.
pub(super) fn decode_as(ty: RecordType, value: &Value, path: &str) -> Result<Uuid> {
    let Value::String(text) = value else { return Err(bad_input(path, "an id must be a string")) };
    let (prefix, uuid) = id::decode(text).map_err(|error| bad_input(path, error))?;
    if prefix != ty.prefix() {
        return Err(bad_input(
            path,
            format_args!("\"{text}\" is not the id of {}; those begin with {}_", with_article(ty.name()), ty.prefix()),
        ));
    }
    Ok(uuid)
}

//! Typed ids (TypeID): a prefix that names the record type, and a UUIDv7, which sorts by creation time.
//!
//! The text form follows the TypeID specification (version 0.3): `person_01h455vb4pex5vsknk084sn02q`.
//! The prefixes are defined with the record types, in [`crate::entity`].

use std::str::FromStr;

use typeid_suffix::prelude::TypeIdSuffix;
use uuid::Uuid;

/// The text is not an id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{0}\" is not an id: ids look like person_01h455vb4pex5vsknk084sn02q")]
pub struct InvalidId(pub String);

/// Encodes the id of a record whose type has this prefix.
pub fn encode(prefix: &str, uuid: Uuid) -> String {
    format!("{prefix}_{}", TypeIdSuffix::from(uuid))
}

/// Decodes an id into its prefix and its UUID. The prefix is not checked against the record types.
pub fn decode(text: &str) -> Result<(&str, Uuid), InvalidId> {
    let invalid = || InvalidId(text.chars().take(80).collect());
    let (prefix, suffix) = text.rsplit_once('_').ok_or_else(invalid)?;
    let suffix = TypeIdSuffix::from_str(suffix).map_err(|_| invalid())?;
    Ok((prefix, suffix.to_uuid()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn example_of_the_specification_round_trips() {
        let text = "person_01h455vb4pex5vsknk084sn02q";
        let (prefix, uuid) = decode(text).unwrap();
        assert_eq!(prefix, "person");
        assert_eq!(uuid.to_string(), "01890a5d-ac96-774b-bcce-b302099a8057");
        assert_eq!(encode(prefix, uuid), text);
    }

    proptest! {
        #[test]
        fn decoding_never_panics(text in ".{0,60}") {
            let _ = decode(&text);
        }

        #[test]
        fn ids_sort_like_their_uuids(a: u128, b: u128) {
            let (a, b) = (Uuid::from_u128(a), Uuid::from_u128(b));
            prop_assert_eq!(encode("x", a).cmp(&encode("x", b)), a.cmp(&b));
            let text = encode("case_party", a);
            prop_assert_eq!(decode(&text).unwrap(), ("case_party", a));
        }
    }
}

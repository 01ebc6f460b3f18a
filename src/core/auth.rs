//! Callers: their role, their token and their rate limit.

use chrono::{DateTime, Utc};
use strum::VariantArray;
use uuid::Uuid;

use crate::core::error::Error;

/// The permissions of a caller. Each role includes those of the roles before it.
///
/// The text form, such as `editor`, is stored and given on the command line.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[strum(serialize_all = "lowercase", parse_err_ty = InvalidRole, parse_err_fn = InvalidRole::new)]
pub enum Role {
    /// Anyone: sees published records.
    #[default]
    Reader,
    /// Sees drafts as well, and changes records.
    Editor,
    /// Also runs operations on the dataset as a whole.
    Admin,
}

/// The text is not a role.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{0}\" is not a role; use reader, editor or admin")]
pub struct InvalidRole(pub String);

impl InvalidRole {
    /// Longest quotation of the text, in characters.
    const MAX_QUOTED_CHARS: usize = 80;

    fn new(text: &str) -> Self {
        Self(text.chars().take(Self::MAX_QUOTED_CHARS).collect())
    }
}

impl Role {
    /// Every role, least privileged first.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The role as stored and as given on the command line.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Description of the role for the schema.
    pub fn doc(self) -> &'static str {
        match self {
            Self::Reader => "Anyone: sees published records without a token; with a token, also saves queries.",
            Self::Editor => "Sees drafts as well, and changes records.",
            Self::Admin => "An editor who can also run operations on the dataset as a whole.",
        }
    }

    /// Whether the role sees unpublished records.
    pub fn sees_drafts(self) -> bool {
        self >= Self::Editor
    }
}

/// State of a rate limit, in points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// Points per minute.
    pub limit: u32,
    /// Points left now.
    pub remaining: u32,
    /// Seconds until all points are available again without further requests.
    pub seconds: u32,
    /// Points that the last request cost.
    pub cost: u32,
}

/// The caller of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    /// Permissions.
    pub role: Role,
    /// Name of the token, shown in the history of records; `None` without a token.
    pub name: Option<String>,
    /// Id of the token.
    pub token: Option<Uuid>,
    /// When the token expires.
    pub expires: Option<DateTime<Utc>>,
    /// State of the rate limit; `None` if there is none.
    pub allowance: Option<Allowance>,
}

impl Caller {
    /// A caller without a token.
    pub fn reader() -> Self {
        Self::default()
    }

    /// Rejects a caller whose role is lower than this one.
    pub fn require(&self, role: Role) -> Result<(), Error> {
        match (self.role >= role, self.token) {
            (true, _) => Ok(()),
            (false, None) => Err(Error::Unauthenticated(format!(
                "this requires a token with the role {role}; send one as Authorization: Bearer kurultai_..."
            ))),
            (false, Some(_)) => Err(Error::Forbidden(format!(
                "this requires the role {role}, and the token has the role {}; ask an admin for another token",
                self.role
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::error::ErrorCode;

    #[test]
    fn role_round_trips_through_text() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(*role));
        }
        assert_eq!("Editor".parse::<Role>(), Err(InvalidRole("Editor".to_owned())));
    }

    #[test]
    fn missing_role_is_named_in_the_error() {
        let caller = |role| Caller { role, token: Some(Uuid::nil()), ..Caller::reader() };
        let error = Caller::reader().require(Role::Editor).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unauthenticated);
        assert!(error.to_string().contains("role editor"), "{error}");
        let error = caller(Role::Editor).require(Role::Admin).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Forbidden);
        assert!(error.to_string().contains("role admin"), "{error}");
        assert!(caller(Role::Admin).require(Role::Editor).is_ok());
        assert!(Caller::reader().require(Role::Reader).is_ok());
    }
}

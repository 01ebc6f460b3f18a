//! Callers: their role, their token and their rate limit.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::core::error::Error;

/// The permissions of a caller. Each role includes those of the roles before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
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

impl Role {
    /// Every role, least privileged first.
    pub const ALL: [Self; 3] = [Self::Reader, Self::Editor, Self::Admin];

    /// The role as stored and as given on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Editor => "editor",
            Self::Admin => "admin",
        }
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

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| InvalidRole(text.chars().take(80).collect()))
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
            assert_eq!(role.to_string().parse(), Ok(role));
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

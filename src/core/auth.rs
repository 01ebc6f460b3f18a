//! Who asks, and what they may see and do.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::core::error::{Error, forbidden, unauthenticated};

/// What one may see and do; each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Role {
    /// Anyone: sees what is published.
    #[default]
    Reader,
    /// Sees drafts too, and changes records.
    Editor,
    /// Does what concerns the dataset as a whole, besides.
    Admin,
}

/// Why a text is not a role.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{0}\" is not a role: write reader, editor or admin")]
pub struct InvalidRole(pub String);

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Reader, Self::Editor, Self::Admin];

    /// The role as it is stored and written on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Editor => "editor",
            Self::Admin => "admin",
        }
    }

    /// What the role may do, for a reader of the schema.
    pub fn doc(self) -> &'static str {
        match self {
            Self::Reader => "Anyone: sees what is published, and needs no token; with one, saves queries too.",
            Self::Editor => "Sees drafts too, and changes records.",
            Self::Admin => "An editor who also does what concerns the dataset as a whole.",
        }
    }

    /// Whether the role sees records that are not published.
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

/// What one may still ask for before they have to wait, in points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// Points that there are for a minute.
    pub limit: u32,
    /// Points that are left.
    pub remaining: u32,
    /// Seconds until all of them are there again, if nothing is asked meanwhile.
    pub seconds: u32,
    /// Points that were taken last.
    pub cost: u32,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    /// What they may see and do.
    pub role: Role,
    /// Name of their token, which the history of records shows; a reader has none.
    pub name: Option<String>,
    /// Id of their token.
    pub token: Option<Uuid>,
    /// When their token ceases to work.
    pub expires: Option<DateTime<Utc>>,
    /// What they may still ask for; nothing where that has no limit.
    pub allowance: Option<Allowance>,
}

impl Caller {
    /// Someone without a token.
    pub fn reader() -> Self {
        Self::default()
    }

    /// Refuses who has less than this role.
    pub fn require(&self, role: Role) -> Result<(), Error> {
        match (self.role >= role, self.token) {
            (true, _) => Ok(()),
            (false, None) => Err(unauthenticated(format_args!(
                "this needs a token with the role {role}; send one as Authorization: Bearer kurultai_..."
            ))),
            (false, Some(_)) => {
                Err(forbidden(format_args!("this needs the role {role}, and your token has the role {}; ask an admin for one", self.role)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::error::ErrorCode;

    #[test]
    fn a_role_is_read_as_it_is_written() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        assert_eq!("Editor".parse::<Role>(), Err(InvalidRole("Editor".to_owned())));
    }

    #[test]
    fn who_has_too_little_is_told_which_role_is_needed() {
        let caller = |role| Caller { role, token: Some(Uuid::nil()), ..Caller::reader() };
        let error = Caller::reader().require(Role::Editor).unwrap_err();
        assert_eq!(error.code, ErrorCode::Unauthenticated);
        assert!(error.message.contains("role editor"), "{error}");
        let error = caller(Role::Editor).require(Role::Admin).unwrap_err();
        assert_eq!(error.code, ErrorCode::Forbidden);
        assert!(error.message.contains("role admin"), "{error}");
        assert!(caller(Role::Admin).require(Role::Editor).is_ok());
        assert!(Caller::reader().require(Role::Reader).is_ok());
    }
}

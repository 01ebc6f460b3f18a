//! What the database stores: the record types with the prefixes of their ids, and the plain tables as sea-orm entities.
//!
//! Record tables have no entities. The planner needs their columns only, which [`crate::catalog`] declares.

pub mod document_id;
pub mod saved_query;
pub mod token;

use std::sync::LazyLock;

use strum::VariantArray;

/// A type of record. The name of a variant is the name of the type in the schema.
///
/// The text form is the prefix of its ids, which the database stores as well; it must not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs)]
pub enum RecordType {
    Jurisdiction,
    Organization,
    Person,
    Membership,
    Law,
    LawRelation,
    Provision,
    ProvisionVersion,
    Proposal,
    Sponsorship,
    #[strum(serialize = "action")]
    ProposalAction,
    ProposedChange,
    VoteEvent,
    Vote,
    Case,
    #[strum(serialize = "party")]
    CaseParty,
    Charge,
    CaseEvent,
    Sentence,
    Statement,
    Subject,
    Statistic,
    Topic,
    Tag,
    Source,
    Citation,
    Identifier,
    Revision,
}

impl RecordType {
    /// All record types, in the order of their declaration.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Name of the type in the schema, such as `VoteEvent`.
    pub fn name(self) -> &'static str {
        static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| RecordType::ALL.iter().map(|ty| format!("{ty:?}")).collect());
        &NAMES[self as usize]
    }

    /// Prefix of its ids, such as `vote_event`.
    pub fn prefix(self) -> &'static str {
        self.into()
    }

    /// The type with this prefix of ids.
    pub fn from_prefix(prefix: &str) -> Option<Self> {
        prefix.parse().ok()
    }
}

//! Tables as sea-orm entities, and the list of record types with their id prefixes.

macro_rules! record_types {
    ($($module:ident: $name:ident = $prefix:literal,)*) => {
        $(pub mod $module;)*

        /// A type of record: what the first part of an id names.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs)]
        pub enum RecordType { $($name,)* }

        impl RecordType {
            /// Every record type, in the order of this list.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Name of the type in the schema, such as `Person`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// What its ids begin with, such as `person`.
            pub fn prefix(self) -> &'static str {
                match self { $(Self::$name => $prefix,)* }
            }
        }
    };
}

record_types! {
    jurisdiction: Jurisdiction = "jurisdiction",
    organization: Organization = "organization",
    person: Person = "person",
    membership: Membership = "membership",
    law: Law = "law",
    law_relation: LawRelation = "law_relation",
    provision: Provision = "provision",
    provision_version: ProvisionVersion = "provision_version",
    proposal: Proposal = "proposal",
    sponsorship: Sponsorship = "sponsorship",
    proposal_action: ProposalAction = "action",
    proposed_change: ProposedChange = "proposed_change",
    vote_event: VoteEvent = "vote_event",
    vote: Vote = "vote",
    case: Case = "case",
    case_party: CaseParty = "party",
    charge: Charge = "charge",
    case_event: CaseEvent = "case_event",
    sentence: Sentence = "sentence",
    statement: Statement = "statement",
    subject: Subject = "subject",
    statistic: Statistic = "statistic",
    topic: Topic = "topic",
    tag: Tag = "tag",
    source: Source = "source",
    citation: Citation = "citation",
    identifier: Identifier = "identifier",
    revision: Revision = "revision",
}

pub mod node;
pub mod saved_query;
pub mod search_document;
pub mod search_variant;
pub mod token;

impl RecordType {
    /// The type whose ids have this prefix.
    pub fn from_prefix(prefix: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|ty| ty.prefix() == prefix)
    }
}

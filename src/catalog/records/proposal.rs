//! Proposal and its parts: what each column means, and what it links to.

use crate::catalog::measure::{CountTarget, Interval, MeasureSpec, StatisticsSpec};
use crate::catalog::record::{Choice, Record, Vocabulary, choice, date, one, text, translated};
use crate::core::pagination::Direction;
use crate::entity::{RecordType, proposal, proposal_action, proposed_change, sponsorship};

static PROPOSAL_KIND: Vocabulary = Vocabulary {
    name: "ProposalKind",
    doc: "What kind of proposal it is.",
    choices: &[
        Choice::new("idea", "A call for a law, without a draft."),
        Choice::new("bill", "A draft law."),
        Choice::new("amendment", "An amendment to a draft or a law."),
        Choice::new("resolution", "A draft resolution."),
        Choice::new("petition", "A petition."),
    ],
};

static PROPOSAL_STATUS: Vocabulary = Vocabulary {
    name: "ProposalStatus",
    doc: "How far a proposal has come.",
    choices: &[
        Choice::new("floated", "Called for in public; no draft is known."),
        Choice::new("introduced", "Introduced in the body that decides."),
        Choice::new("under_consideration", "Being debated or amended."),
        Choice::new("passed", "Passed by the body that decides, not yet signed."),
        Choice::new("signed", "Signed into law."),
        Choice::new("rejected", "Rejected."),
        Choice::new("withdrawn", "Withdrawn by its authors."),
        Choice::new("lapsed", "Lapsed without a decision."),
    ],
};

static ACTION_CLASSIFICATION: Vocabulary = Vocabulary {
    name: "ActionClassification",
    doc: "What kind of step in the life of a proposal it was.",
    choices: &[
        Choice::new("floated", "Called for in public."),
        Choice::new("hearing", "A hearing."),
        Choice::new("introduction", "Introduced."),
        Choice::new("referral", "Sent to a committee or body."),
        Choice::new("first_reading", "Passed its first reading."),
        Choice::new("second_reading", "Passed its second reading."),
        Choice::new("passage", "Passed by a chamber."),
        Choice::new("amendment", "Amended."),
        Choice::new("agreement", "Agreed with another chamber's changes."),
        Choice::new("signature", "Signed."),
        Choice::new("publication", "Published."),
        Choice::new("entry_into_force", "Came into force."),
        Choice::new("rejection", "Rejected."),
        Choice::new("withdrawal", "Withdrawn."),
        Choice::new("other", "Any other step."),
    ],
};

fn statistics() -> StatisticsSpec {
    const TO_DECISION: Interval = Interval::Until {
        from: "introduced",
        list: "actions",
        date: "date",
        field: "classification",
        values: &["signature", "rejection", "withdrawal"],
    };
    StatisticsSpec {
        name: "proposalStatistics",
        doc: "Counts of proposals: how many there are, who made them, how many were adopted, how long it took.",
        measures: vec![
            MeasureSpec::number("count", CountTarget::Record, "Number of proposals."),
            MeasureSpec::number(
                "sponsors",
                CountTarget::Referred("sponsors", "person"),
                "Number of different people who made or supported the proposals; one person with two proposals counts once. Organizations are not among them.",
            ),
            MeasureSpec::number(
                "sponsoringOrganizations",
                CountTarget::Referred("sponsors", "organization"),
                "Number of different organizations that made or supported the proposals.",
            ),
            MeasureSpec::number(
                "adopted",
                CountTarget::Record,
                "Number of proposals that were passed by the body that decides, signed or not yet.",
            )
            .only("status", &["passed", "signed"]),
            MeasureSpec::number("rejected", CountTarget::Record, "Number of proposals that were rejected.").only("status", &["rejected"]),
            MeasureSpec::number("laws", CountTarget::One("becameLaw"), "Number of different laws that the proposals became."),
            MeasureSpec::measured(
                "proposalsTimed",
                TO_DECISION,
                "Number of proposals of which both the day they were introduced and the day they were signed, rejected or withdrawn are known: those that medianDaysToDecision and meanDaysToDecision are of.",
            ),
            MeasureSpec::median(
                "medianDaysToDecision",
                TO_DECISION,
                "Median number of days from when a proposal was introduced to when it was first signed, rejected or withdrawn, of proposals of which both days are known.",
            ),
            MeasureSpec::mean(
                "meanDaysToDecision",
                TO_DECISION,
                "Mean number of days from when a proposal was introduced to when it was first signed, rejected or withdrawn, of proposals of which both days are known.",
            ),
        ],
        narrowed: &[],
        ties: &[],
    }
}

/// The records of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Proposal, proposal::Entity, "proposals")
            .doc("A law, amendment or resolution that somebody proposed, from the idea to the vote. Modelled on Open Civic Data bills.")
            .field(
                translated("title", proposal::Column::Title)
                    .doc("Title of the proposal, or a short description while it has none.")
                    .label(),
            )
            .field(text("identifier", proposal::Column::Identifier).doc("Number given by the body that received it."))
            .field(choice("kind", proposal::Column::Kind, &PROPOSAL_KIND).doc("What kind of proposal it is."))
            .field(choice("status", proposal::Column::Status, &PROPOSAL_STATUS).doc("How far it has come."))
            .field(date("introduced", proposal::Column::Introduced).doc("When it was first made or introduced.").ordered())
            .field(translated("summary", proposal::Column::Summary).doc("What it would do, in a few sentences.").search_text())
            .field(
                one("jurisdiction", proposal::Column::JurisdictionId, RecordType::Jurisdiction)
                    .doc("Country or place this belongs to.")
                    .inverse("proposals", "Proposals of this jurisdiction."),
            )
            .field(
                one("becameLaw", proposal::Column::BecameLawId, RecordType::Law)
                    .doc("Law that the proposal became.")
                    .inverse("proposals", "Proposals that became this law."),
            )
            .default_order("introduced", Direction::Desc)
            .dimension(
                "sponsor",
                &["sponsors", "person"],
                "Person who made or supported a proposal; a proposal of two is in the group of each.",
            )
            .dimension("sponsoringOrganization", &["sponsors", "organization"], "Organization that made or supported a proposal.")
            .dimension("law", &["changes", "law"], "Law that a proposal would change.")
            .dimension("provision", &["changes", "provision"], "Provision that a proposal would change.")
            .statistics(statistics()),
        Record::part(
            RecordType::Sponsorship,
            sponsorship::Entity,
            one("proposal", sponsorship::Column::ProposalId, RecordType::Proposal)
                .doc("The proposal this belongs to.")
                .inverse("sponsors", "Who made or supported the proposal."),
        )
        .doc("Somebody's part in making a proposal.")
        .field(
            one("person", sponsorship::Column::PersonId, RecordType::Person)
                .doc("Person who sponsors the proposal.")
                .inverse("sponsorships", "Proposals this person made or supported."),
        )
        .field(
            one("organization", sponsorship::Column::OrganizationId, RecordType::Organization)
                .doc("Organization that sponsors the proposal.")
                .inverse("sponsorships", "Proposals this organization made or supported."),
        )
        .field(text("role", sponsorship::Column::Role).doc("Part taken, such as author or initiator.")),
        Record::part(
            RecordType::ProposalAction,
            proposal_action::Entity,
            one("proposal", proposal_action::Column::ProposalId, RecordType::Proposal)
                .doc("The proposal this belongs to.")
                .inverse("actions", "What happened to the proposal, step by step."),
        )
        .doc("A step in the life of a proposal.")
        .field(date("date", proposal_action::Column::Date).doc("When it happened.").ordered())
        .field(
            one("organization", proposal_action::Column::OrganizationId, RecordType::Organization)
                .doc("Body that took the step or before which it was taken.")
                .inverse("proposalActions", "Steps in the life of proposals that this body took."),
        )
        .field(choice("classification", proposal_action::Column::Classification, &ACTION_CLASSIFICATION).doc("What kind of step it was."))
        .field(translated("text", proposal_action::Column::Text).doc("What happened.")),
        Record::part(
            RecordType::ProposedChange,
            proposed_change::Entity,
            one("proposal", proposed_change::Column::ProposalId, RecordType::Proposal)
                .doc("The proposal this belongs to.")
                .inverse("changes", "Laws and provisions the proposal would change."),
        )
        .doc("A law or provision that a proposal would change.")
        .field(
            one("law", proposed_change::Column::LawId, RecordType::Law)
                .doc("Law that would change.")
                .inverse("proposedChanges", "Proposals that would change this law."),
        )
        .field(
            one("provision", proposed_change::Column::ProvisionId, RecordType::Provision)
                .doc("Provision that would change, where one is named.")
                .inverse("proposedChanges", "Proposals that would change this provision."),
        )
        .field(translated("note", proposed_change::Column::Note).doc("What would change.")),
    ]
}

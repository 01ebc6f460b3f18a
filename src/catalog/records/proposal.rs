//! Declaration of proposals and their parts.

use crate::catalog::field::{choice, date, one, text, translated};
use crate::catalog::kind::{Choice, Vocabulary};
use crate::catalog::measure::{CountTarget, Interval, MeasureSpec, StatisticsSpec};
use crate::catalog::record::Record;
use crate::core::pagination::Direction;
use crate::entity::RecordType;

static PROPOSAL_KIND: Vocabulary = Vocabulary {
    name: "ProposalKind",
    doc: "Type of proposal.",
    choices: &[
        Choice::new("idea", "A call for legislation without a draft."),
        Choice::new("bill", "A draft law."),
        Choice::new("amendment", "An amendment to a draft or a law."),
        Choice::new("resolution", "A draft resolution."),
        Choice::new("petition", "A petition."),
    ],
};

static PROPOSAL_STATUS: Vocabulary = Vocabulary {
    name: "ProposalStatus",
    doc: "Status of a proposal.",
    choices: &[
        Choice::new("floated", "Called for in public; no draft is known."),
        Choice::new("introduced", "Introduced in the deciding body."),
        Choice::new("under_consideration", "Being debated or amended."),
        Choice::new("passed", "Passed by the deciding body, not yet signed."),
        Choice::new("signed", "Signed into law."),
        Choice::new("rejected", "Rejected."),
        Choice::new("withdrawn", "Withdrawn by its authors."),
        Choice::new("lapsed", "Lapsed without a decision."),
    ],
};

static ACTION_CLASSIFICATION: Vocabulary = Vocabulary {
    name: "ActionClassification",
    doc: "Type of action on a proposal.",
    choices: &[
        Choice::new("floated", "Called for in public."),
        Choice::new("hearing", "A hearing was held."),
        Choice::new("introduction", "Introduced in the deciding body."),
        Choice::new("referral", "Referred to a committee or another body."),
        Choice::new("first_reading", "Passed its first reading."),
        Choice::new("second_reading", "Passed its second reading."),
        Choice::new("passage", "Passed by a chamber."),
        Choice::new("amendment", "Amended."),
        Choice::new("agreement", "Agreed with the changes of another chamber."),
        Choice::new("signature", "Signed into law."),
        Choice::new("publication", "Published."),
        Choice::new("entry_into_force", "Came into force."),
        Choice::new("rejection", "Rejected."),
        Choice::new("withdrawal", "Withdrawn."),
        Choice::new("other", "Other."),
    ],
};

fn statistics() -> StatisticsSpec {
    const TO_DECISION: Interval = Interval::DaysUntilPart {
        from: "introducedOn",
        list: "actions",
        date: "date",
        field: "classification",
        values: &["signature", "rejection", "withdrawal"],
    };
    StatisticsSpec {
        name: "proposalStatistics",
        doc: "Counts of proposals, of their sponsors and outcomes, and of the time to a decision.",
        measures: vec![
            MeasureSpec::count("count", CountTarget::Record, "Number of proposals."),
            MeasureSpec::count(
                "sponsors",
                CountTarget::PartReference("sponsors", "person"),
                "Number of distinct people who sponsored the proposals. A person with several proposals counts once; organizations do not count.",
            ),
            MeasureSpec::count(
                "sponsoringOrganizations",
                CountTarget::PartReference("sponsors", "organization"),
                "Number of distinct organizations that sponsored the proposals.",
            ),
            MeasureSpec::count(
                "adopted",
                CountTarget::Record,
                "Number of proposals passed by the deciding body, whether or not signed yet.",
            )
            .only("status", &["passed", "signed"]),
            MeasureSpec::count("rejected", CountTarget::Record, "Number of proposals that were rejected.").only("status", &["rejected"]),
            MeasureSpec::count("laws", CountTarget::Reference("becameLaw"), "Number of distinct laws that the proposals became."),
            MeasureSpec::sample_size(
                "proposalsTimed",
                TO_DECISION,
                "Number of proposals from which medianDaysToDecision and meanDaysToDecision are computed: those whose introduction and signature, rejection or withdrawal are both known to the day.",
            ),
            MeasureSpec::median(
                "medianDaysToDecision",
                TO_DECISION,
                "Median number of days from introduction to the first signature, rejection or withdrawal, where both are known to the day.",
            ),
            MeasureSpec::mean(
                "meanDaysToDecision",
                TO_DECISION,
                "Mean number of days from introduction to the first signature, rejection or withdrawal, where both are known to the day.",
            ),
        ],
        filterable_lists: &[],
        join_keys: &[],
    }
}

/// The declared record types of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Proposal, "proposals", "proposals")
            .doc("A proposed law, amendment or resolution, from the idea to the vote. Modelled on Open Civic Data bills.")
            .with_field(translated("title").required().doc("Title of the proposal, or a short description until it has one.").label())
            .with_field(text("identifier").doc("Number assigned by the receiving body."))
            .with_field(choice("kind", &PROPOSAL_KIND).required().doc("Type of proposal."))
            .with_field(choice("status", &PROPOSAL_STATUS).required().doc("Status of the proposal."))
            .with_field(date("introducedOn").doc("Date on which the proposal was first made or introduced.").ordered())
            .with_field(translated("summary").lines().doc("Summary of the proposal in a few sentences.").search_text())
            .with_field(
                one("jurisdiction", RecordType::Jurisdiction)
                    .doc("Jurisdiction to which the record belongs.")
                    .inverse("proposals", "Proposals of this jurisdiction."),
            )
            .with_field(
                one("becameLaw", RecordType::Law)
                    .doc("Law that the proposal became.")
                    .inverse("proposals", "Proposals that became this law."),
            )
            .default_order("introducedOn", Direction::Desc)
            .dimension(
                "sponsor",
                &["sponsors", "person"],
                "Person who sponsored a proposal. A proposal with several sponsors is in the group of each.",
            )
            .dimension("sponsoringOrganization", &["sponsors", "organization"], "Organization that sponsored a proposal.")
            .dimension("law", &["changes", "law"], "Law that a proposal would change.")
            .dimension("provision", &["changes", "provision"], "Provision that a proposal would change.")
            .statistics(statistics()),
        Record::part(
            RecordType::Sponsorship,
            "sponsorships",
            one("proposal", RecordType::Proposal)
                .required()
                .doc("Proposal to which this belongs.")
                .inverse("sponsors", "Sponsors of the proposal."),
        )
        .doc("Sponsorship of a proposal by a person or an organization.")
        .distinct(&["person", "organization", "role"])
        .with_field(
            one("person", RecordType::Person)
                .doc("Person who sponsors the proposal.")
                .inverse("sponsorships", "Proposals that this person sponsored."),
        )
        .with_field(
            one("organization", RecordType::Organization)
                .doc("Organization that sponsors the proposal.")
                .inverse("sponsorships", "Proposals that this organization sponsored."),
        )
        .with_field(text("role").doc("Role, such as author or initiator.")),
        Record::part(
            RecordType::ProposalAction,
            "proposal_actions",
            one("proposal", RecordType::Proposal)
                .required()
                .doc("Proposal to which this belongs.")
                .inverse("actions", "Actions on the proposal, in order."),
        )
        .doc("An action on a proposal.")
        .may_be_alike("a proposal can be returned to the same committee, and dates are often unknown")
        .with_field(date("date").doc("Date of the event.").ordered())
        .with_field(
            one("organization", RecordType::Organization)
                .doc("Body that took the action, or before which it was taken.")
                .inverse("proposalActions", "Actions on proposals by or before this body."),
        )
        .with_field(choice("classification", &ACTION_CLASSIFICATION).required().doc("Type of event."))
        .with_field(translated("text").lines().doc("Description of the event.")),
        Record::part(
            RecordType::ProposedChange,
            "proposed_changes",
            one("proposal", RecordType::Proposal)
                .required()
                .doc("Proposal to which this belongs.")
                .inverse("changes", "Laws and provisions that the proposal would change."),
        )
        .doc("A law or provision that a proposal would change.")
        .distinct(&["law", "provision", "note"])
        .with_field(
            one("law", RecordType::Law)
                .required()
                .doc("Law that would change.")
                .inverse("proposedChanges", "Proposals to change this law."),
        )
        .with_field(
            one("provision", RecordType::Provision)
                .doc("Provision that would change, if one is named.")
                .inverse("proposedChanges", "Proposals to change this provision."),
        )
        .with_field(translated("note").lines().doc("Details of the proposed change.")),
    ]
}

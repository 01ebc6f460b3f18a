//! VoteEvent and its parts: what each column means, and what it links to.

use crate::catalog::measure::{CountTarget, MeasureSpec, StatisticsSpec};
use crate::catalog::record::{Choice, Record, Structure, StructureMember, Vocabulary, choice, date, list, one, translated};
use crate::core::pagination::Direction;
use crate::entity::{RecordType, vote, vote_event};

static VOTE_RESULT: Vocabulary = Vocabulary {
    name: "VoteResult",
    doc: "How a vote ended.",
    choices: &[
        Choice::new("pass", "The motion passed."),
        Choice::new("fail", "The motion failed."),
        Choice::new("other", "Any other end, such as a postponement."),
    ],
};

static VOTE_OPTION: Vocabulary = Vocabulary {
    name: "VoteOption",
    doc: "What a voter chose.",
    choices: &[
        Choice::new("yes", "For."),
        Choice::new("no", "Against."),
        Choice::new("abstain", "Abstained."),
        Choice::new("absent", "Was absent."),
        Choice::new("not_voting", "Was present and did not vote."),
    ],
};

static VOTE_COUNT: Structure = Structure {
    name: "VoteCount",
    doc: "Number of votes for one option.",
    members: &[
        StructureMember::choice("option", &VOTE_OPTION, "Option that was counted."),
        StructureMember::integer("value", "Number of votes for it."),
    ],
};

fn statistics() -> StatisticsSpec {
    let votes = |name, option, doc| MeasureSpec::number(name, CountTarget::Part("votes"), doc).only_with("votes", "option", option);
    StatisticsSpec {
        name: "voteStatistics",
        doc: "Counts of votes that bodies took, and of how people voted. Votes of people are counted where the sources say how each voted; what they only give as a sum is in counts of a vote event and not in these figures.",
        measures: vec![
            MeasureSpec::number("count", CountTarget::Record, "Number of votes that bodies took, each on one motion."),
            MeasureSpec::number("passed", CountTarget::Record, "Number of those in which the motion passed.").only("result", &["pass"]),
            MeasureSpec::number("failed", CountTarget::Record, "Number of those in which the motion failed.").only("result", &["fail"]),
            MeasureSpec::number(
                "voters",
                CountTarget::Referred("votes", "person"),
                "Number of different people of whom it is known how they voted; one person in two votes counts once.",
            ),
            MeasureSpec::number(
                "votes",
                CountTarget::Part("votes"),
                "Number of choices of people that are known: one person in two votes has two.",
            ),
            votes("yes", &["yes"], "Number of choices for the motion."),
            votes("no", &["no"], "Number of choices against the motion."),
            votes("abstentions", &["abstain"], "Number of abstentions."),
            votes("absences", &["absent"], "Number of times that someone was absent."),
            votes("notVoting", &["not_voting"], "Number of times that someone was present and did not vote."),
        ],
        narrowed: &["votes"],
        ties: &[],
    }
}

/// The records of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::VoteEvent, vote_event::Entity, "voteEvents")
            .doc("A vote that a body took on a motion, and its result. Modelled on Popolo.")
            .field(translated("motion", vote_event::Column::Motion).doc("What was voted on.").label())
            .field(date("date", vote_event::Column::Date).doc("When the vote was taken.").ordered())
            .field(choice("result", vote_event::Column::Result, &VOTE_RESULT).doc("How the vote ended."))
            .field(
                list("counts", vote_event::Column::Counts, &VOTE_COUNT).doc("Number of votes for each option, where the sources give it."),
            )
            .field(
                one("proposal", vote_event::Column::ProposalId, RecordType::Proposal)
                    .doc("Proposal that was voted on.")
                    .inverse("voteEvents", "Votes taken on this proposal."),
            )
            .field(
                one("organization", vote_event::Column::OrganizationId, RecordType::Organization)
                    .doc("Body that voted.")
                    .inverse("voteEvents", "Votes this body took."),
            )
            .default_order("date", Direction::Desc)
            .within("proposal")
            .dimension("option", &["votes", "option"], "What a person chose, where the sources say how each voted.")
            .dimension("voter", &["votes", "person"], "Person who voted, where the sources say how each voted.")
            .statistics(statistics()),
        Record::part(
            RecordType::Vote,
            vote::Entity,
            one("voteEvent", vote::Column::VoteEventId, RecordType::VoteEvent)
                .doc("The vote event this belongs to.")
                .inverse("votes", "How each person voted, where the sources give it."),
        )
        .doc("How one person voted.")
        .field(one("person", vote::Column::PersonId, RecordType::Person).doc("Who voted.").inverse("votes", "How this person voted."))
        .field(choice("option", vote::Column::Option, &VOTE_OPTION).doc("What the person chose.")),
    ]
}

//! Declaration of vote events and their votes.

use crate::catalog::field::{choice, date, list, one, translated};
use crate::catalog::kind::{Choice, Structure, StructureMember, Vocabulary};
use crate::catalog::measure::{CountTarget, MeasureSpec, StatisticsSpec};
use crate::catalog::record::{Record, Totals};
use crate::core::pagination::Direction;
use crate::entity::RecordType;

static VOTE_RESULT: Vocabulary = Vocabulary {
    name: "VoteResult",
    doc: "Result of a vote.",
    choices: &[
        Choice::new("pass", "The motion passed."),
        Choice::new("fail", "The motion failed."),
        Choice::new("other", "Another result, such as a postponement."),
    ],
};

static VOTE_OPTION: Vocabulary = Vocabulary {
    name: "VoteOption",
    doc: "Choice of a voter.",
    choices: &[
        Choice::new("yes", "Voted for the motion."),
        Choice::new("no", "Voted against the motion."),
        Choice::new("abstain", "Abstained."),
        Choice::new("absent", "Was absent."),
        Choice::new("not_voting", "Was present but did not vote."),
    ],
};

static VOTE_COUNT: Structure = Structure {
    name: "VoteCount",
    doc: "Number of votes for one option.",
    members: &[
        StructureMember::choice("option", &VOTE_OPTION, "Option."),
        StructureMember::count("value", "Number of votes for the option."),
    ],
    distinct: &["option"],
};

fn statistics() -> StatisticsSpec {
    let votes = |name, option, doc| MeasureSpec::count(name, CountTarget::Part("votes"), doc).only_parts("votes", "option", option);
    StatisticsSpec {
        name: "voteEventStatistics",
        doc: "Counts of votes on motions and of individual votes. Individual votes count only if the sources report how each person voted; reported totals are in counts of a vote event and are not included.",
        measures: vec![
            MeasureSpec::count("count", CountTarget::Record, "Number of vote events, each on one motion."),
            MeasureSpec::count("passed", CountTarget::Record, "Number of vote events in which the motion passed.")
                .only("result", &["pass"]),
            MeasureSpec::count("failed", CountTarget::Record, "Number of vote events in which the motion failed.")
                .only("result", &["fail"]),
            MeasureSpec::count(
                "voters",
                CountTarget::PartReference("votes", "person"),
                "Number of distinct people whose votes are known. A person with several votes counts once.",
            ),
            MeasureSpec::count(
                "votes",
                CountTarget::Part("votes"),
                "Number of known individual votes. A person in two vote events has two.",
            ),
            votes("yes", &["yes"], "Number of individual votes for the motion."),
            votes("no", &["no"], "Number of individual votes against the motion."),
            votes("abstentions", &["abstain"], "Number of abstentions."),
            votes("absences", &["absent"], "Number of absences."),
            votes("notVoting", &["not_voting"], "Number of times a person was present but did not vote."),
        ],
        filterable_lists: &["votes"],
        join_keys: &[],
    }
}

/// The declared record types of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::VoteEvent, "vote_events", "voteEvents")
            .doc("A vote of an organization on a motion, with its result. Modelled on Popolo.")
            .with_field(translated("motion").required().doc("Motion put to the vote.").label())
            .with_field(date("date").doc("Date of the vote.").ordered())
            .with_field(choice("result", &VOTE_RESULT).required().doc("Result of the vote."))
            .with_field(list("counts", &VOTE_COUNT).doc("Number of votes for each option, as the sources report it."))
            .with_field(
                one("proposal", RecordType::Proposal).doc("Proposal put to the vote.").inverse("voteEvents", "Votes on this proposal."),
            )
            .with_field(
                one("organization", RecordType::Organization)
                    .doc("Organization that held the vote.")
                    .inverse("voteEvents", "Votes held by this organization."),
            )
            .default_order("date", Direction::Desc)
            .jurisdiction_from("proposal")
            .totals(Totals { field: "counts", parts: "votes", by: "option", count: "value" })
            .dimension("option", &["votes", "option"], "Choice of a voter, if the sources report individual votes.")
            .dimension("voter", &["votes", "person"], "Voter, if the sources report individual votes.")
            .statistics(statistics()),
        Record::part(
            RecordType::Vote,
            "votes",
            one("voteEvent", RecordType::VoteEvent)
                .required()
                .doc("Vote event to which this belongs.")
                .inverse("votes", "Individual votes, if the sources report them."),
        )
        .doc("The vote of one person.")
        .distinct(&["person"])
        .with_field(one("person", RecordType::Person).required().doc("Person who voted.").inverse("votes", "Votes of this person."))
        .with_field(choice("option", &VOTE_OPTION).required().doc("Choice of the voter.")),
    ]
}

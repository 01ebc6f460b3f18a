//! Declaration of laws and their relations.

use crate::catalog::field::{choice, date, one, text, translated};
use crate::catalog::kind::{Choice, Vocabulary};
use crate::catalog::measure::{CountTarget, Interval, MeasureSpec, StatisticsSpec};
use crate::catalog::record::Record;
use crate::core::pagination::Direction;
use crate::entity::RecordType;

static LAW_KIND: Vocabulary = Vocabulary {
    name: "LawKind",
    doc: "Type of law.",
    choices: &[
        Choice::new("constitution", "A constitution."),
        Choice::new("constitutional_law", "A law of constitutional rank."),
        Choice::new("code", "A code, which governs a whole field of law."),
        Choice::new("law", "An ordinary law."),
        Choice::new("decree", "A decree."),
        Choice::new("regulation", "A regulation made under a law."),
        Choice::new("resolution", "A resolution."),
        Choice::new("treaty", "A treaty between states."),
        Choice::new("other", "Other."),
    ],
};

static LAW_STATUS: Vocabulary = Vocabulary {
    name: "LawStatus",
    doc: "Status of a law.",
    choices: &[
        Choice::new("adopted", "Adopted, not yet in force."),
        Choice::new("in_force", "In force."),
        Choice::new("partly_in_force", "In force in part."),
        Choice::new("repealed", "No longer in force."),
    ],
};

static LAW_RELATION_KIND: Vocabulary = Vocabulary {
    name: "LawRelationKind",
    doc: "Effect of one law on another.",
    choices: &[
        Choice::new("amends", "Changes the text of the other law."),
        Choice::new("repeals", "Repeals the other law."),
        Choice::new("replaces", "Replaces the other law."),
        Choice::new("implements", "Implements the other law."),
        Choice::new("based_on", "Is made under the authority of the other law."),
    ],
};

fn statistics() -> StatisticsSpec {
    const TO_FORCE: Interval = Interval::Days("adoptedOn", "inForceFrom");
    StatisticsSpec {
        name: "lawStatistics",
        doc: "Counts of laws, of their provisions and of proposals to change them.",
        measures: vec![
            MeasureSpec::count("count", CountTarget::Record, "Number of laws."),
            MeasureSpec::count(
                "provisions",
                CountTarget::Part("provisions"),
                "Number of provisions of these laws in this dataset, which need not be all of them.",
            ),
            MeasureSpec::count(
                "proposals",
                CountTarget::PartReference("proposedChanges", "proposal"),
                "Number of distinct proposals to change these laws.",
            ),
            MeasureSpec::sample_size(
                "lawsTimed",
                TO_FORCE,
                "Number of laws from which medianDaysToForce and meanDaysToForce are computed: those whose adoption and entry into force are both known to the day.",
            ),
            MeasureSpec::median(
                "medianDaysToForce",
                TO_FORCE,
                "Median number of days from adoption to entry into force, where both are known to the day.",
            ),
            MeasureSpec::mean(
                "meanDaysToForce",
                TO_FORCE,
                "Mean number of days from adoption to entry into force, where both are known to the day.",
            ),
        ],
        filterable_lists: &[],
        join_keys: &[],
    }
}

/// The declared record types of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Law, "laws", "laws")
            .doc("A law that is in force, not yet in force, or repealed. Modelled on ELI and Akoma Ntoso.")
            .with_field(translated("title").required().doc("Title of the law.").label())
            .with_field(text("number").doc("Number under which the law was adopted, such as 226-V.").search_name())
            .with_field(choice("kind", &LAW_KIND).required().doc("Type of law."))
            .with_field(choice("status", &LAW_STATUS).required().doc("Status of the law."))
            .with_field(date("adoptedOn").doc("Date of adoption or signature.").ordered())
            .with_field(date("inForceFrom").doc("Date of entry into force.").ordered())
            .with_field(date("repealedOn").doc("Date of repeal.").ordered())
            .with_field(text("eli").doc("European Legislation Identifier (ELI).").unique())
            .with_field(translated("summary").lines().doc("Summary of the law in a few sentences.").search_text())
            .with_field(
                one("jurisdiction", RecordType::Jurisdiction)
                    .doc("Jurisdiction to which the record belongs.")
                    .inverse("laws", "Laws of this jurisdiction."),
            )
            .default_order("adoptedOn", Direction::Desc)
            .statistics(statistics()),
        Record::part(
            RecordType::LawRelation,
            "law_relations",
            one("law", RecordType::Law)
                .required()
                .doc("Law to which this belongs.")
                .inverse("relations", "Effects of this law on other laws."),
        )
        .doc("Effect of one law on another.")
        .distinct(&["kind", "target"])
        .with_field(choice("kind", &LAW_RELATION_KIND).required().doc("Type of effect."))
        .with_field(
            one("target", RecordType::Law)
                .required()
                .doc("Law affected.")
                .inverse("inverseRelations", "Effects of other laws on this one."),
        )
        .with_field(translated("note").lines().doc("Details of the effect.")),
    ]
}

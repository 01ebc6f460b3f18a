//! Law and its parts: what each column means, and what it links to.

use crate::catalog::measure::{CountTarget, Interval, MeasureSpec, StatisticsSpec};
use crate::catalog::record::{Choice, Record, Vocabulary, choice, date, one, text, translated};
use crate::core::pagination::Direction;
use crate::entity::{RecordType, law, law_relation};

static LAW_KIND: Vocabulary = Vocabulary {
    name: "LawKind",
    doc: "What kind of law it is.",
    choices: &[
        Choice::new("constitution", "A constitution."),
        Choice::new("constitutional_law", "A law with constitutional rank."),
        Choice::new("code", "A code: the law of a whole field."),
        Choice::new("law", "An ordinary law."),
        Choice::new("decree", "A decree."),
        Choice::new("regulation", "A regulation made under a law."),
        Choice::new("resolution", "A resolution."),
        Choice::new("treaty", "A treaty between states."),
        Choice::new("other", "Any other."),
    ],
};

static LAW_STATUS: Vocabulary = Vocabulary {
    name: "LawStatus",
    doc: "Whether a law is in force.",
    choices: &[
        Choice::new("adopted", "Adopted, not yet in force."),
        Choice::new("in_force", "In force."),
        Choice::new("partly_in_force", "In force in part."),
        Choice::new("repealed", "No longer in force."),
    ],
};

static LAW_RELATION_KIND: Vocabulary = Vocabulary {
    name: "LawRelationKind",
    doc: "What one law does to another.",
    choices: &[
        Choice::new("amends", "Changes its text."),
        Choice::new("repeals", "Ends its force."),
        Choice::new("replaces", "Takes its place."),
        Choice::new("implements", "Carries it out."),
        Choice::new("based_on", "Is made under it."),
    ],
};

fn statistics() -> StatisticsSpec {
    const TO_FORCE: Interval = Interval::Days("adopted", "inForceFrom");
    StatisticsSpec {
        name: "lawStatistics",
        doc: "Counts of laws, of their provisions and of proposals to change them.",
        measures: vec![
            MeasureSpec::number("count", CountTarget::Record, "Number of laws."),
            MeasureSpec::number(
                "provisions",
                CountTarget::Part("provisions"),
                "Number of provisions of these laws that are recorded here, which need not be all they have.",
            ),
            MeasureSpec::number(
                "proposals",
                CountTarget::Referred("proposedChanges", "proposal"),
                "Number of different proposals that would change these laws.",
            ),
            MeasureSpec::measured(
                "lawsTimed",
                TO_FORCE,
                "Number of laws of which both the day of adoption and the day they came into force are known: those that medianDaysToForce and meanDaysToForce are of.",
            ),
            MeasureSpec::median(
                "medianDaysToForce",
                TO_FORCE,
                "Median number of days from when a law was adopted to when it came into force, of laws of which both days are known.",
            ),
            MeasureSpec::mean(
                "meanDaysToForce",
                TO_FORCE,
                "Mean number of days from when a law was adopted to when it came into force, of laws of which both days are known.",
            ),
        ],
        narrowed: &[],
        ties: &[],
    }
}

/// The records of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Law, law::Entity, "laws")
            .doc("A law in force, to come into force, or repealed. Modelled on ELI and Akoma Ntoso.")
            .field(translated("title", law::Column::Title).doc("Title of the law.").label())
            .field(text("number", law::Column::Number).doc("Number under which it was adopted, such as 226-V.").search_name())
            .field(choice("kind", law::Column::Kind, &LAW_KIND).doc("What kind of law it is."))
            .field(choice("status", law::Column::Status, &LAW_STATUS).doc("Whether it is in force."))
            .field(date("adopted", law::Column::Adopted).doc("When it was signed or adopted.").ordered())
            .field(date("inForceFrom", law::Column::InForceFrom).doc("When it came into force.").ordered())
            .field(date("repealed", law::Column::Repealed).doc("When it ceased to be in force.").ordered())
            .field(text("eli", law::Column::Eli).doc("European Legislation Identifier, where the register gives one.").unique())
            .field(translated("summary", law::Column::Summary).doc("What the law does, in a few sentences.").search_text())
            .field(
                one("jurisdiction", law::Column::JurisdictionId, RecordType::Jurisdiction)
                    .doc("Country or place this belongs to.")
                    .inverse("laws", "Laws of this jurisdiction."),
            )
            .default_order("adopted", Direction::Desc)
            .statistics(statistics()),
        Record::part(
            RecordType::LawRelation,
            law_relation::Entity,
            one("law", law_relation::Column::LawId, RecordType::Law)
                .doc("The law this belongs to.")
                .inverse("relations", "What this law does to other laws."),
        )
        .doc("What one law does to another.")
        .field(choice("kind", law_relation::Column::Kind, &LAW_RELATION_KIND).doc("What the law does to the other."))
        .field(
            one("target", law_relation::Column::TargetId, RecordType::Law)
                .doc("The other law.")
                .inverse("inverseRelations", "What other laws do to this one."),
        )
        .field(translated("note", law_relation::Column::Note).doc("What exactly changes.")),
    ]
}

//! Statement: what each column means, and what it links to.

use crate::catalog::measure::{CountTarget, MeasureSpec, StatisticsSpec};
use crate::catalog::record::{Record, date, one, translated};
use crate::core::pagination::Direction;
use crate::entity::{RecordType, statement};

/// The records of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Statement, statement::Entity, "statements")
            .doc("Something that a person or a body said in public.")
            .field(translated("text", statement::Column::Text).doc("What was said, quoted or reported.").label())
            .field(date("saidOn", statement::Column::SaidOn).doc("When it was said.").ordered())
            .field(translated("occasion", statement::Column::Occasion).doc("Where and on what occasion it was said.").search_text())
            .field(
                one("speaker", statement::Column::SpeakerId, RecordType::Person)
                    .doc("Person who said it.")
                    .inverse("statementsMade", "What this person said in public."),
            )
            .field(
                one("organization", statement::Column::OrganizationId, RecordType::Organization)
                    .doc("Body that said it, where it speaks for itself.")
                    .inverse("statementsMade", "What this body said in public."),
            )
            .default_order("saidOn", Direction::Desc)
            .within("speaker")
            .statistics(StatisticsSpec {
                name: "statementStatistics",
                doc: "Counts of what was said in public, and of who said it.",
                measures: vec![
                    MeasureSpec::number("count", CountTarget::Record, "Number of statements."),
                    MeasureSpec::number(
                        "speakers",
                        CountTarget::One("speaker"),
                        "Number of different people who made the statements; one person with two statements counts once.",
                    ),
                    MeasureSpec::number(
                        "organizations",
                        CountTarget::One("organization"),
                        "Number of different bodies that made the statements.",
                    ),
                ],
                narrowed: &[],
                ties: &[],
            }),
    ]
}

//! Declaration of statements.

use crate::catalog::field::{date, one, translated};
use crate::catalog::measure::{CountTarget, MeasureSpec, StatisticsSpec};
use crate::catalog::record::Record;
use crate::core::pagination::Direction;
use crate::entity::RecordType;

/// The declared record types of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Statement, "statements", "statements")
            .doc("A public statement of a person or an organization.")
            .with_field(translated("text").lines().required().doc("The statement, quoted or reported.").label())
            .with_field(date("saidOn").doc("Date of the statement.").ordered())
            .with_field(translated("occasion").lines().doc("Place and occasion of the statement.").search_text())
            .with_field(
                one("speaker", RecordType::Person)
                    .doc("Person who made the statement.")
                    .inverse("statementsMade", "Public statements of this person."),
            )
            .with_field(
                one("organization", RecordType::Organization)
                    .doc("Organization that made the statement, if it speaks as such.")
                    .inverse("statementsMade", "Public statements of this organization."),
            )
            .default_order("saidOn", Direction::Desc)
            .jurisdiction_from("speaker")
            .statistics(StatisticsSpec {
                name: "statementStatistics",
                doc: "Counts of public statements and of their speakers.",
                measures: vec![
                    MeasureSpec::count("count", CountTarget::Record, "Number of statements."),
                    MeasureSpec::count("speakers", CountTarget::Reference("speaker"), "Number of distinct people who made the statements."),
                    MeasureSpec::count(
                        "organizations",
                        CountTarget::Reference("organization"),
                        "Number of distinct organizations that made the statements.",
                    ),
                ],
                filterable_lists: &[],
                join_keys: &[],
            }),
    ]
}

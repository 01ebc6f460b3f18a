//! Statistic: what each column means, and what it links to.

use crate::catalog::record::{Record, Structure, StructureMember, date, list, number, one, text, translated};
use crate::core::pagination::Direction;
use crate::entity::{RecordType, statistic};

static BREAKDOWN: Structure = Structure {
    name: "Breakdown",
    doc: "One dimension that narrows a figure down.",
    members: &[
        StructureMember::text("dimension", "What the whole is divided by, such as gravity."),
        StructureMember::text("value", "The part this figure counts, such as grave or especially grave."),
    ],
};

/// The records of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Statistic, statistic::Entity, "statistics")
            .doc("A figure that somebody published. It is the publisher's count, not a count of the records here.")
            .field(translated("measure", statistic::Column::Measure).doc("What was counted, in words.").label())
            .field(number("value", statistic::Column::Value).doc("The figure.").ordered())
            .field(text("unit", statistic::Column::Unit).doc("What the figure counts, such as cases, persons or points."))
            .field(date("periodStart", statistic::Column::PeriodStart).doc("Beginning of the period the figure covers.").ordered())
            .field(date("periodEnd", statistic::Column::PeriodEnd).doc("End of the period the figure covers.").ordered())
            .field(
                list("breakdown", statistic::Column::Breakdown, &BREAKDOWN)
                    .doc("What part of the whole the figure is, dimension by dimension."),
            )
            .field(translated("note", statistic::Column::Note).doc("What to know before quoting the figure.").search_text())
            .field(
                one("publisher", statistic::Column::PublisherId, RecordType::Organization)
                    .doc("Organization that published the figure.")
                    .inverse("statisticsPublished", "Figures this organization published."),
            )
            .field(
                one("provision", statistic::Column::ProvisionId, RecordType::Provision)
                    .doc("Provision whose use is counted.")
                    .inverse("statistics", "Published figures about the use of this provision."),
            )
            .field(
                one("law", statistic::Column::LawId, RecordType::Law)
                    .doc("Law whose use is counted.")
                    .inverse("statistics", "Published figures about this law."),
            )
            .field(
                one("jurisdiction", statistic::Column::JurisdictionId, RecordType::Jurisdiction)
                    .doc("Country or place the figure is about.")
                    .inverse("statistics", "Published figures about this jurisdiction."),
            )
            .default_order("periodStart", Direction::Desc),
    ]
}

//! Declaration of published statistics.

use crate::catalog::field::{date, list, number, one, text, translated};
use crate::catalog::kind::{Structure, StructureMember};
use crate::catalog::record::Record;
use crate::core::pagination::Direction;
use crate::entity::RecordType;

static BREAKDOWN: Structure = Structure {
    name: "Breakdown",
    doc: "A dimension that restricts a figure, with its value.",
    members: &[
        StructureMember::text("dimension", "Dimension, such as gravity."),
        StructureMember::text("value", "Value of the dimension, such as grave or especially grave."),
    ],
    distinct: &["dimension", "value"],
};

/// The declared record types of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Statistic, "statistics", "statistics")
            .doc("A published figure. It is the count of its publisher, not a count of records in this dataset.")
            .with_field(translated("measure").required().doc("What the figure measures, in words.").label())
            .with_field(number("value").required().doc("The figure.").ordered())
            .with_field(text("unit").required().doc("Unit of the figure, such as cases, persons or points."))
            .with_field(date("periodStart").doc("Start of the period that the figure covers.").ordered())
            .with_field(date("periodEnd").doc("End of the period that the figure covers.").ordered())
            .with_field(list("breakdown", &BREAKDOWN).doc("Dimensions that restrict the figure to a part of the whole."))
            .with_field(translated("note").lines().doc("Caveats to observe when quoting the figure.").search_text())
            .with_field(
                one("publisher", RecordType::Organization)
                    .doc("Organization that published the figure.")
                    .inverse("statisticsPublished", "Figures that this organization published."),
            )
            .with_field(
                one("provision", RecordType::Provision)
                    .doc("Provision to whose use the figure relates.")
                    .inverse("statistics", "Published figures about the use of this provision."),
            )
            .with_field(
                one("law", RecordType::Law)
                    .doc("Law to whose use the figure relates.")
                    .inverse("statistics", "Published figures about this law."),
            )
            .with_field(
                one("jurisdiction", RecordType::Jurisdiction)
                    .doc("Jurisdiction to which the figure relates.")
                    .inverse("statistics", "Published figures about this jurisdiction."),
            )
            .default_order("periodStart", Direction::Desc),
    ]
}

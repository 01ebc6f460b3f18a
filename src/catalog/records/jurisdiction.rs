//! Declaration of jurisdictions.

use crate::catalog::field::{CHECKED_AT, LAST_CHANGED_AT, choice, instant, one, text, translated};
use crate::catalog::kind::{Choice, Vocabulary};
use crate::catalog::record::Record;
use crate::entity::RecordType;

static JURISDICTION_CLASSIFICATION: Vocabulary = Vocabulary {
    name: "JurisdictionClassification",
    doc: "Type of jurisdiction.",
    choices: &[
        Choice::new("country", "A country."),
        Choice::new("region", "A region or province of a country."),
        Choice::new("district", "A district of a region or city."),
        Choice::new("city", "A city or town."),
        Choice::new("supranational", "A union of countries with its own law."),
        Choice::new("other", "Other."),
    ],
};

/// The declared record types of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Jurisdiction, "jurisdictions", "jurisdictions")
            .doc("A country, region or city with its own laws and institutions. Modelled on Open Civic Data.")
            .with_field(translated("name").required().doc("Name of the jurisdiction.").label())
            .with_field(
                choice("classification", &JURISDICTION_CLASSIFICATION).required()
                    .doc("Type of jurisdiction."),
            )
            .with_field(
                text("ocdId")
                    .doc("Open Civic Data division identifier, such as ocd-division/country:kz.")
                    .unique(),
            )
            .with_field(
                one("parent", RecordType::Jurisdiction)
                    .doc("Larger jurisdiction that contains this one.")
                    .inverse("children", "Jurisdictions directly within this one."),
            )
            .with_field(
                instant(CHECKED_AT).required()
                    .doc("When this jurisdiction was last checked, whether or not anything changed: by an import or edit of it or of one of its records, or by a person. Jurisdictions within it are checked separately.")
                    .ordered()
                    .system(),
            )
            .with_field(
                instant(LAST_CHANGED_AT).required()
                    .doc("When this jurisdiction or one of its records last changed in this dataset. Jurisdictions within it change separately.")
                    .ordered()
                    .system(),
            ),
    ]
}

//! Jurisdiction: what each column means, and what it links to.

use crate::catalog::record::{CHECKED_AT, Choice, LAST_CHANGED_AT, Record, Vocabulary, choice, instant, one, text, translated};
use crate::entity::{RecordType, jurisdiction};

static JURISDICTION_CLASSIFICATION: Vocabulary = Vocabulary {
    name: "JurisdictionClassification",
    doc: "What kind of place a jurisdiction is.",
    choices: &[
        Choice::new("country", "A state."),
        Choice::new("region", "A region or province of a state."),
        Choice::new("district", "A district of a region or city."),
        Choice::new("city", "A city or town."),
        Choice::new("supranational", "A union of states with law of its own."),
        Choice::new("other", "Any other."),
    ],
};

/// The records of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Jurisdiction, jurisdiction::Entity, "jurisdictions")
            .doc("A country, region or city with laws and institutions of its own. Modelled on Open Civic Data.")
            .field(translated("name", jurisdiction::Column::Name).doc("Name of the jurisdiction.").label())
            .field(
                choice("classification", jurisdiction::Column::Classification, &JURISDICTION_CLASSIFICATION)
                    .doc("What kind of place it is."),
            )
            .field(
                text("ocdId", jurisdiction::Column::OcdId)
                    .doc("Open Civic Data division identifier, such as ocd-division/country:kz.")
                    .unique(),
            )
            .field(
                one("parent", jurisdiction::Column::ParentId, RecordType::Jurisdiction)
                    .doc("Larger jurisdiction that this one is part of.")
                    .inverse("children", "Smaller jurisdictions inside this one."),
            )
            .field(
                instant(CHECKED_AT, jurisdiction::Column::CheckedAt)
                    .doc("When this jurisdiction was last looked at: by an import or an edit that named it or brought a record of it, or by a person, whether or not anything was new. Smaller jurisdictions inside it have times of their own.")
                    .ordered()
                    .kept(),
            )
            .field(
                instant(LAST_CHANGED_AT, jurisdiction::Column::LastChangedAt)
                    .doc("When this jurisdiction, or a record of it, last changed here. Smaller jurisdictions inside it have times of their own.")
                    .ordered()
                    .kept(),
            ),
    ]
}

//! Jurisdiction: what each column means, and what it links to.

use crate::entity::{RecordType, jurisdiction};
use crate::store::record::{Choice, Record, Vocabulary, choice, one, text, translated};

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
            ),
    ]
}

//! Organization: what each column means, and what it links to.

use crate::catalog::record::{Choice, LINK, OTHER_NAME, Record, Vocabulary, choice, date, list, one, translated, url};
use crate::entity::{RecordType, organization};

static ORGANIZATION_CLASSIFICATION: Vocabulary = Vocabulary {
    name: "OrganizationClassification",
    doc: "What kind of body an organization is.",
    choices: &[
        Choice::new("legislature", "A parliament as a whole."),
        Choice::new("chamber", "A chamber of a parliament."),
        Choice::new("committee", "A committee of a larger body."),
        Choice::new("government", "A government as a whole."),
        Choice::new("ministry", "A ministry."),
        Choice::new("agency", "A public agency or office."),
        Choice::new("court", "A court."),
        Choice::new("prosecutor", "A prosecutor's office."),
        Choice::new("party", "A political party."),
        Choice::new("association", "An association, foundation or other civic organization."),
        Choice::new("media", "A news organization."),
        Choice::new("international", "A body of several states."),
        Choice::new("other", "Any other."),
    ],
};

/// The records of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Organization, organization::Entity, "organizations")
            .doc("A body that acts: a parliament or a chamber of it, a ministry, a court, a party, an association. Modelled on Popolo.")
            .field(translated("name", organization::Column::Name).doc("Name of the organization.").label())
            .field(
                list("otherNames", organization::Column::OtherNames, &OTHER_NAME)
                    .doc("Other names this one is known by: in other languages, former, short.")
                    .search_name(),
            )
            .field(
                choice("classification", organization::Column::Classification, &ORGANIZATION_CLASSIFICATION)
                    .doc("What kind of body it is."),
            )
            .field(date("founded", organization::Column::Founded).doc("When it was founded.").ordered())
            .field(date("dissolved", organization::Column::Dissolved).doc("When it ceased to exist."))
            .field(
                translated("description", organization::Column::Description)
                    .doc("What it is and does, in a sentence or two.")
                    .search_text(),
            )
            .field(url("image", organization::Column::Image).doc("Address of a picture or emblem."))
            .field(list("links", organization::Column::Links, &LINK).doc("Web pages about this one."))
            .field(
                one("parent", organization::Column::ParentId, RecordType::Organization)
                    .doc("Larger organization that this one is part of.")
                    .inverse("children", "Organizations that are part of this one."),
            )
            .field(
                one("jurisdiction", organization::Column::JurisdictionId, RecordType::Jurisdiction)
                    .doc("Country or place this belongs to.")
                    .inverse("organizations", "Organizations of this jurisdiction."),
            ),
    ]
}

//! Declaration of organizations.

use crate::catalog::field::{choice, date, list, one, text, translated, url};
use crate::catalog::kind::{CONTACT_DETAIL, Choice, LINK, OTHER_NAME, Vocabulary};
use crate::catalog::record::Record;
use crate::entity::RecordType;

static ORGANIZATION_CLASSIFICATION: Vocabulary = Vocabulary {
    name: "OrganizationClassification",
    doc: "Type of organization.",
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
        Choice::new("other", "Other."),
    ],
};

/// The declared record types of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Organization, "organizations", "organizations")
            .doc("A body such as a parliament, ministry, court, party or association. Modelled on Popolo.")
            .with_field(translated("name").required().doc("Name of the organization.").label())
            .with_field(
                list("otherNames", &OTHER_NAME)
                    .doc("Other names, such as former or short names or names in other languages.")
                    .search_name(),
            )
            .with_field(choice("classification", &ORGANIZATION_CLASSIFICATION).required().doc("Type of organization."))
            .with_field(date("foundedOn").doc("Date of foundation.").ordered())
            .with_field(date("dissolvedOn").doc("Date of dissolution."))
            .with_field(translated("description").lines().doc("Description in a sentence or two.").search_text())
            .with_field(url("image").doc("URL of a picture or emblem."))
            .with_field(text("area").doc("Area that the organization is for, if it is no jurisdiction, such as a constituency."))
            .with_field(
                list("contactDetails", &CONTACT_DETAIL)
                    .doc("Ways to reach the organization, such as email addresses and telephone numbers."),
            )
            .with_field(list("links", &LINK).doc("Web pages about the subject of the record."))
            .with_field(
                one("parent", RecordType::Organization)
                    .doc("Larger organization that contains this one.")
                    .inverse("children", "Organizations directly within this one."),
            )
            .with_field(
                one("jurisdiction", RecordType::Jurisdiction)
                    .doc("Jurisdiction to which the record belongs.")
                    .inverse("organizations", "Organizations of this jurisdiction."),
            ),
    ]
}

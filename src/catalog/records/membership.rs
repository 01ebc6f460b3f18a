//! Declaration of memberships.

use crate::catalog::field::{date, list, one, text, translated};
use crate::catalog::kind::{CONTACT_DETAIL, LINK};
use crate::catalog::record::Record;
use crate::core::pagination::Direction;
use crate::entity::RecordType;

/// The declared record types of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Membership, "memberships", "memberships")
            .doc("A post or seat that a person holds or held in an organization. Modelled on Popolo.")
            .with_field(translated("label").required().doc("Name of the post, such as Deputy of the Senate.").label())
            .with_field(text("role").doc("Role in the organization, such as deputy, chair or minister."))
            .with_field(date("start").doc("Date on which the person took the post.").ordered())
            .with_field(date("end").doc("Date on which the person left the post."))
            .with_field(text("endReason").doc("Why the person left the post."))
            .with_field(text("post").doc("Post that the person fills, if others have filled it or will."))
            .with_field(date("postStart").doc("Date on which the post was created."))
            .with_field(date("postEnd").doc("Date on which the post was abolished."))
            .with_field(text("area").doc("Area that the person represents, such as a constituency."))
            .with_field(text("legislativePeriod").doc("Legislative period of the post or seat."))
            .with_field(date("periodStart").doc("First day of the legislative period."))
            .with_field(date("periodEnd").doc("Last day of the legislative period."))
            .with_field(list("contactDetails", &CONTACT_DETAIL).doc("Ways to reach the person in the post."))
            .with_field(list("links", &LINK).doc("Web pages about the subject of the record."))
            .with_field(
                one("person", RecordType::Person)
                    .required()
                    .doc("Person who holds or held the post.")
                    .inverse("memberships", "Posts and seats of this person."),
            )
            .with_field(
                one("organization", RecordType::Organization)
                    .required()
                    .doc("Organization to which the post belongs.")
                    .inverse("memberships", "Posts and seats in this organization, with the people who held them."),
            )
            .with_field(
                one("onBehalfOf", RecordType::Organization)
                    .doc("Organization that the person represents in the post, such as a party.")
                    .inverse("membershipsOnBehalf", "Posts and seats in other organizations held on behalf of this one."),
            )
            .default_order("start", Direction::Desc)
            .jurisdiction_from("organization"),
    ]
}

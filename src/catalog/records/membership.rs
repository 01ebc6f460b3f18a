//! Declaration of memberships.

use crate::catalog::field::{date, one, text, translated};
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

//! Membership: what each column means, and what it links to.

use crate::catalog::record::{Record, date, one, text, translated};
use crate::core::pagination::Direction;
use crate::entity::{RecordType, membership};

/// The records of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Membership, membership::Entity, "memberships")
            .doc("A post or a seat that a person held in an organization, and when. Modelled on Popolo.")
            .field(translated("label", membership::Column::Label).doc("Name of the post, such as Deputy of the Senate.").label())
            .field(text("role", membership::Column::Role).doc("Role in the organization, such as deputy, chair or minister."))
            .field(date("startDate", membership::Column::StartDate).doc("When the person took the post.").ordered())
            .field(date("endDate", membership::Column::EndDate).doc("When the person left the post."))
            .field(text("endReason", membership::Column::EndReason).doc("Why the person left the post."))
            .field(
                one("person", membership::Column::PersonId, RecordType::Person)
                    .doc("Who held the post.")
                    .inverse("memberships", "Posts and seats this person held."),
            )
            .field(
                one("organization", membership::Column::OrganizationId, RecordType::Organization)
                    .doc("Organization the post is in.")
                    .inverse("memberships", "People who held posts and seats in this organization."),
            )
            .field(
                one("onBehalfOf", membership::Column::OnBehalfOfId, RecordType::Organization)
                    .doc("Organization the person represented in the post, such as a party.")
                    .inverse("membershipsOnBehalf", "Posts and seats held elsewhere on behalf of this organization."),
            )
            .default_order("startDate", Direction::Desc)
            .within("organization"),
    ]
}

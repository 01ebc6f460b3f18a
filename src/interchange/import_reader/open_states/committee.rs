//! Converts committees of Open States to organizations of Popolo.

use super::ids::{ORGANIZATION_ID, PERSON_ID};
use super::jurisdiction::Jurisdiction;
use super::person::{convert_page, flatten_extras};
use crate::interchange::import_reader::fields::Fields;
use crate::store::draft::value_tree::Tree;

pub(super) fn convert(mut fields: Fields) -> Tree {
    let jurisdiction = Jurisdiction::take(&mut fields);
    convert_parent(&mut fields, jurisdiction.as_ref());
    if let Some(jurisdiction) = jurisdiction {
        jurisdiction.set_area(&mut fields);
    }
    let mut memberships = Vec::new();
    for list in ["members", "memberships"] {
        for member in fields.take_maps(list) {
            match convert_member(member) {
                Ok(membership) => memberships.push(membership),
                Err(rest) => fields.add_rest(rest, "members."),
            }
        }
    }
    fields.set_list("memberships", memberships);
    convert_page(&mut fields, "links");
    flatten_extras(&mut fields);
    fields.into_tree()
}

/// Sets the parent: another committee by its id, or the chamber of the committee.
fn convert_parent(fields: &mut Fields, jurisdiction: Option<&Jurisdiction>) {
    let parent = fields.text("parent");
    if parent.as_ref().is_some_and(|parent| parent.starts_with(ORGANIZATION_ID)) {
        return fields.rename("parent", "parent_id");
    }
    let name = if parent.is_some() { "parent" } else { "chamber" };
    let body = fields.text(name).zip(jurisdiction).and_then(|(kind, jurisdiction)| jurisdiction.body(&kind));
    if let Some(body) = body {
        fields.take(name);
        fields.set("parent", body.into_tree());
    }
}

/// A member of a committee. Fails with the fields of one without the id of a person.
fn convert_member(mut member: Fields) -> Result<Tree, Fields> {
    member.rename("person_name", "name");
    // older files
    if member.text("id").is_some_and(|id| id.starts_with(PERSON_ID)) {
        member.rename("id", "person_id");
    }
    if let Some(mut person) = member.take_map("person") {
        person.move_to(&mut member, "id", "person_id");
        member.add_rest(person, "person.");
    }
    if member.text("person_id").is_some() { Ok(member.into_tree()) } else { Err(member) }
}

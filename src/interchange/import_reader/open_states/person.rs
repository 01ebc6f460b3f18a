//! Converts people of Open States to persons of Popolo.

use super::jurisdiction::Jurisdiction;
use crate::interchange::import_reader::fields::Fields;
use crate::store::draft::value_tree::{Tree, Value};

/// Types of roles in the files of people: the role, and the body that it is in.
const ROLE_TYPES: [(&str, &str, &str); 16] = [
    ("upper", "member", "upper"),
    ("lower", "member", "lower"),
    ("legislature", "member", "legislature"),
    ("council member", "council member", "legislature"),
    ("governor", "governor", "executive"),
    ("lt_governor", "lieutenant governor", "executive"),
    ("secretary of state", "secretary of state", "executive"),
    ("chief election officer", "chief election officer", "executive"),
    ("treasurer", "treasurer", "executive"),
    ("auditor", "auditor", "executive"),
    ("comptroller", "comptroller", "executive"),
    ("attorney general", "attorney general", "executive"),
    ("mayor", "mayor", "government"),
    // the files write it like this
    ("comissioner", "commissioner", "government"),
    ("assessor", "assessor", "government"),
    ("district attorney", "district attorney", "government"),
];

/// Contacts of an office, which have the same names as types of contact details.
const CONTACTS: [&str; 4] = ["address", "voice", "fax", "email"];

pub(super) fn convert(mut fields: Fields) -> Tree {
    fields.rename("middle_name", "additional_name");
    fields.rename("suffix", "honorific_suffix");
    convert_identifiers(&mut fields);
    convert_offices(&mut fields);
    let mut memberships = parties(&mut fields);
    for fields_of_role in fields.take_maps("roles") {
        match role(fields_of_role) {
            Ok(membership) => memberships.push(membership),
            Err(rest) => fields.add_rest(rest, "roles."),
        }
    }
    let jurisdiction = Jurisdiction::take(&mut fields);
    if let Some(current) = fields.take_map("current_role") {
        match current_role(current, jurisdiction.as_ref()) {
            Ok(membership) => memberships.push(membership),
            Err(rest) => fields.add_rest(rest, "current_role."),
        }
    }
    if let Some(jurisdiction) = jurisdiction {
        jurisdiction.set_area(&mut fields);
    }
    fields.set_list("memberships", memberships);
    convert_page(&mut fields, "links");
    flatten_extras(&mut fields);
    fields.into_tree()
}

/// The accounts of a person and the ids in other registers.
fn convert_identifiers(fields: &mut Fields) {
    let mut identifiers: Vec<Tree> = fields.take_maps("other_identifiers").into_iter().map(Fields::into_tree).collect();
    identifiers.extend(fields.take_map("ids").map(Fields::into_identifiers).into_iter().flatten());
    fields.set_list("identifiers", identifiers);
}

/// The offices of a person: `offices`, or in older files `contact_details` with several contacts each.
fn convert_offices(fields: &mut Fields) {
    let mut contacts = Vec::new();
    for list in ["offices", "contact_details"] {
        for mut office in fields.take_maps(list) {
            if office.text("type").is_some() && office.text("value").is_some() {
                contacts.push(office.into_tree());
                continue;
            }
            let values: Vec<(&str, Tree)> = CONTACTS.into_iter().filter_map(|name| Some((name, office.take_text(name)?))).collect();
            if values.is_empty() {
                fields.add_rest(office, &format!("{list}."));
                continue;
            }
            let label = office.take_text("name");
            let note = office.take_text("classification").or_else(|| office.take_text("note"));
            for (ty, value) in values {
                let mut contact = Fields::new(value.line);
                contact.set_text("type", ty);
                contact.set("value", value);
                for (name, tree) in [("label", &label), ("note", &note)] {
                    contact.entries.extend(tree.clone().map(|tree| (name.to_owned(), tree)));
                }
                contacts.push(contact.into_tree());
            }
            fields.add_rest(office, &format!("{list}."));
        }
    }
    fields.set_list("contact_details", contacts);
}

/// Memberships in parties: a list of them with their dates, or the name of one.
fn parties(fields: &mut Fields) -> Vec<Tree> {
    if let Some(name) = fields.take_text("party") {
        let mut membership = Fields::new(name.line);
        set_party(&mut membership, name);
        return vec![membership.into_tree()];
    }
    let mut memberships = Vec::new();
    for mut party in fields.take_maps("party") {
        if let Some(name) = party.take_text("name") {
            set_party(&mut party, name);
            memberships.push(party.into_tree());
        } else {
            fields.add_rest(party, "party.");
        }
    }
    memberships
}

fn set_party(membership: &mut Fields, name: Tree) {
    let text = match &name.value {
        Value::Text(text) => text.trim(),
        Value::Number(number) => number.text(),
        Value::Null | Value::Boolean(_) | Value::List(_) | Value::Map(_) | Value::Invalid => return,
    };
    let mut organization = Fields::new(name.line);
    organization.set_text("id", &format!("party:{text}"));
    organization.set_text("classification", "party");
    organization.set("name", name);
    membership.set("organization", organization.into_tree());
}

/// A role of a file of people. Fails with its fields if its type is not known.
fn role(mut fields: Fields) -> Result<Tree, Fields> {
    let known = fields.text("type").and_then(|ty| ROLE_TYPES.into_iter().find(|(name, ..)| *name == ty));
    let jurisdiction = fields.text("jurisdiction").and_then(|id| Jurisdiction::of_id(&id, fields.line));
    let body = known.zip(jurisdiction).and_then(|((_, role, body), jurisdiction)| Some((role, jurisdiction.body(body)?)));
    let Some((role, body)) = body else { return Err(fields) };
    fields.take("type");
    fields.take("jurisdiction");
    fields.set_text("role", role);
    fields.set("organization", body.into_tree());
    set_district(&mut fields);
    Ok(fields.into_tree())
}

/// The present role of a person of the API. Fails with its fields if its body is not known.
fn current_role(mut fields: Fields, jurisdiction: Option<&Jurisdiction>) -> Result<Tree, Fields> {
    let body = fields.text("org_classification").zip(jurisdiction).and_then(|(kind, jurisdiction)| jurisdiction.body(&kind));
    let Some(body) = body else { return Err(fields) };
    fields.take("org_classification");
    fields.rename("title", "role");
    fields.set("organization", body.into_tree());
    set_district(&mut fields);
    Ok(fields.into_tree())
}

/// Sets the area of a role to its district. Only a number needs the word.
fn set_district(fields: &mut Fields) {
    let Some(district) = fields.text("district") else { return };
    fields.take("district");
    let is_number = district.starts_with(|first: char| first.is_ascii_digit());
    fields.set_text("area", &if is_number { format!("District {district}") } else { district });
}

/// Adds the page of an object in Open States to a list of addresses.
pub(super) fn convert_page(fields: &mut Fields, list: &str) {
    let Some(url) = fields.take_text("openstates_url") else { return };
    let mut link = Fields::new(url.line);
    link.set("url", url);
    link.set_text("note", "Open States");
    let mut items: Vec<Tree> = fields.take_maps(list).into_iter().map(Fields::into_tree).collect();
    items.push(link.into_tree());
    fields.set_list(list, items);
}

/// Gives the fields of `extras` names of their own, so that each is reported.
pub(super) fn flatten_extras(fields: &mut Fields) {
    if let Some(extras) = fields.take_map("extras") {
        fields.add_rest(extras, "extras.");
    }
}

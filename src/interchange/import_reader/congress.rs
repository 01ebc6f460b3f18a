//! Converts the legislators of the United States Congress, as the project congress-legislators publishes them, to persons of
//! Popolo. What Popolo has no field for stays under its own name, such as `bio.religion`, and is reported as all omitted fields
//! are.

use super::fields::Fields;
use crate::store::draft::value_tree::{Tree, Value};

/// The register of the ids of people.
const REGISTER: &str = "bioguide";

/// Kinds of terms: what the file calls them, the role, and the organization.
const TERM_TYPES: [(&str, &str, &str); 4] = [
    ("rep", "Representative", "house"),
    ("sen", "Senator", "senate"),
    ("prez", "President", "executive"),
    ("viceprez", "Vice President", "executive"),
];

/// Organizations: what the file calls them, and their id, name and classification.
const ORGANIZATIONS: [(&str, &str, &str, &str); 3] = [
    ("house", "us-house", "United States House of Representatives", "chamber"),
    ("senate", "us-senate", "United States Senate", "chamber"),
    ("executive", "us-executive", "Executive Office of the President of the United States", "government"),
];

/// Parts of names, and what Popolo calls them.
const NAME_PARTS: [(&str, &str); 4] =
    [("first", "given_name"), ("middle", "additional_name"), ("last", "family_name"), ("suffix", "honorific_suffix")];

/// Contacts of a term, and the types that they have in Popolo.
const CONTACTS: [(&str, &str); 4] = [("phone", "voice"), ("fax", "fax"), ("address", "address"), ("office", "office")];

/// Web pages of a term, and their labels.
const LINKS: [(&str, &str); 3] = [("url", "website"), ("contact_form", "contact form"), ("rss_url", "feed")];

/// Whether a file is a list of legislators: each has ids by their registers, among them that of the Biographical Directory of
/// Congress, and terms.
pub(super) fn is_congress(tree: &Tree) -> bool {
    let Value::List(items) = &tree.value else { return false };
    let Some(Value::Map(first)) = items.first().map(|item| &item.value) else { return false };
    let get = |name: &str| first.iter().find(|(key, _)| key == name).map(|(_, tree)| &tree.value);
    let has_register = |ids: &[(String, Tree)]| ids.iter().any(|(key, _)| key == REGISTER || key == "govtrack");
    matches!((get("id"), get("terms")), (Some(Value::Map(ids)), Some(Value::List(_))) if has_register(ids))
}

/// The legislators as persons of Popolo, each at its place in the list.
pub(super) fn to_popolo(tree: Tree) -> Tree {
    let value = match tree.value {
        Value::List(items) => Value::List(items.into_iter().map(person).collect()),
        value => value,
    };
    Tree { line: tree.line, value }
}

fn person(tree: Tree) -> Tree {
    let Value::Map(entries) = tree.value else { return tree };
    let mut fields = Fields { entries, line: tree.line };
    let mut person = Fields::new(tree.line);
    person.set_text("@type", "Person");
    convert_ids(&mut fields, &mut person);
    let nickname = fields.take_map("name").and_then(|name| convert_name(name, &mut person, "name."));
    let mut other_names: Vec<Tree> = Vec::new();
    if let Some(nickname) = nickname {
        let mut other = Fields::new(nickname.line);
        other.entries.push(("name".to_owned(), nickname));
        other.set_text("note", "nickname");
        other_names.push(other.into_tree());
    }
    for other in fields.take_maps("other_names") {
        let mut converted = Fields::new(other.line);
        let nickname = convert_name(other, &mut converted, "");
        converted.entries.extend(nickname.map(|nickname| ("nickname".to_owned(), nickname)));
        converted.rename("start", "start_date");
        converted.rename("end", "end_date");
        other_names.push(converted.into_tree());
    }
    person.set_list("other_names", other_names);
    if let Some(mut bio) = fields.take_map("bio") {
        bio.move_to(&mut person, "birthday", "birth_date");
        bio.move_to(&mut person, "gender", "gender");
        person.add_rest(bio, "bio.");
    }
    let mut memberships: Vec<Tree> = fields.take_maps("terms").into_iter().map(term).collect();
    memberships.extend(fields.take_maps("leadership_roles").into_iter().map(leadership_role));
    person.set_list("memberships", memberships);
    person.add_rest(fields, "");
    person.into_tree()
}

/// The id of the register is that of the person; all others are identifiers.
fn convert_ids(fields: &mut Fields, person: &mut Fields) {
    let Some(mut ids) = fields.take_map("id") else { return };
    ids.move_to(person, REGISTER, "id");
    person.set_list("identifiers", ids.into_identifiers());
}

/// Converts a name and its parts. Returns the nickname.
fn convert_name(mut name: Fields, person: &mut Fields, rest: &str) -> Option<Tree> {
    let full = name.take("official_full");
    if let Some(full) = full {
        person.entries.push(("name".to_owned(), full));
    } else {
        let parts: Vec<String> = NAME_PARTS.iter().filter_map(|(from, _)| name.text(from)).collect();
        if !parts.is_empty() {
            person.set_text("name", &parts.join(" "));
        }
    }
    for (from, to) in NAME_PARTS {
        name.move_to(person, from, to);
    }
    let nickname = name.take("nickname");
    person.add_rest(name, rest);
    nickname
}

fn term(mut fields: Fields) -> Tree {
    let mut membership = Fields::new(fields.line);
    let ty = fields.text("type");
    if let Some((_, role, organization)) = TERM_TYPES.into_iter().find(|(name, ..)| ty.as_deref() == Some(name)) {
        fields.take("type");
        membership.set_text("role", role);
        membership.set_organization(organization);
    }
    fields.move_to(&mut membership, "start", "start_date");
    fields.move_to(&mut membership, "end", "end_date");
    if let Some(party) = fields.text("party") {
        fields.take("party");
        let mut organization = Fields::new(fields.line);
        organization.set_text("id", &format!("party:{party}"));
        organization.set_text("name", &party);
        organization.set_text("classification", "party");
        membership.entries.push(("on_behalf_of".to_owned(), organization.into_tree()));
    }
    if let Some(state) = fields.text("state") {
        fields.take("state");
        let name = match fields.text("district").as_deref() {
            // -1 stands for a historical district that is not known
            None | Some("-1") => state,
            Some("0") => format!("{state} at large"),
            Some(district) => format!("{state}-{district}"),
        };
        fields.take("district");
        let mut area = Fields::new(fields.line);
        area.set_text("name", &name);
        membership.entries.push(("area".to_owned(), area.into_tree()));
    }
    let contacts = CONTACTS.into_iter().filter_map(|(from, ty)| {
        let value = fields.take(from)?;
        let mut contact = Fields::new(value.line);
        contact.set_text("type", ty);
        contact.entries.push(("value".to_owned(), value));
        Some(contact.into_tree())
    });
    membership.set_list("contact_details", contacts.collect());
    let links = LINKS.into_iter().filter_map(|(from, label)| {
        let url = fields.take(from)?;
        let mut link = Fields::new(url.line);
        link.entries.push(("url".to_owned(), url));
        link.set_text("label", label);
        Some(link.into_tree())
    });
    membership.set_list("links", links.collect());
    membership.add_rest(fields, "");
    membership.into_tree()
}

fn leadership_role(mut fields: Fields) -> Tree {
    let mut membership = Fields::new(fields.line);
    if let Some(chamber) = fields.text("chamber").filter(|chamber| matches!(chamber.as_str(), "house" | "senate")) {
        fields.take("chamber");
        membership.set_organization(&chamber);
    }
    fields.move_to(&mut membership, "title", "role");
    fields.move_to(&mut membership, "start", "start_date");
    fields.move_to(&mut membership, "end", "end_date");
    membership.add_rest(fields, "");
    membership.into_tree()
}

impl Fields {
    fn set_organization(&mut self, name: &str) {
        if let Some((_, id, name, classification)) = ORGANIZATIONS.into_iter().find(|(of, ..)| *of == name) {
            let mut organization = Self::new(self.line);
            organization.set_text("id", id);
            organization.set_text("name", name);
            organization.set_text("classification", classification);
            self.set("organization", organization.into_tree());
        }
    }
}

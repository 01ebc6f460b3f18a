//! Converts bills of Open States with their votes.

use std::collections::HashMap;

use super::jurisdiction::Jurisdiction;
use super::person::{convert_page, flatten_extras};
use crate::interchange::import_reader::fields::Fields;
use crate::interchange::slug::short_hash;
use crate::store::draft::value_tree::Tree;

pub(super) fn convert(mut fields: Fields) -> Tree {
    let jurisdiction = Jurisdiction::take(&mut fields);
    let jurisdiction = jurisdiction.as_ref();
    if let Some(jurisdiction) = jurisdiction {
        jurisdiction.set_area(&mut fields);
    }
    fields.rename("legislative_session", "session");
    fields.rename("other_identifiers", "identifiers");
    for list in ["actions", "sponsorships"] {
        let mut items = Vec::new();
        for mut item in fields.take_maps(list) {
            Jurisdiction::convert_organization(jurisdiction, &mut item);
            convert_person(&mut item, "person");
            items.push(item.into_tree());
        }
        fields.set_list(list, items);
    }
    let mut counts = HashMap::new();
    let votes = fields.take_maps("votes");
    if let Some(bill) = fields.text("id") {
        let votes = votes.into_iter().map(|vote| convert_vote(vote, &bill, jurisdiction, &mut counts)).collect();
        fields.set_list("vote_events", votes);
    }
    convert_page(&mut fields, "sources");
    flatten_extras(&mut fields);
    fields.into_tree()
}

/// Replaces the object of a person by its id: bills refer to people and do not describe them.
fn convert_person(fields: &mut Fields, name: &str) {
    if let Some(mut person) = fields.take_map(name) {
        person.move_to(fields, "id", &format!("{name}_id"));
        fields.add_rest(person, &format!("{name}."));
    }
}

fn convert_vote(mut vote: Fields, bill: &str, jurisdiction: Option<&Jurisdiction>, counts: &mut HashMap<String, usize>) -> Tree {
    if vote.text("id").is_none() {
        let id = vote_id(&vote, bill, counts);
        vote.take("id");
        vote.set_text("id", &id);
    }
    vote.rename("motion_text", "title");
    Jurisdiction::convert_organization(jurisdiction, &mut vote);
    let mut votes = Vec::new();
    for mut item in vote.take_maps("votes") {
        convert_person(&mut item, "voter");
        votes.push(item.into_tree());
    }
    vote.set_list("votes", votes);
    flatten_extras(&mut vote);
    vote.into_tree()
}

/// The id of a vote without one, as bulk data has them: made of its identifier in the bill, or else of its date, motion and
/// body. Equal votes are numbered.
fn vote_id(vote: &Fields, bill: &str, counts: &mut HashMap<String, usize>) -> String {
    let values = ["start_date", "motion_text", "organization__classification"].map(|name| vote.text(name));
    let of_values = || values.iter().map(|value| value.as_deref().unwrap_or("")).collect::<Vec<_>>().join("\n");
    let text = vote.text("identifier").unwrap_or_else(of_values);
    let count = counts.entry(text.clone()).or_default();
    *count += 1;
    let hash = if *count == 1 { short_hash(&text) } else { short_hash(&format!("{text}\n{count}")) };
    format!("{bill}#vote-{hash}")
}

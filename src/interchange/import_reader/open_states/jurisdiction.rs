//! Jurisdictions of Open States, and the bodies of each.

use super::ids::{DIVISION_ID, JURISDICTION_ID};
use crate::interchange::import_reader::fields::Fields;
use crate::interchange::popolo::NAMED_AFTER;
use crate::store::draft::value_tree::Tree;

/// The division of the United States.
const COUNTRY: &str = "country:us";
/// Identifier scheme of the ids that the API has for bodies. It is another one than that of the ids by which bodies are found,
/// because an import replaces the identifiers of the schemes that its files give, and the files of people lack these.
const BODY_SCHEME: &str = "openstates-body";

/// Bodies of a jurisdiction: their classification in Open States, and that in Popolo, by which they are called: the files of
/// people name bodies by their classification only.
const BODIES: [(&str, &str); 5] = [
    ("upper", "upper chamber"),
    ("lower", "lower chamber"),
    ("legislature", "legislature"),
    ("executive", "executive"),
    ("government", "government"),
];

/// States, districts and territories: the ends of their division ids and their names.
const STATES: [(&str, &str); 56] = [
    ("state:al", "Alabama"),
    ("state:ak", "Alaska"),
    ("state:az", "Arizona"),
    ("state:ar", "Arkansas"),
    ("state:ca", "California"),
    ("state:co", "Colorado"),
    ("state:ct", "Connecticut"),
    ("state:de", "Delaware"),
    ("state:fl", "Florida"),
    ("state:ga", "Georgia"),
    ("state:hi", "Hawaii"),
    ("state:id", "Idaho"),
    ("state:il", "Illinois"),
    ("state:in", "Indiana"),
    ("state:ia", "Iowa"),
    ("state:ks", "Kansas"),
    ("state:ky", "Kentucky"),
    ("state:la", "Louisiana"),
    ("state:me", "Maine"),
    ("state:md", "Maryland"),
    ("state:ma", "Massachusetts"),
    ("state:mi", "Michigan"),
    ("state:mn", "Minnesota"),
    ("state:ms", "Mississippi"),
    ("state:mo", "Missouri"),
    ("state:mt", "Montana"),
    ("state:ne", "Nebraska"),
    ("state:nv", "Nevada"),
    ("state:nh", "New Hampshire"),
    ("state:nj", "New Jersey"),
    ("state:nm", "New Mexico"),
    ("state:ny", "New York"),
    ("state:nc", "North Carolina"),
    ("state:nd", "North Dakota"),
    ("state:oh", "Ohio"),
    ("state:ok", "Oklahoma"),
    ("state:or", "Oregon"),
    ("state:pa", "Pennsylvania"),
    ("state:ri", "Rhode Island"),
    ("state:sc", "South Carolina"),
    ("state:sd", "South Dakota"),
    ("state:tn", "Tennessee"),
    ("state:tx", "Texas"),
    ("state:ut", "Utah"),
    ("state:vt", "Vermont"),
    ("state:va", "Virginia"),
    ("state:wa", "Washington"),
    ("state:wv", "West Virginia"),
    ("state:wi", "Wisconsin"),
    ("state:wy", "Wyoming"),
    ("district:dc", "District of Columbia"),
    ("territory:as", "American Samoa"),
    ("territory:gu", "Guam"),
    ("territory:mp", "Northern Mariana Islands"),
    ("territory:pr", "Puerto Rico"),
    ("territory:vi", "United States Virgin Islands"),
];

/// A jurisdiction.
pub(super) struct Jurisdiction {
    id: String,
    /// The Open Civic Data id of the division that it governs.
    division: String,
    /// Not set for a place that is no state if the file does not name it.
    name: Option<String>,
    classification: Option<String>,
    line: Option<usize>,
}

impl Jurisdiction {
    /// Converts a jurisdiction, such as those of `municipalities.yml`, to an area of Popolo. Fails with its fields if its id has
    /// not the form of one.
    pub(super) fn convert(mut fields: Fields) -> Result<Tree, Fields> {
        let found = fields.text("id").and_then(|id| Self::of_id(&id, fields.line));
        let Some(jurisdiction) = found else { return Err(fields) };
        fields.take("id");
        fields.set_text("id", &jurisdiction.division);
        Ok(fields.into_tree())
    }

    /// The jurisdiction with an id such as `ocd-jurisdiction/country:us/state:nc/government`.
    pub(super) fn of_id(id: &str, line: Option<usize>) -> Option<Self> {
        let (place, _) = id.strip_prefix(JURISDICTION_ID)?.rsplit_once('/')?;
        let known = match place.strip_prefix(COUNTRY) {
            Some("") => Some(("United States", "country")),
            Some(rest) => {
                let state = rest.strip_prefix('/').and_then(|rest| STATES.into_iter().find(|(of, _)| *of == rest));
                state.map(|(_, name)| (name, "state"))
            }
            None => None,
        };
        Some(Self {
            id: id.to_owned(),
            division: format!("{DIVISION_ID}{place}"),
            name: known.map(|(name, _)| name.to_owned()),
            classification: known.map(|(_, classification)| classification.to_owned()),
            line,
        })
    }

    /// Takes the jurisdiction of an object: its id, or a map with its id. What the map says beyond it remains.
    pub(super) fn take(fields: &mut Fields) -> Option<Self> {
        if let Some(id) = fields.text("jurisdiction") {
            let jurisdiction = Self::of_id(&id, fields.line)?;
            fields.take("jurisdiction");
            return Some(jurisdiction);
        }
        let mut map = fields.take_map("jurisdiction")?;
        let found = map.text("id").and_then(|id| Self::of_id(&id, map.line));
        let jurisdiction = found.map(|mut jurisdiction| {
            map.take("id");
            for (name, known) in [("name", &mut jurisdiction.name), ("classification", &mut jurisdiction.classification)] {
                let given = map.text(name);
                // what is given about a state is taken if it is what is known about it
                if given.is_some() && (known.is_none() || given == *known) {
                    map.take(name);
                    *known = given;
                }
            }
            jurisdiction
        });
        fields.add_rest(map, "jurisdiction.");
        jurisdiction
    }

    /// Sets the area of an object to that of the jurisdiction.
    pub(super) fn set_area(&self, fields: &mut Fields) {
        let (Some(name), Some(classification)) = (&self.name, &self.classification) else {
            return fields.set_text("area_id", &self.division);
        };
        let mut area = Fields::new(self.line);
        area.set_text("id", &self.division);
        area.set_text("name", name);
        area.set_text("classification", classification);
        fields.set("area", area.into_tree());
    }

    /// The body with a classification, such as `upper`. It is named after the jurisdiction; if the file does not name that, the
    /// name is that of its area, which another file of the import has.
    pub(super) fn body(&self, classification: &str) -> Option<Fields> {
        let (kind, title) = BODIES.into_iter().find(|(kind, _)| *kind == classification)?;
        let mut body = Fields::new(self.line);
        body.set_text("id", &format!("{}#{kind}", self.id));
        match &self.name {
            Some(name) => body.set_text("name", &format!("{name}, {title}")),
            None => body.set_text(NAMED_AFTER, &self.division),
        }
        body.set_text("classification", title);
        self.set_area(&mut body);
        Some(body)
    }

    /// A body as the API gives it, with an id and a name of its own: the same organization as [`Self::body`], with these as
    /// another identifier and another name. The organization itself if it is no body.
    pub(super) fn convert_body(&self, mut organization: Fields) -> Fields {
        let Some(mut body) = organization.text("classification").and_then(|kind| self.body(&kind)) else { return organization };
        organization.take("classification");
        if let Some(id) = organization.take_text("id") {
            let mut identifier = Fields::new(id.line);
            identifier.set_text("scheme", BODY_SCHEME);
            identifier.set("identifier", id);
            body.set_list("identifiers", vec![identifier.into_tree()]);
        }
        if body.text("name").is_none() && organization.text("name").is_some() {
            body.take(NAMED_AFTER);
            organization.move_to(&mut body, "name", "name");
        } else if organization.text("name") == body.text("name") {
            organization.take("name");
        } else if let Some(name) = organization.take_text("name") {
            let mut other = Fields::new(name.line);
            other.set("name", name);
            body.set_list("other_names", vec![other.into_tree()]);
        }
        body.add_rest(organization, "");
        body
    }

    /// Converts the organization of an action, a sponsorship or a vote: an object, or in bulk data its classification only.
    pub(super) fn convert_organization(jurisdiction: Option<&Self>, fields: &mut Fields) {
        const CLASSIFICATION: &str = "organization__classification";
        let Some(jurisdiction) = jurisdiction else { return };
        if let Some(organization) = fields.take_map("organization") {
            fields.set("organization", jurisdiction.convert_body(organization).into_tree());
        } else if let Some(body) = fields.text(CLASSIFICATION).and_then(|kind| jurisdiction.body(&kind)) {
            fields.take(CLASSIFICATION);
            fields.set("organization", body.into_tree());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_names_and_places_do_not() {
        let name = |id: &str| Jurisdiction::of_id(id, None).and_then(|jurisdiction| jurisdiction.body("upper")?.text("name"));
        let cases = [
            ("ocd-jurisdiction/country:us/state:nc/government", Some("North Carolina, upper chamber")),
            ("ocd-jurisdiction/country:us/government", Some("United States, upper chamber")),
            ("ocd-jurisdiction/country:us/state:nc/place:cary/government", None),
            ("ocd-jurisdiction/nowhere", None),
            ("ocd-division/country:us/state:nc/government", None),
        ];
        for (id, expected) in cases {
            assert_eq!(name(id).as_deref(), expected, "{id}");
        }
    }
}

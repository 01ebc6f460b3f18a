//! Declaration of persons.

use crate::catalog::field::{date, list, one, text, translated, url};
use crate::catalog::kind::{LINK, OTHER_NAME};
use crate::catalog::record::Record;
use crate::entity::RecordType;

/// The declared record types of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Person, "persons", "people")
            .doc("A person in public life or named in a public proceeding. Modelled on Popolo.")
            .with_field(translated("name").required().doc("Name by which the person is generally known.").label())
            .with_field(
                list("otherNames", &OTHER_NAME)
                    .doc("Other names, such as former or short names or names in other languages.")
                    .search_name(),
            )
            .with_field(text("sortName").doc("Name for sorting, family name first, if it differs."))
            .with_field(date("birthDate").doc("Date of birth.").ordered())
            .with_field(date("deathDate").doc("Date of death."))
            .with_field(text("gender").doc("Gender according to the sources."))
            .with_field(translated("biography").lines().doc("Biography in a sentence or two.").search_text())
            .with_field(url("image").doc("URL of a portrait."))
            .with_field(list("links", &LINK).doc("Web pages about the subject of the record."))
            .with_field(
                one("jurisdiction", RecordType::Jurisdiction)
                    .doc("Jurisdiction in which the person is active.")
                    .inverse("people", "People active in this jurisdiction."),
            ),
    ]
}

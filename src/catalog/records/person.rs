//! Declaration of persons.

use crate::catalog::field::{date, list, one, text, translated, url};
use crate::catalog::kind::{CONTACT_DETAIL, LINK, OTHER_NAME};
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
            .with_field(text("givenName").doc("Given name."))
            .with_field(text("additionalName").doc("Middle name."))
            .with_field(text("patronymicName").doc("Patronymic."))
            .with_field(text("familyName").doc("Family name."))
            .with_field(text("honorificPrefix").doc("Title before the name, such as Dr."))
            .with_field(text("honorificSuffix").doc("Title after the name, such as MP."))
            .with_field(date("birthDate").doc("Date of birth.").ordered())
            .with_field(date("deathDate").doc("Date of death."))
            .with_field(text("gender").doc("Gender according to the sources."))
            .with_field(translated("biography").lines().doc("Biography in a sentence or two.").search_text())
            .with_field(url("image").doc("URL of a portrait."))
            .with_field(
                list("contactDetails", &CONTACT_DETAIL).doc("Ways to reach the person, such as email addresses and telephone numbers."),
            )
            .with_field(list("links", &LINK).doc("Web pages about the subject of the record."))
            .with_field(
                one("jurisdiction", RecordType::Jurisdiction)
                    .doc("Jurisdiction in which the person is active.")
                    .inverse("people", "People active in this jurisdiction."),
            ),
    ]
}

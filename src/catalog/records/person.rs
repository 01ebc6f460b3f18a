//! Person: what each column means, and what it links to.

use crate::catalog::record::{LINK, OTHER_NAME, Record, date, list, one, text, translated, url};
use crate::entity::{RecordType, person};

/// The records of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Person, person::Entity, "people")
            .doc("A person in public life, or named in a public proceeding. Modelled on Popolo.")
            .field(translated("name", person::Column::Name).doc("Name the person is generally known by.").label())
            .field(
                list("otherNames", person::Column::OtherNames, &OTHER_NAME)
                    .doc("Other names this one is known by: in other languages, former, short.")
                    .search_name(),
            )
            .field(text("sortName", person::Column::SortName).doc("Name as it sorts in a list, family name first, where that differs."))
            .field(date("birthDate", person::Column::BirthDate).doc("Date of birth.").ordered())
            .field(date("deathDate", person::Column::DeathDate).doc("Date of death."))
            .field(text("gender", person::Column::Gender).doc("Gender, as the sources give it."))
            .field(translated("biography", person::Column::Biography).doc("Who the person is, in a sentence or two.").search_text())
            .field(url("image", person::Column::Image).doc("Address of a portrait."))
            .field(list("links", person::Column::Links, &LINK).doc("Web pages about this one."))
            .field(
                one("jurisdiction", person::Column::JurisdictionId, RecordType::Jurisdiction)
                    .doc("Country or place the person is active in.")
                    .inverse("people", "People active in this jurisdiction."),
            ),
    ]
}

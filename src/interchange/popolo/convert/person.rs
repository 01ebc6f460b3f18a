//! Converts persons.

use super::attributes::convert_image;
use super::builder::take_paragraphs;
use super::state::Conversion;
use crate::entity::RecordType;
use crate::interchange::popolo::class::PopoloClass;
use crate::interchange::popolo::model::PopoloItem;
use crate::interchange::popolo::normalize::{normalize_gender, take_display_name};

/// Text fields of a person, as Popolo and as the catalog names them.
const TEXT_FIELDS: [(&str, &str); 6] = [
    ("given_name", "givenName"),
    ("additional_name", "additionalName"),
    ("patronymic_name", "patronymicName"),
    ("family_name", "familyName"),
    ("honorific_prefix", "honorificPrefix"),
    ("honorific_suffix", "honorificSuffix"),
];

impl Conversion {
    pub(super) fn convert_person(&mut self, item: PopoloItem) {
        const CLASS: PopoloClass = PopoloClass::Person;
        let Some((mut builder, mut fields, id, slug)) = self.start_record(CLASS, item) else { return };
        let name = take_display_name(&mut fields);
        builder.set_translated("name", &self.lang, name.as_deref());
        let parts = fields.get_text("family_name").zip(fields.get_text("given_name"));
        // made from the parts of the name for new records only: a stored one may be another order of the name
        let sort_name = parts.filter(|_| !self.is_known(CLASS, &id)).map(|(family, given)| format!("{family} {given}"));
        let sort_name = fields.take_text("sort_name").or(sort_name);
        builder.set_text("sortName", sort_name.as_deref());
        builder.take_texts(&mut fields, &TEXT_FIELDS);
        self.convert_other_names(&mut builder, &mut fields, CLASS);
        for (from, to) in [("birth_date", "birthDate"), ("death_date", "deathDate")] {
            let date = self.take_date(&mut fields, from, "persons", &builder.origin);
            builder.set(to, date);
        }
        let gender = fields.take_text("gender").map(|gender| normalize_gender(&gender));
        builder.set_text("gender", gender.as_deref());
        let biography = take_paragraphs(&mut fields, &["summary", "biography"]);
        builder.set_translated("biography", &self.lang, biography.as_deref());
        convert_image(&mut builder, &mut fields);
        self.convert_links(&mut builder, &mut [(&mut fields, CLASS)]);
        self.convert_contact_details(&mut builder, &mut [(&mut fields, CLASS)]);
        self.convert_jurisdiction(&mut builder, &mut fields);
        self.convert_identifiers(&mut builder, &mut fields, CLASS, Some(&id), &format!("person {slug}"));
        self.convert_sources(&mut builder, &mut fields, CLASS);
        self.omissions.count_remaining("persons", fields.remaining(), &builder.origin);
        self.records.push((RecordType::Person, builder));
    }
}

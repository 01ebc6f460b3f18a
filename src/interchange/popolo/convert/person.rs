//! Converts persons.

use super::builder::{take_date, take_paragraphs};
use super::state::Conversion;
use crate::entity::RecordType;
use crate::interchange::popolo::model::{PopoloClass, PopoloItem};
use crate::interchange::popolo::normalize::{display_name, normalize_gender};

impl Conversion {
    pub(super) fn convert_person(&mut self, item: PopoloItem) {
        let Some((mut builder, mut fields, id, slug)) = self.start_record(PopoloClass::Person, item) else { return };
        let sort_name = fields
            .take_text("sort_name")
            .or_else(|| Some(format!("{} {}", fields.get_text("family_name")?, fields.get_text("given_name")?)));
        let name = display_name(&mut fields);
        if fields.get("family_name").is_some() && fields.get("given_name").is_some() {
            fields.take("family_name");
            fields.take("given_name");
        }
        builder.set_translated("name", &self.lang, name.as_deref());
        builder.set_text("sortName", sort_name.as_deref());
        self.convert_other_names(&mut builder, &mut fields, PopoloClass::Person);
        for (from, to) in [("birth_date", "birthDate"), ("death_date", "deathDate")] {
            builder.set(to, take_date(&mut fields, from));
        }
        let gender = fields.take_text("gender").map(|gender| normalize_gender(&gender));
        builder.set_text("gender", gender.as_deref());
        let biography = take_paragraphs(&mut fields, &["summary", "biography"]);
        builder.set_translated("biography", &self.lang, biography.as_deref());
        self.convert_image(&mut builder, &mut fields, PopoloClass::Person);
        self.convert_links(&mut builder, &mut fields, PopoloClass::Person);
        self.convert_jurisdiction(&mut builder, &mut fields);
        self.convert_identifiers(&mut builder, &mut fields, PopoloClass::Person, id.as_deref(), &slug);
        self.convert_sources(&mut builder, &mut fields);
        self.omissions.count_remaining(PopoloClass::Person, &fields);
        self.records.push((RecordType::Person, builder));
    }
}

//! Converts organizations.

use super::builder::{take_date, take_paragraphs};
use super::state::Conversion;
use crate::entity::RecordType;
use crate::interchange::popolo::model::{PopoloClass, PopoloItem};
use crate::interchange::popolo::normalize::{display_name, organization_classification};

impl Conversion {
    pub(super) fn convert_organization(&mut self, item: PopoloItem) {
        let Some((mut builder, mut fields, id, slug)) = self.start_record(PopoloClass::Organization, item) else { return };
        let name = display_name(&mut fields);
        builder.set_translated("name", &self.lang, name.as_deref());
        self.convert_other_names(&mut builder, &mut fields, PopoloClass::Organization);
        let original = fields.take_text("classification").unwrap_or_default();
        let classification = organization_classification(&original);
        if classification == "other" && !original.is_empty() && original != "other" {
            self.omissions.count(format!("organizations.classification \"{original}\", replaced by other"));
        }
        builder.set_text("classification", Some(classification));
        for (from, to) in [("founding_date", "foundedOn"), ("dissolution_date", "dissolvedOn")] {
            builder.set(to, take_date(&mut fields, from));
        }
        let description = take_paragraphs(&mut fields, &["abstract", "summary", "description"]);
        builder.set_translated("description", &self.lang, description.as_deref());
        let parent = self.take_reference(&mut fields, "parent_id", PopoloClass::Organization, &builder.origin);
        builder.set("parent", parent);
        self.convert_image(&mut builder, &mut fields, PopoloClass::Organization);
        self.convert_links(&mut builder, &mut fields, PopoloClass::Organization);
        self.convert_jurisdiction(&mut builder, &mut fields);
        self.convert_identifiers(&mut builder, &mut fields, PopoloClass::Organization, id.as_deref(), &slug);
        self.convert_sources(&mut builder, &mut fields);
        self.omissions.count_remaining(PopoloClass::Organization, &fields);
        self.records.push((RecordType::Organization, builder));
    }
}

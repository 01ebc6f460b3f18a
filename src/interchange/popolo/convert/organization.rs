//! Converts organizations.

use super::attributes::convert_image;
use super::builder::take_paragraphs;
use super::state::Conversion;
use crate::entity::RecordType;
use crate::interchange::popolo::class::PopoloClass;
use crate::interchange::popolo::model::PopoloItem;
use crate::interchange::popolo::normalize::{organization_classification, take_display_name, take_name_parts};

impl Conversion {
    pub(super) fn convert_organization(&mut self, item: PopoloItem) {
        const CLASS: PopoloClass = PopoloClass::Organization;
        let Some((mut builder, mut fields, id, slug)) = self.start_record(CLASS, item) else { return };
        let has_full_name = fields.get_text("name").is_some();
        let name = take_display_name(&mut fields);
        if !has_full_name {
            take_name_parts(&mut fields);
        }
        builder.set_translated("name", &self.lang, name.as_deref());
        self.convert_other_names(&mut builder, &mut fields, CLASS);
        let is_known = self.is_known(CLASS, &id);
        self.convert_classification(&mut builder, &mut fields, CLASS, is_known, organization_classification);
        for (from, to) in [("founding_date", "foundedOn"), ("dissolution_date", "dissolvedOn")] {
            let date = self.take_date(&mut fields, from, "organizations", &builder.origin);
            builder.set(to, date);
        }
        let description = take_paragraphs(&mut fields, &["abstract", "summary", "description"]);
        builder.set_translated("description", &self.lang, description.as_deref());
        let is_unknown = |id: String| self.reports_unknown_references && !self.is_found(CLASS, &id);
        let parent = if fields.get_text("parent_id").is_some_and(is_unknown) {
            None
        } else {
            self.take_reference(&mut fields, "parent_id", CLASS, &builder.origin)
        };
        builder.set("parent", parent);
        convert_image(&mut builder, &mut fields);
        self.convert_links(&mut builder, &mut [(&mut fields, CLASS)]);
        self.convert_contact_details(&mut builder, &mut [(&mut fields, CLASS)]);
        self.convert_jurisdiction(&mut builder, &mut fields);
        let area = self.take_area_name(&mut fields);
        builder.set_text("area", area.as_deref());
        self.convert_identifiers(&mut builder, &mut fields, CLASS, Some(&id), &format!("organization {slug}"));
        self.convert_sources(&mut builder, &mut fields, CLASS);
        self.omissions.count_remaining("organizations", fields.remaining(), &builder.origin);
        self.records.push((RecordType::Organization, builder));
    }
}

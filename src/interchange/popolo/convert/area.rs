//! Converts areas to jurisdictions.

use super::builder::RecordBuilder;
use super::state::Conversion;
use crate::entity::RecordType;
use crate::interchange::popolo::model::{PopoloClass, PopoloItem};
use crate::interchange::popolo::normalize::{area_classification, display_name, division_id};

impl Conversion {
    /// Converts an area with an Open Civic Data id. A jurisdiction that the dataset maintains itself is referred to and left
    /// unchanged.
    pub(super) fn convert_area(&mut self, item: PopoloItem) {
        let mut fields = item.fields;
        let Some(id) = item.id else { return };
        let Some(division) = division_id(Some(&id), &fields) else {
            return self.omissions.count("areas without Open Civic Data id, which appear only in labels of memberships");
        };
        let is_maintained = self.known.slugs_by_division.contains_key(&division)
            && !self.known.slugs_by_id.contains_key(&(RecordType::Jurisdiction, id.clone()));
        let Some(slug) = self.slugs.get(&(PopoloClass::Area, id.clone())).cloned() else { return };
        if is_maintained {
            return;
        }
        let mut builder = RecordBuilder::new(&slug, item.origin);
        fields.take("division_id");
        let name = display_name(&mut fields);
        builder.set_translated("name", &self.lang, name.as_deref());
        let classification = fields.take_text("classification").unwrap_or_default();
        builder.set_text("classification", Some(area_classification(&classification)));
        builder.set_text("ocdId", Some(&division));
        let parent = fields.get_text("parent_id").and_then(|id| self.slugs.get(&(PopoloClass::Area, id)).cloned());
        if let Some(parent) = parent {
            fields.take("parent_id");
            builder.set_text("parent", Some(&parent));
        }
        self.convert_identifiers(&mut builder, &mut fields, PopoloClass::Area, Some(&id), &slug);
        self.convert_sources(&mut builder, &mut fields);
        self.omissions.count_remaining(PopoloClass::Area, &fields);
        self.records.push((RecordType::Jurisdiction, builder));
    }
}

//! Converts areas to jurisdictions, or to the names of areas that memberships and organizations have.

use super::builder::RecordBuilder;
use super::converted::NamedArea;
use super::state::Conversion;
use crate::entity::RecordType;
use crate::interchange::popolo::class::PopoloClass;
use crate::interchange::popolo::fields::FieldMap;
use crate::interchange::popolo::model::PopoloItem;
use crate::interchange::popolo::normalize::{area_classification, division_id, is_division_id, take_display_name, take_name_parts};
use crate::store::draft::InputProblem;

impl Conversion {
    /// Converts an area with an Open Civic Data id. A jurisdiction that the dataset maintains itself is referred to and left
    /// unchanged. Of other areas, the name is kept where they are referred to.
    pub(super) fn convert_area(&mut self, item: PopoloItem) {
        let (mut fields, origin) = (item.fields, item.origin);
        let name = take_display_name(&mut fields);
        take_name_parts(&mut fields);
        let (Some(id), Some(name)) = (item.id, name) else {
            let message = "name is missing; give the area a name";
            return self.problems.push(InputProblem::new(origin, message));
        };
        self.areas.insert(id.clone(), NamedArea { name: name.clone(), origin: origin.clone(), is_used: false });
        let Some(division) = division_id(Some(&id), &fields) else {
            return self.omissions.count_remaining("areas", fields.remaining(), &origin);
        };
        let is_known = self.is_known(PopoloClass::Area, &id);
        let Some(slug) = self.slugs.get(&(PopoloClass::Area, id.clone())).cloned() else { return };
        if self.known.slugs_by_division.contains_key(&division) && !is_known {
            self.omissions.count_text("areas of which the database has a jurisdiction already, which stays as it is", &name, &origin);
            return;
        }
        let mut builder = RecordBuilder::new(&slug, origin);
        if fields.get_text("division_id").is_some_and(|given| given == division) {
            fields.take("division_id");
        }
        builder.set_translated("name", &self.lang, Some(&name));
        self.convert_classification(&mut builder, &mut fields, PopoloClass::Area, is_known, area_classification);
        builder.set_text("ocdId", Some(&division));
        let parent = fields.get_text("parent_id").and_then(|id| self.slugs.get(&(PopoloClass::Area, id)).cloned());
        if let Some(parent) = parent {
            fields.take("parent_id");
            builder.set_text("parent", Some(&parent));
        }
        let owner = format!("area {slug}");
        self.convert_identifiers(&mut builder, &mut fields, PopoloClass::Area, Some(&id), &owner);
        self.convert_sources(&mut builder, &mut fields, PopoloClass::Area);
        self.omissions.count_remaining("areas", fields.remaining(), &builder.origin);
        self.records.push((RecordType::Jurisdiction, builder));
    }

    /// Takes the name of the area of an item: one that is given as text, or the name of one that the import contains.
    pub(super) fn take_area_name(&mut self, fields: &mut FieldMap) -> Option<String> {
        if let Some(name) = fields.take_text("area") {
            return Some(name);
        }
        let area = self.areas.get_mut(&fields.get_text("area_id")?)?;
        area.is_used = true;
        fields.take("area_id");
        Some(area.name.clone())
    }

    /// Sets the jurisdiction of an item to that of its area, if that is one.
    pub(super) fn convert_jurisdiction(&mut self, builder: &mut RecordBuilder, fields: &mut FieldMap) {
        let Some(id) = fields.get_text("area_id") else { return };
        let known = self.known.slugs_by_id.get(&(RecordType::Jurisdiction, id.clone()));
        let known = known.or_else(|| self.known.slugs_by_division.get(&id).filter(|_| is_division_id(&id)));
        if let Some(slug) = self.slugs.get(&(PopoloClass::Area, id.clone())).or(known).cloned() {
            fields.take("area_id");
            builder.set_text("jurisdiction", Some(&slug));
            if let Some(area) = self.areas.get_mut(&id) {
                area.is_used = true;
            }
        }
    }

    /// Sets a classification. Of a record that is stored already, an unknown or missing one changes nothing; a new record
    /// gets `other`.
    pub(super) fn convert_classification(
        &mut self,
        builder: &mut RecordBuilder,
        fields: &mut FieldMap,
        class: PopoloClass,
        is_known: bool,
        classify: impl Fn(&str) -> Option<&'static str>,
    ) {
        let given = fields.get_text("classification");
        let classification = given.as_deref().and_then(classify);
        if classification.is_some() {
            fields.take("classification");
        }
        builder.set_text("classification", classification.or_else(|| (!is_known).then_some("other")));
        if let (Some(_), None) = (&given, classification)
            && let Some(tree) = fields.take("classification")
        {
            let path = format!("{}.classification outside of the vocabulary", class.plural());
            self.omissions.count(path, &tree, &builder.origin);
        }
    }
}

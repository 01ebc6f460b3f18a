//! Converts speeches to statements.

use super::builder::RecordBuilder;
use super::state::Conversion;
use crate::entity::RecordType;
use crate::interchange::popolo::class::PopoloClass;
use crate::interchange::popolo::model::PopoloItem;

impl Conversion {
    /// Converts a speech. One without a text counts as omitted: a statement is its words.
    pub(super) fn convert_speech(&mut self, item: PopoloItem) {
        const CLASS: PopoloClass = PopoloClass::Speech;
        let (mut fields, Some(id)) = (item.fields, item.id) else { return };
        let Some(text) = fields.take_text("text") else {
            return self.omissions.count_text("speeches without text", &id, &item.origin);
        };
        let slug = self.slug_by_id(CLASS, &id, "");
        let mut builder = RecordBuilder::new(&slug, item.origin);
        builder.set_translated("text", &self.lang, Some(&text));
        let field = if fields.get("start_date").is_some() { "start_date" } else { "date" };
        let date = self.take_date(&mut fields, field, "speeches", &builder.origin);
        if fields.get_text("end_date") == fields.get_text(field) {
            fields.take("end_date");
        }
        builder.set("saidOn", date);
        let event = fields.get_text("event_id").and_then(|id| self.events.get_mut(&id)).and_then(|event| {
            event.is_used = true;
            event.name.clone()
        });
        if event.is_some() {
            fields.take("event_id");
        }
        let occasion: Vec<String> = fields.take_text("title").into_iter().chain(event).collect();
        builder.set_translated("occasion", &self.lang, (!occasion.is_empty()).then(|| occasion.join(", ")).as_deref());
        let speaker = self.take_reference(&mut fields, "creator_id", PopoloClass::Person, &builder.origin);
        builder.set("speaker", speaker);
        self.convert_identifiers(&mut builder, &mut fields, CLASS, Some(&id), &format!("statement {slug}"));
        self.convert_sources(&mut builder, &mut fields, CLASS);
        self.omissions.count_remaining("speeches", fields.remaining(), &builder.origin);
        self.records.push((RecordType::Statement, builder));
    }
}

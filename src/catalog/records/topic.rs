//! Topic: what each column means, and what it links to.

use crate::catalog::record::{Record, one, text, translated};
use crate::entity::{RecordType, topic};

/// The records of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Topic, topic::Entity, "topics")
            .doc("A subject that records are tagged with. Modelled on SKOS concepts.")
            .field(translated("label", topic::Column::Label).doc("Name of the topic.").label())
            .field(text("scheme", topic::Column::Scheme).doc("Vocabulary the topic belongs to."))
            .field(translated("definition", topic::Column::Definition).doc("What the topic covers.").search_text())
            .field(
                one("broader", topic::Column::BroaderId, RecordType::Topic)
                    .doc("Wider topic that includes this one.")
                    .inverse("narrower", "Narrower topics inside this one."),
            ),
    ]
}

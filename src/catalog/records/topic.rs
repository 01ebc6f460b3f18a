//! Declaration of topics.

use crate::catalog::field::{one, text, translated};
use crate::catalog::record::Record;
use crate::entity::RecordType;

/// The declared record types of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Topic, "topics", "topics")
            .doc("A topic of records. Modelled on SKOS concepts.")
            .with_field(translated("label").required().doc("Name of the topic.").label())
            .with_field(text("scheme").doc("Vocabulary to which the topic belongs."))
            .with_field(translated("definition").lines().doc("Definition of the topic.").search_text())
            .with_field(
                one("broader", RecordType::Topic)
                    .doc("Broader topic that includes this one.")
                    .inverse("narrower", "Narrower topics within this one."),
            ),
    ]
}

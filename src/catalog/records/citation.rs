//! Declarations of what every record can have: citations, identifiers, topics, statements and revisions.

use crate::catalog::field::{RECORD_TYPE, any, choice, instant, integer, list, one, text};
use crate::catalog::kind::{Choice, FieldKind, Structure, StructureMember, Vocabulary};
use crate::catalog::record::Record;
use crate::core::pagination::Direction;
use crate::entity::RecordType;

static FIELD_CHANGE: Structure = Structure {
    name: "FieldChange",
    doc: "Change of one field in a revision.",
    members: &[
        StructureMember::text("field", "Field that changed, such as decidedOn, or parties[ilyashev].role for a field of a part."),
        StructureMember::optional(
            "old",
            FieldKind::Text,
            "Value before the change, text as it is and all else as JSON; null if there was none.",
        ),
        StructureMember::optional(
            "new",
            FieldKind::Text,
            "Value after the change, text as it is and all else as JSON; null if it was removed.",
        ),
    ],
    distinct: &[],
};

static REVISION_KIND: Vocabulary = Vocabulary {
    name: "RevisionKind",
    doc: "Type of change.",
    choices: &[
        Choice::new("created", "The record was created."),
        Choice::new("updated", "The content of the record changed."),
        Choice::new("published", "The record was published."),
        Choice::new("unpublished", "The record was unpublished and is no longer visible to readers."),
        Choice::new("deleted", "The record was deleted."),
        Choice::new("merged", "The record was merged into another; its id redirects there."),
        Choice::new("unmerged", "A merge was undone: the record was restored, or another one was taken out of it."),
        Choice::new("withheld", "Everything that identifies the person was removed from the dataset."),
    ],
};

/// The declared record types of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::link(
            RecordType::Citation,
            "citations",
            any("record")
                .required()
                .doc("Record or part that the citation supports.")
                .inverse("citations", "Sources, each with its claim."),
            &["source", "field", "value"],
        )
        .listed("citations")
        .distinct(&["source", "field", "value", "quote", "locator", "note"])
        .doc("A claim of one source about a record or one of its fields.")
        .with_field(
            one("source", RecordType::Source)
                .required()
                .doc("Source that makes the claim.")
                .inverse("citedFor", "Claims for which this source is cited."),
        )
        .with_field(text("field").doc("Field that the claim concerns; null if it concerns the whole record."))
        .with_field(text("value").lines().doc("Value of the field according to the source. It may differ from the value of the record."))
        .with_field(text("quote").lines().doc("Verbatim quotation from the source."))
        .with_field(text("locator").doc("Location within the source, such as a page or a paragraph."))
        .with_field(text("note").lines().doc("Remark about the claim.")),
        Record::link(
            RecordType::Identifier,
            "identifiers",
            any("record")
                .required()
                .doc("Record that the identifier identifies.")
                .inverse("identifiers", "Identifiers in other registers.")
                .short(),
            &["scheme", "value"],
        )
        .distinct(&["scheme", "value"])
        .doc("An identifier of a record in another register.")
        .with_field(text("scheme").max_chars(100).required().doc("Register that assigns the identifier, such as wikidata or adilet."))
        .with_field(text("value").required().doc("The identifier.")),
        Record::link(
            RecordType::Tag,
            "tags",
            any("record").required().doc("Record with the topic.").inverse("topics", "Topics of the record.").through("topic"),
            &["topic"],
        )
        .distinct(&["topic"])
        .doc("A link between a record and one of its topics.")
        .with_field(one("topic", RecordType::Topic).required().doc("The topic.").inverse("tags", "Records with this topic.")),
        Record::link(
            RecordType::Subject,
            "subjects",
            one("statement", RecordType::Statement)
                .required()
                .doc("The statement.")
                .inverse("about", "Records that the statement concerns."),
            &["record"],
        )
        .distinct(&["record"])
        .doc("A link between a statement and a record that it concerns.")
        .with_field(
            any("record")
                .required()
                .doc("Record that the statement concerns.")
                .inverse("statements", "Public statements about this record.")
                .through("statement"),
        ),
        Record::log(RecordType::Revision, "revisions")
            .listed("revisions")
            .doc("A change of a record: when, by whom and why it was made, and what changed.")
            .with_field(any("record").required().doc("Record that changed.").inverse("history", "Revisions of the record, newest first."))
            .with_field(integer("number").required().doc("Number of the revision, counted from 1 for each record.").ordered())
            .with_field(instant("changedAt").required().doc("Time of the change.").ordered())
            .with_field(text("by").required().doc("Name of the editor or process that made the change."))
            .with_field(text("message").lines().doc("Reason for the change, as its author gave it."))
            .with_field(list("changes", &FIELD_CHANGE).doc("Changed fields, with their old and new values."))
            .with_field(choice("kind", &REVISION_KIND).required().doc("Type of change."))
            .with_field(text(RECORD_TYPE).required().doc("Type of the record that changed."))
            .with_field(
                integer("sequence")
                    .required()
                    .doc("Position among all revisions of the dataset, in the order in which they became visible; it only increases.")
                    .ordered(),
            )
            .default_order("number", Direction::Desc),
    ]
}

//! What any record can have: citations, identifiers, topics, and a history.

use crate::catalog::record::{
    Choice, FieldKind, RECORD_TYPE, Record, Structure, StructureMember, Vocabulary, any, choice, instant, integer, list, one, text,
};
use crate::core::pagination::Direction;
use crate::entity::{RecordType, citation, identifier, revision, subject, tag};

static CHANGE: Structure = Structure {
    name: "Change",
    doc: "What one change did to one field.",
    members: &[
        StructureMember::text("field", "Field that changed, such as decided, or parties[ilyashev].role for a part."),
        StructureMember::optional("old", FieldKind::Text, "Value before the change, as JSON; nothing where there was none."),
        StructureMember::optional("new", FieldKind::Text, "Value after the change, as JSON; nothing where it was taken out."),
    ],
};

static CHANGE_KIND: Vocabulary = Vocabulary {
    name: "ChangeKind",
    doc: "What kind of change it was.",
    choices: &[
        Choice::new("created", "The record was made."),
        Choice::new("updated", "Something about the record changed."),
        Choice::new("published", "The record was published: readers see it from now on."),
        Choice::new("unpublished", "The record was taken back: readers do not see it any more."),
        Choice::new("deleted", "The record was deleted."),
        Choice::new("merged", "The record was merged into another, and its id leads there from now on."),
        Choice::new("withheld", "What names the person was taken out of the dataset."),
    ],
};

/// The records of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::link(
            RecordType::Citation,
            citation::Entity,
            any("record", citation::Column::RecordId)
                .doc("Record or part that the source speaks of.")
                .inverse("citations", "Sources that say so, each with the claim it makes."),
            &["source", "field", "value"],
        )
        .listed("citations")
        .doc("What one source says about one record, or about one field of it.")
        .field(
            one("source", citation::Column::SourceId, RecordType::Source)
                .doc("Source that says so.")
                .inverse("citedFor", "What this source is cited for."),
        )
        .field(text("field", citation::Column::Field).doc("Field that the citation is about; nothing where it is about the whole record."))
        .field(
            text("value", citation::Column::Value)
                .doc("Value that the source gives for the field. It may differ from the value that the record shows."),
        )
        .field(text("quote", citation::Column::Quote).doc("Words of the source, as printed."))
        .field(text("locator", citation::Column::Locator).doc("Where in the source, such as a page or a paragraph."))
        .field(text("note", citation::Column::Note).doc("What to know about the claim.")),
        Record::link(
            RecordType::Identifier,
            identifier::Entity,
            any("record", identifier::Column::RecordId)
                .doc("Record that the identifier belongs to.")
                .inverse("identifiers", "Numbers and names that other registers give this record.")
                .short(),
            &["scheme", "value"],
        )
        .doc("A number or name that another register gives a record.")
        .field(text("scheme", identifier::Column::Scheme).doc("Register that gives the identifier, such as wikidata or adilet."))
        .field(text("value", identifier::Column::Value).doc("The identifier itself.")),
        Record::link(
            RecordType::Tag,
            tag::Entity,
            any("record", tag::Column::RecordId)
                .doc("Record that is tagged.")
                .inverse("topics", "Topics the record is tagged with.")
                .through("topic"),
            &["topic"],
        )
        .doc("The link between a record and a topic it is tagged with.")
        .field(one("topic", tag::Column::TopicId, RecordType::Topic).doc("The topic.").inverse("tags", "Records tagged with this topic.")),
        Record::link(
            RecordType::Subject,
            subject::Entity,
            one("statement", subject::Column::StatementId, RecordType::Statement)
                .doc("The statement.")
                .inverse("about", "Records that the statement is about."),
            &["record"],
        )
        .doc("The link between a statement and a record it is about.")
        .field(
            any("record", subject::Column::RecordId)
                .doc("Record that the statement is about.")
                .inverse("statements", "What was said in public about this record.")
                .through("statement"),
        ),
        Record::log(RecordType::Revision, revision::Entity)
            .listed("revisions")
            .doc("One change of a record: who made it, when, why, and what changed.")
            .field(
                any("record", revision::Column::RecordId)
                    .doc("Record that changed.")
                    .inverse("history", "Changes of the record, newest first."),
            )
            .field(integer("number", revision::Column::Number).doc("Number of the change, counted from 1 for each record.").ordered())
            .field(instant("at", revision::Column::At).doc("When the change was made.").ordered())
            .field(text("by", revision::Column::By).doc("Who made it."))
            .field(text("message", revision::Column::Message).doc("Why, in the words of the one who made it."))
            .field(list("changes", revision::Column::Changes, &CHANGE).doc("What changed, field by field."))
            .field(choice("kind", revision::Column::Kind, &CHANGE_KIND).doc("What kind of change it was."))
            .field(text(RECORD_TYPE, revision::Column::RecordType).doc("Type of the record that changed."))
            .field(
                integer("sequence", revision::Column::Sequence)
                    .doc("Place among all changes of the dataset, in the order in which they came to be seen. It only grows.")
                    .ordered(),
            )
            .default_order("number", Direction::Desc),
    ]
}

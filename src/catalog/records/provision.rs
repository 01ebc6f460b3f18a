//! Declaration of provisions and their versions.

use crate::catalog::field::{choice, date, integer, one, text, translated};
use crate::catalog::kind::{Choice, Vocabulary};
use crate::catalog::record::Record;
use crate::core::pagination::Direction;
use crate::entity::RecordType;

static PROVISION_KIND: Vocabulary = Vocabulary {
    name: "ProvisionKind",
    doc: "Level of a provision within a law, after Akoma Ntoso.",
    choices: &[
        Choice::new("part", "A part."),
        Choice::new("chapter", "A chapter."),
        Choice::new("section", "A section."),
        Choice::new("article", "An article."),
        Choice::new("paragraph", "A paragraph."),
        Choice::new("item", "An item of a list."),
    ],
};

/// The declared record types of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Provision, "provisions", "provisions")
            .doc("A numbered unit of a law, such as an article, section or paragraph. Its text can change over time.")
            .with_field(text("number").doc("Number within the law, such as 274 or 456-2.").search_name())
            .with_field(choice("kind", &PROVISION_KIND).required().search_name().doc("Level within the law."))
            .with_field(translated("heading").required().doc("Heading of the provision.").label())
            .with_field(integer("position").required().doc("Position within the law, counted from its beginning.").ordered())
            .with_field(translated("summary").lines().doc("Summary of the provision in the words of the editors.").search_text())
            .with_field(
                one("law", RecordType::Law)
                    .required()
                    .doc("Law to which the provision belongs.")
                    .inverse("provisions", "Articles and other provisions of this law."),
            )
            .with_field(
                one("parent", RecordType::Provision)
                    .doc("Larger provision that contains this one.")
                    .inverse("children", "Provisions directly within this one."),
            )
            .default_order("position", Direction::Asc)
            .jurisdiction_from("law"),
        Record::part(
            RecordType::ProvisionVersion,
            "provision_versions",
            one("provision", RecordType::Provision)
                .required()
                .doc("Provision to which this belongs.")
                .inverse("versions", "Texts of this provision over time, with the period in which each was in force."),
        )
        .doc("Text of a provision during one period.")
        .may_be_alike("a text can be in force again, and its dates are often unknown")
        .with_field(date("validFrom").doc("First day on which this text was in force.").ordered())
        .with_field(date("validTo").doc("First day on which this text was no longer in force; null while it is in force."))
        .with_field(translated("text").lines().required().doc("The text, or a paraphrase if the note says so."))
        .with_field(text("note").lines().doc("Origin of the text, and how close it is to the original."))
        .default_order("validFrom", Direction::Asc),
    ]
}

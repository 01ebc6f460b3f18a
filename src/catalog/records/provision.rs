//! Provision and its parts: what each column means, and what it links to.

use crate::catalog::record::{Choice, Record, Vocabulary, choice, date, integer, one, text, translated};
use crate::core::pagination::Direction;
use crate::entity::{RecordType, provision, provision_version};

static PROVISION_KIND: Vocabulary = Vocabulary {
    name: "ProvisionKind",
    doc: "What level of a law a provision is, after Akoma Ntoso.",
    choices: &[
        Choice::new("part", "A part."),
        Choice::new("chapter", "A chapter."),
        Choice::new("section", "A section."),
        Choice::new("article", "An article."),
        Choice::new("paragraph", "A paragraph."),
        Choice::new("item", "An item of a list."),
    ],
};

/// The records of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Provision, provision::Entity, "provisions")
            .doc("A numbered part of a law: an article, a section, a paragraph. Its text can change over time.")
            .field(text("number", provision::Column::Number).doc("Number inside the law, such as 274 or 456-2.").search_name())
            .field(choice("kind", provision::Column::Kind, &PROVISION_KIND).search_name().doc("What level of the law it is."))
            .field(translated("heading", provision::Column::Heading).doc("Heading of the provision.").label())
            .field(integer("position", provision::Column::Position).doc("Place in the law, counted from its beginning.").ordered())
            .field(translated("summary", provision::Column::Summary).doc("What the provision says, in our own words.").search_text())
            .field(
                one("law", provision::Column::LawId, RecordType::Law)
                    .doc("Law that the provision belongs to.")
                    .inverse("provisions", "Articles and other parts of this law."),
            )
            .field(
                one("parent", provision::Column::ParentId, RecordType::Provision)
                    .doc("Larger provision that this one is part of.")
                    .inverse("children", "Provisions inside this one."),
            )
            .default_order("position", Direction::Asc)
            .within("law"),
        Record::part(
            RecordType::ProvisionVersion,
            provision_version::Entity,
            one("provision", provision_version::Column::ProvisionId, RecordType::Provision)
                .doc("The provision this belongs to.")
                .inverse("versions", "The texts this provision had, each with the time it was in force."),
        )
        .doc("The text of a provision as it stood over a period.")
        .field(date("validFrom", provision_version::Column::ValidFrom).doc("First day this text was in force.").ordered())
        .field(
            date("validTo", provision_version::Column::ValidTo)
                .doc("Day from which this text was no longer in force; nothing while it is."),
        )
        .field(translated("text", provision_version::Column::Text).doc("The text, or a paraphrase where the note says so."))
        .field(text("note", provision_version::Column::Note).doc("Where the text comes from and how close it is to the original."))
        .default_order("validFrom", Direction::Asc),
    ]
}

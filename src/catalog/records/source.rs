//! Source: what each column means, and what it links to.

use crate::catalog::record::{
    CHECKED_AT, Choice, LAST_CHANGED_AT, Record, Vocabulary, choice, date, instant, language, text, translated, url,
};
use crate::core::pagination::Direction;
use crate::entity::{RecordType, source};

static SOURCE_KIND: Vocabulary = Vocabulary {
    name: "SourceKind",
    doc: "What kind of publication a source is.",
    choices: &[
        Choice::new("article", "A news article."),
        Choice::new("report", "A report."),
        Choice::new("statement", "A statement by a body or a person."),
        Choice::new("law_database", "A register or database of laws."),
        Choice::new("legal_analysis", "An analysis by lawyers or a law library."),
        Choice::new("reference", "A work of reference."),
        Choice::new("broadcast", "A broadcast."),
        Choice::new("dataset", "A dataset."),
        Choice::new("other", "Any other."),
    ],
};

/// The records of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Source, source::Entity, "sources")
            .doc("A publication that says so: an article, a report, a law database.")
            .field(translated("title", source::Column::Title).doc("Title of the publication.").label())
            .field(text("publisher", source::Column::Publisher).doc("Who published it.").search_name())
            .field(text("author", source::Column::Author).doc("Who wrote it."))
            .field(date("publishedOn", source::Column::PublishedOn).doc("When it was published.").ordered())
            .field(date("accessedOn", source::Column::AccessedOn).doc("When it was last read for this dataset."))
            .field(url("url", source::Column::Url).doc("Address of the publication."))
            .field(url("archivedUrl", source::Column::ArchivedUrl).doc("Address of an archived copy."))
            .field(language("language", source::Column::Language).doc("Language it is written in."))
            .field(choice("kind", source::Column::Kind, &SOURCE_KIND).doc("What kind of publication it is."))
            .field(text("licence", source::Column::Licence).doc("Terms under which it may be reused."))
            .field(
                instant(CHECKED_AT, source::Column::CheckedAt)
                    .doc("When this source was last looked at: by an import or an edit that named or cited it, or by a person, whether or not anything was new.")
                    .ordered()
                    .kept(),
            )
            .field(
                instant(LAST_CHANGED_AT, source::Column::LastChangedAt)
                    .doc("When this source, or a record that cites it, last changed here.")
                    .ordered()
                    .kept(),
            )
            .default_order("publishedOn", Direction::Desc),
    ]
}

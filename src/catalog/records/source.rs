//! Declaration of sources.

use crate::catalog::field::{
    CHECKED_AT, LAST_CHANGED_AT, URL_CHECKED_AT, URL_STATUS as URL_STATUS_FIELD, choice, date, instant, language, text, translated, url,
};
use crate::catalog::kind::{Choice, Vocabulary};
use crate::catalog::record::Record;
use crate::core::pagination::Direction;
use crate::entity::RecordType;

static SOURCE_KIND: Vocabulary = Vocabulary {
    name: "SourceKind",
    doc: "Type of publication.",
    choices: &[
        Choice::new("article", "A news article."),
        Choice::new("report", "A report."),
        Choice::new("statement", "A statement by an organization or a person."),
        Choice::new("law_database", "A register or database of laws."),
        Choice::new("legal_analysis", "An analysis by lawyers or a law library."),
        Choice::new("reference", "A reference work."),
        Choice::new("broadcast", "A broadcast."),
        Choice::new("dataset", "A dataset."),
        Choice::new("other", "Other."),
    ],
};

static URL_STATUS: Vocabulary = Vocabulary {
    name: "UrlStatus",
    doc: "Result of the last check of a web address.",
    choices: &[
        Choice::new("found", "The address leads to a page."),
        Choice::new("dead", "The page or the whole site is gone."),
        Choice::new("unknown", "The site refused the request, failed or took too long, so the page may still be there."),
    ],
};

/// The declared record types of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Source, "sources", "sources")
            .doc("A publication that supports a record, such as an article, a report or a law database.")
            .with_field(translated("title").required().doc("Title of the publication.").label())
            .with_field(text("publisher").doc("Name of the publisher.").search_name())
            .with_field(text("author").doc("Name of the author."))
            .with_field(date("publishedOn").doc("Date of publication.").ordered())
            .with_field(date("accessedOn").doc("Date on which the source was last consulted for this dataset."))
            .with_field(url("url").doc("URL of the publication."))
            .with_field(
                instant(URL_CHECKED_AT)
                    .doc("When the URL was last requested to see whether it still leads to a page; null if it was not since it was set.")
                    .system(),
            )
            .with_field(choice(URL_STATUS_FIELD, &URL_STATUS).doc("Result of that check; null if there was none.").system())
            .with_field(url("archivedUrl").doc("URL of an archived copy."))
            .with_field(language("language").doc("Language of the publication."))
            .with_field(choice("kind", &SOURCE_KIND).required().doc("Type of publication."))
            .with_field(text("licence").doc("Licence or terms of reuse."))
            .with_field(
                instant(CHECKED_AT).required()
                    .doc("When this source was last checked, whether or not anything changed: by an import or edit of it or of a citation, or by a person.")
                    .ordered()
                    .system(),
            )
            .with_field(
                instant(LAST_CHANGED_AT).required()
                    .doc("When this source, or a record that cites it, last changed in this dataset.")
                    .ordered()
                    .system(),
            )
            .default_order("publishedOn", Direction::Desc),
    ]
}

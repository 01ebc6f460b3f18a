//! What elements, names of dates and types of acts are in the vocabularies of records.

use crate::core::normalize::fold;

/// The kind of a provision, and whether the kind is called as the element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Level {
    pub(super) kind: &'static str,
    pub(super) is_own: bool,
    pub(super) depth: Depth,
    /// Whether the element is the generic one, which has a name of its own and may have no id.
    pub(super) is_container: bool,
}

/// What the elements of the hierarchy in an element are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Provisions.
    Division,
    /// Provisions, but for containers without ids.
    Group,
    /// Part of the text, unless there are divisions or units among them.
    Unit,
    /// The same, in an element that can itself be part of the text of a unit.
    Part,
}

/// The level of an element of the hierarchy of an act; `None` if it is no such element. `name` is its attribute `name`, which
/// says what a generic container is.
pub(super) fn level(element: &str, name: Option<&str>) -> Option<Level> {
    let (kind, is_own, depth) = match element {
        "part" => ("part", true, Depth::Division),
        "book" | "tome" | "title" | "subtitle" | "subpart" | "division" | "subdivision" => ("part", false, Depth::Division),
        "chapter" => ("chapter", true, Depth::Division),
        "subchapter" => ("chapter", false, Depth::Division),
        "section" => ("section", true, Depth::Unit),
        "subsection" | "level" | "transitional" => ("section", false, Depth::Part),
        "article" => ("article", true, Depth::Unit),
        "rule" => ("article", false, Depth::Unit),
        "subrule" => ("article", false, Depth::Part),
        "paragraph" => ("paragraph", true, Depth::Part),
        "subparagraph" | "clause" | "subclause" | "alinea" | "list" | "sublist" | "proviso" => ("paragraph", false, Depth::Part),
        "point" | "indent" => ("item", false, Depth::Part),
        "hcontainer" => match name.map(fold).as_deref() {
            Some("schedules" | "schedule" | "appendix" | "annex" | "annexes") => ("part", false, Depth::Group),
            Some("regulation" | "rule" | "article" | "order") => ("article", false, Depth::Unit),
            // groups such as those under a heading between sections
            Some(_) | None => ("section", false, Depth::Group),
        },
        _ => return None,
    };
    Some(Level { kind, is_own, depth, is_container: element == "hcontainer" })
}

/// The kind of a law, of its subtype or name; `None` if the text is not one of a known meaning.
pub(super) fn law_kind(text: &str) -> Option<&'static str> {
    let kind = match fold(text).as_str() {
        "constitution" => "constitution",
        "constitutional law" => "constitutional_law",
        "code" => "code",
        // those of the United Kingdom have the names of their series
        "law" | "act" | "statute" | "ukpga" | "ukla" | "asp" | "nia" | "anaw" | "asc" | "mwa" => "law",
        "decree" => "decree",
        "regulation" | "uksi" | "ssi" | "wsi" | "nisr" => "regulation",
        "resolution" => "resolution",
        "treaty" => "treaty",
        "other" => "other",
        _ => return None,
    };
    Some(kind)
}

/// The date of a law that a date of a work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WorkDate {
    /// Of adoption or signature, as its name says.
    Adoption,
    /// Of the creation of the work, which is that of adoption if there is no other.
    Generation,
    /// Of entry into force.
    EntryIntoForce,
}

/// The meaning of the name of a date of a work; `None` if laws have no such date, such as that of publication.
pub(super) fn work_date(name: &str) -> Option<WorkDate> {
    match fold(name).as_str() {
        "enactment" | "enacted" | "adoption" | "adopted" | "assent" | "made" | "signature" | "signed" => Some(WorkDate::Adoption),
        "generation" | "creation" => Some(WorkDate::Generation),
        "inforce" | "in force" | "entry into force" | "entryintoforce" | "commencement" => Some(WorkDate::EntryIntoForce),
        _ => None,
    }
}

/// Whether an alias with this name is a title.
pub(super) fn is_title_alias(name: &str) -> bool {
    matches!(fold(name).as_str(), "title" | "short title" | "shorttitle" | "official title" | "alias" | "name")
}

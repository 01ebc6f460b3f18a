//! Kinds of values that a field can hold: scalars, vocabularies, lists of structures and references.

use crate::core::text::TextRule;
use crate::entity::RecordType;

/// One value of a [`Vocabulary`].
#[derive(Debug)]
pub struct Choice {
    /// The value as stored and imported, such as `in_force`.
    pub value: &'static str,
    /// Description for the schema.
    pub doc: &'static str,
}

impl Choice {
    /// A value with its description.
    pub const fn new(value: &'static str, doc: &'static str) -> Self {
        Self { value, doc }
    }
}

/// A closed list of values; an enum type in the schema.
#[derive(Debug)]
pub struct Vocabulary {
    /// Name of the type in the schema.
    pub name: &'static str,
    /// Description of the type.
    pub doc: &'static str,
    /// The values, in the order of the schema.
    pub choices: &'static [Choice],
}

/// An object type without an id, stored as JSON in a list field of a record.
#[derive(Debug)]
pub struct Structure {
    /// Name of the type in the schema.
    pub name: &'static str,
    /// Description of the type.
    pub doc: &'static str,
    /// The members, in the order of the schema.
    pub members: &'static [StructureMember],
    /// Members whose values no two structures of one list share; empty if they may be alike.
    pub distinct: &'static [&'static str],
}

/// A member of a [`Structure`].
#[derive(Debug)]
pub struct StructureMember {
    /// Name in the schema and in imports.
    pub name: &'static str,
    /// Kind of the value.
    pub kind: FieldKind,
    /// Description for the schema.
    pub doc: &'static str,
    /// Whether the value is never null.
    pub required: bool,
    /// Whether the value is a number of things, which is never negative.
    pub is_count: bool,
}

impl StructureMember {
    /// A required member of any kind.
    pub const fn required(name: &'static str, kind: FieldKind, doc: &'static str) -> Self {
        Self { name, kind, doc, required: true, is_count: false }
    }

    /// A required text.
    pub const fn text(name: &'static str, doc: &'static str) -> Self {
        Self::required(name, FieldKind::Text, doc)
    }

    /// A required number of things.
    pub const fn count(name: &'static str, doc: &'static str) -> Self {
        Self { is_count: true, ..Self::required(name, FieldKind::Integer, doc) }
    }

    /// A required value of a vocabulary.
    pub const fn choice(name: &'static str, vocabulary: &'static Vocabulary, doc: &'static str) -> Self {
        Self::required(name, FieldKind::Choice(vocabulary), doc)
    }

    /// A member that may be null.
    pub const fn optional(name: &'static str, kind: FieldKind, doc: &'static str) -> Self {
        Self { name, kind, doc, required: false, is_count: false }
    }
}

/// Another name of a person or an organization, after Popolo.
pub static OTHER_NAME: Structure = Structure {
    name: "OtherName",
    doc: "Another name of a person or an organization.",
    members: &[
        StructureMember::text("name", "The name."),
        StructureMember::optional("lang", FieldKind::Language, "Language of the name."),
        StructureMember::optional("note", FieldKind::Text, "Kind of name, such as full name or former name."),
        StructureMember::optional("start", FieldKind::Date, "When the name came into use."),
        StructureMember::optional("end", FieldKind::Date, "When the name went out of use."),
    ],
    distinct: &[],
};

/// A web page, after Popolo.
pub static LINK: Structure = Structure {
    name: "Link",
    doc: "A web page about a record.",
    members: &[
        StructureMember::required("url", FieldKind::Url, "Address of the page."),
        StructureMember::optional("label", FieldKind::Text, "Title of the page."),
        StructureMember::optional("note", FieldKind::Text, "What the page is."),
    ],
    distinct: &[],
};

/// A way to reach a person or an organization, after Popolo.
pub static CONTACT_DETAIL: Structure = Structure {
    name: "ContactDetail",
    doc: "A way to reach a person or an organization.",
    members: &[
        StructureMember::text("type", "Medium, such as email, phone or address."),
        StructureMember::text("value", "The number or address."),
        StructureMember::optional("label", FieldKind::Text, "What it is called, such as Constituency office."),
        StructureMember::optional("note", FieldKind::Text, "Remark, such as opening hours."),
        StructureMember::optional("start", FieldKind::Date, "When it came into use."),
        StructureMember::optional("end", FieldKind::Date, "When it went out of use."),
    ],
    distinct: &[],
};

/// Maximum number of languages of a text.
pub const MAX_LANGUAGES: usize = 50;
/// Maximum number of structures in a list field.
pub const MAX_LIST_ITEMS: usize = 200;
/// Maximum number of parts in one list of a record.
pub const MAX_PARTS: usize = 10_000;

/// The kind of value that a field holds.
#[derive(Debug, Clone, Copy)]
pub enum FieldKind {
    /// Text without translations.
    Text,
    /// Text in several languages, keyed by BCP 47 language tag.
    Translated,
    /// A partial date.
    Date,
    /// An instant in UTC.
    Instant,
    /// An integer.
    Integer,
    /// A floating-point number.
    Number,
    /// A boolean.
    Boolean,
    /// A URL.
    Url,
    /// A BCP 47 language tag.
    Language,
    /// An ISO 8601 duration.
    Duration,
    /// One value of a vocabulary.
    Choice(&'static Vocabulary),
    /// A short list of structures.
    List(&'static Structure),
    /// A reference to a record or part of this type.
    One(RecordType),
    /// A polymorphic reference, to a record or part of any type.
    Any,
}

impl FieldKind {
    /// What a text of this kind may contain, unless its field declares more or less.
    pub const fn text_rule(self) -> TextRule {
        match self {
            // an index of PostgreSQL holds at most 2,704 bytes, and a character takes up to four
            Self::Text => TextRule::line(500),
            Self::Translated | Self::Url => TextRule::line(2_000),
            Self::Date
            | Self::Instant
            | Self::Integer
            | Self::Number
            | Self::Boolean
            | Self::Language
            | Self::Duration
            | Self::Choice(_)
            | Self::List(_)
            | Self::One(_)
            | Self::Any => TextRule::line(100),
        }
    }
}

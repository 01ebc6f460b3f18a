//! Fields of a record: their columns, kinds and descriptions.
//!
//! A field is named as in the schema, and its column is the snake case of that name: `docketNumber` is stored in
//! `docket_number`, and a reference `court` in `court_id`. A field may be null unless it is [`Field::required`]; this
//! must agree with the migration, and a test compares the two.

use std::borrow::Cow;

use heck::ToSnakeCase;

use crate::catalog::kind::{FieldKind, Structure, Vocabulary};
use crate::core::text::TextRule;
use crate::entity::RecordType;

/// Name of the field that holds the type of a record. Its vocabulary is filled in once all types are declared.
pub const RECORD_TYPE: &str = "recordType";

/// Name of the field with the time of the last check, whether or not anything changed.
pub const CHECKED_AT: &str = "checkedAt";

/// Name of the field with the time of the last change, of the record or of the records that belong to it.
pub const LAST_CHANGED_AT: &str = "lastChangedAt";

/// Name of the field with the time at which the URL of a source was last requested.
pub const URL_CHECKED_AT: &str = "urlCheckedAt";

/// Name of the field with the result of that request.
pub const URL_STATUS: &str = "urlStatus";

/// How search indexes a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchIndexing {
    /// Not indexed.
    None,
    /// Indexed as a name, with the highest weight.
    Name,
    /// Indexed as running text.
    Text,
}

/// The list that a reference adds to the referenced record.
#[derive(Debug, Clone, Copy)]
pub struct Inverse {
    /// Name of the list.
    pub name: &'static str,
    /// Description for the schema.
    pub doc: &'static str,
    /// Reference field of the same record whose target is listed in place of the record itself, if it is a link.
    pub through: Option<&'static str>,
    /// Whether the list is returned whole, without pagination.
    pub short: bool,
}

/// The deprecation of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deprecation {
    /// Why, and which field to use instead.
    pub reason: &'static str,
    /// Release that deprecated the field.
    pub since: &'static str,
}

/// A field of a record and its column.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are independent of each other")]
pub struct Field {
    /// Name in the schema and in imports.
    pub name: &'static str,
    /// Name of the column.
    pub column: &'static str,
    /// Kind of the value.
    pub kind: FieldKind,
    /// Description for the schema.
    pub doc: &'static str,
    /// Whether the value is never null.
    pub required: bool,
    /// Whether the field is the label of the record.
    pub is_label: bool,
    /// Whether the store sets the value; it is not accepted as input.
    pub system: bool,
    /// Whether values are unique within the type.
    pub unique: bool,
    /// How search indexes the value.
    pub search: SearchIndexing,
    /// Whether lists can be ordered by the field.
    pub ordered: bool,
    /// The list that a reference adds to the referenced record.
    pub inverse: Option<Inverse>,
    /// Why and since when the field is deprecated, if it is.
    pub deprecated: Option<Deprecation>,
    /// What its texts may contain.
    pub text_rule: TextRule,
    /// Column with the length of a duration in minutes.
    minutes: Option<&'static str>,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident,)*) => {
        $($(#[$doc])* pub fn $name(name: &'static str) -> Field {
            Field::new(name, FieldKind::$kind)
        })*
    };
}

constructors! {
    /// A field of text without translations.
    text => Text,
    /// A field of text in several languages.
    translated => Translated,
    /// A field with a partial date.
    date => Date,
    /// A field with an instant.
    instant => Instant,
    /// A field with an integer.
    integer => Integer,
    /// A field with a floating-point number.
    number => Number,
    /// A field with a URL.
    url => Url,
    /// A field with a BCP 47 language tag.
    language => Language,
    /// A polymorphic reference, to a record or part of any type.
    any => Any,
}

/// A field with one value of a vocabulary.
pub fn choice(name: &'static str, vocabulary: &'static Vocabulary) -> Field {
    Field::new(name, FieldKind::Choice(vocabulary))
}

/// A field with an ISO 8601 duration. A column with the suffix `_minutes` holds its length, so that it can be aggregated.
pub fn duration(name: &'static str) -> Field {
    let field = Field::new(name, FieldKind::Duration);
    Field { minutes: Some(format!("{}_minutes", field.column).leak()), ..field }
}

/// A field with a short list of structures; an empty list if there are none.
pub fn list(name: &'static str, structure: &'static Structure) -> Field {
    Field::new(name, FieldKind::List(structure)).required()
}

/// A reference to a record or part of one type.
pub fn one(name: &'static str, target: RecordType) -> Field {
    Field::new(name, FieldKind::One(target))
}

impl Field {
    /// A field that may be null, with the column that its name and kind imply. Declarations are evaluated once per
    /// process, so the name of the column is leaked.
    pub(super) fn new(name: &'static str, kind: FieldKind) -> Self {
        let mut column = name.to_snake_case();
        if let FieldKind::One(_) | FieldKind::Any = kind {
            column.push_str("_id");
        }
        Self {
            name,
            column: column.leak(),
            kind,
            doc: "",
            required: false,
            is_label: false,
            system: false,
            unique: false,
            search: SearchIndexing::None,
            ordered: false,
            inverse: None,
            deprecated: None,
            text_rule: kind.text_rule(),
            minutes: None,
        }
    }

    /// Sets the description for the schema.
    pub fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// The value is never null.
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Makes the field the label of the record: lists are ordered by it, and search indexes it as a name.
    pub fn label(mut self) -> Self {
        self.is_label = true;
        self.ordered().search_name()
    }

    /// Search indexes the field as a name.
    pub fn search_name(mut self) -> Self {
        self.search = SearchIndexing::Name;
        self
    }

    /// Search indexes the field as running text.
    pub fn search_text(mut self) -> Self {
        self.search = SearchIndexing::Text;
        self
    }

    /// Texts may have several lines, and be longer than on one line.
    pub fn lines(mut self) -> Self {
        self.text_rule = TextRule::LINES;
        self
    }

    /// Replaces the maximum length of a text.
    pub fn max_chars(mut self, max_chars: usize) -> Self {
        self.text_rule.max_chars = max_chars;
        self
    }

    /// Values are unique within the type.
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// The store sets the value; it is not accepted as input.
    pub fn system(mut self) -> Self {
        self.system = true;
        self
    }

    /// Deprecates the field: it appears as `@deprecated` in the schema and keeps working.
    pub fn deprecated(mut self, reason: &'static str, since: &'static str) -> Self {
        self.deprecated = Some(Deprecation { reason, since });
        self
    }

    /// Lists can be ordered by the field.
    pub fn ordered(mut self) -> Self {
        self.ordered = true;
        self
    }

    /// Adds a list of the referring records to the referenced record.
    pub fn inverse(mut self, name: &'static str, doc: &'static str) -> Self {
        self.inverse = Some(Inverse { name, doc, through: None, short: false });
        self
    }

    /// Makes the inverse list the targets of this reference field of the same record, in place of the link itself.
    pub fn through(mut self, field: &'static str) -> Self {
        self.inverse = self.inverse.map(|inverse| Inverse { through: Some(field), ..inverse });
        self
    }

    /// The inverse list is returned whole, without pagination.
    pub fn short(mut self) -> Self {
        self.inverse = self.inverse.map(|inverse| Inverse { short: true, ..inverse });
        self
    }

    /// Column with the length of the duration in minutes; `None` unless the field is a duration.
    pub fn minutes_column(&self) -> Option<&'static str> {
        self.minutes
    }

    /// Name of the field with all translations: `titles` beside `title`.
    pub fn plural(&self) -> String {
        match self.name.strip_suffix('y') {
            Some(stem) => format!("{stem}ies"),
            None => format!("{}s", self.name),
        }
    }

    /// Column that lists are ordered by: the normalized form of a label, and for a nullable field a column that sorts
    /// null before all other values.
    pub fn order_column(&self) -> Cow<'static, str> {
        match self {
            Self { is_label: true, .. } => "sort_key".into(),
            Self { required: true, .. } => self.column.into(),
            _ => format!("{}_order", self.column).into(),
        }
    }
}

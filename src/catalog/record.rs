//! What a record is: its table, its fields, and what it links to. Everything shared reads this.
//!
//! Each file of [`crate::catalog::records`] declares its records with the small vocabulary below. Pages,
//! filters, orders, relations in both directions, citations, search, import and the GraphQL types
//! are made from the declarations.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use sea_orm::{ColumnTrait, EntityName, IdenStatic};

use crate::catalog::dimension;
use crate::catalog::dimension::{Dimension, ExtraDimension};
use crate::catalog::measure::StatisticsSpec;
use crate::core::pagination::Direction;
use crate::entity::RecordType;

/// One value of a vocabulary.
#[derive(Debug)]
pub struct Choice {
    /// The value as it is stored and imported, such as `in_force`.
    pub value: &'static str,
    /// What it means.
    pub doc: &'static str,
}

impl Choice {
    /// A value and what it means.
    pub const fn new(value: &'static str, doc: &'static str) -> Self {
        Self { value, doc }
    }
}

/// A closed list of values that a field can have.
#[derive(Debug)]
pub struct Vocabulary {
    /// Name of the type in the schema.
    pub name: &'static str,
    /// What the values say.
    pub doc: &'static str,
    /// The values.
    pub choices: &'static [Choice],
}

/// A small object inside a list of a record; it has no life of its own.
#[derive(Debug)]
pub struct Structure {
    /// Name of the type in the schema.
    pub name: &'static str,
    /// What one such object is.
    pub doc: &'static str,
    /// Its members.
    pub members: &'static [StructureMember],
}

/// A member of a [`Structure`].
#[derive(Debug)]
pub struct StructureMember {
    /// Name in the schema and in imports.
    pub name: &'static str,
    /// Kind of its value.
    pub kind: FieldKind,
    /// What it says.
    pub doc: &'static str,
    /// Whether it must be given.
    pub required: bool,
}

impl StructureMember {
    /// Text that must be given.
    pub const fn text(name: &'static str, doc: &'static str) -> Self {
        Self { name, kind: FieldKind::Text, doc, required: true }
    }

    /// A whole number that must be given.
    pub const fn integer(name: &'static str, doc: &'static str) -> Self {
        Self { name, kind: FieldKind::Integer, doc, required: true }
    }

    /// A value of a vocabulary that must be given.
    pub const fn choice(name: &'static str, vocabulary: &'static Vocabulary, doc: &'static str) -> Self {
        Self { name, kind: FieldKind::Choice(vocabulary), doc, required: true }
    }

    /// A value of some kind that may be missing.
    pub const fn optional(name: &'static str, kind: FieldKind, doc: &'static str) -> Self {
        Self { name, kind, doc, required: false }
    }
}

/// Another name of a person or an organization, after Popolo.
pub static OTHER_NAME: Structure = Structure {
    name: "OtherName",
    doc: "Another name of a person or an organization.",
    members: &[
        StructureMember::text("name", "The name."),
        StructureMember::optional("lang", FieldKind::Language, "Language of the name."),
        StructureMember::optional("note", FieldKind::Text, "What kind of name it is, such as full name or former name."),
        StructureMember::optional("start", FieldKind::Date, "When the name began to be used."),
        StructureMember::optional("end", FieldKind::Date, "When the name ceased to be used."),
    ],
};

/// A web page, after Popolo.
pub static LINK: Structure = Structure {
    name: "Link",
    doc: "A web page about a record.",
    members: &[
        StructureMember { name: "url", kind: FieldKind::Url, doc: "Address of the page.", required: true },
        StructureMember::optional("note", FieldKind::Text, "What the page is."),
    ],
};

/// What kind of value a field holds.
#[derive(Debug, Clone, Copy)]
pub enum FieldKind {
    /// Text in one language or none.
    Text,
    /// Text in several languages, by BCP 47 tag.
    Translated,
    /// A partial date.
    Date,
    /// An instant in UTC.
    Instant,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// An address on the web.
    Url,
    /// A BCP 47 language tag.
    Language,
    /// An ISO 8601 duration.
    Duration,
    /// One value of a vocabulary.
    Choice(&'static Vocabulary),
    /// A short list of small objects.
    List(&'static Structure),
    /// A reference to one record of this type.
    One(RecordType),
    /// A reference to one record or part of any type.
    Any,
}

/// What search finds in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchIndexing {
    /// Nothing.
    None,
    /// Names, which count most.
    Name,
    /// Running text.
    Text,
}

/// The list that a reference makes on the record it refers to.
#[derive(Debug, Clone, Copy)]
pub struct Inverse {
    /// Name of the list.
    pub name: &'static str,
    /// What is in it.
    pub doc: &'static str,
    /// Field of the referring record to follow, so that the list shows what stands behind a link and not the link.
    pub through: Option<&'static str>,
    /// Short enough to be given whole, not in pages.
    pub short: bool,
}

/// A column of a record, and what it means.
#[derive(Debug, Clone)]
pub struct Field {
    /// Name in the schema and in imports.
    pub name: &'static str,
    /// Name of the column.
    pub column: &'static str,
    /// Kind of value.
    pub kind: FieldKind,
    /// What it says, for a reader of the schema.
    pub doc: &'static str,
    /// Whether every record has it.
    pub required: bool,
    /// Whether the record is called by it.
    pub is_label: bool,
    /// Whether the store keeps it, so that nobody gives it.
    pub system: bool,
    /// Whether no two records share a value of it.
    pub unique: bool,
    /// What search finds in it.
    pub search: SearchIndexing,
    /// Whether lists can run in its order.
    pub ordered: bool,
    /// The list it makes on the record it refers to.
    pub inverse: Option<Inverse>,
    /// Column in which the store keeps how many minutes a duration has.
    minutes: Option<&'static str>,
}

fn field<C: ColumnTrait + IdenStatic>(name: &'static str, column: C, kind: FieldKind) -> Field {
    Field {
        name,
        column: IdenStatic::as_str(&column),
        kind,
        doc: "",
        required: !column.def().is_null(),
        is_label: false,
        system: false,
        unique: false,
        search: SearchIndexing::None,
        ordered: false,
        inverse: None,
        minutes: None,
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident => $kind:ident,)*) => {
        $($(#[$doc])* pub fn $name<C: ColumnTrait + IdenStatic>(name: &'static str, column: C) -> Field {
            field(name, column, FieldKind::$kind)
        })*
    };
}

kinds! {
    /// A field of text in one language or none.
    text => Text,
    /// A field of text in several languages.
    translated => Translated,
    /// A field with a partial date.
    date => Date,
    /// A field with an instant.
    instant => Instant,
    /// A field with a whole number.
    integer => Integer,
    /// A field with a number.
    number => Number,
    /// A field with an address on the web.
    url => Url,
    /// A field with a language tag.
    language => Language,
    /// A reference to a record or part of any type.
    any => Any,
}

/// A field with one value of a vocabulary.
pub fn choice<C: ColumnTrait + IdenStatic>(name: &'static str, column: C, vocabulary: &'static Vocabulary) -> Field {
    field(name, column, FieldKind::Choice(vocabulary))
}

/// A field with an ISO 8601 duration, and the column in which the store keeps how many minutes that is.
pub fn duration<C: ColumnTrait + IdenStatic>(name: &'static str, column: C, minutes: C) -> Field {
    Field { minutes: Some(IdenStatic::as_str(&minutes)), ..field(name, column, FieldKind::Duration) }
}

/// A field with a short list of small objects.
pub fn list<C: ColumnTrait + IdenStatic>(name: &'static str, column: C, structure: &'static Structure) -> Field {
    field(name, column, FieldKind::List(structure))
}

/// A reference to one record of a type.
pub fn one<C: ColumnTrait + IdenStatic>(name: &'static str, column: C, target: RecordType) -> Field {
    field(name, column, FieldKind::One(target))
}

impl Field {
    /// What the field says, for a reader of the schema.
    pub fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// The record is called by this field: it sorts, finds and names the record.
    pub fn label(mut self) -> Self {
        self.is_label = true;
        self.ordered = true;
        self.search_name()
    }

    /// Search finds the record by this field as by a name.
    pub fn search_name(mut self) -> Self {
        self.search = SearchIndexing::Name;
        self
    }

    /// Search finds the record by words of this field.
    pub fn search_text(mut self) -> Self {
        self.search = SearchIndexing::Text;
        self
    }

    /// No two records share a value of this field.
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// The store keeps it, so that nobody gives it.
    pub fn kept(mut self) -> Self {
        self.system = true;
        self
    }

    /// Lists can run in the order of this field.
    pub fn ordered(mut self) -> Self {
        self.ordered = true;
        self
    }

    /// The list that this reference makes on the record it refers to.
    pub fn inverse(mut self, name: &'static str, doc: &'static str) -> Self {
        self.inverse = Some(Inverse { name, doc, through: None, short: false });
        self
    }

    /// The list shows what this field of the same record refers to, not the link in between.
    pub fn through(mut self, field: &'static str) -> Self {
        self.inverse = self.inverse.map(|inverse| Inverse { through: Some(field), ..inverse });
        self
    }

    /// The list is short and given whole.
    pub fn short(mut self) -> Self {
        self.inverse = self.inverse.map(|inverse| Inverse { short: true, ..inverse });
        self
    }

    fn system(name: &'static str, column: &'static str, kind: FieldKind, doc: &'static str) -> Self {
        Self {
            name,
            column,
            kind,
            doc,
            required: true,
            is_label: false,
            system: true,
            unique: false,
            search: SearchIndexing::None,
            ordered: false,
            inverse: None,
            minutes: None,
        }
    }

    /// Column in which the store keeps how many minutes the duration of this field has.
    pub fn minutes_column(&self) -> Option<&'static str> {
        self.minutes
    }

    /// Name of the field that gives the text in all languages: `titles` beside `title`.
    pub fn plural(&self) -> String {
        match self.name.strip_suffix('y') {
            Some(stem) => format!("{stem}ies"),
            None => format!("{}s", self.name),
        }
    }

    /// Column that lists run by: for the label its folded form, for a field that can be unknown one that puts
    /// unknown values before all known ones.
    pub fn order_column(&self) -> Cow<'static, str> {
        match self {
            Self { is_label: true, .. } => "sort_key".into(),
            Self { required: true, .. } => self.column.into(),
            _ => format!("{}_order", self.column).into(),
        }
    }
}

/// Name of a field with a type of record; which types there are is known when all are declared.
pub const RECORD_TYPE: &str = "recordType";

/// Name of the field that says when a record, and what it stands for, was last checked, changed or not.
pub const CHECKED_AT: &str = "checkedAt";

/// Name of the field that says when a record, or what it stands for, last changed.
pub const LAST_CHANGED_AT: &str = "lastChangedAt";

/// How a type of record lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// On its own: it has a slug, a history, topics and identifiers.
    Record,
    /// Inside the record that its first field refers to, and goes with it. `cited`: it can have citations.
    Part {
        /// Whether it can have citations of its own.
        cited: bool,
    },
    /// Written once by the store.
    Log,
}

/// A list of other records that a record leads to.
#[derive(Debug, Clone)]
pub struct Relation {
    /// Name of the list.
    pub name: &'static str,
    /// What is in it.
    pub doc: &'static str,
    /// Type of what is in it.
    pub target: RecordType,
    /// Short enough to be given whole.
    pub short: bool,
    /// How the rows are found.
    pub via: Via,
}

/// How the rows of a relation are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// This column of theirs holds the id of the parent.
    Column(&'static str),
    /// A table between holds both ids.
    Link {
        /// The table between.
        table: &'static str,
        /// Its column with the id of the parent.
        parent: &'static str,
        /// Its column with the id of the row.
        child: &'static str,
    },
}

/// A list of parts inside a record, as imports give it.
#[derive(Debug, Clone)]
pub struct PartList {
    /// Name of the list in imports.
    pub name: &'static str,
    /// Type of the parts.
    pub part: RecordType,
}

/// A type of record: its table, its fields and its links.
#[derive(Debug)]
pub struct Record {
    /// Its type.
    pub ty: RecordType,
    /// Its table.
    pub table: &'static str,
    /// Name of the list of all of them, also the key of a list in an import; nothing for parts.
    pub plural: &'static str,
    /// What one is, for a reader of the schema.
    pub doc: &'static str,
    /// How it lives.
    pub shape: RecordKind,
    /// Its fields, those that the store keeps last.
    pub fields: Vec<Field>,
    /// What it leads to.
    pub relations: Vec<Relation>,
    /// Lists of parts that an import gives inside it.
    pub parts: Vec<PartList>,
    /// Order of its lists when none is asked for: a place in `fields`, and a direction.
    pub default_order: (usize, Direction),
    /// Fields that make the key of a part, where the key is not given by hand.
    pub key_from: &'static [&'static str],
    /// What its lists can be divided by when they are counted.
    pub dimensions: Vec<Dimension>,
    /// What is counted of it, where it has statistics.
    pub statistics: Option<StatisticsSpec>,
    further_dimensions: Vec<ExtraDimension>,
    order_name: Option<(&'static str, Direction)>,
    within: Option<&'static str>,
}

impl Record {
    fn new(ty: RecordType, entity: impl EntityName, shape: RecordKind) -> Self {
        Self {
            ty,
            table: entity.table_name(),
            plural: "",
            doc: "",
            shape,
            fields: Vec::new(),
            relations: Vec::new(),
            parts: Vec::new(),
            default_order: (0, Direction::Asc),
            key_from: &[],
            dimensions: Vec::new(),
            statistics: None,
            further_dimensions: Vec::new(),
            order_name: None,
            within: None,
        }
    }

    /// A record with a life of its own.
    pub fn root(ty: RecordType, entity: impl EntityName, plural: &'static str) -> Self {
        Self { plural, ..Self::new(ty, entity, RecordKind::Record) }
    }

    /// A part of the record that `owner` refers to; the inverse of `owner` names the list of parts.
    pub fn part(ty: RecordType, entity: impl EntityName, owner: Field) -> Self {
        Self::new(ty, entity, RecordKind::Part { cited: true }).field(owner)
    }

    /// A part that carries no citations; its key is made from these fields.
    pub fn link(ty: RecordType, entity: impl EntityName, owner: Field, key_from: &'static [&'static str]) -> Self {
        Self { key_from, ..Self::new(ty, entity, RecordKind::Part { cited: false }).field(owner) }
    }

    /// An entry that the store writes and nobody changes.
    pub fn log(ty: RecordType, entity: impl EntityName) -> Self {
        Self::new(ty, entity, RecordKind::Log)
    }

    /// The lists that hold all of these under a name of their own.
    pub fn listed(mut self, plural: &'static str) -> Self {
        self.plural = plural;
        self
    }

    /// What one is, for a reader of the schema.
    pub fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// Adds a field.
    pub fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// Order of lists when none is asked for.
    pub fn default_order(mut self, field: &'static str, direction: Direction) -> Self {
        self.order_name = Some((field, direction));
        self
    }

    /// The record belongs to the jurisdiction of what this field refers to.
    pub fn within(mut self, field: &'static str) -> Self {
        self.within = Some(field);
        self
    }

    /// Lists can also be divided by what lies at the end of this path: a list, then fields.
    pub fn dimension(mut self, name: &'static str, path: &'static [&'static str], doc: &'static str) -> Self {
        self.further_dimensions.push(ExtraDimension { name, path, doc });
        self
    }

    /// The record has statistics.
    pub fn statistics(mut self, statistics: StatisticsSpec) -> Self {
        self.statistics = Some(statistics);
        self
    }

    /// Name in the schema.
    pub fn name(&self) -> &'static str {
        self.ty.name()
    }

    /// Name of one in the schema's fields and in imports, such as `voteEvent`.
    pub fn singular(&self) -> String {
        let name = self.name();
        name[..1].to_lowercase() + &name[1..]
    }

    /// Whether it can have citations.
    pub fn is_cited(&self) -> bool {
        matches!(self.shape, RecordKind::Record | RecordKind::Part { cited: true })
    }

    /// Place of the field of this name.
    pub fn field_index(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// Place of the relation of this name.
    pub fn relation_index(&self, name: &str) -> Option<usize> {
        self.relations.iter().position(|relation| relation.name == name)
    }

    /// The field the record is called by.
    pub fn label(&self) -> Option<&Field> {
        self.fields.iter().find(|field| field.is_label)
    }

    /// The field that refers to the record a part belongs to.
    pub fn owner(&self) -> Option<&Field> {
        matches!(self.shape, RecordKind::Part { .. }).then(|| &self.fields[0])
    }

    /// The field through which the record belongs to a jurisdiction.
    pub fn jurisdiction_field(&self) -> Option<&Field> {
        let name = self.within.unwrap_or("jurisdiction");
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether it is known of it when it was last checked.
    pub fn is_checked(&self) -> bool {
        self.field_index(CHECKED_AT).is_some()
    }

    /// Name of a list of these in this order, as cursors carry it.
    pub fn list_name(&self, order: (usize, Direction)) -> String {
        let direction = match order.1 {
            Direction::Asc => "",
            Direction::Desc => " descending",
        };
        format!("{} by {}{direction}", self.name(), self.fields[order.0].name)
    }

    fn with_system_fields(mut self) -> Self {
        let published = Field::system(
            "published",
            "published",
            FieldKind::Boolean,
            "Whether the record is published; drafts are shown to editors only.",
        );
        let disputed = Field::system(
            "disputed",
            "disputed",
            FieldKind::Boolean,
            "Whether sources disagree about this, or about a part of it. All claims are kept: see disputes.",
        );
        match self.shape {
            RecordKind::Record => {
                let mut slug = Field::system(
                    "slug",
                    "slug",
                    FieldKind::Text,
                    "Short readable name, unique among records of this type; it stays the same when the name changes.",
                );
                slug.system = false;
                self.fields.push(slug);
                self.fields.push(Field { system: false, ..published });
                self.fields.push(disputed);
                self.fields.push(Field::system(
                    "revision",
                    "revision",
                    FieldKind::Integer,
                    "Number of the latest change of the record; the first is 1.",
                ));
                self.fields.push(
                    Field::system("createdAt", "created_at", FieldKind::Instant, "When the record was first written here.").ordered(),
                );
                self.fields
                    .push(Field::system("updatedAt", "updated_at", FieldKind::Instant, "When the record last changed here.").ordered());
            }
            RecordKind::Part { cited } => {
                let mut key = Field::system(
                    "key",
                    "key",
                    FieldKind::Text,
                    "Name of the part, unique inside its record; it stays the same when the part changes.",
                );
                key.system = false;
                self.fields.push(key);
                self.fields.push(Field::system("position", "position", FieldKind::Integer, "Place in its list, counted from 1.").ordered());
                if cited {
                    self.fields.push(disputed);
                }
            }
            RecordKind::Log => {}
        }
        let (name, direction) = self.order_name.unwrap_or_else(|| match (self.label(), self.shape) {
            (Some(label), _) => (label.name, Direction::Asc),
            (None, _) => ("position", Direction::Asc),
        });
        let index = self.field_index(name).unwrap_or_else(|| panic!("{} has no field {name} to be ordered by", self.ty.name()));
        self.fields[index].ordered = true;
        self.default_order = (index, direction);
        self
    }
}

/// All types of record, with their relations in both directions.
#[derive(Debug)]
pub struct Catalog {
    records: Vec<Record>,
    by_plural: HashMap<&'static str, RecordType>,
}

impl Catalog {
    fn new(declared: Vec<Record>) -> Self {
        let mut slots: Vec<Option<Record>> = RecordType::ALL.iter().map(|_| None).collect();
        for record in declared {
            let slot = &mut slots[record.ty as usize];
            assert!(slot.is_none(), "{} is declared twice", record.ty.name());
            *slot = Some(record.with_system_fields());
        }
        let mut records: Vec<Record> = slots
            .into_iter()
            .zip(RecordType::ALL)
            .map(|(slot, ty)| slot.unwrap_or_else(|| panic!("{} is listed and not declared", ty.name())))
            .collect();
        let kinds = record_kinds(&records);
        for field in records.iter_mut().flat_map(|record| &mut record.fields).filter(|field| field.name == RECORD_TYPE) {
            field.kind = FieldKind::Choice(kinds);
        }
        for from in 0..records.len() {
            for index in 0..records[from].fields.len() {
                let field = records[from].fields[index].clone();
                let Some(inverse) = field.inverse else { continue };
                let source = &records[from];
                let is_owner = index == 0 && matches!(source.shape, RecordKind::Part { .. });
                let (target, via) = match inverse.through {
                    None => (source.ty, Via::Column(field.column)),
                    Some(name) => {
                        let far = source.field_index(name).map(|index| &source.fields[index]);
                        let Some(Field { kind: FieldKind::One(target), column, .. }) = far else {
                            panic!("{}.{name} is no reference to go through", source.name())
                        };
                        (*target, Via::Link { table: source.table, parent: field.column, child: column })
                    }
                };
                let relation = Relation { name: inverse.name, doc: inverse.doc, target, short: inverse.short, via };
                let part = PartList { name: inverse.name, part: source.ty };
                let is_history = source.shape == RecordKind::Log;
                let cites = source.ty == RecordType::Citation;
                for record in &mut records {
                    let refers = match field.kind {
                        FieldKind::One(target) => target == record.ty,
                        FieldKind::Any if cites => record.is_cited(),
                        _ => record.shape == RecordKind::Record,
                    };
                    if refers {
                        record.relations.push(relation.clone());
                        if is_owner && !is_history {
                            record.parts.push(part.clone());
                        }
                    }
                }
            }
        }
        let dimensions: Vec<Vec<Dimension>> =
            records.iter().map(|record| dimension::resolve(&records, record, &record.further_dimensions)).collect();
        for (record, dimensions) in records.iter_mut().zip(dimensions) {
            record.dimensions = dimensions;
        }
        let by_plural =
            records.iter().filter(|record| record.shape == RecordKind::Record).map(|record| (record.plural, record.ty)).collect();
        Self { records, by_plural }
    }

    /// The declaration of a type.
    pub fn get(&self, ty: RecordType) -> &Record {
        &self.records[ty as usize]
    }

    /// Every type.
    pub fn all(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    /// The type whose list has this name.
    pub fn by_plural(&self, plural: &str) -> Option<&Record> {
        self.by_plural.get(plural).map(|ty| self.get(*ty))
    }

    /// Types in an order in which each comes after those it refers to, parts and links last.
    pub fn write_order(&self) -> Vec<RecordType> {
        let mut order: Vec<RecordType> = Vec::new();
        while order.len() < self.records.len() {
            let before = order.len();
            for record in &self.records {
                let ready = record.fields.iter().all(|field| match field.kind {
                    FieldKind::One(target) => target == record.ty || order.contains(&target),
                    _ => true,
                });
                let turn = record.shape == RecordKind::Record
                    || self.records.iter().all(|other| other.shape != RecordKind::Record || order.contains(&other.ty));
                if ready && turn && !order.contains(&record.ty) {
                    order.push(record.ty);
                }
            }
            assert!(order.len() > before, "record types refer to each other in a circle");
        }
        order
    }
}

/// The types of records with a life of their own, as a vocabulary.
fn record_kinds(records: &[Record]) -> &'static Vocabulary {
    let records = records.iter().filter(|record| record.shape == RecordKind::Record);
    let choices: Vec<Choice> = records.map(|record| Choice::new(record.ty.prefix(), record.doc)).collect();
    // once for each process, for as long as it lives
    Box::leak(Box::new(Vocabulary { name: "RecordType", doc: "A type of record.", choices: choices.leak() }))
}

/// All types of record.
pub fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::new(crate::catalog::records::declared()));
    &CATALOG
}

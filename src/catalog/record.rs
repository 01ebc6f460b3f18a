//! Record types: their table, fields, relations and statistics.
//!
//! Each file of `catalog/records` declares its records with the builder methods of [`Record`] and [`Field`]. Pagination,
//! filters, ordering, citations, search, import and the GraphQL types are derived from these declarations.

use heck::ToLowerCamelCase;

use crate::catalog::dimension::{Dimension, ExtraDimension};
use crate::catalog::field::{CHECKED_AT, Field};
use crate::catalog::kind::FieldKind;
use crate::catalog::measure::StatisticsSpec;
use crate::catalog::relation::{PartList, Relation};
use crate::core::ids::{FieldId, RelationId};
use crate::core::pagination::Direction;
use crate::entity::RecordType;

/// The life cycle of a record type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// Independent: has a slug, a history, topics and identifiers.
    Record,
    /// Belongs to the record that its first field references, and is deleted with it.
    Part {
        /// Whether it can have citations of its own.
        cited: bool,
    },
    /// Written once by the store, then immutable.
    Log,
}

/// A list field that counts parts of the same record, such as the votes for each option. The parts may be fewer: not all are
/// known.
#[derive(Debug, Clone, Copy)]
pub struct Totals {
    /// The list field.
    pub field: &'static str,
    /// The list of parts.
    pub parts: &'static str,
    /// The member of the list field, and the field of a part, that say what is counted.
    pub by: &'static str,
    /// The member with the number.
    pub count: &'static str,
}

/// A record type.
#[derive(Debug)]
pub struct Record {
    /// Its type.
    pub ty: RecordType,
    /// Name of its table.
    pub table: &'static str,
    /// Name of the list of all records of this type in the schema and in imports; empty for parts.
    pub plural: &'static str,
    /// Description for the schema.
    pub doc: &'static str,
    /// Its life cycle.
    pub kind: RecordKind,
    /// Its fields; those that every record of its kind has come last.
    pub fields: Vec<Field>,
    /// The inverse lists of all references to it.
    pub relations: Vec<Relation>,
    /// Lists of parts that an import nests in it.
    pub parts: Vec<PartList>,
    /// Default order of its lists: a field and a direction.
    pub default_order: (FieldId, Direction),
    /// Fields from which the key of a part is derived, if it is not set by an editor.
    pub key_from: &'static [&'static str],
    /// Fields of a part whose values no two parts of one record share; empty if parts may be alike.
    pub distinct: &'static [&'static str],
    /// Why parts of one record may be alike. Each type of part says either this or what is distinct.
    pub alike_because: Option<&'static str>,
    /// What the record counts of its own parts.
    pub totals: Option<Totals>,
    /// Dimensions by which its records can be grouped.
    pub dimensions: Vec<Dimension>,
    /// Its statistics, if it has any.
    pub statistics: Option<StatisticsSpec>,
    /// Declared dimensions, besides those that are derived from its fields.
    pub(super) extra_dimensions: Vec<ExtraDimension>,
    declared_order: Option<(&'static str, Direction)>,
    jurisdiction_from: &'static str,
}

impl Record {
    fn new(ty: RecordType, table: &'static str, kind: RecordKind) -> Self {
        Self {
            ty,
            table,
            plural: "",
            doc: "",
            kind,
            fields: Vec::new(),
            relations: Vec::new(),
            parts: Vec::new(),
            default_order: (FieldId::new(0), Direction::Asc),
            key_from: &[],
            distinct: &[],
            alike_because: None,
            totals: None,
            dimensions: Vec::new(),
            statistics: None,
            extra_dimensions: Vec::new(),
            declared_order: None,
            jurisdiction_from: "jurisdiction",
        }
    }

    /// An independent record type.
    pub fn root(ty: RecordType, table: &'static str, plural: &'static str) -> Self {
        Self { plural, ..Self::new(ty, table, RecordKind::Record) }
    }

    /// A part of the record that `owner` references. The inverse of `owner` is the list of parts.
    pub fn part(ty: RecordType, table: &'static str, owner: Field) -> Self {
        Self::new(ty, table, RecordKind::Part { cited: true }).with_field(owner)
    }

    /// A part that cannot be cited. Its key is derived from the fields `key_from`.
    pub fn link(ty: RecordType, table: &'static str, owner: Field, key_from: &'static [&'static str]) -> Self {
        Self { key_from, ..Self::new(ty, table, RecordKind::Part { cited: false }).with_field(owner) }
    }

    /// An immutable entry that the store writes.
    pub fn log(ty: RecordType, table: &'static str) -> Self {
        Self::new(ty, table, RecordKind::Log)
    }

    /// Names the lists of all parts or entries of this type.
    pub fn listed(mut self, plural: &'static str) -> Self {
        self.plural = plural;
        self
    }

    /// Sets the description for the schema.
    pub fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// Adds a field.
    pub fn with_field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// No two parts of one record have the same values in all of these fields.
    pub fn distinct(mut self, fields: &'static [&'static str]) -> Self {
        self.distinct = fields;
        self
    }

    /// Parts of one record may have the same values, for this reason.
    pub fn may_be_alike(mut self, reason: &'static str) -> Self {
        self.alike_because = Some(reason);
        self
    }

    /// Declares what the record counts of its own parts.
    pub fn totals(mut self, totals: Totals) -> Self {
        self.totals = Some(totals);
        self
    }

    /// Sets the default order of lists: by label or position unless set.
    pub fn default_order(mut self, field: &'static str, direction: Direction) -> Self {
        self.declared_order = Some((field, direction));
        self
    }

    /// The record belongs to the jurisdiction of the record that this field references.
    pub fn jurisdiction_from(mut self, field: &'static str) -> Self {
        self.jurisdiction_from = field;
        self
    }

    /// Adds a dimension: the value at the end of a path, which is a list or a field followed by fields.
    pub fn dimension(mut self, name: &'static str, path: &'static [&'static str], doc: &'static str) -> Self {
        self.extra_dimensions.push(ExtraDimension { name, path, doc });
        self
    }

    /// Sets the statistics.
    pub fn statistics(mut self, statistics: StatisticsSpec) -> Self {
        self.statistics = Some(statistics);
        self
    }

    /// Name in the schema, such as `VoteEvent`.
    pub fn name(&self) -> &'static str {
        self.ty.name()
    }

    /// Name of a single record in schema fields and in imports, such as `voteEvent`.
    pub fn singular(&self) -> String {
        self.name().to_lower_camel_case()
    }

    /// Whether it can have citations.
    pub fn is_cited(&self) -> bool {
        matches!(self.kind, RecordKind::Record | RecordKind::Part { cited: true })
    }

    /// A field.
    pub fn field(&self, id: FieldId) -> &Field {
        &self.fields[id.index()]
    }

    /// All fields with their ids.
    pub fn fields_with_ids(&self) -> impl DoubleEndedIterator<Item = (FieldId, &Field)> + Clone {
        self.fields.iter().enumerate().map(|(index, field)| (FieldId::new(index), field))
    }

    /// The first field that satisfies a condition.
    pub fn find_field(&self, mut condition: impl FnMut(&Field) -> bool) -> Option<FieldId> {
        self.fields_with_ids().find(|(_, field)| condition(field)).map(|(id, _)| id)
    }

    /// The field with this name. For names from requests and files; see [`Record::known_field`].
    pub fn field_id(&self, name: &str) -> Option<FieldId> {
        self.find_field(|field| field.name == name)
    }

    /// The field with this name. For names in the code.
    ///
    /// # Panics
    /// If the field is not declared.
    pub fn known_field(&self, name: &'static str) -> FieldId {
        self.field_id(name).unwrap_or_else(|| panic!("{} declares no field {name}", self.name()))
    }

    /// A relation.
    pub fn relation(&self, id: RelationId) -> &Relation {
        &self.relations[id.index()]
    }

    /// All relations with their ids.
    pub fn relations_with_ids(&self) -> impl DoubleEndedIterator<Item = (RelationId, &Relation)> {
        self.relations.iter().enumerate().map(|(index, relation)| (RelationId::new(index), relation))
    }

    /// The relation with this name. For names from requests and files; see [`Record::known_relation`].
    pub fn relation_id(&self, name: &str) -> Option<RelationId> {
        self.relations_with_ids().find(|(_, relation)| relation.name == name).map(|(id, _)| id)
    }

    /// The relation with this name. For names in the code.
    ///
    /// # Panics
    /// If the relation is not declared.
    pub fn known_relation(&self, name: &'static str) -> RelationId {
        self.relation_id(name).unwrap_or_else(|| panic!("{} declares no relation {name}", self.name()))
    }

    /// The id of the field that labels the record.
    pub fn label_id(&self) -> Option<FieldId> {
        self.find_field(|field| field.is_label)
    }

    /// The field that labels the record.
    pub fn label(&self) -> Option<&Field> {
        self.fields.iter().find(|field| field.is_label)
    }

    /// The field that references the record to which a part belongs.
    pub fn owner(&self) -> Option<&Field> {
        matches!(self.kind, RecordKind::Part { .. }).then(|| self.field(FieldId::OWNER))
    }

    /// The field through which the record belongs to a jurisdiction.
    pub fn jurisdiction_field(&self) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == self.jurisdiction_from)
    }

    /// The date fields, that of the default order first.
    pub fn date_fields(&self) -> Vec<FieldId> {
        let is_date = |id: &FieldId| matches!(self.field(*id).kind, FieldKind::Date);
        let (ordered, _) = self.default_order;
        let others = self.fields_with_ids().map(|(id, _)| id).filter(|id| *id != ordered);
        std::iter::once(ordered).chain(others).filter(is_date).collect()
    }

    /// Whether it has a time of the last check.
    pub fn is_checked(&self) -> bool {
        self.field_id(CHECKED_AT).is_some()
    }

    /// Name of a list in this order, as encoded in cursors.
    pub fn list_name(&self, order: (FieldId, Direction)) -> String {
        let direction = match order.1 {
            Direction::Asc => "",
            Direction::Desc => " descending",
        };
        format!("{} by {}{direction}", self.name(), self.field(order.0).name)
    }

    /// Adds the fields that every record of its kind has, and resolves the default order.
    ///
    /// # Panics
    /// If the field of the default order is not declared.
    pub(super) fn with_common_fields(mut self) -> Self {
        self.fields.extend(common_fields(self.kind));
        let label = self.label().map_or("position", |label| label.name);
        let (name, direction) = self.declared_order.unwrap_or((label, Direction::Asc));
        let id = self.field_id(name).unwrap_or_else(|| panic!("{} is ordered by {name}, which is not a field", self.name()));
        self.fields[id.index()].ordered = true;
        self.default_order = (id, direction);
        self
    }
}

/// The fields that every record of a kind has.
fn common_fields(kind: RecordKind) -> Vec<Field> {
    let field = |name, kind| Field::new(name, kind).required();
    let disputed = field("disputed", FieldKind::Boolean).system().doc("Whether sources disagree; see disputes.");
    match kind {
        RecordKind::Record => vec![
            field("slug", FieldKind::Text).doc("Short readable name, unique among records of this type."),
            field("published", FieldKind::Boolean).doc("Whether it is published; only editors see drafts."),
            disputed,
            field("revision", FieldKind::Integer).system().doc("Latest revision, counted from 1."),
            field("createdAt", FieldKind::Instant).system().ordered().doc("When it was created in this dataset."),
            field("updatedAt", FieldKind::Instant).system().ordered().doc("When it last changed in this dataset."),
        ],
        RecordKind::Part { cited } => {
            let mut fields = vec![
                field("key", FieldKind::Text).doc("Short readable name, unique within its record."),
                field("position", FieldKind::Integer).system().ordered().doc("Position in its list, counted from 1."),
            ];
            fields.extend(cited.then_some(disputed));
            fields
        }
        RecordKind::Log => Vec::new(),
    }
}

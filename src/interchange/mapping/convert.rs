//! Applies a mapping to a row.

use std::sync::Arc;

use super::condition::Condition;
use super::option::problem_at;
use super::position::Positions;
use super::row::TableRow;
use super::rule::FieldRule;
use super::template::Template;
use super::tree::{MappedProblem, MappedTree, MappedValue};
use crate::catalog::record::Record;
use crate::core::path::PathSegment;
use crate::entity::RecordType;
use crate::interchange::input::compression::uncompressed_name;
use crate::interchange::input::encoding::TextEncoding;
use crate::interchange::input::refused_name::without_refused_mark;
use crate::store::draft::InputProblem;

/// A mapping from the columns of tables to records.
#[derive(Debug)]
pub struct Mapping {
    /// Name of the mapping file, for messages.
    pub file: Arc<str>,
    /// Cell separator, if the mapping specifies one.
    pub separator: Option<u8>,
    /// Line of a table on which its header begins, counted from 1.
    pub header_line: usize,
    /// Encoding of tables without a byte order mark.
    pub encoding: TextEncoding,
    /// Sheet of a workbook that has the table.
    pub sheet: Option<String>,
    /// Columns that are deliberately unused.
    pub ignore: Vec<String>,
    /// Records that each row has.
    pub records: Vec<RecordMapping>,
    pub(super) positions: Positions,
}

impl Mapping {
    /// Whether records are complete only at the end of a table, because their rows may stand anywhere.
    pub fn holds_rows(&self) -> bool {
        self.records.iter().any(|record| record.key.is_some() && !record.is_sorted)
    }
}

/// A mapping from the columns of a table to records of one type.
#[derive(Debug)]
pub struct RecordMapping {
    /// Declaration of the record type.
    pub record: &'static Record,
    /// Names of the tables that have these records; every table if there is none.
    pub tables: Vec<String>,
    /// Conditions, all of which a row must meet to have this record.
    pub(super) conditions: Vec<Condition>,
    /// What rows of one record have in common. Without it, every row is a record.
    pub(super) key: Option<RecordKey>,
    /// Whether rows of one record stand together.
    pub is_sorted: bool,
    pub(super) root: MappingNode,
}

/// What rows of one record have in common.
#[derive(Debug)]
pub(super) struct RecordKey {
    /// Place in the mapping.
    pub(super) path: String,
    /// Columns or templates.
    pub(super) templates: Vec<Template>,
    /// The columns, for messages.
    pub(super) label: String,
    /// Words that mean that there is no value.
    pub(super) nulls: Vec<String>,
}

/// A position in a record and the rules below it.
#[derive(Debug)]
pub(super) enum MappingNode {
    Map { entries: Vec<(String, MappingNode)>, conditions: Vec<Condition>, label: Option<Arc<str>> },
    List { items: Vec<MappingNode>, is_set: bool, label: Option<Arc<str>> },
    Leaf(Box<FieldRule>),
}

/// A column that a mapping reads.
#[derive(Debug, PartialEq, Eq)]
pub struct ColumnUse {
    /// Place in the mapping where the column is named.
    pub path: String,
    /// Name of the column.
    pub column: String,
}

impl Mapping {
    /// A problem at a place in the mapping file.
    pub fn problem(&self, path: &str, message: String) -> InputProblem {
        problem_at(&self.file, &self.positions, path, message)
    }

    /// The slugs of records that the mapping itself gives to fields, each with its place in the mapping.
    pub fn constant_references(&self) -> Vec<(String, RecordType, String)> {
        let mut references = Vec::new();
        self.records.iter().for_each(|record| record.root.collect_constant_references(&mut references));
        references
    }

    /// The records that rows of a table have, by the name of its file.
    pub fn records_of(&self, file: &str) -> Vec<&RecordMapping> {
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let original = without_refused_mark(uncompressed_name(name));
        let names = [name, uncompressed_name(name), original.as_ref()];
        self.records
            .iter()
            .filter(|record| record.tables.is_empty() || record.tables.iter().any(|table| names.contains(&table.as_str())))
            .collect()
    }
}

impl RecordMapping {
    /// Columns that the mapping reads, each once for each place.
    pub fn column_uses(&self) -> Vec<ColumnUse> {
        let mut uses: Vec<ColumnUse> = self.conditions.iter().map(condition_use).collect();
        if let Some(key) = &self.key {
            let columns = key.templates.iter().flat_map(Template::names);
            uses.extend(columns.map(|column| ColumnUse { path: key.path.clone(), column: column.to_owned() }));
        }
        self.root.collect_uses(&mut uses);
        uses
    }

    /// Whether rows refer to records by identifier or URL, so that these must be resolved before rows are converted.
    pub fn has_lookups(&self) -> bool {
        self.root.has_lookups()
    }

    /// Whether several rows can be one record.
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Columns of the key, for messages.
    pub fn key_label(&self) -> &str {
        self.key.as_ref().map_or("", |key| key.label.as_str())
    }

    /// What the row has in common with other rows of the same record, or why it has nothing.
    pub fn key_of(&self, row: &TableRow<'_>) -> Result<Vec<String>, String> {
        let Some(RecordKey { templates, nulls, .. }) = &self.key else { return Ok(Vec::new()) };
        let cell =
            |column: &str| Some(row.cell(column)).filter(|cell| !nulls.iter().any(|null| null == cell)).map_or("".into(), Into::into);
        let key: Vec<String> = templates.iter().map(|template| template.render(cell)).collect();
        if key.iter().any(String::is_empty) {
            return Err(format!("the key of the row (column {}) is empty; give it, or leave such rows out with when:", self.key_label()));
        }
        Ok(key)
    }

    /// Whether a row has this record.
    pub fn holds(&self, row: &TableRow<'_>) -> bool {
        self.conditions.iter().all(|condition| condition.holds(row))
    }

    /// Converts a row to a record; `None` if the row does not have this record.
    pub fn apply(&self, row: &TableRow<'_>) -> Option<MappedTree> {
        if !self.holds(row) {
            return None;
        }
        let MappingNode::Map { entries, .. } = &self.root else { return None };
        Some(MappedTree { line: row.line, columns: None, value: build_map(entries, row, 0) })
    }

    /// Merges a later row of the same record; returns the problems of fields that do not agree.
    pub fn merge(record: &mut MappedTree, later: MappedTree) -> Vec<MappedProblem> {
        let mut problems = Vec::new();
        record.merge(later, &mut Vec::<PathSegment>::new(), &mut problems);
        problems
    }
}

fn condition_use(condition: &Condition) -> ColumnUse {
    ColumnUse { path: condition.path.clone(), column: condition.column.clone() }
}

impl MappingNode {
    /// Columns that the values of this node are read from, for messages.
    pub(super) fn label(&self) -> Option<Arc<str>> {
        match self {
            Self::Map { label, .. } | Self::List { label, .. } => label.clone(),
            Self::Leaf(rule) => rule.label.clone(),
        }
    }

    fn collect_uses(&self, uses: &mut Vec<ColumnUse>) {
        match self {
            Self::Map { entries, conditions, .. } => {
                uses.extend(conditions.iter().map(condition_use));
                for (_, node) in entries {
                    node.collect_uses(uses);
                }
            }
            Self::List { items, .. } => items.iter().for_each(|node| node.collect_uses(uses)),
            Self::Leaf(rule) => {
                uses.extend(rule.conditions.iter().map(condition_use));
                uses.extend(rule.columns().into_iter().map(|column| ColumnUse { path: rule.path.clone(), column: column.to_owned() }));
            }
        }
    }

    fn collect_constant_references(&self, references: &mut Vec<(String, RecordType, String)>) {
        match self {
            Self::Map { entries, .. } => entries.iter().for_each(|(_, node)| node.collect_constant_references(references)),
            Self::List { items, .. } => items.iter().for_each(|node| node.collect_constant_references(references)),
            Self::Leaf(rule) => references.extend(rule.constant_references()),
        }
    }

    fn has_lookups(&self) -> bool {
        match self {
            Self::Map { entries, .. } => entries.iter().any(|(_, node)| node.has_lookups()),
            Self::List { items, .. } => items.iter().any(Self::has_lookups),
            Self::Leaf(rule) => rule.lookup.is_some(),
        }
    }

    /// The value for a row. `index` selects a value in a split cell.
    fn build(&self, row: &TableRow<'_>, index: usize) -> MappedTree {
        let value = match self {
            Self::Leaf(rule) => return rule.value(row, index),
            Self::Map { conditions, .. } if !conditions.iter().all(|condition| condition.holds(row)) => MappedValue::Absent,
            Self::Map { .. } if self.is_empty(row, index, true) => MappedValue::Absent,
            Self::Map { entries, .. } => build_map(entries, row, index),
            Self::List { items, is_set, .. } => build_list(items, *is_set, row),
        };
        MappedTree { line: row.line, columns: self.label(), value }
    }

    /// Whether any rule in the node reads a column.
    fn reads_columns(&self) -> bool {
        match self {
            Self::Map { entries, .. } => entries.iter().any(|(_, node)| node.reads_columns()),
            Self::List { items, .. } => items.iter().any(Self::reads_columns),
            Self::Leaf(rule) => rule.reads_columns(),
        }
    }

    /// Whether the node reads columns and all of them are empty in this row. A constant that a rule has as its default makes
    /// a text, but no list item.
    fn is_empty(&self, row: &TableRow<'_>, index: usize, counts_constants: bool) -> bool {
        self.reads_columns() && !self.has_value(row, index, counts_constants)
    }

    /// Whether any column that the node reads has a value at `index` in this row.
    fn has_value(&self, row: &TableRow<'_>, index: usize, counts_constants: bool) -> bool {
        match self {
            Self::Map { entries, conditions, .. } => {
                conditions.iter().all(|condition| condition.holds(row))
                    && entries.iter().any(|(_, node)| node.has_value(row, index, counts_constants))
            }
            Self::List { items, .. } => items.iter().any(|node| node.has_value(row, index, counts_constants)),
            Self::Leaf(rule) => rule.reads_columns() && rule.has_value(row, index, counts_constants),
        }
    }

    /// Whether the node makes a list item at `index`. Where cells are split, one of them must have a value there.
    fn has_item(&self, row: &TableRow<'_>, index: usize) -> bool {
        let is_map = matches!(self, Self::Map { .. });
        self.has_split_value(row, index) != Some(false) && !(is_map && self.is_empty(row, index, false))
    }

    /// Whether a split cell has a value at `index`; `None` if no cell of the node is split.
    fn has_split_value(&self, row: &TableRow<'_>, index: usize) -> Option<bool> {
        match self {
            Self::Map { entries, .. } => entries.iter().filter_map(|(_, node)| node.has_split_value(row, index)).max(),
            Self::List { .. } => None,
            Self::Leaf(rule) => rule.split_counts(row).map(|_| rule.has_value(row, index, false)),
        }
    }

    /// Number of list items that the node produces: the number of values in its split cells, which must agree.
    fn item_count(&self, row: &TableRow<'_>) -> Result<usize, String> {
        let mut counts = Vec::new();
        self.collect_counts(row, &mut counts);
        let count = counts.iter().map(|(_, given, _)| *given).max().unwrap_or(1);
        let odd = counts.iter().find(|(_, _, with_empty)| *with_empty < count);
        let longest = counts.iter().find(|(_, given, _)| *given == count);
        match (odd, longest) {
            (Some((odd, _, values)), Some((longest, ..))) => Err(format!(
                "column {longest} has {count} values and column {odd} has {values}; give one for each, with nothing between the separators where there is none"
            )),
            _ => Ok(count),
        }
    }

    fn collect_counts(&self, row: &TableRow<'_>, counts: &mut Vec<(String, usize, usize)>) {
        match self {
            Self::Map { entries, .. } => entries.iter().for_each(|(_, node)| node.collect_counts(row, counts)),
            Self::List { .. } => {}
            Self::Leaf(rule) => {
                let label = || rule.label.as_deref().unwrap_or_default().to_owned();
                counts.extend(rule.split_counts(row).map(|(given, with_empty)| (label(), given, with_empty)));
            }
        }
    }
}

fn build_map(entries: &[(String, MappingNode)], row: &TableRow<'_>, index: usize) -> MappedValue {
    MappedValue::Map(entries.iter().map(|(name, node)| (name.clone(), node.build(row, index))).collect())
}

fn build_list(nodes: &[MappingNode], is_set: bool, row: &TableRow<'_>) -> MappedValue {
    let mut items = Vec::new();
    for node in nodes {
        match node.item_count(row) {
            Ok(count) => {
                let indexes = (0..count).filter(|index| node.has_item(row, *index));
                items.extend(indexes.map(|index| node.build(row, index)).filter(MappedTree::is_present));
            }
            Err(message) => {
                items.push(MappedTree { line: row.line, columns: node.label(), value: MappedValue::Invalid(message) });
            }
        }
    }
    if items.is_empty() { MappedValue::Absent } else { MappedValue::List { items, is_set } }
}

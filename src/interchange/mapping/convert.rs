//! Applies a mapping to a row.

use std::sync::Arc;

use super::row::TableRow;
use super::rule::FieldRule;
use crate::catalog::record::Record;
use crate::core::path::PathSegment;
use crate::store::draft::value_tree::{Tree, Value};

/// A mapping from the columns of a table to records of one type.
#[derive(Debug)]
pub struct Mapping {
    /// Name of the mapping file, for messages.
    pub file: Arc<str>,
    /// Declaration of the record type.
    pub record: &'static Record,
    /// Cell separator, if the mapping specifies one.
    pub separator: Option<u8>,
    /// Columns that are deliberately unused.
    pub ignore: Vec<String>,
    pub(super) root: MappingNode,
}

/// A position in a record and the rules below it.
#[derive(Debug)]
pub(super) enum MappingNode {
    Map(Vec<(String, MappingNode)>),
    List(Vec<MappingNode>),
    Leaf(Box<FieldRule>),
}

impl Mapping {
    /// Every rule with the path of its field, without list indices.
    pub fn rules(&self) -> Vec<(Vec<PathSegment>, &FieldRule)> {
        fn collect_rules<'n>(node: &'n MappingNode, path: &[PathSegment], rules: &mut Vec<(Vec<PathSegment>, &'n FieldRule)>) {
            match node {
                MappingNode::Map(entries) => {
                    for (name, node) in entries {
                        collect_rules(node, &child(path, name), rules);
                    }
                }
                MappingNode::List(nodes) => nodes.iter().for_each(|node| collect_rules(node, path, rules)),
                MappingNode::Leaf(rule) => rules.push((path.to_owned(), rule)),
            }
        }
        let mut rules = Vec::new();
        collect_rules(&self.root, &[], &mut rules);
        rules
    }

    /// Converts a row to a record. Also returns the problems of values that could not be converted, which are invalid in
    /// the record, as pairs of a path and a message.
    pub fn apply(&self, row: &TableRow<'_>) -> (Tree, Vec<(Vec<PathSegment>, String)>) {
        let mut problems = Vec::new();
        let entries = match &self.root {
            MappingNode::Map(entries) => entries
                .iter()
                .filter_map(|(name, node)| Some((name.clone(), build(node, row, 0, &child(&[], name), &mut problems)?)))
                .collect(),
            MappingNode::List(_) | MappingNode::Leaf(_) => Vec::new(),
        };
        (Tree { line: Some(row.line), value: Value::Map(entries) }, problems)
    }
}

/// The path of a member.
fn child(path: &[PathSegment], name: &str) -> Vec<PathSegment> {
    path.iter().cloned().chain([name.to_owned().into()]).collect()
}

/// The value of a node for a row; `None` if the cells that it reads are empty. `index` selects a value in a split cell.
fn build(
    node: &MappingNode,
    row: &TableRow<'_>,
    index: usize,
    path: &[PathSegment],
    problems: &mut Vec<(Vec<PathSegment>, String)>,
) -> Option<Tree> {
    let value = match node {
        MappingNode::Leaf(rule) => match rule.value(row, index) {
            Ok(value) => value?,
            Err(message) => {
                problems.push((path.to_owned(), message));
                Value::Invalid
            }
        },
        MappingNode::Map(entries) => {
            if reads_columns(node) && !has_value(node, row, index) {
                return None;
            }
            let built =
                entries.iter().filter_map(|(name, node)| Some((name.clone(), build(node, row, index, &child(path, name), problems)?)));
            Value::Map(built.collect())
        }
        MappingNode::List(nodes) => {
            let mut items = Vec::new();
            for node in nodes {
                for index in 0..item_count(node, row) {
                    items.extend(build(node, row, index, path, problems));
                }
            }
            if items.is_empty() {
                return None;
            }
            Value::List(items)
        }
    };
    Some(Tree { line: Some(row.line), value })
}

/// Whether any rule in a node reads a column.
fn reads_columns(node: &MappingNode) -> bool {
    match node {
        MappingNode::Map(entries) => entries.iter().any(|(_, node)| reads_columns(node)),
        MappingNode::List(nodes) => nodes.iter().any(reads_columns),
        MappingNode::Leaf(rule) => rule.columns().next().is_some(),
    }
}

/// Whether any column that a node reads has a value at `index` in this row.
fn has_value(node: &MappingNode, row: &TableRow<'_>, index: usize) -> bool {
    match node {
        MappingNode::Map(entries) => entries.iter().any(|(_, node)| has_value(node, row, index)),
        MappingNode::List(nodes) => nodes.iter().any(|node| has_value(node, row, index)),
        MappingNode::Leaf(rule) => rule.columns().next().is_some() && rule.has_value(row, index),
    }
}

/// Number of list items that a list entry of the mapping produces: the largest number of values in one of its split cells.
fn item_count(node: &MappingNode, row: &TableRow<'_>) -> usize {
    match node {
        MappingNode::Map(entries) => entries.iter().map(|(_, node)| item_count(node, row)).max().unwrap_or(1),
        MappingNode::List(_) => 1,
        MappingNode::Leaf(rule) => rule.item_count(row),
    }
}

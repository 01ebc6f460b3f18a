//! Splits records into batches that can be written in sequence: each batch refers only to itself, to earlier batches and to
//! records in the database.

use std::collections::HashMap;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::entity::RecordType;
use crate::store::draft::{Draft, DraftValue};
use crate::store::write::Drafts;

/// Splits records into batches of at most `batch_rows` records. Records in a reference cycle share a batch, even if that
/// batch exceeds the limit.
pub fn split_into_batches(drafts: Drafts, batch_rows: usize) -> Vec<Drafts> {
    let mut records: Vec<Option<(RecordType, Draft)>> = sort_by_write_order(drafts).into_iter().map(Some).collect();
    let mut batches: Vec<Drafts> = Vec::new();
    let mut count = batch_rows;
    for component in dependency_components(&records) {
        if count + component.len() > batch_rows {
            batches.push(Drafts::new());
            count = 0;
        }
        count += component.len();
        let Some(batch) = batches.last_mut() else { continue };
        for (ty, draft) in component.into_iter().filter_map(|index| records[index].take()) {
            match batch.iter_mut().find(|(of, _)| *of == ty) {
                Some((_, drafts)) => drafts.push(draft),
                None => batch.push((ty, vec![draft])),
            }
        }
    }
    batches
}

fn sort_by_write_order(drafts: Drafts) -> Vec<(RecordType, Draft)> {
    let order = catalog().write_order();
    let mut records: Vec<(RecordType, Draft)> =
        drafts.into_iter().flat_map(|(ty, drafts)| drafts.into_iter().map(move |draft| (ty, draft))).collect();
    records.sort_by_key(|(ty, _)| order.iter().position(|of| of == ty));
    records
}

/// Strongly connected components of the reference graph as indices of records, in topological order: each component comes
/// after those that it refers to.
fn dependency_components(records: &[Option<(RecordType, Draft)>]) -> Vec<Vec<usize>> {
    let mut graph: DiGraph<(), (), u32> = DiGraph::with_capacity(records.len(), records.len());
    // Kosaraju's algorithm returns independent nodes in reverse insertion order; reversing the nodes keeps the input order
    let mut nodes: Vec<NodeIndex> = records.iter().map(|_| graph.add_node(())).collect();
    nodes.reverse();
    let slugs = records.iter().flatten().zip(&nodes);
    let by_slug: HashMap<(RecordType, &str), NodeIndex> =
        slugs.filter_map(|((ty, draft), node)| Some(((*ty, draft.name.as_deref()?), *node))).collect();
    let ids = records.iter().flatten().zip(&nodes);
    let by_id: HashMap<Uuid, NodeIndex> = ids.filter_map(|((_, draft), node)| Some((draft.target.id?, *node))).collect();
    for ((_, draft), node) in records.iter().flatten().zip(&nodes) {
        visit_values(draft, &mut |value| {
            let referenced = match value {
                DraftValue::Slug(ty, slug) => by_slug.get(&(*ty, slug.as_str())),
                DraftValue::Id(_, id) => by_id.get(id),
                DraftValue::Cell(_) | DraftValue::Key(..) | DraftValue::Invalid => None,
            };
            if let Some(referenced) = referenced {
                graph.add_edge(*node, *referenced, ());
            }
        });
    }
    kosaraju_scc(&graph)
        .into_iter()
        .map(|component| {
            let mut component: Vec<usize> = component.into_iter().map(|node| records.len() - 1 - node.index()).collect();
            component.sort_unstable();
            component
        })
        .collect()
}

/// Visits every value of a record and of its parts.
fn visit_values(draft: &Draft, visit: &mut impl FnMut(&DraftValue)) {
    draft.values.iter().for_each(|(_, value, _)| visit(value));
    for part in draft.parts.iter().flat_map(|(_, parts)| parts) {
        visit_values(part, visit);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use super::*;
    use crate::interchange::yaml;
    use crate::store::draft::parse;
    use proptest::prelude::*;

    fn drafts(text: &str) -> Drafts {
        let file: Arc<str> = Arc::from("test.yaml");
        parse::file(&file, &yaml::parse(&file, text).unwrap()).0
    }

    fn slugs(batches: &[Drafts]) -> Vec<Vec<String>> {
        let flat = |batch: &Drafts| batch.iter().flat_map(|(_, drafts)| drafts).filter_map(|draft| draft.name.clone()).collect();
        batches.iter().map(flat).collect()
    }

    #[test]
    fn referenced_records_come_first_across_types() {
        let text = "people: [{slug: p, name: {en: P}, topics: [t]}]\ntopics: [{slug: t, label: {en: T}, broader: u, citations: [{source: s}]}, {slug: u, label: {en: U}}]\nsources: [{slug: s, title: {en: S}, kind: other}]";
        let order: Vec<String> = slugs(&split_into_batches(drafts(text), 1)).concat();
        let place = |slug: &str| order.iter().position(|other| other == slug).unwrap();
        assert!(place("u") < place("t") && place("s") < place("t") && place("t") < place("p"), "{order:?}");
    }

    #[test]
    fn independent_records_keep_the_file_order() {
        let text = "topics: [{slug: c, label: {en: C}}, {slug: a, label: {en: A}}, {slug: b, label: {en: B}}]";
        assert_eq!(slugs(&split_into_batches(drafts(text), 2)), [vec!["c", "a"], vec!["b"]]);
    }

    #[test]
    fn reference_cycle_shares_a_batch() {
        let text = "topics: [{slug: t, label: {en: T}, citations: [{source: s}]}]\nsources: [{slug: s, title: {en: S}, kind: other, topics: [t]}, {slug: r, title: {en: R}, kind: other}]";
        let mut batches = slugs(&split_into_batches(drafts(text), 1));
        for batch in &mut batches {
            batch.sort();
        }
        batches.sort();
        assert_eq!(batches, [vec!["r"], vec!["s", "t"]]);
    }

    proptest! {
        #[test]
        fn every_record_is_in_one_batch_after_its_references(parents in prop::collection::vec(0usize..40, 40), batch_rows in 1usize..12) {
            let lines: Vec<String> =
                parents.iter().enumerate().map(|(index, parent)| format!("- {{slug: t{index}, label: {{en: T}}, broader: t{parent}}}")).collect();
            let batches = split_into_batches(drafts(&format!("topics:\n{}", lines.join("\n"))), batch_rows);
            let mut written = HashSet::new();
            for batch in slugs(&batches) {
                written.extend(batch.iter().cloned());
                for slug in &batch {
                    let parent = format!("t{}", parents[slug[1..].parse::<usize>().unwrap()]);
                    prop_assert!(written.contains(&parent), "{slug} before {parent}");
                }
            }
            prop_assert_eq!(written.len(), 40);
            prop_assert_eq!(batches.iter().flatten().map(|(_, drafts)| drafts.len()).sum::<usize>(), 40);
        }
    }
}

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
use crate::store::write::import::carried::{CarriedDrafts, RepeatedDrafts, visit_values};

/// The batches of an import, each formed once those before it are written.
#[derive(Debug)]
pub struct Batches {
    /// Records that refer to each other in a cycle, or single ones, in the order in which they are written.
    components: std::vec::IntoIter<Vec<(RecordType, Draft)>>,
    /// The component that did not fit into the last batch.
    pending: Option<Vec<(RecordType, Draft)>>,
    max_records: usize,
    /// Records of earlier batches that later ones repeat.
    pub carried: CarriedDrafts,
}

/// Records to be written together.
#[derive(Debug, Default)]
pub struct Batch {
    /// The records: first the repeated ones.
    pub drafts: Drafts,
    /// Number of records that an earlier batch had already.
    pub repeated: usize,
    /// Number of the other records.
    pub count: usize,
}

impl Batches {
    /// Splits records into batches of at most `max_records` records, with those that they repeat. Records in a reference cycle
    /// share a batch, even if that batch exceeds the limit.
    pub fn new(drafts: Drafts, max_records: usize) -> Self {
        let mut records: Vec<Option<(RecordType, Draft)>> = sort_by_write_order(drafts).into_iter().map(Some).collect();
        let components: Vec<Vec<(RecordType, Draft)>> = dependency_components(&records)
            .into_iter()
            .map(|component| component.into_iter().filter_map(|index| records[index].take()).collect())
            .collect();
        Self { components: components.into_iter(), pending: None, max_records, carried: CarriedDrafts::default() }
    }

    /// The next batch, once the outcome of the one before it is known.
    pub fn next_batch(&mut self) -> Option<Batch> {
        let mut drafts = Drafts::new();
        let (mut count, mut repeated) = (0, RepeatedDrafts::default());
        while let Some(component) = self.pending.take().or_else(|| self.components.next()) {
            let needed = self.carried.needed(component.iter().map(|(_, draft)| draft), &repeated);
            if count > 0 && count + component.len() + repeated.len() + needed.len() > self.max_records {
                self.pending = Some(component);
                break;
            }
            count += component.len();
            repeated.append(needed);
            for (ty, draft) in component {
                match drafts.iter_mut().find(|(of, _)| *of == ty) {
                    Some((_, drafts)) => drafts.push(draft),
                    None => drafts.push((ty, vec![draft])),
                }
            }
        }
        let drafts = self.carried.with_batch(&repeated, drafts);
        (count > 0).then_some(Batch { drafts, repeated: repeated.len(), count })
    }
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

    fn split_into_batches(drafts: Drafts, max_records: usize) -> Vec<Drafts> {
        let mut batches = Batches::new(drafts, max_records);
        std::iter::from_fn(|| batches.next_batch()).map(|batch| batch.drafts).collect()
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

    #[test]
    fn carried_records_are_repeated_with_what_they_need() {
        let text = "topics: [{slug: a, label: {en: A}}, {slug: b, label: {en: B}, broader: a}, {slug: c, label: {en: C}, broader: b}, {slug: d, label: {en: D}}]";
        let mut batches = Batches::new(drafts(text), 1);
        let mut repeated = Vec::new();
        while let Some(batch) = batches.next_batch() {
            repeated.push(batch.repeated);
            for (ty, drafts) in &batch.drafts {
                drafts.iter().filter(|draft| draft.name.as_deref() != Some("d")).for_each(|draft| batches.carried.carry(*ty, draft));
            }
        }
        assert_eq!(repeated, [0, 1, 2, 0]);
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

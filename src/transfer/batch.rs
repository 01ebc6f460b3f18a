//! Batches that can be written one after the other: each refers only to itself, to those before it, and to what is in the
//! database.

use std::collections::HashMap;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use uuid::Uuid;

use crate::catalog::record::catalog;
use crate::entity::RecordType;
use crate::store::draft::{Draft, DraftValue};
use crate::store::write::Drafts;

/// Puts records into batches of this size. Records that refer to each other in a circle stay together, even where that
/// makes a batch larger.
pub fn batches(drafts: Drafts, size: usize) -> Vec<Drafts> {
    let mut records: Vec<Option<(RecordType, Draft)>> = in_order(drafts).into_iter().map(Some).collect();
    let mut batches: Vec<Drafts> = Vec::new();
    let mut count = size;
    for group in groups(&records) {
        if count + group.len() > size {
            batches.push(Drafts::new());
            count = 0;
        }
        count += group.len();
        let Some(batch) = batches.last_mut() else { continue };
        for (ty, draft) in group.into_iter().filter_map(|index| records[index].take()) {
            match batch.iter_mut().find(|(of, _)| *of == ty) {
                Some((_, drafts)) => drafts.push(draft),
                None => batch.push((ty, vec![draft])),
            }
        }
    }
    batches
}

/// Records by their types, in the order in which types are written.
fn in_order(drafts: Drafts) -> Vec<(RecordType, Draft)> {
    let order = catalog().write_order();
    let mut records: Vec<(RecordType, Draft)> =
        drafts.into_iter().flat_map(|(ty, drafts)| drafts.into_iter().map(move |draft| (ty, draft))).collect();
    records.sort_by_key(|(ty, _)| order.iter().position(|of| of == ty));
    records
}

/// Places of records that must be written together, each group after those it refers to.
fn groups(records: &[Option<(RecordType, Draft)>]) -> Vec<Vec<usize>> {
    let mut graph: DiGraph<(), (), u32> = DiGraph::with_capacity(records.len(), records.len());
    // the search gives what does not depend on each other in the reverse of the order it was put in
    let mut nodes: Vec<NodeIndex> = records.iter().map(|_| graph.add_node(())).collect();
    nodes.reverse();
    let known = records.iter().flatten();
    let by_name: HashMap<(RecordType, &str), NodeIndex> =
        known.zip(&nodes).filter_map(|((ty, draft), node)| Some(((*ty, draft.name.as_deref()?), *node))).collect();
    let known = records.iter().flatten();
    let by_id: HashMap<Uuid, NodeIndex> = known.zip(&nodes).filter_map(|((_, draft), node)| Some((draft.aim.id?, *node))).collect();
    for ((_, draft), node) in records.iter().flatten().zip(&nodes) {
        references(draft, &mut |given| {
            let other = match given {
                DraftValue::Slug(ty, slug) => by_name.get(&(*ty, slug.as_str())),
                DraftValue::Id(_, id) => by_id.get(id),
                DraftValue::Cell(_) | DraftValue::Key(..) => None,
            };
            if let Some(other) = other {
                graph.add_edge(*node, *other, ());
            }
        });
    }
    kosaraju_scc(&graph)
        .into_iter()
        .map(|group| {
            let mut group: Vec<usize> = group.into_iter().map(|node| records.len() - 1 - node.index()).collect();
            group.sort_unstable();
            group
        })
        .collect()
}

fn references(draft: &Draft, each: &mut impl FnMut(&DraftValue)) {
    draft.values.iter().for_each(|(_, given, _)| each(given));
    for part in draft.parts.iter().flat_map(|(_, parts)| parts) {
        references(part, each);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use super::*;
    use crate::store::draft::parse;
    use crate::transfer::yaml;
    use proptest::prelude::*;

    fn drafts(text: &str) -> Drafts {
        let file: Arc<str> = Arc::from("test.yaml");
        parse::file(&file, &yaml::read(&file, text).unwrap()).unwrap()
    }

    fn names(batches: &[Drafts]) -> Vec<Vec<String>> {
        let flat = |batch: &Drafts| batch.iter().flat_map(|(_, drafts)| drafts).filter_map(|draft| draft.name.clone()).collect();
        batches.iter().map(flat).collect()
    }

    #[test]
    fn what_is_referred_to_comes_first_whatever_its_type() {
        let text = "people: [{slug: p, name: {en: P}, topics: [t]}]\ntopics: [{slug: t, label: {en: T}, broader: u, citations: [{source: s}]}, {slug: u, label: {en: U}}]\nsources: [{slug: s, title: {en: S}, kind: other}]";
        let order: Vec<String> = names(&batches(drafts(text), 1)).concat();
        let place = |name: &str| order.iter().position(|other| other == name).unwrap();
        assert!(place("u") < place("t") && place("s") < place("t") && place("t") < place("p"), "{order:?}");
    }

    #[test]
    fn what_depends_on_nothing_stays_in_the_order_of_the_file() {
        let text = "topics: [{slug: c, label: {en: C}}, {slug: a, label: {en: A}}, {slug: b, label: {en: B}}]";
        assert_eq!(names(&batches(drafts(text), 2)), [vec!["c", "a"], vec!["b"]]);
    }

    #[test]
    fn a_circle_is_not_taken_apart() {
        let text = "topics: [{slug: t, label: {en: T}, citations: [{source: s}]}]\nsources: [{slug: s, title: {en: S}, kind: other, topics: [t]}, {slug: r, title: {en: R}, kind: other}]";
        let mut found = names(&batches(drafts(text), 1));
        found.iter_mut().for_each(|batch| batch.sort());
        found.sort();
        assert_eq!(found, [vec!["r"], vec!["s", "t"]]);
    }

    proptest! {
        #[test]
        fn every_record_is_in_one_batch_after_those_it_refers_to(parents in prop::collection::vec(0usize..40, 40), size in 1usize..12) {
            let lines: Vec<String> =
                parents.iter().enumerate().map(|(index, parent)| format!("- {{slug: t{index}, label: {{en: T}}, broader: t{parent}}}")).collect();
            let batches = batches(drafts(&format!("topics:\n{}", lines.join("\n"))), size);
            let mut written = HashSet::new();
            for batch in names(&batches) {
                written.extend(batch.iter().cloned());
                for name in &batch {
                    let parent = format!("t{}", parents[name[1..].parse::<usize>().unwrap()]);
                    prop_assert!(written.contains(&parent), "{name} before {parent}");
                }
            }
            prop_assert_eq!(written.len(), 40);
            prop_assert_eq!(batches.iter().flatten().map(|(_, drafts)| drafts.len()).sum::<usize>(), 40);
        }
    }
}

//! The layers of the crate: dependencies point one way, and the dependencies between files form no cycles.
//!
//! Both tests read the `use` declarations and the qualified paths (`crate::...`, `super::...`) of every source file.

use std::collections::BTreeMap;
use std::path::Path;

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::server::path;

/// Layers, which are the top-level modules, with the layers and crates that they must not use.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("core", &["entity", "catalog", "store", "graphql", "http", "interchange", "cli", "config", "async_graphql", "axum", "sea_orm"]),
    ("entity", &["catalog", "store", "graphql", "http", "interchange", "cli", "config", "async_graphql", "axum"]),
    ("catalog", &["store", "graphql", "http", "interchange", "cli", "config", "async_graphql", "axum"]),
    ("store", &["graphql", "http", "interchange", "cli", "config", "async_graphql", "axum"]),
    ("interchange", &["graphql", "http", "cli", "config", "async_graphql", "axum", "sea_orm"]),
    ("graphql", &["http", "interchange", "cli", "config", "axum", "sea_orm", "sea_query", "sqlx"]),
    ("http", &["interchange", "cli", "config", "sea_orm", "sea_query", "sqlx"]),
    ("config", &["cli"]),
    ("chart", &["entity", "catalog", "store", "graphql", "http", "interchange", "cli", "config", "async_graphql", "axum"]),
    ("tabular", &["entity", "catalog", "store", "graphql", "http", "interchange", "cli", "config", "async_graphql", "axum"]),
    ("observability", &["entity", "catalog", "store", "graphql", "http", "interchange", "cli", "config", "axum"]),
];

/// The one cycle that is allowed: a projection is recursive like the GraphQL selection that it is made from.
const ALLOWED_CYCLE: &str = "graphql::projection";

/// The paths of one module, each as its segments from the root of the crate or the name of an external crate.
struct Module {
    /// Path of the module, such as `store::read::plan`; empty for the root of the crate.
    name: String,
    /// Used paths with their line, counted from 1.
    uses: Vec<(usize, Vec<String>)>,
}

/// All modules of `src`, without the content of their `#[cfg(test)]` modules.
fn modules() -> Vec<Module> {
    fn collect(folder: &Path, parent: &str, modules: &mut Vec<Module>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            let stem = file.file_stem().unwrap().to_str().unwrap().to_owned();
            let name = match stem.as_str() {
                "lib" | "main" if parent.is_empty() => String::new(),
                stem if parent.is_empty() => stem.to_owned(),
                stem => format!("{parent}::{stem}"),
            };
            if file.is_dir() {
                collect(&file, &name, modules);
            } else if file.extension().is_some_and(|extension| extension == "rs") && stem != "main" {
                modules.push(Module { uses: used_paths(&std::fs::read_to_string(&file).unwrap(), &name), name });
            }
        }
    }
    let mut modules = Vec::new();
    collect(&path("src"), "", &mut modules);
    modules
}

/// Every path in the code of a file: those of its `use` declarations, and qualified ones.
fn used_paths(text: &str, module: &str) -> Vec<(usize, Vec<String>)> {
    let code: Vec<&str> = text.lines().take_while(|line| *line != "#[cfg(test)]").collect();
    let mut paths = Vec::new();
    let mut declaration: Option<(usize, String)> = None;
    for (number, line) in code.iter().enumerate().map(|(index, line)| (index + 1, line.split("//").next().unwrap_or_default().trim())) {
        let unprefixed =
            line.strip_prefix("pub ").or_else(|| line.split_once(") ").filter(|(head, _)| head.starts_with("pub(")).map(|(_, rest)| rest));
        if declaration.is_none() && unprefixed.unwrap_or(line).starts_with("use ") {
            declaration = Some((number, String::new()));
        }
        match &mut declaration {
            Some((start, tree)) => {
                tree.push_str(line);
                if line.ends_with(';') {
                    let tree = tree.split_once("use ").map_or("", |(_, tree)| tree).trim_end_matches(';');
                    expand(tree, &[], &mut |segments| paths.push((*start, segments)));
                    declaration = None;
                }
            }
            None => paths.extend(qualified(line).map(|segments| (number, segments))),
        }
    }
    paths.into_iter().map(|(line, segments)| (line, absolute(segments, module))).collect()
}

/// Calls `found` with each path of a `use` tree such as `a::{b, c::d}`.
fn expand(tree: &str, prefix: &[String], found: &mut dyn FnMut(Vec<String>)) {
    let Some((head, rest)) = tree.split_once('{') else {
        let name = tree.split(" as ").next().unwrap_or_default();
        let segments = name.split("::").map(str::trim).filter(|segment| !segment.is_empty()).map(str::to_owned);
        return found(prefix.iter().cloned().chain(segments).collect());
    };
    let prefix: Vec<String> =
        prefix.iter().cloned().chain(head.split("::").map(str::trim).filter(|segment| !segment.is_empty()).map(str::to_owned)).collect();
    let body = rest.trim().strip_suffix('}').unwrap_or(rest);
    let (mut depth, mut start) = (0, 0);
    for (index, character) in body.char_indices().chain([(body.len(), ',')]) {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let item = body[start..index].trim();
                if !item.is_empty() {
                    expand(item, &prefix, found);
                }
                start = index + 1;
            }
            _ => {}
        }
    }
}

/// Paths in a line of code that begin with `crate::` or `super::`, or with the name of an external crate.
fn qualified(line: &str) -> impl Iterator<Item = Vec<String>> {
    line.split(|character: char| !(character.is_alphanumeric() || character == '_' || character == ':'))
        .filter(|word| word.contains("::"))
        .map(|word| word.split("::").filter(|segment| !segment.is_empty()).map(str::to_owned).collect::<Vec<_>>())
        .filter(|segments| segments.first().is_some_and(|first| first.starts_with(char::is_lowercase)))
}

/// A path from the root of the crate; paths of external crates stay as they are.
fn absolute(segments: Vec<String>, module: &str) -> Vec<String> {
    let of_module: Vec<String> = module.split("::").filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
    match segments.first().map(String::as_str) {
        Some("self") => ["crate".to_owned()].into_iter().chain(of_module).chain(segments.into_iter().skip(1)).collect(),
        Some("super") => {
            let up = segments.iter().take_while(|segment| *segment == "super").count();
            let parent = of_module.len().saturating_sub(up);
            ["crate".to_owned()].into_iter().chain(of_module.into_iter().take(parent)).chain(segments.into_iter().skip(up)).collect()
        }
        // from the root of this crate, or of another
        _ => segments,
    }
}

#[test]
fn dependencies_point_one_way() {
    let modules = modules();
    let mut faults = Vec::new();
    for (layer, forbidden) in FORBIDDEN {
        let in_layer = |module: &&Module| module.name.split("::").next() == Some(layer);
        assert!(modules.iter().any(|module| in_layer(&module)), "there is no layer {layer}");
        for module in modules.iter().filter(in_layer) {
            for (line, segments) in &module.uses {
                // a layer is named by its path from the root; a first segment of that name would be a child module
                let is_layer = |name: &&str| modules.iter().any(|module| module.name == **name);
                let target = match segments.first().map(String::as_str) {
                    Some("crate") => segments.get(1).map(String::as_str),
                    name => name.filter(|name| !is_layer(name)),
                };
                if let Some(target) = target.filter(|target| forbidden.contains(target)) {
                    faults.push(format!("{}, line {line}: {layer} must not use {target}", module.name));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn files_do_not_depend_on_each_other_in_cycles() {
    let modules = modules();
    let names: BTreeMap<&str, usize> = modules.iter().enumerate().map(|(index, module)| (module.name.as_str(), index)).collect();
    let mut graph = DiGraph::<usize, usize>::new();
    for index in 0..modules.len() {
        graph.add_node(index);
    }
    for (index, module) in modules.iter().enumerate() {
        for (line, segments) in &module.uses {
            // a module's own items and children, and a path into another file
            let inside = match segments.first().map(String::as_str) {
                Some("crate") => segments[1..].to_vec(),
                Some(_) => module.name.split("::").map(str::to_owned).chain(segments.iter().cloned()).collect(),
                None => continue,
            };
            let target = (1..=inside.len()).rev().find_map(|length| names.get(inside[..length].join("::").as_str()));
            if let Some(&target) = target.filter(|target| **target != index) {
                graph.update_edge(NodeIndex::new(index), NodeIndex::new(target), *line);
            }
        }
    }
    let mut cycles = Vec::new();
    for cycle in tarjan_scc(&graph).into_iter().filter(|cycle| cycle.len() > 1) {
        let allowed = cycle.iter().all(|index| modules[index.index()].name.starts_with(ALLOWED_CYCLE));
        if !allowed {
            let edges = graph.edge_references().filter(|edge| cycle.contains(&edge.source()) && cycle.contains(&edge.target()));
            let name = |index: NodeIndex| &modules[index.index()].name;
            let edges = edges.map(|edge| format!("  {}, line {} -> {}", name(edge.source()), edge.weight(), name(edge.target())));
            cycles.push(format!("a cycle of {} files:\n{}", cycle.len(), edges.collect::<Vec<_>>().join("\n")));
        }
    }
    assert!(cycles.is_empty(), "{}", cycles.join("\n"));
}

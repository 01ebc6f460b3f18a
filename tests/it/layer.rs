//! Dependencies point one way.

use std::path::Path;

use crate::server::path;

/// Files of a room, and the paths that must not occur in them.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "core",
        &["crate::entity", "crate::catalog", "crate::store", "crate::graphql", "crate::http", "crate::transfer", "crate::app", "axum"],
    ),
    (
        "entity",
        &["crate::catalog", "crate::store", "crate::graphql", "crate::http", "crate::transfer", "crate::app", "async_graphql", "axum"],
    ),
    ("catalog", &["crate::store", "crate::graphql", "crate::http", "crate::transfer", "crate::app", "async_graphql", "axum"]),
    ("store", &["crate::graphql", "crate::http", "crate::transfer", "crate::app", "async_graphql", "axum"]),
    ("transfer", &["crate::graphql", "crate::http", "crate::app", "async_graphql", "axum", "sea_orm"]),
    ("graphql", &["crate::http", "crate::transfer", "crate::app", "axum", "sea_orm", "sea_query", "sqlx"]),
    (
        "chart",
        &["crate::entity", "crate::catalog", "crate::store", "crate::graphql", "crate::http", "crate::transfer", "crate::app", "axum"],
    ),
    ("http", &["crate::transfer", "crate::app", "sea_orm", "sea_query", "sqlx"]),
];
const BOTTOM: &[&str] = &["table", "meter", "telemetry"];

fn check(file: &Path, words: &[&str]) {
    let text = std::fs::read_to_string(file).unwrap();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
        for word in words {
            let stands = line.match_indices(word).any(|(index, _)| {
                let before = line[..index].chars().next_back();
                !before.is_some_and(|character| character.is_alphanumeric() || character == '_')
            });
            assert!(!stands, "{}:{}: {word} must not be used here", file.display(), number + 1);
        }
    }
}

fn walk(folder: &Path, words: &[&str]) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.extension() {
            _ if path.is_dir() => walk(&path, words),
            Some(extension) if extension == "rs" => check(&path, words),
            _ => {}
        }
    }
}

#[test]
fn dependencies_point_one_way() {
    for (module, words) in FORBIDDEN {
        check(&path(&format!("src/{module}.rs")), words);
        walk(&path(&format!("src/{module}")), words);
    }
    let above: Vec<String> =
        ["entity", "store", "graphql", "http", "transfer", "app"].iter().map(|module| format!("crate::{module}")).collect();
    let above: Vec<&str> = above.iter().map(String::as_str).collect();
    for module in BOTTOM {
        check(&path(&format!("src/{module}.rs")), &above);
    }
}

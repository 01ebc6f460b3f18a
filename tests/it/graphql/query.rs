//! Example queries, and queries of every field of every type, return the same responses on SQLite and PostgreSQL.

use std::fmt::Write;
use std::path::PathBuf;

use kurultai::catalog::catalog;
use kurultai::catalog::kind::FieldKind;
use kurultai::catalog::record::{Record, RecordKind};
use serde_json::{Value, json};

use crate::server::{On, Server, path};

pub async fn sample_servers() -> (Server, Server) {
    (Server::sample(On::Sqlite).await, Server::sample(On::Postgres).await)
}

/// Asserts that both servers return the same data without errors, and that it matches the snapshot.
pub async fn assert_same_response(servers: &(Server, Server), name: &str, query: &str) {
    let on_sqlite = servers.0.answer(query, json!({})).await;
    assert!(on_sqlite.get("errors").is_none(), "{name}: {on_sqlite:#}");
    let on_postgres = servers.1.answer(query, json!({})).await;
    assert_eq!(to_text(&on_sqlite), to_text(&on_postgres), "{name} differs between SQLite and PostgreSQL");
    insta::with_settings!({snapshot_path => "snapshots/query", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, to_text(&on_sqlite));
    });
}

fn to_text(response: &Value) -> String {
    serde_json::to_string_pretty(response).unwrap()
}

fn graphql_files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(path(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "graphql"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

#[tokio::test]
async fn example_queries_agree_on_both_databases() {
    let servers = sample_servers().await;
    for file in graphql_files("tests/it/queries").into_iter().chain(graphql_files("web/examples")) {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        assert_same_response(&servers, &name, &std::fs::read_to_string(&file).unwrap()).await;
    }
}

/// Selects every field of a record type, two levels deep.
fn every_field(record: &Record) -> String {
    let scalars = |record: &Record| {
        let mut fields = vec!["id".to_owned()];
        for field in &record.fields {
            match field.kind {
                FieldKind::One(_) | FieldKind::Any => {}
                FieldKind::List(structure) => {
                    let members: Vec<&str> = structure.members.iter().map(|member| member.name).collect();
                    fields.push(format!("{} {{ {} }}", field.name, members.join(" ")));
                }
                FieldKind::Translated => fields.push(format!("{} {} {{ lang text }}", field.name, field.plural())),
                _ => fields.push(field.name.to_owned()),
            }
        }
        fields.join(" ")
    };
    let mut selection = scalars(record);
    for field in &record.fields {
        match field.kind {
            FieldKind::One(target) => write!(selection, " {} {{ {} }}", field.name, scalars(catalog().get(target))).unwrap(),
            FieldKind::Any => write!(selection, " {} {{ __typename id disputed }}", field.name).unwrap(),
            _ => {}
        }
    }
    for relation in &record.relations {
        let target = scalars(catalog().get(relation.target));
        if relation.short {
            write!(selection, " {} {{ {target} }}", relation.name).unwrap();
        } else {
            write!(
                selection,
                " {}(first: 3) {{ totalCount pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} edges {{ cursor node {{ {target} }} }} }}",
                relation.name
            )
            .unwrap();
        }
    }
    if record.is_cited() {
        selection += " disputes { field accepted claims { value accepted citations { quote source { slug } } } }";
    }
    selection
}

#[tokio::test]
async fn every_field_of_every_type_agrees_on_both_databases() {
    let servers = sample_servers().await;
    for record in catalog().all() {
        let name = format!("everything_{}", record.ty.prefix());
        let selection = every_field(record);
        if record.plural.is_empty() {
            let owner = catalog()
                .all()
                .find(|owner| owner.kind == RecordKind::Record && owner.relations.iter().any(|relation| relation.target == record.ty));
            let owner = owner.unwrap();
            let list = owner.relations.iter().find(|relation| relation.target == record.ty).unwrap();
            let below = if list.short {
                format!("{} {{ {selection} }}", list.name)
            } else {
                format!("{}(first: 5) {{ nodes {{ {selection} }} }}", list.name)
            };
            assert_same_response(&servers, &name, &format!("{{ {}(first: 30) {{ nodes {{ slug {below} }} }} }}", owner.plural)).await;
        } else {
            assert_same_response(&servers, &name, &format!("{{ {}(first: 4) {{ totalCount nodes {{ {selection} }} }} }}", record.plural))
                .await;
        }
    }
}

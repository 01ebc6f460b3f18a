//! The example queries, and everything that can be asked of every type, give the same answers on both databases.

use std::path::PathBuf;

use kurultai::catalog::catalog;
use kurultai::catalog::kind::FieldKind;
use kurultai::catalog::record::{Record, RecordKind};
use serde_json::{Value, json};

use crate::server::{On, Server, path};

pub async fn both() -> (Server, Server) {
    (Server::sample(On::Sqlite).await, Server::sample(On::Postgres).await)
}

pub async fn same(servers: &(Server, Server), name: &str, query: &str) {
    let on_sqlite = servers.0.answer(query, json!({})).await;
    assert!(on_sqlite.get("errors").is_none(), "{name}: {on_sqlite:#}");
    let on_postgres = servers.1.answer(query, json!({})).await;
    assert_eq!(text(&on_sqlite), text(&on_postgres), "{name} differs between SQLite and PostgreSQL");
    insta::with_settings!({snapshot_path => "snapshots/query", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, text(&on_sqlite));
    });
}

fn text(answer: &Value) -> String {
    serde_json::to_string_pretty(answer).unwrap()
}

fn files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(path(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "graphql"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

#[tokio::test]
async fn queries_answer_alike_on_both_databases() {
    let servers = both().await;
    for file in files("tests/it/queries").into_iter().chain(files("web/examples")) {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        same(&servers, &name, &std::fs::read_to_string(&file).unwrap()).await;
    }
}

/// A query for everything that a type has, two levels deep.
fn everything(record: &Record) -> String {
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
            FieldKind::One(target) => selection += &format!(" {} {{ {} }}", field.name, scalars(catalog().get(target))),
            FieldKind::Any => selection += &format!(" {} {{ __typename id disputed }}", field.name),
            _ => {}
        }
    }
    for relation in &record.relations {
        let target = scalars(catalog().get(relation.target));
        selection += &match relation.short {
            true => format!(" {} {{ {target} }}", relation.name),
            false => format!(
                " {}(first: 3) {{ totalCount pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} edges {{ cursor node {{ {target} }} }} }}",
                relation.name
            ),
        };
    }
    if record.is_cited() {
        selection += " disputes { field accepted claims { value accepted citations { quote source { slug } } } }";
    }
    selection
}

#[tokio::test]
async fn everything_that_a_type_has_answers_alike_on_both_databases() {
    let servers = both().await;
    for record in catalog().all() {
        let name = format!("everything_{}", record.ty.prefix());
        let selection = everything(record);
        if record.plural.is_empty() {
            let owner = catalog()
                .all()
                .find(|owner| owner.shape == RecordKind::Record && owner.relations.iter().any(|relation| relation.target == record.ty));
            let owner = owner.unwrap();
            let list = owner.relations.iter().find(|relation| relation.target == record.ty).unwrap();
            let below = if list.short {
                format!("{} {{ {selection} }}", list.name)
            } else {
                format!("{}(first: 5) {{ nodes {{ {selection} }} }}", list.name)
            };
            same(&servers, &name, &format!("{{ {}(first: 30) {{ nodes {{ slug {below} }} }} }}", owner.plural)).await;
        } else {
            same(&servers, &name, &format!("{{ {}(first: 4) {{ totalCount nodes {{ {selection} }} }} }}", record.plural)).await;
        }
    }
}

//! Table export: any query as a complete table in each format, consistent with the GraphQL response.

use kurultai::catalog::catalog;
use kurultai::catalog::kind::FieldKind;
use kurultai::core::auth::Role;
use kurultai::core::digest::sha256_hex;
use kurultai::core::pagination::Page;
use kurultai::entity::RecordType;
use kurultai::store::read::plan::{ChildPlan, ListPlan, Plan};
use kurultai::store::read::result::{PageRows, RowRef};
use parquet::file::reader::{FileReader, SerializedFileReader};
use reqwest::Response;
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{Asker, On, Server};

/// An invalid request: the query, further parameters, and a part of the expected message.
type InvalidRequest<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

const ILYASHEV: &str = r#"{ cases(filter: {slug: {eq: "kazakhstan-v-ilyashev"}}) { nodes {
    slug status court { name(lang: "en") } charges { nodes { provision { number } outcome } } parties { nodes { role person { name(lang: "en") } } }
} } }"#;

async fn get(server: &Server, format: &str, query: &str, parameters: &[(&str, &str)]) -> Response {
    let url = format!("{}/table.{format}", server.address);
    let mut pairs = vec![("query", query)];
    pairs.extend(parameters);
    server.client.get(url).query(&pairs).send().await.unwrap()
}

async fn text(server: &Server, format: &str, query: &str, parameters: &[(&str, &str)]) -> String {
    let response = get(server, format, query, parameters).await;
    let (status, text) = (response.status(), response.text().await.unwrap());
    assert_eq!(status, 200, "{text}");
    text
}

async fn rejection_message(server: &Server, format: &str, query: &str, parameters: &[(&str, &str)]) -> String {
    let response = get(server, format, query, parameters).await;
    assert_eq!(response.status(), 400);
    let body: Value = response.json().await.unwrap();
    body["errors"][0]["message"].as_str().unwrap().to_owned()
}

fn parse_csv(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// A YAML document with `count` people whose names need quoting in CSV.
fn people(count: usize) -> String {
    (0..count).fold(String::from("people:\n"), |text, number| {
        text + &format!("- {{slug: p{number:05}, name: {{en: \"Person, \\\"{number}\\\"\"}}}}\n")
    })
}

#[rstest]
#[tokio::test]
async fn csv_holds_every_row_once_in_query_order(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, &people(2_345)).await;
    let csv =
        text(&server, "csv", "{ people(first: 2, order: {field: NAME, direction: ASC}) { nodes { slug full: name id } totalCount } }", &[])
            .await;
    assert!(csv.starts_with("slug,full,id\r\n"));
    let rows = parse_csv(&csv);
    assert_eq!(rows.len(), 2_346);
    let mut slugs: Vec<&str> = rows[1..].iter().map(|row| row[0].as_str()).collect();
    slugs.sort_unstable();
    slugs.dedup();
    assert_eq!(slugs.len(), 2_345);
    let names: Vec<String> = rows[1..].iter().map(|row| row[1].to_lowercase()).collect();
    assert!(names.is_sorted());
    assert!(rows[1..].iter().all(|row| row[1].starts_with("Person, \"") && row[2].starts_with("person_")));
}

#[rstest]
#[tokio::test]
async fn every_format_holds_the_same_rows(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let query =
        "{ statistics { nodes { slug measure(lang: \"en\") value periodStart revision createdAt publisher { name(lang: \"en\") } } } }";
    let nodes = server.data(query).await["statistics"]["nodes"].clone();
    let array: Value = serde_json::from_str(&text(&server, "json", query, &[]).await).unwrap();
    let lines = text(&server, "ndjson", query, &[]).await;
    let lines: Value = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect();
    assert_eq!(array, lines);
    let rows = parse_csv(&text(&server, "csv", query, &[]).await);
    assert_eq!(rows.len() - 1, nodes.as_array().unwrap().len());
    assert!(rows.len() > 4);
    for (node, (row, line)) in nodes.as_array().unwrap().iter().zip(array.as_array().unwrap().iter().zip(&rows[1..])) {
        for (name, cell) in rows[0].iter().zip(line) {
            let path = format!("/{}", name.replace('.', "/"));
            let value = node.pointer(&path).unwrap_or(&Value::Null);
            let plain = |value: &Value| match value {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                Value::Number(number) => number.as_f64().unwrap().to_string(),
                other => other.to_string(),
            };
            assert_eq!(plain(&row[name]), plain(value), "{name}");
            assert_eq!(*cell, plain(value), "{name}");
        }
    }
    let parquet = get(&server, "parquet", query, &[]).await.bytes().await.unwrap();
    let parquet = SerializedFileReader::new(parquet).unwrap();
    let first = parquet.get_row_iter(None).unwrap().next().unwrap().unwrap();
    assert_eq!(usize::try_from(parquet.metadata().file_metadata().num_rows()).unwrap(), rows.len() - 1);
    let names: Vec<&String> = first.get_column_iter().map(|(name, _)| name).collect();
    assert_eq!(names, rows[0].iter().collect::<Vec<_>>());
    let xlsx = get(&server, "xlsx", query, &[]).await;
    assert_eq!(xlsx.headers()["content-type"], "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
    assert!(xlsx.bytes().await.unwrap().starts_with(b"PK"));
}

#[rstest]
#[tokio::test]
async fn nested_lists_are_joined_or_exploded(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let joined = parse_csv(&text(&server, "csv", ILYASHEV, &[]).await);
    let header = ["slug", "status", "court.name", "charges.provision.number", "charges.outcome", "parties.role", "parties.person.name"];
    assert_eq!(joined[0], header);
    assert_eq!(joined.len(), 2);
    let all = server.data("{ cases { nodes { slug events { nodes { date } } } } }").await;
    let events = |case: &Value| case["events"]["nodes"].as_array().unwrap().len().max(1);
    let expected: usize = all["cases"]["nodes"].as_array().unwrap().iter().map(events).sum();
    let exploded =
        parse_csv(&text(&server, "csv", "{ cases { nodes { slug events { nodes { date } } } } }", &[("lists", "explode")]).await);
    assert_eq!(exploded.len() - 1, expected);
    let message = rejection_message(&server, "csv", ILYASHEV, &[("lists", "explode")]).await;
    assert!(message.contains("charges, parties"), "{message}");
    let named = parse_csv(&text(&server, "csv", ILYASHEV, &[("explode", "charges")]).await);
    assert_eq!(named[0], header);
}

#[rstest]
#[tokio::test]
async fn list_of_one_record_is_complete_and_empty_if_unknown(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let query = |slug: &str| {
        format!("{{ provision(by: {{slug: \"{slug}\"}}) {{ number law {{ provisions(first: 1) {{ nodes {{ number }} }} }} }} }}")
    };
    let rows = parse_csv(&text(&server, "csv", &query("kz-criminal-code-2014-article-274"), &[]).await);
    assert!(rows.len() > 3, "{rows:?}");
    let empty = text(&server, "csv", &query("unknown"), &[]).await;
    assert_eq!(empty, "number\r\n");
    assert_eq!(text(&server, "json", &query("unknown"), &[]).await, "[\n\n]\n");
    // the columns do not depend on the rows
    assert_eq!(text(&server, "csv", &query("unknown"), &[("sources", "true")]).await, "number,sources\r\n");
}

#[rstest]
#[tokio::test]
async fn sources_column_is_added_on_request(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let rows = parse_csv(&text(&server, "csv", ILYASHEV, &[("sources", "true")]).await);
    assert_eq!(rows[0].last().unwrap(), "sources");
    assert!(rows[1].last().unwrap().contains("https://cfj.org/"), "{rows:?}");
    let message = rejection_message(&server, "csv", "{ search(query: \"facebook\") { nodes { snippet } } }", &[("sources", "true")]).await;
    assert!(message.contains("no sources of their own"), "{message}");
}

#[tokio::test]
async fn formulas_are_escaped_on_request() {
    let server = Server::with(On::Sqlite, "people:\n- {slug: a, name: {en: '=1+1'}}\n- {slug: b, name: {en: 'plain'}}\n").await;
    let query = "{ people(order: {field: NAME, direction: ASC}) { nodes { name } } }";
    assert_eq!(text(&server, "csv", query, &[]).await, "name\r\n=1+1\r\nplain\r\n");
    assert_eq!(text(&server, "csv", query, &[("safe", "true"), ("bom", "1")]).await, "\u{feff}name\r\n'=1+1\r\nplain\r\n");
}

#[tokio::test]
async fn invalid_requests_are_rejected_with_a_remedy() {
    let server = Server::sample(On::Sqlite).await;
    let cases: &[InvalidRequest<'_>] = &[
        ("{ cases { nodes { titl } } }", &[], "title"),
        ("{ cases { nodes { slug } } }", &[("rows", "laws")], "it has cases"),
        ("{ cases { nodes { slug } } }", &[("colour", "red")], "the parameters are query, saved, documentId, variables"),
        ("{ cases { nodes { slug } } }", &[("lists", "fold")], "join or explode"),
        ("{ cases { nodes { slug } } }", &[("limit", "many")], "number of rows"),
        ("{ cases { nodes { slug } } }", &[("variables", "{")], "the URL parameter variables is not JSON"),
        (
            "{ cases { nodes { slug } edges { node { slug } } } laws { nodes { a: slug b: slug } } }",
            &[("rows", "cases.nodes")],
            "it has cases",
        ),
        ("{ cases(filter: {slug: {eq: 1}}) { nodes { slug } } }", &[], "slug"),
        ("{ cases { nodes { slug } } laws { nodes { slug } } }", &[], "specify one of cases, laws"),
        ("{ cases { nodes { slug } facets(by: [STATUS]) { dimension values { count } } } }", &[], "specify one of cases, cases.facets"),
        ("{ cases { nodes { slug } edges { node { slug } } } }", &[("rows", "cases")], "several lists cases, such as nodes and edges"),
        ("{ a: cases { totalCount } b: laws { totalCount } }", &[], "several fields and no list"),
        ("{ cases { totalCount } }", &[("rows", "cases")], "no list cases, and no other list"),
    ];
    for (query, parameters, expected) in cases {
        let message = rejection_message(&server, "csv", query, parameters).await;
        assert!(message.contains(expected), "{query} {parameters:?}: {message}");
    }
    assert_eq!(get(&server, "ods", "{ cases { nodes { slug } } }", &[]).await.status(), 404);
    assert_eq!(get(&server, "csv", "mutation { deletePerson(input: {}) { errors { code } } }", &[]).await.status(), 405);
}

/// Number of rows in the remaining batches.
async fn count_remaining(walk: &mut kurultai::store::read::scan::Scan) -> usize {
    let mut count = 0;
    while let Some(pages) = walk.next().await.unwrap() {
        count += pages.get(0).unwrap().nodes().len();
    }
    count
}

#[rstest]
#[tokio::test]
async fn snapshot_scan_ignores_concurrent_writes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, &people(2_100)).await;
    let list = || ListPlan::new(Plan::new(RecordType::Person));
    let mut snapshot = server.store.snapshot().await.unwrap().scan(list(), None, u64::MAX).await.unwrap();
    let mut live = server.store.scan(list(), None, u64::MAX).await.unwrap();
    for walk in [&mut snapshot, &mut live] {
        assert_eq!(walk.next().await.unwrap().unwrap().get(0).unwrap().nodes().len(), 2_000);
    }
    // sorts last by name
    server.import("people:\n- {slug: late, name: {en: Z}}\n").await.unwrap();
    let before = server.store.statement_count();
    assert_eq!(count_remaining(&mut snapshot).await, 100);
    // PostgreSQL reads all rows with one statement, SQLite one page at a time
    assert_eq!(server.store.statement_count() - before, u64::from(on != On::Postgres));
    assert_eq!(count_remaining(&mut live).await, 101);
}

/// A plan that reads every field of a record and of the records it refers to.
fn full_plan(ty: RecordType) -> Plan {
    let mut plan = Plan::new(ty);
    plan.select_all_fields();
    for (index, field) in catalog().get(ty).fields_with_ids() {
        if let FieldKind::One(target) = field.kind {
            let mut below = Plan::new(target);
            below.select_all_fields();
            plan.add_child(ChildPlan::One(index, Box::new(below)));
        }
    }
    plan
}

/// Formats the rows of a page read with a plan of [`full_plan`] and nested lists.
fn format_rows(slice: PageRows<'_>, plan: &Plan) -> Vec<String> {
    let row = |node: RowRef<'_>| {
        let mut row = vec![node.id(), node.cursor()];
        for (id, field) in node.record().fields_with_ids() {
            row.push(format!("{} {:?}", field.name, node.cell(id)));
        }
        for (id, child) in plan.children_with_ids() {
            if let ChildPlan::Many(_, list) = child {
                let below = node.many(id).unwrap();
                row.push(format!("{} {:#?}", below.has_next(), format_rows(below, &list.plan)));
            } else {
                let cells =
                    |one: RowRef<'_>| format!("{:?}", one.record().fields_with_ids().map(|(id, _)| one.cell(id)).collect::<Vec<_>>());
                row.push(format!("{:?}", node.one(id).map(|one| (one.id(), cells(one)))));
            }
        }
        row.join("\n")
    };
    slice.nodes().map(row).collect()
}

#[rstest]
#[tokio::test]
async fn snapshot_scan_equals_paged_scan(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let hidden = "people:\n- {slug: hidden, name: {en: H}, published: false}\ncases:\n- {slug: c, title: {en: C}, kind: civil, status: pending, parties: [{person: hidden, role: witness}, {person: alnur-ilyashev, role: plaintiff}]}\n";
    server.import(hidden).await.unwrap();
    let snapshot = server.store.snapshot().await.unwrap();
    let editors = (server.store.for_role(Role::Editor), server.store.for_role(Role::Editor).snapshot().await.unwrap());
    let mut compared = 0;
    for record in catalog().all() {
        let mut plans = vec![(full_plan(record.ty), 0)];
        for (id, relation) in record.relations_with_ids() {
            for size in [1, 1_000] {
                let mut below = ListPlan { page: Page::first(size), probe_next: true, ..ListPlan::new(full_plan(relation.target)) };
                let mut lists = 1;
                // nest a second list if the target has one
                if let Some((id, deeper)) = catalog().get(relation.target).relations_with_ids().next() {
                    below.plan.add_child(ChildPlan::Many(id, ListPlan::new(full_plan(deeper.target))));
                    lists += 1;
                }
                let mut plan = full_plan(record.ty);
                plan.add_child(ChildPlan::Many(id, below));
                plans.push((plan, lists));
            }
        }
        for (plan, lists) in plans {
            for most in [2, u64::MAX] {
                let list = || ListPlan { cursors: true, ..ListPlan::new(plan.clone()) };
                for (pages, rows) in [(&server.store, &snapshot), (&editors.0, &editors.1)] {
                    let mut found = Vec::new();
                    for store in [pages, rows] {
                        let mut walk = store.scan(list(), None, most).await.unwrap();
                        let page = walk.next().await.unwrap();
                        found.push(page.and_then(|page| Some(format_rows(page.get(0)?, &plan))).unwrap_or_default().join("\n\n"));
                        assert!(walk.next().await.unwrap().is_none());
                    }
                    let [pages, rows] = found.as_slice() else { unreachable!() };
                    assert!(rows == pages, "{}, {lists} lists, {most}:\n{rows}\n\nand not\n\n{pages}", record.name());
                    compared += usize::from(!pages.is_empty());
                }
            }
        }
    }
    assert!(compared > 200, "{compared}");
}

#[rstest]
#[tokio::test]
async fn failure_during_streaming_aborts_the_response(#[values(On::Sqlite, On::Postgres)] on: On) {
    let organizations = (0..2_050).fold(String::from("organizations:\n"), |text, number| {
        text + &format!("- {{slug: o{number:04}, name: {{en: Court {number:04}}}, classification: court}}\n")
    });
    let people = (0..1_001).fold(String::from("people:\n- {slug: p, name: {en: P}}\nmemberships:\n"), |text, number| {
        text + &format!("- {{slug: m{number:04}, label: {{en: M}}, person: p, organization: o2049}}\n")
    });
    let server = Server::with(on, &(organizations + &people)).await;
    // the oversized list belongs to the last row, which is in the second batch
    let query = "{ organizations(order: {field: NAME}) { nodes { slug memberships { nodes { slug } } } } }";
    let response = get(&server, "csv", query, &[]).await;
    assert_eq!(response.status(), 200);
    assert!(response.text().await.is_err());
    // an error before the first byte is reported, as is any error of a buffered format
    let query = "{ organizations(order: {field: NAME, direction: DESC}) { nodes { slug memberships { nodes { slug } } } } }";
    for format in ["csv", "xlsx"] {
        let message = rejection_message(&server, format, query, &[]).await;
        assert!(message.contains("say how many with first"), "{message}");
    }
    let query = "{ organizations(order: {field: NAME}) { nodes { slug memberships(first: 1) { nodes { slug } } } } }";
    assert_eq!(parse_csv(&text(&server, "csv", query, &[]).await).len(), 2_051);
}

#[tokio::test]
async fn tables_are_compressed_and_revalidated_by_etag() {
    let server = Server::with(On::Sqlite, &people(2_345)).await;
    let query = "{ people { nodes { slug name } } }";
    for format in ["csv", "ndjson", "json", "xlsx", "parquet"] {
        let plain = get(&server, format, query, &[]).await.bytes().await.unwrap();
        let url = format!("{}/table.{format}", server.address);
        for coding in ["gzip", "br", "zstd"] {
            let request = server.client.get(&url).query(&[("query", query)]).header("accept-encoding", coding);
            let response = request.send().await.unwrap();
            assert_eq!(response.headers()["content-encoding"], coding, "{format}");
            let tag = response.headers()["etag"].clone();
            let compressed = response.bytes().await.unwrap();
            assert!(!compressed.is_empty() && compressed.len() < plain.len() * 2, "{format} {coding}");
            let before = server.store.statement_count();
            let revalidated = server.client.get(&url).query(&[("query", query)]).header("if-none-match", tag).send().await.unwrap();
            assert_eq!((revalidated.status().as_u16(), server.store.statement_count()), (304, before), "{format}");
        }
    }
}

#[rstest]
#[tokio::test]
async fn statistics_can_be_exported(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let query = "{ caseStatistics(charges: {provision: {slug: {eq: \"kz-criminal-code-2014-article-274\"}}}, groupBy: [YEAR, OUTCOME], by: DECIDED_ON) { rows { year outcome count people } } }";
    assert_eq!(text(&server, "csv", query, &[]).await, "year,outcome,count,people\r\n2020,CONVICTED,1,1\r\n");
}

#[rstest]
#[tokio::test]
async fn readers_export_published_records_only(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, "people:\n- {slug: a, name: {en: A}}\n- {slug: b, name: {en: B}, published: false}\n").await;
    let rows = text(&server, "json", "{ people { nodes { slug } } }", &[]).await;
    assert_eq!(serde_json::from_str::<Value>(&rows).unwrap(), json!([{"slug": "a"}]));
}

#[rstest]
#[tokio::test]
async fn search_hits_and_single_records_can_be_exported(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let query = "{ search(query: \"facebook\") { nodes { record { label slug } } } }";
    let hits = server.data(query).await["search"]["nodes"].clone();
    let rows: Value = serde_json::from_str(&text(&server, "json", query, &[]).await).unwrap();
    let flat: Value = hits
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| json!({"record.label": hit["record"]["label"], "record.slug": hit["record"]["slug"]}))
        .collect();
    assert_eq!(rows, flat);
    let one = text(&server, "csv", "{ case(by: {slug: \"kazakhstan-v-ilyashev\"}) { slug status } }", &[]).await;
    assert_eq!(one, "slug,status\r\nkazakhstan-v-ilyashev,DECIDED\r\n");
}

#[tokio::test]
async fn parameters_are_those_of_the_documentation() {
    let server = Server::with(On::Sqlite, &people(2)).await;
    let reader = Asker::with_role(&server, Role::Reader).await;
    let query = "{ people { nodes { slug } } }";
    reader.done("saveQuery { savedQuery { hash } }", json!({"query": query, "name": "people"})).await;
    let hash = sha256_hex(query);
    let persisted = json!({"persistedQuery": {"version": 1, "sha256Hash": hash}}).to_string();
    for path in ["table.csv?", "chart.svg?x=slug&", "feed.atom?"] {
        for (name, value) in [("documentId", "people"), ("documentId", &format!("sha256:{hash}")), ("extensions", &persisted)] {
            let response = server.client.get(format!("{}/{path}", server.address)).query(&[(name, value)]).send().await.unwrap();
            let (status, text) = (response.status(), response.text().await.unwrap());
            assert_eq!(status, 200, "{path}{name} {text}");
        }
    }
    for path in ["table.csv?", "chart.svg?x=slug&"] {
        for (name, value, expected) in [
            ("lang", "!!", "is not a language tag"),
            ("lang", "ru, not a tag", "is not a language tag"),
            ("and", "1", "there is no parameter"),
            ("", "1", "there is no parameter"),
        ] {
            let request = server.client.get(format!("{}/{path}", server.address)).query(&[("query", query), (name, value)]);
            let response = request.send().await.unwrap();
            let (status, text) = (response.status(), response.text().await.unwrap());
            assert!(status == 400 && text.contains(expected), "{path}{name}={value} {status} {text}");
        }
        let request = server.client.get(format!("{}/{path}", server.address)).query(&[("query", query), ("lang", "ru, en;q=0.5")]);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
}

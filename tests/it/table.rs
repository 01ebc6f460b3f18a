//! Any query is a table: a newsroom gets the very rows that GraphiQL shows, whole, in the format it works with.

use kurultai::catalog::record::{FieldKind, catalog};
use kurultai::core::auth::Role;
use kurultai::core::pagination::Page;
use kurultai::entity::RecordType;
use kurultai::store::read::plan::{ChildPlan, ListPlan, Plan};
use kurultai::store::read::result::{PageRows, RowRef};
use parquet::file::reader::{FileReader, SerializedFileReader};
use reqwest::Response;
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{On, Server};

/// A query, parameters besides, and what the error says.
type Wrong<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

const ILYASHEV: &str = r#"{ cases(filter: {slug: {eq: "kazakhstan-v-ilyashev"}}) { nodes {
    slug status court { name(lang: "en") } charges { nodes { provision { number } outcome } } parties { nodes { role person { name(lang: "en") } } }
} } }"#;

async fn get(server: &Server, format: &str, query: &str, more: &[(&str, &str)]) -> Response {
    let url = format!("{}/table.{format}", server.address);
    let mut parameters = vec![("query", query)];
    parameters.extend(more);
    server.client.get(url).query(&parameters).send().await.unwrap()
}

async fn text(server: &Server, format: &str, query: &str, more: &[(&str, &str)]) -> String {
    let response = get(server, format, query, more).await;
    let (status, text) = (response.status(), response.text().await.unwrap());
    assert_eq!(status, 200, "{text}");
    text
}

async fn refusal(server: &Server, format: &str, query: &str, more: &[(&str, &str)]) -> String {
    let response = get(server, format, query, more).await;
    assert_eq!(response.status(), 400);
    let body: Value = response.json().await.unwrap();
    body["errors"][0]["message"].as_str().unwrap().to_owned()
}

fn records(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// More people than are read at a time, some with other names.
fn people(count: usize) -> String {
    (0..count).fold(String::from("people:\n"), |text, number| {
        text + &format!("- {{slug: p{number:05}, name: {{en: \"Person, \\\"{number}\\\"\"}}}}\n")
    })
}

#[rstest]
#[tokio::test]
async fn the_whole_list_comes_as_csv_each_row_once_in_the_order_of_the_query(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, &people(2_345)).await;
    let csv =
        text(&server, "csv", "{ people(first: 2, order: {field: NAME, direction: ASC}) { nodes { slug full: name id } totalCount } }", &[])
            .await;
    assert!(csv.starts_with("slug,full,id\r\n"));
    let rows = records(&csv);
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
    let rows = records(&text(&server, "csv", query, &[]).await);
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
    assert_eq!(parquet.metadata().file_metadata().num_rows() as usize, rows.len() - 1);
    let names: Vec<&String> = first.get_column_iter().map(|(name, _)| name).collect();
    assert_eq!(names, rows[0].iter().collect::<Vec<_>>());
    let xlsx = get(&server, "xlsx", query, &[]).await;
    assert_eq!(xlsx.headers()["content-type"], "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
    assert!(xlsx.bytes().await.unwrap().starts_with(b"PK"));
}

#[rstest]
#[tokio::test]
async fn lists_in_a_row_stand_in_one_cell_or_make_rows(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let joined = records(&text(&server, "csv", ILYASHEV, &[]).await);
    let header = ["slug", "status", "court.name", "charges.provision.number", "charges.outcome", "parties.role", "parties.person.name"];
    assert_eq!(joined[0], header);
    assert_eq!(joined.len(), 2);
    let all = server.data("{ cases { nodes { slug events { nodes { date } } } } }").await;
    let events = |case: &Value| case["events"]["nodes"].as_array().unwrap().len().max(1);
    let expected: usize = all["cases"]["nodes"].as_array().unwrap().iter().map(events).sum();
    let exploded = records(&text(&server, "csv", "{ cases { nodes { slug events { nodes { date } } } } }", &[("lists", "explode")]).await);
    assert_eq!(exploded.len() - 1, expected);
    let message = refusal(&server, "csv", ILYASHEV, &[("lists", "explode")]).await;
    assert!(message.contains("charges, parties"), "{message}");
    let named = records(&text(&server, "csv", ILYASHEV, &[("explode", "charges")]).await);
    assert_eq!(named[0], header);
}

#[rstest]
#[tokio::test]
async fn the_list_of_one_record_is_whole_too_and_an_unknown_record_has_no_rows(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let query = |slug: &str| {
        format!("{{ provision(by: {{slug: \"{slug}\"}}) {{ number law {{ provisions(first: 1) {{ nodes {{ number }} }} }} }} }}")
    };
    let whole = records(&text(&server, "csv", &query("kz-criminal-code-2014-article-274"), &[]).await);
    assert!(whole.len() > 3, "{whole:?}");
    let nothing = text(&server, "csv", &query("nothing"), &[]).await;
    assert_eq!(nothing, "number\r\n");
    assert_eq!(text(&server, "json", &query("nothing"), &[]).await, "[\n\n]\n");
    // the columns are the same whether there are rows or not
    assert_eq!(text(&server, "csv", &query("nothing"), &[("sources", "true")]).await, "number,sources\r\n");
}

#[rstest]
#[tokio::test]
async fn each_row_has_its_sources_on_request(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let rows = records(&text(&server, "csv", ILYASHEV, &[("sources", "true")]).await);
    assert_eq!(rows[0].last().unwrap(), "sources");
    assert!(rows[1].last().unwrap().contains("https://cfj.org/"), "{rows:?}");
    let message = refusal(&server, "csv", "{ search(query: \"facebook\") { nodes { snippet } } }", &[("sources", "true")]).await;
    assert!(message.contains("no sources of their own"), "{message}");
}

#[tokio::test]
async fn cells_that_a_spreadsheet_would_run_are_made_safe_on_request() {
    let server = Server::with(On::Sqlite, "people:\n- {slug: a, name: {en: '=1+1'}}\n- {slug: b, name: {en: 'plain'}}\n").await;
    let query = "{ people(order: {field: NAME, direction: ASC}) { nodes { name } } }";
    assert_eq!(text(&server, "csv", query, &[]).await, "name\r\n=1+1\r\nplain\r\n");
    assert_eq!(text(&server, "csv", query, &[("safe", "true"), ("bom", "1")]).await, "\u{feff}name\r\n'=1+1\r\nplain\r\n");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_for_a_table_is_said_with_what_would_be_right() {
    let server = Server::sample(On::Sqlite).await;
    let cases: &[Wrong<'_>] = &[
        ("{ cases { nodes { titl } } }", &[], "title"),
        ("{ cases { nodes { slug } } }", &[("rows", "laws")], "it has cases"),
        ("{ cases { nodes { slug } } }", &[("colour", "red")], "there are query, saved, variables"),
        ("{ cases { nodes { slug } } }", &[("lists", "fold")], "join or explode"),
        ("{ cases { nodes { slug } } }", &[("limit", "many")], "number of rows"),
        ("{ cases { nodes { slug } } }", &[("variables", "{")], "variables in the address is not JSON"),
        (
            "{ cases { nodes { slug } edges { node { slug } } } laws { nodes { a: slug b: slug } } }",
            &[("rows", "cases.nodes")],
            "it has cases",
        ),
        ("{ cases(filter: {slug: {eq: 1}}) { nodes { slug } } }", &[], "slug"),
    ];
    for (query, more, expected) in cases {
        let message = refusal(&server, "csv", query, more).await;
        assert!(message.contains(expected), "{query} {more:?}: {message}");
    }
    assert_eq!(get(&server, "ods", "{ cases { nodes { slug } } }", &[]).await.status(), 404);
    assert_eq!(get(&server, "csv", "mutation { deletePerson(input: {}) { errors { code } } }", &[]).await.status(), 405);
}

/// Number of rows in all parts of a walk that follow.
async fn count(walk: &mut kurultai::store::read::scan::Walk) -> usize {
    let mut count = 0;
    while let Some(pages) = walk.next().await.unwrap() {
        count += pages.of(0).unwrap().nodes().len();
    }
    count
}

#[rstest]
#[tokio::test]
async fn a_table_is_of_one_moment_whatever_is_written_while_it_is_read(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, &people(2_100)).await;
    let list = || ListPlan::new(Plan::new(RecordType::Person));
    let mut still = server.store.snapshot().await.unwrap().walk(list(), None, u64::MAX).await.unwrap();
    let mut moving = server.store.walk(list(), None, u64::MAX).await.unwrap();
    for walk in [&mut still, &mut moving] {
        assert_eq!(walk.next().await.unwrap().unwrap().of(0).unwrap().nodes().len(), 2_000);
    }
    // in the order of names this one comes last
    server.import("people:\n- {slug: late, name: {en: Z}}\n").await.unwrap();
    let before = server.store.statements();
    assert_eq!(count(&mut still).await, 100);
    // PostgreSQL gives all rows by one statement, and SQLite page by page
    assert_eq!(server.store.statements() - before, if on == On::Postgres { 0 } else { 1 });
    assert_eq!(count(&mut moving).await, 101);
}

/// Everything of a record, and of what its fields refer to.
fn all(ty: RecordType) -> Plan {
    let mut plan = Plan::new(ty);
    plan.read_all();
    for (index, field) in catalog().get(ty).fields.iter().enumerate() {
        if let FieldKind::One(target) = field.kind {
            let mut below = Plan::new(target);
            below.read_all();
            plan.add(ChildPlan::One(index, Box::new(below)));
        }
    }
    plan
}

/// What a page shows of [`all`], and of lists below each other, the last of which has none.
fn shown(slice: PageRows<'_>, lists: usize) -> Vec<String> {
    let row = |node: RowRef<'_>| {
        let mut row = vec![node.id(), node.cursor()];
        for (place, field) in node.record().fields.iter().enumerate() {
            row.push(format!("{} {:?}", field.name, node.cell(place)));
        }
        let ones = node.record().fields.iter().filter(|field| matches!(field.kind, FieldKind::One(_))).count();
        row.extend((0..ones).map(|place| format!("{:?}", node.one(place).map(|one| (one.id(), one.cell(0), one.cell(1))))));
        if lists > 0 {
            let below = node.many(ones).unwrap();
            row.push(format!("{} {:#?}", below.has_next(), shown(below, lists - 1)));
        }
        row.join("\n")
    };
    slice.nodes().map(row).collect()
}

#[rstest]
#[tokio::test]
async fn a_table_of_one_moment_holds_what_pages_hold(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let hidden = "people:\n- {slug: hidden, name: {en: H}, published: false}\ncases:\n- {slug: c, title: {en: C}, kind: civil, status: pending, parties: [{person: hidden, role: witness}, {person: alnur-ilyashev, role: plaintiff}]}\n";
    server.import(hidden).await.unwrap();
    let still = server.store.snapshot().await.unwrap();
    let editors = (server.store.seen_by(Role::Editor), server.store.seen_by(Role::Editor).snapshot().await.unwrap());
    let mut compared = 0;
    for record in catalog().all() {
        let mut plans = vec![(all(record.ty), 0)];
        for (place, relation) in record.relations.iter().enumerate() {
            for size in [1, 1_000] {
                let mut below = ListPlan { page: Page::first(size), beyond: true, ..ListPlan::new(all(relation.target)) };
                let mut lists = 1;
                // and a list below that, where there is one
                if let Some(deeper) = catalog().get(relation.target).relations.first() {
                    below.plan.add(ChildPlan::Many(0, ListPlan::new(all(deeper.target))));
                    lists += 1;
                }
                let mut plan = all(record.ty);
                plan.add(ChildPlan::Many(place, below));
                plans.push((plan, lists));
            }
        }
        for (plan, lists) in plans {
            for most in [2, u64::MAX] {
                let list = || ListPlan { cursors: true, ..ListPlan::new(plan.clone()) };
                for (pages, rows) in [(&server.store, &still), (&editors.0, &editors.1)] {
                    let mut found = Vec::new();
                    for store in [pages, rows] {
                        let mut walk = store.walk(list(), None, most).await.unwrap();
                        let page = walk.next().await.unwrap();
                        found.push(page.and_then(|page| Some(shown(page.of(0)?, lists))).unwrap_or_default().join("\n\n"));
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
async fn a_table_that_cannot_be_read_to_its_end_breaks_off(#[values(On::Sqlite, On::Postgres)] on: On) {
    let organizations = (0..2_050).fold(String::from("organizations:\n"), |text, number| {
        text + &format!("- {{slug: o{number:04}, name: {{en: Court {number:04}}}, classification: court}}\n")
    });
    let people = (0..1_001).fold(String::from("people:\n- {slug: p, name: {en: P}}\nmemberships:\n"), |text, number| {
        text + &format!("- {{slug: m{number:04}, label: {{en: M}}, person: p, organization: o2049}}\n")
    });
    let server = Server::with(on, &(organizations + &people)).await;
    // the list that is too long is that of the last row, which is read with the second part
    let query = "{ organizations(order: {field: NAME}) { nodes { slug memberships { nodes { slug } } } } }";
    let response = get(&server, "csv", query, &[]).await;
    assert_eq!(response.status(), 200);
    assert!(response.text().await.is_err());
    // where it is known before the first byte, it is said; and so it is where nothing can be sent before all is made
    let query = "{ organizations(order: {field: NAME, direction: DESC}) { nodes { slug memberships { nodes { slug } } } } }";
    for format in ["csv", "xlsx"] {
        let message = refusal(&server, format, query, &[]).await;
        assert!(message.contains("say how many with first"), "{message}");
    }
    let query = "{ organizations(order: {field: NAME}) { nodes { slug memberships(first: 1) { nodes { slug } } } } }";
    assert_eq!(records(&text(&server, "csv", query, &[]).await).len(), 2_051);
}

#[tokio::test]
async fn a_table_comes_whole_through_every_compression_and_is_not_sent_again_while_it_is_the_same() {
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
            let packed = response.bytes().await.unwrap();
            assert!(!packed.is_empty() && packed.len() < plain.len() * 2, "{format} {coding}");
            let before = server.store.statements();
            let again = server.client.get(&url).query(&[("query", query)]).header("if-none-match", tag).send().await.unwrap();
            assert_eq!((again.status().as_u16(), server.store.statements()), (304, before), "{format}");
        }
    }
}

#[rstest]
#[tokio::test]
async fn statistics_are_a_table(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let query = "{ caseStatistics(charges: {provision: {slug: {eq: \"kz-criminal-code-2014-article-274\"}}}, groupBy: [YEAR, OUTCOME], by: DECIDED) { rows { year outcome count people } } }";
    assert_eq!(text(&server, "csv", query, &[]).await, "year,outcome,count,people\r\n2020,CONVICTED,1,1\r\n");
}

#[rstest]
#[tokio::test]
async fn drafts_are_in_no_table_of_a_reader(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, "people:\n- {slug: a, name: {en: A}}\n- {slug: b, name: {en: B}, published: false}\n").await;
    let rows = text(&server, "json", "{ people { nodes { slug } } }", &[]).await;
    assert_eq!(serde_json::from_str::<Value>(&rows).unwrap(), json!([{"slug": "a"}]));
}

#[rstest]
#[tokio::test]
async fn other_lists_of_an_answer_are_tables_as_well(#[values(On::Sqlite, On::Postgres)] on: On) {
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

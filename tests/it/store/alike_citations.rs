//! Citations that a merge of sources makes the same: they come back when the merge is undone, in any order, or are listed.

use std::collections::BTreeSet;
use std::sync::Arc;

use kurultai::core::auth::Role;
use kurultai::store::draft::mark_as_import;
use kurultai::store::write::{Author, WriteSummary};
use rstest::rstest;
use serde_json::json;

use crate::server::{Asker, On, Server, read};

/// A person and a party with three citations that differ in their sources only, in this order.
fn text(order: [usize; 3]) -> String {
    let citations: Vec<String> = order.iter().map(|index| format!("{{key: c{index}, source: s{index}, field: name, quote: Q}}")).collect();
    let of_party: Vec<String> = order.iter().map(|index| format!("{{key: c{index}, source: s{index}, quote: Q}}")).collect();
    let sources: Vec<String> = (0..3).map(|index| format!("- {{slug: s{index}, title: {{en: Page {index}}}, kind: article}}")).collect();
    format!(
        "sources:\n{}\npeople:\n- {{slug: p, name: {{en: Person}}, citations: [{}]}}\ncases:\n- {{slug: c, title: {{en: Case}}, kind: civil, status: pending, parties: [{{key: one, role: plaintiff, person: p, citations: [{}]}}]}}\n",
        sources.join("\n"),
        citations.join(", "),
        of_party.join(", ")
    )
}

/// The cited sources of the person and of the party, sorted.
async fn cited(server: &Server) -> [Vec<String>; 2] {
    let query = "{ person(by: {slug: \"p\"}) { citations { nodes { source { slug } } } } case(by: {slug: \"c\"}) { parties { nodes { citations { nodes { source { slug } } } } } } }";
    let data = server.data(query).await;
    [&data["person"]["citations"], &data["case"]["parties"]["nodes"][0]["citations"]].map(|citations| {
        let nodes = citations["nodes"].as_array().unwrap().iter();
        let mut slugs: Vec<String> = nodes.map(|node| node["source"]["slug"].as_str().unwrap().to_owned()).collect();
        slugs.sort();
        slugs
    })
}

/// Imports a text, which keeps edits.
async fn import(server: &Server, text: &str) -> WriteSummary {
    let mut drafts = read(&[(Arc::from("test.yaml"), text.to_owned())]).unwrap();
    mark_as_import(&mut drafts, false);
    server.store.write(&drafts, &Author { by: "import".to_owned(), message: None }, |_| ()).await.unwrap()
}

async fn merge(editor: &Asker<'_>, (from, into): (usize, usize)) {
    editor.done("mergeSources { source { id } }", json!({"from": format!("s{from}"), "into": format!("s{into}")})).await;
}

/// Undoes a merge. Returns the listed paths, or `None` if the source that was kept is merged itself.
async fn unmerge(editor: &Asker<'_>, from: usize) -> Option<Vec<String>> {
    let payload = editor.payload("unmergeSources { record { id } notRestored { type path } }", json!({"from": format!("s{from}")})).await;
    if payload["record"].is_null() {
        assert_eq!(payload["errors"][0]["code"], "IN_USE", "{payload:#}");
        return None;
    }
    let places = payload["notRestored"].as_array().unwrap().iter();
    Some(places.map(|place| format!("{} {}", place["type"].as_str().unwrap(), place["path"].as_str().unwrap())).collect())
}

#[rstest]
#[case::chain([(0, 1), (1, 2)])]
#[case::both_into_one([(0, 1), (2, 1)])]
#[case::both_into_one_reversed([(2, 1), (0, 1)])]
#[case::one_after_the_other([(0, 1), (1, 0)])]
#[tokio::test]
async fn alike_citations_come_back_or_are_listed(#[values(On::Sqlite, On::Postgres)] on: On, #[case] merges: [(usize, usize); 2]) {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let orders = if matches!(on, On::Sqlite) { &orders[..] } else { &orders[4..5] };
    for order in orders {
        for is_reversed in [true, false] {
            let server = Server::with(on, &text(*order)).await;
            let editor = Asker::with_role(&server, Role::Editor).await;
            let before = cited(&server).await;
            let mut merged = Vec::new();
            let mut listed = BTreeSet::new();
            for (from, into) in merges {
                // the same two again, the other way round
                if merged.contains(&into) {
                    listed.extend(unmerge(&editor, into).await.unwrap());
                    merged.retain(|other| *other != into);
                }
                merge(&editor, (from, into)).await;
                merged.push(from);
            }
            while !merged.is_empty() {
                let from = if is_reversed { merged.pop().unwrap() } else { merged.remove(0) };
                match unmerge(&editor, from).await {
                    Some(places) => listed.extend(places),
                    None => merged.push(from),
                }
            }
            let context = format!("{order:?} {merges:?} {is_reversed} {listed:?}");
            let after = cited(&server).await;
            if is_reversed {
                assert!(listed.is_empty(), "{context}");
            }
            for (index, (before, after)) in before.into_iter().zip(after).enumerate() {
                let place = ["person citations", "case parties[one].citations"][index];
                assert!(before == after || listed.iter().any(|path| path.starts_with(place)), "{place}: {after:?} {context}");
            }
            // what was not restored is no edit, so the next import brings it back
            import(&server, &text(*order)).await;
            let all = ["s0", "s1", "s2"].map(str::to_owned).to_vec();
            assert_eq!(cited(&server).await, [all.clone(), all], "{context}");
        }
    }
}

/// The file of an import still has both citations, of which one has the slug of the merged source; or has only one of them. The
/// merge has not edited them.
#[rstest]
#[tokio::test]
async fn merge_of_cited_sources_is_no_edit_of_the_citations(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, &text([0, 1, 2])).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    merge(&editor, (0, 1)).await;
    let merged = ["s1", "s2"].map(str::to_owned).to_vec();
    assert_eq!(cited(&server).await, [merged.clone(), merged.clone()]);
    let summary = import(&server, &text([0, 1, 2])).await;
    assert_eq!((summary.updated, summary.kept.len()), (0, 0), "{summary:?}");
    let warnings: Vec<String> = summary.warnings.iter().map(ToString::to_string).collect();
    let expected = "test.yaml:6: people[0].citations[1]: it is the same as people[0].citations[0] since a record that it refers to was merged, and is left out; remove one of the two";
    assert!(warnings.iter().any(|warning| warning == expected), "{warnings:#?}");
    // the maintainers follow the merge, and later the other way round
    let one = text([0, 1, 2]).replace("{key: c0, source: s0, field: name, quote: Q}, ", "");
    let summary = import(&server, &one).await;
    assert_eq!((summary.updated, summary.kept.len()), (1, 0), "{summary:?}");
    assert_eq!(cited(&server).await, [merged.clone(), merged]);
    let listed = unmerge(&editor, 0).await.unwrap();
    assert_eq!(listed, ["person citations[c0]"]);
    import(&server, &text([0, 1, 2])).await;
    let all = ["s0", "s1", "s2"].map(str::to_owned).to_vec();
    assert_eq!(cited(&server).await, [all.clone(), all]);
}

/// A revert to the state before the merge has both citations, which are one now; both come back with the source.
#[rstest]
#[tokio::test]
async fn revert_to_before_a_merge_of_sources_loses_no_citation(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, &text([0, 1, 2])).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    editor.done("updatePerson { person { id } }", json!({"id": "p", "gender": "female"})).await;
    let before = cited(&server).await;
    merge(&editor, (0, 1)).await;
    editor.done("revert { record { id } }", json!({"of": {"person": "p"}, "toRevision": 1})).await;
    let person = server.data("{ person(by: {slug: \"p\"}) { gender citations { totalCount } } }").await["person"].clone();
    assert_eq!(person, json!({"gender": null, "citations": {"totalCount": 2}}));
    assert_eq!(unmerge(&editor, 0).await.unwrap(), Vec::<String>::new());
    assert_eq!(cited(&server).await, before);
}

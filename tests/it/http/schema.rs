//! The schema as a file, parts of it, and its changelog.

use std::collections::BTreeSet;
use std::str::FromStr;

use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;
use atom_syndication::Feed;
use reqwest::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use rstest::rstest;
use serde_json::Value;

use crate::server::{On, Server, path};

async fn get(server: &Server, path: &str) -> (u16, String) {
    let response = server.client.get(format!("{}{path}", server.address)).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn schema(server: &Server, query: &str) -> Valid<Schema> {
    let (status, text) = get(server, &format!("/schema.graphql?{query}")).await;
    assert_eq!(status, 200, "{query}: {text}");
    Schema::parse_and_validate(&text, "part.graphql").unwrap_or_else(|failed| panic!("{query}\n{}", failed.errors))
}

fn fields(schema: &Schema, ty: &str) -> BTreeSet<String> {
    let object = schema.get_object(ty).unwrap_or_else(|| panic!("there is no {ty}"));
    object.fields.keys().map(ToString::to_string).collect()
}

#[rstest]
#[case("/schema.graphql")]
#[case("/schema.graphql?types=Case&descriptions=false")]
#[case("/schema/changes.json")]
#[case("/schema/changes.atom")]
#[tokio::test]
async fn schema_files_have_strong_etags_and_are_revalidated(#[case] path: &str) {
    let (server, other) = (Server::empty(On::Sqlite).await, Server::empty(On::Postgres).await);
    let url = format!("{}{path}", server.address);
    let first = server.client.get(&url).send().await.unwrap();
    let tag = first.headers()[ETAG].to_str().unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.len() > 20, "{tag}");
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let again = server.client.get(&url).header(IF_NONE_MATCH, &known).send().await.unwrap();
        assert_eq!((again.status().as_u16(), again.headers()[ETAG].to_str().unwrap()), (304, tag.as_str()), "{known}");
        assert_eq!(again.headers()[CACHE_CONTROL], first.headers()[CACHE_CONTROL]);
    }
    assert_eq!(server.client.get(&url).header(IF_NONE_MATCH, "\"other\"").send().await.unwrap().status(), 200);
    // other bytes cannot have the same strong tag
    let compressed = server.client.get(&url).header(ACCEPT_ENCODING, "br").send().await.unwrap();
    assert_eq!(compressed.headers()[CONTENT_ENCODING], "br");
    assert_eq!(compressed.headers()[ETAG].to_str().unwrap(), format!("W/{tag}"));
    // the feed contains the address of its server
    if !path.ends_with("atom") {
        let elsewhere = other.client.get(format!("{}{path}", other.address)).send().await.unwrap();
        assert_eq!(elsewhere.headers()[ETAG].to_str().unwrap(), tag);
    }
}

#[tokio::test]
async fn parts_of_the_schema_have_tags_of_their_own() {
    let server = Server::empty(On::Sqlite).await;
    let tag = async |path: &str| {
        let response = server.client.get(format!("{}{path}", server.address)).send().await.unwrap();
        response.headers()[ETAG].to_str().unwrap().to_owned()
    };
    let whole = tag("/schema.graphql").await;
    assert_eq!(tag("/schema.graphql?types=&descriptions=true&utm_source=x").await, whole);
    let tags = [
        whole,
        tag("/schema.graphql?descriptions=false").await,
        tag("/schema.graphql?types=Case").await,
        tag("/schema.graphql?types=Case,Law").await,
    ];
    assert_eq!(tags.iter().collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(tag("/schema.graphql?types=Law,Case,Law").await, tags[3]);
}

#[tokio::test]
async fn part_of_the_schema_is_valid_and_has_what_its_types_need() {
    let server = Server::empty(On::Sqlite).await;
    let whole = schema(&server, "").await;
    let part = schema(&server, "types=Case,Law").await;
    assert_eq!(fields(&part, "Query"), ["case", "cases", "law", "laws"].map(ToOwned::to_owned).into());
    assert_eq!(fields(&part, "Case"), fields(&whole, "Case"));
    for needed in ["CaseFilter", "CaseOrder", "CaseConnection", "LawBy", "Node", "Record", "PartialDate", "CitationConnection"] {
        assert!(part.types.contains_key(needed), "{needed}");
        assert_eq!(part.types.get(needed), whole.types.get(needed), "{needed}");
    }
    for needless in ["Mutation", "Subscription", "CreateCaseInput", "SearchConnection", "CaseStatistics", "SavedQuery"] {
        assert!(whole.types.contains_key(needless), "{needless}");
        assert!(!part.types.contains_key(needless), "{needless}");
    }
    // root types are complete if they are requested
    let written = schema(&server, "types=Mutation").await;
    assert_eq!(fields(&written, "Mutation"), fields(&whole, "Mutation"));
    assert!(written.schema_definition.subscription.is_none());
    let read = schema(&server, "types=Query").await;
    assert_eq!(fields(&read, "Query"), fields(&whole, "Query"));
    let all = schema(&server, "types=Query,Mutation,Subscription").await;
    assert_eq!(all.types.len(), whole.types.len());
}

#[tokio::test]
async fn every_type_has_a_valid_part_of_the_schema() {
    let server = Server::empty(On::Sqlite).await;
    let whole = schema(&server, "").await;
    for (name, _) in whole.types.iter().filter(|(_, definition)| !definition.is_built_in()) {
        let part = schema(&server, &format!("types={name}&descriptions=false")).await;
        assert!(part.types.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn schema_without_descriptions_is_otherwise_the_same() {
    let server = Server::empty(On::Sqlite).await;
    let (whole, plain) = (get(&server, "/schema.graphql").await.1, get(&server, "/schema.graphql?descriptions=false").await.1);
    assert!(!plain.contains("\"\"\"") && !plain.contains("Type of action on a proposal."), "{plain}");
    assert!(plain.len() * 2 < whole.len());
    let schema = Schema::parse_and_validate(&plain, "plain.graphql").unwrap();
    let whole = Schema::parse_and_validate(&whole, "schema.graphql").unwrap();
    assert_eq!(schema.types.keys().collect::<BTreeSet<_>>(), whole.types.keys().collect::<BTreeSet<_>>());
    for ty in ["Query", "Mutation", "Case"] {
        assert_eq!(fields(&schema, ty), fields(&whole, ty));
    }
    assert!(plain.contains("@specifiedBy") && plain.contains("@oneOf"));
    // a part keeps the descriptions unless the parameter excludes them
    assert!(
        get(&server, "/schema.graphql?types=PartialDate").await.1.contains("\"\"\"") || whole.types["PartialDate"].description().is_none()
    );
}

#[rstest]
#[case("types=Cas", "there is no type \"Cas\"; did you mean Case?")]
#[case("types=Case,CaseConection", "did you mean CaseConnection?")]
#[case("types=Nonsense", "there is no type \"Nonsense\"; /schema.graphql lists the types")]
#[case("types=__Schema", "there is no type \"__Schema\"")]
#[case("type=Case", "there is no parameter \"type\"; the parameters are types and descriptions")]
#[case("descriptions=no", "descriptions: \"no\" is neither true nor false")]
#[case("types=Case&types=Law", "the URL parameter types is given twice")]
#[tokio::test]
async fn invalid_part_of_the_schema_is_rejected(#[case] query: &str, #[case] message: &str) {
    let server = Server::empty(On::Sqlite).await;
    let request = server.client.get(format!("{}/schema.graphql?{query}", server.address)).header(IF_NONE_MATCH, "*");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 400, "{query}");
    assert!(response.headers().get(ETAG).is_none());
    let answer: Value = response.json().await.unwrap();
    let actual = answer["errors"][0]["message"].as_str().unwrap();
    assert!(actual.contains(message), "{actual}");
}

#[tokio::test]
async fn changelog_of_the_schema_is_served_as_json() {
    let server = Server::empty(On::Sqlite).await;
    let response = server.client.get(format!("{}/schema/changes.json", server.address)).send().await.unwrap();
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    let text = response.text().await.unwrap();
    assert_eq!(text, std::fs::read_to_string(path("schema-changes.json")).unwrap());
    let changelog: Value = serde_json::from_str(&text).unwrap();
    let renamed = changelog["changes"].as_array().unwrap().iter().find(|change| change["path"] == "Case.decided").unwrap();
    assert_eq!((&renamed["date"], &renamed["criticality"]), (&"2026-11-29".into(), &"BREAKING".into()));
}

#[tokio::test]
async fn changelog_of_the_schema_is_served_as_a_feed() {
    let server = Server::empty(On::Sqlite).await;
    let response = server.client.get(format!("{}/schema/changes.atom", server.address)).send().await.unwrap();
    assert_eq!(response.headers()[CONTENT_TYPE], "application/atom+xml; charset=utf-8");
    let feed = Feed::from_str(&response.text().await.unwrap()).unwrap();
    assert!(feed.links.iter().any(|link| link.rel == "self" && link.href == format!("{}/schema/changes.atom", server.address)));
    let ids: BTreeSet<&str> = feed.entries.iter().map(|entry| entry.id.as_str()).collect();
    assert!(ids.len() == feed.entries.len() && ids.iter().all(|id| id.starts_with("urn:uuid:")));
    let day = feed.entries.iter().find(|entry| entry.title.as_str().starts_with("Schema of 2026-11-29")).unwrap();
    assert!(day.title.as_str().contains(" breaking"), "{}", day.title.as_str());
    assert_eq!(day.updated.to_rfc3339(), "2026-11-29T00:00:00+00:00");
    let content = day.content.as_ref().unwrap();
    assert_eq!(content.content_type.as_deref(), Some("html"));
    assert!(content.value.as_ref().unwrap().contains("breaking: Field 'decided' was removed from object type 'Case'"));
}

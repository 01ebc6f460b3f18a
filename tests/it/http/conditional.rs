//! Conditional requests: an unchanged response is not sent again, and no statement is executed to revalidate it.

use std::time::Duration;

use kurultai::core::auth::Role;
use kurultai::core::dataset::Dataset;
use kurultai::graphql::limits::Limits;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, ETAG, HeaderMap, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LAST_MODIFIED, ORIGIN, VARY,
};
use reqwest::{Method, Response};
use rstest::rstest;

use crate::server::{On, Server, Settings};

const QUERY: &str = "{ people { totalCount nodes { name } } }";
const ONE: &str = "people:\n- {slug: a, name: {en: A, ru: А}}";

async fn ask(server: &Server, query: &str, headers: &[(reqwest::header::HeaderName, &str)]) -> Response {
    let mut request = server.client.get(format!("{}/graphql", server.address)).query(&[("query", query)]);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    request.send().await.unwrap()
}

fn header(headers: &HeaderMap, name: &reqwest::header::HeaderName) -> String {
    headers.get(name).unwrap_or_else(|| panic!("no {name} in {headers:?}")).to_str().unwrap().to_owned()
}

#[rstest]
#[tokio::test]
async fn revalidation_returns_304_without_a_statement(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with_system_clock(on, ONE).await;
    let mut first = ask(&server, QUERY, &[]).await;
    // there is no Last-Modified within the second of the change, as the dataset may change again within it
    while !first.headers().contains_key(LAST_MODIFIED) {
        assert_eq!(first.status(), 200);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        first = ask(&server, QUERY, &[]).await;
    }
    let (tag, modified) = (header(first.headers(), &ETAG), header(first.headers(), &LAST_MODIFIED));
    assert!(header(first.headers(), &CACHE_CONTROL).starts_with("public, max-age=0"));
    assert!(header(first.headers(), &VARY).contains("Accept-Language"));
    let before = server.store.statement_count();
    let strong = tag.trim_start_matches("W/");
    let list = format!("\"a,b\", malformed, {strong}");
    for condition in [
        (IF_NONE_MATCH, tag.as_str()),
        (IF_NONE_MATCH, strong),
        (IF_NONE_MATCH, list.as_str()),
        (IF_NONE_MATCH, "*"),
        (IF_MODIFIED_SINCE, modified.as_str()),
    ] {
        let again = ask(&server, QUERY, std::slice::from_ref(&condition)).await;
        assert_eq!(again.status(), 304, "{condition:?}");
        assert_eq!(header(again.headers(), &ETAG), tag);
        assert_eq!(header(again.headers(), &CACHE_CONTROL), header(first.headers(), &CACHE_CONTROL));
        assert_eq!(again.bytes().await.unwrap().len(), 0);
    }
    assert_eq!(server.store.statement_count(), before);
    // If-None-Match takes precedence over If-Modified-Since
    assert_eq!(ask(&server, QUERY, &[(IF_NONE_MATCH, "\"other\""), (IF_MODIFIED_SINCE, &modified)]).await.status(), 200);
    server.import("people:\n- {slug: b, name: {en: B}}").await.unwrap();
    let changed = ask(&server, QUERY, &[(IF_NONE_MATCH, &tag)]).await;
    assert_eq!(changed.status(), 200);
    assert_ne!(header(changed.headers(), &ETAG), tag);
    assert!(changed.text().await.unwrap().contains("\"totalCount\":2"));
    assert_eq!(ask(&server, QUERY, &[(IF_MODIFIED_SINCE, &modified)]).await.status(), 200);
}

#[rstest]
#[tokio::test]
async fn etag_is_equal_on_all_servers_and_changes_with_a_write(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, ONE).await;
    let other = server.beside().await;
    let tag = async |server: &Server| header(ask(server, QUERY, &[]).await.headers(), &ETAG);
    let first = tag(&server).await;
    assert_eq!(tag(&other).await, first);
    server.import("people:\n- {slug: b, name: {en: B}}").await.unwrap();
    let second = tag(&server).await;
    assert_ne!(second, first);
    for _ in 0..500 {
        if tag(&other).await == second {
            assert_eq!(ask(&other, QUERY, &[(IF_NONE_MATCH, &second)]).await.status(), 304);
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the other server did not notice the write");
}

#[rstest]
#[tokio::test]
async fn draft_changes_keep_the_etag(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, ONE).await;
    let tag = async || header(ask(&server, QUERY, &[]).await.headers(), &ETAG);
    let first = tag().await;
    server.import("people:\n- {slug: draft, name: {en: Draft}, published: false}").await.unwrap();
    assert_eq!(tag().await, first);
    server.import("people:\n- {slug: draft, published: true}").await.unwrap();
    let published = tag().await;
    assert_ne!(published, first);
    server.import("people:\n- {slug: draft, published: false}").await.unwrap();
    assert_ne!(tag().await, published);
}

#[tokio::test]
async fn etag_depends_on_language_media_type_and_query() {
    let server = Server::with(On::Sqlite, ONE).await;
    let tag =
        async |query: &str, headers: &[(reqwest::header::HeaderName, &str)]| header(ask(&server, query, headers).await.headers(), &ETAG);
    let mut tags = vec![
        tag(QUERY, &[]).await,
        tag(QUERY, &[(ACCEPT_LANGUAGE, "ru")]).await,
        tag(QUERY, &[(ACCEPT, "application/graphql-response+json")]).await,
        tag("{ people { totalCount } }", &[]).await,
    ];
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 4);
}

#[tokio::test]
async fn responses_to_tokens_and_errors_are_not_cacheable() {
    let server = Server::with(On::Sqlite, ONE).await;
    let (_, token) = server.store.create_token("A", Role::Editor, None).await.unwrap();
    let tag = header(ask(&server, QUERY, &[]).await.headers(), &ETAG);
    let own = ask(&server, QUERY, &[(AUTHORIZATION, &format!("Bearer {token}")), (IF_NONE_MATCH, &tag)]).await;
    assert_eq!(own.status(), 200);
    assert_eq!(header(own.headers(), &CACHE_CONTROL), "private, no-store");
    assert!(own.headers().get(ETAG).is_none());
    for wrong in ["{ people {", "{ nothing }", "mutation { __typename }"] {
        let wrong = ask(&server, wrong, &[(ACCEPT, "application/graphql-response+json")]).await;
        assert!(wrong.status().is_client_error());
        assert_eq!(header(wrong.headers(), &CACHE_CONTROL), "no-store");
        assert!(wrong.headers().get(ETAG).is_none());
    }
}

#[tokio::test]
async fn head_returns_the_headers_of_get() {
    let server = Server::with(On::Sqlite, ONE).await;
    for path in ["/graphql?query=%7B__typename%7D", "/schema.graphql", "/", "/graphiql", "/healthz", "/readyz"] {
        let address = format!("{}{path}", server.address);
        let get = server.client.get(&address).send().await.unwrap();
        let head = server.client.head(&address).send().await.unwrap();
        assert_eq!(head.status(), get.status(), "{path}");
        assert_eq!(head.headers().get(ETAG), get.headers().get(ETAG), "{path}");
        assert_eq!(head.bytes().await.unwrap().len(), 0, "{path}");
    }
}

#[tokio::test]
async fn cors_allows_any_origin_and_exposes_headers() {
    let server = Server::with(On::Sqlite, ONE).await;
    let asked = ask(&server, QUERY, &[(ORIGIN, "https://news.example")]).await;
    assert_eq!(asked.headers()["access-control-allow-origin"], "*");
    assert!(asked.headers().get("access-control-allow-credentials").is_none());
    let exposed = asked.headers()["access-control-expose-headers"].to_str().unwrap().to_lowercase();
    assert!(["etag", "last-modified", "retry-after", "ratelimit-policy"].iter().all(|name| exposed.contains(name)), "{exposed}");
    // the response is the same for every origin
    assert!(!asked.headers().get_all(VARY).iter().any(|vary| vary.to_str().unwrap().to_lowercase().contains("origin")));
    let before = server
        .client
        .request(Method::OPTIONS, format!("{}/graphql", server.address))
        .header(ORIGIN, "https://news.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,authorization")
        .send()
        .await
        .unwrap();
    assert!(before.status().is_success());
    assert_eq!(before.headers()["access-control-allow-headers"], "content-type,authorization");
    assert_eq!(before.headers()["access-control-max-age"], "86400");
}

#[tokio::test]
async fn responses_are_compressed_as_negotiated() {
    let server = Server::with(On::Sqlite, ONE).await;
    let address = format!("{}/schema.graphql", server.address);
    for encoding in ["gzip", "br", "zstd"] {
        let response = server.client.get(&address).header(ACCEPT_ENCODING, encoding).send().await.unwrap();
        assert_eq!(response.headers()[CONTENT_ENCODING], encoding);
    }
}

#[rstest]
// browsers
#[case("gzip, deflate, br, zstd", Some("br"))]
#[case("zstd, br", Some("br"))]
#[case("br;q=0.5, zstd;q=0.5, gzip;q=0.5", Some("br"))]
#[case("*", Some("br"))]
#[case("gzip, *;q=0.5", Some("gzip"))]
#[case("gzip, zstd", Some("zstd"))]
#[case("br;q=0.8, zstd;q=0.9", Some("zstd"))]
#[case("zstd, br;q=0.9, gzip", Some("zstd"))]
#[case("br;q=0, zstd", Some("zstd"))]
#[case("br;q=0, *", Some("zstd"))]
#[case("BR, ZSTD", Some("br"))]
#[case("gzip", Some("gzip"))]
#[case("gzip, br;q=0.2", Some("gzip"))]
#[case("identity", None)]
#[case("deflate", None)]
#[tokio::test]
async fn brotli_precedes_zstd_unless_the_client_prefers_it(#[case] accepted: &str, #[case] expected: Option<&str>) {
    let server = Server::with(On::Sqlite, ONE).await;
    let query = "{ __schema { types { name } } }";
    let response = ask(&server, query, &[(ACCEPT_ENCODING, accepted)]).await;
    assert_eq!(response.status(), 200, "{accepted}");
    assert_eq!(response.headers().get(CONTENT_ENCODING).map(|encoding| encoding.to_str().unwrap()), expected, "{accepted}");
    assert!(
        header(response.headers(), &VARY).len() > 10
            && response.headers().get_all(VARY).iter().any(|vary| vary.to_str().unwrap().to_lowercase().contains("accept-encoding"))
    );
}

#[tokio::test]
async fn preconditions_hide_neither_errors_nor_personal_responses() {
    let server = Server::with_system_clock(On::Sqlite, ONE).await;
    while !ask(&server, QUERY, &[]).await.headers().contains_key(LAST_MODIFIED) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let future = "Fri, 01 Jan 2100 00:00:00 GMT";
    let get = async |path: &str, (name, value): (reqwest::header::HeaderName, &str)| {
        let request = server.client.get(format!("{}/{path}", server.address)).header(name, value);
        request.header(ACCEPT, "application/graphql-response+json").send().await.unwrap().status().as_u16()
    };
    for condition in [(IF_NONE_MATCH, "*"), (IF_MODIFIED_SINCE, future)] {
        for (path, status) in [
            ("graphql?query=%7Bnope%7D", 400),
            ("graphql?query=%7B", 400),
            ("graphql?query=%7BrateLimit%7Bremaining%7D%7D", 200),
            ("table.csv?query=%7Bnope%7D", 400),
            ("chart.svg?query=%7Bpeople%7Bnodes%7Bslug%7D%7D%7D", 400),
            ("feed.atom?saved=nowhere", 404),
            ("r/person/nobody", 404),
            // of what was never sent before, and then of what was
            ("graphql?query=%7B__typename%7D", 304),
            ("table.csv?query=%7Bpeople%7Bnodes%7Bslug%7D%7D%7D", 304),
            ("feed.atom", 304),
            ("r/person/a", 304),
        ] {
            assert_eq!(get(path, condition.clone()).await, status, "{path} {condition:?}");
        }
    }
    let before = server.store.statement_count();
    assert_eq!(get("feed.atom", (IF_MODIFIED_SINCE, future)).await, 304);
    assert_eq!(server.store.statement_count(), before);
}

#[tokio::test]
async fn etag_covers_the_settings_that_decide_a_response() {
    let settings = [
        Settings::default(),
        Settings::default(),
        Settings { dataset: Dataset { licence: Some("CC0".to_owned()), ..Dataset::default() }, ..Settings::default() },
        Settings { limits: Limits { depth: 19, ..Limits::default() }, ..Settings::default() },
    ];
    let first = Server::empty(On::Sqlite).await;
    let mut tags = Vec::new();
    for settings in settings {
        let server = first.beside_with(settings).await;
        let response = ask(&server, QUERY, &[]).await;
        tags.push(header(response.headers(), &ETAG));
    }
    assert_eq!(tags[0], tags[1]);
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 3, "{tags:?}");
}

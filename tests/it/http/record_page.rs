//! The permanent page of a record: HTML, JSON-LD, redirects and visibility.

use kurultai::catalog::catalog;
use kurultai::catalog::record::RecordKind;
use kurultai::core::auth::Role;
use kurultai::core::dataset::{Dataset, public_url};
use reqwest::header::{
    ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, LOCATION, VARY,
};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use roxmltree::{Document, Node};
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{Asker, On, Server};

const LD: &str = "application/ld+json";

fn about() -> Dataset {
    Dataset {
        title: Some("Speech law in Kazakhstan".to_owned()),
        licence: Some("https://creativecommons.org/licenses/by/4.0/".to_owned()),
        attribution: Some("Example Foundation".to_owned()),
        public_url: Some(public_url("https://data.example.org").unwrap()),
    }
}

/// Sends a request without following redirects.
async fn ask(server: &Server, path: &str, headers: &[(HeaderName, &str)]) -> Response {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let mut request = client.get(format!("{}{path}", server.address));
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    request.send().await.unwrap()
}

async fn page(server: &Server, path: &str) -> String {
    let response = ask(server, path, &[]).await;
    assert_eq!(response.status(), 200, "{path}");
    assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
    response.text().await.unwrap()
}

async fn data(server: &Server, path: &str) -> Value {
    let response = ask(server, path, &[(ACCEPT, LD)]).await;
    assert_eq!((response.status().as_u16(), response.headers()[CONTENT_TYPE].to_str().unwrap()), (200, LD), "{path}");
    response.json().await.unwrap()
}

async fn redirect(server: &Server, path: &str) -> (u16, String) {
    let response = ask(server, path, &[]).await;
    let to = response.headers().get(LOCATION).map_or("", |to| to.to_str().unwrap()).to_owned();
    (response.status().as_u16(), to)
}

/// The page as XML: closes void elements.
fn read(html: &str) -> String {
    let mut xml = html.replacen("<!DOCTYPE html>", "", 1);
    for void in ["meta", "link", "img"] {
        let mut from = 0;
        while let Some(begin) = xml[from..].find(&format!("<{void} ")).map(|begin| begin + from) {
            let end = begin + xml[begin..].find('>').unwrap();
            xml.insert(end, '/');
            from = end;
        }
    }
    xml
}

/// The texts of all elements with this name.
fn texts(document: &Document<'_>, name: &str) -> Vec<String> {
    let text = |node: Node<'_, '_>| node.descendants().filter_map(|node| node.text().filter(|_| node.is_text())).collect::<String>();
    document.descendants().filter(|node| node.has_tag_name(name)).map(text).collect()
}

/// The path of one record of each type in the sample dataset.
async fn one_of_each(server: &Server) -> Vec<String> {
    let mut paths = Vec::new();
    for record in catalog().all().filter(|record| record.kind == RecordKind::Record) {
        let query = format!("{{ {}(first: 1) {{ nodes {{ permalink }} }} }}", record.plural);
        let found = server.data(&query).await;
        let node = found[record.plural]["nodes"].get(0);
        paths.extend(node.map(|node| node["permalink"].as_str().unwrap().replace("https://data.example.org", "")));
    }
    assert!(paths.len() > 10, "{paths:?}");
    paths
}

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({snapshot_path => "snapshots/record", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, text);
    });
}

/// The page with one element per line and without the version of the stylesheet.
fn lines(html: &str) -> String {
    let (before, rest) = html.split_once("/assets/record.css?").unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    format!("{before}/assets/record.css?VERSION\"{after}").replace("><", ">\n<")
}

#[rstest]
#[tokio::test]
async fn pages_are_equal_on_both_databases(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample_about(on, about()).await;
    let mut paths = one_of_each(&server).await;
    let whole = ["/r/case/kazakhstan-v-ilyashev", "/r/provision/kz-criminal-code-2014-article-274"];
    paths.extend(whole.map(str::to_owned));
    paths.sort();
    paths.dedup();
    for path in paths {
        let html = page(&server, &path).await;
        // the page is well-formed, without scripts or inline styles
        let xml = read(&html);
        let document = Document::parse(&xml).unwrap_or_else(|error| panic!("{path}: {error}\n{xml}"));
        assert_eq!(texts(&document, "h1").len(), 1, "{path}");
        assert_eq!(texts(&document, "style").len(), 0);
        let mut attributes = document.descendants().flat_map(|node| node.attributes());
        assert!(!attributes.any(|attribute| attribute.name() == "style" || attribute.name().starts_with("on")));
        let scripts: Vec<_> = document.descendants().filter(|node| node.has_tag_name("script")).collect();
        assert_eq!(scripts.iter().map(|script| script.attribute("type")).collect::<Vec<_>>(), [Some(LD)]);
        let said: Value = serde_json::from_str(scripts[0].text().unwrap()).unwrap();
        let ld = data(&server, &path).await;
        assert_eq!(said, ld, "{path}");
        let name = path.trim_start_matches("/r/").replace('/', "_");
        snapshot(&format!("{name}.ld"), &serde_json::to_string_pretty(&ld).unwrap());
        if whole.contains(&path.as_str()) {
            snapshot(&format!("{name}.html"), &lines(&html));
        }
    }
}

#[tokio::test]
async fn page_has_no_dead_links() {
    let server = Server::sample(On::Sqlite).await;
    for path in ["/r/case/kazakhstan-v-ilyashev", "/r/jurisdiction/kz", "/r/source/wikipedia-ilyashev", "/r/person/alnur-ilyashev"] {
        let xml = read(&page(&server, path).await);
        let document = Document::parse(&xml).unwrap();
        let links = document.descendants().filter(|node| node.has_tag_name("a") || node.has_tag_name("link"));
        let mut links: Vec<&str> = links.filter_map(|node| node.attribute("href")).filter(|link| link.starts_with('/')).collect();
        links.sort_unstable();
        links.dedup();
        assert!(links.len() > 8);
        for link in links {
            let response = server.client.get(format!("{}{link}", server.address)).send().await.unwrap();
            // the pages of web/ may not be built
            assert!(response.status() == 200 || link == "/favicon.svg", "{path}: {link} gives {}", response.status());
            if link.starts_with("/graphql") {
                let answer: Value = response.json().await.unwrap();
                assert!(answer.get("errors").is_none(), "{answer:#}");
            }
        }
    }
}

#[tokio::test]
async fn page_shows_facts_sources_and_disputes() {
    let server = Server::sample_about(On::Sqlite, about()).await;
    let html = page(&server, "/r/case/kazakhstan-v-ilyashev").await;
    let xml = read(&html);
    let document = Document::parse(&xml).unwrap();
    assert_eq!(texts(&document, "h1"), ["Kazakhstan v. Alnur Ilyashev"]);
    let claims: Vec<String> = texts(&document, "dt").into_iter().filter(|text| text.starts_with("22 June")).collect();
    assert!(claims.contains(&"22 June 2020 accepted".to_owned()) && claims.contains(&"22 June 2019 also claimed".to_owned()), "{claims:?}");
    // a quote is in the language of its source
    assert!(html.contains("<q lang=\"ru\">22 июня</q>"), "{html}");
    let cite = document.descendants().find(|node| node.attribute("class") == Some("copy")).unwrap();
    assert_eq!(
        cite.text().unwrap(),
        "“Kazakhstan v. Alnur Ilyashev”. Speech law in Kazakhstan. Example Foundation. Revision 1, last changed on 2026-01-01. https://data.example.org/r/case/kazakhstan-v-ilyashev"
    );
    let data = server.data("{ case(by: {slug: \"kazakhstan-v-ilyashev\"}) { citationText permalink ... on Record { permalink } } }").await;
    assert_eq!(data["case"]["citationText"], cite.text().unwrap());
    assert_eq!(data["case"]["permalink"], "https://data.example.org/r/case/kazakhstan-v-ilyashev");
}

const TEXT: &str = "
people:
- {slug: anna, name: {en: Anna, ru: Анна}, biography: {en: In English, kk: Қазақша}}
- {slug: same, name: {en: Person}}
- {slug: secret, name: {en: Secret}, published: false}
- {slug: twin, name: {en: Twin}}
laws:
- {slug: same, title: {en: Law}, kind: law, status: in_force}
cases:
- {slug: case, title: {en: Case}, kind: criminal, status: decided, parties: [{key: a, person: anna, role: defendant}, {key: s, person: secret, role: witness, description: {en: Somebody}}]}
";

#[rstest]
#[tokio::test]
async fn ids_former_slugs_and_merged_records_redirect(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let ids = editor.data("{ anna: person(by: {slug: \"anna\"}) { id permalink } twin: person(by: {slug: \"twin\"}) { id } }").await;
    let id = |name: &str| ids[name]["id"].as_str().unwrap().to_owned();
    // without a public URL, permalinks are paths
    assert_eq!(ids["anna"]["permalink"], "/r/person/anna");
    for path in [format!("/r/{}", id("anna")), format!("/r/person/{}", id("anna"))] {
        assert_eq!(redirect(&server, &path).await, (308, "/r/person/anna".to_owned()), "{path}");
    }
    assert_eq!(redirect(&server, &format!("/r/{}?lang=ru", id("anna"))).await.1, "/r/person/anna?lang=ru");
    assert_eq!(redirect(&server, &format!("/r/law/{}", id("anna"))).await.0, 404);
    editor.done("updatePerson { person { id } }", json!({"id": id("anna"), "slug": "anna-k"})).await;
    assert_eq!(redirect(&server, "/r/person/anna").await, (308, "/r/person/anna-k".to_owned()));
    assert_eq!(redirect(&server, "/r/person/anna-k").await.0, 200);
    editor.done("mergePeople { person { id } }", json!({"from": "twin", "into": "anna-k"})).await;
    for path in ["/r/person/twin".to_owned(), format!("/r/{}", id("twin"))] {
        assert_eq!(redirect(&server, &path).await, (308, "/r/person/anna-k".to_owned()), "{path}");
    }
    // a slug without a type redirects temporarily: another type may get it
    assert_eq!(redirect(&server, "/r/case").await, (307, "/r/case/case".to_owned()));
    let several = ask(&server, "/r/same", &[]).await;
    assert_eq!(several.status(), 300);
    let several = several.text().await.unwrap();
    assert!(several.contains("href=\"/r/person/same\"") && several.contains("href=\"/r/law/same\""), "{several}");
    for path in
        ["/r/nothing", "/r/person/nothing", "/r/thing/anna", "/r/person_x", "/r/party_01h455vb4pex5vsknk084sn02q", "/r/%3Cscript%3E"]
    {
        let response = ask(&server, path, &[]).await;
        assert_eq!(response.status(), 404, "{path}");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert!(response.text().await.unwrap().contains("<h1>There is no such record</h1>"));
    }
    let response = ask(&server, "/r/nothing", &[(ACCEPT, LD)]).await;
    assert_eq!((response.status().as_u16(), response.headers()[CONTENT_TYPE].to_str().unwrap()), (404, "application/json"));
}

#[rstest]
#[tokio::test]
async fn draft_has_no_page_and_appears_on_none(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let id = editor.data("{ person(by: {slug: \"secret\"}) { id } }").await["person"]["id"].as_str().unwrap().to_owned();
    for path in ["/r/secret".to_owned(), "/r/person/secret".to_owned(), format!("/r/{id}")] {
        assert_eq!(redirect(&server, &path).await.0, 404, "{path}");
    }
    for text in [page(&server, "/r/case/case").await, data(&server, "/r/case/case").await.to_string()] {
        assert!(!text.to_lowercase().contains("secret") && text.contains("Somebody"), "{text}");
    }
    // an editor sees the page, and it is not cached
    let (_, token) = server.store.create_token("A", Role::Editor, None).await.unwrap();
    let response = ask(&server, "/r/person/secret", &[(AUTHORIZATION, &format!("Bearer {token}"))]).await;
    assert_eq!((response.status().as_u16(), response.headers()[CACHE_CONTROL].to_str().unwrap()), (200, "private, no-store"));
    assert_eq!(ask(&server, "/r/person/secret", &[(AUTHORIZATION, "Bearer kurultai_wrong")]).await.status(), 401);
    // an unpublished or withheld record has no page
    server.import("people:\n- {slug: same, published: false}").await.unwrap();
    assert_eq!(redirect(&server, "/r/person/same").await.0, 404);
    let admin = Asker::with_role(&server, Role::Admin).await;
    admin.done("withholdPerson { person { id } }", json!({"person": "anna"})).await;
    assert_eq!(redirect(&server, "/r/person/anna").await.0, 404);
}

#[rstest]
#[tokio::test]
async fn unchanged_page_is_not_sent_again(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let path = "/r/person/anna";
    let first = ask(&server, path, &[]).await;
    let tag = first.headers()[ETAG].to_str().unwrap().to_owned();
    assert!(first.headers()[CACHE_CONTROL].to_str().unwrap().starts_with("public"));
    for name in ["Accept", "Accept-Language"] {
        assert!(first.headers()[VARY].to_str().unwrap().contains(name));
    }
    let before = server.store.statement_count();
    let again = ask(&server, path, &[(IF_NONE_MATCH, &tag)]).await;
    assert_eq!((again.status().as_u16(), server.store.statement_count()), (304, before));
    // the tag depends on language and format
    for other in [(ACCEPT_LANGUAGE, "ru"), (ACCEPT, LD)] {
        assert_ne!(ask(&server, path, &[other]).await.headers()[ETAG].to_str().unwrap(), tag);
    }
    let head = server.client.request(Method::HEAD, format!("{}{path}", server.address)).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.headers()[ETAG].to_str().unwrap()), (200, tag.as_str()));
    assert_eq!(head.bytes().await.unwrap().len(), 0);
    server.import("people:\n- {slug: anna, gender: female}").await.unwrap();
    assert_eq!(ask(&server, path, &[(IF_NONE_MATCH, &tag)]).await.status(), 200);
    let style = page(&server, path).await;
    let style = style.split("href=\"").find(|rest| rest.starts_with("/assets/record.css?")).unwrap().split('"').next().unwrap().to_owned();
    let style = ask(&server, &style, &[]).await;
    assert_eq!(style.headers()[CONTENT_TYPE], "text/css; charset=utf-8");
    assert!(style.headers()[CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    assert_eq!(ask(&server, "/assets/record.css", &[]).await.headers()[CACHE_CONTROL], "no-cache");
}

#[rstest]
#[case(None, false)]
#[case(Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), false)]
#[case(Some("*/*"), false)]
#[case(Some("application/ld+json"), true)]
#[case(Some("application/ld+json, text/html;q=0.5"), true)]
#[case(Some("application/ld+json;q=0.5, text/html"), false)]
#[case(Some("application/json"), true)]
#[tokio::test]
async fn format_is_negotiated_by_accept_header(#[case] accept: Option<&str>, #[case] is_data: bool) {
    let server = Server::with(On::Sqlite, TEXT).await;
    let headers: Vec<_> = accept.into_iter().map(|accept| (ACCEPT, accept)).collect();
    let response = ask(&server, "/r/person/anna", &headers).await;
    assert_eq!(response.headers()[CONTENT_TYPE], if is_data { LD } else { "text/html; charset=utf-8" });
    let by_parameter = ask(&server, "/r/person/anna?format=jsonld", &[]).await;
    assert_eq!(by_parameter.headers()[CONTENT_TYPE], LD);
}

#[tokio::test]
async fn texts_have_the_requested_language_and_its_tag() {
    let server = Server::with(On::Sqlite, TEXT).await;
    let get = async |path: &str, accepted: &str| ask(&server, path, &[(ACCEPT_LANGUAGE, accepted)]).await.text().await.unwrap();
    assert!(get("/r/person/anna", "de").await.contains("<h1 lang=\"en\">Anna</h1>"));
    let russian = get("/r/person/anna", "ru").await;
    assert!(russian.contains("<h1 lang=\"ru\">Анна</h1>") && russian.contains("<p class=\"other\" lang=\"en\">Anna</p>"), "{russian}");
    // the URL takes precedence over the header, and each text falls back by itself
    let kazakh = get("/r/person/anna?lang=kk", "ru").await;
    assert!(kazakh.contains("<span lang=\"kk\">Қазақша</span>") && kazakh.contains("<h1 lang=\"ru\">Анна</h1>"), "{kazakh}");
    assert!(kazakh.contains("<a href=\"?lang=kk\" lang=\"kk\" hreflang=\"kk\" aria-current=\"true\">Қазақша</a>"), "{kazakh}");
    assert!(get("/r/person/anna?lang=not+a+tag", "ru").await.contains("Анна"));
    let cited = server.data("{ person(by: {slug: \"anna\"}) { en: citationText ru: citationText(lang: \"ru\") } }").await;
    assert_eq!(cited["person"]["ru"], "“Анна”. Версия 1, изменена 2026-01-01. /r/person/anna");
    assert_eq!(cited["person"]["en"], "“Anna”. Revision 1, last changed on 2026-01-01. /r/person/anna");
}

const HOSTILE: &str = r#"</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>\"'&amp;"#;

#[rstest]
#[tokio::test]
async fn hostile_texts_are_escaped(#[values(On::Sqlite, On::Postgres)] on: On) {
    let hostile = json!(HOSTILE).to_string();
    let text = format!(
        "sources:\n- {{slug: s, title: {{en: {hostile}}}, kind: article, publisher: {hostile}, author: {hostile}, licence: {hostile}}}\n\
         topics:\n- {{slug: t, label: {{en: {hostile}}}}}\n\
         people:\n- slug: x\n  name: {{en: {hostile}}}\n  otherNames: [{{name: {hostile}, note: {hostile}}}]\n  gender: {hostile}\n  biography: {{en: {hostile}}}\n  topics: [t]\n  identifiers: [{{scheme: {hostile}, value: {hostile}}}]\n  citations: [{{source: s, field: gender, value: {hostile}, quote: {hostile}, note: {hostile}, locator: {hostile}}}, {{source: s, field: gender, value: other}}]\n"
    );
    let hostile_about = Dataset {
        title: Some(HOSTILE.to_owned()),
        licence: Some("javascript:alert(1)".to_owned()),
        attribution: Some(HOSTILE.to_owned()),
        public_url: None,
    };
    let server = Server::about(on, hostile_about).await;
    server.import(&text).await.unwrap();
    for path in [
        "/r/person/x",
        "/r/source/s",
        "/r/topic/t",
        "/r/person/x?lang=%22%3E%3Cscript%3E",
        "/r/%22%3E%3Cscript%3E",
        "/r/person/%3Cscript%3E",
    ] {
        let html = ask(&server, path, &[]).await.text().await.unwrap();
        let xml = read(&html);
        let document = Document::parse(&xml).unwrap_or_else(|error| panic!("{path}: {error}\n{xml}"));
        let scripts: Vec<_> = document.descendants().filter(|node| node.has_tag_name("script")).collect();
        assert!(scripts.iter().all(|script| script.attribute("type") == Some(LD)), "{html}");
        assert!(!document.descendants().any(|node| node.has_tag_name("img") && node.attribute("src") != Some("/favicon.svg")));
        assert!(!document.descendants().any(|node| node.attribute("href").is_some_and(|link| link.starts_with("javascript:"))));
        for script in scripts {
            // a browser may end the element at a "<", even inside a JSON string
            assert!(!script.text().unwrap().contains('<'));
            serde_json::from_str::<Value>(script.text().unwrap()).unwrap();
        }
    }
    let data = data(&server, "/r/person/x").await;
    assert_eq!(data["name"]["@value"], HOSTILE);
}

#[tokio::test]
async fn forged_host_is_not_in_responses_to_others() {
    let server = Server::with(On::Sqlite, TEXT).await;
    let other = ask(&server, "/r/person/anna", &[(reqwest::header::HOST, "evil.example")]).await;
    let own = ask(&server, "/r/person/anna", &[]).await;
    assert_ne!(other.headers()[ETAG], own.headers()[ETAG]);
    assert!(!own.text().await.unwrap().contains("evil.example"));
    let configured = Server::about(On::Sqlite, about()).await;
    configured.import(TEXT).await.unwrap();
    let page = ask(&configured, "/r/person/anna", &[(reqwest::header::HOST, "evil.example")]).await.text().await.unwrap();
    assert!(!page.contains("evil.example") && page.contains("https://data.example.org/r/person/anna"));
}

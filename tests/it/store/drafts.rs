//! Readers cannot distinguish a dataset with drafts from one without; editors see the drafts.
//!
//! Both datasets are made from one text: the second omits each line that contains the secret word. Every field and filter
//! of the schema is then queried on both, and the responses must be equal.

use std::collections::{BTreeMap, BTreeSet};

use kurultai::core::auth::Role;
use kurultai::core::id;
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{Asker, On, Server};

pub const SECRET: &str = "zzsecret";

pub const TEXT: &str = r#"
jurisdictions:
- {slug: kz, name: {en: Kazakhstan}, classification: country}
- {slug: zzsecret-land, name: {en: zzsecret1}, classification: country, parent: kz, published: false}
organizations:
- {slug: court, name: {en: Court}, classification: court, jurisdiction: kz}
- {slug: zzsecret-court, name: {en: zzsecret2}, classification: court, parent: court, jurisdiction: kz, published: false}
people:
- slug: anna
  name: {en: Anna}
  jurisdiction: kz
  topics:
  - press
  - zzsecret-topic
  citations:
  - {source: open, field: birthDate, value: "1970"}
  - {source: zzsecret-source, field: birthDate, value: "1971", quote: zzsecret3}
- {slug: zzsecret-person, name: {en: Zzsecretov}, jurisdiction: kz, identifiers: [{scheme: register, value: zzsecret4}], topics: [press], citations: [{source: open, note: zzsecret5}], published: false}
memberships:
- {slug: judge, label: {en: Judge}, person: anna, organization: court}
- {slug: zzsecret-member, label: {en: zzsecret6}, person: anna, organization: court, onBehalfOf: zzsecret-court, published: false}
laws:
- slug: code
  title: {en: Code}
  kind: code
  status: in_force
  jurisdiction: kz
- {slug: zzsecret-law, title: {en: zzsecret7}, kind: law, status: in_force, jurisdiction: kz, relations: [{key: k, kind: amends, target: code, note: {en: zzsecret8}}], published: false}
provisions:
- {slug: a1, heading: {en: Article}, kind: article, position: 1, law: code}
- {slug: zzsecret-a2, heading: {en: zzsecret9}, kind: article, position: 2, law: code, parent: a1, versions: [{key: v, text: {en: zzsecret10}, citations: [{source: open, quote: zzsecret11}]}], published: false}
proposals:
- slug: bill
  title: {en: Bill}
  kind: bill
  status: passed
  jurisdiction: kz
  becameLaw: zzsecret-law
  sponsors:
  - key: s
    role: author
    person: zzsecret-person
    organization: court
  changes:
  - key: c
    law: code
    provision: zzsecret-a2
- {slug: zzsecret-bill, title: {en: zzsecret12}, kind: bill, status: floated, becameLaw: code, sponsors: [{key: s, person: anna}], changes: [{key: c, law: code, provision: a1, note: {en: zzsecret13}}], published: false}
voteEvents:
- {slug: vote, motion: {en: Motion}, result: pass, proposal: bill, organization: court}
- {slug: zzsecret-vote, motion: {en: zzsecret14}, result: pass, proposal: bill, organization: court, votes: [{key: v, person: anna, option: "no"}], published: false}
cases:
- slug: case
  title: {en: A v. B}
  kind: civil
  status: decided
  decidedOn: "2020-01-01"
  jurisdiction: kz
  court: zzsecret-court
  parties:
  - key: a
    role: plaintiff
    person: zzsecret-person
    citations:
    - {source: open, field: role, value: plaintiff}
    - {source: zzsecret-source, field: role, value: judge, quote: zzsecret15}
  charges:
  - key: c
    party: a
    outcome: pending
    provision: zzsecret-a2
  events:
  - key: e
    kind: hearing
    text: {en: A hearing}
    organization: zzsecret-court
  citations:
  - {source: open, field: decidedOn, value: "2020-01-01"}
  - {source: zzsecret-source, field: decidedOn, value: "2020-01-02", note: zzsecret16}
- {slug: zzsecret-case, title: {en: zzsecret17}, kind: civil, status: decided, court: court, parties: [{key: a, role: defendant, person: anna}], charges: [{key: c, party: a, outcome: pending, provision: a1, locator: zzsecret18}], sentences: [{key: s, party: a, kind: fine, unit: zzsecret19}], events: [{key: e, kind: hearing, organization: court, text: {en: zzsecret20}}], published: false}
statements:
- slug: said
  text: {en: Something was said}
  speaker: zzsecret-person
  organization: court
  about:
  - {person: anna}
  - {person: zzsecret-person}
  - {case: zzsecret-case}
- {slug: zzsecret-said, text: {en: zzsecret21}, speaker: anna, about: [{person: anna}, {law: code}], published: false}
statistics:
- slug: figure
  measure: {en: Measure}
  value: 1
  unit: cases
  jurisdiction: kz
  publisher: zzsecret-court
- {slug: zzsecret-figure, measure: {en: zzsecret22}, value: 2, unit: cases, publisher: court, provision: a1, law: code, jurisdiction: kz, published: false}
topics:
- slug: press
  label: {en: Press}
  broader: zzsecret-topic
- {slug: zzsecret-topic, label: {en: zzsecret23}, published: false}
sources:
- {slug: open, title: {en: Open}, kind: article}
- {slug: zzsecret-source, title: {en: zzsecret24}, kind: article, citations: [{source: open, note: zzsecret25}], published: false}
"#;

/// The dataset without its drafts.
fn without_drafts() -> String {
    TEXT.lines().filter(|line| !line.contains(SECRET)).map(|line| format!("{line}\n")).collect()
}

/// Name of the list and slug of each draft.
fn drafts() -> Vec<(&'static str, &'static str)> {
    let mut list = "";
    let mut found = Vec::new();
    for line in TEXT.lines() {
        if let Some(name) = line.strip_suffix(':').filter(|name| !name.starts_with(' ')) {
            list = name;
        }
        let slug = line.strip_prefix("- {slug: ").and_then(|rest| rest.split(',').next());
        found.extend(slug.filter(|slug| slug.contains(SECRET)).map(|slug| (list, slug)));
    }
    found
}

/// An import that publishes or unpublishes all drafts.
fn publish(published: bool) -> String {
    drafts().into_iter().map(|(list, slug)| format!("{list}:\n- {{slug: {slug}, published: {published}}}\n")).collect()
}

/// The types of the introspected schema by name.
struct Schema(BTreeMap<String, Value>);

/// Name of a type without its list and non-null wrappers.
fn base(ty: &Value) -> &str {
    let inner = &ty["ofType"];
    if inner.is_object() { base(inner) } else { ty["name"].as_str().unwrap() }
}

fn has_argument(field: &Value, name: &str) -> bool {
    field["args"].as_array().unwrap().iter().any(|argument| argument["name"] == name)
}

impl Schema {
    async fn of(server: &Server) -> Self {
        let ty = "type { name ofType { name ofType { name ofType { name } } } }";
        let query = format!(
            "{{ __schema {{ types {{ name kind enumValues {{ name }} fields {{ name args {{ name {ty} }} {ty} }} inputFields {{ name {ty} }} }} }} }}"
        );
        let data = server.data(&query).await;
        Self(data["__schema"]["types"].as_array().unwrap().iter().map(|ty| (ty["name"].as_str().unwrap().to_owned(), ty.clone())).collect())
    }

    fn fields(&self, ty: &str) -> &[Value] {
        self.0[ty]["fields"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    fn is_leaf(&self, ty: &str) -> bool {
        ["SCALAR", "ENUM"].iter().any(|kind| self.0[ty]["kind"] == *kind)
    }

    /// Selection of all fields of a type down to a depth.
    fn selection(&self, ty: &str, depth: usize) -> String {
        let fields = self.fields(ty).iter().filter_map(|field| self.field(field, depth));
        format!("{{ __typename {} }}", fields.collect::<Vec<_>>().join(" "))
    }

    fn field(&self, field: &Value, depth: usize) -> Option<String> {
        let (name, ty) = (field["name"].as_str().unwrap(), base(&field["type"]));
        if self.is_leaf(ty) {
            // cursors contain ids, which differ
            return (!name.to_lowercase().ends_with("cursor")).then(|| name.to_owned());
        }
        if ty.ends_with("Connection") {
            let node = self.fields(ty).iter().find(|field| field["name"] == "nodes").map(|field| base(&field["type"])).unwrap();
            let nodes = if depth > 0 { format!("nodes {}", self.selection(node, depth - 1)) } else { String::new() };
            return Some(format!("{name}(first: 100) {{ totalCount {nodes} }}"));
        }
        let is_small = self.fields(ty).iter().all(|field| self.is_leaf(base(&field["type"])));
        (depth > 0 || is_small).then(|| format!("{name} {}", self.selection(ty, depth.saturating_sub(1))))
    }

    /// Root lists, with the type of their records.
    fn lists(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields("Query").iter().filter(|field| has_argument(field, "filter")).filter_map(|field| {
            let connection = base(&field["type"]);
            Some((field["name"].as_str().unwrap(), connection.strip_suffix("Connection")?))
        })
    }

    /// Dimensions by which lists of a type can be counted.
    fn dimensions(&self, ty: &str) -> Vec<String> {
        let dimensions = self.fields(&format!("{ty}Connection")).iter().find(|field| field["name"] == "facets");
        let values = dimensions.map(|_| &self.0[&format!("{ty}Dimension")]["enumValues"]).and_then(Value::as_array);
        values.into_iter().flatten().map(|value| value["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Queries for every facet and every statistic.
    fn count_queries(&self) -> Vec<String> {
        let mut queries = Vec::new();
        for (list, ty) in self.lists() {
            for dimensions in self.dimensions(ty).chunks(10) {
                let by = dimensions.join(" ");
                queries.push(format!(
                    "{{ {list} {{ facets(by: [{by}], first: 100) {{ values {{ key label count record {{ id slug }} }} }} }} }}"
                ));
            }
        }
        for field in self.fields("Query").iter().filter(|field| has_argument(field, "groupBy")) {
            let (name, ty) = (field["name"].as_str().unwrap(), base(&field["type"]).strip_suffix("Statistics").unwrap());
            let selected = |ty: &str| {
                let fields = self.fields(ty).iter().map(|field| {
                    if self.is_leaf(base(&field["type"])) {
                        field["name"].as_str().unwrap().to_owned()
                    } else {
                        format!("{} {{ id slug label }}", field["name"].as_str().unwrap())
                    }
                });
                fields.collect::<Vec<_>>().join(" ")
            };
            let (row, total) = (selected(&format!("{ty}StatisticsRow")), selected(&format!("{ty}StatisticsTotal")));
            let by = |dimension: &String| format!("{dimension}: {name}(groupBy: [{dimension}]) {{ rows {{ {row} }} }}");
            let all: Vec<String> = self.dimensions(ty).iter().map(by).collect();
            queries.push(format!("{{ {} total: {name} {{ total {{ {total} }} }} }}", all.join(" ")));
        }
        assert!(queries.len() > 20);
        queries
    }

    /// Queries that together select every field of every record, and one level deeper for parts, which have no root list.
    fn field_queries(&self) -> Vec<String> {
        let fields = |ty: &str| self.fields(ty).to_vec();
        let queries = self.lists().flat_map(|(list, ty)| {
            fields(ty).into_iter().filter_map(move |field| {
                let target = base(&field["type"]).trim_end_matches("Connection");
                let depth = if self.lists().any(|(_, ty)| ty == target) { 1 } else { 2 };
                let selected = self.field(&field, depth)?;
                Some(format!("{{ {list}(first: 100) {{ totalCount nodes {{ __typename {selected} }} }} }}"))
            })
        });
        queries.collect()
    }

    /// Queries with every filter on related records.
    fn filter_queries(&self) -> Vec<String> {
        let mut queries = Vec::new();
        for (list, ty) in self.lists() {
            let name = format!("{ty}Filter");
            for condition in self.0[&name]["inputFields"].as_array().unwrap() {
                let (field, of) = (condition["name"].as_str().unwrap(), base(&condition["type"]));
                let members: Vec<&str> =
                    self.0[of]["inputFields"].as_array().into_iter().flatten().map(|member| member["name"].as_str().unwrap()).collect();
                let conditions = match (members.contains(&"some"), members.contains(&"and") && !["and", "or", "not"].contains(&field)) {
                    (true, _) => vec!["{some: {}}", "{none: {}}", "{every: {not: {}}}"],
                    (_, true) => vec!["{}", "{not: {}}"],
                    _ => continue,
                };
                for condition in conditions {
                    for filter in [format!("{field}: {condition}"), format!("not: {{{field}: {condition}}}")] {
                        queries.push(format!("{{ {list}(first: 100, filter: {{{filter}}}) {{ totalCount nodes {{ id }} }} }}"));
                    }
                }
            }
        }
        assert!(queries.len() > 100);
        queries
    }
}

/// The text with every id replaced by the same word, and the ids.
fn without_ids(text: &str) -> (String, BTreeSet<String>) {
    let (mut out, mut word, mut ids) = (String::new(), String::new(), BTreeSet::new());
    for character in text.chars().chain([' ']) {
        if character.is_ascii_alphanumeric() || "_-".contains(character) {
            word.push(character);
            continue;
        }
        if id::decode(&word).is_ok() || uuid::Uuid::parse_str(&word).is_ok() {
            ids.insert(std::mem::take(&mut word));
            out.push_str("ID");
        } else {
            out.push_str(&std::mem::take(&mut word));
        }
        out.push(character);
    }
    (out, ids)
}

/// Responses to all queries, and every id in them.
async fn query_all(asker: &Asker<'_>, schema: &Schema) -> (Vec<(String, String)>, BTreeSet<String>) {
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    let searches = ["zzsecret", "zzsecrit2", "zzsecretov", "zzsecretev", "anna", "press", "court", "something"]
        .map(|word| format!("{{ search(query: \"{word}\") {{ totalCount nodes {{ snippet record {{ id slug label }} }} }} }}"));
    for query in schema.field_queries().into_iter().chain(schema.filter_queries()).chain(schema.count_queries()).chain(searches) {
        let mut response = asker.data(&query).await;
        // sequence numbers have gaps for the revisions of drafts, which reveal nothing about them
        replace_member(&mut response, "sequence", &Value::Null);
        let (text, ids) = without_ids(&response.to_string());
        all.push((query, text));
        seen.extend(ids);
    }
    (all, seen)
}

fn assert_same(one: &[(String, String)], other: &[(String, String)]) {
    for ((query, text), (_, expected)) in one.iter().zip(other) {
        assert_eq!(text, expected, "{query}");
    }
    assert_eq!(one.len(), other.len());
}

/// Replaces the value of every member with this name.
fn replace_member(value: &mut Value, name: &str, new: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace_member(item, name, new)),
        Value::Object(members) => {
            for (member, value) in members {
                if member == name { value.clone_from(new) } else { replace_member(value, name, new) }
            }
        }
        _ => {}
    }
}

/// Responses without histories: for readers, the history of a draft begins with its publication.
fn without_history(responses: Vec<(String, String)>) -> Vec<(String, String)> {
    let histories = ["history: ", "revisions(", "{ revisions { facets("];
    let kept = responses.into_iter().filter(|(query, _)| !histories.iter().any(|history| query.contains(history)));
    let without = kept.map(|(query, text)| {
        let mut response: Value = serde_json::from_str(&text).unwrap();
        replace_member(&mut response, "history", &Value::Null);
        (query, response.to_string())
    });
    without.collect()
}

fn assert_no_secret(responses: &[(String, String)]) {
    for (query, text) in responses {
        assert!(!text.to_lowercase().contains(SECRET), "{query}\n{text}");
    }
}

#[rstest]
#[tokio::test]
async fn drafts_are_invisible_to_readers_and_visible_to_editors(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let other = Server::with(on, &without_drafts()).await;
    let schema = Schema::of(&server).await;
    let reader = Asker::reader(&server);
    let editor = Asker::with_role(&server, Role::Editor).await;
    let (read, read_ids) = query_all(&reader, &schema).await;
    let (expected, _) = query_all(&Asker::reader(&other), &schema).await;
    assert_no_secret(&read);
    assert_same(&read, &expected);

    // editors find every draft and all of its fields
    let (edited, edited_ids) = query_all(&editor, &schema).await;
    let edited_text: String = edited.iter().map(|(_, text)| text.to_lowercase()).collect();
    for word in TEXT.split(|character: char| !character.is_ascii_alphanumeric() && character != '-').filter(|word| word.contains(SECRET)) {
        assert!(edited_text.contains(&word.to_lowercase()), "{word}");
    }

    // readers do not get a draft by its id, slug or identifier
    let hidden: Vec<&String> = edited_ids.difference(&read_ids).filter(|id| uuid::Uuid::parse_str(id).is_err()).collect();
    assert!(hidden.len() > 40, "{hidden:?}");
    for ids in hidden.chunks(100) {
        let query = format!("{{ nodes(ids: {ids:?}) {{ id }} }}");
        assert!(reader.data(&query).await["nodes"].as_array().unwrap().iter().all(Value::is_null));
        let one = format!("{{ node(id: {:?}) {{ id }} }}", ids[0]);
        assert_eq!(reader.data(&one).await["node"], Value::Null);
        assert!(editor.data(&query).await["nodes"].as_array().unwrap().iter().all(Value::is_object));
        assert!(editor.data(&one).await["node"].is_object());
    }
    for (list, slug) in drafts() {
        let ty = schema.lists().find(|(name, _)| *name == list).unwrap().1;
        let singular = ty[..1].to_lowercase() + &ty[1..];
        let by_slug = format!("{{ {singular}(by: {{slug: \"{slug}\"}}) {{ id published }} }}");
        let record = editor.data(&by_slug).await[&singular].take();
        assert_eq!(record["published"], false, "{slug}");
        let by_id = format!("{{ {singular}(by: {{id: {}}}) {{ id published }} }}", record["id"]);
        let by_filter =
            format!("{{ {list}(filter: {{slug: {{eq: \"{slug}\"}}, published: {{eq: false}}}}) {{ totalCount nodes {{ id }} }} }}");
        assert_eq!(editor.data(&by_id).await[&singular], record);
        assert_eq!(editor.data(&by_filter).await[list]["totalCount"], 1);
        for query in [by_slug, by_id] {
            assert_eq!(reader.data(&query).await[&singular], Value::Null, "{query}");
        }
        assert_eq!(reader.data(&by_filter).await[list], json!({"totalCount": 0, "nodes": []}));
    }
    let by_identifier = format!("{{ person(by: {{identifier: {{scheme: \"register\", value: \"{SECRET}4\"}}}}) {{ slug }} }}");
    assert_eq!(reader.data(&by_identifier).await["person"], Value::Null);
    assert_eq!(editor.data(&by_identifier).await["person"]["slug"], "zzsecret-person");
    let admin = Asker::with_role(&server, Role::Admin).await;
    assert_eq!(admin.data(&by_identifier).await["person"]["slug"], "zzsecret-person");
}

#[rstest]
#[tokio::test]
async fn publishing_shows_records_everywhere_and_unpublishing_hides_them(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let schema = Schema::of(&server).await;
    let reader = Asker::reader(&server);
    let editor = Asker::with_role(&server, Role::Editor).await;
    let disputed = "{ case(by: {slug: \"case\"}) { disputed disputes { field } parties { nodes { disputed disputes { field } } } } }";
    let undisputed = json!({"disputed": false, "disputes": [], "parties": {"nodes": [{"disputed": false, "disputes": []}]}});
    assert_eq!(reader.data(disputed).await["case"], undisputed);

    server.import(&publish(true)).await.unwrap();
    let (read, _) = query_all(&reader, &schema).await;
    let (edited, _) = query_all(&editor, &schema).await;
    assert_same(&without_history(read), &without_history(edited));
    // histories, too, count only the revisions they show
    for asker in [&reader, &editor] {
        let counted = asker.data("{ revisions { totalCount facets(by: [KIND], first: 100) { values { count } } } }").await;
        let counts = counted["revisions"]["facets"][0]["values"].as_array().unwrap().iter().map(|value| value["count"].as_u64().unwrap());
        assert_eq!(Some(counts.sum()), counted["revisions"]["totalCount"].as_u64());
    }
    assert_eq!(
        reader.data(disputed).await["case"],
        json!({"disputed": true, "disputes": [{"field": "decidedOn"}], "parties": {"nodes": [{"disputed": true, "disputes": [{"field": "role"}]}]}})
    );

    server.import(&publish(false)).await.unwrap();
    let (read, _) = query_all(&reader, &schema).await;
    assert_no_secret(&read);
    assert_eq!(reader.data(disputed).await["case"], undisputed);
    // later revisions that refer to drafts are hidden too
    let citation = "citations: [{source: open, field: decidedOn, value: \"2020-01-01\"}, {source: zzsecret-source, field: decidedOn, value: \"2020-01-02\", quote: zzsecret changed}]";
    server.import(&format!("cases:\n- {{slug: case, {citation}}}")).await.unwrap();
    server.import("cases:\n- {slug: case, citations: []}").await.unwrap();
    let (read, _) = query_all(&reader, &schema).await;
    assert_no_secret(&read);
    let history = "{ case(by: {slug: \"case\"}) { history { nodes { changes { field old new } } } } }";
    assert!(editor.data(history).await.to_string().contains("zzsecret changed"));
}

const NAMED: &str = r#"
jurisdictions:
- {slug: kz, name: {en: Kazakhstan}, classification: country}
organizations:
- {slug: court, name: {en: Court}, classification: court, jurisdiction: kz}
people:
- slug: zhuldyz-sarsenova
  name: {en: Zhuldyz Sarsenova, ru: Жулдыз Сарсенова}
  otherNames: [{name: Zhuldyz A. Sarsenova}]
  sortName: Sarsenova Zhuldyz
  biography: {en: Sarsenova wrote about courts.}
  image: https://example.org/sarsenova.jpg
  links: [{url: "https://example.org/zhuldyz", note: Blog of Sarsenova}]
  birthDate: "1988"
  jurisdiction: kz
  identifiers: [{scheme: register, value: sarsenova-1}]
  citations: [{source: news, field: birthDate, value: "1988", quote: Zhuldyz Sarsenova was born in 1988}]
memberships:
- {slug: seat, label: {en: Member}, person: zhuldyz-sarsenova, organization: court}
sources:
- {slug: other, title: {en: Other}, kind: article}
- {slug: news, title: {en: News}, kind: article, citations: [{source: other, quote: as Zhuldyz Sarsenova said}]}
cases:
- slug: case
  title: {en: Kazakhstan v. Zhuldyz Sarsenova}
  summary: {ru: Дело Сарсеновой, en: Sarsenova was acquitted}
  kind: criminal
  status: decided
  court: court
  parties:
  - key: sarsenova
    role: defendant
    person: zhuldyz-sarsenova
    citations: [{source: news, field: role, value: defendant, quote: Sarsenova stood trial}]
  charges: [{key: x, party: sarsenova, outcome: acquitted}]
statements:
- {slug: said, text: {en: I did not write it}, speaker: zhuldyz-sarsenova, about: [{person: zhuldyz-sarsenova}, {case: case}]}
- {slug: heard, text: {en: Zhuldyz Sarsenova is innocent}, about: [{case: case}]}
"#;

#[rstest]
#[tokio::test]
async fn withheld_person_is_found_by_no_query(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, NAMED).await;
    server.import(&NAMED.replace("was acquitted", "has been acquitted")).await.unwrap();
    let schema = Schema::of(&server).await;
    let admin = Asker::with_role(&server, Role::Admin).await;
    let before = query_all(&admin, &schema).await.0;
    let with_names = |responses: &[(String, String)]| {
        let names = ["sarsenov", "zhuldyz", "сарсенов", "жулдыз", "1988"];
        let with = responses.iter().filter(|(_, text)| names.iter().any(|name| text.to_lowercase().contains(name)));
        with.map(|(query, text)| format!("{query}\n{text}")).collect::<Vec<_>>()
    };
    assert!(with_names(&before).len() > 20);
    admin.done("withholdPerson { person { id } }", json!({"person": "zhuldyz-sarsenova"})).await;
    for asker in [Asker::reader(&server), Asker::with_role(&server, Role::Editor).await, admin] {
        assert_eq!(with_names(&query_all(&asker, &schema).await.0), Vec::<String>::new());
        let search = "{ search(query: \"sarsenova\") { totalCount } people(filter: {name: {contains: \"sarsenova\"}}) { totalCount } person(by: {slug: \"zhuldyz-sarsenova\"}) { id } }";
        assert_eq!(asker.data(search).await, json!({"search": {"totalCount": 0}, "people": {"totalCount": 0}, "person": null}));
    }
}

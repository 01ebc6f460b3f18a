//! Who may do what: every field of the roots, as everyone, from the schema itself.

use std::fmt::Write;

use kurultai::core::auth::Role;
use kurultai::core::clock::Clock;
use reqwest::header::AUTHORIZATION;
use serde_json::{Map, Value, json};

use crate::server::{On, Server};

/// The variable of an uploaded file.
const FILE: &str = "$file";

/// The types of the schema by name.
struct Schema(Map<String, Value>);

impl Schema {
    async fn of(server: &Server) -> Self {
        let ty = "kind name ofType { kind name ofType { kind name ofType { kind name } } }";
        let value = format!("name defaultValue type {{ {ty} }}");
        let query = format!(
            "{{ __schema {{ types {{ kind name fields(includeDeprecated: true) {{ name args {{ {value} }} type {{ {ty} }} }} isOneOf inputFields {{ {value} }} enumValues {{ name }} }} }} }}"
        );
        let data = server.data(&query).await;
        let types = data["__schema"]["types"].as_array().unwrap();
        Self(types.iter().map(|ty| (ty["name"].as_str().unwrap().to_owned(), ty.clone())).collect())
    }

    fn fields(&self, ty: &str) -> &[Value] {
        self.0[ty]["fields"].as_array().unwrap()
    }

    /// A valid literal of a type with its required members only.
    fn value(&self, ty: &Value, name: &str) -> String {
        match ty["kind"].as_str().unwrap() {
            "NON_NULL" => self.value(&ty["ofType"], name),
            "LIST" => format!("[{}]", self.value(&ty["ofType"], name)),
            _ => self.named(ty["name"].as_str().unwrap(), name),
        }
    }

    fn named(&self, ty: &str, name: &str) -> String {
        match ty {
            "Int" | "Float" => "1".to_owned(),
            "Boolean" => "true".to_owned(),
            "ID" => "\"person_01h455vb4pex5vsknk084sn02q\"".to_owned(),
            "Translations" => "{en: \"x\"}".to_owned(),
            "PartialDate" => "\"2020\"".to_owned(),
            "DateTime" => "\"2020-01-01T00:00:00Z\"".to_owned(),
            "Upload" => FILE.to_owned(),
            _ => match self.0[ty]["kind"].as_str().unwrap() {
                "ENUM" => self.0[ty]["enumValues"][0]["name"].as_str().unwrap().to_owned(),
                "INPUT_OBJECT" => self.object(ty),
                _ if name == "query" => "\"{ __typename }\"".to_owned(),
                _ => "\"x\"".to_owned(),
            },
        }
    }

    fn object(&self, ty: &str) -> String {
        let fields = self.0[ty]["inputFields"].as_array().unwrap();
        let needed: Vec<&Value> = fields.iter().filter(|field| is_needed(field)).collect();
        // oneOf: the first field
        let given = if self.0[ty]["isOneOf"] == true { vec![&fields[0]] } else { needed };
        let given = given.iter().map(|field| {
            let name = field["name"].as_str().unwrap();
            format!("{name}: {}", self.value(&field["type"], name))
        });
        format!("{{{}}}", given.collect::<Vec<_>>().join(", "))
    }

    /// A selection of a field with its required arguments.
    fn call(&self, field: &Value) -> String {
        let arguments = field["args"].as_array().unwrap().iter().filter(|argument| is_needed(argument)).map(|argument| {
            let name = argument["name"].as_str().unwrap();
            format!("{name}: {}", self.value(&argument["type"], name))
        });
        let arguments = arguments.collect::<Vec<_>>().join(", ");
        let arguments = if arguments.is_empty() { arguments } else { format!("({arguments})") };
        let mut ty = &field["type"];
        while !ty["ofType"].is_null() {
            ty = &ty["ofType"];
        }
        let below = if matches!(ty["kind"].as_str(), Some("SCALAR" | "ENUM")) { "" } else { " { __typename }" };
        format!("{}{arguments}{below}", field["name"].as_str().unwrap())
    }
}

fn is_needed(value: &Value) -> bool {
    value["type"]["kind"] == "NON_NULL" && value["defaultValue"].is_null()
}

/// The error code of the response, or `ok`.
async fn outcome(server: &Server, token: Option<&str>, query: &str) -> String {
    let request = server.client.post(format!("{}/graphql", server.address));
    let mut request = if query.contains(FILE) {
        let file = reqwest::multipart::Part::text("people: []").file_name("people.yaml");
        let operations = json!({"query": query, "variables": {"file": null}}).to_string();
        let form = reqwest::multipart::Form::new().text("operations", operations).text("map", r#"{"0": ["variables.file"]}"#);
        request.multipart(form.part("0", file))
    } else {
        request.json(&json!({"query": query}))
    };
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("ok").to_owned();
    assert_ne!(code, "INTERNAL_SERVER_ERROR", "{query}: {answer:#}");
    assert!(!code.starts_with("GRAPHQL_"), "{query}: {answer:#}");
    code
}

#[tokio::test]
async fn each_role_may_execute_only_its_operations() {
    let server = Server::empty(On::Sqlite).await;
    let schema = Schema::of(&server).await;
    let mut tokens: Vec<(&str, Option<String>)> = vec![("nobody", None)];
    for &role in Role::ALL {
        tokens.push((role.as_str(), Some(server.store.create_token(role.as_str(), role, None).await.unwrap().1)));
    }
    let before = server.database.connect_with(Clock::fixed("2025-01-01T00:00:00Z".parse().unwrap())).await;
    let end = Some("2025-06-01T00:00:00Z".parse().unwrap());
    tokens.push(("expired", Some(before.create_token("expired", Role::Admin, end).await.unwrap().1)));
    tokens.push(("revoked", Some(server.store.create_token("revoked", Role::Admin, None).await.unwrap().1)));
    server.store.revoke_token("revoked").await.unwrap();

    let mut table = String::new();
    for (kind, root) in [("query", "Query"), ("mutation", "Mutation")] {
        for field in schema.fields(root) {
            let call = schema.call(field);
            let variables = if call.contains(FILE) { format!("({FILE}: Upload!)") } else { String::new() };
            let query = format!("{kind}{variables} {{ {call} }}");
            let mut row = Vec::new();
            for (_, token) in &tokens {
                row.push(match outcome(&server, token.as_deref(), &query).await.as_str() {
                    "UNAUTHENTICATED" => "token",
                    "FORBIDDEN" => "no",
                    // only authorization is tested, not the result
                    _ => "yes",
                });
            }
            writeln!(table, "{:36} {}", format!("{kind} {}", field["name"].as_str().unwrap()), row.join(" ")).unwrap();
        }
    }
    let names: Vec<&str> = tokens.iter().map(|(name, _)| *name).collect();
    insta::assert_snapshot!(format!("{:36} {}\n{table}", "", names.join(" ")));
    // an invalid token is an error even for public operations
    assert!(table.lines().all(|line| line.ends_with("token token")), "{table}");
    // mutations require a token
    let changes = table.lines().filter(|line| line.starts_with("mutation"));
    assert!(changes.clone().count() > 50 && changes.clone().all(|line| line.contains(" token ")), "{table}");
    // the lowest role may execute only what every reader may
    let by_readers: Vec<&str> = changes.filter(|line| line.contains("token yes yes yes")).collect();
    assert!(by_readers.len() <= 1 && by_readers.iter().all(|line| line.contains("saveQuery")), "{by_readers:?}");
}

//! Values of the dataset that attacks use, read from the server.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::attack::action::AttackRequest;
use crate::attack::client::Client;
use crate::attack::outcome::Outcome;
use crate::client::Connection;

/// Slug of the case that is imported for attacks on the history.
const LARGE_CASE: &str = "kurultai-bench-attack-history";
/// Parts of that case.
const LARGE_CASE_PARTS: u32 = 3_000;
/// Slug of the person whose name is withheld for some attacks.
const WITHHELD_PERSON: &str = "kurultai-bench-attack-withheld";
/// Time for a request that prepares attacks.
const PREPARATION_TIMEOUT: std::time::Duration = std::time::Duration::from_mins(10);

/// Values of the dataset.
#[derive(Debug)]
pub struct Samples {
    /// Token of an editor.
    pub token: Option<String>,
    pub case_ids: Vec<String>,
    pub case_slug: String,
    pub person_id: String,
    /// Names of people.
    pub names: Vec<String>,
    /// A record with several revisions, and the number of its latest.
    pub history: (String, u64),
    /// Whether the record with several revisions was imported for the attacks.
    is_imported: bool,
    /// Token of the admin who withheld the name of a person for the attacks, and the id of the person.
    withheld: Option<(String, String)>,
    /// Cursor of the oldest change.
    pub oldest_cursor: String,
}

impl Samples {
    /// Reads the values. With a token and `needs_history`, imports a case with many parts in two revisions.
    pub async fn fetch(address: &str, token: Option<&str>, needs_history: bool) -> anyhow::Result<Self> {
        let mut connection = Connection::open(address).await?;
        let query = "{
            cases(first: 100) { nodes { id slug } }
            people(first: 100) { nodes { id name } }
            changes(first: 1) { pageInfo { endCursor } nodes { record { ... on Record { id revision } } } }
        }";
        let data = connection.query(query, json!({})).await?;
        let text = |pointer: &str| {
            data.pointer(pointer).and_then(Value::as_str).map(str::to_owned).with_context(|| format!("the dataset has no {pointer}"))
        };
        let cases = data["cases"]["nodes"].as_array().context("the dataset has no cases")?;
        let case_ids: Vec<String> = cases.iter().filter_map(|case| case["id"].as_str().map(str::to_owned)).collect();
        ensure!(!case_ids.is_empty(), "the dataset has no cases");
        let people = data["people"]["nodes"].as_array().context("the dataset has no people")?;
        let names: Vec<String> = people.iter().filter_map(|person| person["name"].as_str().map(str::to_owned)).collect();
        ensure!(!names.is_empty(), "the people of the dataset have no names");
        let revision = data.pointer("/changes/nodes/0/record/revision").and_then(Value::as_u64).unwrap_or(1);
        let mut samples = Self {
            token: token.map(str::to_owned),
            case_slug: text("/cases/nodes/0/slug")?,
            person_id: text("/people/nodes/0/id")?,
            names,
            history: (text("/changes/nodes/0/record/id").unwrap_or_else(|_| case_ids[0].clone()), revision),
            is_imported: false,
            withheld: None,
            oldest_cursor: text("/changes/pageInfo/endCursor")?,
            case_ids,
        };
        if let Some(token) = token.filter(|_| needs_history) {
            samples.history = import_large_case(address, token).await?;
            samples.is_imported = true;
        }
        Ok(samples)
    }

    /// Whether the name of a person is withheld.
    pub fn has_withheld(&self) -> bool {
        self.withheld.is_some()
    }

    /// Makes a person and withholds its name.
    pub async fn withhold_person(&mut self, address: &str, admin: &str) -> anyhow::Result<()> {
        let create = "mutation($input: CreatePersonInput!) { createPerson(input: $input) { errors { code message } } }";
        let name = json!({"en": "Tamara Eslyambekova", "ru": "Тамара Еслямбекова"});
        mutate(address, admin, create, &json!({"slug": WITHHELD_PERSON, "name": name})).await?;
        let query = "query($by: PersonBy!) { person(by: $by) { id } }";
        let found = Connection::open(address).await?.query(query, json!({"by": {"slug": WITHHELD_PERSON}})).await?;
        let id = found["person"]["id"].as_str().context("the person was not created")?.to_owned();
        let withhold = "mutation($input: WithholdInput!) { withholdPerson(input: $input) { errors { code message } } }";
        mutate(address, admin, withhold, &json!({"person": id})).await?;
        self.withheld = Some((admin.to_owned(), id));
        Ok(())
    }

    /// Deletes what was made for the attacks.
    pub async fn remove(&self, address: &str) -> anyhow::Result<()> {
        if let Some((admin, person)) = &self.withheld {
            let end = "mutation($input: EndWithholdingInput!) { endWithholding(input: $input) { errors { code message } } }";
            mutate(address, admin, end, &json!({"person": person, "message": "end of the attacks"})).await?;
            let delete = "mutation($input: RecordInput!) { deletePerson(input: $input) { errors { code message } } }";
            mutate(address, admin, delete, &json!({"id": person})).await?;
        }
        let (Some(token), true) = (&self.token, self.is_imported) else { return Ok(()) };
        let query = "mutation($input: RecordInput!) { deleteCase(input: $input) { errors { code message } } }";
        mutate(address, token, query, &json!({"id": LARGE_CASE})).await
    }
}

/// Sends a mutation, which must succeed.
async fn mutate(address: &str, token: &str, query: &str, input: &Value) -> anyhow::Result<()> {
    let request = AttackRequest::graphql(query, &json!({"input": input})).token(token);
    let (response, _) = patient_client(address).await?.request(&request).await;
    ensure!(response.outcome == Outcome::Answered, "{query} was not executed: {}", response.outcome);
    Ok(())
}

async fn patient_client(address: &str) -> anyhow::Result<Client> {
    let server = tokio::net::lookup_host(address).await?.next().with_context(|| format!("{address} has no address"))?;
    Ok(Client { server, source: None, timeout: PREPARATION_TIMEOUT })
}

/// Imports a case twice, with other texts the second time; returns its id and revision.
async fn import_large_case(address: &str, token: &str) -> anyhow::Result<(String, u64)> {
    let client = patient_client(address).await?;
    for text in ["first", "second"] {
        let events: Vec<Value> = (0..LARGE_CASE_PARTS)
            .map(|number| json!({"key": format!("e{number}"), "kind": "conduct", "text": {"en": format!("the {text} text of event {number}")}}))
            .collect();
        let case =
            json!({"slug": LARGE_CASE, "title": {"en": "A case with many events"}, "kind": "other", "status": "pending", "events": events});
        let content = json!({"case": case}).to_string();
        let (response, _) = client.request(&AttackRequest::upload("case.ndjson", &content, false, token)).await;
        ensure!(response.outcome == Outcome::Answered, "the case with many events was not imported: {}", response.outcome);
    }
    let body = json!({"query": "query($by: CaseBy!) { case(by: $by) { id revision } }", "variables": {"by": {"slug": LARGE_CASE}}});
    // a new connection, because the server may have closed an idle one
    let data = Connection::open(address).await?.fetch("/graphql", &body).await?;
    let case = &data["case"];
    Ok((case["id"].as_str().context("the imported case is not visible")?.to_owned(), case["revision"].as_u64().unwrap_or(1)))
}

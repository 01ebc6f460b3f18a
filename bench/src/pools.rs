//! Values that vary from request to request, taken from the servers before anything is timed.

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Connection, Server};
use crate::workload::{Kind, uuid_of};

/// A case in the list of all cases.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its cursor, as Kurultai gives it.
    pub cursor: String,
    /// Its id, as Kurultai gives it.
    pub id: String,
    /// Its id in the tables.
    pub uuid: Uuid,
    /// When it was opened; the empty text where that is unknown.
    pub opened: String,
}

/// Values to choose from.
#[derive(Debug)]
pub struct Pools {
    /// Cases from the whole list.
    pub places: Vec<Place>,
    /// Cases from a deep position on.
    pub deep: Vec<Place>,
    /// That position.
    pub position: u64,
    /// Slugs of people.
    pub people: Vec<String>,
    /// Words to search for.
    pub words: Vec<String>,
    /// What PostGraphile begins its cursors of this list with.
    pub digest: Option<Value>,
}

/// Takes values to choose from out of Kurultai, and from PostGraphile the beginning of its cursors.
/// The pages deep in the list begin at `position` or, in a shorter list, at four fifths of it.
pub async fn draw(servers: &[Server], position: u64) -> anyhow::Result<Pools> {
    const CASES: &str =
        "query ($from: PartialDate!) { cases(first: 100, filter: {opened: {lt: $from}}) { edges { cursor node { id opened } } } }";
    const COUNT: &str = "query ($from: PartialDate!) { cases(filter: {opened: {gte: $from}}) { totalCount } }";
    const PEOPLE: &str =
        "query ($after: String) { people(first: 100, after: $after) { nodes { slug sortName } pageInfo { endCursor hasNextPage } } }";
    fn places(data: &Value) -> anyhow::Result<Vec<Place>> {
        let edges = data["cases"]["edges"].as_array().context("there are no cases")?;
        edges
            .iter()
            .map(|edge| {
                let id = edge["node"]["id"].as_str().context("a case has no id")?.to_owned();
                Ok(Place {
                    cursor: edge["cursor"].as_str().context("a case has no cursor")?.to_owned(),
                    uuid: uuid_of(&id).with_context(|| format!("{id} is no id"))?,
                    id,
                    opened: edge["node"]["opened"].as_str().unwrap_or_default().to_owned(),
                })
            })
            .collect()
    }
    let first = servers.first().context("there are no servers")?;
    ensure!(matches!(first.kind, Kind::Kurultai | Kind::Kept), "the first server must be Kurultai");
    let mut api = Connection::open(&first.address).await?;

    let mut all = Vec::new();
    for year in 2_001..=2_026 {
        for month in ["01", "07"] {
            all.extend(places(&api.query(CASES, json!({"from": format!("{year}-{month}-01")})).await?)?);
        }
    }

    let total = api.query("{ cases { totalCount } }", json!({})).await?["cases"]["totalCount"].as_u64().context("no totalCount")?;
    let wanted = position.min(total / 5 * 4);
    // by months: the position is found to some thousand places, and told as it is
    let month = |number: u32| format!("{:04}-{:02}-01", number / 12, number % 12 + 1);
    let (mut early, mut late, mut position) = (1_990 * 12, 2_030 * 12, 0);
    while late - early > 1 {
        let middle = u32::midpoint(early, late);
        let before = api.query(COUNT, json!({"from": month(middle)})).await?["cases"]["totalCount"].as_u64().context("no totalCount")?;
        if before >= wanted {
            (early, position) = (middle, before);
        } else {
            late = middle;
        }
    }
    let deep = places(&api.query(CASES, json!({"from": month(early)})).await?)?;

    let (mut people, mut words) = (Vec::new(), Vec::new());
    let mut after = Value::Null;
    for _ in 0..10 {
        let data = api.query(PEOPLE, json!({"after": after})).await?;
        for person in data["people"]["nodes"].as_array().context("there are no people")? {
            people.push(person["slug"].as_str().context("a person has no slug")?.to_owned());
            if let Some(word) = person["sortName"].as_str().and_then(|name| name.split(' ').next()) {
                words.push(word.to_lowercase());
            }
        }
        after = data["people"]["pageInfo"]["endCursor"].clone();
        if data["people"]["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    words.dedup();

    let mut digest = None;
    if let Some(peer) = servers.iter().find(|server| server.kind == Kind::Postgraphile) {
        let query = include_str!("../peer/postgraphile/queries/cursor.graphql");
        let data = Connection::open(&peer.address).await?.query(query, json!({})).await?;
        let cursor = data["allCases"]["edges"][0]["cursor"].as_str().context("PostGraphile gave no cursor")?;
        let parts: Value = serde_json::from_slice(&from_base64(cursor)).context("a cursor of another shape")?;
        digest = parts.get(0).cloned();
    }
    Ok(Pools { places: all, deep, position, people, words, digest })
}

/// The bytes of a text in base 64; signs of another kind end it.
fn from_base64(text: &str) -> Vec<u8> {
    let (mut bytes, mut number, mut bits) = (Vec::new(), 0_u32, 0);
    for digit in text.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        number = (number << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((number >> bits) as u8);
            number &= (1 << bits) - 1;
        }
    }
    bytes
}

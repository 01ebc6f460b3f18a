//! Values for the variables of requests, fetched from the targets before the measurement.

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::Connection;
use crate::target::{Target, TargetKind};
use crate::workload::encoding::{decode_base64, uuid_of_global_id};

/// A case and its position in the list of all cases.
#[derive(Debug, Clone)]
pub struct CasePosition {
    /// Cursor of Kurultai.
    pub cursor: String,
    /// Global id of Kurultai.
    pub id: String,
    /// Primary key.
    pub uuid: Uuid,
    /// Date of opening; empty if it is unknown.
    pub opened: String,
}

/// Values to select from.
#[derive(Debug)]
pub struct Samples {
    /// Cases from the whole list.
    pub cases: Vec<CasePosition>,
    /// Cases that follow `deep_position`.
    pub deep_cases: Vec<CasePosition>,
    /// Number of cases before the deep page.
    pub deep_position: u64,
    /// Slugs of people.
    pub people: Vec<String>,
    /// Family names of people, in lower case.
    pub search_terms: Vec<String>,
    /// First element of PostGraphile's cursors of this list; `None` if PostGraphile is not measured.
    pub postgraphile_digest: Option<Value>,
}

impl Samples {
    /// Fetches samples from the first target, and the cursor digest from PostGraphile. The deep page starts with the first
    /// month that has at least `position` cases before it, or four fifths of the list if that is less.
    ///
    /// # Errors
    /// If the first target is not Kurultai, or a request fails.
    pub async fn fetch(targets: &[Target], position: u64) -> anyhow::Result<Self> {
        let first = targets.first().context("no server is given")?;
        ensure!(matches!(first.kind, TargetKind::Kurultai | TargetKind::Cached), "the first server must be Kurultai");
        let mut api = Connection::open(&first.address).await?;
        let mut cases = Vec::new();
        for year in 2_001..=2_026 {
            for month in ["01", "07"] {
                cases.extend(cases_before(&mut api, &format!("{year}-{month}-01")).await?);
            }
        }
        let (deep_cases, deep_position) = deep_cases(&mut api, position).await?;
        let (people, search_terms) = people(&mut api).await?;
        let postgraphile_digest = match targets.iter().find(|target| target.kind == TargetKind::Postgraphile) {
            Some(target) => Some(postgraphile_digest(target).await?),
            None => None,
        };
        Ok(Self { cases, deep_cases, deep_position, people, search_terms, postgraphile_digest })
    }
}

/// The first 100 cases that were opened before a date.
async fn cases_before(api: &mut Connection, date: &str) -> anyhow::Result<Vec<CasePosition>> {
    const QUERY: &str =
        "query ($from: PartialDate!) { cases(first: 100, filter: {openedOn: {lt: $from}}) { edges { cursor node { id openedOn } } } }";
    let data = api.query(QUERY, json!({"from": date})).await?;
    let edges = data["cases"]["edges"].as_array().context("the response has no cases")?;
    edges
        .iter()
        .map(|edge| {
            let id = edge["node"]["id"].as_str().context("a case has no id")?.to_owned();
            Ok(CasePosition {
                cursor: edge["cursor"].as_str().context("a case has no cursor")?.to_owned(),
                uuid: uuid_of_global_id(&id).with_context(|| format!("{id} is not a global id"))?,
                id,
                opened: edge["node"]["openedOn"].as_str().unwrap_or_default().to_owned(),
            })
        })
        .collect()
}

async fn total_count(api: &mut Connection, query: &str, variables: Value) -> anyhow::Result<u64> {
    api.query(query, variables).await?["cases"]["totalCount"].as_u64().context("the response has no totalCount")
}

/// The cases at a position, and the exact position: the start of a month, found by binary search.
async fn deep_cases(api: &mut Connection, position: u64) -> anyhow::Result<(Vec<CasePosition>, u64)> {
    const COUNT: &str = "query ($from: PartialDate!) { cases(filter: {openedOn: {gte: $from}}) { totalCount } }";
    let total = total_count(api, "{ cases { totalCount } }", json!({})).await?;
    let wanted = position.min(total / 5 * 4);
    let date = |month: u32| format!("{:04}-{:02}-01", month / 12, month % 12 + 1);
    let (mut early, mut late, mut found) = (1_990 * 12, 2_030 * 12, 0);
    while late - early > 1 {
        let middle = u32::midpoint(early, late);
        let preceding = total_count(api, COUNT, json!({"from": date(middle)})).await?;
        if preceding >= wanted {
            (early, found) = (middle, preceding);
        } else {
            late = middle;
        }
    }
    Ok((cases_before(api, &date(early)).await?, found))
}

/// Slugs and family names of up to 1,000 people.
async fn people(api: &mut Connection) -> anyhow::Result<(Vec<String>, Vec<String>)> {
    const QUERY: &str =
        "query ($after: String) { people(first: 100, after: $after) { nodes { slug sortName } pageInfo { endCursor hasNextPage } } }";
    let (mut slugs, mut family_names) = (Vec::new(), Vec::new());
    let mut after = Value::Null;
    for _ in 0..10 {
        let data = api.query(QUERY, json!({"after": after})).await?;
        for person in data["people"]["nodes"].as_array().context("the response has no people")? {
            slugs.push(person["slug"].as_str().context("a person has no slug")?.to_owned());
            if let Some(name) = person["sortName"].as_str().and_then(|name| name.split(' ').next()) {
                family_names.push(name.to_lowercase());
            }
        }
        after = data["people"]["pageInfo"]["endCursor"].clone();
        if data["people"]["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    family_names.dedup();
    Ok((slugs, family_names))
}

async fn postgraphile_digest(target: &Target) -> anyhow::Result<Value> {
    const QUERY: &str = include_str!("../../peer/postgraphile/queries/cursor.graphql");
    let data = Connection::open(&target.address).await?.query(QUERY, json!({})).await?;
    let cursor = data["allCases"]["edges"][0]["cursor"].as_str().context("PostGraphile returned no cursor")?;
    let mut elements: Value = serde_json::from_slice(&decode_base64(cursor)).context("a cursor of PostGraphile is not JSON")?;
    elements.get_mut(0).map(Value::take).context("a cursor of PostGraphile is not an array")
}

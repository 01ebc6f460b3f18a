//! What is asked of the servers: each workload as every server takes it, with the values that vary from request to request.

use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::pools::{Place, Pools};

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Kurultai that keeps no answers
    Kurultai,
    /// Kurultai that keeps answers
    Kept,
    /// PostGraphile over the same tables
    Postgraphile,
    /// Seaography over the same tables
    Seaography,
    /// The limits: one hand-written statement for each workload, and a fixed body
    Limit,
}

impl Kind {
    /// As tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kurultai => "kurultai",
            Self::Kept => "kurultai, kept answers",
            Self::Postgraphile => "PostGraphile",
            Self::Seaography => "Seaography",
            Self::Limit => "limits",
        }
    }

    /// As the lines of a workload call it.
    pub fn name_in(self, workload: &Workload) -> &'static str {
        match (self, workload.varies) {
            (Self::Limit, Varies::Kept) => "fixed body",
            (Self::Limit, _) => "hand-written SQL",
            (Self::Postgraphile, Varies::Workload) => "PostGraphile, without the search",
            _ => self.name(),
        }
    }
}

/// A thing to ask for.
#[derive(Debug)]
pub struct Workload {
    /// Its name, which is also its path at the limits.
    pub name: &'static str,
    /// As tables call it.
    pub title: &'static str,
    /// The query of Kurultai.
    pub query: &'static str,
    /// The query of PostGraphile, which has its own schema; nothing where it cannot answer.
    pub postgraphile: Option<&'static str>,
    /// The same of Seaography.
    pub seaography: Option<&'static str>,
    /// What varies.
    pub varies: Varies,
}

/// What varies from request to request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Varies {
    /// The id of a case.
    Id,
    /// The place after which the page begins.
    After,
    /// The same, deep in the list.
    Deep,
    /// The person whose cases are asked for.
    Person,
    /// The words to search for.
    Words,
    /// Nothing; answers are not kept.
    Nothing,
    /// Nothing; all cases are looked at each time.
    Whole,
    /// Nothing; answers are kept where the server can.
    Kept,
    /// The workload: all others in turn, while records are written.
    Workload,
}

const PAGE: &str = "query ($after: String) { cases(first: 20, after: $after) { nodes { id title status opened } } }";
const LEVELS: &str = "query ($after: String) { cases(first: 20, after: $after) { nodes { id title status opened \
    parties(first: 5) { nodes { id role person { id name } } } \
    charges(first: 5) { nodes { id locator outcome provision { id number heading law { id title } } } } } } }";
const POSTGRAPHILE_PAGE: &str = include_str!("../peer/postgraphile/queries/page.graphql");
const POSTGRAPHILE_LEVELS: &str = include_str!("../peer/postgraphile/queries/levels.graphql");
const SEAOGRAPHY_PAGE: &str = include_str!("../peer/seaography/queries/page.graphql");
const SEAOGRAPHY_LEVELS: &str = include_str!("../peer/seaography/queries/levels.graphql");

/// All workloads.
pub const WORKLOADS: &[Workload] = &[
    Workload {
        name: "id",
        title: "one case by id",
        query: "query ($id: ID!) { case(by: {id: $id}) { id title docketNumber kind status opened decided } }",
        postgraphile: Some(include_str!("../peer/postgraphile/queries/id.graphql")),
        seaography: Some(include_str!("../peer/seaography/queries/id.graphql")),
        varies: Varies::Id,
    },
    Workload {
        name: "newest",
        title: "the 20 newest cases",
        query: PAGE,
        postgraphile: Some(POSTGRAPHILE_PAGE),
        seaography: Some(SEAOGRAPHY_PAGE),
        varies: Varies::Nothing,
    },
    Workload {
        name: "levels",
        title: "three levels",
        query: LEVELS,
        postgraphile: Some(POSTGRAPHILE_LEVELS),
        seaography: Some(SEAOGRAPHY_LEVELS),
        varies: Varies::After,
    },
    Workload {
        name: "filter",
        title: "filter through two relations",
        query: "query ($person: String!) { cases(first: 20, filter: {parties: {some: {person: {slug: {eq: $person}}}}}) \
            { nodes { id title status opened } } }",
        postgraphile: Some(include_str!("../peer/postgraphile/queries/filter.graphql")),
        seaography: Some(include_str!("../peer/seaography/queries/filter.graphql")),
        varies: Varies::Person,
    },
    Workload {
        name: "deep",
        title: "20 cases deep in the list",
        query: PAGE,
        postgraphile: Some(POSTGRAPHILE_PAGE),
        seaography: Some(SEAOGRAPHY_PAGE),
        varies: Varies::Deep,
    },
    Workload {
        name: "search",
        title: "full-text search",
        query: "query ($words: String!) { search(query: $words, first: 20) { nodes { record { id } } } }",
        postgraphile: None,
        seaography: None,
        varies: Varies::Words,
    },
    Workload {
        name: "repeated",
        title: "three levels, repeated",
        query: LEVELS,
        postgraphile: Some(POSTGRAPHILE_LEVELS),
        seaography: Some(SEAOGRAPHY_LEVELS),
        varies: Varies::Kept,
    },
    Workload {
        name: "statistics",
        title: "statistics by year and provision",
        query: "{ caseStatistics(groupBy: [YEAR, PROVISION], order: {field: COUNT, direction: DESC}, first: 100) \
            { rows { year provision { id number heading } count } total { count } } }",
        postgraphile: None,
        seaography: None,
        varies: Varies::Whole,
    },
    Workload {
        name: "mixed",
        title: "all in turn, one write a second",
        query: "",
        postgraphile: None,
        seaography: None,
        varies: Varies::Workload,
    },
];

/// The workloads of these names, or all.
pub fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Workload>> {
    for name in names {
        ensure!(WORKLOADS.iter().any(|workload| workload.name == name), "there is no workload {name}");
    }
    Ok(WORKLOADS.iter().filter(|workload| names.is_empty() || names.iter().any(|name| name == workload.name)).collect())
}

impl Workload {
    /// Whether a server of this kind takes part.
    pub fn suits(&self, kind: Kind) -> bool {
        match self.varies {
            Varies::Kept => kind != Kind::Kurultai && self.answered_by(kind),
            Varies::Workload => kind != Kind::Seaography,
            _ => kind != Kind::Kept && self.answered_by(kind),
        }
    }

    /// Whether a server of this kind has an answer.
    fn answered_by(&self, kind: Kind) -> bool {
        match kind {
            Kind::Kurultai | Kind::Kept | Kind::Limit => true,
            Kind::Postgraphile => self.postgraphile.is_some(),
            Kind::Seaography => self.seaography.is_some(),
        }
    }

    /// What a server of this kind is asked in turn: the workload itself, or those that it is mixed of.
    pub fn parts(&'static self, kind: Kind) -> Vec<&'static Self> {
        match self.varies {
            Varies::Workload => WORKLOADS
                .iter()
                .filter(|part| !matches!(part.varies, Varies::Kept | Varies::Whole | Varies::Workload) && part.answered_by(kind))
                .collect(),
            _ => vec![self],
        }
    }

    /// The path and the body of a request; `number` chooses the values.
    pub fn request(&self, kind: Kind, pools: &Pools, number: usize) -> anyhow::Result<(String, Value)> {
        // neighbours in a pool are neighbours in the list: a step prime to its length goes through it crosswise
        fn nth<T>(pool: &[T], number: usize) -> anyhow::Result<&T> {
            pool.get(number.wrapping_mul(7_919) % pool.len().max(1)).context("the server has no record to choose from")
        }
        let after = |place: &Place| {
            Ok::<_, anyhow::Error>(match kind {
                Kind::Kurultai | Kind::Kept => json!({"after": place.cursor}),
                Kind::Limit => json!({"opened": place.opened, "id": place.uuid.to_string()}),
                Kind::Postgraphile => {
                    let digest = pools.digest.as_ref().context("PostGraphile gave no cursor")?;
                    json!({"after": base64(json!([digest, place.opened, place.uuid.to_string()]).to_string().as_bytes())})
                }
                // it has no cursors in this order; the first condition is there for the index
                Kind::Seaography => json!({"filters": {
                    "openedOrder": {"lte": place.opened},
                    "or": [
                        {"openedOrder": {"lt": place.opened}},
                        {"openedOrder": {"eq": place.opened}, "id": {"lt": place.uuid.to_string()}},
                    ],
                }}),
            })
        };
        let variables = match self.varies {
            Varies::Id => {
                let place = nth(&pools.places, number)?;
                match kind {
                    Kind::Kurultai | Kind::Kept => json!({"id": place.id}),
                    Kind::Limit | Kind::Postgraphile | Kind::Seaography => json!({"id": place.uuid.to_string()}),
                }
            }
            Varies::After => after(nth(&pools.places, number)?)?,
            Varies::Deep => after(nth(&pools.deep, number)?)?,
            Varies::Person => json!({"person": nth(&pools.people, number)?}),
            Varies::Words => json!({"words": nth(&pools.words, number)?}),
            Varies::Nothing | Varies::Whole | Varies::Kept => json!({}),
            Varies::Workload => bail!("a part is asked for, and not the whole"),
        };
        let query = match kind {
            Kind::Limit => return Ok((format!("/{}", self.name), variables)),
            Kind::Kurultai | Kind::Kept => Some(self.query),
            Kind::Postgraphile => self.postgraphile,
            Kind::Seaography => self.seaography,
        };
        Ok(("/graphql".to_owned(), json!({"query": query.context("no query")?, "variables": variables})))
    }
}

/// The id in the tables of an id such as `case_01h455vb4pex5vsknk084sn02q`.
pub fn uuid_of(id: &str) -> Option<Uuid> {
    let (prefix, digits) = id.rsplit_once('_')?;
    if prefix.is_empty() || digits.len() != 26 {
        return None;
    }
    let number = digits.bytes().try_fold(0_u128, |number, digit| {
        let value = b"0123456789abcdefghjkmnpqrstvwxyz".iter().position(|known| *known == digit)?;
        Some((number << 5) | value as u128)
    });
    number.map(Uuid::from_u128)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0_usize, |number, byte| (number << 8) | usize::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            text.push(if place <= chunk.len() { char::from(DIGITS[(number >> (18 - 6 * place)) & 63]) } else { '=' });
        }
    }
    text
}

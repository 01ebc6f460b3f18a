//! What is asked of the servers: each workload as every server takes it, with the values that vary from request to request.

use anyhow::Context;
use clap::ValueEnum;
use serde_json::{Value, json};
use uuid::Uuid;

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Kurultai that keeps no answers
    Kurultai,
    /// Kurultai that keeps answers
    Kept,
    /// PostGraphile over the same tables
    Postgraphile,
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
            Self::Limit => "limits",
        }
    }

    /// As the lines of a workload call it.
    pub fn name_in(self, workload: &Workload) -> &'static str {
        match (self, workload.varies) {
            (Self::Limit, Varies::Kept) => "fixed body",
            (Self::Limit, _) => "hand-written SQL",
            _ => self.name(),
        }
    }
}

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
    pub peer: Option<&'static str>,
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
    /// Nothing; answers are kept where the server can.
    Kept,
}

const PAGE: &str = "query ($after: String) { cases(first: 20, after: $after) { nodes { id title status opened } } }";
const LEVELS: &str = "query ($after: String) { cases(first: 20, after: $after) { nodes { id title status opened \
    parties(first: 5) { nodes { id role person { id name } } } \
    charges(first: 5) { nodes { id locator outcome provision { id number heading law { id title } } } } } } }";
const PEER_PAGE: &str = include_str!("../peer/postgraphile/queries/page.graphql");
const PEER_LEVELS: &str = include_str!("../peer/postgraphile/queries/levels.graphql");

/// All workloads.
pub const WORKLOADS: &[Workload] = &[
    Workload {
        name: "id",
        title: "one case by id",
        query: "query ($id: ID!) { case(by: {id: $id}) { id title docketNumber kind status opened decided } }",
        peer: Some(include_str!("../peer/postgraphile/queries/id.graphql")),
        varies: Varies::Id,
    },
    Workload { name: "newest", title: "the 20 newest cases", query: PAGE, peer: Some(PEER_PAGE), varies: Varies::Nothing },
    Workload { name: "levels", title: "three levels", query: LEVELS, peer: Some(PEER_LEVELS), varies: Varies::After },
    Workload {
        name: "filter",
        title: "filter through two relations",
        query: "query ($person: String!) { cases(first: 20, filter: {parties: {some: {person: {slug: {eq: $person}}}}}) \
            { nodes { id title status opened } } }",
        peer: Some(include_str!("../peer/postgraphile/queries/filter.graphql")),
        varies: Varies::Person,
    },
    Workload { name: "deep", title: "20 cases deep in the list", query: PAGE, peer: Some(PEER_PAGE), varies: Varies::Deep },
    Workload {
        name: "search",
        title: "full-text search",
        query: "query ($words: String!) { search(query: $words, first: 20) { nodes { record { id } } } }",
        peer: None,
        varies: Varies::Words,
    },
    Workload { name: "repeated", title: "three levels, repeated", query: LEVELS, peer: Some(PEER_LEVELS), varies: Varies::Kept },
];

impl Workload {
    /// Whether a server of this kind takes part.
    pub fn suits(&self, kind: Kind) -> bool {
        match kind {
            Kind::Kurultai => self.varies != Varies::Kept,
            Kind::Kept => self.varies == Varies::Kept,
            Kind::Postgraphile => self.peer.is_some(),
            Kind::Limit => true,
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
            })
        };
        let variables = match self.varies {
            Varies::Id => {
                let place = nth(&pools.places, number)?;
                match kind {
                    Kind::Kurultai | Kind::Kept => json!({"id": place.id}),
                    Kind::Limit | Kind::Postgraphile => json!({"id": place.uuid.to_string()}),
                }
            }
            Varies::After => after(nth(&pools.places, number)?)?,
            Varies::Deep => after(nth(&pools.deep, number)?)?,
            Varies::Person => json!({"person": nth(&pools.people, number)?}),
            Varies::Words => json!({"words": nth(&pools.words, number)?}),
            Varies::Nothing | Varies::Kept => json!({}),
        };
        Ok(match kind {
            Kind::Limit => (format!("/{}", self.name), variables),
            Kind::Kurultai | Kind::Kept => ("/graphql".to_owned(), json!({"query": self.query, "variables": variables})),
            Kind::Postgraphile => ("/graphql".to_owned(), json!({"query": self.peer.context("no query")?, "variables": variables})),
        })
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

/// The bytes of a text in base 64; signs of another kind end it.
pub fn from_base64(text: &str) -> Vec<u8> {
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

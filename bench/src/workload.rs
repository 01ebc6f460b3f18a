//! The workloads: the request that each target receives, with variables that differ between requests.

pub mod encoding;
pub mod sample;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use crate::target::TargetKind;
use crate::workload::encoding::encode_base64;
use crate::workload::sample::{CasePosition, Samples};

/// A kind of request.
#[derive(Debug)]
pub struct Workload {
    /// Name on the command line, and the path at the target of kind `limit`.
    pub name: &'static str,
    /// Label in printed tables.
    pub title: &'static str,
    /// Query for Kurultai.
    query: &'static str,
    /// Query for PostGraphile, which has its own schema; `None` if it has no equivalent.
    postgraphile: Option<&'static str>,
    /// Query for Seaography, likewise.
    seaography: Option<&'static str>,
    variation: Variation,
}

/// The difference between the requests of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variation {
    /// The id of a case.
    Id,
    /// The cursor that the page follows.
    Cursor,
    /// The same, deep in the list.
    DeepCursor,
    /// The person whose cases are requested.
    Person,
    /// The search term.
    SearchTerm,
    /// No difference; responses are not cached.
    None,
    /// No difference; every request scans all cases.
    FullScan,
    /// No difference; responses are cached if the target can.
    Repeated,
    /// All other workloads in turn, while records are written.
    Mixed,
}

const PAGE_QUERY: &str = "query ($after: String) { cases(first: 20, after: $after) { nodes { id title status openedOn } } }";
const LEVELS_QUERY: &str = "query ($after: String) { cases(first: 20, after: $after) { nodes { id title status openedOn \
    parties(first: 5) { nodes { id role person { id name } } } \
    charges(first: 5) { nodes { id locator outcome provision { id number heading law { id title } } } } } } }";
const POSTGRAPHILE_PAGE_QUERY: &str = include_str!("../peer/postgraphile/queries/page.graphql");
const POSTGRAPHILE_LEVELS_QUERY: &str = include_str!("../peer/postgraphile/queries/levels.graphql");
const SEAOGRAPHY_PAGE_QUERY: &str = include_str!("../peer/seaography/queries/page.graphql");
const SEAOGRAPHY_LEVELS_QUERY: &str = include_str!("../peer/seaography/queries/levels.graphql");

/// All workloads, in the order in which they run.
const WORKLOADS: &[Workload] = &[
    Workload {
        name: "id",
        title: "one case by id",
        query: "query ($id: ID!) { case(by: {id: $id}) { id title docketNumber kind status openedOn decidedOn } }",
        postgraphile: Some(include_str!("../peer/postgraphile/queries/id.graphql")),
        seaography: Some(include_str!("../peer/seaography/queries/id.graphql")),
        variation: Variation::Id,
    },
    Workload {
        name: "newest",
        title: "the 20 newest cases",
        query: PAGE_QUERY,
        postgraphile: Some(POSTGRAPHILE_PAGE_QUERY),
        seaography: Some(SEAOGRAPHY_PAGE_QUERY),
        variation: Variation::None,
    },
    Workload {
        name: "levels",
        title: "three levels",
        query: LEVELS_QUERY,
        postgraphile: Some(POSTGRAPHILE_LEVELS_QUERY),
        seaography: Some(SEAOGRAPHY_LEVELS_QUERY),
        variation: Variation::Cursor,
    },
    Workload {
        name: "filter",
        title: "filter through two relations",
        query: "query ($person: String!) { cases(first: 20, filter: {parties: {some: {person: {slug: {eq: $person}}}}}) \
            { nodes { id title status openedOn } } }",
        postgraphile: Some(include_str!("../peer/postgraphile/queries/filter.graphql")),
        seaography: Some(include_str!("../peer/seaography/queries/filter.graphql")),
        variation: Variation::Person,
    },
    Workload {
        name: "deep",
        title: "20 cases deep in the list",
        query: PAGE_QUERY,
        postgraphile: Some(POSTGRAPHILE_PAGE_QUERY),
        seaography: Some(SEAOGRAPHY_PAGE_QUERY),
        variation: Variation::DeepCursor,
    },
    Workload {
        name: "search",
        title: "full-text search",
        query: "query ($words: String!) { search(query: $words, first: 20) { nodes { record { id } } } }",
        postgraphile: None,
        seaography: None,
        variation: Variation::SearchTerm,
    },
    Workload {
        name: "repeated",
        title: "three levels, repeated",
        query: LEVELS_QUERY,
        postgraphile: Some(POSTGRAPHILE_LEVELS_QUERY),
        seaography: Some(SEAOGRAPHY_LEVELS_QUERY),
        variation: Variation::Repeated,
    },
    Workload {
        name: "statistics",
        title: "statistics by year and provision",
        query: "{ caseStatistics(groupBy: [YEAR, PROVISION], order: {field: COUNT, direction: DESC}, first: 100) \
            { rows { year provision { id number heading } count } total { count } } }",
        postgraphile: None,
        seaography: None,
        variation: Variation::FullScan,
    },
    Workload {
        name: "mixed",
        title: "all in turn, one write per second",
        query: "",
        postgraphile: None,
        seaography: None,
        variation: Variation::Mixed,
    },
];

/// The workloads with these names, or all of them if there are no names.
///
/// # Errors
/// If a name is unknown.
pub fn select_workloads(names: &[String]) -> anyhow::Result<Vec<&'static Workload>> {
    for name in names {
        ensure!(WORKLOADS.iter().any(|workload| workload.name == name), "there is no workload \"{name}\"");
    }
    Ok(WORKLOADS.iter().filter(|workload| names.is_empty() || names.iter().any(|name| name == workload.name)).collect())
}

impl Workload {
    /// Whether records are written during the measurement.
    pub fn is_mixed(&self) -> bool {
        self.variation == Variation::Mixed
    }

    /// Whether the statements of one request can be counted.
    pub fn is_countable(&self) -> bool {
        !matches!(self.variation, Variation::FullScan | Variation::Mixed)
    }

    /// Label of a target in the table rows of this workload.
    pub fn target_label(&self, kind: TargetKind) -> &'static str {
        match (kind, self.variation) {
            (TargetKind::Limit, Variation::Repeated) => "fixed body",
            (TargetKind::Limit, _) => "hand-written SQL",
            (TargetKind::Postgraphile, Variation::Mixed) => "PostGraphile, without search",
            _ => kind.label(),
        }
    }

    /// Whether targets of this kind run the workload.
    pub fn runs_on(&self, kind: TargetKind) -> bool {
        match self.variation {
            Variation::Repeated => kind != TargetKind::Kurultai && self.is_supported_by(kind),
            Variation::Mixed => kind != TargetKind::Seaography,
            _ => kind != TargetKind::Cached && self.is_supported_by(kind),
        }
    }

    fn is_supported_by(&self, kind: TargetKind) -> bool {
        match kind {
            TargetKind::Kurultai | TargetKind::Cached | TargetKind::Limit => true,
            TargetKind::Postgraphile => self.postgraphile.is_some(),
            TargetKind::Seaography => self.seaography.is_some(),
        }
    }

    /// The workloads that a target of this kind runs in turn: this one, or the components of the mixed workload.
    pub fn components(&'static self, kind: TargetKind) -> Vec<&'static Self> {
        match self.variation {
            Variation::Mixed => WORKLOADS
                .iter()
                .filter(|component| {
                    !matches!(component.variation, Variation::Repeated | Variation::FullScan | Variation::Mixed)
                        && component.is_supported_by(kind)
                })
                .collect(),
            _ => vec![self],
        }
    }

    /// Path and body of request number `number`, which selects the variables.
    ///
    /// # Errors
    /// For the mixed workload, which has no request of its own, and if there are no samples of a variable.
    pub fn request(&self, kind: TargetKind, samples: &Samples, number: usize) -> anyhow::Result<(String, Value)> {
        let query = match kind {
            TargetKind::Limit => return Ok((format!("/{}", self.name), self.variables(kind, samples, number)?)),
            TargetKind::Kurultai | TargetKind::Cached => Some(self.query),
            TargetKind::Postgraphile => self.postgraphile,
            TargetKind::Seaography => self.seaography,
        };
        let query = query.with_context(|| format!("{} has no query for {}", kind.label(), self.title))?;
        Ok(("/graphql".to_owned(), json!({"query": query, "variables": self.variables(kind, samples, number)?})))
    }

    fn variables(&self, kind: TargetKind, samples: &Samples, number: usize) -> anyhow::Result<Value> {
        Ok(match self.variation {
            Variation::Id => {
                let case = nth(&samples.cases, number)?;
                match kind {
                    TargetKind::Kurultai | TargetKind::Cached => json!({"id": case.id}),
                    TargetKind::Limit | TargetKind::Postgraphile | TargetKind::Seaography => json!({"id": case.uuid.to_string()}),
                }
            }
            Variation::Cursor => page_variables(kind, samples, nth(&samples.cases, number)?)?,
            Variation::DeepCursor => page_variables(kind, samples, nth(&samples.deep_cases, number)?)?,
            Variation::Person => json!({"person": nth(&samples.people, number)?}),
            Variation::SearchTerm => json!({"words": nth(&samples.search_terms, number)?}),
            Variation::None | Variation::FullScan | Variation::Repeated => json!({}),
            Variation::Mixed => bail!("the mixed workload has no request of its own"),
        })
    }
}

/// A sample by the number of a request. Neighboring samples are neighbors in the list; a step that is coprime to their
/// number visits all of them in scattered order.
fn nth<T>(samples: &[T], number: usize) -> anyhow::Result<&T> {
    samples.get(number.wrapping_mul(7_919) % samples.len().max(1)).context("the server has no records to select from")
}

/// Variables for the page after a case, in the form that the target takes.
fn page_variables(kind: TargetKind, samples: &Samples, case: &CasePosition) -> anyhow::Result<Value> {
    Ok(match kind {
        TargetKind::Kurultai | TargetKind::Cached => json!({"after": case.cursor}),
        TargetKind::Limit => json!({"opened": case.opened, "id": case.uuid.to_string()}),
        TargetKind::Postgraphile => {
            let digest = samples.postgraphile_digest.as_ref().context("PostGraphile returned no cursor")?;
            json!({"after": encode_base64(json!([digest, case.opened, case.uuid.to_string()]).to_string().as_bytes())})
        }
        // there are no cursors in this order; the first condition lets the database use the index
        TargetKind::Seaography => json!({"filters": {
            "openedOnOrder": {"lte": case.opened},
            "or": [
                {"openedOnOrder": {"lt": case.opened}},
                {"openedOnOrder": {"eq": case.opened}, "id": {"lt": case.uuid.to_string()}},
            ],
        }}),
    })
}

//! Lookup of the memberships that people have.

use std::collections::{HashMap, HashSet};

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::core::error::{Result, internal};
use crate::store::error::database;
use crate::store::handle::Store;
use crate::store::sql::dialect::{one_of, one_of_ids};

/// Number of values that one statement looks up.
const LOOKUP_BATCH_VALUES: usize = 10_000;

/// The values of a stored membership that a membership without an id is matched by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredMembership {
    /// Its slug.
    pub slug: String,
    /// Slug of the person.
    pub person: String,
    /// Slug of the organization.
    pub organization: String,
    /// Slug of the organization that the person represents.
    pub on_behalf_of: Option<String>,
    /// Labels by language.
    pub labels: HashMap<String, String>,
    /// Role.
    pub role: Option<String>,
    /// Post.
    pub post: Option<String>,
    /// Area that the person represents.
    pub area: Option<String>,
    /// Legislative period.
    pub period: Option<String>,
    /// First day.
    pub start: Option<String>,
    /// Last day.
    pub end: Option<String>,
    /// Schemes of its identifiers.
    pub schemes: HashSet<String>,
}

impl Store {
    /// The memberships of the people with these slugs, published or not, in the order of their slugs.
    pub async fn find_memberships_of(&self, people: &[String]) -> Result<Vec<StoredMembership>> {
        let mut found: Vec<(Uuid, StoredMembership)> = Vec::new();
        let people: Vec<&str> = people.iter().map(String::as_str).collect();
        for batch in people.chunks(LOOKUP_BATCH_VALUES) {
            let ids = Query::select().column("id").from("persons").and_where(one_of(self.backend(), "slug", batch)?).to_owned();
            let column = |table: &str, column: &str| (Alias::new(table), Alias::new(column));
            let select = Query::select()
                .columns(
                    ["id", "slug", "label", "role", "post", "start", "end", "area", "legislative_period"]
                        .map(|name| column("memberships", name)),
                )
                .columns([column("persons", "slug"), column("organizations", "slug"), column("represented", "slug")])
                .from("memberships")
                .inner_join("persons", Expr::col(("persons", "id")).equals(("memberships", "person_id")))
                .inner_join("organizations", Expr::col(("organizations", "id")).equals(("memberships", "organization_id")))
                .join_as(
                    sea_orm::sea_query::JoinType::LeftJoin,
                    "organizations",
                    "represented",
                    Expr::col(("represented", "id")).equals(("memberships", "on_behalf_of_id")),
                )
                .and_where(Expr::col(("memberships", "person_id")).in_subquery(ids))
                .to_owned();
            for row in self.pools.primary.query_all(&select).await.map_err(database)? {
                let text = |index: usize| row.try_get_by_index::<Option<String>>(index).map_err(internal);
                let required = |index: usize| row.try_get_by_index::<String>(index).map_err(internal);
                let labels: Json = row.try_get_by_index(2).map_err(internal)?;
                let labels = labels.as_object().into_iter().flatten();
                let membership = StoredMembership {
                    slug: required(1)?,
                    labels: labels.filter_map(|(lang, text)| Some((lang.clone(), text.as_str()?.to_owned()))).collect(),
                    role: text(3)?,
                    post: text(4)?,
                    start: text(5)?,
                    end: text(6)?,
                    area: text(7)?,
                    period: text(8)?,
                    person: required(9)?,
                    organization: required(10)?,
                    on_behalf_of: text(11)?,
                    schemes: HashSet::new(),
                };
                found.push((row.try_get_by_index(0).map_err(internal)?, membership));
            }
        }
        let ids: Vec<Uuid> = found.iter().map(|(id, _)| *id).collect();
        let mut schemes: HashMap<Uuid, HashSet<String>> = HashMap::new();
        for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
            let select = Query::select()
                .columns(["record_id", "scheme"])
                .from("identifiers")
                .and_where(one_of_ids(self.backend(), "record_id", batch)?)
                .to_owned();
            for row in self.pools.primary.query_all(&select).await.map_err(database)? {
                let owner = row.try_get_by_index(0).map_err(internal)?;
                schemes.entry(owner).or_default().insert(row.try_get_by_index(1).map_err(internal)?);
            }
        }
        let mut memberships: Vec<StoredMembership> = found
            .into_iter()
            .map(|(id, membership)| StoredMembership { schemes: schemes.remove(&id).unwrap_or_default(), ..membership })
            .collect();
        memberships.sort_by(|a, b| a.slug.cmp(&b.slug));
        Ok(memberships)
    }
}

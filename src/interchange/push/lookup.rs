//! Looks up records in a running server.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde_json::{Value as Json, json};

use super::client::{PushClient, RequestError};
use crate::catalog::catalog;
use crate::core::clock::Clock;
use crate::entity::RecordType;
use crate::interchange::import_reader::record_lookup::{RecordLookup, SlugUse, TakenSlugs};
use crate::store::curation::withholding::withheld_digest::WITHHELD_SLUG_PREFIX;
use crate::store::read::membership_lookup::StoredMembership;
use crate::store::read::provision_lookup::{StoredProvision, StoredVersion};
use crate::store::read::slug_lookup::insert_first;

/// Number of values that one query looks up, and of records on one page.
const LOOKUP_VALUES: usize = 100;
/// Number of provisions on one page, each with its versions.
const PROVISIONS_PER_PAGE: usize = 25;
/// Number of slugs that one query looks up by a field each. The default limit of root fields is 30.
const SLUGS_PER_QUERY: usize = 25;

impl RecordLookup for PushClient {
    type Error = RequestError;

    fn today(&self) -> NaiveDate {
        Clock::System.now().date_naive()
    }

    async fn slugs_by_identifier(&self, ty: RecordType, scheme: &str, values: &[String]) -> Result<HashMap<String, String>, RequestError> {
        let list = catalog().get(ty).plural;
        let query = format!(
            "query ($values: [String!]!, $scheme: String!, $after: String) {{ records: {list}(first: {LOOKUP_VALUES}, after: $after, filter: \
             {{identifiers: {{some: {{scheme: {{eq: $scheme}}, value: {{in: $values}}}}}}}}) \
             {{ nodes {{ slug identifiers {{ scheme value }} }} pageInfo {{ endCursor hasNextPage }} }} }}"
        );
        let mut slugs = HashMap::new();
        for values in values.chunks(LOOKUP_VALUES) {
            for node in self.all_nodes(&query, &json!({"values": values, "scheme": scheme})).await? {
                let slug = text(&node["slug"])?;
                for identifier in node["identifiers"].as_array().ok_or_else(unexpected)? {
                    let (of, value) = (text(&identifier["scheme"])?, text(&identifier["value"])?);
                    if of == scheme && values.contains(&value) {
                        slugs.insert(value, slug.clone());
                    }
                }
            }
        }
        Ok(slugs)
    }

    async fn slugs_by_field(&self, ty: RecordType, field: &str, values: &[String]) -> Result<HashMap<String, String>, RequestError> {
        let list = catalog().get(ty).plural;
        let query = format!(
            "query ($values: [String!]!, $after: String) {{ records: {list}(first: {LOOKUP_VALUES}, after: $after, filter: \
             {{{field}: {{in: $values}}}}) {{ nodes {{ slug value: {field} }} pageInfo {{ endCursor hasNextPage }} }} }}"
        );
        let mut slugs = HashMap::new();
        for values in values.chunks(LOOKUP_VALUES) {
            for node in self.all_nodes(&query, &json!({"values": values})).await? {
                insert_first(&mut slugs, text(&node["value"])?, text(&node["slug"])?);
            }
        }
        Ok(slugs)
    }

    async fn memberships_of(&self, people: &[String]) -> Result<Vec<StoredMembership>, RequestError> {
        let query = format!(
            "query ($values: [String!]!, $after: String) {{ records: memberships(first: {LOOKUP_VALUES}, after: $after, filter: \
             {{person: {{slug: {{in: $values}}}}}}) {{ nodes {{ slug role post area legislativePeriod start end labels {{ lang text }} person {{ slug }} \
             organization {{ slug }} onBehalfOf {{ slug }} identifiers {{ scheme }} }} pageInfo {{ endCursor hasNextPage }} }} }}"
        );
        let optional = |value: &Json| value.as_str().map(str::to_owned);
        let mut memberships = Vec::new();
        for people in people.chunks(LOOKUP_VALUES) {
            for node in self.all_nodes(&query, &json!({"values": people})).await? {
                let labels = node["labels"].as_array().ok_or_else(unexpected)?.iter();
                let identifiers = node["identifiers"].as_array().ok_or_else(unexpected)?.iter();
                memberships.push(StoredMembership {
                    slug: text(&node["slug"])?,
                    person: text(&node["person"]["slug"])?,
                    organization: text(&node["organization"]["slug"])?,
                    on_behalf_of: optional(&node["onBehalfOf"]["slug"]),
                    labels: labels.map(|label| Ok((text(&label["lang"])?, text(&label["text"])?))).collect::<Result<_, RequestError>>()?,
                    role: optional(&node["role"]),
                    post: optional(&node["post"]),
                    area: optional(&node["area"]),
                    period: optional(&node["legislativePeriod"]),
                    start: optional(&node["start"]),
                    end: optional(&node["end"]),
                    schemes: identifiers.map(|identifier| text(&identifier["scheme"])).collect::<Result<_, RequestError>>()?,
                });
            }
        }
        memberships.sort_by(|a, b| a.slug.cmp(&b.slug));
        Ok(memberships)
    }

    async fn provisions_of(&self, laws: &[String]) -> Result<Vec<StoredProvision>, RequestError> {
        let query = format!(
            "query ($values: [String!]!, $after: String) {{ records: provisions(first: {PROVISIONS_PER_PAGE}, after: $after, filter: \
             {{law: {{slug: {{in: $values}}}}}}) {{ nodes {{ slug law {{ slug }} identifiers {{ scheme value }} \
             versions(first: {LOOKUP_VALUES}) {{ nodes {{ key validFrom validTo texts {{ lang text }} }} pageInfo {{ hasNextPage }} }} }} \
             pageInfo {{ endCursor hasNextPage }} }} }}"
        );
        let optional = |value: &Json| value.as_str().map(str::to_owned);
        let mut provisions = Vec::new();
        for laws in laws.chunks(LOOKUP_VALUES) {
            for node in self.all_nodes(&query, &json!({"values": laws})).await? {
                let slug = text(&node["slug"])?;
                if node["versions"]["pageInfo"]["hasNextPage"].as_bool().ok_or_else(unexpected)? {
                    let message = format!("the provision {slug} has more than {LOOKUP_VALUES} versions; import its law into the database");
                    return Err(RequestError::Unexpected(message));
                }
                let mut versions = Vec::new();
                for version in node["versions"]["nodes"].as_array().ok_or_else(unexpected)? {
                    let texts = version["texts"].as_array().ok_or_else(unexpected)?.iter();
                    versions.push(StoredVersion {
                        key: text(&version["key"])?,
                        valid_from: optional(&version["validFrom"]),
                        valid_to: optional(&version["validTo"]),
                        texts: texts
                            .map(|given| Ok((text(&given["lang"])?, text(&given["text"])?)))
                            .collect::<Result<_, RequestError>>()?,
                    });
                }
                let identifiers = node["identifiers"].as_array().ok_or_else(unexpected)?.iter();
                provisions.push(StoredProvision {
                    slug,
                    law: text(&node["law"]["slug"])?,
                    identifiers: identifiers
                        .map(|identifier| Ok((text(&identifier["scheme"])?, text(&identifier["value"])?)))
                        .collect::<Result<_, RequestError>>()?,
                    versions,
                });
            }
        }
        provisions.sort_by(|a, b| a.slug.cmp(&b.slug));
        Ok(provisions)
    }

    async fn taken_slugs(&self, ty: RecordType, slugs: &[String]) -> Result<TakenSlugs, RequestError> {
        let present = self.slugs_by_field(ty, "slug", slugs).await?.into_keys();
        let mut taken: TakenSlugs = present.map(|slug| (slug, SlugUse::Present)).collect();
        // a list has present slugs only; a record is found by a former one, too
        let others: Vec<&String> = slugs.iter().filter(|slug| !taken.contains_key(*slug)).collect();
        let singular = catalog().get(ty).singular();
        for slugs in others.chunks(SLUGS_PER_QUERY) {
            let parameters: Vec<String> = (0..slugs.len()).map(|index| format!("$s{index}: String!")).collect();
            let fields: Vec<String> =
                (0..slugs.len()).map(|index| format!("r{index}: {singular}(by: {{slug: $s{index}}}) {{ slug }}")).collect();
            let variables: serde_json::Map<String, Json> =
                slugs.iter().enumerate().map(|(index, slug)| (format!("s{index}"), json!(slug))).collect();
            let query = format!("query ({}) {{ {} }}", parameters.join(", "), fields.join(" "));
            let data = self.data(&json!({"query": query, "variables": variables})).await?;
            for (index, slug) in slugs.iter().enumerate() {
                if data.get(format!("r{index}")).ok_or_else(unexpected)?.is_object() {
                    taken.insert((*slug).clone(), SlugUse::Former);
                }
            }
        }
        Ok(taken)
    }

    async fn former_slugs_of_people(&self, people: &[(String, String)]) -> Result<Vec<String>, RequestError> {
        // a query does not tell the slug of a withheld person, and an import leaves its record unchanged
        let withheld = format!("{{ people(filter: {{slug: {{startsWith: \"{WITHHELD_SLUG_PREFIX}\"}}}}) {{ totalCount }} }}");
        let count = self.data(&json!({"query": withheld})).await?["people"]["totalCount"].as_u64().ok_or_else(unexpected)?;
        let mut former = Vec::new();
        if count == 0 {
            return Ok(former);
        }
        let mutation = "mutation ($records: [ImportRecordInput!]!) { importRecords(input: {records: $records, dryRun: true, onError: SKIP}) \
                        { results { outcome record { id } } } }";
        for people in people.chunks(LOOKUP_VALUES) {
            let records: Vec<Json> = people.iter().map(|(slug, name)| json!({"person": {"slug": slug, "name": {"en": name}}})).collect();
            let data = self.data(&json!({"query": mutation, "variables": {"records": records}})).await?;
            let results = data["importRecords"]["results"].as_array().filter(|results| results.len() == people.len());
            for (result, (slug, _)) in results.ok_or_else(unexpected)?.iter().zip(people) {
                if result["outcome"] == "UNCHANGED" && result["record"].is_null() {
                    former.push(slug.clone());
                }
            }
        }
        Ok(former)
    }
}

impl PushClient {
    /// The data of the response to a query.
    async fn data(&self, body: &Json) -> Result<Json, RequestError> {
        let mut response = self.post_with_retry(body).await?;
        if let Some(errors) = response["errors"].as_array().filter(|errors| !errors.is_empty()) {
            let messages: Vec<&str> = errors.iter().filter_map(|error| error["message"].as_str()).collect();
            return Err(RequestError::Unexpected(format!("existing records could not be looked up: {}", messages.join("; "))));
        }
        Ok(response["data"].take())
    }

    /// The nodes of all pages of a list that a query calls `records`.
    async fn all_nodes(&self, query: &str, variables: &Json) -> Result<Vec<Json>, RequestError> {
        let mut nodes = Vec::new();
        let mut after = Json::Null;
        loop {
            let mut variables = variables.clone();
            variables["after"] = after;
            let data = self.data(&json!({"query": query, "variables": variables})).await?;
            let page = &data["records"];
            nodes.extend(page["nodes"].as_array().ok_or_else(unexpected)?.iter().cloned());
            if !page["pageInfo"]["hasNextPage"].as_bool().ok_or_else(unexpected)? {
                return Ok(nodes);
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }
}

fn text(value: &Json) -> Result<String, RequestError> {
    value.as_str().map(str::to_owned).ok_or_else(unexpected)
}

fn unexpected() -> RequestError {
    RequestError::Unexpected("unexpected response to a lookup of records; does the server run the same version?".to_owned())
}

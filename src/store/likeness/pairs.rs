//! Finds all pairs of records that may be the same person or organization.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use sea_orm::sea_query::{Alias, Asterisk, Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement, WindowStatement};
use uuid::Uuid;

use crate::core::blocking;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::handle::Store;
use crate::store::likeness::keys::TABLE;
use crate::store::likeness::matching::word_comparisons;
use crate::store::likeness::pair::{DuplicatePair, DuplicatePairs};
use crate::store::likeness::score::{Comparison, MIN_DUPLICATE_SCORE};
use crate::store::likeness::stored::{Reader, load};
use crate::store::sql::column::column;

/// Records that share a key and are compared with each other. A key that more share is too common.
pub const MAX_RECORDS_OF_KEY: u64 = 30;
/// Words that are compared with each other, about a second and a half of a core. Further pairs are not compared.
const MAX_WORD_COMPARISONS: u64 = 5_000_000;
/// Pairs of one type that one query compares, those that share the most keys first.
const MAX_COMPARED_PAIRS: u64 = 20_000;

impl Store {
    /// All pairs of visible records of these types with a score of at least [`MIN_DUPLICATE_SCORE`], among records that share a
    /// key with at most 29 others.
    pub async fn duplicate_pairs(&self, comparisons: &[&'static Comparison]) -> Result<Arc<DuplicatePairs>> {
        let types: Vec<RecordType> = comparisons.iter().map(|comparison| comparison.ty).collect();
        let mut known = self.duplicate_pairs.lock(self.latest_generation().await, self.clock.now(), self.visibility).await;
        if let Some(pairs) = known.value.get(&types) {
            return Ok(pairs.clone());
        }
        let pairs = Arc::new(self.find_duplicate_pairs(comparisons).await?);
        known.value.insert(types, pairs.clone());
        Ok(pairs)
    }

    async fn find_duplicate_pairs(&self, comparisons: &[&'static Comparison]) -> Result<DuplicatePairs> {
        let mut found = DuplicatePairs { pairs: Vec::new(), is_complete: self.fetch_all(&self.common_key()).await?.is_empty() };
        let mut candidates: HashMap<RecordType, Vec<(Uuid, Uuid)>> = HashMap::new();
        for row in self.fetch_all(&self.pairs_with_common_keys(comparisons)).await? {
            let prefix: String = row.try_get_by_index(2).map_err(internal)?;
            let ty = RecordType::from_prefix(&prefix).ok_or_else(|| internal(format!("no record type has the prefix {prefix}")))?;
            let pair = (row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
            candidates.entry(ty).or_default().push(pair);
        }
        for comparison in comparisons {
            let Some(mut pairs) = candidates.remove(&comparison.ty) else { continue };
            if pairs.len() as u64 > MAX_COMPARED_PAIRS {
                found.is_complete = false;
                pairs.pop();
            }
            let ids: Vec<Uuid> = pairs.iter().flat_map(|(first, second)| [*first, *second]).collect::<BTreeSet<_>>().into_iter().collect();
            let stored = load(Reader::Store(self), comparison, &ids).await?;
            let mut left = MAX_WORD_COMPARISONS;
            let compare = |(first, second): (Uuid, Uuid)| {
                let (one, other) = (&stored.get(&first)?.subject, &stored.get(&second)?.subject);
                let cost = word_comparisons(one, other);
                if cost > left {
                    found.is_complete = false;
                    return None;
                }
                left -= cost;
                let likeness = comparison.compare(one, other);
                Some(DuplicatePair { ty: comparison.ty, first, second, likeness }).filter(|pair| pair.likeness.score >= MIN_DUPLICATE_SCORE)
            };
            let alike = blocking::run(|| pairs.into_iter().filter_map(compare).collect::<Vec<_>>());
            found.pairs.extend(alike);
        }
        found.pairs.sort_by_key(|pair| (Reverse(pair.likeness.score), pair.first, pair.second));
        Ok(found)
    }

    /// Keys with the number of visible records that have them.
    fn keys(&self) -> SelectStatement {
        let mut select = Query::select();
        select.column("key").from(TABLE).and_where_option(self.visibility.predicate(TABLE)).group_by_col("key");
        select
    }

    /// A key that is too common, if there is one.
    fn common_key(&self) -> SelectStatement {
        let count = Expr::expr(Func::count(Expr::col(Asterisk)));
        self.keys().and_having(count.gt(bound(MAX_RECORDS_OF_KEY))).limit(1).to_owned()
    }

    /// Pairs of records that share keys which few have, of each type those that share the most. The pairs come from the table of
    /// keys alone; only their types are read from another table.
    fn pairs_with_common_keys(&self, comparisons: &[&'static Comparison]) -> SelectStatement {
        let count = || Expr::expr(Func::count(Expr::col(Asterisk)));
        let shared = self.keys().and_having(count().between(2_i64, bound(MAX_RECORDS_OF_KEY))).to_owned();
        let [one, other] = ["a", "b"].map(Alias::new);
        let pairs = Query::select()
            .expr_as(column("a", "record_id"), "first_id")
            .expr_as(column("b", "record_id"), "second_id")
            .expr_as(count(), "shared")
            .from_subquery(shared, "k")
            .join_as(JoinType::InnerJoin, TABLE, one.clone(), column("a", "key").eq(column("k", "key")))
            .join_as(JoinType::InnerJoin, TABLE, other.clone(), column("b", "key").eq(column("k", "key")))
            .and_where(column("a", "record_id").lt(column("b", "record_id")))
            .and_where_option(self.visibility.predicate("a"))
            .and_where_option(self.visibility.predicate("b"))
            .group_by_columns([(one, Alias::new("record_id")), (other, Alias::new("record_id"))])
            .to_owned();
        let mut of_type = WindowStatement::partition_by(("n", "record_type"));
        of_type.order_by(("p", "shared"), Order::Desc).order_by(("p", "first_id"), Order::Asc).order_by(("p", "second_id"), Order::Asc);
        let ranked = Query::select()
            .columns([("p", "first_id"), ("p", "second_id"), ("n", "record_type")])
            .expr_window_as(Func::cust("ROW_NUMBER"), of_type, "rank")
            .from_subquery(pairs, "p")
            .join_as(JoinType::InnerJoin, "nodes", "n", column("n", "id").eq(column("p", "first_id")))
            .and_where(column("n", "record_type").is_in(comparisons.iter().map(|comparison| comparison.ty.prefix())))
            .to_owned();
        Query::select()
            .columns(["first_id", "second_id", "record_type"])
            .from_subquery(ranked, "r")
            .and_where(Expr::col("rank").lte(bound(MAX_COMPARED_PAIRS + 1)))
            .order_by("record_type", Order::Asc)
            .order_by("rank", Order::Asc)
            .to_owned()
    }
}

/// A bound as the databases count.
fn bound(number: u64) -> i64 {
    number.cast_signed()
}

//! Chooses how conditions on related records are executed.

use futures_util::future::{BoxFuture, FutureExt};

use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::catalog::relation::RelationJoin;
use crate::core::error::Result;
use crate::core::filter::{Filter, Quantifier};
use crate::store::handle::Store;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::filter::{FilterBuilder, SemiJoin, semi_join_filter};

/// Size up to which a set of related records is selected as a subquery on SQLite to read a page. A larger set is dense enough
/// that a scan of the list soon meets its members.
const MAX_PAGE_SUBQUERY_ROWS: u64 = 1_000;
/// The same to read a whole list: finding a record in the set costs a tenth of looking its related records up in the tables.
const MAX_SCAN_SUBQUERY_ROWS: u64 = 200_000;

/// How much of a list a statement reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadReach {
    /// The list is read until a page is full.
    Page,
    /// All of the list is read, as by counts.
    Whole,
}

impl ReadReach {
    fn max_subquery_rows(self) -> u64 {
        match self {
            Self::Page => MAX_PAGE_SUBQUERY_ROWS,
            Self::Whole => MAX_SCAN_SUBQUERY_ROWS,
        }
    }
}

/// The forms of the conditions of a filter on related records.
#[derive(Debug, Default)]
struct ChosenForms {
    /// In the order of the filter.
    forms: Vec<SemiJoin>,
    /// A bound on the number of records that satisfy the filter, if one is known without counting them.
    max_matches: Option<u64>,
}

impl Store {
    /// Chooses the form of each condition on related records, in the order of the filter. PostgreSQL chooses by itself.
    /// SQLite runs the form it is given, and either can take seconds where the other takes milliseconds, so the size of the
    /// set of related records decides.
    pub(crate) async fn choose_semi_joins(&self, record: &Record, filter: &Filter, reach: ReadReach) -> Result<Vec<SemiJoin>> {
        match Dialect::of(self.backend()) {
            Dialect::Postgres => Ok(Vec::new()),
            Dialect::Sqlite => Ok(self.choose_forms(record, filter, reach.max_subquery_rows()).await?.forms),
        }
    }

    fn choose_forms<'a>(&'a self, record: &'a Record, filter: &'a Filter, max_rows: u64) -> BoxFuture<'a, Result<ChosenForms>> {
        async move {
            let mut chosen = ChosenForms::default();
            let (target, inner, is_bounding) = match filter {
                Filter::And(parts) | Filter::Or(parts) => {
                    for part in parts {
                        let of_part = self.choose_forms(record, part, max_rows).await?;
                        chosen.forms.extend(of_part.forms);
                        if matches!(filter, Filter::And(_)) {
                            chosen.max_matches = chosen.max_matches.into_iter().chain(of_part.max_matches).min();
                        }
                    }
                    return Ok(chosen);
                }
                Filter::Not(part) => return Ok(ChosenForms { max_matches: None, ..self.choose_forms(record, part, max_rows).await? }),
                Filter::Id(_) | Filter::Field(..) => return Ok(chosen),
                Filter::One(field, inner) => match record.field(*field).kind {
                    FieldKind::One(target) => (target, (**inner).clone(), false),
                    _ => return Ok(chosen),
                },
                Filter::Many(relation, quantifier, inner) => {
                    let relation = record.relation(*relation);
                    // each related record has one parent
                    let is_bounding = *quantifier == Quantifier::Some && matches!(relation.via, RelationJoin::ForeignKey(_));
                    (relation.target, semi_join_filter(*quantifier, inner), is_bounding)
                }
            };
            let nested = self.choose_forms(catalog().get(target), &inner, max_rows).await?;
            let count = if let Some(max) = nested.max_matches {
                max
            } else {
                let mut builder = FilterBuilder::new(self.backend(), self.visibility, nested.forms.clone());
                self.fetch_count(&builder.count_up_to(target, &inner, max_rows + 1)).await?
            };
            let is_small = count <= max_rows;
            chosen.max_matches = Some(count).filter(|_| is_small && is_bounding);
            chosen.forms.push(if is_small { SemiJoin::InSubquery } else { SemiJoin::Exists });
            chosen.forms.extend(nested.forms);
            Ok(chosen)
        }
        .boxed()
    }
}

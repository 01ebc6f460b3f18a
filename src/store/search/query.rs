//! Search over all records: by names in any script, with the last letters missing or one letter wrong.
//!
//! A hit is ranked by how near it comes (a whole name, the beginning of a name, words of the text),
//! then by its type, then by name, which is the same on both databases.

use std::collections::HashMap;

use sea_orm::Value;
use sea_orm::sea_query::{Alias, CaseStatement, Cond, Expr, ExprTrait, Func, Order, Query, SelectStatement};
use unicode_segmentation::UnicodeSegmentation;
use uuid::Uuid;

use crate::catalog::record::{RecordKind, catalog};
use crate::core::error::{Result, bad_input, internal, invalid_cursor};
use crate::core::normalize::{fold, words};
use crate::core::pagination::{Cursor, Page};
use crate::entity::RecordType;
use crate::store::Store;
use crate::store::sql::dialect::{Match, Terms};
use crate::store::sql::filter::{Visibility, column};

/// Letters a word needs before a mistake in it is allowed for.
pub(crate) const MIN_MISTYPED: usize = 4;
/// Words of a search that are looked at.
const MAX_WORDS: usize = 12;
/// Name of the list of hits, as cursors carry it.
const LIST: &str = "search hits";
/// Letters of text around a hit.
const SNIPPET: usize = 160;

/// What to search for.
#[derive(Debug, Clone)]
pub struct Search {
    /// Words, in any script.
    pub query: String,
    /// Only records of these types; none means all.
    pub types: Vec<RecordType>,
    /// Only records of this jurisdiction.
    pub jurisdiction: Option<Uuid>,
    /// Which page of the hits.
    pub page: Page,
    /// Whether the hits themselves are wanted.
    pub rows: bool,
    /// Whether the text around what was found is wanted.
    pub snippets: bool,
    /// Whether the number of all hits is wanted.
    pub total: bool,
}

/// A record that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Its type.
    pub ty: RecordType,
    /// Its id.
    pub id: Uuid,
    /// Text around what was found, where it was asked for, as HTML in which only `<mark>` is used.
    pub snippet: String,
    /// Its place in the list.
    pub cursor: String,
}

/// A page of hits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hits {
    /// The hits, nearest first.
    pub hits: Vec<Hit>,
    /// Whether more hits follow.
    pub has_next: bool,
    /// Whether hits come before these.
    pub has_previous: bool,
    /// Number of all hits, where it was asked for.
    pub total: Option<u64>,
}

impl Store {
    /// Searches all records. Where nothing has the words as they are, words of names one letter away are tried.
    pub async fn search(&self, search: &Search) -> Result<Hits> {
        let folded = fold(&search.query);
        let mut terms: Vec<Vec<String>> = words(&folded).take(MAX_WORDS).map(|word| vec![word.to_owned()]).collect();
        if terms.is_empty() {
            return Err(bad_input("query", "there is no word to search for; give at least one letter or digit"));
        }
        let cursor = search.page.after.as_ref().map(place).transpose()?;
        let corrected = cursor.as_ref().is_some_and(|(place, _)| place.corrected);
        if corrected {
            terms = self.corrected(&terms).await?;
        }
        let found = self.hits(search, &terms, cursor.as_ref(), corrected).await?;
        if cursor.is_some() || !found.hits.is_empty() || found.total.is_some_and(|total| total > 0) {
            return Ok(found);
        }
        let near = self.corrected(&terms).await?;
        if near == terms { Ok(found) } else { self.hits(search, &near, None, true).await }
    }

    async fn hits(&self, search: &Search, terms: &[Vec<String>], after: Option<&(Place, Uuid)>, corrected: bool) -> Result<Hits> {
        let total = match search.total {
            true => {
                let mut select = self.found(search, terms);
                select.expr(Func::count(Expr::cust("*")));
                Some(self.read_count(&select).await?)
            }
            false => None,
        };
        if !search.rows {
            return Ok(Hits { total, ..Hits::default() });
        }
        let tier = |rank: i32| Expr::Constant(rank.into());
        let near = |how| Terms(terms).matches(self.backend(), how);
        let mut inner = self.found(search, terms);
        inner.expr_as(Expr::case(near(Match::WholeName), tier(0)).case(near(Match::NamePrefix), tier(1)).finally(tier(2)), "tier");
        inner.expr_as(Self::priority(), "priority");
        let texts: &[&str] = if search.snippets { &["label", "body"] } else { &[] };
        let columns = ["id", "record_type", "sort_key"];
        inner.columns(columns.iter().chain(texts).map(|name| (Alias::new("d"), Alias::new(*name))));
        let keys = ["tier", "priority", "sort_key", "id"];
        let mut select = Query::select();
        select.columns(keys.iter().chain(&["record_type"]).chain(texts).map(|name| Alias::new(*name))).from_subquery(inner, "h");
        if let Some((place, id)) = after {
            let row = Expr::tuple(keys.map(|name| Expr::col(Alias::new(name))));
            let at = Expr::tuple([Expr::val(place.tier), Expr::val(place.priority), Expr::val(place.sort_key.as_str()), Expr::val(*id)]);
            select.cond_where(Cond::all().add(row.gt(at)));
        }
        for key in keys {
            select.order_by(Alias::new(key), Order::Asc);
        }
        select.limit(u64::from(search.page.size) + 1);
        let mut hits = Vec::new();
        for row in self.read(&select).await? {
            let get = |index| row.try_get_by_index::<String>(index).map_err(internal);
            let Some(ty) = RecordType::from_prefix(&get(4)?) else { continue };
            let id: Uuid = row.try_get_by_index(3).map_err(internal)?;
            let (tier, priority): (i32, i32) = (row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
            let place = Place { tier, priority, sort_key: get(2)?, corrected };
            let snippet = if search.snippets { snippet(&get(5)?, &get(6)?, terms) } else { String::new() };
            hits.push(Hit { ty, id, snippet, cursor: place.cursor(id) });
        }
        let has_next = hits.len() > search.page.size as usize;
        hits.truncate(search.page.size as usize);
        Ok(Hits { hits, has_next, has_previous: after.is_some(), total })
    }

    /// Rank of the type of a document: the order in which the types are listed.
    fn priority() -> Expr {
        let records = catalog().all().filter(|record| record.shape == RecordKind::Record).zip(0..);
        let case = records.fold(CaseStatement::new(), |case, (record, rank)| {
            let is_type = column("d", "record_type").eq(Expr::Constant(record.ty.prefix().into()));
            case.case(is_type, Expr::Constant(Value::Int(Some(rank))))
        });
        case.into()
    }

    /// Documents that have every word somewhere.
    fn found(&self, search: &Search, terms: &[Vec<String>]) -> SelectStatement {
        let mut select = Query::select();
        select
            .from_as("search_documents", Alias::new("d"))
            .and_where_option(self.sees.only("d"))
            .and_where(Terms(terms).matches(self.backend(), Match::Anywhere));
        if !search.types.is_empty() {
            select.and_where(column("d", "record_type").is_in(search.types.iter().map(|ty| ty.prefix())));
        }
        if let Some(jurisdiction) = search.jurisdiction {
            select.and_where(column("d", "jurisdiction_id").eq(jurisdiction));
            if self.sees == Visibility::Published {
                // what belongs to a draft is not told, as no filter of a list tells it
                let seen = Query::select()
                    .column((Alias::new("j"), Alias::new("id")))
                    .from_as("jurisdictions", Alias::new("j"))
                    .and_where_option(self.sees.only("j"))
                    .to_owned();
                select.and_where(column("d", "jurisdiction_id").in_subquery(seen));
            }
        }
        select
    }

    /// The words with the words of names that are one letter away beside them.
    async fn corrected(&self, terms: &[Vec<String>]) -> Result<Vec<Vec<String>>> {
        let mut near: HashMap<String, Vec<String>> = HashMap::new();
        for word in terms.iter().flatten().filter(|word| word.len() >= MIN_MISTYPED) {
            near.extend(spellings(word).into_iter().map(|variant| (variant, Vec::new())));
        }
        let select = Query::select()
            .columns(["variant", "word"])
            .from("search_variants")
            .and_where(Expr::col("variant").is_in(near.keys().map(String::as_str)))
            .to_owned();
        for row in self.read(&select).await? {
            let variant: String = row.try_get_by_index(0).map_err(internal)?;
            near.entry(variant).or_default().push(row.try_get_by_index(1).map_err(internal)?);
        }
        Ok(terms
            .iter()
            .map(|spelled| {
                let mut all = spelled.clone();
                for word in spelled.iter().filter(|word| word.len() >= MIN_MISTYPED) {
                    all.extend(
                        spellings(word)
                            .iter()
                            .flat_map(|variant| near[variant].iter())
                            .filter(|other| strsim::osa_distance(word, other) <= 1)
                            .cloned(),
                    );
                }
                all.sort_unstable();
                all.dedup();
                all
            })
            .collect())
    }
}

/// A word and all spellings of it with one letter left out: two words one letter apart share one.
pub(crate) fn spellings(word: &str) -> Vec<String> {
    let mut spellings = vec![word.to_owned()];
    spellings.extend((0..word.len()).map(|index| format!("{}{}", &word[..index], &word[index + 1..])));
    spellings.sort_unstable();
    spellings.dedup();
    spellings
}

/// Place of a hit in the list.
#[derive(Debug)]
struct Place {
    tier: i32,
    priority: i32,
    sort_key: String,
    corrected: bool,
}

impl Place {
    fn cursor(&self, id: Uuid) -> String {
        let key = vec![self.tier.into(), self.priority.into(), self.sort_key.as_str().into(), self.corrected.into()];
        Cursor { key, id }.encode(LIST)
    }
}

fn place(cursor: &Cursor) -> Result<(Place, Uuid)> {
    let read = || {
        let [tier, priority, sort_key, corrected] = cursor.key.as_slice() else { return None };
        let number = |value: &serde_json::Value| i32::try_from(value.as_i64()?).ok();
        let place = Place {
            tier: number(tier)?,
            priority: number(priority)?,
            sort_key: sort_key.as_str()?.to_owned(),
            corrected: corrected.as_bool()?,
        };
        Some((place, cursor.id))
    };
    read().ok_or_else(|| invalid_cursor("after", "this cursor is damaged; begin again at the first page"))
}

/// Name of the list of hits, as cursors carry it.
pub fn list_name() -> &'static str {
    LIST
}

/// The part of a text in which the words stand, with the words marked; the label where the text has none.
fn snippet(label: &str, body: &str, terms: &[Vec<String>]) -> String {
    let is_hit = |word: &str| {
        let folded = fold(word);
        !folded.is_empty() && words(&folded).any(|part| terms.iter().flatten().any(|term| part.starts_with(term.as_str())))
    };
    let hit_in = |text: &str| text.unicode_word_indices().find(|(_, word)| is_hit(word)).map(|(index, _)| index);
    let (text, first) = match (hit_in(label), hit_in(body)) {
        (_, Some(first)) => (body, first),
        (Some(first), None) => (label, first),
        (None, None) => (label, 0),
    };
    let line_start = text[..first].rfind('\n').map_or(0, |index| index + 1);
    let line_end = text[first..].find('\n').map_or(text.len(), |index| first + index);
    let line = &text[line_start..line_end];
    let hit = first - line_start;
    let start = match hit {
        near if near <= SNIPPET / 2 => 0,
        far => line.unicode_word_indices().map(|(index, _)| index).find(|index| index + SNIPPET / 2 >= far).unwrap_or(0),
    };
    let end = line
        .unicode_word_indices()
        .map(|(index, word)| index + word.len())
        .take_while(|end| *end <= start + SNIPPET * 2)
        .last()
        .unwrap_or(line.len());
    let end = if line[end..].chars().count() <= 3 { line.len() } else { end };
    let mut html = String::from(if start > 0 { "… " } else { "" });
    for (_, piece) in line[start..end].split_word_bound_indices() {
        match is_hit(piece) {
            true => html.push_str(&format!("<mark>{}</mark>", escape(piece))),
            false => html.push_str(&escape(piece)),
        }
    }
    if end < line.len() {
        html.push_str(" …");
    }
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_one_letter_apart_share_a_spelling() {
        for (right, wrong) in
            [("zhumagulov", "zhumagulv"), ("zhumagulov", "zhumaguloov"), ("zhumagulov", "zhumagalov"), ("zhumagulov", "zhumaguolv")]
        {
            let right_spellings = spellings(right);
            assert!(spellings(wrong).iter().any(|spelling| right_spellings.contains(spelling)), "{wrong}");
            assert!(strsim::osa_distance(right, wrong) <= 1);
        }
    }

    #[test]
    fn a_snippet_marks_the_words_in_their_own_script_and_escapes_the_rest() {
        let terms = vec![vec!["zhumag".to_owned()]];
        assert_eq!(snippet("Бакытжан Жумагулов", "", &terms), "Бакытжан <mark>Жумагулов</mark>");
        assert_eq!(snippet("x", "<b>Zhumagulov</b> & co", &terms), "&lt;b&gt;<mark>Zhumagulov</mark>&lt;/b&gt; &amp; co");
    }

    proptest! {
        #[test]
        fn no_text_makes_a_snippet_panic(label in ".{0,40}", body in "(.|\n){0,400}", term in "[a-z]{1,5}") {
            let html = snippet(&label, &body, &[vec![term]]);
            prop_assert!(!html.contains("<script"));
        }
    }
}

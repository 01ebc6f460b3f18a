//! Full-text search over all records: names in any script, by prefix, with one misspelled letter.
//!
//! Hits are ranked by how closely they match (a whole name, a prefix of a name, words of the text), then by type, then by
//! name. The ranking is the same on both databases.

use std::collections::HashMap;

use sea_orm::Value;
use sea_orm::sea_query::{Alias, CaseStatement, Cond, Expr, ExprTrait, Func, Order, Query, SelectStatement};
use unicode_segmentation::UnicodeSegmentation;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::RecordKind;
use crate::core::error::{Result, bad_input, internal, invalid_cursor};
use crate::core::normalize::{fold_for_search, words};
use crate::core::pagination::{Cursor, Page};
use crate::core::sound::sound_word;
use crate::entity::RecordType;
use crate::store::handle::Store;
use crate::store::sql::column::column;
use crate::store::sql::dialect::{MatchMode, SearchTerms};
use crate::store::sql::filter::Visibility;

/// Minimum length of a word for which misspellings are tried, in bytes.
pub(crate) const MIN_FUZZY_WORD_BYTES: usize = 4;
/// Maximum number of words of a query.
const MAX_QUERY_WORDS: usize = 12;
/// Name of the list of hits in cursors.
const HITS_LIST_NAME: &str = "search hits";
/// Context around a match in a snippet, in bytes.
const SNIPPET_CONTEXT_BYTES: usize = 160;

/// A search.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are independent of each other")]
pub struct Search {
    /// The words, in any script.
    pub query: String,
    /// The types to search; empty for all.
    pub types: Vec<RecordType>,
    /// Whether to search in names only.
    pub names_only: bool,
    /// The jurisdiction to search in.
    pub jurisdiction: Option<Uuid>,
    /// The page of hits.
    pub page: Page,
    /// Whether to fetch hits; otherwise only their number.
    pub rows: bool,
    /// Whether to make snippets.
    pub snippets: bool,
    /// Whether to count all hits.
    pub total: bool,
}

/// A matching record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Its type.
    pub ty: RecordType,
    /// Its id.
    pub id: Uuid,
    /// Text around the match as HTML with `<mark>` elements only; empty if not requested.
    pub snippet: String,
    /// Its cursor.
    pub cursor: String,
}

/// A page of hits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hits {
    /// The hits, best first.
    pub hits: Vec<Hit>,
    /// Whether more hits follow.
    pub has_next: bool,
    /// Whether hits precede.
    pub has_previous: bool,
    /// Number of all hits, if requested.
    pub total: Option<u64>,
}

impl Store {
    /// Searches all records. Blank text matches nothing. If nothing matches the words as given, retries with the words of names one letter away.
    pub async fn search(&self, search: &Search) -> Result<Hits> {
        let normalized = fold_for_search(&search.query);
        let mut terms: Vec<Vec<String>> = words(&normalized).map(|word| vec![word.to_owned()]).collect();
        if search.query.trim().is_empty() {
            return Ok(Hits { total: search.total.then_some(0), ..Hits::default() });
        }
        if terms.is_empty() {
            return Err(bad_input("query", "there is no word to search for; enter at least one letter or digit"));
        }
        if terms.len() > MAX_QUERY_WORDS {
            return Err(bad_input("query", format_args!("search for at most {MAX_QUERY_WORDS} words; these are {}", terms.len())));
        }
        let cursor = search.page.after.as_ref().map(decode_position).transpose()?;
        let is_corrected = cursor.as_ref().is_some_and(|(position, _)| position.is_corrected);
        if is_corrected {
            terms = self.correct_spelling(&terms).await?;
        }
        let hits = self.hits(search, &terms, cursor.as_ref(), is_corrected).await?;
        if cursor.is_some() || !hits.hits.is_empty() || hits.total.is_some_and(|total| total > 0) {
            return Ok(hits);
        }
        let corrected = self.correct_spelling(&terms).await?;
        if corrected == terms { Ok(hits) } else { self.hits(search, &corrected, None, true).await }
    }

    /// Ids of visible records of a type in whose names each of these folded words begins a word, in any spelling; with one
    /// letter of a word wrong if there are none otherwise. At most `limit`, in the order of their ids.
    pub(crate) async fn find_by_name_words(&self, ty: RecordType, name_words: &[&str], limit: u64) -> Result<Vec<Uuid>> {
        let terms: Vec<Vec<String>> = name_words.iter().take(MAX_QUERY_WORDS).map(|word| vec![(*word).to_owned()]).collect();
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.named_records(ty, &terms, limit).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        let corrected = self.correct_spelling(&terms).await?;
        if corrected == terms { Ok(found) } else { self.named_records(ty, &corrected, limit).await }
    }

    async fn named_records(&self, ty: RecordType, terms: &[Vec<String>], limit: u64) -> Result<Vec<Uuid>> {
        let select = Query::select()
            .column((Alias::new("d"), Alias::new("id")))
            .from_as("search_documents", Alias::new("d"))
            .and_where_option(self.visibility.predicate("d"))
            .and_where(SearchTerms(&with_sounds(terms)).matches(self.backend(), MatchMode::NamePrefix))
            .and_where(column("d", "record_type").eq(ty.prefix()))
            .order_by((Alias::new("d"), Alias::new("id")), Order::Asc)
            .limit(limit)
            .to_owned();
        self.fetch_all(&select).await?.iter().map(|row| row.try_get_by_index(0).map_err(internal)).collect()
    }

    async fn hits(&self, search: &Search, terms: &[Vec<String>], after: Option<&(HitPosition, Uuid)>, is_corrected: bool) -> Result<Hits> {
        let terms = &with_sounds(terms);
        let total = if search.total {
            let mut select = self.matching_documents(search, terms);
            select.expr(Func::count(Expr::cust("*")));
            Some(self.fetch_count(&select).await?)
        } else {
            None
        };
        if !search.rows {
            return Ok(Hits { total, ..Hits::default() });
        }
        let tier = |rank: i32| Expr::Constant(rank.into());
        let matches = |mode| SearchTerms(terms).matches(self.backend(), mode);
        let mut inner = self.matching_documents(search, terms);
        inner.expr_as(
            Expr::case(matches(MatchMode::WholeName), tier(0)).case(matches(MatchMode::NamePrefix), tier(1)).finally(tier(2)),
            "tier",
        );
        inner.expr_as(Self::type_priority(), "priority");
        let texts: &[&str] = if search.snippets { &["label", "body"] } else { &[] };
        let columns = ["id", "record_type", "sort_key"];
        inner.columns(columns.iter().chain(texts).map(|name| (Alias::new("d"), Alias::new(*name))));
        let keys = ["tier", "priority", "sort_key", "id"];
        let mut select = Query::select();
        select.columns(keys.iter().chain(&["record_type"]).chain(texts).map(|name| Alias::new(*name))).from_subquery(inner, "h");
        if let Some((position, id)) = after {
            let row = Expr::tuple(keys.map(|name| Expr::col(Alias::new(name))));
            let HitPosition { tier, priority, sort_key, .. } = position;
            let bound = Expr::tuple([Expr::val(*tier), Expr::val(*priority), Expr::val(sort_key.as_str()), Expr::val(*id)]);
            select.cond_where(Cond::all().add(row.gt(bound)));
        }
        for key in keys {
            select.order_by(Alias::new(key), Order::Asc);
        }
        select.limit(u64::from(search.page.size) + 1);
        let mut hits = Vec::new();
        for row in self.fetch_all(&select).await? {
            let get = |index| row.try_get_by_index::<String>(index).map_err(internal);
            let Some(ty) = RecordType::from_prefix(&get(4)?) else { continue };
            let id: Uuid = row.try_get_by_index(3).map_err(internal)?;
            let (tier, priority): (i32, i32) = (row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
            let position = HitPosition { tier, priority, sort_key: get(2)?, is_corrected };
            let snippet = if search.snippets { snippet(&get(5)?, &get(6)?, terms) } else { String::new() };
            hits.push(Hit { ty, id, snippet, cursor: position.cursor(id) });
        }
        let has_next = hits.len() > search.page.size as usize;
        hits.truncate(search.page.size as usize);
        Ok(Hits { hits, has_next, has_previous: after.is_some(), total })
    }

    /// Rank of the type of a document, in the order of the catalog.
    fn type_priority() -> Expr {
        let records = catalog().all().filter(|record| record.kind == RecordKind::Record).zip(0..);
        let case = records.fold(CaseStatement::new(), |case, (record, rank)| {
            let is_type = column("d", "record_type").eq(Expr::Constant(record.ty.prefix().into()));
            case.case(is_type, Expr::Constant(Value::Int(Some(rank))))
        });
        case.into()
    }

    /// The visible documents that match every term, in their names if only these are searched.
    fn matching_documents(&self, search: &Search, terms: &[Vec<String>]) -> SelectStatement {
        let mode = if search.names_only { MatchMode::NamePrefix } else { MatchMode::Anywhere };
        let mut select = Query::select();
        select
            .from_as("search_documents", Alias::new("d"))
            .and_where_option(self.visibility.predicate("d"))
            .and_where(SearchTerms(terms).matches(self.backend(), mode));
        if !search.types.is_empty() {
            select.and_where(column("d", "record_type").is_in(search.types.iter().map(|ty| ty.prefix())));
        }
        if let Some(jurisdiction) = search.jurisdiction {
            select.and_where(column("d", "jurisdiction_id").eq(jurisdiction));
            if self.visibility == Visibility::Published {
                // readers must not learn what belongs to a draft; filters of lists keep it from them, too
                let visible = Query::select()
                    .column((Alias::new("j"), Alias::new("id")))
                    .from_as("jurisdictions", Alias::new("j"))
                    .and_where_option(self.visibility.predicate("j"))
                    .to_owned();
                select.and_where(column("d", "jurisdiction_id").in_subquery(visible));
            }
        }
        select
    }

    /// Adds the words of names that are one letter away as spellings of each term.
    async fn correct_spelling(&self, terms: &[Vec<String>]) -> Result<Vec<Vec<String>>> {
        let mut words_by_variant: HashMap<String, Vec<String>> = HashMap::new();
        for word in terms.iter().flatten().filter(|word| word.len() >= MIN_FUZZY_WORD_BYTES) {
            words_by_variant.extend(deletion_variants(word).into_iter().map(|variant| (variant, Vec::new())));
        }
        let select = Query::select()
            .columns(["variant", "word"])
            .from("search_variants")
            .and_where(Expr::col("variant").is_in(words_by_variant.keys().map(String::as_str)))
            .to_owned();
        for row in self.fetch_all(&select).await? {
            let variant: String = row.try_get_by_index(0).map_err(internal)?;
            words_by_variant.entry(variant).or_default().push(row.try_get_by_index(1).map_err(internal)?);
        }
        Ok(terms
            .iter()
            .map(|term| {
                let mut all = term.clone();
                for word in term.iter().filter(|word| word.len() >= MIN_FUZZY_WORD_BYTES) {
                    all.extend(
                        deletion_variants(word)
                            .iter()
                            .flat_map(|variant| words_by_variant[variant].iter())
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

/// The terms, each with the sounds of its spellings.
fn with_sounds(terms: &[Vec<String>]) -> Vec<Vec<String>> {
    let with_sounds = |term: &Vec<String>| term.iter().cloned().chain(term.iter().filter_map(|word| sound_word(word))).collect();
    terms.iter().map(with_sounds).collect()
}

/// A word and its variants with one letter deleted. Two words one letter apart share a variant.
pub(crate) fn deletion_variants(word: &str) -> Vec<String> {
    let mut variants = vec![word.to_owned()];
    variants.extend((0..word.len()).map(|index| format!("{}{}", &word[..index], &word[index + 1..])));
    variants.sort_unstable();
    variants.dedup();
    variants
}

/// Position of a hit in the list, as encoded in cursors.
#[derive(Debug)]
struct HitPosition {
    tier: i32,
    priority: i32,
    sort_key: String,
    /// Whether the hit was found by corrected spellings.
    is_corrected: bool,
}

impl HitPosition {
    fn cursor(&self, id: Uuid) -> String {
        let key = vec![self.tier.into(), self.priority.into(), self.sort_key.as_str().into(), self.is_corrected.into()];
        Cursor { key, id }.encode(HITS_LIST_NAME)
    }
}

fn decode_position(cursor: &Cursor) -> Result<(HitPosition, Uuid)> {
    let decode = || {
        let [tier, priority, sort_key, is_corrected] = cursor.key.as_slice() else { return None };
        let number = |value: &serde_json::Value| i32::try_from(value.as_i64()?).ok();
        let position = HitPosition {
            tier: number(tier)?,
            priority: number(priority)?,
            sort_key: sort_key.as_str()?.to_owned(),
            is_corrected: is_corrected.as_bool()?,
        };
        Some((position, cursor.id))
    };
    decode().ok_or_else(|| invalid_cursor("after", "the cursor is corrupt; start again at the first page"))
}

/// Name of the list of hits in cursors.
pub fn list_name() -> &'static str {
    HITS_LIST_NAME
}

/// The part of a text around the first match, as HTML with the matches marked; the label if the text has none.
fn snippet(label: &str, body: &str, terms: &[Vec<String>]) -> String {
    let is_match = |word: &str| {
        let normalized = fold_for_search(word);
        let is_term = |part: &str| terms.iter().flatten().any(|term| part.starts_with(term.as_str()));
        !normalized.is_empty()
            && words(&normalized)
                .any(|part| is_term(part) || sound_word(part).is_some_and(|sound| terms.iter().flatten().any(|term| *term == sound)))
    };
    let first_match = |text: &str| text.unicode_word_indices().find(|(_, word)| is_match(word)).map(|(index, _)| index);
    let (text, first) = match (first_match(label), first_match(body)) {
        (_, Some(first)) => (body, first),
        (Some(first), None) => (label, first),
        (None, None) => (label, 0),
    };
    let line_start = text[..first].rfind('\n').map_or(0, |index| index + 1);
    let line_end = text[first..].find('\n').map_or(text.len(), |index| first + index);
    let line = &text[line_start..line_end];
    let match_start = first - line_start;
    let start = match match_start {
        near if near <= SNIPPET_CONTEXT_BYTES / 2 => 0,
        far => line.unicode_word_indices().map(|(index, _)| index).find(|index| index + SNIPPET_CONTEXT_BYTES / 2 >= far).unwrap_or(0),
    };
    let end = line
        .unicode_word_indices()
        .map(|(index, word)| index + word.len())
        .take_while(|end| *end <= start + SNIPPET_CONTEXT_BYTES * 2)
        .last()
        .unwrap_or(line.len());
    let end = if line[end..].chars().count() <= 3 { line.len() } else { end };
    let mut html = String::from(if start > 0 { "… " } else { "" });
    for (_, piece) in line[start..end].split_word_bound_indices() {
        let piece_html = escape(piece);
        if is_match(piece) {
            html.extend(["<mark>", &piece_html, "</mark>"]);
        } else {
            html.push_str(&piece_html);
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
    fn words_one_letter_apart_share_a_variant() {
        for (right, wrong) in
            [("zhumagulov", "zhumagulv"), ("zhumagulov", "zhumaguloov"), ("zhumagulov", "zhumagalov"), ("zhumagulov", "zhumaguolv")]
        {
            let right_variants = deletion_variants(right);
            assert!(deletion_variants(wrong).iter().any(|variant| right_variants.contains(variant)), "{wrong}");
            assert!(strsim::osa_distance(right, wrong) <= 1);
        }
    }

    #[test]
    fn snippet_marks_matches_in_their_script_and_escapes_html() {
        let terms = vec![vec!["zhumag".to_owned()]];
        assert_eq!(snippet("Бакытжан Жумагулов", "", &terms), "Бакытжан <mark>Жумагулов</mark>");
        assert_eq!(snippet("x", "<b>Zhumagulov</b> & co", &terms), "&lt;b&gt;<mark>Zhumagulov</mark>&lt;/b&gt; &amp; co");
    }

    proptest! {
        #[test]
        fn snippet_never_panics(label in ".{0,40}", body in "(.|\n){0,400}", term in "[a-z]{1,5}") {
            let html = snippet(&label, &body, &[vec![term]]);
            prop_assert!(!html.contains("<script"));
        }
    }
}

//! Finds the records that are most like given subjects.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::sea_query::{Expr, Func, Query};
use uuid::Uuid;

use crate::core::blocking;
use crate::core::error::{Result, internal};
use crate::store::handle::Store;
use crate::store::likeness::keys::{KeyUse, TABLE, keys};
use crate::store::likeness::name::{Name, NameStyle};
use crate::store::likeness::score::{Comparison, Likeness, MIN_CERTAIN_SCORE, MIN_MATCH_SCORE, MIN_WARNING_SCORE, Subject};
use crate::store::likeness::stored::{Reader, StoredSubject, load};
use crate::store::sql::dialect::{one_of, one_of_numbers};

/// Keys that one statement looks up: few enough for a single message of 16 KiB to PostgreSQL.
const LOOKUP_BATCH_KEYS: usize = 700;
/// Records that one subject is compared with. Keys that more records share are left out, the most common first.
pub const MAX_COMPARED_RECORDS: u64 = 300;

/// Words that the names of one request are compared with, about a second of a core. Further records are not compared.
const MAX_WORD_COMPARISONS: u64 = 3_000_000;

/// A record that is like a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Its id.
    pub id: Uuid,
    /// How alike they are.
    pub likeness: Likeness,
    /// Whether it is the one, beyond doubt: a high score, nothing against it, and no other record that could be meant.
    pub is_certain: bool,
}

/// The records that are most like a subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matches {
    /// The records, the most alike first.
    pub matches: Vec<Match>,
    /// Whether all records with like names were compared. The name is too common otherwise.
    pub is_exhaustive: bool,
}

/// Records to compare each subject with.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    pub(crate) ids: Vec<BTreeSet<Uuid>>,
    pub(crate) stored: HashMap<Uuid, StoredSubject>,
    is_exhaustive: Vec<bool>,
}

impl Store {
    /// The records of a type that are most like each of these subjects, with scores of at least [`MIN_MATCH_SCORE`]. At most
    /// `first` for each.
    pub async fn find_like(&self, comparison: &Comparison, subjects: &[Subject], first: usize) -> Result<Vec<Matches>> {
        let reader = Reader::Store(self);
        let keys: Vec<BTreeSet<i64>> = subjects.iter().map(|subject| keys(comparison, subject, KeyUse::Find)).collect();
        let mut candidates = find_by_keys(reader, &keys).await?;
        add_by_identifier(reader, subjects, &mut candidates).await?;
        for (index, subject) in subjects.iter().enumerate() {
            self.add_by_words(comparison, subject, index, &mut candidates).await?;
        }
        load_candidates(reader, comparison, &mut candidates).await?;
        let mut left = MAX_WORD_COMPARISONS;
        let rank = |(index, subject)| rank(comparison, subject, index, &candidates, (first, &mut left));
        Ok(blocking::run(|| subjects.iter().enumerate().map(rank).collect()))
    }

    /// Adds records that no key finds: those of which only a part of the name is given, and those whose name is misspelled.
    async fn add_by_words(&self, comparison: &Comparison, subject: &Subject, index: usize, candidates: &mut Candidates) -> Result<()> {
        let names = || subject.names.iter().filter(|name| !name.words.is_empty());
        let is_part = |name: &&Name| comparison.style == NameStyle::Person && (name.has_initials() || name.words.len() == 1);
        let partial = names().find(is_part);
        let Some(name) = partial.or_else(|| names().next().filter(|_| candidates.ids[index].is_empty())) else { return Ok(()) };
        // an initial has several spellings (Қ is K and Q): the comparison looks at it, the search does not
        let is_searched =
            |initial: bool| name.words.iter().filter(move |word| initial || !word.is_initial).map(|word| word.folded.as_str());
        let mut words: Vec<&str> = is_searched(false).collect();
        if words.is_empty() {
            words = is_searched(true).collect();
        }
        let mut found = self.find_by_name_words(comparison.ty, &words, MAX_COMPARED_RECORDS + 1).await?;
        if found.len() as u64 > MAX_COMPARED_RECORDS {
            candidates.is_exhaustive[index] = false;
            found.pop();
        }
        candidates.ids[index].extend(found);
        Ok(())
    }
}

/// Finds the records that share keys with each of the subjects that have them.
pub(crate) async fn find_by_keys(reader: Reader<'_>, keys: &[BTreeSet<i64>]) -> Result<Candidates> {
    let all: Vec<i64> = keys.iter().flatten().copied().collect::<BTreeSet<i64>>().into_iter().collect();
    let mut counts: HashMap<i64, u64> = HashMap::new();
    for batch in all.chunks(LOOKUP_BATCH_KEYS) {
        let select = Query::select()
            .column("key")
            .expr(Func::count(Expr::cust("*")))
            .from(TABLE)
            .and_where(one_of_numbers(reader.backend(), "key", batch)?)
            .and_where_option(reader.visibility().predicate(TABLE))
            .group_by_col("key")
            .to_owned();
        for row in reader.fetch_all(&select).await? {
            let count: i64 = row.try_get_by_index(1).map_err(internal)?;
            counts.insert(row.try_get_by_index(0).map_err(internal)?, count.unsigned_abs());
        }
    }
    let mut used: BTreeSet<i64> = BTreeSet::new();
    let mut chosen: Vec<Vec<i64>> = Vec::with_capacity(keys.len());
    let mut is_exhaustive = Vec::with_capacity(keys.len());
    for keys in keys {
        // the rarest keys first
        let mut known: Vec<(u64, i64)> = keys.iter().filter_map(|key| Some((*counts.get(key)?, *key))).collect();
        known.sort_unstable();
        let mut sum = 0;
        let fitting = known.iter().take_while(|(count, _)| {
            sum += count;
            sum <= MAX_COMPARED_RECORDS
        });
        let fitting: Vec<i64> = fitting.map(|(_, key)| *key).collect();
        is_exhaustive.push(fitting.len() == known.len());
        used.extend(&fitting);
        chosen.push(fitting);
    }
    let used: Vec<i64> = used.into_iter().collect();
    let mut owners: HashMap<i64, Vec<Uuid>> = HashMap::new();
    for batch in used.chunks(LOOKUP_BATCH_KEYS) {
        let select = Query::select()
            .columns(["key", "record_id"])
            .from(TABLE)
            .and_where(one_of_numbers(reader.backend(), "key", batch)?)
            .and_where_option(reader.visibility().predicate(TABLE))
            .to_owned();
        for row in reader.fetch_all(&select).await? {
            let key = row.try_get_by_index(0).map_err(internal)?;
            owners.entry(key).or_default().push(row.try_get_by_index(1).map_err(internal)?);
        }
    }
    let ids = chosen.iter().map(|keys| keys.iter().filter_map(|key| owners.get(key)).flatten().copied().collect()).collect();
    Ok(Candidates { ids, stored: HashMap::new(), is_exhaustive })
}

/// Adds the records that have an identifier of a subject.
async fn add_by_identifier(reader: Reader<'_>, subjects: &[Subject], candidates: &mut Candidates) -> Result<()> {
    let mut wanted: BTreeMap<&(String, String), Vec<usize>> = BTreeMap::new();
    for (index, subject) in subjects.iter().enumerate() {
        for identifier in &subject.identifiers {
            wanted.entry(identifier).or_default().push(index);
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let values: Vec<&str> = wanted.keys().map(|(_, value)| value.as_str()).collect::<BTreeSet<&str>>().into_iter().collect();
    let select = Query::select()
        .columns(["record_id", "scheme", "value"])
        .from("identifiers")
        .and_where(one_of(reader.backend(), "value", &values)?)
        .and_where_option(reader.visibility().predicate("identifiers"))
        .to_owned();
    for row in reader.fetch_all(&select).await? {
        let pair = (row.try_get_by_index(1).map_err(internal)?, row.try_get_by_index(2).map_err(internal)?);
        let owner: Uuid = row.try_get_by_index(0).map_err(internal)?;
        for index in wanted.get(&pair).into_iter().flatten() {
            candidates.ids[*index].insert(owner);
        }
    }
    Ok(())
}

/// Reads the records of the candidates. Those of other types are left out.
pub(crate) async fn load_candidates(reader: Reader<'_>, comparison: &Comparison, candidates: &mut Candidates) -> Result<()> {
    let ids: Vec<Uuid> = candidates.ids.iter().flatten().copied().collect::<BTreeSet<Uuid>>().into_iter().collect();
    candidates.stored = load(reader, comparison, &ids).await?;
    Ok(())
}

/// Compares a subject with those of its candidates that satisfy a condition.
pub(crate) fn compare_all(
    comparison: &Comparison,
    subject: &Subject,
    index: usize,
    candidates: &Candidates,
    mut is_compared: impl FnMut(&StoredSubject) -> bool,
) -> Vec<(Uuid, Likeness)> {
    let stored = candidates.ids[index].iter().filter_map(|id| Some((*id, candidates.stored.get(id)?)));
    let stored = stored.filter(|(_, stored)| is_compared(stored));
    let mut compared: Vec<(Uuid, Likeness)> = stored.map(|(id, stored)| (id, comparison.compare(subject, &stored.subject))).collect();
    // of equals, the older record first
    compared.sort_by_key(|(id, likeness)| (Reverse(likeness.score), *id));
    compared
}

/// Number of pairs of words that the comparison of two subjects compares.
pub(crate) fn word_comparisons(left: &Subject, right: &Subject) -> u64 {
    let words = |subject: &Subject| subject.names.iter().map(|name| name.words.len() as u64).sum::<u64>();
    words(left).saturating_mul(words(right)).max(1)
}

fn rank(comparison: &Comparison, subject: &Subject, index: usize, candidates: &Candidates, (first, left): (usize, &mut u64)) -> Matches {
    let mut is_exhaustive = candidates.is_exhaustive[index];
    let is_affordable = |stored: &StoredSubject| {
        let cost = word_comparisons(subject, &stored.subject);
        let is_affordable = cost <= *left;
        *left -= cost.min(*left);
        is_exhaustive &= is_affordable;
        is_affordable
    };
    let mut compared = compare_all(comparison, subject, index, candidates, is_affordable);
    compared.retain(|(_, likeness)| likeness.score >= MIN_MATCH_SCORE);
    let is_alone = is_exhaustive && compared.iter().filter(|(_, likeness)| likeness.score >= MIN_WARNING_SCORE).count() == 1;
    let is_certain = |place: usize, likeness: &Likeness| {
        place == 0 && likeness.score >= MIN_CERTAIN_SCORE && !likeness.is_contradicted() && (is_alone || likeness.has_common_identifier())
    };
    let matches = compared.into_iter().enumerate().take(first);
    let matches = matches.map(|(place, (id, likeness))| Match { id, is_certain: is_certain(place, &likeness), likeness }).collect();
    Matches { matches, is_exhaustive }
}

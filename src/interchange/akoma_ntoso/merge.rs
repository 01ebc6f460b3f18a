//! Works, of which several files have expressions.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::act::Act;
use super::body::ActProvision;
use super::metadata::Metadata;
use super::tree::Located;
use crate::interchange::omissions::{Omissions, place};
use crate::store::draft::{InputProblem, Origin};

/// A value of the metadata that is the same in all expressions of a work.
type WorkValue = (&'static str, fn(&Metadata) -> Option<&Located>);

/// The values of the metadata that are those of the work.
const WORK_VALUES: [WorkValue; 7] = [
    ("FRBRcountry", |metadata| Some(&metadata.country)),
    ("FRBRnumber", |metadata| metadata.number.as_ref()),
    ("eli", |metadata| metadata.eli.as_ref()),
    ("FRBRsubtype", |metadata| metadata.kind.as_ref()),
    ("date of adoption", |metadata| metadata.adopted_on.as_ref()),
    ("date of entry into force", |metadata| metadata.in_force_from.as_ref()),
    ("date of repeal", |metadata| metadata.repealed_on.as_ref()),
];

/// A work and its expressions. All that follows from it is the same in whatever order the files were read.
pub(super) struct Work<'a> {
    pub(super) uri: &'a str,
    /// By date; those of one date in the reverse order of `languages`, so that the last is the one to take values from that
    /// do not depend on the language.
    pub(super) acts: Vec<&'a Act>,
    /// Languages of the expressions, the one with the first expression first.
    pub(super) languages: Vec<&'a str>,
}

impl<'a> Work<'a> {
    /// The works of the acts, by their URIs.
    pub(super) fn all(acts: &'a [Act]) -> Vec<Self> {
        let mut works: BTreeMap<&str, Vec<&Act>> = BTreeMap::new();
        for act in acts {
            works.entry(&act.metadata.work.text).or_default().push(act);
        }
        works.into_iter().map(|(uri, acts)| Self::new(uri, acts)).collect()
    }

    /// The work with only one of its expressions.
    pub(super) fn with_only(&self, act: &'a Act) -> Self {
        Self::new(self.uri, vec![act])
    }

    fn new(uri: &'a str, mut acts: Vec<&'a Act>) -> Self {
        let mut first_dates: BTreeMap<&str, &str> = BTreeMap::new();
        for act in &acts {
            let Metadata { date, language, .. } = &act.metadata;
            let first = first_dates.entry(&language.text).or_insert(&date.text);
            *first = (*first).min(&date.text);
        }
        let mut languages: Vec<&str> = first_dates.keys().copied().collect();
        languages.sort_by_key(|language| (first_dates[language], *language));
        let rank = |act: &Act| languages.iter().position(|language| *language == act.metadata.language.text);
        acts.sort_by(|a, b| {
            let by_date = a.metadata.date.text.cmp(&b.metadata.date.text);
            by_date.then_with(|| rank(b).cmp(&rank(a))).then_with(|| a.origin.file.cmp(&b.origin.file))
        });
        Self { uri, acts, languages }
    }

    /// The last expression, in the first of the languages that it has.
    pub(super) fn latest(&self) -> &'a Act {
        self.acts[self.acts.len() - 1]
    }

    /// Expressions that are given twice, and values in which the expressions contradict each other.
    pub(super) fn conflicts(&self) -> Vec<InputProblem> {
        let mut problems = Vec::new();
        for pair in self.acts.windows(2) {
            let [first, second] = [pair[0], pair[1]];
            let (a, b) = (&first.metadata, &second.metadata);
            if (&a.date.text, &a.language.text) == (&b.date.text, &b.language.text) {
                let message = format!(
                    "the text of {} as of {} in the language {} is in {} as well; import one of the two",
                    self.uri,
                    b.date.text,
                    b.language.text,
                    place(&first.origin, None)
                );
                problems.push(InputProblem::new(second.origin.clone(), message));
            }
        }
        for (name, value) in WORK_VALUES {
            let mut given = self.acts.iter().filter_map(|act| Some((*act, value(&act.metadata)?)));
            let Some((first, stated)) = given.next() else { continue };
            for (act, other) in given.filter(|(_, other)| other.text != stated.text) {
                let message = format!(
                    "{name} is \"{}\", but \"{}\" at {}; a work has one",
                    other.text,
                    stated.text,
                    place(&first.origin, Some(stated.line))
                );
                problems.push(InputProblem::new(act.origin.child(name, Some(other.line)), message));
            }
        }
        problems
    }

    /// A value of the work, from the last expression that has it.
    pub(super) fn value(&self, value: impl Fn(&'a Metadata) -> Option<&'a Located>) -> Option<(&'a Act, &'a Located)> {
        self.acts.iter().copied().rev().find_map(|act| Some((act, value(&act.metadata)?)))
    }

    /// The values that expressions have in each language, the last of each.
    pub(super) fn by_language<T>(&self, value: impl Fn(&'a Act) -> Option<T>) -> Vec<(&'a str, T)> {
        let of_language = |language: &&'a str| {
            let mut acts = self.acts.iter().copied().rev().filter(|act| act.metadata.language.text == **language);
            acts.find_map(&value).map(|value| (*language, value))
        };
        self.languages.iter().filter_map(of_language).collect()
    }

    /// The provisions of all expressions in the order of the last one. Those that it lacks follow the one that they followed.
    pub(super) fn provisions(&self) -> Vec<WorkProvision<'a>> {
        let mut by_key: HashMap<&str, WorkProvision<'a>> = HashMap::new();
        for act in &self.acts {
            for provision in &act.provisions {
                let merged = by_key.entry(&provision.key).or_insert_with(|| WorkProvision { key: &provision.key, texts: Vec::new() });
                merged.texts.push((*act, provision));
            }
        }
        // each id by the one that it follows
        let mut next: HashMap<Option<&str>, Option<&str>> = HashMap::new();
        let mut placed: HashSet<&str> = HashSet::new();
        for act in self.acts.iter().rev() {
            let mut previous = None;
            for provision in &act.provisions {
                let key = provision.key.as_str();
                if placed.insert(key) {
                    let following = next.insert(previous, Some(key)).flatten();
                    next.insert(Some(key), following);
                }
                previous = Some(key);
            }
        }
        let following = |key: Option<&'a str>| next.get(&key).copied().flatten();
        let order = std::iter::successors(following(None), |key| following(Some(*key)));
        order.filter_map(|key| by_key.remove(key)).collect()
    }

    /// Counts titles and headings that a later expression in the same language replaces.
    pub(super) fn count_replaced(&self, omissions: &mut Omissions) {
        let titles = self.acts.iter().map(|act| (&act.metadata, act.metadata.title.text.as_str(), &act.origin));
        count_replaced_texts("titles of earlier expressions", titles, omissions);
        for provision in self.provisions() {
            let headings = provision.texts.iter().map(|(act, provision)| (&act.metadata, provision.heading.as_str(), &provision.origin));
            count_replaced_texts("headings of earlier expressions", headings, omissions);
        }
    }
}

fn count_replaced_texts<'a>(
    description: &str,
    texts: impl DoubleEndedIterator<Item = (&'a Metadata, &'a str, &'a Origin)>,
    omissions: &mut Omissions,
) {
    let mut last: HashMap<&str, &str> = HashMap::new();
    for (metadata, text, origin) in texts.rev() {
        let later = last.insert(&metadata.language.text, text);
        if later.is_some_and(|later| later != text) {
            omissions.count_text(description, text, origin);
        }
    }
}

/// A provision in the expressions that have it.
pub(super) struct WorkProvision<'a> {
    pub(super) key: &'a str,
    /// In the order of the expressions of the work.
    pub(super) texts: Vec<(&'a Act, &'a ActProvision)>,
}

impl<'a> WorkProvision<'a> {
    /// The provision in the last expression that has it.
    pub(super) fn latest(&self) -> &'a ActProvision {
        self.texts[self.texts.len() - 1].1
    }

    /// The headings in each language, those of the last expressions.
    pub(super) fn headings(&self, work: &Work<'a>) -> Vec<(&'a str, &'a ActProvision)> {
        let of_language = |language: &&'a str| {
            let mut texts = self.texts.iter().rev();
            texts.find(|(act, _)| act.metadata.language.text == **language).map(|(_, provision)| (*language, *provision))
        };
        work.languages.iter().filter_map(of_language).collect()
    }
}

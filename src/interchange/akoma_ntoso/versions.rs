//! The versions of a provision: which texts were in force from which day, of the expressions of its work and of what is stored.

use std::collections::BTreeMap;

use super::merge::WorkProvision;
use super::tree::MapBuilder;
use crate::core::text::cleaned;
use crate::store::draft::Origin;
use crate::store::draft::value_tree::Tree;
use crate::store::read::provision_lookup::StoredVersion;

/// A text of an expression, with its place.
#[derive(Debug, Clone)]
struct GivenText<'a> {
    text: &'a str,
    origin: &'a Origin,
    line: usize,
}

/// What is known of a provision as of a day.
#[derive(Debug, Clone, Default)]
struct State<'a> {
    stored: Option<&'a StoredVersion>,
    given: BTreeMap<&'a str, GivenText<'a>>,
}

/// A version of a provision.
#[derive(Debug)]
struct Version<'a> {
    from: &'a str,
    to: Option<&'a str>,
    stored: Option<&'a StoredVersion>,
    /// All texts, with white space and characters as they are stored.
    texts: BTreeMap<&'a str, String>,
    given: BTreeMap<&'a str, GivenText<'a>>,
}

/// The date of the expression of a stored version, if an import of Akoma Ntoso made it.
pub(super) fn expression_date(version: &StoredVersion) -> Option<&str> {
    version.valid_from.as_deref().filter(|from| version.key == key(from))
}

fn key(from: &str) -> String {
    format!("from-{from}")
}

/// The list of the versions of a provision. `dates` are those of all expressions of the work: one that lacks the provision ends
/// the version before it. A text that does not change from one expression to the next is one version. Stored versions that
/// others made are kept. `None` if there is neither a text nor a stored version.
pub(super) fn versions(
    dates: &[&str],
    languages: &[&str],
    provision: Option<&WorkProvision<'_>>,
    stored: &[StoredVersion],
    of_record: &Origin,
) -> Option<Tree> {
    let mut states: BTreeMap<&str, State<'_>> = dates.iter().map(|date| (*date, State::default())).collect();
    let mut others = Vec::new();
    for version in stored {
        match expression_date(version) {
            Some(date) => states.entry(date).or_default().stored = Some(version),
            None => others.push(version),
        }
    }
    for (act, provision) in provision.iter().flat_map(|provision| &provision.texts) {
        let Some(given) = &provision.text else { continue };
        let given = GivenText { text: &given.text, origin: &provision.origin, line: given.line };
        states.entry(&act.metadata.date.text).or_default().given.insert(&act.metadata.language.text, given);
    }
    // versions of others may have no date, and stand before the dated ones
    let dated = timeline(&states).into_iter().map(|version| version.item(languages, of_record));
    let mut items: Vec<(Option<&str>, String, Tree)> = dated.map(|(from, key, item)| (Some(from), key, item)).collect();
    for other in others {
        // a part that is given by its key stays as it is; a server requires the text as well
        let mut item = MapBuilder::new(None);
        item.set_text("key", &other.key);
        item.set("text", Some(stored_texts(other)));
        items.push((other.valid_from.as_deref(), other.key.clone(), item.build()));
    }
    items.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    (!items.is_empty()).then(|| Tree::list(items.into_iter().map(|(_, _, item)| item).collect()))
}

fn stored_texts(version: &StoredVersion) -> Tree {
    let mut texts = MapBuilder::new(None);
    for (language, stored) in &version.texts {
        texts.set(language, Some(Tree::text(None, stored)));
    }
    texts.build()
}

fn timeline<'a>(states: &BTreeMap<&'a str, State<'a>>) -> Vec<Version<'a>> {
    let mut versions: Vec<Version<'a>> = Vec::new();
    for (date, state) in states {
        let stored = state.stored.into_iter().flat_map(|stored| &stored.texts).map(|(language, text)| (language.as_str(), text.clone()));
        let mut texts: BTreeMap<&str, String> = stored.collect();
        texts.extend(state.given.iter().map(|(language, given)| (*language, cleaned(given.text).trim().to_owned())));
        let in_force = versions.last_mut().filter(|version| version.to.is_none_or(|to| to > *date));
        if let Some(before) = in_force {
            let goes_on = state.stored.is_none() && is_same_text(&before.texts, &texts);
            if goes_on {
                for (language, given) in &state.given {
                    if !before.texts.contains_key(language) {
                        before.given.insert(*language, given.clone());
                    }
                }
                before.texts.extend(texts);
                continue;
            }
            before.to = Some(*date);
        }
        if !texts.is_empty() {
            let to = state.stored.and_then(|stored| stored.valid_to.as_deref());
            versions.push(Version { from: date, to, stored: state.stored, texts, given: state.given.clone() });
        }
    }
    versions
}

/// Whether the texts of two expressions are the same: in all languages that both have, of which there must be one.
fn is_same_text(one: &BTreeMap<&str, String>, other: &BTreeMap<&str, String>) -> bool {
    let mut common = one.iter().filter_map(|(language, text)| Some((text, other.get(language)?))).peekable();
    common.peek().is_some() && common.all(|(one, other)| one == other)
}

impl<'a> Version<'a> {
    /// The day from which the version counts, its key, and its value tree. A stored version states only what changes.
    fn item(self, languages: &[&str], of_record: &Origin) -> (&'a str, String, Tree) {
        let key = key(self.from);
        let mut item = MapBuilder::new(None);
        item.set_text("key", &key);
        if self.stored.is_none() {
            item.set_text("validFrom", self.from);
        }
        if self.to != self.stored.and_then(|stored| stored.valid_to.as_deref()) {
            item.set("validTo", self.to.map(|to| Tree::text(None, to)));
        }
        if let Some(stored) = self.stored.filter(|_| self.given.is_empty()) {
            item.set("text", Some(stored_texts(stored)));
        } else {
            let mut texts = MapBuilder::new(None);
            for (language, given) in languages.iter().filter_map(|language| Some((language, self.given.get(language)?))) {
                // a line is one of the file of the record
                let line = (given.origin.file == of_record.file).then_some(given.line);
                texts.set(language, Some(Tree::text(line, given.text)));
            }
            item.set("text", Some(texts.build()));
        }
        (self.from, key, item.build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The text in a language that the versions have on a day.
    fn text_on<'v>(versions: &'v [Version<'_>], day: &str, language: &str) -> Option<&'v String> {
        let mut in_force = versions.iter().filter(|version| version.from <= day && version.to.is_none_or(|to| to > day));
        in_force.find_map(|version| version.texts.get(language))
    }

    proptest! {
        #[test]
        fn each_day_has_the_text_of_its_expression(
            texts in prop::collection::vec((prop::option::of("[ab]"), prop::option::of("[ab]")), 1..8),
        ) {
            let origin = Origin::default();
            let days: Vec<String> = (0..texts.len()).map(|index| format!("{}-01-01", 2000 + index)).collect();
            let mut states: BTreeMap<&str, State<'_>> = BTreeMap::new();
            for (day, (english, russian)) in days.iter().zip(&texts) {
                let given = [("en", english), ("ru", russian)].into_iter().filter_map(|(language, text)| {
                    Some((language, GivenText { text: text.as_deref()?, origin: &origin, line: 1 }))
                });
                states.insert(day, State { stored: None, given: given.collect() });
            }
            let versions = timeline(&states);
            for (day, (english, russian)) in days.iter().zip(&texts) {
                for (language, text) in [("en", english), ("ru", russian)] {
                    // a text of another day goes on if the other language says that nothing changed
                    if text.is_some() || (english.is_none() && russian.is_none()) {
                        prop_assert_eq!(text_on(&versions, day, language), text.as_ref(), "{} {} {:?}", day, language, versions);
                    }
                }
            }
            for pair in versions.windows(2) {
                prop_assert!(pair[0].to.is_some_and(|to| to <= pair[1].from));
            }
        }

        #[test]
        fn stored_versions_are_found_again(texts in prop::collection::vec(prop::option::of("[ab]"), 1..8)) {
            let origin = Origin::default();
            let days: Vec<String> = (0..texts.len()).map(|index| format!("{}-01-01", 2000 + index)).collect();
            let mut states: BTreeMap<&str, State<'_>> = BTreeMap::new();
            for (day, text) in days.iter().zip(&texts) {
                let given = text.iter().map(|text| ("en", GivenText { text, origin: &origin, line: 1 })).collect();
                states.insert(day, State { stored: None, given });
            }
            let first = timeline(&states);
            let stored: Vec<StoredVersion> = first
                .iter()
                .map(|version| StoredVersion {
                    key: key(version.from),
                    valid_from: Some(version.from.to_owned()),
                    valid_to: version.to.map(str::to_owned),
                    texts: version.texts.iter().map(|(language, text)| ((*language).to_owned(), text.clone())).collect(),
                })
                .collect();
            let mut again = states.clone();
            for version in &stored {
                again.entry(version.valid_from.as_deref().unwrap()).or_default().stored = Some(version);
            }
            let second = timeline(&again);
            let spans = |versions: &[Version<'_>]| -> Vec<(String, Option<String>)> {
                versions.iter().map(|version| (version.from.to_owned(), version.to.map(str::to_owned))).collect()
            };
            prop_assert_eq!(spans(&first), spans(&second));
        }
    }
}

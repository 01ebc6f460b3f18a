//! Redaction of a withheld person's names, slug and part keys in JSON values and texts.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::catalog::record::Record;
use crate::core::id;
use crate::store::write::model::{StoredRow, field};

/// Replacement for the name, by language.
pub(super) const REPLACEMENT_NAMES: [(&str, &str); 3] =
    [("en", "Name withheld"), ("ru", "Имя не разглашается"), ("kk", "Есімі жарияланбайды")];
/// Minimum length of a name or word to be searched for in texts.
const MIN_NAME_CHARS: usize = 5;
/// Maximum length of a case ending that a name may have.
const MAX_ENDING_CHARS: usize = 3;

/// Part keys that identify a person, with their replacements.
pub(super) type ReplacedKeys = HashMap<String, String>;

/// The names of a withheld person and their replacements.
pub(super) struct NameRedaction {
    /// Full names, the longest first. They are redacted in all texts.
    pub(super) names: Vec<String>,
    /// Stems of the words of the names. Other people share them, so they are redacted only in records that mention the
    /// person.
    words: Vec<String>,
    pub(super) slug: String,
    pub(super) new_slug: String,
    id: String,
}

impl NameRedaction {
    pub(super) fn of(record: &Record, row: &StoredRow, id: Uuid) -> Self {
        let mut names: Vec<String> = ["name", "otherNames", "sortName"]
            .into_iter()
            .flat_map(|name| field(record, row, name).texts())
            .map(|name| name.trim().to_owned())
            .filter(|name| name.chars().count() >= MIN_NAME_CHARS)
            .collect();
        // texts mention a person by family name after the first time
        let mut words: Vec<String> = names.iter().flat_map(|name| name.split_whitespace()).map(stem).collect();
        words.retain(|word| {
            word.chars().count() >= MIN_NAME_CHARS && !REPLACEMENT_NAMES.iter().any(|(_, label)| label.contains(word.as_str()))
        });
        for list in [&mut names, &mut words] {
            list.sort_by_key(|name| (Reverse(name.chars().count()), name.clone()));
            list.dedup();
        }
        let slug = field(record, row, "slug").as_text().unwrap_or_default().to_owned();
        let id = id::encode(record.ty.prefix(), id);
        let suffix = &id[id.len().saturating_sub(8)..];
        Self { names, words, slug, new_slug: format!("withheld-{suffix}"), id }
    }

    /// Collects the keys of parts that refer to the person, each with a replacement.
    pub(super) fn collect_keys(&self, value: &Json, keys: &mut ReplacedKeys) {
        match value {
            Json::Array(items) => items.iter().for_each(|item| self.collect_keys(item, keys)),
            Json::Object(members) => {
                let refers = members
                    .values()
                    .any(|value| value.as_str() == Some(&self.id) || value.get("person").and_then(Json::as_str) == Some(&self.id));
                let key = members.get("key").and_then(Json::as_str).filter(|key| !key.starts_with(&self.new_slug));
                if let (true, Some(key)) = (refers, key) {
                    let count = keys.len() + 1;
                    keys.entry(key.to_owned()).or_insert_with(|| match count {
                        1 => self.new_slug.clone(),
                        count => format!("{}-{count}", self.new_slug),
                    });
                }
                members.values().for_each(|value| self.collect_keys(value, keys));
            }
            _ => {}
        }
    }

    /// Redacts the names and keys in a value. `redacts_words` also redacts the single words of the names.
    pub(super) fn redact(&self, value: Json, keys: &ReplacedKeys, redacts_words: bool) -> Json {
        match value {
            Json::String(text) => match keys.get(&text) {
                Some(key) => json!(key),
                None => json!(self.redact_text(replace_keys(text, keys), redacts_words)),
            },
            Json::Array(items) => items.into_iter().map(|item| self.redact(item, keys, redacts_words)).collect(),
            Json::Object(members) => {
                let redacted = members.into_iter().map(|(name, value)| {
                    // a partly changed address or slug would lead elsewhere
                    let value = if ["url", "archivedUrl", "slug"].contains(&name.as_str()) {
                        value
                    } else {
                        self.redact(value, keys, redacts_words)
                    };
                    (name, value)
                });
                Json::Object(redacted.collect())
            }
            other => other,
        }
    }

    fn redact_text(&self, text: String, redacts_words: bool) -> String {
        if text == self.id {
            return text;
        }
        let is_path = text.contains('[');
        let mut text = if is_path || text == self.slug { text.replace(&self.slug, &self.new_slug) } else { text };
        for name in self.names.iter().chain(self.words.iter().filter(|_| redacts_words)) {
            if text.contains(name.as_str()) {
                let is_cyrillic = name.chars().any(|letter| ('\u{400}'..'\u{530}').contains(&letter));
                text = replace_name(&text, name, REPLACEMENT_NAMES[usize::from(is_cyrillic)].1);
            }
        }
        text
    }
}

/// Replaces the keys in the path of a field change.
fn replace_keys(mut path: String, keys: &ReplacedKeys) -> String {
    if path.contains('[') {
        for (old, new) in keys {
            path = path.replace(&format!("[{old}]"), &format!("[{new}]"));
        }
    }
    path
}

/// A name without the final letter that case endings replace, such as Петров for Петрова.
fn stem(name: &str) -> String {
    name.strip_suffix(['а', 'я', 'й', 'ь']).unwrap_or(name).to_owned()
}

/// Replaces a name at the beginning of words, together with its case ending: Ильяшев, Ильяшева, Ильяшеву. Words with a
/// longer ending are other words and stay.
fn replace_name(text: &str, name: &str, replacement: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(name) {
        let (before, after) = (&rest[..start], &rest[start + name.len()..]);
        let begins_word = !before.chars().next_back().or_else(|| redacted.chars().next_back()).is_some_and(char::is_alphabetic);
        let ending: usize = after.chars().take_while(|letter| letter.is_alphabetic()).map(char::len_utf8).sum();
        redacted.push_str(before);
        if begins_word && after[..ending].chars().count() <= MAX_ENDING_CHARS {
            redacted.push_str(replacement);
            rest = &after[ending..];
        } else {
            redacted.push_str(name);
            rest = after;
        }
    }
    redacted.push_str(rest);
    redacted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_replaced_with_its_ending_and_other_words_stay() {
        assert_eq!(replace_name("Суд над Ильяшевым, и Ильяшев; Ильяшевский", "Ильяшев", "N"), "Суд над N, и N; Ильяшевский");
        assert_eq!(replace_name("Almas of Almaty, Almagambetov", "Alma", "N"), "N of N, Almagambetov");
        assert_eq!(replace_name("nothing", "Alma", "N"), "nothing");
    }
}

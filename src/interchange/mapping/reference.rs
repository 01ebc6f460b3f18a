//! References of rows to records by an identifier or by the URL of a source.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use crate::catalog::catalog;
use crate::core::web_address::comparable_web_address;
use crate::entity::RecordType;
use crate::store::draft::{Draft, DraftValue};
use crate::store::read::result::Cell;

/// How a row refers to a record, other than by its slug.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LookupBy {
    /// By an identifier of this scheme.
    Identifier(String),
    /// By the URL of a source.
    Url,
}

/// A reference of a row: the type of the record, and its identifier or URL.
pub type Reference = (RecordType, LookupBy, String);

/// The records that rows can refer to, and the references for which there is none.
#[derive(Debug, Default)]
pub struct References {
    slugs: HashMap<Reference, String>,
    /// References to records of the import that have no slug.
    unnamed: HashSet<Reference>,
    /// References without a record, in the order of the rows.
    missing: RefCell<Vec<Reference>>,
}

impl References {
    /// Adds a record under its slug.
    pub fn insert(&mut self, reference: Reference, slug: String) {
        self.slugs.insert(reference, slug);
    }

    /// Whether there is a record for a reference.
    pub fn has(&self, reference: &Reference) -> bool {
        self.slugs.contains_key(reference)
    }

    /// Adds a record of the import under its identifiers, and a source under its URL.
    pub fn insert_draft(&mut self, ty: RecordType, draft: &Draft) {
        let identifier = catalog().get(RecordType::Identifier);
        let [scheme, value] = ["scheme", "value"].map(|name| identifier.known_field(name));
        let text = |draft: &Draft, field| match draft.value(field) {
            Some(DraftValue::Cell(Cell::Text(text))) => Some(text.clone()),
            _ => None,
        };
        let mut references: Vec<Reference> = Vec::new();
        for part in draft.parts.iter().filter(|(part, _)| *part == RecordType::Identifier).flat_map(|(_, parts)| parts) {
            if let (Some(scheme), Some(value)) = (text(part, scheme), text(part, value)) {
                references.push((ty, LookupBy::Identifier(scheme), value));
            }
        }
        if ty == RecordType::Source {
            let url = text(draft, catalog().get(ty).known_field("url"));
            references.extend(url.map(|url| (ty, LookupBy::Url, url)));
        }
        match &draft.name {
            Some(slug) => self.slugs.extend(references.into_iter().map(|reference| (reference, slug.clone()))),
            None => self.unnamed.extend(references),
        }
    }

    /// Takes the references that had no record when they were looked up, each once, without those that have one by now.
    pub fn take_missing(&mut self) -> Vec<Reference> {
        let mut missing = self.missing.take();
        let mut seen = HashSet::new();
        missing.retain(|reference| !self.slugs.contains_key(reference) && seen.insert(reference.clone()));
        missing
    }

    /// The slug of a record, or why there is none.
    pub(super) fn slug(&self, ty: RecordType, by: &LookupBy, value: &str) -> Result<String, String> {
        let value = match by {
            LookupBy::Identifier(_) => value.to_owned(),
            LookupBy::Url => comparable_web_address(value),
        };
        let reference = (ty, by.clone(), value.clone());
        if let Some(slug) = self.slugs.get(&reference) {
            return Ok(slug.clone());
        }
        let name = match by {
            LookupBy::Identifier(scheme) => format!("identifier {scheme} {value}"),
            LookupBy::Url => format!("URL {value}"),
        };
        let message = if self.unnamed.contains(&reference) {
            format!(
                "the record of this import with the {name} has no slug and is not in the database yet; give it a slug, or import it first"
            )
        } else {
            format!("no record has the {name}, neither in the import nor in the database")
        };
        self.missing.borrow_mut().push(reference);
        Err(message)
    }
}

//! Reads everything that is named into drafts, and gathers what is wrong with any of it.

use std::sync::Arc;

use uuid::Uuid;

use crate::catalog::record::catalog;
use crate::core::error::Error;
use crate::entity::RecordType;
use crate::store::Store;
use crate::store::draft;
use crate::store::draft::{Draft, DraftValue, InputProblem};
use crate::store::read::dump::Former;
use crate::store::read::result::Cell;
use crate::store::write::Drafts;
use crate::transfer::csv::{Kept, Table};
use crate::transfer::format::Format;
use crate::transfer::input;
use crate::transfer::input::Input;
use crate::transfer::mapping::{Mapping, Slugs};
use crate::transfer::popolo;
use crate::transfer::popolo::wish::Known;
use crate::transfer::popolo::{Popolo, is_popolo};
use crate::transfer::{json, ndjson, package, yaml};

/// Slugs and ids that records had before.
#[derive(Debug, Default)]
pub struct FormerNames {
    /// Slugs.
    pub slugs: Vec<Former<String>>,
    /// Ids of records that were merged into others.
    pub ids: Vec<Former<Uuid>>,
}

/// What was read so far.
#[derive(Default)]
pub struct Reading {
    /// The records.
    pub drafts: Drafts,
    /// What is wrong.
    pub problems: Vec<InputProblem>,
    /// What somebody should know although nothing is wrong.
    pub notes: Vec<String>,
    /// Popolo, of which records are made when all files are read.
    pub popolo: Popolo,
    /// Slugs and ids that records of packages had before.
    pub former: FormerNames,
    /// Whether there was a package, whose records have ids already.
    pub has_package: bool,
    /// Tables whose lines refer to records by their identifiers.
    kept: Vec<Kept>,
    mapping: Option<Arc<Mapping>>,
}

impl Reading {
    /// Nothing yet.
    pub fn new(options: popolo::Options) -> Self {
        Self { popolo: Popolo::new(options), ..Self::default() }
    }

    /// Reads tables by this mapping.
    pub fn map(&mut self, mapping: Mapping) {
        self.mapping = Some(Arc::new(mapping));
    }

    /// Reads one file, or standard input.
    pub fn take(&mut self, input: &Input) {
        let outcome = match input.format {
            Format::Yaml => input.text().and_then(|text| yaml::read(&input.name, &text)).map(Some),
            Format::Json => input.open().and_then(|reader| json::read(&input.name, reader)).map(|tree| {
                if !input.said && is_popolo(&tree) {
                    self.popolo.take(&input.name, tree);
                    return None;
                }
                Some(tree)
            }),
            Format::Popolo => input.open().and_then(|reader| json::read(&input.name, reader)).map(|tree| {
                self.popolo.take(&input.name, tree);
                None
            }),
            Format::Ndjson => input.open().map(|reader| {
                ndjson::read(&input.name, reader, |read| self.add(read));
                None
            }),
            Format::Package => {
                if let Err(problems) = self.package(input) {
                    self.problems.extend(problems);
                }
                Ok(None)
            }
            Format::Csv => {
                if let Err(problems) = self.table(input) {
                    self.problems.extend(problems);
                }
                Ok(None)
            }
        };
        match outcome {
            Ok(Some(tree)) => match draft::parse::file(&input.name, &tree) {
                Ok(read) => read.into_iter().for_each(|(ty, drafts)| drafts.into_iter().for_each(|draft| self.push(ty, draft))),
                Err(problems) => self.problems.extend(problems),
            },
            Ok(None) => {}
            Err(problem) => self.problems.push(problem),
        }
    }

    fn package(&mut self, input: &Input) -> Result<(), Vec<InputProblem>> {
        let Some(path) = &input.path else {
            let message = "a data package is a folder of files; name the folder, or its datapackage.json";
            return Err(vec![input::problem(None, message.to_owned())]);
        };
        self.has_package = true;
        let package = package::read(path)?;
        package.records.into_iter().for_each(|(ty, draft)| self.push(ty, draft));
        self.former.slugs.extend(package.slugs);
        self.former.ids.extend(package.ids);
        Ok(())
    }

    fn table(&mut self, input: &Input) -> Result<(), Vec<InputProblem>> {
        let Some(mapping) = self.mapping.clone() else {
            let message = "a table needs a mapping, which says what its columns are; give it with --mapping FILE";
            return Err(vec![input::problem(Some(&input.name), message.to_owned())]);
        };
        let reader = input.open().map_err(|problem| vec![problem])?;
        let (table, unused) = Table::open(&input.name, reader, &mapping)?;
        if !unused.is_empty() {
            self.notes.push(format!("{}: columns that the mapping does not use: {}", input.name, unused.join(", ")));
        }
        if table.refers() {
            self.kept.push(table.keep()?);
        } else {
            table.read(&Slugs::new(), |read| self.add(read));
        }
        Ok(())
    }

    /// Makes records of what had to wait until it was known what the database has; without a database, of the files alone.
    pub async fn finish(&mut self, store: Option<&Store>) -> Result<(), Error> {
        if !self.popolo.is_empty() {
            let known = match store {
                Some(store) => Known::ask(&self.popolo, store).await?,
                None => Known::default(),
            };
            let converted = std::mem::take(&mut self.popolo).convert(known);
            converted.drafts.into_iter().for_each(|(ty, draft)| self.push(ty, draft));
            self.problems.extend(converted.problems);
            self.notes.extend(converted.notes);
        }
        let kept = std::mem::take(&mut self.kept);
        let mut slugs = self.identified();
        let wanted: Vec<_> = kept.iter().flat_map(Kept::wanted).collect();
        for (ty, scheme, values) in wanted {
            if let Some(store) = store {
                let found = store.slugs_by_identifier(ty, &scheme, &values).await?;
                slugs.extend(found.into_iter().map(|(value, slug)| ((ty, scheme.clone(), value), slug)));
            }
        }
        kept.iter().for_each(|kept| kept.read(&slugs, |read| self.add(read)));
        Ok(())
    }

    /// Slugs of the records that were read, by their identifiers.
    fn identified(&self) -> Slugs {
        let part = catalog().get(RecordType::Identifier);
        let (Some(scheme), Some(value)) = (part.field_index("scheme"), part.field_index("value")) else { return Slugs::new() };
        let text = |draft: &Draft, field| match draft.value(field) {
            Some(DraftValue::Cell(Cell::Text(text))) => Some(text.clone()),
            _ => None,
        };
        let mut slugs = Slugs::new();
        for (ty, draft) in self.drafts.iter().flat_map(|(ty, drafts)| drafts.iter().map(move |draft| (*ty, draft))) {
            let Some(slug) = &draft.name else { continue };
            for part in draft.parts.iter().filter(|(part, _)| *part == RecordType::Identifier).flat_map(|(_, parts)| parts) {
                if let (Some(scheme), Some(value)) = (text(part, scheme), text(part, value)) {
                    slugs.insert((ty, scheme, value), slug.clone());
                }
            }
        }
        slugs
    }

    fn add(&mut self, read: Result<(RecordType, Draft), Vec<InputProblem>>) {
        match read {
            Ok((ty, draft)) => self.push(ty, draft),
            Err(problems) => self.problems.extend(problems),
        }
    }

    /// Adds a record.
    pub fn push(&mut self, ty: RecordType, draft: Draft) {
        match self.drafts.iter_mut().find(|(of, _)| *of == ty) {
            Some((_, drafts)) => drafts.push(draft),
            None => self.drafts.push((ty, vec![draft])),
        }
    }
}
